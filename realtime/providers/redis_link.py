"""The one connection to Redis, owned by one task: scripts go out together, and nobody waits for long.

A script that was sent is never cancelled; who cannot wait for its result goes on without it. A loss is no error but a
result None. Three losses one after the other open the circuit breaker: then nothing is sent, and the task looks from
time to time whether Redis is back. A Redis that answers and refuses writes is away as well: so a look is a rehearsal of
the scripts with keys that nobody needs. On every connection, greetings are the first that Redis hears, also where the
library opens one by itself. Knows nothing of what the scripts do (docs/scale.md).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any, Protocol

from realtime import deadlines
from realtime.providers.redis_address import LIMIT_S, close_redis
from realtime.providers.redis_errors import is_answer, kind_of, word_of

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from realtime.metrics import RedisMetrics

LOSSES = 3  # open the breaker
# Between two looks at a Redis that is away: at random, so that nodes do not come all at once
PROBE_S = (0.5, 2.0)
# A connection can die without a word (a machine that is gone, a firewall that forgets): who is quiet looks so often ...
QUIET_S = 10.0
# ... and what is lost after so long without an answer may be lost by that
STALE_S = 1.0
LONGEST_QUEUE = 10_000
TOGETHER = 200  # scripts in one round trip
REHEARSED_MS = 10_000  # what a rehearsal leaves is gone then, if it could not clear it away
ACCOUNT, SESSIONS, CONVERSATIONS = "account", "sessions", "conversations"  # what links are for
ALONE = "this server goes on alone"
MEANS = {SESSIONS: "they cannot go on at another server", CONVERSATIONS: "they are not saved"}

log = logging.getLogger(__name__)

Result = list[Any] | None  # None: lost, perhaps before Redis has seen it, perhaps after
Argument = str | int | bytes


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script. To run it twice with the same arguments must do no harm: a result can be lost."""

    text: str
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha", hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest())


@dataclass(frozen=True, slots=True)
class _Call:
    script: Script
    keys: Sequence[str]
    arguments: Sequence[Argument]
    result: asyncio.Future[Result]


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One run of a script with keys that nobody needs."""

    script: Script
    keys: Sequence[str]
    arguments: Sequence[Argument] = ()


CLEAR = Script("redis.call('PEXPIRE', KEYS[1], 0) return {}")  # needs no right beside those of the scripts


class Greeting(Protocol):
    """What is told to Redis on each new connection before anything else: it may have forgotten everything."""

    script: Script
    keys: Sequence[str]

    def words(self, server: str) -> Iterable[Sequence[Argument]]:
        """The arguments of each run of the script. A connection to this process of Redis has just been opened; it is
        empty where the user may not ask."""
        ...

    def answered(self, result: list[Any]) -> None:
        """The result of one of them."""
        ...


class RedisLink:
    """`open_client` opens the client once; it must neither try again by itself nor wait for ever. `name`: what it is
    for, in the log and the metrics. `quiet`: there are hours in which nothing is sent. Then it looks by itself whether
    Redis is there, and sends once more, on a new connection, what is lost on one that was quiet."""

    def __init__(
        self,
        open_client: Callable[[], Redis],
        probe_s: tuple[float, float] = PROBE_S,
        name: str = ACCOUNT,
        *,
        quiet: bool = False,
    ) -> None:
        self.name = name
        self._quiet = quiet
        self._client = open_client()
        self._probe_s = probe_s
        self._calls: deque[_Call] = deque()
        self._news = asyncio.Event()
        self._losses = 0
        self._connected = False
        self._heard_s = 0.0  # when it answered last
        self._on_connection: list[Callable[[], None]] = []
        self._greetings: list[Greeting] = []
        self._rehearsals: list[Callable[[], Iterable[Rehearsed]]] = []
        self._refusals: set[str] = set()  # kinds that the log has told of
        self._sent: Sequence[_Call] = ()
        self._ended = False
        self.up = True  # the breaker is closed
        self.seen = False  # it has answered at least once
        self.problem: str | None = None  # why Redis is away
        self.observe: Callable[[float, str | None], None] = _nobody  # of a round trip: seconds, kind of error
        self._client.connection_pool.connection_kwargs["redis_connect_func"] = self._greet
        self._task = asyncio.create_task(self._run(), name="redis")

    def __repr__(self) -> str:
        return f"<RedisLink {self.name} {'up' if self.up else 'away'}>"

    def send(self, script: Script, keys: Sequence[str], *arguments: Argument) -> asyncio.Future[Result]:
        """Send a script, in order. The result is None if it was lost; nobody has to wait for it."""
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        if not self.up or self._ended or len(self._calls) >= LONGEST_QUEUE:
            result.set_result(None)
        else:
            self._calls.append(_Call(script, keys, arguments, result))
            self._news.set()
        return result

    def show(self, metrics: RedisMetrics) -> None:
        """Show it in these metrics. It is up once it has answered."""
        metrics.show_link(self.name, lambda: self.up and self.seen)
        self.observe = partial(metrics.round_trip, self.name)

    def on_connection(self, listener: Callable[[], None]) -> None:
        """Call it each time that Redis is there again."""
        self._on_connection.append(listener)

    def greet_with(self, greeting: Greeting) -> None:
        """Begin each connection with it. A Redis that refuses it is away, as a replica that takes no writes."""
        self._greetings.append(greeting)

    def rehearse_with(self, rehearsal: Callable[[], Iterable[Rehearsed]]) -> None:
        """What Redis must do to be there: it is asked at the start, and while it is away."""
        self._rehearsals.append(rehearsal)

    async def aclose(self) -> None:
        """Send what waits, if Redis takes it in time."""
        self._ended = True
        self._news.set()
        await asyncio.wait([self._task], timeout=2 * LIMIT_S)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        _settle(self._sent, repeat(None))
        self._lose_waiting()
        await self._disconnect()
        await close_redis(self._client)

    async def _run(self) -> None:
        while self._calls or not self._ended:
            if not self.up:
                await self._sleep()
                await self._exchange([])
            elif self._calls:
                number = min(TOGETHER, len(self._calls))
                await self._exchange([self._calls.popleft() for _ in range(number)])
            elif self._rehearsals and not self.seen:
                await self._exchange([])
                if self.up and not self.seen and not self._calls:
                    await self._sleep()
            else:
                await self._wait_for_news()

    async def _wait_for_news(self) -> None:
        self._news.clear()
        looks_s = QUIET_S if not self._losses else random.uniform(*self._probe_s)
        try:
            async with deadlines.timeout(looks_s if self._quiet else None):
                await self._news.wait()
        except TimeoutError:
            await self._exchange([])

    async def _sleep(self) -> None:
        """Until the next look at a Redis that is away, or until somebody asks it for something, or the end."""
        self._news.clear()
        if not self._ended:
            waiting = asyncio.create_task(self._news.wait())
            await asyncio.wait([waiting], timeout=random.uniform(*self._probe_s))
            waiting.cancel()

    async def _exchange(self, calls: Sequence[_Call]) -> None:
        """One round trip."""
        self._sent = calls
        began_s = time.perf_counter()
        try:
            results = await self._ask_again(calls)
        except Exception as error:  # the library's, and those of sockets and TLS
            self.observe(time.perf_counter() - began_s, kind_of(error))
            await self._lost(error)
            _settle(calls, [None] * len(calls))
        else:
            self.observe(time.perf_counter() - began_s, None)
            self._answered()
            _settle(calls, results)

    async def _ask_again(self, calls: Sequence[_Call]) -> list[Result]:
        """The same as `_ask`, once more where only the connection may be dead."""
        was_quiet_s = asyncio.get_running_loop().time() - self._heard_s
        may_be_dead = self._quiet and self._connected and was_quiet_s >= STALE_S
        try:
            return await self._ask(calls)
        except Exception as error:  # the library's, and those of sockets and TLS
            if not may_be_dead or is_answer(error):
                raise
        self._connected = False
        await self._disconnect()
        return await self._ask(calls)

    async def _ask(self, calls: Sequence[_Call]) -> list[Result]:
        """Without calls it is a look. Raises what the library raises, and any error that a script ended with.

        Its pipelines take half as long again for the same commands (bench/README.md, row 12).
        """
        asked: Sequence[_Call | Rehearsed] = calls or [one for each in self._rehearsals for one in each()]
        pool: Any = self._client.connection_pool
        connection = await pool.get_connection()
        try:
            answers = await _answers(connection, [_by_sha(call) for call in asked] or [("PING",)])
            unknown = [n for n, answer in enumerate(answers) if _is_unknown(answer)]
            if unknown:  # Redis is new, or has forgotten its scripts
                again = await _answers(connection, [_by_text(asked[n]) for n in unknown])
                for n, answer in zip(unknown, again, strict=True):
                    answers[n] = answer
        except BaseException:
            await connection.disconnect(nowait=True)  # what may still come on it is for nobody
            raise
        finally:
            await pool.release(connection)
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers[: len(calls)]

    async def _greet(self, connection: Any) -> None:
        """The first words on a connection, one after the other. Raises what the library raises."""
        await connection.on_connect()
        if not self._greetings:
            return
        server = await _process_of(connection)
        for greeting in self._greetings:
            for arguments in greeting.words(server):
                keys = greeting.keys
                await connection.send_command("EVAL", greeting.script.text, len(keys), *keys, *arguments)
                greeting.answered(await connection.read_response())

    def _answered(self) -> None:
        new, self._connected = not self._connected, True
        if not self.up:
            log.warning("redis is back (%s)", self.name)
        self.up, self.seen, self.problem, self._losses = True, True, None, 0
        self._heard_s = asyncio.get_running_loop().time()
        if new:
            for listener in self._on_connection:
                listener()

    async def _lost(self, error: Exception) -> None:
        self._losses += 1
        self._connected = False
        await self._disconnect()
        word = word_of(error)
        self.problem = f"Redis {'refuses what is asked' if is_answer(error) else 'does not answer'} ({word})."
        if self.up and self._losses >= LOSSES and not await self._only_refuses(error):
            self.up = False
            self._lose_waiting()
            log.warning("redis is away (%s, %s): %s", self.name, word, MEANS.get(self.name, ALONE))

    async def _only_refuses(self, error: Exception) -> bool:
        """Whether it does everything but what was asked. To take it for away would help nobody: a look would find it
        back at once, again and again."""
        if not is_answer(error):
            return False
        try:
            await self._ask([])
        except Exception:  # the library's, and those of sockets and TLS
            await self._disconnect()
            return False
        self._losses, word = 0, word_of(error)
        if word not in self._refusals:
            self._refusals.add(word)
            log.warning("redis refuses a script (%s, %s)", self.name, word)
        return True

    def _lose_waiting(self) -> None:
        _settle(self._calls, repeat(None))
        self._calls.clear()

    async def _disconnect(self) -> None:
        """What may still come on this connection is for nobody."""
        try:
            await self._client.connection_pool.disconnect()
        except Exception as error:  # it is closed all the same
            log.debug("redis: %s at the end of a connection", type(error).__name__)


def _by_sha(call: _Call | Rehearsed) -> tuple[Argument, ...]:
    return ("EVALSHA", call.script.sha, len(call.keys), *call.keys, *call.arguments)


def _by_text(call: _Call | Rehearsed) -> tuple[Argument, ...]:
    return ("EVAL", call.script.text, len(call.keys), *call.keys, *call.arguments)


async def _answers(connection: Any, commands: Sequence[tuple[Argument, ...]]) -> list[Any]:
    """One for each command; an error that Redis answers with is one of them. Raises what ends the connection."""
    from redis.exceptions import ResponseError

    await connection.send_packed_command(connection.pack_commands(commands))
    answers: list[Any] = []
    for _ in commands:
        try:
            answers.append(await connection.read_response())
        except ResponseError as error:
            answers.append(error)
    return answers


def _is_unknown(answer: Any) -> bool:
    """Whether Redis does not know this script."""
    from redis.exceptions import NoScriptError

    return isinstance(answer, NoScriptError)


async def _process_of(connection: Any) -> str:
    """What this process of Redis calls itself: it has another name after a restart, and so has its replica."""
    from redis.exceptions import NoPermissionError

    await connection.send_command("INFO", "server")
    try:
        about = await connection.read_response()
    except NoPermissionError:
        return ""
    found = re.search(rb"run_id:(\w+)", about)
    return found[1].decode() if found else ""


def _nobody(seconds: float, error: str | None) -> None:
    """Nobody counts."""


def _settle(calls: Iterable[_Call], results: Iterable[Result]) -> None:
    for call, result in zip(calls, results, strict=False):
        if not call.result.done():
            call.result.set_result(result)
