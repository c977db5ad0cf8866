"""The role `Quota` for an account that several nodes share: Redis keeps the log of the last minute for all.

A permit is asked for ahead and is in hand when its request is ready; some are kept in hand while much is left, for
requests that nobody can announce, and for the time after a loss of Redis. Without Redis this node goes on with its own
part, so that the account is never overdrawn (docs/scale.md). Permits are in `redis_permit.py`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from importlib import resources
from itertools import count, takewhile
from typing import Any

from realtime import deadlines
from realtime.core.own_part import UNKNOWN_NODES, OwnPart, View, Word
from realtime.core.quota import HOLD_MS, TAG, WINDOW_MS
from realtime.providers.memory_quota import now_ms
from realtime.providers.quota import Permit, Quota, Tally
from realtime.providers.redis_link import Argument, Greeting, RedisLink, Result, Script
from realtime.providers.redis_permit import RedisPermit, SharedCount

LOOK_S = 0.7  # the view of the account is at most so old
SPARE_PART = 4  # all nodes together keep a quarter of what is left in hand ...
MOST_SPARE = 10  # ... and none of them more than so many permits
TOGETHER = 1000  # places in one run of the script

SCRIPT = Script(resources.files("realtime.providers").joinpath("lua/quota.lua").read_text("utf-8"))


def keys_of(account: str, kind: str) -> list[str]:
    """Where the script keeps places, refusals, nodes and what they know."""
    return [f"{account}:{part}" for part in (kind, f"{kind}:refused", f"{kind}:nodes", f"{kind}:known")]


class RedisQuota(Quota, SharedCount, Greeting):
    """The requests of one kind (chat or speech). `key` names the account, `node` this process. With `spare`, permits
    are kept in hand."""

    script = SCRIPT

    def __init__(
        self, link: RedisLink, key: str, kind: str, limit: int, node: str, *, spare: bool = False
    ) -> None:
        self.kind = kind
        self.limit = limit
        self.tally = Tally()
        self.keys = keys_of(key, kind)
        self._link = link
        self._numbers, self._tag = count(), secrets.token_hex(TAG // 2)
        self._node = f"{self._tag} {node}"
        self._own = OwnPart(limit)
        self._usable, self._left, self._known = limit, limit, UNKNOWN_NODES
        self._together = asyncio.Event()
        self._on_nodes: Callable[[int], None] | None = None
        self._server = ""  # the process of Redis
        self._greeting = Word(0, UNKNOWN_NODES)  # the last of the first words
        self._undone: dict[str, int] = {}  # places that were given back, and when, until Redis knows it
        self._wants_spare = spare
        self._spares: deque[RedisPermit] = deque()
        link.greet_with(self)
        link.on_connection(self._look_now)
        self._task = asyncio.create_task(self._look(), name=f"quota of {kind}")

    def __repr__(self) -> str:
        return f"<RedisQuota {self.kind} {self.left()} left of {self.limit}, {self._known} nodes>"

    def ask(self, longest_wait_s: float) -> Permit:
        while self._spares:
            spare = self._spares.popleft()
            if spare.in_hand:
                spare.wait_for(longest_wait_s)
                self._keep_spares()
                return spare
            spare.give_back()
        return RedisPermit(self, longest_wait_s)

    def left(self) -> int:
        now = now_ms()
        spare = len(self._spares)
        if self._own.alone(now):
            return self._own.left(now) + spare
        return (min(self._left, self._own.left(now)) if self.apart else self._left) + spare

    def nodes(self) -> int:
        """That use the account, as far as is known here."""
        return self._known

    def on_nodes(self, listener: Callable[[int], None]) -> None:
        """Call it whenever their number changes."""
        self._on_nodes = listener

    def limit_now(self) -> int:
        """Requests a minute for all nodes, as Redis says; while it is away, for this one."""
        return self._own.limit(now_ms()) if self._own.alone(now_ms()) else self._usable

    def per_minute(self) -> int:
        return max(1, self.limit // self._known)

    def refused(self) -> None:
        self._own.log.refused(now_ms())
        self.send("refused")

    async def aclose(self) -> None:
        """Say farewell: no share is kept aside for this node."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        while self._spares:
            self._spares.popleft().give_back()
        self.send("leave")

    # -- for permits ---------------------------------------------------------------------------------------------

    def send(self, operation: str, *arguments: Argument) -> asyncio.Future[Result]:
        heard_ms = self._own.heard_there_ms
        result = self._link.send(SCRIPT, self.keys, *self._words(operation, heard_ms, *arguments))
        result.add_done_callback(partial(self._heard, self._own.word(now_ms())))
        return result

    def new_place(self) -> str:
        return f"{self._tag}:{next(self._numbers)}"

    @property
    def apart(self) -> bool:
        return self._own.apart

    async def together(self, timeout_s: float) -> None:
        with suppress(TimeoutError):
            async with deadlines.timeout(timeout_s):
                await self._together.wait()

    def placed(self, place: str, from_ms: int) -> None:
        self._own.log.hold(place, from_ms)

    @property
    def may_answer(self) -> bool:
        return self._link.up and not self._own.alone(now_ms())

    def take_alone(self, place: str, longest_wait_ms: int, given_ms: int | None) -> tuple[int, bool]:
        wait_ms, taken = self._own.take(place, now_ms(), longest_wait_ms, given_ms=given_ms)
        if taken:
            self.send("write", place, -wait_ms - HOLD_MS)
        return wait_ms, taken

    def left_now(self, place: str) -> None:
        self._own.log.write(place, now_ms())
        self.send("write", place, 0)

    def give_back(self, place: str) -> None:
        now = now_ms()
        self._own.log.give_back(place)
        for over in list(takewhile(lambda one: self._undone[one] <= now - WINDOW_MS - HOLD_MS, self._undone)):
            del self._undone[over]  # Redis has forgotten it by now
        self._undone[place] = now
        self._send_back([place])

    def _send_back(self, places: Sequence[str]) -> None:
        self.send("back", *places).add_done_callback(partial(self._sent_back, places))

    def _sent_back(self, places: Sequence[str], answer: asyncio.Future[Result]) -> None:
        if answer.result() is not None:
            for place in places:
                self._undone.pop(place, None)

    # -- a new connection ----------------------------------------------------------------------------------------

    def words(self, server: str) -> Iterator[Sequence[Argument]]:
        """The own last minute, with what is in hand, before anything new is asked for."""
        self._own.connected(now_ms(), same=server != "" and server == self._server)
        self._server = server
        if self.apart:
            self._together.clear()
        yield self._first("greet", server)
        # Now it is not alone any more, and takes no place that Redis does not give
        now = now_ms()
        places = self._own.log.places(now)
        for begin in range(0, len(places), TOGETHER):
            yield self._first("write", *self._ages(places[begin : begin + TOGETHER], now))

    def answered(self, result: list[Any]) -> None:
        self._learn(result, self._greeting)

    def _first(self, operation: str, *arguments: Argument) -> list[Argument]:
        """Until all its places are written, a node has heard nothing: its share stays aside, nobody relies on it."""
        self._greeting = self._own.word(now_ms())
        return self._words(operation, 0, *arguments)

    def _words(self, operation: str, heard_ms: int, *arguments: Argument) -> list[Argument]:
        return [operation, self._node, heard_ms, self._own.nodes, self.limit, *arguments]

    def _ages(self, places: Sequence[tuple[str, int]], now: int) -> list[Argument]:
        """What is open has a time that lies ahead."""
        return [part for place, at_ms in places for part in (place, now - at_ms)]

    def _look_now(self) -> None:
        self.send("look")
        undone = list(self._undone)
        for begin in range(0, len(undone), TOGETHER):
            self._send_back(undone[begin : begin + TOGETHER])

    # -- the view ------------------------------------------------------------------------------------------------

    def _heard(self, word: Word, answer: asyncio.Future[Result]) -> None:
        if (result := answer.result()) is not None:
            self._learn(result, word)

    def _learn(self, result: list[Any], word: Word) -> None:
        _, self._left, known, self._usable, there_ms, oldest_ms, since_ms = result
        now = now_ms()
        if self._own.heard(View(max(1, known), there_ms, oldest_ms, since_ms), now, word):
            self.send("write", *self._ages(self._own.log.places(now), now))
        if self.apart:
            self._together.clear()
        elif not self._together.is_set():
            self._together.set()
            self._keep_spares()
        if max(1, known) != self._known:
            self._known = max(1, known)
            if self._on_nodes is not None:
                self._on_nodes(self._known)

    async def _look(self) -> None:
        """Keep the view fresh, and tell the other nodes that this one lives."""
        while True:
            self.send("look")
            self._own.limit(now_ms())  # it notices when it begins to be alone
            self._keep_spares()
            await asyncio.sleep(LOOK_S)

    def _keep_spares(self) -> None:
        spares = self._spares
        for spare in [spare for spare in spares if not spare.keep()]:
            spares.remove(spare)
            spare.give_back()
        if not self._wants_spare or self.apart or self._own.alone(now_ms()):
            return
        wanted = min(MOST_SPARE, (self._left + len(spares)) // (SPARE_PART * self._known))
        while len(spares) > wanted:
            spares.pop().give_back()
        while len(spares) < wanted:
            spares.append(RedisPermit(self, 0.0))
