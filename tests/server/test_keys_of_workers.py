"""The sessions of a key count over all workers of a machine."""

from hypothesis import given
from hypothesis import strategies as st

from realtime.server.registry import Registry
from realtime.server.spread import KeyCounts, Slot, WorkerTable, shared_rows

LIMIT, WORKERS = 3, 2
KEYS = ("key-a", "key-b")


def registries() -> tuple[WorkerTable, list[Registry]]:
    table = WorkerTable([0.0] * len(shared_rows(WORKERS, len(KEYS))), len(KEYS))
    made = [Registry(100, LIMIT) for _ in range(WORKERS)]
    for number, registry in enumerate(made):
        registry.key_counts = KeyCounts(Slot(table, number), KEYS)
    return table, made


async def test_no_worker_gives_a_key_more_than_all_together_may():
    table, (one, other) = registries()
    with one.place() as first, one.place() as second, other.place() as third:
        for place in (first, second, third):
            assert not other.full_for("key-a")
            place.take("key-a")
        assert one.full_for("key-a")
        assert other.full_for("key-a")
        assert not one.full_for("key-b")
        first.free()
        assert not other.full_for("key-a")
        first.take("key-a")
        table.clear(0)  # that worker died
        assert not other.full_for("key-a")


async def test_who_took_a_place_in_the_same_moment_as_another_worker_sees_it():
    _, (one, other) = registries()
    with one.place() as first, one.place() as second, one.place() as third, other.place() as fourth:
        first.take("key-a")
        second.take("key-a")
        assert not one.full_for("key-a")
        assert not other.full_for("key-a")
        third.take("key-a")
        fourth.take("key-a")
        assert other.over_for("key-a")
        assert one.over_for("key-a")
        fourth.free()
        assert not one.over_for("key-a")


@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from(KEYS)), max_size=20))
def test_the_columns_of_keys_and_workers_do_not_mix(taken):
    table = WorkerTable([0.0] * len(shared_rows(WORKERS, len(KEYS))), len(KEYS))
    slots = [Slot(table, number) for number in range(WORKERS)]
    counts = [KeyCounts(slot, KEYS) for slot in slots]
    for number, slot in enumerate(slots):
        slot.say(1.0, room=True, load=7, sessions=number)
    for number, key in taken:
        counts[number].write(key, taken.count((number, key)))
    for number in range(WORKERS):
        assert table[number].sessions == number
        for key in KEYS:
            assert counts[1 - number].elsewhere(key) == taken.count((number, key))
