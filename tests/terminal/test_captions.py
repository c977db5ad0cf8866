"""Captions: words when they sound, and nothing that could steer the terminal."""

import pytest
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
    assert printable("a\nb\u2028c\u2029d\ud800e") == "a b c d e"


@pytest.mark.parametrize(
    "text",
    [
        "你好 🙂",
        "نمی\u200cخواهم",
        "👨\u200d👩\u200d👧",
        "🏳\ufe0f\u200d🌈",
        "\U0001fae8 \U0001fabf",
        "क्\u200dष",
        "12\u202f000\u00a0€",
        "你好\u3000世界",
        "\ue000",
    ],
    ids=ascii,
)
def test_letters_stay_as_the_model_wrote_them(text):
    assert printable(text) == text


def test_what_only_turns_the_writing_or_allows_a_hyphen_is_left_out():
    assert printable("un\u00adbelievable \u2067שלום\u2069\u200f!") == "unbelievable שלום!"


def test_a_program_that_reads_the_answer_gets_nothing_else(capsys):
    screen = Screen()
    screen.note("Waiting for the answer ...")
    screen.reply("It is")
    screen.note("The connection was lost: reconnecting ...")
    screen.reply(" noon.")
    screen.end_reply()
    screen.problem("Too many requests.")
    out, err = capsys.readouterr()
    assert out == "assistant It is noon.\n"
    assert [line.strip() for line in err.splitlines()] == [
        "Waiting for the answer ...",
        "The connection was lost: reconnecting ...",
        "!         Too many requests.",
    ]


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


@pytest.mark.parametrize("width", [None, 80, 20])
@pytest.mark.parametrize(
    ("deltas", "lines"),
    [
        (["Two:\n", "\n- May\n- October\n"], ["Two:", "", "- May", "- October"]),
        (["```python\ndef f():\n", "    return 1\n```"], ["```python", "def f():", "    return 1", "```"]),
        (["\n\nFirst", "\n", "\n", "second"], ["First", "", "second"]),
        (["| a | b |\n", "|---|---|\n", "| 1 | 2 |"], ["| a | b |", "|---|---|", "| 1 | 2 |"]),
        (["if x:\n\ty", "\r\nend"], ["if x:", "    y ", "end"]),
        (["你好。\n再见。"], ["你好。", "再见。"]),
        (["One", "\x1b[2J"], ["One [2J"]),
        (["a\n\n\n"], ["a"]),
    ],
)
def test_the_lines_of_an_answer_stay_lines(width, deltas, lines):
    page = WrittenPage(width)
    screen = Screen(page)
    for delta in deltas:
        screen.reply(delta)
    screen.you("Thanks.")
    indent = "" if width == 20 else " " * 10  # a narrow terminal has no room for it
    expected = ["assistant " + lines[0], *(indent + line if line else "" for line in lines[1:])]
    if width != 20:  # there, the first line may go on below
        assert page.text.splitlines() == [*expected, "you       Thanks."]
    else:
        assert page.text.split() == " ".join([*expected, "you Thanks."]).split()
        assert all(line in page.text.splitlines() for line in expected[1:])


def test_an_answer_of_line_breaks_alone_has_no_line():
    page = WrittenPage(None)
    screen = Screen(page)
    screen.reply("\n")
    screen.reply("")
    screen.end_reply()
    assert page.text == ""


class WrittenPage:
    """A page of a given width that keeps what stands on it."""

    def __init__(self, width):
        self._width = width
        self.text = ""

    def width(self):
        return self._width

    def write(self, text, style):
        self.text += text

    def erase(self, columns):
        self.text = self.text[:-columns]
