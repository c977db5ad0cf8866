"""Spoken turns: voice detection, manual commit, interruption, telephone formats, silence (3.5, 3.6, 3.9)."""

from tests.conformance.cases import STORY, configure, done, lives, refused, respond, say, update, updated
from tests.conformance.script import (
    AT_ONCE_S,
    FULL,
    POSITION,
    Among,
    Case,
    Expect,
    Is,
    Keep,
    Mark,
    Never,
    Ref,
    Send,
    Settled,
    Sound,
    Speak,
)

SPEECH = "clip:en_sb_spk1_snt5"  # "Sunday is the best part of the week."
COMPLETED = "conversation.item.input_audio_transcription.completed"
MANUAL = {"audio": {"input": {"turn_detection": None}}}
HEARD = {
    "item_id": Ref("user"),
    "content_index": 0,
    "transcript": FULL,
    "usage": {"type": "duration", "seconds": ...},
}
NOT_YET = [{"type": "input_audio", "transcript": None}]


def spoken_turn() -> tuple[object, ...]:
    return (
        Expect(
            "input_audio_buffer.speech_started", {"audio_start_ms": POSITION, "item_id": Keep("user", FULL)}
        ),
        Expect("input_audio_buffer.speech_stopped", {"item_id": Ref("user")}),
        Expect("input_audio_buffer.committed", {"item_id": Ref("user")}),
        Expect(
            "conversation.item.added",
            {"item": {"id": Ref("user"), "status": "completed", "content": NOT_YET}},
        ),
        Expect("conversation.item.done", {"item": {"id": Ref("user"), "content": NOT_YET}}),
    )


def telephone(law: str) -> Case:
    wanted = {"input": {"format": {"type": law}}, "output": {"format": {"type": law}}}
    return Case(
        f"a spoken turn in {law}",
        "2",
        (
            update(audio=wanted),
            updated(audio=wanted),
            Mark(),
            Speak(SPEECH, law, then_silence_s=1.5),
            *spoken_turn(),
            Among(COMPLETED, HEARD),
            done(audio={"output": {"format": {"type": law}}}),
            Sound(300, law),
        ),
    )


CASES = (
    Case(
        "a voice turn, the server hears its end",
        "3.5",
        (
            Mark(),
            Speak(SPEECH, then_silence_s=1.5),
            *spoken_turn(),
            Among("response.created", {"response": {"conversation_id": FULL}}),
            Among(COMPLETED, HEARD),
            done(output=[{"type": "message", "content": [{"type": "output_audio", "transcript": FULL}]}]),
            Sound(300),
            Send("conversation.item.retrieve", {"item_id": Ref("user")}),
            Expect("conversation.item.retrieved", {"item": {"content": [{"type": "input_audio", "transcript": FULL}]}}),
        ),
    ),
    Case(
        "words are told while they are spoken",
        "3.3",
        (
            Mark(),
            Speak("clip:en_lj_0006", then_silence_s=1.0, paced=True),
            Expect("input_audio_buffer.speech_started", {"item_id": Keep("user", FULL)}),
            Among(
                "conversation.item.input_audio_transcription.delta",
                {"item_id": Ref("user"), "content_index": 0, "delta": FULL},
            ),
            Among(COMPLETED, HEARD),
            done(),
        ),
        own=True,
    ),
    Case(
        "a voice turn with semantic_vad",
        "2.1",
        (
            *configure(audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "high"}}}),
            Mark(),
            Speak(SPEECH, then_silence_s=2.5),
            *spoken_turn(),
            Among(COMPLETED, HEARD),
            done(),
        ),
    ),
    Case(
        "turns that nobody asked an answer for",
        "2.1",
        (
            *configure(audio={"input": {"turn_detection": {"type": "server_vad", "create_response": False}}}),
            Mark(),
            Speak(SPEECH, then_silence_s=1.5),
            *spoken_turn(),
            Among(COMPLETED, HEARD),
            Settled(),
            Never(("response.created",)),
            respond(output_modalities=["text"]),
            done(),
        ),
    ),
    Case(
        "manual commit and response back to back",
        "3.6",
        (
            *configure(**MANUAL),
            Mark(),
            Speak(SPEECH),
            Send("input_audio_buffer.commit"),
            respond(metadata={"asked": "yes"}),
            Expect("input_audio_buffer.committed", {"item_id": Keep("user"), "previous_item_id": None}),
            Expect("conversation.item.added", {"item": {"id": Ref("user"), "content": NOT_YET}}),
            Expect("conversation.item.done", {"item": {"id": Ref("user")}}),
            Among("response.created", {"response": {"metadata": {"asked": "yes"}}}, AT_ONCE_S),
            Among(COMPLETED, HEARD),
            done(metadata={"asked": "yes"}),
            Never(("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped")),
        ),
    ),
    Case(
        "a commit alone asks for nothing",
        "3.2",
        (
            *configure(**MANUAL),
            Mark(),
            Speak(SPEECH),
            Send("input_audio_buffer.commit"),
            Among(COMPLETED),
            Settled(),
            Never(("response.created",)),
        ),
    ),
    Case(
        "an empty commit",
        "3.2, 5.2",
        (
            Send("input_audio_buffer.commit", {"event_id": "c1"}),
            refused("input_audio_buffer_commit_empty", event_id="c1"),
            *configure(**MANUAL),
            Speak("silence:0.05"),
            Send("input_audio_buffer.commit"),
            refused("input_audio_buffer_commit_empty"),
            *lives(),
        ),
    ),
    Case(
        "clear forgets what was appended",
        "3.2",
        (
            *configure(**MANUAL),
            Speak(SPEECH),
            Send("input_audio_buffer.clear"),
            Expect("input_audio_buffer.cleared", {}, AT_ONCE_S),
            Send("input_audio_buffer.commit"),
            refused("input_audio_buffer_commit_empty"),
        ),
    ),
    Case(
        "silence is nobody's turn",
        "3.5",
        (
            Speak("silence:4"),
            Settled(),
            Never(("input_audio_buffer.speech_started", "response.created", "input_audio_buffer.committed")),
        ),
    ),
    Case(
        "speech interrupts a reply",
        "3.9",
        (
            *say(STORY, name="asked"),
            respond(),
            Expect("response.created", {"response": {"id": Keep("reply")}}),
            Expect("response.output_audio.delta", {"item_id": Keep("said")}),
            Mark(),
            Speak("clip:en_lj_0006", then_silence_s=1.5),
            Expect("input_audio_buffer.speech_started"),
            Expect(
                "response.done",
                {
                    "response": {
                        "id": Ref("reply"),
                        "status": "cancelled",
                        "status_details": {"type": "cancelled", "reason": "turn_detected"},
                    }
                },
                AT_ONCE_S,
            ),
            Send("conversation.item.truncate", {"item_id": Ref("said"), "content_index": 0, "audio_end_ms": 100}),
            Among("conversation.item.truncated", {"item_id": Ref("said"), "audio_end_ms": Is("is at most 100", lambda ms: ms <= 100)}),
            Among("response.created", {"response": {"id": Is("is another reply", lambda name: bool(name))}}),
            Expect("response.done", {"response": {"status": "completed"}}),
        ),
    ),
    Case(
        "speech does not interrupt where it may not",
        "2.1, 3.5",
        (
            *configure(audio={"input": {"turn_detection": {"type": "server_vad", "interrupt_response": False}}}),
            *say("Count to ten.", name="asked"),
            respond(),
            Expect("response.output_audio.delta"),
            Mark(),
            Speak(SPEECH, then_silence_s=1.5),
            Among("response.done", {"response": {"status": "completed"}}),
        ),
    ),
    Case(
        "the format of the microphone is fixed while there is sound",
        "2",
        (
            *configure(**MANUAL),
            Speak("silence:0.3"),
            update(audio={"input": {"format": {"type": "audio/pcmu"}}}),
            refused("invalid_value"),
            Send("input_audio_buffer.clear"),
            Expect("input_audio_buffer.cleared"),
            *configure(audio={"input": {"format": {"type": "audio/pcmu"}}}),
        ),
        own=True,
    ),
    telephone("audio/pcmu"),
    telephone("audio/pcma"),
    Case(
        "a user who says nothing is asked",
        "2.1, 3.3",
        (
            *configure(audio={"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 5000}}}),
            *say("What is 2 plus 3?", name="asked"),
            respond(),
            done(),
            Mark(),
            Speak("silence:1"),
            Expect("input_audio_buffer.timeout_triggered", {"item_id": Keep("silent", FULL)}),
            Expect("input_audio_buffer.committed", {"item_id": Ref("silent")}),
            Expect("conversation.item.added", {"item": {"id": Ref("silent")}}),
            Expect("conversation.item.done", {"item": {"id": Ref("silent")}}),
            Expect("response.created"),
            Expect("response.done"),
        ),
    ),
)  # fmt: skip
