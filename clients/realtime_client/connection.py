"""Opens a conversation: speaker and microphone, socket, first event, and the way back after a lost line."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from .address import check_key, socket_url
from .conversation import RATE, Conversation, Event
from .line import RETURN_S, Line
from .opening import Opener
from .silence import SILENCE_TIMEOUT_S, SilenceWatch, WatchedSocket
from .talk import AudioInput, AudioOutput, Talk

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
    any more, the conversation is built again as text, as it was heard: events end what was open (`response.done`,
    `failed`, `connection_lost`), then `session.created` comes again. `conversation.on_reconnecting` is called when
    the line breaks. A plain conversation comes back only while you iterate. After `return_timeout_s` seconds without
    a server it is lost.

    A server that later says nothing for `silence_timeout_s` seconds, not even in answer to a ping, is lost: without
    `resume` the iterator and every method raise ConnectionLost. It is short because somebody waits, 5 s, and 2.75 s
    where the server can resume; make it longer where nobody does, or `math.inf` (docs/clients.md).
    """
    if extensions is None:
        extensions = ("words",) if speaker is None else ("playback", "words")
    if resume:
        extensions = (*extensions, *(() if "resume" in extensions else ("resume",)))
    if api_key:
        check_key(api_key)
    opener = Opener(socket_url(url, extensions, model), api_key, binary, ssl_context, open_timeout_s)
    async with AsyncExitStack() as stack:
        if speaker is not None:
            await stack.enter_async_context(speaker)
        if microphone is not None:
            await stack.enter_async_context(microphone)
        opened_s = asyncio.get_running_loop().time()
        socket = await opener.open()
        by_voice = speaker is not None or microphone is not None
        conversation: Conversation = (
            Talk(socket, speaker, microphone, headphones=headphones) if by_voice else Conversation(socket)
        )
        stack.push_async_callback(conversation.close)
        await conversation._begin(opened_s + open_timeout_s)
        can_resume = resume and "resume" in conversation.extensions
        watching = await stack.enter_async_context(_watch(conversation, silence_timeout_s, can_resume))
        watching.watch(socket)
        # Before the watch ends: a new socket would not be watched
        stack.push_async_callback(conversation._stay_away)

        async def again(query: dict[str, Any]) -> tuple[WatchedSocket, Event]:
            socket, first = await opener.open_again(query, binary=conversation.binary)
            watching.watch(socket)
            return socket, first

        if resume:
            conversation._begin_line(Line(conversation, again, rate=RATE, return_s=return_timeout_s))
        if session is not None:
            await conversation.update(**session)
        if isinstance(conversation, Talk):
            await stack.enter_async_context(conversation.running())
        yield conversation


def _watch(conversation: Conversation, timeout_s: float | None, can_resume: bool) -> SilenceWatch:
    """The watch over a server's silence: by default a shorter one over a server that can resume."""

    def sent_s() -> float:
        return conversation.sound_sent_s

    if timeout_s is not None:
        return SilenceWatch(timeout_s, sent_s)
    if can_resume:
        return SilenceWatch(RESUME_SILENCE_S, sent_s, RESUME_LONGEST_S)
    return SilenceWatch(SILENCE_TIMEOUT_S, sent_s)
