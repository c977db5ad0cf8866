"""The rules for every conversation, checked over all events of one connection.

Takes a list of events and returns a list of problems. Knows the order within a response (docs/wire.md 3.4),
the positions of items (3.1), speech segments (3.3) and single events (`schema.py`). Knows no socket.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections import Counter, defaultdict
from typing import Any

from tests.conformance.schema import event_problems
from tests.wer import edits, words

Event = dict[str, Any]
MAX_DELTA_MS = 200
MAX_MESSAGE_BYTES = 256 * 1024


def check(events: list[Event]) -> list[str]:
    """All broken rules, one sentence each. If events are malformed, only their problems."""
    if malformed := fields(events):
        return malformed
    rules = (first_events, event_ids, responses, active, places, segments, transcripts)
    return [problem for rule in rules for problem in rule(events)]


def first_events(events: list[Event]) -> list[str]:
    first = [event["type"] for event in events[:2]]
    return [] if first == ["session.created", "conversation.created"] else [f"the first events were {first}"]


def fields(events: list[Event]) -> list[str]:
    return [problem for event in events for problem in event_problems(event)]


def event_ids(events: list[Event]) -> list[str]:
    repeated = [name for name, times in Counter(e.get("event_id") for e in events).items() if times > 1]
    return [f"event_id used more than once: {repeated[:3]}"] if repeated else []


# -- responses


def responses(events: list[Event]) -> list[str]:
    by_id: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if response_id := response_of(event):
            by_id[response_id].append(event)
    items_done = {e["item"]["id"] for e in events if e["type"] == "conversation.item.done"}
    found = []
    for response_id, own in by_id.items():
        found += [f"{response_id}: {problem}" for problem in _response(own, events, items_done)]
    return found


def response_of(event: Event) -> str | None:
    response = event.get("response")
    return response["id"] if isinstance(response, dict) else event.get("response_id")


def _response(own: list[Event], events: list[Event], items_done: set[str]) -> list[str]:
    kinds = [event["type"] for event in own]
    if kinds[0] != "response.created" or kinds.count("response.created") != 1:
        return [f"begins with {kinds[0]}"]
    if kinds.count("response.done") > 1 or ("response.done" in kinds and kinds[-1] != "response.done"):
        return ["an event follows response.done, or it was sent twice"]
    finished = kinds[-1] == "response.done"
    in_conversation = own[0]["response"]["conversation_id"] is not None
    found: list[str] = []
    chains: dict[int, list[Event]] = defaultdict(list)
    for event in own[1 : -1 if finished else None]:
        chains[event["output_index"]].append(event)
    for _, chain in sorted(chains.items()):
        item_id = chain[0].get("item", {}).get("id")
        item_events = [e for e in events if in_conversation and _is_item_event(e, item_id)]
        found += _chain(sorted([*chain, *item_events], key=events.index), finished, in_conversation)
        if not in_conversation and any(_is_item_event(e, item_id) for e in events):
            found.append(f"item {item_id} is out of band but in the conversation")
        if finished and in_conversation and item_id not in items_done:
            found.append(f"item {item_id} was never done")
    if sorted(chains) != list(range(len(chains))):
        found.append(f"output indexes {sorted(chains)}")
    if finished:
        listed = [item["id"] for item in own[-1]["response"]["output"]]
        sent = [chains[index][0].get("item", {}).get("id") for index in sorted(chains)]
        if listed != sent:
            found.append(f"response.done lists {listed}, but the items sent were {sent}")
    return found


def _is_item_event(event: Event, item_id: str | None) -> bool:
    return (
        event["type"] in ("conversation.item.added", "conversation.item.done")
        and event["item"]["id"] == item_id
    )


_RANK = {
    "response.output_item.added": 0, "conversation.item.added": 1, "response.content_part.added": 2,
    "response.output_text.delta": 3, "response.output_audio.delta": 3, "response.output_audio_transcript.delta": 3,
    "response.function_call_arguments.delta": 3, "response.output_text.done": 4, "response.output_audio.done": 4,
    "response.function_call_arguments.done": 4, "response.output_audio_transcript.done": 5,
    "response.content_part.done": 6, "response.output_item.done": 7, "conversation.item.done": 8,
}  # fmt: skip


def _chain(chain: list[Event], finished: bool, in_conversation: bool) -> list[str]:
    """The events of one item of a response must be in order (3.4 rule 1; 3.8 for calls)."""
    kinds = [event["type"] for event in chain]
    item_id = chain[0].get("item", {}).get("id")
    ranks = [_RANK[kind] for kind in kinds]
    found = []
    if kinds[0] != "response.output_item.added" or ranks != sorted(ranks):
        found.append(f"item {item_id}: order {_without_repeats(kinds)}")
    is_call = chain[0].get("item", {}).get("type") == "function_call"
    once = ["response.output_item.added"] + ([] if is_call else ["response.content_part.added"])
    once += ["conversation.item.added"] if in_conversation else []
    if finished:
        once += ["response.output_item.done"] + ([] if is_call else ["response.content_part.done"])
        once += ["conversation.item.done"] if in_conversation else []
    found += [f"item {item_id}: {kinds.count(kind)} of {kind}" for kind in once if kinds.count(kind) != 1]
    if any(event.get("item_id", item_id) != item_id for event in chain):
        found.append(f"item {item_id}: another item's id in its events")
    return found + (_call(chain) if is_call else _message(chain))


def _without_repeats(kinds: list[str]) -> list[str]:
    return [kind for index, kind in enumerate(kinds) if not index or kinds[index - 1] != kind]


def _call(chain: list[Event]) -> list[str]:
    first, by_kind = chain[0]["item"], {event["type"]: event for event in chain}
    found = []
    if first["status"] != "in_progress" or first["arguments"] != "":
        found.append(
            f"call {first['call_id']}: added as {first['status']} with arguments {first['arguments']!r}"
        )
    done = by_kind.get("response.output_item.done")
    if done is None:
        return found
    whole = by_kind.get("response.function_call_arguments.done")
    if done["item"]["status"] != "completed":
        return [*found, "an incomplete call has arguments.done"] if whole else found
    if whole is None:
        return [*found, "a completed call without arguments.done"]
    streamed = "".join(e["delta"] for e in chain if e["type"] == "response.function_call_arguments.delta")
    if not streamed == whole["arguments"] == done["item"]["arguments"]:
        found.append("the arguments differ between delta, done and item")
    if whole["name"] != first["name"] or whole["call_id"] != first["call_id"]:
        found.append("name or call_id changed")
    try:
        json.loads(whole["arguments"])
    except ValueError:
        found.append(f"arguments are not JSON: {whole['arguments']!r}")
    return found


_TEXTS = (
    ("response.output_text.delta", "response.output_text.done", "text"),
    ("response.output_audio_transcript.delta", "response.output_audio_transcript.done", "transcript"),
)


def _message(chain: list[Event]) -> list[str]:
    found = []
    by_kind = {event["type"]: event for event in chain}
    done = by_kind.get("response.output_item.done")
    for delta, end, key in _TEXTS:
        if end not in by_kind:
            continue
        streamed = "".join(event["delta"] for event in chain if event["type"] == delta)
        whole = by_kind[end][key]
        part = by_kind.get("response.content_part.done", {}).get("part", {}).get(key, whole)
        item = done["item"]["content"][0].get(key) if done and done["item"]["content"] else whole
        if not streamed == whole == part == item:
            found.append(
                f"the text differs: deltas {streamed!r}, done {whole!r}, part {part!r}, item {item!r}"
            )
    if any(event.get("content_index", 0) != 0 for event in chain):
        found.append("a second content part")
    return found


def active(events: list[Event]) -> list[str]:
    """The conversation has only one active response at a time (3.4 rule 6)."""
    running: str | None = None
    for event in events:
        if event["type"] == "response.created" and event["response"]["conversation_id"] is not None:
            if running:
                return [f"{event['response']['id']} started while {running} was active"]
            running = event["response"]["id"]
        elif event["type"] == "response.done" and event["response"]["id"] == running:
            running = None
    return []


# -- items and speech


def places(events: list[Event]) -> list[str]:
    """`previous_item_id` names an existing item; it is null only for the first item (3.1)."""
    order: list[str] = []
    found: list[str] = []
    for event in events:
        match event["type"]:
            case "conversation.item.added":
                found += _insert(order, event["item"]["id"], event["previous_item_id"])
            case "conversation.item.deleted":
                if event["item_id"] in order:
                    order.remove(event["item_id"])
            case "conversation.item.done" if event["item"]["id"] not in order:
                found.append(f"{event['item']['id']} is done and was not added")
    return found


def _insert(order: list[str], item_id: str, previous: str | None) -> list[str]:
    if item_id in order:
        return [f"{item_id} was added twice"]
    if previous is not None and previous not in order:
        order.append(item_id)
        return [f"{item_id} follows {previous}, which does not exist"]
    order.insert(order.index(previous) + 1 if previous else 0, item_id)
    return []


def segments(events: list[Event]) -> list[str]:
    """speech_started, speech_stopped, committed and item.added come in this order for each item (3.5)."""
    found: list[str] = []
    open_item: str | None = None
    for event in events:
        kind = event["type"]
        if kind == "input_audio_buffer.speech_started":
            if open_item:
                found.append(f"speech started twice: {open_item}, {event['item_id']}")
            open_item = event["item_id"]
        elif kind == "input_audio_buffer.speech_stopped":
            if event["item_id"] != open_item:
                found.append(f"speech stopped for {event['item_id']}, open was {open_item}")
            open_item = None
        elif kind in ("input_audio_buffer.cleared", "input_audio_buffer.committed"):
            open_item = None
    committed = [e["item_id"] for e in events if e["type"] == "input_audio_buffer.committed"]
    added = [e["item"]["id"] for e in events if e["type"] == "conversation.item.added"]
    return found + [
        f"{item_id} was committed and never added" for item_id in committed if item_id not in added
    ]


def transcripts(events: list[Event]) -> list[str]:
    """Each transcript ends once, belongs to an existing item, and is similar to its deltas (3.3)."""
    found: list[str] = []
    deltas: dict[str, str] = defaultdict(str)
    added: set[str] = set()
    ended: set[str] = set()
    base = "conversation.item.input_audio_transcription."
    for event in events:
        if event["type"] == "conversation.item.added":
            added.add(event["item"]["id"])
            for part in event["item"].get("content", ()):
                if part.get("type") == "input_audio" and part.get("transcript") and _committed(events, event):
                    found.append("the transcript is in item.added: some clients then store it twice")
        elif event["type"] == base + "delta":
            deltas[event["item_id"]] += event["delta"]
        elif event["type"] in (base + "completed", base + "failed"):
            early, whole = (
                words(deltas[event["item_id"]]),
                words(event.get("transcript", deltas[event["item_id"]])),
            )
            if edits(whole[: len(early)], early) > len(early) // 3:  # the last decode may correct a word
                found.append(f"deltas {early} and then {whole}")
            if event["item_id"] not in added:
                found.append(f"a transcript of {event['item_id']} before the item")
            if event["item_id"] in ended:
                found.append(f"two transcripts of {event['item_id']}")
            ended.add(event["item_id"])
    return found


def _committed(events: list[Event], added: Event) -> bool:
    return any(
        e["type"] == "input_audio_buffer.committed" and e["item_id"] == added["item"]["id"] for e in events
    )


def audio_problems(event: Event, bytes_per_ms: int, sample_bytes: int) -> list[str]:
    """An audio delta has complete samples and is not too long (1.4)."""
    try:
        sound = base64.b64decode(event["delta"], validate=True)
    except binascii.Error:
        return ["an audio delta is not base64"]
    found = [] if len(sound) % sample_bytes == 0 else ["an audio delta ends inside a sample"]
    long_ms = len(sound) / bytes_per_ms
    return found + ([f"an audio delta of {long_ms:.0f} ms"] if long_ms > MAX_DELTA_MS else [])
