"""The bidi speech socket: sentences, flush, cancel."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.sandbox.speech_cutter import CAP, COMMA_AT, SentenceCutter
from tests.sandbox.speech_kit import (
    BIDI,
    audio_of,
    begin,
    code,
    platform,
    receive,
    rest,
    send,
    settled,
    start_event,
    until,
)


async def say(ws: Any, *fragments: str) -> None:
    for fragment in fragments:
        await send(ws, "task_continue", text=fragment)


def names(frames: list[dict[str, Any]]) -> list[str]:
    """Event names, a run of audio frames as one."""
    found: list[str] = []
    for frame in frames:
        name = "final" if frame.get("is_final") else "audio" if "data" in frame else frame["event"]
        if found[-1:] != [name] or name != "audio":
            found.append(name)
    return found


def sentences(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["text"] for frame in frames if frame.get("event") == "sentence_start"]


async def test_text_in_token_sized_fragments() -> None:
    """Each sentence has its start and end event; flush is answered after the audio of the rest."""
    async with platform() as sandbox, sandbox.connect(BIDI) as ws:
        await begin(ws)
        await say(ws, *"Hello there. How are you", " today? I am fi", "ne")
        await send(ws, "task_flush")
        frames = await until(ws, "task_flushed")
        one = ["sentence_start", "audio", "final", "sentence_end"]
        assert names(frames) == [*one, *one, *one, "task_flushed"]
        assert sentences(frames) == ["Hello there.", "How are you today?", " I am fine"]
        assert [r.text for r in sandbox.state.speech_requests] == sentences(frames)
        assert {r.transport for r in sandbox.state.speech_requests} == {"bidi"}
        assert len(audio_of(frames)) > 48 * 2000


async def test_every_event_carries_the_connection_and_the_chosen_session() -> None:
    """`session_id` is that of the client if it sends one, else the `connect_id`."""
    async with platform() as sandbox, sandbox.connect(BIDI) as ws:
        first = await receive(ws)
        assert first["session_id"] == first["connect_id"]
        await send(ws, start_event(session_id="mine"))
        await receive(ws)
        await say(ws, "Hello.")
        await send(ws, "task_finish")
        frames = await rest(ws)
        assert {(f["session_id"], f["connect_id"]) for f in frames} == {("mine", first["connect_id"])}
        assert frames[-1]["event"] == "task_finished"
        assert ws.close_code == 1000


async def test_flush_of_nothing_is_answered() -> None:
    async with platform() as sandbox, sandbox.connect(BIDI) as ws:
        await begin(ws)
        await say(ws, "", " ", "\n")
        await send(ws, "task_flush")
        assert (await receive(ws))["event"] == "task_flushed"
        assert not sandbox.state.speech_requests


async def test_cancel_stops_the_speech_and_the_session_continues() -> None:
    """After `task_canceled` there is no audio of the old text; the next text is spoken."""
    async with platform("speech.factor=1") as sandbox, sandbox.connect(BIDI) as ws:
        await begin(ws)
        await say(ws, "This is the first long sentence of all. And the second. And a rest")
        assert (await receive(ws))["event"] == "sentence_start"
        await receive(ws)
        await send(ws, "task_cancel")
        late = await until(ws, "task_canceled")
        assert set(names(late)) <= {"audio", "task_canceled"}
        await say(ws, "New.")
        frames = await until(ws, "sentence_end")
        assert sentences(frames) == ["New."]
        assert audio_of(frames)


async def test_a_rest_is_spoken_if_no_more_text_comes() -> None:
    """A long rest after a short time, a short rest after a longer time."""
    loop = asyncio.get_running_loop()
    async with platform() as sandbox, sandbox.connect(BIDI) as ws:
        await begin(ws)
        for text, least_s in (("so this is long enough", 0.29), ("short", 0.99)):
            began_s = loop.time()
            await say(ws, text)
            frames = await until(ws, "sentence_end")
            assert sentences(frames) == [text]
            assert loop.time() - began_s >= least_s


async def test_too_long_and_too_much_text_give_soft_codes() -> None:
    """2204 for one long text, 2205 while too much text waits; the text can be sent again later."""
    async with platform("speech.max_text=50", "speech.first_ms=600") as sandbox, sandbox.connect(BIDI) as ws:
        await begin(ws)
        await say(ws, "x" * 51)
        assert code(await receive(ws)) == 2204
        await say(ws, "One sentence here, thirty-five long.", "Another one that is too much now.")
        frames = await until(ws, "sentence_end")
        assert [code(frame) for frame in frames if code(frame)] == [2205]
        await say(ws, "Another one that is too much now.")
        assert sentences(await until(ws, "sentence_end")) == ["Another one that is too much now."]


@pytest.mark.parametrize(
    ("event", "number"),
    [(start_event(), 2206), ({"event": "nonsense"}, 2202)],
)
async def test_wrong_events_end_the_session(event: dict[str, Any], number: int) -> None:
    """A second start is 2206, an unknown event 2202."""
    async with platform() as sandbox, sandbox.connect(BIDI) as ws:
        await begin(ws)
        await send(ws, event)
        frames = await rest(ws)
        assert (frames[-1]["event"], code(frames[-1])) == ("task_failed", number)


@pytest.mark.parametrize("event", ["task_continue", "task_flush", "task_cancel", "task_finish"])
async def test_events_before_the_start_are_2206(event: str) -> None:
    async with platform() as sandbox, sandbox.connect(BIDI) as ws:
        await receive(ws)
        await send(ws, event, text="Hello.")
        assert code((await rest(ws))[-1]) == 2206


async def test_pings_keep_it_alive() -> None:
    """Unlike on the ordinary socket. Without pings the session ends with 2201."""
    async with platform("speech.idle_s=3") as sandbox, sandbox.connect(BIDI) as ws:
        await begin(ws)
        for _ in range(4):
            await asyncio.sleep(0.9)
            await (await ws.ping())
        await say(ws, "Hi.")
        assert audio_of(await until(ws, "sentence_end"))
        assert code((await rest(ws))[-1]) == 2201


async def test_closing_with_a_rest_in_the_buffer_leaves_no_timer() -> None:
    """The timer of the rest ends with the connection: nothing is spoken afterwards."""
    async with platform() as sandbox:
        async with sandbox.connect(BIDI) as ws:
            await begin(ws)
            await say(ws, "so this is long enough")
        await settled(sandbox.state)
        await asyncio.sleep(0.35)
        assert not sandbox.state.speech_requests


async def test_rate_counts_sentences() -> None:
    async with platform("limit.speech_rpm=2") as sandbox, sandbox.connect(BIDI) as ws:
        await begin(ws)
        await say(ws, "One. Two. Three. ")
        frames = await rest(ws)
        assert code(frames[-1]) == 1002
        assert names(frames).count("final") == 2


async def test_frames_are_compact_json_with_identity_last() -> None:
    """The envelope of an audio frame, byte for byte."""
    async with platform() as sandbox, sandbox.connect(BIDI) as ws:
        await begin(ws)
        await say(ws, "好。")
        await receive(ws)
        raw = await ws.recv()
        frame = json.loads(raw)
        assert list(frame) == [
            "data",
            "is_final",
            "event",
            "session_id",
            "connect_id",
            "trace_id",
            "base_resp",
        ]
        assert raw == json.dumps(frame, ensure_ascii=False, separators=(",", ":"))


def test_cutter_rules() -> None:
    """Stops end a sentence at once, commas only in a long buffer; numbers stay whole; the cap limits the length."""
    cutter = SentenceCutter()
    assert cutter.feed("今天天气很好。我们") == ["今天天气很好。"]
    assert cutter.feed("走吧！”好") == ["我们走吧！”"]
    assert cutter.flush() == ["好"]
    assert cutter.feed("short, it is 3.14 or so, right") == ["short, it is 3.14 or so,"]
    assert cutter.flush() == [" right"]
    assert cutter.feed("line\nnext; what?!") == ["line\n", "next;", " what?!"]
    assert cutter.flush_after_ms is None
    assert cutter.feed("x" * (CAP + 1)) == ["x" * CAP]
    assert cutter.flush_after_ms == 1000
    cutter.feed("y" * COMMA_AT)
    assert cutter.flush_after_ms == 300


@given(st.lists(st.text(alphabet="ab .,!。，\n", max_size=12)))
def test_cutter_loses_nothing(fragments: list[str]) -> None:
    """All text except blanks comes out of any fragments, in order and within the cap."""
    cutter = SentenceCutter()
    found = [sentence for fragment in fragments for sentence in cutter.feed(fragment)] + cutter.flush()
    assert "".join("".join(found).split()) == "".join("".join(fragments).split())
    assert all(sentence.strip() for sentence in found)
