"""Sound in another format than was asked for: refused by the first frame that says so, never played."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from realtime.errors import ProviderRejected
from realtime.minimax import MiniMax, Transport
from realtime.minimax.speech_config import SpeechConfig
from realtime.minimax.speech_format import check_format
from realtime.minimax.speech_http import ChunkStream
from realtime.minimax.speech_protocol import BidiProtocol, SpeechProtocol
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from tests.minimax.test_speech_protocol import audio, frame, opened
from tests.minimax.test_speech_sandbox import FAST, receive_all

CONFIG = SpeechConfig("v")
SECOND = b"\1\0" * 24_000  # one second of what is asked for
AS_ASKED = {"audio_sample_rate": 24_000, "audio_channel": 1, "audio_format": "pcm"}


@pytest.mark.parametrize(
    "info",
    [
        None,
        "?",
        {},
        AS_ASKED | {"audio_length": 1000},
        {"audio_sample_rate": 0, "audio_channel": None, "audio_format": ""},
        {"audio_sample_rate": "32000", "audio_channel": True, "audio_format": 7},
        {"audio_format": " PCM "},
        {"audio_sample_rate": 32_000, "audio_length": 1000},  # the length says that the label is wrong
        {"audio_channel": 2, "audio_length": 1001},
        {"audio_format": "mp3", "audio_length": 990},
    ],
)
def test_what_says_nothing_else_or_is_wrong_by_its_own_length_passes(info: Any) -> None:
    check_format(info, CONFIG, 1000.0)


@pytest.mark.parametrize(
    ("info", "came"),
    [
        ({"audio_sample_rate": 32_000}, "pcm of 32000 Hz with 1 channel"),
        ({"audio_sample_rate": 32_000, "audio_length": 750}, "pcm of 32000 Hz with 1 channel"),
        ({"audio_sample_rate": 22_050, "audio_length": 1088}, "pcm of 22050 Hz with 1 channel"),
        ({"audio_channel": 2, "audio_length": 500}, "pcm of 24000 Hz with 2 channels"),
        ({"audio_format": "mp3", "audio_length": 3000}, "mp3 of 24000 Hz with 1 channel"),
        ({"audio_format": "<b>" * 99}, "another format of 24000 Hz with 1 channel"),
    ],
)
def test_another_format_is_refused_with_both_names(info: dict[str, Any], came: str) -> None:
    with pytest.raises(ProviderRejected) as caught:
        check_format(info, CONFIG, 1000.0)
    assert f"came as {came}, but pcm of 24000 Hz with 1 channel was asked for" in caught.value.message
    assert not caught.value.retryable
    assert caught.value.reason


def test_without_sound_or_with_a_header_there_is_nothing_to_refuse() -> None:
    check_format({"audio_sample_rate": 32_000}, CONFIG, 0.0)
    check_format({"audio_sample_rate": 32_000}, SpeechConfig("v", format="mp3"), 1000.0)


@pytest.mark.parametrize("kind", [SpeechProtocol, BidiProtocol])
def test_the_first_frame_of_a_socket_that_says_so_is_not_passed_on(kind: type[SpeechProtocol]) -> None:
    protocol = opened(kind)
    protocol.say("One.")
    assert protocol.receive(audio(SECOND))
    with pytest.raises(ProviderRejected, match="32000 Hz"):
        protocol.receive(audio(SECOND, extra_info={"audio_sample_rate": 32_000, "audio_length": 1500}))


def test_on_bidi_the_length_is_that_of_the_sentence() -> None:
    protocol = opened(BidiProtocol)
    protocol.say("One. Two.")
    told = {"audio_length": 1000, "audio_sample_rate": 32_000}  # a wrong label, the sound is right
    for _ in range(2):
        protocol.receive(audio(SECOND))
        protocol.receive(frame("task_continued", data={"audio": ""}, is_final=True, extra_info=told))


def test_the_event_stream_is_judged_as_well() -> None:
    stream = ChunkStream(0, "One.", CONFIG)
    event = {"data": {"audio": SECOND.hex(), "status": 1}, "extra_info": {"audio_channel": 2}}
    with pytest.raises(ProviderRejected, match="2 channels"):
        stream.feed(msgspec.json.encode(event))


@pytest.mark.parametrize("transport", list(Transport))
async def test_the_sandbox_sends_what_is_asked_for(transport: Transport) -> None:
    async with Sandbox(SandboxOptions.parse(sets=FAST)) as sandbox, MiniMax("k", sandbox.url) as mm:
        for rate in (8000, 16_000, 22_050, 44_100):
            async with mm.speech.session(transport=transport, rate=rate) as session:
                await session.say("Hello there.")
                session.finish()
                assert (await receive_all(session)).pcm[0]
