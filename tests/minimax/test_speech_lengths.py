"""Whether the sound that came is that of a whole text: a voice may be faster than expected, a lost end is no whole text."""

import pytest

from realtime.minimax.speech_lengths import ExpectedLengths

SENTENCE = "There was a small dog that lived by the sea."


def taught(*, rate=0.73, speed=1.0):
    """A voice that takes this share of the usual time, as one English sentence has shown."""
    usual = ExpectedLengths(speed)
    lengths = ExpectedLengths(speed)
    lengths.learn(SENTENCE, rate * usual.expected_ms(SENTENCE))
    return lengths


@pytest.mark.parametrize(
    "text", ["Take a breath <#5#> and then we go on with it.", "Wait for it. <#5#> Boom."]
)
def test_a_text_is_not_whole_while_a_pause_in_it_goes_on(text):
    lengths = taught()
    assert not lengths.complete([text], 5_000)
    assert lengths.complete([text], lengths.expected_ms(text))


def test_what_one_script_shows_of_a_voice_tells_nothing_of_another():
    lengths, text = taught(), "很久以前有一只小狗和一位老人住在海边。"
    expected_ms = ExpectedLengths(1.0).expected_ms(text)
    assert not lengths.complete([text], 0.8 * expected_ms)
    assert lengths.complete([text], 0.9 * expected_ms)


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("text", ["No,", "go on", SENTENCE])
def test_half_of_a_text_is_not_whole_at_any_speed(text, speed):
    lengths = taught(rate=1.0, speed=speed)
    assert not lengths.complete([text], 0.5 * lengths.expected_ms(text))
    assert lengths.complete([text], 0.9 * lengths.expected_ms(text))


def test_nothing_is_no_text():
    assert not ExpectedLengths(1.0).complete(["a"], 0.0)
