"""The ordinary speech socket, tested frame by frame."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import aiohttp
import pytest
import websockets

from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from realtime.sandbox.speech_request import SENSITIVE_WORDS
from tests.sandbox.speech_kit import (
    audio_of,
    begin,
    code,
    platform,
    receive,
    rest,
    send,
    settled,
    start_event,
    until_final,
)
from tests.sandbox.speech_socket_kit import SENTENCE, failed_after


def shape(frame: str) -> str:
    """A frame's text with ids and audio blanked."""
    frame = re.sub(r'"(session_id|trace_id)":"[0-9a-f]{32}"', r'"\1":"ID"', frame)
    return re.sub(r'"audio":"[0-9a-f]+"', '"audio":"HEX"', frame)


async def test_frames_are_the_documented_ones_byte_for_byte() -> None:
    """Handshake, start, audio, final and finish look exactly as documented, then 1000."""
    async with platform() as sandbox, sandbox.connect() as ws:
        tail = '"session_id":"ID","trace_id":"ID","base_resp":{"status_code":0,"status_msg":"success"}}'
        plain = '{"session_id":"ID","event":"%s","trace_id":"ID","base_resp":{"status_code":0,"status_msg":"success"}}'
        assert shape(await ws.recv()) == plain % "connected_success"
        await send(ws, start_event())
        assert shape(await ws.recv()) == plain % "task_started"
        await send(ws, "task_continue", text="你好。")
        frames = [await ws.recv()]
        while '"is_final":true' not in frames[-1]:
            frames.append(await ws.recv())
        audio = '{"data":{"audio":"HEX","subtitle":null},"is_final":false,"event":"task_continued",' + tail
        assert {shape(frame) for frame in frames[:-1]} == {audio}
        size = len(audio_of([json.loads(frame) for frame in frames]))
        info = (
            f'{{"audio_length":{round(size / 48)},"audio_sample_rate":24000,"audio_size":{size},"bitrate":128000,'
            '"audio_format":"pcm","audio_channel":1,"invisible_character_ratio":0,"usage_characters":5,"word_count":3}'
        )
        final = (
            '{"data":{"audio":""},"extra_info":' + info + ',"is_final":true,"event":"task_continued",' + tail
        )
        assert shape(frames[-1]) == final
        await send(ws, "task_finish")
        assert shape(await ws.recv()) == plain % "task_finished"
        assert await rest(ws) == []
        assert ws.close_code == 1000


async def test_one_session_and_trace_id_per_connection() -> None:
    """Ids stay the same on one socket and differ between two."""
    async with platform() as sandbox:
        ids = []
        for _ in range(2):
            async with sandbox.connect() as ws:
                first = await receive(ws)
                await send(ws, start_event())
                second = await receive(ws)
                assert (first["session_id"], first["trace_id"]) == (second["session_id"], second["trace_id"])
                ids.append(first["session_id"])
        assert ids[0] != ids[1]


async def test_texts_in_flight_are_answered_in_order_one_final_each() -> None:
    """Five texts at once, an empty and a too long one among them: five replies in that order."""
    texts = ["One.", "A much longer second text, to be spoken slowly.", " ", "x" * 10_001, "Five."]
    async with platform() as sandbox, sandbox.connect() as ws:
        await begin(ws)
        for text in texts:
            await send(ws, "task_continue", text=text)
        replies: list[list[dict[str, Any]]] = []
        for _ in texts:
            frames = [await receive(ws)]
            while not frames[-1].get("is_final"):
                frames.append(await receive(ws))
            replies.append(frames)
        assert [code(frames[-1]) for frames in replies] == [0, 0, 2203, 2204, 0]
        assert [frames[-1].get("extra_info", {}).get("word_count") for frames in replies] == [
            4,
            47,
            None,
            None,
            5,
        ]
        assert [len(frames) for frames in replies][2:4] == [1, 1]
        assert len(audio_of(replies[1])) > 2 * len(audio_of(replies[0])) > 0
        assert [r.text for r in sandbox.state.speech_requests] == [texts[0], texts[1], texts[3], texts[4]]
        assert {r.transport for r in sandbox.state.speech_requests} == {"ordinary"}


async def test_totals_agree_with_what_was_sent() -> None:
    """`audio_size` and `audio_length` are those of the frames; pcm comes in 100 ms frames of whole samples."""
    async with platform() as sandbox, sandbox.connect() as ws:
        await begin(ws)
        await send(ws, "task_continue", text=SENTENCE)
        frames = await until_final(ws)
        info = frames[-1]["extra_info"]
        assert info["audio_size"] == len(audio_of(frames))
        assert info["audio_length"] == pytest.approx(len(audio_of(frames)) / 48, abs=1)
        sizes = [len(audio_of([frame])) for frame in frames[:-1]]
        assert set(sizes[:-1]) == {4800}
        assert 0 < sizes[-1] <= 4800
        assert sizes[-1] % 2 == 0


async def test_frames_have_the_first_delay_and_the_speed() -> None:
    """First audio after `speech.first_ms`; the rest no faster than `speech.factor` times real time."""
    loop = asyncio.get_running_loop()
    async with platform("speech.first_ms=120", "speech.factor=10", "speech.chunk_ms=50") as sandbox:
        async with sandbox.connect() as ws:
            await begin(ws)
            await send(ws, "task_continue", text=SENTENCE)
            began_s = loop.time()
            first = await receive(ws)
            first_s = loop.time() - began_s
            frames = [first, *await until_final(ws)]
            total_s = loop.time() - began_s
        assert len(audio_of([first])) == 2400
        assert first_s >= 0.118
        assert total_s >= 0.118 + (frames[-1]["extra_info"]["audio_length"] - 50) / 1000 / 10


async def test_long_text_starts_at_once() -> None:
    """Ten thousand characters: the first audio does not wait for the rest, and closing stops the synthesis."""
    async with platform("speech.factor=100") as sandbox:
        async with sandbox.connect() as ws:
            await begin(ws)
            await send(ws, "task_continue", text=("This is a sentence. " * 500)[:10_000])
            assert audio_of([await receive(ws)])
        await settled(sandbox.state)


@pytest.mark.parametrize("abrupt", [False, True])
async def test_closing_during_speech_leaves_no_task(abrupt: bool) -> None:
    """Barge-in: a closed or aborted socket ends its synthesis at once."""
    async with platform("speech.factor=1") as sandbox:
        ws = await sandbox.connect()
        await begin(ws)
        await send(ws, "task_continue", text=SENTENCE * 5)
        await receive(ws)
        if abrupt:
            ws.transport.abort()
        else:
            await ws.close()
        async with asyncio.timeout(60):
            await settled(sandbox.state)
        names = [task.get_name() for task in asyncio.all_tasks()]
        assert not [name for name in names if name.startswith("sandbox speech")]


BAD_STARTS = [
    ({"model": "speech-9"}, 2013, "model"),
    ({"model": None}, 2013, "model"),
    ({"voice_setting": {"emotion": "bored"}}, 2013, "voice_setting emotion"),
    ({"voice_setting": {"emotion": "whisper"}}, 2013, "voice_setting emotion"),
    ({"voice_setting": {"speed": 0.4}}, 2013, "voice_setting speed"),
    ({"voice_setting": {"speed": 2.1}}, 2013, "voice_setting speed"),
    ({"voice_setting": {"speed": "1"}}, 2013, "voice_setting speed"),
    ({"voice_setting": {"vol": 0}}, 2013, "voice_setting vol"),
    ({"voice_setting": {"vol": 10.5}}, 2013, "voice_setting vol"),
    ({"voice_setting": {"pitch": 13}}, 2013, "voice_setting pitch"),
    ({"voice_setting": {"pitch": 0.5}}, 2013, "voice_setting pitch"),
    ({"voice_setting": {"voice_id": ""}}, 2013, "voice_setting voice_id"),
    ({"voice_setting": None}, 2013, "voice_setting voice_id"),
    ({"voice_setting": {"voice_id": "Santa_Claus"}}, 2054, None),
    ({"audio_setting": {"sample_rate": 48000}}, 2013, "audio_setting sample_rate"),
    ({"audio_setting": {"format": "ogg"}}, 2013, "audio_setting format"),
    ({"audio_setting": {"bitrate": 1}}, 2013, "audio_setting bitrate"),
    ({"audio_setting": {"channel": 3}}, 2013, "audio_setting channel"),
    ({"language_boost": "Klingon"}, 2013, "language_boost"),
    ({"model": "speech-02-hd", "language_boost": "Tamil"}, 2013, "language_boost"),
    ({"subtitle_enable": "yes"}, 2013, "subtitle_enable"),
    ({"subtitle_type": "letter"}, 2013, "subtitle_type"),
    ({"pronunciation_dict": {"tone": ["x"]}}, 2013, "pronunciation_dict tone"),
    ({"voice_modify": {"pitch": 10}}, 2013, "voice_modify"),
    ({"timber_weights": [{"voice_id": "Arnold", "weight": 101}]}, 2013, "timbre_weights weight"),
    ({"timbre_weights": [{"voice_id": "nobody", "weight": 1}]}, 2054, None),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "number", "field"), BAD_STARTS)
async def test_bad_start_fails_with_the_fields_name(
    fields: dict[str, Any], number: int, field: str | None
) -> None:
    """`task_failed` with code and place, then the platform closes."""
    async with platform() as sandbox, sandbox.connect() as ws:
        await receive(ws)
        await send(ws, start_event(**fields))
        (failed,) = await rest(ws)
        message = f"invalid params, invalid params: {field}" if field else "voice id not exist"
        assert failed["event"] == "task_failed"
        assert failed["base_resp"] == {"status_code": number, "status_msg": message}


GOOD_STARTS = [
    {"model": "speech-2.6-hd", "voice_setting": {"emotion": "whisper"}},
    {"model": "speech-01-turbo", "voice_setting": {"emotion": "neutral"}},
    {"voice_setting": {"speed": 2, "vol": 10, "pitch": -12, "emotion": "fluent"}},
    {"voice_setting": {"voice_id": "", "x": 1}, "timber_weights": [{"voice_id": "Arnold", "weight": 30}]},
    {"voice_setting": {"voice_id": ""}, "timbre_weights": [{"voice_id": "female-shaonv", "weight": 1}]},
    {"language_boost": None, "continuous_sound": True, "stream_options": {"exclude_aggregated_audio": True}},
    {"language_boost": "Chinese,Yue", "text_normalization_mode": "quality"},
    {"audio_setting": {"format": "mp3"}, "voice_modify": {"pitch": 50, "sound_effects": "robotic"}},
    {"pronunciation_dict": {"tone": ["处理/(chu3)(li3)", "omg/oh my god"]}},
]  # fmt: skip


@pytest.mark.parametrize("fields", GOOD_STARTS)
async def test_documented_starts_speak(fields: dict[str, Any]) -> None:
    """Every documented field is accepted, and there is audio."""
    async with platform() as sandbox, sandbox.connect() as ws:
        await begin(ws, **fields)
        await send(ws, "task_continue", text="Hello, omg.")
        assert len(audio_of(await until_final(ws))) > 5000


@pytest.mark.parametrize(
    "events",
    [
        [{"event": "task_continue", "text": "Hi."}],
        [{"event": "task_finish"}],
        [start_event(), start_event()],
        [start_event(), {"event": "task_continue", "text": "too early"}],
        [{"event": "task_cancel"}],
        [{"event": "nonsense"}],
        [{}],
    ],
)
async def test_events_out_of_order_are_2202(events: list[dict[str, Any]]) -> None:
    """Also text sent between `task_start` and `task_started`."""
    async with platform("speech.start_ms=5000") as sandbox, sandbox.connect() as ws:
        await receive(ws)
        for event in events:
            await send(ws, event)
        assert code(await failed_after(ws)) == 2202


@pytest.mark.parametrize("event", ["task_cancel", "task_flush"])
async def test_cancel_and_flush_are_2202(event: str) -> None:
    """They belong to the bidi socket: 2202 in a started session."""
    async with platform() as sandbox, sandbox.connect() as ws:
        await begin(ws)
        await send(ws, event)
        assert code(await failed_after(ws)) == 2202


@pytest.mark.parametrize("message", ["{", "[]", "7"])
async def test_a_frame_that_is_no_object_is_2013(message: str) -> None:
    async with platform() as sandbox, sandbox.connect() as ws:
        await receive(ws)
        await ws.send(message)
        assert code(await failed_after(ws)) == 2013


@pytest.mark.parametrize(
    ("text", "number"),
    [(f"say {SENSITIVE_WORDS[0]} now", 1026), (f"说{SENSITIVE_WORDS[1]}", 1026), ("ab\u200b\u200b", 1042)],
)
async def test_forbidden_text_ends_the_session_after_what_came_before(text: str, number: int) -> None:
    """The earlier text is spoken to its end; then `task_failed`."""
    async with platform() as sandbox, sandbox.connect() as ws:
        await begin(ws)
        await send(ws, "task_continue", text="Fine.")
        await send(ws, "task_continue", text=text)
        assert audio_of(await until_final(ws))
        assert code(await failed_after(ws)) == number


async def test_a_few_invisible_characters_are_reported_only() -> None:
    """Below 10 % the ratio is only in `extra_info`."""
    async with platform() as sandbox, sandbox.connect() as ws:
        await begin(ws)
        await send(ws, "task_continue", text="Hello my good\u200b friend.")
        assert (await until_final(ws))[-1]["extra_info"]["invisible_character_ratio"] == pytest.approx(0.0455)


async def test_finish_speaks_what_is_queued() -> None:
    async with platform("speech.first_ms=30") as sandbox, sandbox.connect() as ws:
        await begin(ws)
        for _ in range(3):
            await send(ws, "task_continue", text="Hello.")
        await send(ws, "task_finish")
        frames = await rest(ws)
        assert sum(bool(frame.get("is_final")) for frame in frames) == 3
        assert frames[-1]["event"] == "task_finished"
        assert ws.close_code == 1000


async def test_finish_immediately_drops_what_is_queued() -> None:
    """The other interpretation of the documentation, as a fault."""
    async with (
        platform("speech.first_ms=5000") as sandbox,
        sandbox.connect(fault="speech.finish_immediately") as ws,
    ):
        await begin(ws)
        await send(ws, "task_continue", text="Hello.")
        await send(ws, "task_finish")
        assert [frame["event"] for frame in await rest(ws)] == ["task_finished"]


@pytest.mark.parametrize("format", ["mp3", "flac", "wav", "opus", "pcmu_raw", "pcmu_wav"])
async def test_formats_on_the_socket(format: str) -> None:
    """Audio in every format; the totals name the format."""
    async with platform() as sandbox, sandbox.connect() as ws:
        await begin(ws, audio_setting={"format": format, "sample_rate": 8000})
        await send(ws, "task_continue", text="Hello there.")
        frames = await until_final(ws)
        magic = {"mp3": b"\xff", "flac": b"fLaC", "wav": b"RIFF", "pcmu_wav": b"RIFF", "opus": b"OggS"}.get(
            format, b""
        )
        assert audio_of(frames).startswith(magic)
        assert len(frames) > 5
        assert frames[-1]["extra_info"]["audio_format"] == format
        assert frames[-1]["extra_info"]["audio_size"] == len(audio_of(frames))


async def test_missing_engine_is_1000_with_the_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox without its extra names the install command, also on the socket."""
    from realtime.sandbox import voice
    from realtime.sandbox.voice_engine import INSTALL, VoiceUnavailable

    def missing(*args: Any) -> Any:
        raise VoiceUnavailable(INSTALL)

    monkeypatch.setattr(voice, "say", missing)
    async with platform() as sandbox, sandbox.connect() as ws:
        await begin(ws)
        await send(ws, "task_continue", text="Hello.")
        failed = await failed_after(ws)
        assert code(failed) == 1000
        assert "pip install 'minimax-realtime[sandbox]'" in failed["base_resp"]["status_msg"]


async def test_a_plain_request_is_not_a_socket() -> None:
    """GET without an upgrade gets 400 and does not hang."""
    async with (
        platform() as sandbox,
        aiohttp.ClientSession() as session,
        session.get(f"{sandbox.url}/ws/v1/t2a_v2", headers={"Authorization": "Bearer x"}) as answer,
    ):
        assert answer.status == 400


async def test_many_sockets_at_once_speak_independently() -> None:
    """Twenty sessions in parallel, each with its own text."""

    async def one(number: int) -> int:
        async with sandbox.connect() as ws:
            await begin(ws)
            await send(ws, "task_continue", text=f"{'word ' * number}end.")
            return int((await until_final(ws))[-1]["extra_info"]["word_count"])

    async with platform() as sandbox:
        counts = await asyncio.gather(*(one(number) for number in range(20)))
        assert counts == [number * 5 + 4 for number in range(20)]


async def test_stopping_the_platform_ends_running_speech() -> None:
    """A sandbox that stops while it speaks closes its sockets and leaves no task."""
    async with Sandbox(SandboxOptions.parse("local", ["speech.factor=0.5"])) as sandbox:
        address = sandbox.url.replace("http", "ws", 1) + "/ws/v1/t2a_v2"
        async with websockets.connect(address, additional_headers={"Authorization": "Bearer x"}) as ws:
            await begin(ws)
            await send(ws, "task_continue", text=SENTENCE * 5)
            await receive(ws)
            async with asyncio.timeout(60):
                await sandbox.stop()
            await rest(ws)
    assert sandbox.state.connections_open == 0
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("sandbox speech")]
