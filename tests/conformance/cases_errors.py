"""The documented errors and limits: each wrong event gets one `error`, and the session continues (1.4, 5.2)."""

import base64

from tests.conformance.cases import STORY, create, done, message, refused, respond, say, still_works
from tests.conformance.script import (
    NON_EMPTY,
    SHORT_TIMEOUT_S,
    Case,
    Count,
    Expect,
    Is,
    Keep,
    Mark,
    Raw,
    Ref,
    Send,
    Settled,
    Step,
    matches,
)

_NOT_AN_EVENT = Expect(
    "error",
    {"error": {"type": "invalid_request_error", "code": "invalid_value", "event_id": None}},
    SHORT_TIMEOUT_S,
)


def mistake(name: str, rule: str, step: Step, *expected: Expect, own: bool = False) -> Case:
    """One wrong event and its error; the session continues."""
    return Case(name, rule, (step, *expected, Settled(), Count("error", 1), *still_works()), own)


CASES = (
    mistake("not JSON", "3.11", Raw("{nonsense"), _NOT_AN_EVENT),
    mistake("not an object", "3.11", Raw("[1, 2]"), _NOT_AN_EVENT),
    mistake("no type", "3.11", Raw('{"event_id": "c1"}'), Expect("error", {"error": {"code": NON_EMPTY}})),
    mistake(
        "an event that does not exist",
        "2.3",
        Send("session.dance", {"event_id": "c1"}),
        refused("invalid_value", param="type", event_id="c1", message=matches("session.dance")),
    ),
    mistake(
        "a field that is missing",
        "5.2",
        create({"type": "message", "role": "user", "content": [{"type": "input_text"}]}, event_id="c2"),
        refused("missing_required_parameter", param="item.content[0].text", event_id="c2"),
    ),
    mistake(
        "a role that does not exist",
        "5.2",
        create({"type": "message", "role": "pirate", "content": []}),
        refused("invalid_value", param="item.role"),
    ),
    mistake(
        "a part of another role",
        "3.1",
        create({"type": "message", "role": "user", "content": [{"type": "output_text", "text": "x"}]}),
        Expect("error", {"error": {"type": "invalid_request_error", "param": matches(r"item\.content\[0\]")}}),
    ),
    mistake(
        "audio that is not base64",
        "3.2",
        Send("input_audio_buffer.append", {"audio": "$$$", "event_id": "c3"}),
        refused("invalid_value", param="audio", event_id="c3"),
    ),
    mistake(
        "retrieve an unknown item",
        "5.2",
        Send("conversation.item.retrieve", {"item_id": "unknown", "event_id": "rci_unknown"}),
        refused("item_retrieve_invalid_item_id", event_id="rci_unknown"),
    ),
    mistake(
        "delete an unknown item",
        "5.2",
        Send("conversation.item.delete", {"item_id": "unknown", "event_id": "c4"}),
        refused("item_delete_invalid_item_id", event_id="c4"),
        own=True,
    ),
    mistake(
        "truncate an unknown item",
        "5.2",
        Send("conversation.item.truncate", {"item_id": "unknown", "content_index": 0, "audio_end_ms": 1}),
        refused("item_truncate_invalid_item_id"),
        own=True,
    ),
    mistake(
        "an unknown previous item",
        "5.2",
        create(message("x"), previous_item_id="unknown", event_id="c5"),
        refused("item_create_invalid_previous_item_id", event_id="c5"),
        own=True,
    ),
    mistake("negative truncation", "3.2", Send("conversation.item.truncate", {"item_id": "x", "content_index": 0, "audio_end_ms": -1}), refused("invalid_value", param="audio_end_ms")),
    mistake("output_audio_buffer.clear without playback", "3.2", Send("output_audio_buffer.clear"), refused("invalid_value"), own=True),
    mistake("a binary message without the subprotocol", "6.2", Raw(b"\x01\x01\x00\x00"), refused("invalid_value", param="message"), own=True),
    mistake("a tool of another kind", "2", Send("session.update", {"session": {"tools": [{"type": "mcp", "server_label": "x"}]}}), refused("invalid_value"), own=True),
    mistake("a speed above the limit", "2", Send("session.update", {"session": {"audio": {"output": {"speed": 4}}}}), refused("invalid_value", param="session.audio.output.speed")),
    mistake("an unknown key of a response", "2.3", respond(colour="blue"), refused("unknown_parameter", param="response.colour")),
    Case(
        "the same id twice",
        "5.2",
        (
            create(message("x", id="twice")),
            Expect("conversation.item.done"),
            create(message("y", id="twice"), event_id="c6"),
            refused("item_create_duplicate_item_id", event_id="c6"),
            *still_works(),
        ),
    ),
    Case(
        "a second response while one is active",
        "3.11",
        (
            *say(STORY),
            respond(),
            Expect("response.created", {"response": {"id": Keep("reply")}}),
            Send("response.create", {"event_id": "agents_js_response_create_2"}),
            refused(
                "conversation_already_has_active_response",
                event_id="agents_js_response_create_2",
                message=matches("already has an active response"),
            ),
            Send("response.cancel"),
            Expect("response.done", {"response": {"id": Ref("reply"), "status": "cancelled"}}),
        ),
    ),
    Case(
        "truncate an item that is not speech of the assistant",
        "3.9",
        (
            create(message("x", id="u1")),
            Expect("conversation.item.done"),
            Send("conversation.item.truncate", {"item_id": "u1", "content_index": 0, "audio_end_ms": 0}),
            refused("unsupported_content_type"),
        ),
    ),
    Case(
        "metadata holds 16 short entries",
        "3.2",
        (
            respond(metadata={f"k{n}": "v" for n in range(17)}),
            Expect("error", {"error": {"type": "invalid_request_error", "param": matches(r"^response\.metadata")}}),
            respond(metadata={"k": "v" * 513}),
            Expect("error", {"error": {"type": "invalid_request_error", "param": matches(r"^response\.metadata")}}),
            create(message("What is 2 plus 3?")),
            respond(metadata={f"k{n}": "v" * 512 for n in range(16)}, output_modalities=["text"]),
            done(metadata=Is("has 16 entries", lambda found: len(found) == 16)),
        ),
    ),
    Case(
        "a long item is taken, and the lengths of an event and of instructions are limited",
        "1.4",
        (
            create(message("x" * 1_048_576)),
            refused("invalid_value"),
            create(message("x" * 1_000_000)),
            Expect("conversation.item.done"),
            create(message("x" * 200_000)),
            Expect("conversation.item.done"),
            Send("session.update", {"session": {"instructions": "x" * 65_537}}),
            refused("invalid_value", param="session.instructions"),
            Send("session.update", {"session": {"instructions": "x" * 65_536}}),
            Expect("session.updated"),
        ),
        own=True,
    ),
    Case(
        "one append of ten seconds",
        "1.4",
        (
            Mark(),
            Send("input_audio_buffer.append", {"audio": base64.b64encode(bytes(480_000)).decode()}),
            Settled(),
            Count("error", 0),
            Send("input_audio_buffer.append", {"audio": ""}),
            Settled(),
            Count("error", 0),
        ),
    ),
    Case(
        "five hundred events at once are all answered",
        "1.4",
        (
            *(create(message("x", id=f"many_{n}")) for n in range(500)),
            Expect("conversation.item.done", {}, 30.0),
            Mark(),
            Send("conversation.item.retrieve", {"item_id": "many_499"}),
            Expect("conversation.item.retrieved", {"item": {"id": "many_499"}}, 30.0),
            Send("conversation.item.delete", {"item_id": "many_0"}),
            Expect("conversation.item.deleted", {"item_id": "many_0"}, 30.0),
        ),
    ),
)  # fmt: skip
