"""The role `Quota` for an account that several nodes share: Redis keeps the log of the last minute for all.

A permit is asked for ahead and is in hand when its request is ready. One that was in hand for longer than a second is
dated anew when it is used, without a wait: nothing that was placed meanwhile can be in its way (docs/scale.md). While
Redis is away this node goes on with its own log and its share, so that the account is never overdrawn.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from importlib import resources
from itertools import count

from realtime.core.quota import WINDOW_MS, QuotaLog, share_of
from realtime.providers.memory_quota import now_ms
from realtime.providers.quota import LATE_MS, Permit, Quota, Tally, nobody, use_place, used_up
from realtime.providers.redis_address import LIMIT_S
from realtime.providers.redis_link import Argument, RedisLink, Result, Script

LOOK_S = 1.0  # the view of the account is at most so old
IN_HAND_MS = 1000  # a permit that is older is dated anew
STALE_MS = 30_000  # ... and one so old is asked for again
APART_MS = 3_000  # after a loss: until then the other nodes have found Redis too
UNKNOWN_NODES = 10  # a node that has never heard of the others takes it that there are so many

SCRIPT = Script(resources.files("realtime.providers").joinpath("lua/quota.lua").read_text("utf-8"))


def keys_of(account: str, kind: str) -> list[str]:
    """Where the script keeps places, refusals and nodes of this account."""
    return [f"{account}:{part}" for part in (kind, f"{kind}:refused", f"{kind}:nodes")]


class RedisQuota(Quota):
    """The requests of one kind (chat or speech). `key` names the account, `node` this process.

    With `spare` one permit is kept in hand while more than half of the limit is left, for requests that nobody can
    announce.
    """

    def __init__(
        self, link: RedisLink, key: str, kind: str, limit: int, node: str, *, spare: bool = False
    ) -> None:
        self.kind = kind
        self.limit = limit
        self.tally = Tally()
        self._link = link
        self._node = node
        self._keys = keys_of(key, kind)
        self._own = QuotaLog(limit)  # what this node has sent, and what it may send alone
        self._usable, self._left, self._known = limit, limit, UNKNOWN_NODES
        self._alone_since_ms: int | None = None
        self._room_alone = limit  # what it may have in its log in the first minute alone
        self._rejoin: asyncio.TimerHandle | None = None
        self._on_nodes: Callable[[int], None] | None = None
        self._numbers, self._id = count(), secrets.token_hex(4)
        self._wants_spare = spare
        self._spare: RedisPermit | None = None
        link.on_connection(self._connected)
        link.probe_with(SCRIPT, self._keys, "look", node, limit)
        self._task = asyncio.create_task(self._look(), name=f"quota of {kind}")

    def __repr__(self) -> str:
        return f"<RedisQuota {self.kind} {self.left()} left of {self.limit}, {self._known} nodes>"

    def ask(self, longest_wait_s: float) -> Permit:
        spare, self._spare = self._spare, None
        if spare is not None:
            spare.longest_ms = _longest_ms(longest_wait_s)
            self._keep_spare()
            return spare
        return RedisPermit(self, f"{self._id}:{next(self._numbers)}", longest_wait_s)

    def left(self) -> int:
        if not self._link.up:
            return self._alone(now_ms()).left(now_ms())
        return min(self._left, self._alone(now_ms()).left(now_ms())) if self.apart else self._left

    def nodes(self) -> int:
        """That use the account, as far as is known here."""
        return self._known

    def on_nodes(self, listener: Callable[[int], None]) -> None:
        """Call it whenever their number changes."""
        self._on_nodes = listener

    def limit_now(self) -> int:
        """Requests a minute for all nodes, as Redis says; while it is away, for this one."""
        return self._usable if self._link.up else self._alone(now_ms()).usable(now_ms())

    def per_minute(self) -> int:
        return max(1, self.limit // self._known)

    def refused(self) -> None:
        self._own.refused(now_ms())
        self.send("refused")

    async def aclose(self) -> None:
        """Say farewell: no share is kept aside for this node."""
        if self._rejoin is not None:
            self._rejoin.cancel()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._drop_spare()
        self.send("leave")

    # -- for permits ---------------------------------------------------------------------------------------------

    def send(self, operation: str, *arguments: Argument) -> asyncio.Future[Result]:
        """Run the script; what it says of the account is kept."""
        result = self._link.send(SCRIPT, self._keys, operation, self._node, self.limit, *arguments)
        result.add_done_callback(self._heard)
        return result

    def take_alone(self, place: str, longest_wait_ms: float) -> int:
        """The wait by this node's own log, in ms. A place that it gives is written to Redis as soon as that is back."""
        now = now_ms()
        own = self._alone(now)
        closed_ms = self._closed_ms(now)
        own.give_back(place)
        wait_ms = closed_ms or own.take(place, now, longest_wait_ms)
        if wait_ms <= longest_wait_ms:
            self.send("write", place, -wait_ms)
        else:
            self.send("back", place)  # Redis may have given it
        return wait_ms

    def placed(self, place: str, at_ms: int) -> None:
        """Redis has given this node a place at this time of its own clock."""
        self._own.write(place, at_ms)

    def give_back(self, place: str) -> None:
        self._own.give_back(place)
        self.send("back", place)

    def used_now(self, place: str) -> None:
        """A place from a while ago is used now."""
        self._own.write(place, now_ms())
        self.send("write", place, 0)

    @property
    def apart(self) -> bool:
        """Whether the own share counts, beside what Redis says: it was lost, and may not know of all nodes yet."""
        return self._alone_since_ms is not None

    # -- alone ---------------------------------------------------------------------------------------------------

    def _alone(self, now: int) -> QuotaLog:
        """The own log, with what this node may use by itself.

        For the first minute others may still have sent as much as they did before: so no more than it had itself, and
        its part of what was left.
        """
        if self._alone_since_ms is None:
            self._alone_since_ms = now
            self._room_alone = len(self._own.places(now)) + self._left // self._known
        share = max(1, share_of(self.limit, self._known))
        early = now - self._alone_since_ms < WINDOW_MS
        self._own.limit = max(1, min(share, self._room_alone)) if early else share
        return self._own

    def _closed_ms(self, now: int) -> int:
        """How long this node may send nothing by itself: for a minute, where it lost Redis with nothing left for it."""
        if self._alone_since_ms is None or self._room_alone >= 1:
            return 0
        return max(0, self._alone_since_ms + WINDOW_MS - now)

    def _connected(self) -> None:
        """Redis may have forgotten everything, or has another clock: tell it of the last minute again."""
        now = now_ms()
        ages = [part for place, at_ms in self._own.places(now) for part in (place, now - at_ms)]
        for first in range(0, len(ages), 1000):
            self.send("write", *ages[first : first + 1000])
        if self._rejoin is not None:
            self._rejoin.cancel()
            self._rejoin = None

    def _together(self) -> None:
        self._rejoin = None
        if self._link.up:
            self._alone_since_ms = None

    # -- the view ------------------------------------------------------------------------------------------------

    def _heard(self, answer: asyncio.Future[Result]) -> None:
        result = answer.result()
        if result is None:
            self._alone(now_ms())
        else:
            _, self._left, known, self._usable = result
            self._know(max(1, known))
            if self.apart and self._rejoin is None:
                loop = asyncio.get_running_loop()
                self._rejoin = loop.call_later(APART_MS / 1000, self._together)

    def _know(self, nodes: int) -> None:
        if nodes != self._known:
            self._known = nodes
            if self._on_nodes is not None:
                self._on_nodes(nodes)

    async def _look(self) -> None:
        """Keep the view fresh, and tell the other nodes that this one lives."""
        while True:
            self.send("look")
            if self._wants_spare:
                self._keep_spare()
            await asyncio.sleep(LOOK_S)

    def _keep_spare(self) -> None:
        plenty = self._link.up and not self.apart and self._left > self._usable / 2
        if plenty and self._spare is None:
            self._spare = RedisPermit(self, f"{self._id}:{next(self._numbers)}", 0.0)
        elif not plenty or not self._spare or not self._spare.keep():
            self._drop_spare()

    def _drop_spare(self) -> None:
        if self._spare is not None:
            self._spare.give_back()
            self._spare = None


class RedisPermit(Permit):
    """Asks when it is made."""

    def __init__(self, quota: RedisQuota, place: str, longest_wait_s: float) -> None:
        self.longest_ms = _longest_ms(longest_wait_s)
        self._quota = quota
        self._place = place
        self._over = False  # used or given back
        self._used_ms = 0
        quota.tally.asked += 1
        self._alone = False  # it has its place by this node's own log
        self._asked_ms = self._asked_for_ms = 0
        self._at_ms: int | None = None  # the place that Redis gave
        self._answer = self._ask()

    def __repr__(self) -> str:
        return f"<RedisPermit {self._place} at {self._at_ms}>"

    async def use(self, tell: Callable[[float], None] = nobody) -> None:
        self._over = True
        tally = self._quota.tally
        try:
            wait_ms = await self._wait_ms()
        except asyncio.CancelledError:
            tally.returned += 1
            self._quota.give_back(self._place)
            raise
        if wait_ms > self.longest_ms:
            tally.refused += 1
            raise used_up(self._quota.kind, wait_ms / 1000)
        await use_place(wait_ms / 1000, tell, tally, lambda: self._quota.give_back(self._place))
        self._used_ms = now_ms()

    def leaves(self) -> None:
        if now_ms() - self._used_ms > LATE_MS:
            self._quota.used_now(self._place)

    def give_back(self) -> None:
        if not self._over:
            self._over = True
            self._quota.tally.returned += 1
            self._quota.give_back(self._place)

    def keep(self) -> bool:
        """Keep it in hand for longer; False if there is nothing to keep."""
        if self._at_ms is not None and now_ms() - self._at_ms > STALE_MS / 2:
            self._at_ms = now_ms()
            self._quota.used_now(self._place)
        return self._at_ms is not None or not self._answer.done()

    def _ask(self) -> asyncio.Future[Result]:
        self._asked_ms, self._asked_for_ms, self._at_ms = now_ms(), self.longest_ms, None
        answer = self._quota.send("take", self._place, self.longest_ms)
        answer.add_done_callback(self._placed)
        return answer

    def _placed(self, answer: asyncio.Future[Result]) -> None:
        result = answer.result()
        if result is not None and result[0] <= self._asked_for_ms and not self._alone and self._at_ms is None:
            self._at_ms = now_ms() + int(result[0])
            self._quota.placed(self._place, self._at_ms)

    async def _wait_ms(self) -> int:
        """How long to wait from now on."""
        result = await self._heard()
        if result is not None and self._is_stale():
            self._answer = self._ask()  # now there may be a place
            result = await self._heard()
        if result is None:
            self._alone = True
            return self._quota.take_alone(self._place, self.longest_ms)
        return int(result[0]) if self._at_ms is None else self._dated(self._at_ms)

    def _is_stale(self) -> bool:
        """Whether to ask again: for a place that was refused a while ago, or that was in hand for too long."""
        if self._at_ms is not None:
            return now_ms() - self._at_ms > STALE_MS
        return now_ms() - self._asked_ms > IN_HAND_MS or self._asked_for_ms < self.longest_ms

    async def _heard(self) -> Result:
        """The answer, if it comes in time."""
        left_s = LIMIT_S - (now_ms() - self._asked_ms) / 1000
        if not self._answer.done() and left_s > 0:
            await asyncio.wait([self._answer], timeout=left_s)
        if not self._answer.done():
            return None
        self._placed(self._answer)  # its callback may be on its way
        return self._answer.result()

    def _dated(self, at_ms: int) -> int:
        """The wait for a place that Redis gave; one from a while ago gets the time of its use."""
        if self._quota.apart and (alone_ms := self._quota.take_alone(self._place, self.longest_ms)) > 0:
            return alone_ms
        if now_ms() - at_ms > IN_HAND_MS:
            self._quota.used_now(self._place)
        return max(0, at_ms - now_ms())


def _longest_ms(longest_wait_s: float) -> int:
    """No place lies further ahead than one window: Redis would take it for a jump of the clock."""
    return int(min(longest_wait_s * 1000, WINDOW_MS))
