"""The rules of turn-taking, for events in any order."""

from hypothesis import given
from hypothesis import strategies as st

from realtime.core.turn import (
    AnnounceSpeech,
    AnswerEarly,
    AskedUnwanted,
    CommitSpeech,
    ContinueReply,
    DetectionEnded,
    DropAsked,
    DropSpeech,
    HoldVoice,
    InterimText,
    LikelyOver,
    PauseEnded,
    Phase,
    PlaybackEnded,
    ReadSpeech,
    ReplyBegan,
    ReplyCutShort,
    ReplyEnded,
    ReplyHeard,
    ResponseAsked,
    SpeakAhead,
    SpeechBegan,
    SpeechCleared,
    SpeechCommitted,
    SpeechEnded,
    SpeechGrew,
    SpeechRead,
    StartAsked,
    StartReply,
    StopReply,
    TranscriptFailed,
    TranscriptKnown,
    Turn,
    TurnRules,
    WholeTextSupposed,
    step,
)

events = st.one_of(
    st.builds(SpeechBegan, st.floats(0, 1e5), st.sampled_from(["u1", "u2"])),
    st.builds(SpeechGrew, st.floats(0, 2000), st.booleans()),
    st.builds(
        InterimText,
        st.sampled_from(["stop", "yes", "mhm", ""]),
        st.none() | st.floats(0, 2000),
        st.booleans(),
    ),
    st.builds(SpeechRead, st.sampled_from(["u1", "u2"]), st.sampled_from(["stop", "mhm", ""]), st.booleans()),
    st.builds(SpeechEnded, st.floats(0, 1e5)),
    st.sampled_from([SpeechCommitted(), SpeechCleared(), DetectionEnded()]),
    st.builds(WholeTextSupposed, st.sampled_from(["stop", ""])),
    st.sampled_from([LikelyOver(), PauseEnded()]),
    st.builds(TranscriptKnown, st.sampled_from(["u1", "u2"]), st.sampled_from(["hi", ""])),
    st.builds(TranscriptFailed, st.sampled_from(["u1", "u2"])),
    st.builds(ReplyBegan, st.sampled_from(["r1", "r2"]), st.booleans()),
    st.builds(ReplyHeard, st.sampled_from(["r1", "r2"])),
    st.builds(ReplyEnded, st.sampled_from(["r1", "r2"]), st.booleans(), st.booleans()),
    st.builds(ReplyEnded, st.sampled_from(["r1", "r2"]), st.booleans(), stopped=st.just(True)),
    st.sampled_from([ResponseAsked(), AskedUnwanted()]),
    st.builds(PlaybackEnded, st.sampled_from(["r1", "r2"])),
    st.builds(ReplyCutShort, st.sampled_from(["r1", "r2"])),
)


def _begins(actions, before: bool) -> bool:
    """Whether a reply has been called for: it is there soon, and other events may come before it."""
    return before or any(isinstance(action, StartReply | StartAsked | ContinueReply) for action in actions)


@given(st.lists(events, max_size=40), st.booleans(), st.booleans())
def test_any_order_of_events_keeps_the_promises(sequence, reads, interrupts):
    """Only the reply that is there is stopped; no answer starts beside an active reply; announcements pair up."""
    turn, announced, begins = Turn(), False, False
    for event in sequence:
        rules = TurnRules(interrupt_response=interrupts, reads=reads)
        before, (turn, actions) = turn, step(turn, event, rules)
        for action in actions:
            match action:
                case StopReply(response_id):
                    assert response_id == before.response_id
                case StartAsked() | DropAsked():
                    assert before.asked or isinstance(event, ResponseAsked)
                    assert not turn.asked
                    assert isinstance(action, DropAsked) or turn.response_id is None
                case StartReply():
                    assert not turn.asked
                    over = StopReply(before.response_id or "") in actions or isinstance(event, ReplyEnded)
                    assert before.response_id is None or over
                case AnnounceSpeech(_, known):
                    assert not announced or known or before.heard, "once more only to silence a reply"
                case CommitSpeech(item_id):
                    assert announced or AnnounceSpeech(before.onset_ms) in actions
                    assert item_id == before.item_id
                case ReadSpeech(item_id):
                    assert (turn.phase, turn.item_id) == (Phase.JUDGING, item_id)
                case DropSpeech():
                    assert before.phase in (Phase.TENTATIVE, Phase.JUDGING)
                case AnswerEarly():
                    assert before.phase is Phase.SPEAKING
                    assert before.response_id is None
                case SpeakAhead() | HoldVoice():
                    assert before.phase is Phase.SPEAKING
                case ContinueReply(response_id):
                    assert response_id in (before.response_id, before.untold_id)
                    assert turn.response_id is None
            if isinstance(event, TranscriptKnown) and event.text and event.item_id in before.unread:
                assert StartReply() in actions or event.item_id in turn.owed or before.response_id
        announced = turn.phase is Phase.SPEAKING or turn.announced
        begins = _begins(actions, begins and not isinstance(event, ReplyBegan))
        nobody = turn.phase is Phase.SILENT and turn.response_id is None and not begins
        assert not (nobody and (turn.owed or turn.untold_id)), "nobody speaks, and nobody answers"
        assert not (nobody and turn.asked) or turn.stopped, "and nobody begins what the client has asked for"


@given(st.lists(events, max_size=40), st.booleans())
def test_every_phase_ends_whatever_was_before(sequence, reads):
    """The end of the speech and its text, or that there is none, lead back to silence; nothing stays owed."""
    turn, begins = Turn(), False
    for event in sequence:
        turn, actions = step(turn, event, TurnRules(reads=reads))
        begins = _begins(actions, begins and not isinstance(event, ReplyBegan))
    item_id = turn.item_id or ""
    ends = (SpeechEnded(1e6), SpeechRead(item_id, "stop"), *map(TranscriptFailed, {item_id, *turn.unread}),
            ReplyEnded(turn.response_id or "", audible=False),
            *([ReplyBegan("r3"), ReplyEnded("r3", audible=False)] if begins else []))  # fmt: skip
    for event in ends:
        turn, _ = step(turn, event, TurnRules(reads=reads))
    assert (turn.phase, turn.unread, turn.owed) == (Phase.SILENT, frozenset(), frozenset())
    assert (turn.announced, turn.untold_id) == (False, None)
