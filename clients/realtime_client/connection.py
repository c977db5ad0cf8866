"""Opens a conversation: address, key, first event, speaker and microphone."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import msgspec
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import (
    ConnectionClosed,
    InvalidProxy,
    InvalidStatus,
    InvalidURI,
    ProxyError,
    WebSocketException,
)
from websockets.typing import Subprotocol

from .address import check_key, shown, socket_url, tls_context
from .conversation import BINARY, RATE, Conversation, Event
from .errors import ConnectionFailed
from .line import RETURN_S, Line
from .proxies import proxy_for, shown_proxy
from .silence import SILENCE_TIMEOUT_S, SilenceWatch, WatchedSocket
from .talk import AudioInput, AudioOutput, Talk

JSON_ONLY = Subprotocol("realtime")
_MAX_MESSAGE = 16 << 20  # bytes; the server has the same limit
_CLOSE_TIMEOUT_S = 2.0  # a network that is gone says no goodbye
RESUME_SILENCE_S = 2.75  # with a tick of the watch, lost within 3 s: a new socket costs little
RESUME_LONGEST_S = 8.0  # where new sockets did not help
OPEN_TIMEOUT_S = 4.0  # until the server has said its first word: someone waits in front of a screen


@asynccontextmanager
async def connect(
    url: str,
    api_key: str | None = None,
    *,
    speaker: AudioOutput | None = None,
    microphone: AudioInput | None = None,
    headphones: bool = False,
    extensions: Iterable[str] | None = None,
    binary: bool = True,
    session: Mapping[str, Any] | None = None,
    ssl_context: ssl.SSLContext | None = None,
    model: str | None = None,
    open_timeout_s: float = OPEN_TIMEOUT_S,
    silence_timeout_s: float | None = None,
    resume: bool = True,
    return_timeout_s: float = RETURN_S,
) -> AsyncIterator[Conversation]:
    """A conversation with the server at `url`: ws, wss, http, https or only the host; a path is a prefix.

    `wss` and `https` check the server's certificate; `tls_context` makes an `ssl_context` for one that is self-signed.
    A proxy of the environment is used, but never for this machine. `model` is asked for in the URL.

    With a `microphone` its audio is sent. With a `speaker` the replies are played, and what was played is acknowledged;
    an interruption stops the playback. Both are opened here and closed at the end of the block, even during playback:
    use `await conversation.drained()` to wait for its end. Without `headphones` the microphone sends silence during
    playback, because the assistant would otherwise hear itself.

    Without a speaker your program plays `response.output_audio.delta`, and calls `truncate` after an interruption: the
    server assumes that everything it has sent was heard. The default `extensions` are `words`, with a speaker also
    `playback`. With `playback` but no speaker your program must call `played`.

    `session` is sent as the first `session.update`. Raises ConnectionFailed if the server refuses or says nothing for
    `open_timeout_s` seconds, DeviceError if a device cannot be used.

    With `resume` a lost connection comes back by itself. If the server can do that (docs/wire.md 6.6), the answer goes
    on where it stopped, and what was sent meanwhile is sent then. If it keeps no sessions, or does not know this one
    any more, the conversation is built again as text: events end what was open (`response.done`, `failed`,
    `connection_lost`), then `session.created` comes again. `conversation.on_reconnecting` is called when the line
    breaks. A plain conversation comes back only while you iterate. After `return_timeout_s` seconds without a server
    it is lost.

    A server that later says nothing for `silence_timeout_s` seconds, not even in answer to a ping, is lost: without
    `resume` the iterator and every method raise ConnectionLost. It is short because somebody waits, 5 s, and 2.75 s
    where the server can resume; make it longer where nobody does, or `math.inf` (docs/clients.md).
    """
    if extensions is None:
        extensions = ("words",) if speaker is None else ("playback", "words")
    if resume:
        extensions = (*extensions, *(() if "resume" in extensions else ("resume",)))
    target = socket_url(url, extensions, model)
    if api_key:
        check_key(api_key)
    async with AsyncExitStack() as stack:
        if speaker is not None:
            await stack.enter_async_context(speaker)
        if microphone is not None:
            await stack.enter_async_context(microphone)
        opened_s = asyncio.get_running_loop().time()
        socket = await _open(target, api_key, binary, ssl_context, open_timeout_s)
        by_voice = speaker is not None or microphone is not None
        conversation: Conversation = (
            Talk(socket, speaker, microphone, headphones=headphones) if by_voice else Conversation(socket)
        )
        stack.push_async_callback(conversation.close)
        await conversation._begin(opened_s + open_timeout_s)
        can_resume = resume and "resume" in conversation.extensions
        longest_s = silence_timeout_s
        if silence_timeout_s is None:
            silence_timeout_s = RESUME_SILENCE_S if can_resume else SILENCE_TIMEOUT_S
            longest_s = RESUME_LONGEST_S if can_resume else None
        watching = SilenceWatch(silence_timeout_s, lambda: conversation.sound_sent_s, longest_s)
        await stack.enter_async_context(watching)
        watching.watch(socket)

        async def again(query: dict[str, Any]) -> tuple[WatchedSocket, Event]:
            address = socket_url(target + ("&" if "?" in target else "?") + urlencode(query))
            return await _open_again(
                address, api_key, conversation.binary, ssl_context, open_timeout_s, watching
            )

        if resume:
            conversation._begin_line(Line(conversation, again, rate=RATE, return_s=return_timeout_s))
        if session is not None:
            await conversation.update(**session)
        if isinstance(conversation, Talk):
            await stack.enter_async_context(conversation.running())
        yield conversation


async def _open_again(
    url: str,
    api_key: str | None,
    binary: bool,
    context: ssl.SSLContext | None,
    timeout_s: float,
    watching: SilenceWatch,
) -> tuple[WatchedSocket, Event]:
    """A new socket for the same conversation, and its first event. Raises ConnectionFailed."""
    socket = await _open(url, api_key, binary, context, timeout_s)
    try:
        async with asyncio.timeout(timeout_s):
            first: Event = msgspec.json.decode(await socket.recv())
    except (TimeoutError, ConnectionClosed) as error:
        socket.transport.abort()
        raise ConnectionFailed(_trouble(error, url, None, timeout_s)) from None
    except BaseException:
        socket.transport.abort()
        raise
    if first["type"] == "error":
        socket.transport.abort()
        raise ConnectionFailed(first["error"]["message"], first["error"].get("code"))
    watching.watch(socket)
    return socket, first


async def _open(
    url: str, api_key: str | None, binary: bool, context: ssl.SSLContext | None, timeout_s: float
) -> WatchedSocket:
    proxy = proxy_for(url)
    tls: dict[str, Any] = {"ssl": context or tls_context()} if url.startswith("wss:") else {}
    try:
        async with asyncio.timeout(timeout_s):  # websockets leaves the proxy's answer out of its own
            socket = await open_socket(
                url,
                subprotocols=[BINARY, JSON_ONLY] if binary else None,
                additional_headers={"Authorization": f"Bearer {api_key}"} if api_key else None,
                compression=None,
                open_timeout=None,
                close_timeout=_CLOSE_TIMEOUT_S,
                max_size=_MAX_MESSAGE,
                proxy=proxy,
                ping_interval=None,  # websockets' own ping hangs where nothing can be sent: `silence.py`
                create_connection=WatchedSocket,
                **tls,
            )
            assert isinstance(socket, WatchedSocket)
            return socket
    except InvalidStatus as refused:
        raise ConnectionFailed(*_refusal(refused)) from None
    except _failures() as error:
        raise ConnectionFailed(_trouble(error, url, proxy, timeout_s)) from None


def _failures() -> tuple[type[Exception], ...]:
    return (OSError, EOFError, ValueError, ImportError, WebSocketException, *_socks_errors())


def _socks_errors() -> tuple[type[Exception], ...]:
    """What python-socks raises, where it is installed."""
    try:
        from python_socks import ProxyError as SocksError
        from python_socks import ProxyTimeoutError
    except ImportError:
        return ()
    return SocksError, ProxyTimeoutError


def _trouble(error: Exception, url: str, proxy: str | None, timeout_s: float) -> str:
    """One sentence on why there is no connection, and what to do."""
    where = shown(url)
    through = f" through the proxy {shown_proxy(proxy)}" if proxy else ""
    match error:
        case TimeoutError():
            return (
                f"{where} did not answer{through} within {timeout_s:g} s: check the address and the network."
            )
        case ssl.SSLCertVerificationError():
            return (
                f"The certificate of {where} is not trusted ({error.verify_message.rstrip('.')}): name the file of "
                "its CA (--ca-file, `tls_context`), or trust anything (--insecure)."
            )
        case ssl.SSLError() if error.reason in (
            "WRONG_VERSION_NUMBER",
            "RECORD_LAYER_FAILURE",
            "HTTP_REQUEST",
        ):
            return f"{where} does not speak TLS: use ws:// or http://."
        case ssl.SSLError():
            return f"No TLS with {where} ({error.reason or error})."
        case _ if isinstance(error, (ProxyError, InvalidProxy, *_socks_errors())):
            return (
                f"The proxy {shown_proxy(proxy or '')} does not connect to {where} ({error}): see NO_PROXY."
            )
        case OSError() if proxy:
            return f"Nothing answers{through} ({error.strerror or error}): check it, or name the server in NO_PROXY."
        case ConnectionResetError() if url.startswith("wss:"):
            return f"{where} hung up on TLS: if it does not speak TLS, use ws:// or http://."
        case OSError():
            reason = error.strerror or error
            return f"Nothing answers at {where} ({reason}). Is the server running? `realtime serve`"
        case InvalidURI():
            return f"{where} is not an address like ws://127.0.0.1:8000/v1/realtime."
        case _:
            hint = "" if url.startswith("wss:") else " If it speaks TLS: wss:// or https://."
            return f"{where} is not a realtime server ({str(error).rstrip('.')}).{hint}"


def _refusal(refused: InvalidStatus) -> tuple[str, str | None]:
    try:
        error = msgspec.json.decode(refused.response.body or b"")["error"]
        return error["message"], error.get("code")
    except (msgspec.DecodeError, KeyError, TypeError):
        return f"The server refused the connection with HTTP status {refused.response.status_code}.", None
