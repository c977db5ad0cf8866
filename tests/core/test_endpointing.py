"""Where speech begins and ends, read from a row of probabilities."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.endpointing import (
    FRAME_MS,
    Endpointer,
    EndpointRules,
    Misfire,
    SpeechFaded,
    SpeechLikelyOver,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    SpeechStopped,
)

RULES = EndpointRules(silence_ms=320)


def heard(probabilities, endpointer=None, start=0):
    """All events of one frame per probability."""
    endpointer = endpointer or Endpointer(RULES)
    return [
        event
        for index, probability in enumerate(probabilities, start + 1)
        for event in endpointer.feed(probability, index * FRAME_MS)
    ]


def frames(pattern):
    """`.` silence, `x` speech, `-` in between the two thresholds."""
    return [{".": 0.02, "x": 0.95, "-": 0.4}[mark] for mark in pattern]


def test_a_sentence_with_a_short_pause():
    events = heard(frames("....xxxxxxxx...xxxx..........."))
    assert events == [
        SpeechStarted(onset_ms=4 * 32, at_ms=6 * 32),
        SpeechPaused(end_of_speech_ms=12 * 32, at_ms=13 * 32),
        SpeechResumed(at_ms=15 * 32),
        SpeechPaused(end_of_speech_ms=19 * 32, at_ms=20 * 32),
        SpeechStopped(end_of_speech_ms=19 * 32, at_ms=29 * 32),
    ]


def test_one_frame_is_not_an_onset():
    assert heard(frames("..x..x..x...-x-x-..........")) == []


def test_two_frames_are_a_misfire_and_do_not_wait_for_a_long_silence():
    endpointer = Endpointer(EndpointRules(silence_ms=4000))
    assert heard(frames(".xx") + frames("." * 20), endpointer) == [
        SpeechStarted(32, 96),
        SpeechPaused(96, 128),
        Misfire(at_ms=96 + 256),
    ]
    assert not endpointer.speaking


def test_three_frames_are_speech():
    assert heard(frames("xxx" + "." * 10))[-1] == SpeechStopped(96, 96 + 320)


def test_once_speaking_the_lower_threshold_keeps_it_going_but_does_not_begin_it():
    assert heard(frames("----------")) == []
    assert heard(frames("xx--------")) == [SpeechStarted(0, 64)]


def test_a_doubtful_frame_does_not_end_a_silence():
    assert heard(frames("xxxx..-.-.-.-..-"))[-1] == SpeechStopped(128, 128 + 320)


def test_the_silence_may_be_shortened_or_lengthened_inside_a_pause():
    shortened = Endpointer(EndpointRules(silence_ms=2000))
    heard(frames("xxxx......"), shortened)
    shortened.silence_ms = 100
    assert shortened.feed(0.0, 11 * 32) == [SpeechStopped(128, 11 * 32)]
    lengthened = Endpointer(EndpointRules(silence_ms=200))
    heard(frames("xxxx....."), lengthened)
    lengthened.silence_ms = 1000
    assert heard(frames("." * 26), lengthened, start=9) == []
    assert lengthened.feed(0.0, 36 * 32) == [SpeechStopped(128, 36 * 32)]


def likely_at(pattern, likely_over_ms=96, endpointer=None):
    """Where a pause was likely the end, in frames."""
    endpointer = endpointer or Endpointer(RULES)
    endpointer.likely_over_ms = likely_over_ms
    told = [event for event in heard(frames(pattern), endpointer) if isinstance(event, SpeechLikelyOver)]
    assert all(event.at_ms - event.end_of_speech_ms >= likely_over_ms for event in told)
    return [event.at_ms // FRAME_MS for event in told]


def test_a_pause_is_likely_the_end_from_some_silence_on():
    assert likely_at("xxxxxxxx.....xxxx....xxxx") == [11, 12, 13, 20, 21]
    assert likely_at("xxxxxxxx..xxxx..xxxx") == [], "too short"
    assert likely_at("xxxxxxxx..............", likely_over_ms=640) == [], "it was the end before that"
    assert likely_at("xx......................") == [], "a click is no turn"


def test_what_is_likely_may_change_inside_a_pause():
    endpointer = Endpointer(EndpointRules(silence_ms=4_000))
    endpointer.likely_over_ms = 96
    assert heard(frames("xxxxxxxx..."), endpointer)[-1] == SpeechLikelyOver(8 * 32, 11 * 32)
    endpointer.likely_over_ms = 192
    assert heard(frames(".."), endpointer, start=11) == []
    assert heard(frames("."), endpointer, start=13) == [SpeechLikelyOver(8 * 32, 14 * 32)]


def test_other_rules_call_nothing_likely():
    endpointer = Endpointer(RULES)
    endpointer.likely_over_ms = 96
    endpointer.change(RULES)
    assert not any(isinstance(event, SpeechLikelyOver) for event in heard(frames("xxxx......"), endpointer))


def test_a_required_silence_of_nothing_stops_at_the_first_quiet_frame():
    assert heard(frames("xxxx."), Endpointer(EndpointRules(silence_ms=0))) == [
        SpeechStarted(0, 64),
        SpeechStopped(128, 160),
    ]


def test_speech_so_far_counts_speech_only():
    endpointer = Endpointer(RULES)
    heard(frames(".xxxx...xx"), endpointer)
    assert (endpointer.speech_ms, endpointer.paused) == (6 * 32, False)
    heard(frames("." * 10), endpointer, start=10)
    assert endpointer.speech_ms == 0


def test_new_rules_wait_for_open_speech_to_end():
    endpointer = Endpointer(RULES)
    heard(frames("xxxx"), endpointer)
    endpointer.change(EndpointRules(threshold=0.99, silence_ms=64))
    assert heard(frames("." * 10), endpointer, start=4)[-1] == SpeechStopped(128, 128 + 320)
    assert endpointer.silence_ms == 64
    assert heard([0.94] * 5, endpointer, start=14) == []


def test_a_reset_forgets_without_a_word():
    endpointer = Endpointer(RULES)
    heard(frames("xxxx"), endpointer)
    endpointer.reset(position_ms=0)
    assert not endpointer.speaking
    assert heard(frames("xx"), endpointer) == [SpeechStarted(0, 64)]


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_extreme_thresholds_still_hear_speech_and_silence(threshold):
    events = heard([0.0, 0.99, 0.99, 0.99, *[0.0] * 20], Endpointer(EndpointRules(threshold=threshold)))
    assert [type(e) for e in events] == [SpeechStarted, SpeechPaused, SpeechStopped]


@pytest.mark.parametrize("rules", [{"threshold": 1.5}, {"threshold": -0.1}, {"silence_ms": -1}])
def test_senseless_rules_are_refused(rules):
    with pytest.raises(ValueError, match="0"):
        EndpointRules(**rules)


def test_frames_out_of_order_are_refused():
    endpointer = Endpointer()
    endpointer.feed(0.1, 64)
    with pytest.raises(ValueError, match="64 ms"):
        endpointer.feed(0.1, 64)


PROBABILITIES = st.lists(st.floats(0, 1) | st.sampled_from([0.0, 1.0]), max_size=120)
ANY_RULES = st.builds(EndpointRules, threshold=st.floats(0, 1), silence_ms=st.integers(0, 1500))


@given(PROBABILITIES, ANY_RULES)
def test_every_start_is_closed_once_and_positions_only_grow(probabilities, rules):
    endpointer = Endpointer(rules)
    longest_silence = [0.0] * (1500 // FRAME_MS + 1)
    events = heard(probabilities + longest_silence, endpointer)
    followers = {
        None: {SpeechStarted},
        SpeechStarted: {SpeechPaused, SpeechStopped, Misfire},
        SpeechPaused: {SpeechResumed, SpeechStopped, Misfire},
        SpeechResumed: {SpeechPaused, SpeechStopped, Misfire},
        SpeechStopped: {SpeechStarted},
        Misfire: {SpeechStarted},
    }
    last, last_at = None, 0
    for event in events:
        assert type(event) in followers[last]
        assert event.at_ms >= last_at
        assert getattr(event, "end_of_speech_ms", 0) <= event.at_ms
        last, last_at = type(event), event.at_ms
    assert last in {None, SpeechStopped, Misfire}


@given(PROBABILITIES, ANY_RULES, st.integers(0, 3000))
def test_only_positions_matter_not_where_the_stream_is(probabilities, rules, offset):
    there, here = Endpointer(rules), Endpointer(rules)
    there.reset(position_ms=offset)
    for index, probability in enumerate(probabilities, 1):
        moved = there.feed(probability, offset + index * FRAME_MS)
        stayed = here.feed(probability, index * FRAME_MS)
        assert [type(e) for e in moved] == [type(e) for e in stayed]
        assert all(m.at_ms == s.at_ms + offset for m, s in zip(moved, stayed, strict=True))


@given(PROBABILITIES, st.integers(0, 100), st.integers(0, 2000))
def test_what_was_already_said_does_not_depend_on_what_comes(probabilities, cut, silence_ms):
    rules = EndpointRules(silence_ms=silence_ms)
    early = heard(probabilities[:cut], Endpointer(rules))
    assert heard(probabilities, Endpointer(rules))[: len(early)] == early


def faded(pattern, quiet, endpointer=None):
    """Events of one frame per mark; `quiet` gives the milliseconds of quiet at the end of each frame."""
    endpointer = endpointer or Endpointer(RULES)
    return [
        event
        for index, (probability, quiet_ms) in enumerate(zip(frames(pattern), quiet, strict=True), 1)
        for event in endpointer.feed(probability, index * FRAME_MS, quiet_ms)
    ]


def test_a_voice_that_fell_quiet_has_ended_there_and_not_where_the_detector_agrees():
    pattern = "xxxxxxxxx" + "." * 12
    quiet = [0] * 5 + [8, 40, 72, 104] + [136 + 32 * n for n in range(12)]
    assert faded(pattern, quiet) == [
        SpeechStarted(0, 64),
        SpeechFaded(end_of_speech_ms=184, at_ms=256),
        SpeechPaused(end_of_speech_ms=184, at_ms=320),
        SpeechStopped(end_of_speech_ms=184, at_ms=512),  # 320 ms of silence, to the frame
    ]


def test_a_closure_inside_a_word_is_no_pause():
    assert faded("xxxxxxxx", [0, 0, 0, 8, 40, 0, 0, 0]) == [SpeechStarted(0, 64)]


def test_a_longer_closure_fades_and_resumes():
    events = faded("xxxxxxxx", [0, 0, 0, 8, 40, 72, 0, 0])
    assert events == [SpeechStarted(0, 64), SpeechFaded(120, 192), SpeechResumed(192)]


def test_a_voice_that_only_became_soft_is_still_speech():
    """The detector never agrees: after a while it is believed, and the silence does not count."""
    quiet = [0] * 4 + [32.0 * n for n in range(1, 21)]
    events = faded("x" * 24, quiet)
    assert events == [SpeechStarted(0, 64), SpeechFaded(128, 192), SpeechResumed(288)]


def test_quiet_alone_never_ends_a_turn():
    endpointer = Endpointer(EndpointRules(silence_ms=0))
    events = faded("x" * 8, [0, 0, 0, 32, 64, 96, 128, 160], endpointer)
    assert not [event for event in events if isinstance(event, SpeechStopped)]
    assert endpointer.faded


def test_a_stretch_that_faded_still_counts_as_speech_for_an_interruption():
    endpointer = Endpointer(RULES)
    faded("xxxxxxxx", [0, 0, 0, 32, 64, 0, 0, 0], endpointer)
    assert endpointer.speech_ms == 8 * 32


def test_a_shorter_silence_can_end_speech_at_once():
    """What is known may change between two frames: nobody waits for the next one then."""
    endpointer = Endpointer(EndpointRules(silence_ms=2_000))
    at = 0
    for probability in [0.9] * 20 + [0.1] * 10:
        at += FRAME_MS
        endpointer.feed(probability, at)
    assert endpointer.end_now() == []
    endpointer.silence_ms = 300
    assert endpointer.end_now() == [SpeechStopped(20 * FRAME_MS, at)]
    assert endpointer.end_now() == []


def test_sound_that_ends_in_the_middle_of_speech_or_of_a_pause_ends_the_speech():
    for said, end_ms in (("..xxxxxxxx", 320), ("..xxxxxx..", 256)):
        endpointer = Endpointer(RULES)
        heard(frames(said), endpointer)
        assert endpointer.finish(330) == [SpeechStopped(end_of_speech_ms=end_ms, at_ms=330)]
        assert not endpointer.speaking
        assert heard(frames("xxxx"), endpointer, start=10)[0] == SpeechStarted(320, 384), (
            "what follows is new"
        )


def test_sound_that_ends_where_nobody_speaks_or_hardly_anybody_did():
    endpointer = Endpointer(RULES)
    heard(frames("...."), endpointer)
    assert endpointer.finish(128) == []
    heard(frames("xx"), endpointer, start=4)
    assert endpointer.finish(200) == [Misfire(at_ms=200)]
