"""Commands in a pseudo terminal: Ctrl-C at any moment, and typing while an answer comes."""

import contextlib
import importlib.util
import os
import signal
import socket
import time
import wave

import pytest

from tests.terminal.pty_run import Person

CTRL_C, CTRL_D, UP, BACKSPACE = "\x03", "\x04", "\x1b[A", "\x7f"
COMMANDS = [
    ("ask", "Tell me a story.", "--out", "x.wav"),
    ("say", "One. Two. Three.", "--out", "x.wav"),
    ("talk", "--text", "--out", "x.wav"),
    ("doctor",),
    ("voices",),
]


@pytest.mark.parametrize(
    ("words", "delay_s"),
    [
        (words, delay_s)
        for number, words in enumerate(COMMANDS)
        # They start alike and differ in what they do then, so the early moments are shared among them.
        for delay_s in ((0.0, 0.6) if number % 2 else (0.2, 1.5))
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else str(value),
)
def test_ctrl_c_at_any_moment_is_quiet(words, delay_s, tmp_path):
    """130, or what the command ended with before; `talk` is ended by it once it has begun."""
    person = Person(*words, cwd=tmp_path)
    time.sleep(delay_s)
    with contextlib.suppress(OSError):  # it has ended before
        person.press(CTRL_C)
    status = person.ends()
    assert "Traceback" not in person.screen
    assert "Exception" not in person.screen
    assert "never" not in person.screen
    if words[0] == "talk" and "Ctrl-D" in person.screen:
        assert status == 0
    else:
        assert status == 130 or delay_s > 0.2, person.screen  # later the command may have ended by itself


def test_a_signal_that_the_parent_ignores_stays_ignored(tmp_path):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        person = Person("voices", cwd=tmp_path)
    finally:
        signal.signal(signal.SIGINT, before)
    time.sleep(0.2)
    os.kill(person.pid, signal.SIGINT)
    assert person.ends() == 0


@pytest.mark.skipif(
    importlib.util.find_spec("prompt_toolkit") is None, reason="no prompt_toolkit: pip install '...[local]'"
)
def test_a_line_is_edited_below_the_answer_and_remembered(tmp_path):
    person = Person("talk", "--text", "--out", "x.wav", cwd=tmp_path, width=200)
    person.until("Ctrl-D", "\n", ">")
    person.press("My name is Adx" + BACKSPACE + "a.\r")
    person.until("you ", "My name is Ada.", "assistant ")
    person.press(UP + "\r")
    person.until("you ", "My name is Ada.", "you ", "My name is Ada.", "assistant ")
    person.press(CTRL_D)
    assert person.ends() == 0
    assert "Traceback" not in person.screen


def test_ctrl_c_ends_a_typed_conversation_and_leaves_the_terminal_as_it_was(tmp_path):
    person = Person("talk", "--text", "--out", "x.wav", cwd=tmp_path)
    assert person.echoes()
    person.until("Ctrl-D", "\n", ">")
    person.press("half a li")
    person.press(CTRL_C)
    person.until("\n")
    assert person.ends() == 0
    assert "Traceback" not in person.screen


def test_a_server_that_does_not_answer_is_told_with_a_sign_of_life(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        person = Person("ask", "Hello?", "--out", "x.wav", "--url", url, cwd=tmp_path, width=200)
        status = person.ends()
    assert status == 1
    connecting = person.screen.index(f"Connecting to {url} ...")
    assert person.screen.index("did not answer within 4 s", connecting) > connecting
    assert not (tmp_path / "x.wav").exists()


def test_what_an_answer_has_said_before_ctrl_c_is_saved(tmp_path):
    person = Person("ask", "Tell me a story.", "--out", "x.wav", cwd=tmp_path, width=200)
    person.until("assistant ")
    time.sleep(0.5)
    with contextlib.suppress(OSError):
        person.press(CTRL_C)
    person.ends()
    with wave.open(str(tmp_path / "x.wav")) as saved:
        assert saved.getnframes() > 0
