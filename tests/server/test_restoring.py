"""What a client that comes to another server is taken to have heard: never more than was sent, whatever it says."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.snapshot import Position, ReplySnapshot, SegmentSnapshot, SessionSnapshot, SpokenSnapshot
from realtime.listening.user_items import Unheard
from realtime.server.replay import ResumeRequest
from realtime.server.restoring import continued_of

SENT_MS = 4000.0
AT = Position(900.0, "item_2", SENT_MS)


SPOKEN = SpokenSnapshot("One two.", 0, 5000.0, (3, 8), (500.0, 1500.0))


def record(
    created_seq: int = 7,
    done_seq: int = 0,
    *,
    unanswered: str | None = None,
    earlier: tuple[ReplySnapshot, ...] = (),
) -> SessionSnapshot:
    reply = ReplySnapshot("resp_1", created_seq, done_seq, "item_2", "One two. Three.", True, SPOKEN)
    return SessionSnapshot(
        "sess_1",
        "key",
        "proof",
        msgspec.Raw(b"{}"),
        "conv_1",
        "sess_1",
        1,
        seq=20,
        told=((5, "item_1"), (9, "item_2")),
        unanswered=unanswered,
        reply=reply,
        earlier=earlier,
    )


def lost(request: ResumeRequest, **more):
    (found,) = continued_of(record(**more), AT, request).lost
    return found


@given(st.integers(0, 10**18), st.none() | st.integers(0, 10**18), st.sampled_from(["item_2", "item_9"]))
def test_lies_are_clamped(played_ms: int, received_ms: int | None, item_id: str) -> None:
    found = lost(ResumeRequest("sess_1", 12, item_id, played_ms, received_ms))
    assert 0 <= found.played_ms <= found.heard_ms <= SENT_MS
    if item_id == "item_9":
        assert found.heard_ms == 0  # it plays what came before


@pytest.mark.parametrize(
    ("received_ms", "heard_ms", "silence"),
    [(None, 1000, True), (3500, 3500, False), (4000, 4000, False), (4700, 4000, False), (999, 1000, True)],
)
def test_what_has_arrived_is_played_to_its_end_or_comes_again(received_ms, heard_ms, silence) -> None:
    """Of sound after the record nobody knows the words: the client drops it, and it comes again."""
    found = lost(ResumeRequest("sess_1", 12, "item_2", 1000, received_ms))
    assert (found.heard_ms, found.played_ms, found.silence) == (heard_ms, 1000, silence)


def test_a_client_that_tells_nothing_plays_all_that_was_sent() -> None:
    found = lost(ResumeRequest("sess_1", 12))
    assert (found.heard_ms, found.silence) == (SENT_MS, False)


def test_what_the_client_knows_decides_what_it_is_told() -> None:
    unseen = continued_of(record(), AT, ResumeRequest("sess_1", 6))
    assert not unseen.lost[0].known
    assert unseen.untold == {"item_2"}
    assert not lost(ResumeRequest("sess_1", 6), done_seq=12).known, "it has ended, and nobody has heard it"
    assert lost(ResumeRequest("sess_1", 12), done_seq=12).ended
    assert not lost(ResumeRequest("sess_1", 11), done_seq=12).ended
    known = continued_of(record(unanswered="item_1"), AT, ResumeRequest("sess_1", 20))
    assert known.untold == frozenset()


def test_of_a_server_that_did_not_write_where_speech_had_ended_it_is_heard_as_if_it_had_no_item() -> None:
    known = continued_of(record(unanswered="item_1"), AT, ResumeRequest("sess_1", 20))
    assert (known.retaken, known.unheard, known.received_ms) == (("item_1",), Unheard(900.0, 900.0), 900.0)


def test_speech_that_the_client_does_not_send_again_is_not_waited_for() -> None:
    """The position is newer than the record."""
    early, late = SegmentSnapshot("item_1", 500.0, 1500.0), SegmentSnapshot("item_3", 2000.0, 2500.0)
    ended = replace(record(), segments=(early, late), sent=("mine",))
    at = replace(AT, open_ms=2500.0, received_ms=3000.0)
    known = continued_of(ended, at, ResumeRequest("sess_1", 20))
    assert known.unheard == Unheard(900.0, 2500.0, (late,), ("mine", "item_1"))
    assert known.received_ms == 3000.0


BEFORE = ReplySnapshot("resp_0", 3, 4, "item_0", "Let me see.", True, SPOKEN)
BOTH = Position(900.0, "item_2", SENT_MS, earlier=(("item_0", 2000.0),))


@pytest.mark.parametrize(
    ("at", "latest_sent_ms", "heard"),
    [
        ({}, SENT_MS, [(2000, False), (4000, False)]),  # it tells nothing, and plays all that was sent
        ({"item_id": "item_2", "played_ms": 500}, SENT_MS, [(2000, False), (500, True)]),
        ({"item_id": "item_0", "played_ms": 500}, SENT_MS, [(500, True), (0, True)]),
        # Nobody knows how much of the second has arrived
        ({"item_id": "item_0", "played_ms": 500, "received_ms": 2000}, SENT_MS, [(500, True), (0, True)]),
        ({"item_id": "item_0", "played_ms": 500, "received_ms": 2000}, 0.0, [(2000, False), (0, False)]),
        ({"item_id": "item_9", "played_ms": 500}, SENT_MS, [(0, True), (0, True)]),
        ({"item_id": "item_9", "played_ms": 500}, 0.0, [(0, True), (0, True)]),
    ],
)
def test_of_several_replies_those_before_the_one_that_plays_were_heard(at, latest_sent_ms, heard) -> None:
    both = Position(900.0, "item_2", latest_sent_ms, earlier=BOTH.earlier)
    found = continued_of(record(earlier=(BEFORE,)), both, ResumeRequest("sess_1", 20, **at)).lost
    assert [(each.heard_ms, each.silence) for each in found] == heard
