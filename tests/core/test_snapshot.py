"""Records of sessions: written and read again, by this version and the one next to it, and refused if they are newer."""

from __future__ import annotations

from dataclasses import fields, make_dataclass, replace
from pathlib import Path
from typing import get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core import snapshot
from realtime.core.messages import WordTime
from realtime.core.snapshot import (
    ChangeSnapshot,
    EndedSnapshot,
    IdleSnapshot,
    Position,
    ReplySnapshot,
    SaidSnapshot,
    SegmentSnapshot,
    SessionSnapshot,
    SettledSnapshot,
    SnapshotError,
    SpokenSnapshot,
    StoppedSnapshot,
    TurnSnapshot,
    decode_position,
    decode_record,
    decode_words,
    encode_position,
    encode_record,
    encode_words,
)
from realtime.core.spoken import SpokenPart

FOLDER = Path(__file__).parent / "snapshots"
SPOKEN = SpokenSnapshot("Hello there.", 0, 800.0, (5, 12), (200.0, 610.5))
REPLY = ReplySnapshot("resp_1", 7, 0, "item_2", "Hello there. How are you?", True, SPOKEN, 3)
WHOLE = SessionSnapshot(
    session_id="sess_1",
    key="key_1",
    proof="ab12",
    config=msgspec.Raw(b'{"type":"realtime","instructions":"Be brief.","extensions":["resume"]}'),
    conversation_id="conv_1",
    items_at="sess_1",
    expires_unix_s=1_800_000_000,
    binary=True,
    seq=41,
    last_event_id="client_3",
    told=((5, "item_1"),),
    unanswered="item_1",
    reply=REPLY,
    streams=3,
)


def test_a_record_is_read_as_it_was_written() -> None:
    assert decode_record(encode_record(WHOLE)) == WHOLE


def test_the_record_of_this_version_is_still_what_it_was() -> None:
    """If this fails, the format has changed: raise VERSION, and keep the old file beside a new one."""
    assert decode_record((FOLDER / f"version-{snapshot.VERSION}.json").read_bytes()) == WHOLE


def test_a_record_without_the_ends_of_its_words_is_read_and_one_with_them_too() -> None:
    """The first servers of this version did not write them: those words count as whole later than they have ended."""
    spoken = replace(SPOKEN, whole_ms=(350, 790))
    whole = replace(WHOLE, reply=replace(REPLY, spoken=spoken))
    assert decode_record((FOLDER / "version-1-ends-of-words.json").read_bytes()) == whole
    for said, ms in ((SPOKEN, 610), (spoken, 350)):
        part = SpokenPart.restored(
            said.text, said.seen, said.audio_ms, said.ends, said.from_ms, said.whole_ms
        )
        assert (part.last_whole_ms(349), part.last_whole_ms(700)) == (0, ms)


WORDS = msgspec.Raw(b'{"text":"Hello there.","seen":0,"audio_ms":800.0,"steps":[5,200,350,7,411,440]}')
SAID = replace(
    WHOLE,
    said=(
        SaidSnapshot("item_0", WORDS, 5, "incomplete", 300.0, 700.5, True),
        SaidSnapshot("item_1", WORDS, 12, response_id="resp_1", unsettled=True),
    ),
    changes=(
        ChangeSnapshot(38, "deleted", "item_9"),
        ChangeSnapshot(40, "truncated", "item_0", 300.0),
        ChangeSnapshot(41, "unread", "item_3", error=("transcription_failed", "It is away.")),
    ),
)


def test_answers_that_are_over_and_changes_are_read_as_they_were_written() -> None:
    assert decode_record((FOLDER / "version-1-answers-that-are-over.json").read_bytes()) == SAID
    assert decode_record(encode_record(SAID)) == SAID
    part = decode_words(SAID.said[0].words)
    assert (part.heard(610), part.heard(611), part.last_whole_ms(789)) == ("Hello", "Hello there.", 350)
    assert encode_words(part) == WORDS


OWED = replace(
    SAID,
    ended=(EndedSnapshot("resp_0", 3, 4, "incomplete", response={"id": "resp_0", "status": "incomplete"}),),
    idle=IdleSnapshot(replied=True, heard=True),
    segments=(SegmentSnapshot("item_1", 500.0, 1500.5), SegmentSnapshot("item_3", 2000.0, 2500.0, True)),
    sent=("item_4",),
    turn=TurnSnapshot(("item_1",), ("item_0",), "resp_3", create_response=False),
    stopped=StoppedSnapshot(REPLY, ("item_0",), finished=True, heard=True),
    speaking=True,
)
LATER = ("said", "changes", "idle", "segments", "sent", "turn", "stopped", "speaking", "settled")


def test_the_beginning_of_long_speech_is_read_as_it_was_written() -> None:
    settled = SettledSnapshot("So far, so good.", 81.5, 82_400.25)
    segments = (SegmentSnapshot("item_1", 82_400.25, 90_000.0, settled=settled),)
    long = replace(OWED, segments=segments, settled=settled)
    assert decode_record(encode_record(long)) == long


def test_what_the_user_is_owed_is_read_as_it_was_written() -> None:
    assert decode_record((FOLDER / "version-1-what-is-owed.json").read_bytes()) == OWED
    assert decode_record(encode_record(OWED)) == OWED


def test_servers_that_do_not_know_of_them_read_all_the_rest() -> None:
    types = get_type_hints(SessionSnapshot)
    known = [each.name for each in fields(SessionSnapshot) if each.name not in LATER]
    before = make_dataclass("Before", [(name, types[name]) for name in known])
    written = msgspec.json.decode(encode_record(replace(OWED, ended=())), type=dict[str, msgspec.Raw])
    assert int(bytes(written["readers_from"])) == 1
    read = msgspec.json.decode(written["session"], type=before)
    assert [getattr(read, name) for name in known] == [getattr(WHOLE, name) for name in known]


@pytest.mark.parametrize("steps", [b"[5,200]", b"[5,200,-1e3]", b"[5,200,null]", b"[-99,200,350]"])
def test_words_that_are_damaged_are_refused(steps: bytes) -> None:
    with pytest.raises(SnapshotError, match="words"):
        decode_words(msgspec.Raw(b'{"text":"Hello","seen":0,"audio_ms":800.0,"steps":%b}' % steps))


def test_the_next_version_can_be_read_where_it_says_so() -> None:
    """It has a field that this one does not know."""
    assert decode_record((FOLDER / "next-version.json").read_bytes()) == WHOLE


def test_a_version_that_needs_a_newer_reader_is_refused() -> None:
    written = msgspec.json.decode(encode_record(WHOLE))
    newer = {**written, "version": snapshot.VERSION + 1, "readers_from": snapshot.VERSION + 1}
    with pytest.raises(SnapshotError, match="version 2"):
        decode_record(msgspec.json.encode(newer))


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"null", b"\xff", b'{"version":1,"readers_from":1,"session":{}}']
)
def test_what_is_damaged_is_refused(data: bytes) -> None:
    with pytest.raises(SnapshotError):
        decode_record(data)
    if data not in (b"", b"{}"):
        with pytest.raises(SnapshotError):
            decode_position(data if data != b'{"version":1,"readers_from":1,"session":{}}' else b"[]")


def test_a_position_is_read_as_it_was_written() -> None:
    position = Position(1234.5, "item_2", 4000.0, (("item_1", 3000.5),))
    assert decode_position(encode_position(position)) == position
    more = replace(position, idle_left_ms=2000.0, open_ms=1500.0, received_ms=1600.5, settled_ms=1500.0)
    assert decode_position(encode_position(more)) == more
    older = b'{"input_audio_ms":1234.5,"item_id":"item_2","sent_ms":4000.0,"earlier":[["item_1",3000.5]]}'
    assert decode_position(older) == position
    assert decode_position(None) == Position()


@given(st.lists(st.tuples(st.sampled_from(["Hello ", "there. ", "code; "]), st.floats(0, 900)), max_size=5))
def test_a_spoken_part_is_heard_in_the_same_way_after_it(chunks: list[tuple[str, float]]) -> None:
    part = SpokenPart()
    for index, (text, ms) in enumerate(chunks):
        part.begin_chunk(index, text)
        part.add_audio(index, ms)
        part.finish_chunk(index)
    again = SpokenPart.restored(*part.measured())
    for ms in range(0, 5000, 250):
        assert again.heard(ms) == part.heard(ms)
    assert (again.text, again.audio_ms, again.closed) == (part.text, part.audio_ms, True)


@given(
    st.lists(st.tuples(st.sampled_from(["Hello ", "there. ", "code; "]), st.floats(0, 900)), max_size=5),
    st.lists(st.tuples(st.floats(-50, 2000), st.floats(-50, 2000)), max_size=5),
)
def test_a_spoken_part_can_be_cut_at_each_millisecond_in_the_same_way_after_it(
    chunks: list[tuple[str, float]], times: list[tuple[float, float]]
) -> None:
    part = SpokenPart()
    for index, (text, ms) in enumerate(chunks):
        part.begin_chunk(index, text)
        part.add_audio(index, ms)
        if index < len(times):
            part.set_words(index, [WordTime(0, 5, *times[index])])
        part.finish_chunk(index)
    part.close()
    again = decode_words(encode_words(part))
    for ms in range(int(part.audio_ms) + 2):
        assert again.heard(ms) == part.heard(ms)
        assert again.last_whole_ms(ms) == part.last_whole_ms(ms)
    assert (again.text, again.audio_ms, again.closed) == (part.text, part.audio_ms, True)


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["audio", "words", "finish"])), max_size=12))
def test_a_part_that_was_measured_before_is_measured_as_if_it_never_was(steps: list[tuple[int, str]]) -> None:
    """Also when a chunk changes that was finished."""
    often, once = SpokenPart(), SpokenPart()
    for part in (often, once):
        for index in range(3):
            part.begin_chunk(index, "Hello there. ")
        for index, what in steps:
            if what == "audio":
                part.add_audio(index, 400.0)
            elif what == "words":
                part.set_words(index, [WordTime(0, 5, 100, 300)])
            else:
                part.finish_chunk(index)
            if part is often:
                part.measured()
    assert often.measured() == once.measured()
