"""Items: their positions, roles and parts, truncate, delete, retrieve (docs/wire.md 3.1, 3.2, 3.9)."""

from tests.conformance.cases import (
    STORY,
    TEXT_ONLY,
    create,
    done,
    message,
    refused,
    respond,
    say,
    still_works,
)
from tests.conformance.script import NON_EMPTY, SHORT_TIMEOUT_S, Case, Expect, Is, Keep, Ref, Send, matches

CASES = (
    Case(
        "truncate, then retrieve the shorter item",
        "3.9",
        (
            *say(STORY),
            respond(),
            Expect("response.output_audio.delta", {"item_id": Keep("said")}),
            Expect("response.output_audio_transcript.delta"),
            Send("response.cancel"),
            Expect(
                "response.done",
                {"response": {"output": [{"content": [{"transcript": Keep("transcript", NON_EMPTY)}]}]}},
            ),
            Send(
                "conversation.item.truncate", {"item_id": Ref("said"), "content_index": 0, "audio_end_ms": 20}
            ),
            Expect(
                "conversation.item.truncated", {"item_id": Ref("said"), "content_index": 0}, SHORT_TIMEOUT_S
            ),
            Send("conversation.item.retrieve", {"item_id": Ref("said")}),
            Expect(
                "conversation.item.retrieved",
                {
                    "item": {
                        "id": Ref("said"),
                        "status": "incomplete",
                        "content": [
                            {
                                "type": "output_audio",
                                "transcript": Is("is at most a word", lambda t: len(t.split()) <= 1),
                            }
                        ],
                    }
                },
                SHORT_TIMEOUT_S,
            ),
            *still_works(),
        ),
        own=True,
    ),
    Case(
        "truncate keeps what was heard",
        "3.9",
        (
            *say("What is 2 plus 3?"),
            respond(),
            Expect("response.output_audio.delta", {"item_id": Keep("said")}),
            done(output=[{"content": [{"transcript": Keep("transcript", NON_EMPTY)}]}]),
            Send(
                "conversation.item.truncate",
                {"item_id": Ref("said"), "content_index": 0, "audio_end_ms": 700_000},
            ),
            refused("invalid_value", param="audio_end_ms", message=matches("already shorter")),
            Send("conversation.item.retrieve", {"item_id": Ref("said")}),
            Expect("conversation.item.retrieved", {"item": {"content": [{"transcript": Ref("transcript")}]}}),
            Send(
                "conversation.item.truncate", {"item_id": Ref("said"), "content_index": 0, "audio_end_ms": 0}
            ),
            Expect("conversation.item.truncated", {"audio_end_ms": 0}),
            Send("conversation.item.retrieve", {"item_id": Ref("said")}),
            Expect("conversation.item.retrieved", {"item": {"content": [{"transcript": ""}]}}),
        ),
        own=True,
    ),
    Case(
        "the position of every item",
        "3.2",
        (
            create(message("b", id="b")),
            Expect("conversation.item.added", {"item": {"id": "b"}, "previous_item_id": None}),
            create(message("d", id="d")),
            Expect("conversation.item.added", {"item": {"id": "d"}, "previous_item_id": "b"}),
            create(message("a", id="a"), previous_item_id="root"),
            Expect("conversation.item.added", {"item": {"id": "a"}, "previous_item_id": None}),
            create(message("c", id="c"), previous_item_id="b"),
            Expect("conversation.item.added", {"item": {"id": "c"}, "previous_item_id": "b"}),
            create(message("e", id="e"), previous_item_id=None),
            Expect("conversation.item.added", {"item": {"id": "e"}, "previous_item_id": "d"}),
        ),
    ),
    Case(
        "delete and create the same id",
        "4.2",
        (
            create(message("old", id="x")),
            Expect("conversation.item.done"),
            Send("conversation.item.delete", {"item_id": "x"}),
            create(message("new", id="x"), previous_item_id="root"),
            Expect("conversation.item.deleted", {"item_id": "x"}, SHORT_TIMEOUT_S),
            Expect("conversation.item.added", {"item": {"id": "x"}}, SHORT_TIMEOUT_S),
            Expect("conversation.item.done"),
            Send("conversation.item.retrieve", {"item_id": "x"}),
            Expect("conversation.item.retrieved", {"item": {"content": [{"text": "new"}]}}, SHORT_TIMEOUT_S),
        ),
    ),
    Case(
        "roles, beta parts and items without an id",
        "3.1, 2.3",
        (
            create(
                {
                    "type": "message",
                    "role": "system",
                    "content": [{"type": "input_text", "text": "Be brief."}],
                }
            ),
            Expect("conversation.item.added", {"item": {"id": NON_EMPTY, "role": "system"}}),
            create({"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi."}]}),
            Expect(
                "conversation.item.added", {"item": {"content": [{"type": "output_text", "text": "Hi."}]}}
            ),
            create(
                {
                    "type": "message",
                    "role": "assistant",
                    "content": [{"type": "output_audio", "transcript": "Yes."}],
                }
            ),
            Expect(
                "conversation.item.added",
                {"item": {"content": [{"type": "output_audio", "transcript": "Yes."}]}},
            ),
            create(
                {
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_audio", "transcript": "What is 2 plus 3?"}],
                }
            ),
            Expect("conversation.item.added", {"item": {"content": [{"type": "input_audio"}]}}),
            respond(**TEXT_ONLY),
            done(),
        ),
    ),
    Case(
        "an image is accepted",
        "3.1",
        (
            create(
                {
                    "type": "message",
                    "role": "user",
                    "content": [
                        {"type": "input_text", "text": "What is 2 plus 3?"},
                        {
                            "type": "input_image",
                            "image_url": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==",
                        },
                    ],
                }
            ),
            Expect("conversation.item.added"),
            respond(**TEXT_ONLY),
            done(),
        ),
        own=True,
    ),
)
