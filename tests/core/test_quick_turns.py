"""Sound that comes and goes in quick turns, or stops without an end, must not make the answer go up and down with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.interruption import DUCKS_WITHIN_MS, MOST_DUCKS
from realtime.core.turn import (
    DuckReply,
    InterimText,
    Phase,
    SpeechBegan,
    SpeechEnded,
    SpeechGrew,
    SpeechRead,
    TurnRules,
    VoiceStopped,
    step,
)
from tests.core.test_ducking import DOWN, HEARD, READS, UP, VOICE, play


def bursts(*lengths_ms: tuple[int, int], text: str | None = ""):
    """Sounds and the silences after them; `text` is read in each, None: nobody can read."""
    at_ms, events = 1_000.0, []
    for number, (sound_ms, silence_ms) in enumerate(lengths_ms):
        item_id = f"u{number}"
        events.append(SpeechBegan(at_ms, item_id))
        events += [SpeechGrew(ms) for ms in range(64, sound_ms + 1, 32)]
        at_ms += sound_ms + silence_ms
        events.append(SpeechEnded(at_ms))
        if text is not None:
            events.append(SpeechRead(item_id, text))
    return events


def downs_ms(events, rules=READS):
    """Where the answer went down."""
    turn, found = play(*HEARD, rules=rules)[0], []
    for event in events:
        turn, actions = step(turn, event, rules)
        found += [turn.at_ms for action in actions if action == DOWN]
    return found


@pytest.mark.parametrize("rules", [READS, TurnRules()])
def test_a_noise_in_quick_turns_lowers_the_answer_once(rules):
    text = "" if rules.reads else None
    assert len(downs_ms(bursts(*[(300, 250)] * 7, text=text), rules)) == 1


@given(
    st.lists(st.tuples(st.integers(64, 560), st.integers(200, 1_500)), max_size=30),
    st.sampled_from(["", "Mhm."]),
)
def test_it_goes_down_so_often_in_so_much_sound_at_most(lengths_ms, text):
    found = downs_ms(bursts(*lengths_ms, text=text))
    for first, last in zip(found, found[MOST_DUCKS:], strict=False):
        assert last - first >= DUCKS_WITHIN_MS - 600


def test_one_noise_with_pauses_does_not_pump():
    pauses = [
        event for ms in range(300, 3_000, 480) for event in (*grown(ms, 480), InterimText("", ms, whole=True))
    ]
    _, actions = play(*HEARD, SpeechBegan(0, "u1"), *pauses, rules=READS)
    assert sum(action == DOWN for action in actions) <= MOST_DUCKS


def grown(from_ms, count_ms):
    return [SpeechGrew(ms) for ms in range(from_ms - count_ms, from_ms, 32) if ms > 0]


def test_after_a_quiet_while_a_voice_lowers_it_at_once():
    later = (SpeechBegan(9_000, "u2"), SpeechGrew(160))
    assert play(*VOICE, SpeechEnded(400), SpeechRead("u1", ""), *later)[1][-1] == DOWN


def test_a_second_voice_soon_after_a_noise_interrupts_as_ever():
    later = (SpeechBegan(600, "u2"), SpeechGrew(320), InterimText("What about cats", 320))
    turn, actions = play(*VOICE, SpeechEnded(400), SpeechRead("u1", ""), *later)
    assert turn.phase is Phase.SPEAKING
    assert actions.count(DOWN) == 1


@pytest.mark.parametrize("ended", [(), (SpeechEnded(500),)])
def test_where_no_more_voice_comes_the_answer_comes_back(ended):
    turn, actions = play(*VOICE, SpeechGrew(256), *ended, VoiceStopped())
    assert actions[-1] == UP
    assert turn.phase is (Phase.JUDGING if ended else Phase.TENTATIVE), "what was said still counts"


def test_where_nothing_was_lowered_a_voice_that_stops_changes_nothing():
    assert play(VoiceStopped()) == play()
    assert not any(
        isinstance(each, DuckReply) for each in play(*HEARD, SpeechBegan(1, "u1"), VoiceStopped())[1]
    )
