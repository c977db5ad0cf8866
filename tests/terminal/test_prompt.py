"""What a terminal gets: colours where they are wanted, and only text where it knows no more."""

import re
import sys

import pytest
from realtime_client import captions, prompt

from tests.terminal.pty_run import Person


@pytest.mark.parametrize(
    ("style", "kept"), [("bold cyan", "\x1b[1m"), ("bold red", "\x1b[1m"), ("dim", "\x1b[2m")]
)
def test_no_color_keeps_bold_and_dim(monkeypatch, style, kept):
    monkeypatch.setenv("NO_COLOR", "1")
    assert prompt._ansi(style, "you") == f"{kept}you\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "")  # as good as not set
    assert (prompt._ansi(style, "you") == f"{kept}you\x1b[0m") is (style == "dim")


@pytest.mark.parametrize(
    ("term", "plain"), [("dumb", True), ("", True), (None, True), ("xterm-256color", False)]
)
def test_a_terminal_that_only_takes_text_gets_a_plain_page(monkeypatch, term, plain):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.delenv("TERM", raising=False)
    if term is not None:
        monkeypatch.setenv("TERM", term)
    assert isinstance(captions._page(None), captions.PlainPage) is plain


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"NO_COLOR": "1"}], ids=["dumb", "no color"])
def test_a_typed_conversation_has_no_colours_where_none_are_wanted(tmp_path, env):
    person = Person("talk", "--text", "--out", "x.wav", cwd=tmp_path, width=200, **env)
    person.until("Ctrl-D", "\n", ">")
    person.press("Hello.\r")
    person.until("Hello.", "\n", "assistant ", "\n", ">")  # what is typed is seen, too
    person.press("\x04")
    assert person.ends() == 0
    assert not re.search(r"\x1b\[[\d;]*3[0-7]m", person.screen), person.screen
    assert ("\x1b" in person.screen) is ("TERM" not in env), person.screen


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("  Hello. ", "Hello."),
        ("Hel\x1alo", "Hello"),
        ("Hel\x1b[D\x1b[3~lo\x1bOH", "Hello"),
        ("\x16\x07\x9b", ""),
        ("one\ttwo", "one\ttwo"),
        ("نمی\u200cخواهم 👨\u200d👩", "نمی\u200cخواهم 👨\u200d👩"),
    ],
    ids=ascii,
)
def test_keys_that_are_no_letters_do_not_reach_the_model(line, words):
    assert prompt.words_of(line) == words
