"""The pure modules and the worklets of the SDK, imported and run in Chromium."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

# --- framing ---


async def test_frame_is_encoded_as_documented(page: Any) -> None:
    """The example of docs/wire.md 6.2: the eighth frame, captured at 140 ms."""
    written = await page.evaluate("""async () => {
        const { encodeFrame } = await import("/sdk/framing.js");
        return Array.from(new Uint8Array(encodeFrame({ pcm: new Int16Array([0, 16]), seq: 7, startMs: 140 })));
    }""")
    assert bytes(written) == bytes.fromhex("01010000 07000000 8C000000 0000 1000")


async def test_frame_is_decoded_as_documented(page: Any) -> None:
    """Both server frames of the example, audio and END."""
    read = await page.evaluate("""async () => {
        const { decodeFrame } = await import("/sdk/framing.js");
        const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16)).buffer;
        return ["010100012A000000D80400000100FFFF", "010101012B000000EC040000"]
            .map((hex) => decodeFrame(bytes(hex))).map((frame) => ({ ...frame, pcm: Array.from(frame.pcm) }));
    }""")
    assert read[0] == {"stream": 1, "seq": 42, "startMs": 1240, "end": False, "pcm": [1, -1]}
    assert read[1] == {"stream": 1, "seq": 43, "startMs": 1260, "end": True, "pcm": []}


@pytest.mark.parametrize(
    "hex_", ["02010001000000000000000000", "020100010000000000000000", "010200010000000000000000", "0101"]
)
async def test_unknown_frame_is_skipped(page: Any, hex_: str) -> None:
    """Another version, another kind, an odd or a short message: null, no exception."""
    script = """async (hex) => (await import("/sdk/framing.js"))
        .decodeFrame(Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16)).buffer)"""
    assert await page.evaluate(script, hex_) is None


async def test_base64_round_trip(page: Any) -> None:
    """Also for long audio, and for a view into a larger buffer."""
    assert await page.evaluate("""async () => {
        const { toBase64, fromBase64 } = await import("/sdk/framing.js");
        const pcm = Int16Array.from({ length: 50000 }, (_, i) => (i * 7919) % 65536 - 32768).subarray(3);
        const back = fromBase64(toBase64(pcm));
        return back.length === pcm.length && back.every((value, i) => value === pcm[i]);
    }""")


# --- resampler ---

RESAMPLE = """async ({ from, to, hertz, block }) => {
    const { Resampler } = await import("/sdk/resampler.js");
    const input = Float32Array.from({ length: from }, (_, i) => Math.sin(2 * Math.PI * hertz * i / from) / 2);
    const resampler = new Resampler(from, to);
    const output = [];
    for (let at = 0; at < input.length; at += block) output.push(...resampler.push(input.subarray(at, at + block)));
    output.push(...resampler.drain());
    return output;
}"""


@pytest.mark.parametrize(("rate", "target"), [(48000, 24000), (44100, 24000), (16000, 24000), (24000, 48000)])
async def test_tone_keeps_its_pitch_and_level(page: Any, rate: int, target: int) -> None:
    """A 1 kHz tone, resampled in blocks of one quantum, is the same tone at the other rate."""
    made = np.array(await page.evaluate(RESAMPLE, {"from": rate, "to": target, "hertz": 1000, "block": 128}))
    assert abs(len(made) - target) <= 2
    expected = np.sin(2 * math.pi * 1000 * np.arange(len(made)) / target) / 2
    middle = slice(200, -200)
    assert np.max(np.abs(made[middle] - expected[middle])) < 0.01


async def test_frequencies_above_the_limit_are_removed(page: Any) -> None:
    """A tone of 16 kHz cannot be sampled at 24 kHz: it must not become an alias at 8 kHz."""
    made = np.array(await page.evaluate(RESAMPLE, {"from": 48000, "to": 24000, "hertz": 16000, "block": 128}))
    assert np.sqrt(np.mean(made[200:-200] ** 2)) < 0.001


# --- queue ---

PLAYOUT = """async (script) => {
    const { SampleQueue } = await import("/sdk/sample_queue.js");
    const queue = new SampleQueue(24000, { seconds: 1 });
    const output = [], results = [];
    for (const [verb, ...args] of script) {
        if (verb === "push") queue.push(args[0], Float32Array.from(args[1]));
        if (verb === "end") queue.end(args[0]);
        if (verb === "flush") results.push(queue.flush());
        if (verb === "report") results.push(queue.report());
        if (verb === "pull") for (let i = 0; i < (args[0] ?? 1); i++) {
            const out = new Float32Array(128);
            queue.pull(out);
            output.push(...out);
        }
    }
    return { output, results, underruns: queue.underruns, ring: queue.ring.length };
}"""
RAMP = [(i % 1000) / 1000 + 0.001 for i in range(60_000)]


def silence_after(output: list[float], index: int) -> bool:
    return not np.any(np.array(output[index:]))


async def test_frames_of_any_size_join_without_a_gap(page: Any) -> None:
    """Frames of odd lengths, pulled in quanta, give the original recording."""
    script: list[list[Any]] = []
    at = 0
    for size in (1, 480, 37, 960, 127, 129, 4800, 3):
        script.append(["push", "a", RAMP[at : at + size]])
        at += size
    script += [["end", "a"], ["pull", 60]]
    result = await page.evaluate(PLAYOUT, script)
    assert np.allclose(result["output"][:at], RAMP[:at], atol=1e-6)
    assert result["underruns"] == 0


async def test_first_frame_is_played_in_the_first_quantum(page: Any) -> None:
    """Without an earlier underrun there is no jitter buffer."""
    result = await page.evaluate(PLAYOUT, [["pull"], ["push", "a", RAMP[:128]], ["pull"]])
    assert np.allclose(result["output"][128:256], RAMP[:128], atol=1e-6)


async def test_the_ring_buffer_grows(page: Any) -> None:
    """Also if its content wraps around the end of the buffer."""
    script = [["push", "a", RAMP[:20000]], ["pull", 100], ["push", "a", RAMP[20000:60000]], ["pull", 400]]
    result = await page.evaluate(PLAYOUT, script)
    assert result["ring"] > 24000
    assert np.allclose(result["output"][:60000], RAMP, atol=1e-6)


async def test_after_an_underrun_output_waits_for_twenty_ms(page: Any) -> None:
    """Output starts again with 20 ms in the buffer (or 20 ms later), fades in, and no sample is lost."""
    script = [["push", "a", RAMP[:128]], ["pull", 5], ["push", "a", [0.5] * 200], ["pull"]]
    script += [["push", "a", [0.5] * 400], ["pull", 5], ["report"]]
    result = await page.evaluate(PLAYOUT, script)
    assert result["underruns"] == 2
    assert not np.any(np.array(result["output"][5 * 128 : 6 * 128]))  # 200 samples are not 20 ms
    assert result["results"][0][0]["output"] == 728
    resumed = result["output"][6 * 128 : 6 * 128 + 600]
    assert resumed[0] < 0.05 < resumed[20] < 0.5
    assert np.allclose(resumed[60:], 0.5)


async def test_the_end_of_a_part_is_not_an_underrun(page: Any) -> None:
    """The next reply starts without a jitter buffer."""
    script = [["push", "a", RAMP[:100]], ["end", "a"], ["pull", 3], ["push", "b", RAMP[:128]], ["pull"]]
    result = await page.evaluate(PLAYOUT, script)
    assert result["underruns"] == 0
    assert np.allclose(result["output"][3 * 128 :], RAMP[:128], atol=1e-6)


async def test_flush_is_silent_after_one_quantum_and_counts_exactly(page: Any) -> None:
    """One more quantum fades out, then the output is zero; the report includes the fading quantum."""
    script = [["push", "a", [0.5] * 5000], ["pull", 8], ["flush"], ["pull", 10], ["report"]]
    result = await page.evaluate(PLAYOUT, script)
    fading = result["output"][8 * 128 : 9 * 128]
    assert all(later < earlier for earlier, later in itertools.pairwise(fading))
    assert fading[-1] == 0
    assert silence_after(result["output"], 9 * 128)
    assert result["results"][0] == [{"key": "a", "played": 9 * 128, "received": 5000}]
    assert result["results"][1][0]["output"] == 9 * 128
    assert result["results"][1][0]["done"]


async def test_flush_reports_every_part_and_drops_late_audio(page: Any) -> None:
    """Flush ends the playing part and the next one; later audio for them is dropped."""
    script = [["push", "a", [0.5] * 200], ["end", "a"], ["push", "b", [0.5] * 500], ["pull"], ["flush"]]
    script += [["push", "b", [0.9] * 500], ["pull", 6]]
    result = await page.evaluate(PLAYOUT, script)
    flushed = {part["key"]: (part["played"], part["received"]) for part in result["results"][0]}
    assert flushed == {"b": (56, 500)}  # `a` ends inside the fading quantum
    assert silence_after(result["output"], 2 * 128)


async def test_flush_when_nothing_plays_reports_nothing(page: Any) -> None:
    """A reply that was played to its end is not reported."""
    script = [["push", "a", RAMP[:128]], ["end", "a"], ["pull", 4], ["flush"]]
    assert (await page.evaluate(PLAYOUT, script))["results"] == [[]]


# --- conversation ---

REDUCE = """async (events) => {
    const { emptyConversation, reduce, phase, recreate } = await import("/sdk/conversation.js");
    const state = events.reduce(reduce, emptyConversation());
    return { ...state, phase: phase(state, false), recreate: recreate(state) };
}"""


def said(
    item_id: str, role: str = "user", text: str | None = None, status: str = "completed"
) -> dict[str, Any]:
    kind, key = ("input_audio", "transcript") if role == "user" else ("output_audio", "transcript")
    content = [{"type": kind, key: text}] if role == "user" or text is not None else []
    return {"id": item_id, "type": "message", "role": role, "status": status, "content": content}


def added(item: dict[str, Any], previous: str | None) -> dict[str, Any]:
    return {"type": "conversation.item.added", "item": item, "previous_item_id": previous}


def transcription(kind: str, **fields: Any) -> dict[str, Any]:
    name = f"conversation.item.input_audio_transcription.{kind}"
    return {"type": name, "item_id": "u1", "content_index": 0, **fields}


STARTED = {"type": "input_audio_buffer.speech_started", "item_id": "u1", "audio_start_ms": 0}
STOPPED = {"type": "input_audio_buffer.speech_stopped", "item_id": "u1", "audio_end_ms": 900}
COMMITTED = {"type": "input_audio_buffer.committed", "item_id": "u1", "previous_item_id": None}
CREATED = {"type": "response.created", "response": {"id": "r1", "conversation_id": "c1"}}
ASSISTANT = added(said("a1", "assistant", status="in_progress"), "u1")
USER = added(said("u1"), None)


def delta(text: str) -> dict[str, Any]:
    return {"type": "response.output_audio_transcript.delta", "item_id": "a1", "delta": text}


def done(status: str, details: Any = None, **fields: Any) -> dict[str, Any]:
    response = {
        "id": "r1",
        "status": status,
        "status_details": details,
        "output": [],
        "conversation_id": "c1",
    }
    return {"type": "response.done", "response": response | fields}


WORDS = [
    {"text": "It ", "start_ms": 40, "end_ms": 190},
    {"text": "is ", "start_ms": 190, "end_ms": 310},
    {"text": "noon.", "start_ms": 310, "end_ms": 820},
]
TIMED = {"type": "response.output_audio_words.delta", "item_id": "a1", "words": WORDS}


def truncated(ms: int, **fields: Any) -> dict[str, Any]:
    return {"type": "conversation.item.truncated", "item_id": "a1", "audio_end_ms": ms, **fields}


FAILED = {
    "type": "failed",
    "error": {"type": "server_error", "code": "upstream_timeout", "message": "Too late."},
}
NEW_SESSION = {"type": "session.created", "session": {}}
LATENCY = {"type": "response.latency.done", "response_id": "r1", "origin": "speech_ended", "marks": {"x": 1}}
TABLE: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "speech creates an item for its caption": (
        [STARTED],
        {"phase": "user-speaking", "speech": "u1", "items": [{"id": "u1", "role": "user", "text": ""}]},
    ),
    "after the turn the phase is thinking": ([STARTED, STOPPED], {"phase": "thinking", "speech": None}),
    "cleared speech is removed": (
        [STARTED, {"type": "input_audio_buffer.cleared"}],
        {"phase": "listening", "items": []},
    ),
    "transcript deltas are appended": (
        [STARTED, transcription("delta", delta="What "), transcription("delta", delta="time")],
        {"items": [{"text": "What time", "final": False}]},
    ),
    "the final transcript replaces them": (
        [STARTED, transcription("delta", delta="Wat"), STOPPED, USER, transcription("completed", transcript="What time is it?")],
        {"phase": "thinking", "items": [{"text": "What time is it?", "final": True, "placed": True}]},
    ),
    "an empty transcript is hidden and the phase is listening": (
        [STARTED, STOPPED, COMMITTED, USER, transcription("completed", transcript="")],
        {"phase": "listening", "items": [{"id": "u1", "hidden": True}]},
    ),
    "a failed transcription stands at what was said": (
        [STARTED, STOPPED, USER, transcription("failed", error={"code": "transcription_failed", "message": "No transcriber."})],
        {"phase": "listening", "problem": None, "items": [
            {"id": "u1", "final": True, "text": "", "unread": {"code": "transcription_failed", "message": "No transcriber."}},
        ]},
    ),
    "an answer grows word by word": (
        [USER, CREATED, ASSISTANT, delta("It is "), delta("noon.")],
        {"response": "r1", "phase": "thinking", "items": [{"id": "u1"}, {"id": "a1", "text": "It is noon."}]},
    ),
    "an answer ends": (
        [USER, CREATED, ASSISTANT, delta("It is noon."), done("completed", output=[said("a1", "assistant", "x")])],
        {"response": None, "phase": "listening", "items": [{}, {"status": "completed", "final": True}]},
    ),
    "items follow their previous item": (
        [USER, added(said("u3"), "u1"), added(said("u2"), "u1"), added(said("u0"), None)],
        {"items": [{"id": "u0"}, {"id": "u1"}, {"id": "u2"}, {"id": "u3"}]},
    ),
    "speech that started before an answer was added follows it": (
        [USER, {**STARTED, "item_id": "u2"}, ASSISTANT, added(said("u2"), "a1")],
        {"items": [{"id": "u1"}, {"id": "a1"}, {"id": "u2"}]},
    ),
    "an item with an unknown previous item is last": ([USER, added(said("u9"), "unknown")], {"items": [{}, {"id": "u9"}]}),
    "a tool call is a hidden item": (
        [USER, added({"id": "f1", "type": "function_call"}, "u1"), added(said("a1", "assistant"), "f1")],
        {"items": [{"id": "u1"}, {"id": "f1", "hidden": True}, {"id": "a1"}]},
    ),
    "word times are kept": (
        [ASSISTANT, TIMED],
        {"items": [{"words": [{"text": "It "}, {"text": "is "}, {"end_ms": 820}]}]},
    ),
    "a truncated answer has the transcript of the server": (
        [ASSISTANT, delta("It is noon."), truncated(300, transcript="It is")],
        {"items": [{"text": "It is", "truncated": True}]},
    ),
    "without a transcript the word times decide": (
        [ASSISTANT, delta("It is noon."), TIMED, truncated(300)],
        {"items": [{"text": "It is", "truncated": True}]},
    ),
    "text after a truncation is ignored": (
        [ASSISTANT, delta("It is"), truncated(300, transcript="It is"), delta(" noon."),
         {"type": "response.output_audio_transcript.done", "item_id": "a1", "transcript": "It is noon."}],
        {"items": [{"text": "It is"}]},
    ),
    "a retrieved item replaces the text": (
        [ASSISTANT, delta("It is noon."), truncated(300),
         {"type": "conversation.item.retrieved", "item": said("a1", "assistant", "It is")}],
        {"items": [{"text": "It is"}]},
    ),
    "a deleted item is gone": ([USER, {"type": "conversation.item.deleted", "item_id": "u1"}], {"items": []}),
    "a failed response is a problem": (
        [CREATED, done("failed", FAILED)],
        {"response": None, "problem": {"code": "upstream_timeout", "message": "Too late."}},
    ),
    "a filtered answer is a problem": (
        [CREATED, done("incomplete", {"type": "incomplete", "reason": "content_filter"})],
        {"problem": {"code": "content_filter"}},
    ),
    "an interrupted answer is no problem": (
        [CREATED, done("cancelled", {"type": "cancelled", "reason": "turn_detected"})],
        {"problem": None, "phase": "listening"},
    ),
    "new speech removes a problem": ([CREATED, done("failed", FAILED), STARTED], {"problem": None}),
    "an out-of-band response is ignored": (
        [{"type": "response.created", "response": {"id": "r9", "conversation_id": None}}],
        {"response": None, "phase": "listening"},
    ),
    "an error is shown": (
        [{"type": "error", "error": {"code": "invalid_value", "message": "No."}}],
        {"problem": {"code": "invalid_value", "message": "No."}},
    ),
    "the error of a late cancel is ignored": (
        [{"type": "error", "error": {"code": "response_cancel_not_active", "message": "Cancellation failed"}}],
        {"problem": None},
    ),
    "marks of the last turn": (
        [{"type": "response.latency.done", "response_id": "r1", "origin": "speech_ended", "marks": {"x": 1}}],
        {"latency": {"origin": "speech_ended", "marks": {"x": 1}}},
    ),
    "extensions are those of the session object": (
        [{"type": "session.created", "session": {"extensions": ["words"]}}],
        {"extensions": ["words"]},
    ),
    "a typed message is shown at once": (
        [{"type": "local.message", "item_id": "m1", "text": "Hi"}],
        {"phase": "thinking", "items": [{"id": "m1", "text": "Hi", "final": True, "placed": False}]},
    ),
    "a new session keeps the captions and gets the known items": (
        [USER, transcription("completed", transcript="Hi"), ASSISTANT, delta("Hello."), CREATED, {**STARTED, "item_id": "u2"},
         {"type": "local.message", "item_id": "m1", "text": "lost"}, {"type": "session.created", "session": {}}],
        {"response": None, "phase": "thinking", "wanted": True,
         "items": [{"text": "Hi"}, {"text": "Hello."}, {"text": "lost"}],
         "recreate": [{"item": {"id": "u1", "content": [{"type": "input_text", "text": "Hi"}]}},
                    {"item": {"id": "a1", "content": [{"type": "output_text", "text": "Hello."}]}},
                    {"item": {"id": "m1", "content": [{"type": "input_text", "text": "lost"}]}}]},
    ),
    "an answer that the lost connection cut off can be asked for again": (
        [USER, transcription("completed", transcript="Hi"), CREATED, ASSISTANT, delta("It"), NEW_SESSION],
        {"wanted": False, "phase": "listening", "items": [{"failed": None}, {"text": "It", "failed": {"code": "connection_lost"}}]},
    ),
    "a turn without any answer is answered by the next session": (
        [USER, transcription("completed", transcript="Hi"), CREATED, NEW_SESSION],
        {"wanted": True, "phase": "thinking", "items": [{"failed": None}]},
    ),
    "a stopped conversation wants no answer": (
        [USER, transcription("completed", transcript="Hi"), STOPPED, {"type": "local.stopped"}, NEW_SESSION],
        {"wanted": False, "phase": "listening", "items": [{"failed": None}]},
    ),
    "a failed answer stands at the message": (
        [USER, transcription("completed", transcript="Hi"), CREATED, done("failed", FAILED)],
        {"items": [{"id": "u1", "failed": {"code": "upstream_timeout"}}]},
    ),
    "an answer that fails in the middle carries the failure itself": (
        [USER, CREATED, ASSISTANT, delta("It"), done("failed", FAILED, output=[said("a1", "assistant", "It")])],
        {"items": [{"failed": None}, {"id": "a1", "failed": {"code": "upstream_timeout"}}]},
    ),
    "the next answer removes the failure": (
        [USER, CREATED, done("failed", FAILED), CREATED], {"problem": None, "items": [{"failed": None}]},
    ),
    "so does asking again": (
        [USER, CREATED, done("failed", FAILED), {"type": "local.retried"}],
        {"problem": None, "wanted": True, "phase": "thinking", "items": [{"failed": None}]},
    ),
    "a truncated answer remembers what was written": (
        [ASSISTANT, delta("It **is** noon."), truncated(300, transcript="It **i")],
        {"items": [{"text": "It **i", "whole": "It **is** noon."}]},
    ),
    "a restored conversation comes first": (
        [USER, {"type": "local.restored", "id": "conv_9", "items": [{"id": "old", "role": "user", "text": "Hi", "placed": True}]}],
        {"id": "conv_9", "items": [{"id": "old", "final": True}, {"id": "u1"}], "recreate": [{"item": {"id": "old"}}]},
    ),
    "the conversation has an id": (
        [{"type": "conversation.created", "conversation": {"id": "conv_7"}}], {"id": "conv_7"},
    ),
    "a conversation that is not stored is no problem": (
        [{"type": "error", "error": {"code": "invalid_value", "param": "conversation", "message": "Not stored."}}],
        {"problem": None},
    ),
    "the marks of the turn before are gone when the next one begins": ([CREATED, LATENCY, STARTED], {"latency": None}),
    "late marks of the turn before are not shown": (
        [CREATED, done("completed"), {"type": "local.message", "item_id": "m1", "text": "Hi"}, LATENCY], {"latency": None},
    ),
    "marks of another response are not shown": (
        [CREATED, done("completed"), {"type": "response.created", "response": {"id": "r2", "conversation_id": "c1"}}, LATENCY],
        {"latency": None},
    ),
    "an unknown event changes nothing": ([{"type": "toString"}, {"type": "rate_limits.updated"}], {"items": []}),
}  # fmt: skip


def assert_within(expected: Any, got: Any, path: str = "state") -> None:
    """Every value in `expected` is also in `got`; lists have the same length."""
    match expected:
        case dict():
            for key, value in expected.items():
                assert_within(value, got[key], f"{path}.{key}")
        case list():
            assert len(expected) == len(got), f"{path}: {got}"
            for index, value in enumerate(expected):
                assert_within(value, got[index], f"{path}[{index}]")
        case _:
            assert expected == got, f"{path}: {got!r}"


@pytest.mark.parametrize("name", TABLE)
async def test_conversation(page: Any, name: str) -> None:
    """The rows of TABLE: events, and the expected state."""
    events, expected = TABLE[name]
    assert_within(expected, await page.evaluate(REDUCE, events))


async def test_every_handler_is_in_the_table(page: Any) -> None:
    """Every event handler needs a row."""
    names = await page.evaluate('async () => Object.keys((await import("/sdk/conversation.js")).handlers)')
    used = {event["type"] for events, _ in TABLE.values() for event in events}
    same = {"response.output_text.delta", "response.output_text.done", "conversation.item.done"}
    untested = {"session.updated", "session.resumed", "local.problem_seen"}
    assert set(names) - used == same | untested


async def test_reducing_does_not_change_the_old_state(page: Any) -> None:
    """The page compares states by identity, so they must be immutable."""
    events = [event for events, _ in TABLE.values() for event in events]
    assert await page.evaluate(
        """async (events) => {
        const { emptyConversation, reduce } = await import("/sdk/conversation.js");
        const freeze = (value) => {
            if (value && typeof value === "object") Object.values(Object.freeze(value)).forEach(freeze);
            return value;
        };
        events.reduce((state, event) => freeze(reduce(state, event)), freeze(emptyConversation()));
        return true;
    }""",
        events,
    )


# --- texts and latency ---


async def test_waterfall_with_missing_and_negative_marks(page: Any) -> None:
    """Marks may be missing, or before zero if the answer was begun early."""
    marks = {"speech_ended": 0, "turn_confirmed": 512, "chat_request": -120, "chat_first_delta": 300,
             "first_chunk": 340, "speech_first_audio": 520, "first_audio_sent": 521}  # fmt: skip
    made = await page.evaluate(
        'async (marks) => (await import("/sdk/latency.js")).waterfall({ marks })', marks
    )
    assert (made["startMs"], made["endMs"], made["firstSoundMs"]) == (-120, 521, 521)
    assert [step["name"] for step in made["steps"]] == ["turn", "chat", "phrase", "voice"]
    assert made["steps"][1] == {"name": "chat", "startMs": -120, "endMs": 300}


@pytest.mark.parametrize(
    ("facts", "status", "text"),
    [
        ({"loaded": False}, "connecting", "Loading…"),
        ({}, "idle", "Press to talk"),
        ({"microphone": "asking"}, "connecting", "Please allow the microphone"),
        ({"connection": {"state": "connecting"}}, "connecting", "Connecting"),
        ({"connection": {"state": "open"}, "microphone": "on"}, "listening", "Listening"),
        ({"connection": {"state": "open"}, "microphone": "on", "muted": True}, "muted", "Muted"),
        ({"connection": {"state": "open"}, "phase": "user-speaking"}, "user-speaking", "You are speaking"),
        ({"connection": {"state": "open"}, "phase": "thinking"}, "thinking", "Thinking"),
        ({"connection": {"state": "open"}, "phase": "speaking"}, "speaking", "Speaking"),
        ({"microphone": "denied"}, "idle", "No microphone permission"),
        ({"microphone": "missing"}, "idle", "No microphone found"),
        ({"connection": {"state": "waiting"}, "secondsToRetry": 3}, "trouble",
         "Server unreachable. Trying again in 3 s"),
        ({"connection": {"state": "waiting"}, "secondsToRetry": 2, "everOpen": True}, "trouble",
         "Connection lost. Reconnecting in 2 s"),
        ({"connection": {"state": "refused", "reason": "key_needed"}}, "trouble", "This server asks for a key."),
        ({"connection": {"state": "refused", "reason": "session_taken_over"}}, "trouble",
         "This conversation continues in another window."),
    ],
)  # fmt: skip
async def test_every_state_has_a_text(page: Any, facts: dict[str, Any], status: str, text: str) -> None:
    """The text under the button."""
    base = {"connection": {"state": "closed"}, "microphone": "off", "muted": False, "phase": "listening",
            "secondsToRetry": 0, "everOpen": False, "loaded": True}  # fmt: skip
    script = 'async (facts) => (await import("/page/texts.js")).statusText(facts)'
    assert await page.evaluate(script, base | facts) == [status, text]


# --- the worklets ---


async def test_capture_resamples_the_rate_of_the_context(page: Any) -> None:
    """A tone in a 44.1 kHz context becomes 20 ms frames at 24 kHz, with its level."""
    made = await page.evaluate("""async () => {
        const context = new OfflineAudioContext(1, 44100, 44100);
        await context.audioWorklet.addModule("/sdk/worklets/capture.js");
        const node = new AudioWorkletNode(context, "realtime-capture", {
            outputChannelCount: [1], processorOptions: { rate: 24000, frameMs: 20 } });
        const frames = [];
        node.port.onmessage = ({ data: { pcm, level } }) =>
            frames.push({ pcm: Array.from(new Int16Array(pcm)), level });
        const tone = new OscillatorNode(context, { frequency: 1000 });
        tone.connect(node).connect(context.destination);
        tone.start();
        await context.startRendering();
        await new Promise((resolve) => setTimeout(resolve, 100));
        return frames;
    }""")
    assert {len(frame["pcm"]) for frame in made} == {480}
    assert len(made) in (49, 50)  # the last one may wait for the resampler's tail
    assert made[20]["level"] == pytest.approx(1 / math.sqrt(2), abs=0.01)
    pcm = np.concatenate([frame["pcm"] for frame in made])
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))
    assert np.argmax(spectrum) * 24000 / len(pcm) == pytest.approx(1000, abs=2)


@pytest.mark.parametrize("context_rate", [24000, 48000])
async def test_player_worklet_plays_without_gaps_and_reports(page: Any, context_rate: int) -> None:
    """Frames sent over the port are played without a gap; the reports have the correct length."""
    result = await page.evaluate(
        """async (contextRate) => {
        const context = new OfflineAudioContext(1, contextRate * 2, contextRate);
        await context.audioWorklet.addModule("/sdk/worklets/player.js");
        const node = new AudioWorkletNode(context, "realtime-player", {
            numberOfInputs: 0, outputChannelCount: [1], processorOptions: { rate: 24000 } });
        const reports = [];
        node.port.onmessage = ({ data }) => reports.push(data);
        node.connect(context.destination);
        for (let at = 0; at < 24000; at += 960) {
            const tone = (_, i) => 12000 * Math.sin(2 * Math.PI * 500 * (at + i) / 24000);
            const pcm = Int16Array.from({ length: 960 }, tone);
            node.port.postMessage({ type: "audio", key: "a", pcm: pcm.buffer });
        }
        node.port.postMessage({ type: "end", key: "a" });
        await new Promise((resolve) => setTimeout(resolve, 100));
        const rendered = await context.startRendering();
        await new Promise((resolve) => setTimeout(resolve, 100));
        return { output: Array.from(rendered.getChannelData(0)), last: reports.filter((r) => r.parts?.length).at(-1) };
    }""",
        context_rate,
    )
    output = np.array(result["output"])
    start = int(np.argmax(np.abs(output) > 0))
    tone = 12000 / 32768 * np.sin(2 * math.pi * 500 * np.arange(context_rate) / context_rate)
    skip = context_rate // 1000  # resampling an abrupt start causes ringing for a millisecond
    first = start if context_rate == 48000 else start - 1
    errors = np.abs(output[first : first + context_rate] - tone)[skip:-skip]
    assert np.max(errors) < (0.05 if context_rate == 48000 else 0.001)
    assert not np.any(output[start + context_rate + 500 :])
    part = result["last"]["parts"][0]
    assert part["done"]
    assert part["outputMs"] == pytest.approx(1000, abs=1)
