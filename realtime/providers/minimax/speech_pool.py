"""The pool of speech connections, shared by all conversations, within the account's limit (docs/architecture.md 2.1).

Prewarms, lends, takes back, replaces; skips a host that just failed; falls back to HTTP. Knows nothing of texts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass
from typing import Any

from realtime.errors import ProviderError, ProviderTimeout, ProviderUnavailable
from realtime.minimax.codes import IDLE, TOO_MANY_CONNECTIONS
from realtime.minimax.speech import SpeechClient, Transport
from realtime.minimax.speech_config import SpeechConfig
from realtime.minimax.speech_session import SpeechSession
from realtime.providers.minimax.breaker import Address, CircuitBreaker, same_on_all_hosts, tells_of_host
from realtime.providers.minimax.speech_limit import SocketLimit
from realtime.upstream import SPEECH, Upstream

MAX_IDLE_S = 110.0  # the platform closes an idle socket after 120 s
RENEW_S = 100.0  # idle time after which a successor is opened, which may take a few seconds
FRESH_S = 99.0  # less than RENEW_S, because a timer can fire a little early
REPLACE_FOR_S = 300.0  # connections of a voice that was not used for this long are not replaced
MAX_VOICES = 256  # kept in the tables; clients choose voice and speed freely

log = logging.getLogger("realtime.speech")


@dataclass(slots=True, eq=False)
class _Opening:
    task: asyncio.Task[SpeechSession]
    cancelling: bool = False  # a session of an abandoned reply, soon usable again
    claimed: bool = False


class SpeechPool:
    """Sessions by voice and format. `limit` counts sockets in every state; HTTP requests need no place."""

    def __init__(self, client: SpeechClient, transport: Transport, *, limit: int) -> None:
        self.upstream = Upstream()
        self._client = client
        self._transport = transport
        self._limit = SocketLimit(limit)
        self._breaker = CircuitBreaker()
        self._idle: dict[SpeechConfig, list[SpeechSession]] = {}
        self._idle_timers: dict[SpeechSession, asyncio.TimerHandle] = {}
        self._opening: dict[SpeechConfig, list[_Opening]] = {}
        self._lent: dict[SpeechSession, SpeechConfig] = {}
        self._addresses: dict[SpeechSession, Address] = {}
        self._used_s: dict[SpeechConfig, float] = {}
        self._closing = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    @property
    def limit(self) -> int:
        """Sockets we allow ourselves (`SocketLimit`)."""
        return self._limit.at(_now(), self._open_sockets())

    @property
    def sockets(self) -> int:
        """Sockets that exist or are being opened or closed."""
        opening = sum(1 for openings in self._opening.values() for each in openings if not each.cancelling)
        return self._open_sockets() + opening + self._closing

    def _open_sockets(self) -> int:
        """Those that the platform has accepted and that are not being closed."""
        lent = sum(1 for session in self._lent if self._addresses[session][0] is not Transport.HTTP)
        cancelling = sum(1 for openings in self._opening.values() for each in openings if each.cancelling)
        return lent + sum(map(len, self._idle.values())) + cancelling

    def use_limit(self, limit: int) -> None:
        """Have at most so many sockets from now on. Idle ones above that are closed, those of old voices first."""
        self._limit.use(limit)
        for _ in range(self.sockets - self._closing - self.limit):
            voices = [voice for voice, idle in self._idle.items() if idle]
            if not voices:
                return
            self._discard(self._pop_idle(min(voices, key=lambda voice: self._used_s.get(voice, 0.0))))

    def prewarm(self, config: SpeechConfig) -> None:
        """Open a session for this voice ahead. Returns at once, never raises."""
        self._mark_used(config)
        self._top_up(config)

    def take_idle(self, config: SpeechConfig) -> SpeechSession | None:
        """An idle session, if there is one."""
        self._mark_used(config)
        idle = self._idle.get(config, [])
        while idle:
            session = idle.pop()
            self._idle_timers.pop(session).cancel()
            if session.usable:
                self._lent[session] = config
                return session
            self._discard(session)
        return None

    async def take(
        self, config: SpeechConfig, failed: Collection[Address] = (), *, over_http: bool = False
    ) -> SpeechSession:
        """A session: an idle one, one that is being opened, a new one, or HTTP. Raises ProviderError.

        Over HTTP it goes to a host on which the caller has not `failed`, if there is one. If the caller is cancelled
        meanwhile, the session that was being opened becomes a spare.
        """
        if over_http and not self._closed:
            return await self._over_http(config, failed)
        session = self.take_idle(config)
        if session is not None:
            return session
        if self._closed:
            raise _closed()
        opening = next((o for o in self._opening.get(config, ()) if not o.claimed), None)
        opening = opening or self._start_opening(config)
        while opening is not None:
            try:
                return await self._claim(opening, config)
            except ProviderError as error:
                if same_on_all_hosts(error) or self._closed:
                    raise
            # A session that could not be cancelled does not mean that the hosts have failed.
            opening = self._start_opening(config) if opening.cancelling else None
        return await self._over_http(config, failed)

    def has_another(self, failed: Collection[Address]) -> bool:
        """Whether there is a way on which the caller has not failed: after the sockets of a host its HTTP, at least."""
        return any((Transport.HTTP, host) not in failed for host in self._client.hosts)

    def has_another_host(self, failed: Collection[Address]) -> bool:
        return not {host for _, host in failed}.issuperset(self._client.hosts)

    def sounds(self, session: SpeechSession, silent: Collection[Address]) -> None:
        """A text that was `silent` there has sound here: that was the fault of the other host, if it is another."""
        for address in silent:
            if address[1] != self._addresses[session][1]:
                self._breaker.failed(address, _now())
                self._drop_idle(address)

    def give_back(self, session: SpeechSession) -> None:
        """Return a session with nothing pending. It is kept for the next reply if it is usable."""
        config = self._lent.pop(session, None)
        if config is None:
            return  # the pool was closed meanwhile, and the session with it
        if not session.usable or self._closed or self._addresses[session][0] is Transport.HTTP:
            self._discard(session, spare_for=config)
        else:
            self._keep(config, session)

    def abandon(self, session: SpeechSession, *, failed: bool = False) -> None:
        """Return a session with texts pending: cancel or close it, and open a spare at once.

        One that has `failed` is never used again: it would probably fail for the next text too.
        """
        config = self._lent.pop(session, None)
        if config is None:
            return
        if self._transport is Transport.BIDI and session.usable and not failed and not self._closed:
            self._track(
                _Opening(asyncio.create_task(self._cancel(session), name="cancel speech session"), True),
                config,
            )
        else:
            self._discard(session, spare_for=config)
            self._top_up(config)

    def report(self, session: SpeechSession, error: ProviderError) -> Address:
        """A lent session has failed with this error: note it for its host and the limit. Returns where it was."""
        address = self._addresses[session]
        self._note_error(address, error, session.last_sent_s, connecting=False)
        if isinstance(error, ProviderTimeout):
            self._drop_idle(address)
        return address

    async def aclose(self) -> None:
        self._closed = True
        for openings in self._opening.values():
            for opening in openings:
                opening.task.cancel()
                self._tasks.add(opening.task)
        sessions = [s for idle in self._idle.values() for s in idle] + list(self._lent)
        self._idle.clear()
        self._lent.clear()
        for handle in self._idle_timers.values():
            handle.cancel()
        self._idle_timers.clear()
        for session in sessions:
            self._discard(session)
        while self._tasks:
            done, _ = await asyncio.wait(self._tasks)
            self._tasks -= done

    def _top_up(self, config: SpeechConfig) -> None:
        """Keep one session ready, and one more for every four in use: conversations often start together."""
        if self._closed:
            return
        in_use = sum(1 for lent in self._lent.values() if lent == config)
        ready = sum(
            1 for session in self._idle.get(config, ()) if session.usable and _age_s(session) < FRESH_S
        )
        ready += sum(1 for opening in self._opening.get(config, ()) if not opening.claimed)
        for _ in range(1 + in_use // 4 - ready):
            if self._start_opening(config) is None:
                return

    def _start_opening(self, config: SpeechConfig) -> _Opening | None:
        hosts = self._allowed_hosts(self._transport) if self._transport is not Transport.HTTP else []
        if not hosts or self._closed or not self._make_room(config):
            return None
        return self._track(
            _Opening(asyncio.create_task(self._open(config, hosts), name="open speech session")), config
        )

    def _track(self, opening: _Opening, config: SpeechConfig) -> _Opening:
        """Keep track of a session that will be ready soon."""
        self._opening.setdefault(config, []).append(opening)
        opening.task.add_done_callback(lambda _: self._opened(opening, config))
        return opening

    async def _open(self, config: SpeechConfig, hosts: list[str]) -> SpeechSession:
        failure: ProviderError | None = None
        for host in hosts:
            began_s = _now()
            try:
                session = await self._client.connect(config, host, self._transport)
            except ProviderError as error:
                failure = error
                self._note_error((self._transport, host), error, began_s, connecting=True)
                if same_on_all_hosts(error) or error.upstream_code == TOO_MANY_CONNECTIONS:
                    raise
                continue
            self._addresses[session] = (self._transport, host)
            self._breaker.worked((self._transport, host))
            return session
        assert failure is not None
        raise failure

    def _opened(self, opening: _Opening, config: SpeechConfig) -> None:
        self._opening[config].remove(opening)
        if opening.claimed or opening.task.cancelled():
            return
        error = opening.task.exception()
        if error is None:
            self._keep(config, opening.task.result())
        elif isinstance(error, ProviderError):
            if opening.cancelling:
                self._top_up(config)
        else:
            log.error("opening a speech connection failed", exc_info=error)

    async def _claim(self, opening: _Opening, config: SpeechConfig) -> SpeechSession:
        opening.claimed = True
        try:
            session = await asyncio.shield(opening.task)
        except asyncio.CancelledError:
            if self._closed:
                raise _closed() from None
            opening.claimed = False
            if opening.task.done() and not opening.task.cancelled() and opening.task.exception() is None:
                self._keep(config, opening.task.result())
            raise
        self._lent[session] = config
        return session

    async def _over_http(self, config: SpeechConfig, failed: Collection[Address]) -> SpeechSession:
        hosts = self._allowed_hosts(Transport.HTTP) or list(self._client.hosts)
        # A host whose sockets failed may still do over HTTP, but one that was not tried at all comes first.
        host = min(hosts, key=lambda host: ((Transport.HTTP, host) in failed, host in {h for _, h in failed}))
        session = await self._client.connect(config, host, Transport.HTTP)
        self._addresses[session] = (Transport.HTTP, host)
        self._lent[session] = config
        return session

    def _allowed_hosts(self, transport: Transport) -> list[str]:
        return [host for host in self._client.hosts if self._breaker.allows((transport, host), _now())]

    def _drop_idle(self, address: Address) -> None:
        """Close the idle sessions of a host that is silent: they may be dead too, without a word."""
        for idle in self._idle.values():
            for session in [each for each in idle if self._addresses[each] == address]:
                idle.remove(session)
                self._idle_timers.pop(session).cancel()
                self._discard(session)

    def _make_room(self, config: SpeechConfig) -> bool:
        """Whether one more socket is allowed. If not, an idle one of another voice is closed, for the next time."""
        if self.sockets < self.limit:
            return True
        others = [voice for voice, idle in self._idle.items() if idle and voice != config]
        if others:
            voice = min(others, key=lambda other: self._used_s.get(other, 0.0))
            self._discard(self._pop_idle(voice), spare_for=config)
        return False

    def _pop_idle(self, config: SpeechConfig) -> SpeechSession:
        """The oldest idle session of this voice, which has one."""
        session = self._idle[config].pop(0)
        self._idle_timers.pop(session).cancel()
        return session

    def _keep(self, config: SpeechConfig, session: SpeechSession) -> None:
        # Not by a limit that refusals have lowered: the platform has accepted this one.
        if self._closed or self.sockets >= self._limit.configured:
            self._discard(session)
            return
        if _age_s(session) >= MAX_IDLE_S:
            self._discard(session, spare_for=config)
            return
        self._idle.setdefault(config, []).append(session)
        self._at_age(RENEW_S, self._renew, config, session)

    def _at_age(
        self,
        age_s: float,
        action: Callable[[SpeechConfig, SpeechSession], None],
        config: SpeechConfig,
        session: SpeechSession,
    ) -> None:
        self._idle_timers[session] = asyncio.get_running_loop().call_later(
            max(0.0, age_s - _age_s(session)), action, config, session
        )

    def _renew(self, config: SpeechConfig, session: SpeechSession) -> None:
        """Open a successor before the platform closes this session, as long as its voice is in use."""
        self._at_age(MAX_IDLE_S, self._expire, config, session)
        if self._in_use(config):
            self._top_up(config)

    def _expire(self, config: SpeechConfig, session: SpeechSession) -> None:
        self._idle[config].remove(session)
        self._idle_timers.pop(session)
        self._discard(session, spare_for=config if self._in_use(config) else None)

    def _mark_used(self, config: SpeechConfig) -> None:
        """This voice is used now. The tables drop the voices that were not used for longest."""
        self._used_s.pop(config, None)
        self._used_s[config] = _now()
        for old in list(self._used_s)[:-MAX_VOICES]:
            if not self._idle.get(old) and not self._opening.get(old):
                for table in (self._used_s, self._idle, self._opening):
                    table.pop(old, None)

    def _in_use(self, config: SpeechConfig) -> bool:
        return _now() - self._used_s.get(config, 0.0) < REPLACE_FOR_S

    def _discard(self, session: SpeechSession, spare_for: SpeechConfig | None = None) -> None:
        self._closing += 1
        self._start_task(self._close(session, spare_for))

    async def _close(self, session: SpeechSession, spare_for: SpeechConfig | None) -> None:
        try:
            await session.aclose()
        finally:
            self._closing -= 1
            self._addresses.pop(session, None)
        if spare_for is not None:
            self._top_up(spare_for)

    async def _cancel(self, session: SpeechSession) -> SpeechSession:
        if await session.cancel():
            return session
        self._addresses.pop(session, None)
        raise ProviderUnavailable("The speech connection could not be cancelled.")

    def _note_error(self, address: Address, error: ProviderError, began_s: float, connecting: bool) -> None:
        """What began then has failed: a connection, or a text on one."""
        now_s = _now()
        if error.upstream_code != IDLE:
            self.upstream.lost(SPEECH, error, address[1])
        if error.upstream_code == TOO_MANY_CONNECTIONS:
            # HTTP needs no socket, so its refusal says nothing of how many there may be.
            if address[0] is not Transport.HTTP and self._limit.refused(began_s, now_s):
                log.warning("the platform refuses more speech connections; using %d from now on", self.limit)
        elif not tells_of_host(error):
            return
        elif connecting or isinstance(error, ProviderTimeout):
            self._breaker.failed(address, now_s)
        elif isinstance(error, ProviderUnavailable):
            self._breaker.dropped(address, now_s)

    def _start_task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="close speech connection")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _age_s(session: SpeechSession) -> float:
    """The time since our last message on this session."""
    return _now() - session.last_sent_s


def _closed() -> ProviderError:
    return ProviderUnavailable("The speech provider was closed.", retryable=False)


def _now() -> float:
    return asyncio.get_running_loop().time()
