"""The speech sessions against the sandbox: every transport, every fault, and one-shot synthesis."""

from __future__ import annotations

import asyncio
import io
import logging
import wave
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from realtime.core.messages import WordTime
from realtime.errors import AnswerLost, ProviderError, ProviderRejected, ProviderTimeout, ProviderUnavailable
from realtime.minimax import (
    ChunkEnd,
    MiniMax,
    ReceivedAudio,
    SpeechSession,
    SpeechTimeouts,
    Transport,
    WordTimes,
)
from realtime.minimax.codes import IDLE
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from tests.minimax.scripted import until

FAST = ("speech.connect_ms=0", "speech.first_ms=5", "speech.factor=2000", "speech.start_ms=0")
PATIENT = SpeechTimeouts(connect_s=60.0, ready_s=60.0, first_audio_s=60.0, gap_s=60.0, finish_s=60.0)
TEXTS = ("Hello there, my friend.", "And good bye.")
TRANSPORTS = list(Transport)
SOCKETS = [Transport.ORDINARY, Transport.BIDI]


@dataclass
class Received:
    pcm: dict[int, bytes] = field(default_factory=dict)
    words: dict[int, tuple[WordTime, ...]] = field(default_factory=dict)
    ends: list[ChunkEnd] = field(default_factory=list)


async def receive_all(session: SpeechSession) -> Received:
    received = Received()
    async for result in session.events():
        match result:
            case ReceivedAudio(chunk, data):
                received.pcm[chunk] = received.pcm.get(chunk, b"") + data
            case WordTimes(chunk, words):
                received.words[chunk] = words
            case ChunkEnd():
                received.ends.append(result)
    return received


async def speak(
    *faults: str,
    transport: Transport = Transport.ORDINARY,
    texts: tuple[str, ...] = TEXTS,
    sets: tuple[str, ...] = (),
    key: str = "k",
    timeouts: SpeechTimeouts = PATIENT,
    **fields: Any,
) -> Received:
    options = SandboxOptions.parse(sets=FAST + sets, faults=faults)
    async with (
        Sandbox(options) as sandbox,
        MiniMax(key, sandbox.url, speech_timeouts=timeouts) as mm,
        mm.speech.session(transport=transport, **fields) as session,
    ):
        for text in texts:
            await session.say(text)
        session.finish()
        return await receive_all(session)


def words_of(text: str, words: tuple[WordTime, ...]) -> list[str]:
    return [text[word.begin : word.end] for word in words]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_texts_become_audio_and_word_times(transport: Transport) -> None:
    received = await speak(transport=transport)
    assert [end.chunk for end in received.ends] == [0, 1]
    assert all(not end.skipped and end.trace_id for end in received.ends)
    for chunk, text in enumerate(TEXTS):
        length_ms = len(received.pcm[chunk]) / 48
        assert abs(length_ms - received.ends[chunk].audio_ms) < 2
        assert np.abs(np.frombuffer(received.pcm[chunk], "<i2")).max() > 1000
        assert words_of(text, received.words[chunk]) == text.replace(",", "").replace(".", "").split()
        assert received.words[chunk][-1].end_ms <= length_ms + 1


@pytest.mark.parametrize("transport", SOCKETS)
@pytest.mark.parametrize(
    "fault",
    ["speech.no_event", "speech.trace_in_base_resp", "speech.empty_data", "speech.no_finished",
     "speech.finish_immediately", "speech.split_words"],
)  # fmt: skip
async def test_oddities_do_not_change_the_results(fault: str, transport: Transport) -> None:
    received = await speak(fault, transport=transport, timeouts=replace(PATIENT, finish_s=0.4))
    assert [(end.chunk, end.skipped) for end in received.ends] == [(0, False), (1, False)]
    for chunk, text in enumerate(TEXTS):
        assert abs(len(received.pcm[chunk]) / 48 - received.ends[chunk].audio_ms) < 2
        assert words_of(text, received.words[chunk]) == text.replace(",", "").replace(".", "").split()


@pytest.mark.parametrize("code", [2203, 2204])
async def test_a_skipped_text_is_ended(code: int) -> None:
    received = await speak(f"speech.soft={code}")
    assert [(end.chunk, end.skipped) for end in received.ends] == [(0, True), (1, True)]
    assert received.pcm == {}


async def test_an_empty_text_is_skipped_and_the_next_is_spoken() -> None:
    received = await speak(texts=("", "Good bye."))
    assert [(end.chunk, end.skipped) for end in received.ends] == [(0, True), (1, False)]
    assert list(received.pcm) == [1]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_text_that_is_too_long_is_never_sent(transport: Transport) -> None:
    with pytest.raises(ProviderRejected, match="10000"):
        await speak(transport=transport, texts=("x" * 10_000,))


async def test_bidi_without_anything_to_say() -> None:
    received = await speak(transport=Transport.BIDI, texts=(" ", "Good bye."))
    assert [(end.chunk, end.skipped) for end in received.ends] == [(0, True), (1, False)]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    ("code", "wire"), [(1002, "rate_limit_exceeded"), (2054, "invalid_voice"), (1000, "upstream_unavailable")]
)
async def test_errors_of_a_text_carry_their_code(transport: Transport, code: int, wire: str) -> None:
    with pytest.raises(ProviderError) as caught:
        await speak(f"speech.error={code}", transport=transport)
    assert (caught.value.code, caught.value.upstream_code) == (wire, code)
    assert caught.value.trace_id


@pytest.mark.parametrize("transport", SOCKETS)
async def test_errors_of_the_start_carry_their_code(transport: Transport) -> None:
    with pytest.raises(ProviderError) as caught:
        await speak("speech.start_error=1041", transport=transport)
    assert caught.value.upstream_code == 1041


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_an_unknown_voice_is_named(transport: Transport) -> None:
    with pytest.raises(ProviderError) as caught:
        await speak(transport=transport, voice_id="Nobody_Here")
    assert caught.value.code == "invalid_voice"


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_the_key_is_in_no_log(transport: Transport, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("realtime.minimax").setLevel(logging.DEBUG)
    await speak(transport=transport, key="sk-very-secret")
    assert "very-secret" not in caplog.text


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("sets", [(), ("speech.reject_handshake=1",)])
async def test_a_bad_key_is_named_in_handshake_and_frame(transport: Transport, sets: tuple[str, ...]) -> None:
    with pytest.raises(ProviderError) as caught:
        await speak(transport=transport, key="sk-bad", sets=sets)
    assert caught.value.code == "invalid_api_key"
    assert "sk-bad" not in str(caught.value)


MOMENTS = [
    (kind, moment) for kind in SOCKETS for moment in ("connect", "connected", "start", "text", "mid", "final")
]


@pytest.mark.parametrize(
    ("transport", "moment"), MOMENTS + [(Transport.HTTP, m) for m in ("text", "mid", "final")]
)
async def test_a_cut_connection_is_raised_at_every_moment(moment: str, transport: Transport) -> None:
    with pytest.raises(ProviderUnavailable):
        await speak(f"speech.drop_at={moment}", transport=transport)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_stall_times_out(transport: Transport) -> None:
    with pytest.raises(ProviderTimeout, match="no audio"):
        await speak("speech.stall", transport=transport, timeouts=replace(PATIENT, first_audio_s=0.4))


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_broken_audio_is_raised(transport: Transport) -> None:
    with pytest.raises(ProviderUnavailable, match="broken audio"):
        await speak("speech.bad_hex", transport=transport)


async def test_an_idle_socket_ends_with_its_own_code() -> None:
    options = SandboxOptions.parse(sets=(*FAST, "speech.idle_s=0.1"))
    async with Sandbox(options) as sandbox, MiniMax("k", sandbox.url) as mm, mm.speech.session() as session:
        await until(lambda: sandbox.state.connections_open == 0)
        await until(lambda: not session.usable)
        with pytest.raises(ProviderUnavailable) as caught:
            await session.say("Hello.")
        assert caught.value.upstream_code == IDLE
        assert not session.usable


async def test_bidi_can_be_interrupted_and_used_again() -> None:
    options = SandboxOptions.parse(sets=("speech.connect_ms=0", "speech.first_ms=5", "speech.factor=5"))
    async with Sandbox(options) as sandbox, MiniMax("k", sandbox.url) as mm:
        async with mm.speech.session(transport=Transport.BIDI) as session:
            await session.say("A long sentence that nobody will hear to its very end.")
            await session.say("Nor this one.")
            await session.receive()
            assert await session.cancel()
            assert session.pending == 0
            chunk = await session.say("Bye.")
            session.finish()
            received = await receive_all(session)
        assert list(received.pcm) == [chunk]
        assert sandbox.state.connections_opened == 1


async def test_an_interruption_closes_an_ordinary_session() -> None:
    async with Sandbox() as sandbox, MiniMax("k", sandbox.url) as mm, mm.speech.session() as session:
        await session.say("A long sentence that nobody will hear to its very end.")
        await session.receive()
        assert not await session.cancel()
        assert not session.usable


async def test_a_session_stays_open_for_later_texts() -> None:
    options = SandboxOptions.parse(sets=FAST)
    async with Sandbox(options) as sandbox, MiniMax("k", sandbox.url) as mm, mm.speech.session() as session:
        receiving = asyncio.create_task(receive_all(session))
        await session.say(TEXTS[0])
        await asyncio.sleep(0.2)
        await session.say(TEXTS[1])
        session.finish()
        received = await receiving
        assert sorted(received.pcm) == [0, 1]


async def test_the_first_host_that_answers_is_used() -> None:
    options = SandboxOptions.parse(sets=FAST)
    async with Sandbox(options) as sandbox:
        hosts = ("http://127.0.0.1:9", sandbox.url)
        async with MiniMax("k", sandbox.url, hosts) as mm, mm.speech.session() as session:
            assert session.host == sandbox.url
        async with MiniMax("k", sandbox.url, hosts) as mm:
            assert (await mm.speech.synthesize("Hello.")).audio
        async with MiniMax("k", sandbox.url, hosts[:1]) as mm:
            with pytest.raises(ProviderUnavailable):
                await mm.speech.synthesize("Hello.")


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
async def test_the_rate_is_what_was_asked_for(rate: int) -> None:
    received = await speak(rate=rate)
    assert abs(len(received.pcm[0]) / 2 / rate * 1000 - received.ends[0].audio_ms) < 2


@pytest.mark.parametrize(("format", "head"), [("wav", b"RIFF"), ("flac", b"fLaC"), ("mp3", b"")])
async def test_one_shot_synthesis_gives_a_file(format: str, head: bytes) -> None:
    async with Sandbox(SandboxOptions.parse(sets=FAST)) as sandbox, MiniMax("k", sandbox.url) as mm:
        audio = (await mm.speech.synthesize("Good morning.", format=format, rate=16_000)).audio
        assert len(audio) > 1000
        assert audio.startswith(head)


async def test_what_is_spoken_can_be_transcribed() -> None:
    pytest.importorskip("faster_whisper")
    async with Sandbox(SandboxOptions.parse(sets=FAST)) as sandbox, MiniMax("k", sandbox.url) as mm:
        speech = await mm.speech.synthesize("Good morning to everybody.", format="wav", rate=16_000)
        with wave.open(io.BytesIO(speech.audio)) as wav:
            pcm = wav.readframes(wav.getnframes())
        received = await mm.transcribe(pcm, rate=16_000, language="en-US")
        assert "good morning" in received.text.lower()
        assert abs(received.duration_s - len(pcm) / 32_000) < 0.1


@pytest.mark.parametrize(
    ("code", "wire"), [(1008, "insufficient_quota"), (1002, "rate_limit_exceeded"), (2049, "invalid_api_key")]
)
async def test_a_refused_recording_is_raised(code: int, wire: str) -> None:
    async with (
        Sandbox(SandboxOptions.parse(faults=(f"asr.error={code}",))) as sandbox,
        MiniMax("k", sandbox.url) as mm,
    ):
        with pytest.raises(ProviderError) as caught:
            await mm.transcribe(bytes(3200), rate=16_000)
        assert caught.value.code == wire


async def test_a_transcription_without_an_answer_times_out() -> None:
    async with (
        Sandbox(SandboxOptions.parse(faults=("asr.stall",))) as sandbox,
        MiniMax("k", sandbox.url) as mm,
    ):
        with pytest.raises(AnswerLost, match="did not answer"):
            await mm.transcribe(bytes(3200), rate=16_000, timeout_s=0.3)
        with pytest.raises(ProviderRejected, match="500 s"):
            await mm.transcribe(bytes(8000 * 2 * 501), rate=8000)


async def test_the_list_of_models() -> None:
    async with Sandbox() as sandbox, MiniMax("k", sandbox.url) as mm:
        assert "MiniMax-M3" in await mm.models()
    async with Sandbox() as sandbox, MiniMax("sk-bad", sandbox.url) as mm:
        with pytest.raises(ProviderError) as caught:
            await mm.models()
        assert caught.value.code == "invalid_api_key"
