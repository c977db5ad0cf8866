"""Captions: words when they sound, and nothing that could steer the terminal."""

from realtime_client.captions import Screen, SpokenText, printable

WORDS = [
    {"text": "It ", "start_ms": 40, "end_ms": 190},
    {"text": "is ", "start_ms": 190, "end_ms": 310},
    {"text": "noon.", "start_ms": 310, "end_ms": 820},
]


def test_words_are_shown_when_they_sound():
    text = SpokenText(timed=True)
    text.add("It is noon.")
    text.add_words(WORDS)
    assert text.due(0) == ""
    assert text.due(100) == "It "
    assert text.due(100) == ""
    assert text.due(5000) == "is noon."


def test_words_that_were_never_timed_are_shown_at_the_end():
    text = SpokenText(timed=True)
    text.add("It is noon. Bye.")
    text.add_words(WORDS)
    assert text.due(5000) == "It is noon."
    assert text.rest() == " Bye."
    assert text.rest() == ""


def test_without_times_text_is_shown_at_once():
    text = SpokenText()
    text.add("It is")
    assert text.due(0) == "It is"
    text.add(" noon.")
    assert text.due(0) == " noon."


def test_times_that_run_ahead_of_the_text_wait_for_it():
    text = SpokenText(timed=True)
    text.add_words(WORDS)
    assert text.due(500) == ""
    text.add("It is noon.")
    assert text.due(500) == "It is noon."


def test_escapes_of_a_model_do_not_reach_the_terminal():
    assert "\x1b" not in printable("\x1b[2J\x9bdanger\u202e")
    assert printable("你好 🙂") == "你好 🙂"


def test_the_screen_keeps_one_line_for_each_turn():
    out = []
    screen = Screen(lambda text, style: out.append(text))
    screen.you("What time is it?")
    screen.reply(" It is")
    screen.reply(" noon.")
    screen.interrupted("It is")
    screen.reply("Sorry?")
    screen.end_reply()
    screen.end_reply()
    assert "".join(out).splitlines() == [
        "you       What time is it?",
        "assistant It is noon.",
        "          (interrupted; heard: 'It is')",
        "assistant Sorry?",
    ]
