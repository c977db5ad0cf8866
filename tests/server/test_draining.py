"""When each session of a stopping server leaves, in virtual time."""

import asyncio
import signal
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from realtime import ending
from realtime.metrics import Metrics
from realtime.server import run
from realtime.server.app import realtime_app
from realtime.server.draining import (
    ANSWER_S,
    ASKED_FOR_S,
    ASKED_WITHIN_S,
    AWAY_S,
    BALANCER_DELAY_S,
    LEAST_PER_S,
    MOST_PER_S,
    POLL_S,
    QUIET_S,
    BalancerWatch,
    Drain,
)
from realtime.server.run import join_workers
from realtime.server.spread import WorkerTable, shared_rows
from realtime.server.state import DRAIN, REGISTRY
from realtime.server.worker import Post, Worker
from realtime.settings import Settings
from tests import virtual_time

SOON_S = QUIET_S + 2 * POLL_S


def now() -> float:
    return asyncio.get_running_loop().time()


class Session:
    can_move = False
    """Engaged until this time of the loop; it takes `closes_s` to end."""

    def __init__(self, number: int = 0, *, engaged_s: float = 0.0, closes_s: float = 0.01) -> None:
        self.id = f"sess_{number}"
        self.answer_due = False
        self._began_s = now()
        self._engaged_s = engaged_s
        self._closes_s = closes_s
        self._away_since_s: float | None = None
        self.asked = 0
        self.left_s: float | None = None
        self.was_engaged = False

    @property
    def engaged(self) -> bool:
        return now() - self._began_s < self._engaged_s

    @property
    def away_s(self) -> float | None:
        return None if self._away_since_s is None else now() - self._away_since_s

    def lose_client(self) -> None:
        self._away_since_s = now()

    def client_is_back(self) -> None:
        self._away_since_s = None

    def leave(self) -> None:
        self.asked += 1
        self.left_s, self.was_engaged = now() - self._began_s, self.engaged
        asyncio.get_running_loop().call_later(self._closes_s, self.on_ended, self)


class Sessions:
    def __init__(self, *sessions: Session) -> None:
        self.draining = False
        self._left = list(sessions)
        self._changed = asyncio.Event()
        for session in sessions:
            session.on_ended = self._ended  # type: ignore[attr-defined]

    def _ended(self, session: Session) -> None:
        self._left.remove(session)
        self._changed.set()

    def __len__(self) -> int:
        return len(self._left)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._left))

    @property
    def closed(self) -> bool:
        return not self._left

    async def change(self, timeout_s: float) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            pass

    def wake(self) -> None:
        self._changed.set()


def metric(metrics: Metrics, line: str) -> bool:
    return f"\n{line}\n" in metrics.text().decode()


async def drained(*sessions: Session, delay_s: float | None = 0.0, drain_s: float = 5.0) -> float:
    """Stop a server with these sessions; returns how long it took."""
    begin_s, drain = now(), Drain(Sessions(*sessions), Metrics(), delay_s=delay_s, drain_s=drain_s)
    await drain.run(drain.begin())
    return now() - begin_s


def test_a_server_without_sessions_stops_at_once():
    assert virtual_time.run(drained()) == 0.0


def test_a_quiet_session_leaves_soon_and_one_in_which_somebody_speaks_or_listens_after_that():
    async def main() -> None:
        quiet, engaged = Session(0), Session(1, engaged_s=3.0)
        await drained(quiet, engaged)
        assert QUIET_S <= quiet.left_s <= SOON_S
        assert 3.0 + QUIET_S <= engaged.left_s <= 3.0 + SOON_S
        assert not engaged.was_engaged

    virtual_time.run(main())


def test_a_session_is_asked_to_leave_once_however_long_it_takes_to_close():
    async def main() -> None:
        slow, late = Session(0, closes_s=4.0), Session(1, engaged_s=60.0)
        await drained(slow, late, drain_s=2.0)
        assert (slow.asked, late.asked) == (1, 1)

    virtual_time.run(main())


def test_who_has_not_left_at_the_end_is_cut():
    async def main() -> None:
        metrics, session = Metrics(), Session(engaged_s=60.0)
        drain = Drain(Sessions(session), metrics, delay_s=1.0, drain_s=5.0)
        await drain.run(drain.begin())
        assert session.left_s == pytest.approx(6.0, abs=2 * POLL_S)
        assert session.was_engaged
        assert metric(metrics, 'realtime_drained_sessions_total{how="cut"} 1.0')

    virtual_time.run(main())


def test_a_client_that_asks_for_its_answers_itself_has_time_to_do_so():
    async def main() -> None:
        session = Session()
        session.answer_due = True
        await drained(session)
        assert ANSWER_S <= session.left_s <= ANSWER_S + 2 * POLL_S

    virtual_time.run(main())


def test_nobody_leaves_before_the_delay_is_over():
    async def main() -> None:
        session = Session()
        await drained(session, delay_s=5.0)
        assert 5.0 + QUIET_S <= session.left_s <= 5.0 + SOON_S

    virtual_time.run(main())


def test_a_lost_client_has_time_to_come_back_and_then_nobody_waits_for_it():
    async def main() -> None:
        lost, resumed = Session(0, engaged_s=60.0), Session(1, engaged_s=4.0)
        lost.lose_client()
        resumed.lose_client()
        asyncio.get_running_loop().call_later(1.0, resumed.client_is_back)
        await drained(lost, resumed)
        assert AWAY_S <= lost.left_s <= AWAY_S + 2 * POLL_S
        assert resumed.left_s >= 4.0 + QUIET_S

    virtual_time.run(main())


@pytest.mark.parametrize("at_s", [1.0, 7.0])  # in the delay, and after it
def test_a_second_signal_waits_for_nobody(at_s):
    async def main() -> None:
        session = Session(engaged_s=600.0)
        drain = Drain(Sessions(session), Metrics(), delay_s=5.0, drain_s=600.0)
        asyncio.get_running_loop().call_later(at_s, drain.hurry)
        await drain.run(drain.begin())
        assert session.left_s == pytest.approx(at_s)

    virtual_time.run(main())


@pytest.mark.parametrize(("total", "per_s"), [(8, LEAST_PER_S), (200, 20.0), (900, MOST_PER_S)])
def test_clients_are_sent_to_the_next_server_a_few_at_a_time(total, per_s):
    async def main() -> None:
        sessions = [Session(number) for number in range(total)]
        await drained(*sessions, drain_s=600.0)
        left_s = sorted(session.left_s for session in sessions)
        most = max(sum(at <= each < at + 1.0 for each in left_s) for at in left_s)
        assert most <= per_s * (1 + POLL_S) + 1
        assert left_s[-1] == pytest.approx(QUIET_S + (total - 1) / per_s, abs=0.1 + 3 * POLL_S)

    virtual_time.run(main())


def test_the_metrics_tell_how_many_are_left():
    async def main() -> None:
        metrics, sessions = Metrics(), Sessions(Session(0), Session(1, engaged_s=2.0))
        drain = Drain(sessions, metrics, delay_s=0.0, drain_s=5.0)
        assert metric(metrics, "realtime_draining_sessions 0.0")
        running = asyncio.create_task(drain.run(drain.begin()))
        assert metric(metrics, "realtime_draining_sessions 2.0")
        await asyncio.sleep(1.0)
        assert metric(metrics, "realtime_draining_sessions 1.0")
        assert metric(metrics, 'realtime_drained_sessions_total{how="quiet"} 1.0')
        await running
        assert metric(metrics, "realtime_draining_sessions 0.0")

    virtual_time.run(main())


def test_nobody_is_let_in_from_the_first_moment_on():
    async def main() -> None:
        sessions = Sessions()
        drain = Drain(sessions, Metrics(), delay_s=None, drain_s=5.0)
        assert not sessions.draining
        drain.begin()
        assert sessions.draining

    virtual_time.run(main())


@pytest.mark.parametrize(
    ("asked_s", "now_s", "there"),
    [
        ([], 0.0, False),
        ([0.0], 1.0, False),  # somebody looked
        ([0.0, 0.1, 0.2, 0.3], 1.0, False),  # a script that waits for the start
        ([0.0, 2.5, ASKED_FOR_S], 6.0, True),
        ([float(each) for each in range(0, 100, 10)], 99.0, True),  # a probe of Kubernetes
        ([0.0, 2.5, 5.0], 5.1 + ASKED_WITHIN_S, False),  # it has gone
        ([0.0, 50.0, 100.0, 150.0], 151.0, False),  # now and then
    ],
)
def test_what_a_balancer_is(asked_s, now_s, there):
    watch = BalancerWatch()
    for at_s in asked_s:
        watch.asked(at_s)
    assert watch.there(now_s) is there


def test_a_balancer_that_asks_one_worker_is_known_to_all_of_them():
    """With its connection kept, or with a new one each time; also to the supervisor, and after one has left."""
    for asks in ([0] * 4, [0, 1, 2, 0], ["supervisor"] * 4):
        table = WorkerTable([0.0] * len(shared_rows(3, 2)), 2)
        watches = {number: BalancerWatch(*table.asked) for number in (0, 1, 2, "supervisor")}
        for second, number in enumerate(asks):
            watches[number].asked(2.0 * second)
        table.clear(0)
        assert {number: watch.there(7.0) for number, watch in watches.items()} == dict.fromkeys(
            watches, True
        ), asks
        assert not any(watch.there(50.0) for watch in watches.values())
    assert (len(table), table.sessions()) == (3, 0), "the rows are not touched"


def test_the_servers_of_all_workers_share_what_balancers_ask():
    rows, apps = [0.0] * len(shared_rows(2)), []
    for number in range(2):
        apps.append(realtime_app(Settings()))
        join_workers(apps[-1], Settings(), Worker(Post(number, None, None, rows), None))
    for second in range(4):
        apps[0][DRAIN].balancer.asked(2.0 * second)
    assert apps[1][DRAIN].balancer.there(7.0)


def test_a_stop_waits_for_a_balancer_only_where_one_is():
    async def main() -> None:
        for chosen_s, asks, expected_s in (
            (None, False, 0.0),
            (None, True, BALANCER_DELAY_S),
            (0.0, True, 0.0),
            (2.0, False, 2.0),
        ):
            drain = Drain(Sessions(), Metrics(), delay_s=chosen_s, drain_s=5.0)
            for _ in range(3 * asks):
                drain.balancer.asked(now())
                await asyncio.sleep(ASKED_FOR_S)
            assert drain.begin() == expected_s
            await asyncio.sleep(2 * ASKED_WITHIN_S)
            assert drain.begin() == expected_s, "it is decided once"

    virtual_time.run(main())


@pytest.mark.parametrize(
    ("state", "chosen_s", "delay_s"),
    [("starts", None, 0.0), ("starts", 3.0, 0.0), ("alone", None, 0.0), ("balanced", None, BALANCER_DELAY_S),
     ("alone", 3.0, 3.0)],
)  # fmt: skip
def test_the_deadline_of_a_blocked_loop_is_that_of_any_other_stop(monkeypatch, state, chosen_s, delay_s):
    """A thread sets it, before the loop can take the signal, or without it."""
    given_s = []
    monkeypatch.setattr(ending.OF_THIS_PROCESS, "within", given_s.append)

    async def main() -> None:
        stop = run._Stop(Settings(drain_s=2.0, drain_delay_s=chosen_s))
        drain = Drain(Sessions(), Metrics(), delay_s=chosen_s, drain_s=2.0)
        if state != "starts":
            stop.server = SimpleNamespace(app={DRAIN: drain, REGISTRY: ()})
        for _ in range(3 * (state == "balanced")):
            drain.balancer.asked(now())
            await asyncio.sleep(ASKED_FOR_S)
        await asyncio.to_thread(stop._has_heard, signal.SIGTERM)
        stop.begin("SIGTERM")

    virtual_time.run(main())
    assert given_s == [delay_s + 2.0 + run.CLOSE_S] * 2
