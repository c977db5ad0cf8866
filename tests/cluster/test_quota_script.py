"""The script that counts for all nodes, on a real Redis, against the pure log: the same answer to every operation."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from realtime.core import quota
from realtime.core.quota import HOLD_MS, KNOWN_MS, SILENT_MS, TAG, WINDOW_MS, share_of
from realtime.providers.redis_quota import SCRIPT
from tests.cluster.account_model import AccountModel
from tests.cluster.redis_server import RedisServer, require

LIMIT = 4
BEGAN_MS = 1_790_000_000_000
KEYS = ["test:places", "test:refusals", "test:nodes", "test:known"]
CLOCK = "redis.call('TIME')"
NAMES = {"a": "one", "b": "two", "c": "one", "d": "four"}  # c is a after a restart


def named(node: str) -> str:
    """As the script knows it: a tag, with which its places begin, and a name."""
    return f"{node * TAG} {NAMES[node]}"


class Script:
    """Runs the script at a time of our own."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def run(
        self,
        now_ms: int,
        node: str,
        operation: str,
        *arguments: Any,
        heard_ms: int = 0,
        knows: int = 1,
        limit: int = LIMIT,
    ) -> list[int]:
        seconds, ms = divmod(BEGAN_MS + now_ms, 1000)
        text = SCRIPT.text.replace(CLOCK, f"{{'{seconds}', '{ms * 1000 + 999}'}}")
        heard_ms = BEGAN_MS + heard_ms if heard_ms else 0
        words = (operation, named(node), heard_ms, knows, limit, *arguments)
        wait_ms, left, nodes, usable, now, oldest, since = self.client.eval(text, len(KEYS), *KEYS, *words)
        return [wait_ms, left, nodes, usable, now - BEGAN_MS, oldest - BEGAN_MS, since - BEGAN_MS]


@pytest.fixture
def script(kept_server: RedisServer):
    from redis import Redis

    client = Redis(unix_socket_path=str(kept_server.path))
    client.flushall()
    yield Script(client)
    client.close()


class SharedAccount(RuleBasedStateMachine):
    """Nodes ask, give back, leave, start again, write again and are refused; some are silent. The clock may go back, and
    Redis may lose a part of what it keeps."""

    script: Script

    def __init__(self) -> None:
        super().__init__()
        self.script.client.flushall()
        self.model, self.now_ms, self.numbers = AccountModel(), KNOWN_MS, itertools.count()
        self.taken: list[str] = ["never"]

    def both(self, node: str, operation: str, *arguments: Any, heard_ms: int = 0, knows: int = 3) -> None:
        """Runs it in Redis and in the model."""
        said = self.script.run(self.now_ms, node, operation, *arguments, heard_ms=heard_ms, knows=knows)
        assert said == self.model.run(self.now_ms, operation, named(node), heard_ms, knows, LIMIT, *arguments)
        places = self.script.client.zrange(KEYS[0], 0, -1, withscores=True)
        held = {place.decode(): int(at_ms) - BEGAN_MS for place, at_ms in places}
        assert held == dict(self.model.log.places(self.now_ms))

    @rule(ms=st.sampled_from([1, 800, SILENT_MS, 20_000, HOLD_MS, WINDOW_MS, -5, -100_000]))
    def time_passes(self, ms: int) -> None:
        self.now_ms = max(1, self.now_ms + ms)

    @rule(
        node=st.sampled_from("ab"),
        longest_ms=st.sampled_from([0, 5000, WINDOW_MS]),
        again=st.booleans(),
        data=st.data(),
    )
    def take(self, node: str, longest_ms: int, again: bool, data: st.DataObject) -> None:
        place = data.draw(st.sampled_from(self.taken)) if again else f"{node * TAG}:{next(self.numbers)}"
        self.both(node, "take", place, longest_ms, heard_ms=self.now_ms)
        self.taken.append(place)

    @rule(node=st.sampled_from("ab"), data=st.data())
    def give_back(self, node: str, data: st.DataObject) -> None:
        self.both(node, "back", *data.draw(st.lists(st.sampled_from(self.taken), max_size=2)))

    @rule(
        node=st.sampled_from("ab"),
        ages_ms=st.lists(st.integers(-HOLD_MS, WINDOW_MS - 1), max_size=3),
        data=st.data(),
    )
    def write(self, node: str, ages_ms: list[int], data: st.DataObject) -> None:
        arguments: list[Any] = []
        for age_ms in ages_ms:
            arguments += [data.draw(st.sampled_from(self.taken)), age_ms]
        self.both(node, "write", *arguments)

    @rule(part=st.sampled_from(["places", "nodes", "known"]))
    def lose(self, part: str) -> None:
        self.script.client.delete(f"test:{part}")
        self.model.lose(part)

    @rule(node=st.sampled_from("abc"), process=st.sampled_from(["", "p", "q"]))
    def greet(self, node: str, process: str) -> None:
        self.both(node, "greet", process)

    @rule(
        node=st.sampled_from("abc"),
        operation=st.sampled_from(["look", "refused", "leave"]),
        heard_ago_ms=st.sampled_from([None, 0, 50, SILENT_MS, -1]),
        knows=st.integers(1, 10),
    )
    def other(self, node: str, operation: str, heard_ago_ms: int | None, knows: int) -> None:
        heard_ms = 0 if heard_ago_ms is None else max(0, self.now_ms - heard_ago_ms)
        self.both(node, operation, heard_ms=heard_ms, knows=knows)


def test_the_script_and_the_log_agree(script: Script) -> None:
    machine = type("Machine", (SharedAccount,), {"script": script})
    case = machine.TestCase
    case.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
    case().runTest()


def test_the_times_of_the_script_are_those_of_the_log() -> None:
    numbers = re.search(r"= (61000, 30000, 60000, 10000, 3000, 120000)\n", SCRIPT.text)
    assert numbers is not None
    names = ("WINDOW_MS", "HOLD_MS", "LOWERED_MS", "SETTLE_MS", "SILENT_MS", "KNOWN_MS")
    assert tuple(map(int, numbers[1].split(","))) == tuple(getattr(quota, name) for name in names)
    assert f"* {quota.SAFE_SHARE} /" in SCRIPT.text
    assert f"{quota.LOWERED_TO} ^" in SCRIPT.text
    assert f"TAG, LOOK_AT = {quota.TAG}, {quota.LOOK_AT}\n" in SCRIPT.text
    assert SCRIPT.text.count(CLOCK) == 1


def test_a_clock_that_goes_back_leaves_no_place_that_is_never_over_and_says_that_something_was_forgotten(
    script: Script,
) -> None:
    for number in range(LIMIT):
        assert script.run(600_000, "a", "take", str(number), 0, heard_ms=600_000)[0] == 0
    script.run(600_000, "a", "refused")
    assert script.run(1, "a", "take", "after", 0, heard_ms=1) == [0, LIMIT - 1, 1, LIMIT, 1, 1, 1]


def test_a_node_is_in_touch_when_it_says_what_it_has_heard(script: Script) -> None:
    """Not when something of it arrives, which may be old. Until then its share is kept aside."""
    limit, share = 60, share_of(60, 3)
    script.run(0, "b", "look", limit=limit)

    def usable(now_ms: int, heard_ms: int) -> int:
        return script.run(now_ms, "a", "look", heard_ms=heard_ms, knows=3, limit=limit)[3]

    script.run(1, "b", "leave")
    assert usable(1000, 0) == limit - share
    assert usable(1010, 1000) == limit
    assert usable(1000 + SILENT_MS, 1000) == limit - share, "it goes on asking, but hears nothing"
    assert usable(2000 + SILENT_MS, 1999 + SILENT_MS) == limit


def test_the_share_that_is_kept_aside_is_the_one_that_its_node_knows(script: Script) -> None:
    """More nodes came since it was heard of: it does not know that its share would be smaller."""
    for name in "abcd":
        script.run(0, name, "look", knows=1 if name == "a" else 4, limit=60)
    for name in "bcd":
        script.run(1, name, "look", heard_ms=1, knows=4, limit=60)
    assert script.run(2, "b", "look", heard_ms=2, knows=4, limit=60)[3] == 60 - share_of(60, 1)


def test_nothing_stays_in_redis_for_longer_than_two_minutes(script: Script) -> None:
    for operation in (["take", "x", 0], ["refused"], ["look"]):
        script.run(0, "a", *operation)
    assert sorted(script.client.keys()) == sorted(key.encode() for key in KEYS)
    assert all(0 < script.client.pttl(key) <= KNOWN_MS for key in KEYS)


def test_an_account_of_many_requests_costs_what_waits_and_not_what_was_sent(script: Script) -> None:
    """5,000 places in the log, 10 requests too many: the answer is exact, without a look at all of them."""
    limit = 5000
    for first in range(0, limit, 500):
        pairs = [word for number in range(first, first + 500) for word in (f"old {number}", 60_000 - number)]
        script.run(1, "a", "write", *pairs, heard_ms=1, limit=limit)
    waits = [
        script.run(1, "a", "take", f"new {number}", 5000, heard_ms=1, limit=limit)[0] for number in range(10)
    ]
    assert waits == [1000 + number for number in range(10)]


@pytest.mark.parametrize("number", [quota.LOOK_AT, quota.LOOK_AT + 1])
def test_of_many_places_those_of_a_silent_node_are_not_told_apart(script: Script, number: int) -> None:
    """It would take Redis too long. So they count beside its share: less is left, never more."""
    limit, model = 700, AccountModel()

    def both(now_ms: int, node: str, operation: str, *arguments: Any, heard_ms: int = 0) -> list[int]:
        said = script.run(now_ms, node, operation, *arguments, heard_ms=heard_ms, limit=limit, knows=4)
        assert said == model.run(now_ms, operation, named(node), heard_ms, 4, limit, *arguments)
        return said

    pairs = [word for place in range(number) for word in (f"{'ab'[place % 2] * TAG}:{place}", 60_000 - place)]
    both(1, "b", "write", *pairs)
    both(1, "a", "look", heard_ms=1)
    left = both(2, "a", "look", heard_ms=2)[1]
    share = share_of(limit, 4)
    assert left == limit - share - number + (min(share, number // 2) if number <= quota.LOOK_AT else 0)


@pytest.mark.usefixtures("needed")
def test_without_redis_the_folder_is_skipped_or_fails_where_it_is_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("REQUIRE", "node")
    with pytest.raises(pytest.skip.Exception, match="redis-server"):
        require()
    monkeypatch.setenv("REQUIRE", "node,redis")
    with pytest.raises(pytest.fail.Exception, match="redis-server"):
        require()
