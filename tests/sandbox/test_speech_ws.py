"""The ordinary speech socket, tested frame by frame."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from typing import Any

import aiohttp
import numpy as np
import pytest
import websockets

from realtime.sandbox.context import message_for
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
    samples,
    send,
    settled,
    start_event,
    until_final,
)

SENTENCE = "We must find a new home in the stars."


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
        async with asyncio.timeout(5):
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


async def failed_after(ws: Any) -> dict[str, Any]:
    frames = await rest(ws)
    assert frames[-1]["event"] == "task_failed"
    return frames[-1]


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


async def test_too_many_waiting_texts_is_2205() -> None:
    """The limit of the queue is `speech.max_queue`."""
    async with platform("speech.max_queue=3", "speech.first_ms=5000") as sandbox, sandbox.connect() as ws:
        await begin(ws)
        for _ in range(5):
            await send(ws, "task_continue", text="Hello.")
        assert code(await failed_after(ws)) == 2205


async def test_requests_over_the_rate_are_1002() -> None:
    """Every non-empty text is one request; empty texts do not count."""
    async with platform("limit.speech_rpm=2") as sandbox, sandbox.connect() as ws:
        await begin(ws)
        for text in ("One.", "", "Two.", "Three."):
            await send(ws, "task_continue", text=text)
        frames = await rest(ws)
        assert [code(f) for f in frames if f.get("is_final")] == [0, 2203, 0]
        assert frames[-1]["base_resp"] == {
            "status_code": 1002,
            "status_msg": "rate limit, please retry later",
        }


async def test_sockets_over_the_limit_are_1041_until_one_closes() -> None:
    async with platform("limit.connections=1") as sandbox:
        async with sandbox.connect() as first:
            await begin(first)
            async with sandbox.connect() as second:
                (failed,) = await rest(second)
                assert (failed["event"], code(failed)) == ("task_failed", 1041)
        await settled(sandbox.state)
        async with sandbox.connect() as third:
            await begin(third)
        assert sandbox.state.connections_opened == 2


@pytest.mark.parametrize(("key", "number"), [(None, 1004), ("sk-bad", 2049)])
async def test_a_bad_key_is_refused_in_the_first_frame(key: str | None, number: int) -> None:
    """The handshake succeeds, then `task_failed` and close."""
    async with platform() as sandbox, sandbox.connect(key=key) as ws:
        (failed,) = await rest(ws)
        assert failed["event"] == "task_failed"
        assert failed["base_resp"] == {"status_code": number, "status_msg": message_for(number)}


async def test_a_bad_key_can_be_refused_in_the_handshake() -> None:
    async with platform("speech.reject_handshake=1") as sandbox:
        with pytest.raises(websockets.InvalidStatus) as refused:
            await sandbox.connect(key=None)
        assert refused.value.response.status_code == 401


async def test_an_idle_client_gets_2201() -> None:
    """Pings do not count; the message has the time."""
    async with platform("speech.idle_s=0.3") as sandbox, sandbox.connect() as ws:
        await begin(ws)

        async def ping() -> None:
            while True:
                await ws.ping()
                await asyncio.sleep(0.05)

        pinging = asyncio.create_task(ping())
        failed = await failed_after(ws)
        pinging.cancel()
        await asyncio.gather(pinging, return_exceptions=True)
        assert code(failed) == 2201
        assert "no messages received for 0.3 seconds" in failed["base_resp"]["status_msg"]


async def test_an_empty_text_keeps_the_socket_alive() -> None:
    """The keep-alive of real clients: each empty text is answered with 2203 and restarts the idle timeout."""
    async with platform("speech.idle_s=1") as sandbox, sandbox.connect() as ws:
        await begin(ws)
        for _ in range(4):
            await asyncio.sleep(0.3)
            await send(ws, "task_continue", text="")
            assert code(await receive(ws)) == 2203
        await send(ws, "task_continue", text="Hello.")
        assert audio_of(await until_final(ws))


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


TEXT = "Hello there, friend. 你好，世界！"


async def spoken(kind: str, fault: str = "") -> list[dict[str, Any]]:
    async with platform() as sandbox, sandbox.connect(fault=fault) as ws:
        await begin(ws, subtitle_enable=True, subtitle_type=kind)
        await send(ws, "task_continue", text=TEXT)
        return await until_final(ws)


def subtitles(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    assert "subtitle" not in frames[-1]["data"]
    return [frame["data"]["subtitle"] for frame in frames[:-1] if frame["data"]["subtitle"]]


def check_words(frames: list[dict[str, Any]], entries: list[dict[str, Any]]) -> None:
    pcm = samples(audio_of(frames)).astype(float)
    before_ms = 0.0
    for entry in entries:
        assert TEXT[entry["word_begin"] : entry["word_end"]] == entry["word"]
        assert before_ms <= entry["time_begin"] < entry["time_end"] <= len(pcm) / 24
        word_pcm = pcm[int(entry["time_begin"] * 24) : int(entry["time_end"] * 24)]
        assert np.sqrt(np.mean(word_pcm**2)) > 200, entry
        before_ms = entry["time_end"]


async def test_sentence_subtitles() -> None:
    """One for each sentence, with offsets into the text and no words."""
    found = subtitles(await spoken("sentence"))
    assert [s["text"] for s in found] == ["Hello there, friend.", "你好，世界！"]
    assert [(s["text_begin"], s["text_end"]) for s in found] == [(0, 20), (21, 27)]
    assert [s["timestamped_words"] for s in found] == [None, None]
    assert 0 < found[0]["time_begin"] < found[0]["time_end"] < found[1]["time_begin"] < found[1]["time_end"]


async def test_word_subtitles_match_the_audio() -> None:
    """Each comes with the last frame of its sentence; there is audio at the time of every word."""
    frames = await spoken("word")
    found = subtitles(frames)
    words = [word for s in found for word in s["timestamped_words"]]
    assert [w["word"] for w in words] == ["Hello", "there", "friend", *"你好世界"]
    check_words(frames, words)
    at = next(i for i, frame in enumerate(frames) if frame["data"]["subtitle"])
    assert len(audio_of(frames[: at + 1])) / 48 >= words[2]["time_end"]


async def test_streaming_word_subtitles_grow() -> None:
    """One on every frame, cumulative inside a sentence, only with words whose audio has begun."""
    frames = await spoken("word_streaming")
    found = subtitles(frames)
    assert len(found) == len(frames) - 1
    for index, subtitle in enumerate(found):
        check_words(frames, subtitle["timestamped_words"])
        sent_ms = len(audio_of(frames[: index + 1])) / 48
        assert all(word["time_begin"] < sent_ms for word in subtitle["timestamped_words"])
        assert TEXT[subtitle["text_begin"] : subtitle["text_end"]] == subtitle["text"]
    for older, newer in itertools.pairwise(found):
        if older["text_begin"] == newer["text_begin"]:
            assert newer["timestamped_words"][: len(older["timestamped_words"])] == older["timestamped_words"]
    assert found[-1]["text"] == "你好，世界！"


async def test_split_words_share_a_range() -> None:
    """Two parts of one word: two entries, one range, times one after the other."""
    words = [w for s in subtitles(await spoken("word", "speech.split_words")) for w in s["timestamped_words"]]
    assert [(w["word"], w["word_begin"], w["word_end"]) for w in words[:2]] == [("He", 0, 5), ("llo", 0, 5)]
    assert words[0]["time_end"] == pytest.approx(words[1]["time_begin"], abs=0.01)


async def speak_with(fault: str, text: str = SENTENCE) -> tuple[list[dict[str, Any]], int | None]:
    async with platform() as sandbox:
        try:
            async with sandbox.connect(fault=fault) as ws:
                await begin(ws)
                await send(ws, "task_continue", text=text)
                await send(ws, "task_finish")
                return await rest(ws), ws.close_code
        except (websockets.ConnectionClosed, websockets.InvalidMessage, ConnectionError):
            return [], None


async def test_fault_no_event() -> None:
    """Audio frames without `event`."""
    frames, _ = await speak_with("speech.no_event")
    assert all("event" not in frame for frame in frames[:-1])
    assert audio_of(frames)


async def test_fault_trace_in_base_resp() -> None:
    frames, _ = await speak_with("speech.trace_in_base_resp")
    assert all("trace_id" not in frame and len(frame["base_resp"]["trace_id"]) == 32 for frame in frames)


async def test_fault_no_finished() -> None:
    """The socket closes without `task_finished`."""
    frames, closed = await speak_with("speech.no_finished")
    assert frames[-1]["is_final"] is True
    assert closed == 1000


async def test_fault_empty_data() -> None:
    """Null data and empty audio come in between; the audio is complete."""
    frames, _ = await speak_with("speech.empty_data")
    assert any(frame.get("data", 0) is None for frame in frames)
    assert any(frame.get("data") == {"audio": "", "status": 1} for frame in frames)
    info = next(frame["extra_info"] for frame in frames if frame.get("is_final"))
    assert info["audio_size"] == len(audio_of(frames))


async def test_fault_bad_hex() -> None:
    """Exactly one frame cannot be read."""
    frames, _ = await speak_with("speech.bad_hex")
    bad = [f for f in frames if re.search("[^0-9a-f]", (f.get("data") or {}).get("audio", ""))]
    assert len(bad) == 1


@pytest.mark.parametrize("number", [2203, 2204, 2205])
async def test_fault_soft(number: int) -> None:
    """A text is skipped with one reply."""
    frames, _ = await speak_with(f"speech.soft={number}")
    assert [code(frame) for frame in frames] == [number, 0]
    assert frames[0]["is_final"] is True


@pytest.mark.parametrize("name", ["speech.error", "speech.start_error"])
async def test_fault_error_codes(name: str) -> None:
    """Refused at the first text, or at the start."""
    async with platform() as sandbox, sandbox.connect(fault=f"{name}=1039") as ws:
        await receive(ws)
        await send(ws, start_event())
        if name == "speech.error":
            assert (await receive(ws))["event"] == "task_started"
            await send(ws, "task_continue", text="Hello.")
        assert code(await failed_after(ws)) == 1039


async def test_fault_drop_after_counts_audio_frames() -> None:
    """Two frames, then the connection is cut: no close frame."""
    frames, closed = await speak_with("speech.drop_after=2")
    assert len(frames) == 2
    assert closed == 1006


@pytest.mark.parametrize(
    ("moment", "count"),
    [("connect", 0), ("connected", 0), ("start", 0), ("text", 0), ("mid", 1), ("final", 20)],
)
async def test_fault_drop_at_every_moment(moment: str, count: int) -> None:
    """The connection is cut at the given moment, never after an `is_final`."""
    frames, closed = await speak_with(f"speech.drop_at={moment}")
    assert closed in (1006, None)
    assert (len(frames) >= count) if count == 20 else (len(frames) == count)
    assert not any(frame.get("is_final") for frame in frames)


async def test_fault_stall_sends_nothing_and_ends_with_the_client() -> None:
    async with platform() as sandbox:
        async with sandbox.connect(fault="speech.stall") as ws:
            await begin(ws)
            await send(ws, "task_continue", text="Hello.")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await ws.recv()
        await settled(sandbox.state)


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
            async with asyncio.timeout(5):
                await sandbox.stop()
            await rest(ws)
    assert sandbox.state.connections_open == 0
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("sandbox speech")]
