"""Opens a conversation: address, key, first event, speaker and microphone."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Subprotocol

from .conversation import BINARY, Conversation
from .errors import ConnectionFailed
from .talk import AudioInput, AudioOutput, Talk

JSON_ONLY = Subprotocol("realtime")
_MAX_MESSAGE = 1 << 20
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


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
    open_timeout_s: float = 10.0,
) -> AsyncIterator[Conversation]:
    """A conversation with the server at `url` (`ws://host:port/v1/realtime`; also http, or only the host).

    With a `microphone` its audio is sent. With a `speaker` the replies are played, and what was played is acknowledged;
    an interruption stops the playback. Both are opened here and closed at the end of the block, even during playback:
    use `await conversation.drained()` to wait for its end. Without `headphones` the microphone sends silence during
    playback, because the assistant would otherwise hear itself.

    Without a speaker your program plays `response.output_audio.delta`, and calls `truncate` after an interruption: the
    server assumes that everything it has sent was heard. The default `extensions` are `words`, with a speaker also
    `playback`. With `playback` but no speaker your program must call `played`.

    `session` is sent as the first `session.update`. Raises ConnectionFailed if the server refuses, DeviceError if a
    device cannot be used.
    """
    if extensions is None:
        extensions = ("words",) if speaker is None else ("playback", "words")
    target = _target(url, extensions)
    async with AsyncExitStack() as stack:
        if speaker is not None:
            await stack.enter_async_context(speaker)
        if microphone is not None:
            await stack.enter_async_context(microphone)
        socket = await _open(target, api_key, binary, ssl_context, open_timeout_s)
        stack.push_async_callback(socket.close)
        by_voice = speaker is not None or microphone is not None
        conversation: Conversation = (
            Talk(socket, speaker, microphone, headphones=headphones) if by_voice else Conversation(socket)
        )
        await conversation._begin(open_timeout_s)
        if session is not None:
            await conversation.update(**session)
        if isinstance(conversation, Talk):
            await stack.enter_async_context(conversation.running())
        yield conversation


async def _open(
    url: str, api_key: str | None, binary: bool, context: ssl.SSLContext | None, timeout_s: float
) -> ClientConnection:
    try:
        return await open_socket(
            url,
            subprotocols=[BINARY, JSON_ONLY] if binary else None,
            additional_headers={"Authorization": f"Bearer {api_key}"} if api_key else None,
            compression=None,
            open_timeout=timeout_s,
            max_size=_MAX_MESSAGE,
            ssl=context,
            # a proxy of the environment is for the world, never for this machine
            proxy=None if urlsplit(url).hostname in _LOOPBACK else True,
        )
    except InvalidURI:
        raise ConnectionFailed(f"{url} is not an address like ws://127.0.0.1:8000/v1/realtime.") from None
    except InvalidStatus as refused:
        raise ConnectionFailed(*_refusal(refused)) from None
    except TimeoutError:
        raise ConnectionFailed(f"{_shown(url)} did not answer within {timeout_s:g} s.") from None
    except OSError as error:
        raise ConnectionFailed(
            f"Nothing answers at {_shown(url)} ({error.strerror or error}). Is the server running? `realtime serve`"
        ) from None
    except InvalidHandshake as error:
        raise ConnectionFailed(f"{_shown(url)} is not a realtime server ({error}).") from None


def _refusal(refused: InvalidStatus) -> tuple[str, str | None]:
    try:
        error = msgspec.json.decode(refused.response.body or b"")["error"]
        return error["message"], error.get("code")
    except (msgspec.DecodeError, KeyError, TypeError):
        return f"The server refused the connection with HTTP status {refused.response.status_code}.", None


def _target(url: str, extensions: Iterable[str]) -> str:
    if "://" not in url:
        url = f"ws://{url}"
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for a port that is no number
    except ValueError:
        raise ConnectionFailed(f"{url} is not an address like ws://127.0.0.1:8000/v1/realtime.") from None
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    path = parts.path if parts.path.strip("/") else "/v1/realtime"
    query = parse_qsl(parts.query, keep_blank_values=True)
    wanted = ",".join(extensions)
    if wanted and not any(name == "extensions" for name, _ in query):
        query.append(("extensions", wanted))
    return urlunsplit((scheme, parts.netloc, path, urlencode(query, safe=","), ""))


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
