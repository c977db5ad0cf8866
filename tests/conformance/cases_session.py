"""The first events, the session object, and merging updates (docs/wire.md 1.6, 2)."""

from tests.conformance.cases import (
    WEATHER,
    configure,
    create,
    done,
    message,
    refused,
    respond,
    update,
    updated,
)
from tests.conformance.script import (
    ABSENT,
    NON_EMPTY,
    SHORT_TIMEOUT_S,
    Case,
    Count,
    Expect,
    Mark,
    Never,
    Send,
    Settled,
    matches,
)

PCM = {"type": "audio/pcm", "rate": 24_000}
FULL_SESSION = {
    "id": matches("^sess_"), "object": "realtime.session", "type": "realtime", "expires_at": int, "model": NON_EMPTY,
    "output_modalities": ["audio"], "tools": [], "tool_choice": "auto", "max_output_tokens": "inf",
    "truncation": "auto", "tracing": None, "prompt": None, "extensions": ABSENT, "resume_window_s": ABSENT,
    "audio": {
        "input": {
            "format": PCM, "noise_reduction": None,
            "turn_detection": {
                "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500,
                "create_response": True, "interrupt_response": True, "idle_timeout_ms": None,
            },
        },
        "output": {"format": PCM, "voice": NON_EMPTY, "speed": 1.0},
    },
}  # fmt: skip


def vad(**pattern: object) -> dict[str, object]:
    return {"audio": {"input": {"turn_detection": pattern}}}


def output(**pattern: object) -> dict[str, object]:
    return {"audio": {"output": pattern}}


BETA_KEYS = {
    "modalities": (["text"], "output_modalities"),
    "voice": ("alloy", "audio.output.voice"),
    "input_audio_format": ("pcm16", "audio.input.format"),
    "output_audio_format": ("pcm16", "audio.output.format"),
    "input_audio_transcription": ({"model": "whisper-1"}, "audio.input.transcription"),
    "input_audio_noise_reduction": ({"type": "near_field"}, "audio.input.noise_reduction"),
    "turn_detection": ({"type": "server_vad"}, "audio.input.turn_detection"),
    "max_response_output_tokens": (100, "max_output_tokens"),
}

CASES = (
    Case(
        "first events",
        "1.6, 2",
        (
            Expect("session.created", {"session": FULL_SESSION}, SHORT_TIMEOUT_S, next=True),
            Expect(
                "conversation.created",
                {"conversation": {"id": matches("^conv_")}},
                SHORT_TIMEOUT_S,
                next=True,
            ),
        ),
    ),
    Case("an empty update", "2.2", (update(), updated(**FULL_SESSION), Settled(), Count("error", 0))),
    Case(
        "audio.input and audio.output are merged, nested values are replaced",
        "2.2 rules 2, 3",
        (
            update(audio={"input": {"turn_detection": {"type": "server_vad", "threshold": 0.7}}}),
            updated(**vad(threshold=0.7, silence_duration_ms=500), output_modalities=["audio"]),
            update(audio={"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": 900}}}),
            updated(**vad(threshold=0.5, silence_duration_ms=900)),
            update(audio={"output": {"speed": 1.25}}),
            updated(
                audio={"input": {"turn_detection": {"silence_duration_ms": 900}}, "output": {"speed": 1.25}}
            ),
        ),
    ),
    Case(
        "semantic_vad drops the keys of the other mode",
        "2.1",
        (
            update(
                audio={
                    "input": {
                        "turn_detection": {
                            "type": "semantic_vad",
                            "eagerness": "high",
                            "threshold": 0.9,
                            "model_version": "x",
                        }
                    }
                }
            ),
            updated(
                **vad(
                    type="semantic_vad",
                    eagerness="high",
                    create_response=True,
                    interrupt_response=True,
                    threshold=ABSENT,
                    silence_duration_ms=ABSENT,
                )
            ),
        ),
    ),
    Case(
        "null switches off, or restores the default",
        "2.2 rule 4",
        (
            update(
                instructions="Be brief.",
                max_output_tokens=50,
                tools=[WEATHER],
                tool_choice="required",
                audio={
                    "input": {"transcription": {"model": "whisper-1", "language": "en"}},
                    "output": {"speed": 1.2},
                },
            ),
            updated(
                instructions="Be brief.",
                max_output_tokens=50,
                tools=[WEATHER],
                tool_choice="required",
                audio={"input": {"transcription": {"model": NON_EMPTY, "language": "en", "prompt": ABSENT}}},
            ),
            update(
                max_output_tokens=None,
                tool_choice=None,
                tools=[],
                instructions="",
                tracing=None,
                prompt=None,
                audio={
                    "input": {
                        "transcription": None,
                        "noise_reduction": None,
                        "turn_detection": None,
                        "format": None,
                    },
                    "output": {"speed": None, "format": None},
                },
            ),
            updated(
                max_output_tokens="inf",
                tool_choice="auto",
                tools=[],
                instructions="",
                tracing=None,
                prompt=None,
                audio={
                    "input": {
                        "transcription": None,
                        "noise_reduction": None,
                        "turn_detection": None,
                        "format": PCM,
                    },
                    "output": {"speed": 1.0, "format": PCM},
                },
            ),
        ),
    ),
    Case(
        "an update with an error changes nothing",
        "2.2 rule 1",
        (
            update(instructions="Never.", audio={"output": {"speed": 9}}),
            refused("invalid_value", param="session.audio.output.speed"),
            update(),
            updated(**FULL_SESSION),
        ),
    ),
    Case(
        "noise reduction keeps its strength",
        "2.2 rule 3",
        (
            update(audio={"input": {"noise_reduction": {"type": "near_field", "strength": 0.4}}}),
            updated(audio={"input": {"noise_reduction": {"type": "near_field", "strength": 0.4}}}),
            update(audio={"input": {"noise_reduction": {"type": "far_field"}}}),
            updated(audio={"input": {"noise_reduction": {"type": "far_field", "strength": 0.4}}}),
        ),
    ),
    Case(
        "modalities",
        "2",
        (
            update(output_modalities=["text"]),
            updated(output_modalities=["text"]),
            update(output_modalities=["audio", "text"]),
            updated(output_modalities=["audio"]),
            update(output_modalities=["text", "audio"]),
            updated(output_modalities=["audio"]),
            update(output_modalities=["video"]),
            refused("invalid_value"),
        ),
        own=True,
    ),
    Case(
        "voices are returned as strings",
        "2",
        (
            update(audio={"output": {"voice": "marin"}}),
            updated(**output(voice="marin")),
            update(audio={"output": {"voice": {"id": "Friendly_Person"}}}),
            updated(**output(voice="Friendly_Person")),
        ),
        own=True,
    ),
    Case(
        "tracing, prompt and reasoning are returned",
        "2",
        (
            update(tracing="auto"),
            updated(tracing="auto"),
            update(
                tracing={"workflow_name": "w"},
                prompt={"id": "pmpt_1", "version": "2"},
                reasoning={"effort": "low"},
                parallel_tool_calls=False,
            ),
            updated(
                tracing={"workflow_name": "w"},
                prompt={"id": "pmpt_1", "version": "2"},
                reasoning={"effort": "low"},
                parallel_tool_calls=False,
            ),
        ),
    ),
    Case(
        "the model cannot be changed and the real one is returned",
        "1.1, 2",
        (
            update(model="gpt-realtime-2.1", id="sess_mine", object="realtime.session", expires_at=1),
            updated(model=NON_EMPTY, id=matches("^sess_(?!mine)")),
        ),
        own=True,
    ),
    Case(
        "an update during a reply is accepted",
        "2.2 rule 5",
        (
            create(message("Count to three.")),
            respond(),
            update(tracing="auto", output_modalities=["text"]),
            updated(output_modalities=["text"]),
            done(output_modalities=["audio"]),
        ),
    ),
    *(
        Case(
            f"a beta name is an error: {key}",
            "2.3",
            (
                update(**{key: value}),
                refused("unknown_parameter", param=f"session.{key}", message=matches(current)),
                Settled(),
                Count("error", 1),
            ),
            own=True,
        )
        for key, (value, current) in BETA_KEYS.items()
    ),
    Case(
        "the error for an unknown key has its path",
        "2.3",
        (
            update(audio={"input": {"loudness": 3}}),
            refused("unknown_parameter", param="session.audio.input.loudness"),
        ),
    ),
    Case(
        "keys without effect are accepted",
        "2.3",
        (
            update(
                temperature=0.8,
                include=["item.input_audio_transcription.logprobs"],
                audio={
                    "input": {
                        "transcription": {
                            "model": "whisper-1",
                            "delay": "low",
                            "keywords": ["sea"],
                            "languages": ["en"],
                        }
                    }
                },
            ),
            updated(temperature=0.8, audio={"input": {"transcription": {"model": NON_EMPTY}}}),
            create(message("What is 2 plus 3?")),
            respond(output_modalities=["text"], temperature=0.5, audio={"output": {"speed": 1.1}}),
            done(),
        ),
        own=True,
    ),
    Case(
        "a transcription session is an error",
        "2",
        (Send("session.update", {"session": {"type": "transcription"}}), refused("invalid_value")),
        own=True,
    ),
    Case(
        "null transcription only switches off the events",
        "2",
        (
            *configure(audio={"input": {"transcription": None, "turn_detection": None}}),
            Mark(),
            Send("input_audio_buffer.append", {"audio": "AAAA" * 3200}),
            Send("input_audio_buffer.commit"),
            Expect("conversation.item.done"),
            *configure(output_modalities=["text"]),
            create(message("What is 2 plus 3?")),
            respond(),
            done(),
            Never(
                (
                    "conversation.item.input_audio_transcription.completed",
                    "conversation.item.input_audio_transcription.delta",
                )
            ),
        ),
        own=True,
    ),
)
