"""Spoken turns: voice detection, manual commit, interruption, G.711, silence (3.5, 3.6, 3.9)."""

from tests.conformance.cases import (
    STORY,
    configure,
    done,
    refused,
    respond,
    say,
    still_works,
    update,
    updated,
)
from tests.conformance.script import (
    NON_EMPTY,
    SHORT_TIMEOUT_S,
    WHOLE_NUMBER,
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
TRANSCRIPT = {
    "item_id": Ref("user"),
    "content_index": 0,
    "transcript": NON_EMPTY,
    "usage": {"type": "duration", "seconds": ...},
}
NO_TRANSCRIPT = [{"type": "input_audio", "transcript": None}]


def spoken_turn() -> tuple[object, ...]:
    return (
        Expect(
            "input_audio_buffer.speech_started",
            {"audio_start_ms": WHOLE_NUMBER, "item_id": Keep("user", NON_EMPTY)},
        ),
        Expect("input_audio_buffer.speech_stopped", {"item_id": Ref("user")}),
        Expect("input_audio_buffer.committed", {"item_id": Ref("user")}),
        Expect(
            "conversation.item.added",
            {"item": {"id": Ref("user"), "status": "completed", "content": NO_TRANSCRIPT}},
        ),
        Expect("conversation.item.done", {"item": {"id": Ref("user"), "content": NO_TRANSCRIPT}}),
    )


def g711(law: str) -> Case:
    audio = {"input": {"format": {"type": law}}, "output": {"format": {"type": law}}}
    return Case(
        f"a spoken turn in {law}",
        "2",
        (
            update(audio=audio),
            updated(audio=audio),
            Mark(),
            Speak(SPEECH, law, then_silence_s=1.5),
            *spoken_turn(),
            Among(COMPLETED, TRANSCRIPT),
            done(audio={"output": {"format": {"type": law}}}),
            Sound(300, law),
        ),
    )


CASES = (
    Case(
        "a voice turn with server_vad",
        "3.5",
        (
            Mark(),
            Speak(SPEECH, then_silence_s=1.5),
            *spoken_turn(),
            Among("response.created", {"response": {"conversation_id": NON_EMPTY}}),
            Among(COMPLETED, TRANSCRIPT),
            done(output=[{"type": "message", "content": [{"type": "output_audio", "transcript": NON_EMPTY}]}]),
            Sound(300),
            Send("conversation.item.retrieve", {"item_id": Ref("user")}),
            Expect("conversation.item.retrieved", {"item": {"content": [{"type": "input_audio", "transcript": NON_EMPTY}]}}),
        ),
    ),
    Case(
        "transcription deltas during speech",
        "3.3",
        (
            Mark(),
            Speak("clip:en_lj_0006", then_silence_s=1.0, real_time=True),
            Expect("input_audio_buffer.speech_started", {"item_id": Keep("user", NON_EMPTY)}),
            Among(
                "conversation.item.input_audio_transcription.delta",
                {"item_id": Ref("user"), "content_index": 0, "delta": NON_EMPTY},
            ),
            Among(COMPLETED, TRANSCRIPT),
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
            Among(COMPLETED, TRANSCRIPT),
            done(),
        ),
    ),
    Case(
        "turns without create_response",
        "2.1",
        (
            *configure(audio={"input": {"turn_detection": {"type": "server_vad", "create_response": False}}}),
            Mark(),
            Speak(SPEECH, then_silence_s=1.5),
            *spoken_turn(),
            Among(COMPLETED, TRANSCRIPT),
            Settled(),
            Never(("response.created",)),
            respond(output_modalities=["text"]),
            done(),
        ),
    ),
    Case(
        "manual commit, then response.create at once",
        "3.6",
        (
            *configure(**MANUAL),
            Mark(),
            Speak(SPEECH),
            Send("input_audio_buffer.commit"),
            respond(metadata={"asked": "yes"}),
            Expect("input_audio_buffer.committed", {"item_id": Keep("user"), "previous_item_id": None}),
            Expect("conversation.item.added", {"item": {"id": Ref("user"), "content": NO_TRANSCRIPT}}),
            Expect("conversation.item.done", {"item": {"id": Ref("user")}}),
            Among("response.created", {"response": {"metadata": {"asked": "yes"}}}, SHORT_TIMEOUT_S),
            Among(COMPLETED, TRANSCRIPT),
            done(metadata={"asked": "yes"}),
            Never(("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped")),
        ),
    ),
    Case(
        "a commit alone starts no response",
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
            *still_works(),
        ),
    ),
    Case(
        "clear discards the appended audio",
        "3.2",
        (
            *configure(**MANUAL),
            Speak(SPEECH),
            Send("input_audio_buffer.clear"),
            Expect("input_audio_buffer.cleared", {}, SHORT_TIMEOUT_S),
            Send("input_audio_buffer.commit"),
            refused("input_audio_buffer_commit_empty"),
        ),
    ),
    Case(
        "silence starts no turn",
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
                SHORT_TIMEOUT_S,
            ),
            Send("conversation.item.truncate", {"item_id": Ref("said"), "content_index": 0, "audio_end_ms": 100}),
            Among("conversation.item.truncated", {"item_id": Ref("said"), "audio_end_ms": Is("is at most 100", lambda ms: ms <= 100)}),
            Among("response.created", {"response": {"id": Is("is another reply", lambda name: bool(name))}}),
            Expect("response.done", {"response": {"status": "completed"}}),
        ),
    ),
    Case(
        "speech does not interrupt without interrupt_response",
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
        "the input format cannot change while audio is buffered",
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
    g711("audio/pcmu"),
    g711("audio/pcma"),
    Case(
        "a silent user triggers the idle timeout",
        "2.1, 3.3",
        (
            *configure(audio={"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 5000}}}),
            *say("What is 2 plus 3?", name="asked"),
            respond(),
            done(),
            Mark(),
            Speak("silence:1"),
            Expect("input_audio_buffer.timeout_triggered", {"item_id": Keep("silent", NON_EMPTY)}),
            Expect("input_audio_buffer.committed", {"item_id": Ref("silent")}),
            Expect("conversation.item.added", {"item": {"id": Ref("silent")}}),
            Expect("conversation.item.done", {"item": {"id": Ref("silent")}}),
            Expect("response.created"),
            Expect("response.done"),
        ),
    ),
)  # fmt: skip
