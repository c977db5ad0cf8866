"""A server that is lost long after its last answer, when nothing has happened since: nothing of it is said again."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from realtime.core.snapshot import decode_position, decode_record
from realtime.providers.journal import Kept
from realtime.server.journaling import RECORD_S, JournaledSession
from tests.conversing import Talk, scripted
from tests.fakes import FakeSpeech
from tests.session.moving import Left, Losable, StoryChat
from tests.session.test_moved import EXTENSIONS, STORY, WORDS, quiet, said


class KeptInMind:
    """The last record, and the last position."""

    record = position = b""
    records = 0

    def write(self, session_id: str, epoch: int, *, record: bytes | None, position: bytes):
        self.record, self.position = record or self.record, position
        self.records += record is not None
        kept = asyncio.get_running_loop().create_future()
        kept.set_result(Kept.WRITTEN)
        return kept


class Journaled(Losable):
    """What is left of it is what its journal has, as it is written in time."""

    def __init__(self, **more) -> None:
        super().__init__(**more)
        self.journal = KeptInMind()
        self._entry: JournaledSession | None = None

    async def __aenter__(self):
        await super().__aenter__()
        recorder, ending = self._recorder(), asyncio.get_running_loop().create_future()
        saving = SimpleNamespace(unsaved=False, saved=1, again=lambda: None, changed=lambda: None)
        live = SimpleNamespace(id="sess_1", session=self.session, ending=ending, saving=saving)
        self._entry = JournaledSession(live, self.journal, 1, self.metrics, recorder)
        self._writer = asyncio.create_task(self._write())
        return self

    async def __aexit__(self, *error):
        self._writer.cancel()
        await super().__aexit__(*error)

    async def _write(self) -> None:
        while True:
            self._entry.look(asyncio.get_running_loop().time())
            await asyncio.sleep(RECORD_S)

    def queued(self, event) -> None:
        if self._entry is None:
            super().queued(event)
        else:
            self._entry.on_event(event)

    def sent(self, event) -> None:
        if self._entry is None:
            super().sent(event)
        else:
            self._numbering.seq += 1
            self._entry.sent(event, self._numbering.seq)

    def lose(self) -> Left:
        left = super().lose()
        left.snapshot, left.position = (
            decode_record(self.journal.record),
            decode_position(self.journal.position),
        )
        return left


@pytest.mark.parametrize("later_s", [0.0, 3.0, 7.0, 60.0])
@pytest.mark.parametrize("extensions", ["resume", "playback,resume"])
@scripted
async def test_an_answer_that_has_been_heard_is_not_said_again(extensions: str, later_s: float) -> None:
    speech = FakeSpeech(factor=100.0)
    async with Journaled(
        chat=StoryChat(story=STORY, word_s=0.001), speech=speech, extensions=extensions
    ) as old:
        await old.ask("Tell me a story.")
        await old.until("response.done")
        await asyncio.sleep(old.audio_ms() / 1000 + later_s)
        left, records = old.lose(), old.journal.records
    assert records < 40
    async with Talk(
        chat=StoryChat(story=STORY), extensions=extensions, continues=left.continues(), ids="b"
    ) as new:
        await quiet(new)
        assert said(new) == WORDS
        assert set(new.types) <= {"output_audio_buffer.gain_changed"}


@pytest.mark.parametrize("later_s", [0.0, 3.0, 30.0])
@pytest.mark.parametrize("all_of_it", [True, False])
@scripted
async def test_an_answer_goes_on_whose_end_was_lost_in_a_dead_connection(
    all_of_it: bool, later_s: float
) -> None:
    """The server believed it played. Only the client knows, and tells it when it comes back."""
    speech, usual = FakeSpeech(factor=100.0), {"extensions": "playback,resume"}
    async with Journaled(chat=StoryChat(story=STORY, word_s=0.001), speech=speech, **usual) as old:
        await old.ask("Tell me a story.")
        await old.until("response.done")
        item_id, whole_ms = old.of("response.output_audio.delta")[0]["item_id"], int(old.audio_ms())
        await old.send("output_audio_buffer.played", item_id=item_id, played_ms=250)  # the last word of it
        await asyncio.sleep(whole_ms / 1000 + later_s)
        left = old.lose()
    arrived_ms = whole_ms if all_of_it else 1500
    client = {"item_id": item_id, "played_ms": arrived_ms, "received_ms": arrived_ms}
    async with Talk(chat=StoryChat(story=STORY), continues=left.continues(**client), ids="b", **usual) as new:
        await quiet(new)
        assert said(new) == WORDS
        assert len(new.of("response.created")) == (not all_of_it)


@scripted
async def test_what_had_not_arrived_of_an_answer_is_said_before_the_next_one_which_had_not_begun() -> None:
    chat = StoryChat(story=STORY, word_s=0.001)
    async with Losable(chat=chat, speech=FakeSpeech(factor=50.0), extensions=EXTENSIONS) as old:
        await old.ask("Tell me a story.")
        await old.until("response.done")
        first = old.of("response.output_audio.delta")[0]["item_id"]
        chat.word_s = 60.0
        await old.ask("Once more.")
        await old.until("response.created", 2)
        await asyncio.sleep(0.5)
        left = old.lose()
    told = {"item_id": first, "played_ms": 400, "received_ms": 1200}
    async with Talk(
        chat=StoryChat(story=STORY), extensions=EXTENSIONS, continues=left.continues(**told), ids="b"
    ) as new:
        await quiet(new)
        assert said(new) == WORDS * 2
