"""The ordinary speech socket: `speech_protocol` on a WebSocket, with a timeout for every wait.

An interruption closes the connection (docs/minimax/t2a-websocket.md 1.2). Knows no retries and no other hosts.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Self
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.protocol import State

from realtime import deadlines
from realtime.errors import ProviderError, ProviderTimeout, ProviderUnavailable
from realtime.minimax.dead_peers import died_silently, notice_loss
from realtime.minimax.errors import error_from_response
from realtime.minimax.hosts import socket_url
from realtime.minimax.proxied import is_socks_timeout, socket_failure, socket_proxy
from realtime.minimax.proxies import Proxy, proxy_for
from realtime.minimax.speech_config import SpeechConfig
from realtime.minimax.speech_protocol import Phase, ReceivedAudio, SpeechProtocol, SpeechResult
from realtime.minimax.speech_session import SpeechSession, SpeechTimeouts, check_text

MAX_FRAME_BYTES = 20 * 1024 * 1024  # a frame is hex in JSON; other clients allow 16 to 20 MB
PING_S = 30.0
CLOSE_S = 1.0

# The library's debug log would show the headers of the handshake, and with them the key.
_socket_log = logging.getLogger("realtime.minimax.socket")
_socket_log.setLevel(logging.INFO)


class SpeechSocket(SpeechSession):
    """One open task. Make it with `SpeechSocket.open`."""

    path = "/v1/t2a_v2"

    def __init__(
        self, socket: ClientConnection, host: str, protocol: SpeechProtocol, timeouts: SpeechTimeouts
    ) -> None:
        super().__init__()
        self.host = host
        self.last_sent_s = asyncio.get_running_loop().time()
        self._socket = socket
        self._protocol = protocol
        self._timeouts = timeouts
        self._head_has_audio = False
        self._gave_up = False  # an end was missing, so nothing more is read here
        self._interruptions = 0  # a `receive` that began before one must not return results from after it
        self._sending = asyncio.Lock()
        self._leaving: deque[Callable[[], Awaitable[None]] | None] = deque()  # of unwritten texts
        self._reading = asyncio.Lock()  # one task can cancel a reply while another one receives

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.host} {self._protocol!r}>"

    @classmethod
    async def open(
        cls,
        host: str,
        api_key: str,
        config: SpeechConfig,
        *,
        group_id: str | None = None,
        timeouts: SpeechTimeouts | None = None,
    ) -> Self:
        """Connect to `host` (an http or https base URL) and start the task. Raises ProviderError."""
        timeouts = timeouts or SpeechTimeouts()
        socket = await _connect(socket_url(host, cls.path), api_key, group_id, timeouts)
        session = cls(socket, host, cls.make_protocol(config), timeouts)
        try:
            await session._until(Phase.READY, "did not send connected_success")
            await session._send([session._protocol.start()])
            await session._until(Phase.OPEN, "did not start the task")
        except BaseException:
            # A closing handshake could take a second, and this connection is not needed any more.
            socket.transport.abort()
            raise
        return session

    @staticmethod
    def make_protocol(config: SpeechConfig) -> SpeechProtocol:
        return SpeechProtocol(config)

    @property
    def pending(self) -> int:
        return self._protocol.pending

    @property
    def usable(self) -> bool:
        protocol = self._protocol
        return protocol.phase is Phase.OPEN and not protocol.doubtful and self._socket.state is State.OPEN

    async def say(self, text: str, leaving: Callable[[], Awaitable[None]] | None = None) -> int:
        check_text(text)
        chunk, frames = self._protocol.say(text)
        if frames:
            await self._send(frames, leaving)
        else:
            self._leaving.append(leaving)  # it waits for the one before
            self._mark_sent()
        return chunk

    async def receive(self) -> list[SpeechResult]:
        interruptions = self._interruptions
        while True:
            async with self._reading:
                if interruptions != self._interruptions or not self._protocol.pending:
                    raise ProviderUnavailable("MiniMax: no text is pending on this speech session.")
                results = await self._next_results()
            for result in results:
                self._head_has_audio = isinstance(result, ReceivedAudio)
            if results:
                return results

    async def _next_results(self) -> list[SpeechResult]:
        """Results of the next frame, or the ends of texts of which nothing else is missing."""
        if self._gave_up:
            raise self._lost()
        has_audio = self._head_has_audio
        try:
            return await self._next(
                self._timeouts.gap_s if has_audio else self._timeouts.first_audio_s,
                "stopped sending audio" if has_audio else "sent no audio",
            )
        except ProviderTimeout:
            if not (ends := self._protocol.fall_silent()):
                raise
            self._gave_up = True
            return ends

    @property
    def expected_ms(self) -> Callable[[str], float] | None:
        return self._protocol.expected_ms

    async def cancel(self) -> bool:
        await self.aclose()
        return False

    async def aclose(self) -> None:
        self._protocol.phase = Phase.CLOSED
        try:
            # The library limits the wait for the other side's close frame, not the wait to send ours.
            async with asyncio.timeout(CLOSE_S + 0.5):
                await self._socket.close()
        except TimeoutError:
            self._socket.transport.abort()
        except (WebSocketException, OSError):
            pass

    async def end(self) -> None:
        """Finish the task and wait for `task_finished`, if nothing is pending; then close."""
        if self.usable and not self.pending:
            with contextlib.suppress(ProviderError):
                await self._send([self._protocol.finish()])
                while self._protocol.phase is not Phase.CLOSED:
                    await self._next(self._timeouts.finish_s, "did not send task_finished")
        await self.aclose()

    async def _until(self, phase: Phase, problem: str) -> None:
        while self._protocol.phase is not phase:
            await self._next(self._timeouts.ready_s, problem)

    async def _next(self, timeout_s: float, problem: str) -> list[SpeechResult]:
        try:
            async with deadlines.timeout(timeout_s):
                message = await self._socket.recv()
        except TimeoutError as error:
            raise ProviderTimeout(
                f"MiniMax: the speech service at {self.host} {problem} for {timeout_s:.0f} s.",
                trace_id=self._protocol.trace_id,
            ) from error
        except ConnectionClosed as error:
            raise self._lost(silently=died_silently(error)) from error
        results = self._protocol.receive(message)
        if due := self._protocol.take_unsent():
            await self._send(due, self._leaving.popleft())
        return results

    async def _send(
        self, frames: Sequence[str], leaving: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        async with self._sending:  # the frames of one text stay together
            if leaving is not None:
                await leaving()
            try:
                async with deadlines.timeout(self._timeouts.gap_s):
                    for frame in frames:
                        await self._socket.send(frame)
            except TimeoutError as error:
                raise ProviderTimeout(f"MiniMax: {self.host} does not accept more text.") from error
            except ConnectionClosed as error:
                raise await self._error_after_loss() from error
        self._mark_sent()

    async def _error_after_loss(self) -> ProviderError:
        """The platform's own error, if it was received before the connection closed and was not read yet."""
        if not self._reading.locked():
            with contextlib.suppress(ConnectionClosed):
                while True:
                    try:
                        self._protocol.receive(await self._socket.recv())
                    except ProviderError as error:
                        return error
        return self._lost()

    def _lost(self, *, silently: bool = False) -> ProviderError:
        self._protocol.phase = Phase.CLOSED
        if silently:
            return ProviderTimeout(
                f"MiniMax: nothing reaches {self.host} over this connection any more.",
                trace_id=self._protocol.trace_id,
            )
        return ProviderUnavailable(
            f"MiniMax: the speech connection to {self.host} was lost.", trace_id=self._protocol.trace_id
        )


async def _connect(
    url: str, api_key: str, group_id: str | None, timeouts: SpeechTimeouts
) -> ClientConnection:
    proxy = proxy_for(url)
    query = "?" + urlencode({"GroupId": group_id}) if group_id else ""
    try:
        opened = await connect(
            url + query,
            additional_headers={"Authorization": f"Bearer {api_key}"},
            compression=None,
            max_size=MAX_FRAME_BYTES,
            open_timeout=timeouts.connect_s,
            close_timeout=CLOSE_S,
            ping_interval=PING_S,
            logger=_socket_log,
            proxy=socket_proxy(proxy),
        )
        notice_loss(opened.transport.get_extra_info("socket"))
        return opened
    except InvalidStatus as error:
        response = error.response
        refused = error_from_response(
            response.status_code, bytes(response.body or b""), trace_id=response.headers.get("Trace-Id")
        )
        raise refused or ProviderUnavailable(f"MiniMax: {url} is not a speech socket.") from error
    except (OSError, WebSocketException) as error:
        raised = _not_connected(url, proxy, timeouts, error)
        raise raised from (None if proxy is not None else error)


def _not_connected(
    url: str, proxy: Proxy | None, timeouts: SpeechTimeouts, error: Exception
) -> ProviderTimeout | ProviderUnavailable:
    through = f" through {proxy.shown}" if proxy is not None else ""
    if isinstance(error, TimeoutError) or is_socks_timeout(error):
        return ProviderTimeout(f"MiniMax: no connection to {url}{through} in {timeouts.connect_s:.0f} s.")
    if proxy is not None and (failed := socket_failure("MiniMax", url, proxy, error)):
        return failed
    return ProviderUnavailable(f"MiniMax: the connection to {url}{through} failed ({type(error).__name__}).")
