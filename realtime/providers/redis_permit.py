"""A permit of an account that several nodes share: asked for when it is made, in hand when its request is ready.

It has a place in Redis, or one in the log of this node, while that is alone; while the node is apart, both must agree.
What these are is in `redis_quota.py` and `core/own_part.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NoReturn, Protocol

from realtime.core.quota import AHEAD_MS, HOLD_MS, LONGEST_WAIT_MS
from realtime.providers.memory_quota import now_ms
from realtime.providers.quota import Permit, Tally, nobody, used_up
from realtime.providers.redis_address import LIMIT_S
from realtime.providers.redis_link import Argument, Result

ASK_AGAIN_MS = 1000  # a refusal that is older is asked about again


class SharedCount(Protocol):
    """What a permit needs of its quota. Times are those of `now_ms`."""

    kind: str
    tally: Tally

    @property
    def apart(self) -> bool:
        """Whether the own part counts, beside what Redis says."""
        ...

    def new_place(self) -> str:
        """An id of its own, among all nodes."""
        ...

    def send(self, operation: str, *arguments: Argument) -> asyncio.Future[Result]:
        """Run the script; what it says of the account is kept."""
        ...

    async def together(self, timeout_s: float) -> None:
        """Return when the own part does not count any more, or after so long."""
        ...

    def placed(self, place: str, from_ms: int) -> None:
        """Redis has given this node a place."""
        ...

    @property
    def may_answer(self) -> bool:
        """Whether to ask Redis again where an answer was lost: it is not away, as far as is known here."""
        ...

    def take_alone(self, place: str, longest_wait_ms: int, given_ms: int | None) -> tuple[int, bool]:
        """The wait by this node's own part, in ms, and whether the place is taken; if so, Redis is told. `given_ms`:
        Redis has given it from then on, as far as it knows."""
        ...

    def left_now(self, place: str) -> None:
        """The request of this place leaves now."""
        ...

    def give_back(self, place: str) -> None:
        """No request will leave with this place."""
        ...


class RedisPermit(Permit):
    """Asks when it is made."""

    def __init__(self, quota: SharedCount, longest_wait_s: float) -> None:
        self._quota = quota
        self._over = self._used = False
        self._renewal: asyncio.Future[Result] | None = None
        self.wait_for(longest_wait_s)
        self._begin()

    def __repr__(self) -> str:
        return f"<RedisPermit {self._place} {'in hand' if self.in_hand else 'asked for'}>"

    @property
    def over(self) -> bool:
        return self._over

    @property
    def in_hand(self) -> bool:
        """Whether a request may leave with it now."""
        return not self._over and self._from_ms is not None and self._from_ms <= now_ms() < self._until_ms

    def wait_for(self, longest_wait_s: float) -> None:
        """From now on, its use may take so long."""
        self._longest_ms = int(min(longest_wait_s * 1000, LONGEST_WAIT_MS))

    async def use(self, tell: Callable[[float], None] = nobody) -> None:
        tally, self._used = self._quota.tally, True
        try:
            waited = await self._take(tell)
        except asyncio.CancelledError:
            tally.returned += 1
            self._drop()
            raise
        if waited:
            tally.waited += 1
        else:
            tally.granted += 1

    async def leaves(self) -> None:
        while not self.in_hand:
            if self._over or self._is_too_old():
                self._begin()
            await self.use()
        self._over = True
        self._quota.left_now(self._place)

    def give_back(self) -> None:
        if not self._over:
            if not self._used:
                self._quota.tally.returned += 1
            self._drop()

    def keep(self) -> bool:
        """Keep it in hand for longer; False if there is nothing to keep. Redis has to know of it before its end."""
        now = now_ms()
        if self._from_ms is None:
            return not self._answer.done()
        if now >= self._until_ms - HOLD_MS // 2 and self._renewal is None:
            self._renewal = sent = self._quota.send("write", self._place, -HOLD_MS)
            sent.add_done_callback(lambda answer: self._renewed(answer, now))
        return now < self._until_ms

    # -- its place -----------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """It is one request more from now on."""
        self._quota.tally.asked += 1
        self._place = self._quota.new_place()
        self._over = self._used = False
        self._renewal = None
        self._asked = 0
        self._ask()

    def _ask(self) -> None:
        self._asked += 1
        self._asked_ms, self._asked_for_ms = now_ms(), min(self._longest_ms, AHEAD_MS)
        self._from_ms: int | None = None  # its request may leave from then on ...
        self._until_ms = 0  # ... and until then
        self._given_ms: int | None = None  # Redis gave it a place from then on, and may not know all of them
        self._judged = False  # the answer
        self._answer = self._quota.send("take", self._place, self._asked_for_ms)
        self._answer.add_done_callback(self._answered)

    def _answered(self, answer: asyncio.Future[Result]) -> None:
        """Redis gave the place after it was asked and before this: its time begins now, and ends by the former."""
        result = answer.result()
        if answer is not self._answer:
            return
        self._judged = True
        if self._over or result is None or result[0] > self._asked_for_ms:
            return
        from_ms = now_ms() + int(result[0])
        if self._quota.apart:
            self._given_ms = from_ms
            return
        if self._from_ms is None or from_ms < self._from_ms:
            self._from_ms, self._until_ms = from_ms, self._asked_ms + int(result[0]) + HOLD_MS
            self._quota.placed(self._place, self._asked_ms + int(result[0]))

    def _renewed(self, answer: asyncio.Future[Result], sent_ms: int) -> None:
        self._renewal = None
        if answer.result() is not None and not self._over and now_ms() < self._until_ms:
            self._until_ms = sent_ms + HOLD_MS
            self._quota.placed(self._place, sent_ms)

    async def _take(self, tell: Callable[[float], None]) -> bool:
        """Wait until the request may leave; whether that took time. Raises ProviderRejected."""
        end_ms, waited = now_ms() + self._longest_ms, False
        await self._hear()
        if self._is_stale():
            self._ask()
        while True:
            await self._hear()
            if self._is_given_anew():
                self._ask()
                continue
            wait_ms, rest_ms = self._wait_ms(end_ms), end_ms - now_ms()
            if wait_ms <= 0:
                return waited
            if rest_ms <= 0 or (wait_ms > rest_ms and not self._may_hear()):
                self._refuse(wait_ms)
            pause_s = min(wait_ms, rest_ms) / 1000
            if not waited:
                tell(pause_s)
            waited = True
            await self._news(pause_s)

    def _wait_ms(self, end_ms: int) -> int:
        """How long to wait from now on."""
        now = now_ms()
        if self._from_ms is None:
            if self._is_refused():
                return max(1, self._asked_ms + self._answered_ms() - now)
            wait_ms, taken = self._quota.take_alone(self._place, end_ms - now, self._given_ms)
            if not taken:
                return wait_ms
            self._from_ms, self._until_ms = now + wait_ms, now + wait_ms + HOLD_MS
        return self._from_ms - now

    def _answered_ms(self) -> int:
        """The wait as Redis said; -1: it has not."""
        result = self._answer.result() if self._answer.done() else None
        return -1 if result is None else int(result[0])

    def _is_refused(self) -> bool:
        return self._answered_ms() > self._asked_for_ms

    def _is_lost(self) -> bool:
        return self._answer.done() and self._answer.result() is None

    def _is_given_anew(self) -> bool:
        """Whether Redis knows all of them by now, or its place is over."""
        if self._given_ms is None or self._from_ms is not None:
            return False
        return not self._quota.apart or now_ms() >= self._asked_ms + HOLD_MS

    def _is_too_old(self) -> bool:
        return self._from_ms is not None and now_ms() >= self._until_ms

    def _is_stale(self) -> bool:
        """Whether to ask again: it was asked for a while ago and is refused or lost, or was in hand for too long."""
        if not self._answer.done() or self._from_ms is not None:
            return self._is_too_old()
        return now_ms() - self._asked_ms > ASK_AGAIN_MS or self._asked_for_ms < min(
            self._longest_ms, AHEAD_MS
        )

    async def _hear(self) -> None:
        """The answer, if it comes in time."""
        left_s = LIMIT_S - (now_ms() - self._asked_ms) / 1000
        if not self._answer.done() and left_s > 0:
            await asyncio.wait([self._answer], timeout=left_s)
        if self._answer.done() and not self._judged:
            await asyncio.sleep(0)  # what is called with it is on its way

    def _may_hear(self) -> bool:
        """Whether there may be news of it before it gets a place of its own."""
        if self._is_lost() and self._quota.may_answer:
            return True
        return not self._answer.done() or (self._quota.apart and not self._is_refused())

    async def _news(self, most_s: float) -> None:
        """Wait so long, or until there is news of it."""
        if not self._answer.done():
            await asyncio.wait([self._answer], timeout=most_s)
        elif self._is_lost() and self._quota.may_answer:
            await asyncio.sleep(min(most_s, LIMIT_S))
            if self._from_ms is None:
                self._ask()
        elif self._quota.apart and not self._is_refused():
            await self._quota.together(most_s)
        elif self._is_refused():  # who may wait for longer than Redis gives a place ahead asks again then
            ahead_s = (self._asked_ms + self._answered_ms() - self._asked_for_ms - now_ms()) / 1000
            await asyncio.sleep(min(most_s, max(LIMIT_S, ahead_s)))
            self._ask()
        else:
            await asyncio.sleep(most_s)

    def _refuse(self, wait_ms: int) -> NoReturn:
        self._quota.tally.refused += 1
        if self._is_refused() and self._asked == 1:
            self._over = True  # nobody has a place of it
        else:
            self._drop()
        raise used_up(self._quota.kind, wait_ms / 1000)

    def _drop(self) -> None:
        self._over = True
        self._quota.give_back(self._place)
