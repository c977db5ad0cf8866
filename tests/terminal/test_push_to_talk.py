"""Turns that the client ends by hand, over a line that is lost: each is heard whole by the new session, and ended once."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from realtime_client.line import Line
from realtime_client.resuming import SentAudio

from realtime.providers import FakeTranscriber
from realtime.server.run import running
from tests.clips import clips
from tests.eventually import eventually
from tests.terminal.test_coming_back import broken_line
from tests.web.sound import to_rate

MANUAL = {"audio": {"input": {"turn_detection": None}}}
SESSION = {"id": "sess_1", "extensions": ["resume"], **MANUAL}
PRESSED_MS = 300
PCM = bytes(48 * 20)  # 20 ms


class Pressed:
    """A client that sends audio and ends turns, without a socket."""

    def __init__(self) -> None:
        async def nowhere(query: dict[str, Any]) -> Any:
            raise AssertionError

        conversation = SimpleNamespace(session=SESSION, _arrived_ms=lambda part: None)
        self.line = Line(conversation, nowhere, rate=24_000)  # type: ignore[arg-type]
        self.line.is_new({"type": "session.created", "session": SESSION, "seq": 1})
        self.seq = 1
        self.ids: list[str] = []

    def speak(self, ms: int = PRESSED_MS) -> None:
        for _ in range(ms // 20):
            self.line.keep_audio(PCM)

    def end(self) -> None:
        self.ids.append(self.line.keep({"type": "input_audio_buffer.commit"})["event_id"])
        self.line.keep({"type": "response.create"})

    def server(self, kind: str, **fields: Any) -> None:
        self.seq += 1
        assert self.line.is_new({"type": kind, "seq": self.seq, **fields})

    def committed(self, item_id: str) -> None:
        self.server("input_audio_buffer.committed", item_id=item_id, previous_item_id=None)
        item = {
            "id": item_id,
            "type": "message",
            "role": "user",
            "content": [{"type": "input_audio", "transcript": None}],
        }
        self.server("conversation.item.added", item=item, previous_item_id=None)

    def written(self, item_id: str, text: str) -> None:
        kind = "conversation.item.input_audio_transcription.completed"
        self.server(kind, item_id=item_id, transcript=text)

    def rebuilt(self, name: str = "sess_2") -> list[str | int]:
        """What a new session is sent: audio in ms, and what the events are."""
        rest, _ = self.line._rebuilt({"type": "session.created", "session": {**SESSION, "id": name}})
        told: list[str | int] = []
        for entry in rest:
            if not isinstance(entry, SentAudio):
                event = json.loads(entry.text)
                name = event.get("item", {}).get("content", [{}])[0].get("text") or event["type"]
                told += [] if told == [name] == [UPDATE] else [name]  # one of each session before
            elif told and isinstance(told[-1], int):
                told[-1] += entry.samples // 24
            else:
                told.append(entry.samples // 24)
        return told


UPDATE, COMMIT, ASK = "session.update", "input_audio_buffer.commit", "response.create"


def test_a_turn_that_nobody_has_confirmed_is_ended_again():
    client = Pressed()
    client.speak(5000)
    client.end()
    for number in range(3):  # each new session is lost before it says anything
        assert client.rebuilt(f"sess_{number}") == [UPDATE, 5000, COMMIT, ASK]


def test_a_turn_without_its_text_is_said_again():
    client = Pressed()
    client.speak()
    client.end()
    client.committed("item_1")
    client.server("response.created", response={"id": "resp_1"})
    client.speak(100)  # the button is pressed again
    assert client.rebuilt() == [UPDATE, PRESSED_MS, COMMIT, ASK, 100]


def test_a_turn_with_its_text_is_not_said_again():
    client = Pressed()
    client.speak()
    client.end()
    client.committed("item_1")
    client.written("item_1", "Hello.")
    client.server("response.created", response={"id": "resp_1"})
    client.server("response.done", response={"id": "resp_1"})
    client.speak(2000)
    assert client.rebuilt() == [UPDATE, "Hello.", 2000]


def test_a_committed_turn_is_answered_only_if_that_was_asked():
    client = Pressed()
    client.speak()
    client.line.keep({"type": "input_audio_buffer.commit"})
    client.committed("item_1")
    client.written("item_1", "Hello.")
    assert client.rebuilt() == [UPDATE, "Hello."]


@pytest.mark.parametrize("stop", ["response.cancel", "output_audio_buffer.clear"])
def test_an_answer_to_a_turn_that_was_stopped_before_it_began_is_not_asked_for(stop: str):
    client = Pressed()
    client.speak()
    client.line.keep({"type": COMMIT})
    client.line.keep({"type": ASK})
    client.line.keep({"type": stop})
    assert client.rebuilt() == [UPDATE, 300, COMMIT]


def test_what_was_cleared_is_not_said_again():
    client = Pressed()
    client.speak()
    client.line.keep({"type": "input_audio_buffer.clear"})
    client.server("input_audio_buffer.cleared")
    client.speak(100)
    assert client.rebuilt() == [UPDATE, 100]


def test_a_commit_that_was_refused_is_not_repeated():
    """What it should have ended belongs to the next turn."""
    client = Pressed()
    client.speak(80)
    client.end()
    client.server(
        "error", error={"code": "input_audio_buffer_commit_empty", "event_id": client.ids[0], "message": ""}
    )
    client.speak(100)
    client.end()
    assert client.rebuilt() == [UPDATE, 180, COMMIT, ASK]


def test_turns_whose_texts_are_never_told_are_not_said_again_once_they_are_answered():
    client = Pressed()
    client.server(
        "session.updated",
        session=SESSION | {"audio": {"input": {"turn_detection": None, "transcription": None}}},
    )
    client.speak()
    client.end()
    client.committed("item_1")
    client.server("response.created", response={"id": "resp_1"})
    client.server("response.output_item.added", response_id="resp_1", item={"id": "item_2"})
    assert client.rebuilt() == [UPDATE]


@pytest.mark.parametrize("received", range(8))
def test_what_the_lost_socket_of_a_new_session_had_received_is_not_sent_again(received: int):
    """The items stand before the audio, in what is sent and in what is remembered of it."""
    client = Pressed()
    client.server("conversation.item.added", item=ITEM, previous_item_id=None)
    client.speak(60)
    client.end()
    rest, _ = client.line._rebuilt({"type": "session.created", "session": {**SESSION, "id": "sess_2"}})
    assert len(rest) == 7  # session.update, item, 3 of audio, commit, response.create
    ids = [entry.event_id for entry in rest[:received] if not isinstance(entry, SentAudio)]
    audio = [entry for entry in rest[:received] if isinstance(entry, SentAudio)]
    again = client.line._log.resumed(20 * len(audio), ids[-1] if ids else None)
    assert again == rest[received:]


ITEM = {"id": "item_1", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi."}]}


async def test_a_new_server_hears_the_turn_and_answers_it_once():
    spoken = to_rate(clips()[0].samples, 16_000).astype("<i2").tobytes()
    transcriber = FakeTranscriber(["What is two plus three?"])
    async with broken_line(session=MANUAL) as (harness, proxy, listener):
        await listener.until("session.updated")
        providers = {"transcriber": transcriber}
        async with running(harness.server.runtime.settings, providers=providers) as another:
            half = len(spoken) // 4 * 2
            await listener.conversation.append(spoken[:half])
            proxy.refusing, proxy.target_port = True, urlsplit(another.url).port
            proxy.reset()
            await eventually(lambda: proxy.opened > 1)
            await listener.conversation.append(spoken[half:])
            await listener.conversation.commit()
            await listener.conversation.respond()
            proxy.refusing = False
            assert (await listener.until("response.done"))["response"]["status"] == "completed"
            assert (
                len(listener.of("response.created")) == len(listener.of("input_audio_buffer.committed")) == 1
            )
            ((seconds, _),) = transcriber.asked
            assert seconds == pytest.approx(np.frombuffer(spoken, np.int16).size / 24_000, abs=0.3)
