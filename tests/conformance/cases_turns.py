"""Text turns, function calls, out-of-band responses, cancelling (docs/wire.md 3.6 to 3.10)."""

from tests.conformance.cases import (
    STORY,
    TEXT_ONLY,
    WEATHER,
    configure,
    create,
    done,
    message,
    refused,
    respond,
    say,
    still_works,
)
from tests.conformance.script import (
    NON_EMPTY,
    SHORT_TIMEOUT_S,
    Among,
    Case,
    Count,
    Expect,
    Keep,
    Mark,
    Never,
    Ref,
    Send,
    Settled,
    Sound,
    matches,
    says,
)

TEXT_EVENTS = (
    "response.output_item.added", "conversation.item.added", "response.content_part.added",
    "response.output_text.delta", "response.output_text.done", "response.content_part.done",
    "response.output_item.done", "conversation.item.done", "response.done",
)  # fmt: skip
SPEECH_EVENTS = (
    "response.output_item.added", "conversation.item.added", "response.content_part.added",
    "response.output_audio.delta", "response.output_audio.done", "response.output_audio_transcript.done",
    "response.content_part.done", "response.output_item.done", "conversation.item.done", "response.done",
)  # fmt: skip
CONVERSATION_EVENTS = ("conversation.item.added", "conversation.item.done")


def in_order(types: tuple[str, ...]) -> tuple[Expect, ...]:
    return tuple(Expect(type) for type in types)


def called(n: int) -> tuple[object, ...]:
    """The n-th call of a response; its call_id is kept as call1, call2 ..."""
    call = {"type": "function_call", "name": "get_weather", "call_id": Keep(f"call{n}", NON_EMPTY)}
    return (
        Among("response.output_item.done", {"output_index": n - 1, "item": {**call, "status": "completed"}}),
    )


def answered(n: int, text: str) -> Send:
    return create({"type": "function_call_output", "call_id": Ref(f"call{n}"), "output": text})


CASES = (
    Case(
        "a text turn",
        "3.7",
        (
            create(message("What is 2 plus 3?", id="msg_9")),
            Expect(
                "conversation.item.added",
                {
                    "previous_item_id": None,
                    "item": {
                        "id": "msg_9",
                        "status": "completed",
                        "role": "user",
                        "content": [{"type": "input_text", "text": "What is 2 plus 3?"}],
                    },
                },
                SHORT_TIMEOUT_S,
            ),
            Expect("conversation.item.done", {"item": {"id": "msg_9"}}, SHORT_TIMEOUT_S, next=True),
            respond(**TEXT_ONLY),
            Expect(
                "response.created",
                {"response": {"output_modalities": ["text"], "output": []}},
                SHORT_TIMEOUT_S,
            ),
            *in_order(TEXT_EVENTS[:-1]),
            done(
                output=[{"role": "assistant", "content": [{"type": "output_text", "text": NON_EMPTY}]}],
                status_details=None,
            ),
            Never(("response.output_audio.delta", "response.output_audio_transcript.delta")),
        ),
    ),
    Case(
        "a text turn answered in speech",
        "3.5, 3.7",
        (
            *say("What is 2 plus 3?"),
            Mark(),
            respond(),
            Expect(
                "response.created",
                {"response": {"audio": {"output": {"voice": NON_EMPTY}}}},
                SHORT_TIMEOUT_S,
                next=True,
            ),
            *in_order(SPEECH_EVENTS[:-1]),
            done(output=[{"content": [{"type": "output_audio", "transcript": NON_EMPTY}]}]),
            Sound(300),
            Never(("response.output_text.delta", "input_audio_buffer.speech_started")),
        ),
    ),
    Case(
        "no response without response.create",
        "3.2",
        (
            create(message("Hello.")),
            Expect("conversation.item.done"),
            Settled(),
            Never(("response.created",)),
        ),
    ),
    Case(
        "metadata is returned unchanged",
        "3.2",
        (
            create(message("Hello.")),
            respond(
                metadata={"client_event_id": "response_create_ab12", "k": "ü"}, instructions=None, **TEXT_ONLY
            ),
            Expect(
                "response.created",
                {"response": {"metadata": {"client_event_id": "response_create_ab12", "k": "ü"}}},
                SHORT_TIMEOUT_S,
            ),
            done(metadata={"client_event_id": "response_create_ab12", "k": "ü"}),
            respond(**TEXT_ONLY),
            done(metadata=None),
        ),
    ),
    Case(
        "one function call and its answer",
        "3.8",
        (
            *configure(tools=[WEATHER], output_modalities=["text"]),
            Mark(),
            create(message("What is the weather in Paris?")),
            respond(tool_choice={"type": "function", "name": "get_weather"}),
            Expect(
                "response.output_item.added",
                {"item": {"type": "function_call", "status": "in_progress", "arguments": ""}},
            ),
            Expect(
                "response.function_call_arguments.done", {"name": "get_weather", "arguments": says("paris")}
            ),
            done(output=[{"type": "function_call", "call_id": NON_EMPTY}]),
            *called(1),
            Mark(),
            answered(1, '{"sky":"sunny","celsius":21}'),
            Expect(
                "conversation.item.added", {"item": {"type": "function_call_output", "call_id": Ref("call1")}}
            ),
            Expect("conversation.item.done"),
            Settled(),
            Never(("response.created",)),
            respond(tool_choice="none"),
            done(output=[{"type": "message", "content": [{"text": says("21")}]}]),
        ),
        asks_model=True,
    ),
    Case(
        "two calls in one response",
        "3.8",
        (
            *configure(tools=[WEATHER], output_modalities=["text"]),
            Mark(),
            create(message("What is the weather in Paris and in Rome?")),
            respond(tool_choice="required"),
            done(),
            *called(1),
            *called(2),
            Count("response.function_call_arguments.done", 2),
            answered(2, '{"sky":"cloudy","celsius":17}'),
            answered(1, '{"sky":"sunny","celsius":21}'),
            respond(tool_choice="none"),
            Expect("response.created"),
            done(output=[{"type": "message"}]),
        ),
        asks_model=True,
    ),
    Case(
        "a response with a call still unanswered",
        "3.8",
        (
            *configure(tools=[WEATHER], output_modalities=["text"]),
            Mark(),
            create(message("What is the weather in Paris?")),
            respond(tool_choice="required"),
            done(),
            *called(1),
            create(message("Never mind. What is 2 plus 3?")),
            respond(tool_choice="none"),
            Expect("response.created"),
            done(output=[{"type": "message"}]),
        ),
        own=True,
        asks_model=True,
    ),
    Case(
        "the output of an unknown call",
        "3.8",
        (
            create({"type": "function_call_output", "call_id": "call_unknown", "output": "1"}),
            refused("invalid_value", param="item.call_id"),
        ),
    ),
    Case(
        "calls created by the client",
        "3.2",
        (
            create(
                {
                    "type": "function_call",
                    "id": "fc_1",
                    "call_id": "call_9",
                    "name": "get_weather",
                    "arguments": "{}",
                }
            ),
            Expect(
                "conversation.item.added",
                {"item": {"id": "fc_1", "call_id": "call_9", "status": "completed"}},
            ),
            create({"type": "function_call_output", "id": "fo_1", "call_id": "call_9", "output": "sunny"}),
            Expect("conversation.item.added", {"item": {"id": "fo_1"}, "previous_item_id": "fc_1"}),
        ),
    ),
    Case(
        "an out-of-band response",
        "3.8",
        (
            *say("My name is Ada."),
            Expect("conversation.item.done"),
            Mark(),
            respond(
                conversation="none",
                metadata={"topic": "sum"},
                output_modalities=["text"],
                input=[message("What is 2 plus 3?")],
            ),
            Expect(
                "response.created",
                {"response": {"conversation_id": None, "metadata": {"topic": "sum"}}},
                SHORT_TIMEOUT_S,
            ),
            done(conversation_id=None, output=[{"content": [{"type": "output_text", "text": NON_EMPTY}]}]),
            Never(CONVERSATION_EVENTS),
            respond(
                conversation="none",
                output_modalities=["text"],
                input=[{"type": "item_reference", "id": Ref("user")}],
            ),
            done(conversation_id=None),
            Never(CONVERSATION_EVENTS),
        ),
    ),
    Case(
        "an out-of-band response during another response",
        "3.8",
        (
            *say(STORY),
            respond(metadata={"who": "story"}),
            Expect("response.created", {"response": {"metadata": {"who": "story"}}}),
            Mark(),
            respond(
                conversation="none",
                metadata={"who": "aside"},
                output_modalities=["text"],
                input=[message("Hello.")],
            ),
            Among("response.done", {"response": {"metadata": {"who": "aside"}, "status": "completed"}}),
            Send("response.cancel"),
            Among("response.done", {"response": {"metadata": {"who": "story"}}}),
        ),
    ),
    Case(
        "input replaces the context",
        "3.2",
        (
            *say("My name is Ada."),
            respond(input=[message("What is 2 plus 3?")], **TEXT_ONLY),
            done(output=[{"content": [{"text": NON_EMPTY}]}]),
            respond(input=[{"type": "item_reference", "id": "unknown"}]),
            Expect(
                "error", {"error": {"type": "invalid_request_error", "param": matches(r"response\.input")}}
            ),
        ),
    ),
    Case(
        "cancel",
        "3.10",
        (
            *say(STORY),
            respond(),
            Expect("response.output_audio.delta"),
            Send("response.cancel"),
            Expect("response.output_item.done", {"item": {"status": "incomplete"}}, SHORT_TIMEOUT_S),
            Expect(
                "response.done",
                {
                    "response": {
                        "status": "cancelled",
                        "status_details": {"type": "cancelled", "reason": "client_cancelled"},
                        "output": [{"status": "incomplete"}],
                    }
                },
                SHORT_TIMEOUT_S,
            ),
            Send("response.cancel"),
            Settled(),
            Count("error", 0),
            *still_works(),
        ),
        own=True,
    ),
    Case(
        "cancel by id, and without an active response",
        "3.10",
        (
            Send("response.cancel", {"event_id": "c1"}),
            refused("response_cancel_not_active", event_id="c1", message=matches("^Cancellation failed")),
            *say(STORY),
            respond(),
            Expect("response.created", {"response": {"id": Keep("reply")}}),
            Send("response.cancel", {"response_id": "resp_unknown"}),
            refused("response_cancel_not_active"),
            Send("response.cancel", {"response_id": Ref("reply")}),
            Expect(
                "response.done", {"response": {"id": Ref("reply"), "status": "cancelled"}}, SHORT_TIMEOUT_S
            ),
        ),
    ),
    Case(
        "the length of a reply is limited",
        "3.1",
        (
            *say(STORY),
            respond(max_output_tokens=8, **TEXT_ONLY),
            done("incomplete", status_details={"type": "incomplete", "reason": "max_output_tokens"}),
        ),
    ),
)
