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
from realtime.core.quota import KNOWN_MS, SILENT_MS, WINDOW_MS, QuotaLog
from realtime.providers.redis_quota import SCRIPT
from tests.cluster.redis_server import RedisServer, require

LIMIT = 4
BEGAN_MS = 1_790_000_000_000
KEYS = ["test:places", "test:refusals", "test:nodes"]
CLOCK = "redis.call('TIME')"


class Script:
    """Runs the script at a time of our own."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def run(self, now_ms: int, node: str, operation: str, *arguments: Any, limit: int = LIMIT) -> list[int]:
        seconds, ms = divmod(BEGAN_MS + now_ms, 1000)
        text = SCRIPT.text.replace(CLOCK, f"{{'{seconds}', '{ms * 1000 + 999}'}}")
        return self.client.eval(text, len(KEYS), *KEYS, operation, node, limit, *arguments)


@pytest.fixture
def script(kept_server: RedisServer):
    from redis import Redis

    client = Redis(unix_socket_path=str(kept_server.path))
    client.flushall()
    yield Script(client)
    client.close()


class SharedAccount(RuleBasedStateMachine):
    """Two nodes ask, give back, date anew, write again and are refused; a third one may be silent."""

    script: Script

    def __init__(self) -> None:
        super().__init__()
        self.script.client.flushall()
        self.log, self.now_ms, self.numbers = QuotaLog(LIMIT), 0, itertools.count()
        self.seen_ms: dict[str, int] = {}
        self.taken: list[str] = ["never"]

    def both(self, node: str, operation: str, *arguments: Any) -> list[int]:
        """Runs it in Redis, and checks what it says of the account."""
        wait_ms, left, known, limit = self.script.run(self.now_ms, node, operation, *arguments)
        if operation == "refused":
            self.log.refused(self.now_ms)
        self.seen_ms = {name: at for name, at in self.seen_ms.items() if at > self.now_ms - KNOWN_MS}
        self.seen_ms[node] = self.now_ms
        if operation == "leave":
            del self.seen_ms[node]
        self.log.nodes = known
        self.log.silent = sum(at <= self.now_ms - SILENT_MS for at in self.seen_ms.values())
        assert (known, limit) == (len(self.seen_ms), self.log.usable(self.now_ms))
        return [wait_ms, left]

    @rule(ms=st.sampled_from([1, 800, SILENT_MS, 20_000, WINDOW_MS]))
    def time_passes(self, ms: int) -> None:
        self.now_ms += ms

    @rule(
        node=st.sampled_from("ab"),
        longest_ms=st.sampled_from([0, 5000, WINDOW_MS]),
        again=st.booleans(),
        data=st.data(),
    )
    def take(self, node: str, longest_ms: int, again: bool, data: st.DataObject) -> None:
        place = data.draw(st.sampled_from(self.taken)) if again else f"{node}:{next(self.numbers)}"
        wait_ms, left = self.both(node, "take", place, longest_ms)
        assert wait_ms == self.log.take(place, self.now_ms, longest_ms)
        assert left == self.log.left(self.now_ms)
        self.taken.append(place)

    @rule(node=st.sampled_from("ab"), data=st.data())
    def give_back(self, node: str, data: st.DataObject) -> None:
        place = data.draw(st.sampled_from(self.taken))
        self.log.give_back(place)
        assert self.both(node, "back", place) == [0, self.log.left(self.now_ms)]

    @rule(
        node=st.sampled_from("ab"),
        ages_ms=st.lists(st.integers(-5000, WINDOW_MS - 1), max_size=3),
        data=st.data(),
    )
    def write(self, node: str, ages_ms: list[int], data: st.DataObject) -> None:
        arguments: list[Any] = []
        for age_ms in ages_ms:
            place = data.draw(st.sampled_from(self.taken))
            self.log.write(place, self.now_ms - age_ms)
            arguments += [place, age_ms]
        assert self.both(node, "write", *arguments) == [0, self.log.left(self.now_ms)]

    @rule(node=st.sampled_from("abc"), operation=st.sampled_from(["look", "refused", "leave"]))
    def other(self, node: str, operation: str) -> None:
        _, left = self.both(node, operation)
        assert left == self.log.left(self.now_ms)


def test_the_script_and_the_log_agree(script: Script) -> None:
    machine = type("Machine", (SharedAccount,), {"script": script})
    case = machine.TestCase
    case.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
    case().runTest()


def test_the_times_of_the_script_are_those_of_the_log() -> None:
    numbers = re.search(r"= (61000, 60000, 10000, 3000, 120000)\n", SCRIPT.text)
    assert numbers is not None
    ours = (quota.WINDOW_MS, quota.LOWERED_MS, quota.SETTLE_MS, quota.SILENT_MS, quota.KNOWN_MS)
    assert tuple(map(int, numbers[1].split(","))) == ours
    assert f"* {quota.SAFE_SHARE} /" in SCRIPT.text
    assert f"{quota.LOWERED_TO} ^" in SCRIPT.text
    assert len(SCRIPT.text.splitlines()) <= 40
    assert SCRIPT.text.count(CLOCK) == 1


def test_a_clock_that_goes_back_leaves_no_place_that_is_never_over(script: Script) -> None:
    for number in range(LIMIT):
        assert script.run(600_000, "a", "take", str(number), 0)[0] == 0
    script.run(600_000, "a", "refused")
    assert script.run(0, "a", "take", "after", 0) == [0, LIMIT - 1, 1, LIMIT]


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
        script.run(0, "a", "write", *pairs, limit=limit)
    waits = [script.run(0, "a", "take", f"new {number}", 5000, limit=limit)[0] for number in range(10)]
    assert waits == [1000 + number for number in range(10)]


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
