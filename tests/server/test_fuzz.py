"""Random sequences of events: no internal error, no hang, no task left."""

import asyncio
import base64
import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.server.harness import WireClient, open_harness

IDS = ["item_a", "item_b", "item_c", "unknown"]
LONG = {  # short names keep a failing script readable
    "@odd": bytes(961),
    "@silent": bytes(4_800),
    "@loud": b"\x10\x27\xf0\xd8" * 4_800,
}
AUDIO = ["", *LONG]
TEXTS = [
    "",
    "Hi",
    "What is 2 plus 3?",
    "😀",
    "请介绍一下你自己。",
    "\u200b" * 40,
    "@long",
    "**bold** `code` <think>x</think>",
]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 70_000) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
ids = st.sampled_from(IDS)
texts = st.sampled_from(TEXTS)


def event(type: str, **fields) -> st.SearchStrategy[dict]:
    return st.fixed_dictionaries({"type": st.just(type), **fields})


parts = st.one_of(
    st.fixed_dictionaries({"type": st.just("input_text"), "text": texts}),
    st.fixed_dictionaries({"type": st.just("input_audio"), "transcript": texts}),
    st.fixed_dictionaries(
        {
            "type": st.just("input_audio"),
            "audio": st.sampled_from(AUDIO),
        }
    ),
)
items = st.one_of(
    st.fixed_dictionaries(
        {
            "type": st.just("message"),
            "role": st.just("user"),
            "content": st.lists(parts, min_size=1, max_size=2),
        },
        optional={"id": ids},
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("message"),
            "role": st.just("assistant"),
            "content": st.just([{"type": "output_text", "text": "Well."}]),
        },
        optional={"id": ids},
    ),
    st.just({"type": "function_call", "name": "f", "call_id": "c1", "arguments": "{}"}),
    st.just({"type": "function_call_output", "call_id": "c1", "output": "1"}),
)
sessions = st.sampled_from(
    [
        {"output_modalities": ["text"]},
        {"output_modalities": ["audio"]},
        {"instructions": "Answer in one word."},
        {"audio": {"input": {"turn_detection": None}}},
        {"audio": {"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "high"}}}},
        {"audio": {"input": {"format": {"type": "audio/pcmu"}}}},
        {"audio": {"output": {"format": {"type": "audio/pcma"}, "speed": 1.5}}},
        {"audio": {"output": {"voice": "Nobody"}}},
        {"extensions": ["playback", "words", "latency"]},
        {
            "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}],
            "tool_choice": "required",
        },
    ]
)
events = st.one_of(
    event("session.update", session=sessions),
    event("input_audio_buffer.append", audio=st.sampled_from(AUDIO)),
    event("input_audio_buffer.commit"),
    event("input_audio_buffer.clear"),
    event("output_audio_buffer.clear"),
    event(
        "output_audio_buffer.played",
        item_id=ids,
        played_ms=st.integers(0, 9_000),
        state=st.sampled_from(["playing", "drained", "flushed"]),
    ),
    event("conversation.item.create", item=items),
    event("conversation.item.create", item=items, previous_item_id=st.sampled_from([*IDS, "root"])),
    event("conversation.item.retrieve", item_id=ids),
    event(
        "conversation.item.truncate",
        item_id=ids,
        content_index=st.just(0),
        audio_end_ms=st.integers(0, 99_999),
    ),
    event("conversation.item.delete", item_id=ids),
    event("response.create"),
    event(
        "response.create",
        response=st.fixed_dictionaries(
            {"conversation": st.just("none")},
            optional={
                "input": st.lists(
                    items | st.fixed_dictionaries({"type": st.just("item_reference"), "id": ids}), max_size=2
                ),
                "output_modalities": st.just(["text"]),
                "max_output_tokens": st.integers(1, 20),
            },
        ),
    ),
    event("response.cancel"),
    st.dictionaries(
        st.sampled_from(["type", "session", "item", "audio", "response"]), json_values, max_size=4
    ),
)
steps = st.lists(events | st.just("wait"), min_size=3, max_size=25)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(steps)
def test_no_sequence_of_events_causes_an_internal_error(script: list):
    asyncio.run(play(script))


async def play(script: list) -> None:
    async with open_harness() as harness, harness.connect() as wire:
        for step in script:
            if step == "wait":
                await asyncio.sleep(0.02)
            else:
                await wire.socket.send(to_json(step))
        harness.fault()
        await wire.send("session.update", session={"instructions": "The end."}, event_id="the end")
        while not any(e["session"]["instructions"] == "The end." for e in wire.of("session.updated")):
            await wire.until("session.updated", wire.count("session.updated") + 1)
        assert not [e for e in wire.of("error") if e["error"]["code"] == "internal_error"]
        cancelled: set[str] = set()
        while still_open := of_responses(wire, "created") - of_responses(wire, "done"):
            ended = wire.count("response.done")
            for response_id in still_open - cancelled:
                await wire.send("response.cancel", response_id=response_id)
            cancelled |= still_open  # one that waits for it is told as created and cancelled
            await wire.until("response.done", ended + 1)
        assert wire.count("response.done") == len(of_responses(wire, "done"))
        check_order(wire.events)


def of_responses(wire: WireClient, kind: str) -> set[str]:
    """The ids of those that were told as `kind`."""
    return {told["response"]["id"] for told in wire.of(f"response.{kind}")}


def to_json(step: dict) -> str:
    """The event as JSON, with the names of LONG replaced by their values."""
    text = json.dumps(step).replace("@long", "a" * 5_000)
    for name, audio in LONG.items():
        text = text.replace(name, base64.b64encode(audio).decode())
    return text


def check_order(seen: list[dict]) -> None:
    """Check the rules for the events of every response (docs/wire.md 3.4)."""
    open_items: dict[str, set[str]] = {}
    for it in seen:
        response_id = it.get("response_id") or (it.get("response") or {}).get("id")
        if it["type"] == "response.created":
            assert response_id not in open_items
            open_items[response_id] = set()
        elif it["type"] == "response.done":
            assert not open_items.pop(response_id), it
        elif it["type"] == "response.output_item.added":
            open_items[response_id].add(it["item"]["id"])
        elif it["type"] == "response.output_item.done":
            open_items[response_id].remove(it["item"]["id"])
        elif it["type"].startswith("response.output") or it["type"].startswith("response.content"):
            assert it["item_id"] in open_items[response_id], it
