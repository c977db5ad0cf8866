"""A voice that sends no sound for a text: said again once, else the reply fails, and what came before it counts."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing

import pytest

from realtime.errors import ProviderUnavailable
from realtime.minimax.codes import TOO_MANY_CONNECTIONS
from realtime.minimax.errors import error_for_code
from realtime.minimax.speech import Transport
from realtime.minimax.speech_protocol import ChunkEnd
from realtime.providers.base import SpeechAudio, SpeechChunkDone
from tests import virtual_time
from tests.providers.minimax.scripted_socket import Script, SocketClient, speaker
from tests.providers.minimax.scripted_speech import Fate, Lexicon, ScriptedClient
from tests.providers.minimax.speech_kit import VOICE, sandbox, say, speaking, texts
from tests.providers.minimax.test_speech_losses import provider, speak

CHUNKS = ["Good evening to you.", "What a nice day it is.", "See you soon, good bye."]


async def reply(
    script: Script, transport: str
) -> tuple[dict[int, bytes], list[int], SocketClient, Exception | None]:
    """The sound of each chunk, the chunks that are done, the client, and how it failed."""
    client = SocketClient(script, speaker(Lexicon(), lambda piece: 60.0 * len(piece)))
    speech = provider(client, transport)
    pcm: dict[int, bytes] = {}
    done: list[int] = []
    try:
        async with speech.open(VOICE) as utterance:
            for chunk in CHUNKS:
                await utterance.say(chunk)
            utterance.finish()
            async with aclosing(utterance.events()) as events:
                async for event in events:
                    match event:
                        case SpeechAudio(chunk, data):
                            pcm[chunk] = pcm.get(chunk, b"") + data
                        case SpeechChunkDone(chunk):
                            done.append(chunk)
    except ProviderUnavailable as error:
        return pcm, done, client, error
    finally:
        await speech.aclose()
    return pcm, done, client, None


@pytest.mark.parametrize("transport", ["ordinary", "bidi"])
@pytest.mark.parametrize("silent", CHUNKS)
@pytest.mark.parametrize("claims", [False, True])
def test_a_text_without_sound_is_said_again_once(transport: str, silent: str, claims: bool) -> None:
    script = Script(silent=silent, claims=claims)
    pcm, done, client, error = virtual_time.run(reply(script, transport))
    assert error is None
    assert done == [0, 1, 2]
    whole = speaker(Lexicon(), lambda piece: 60.0 * len(piece))
    assert [len(pcm[chunk]) for chunk in range(3)] == [len(whole(text)) for text in CHUNKS]
    assert sum(socket.texts.count(silent) for socket in client.sockets) == 2


@pytest.mark.parametrize("transport", ["ordinary", "bidi"])
@pytest.mark.parametrize(("number", "silent"), list(enumerate(CHUNKS)))
def test_a_text_that_stays_without_sound_fails_the_reply_after_what_was_said(
    transport: str, number: int, silent: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Also in the middle: an answer with a hole in it may say the opposite of what it should."""
    with caplog.at_level(logging.WARNING, "realtime.upstream"):
        pcm, done, client, error = virtual_time.run(reply(Script(silent=silent, silent_on=99), transport))
    assert error is not None
    assert "sent no sound for a text" in str(error)
    assert done == list(range(number))
    assert sorted(pcm) == list(range(number))
    asked = sum(socket.texts.count(silent) for socket in client.sockets)
    # On bidi the first of such ends may be the one of the text before, told twice.
    assert asked == (3 if transport == "bidi" and number else 2)
    assert len(caplog.records) == asked


def test_a_silent_text_closes_no_host_for_others() -> None:
    """It may be the text that nobody can say."""

    async def two_replies() -> None:
        client = SocketClient(Script(silent="One.", silent_on=99), speaker(Lexicon(), lambda _: 200.0))
        speech = provider(client)
        for _ in range(2):
            with pytest.raises(ProviderUnavailable):
                await say(speech, "One.")
        await say(speech, "Two.")
        assert client.over_http == 0
        await speech.aclose()

    virtual_time.run(two_replies())


@pytest.mark.parametrize("socket", ["ordinary", "bidi"])
async def test_the_next_host_says_what_had_no_sound_and_is_asked_first_from_then_on(socket: str) -> None:
    async with (
        sandbox("speech.soft=2203") as mute,
        sandbox() as good,
        speaking(mute, good, speech_socket=socket) as speech,
    ):
        received = await say(speech, "Good evening.", "Good bye.")
        assert sorted(received.pcm) == [0, 1]
        before = len(texts(mute))
        received = await say(speech, "Hello again.")
        assert received.pcm[0]
        if socket == "ordinary":
            assert len(texts(mute)) == before


def test_only_the_host_that_was_silent_is_closed_for_others() -> None:
    """Not the one that had refused the same text for another reason before."""

    class OneIsSilent(ScriptedClient):
        async def connect(self, config, host, transport=Transport.ORDINARY):
            session = await super().connect(config, host, transport)
            if host == "two":
                session._speak = lambda _: session._frames.append([ChunkEnd(0, skipped=True)])
            return session

    async def reply() -> None:
        refused = Fate(frames=0, error=error_for_code(TOO_MANY_CONNECTIONS))
        client = OneIsSilent(refused, hosts=("one", "two", "three"))
        speech = provider(client)
        await speak(speech, ["One."])
        used = [(session.host, len(session.texts)) for session in client.sessions if session.texts]
        assert used == [("one", 1), ("two", 1), ("three", 1)]
        now_s, allows = asyncio.get_running_loop().time(), speech._pool._breaker.allows
        assert allows((Transport.ORDINARY, "one"), now_s)
        assert not allows((Transport.HTTP, "two"), now_s)
        await speech.aclose()

    virtual_time.run(reply())


async def test_a_platform_that_skips_every_text_is_given_up_after_two() -> None:
    async with sandbox("speech.soft=2203") as host, speaking(host) as speech:
        with pytest.raises(ProviderUnavailable, match="sent no sound for a text"):
            await say(speech, "Good evening.")
        assert texts(host) == ["Good evening."] * 2


async def test_a_text_with_nothing_to_say_needs_no_sound() -> None:
    async with sandbox("speech.soft=2203") as host, speaking(host) as speech:
        received = await asyncio.wait_for(say(speech, "...", "😀", "— !"), 30)
        assert received.pcm == {}
        assert texts(host) == []
