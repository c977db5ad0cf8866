"""A server of another version: whatever an event lacks or has otherwise, the SDK throws nothing and its conversation stays whole."""

from __future__ import annotations

from typing import Any

RESPONSE = {"id": "resp_1", "conversation_id": "conv_1", "status": "completed", "output": [{"id": "item_2", "status": "completed"}],
            "usage": {"input_tokens": 3, "output_tokens": 4}}  # fmt: skip
SESSION = {
    "id": "sess_1",
    "extensions": ["playback"],
    "audio": {"input": {"turn_detection": {"type": "server_vad"}}},
}
PART = {"response_id": "resp_1", "item_id": "item_2", "content_index": 0}
SPOKEN = {"item_id": "item_1", "previous_item_id": None}
EVENTS: list[dict[str, Any]] = [
    {"type": "session.created", "session": SESSION},
    {"type": "session.updated", "session": SESSION},
    {"type": "conversation.created", "conversation": {"id": "conv_1"}},
    {"type": "input_audio_buffer.speech_started", "item_id": "item_1", "audio_start_ms": 0},
    {"type": "input_audio_buffer.speech_stopped", "item_id": "item_1", "audio_end_ms": 900},
    {"type": "input_audio_buffer.committed", **SPOKEN},
    {"type": "conversation.item.added", "previous_item_id": None,
     "item": {"id": "item_1", "type": "message", "role": "user", "content": [{"type": "input_audio", "transcript": ""}]}},
    {"type": "conversation.item.input_audio_transcription.delta", "item_id": "item_1", "delta": "Hel"},
    {"type": "conversation.item.input_audio_transcription.completed", "item_id": "item_1", "transcript": "Hello"},
    {"type": "conversation.item.input_audio_transcription.failed", "item_id": "item_1", "error": {"code": "x", "message": "y"}},
    {"type": "response.created", "response": RESPONSE},
    {"type": "response.output_item.added", "response_id": "resp_1", "item": {"id": "item_2", "type": "message"}},
    {"type": "conversation.item.added", "previous_item_id": "item_1",
     "item": {"id": "item_2", "type": "message", "role": "assistant", "status": "in_progress", "content": []}},
    {"type": "response.content_part.added", **PART, "part": {"type": "audio"}, "stream": 1},
    {"type": "response.output_audio_transcript.delta", **PART, "delta": "Well, "},
    {"type": "response.output_audio_words.delta", **PART, "words": [{"text": "Well, ", "start_ms": 0, "end_ms": 300}]},
    {"type": "response.output_audio.delta", **PART, "delta": "AAAA"},
    {"type": "response.output_audio_transcript.done", **PART, "transcript": "Well, here."},
    {"type": "response.output_audio.done", **PART},
    {"type": "conversation.item.truncated", "item_id": "item_2", "content_index": 0, "audio_end_ms": 200},
    {"type": "response.function_call_arguments.done", **PART, "call_id": "call_1", "name": "clock", "arguments": "{}"},
    {"type": "response.latency.done", "response_id": "resp_1", "origin": "speech_ended", "marks": {"chat_request": 5}},
    {"type": "response.done", "response": RESPONSE},
    {"type": "response.done", "response": {**RESPONSE, "status": "failed", "status_details": {"error": {"code": "x", "message": "y"}}}},
    {"type": "output_audio_buffer.gain_changed", "gain_db": -6},
    {"type": "error", "error": {"code": "x", "message": "y", "event_id": "settings_1", "param": None}},
    {"type": "conversation.item.deleted", "item_id": "item_1"},
]  # fmt: skip

SAY_ALL = """async (events) => {
    const { Realtime } = await import("/sdk/realtime.js");
    const { recreate, heardText } = await import("/sdk/conversation.js");
    const { waterfall } = await import("/sdk/latency.js");
    const wrong = [], WORTH = [undefined, null, 7, "x", {}, [], [null]];
    let now = "", said = 0;
    const thrown = (event) => { wrong.push(`${now}: ${event.message}`); event.preventDefault(); };
    const quiet = console.warn;
    console.warn = () => {};
    addEventListener("error", thrown);
    addEventListener("unhandledrejection", thrown);

    const paths = (value, path = []) => (value && typeof value === "object"
        ? Object.entries(value).flatMap(([key, each]) => [[...path, key], ...paths(each, [...path, key])]) : []);
    const changed = (event, path, worth) => {
        const copy = structuredClone(event), last = path.at(-1);
        const at = path.slice(0, -1).reduce((value, key) => value[key], copy);
        if (worth === undefined) delete at[last]; else at[last] = worth;
        return copy;
    };
    const isWhole = ({ id, text, role, words, images }) => [id, text, role].every((each) => typeof each === "string")
        && Array.isArray(words) && Array.isArray(images)
        && words.every((word) => typeof word.text === "string" && Number.isFinite(word.start_ms));
    const hear = (voice, event) => voice.connection.dispatchEvent(new CustomEvent("event", { detail: event }));

    for (const [number, odd] of events.entries()) for (const path of paths(odd)) for (const worth of WORTH) {
        if (path[0] === "type") continue;
        now = `${odd.type} with ${path.join(".")} ${JSON.stringify(worth)}`;
        const voice = new Realtime({ url: "ws://127.0.0.1:1/" });
        voice.player.open = async () => {};
        voice.tool({ name: "clock", run: () => 1 });
        for (const event of events.slice(0, number)) hear(voice, event);
        hear(voice, changed(odd, path, worth));
        try {
            const { items, latency, problem } = voice.conversation;
            recreate(voice.conversation);
            items.forEach((item) => heardText(item, 100));
            if (latency && !Number.isFinite(waterfall(latency).endMs)) wrong.push(`${now}: the marks`);
            if (problem && typeof problem.message !== "string") wrong.push(`${now}: the problem`);
            if (!items.every(isWhole)) wrong.push(`${now}: an item`);
            voice.stats();
        } catch (error) { wrong.push(`${now}: ${error}`); }
        hear(voice, { type: "response.created", response: { id: "resp_9" } });
        hear(voice, { type: "response.done", response: { id: "resp_9", output: [] } });
        if (voice.conversation.response) wrong.push(`${now}: the response`);
        voice.tools.abandon();
        said += 1;
    }
    await new Promise((resolve) => setTimeout(resolve));
    removeEventListener("error", thrown);
    removeEventListener("unhandledrejection", thrown);
    console.warn = quiet;
    return { wrong, said };
}"""


async def test_each_field_of_each_event_may_be_missing_or_something_else(page: Any) -> None:
    result = await page.evaluate(SAY_ALL, EVENTS)
    assert result["wrong"] == []
    assert result["said"] > 500
