"""The echo of a terminal while a conversation runs: in the foreground, in the background, and stopped."""

import os
import pty
import select
import signal
import sys
import termios

import pytest
from realtime_client.keyboard import Keyboard

from tests.terminal.pty_run import ROOT


class Desk:
    """A terminal, and whether it is ours."""

    def __init__(self, monkeypatch):
        self.ours = True
        self.other, self.fd = pty.openpty()
        monkeypatch.setattr(os, "tcgetpgrp", lambda fd: os.getpgrp() if self.ours else -1)

    def echoes(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def change(self, flag, on):
        now = termios.tcgetattr(self.fd)
        now[3] = now[3] | flag if on else now[3] & ~flag
        termios.tcsetattr(self.fd, termios.TCSANOW, now)

    def has(self, flag):
        return bool(termios.tcgetattr(self.fd)[3] & flag)


@pytest.fixture
def desk(monkeypatch):
    desk = Desk(monkeypatch)
    yield desk
    os.close(desk.other)
    os.close(desk.fd)


def test_keys_are_seen_while_a_line_is_asked_for_and_at_the_end(desk):
    keyboard = Keyboard(desk.fd)
    keyboard.be_silent()
    assert not desk.echoes()
    with keyboard.seen():
        assert desk.echoes()
    assert not desk.echoes()
    keyboard.leave()
    assert desk.echoes()


def test_the_terminal_of_another_program_is_left_alone(desk):
    desk.ours = False
    keyboard = Keyboard(desk.fd)
    keyboard.be_silent()
    keyboard.leave()
    assert desk.echoes()
    desk.ours = True  # `fg`
    keyboard.come_back()
    assert not desk.echoes()
    desk.ours = False  # and `bg`, while the shell has its own settings
    desk.change(termios.ECHO, True)
    with keyboard.seen():
        pass
    assert desk.echoes()


def test_who_is_stopped_leaves_it_as_it_was_and_finds_it_as_it_left_it(desk):
    keyboard = Keyboard(desk.fd)
    keyboard.be_silent()
    desk.change(termios.ICANON, False)  # a line is being edited
    keyboard.leave(stopped=True)
    assert desk.echoes()
    assert desk.has(termios.ICANON)
    keyboard.come_back()
    assert not desk.echoes()
    assert not desk.has(termios.ICANON)


def test_readline_finds_the_terminal_as_it_left_it(desk):
    """It echoes what is typed itself."""
    keyboard = Keyboard(desk.fd)
    keyboard.be_silent()
    with keyboard.seen():
        desk.change(termios.ECHO | termios.ICANON, False)
        keyboard.leave(stopped=True)
        assert desk.echoes()
        keyboard.come_back()
        assert not desk.echoes()
        keyboard.come_back()  # stopped by another signal, it has left nothing
        assert not desk.echoes()


def test_a_terminal_that_never_echoed_does_not_begin_to(desk):
    desk.change(termios.ECHO, False)
    keyboard = Keyboard(desk.fd)
    keyboard.be_silent()
    with keyboard.seen():
        assert not desk.echoes()
    keyboard.leave()
    assert not desk.echoes()


SHELL = """
import os, signal, sys, termios
from realtime_client.keyboard import without_echo

def echo():
    return "seen" if termios.tcgetattr(0)[3] & termios.ECHO else "silent"

go, may_begin = os.pipe()[::-1]
child = os.fork()
if not child:  # a job of its own, as shells make them
    os.read(may_begin, 1)
    with without_echo():
        print("job:", echo(), flush=True)
        if sys.argv[1] == "foreground":
            os.kill(os.getpid(), signal.SIGTSTP)  # Ctrl-Z
            print("job:", echo(), flush=True)
    os._exit(0)
os.setpgid(child, child)
if sys.argv[1] == "foreground":
    os.tcsetpgrp(0, child)
os.write(go, b".")
while os.WIFSTOPPED(status := os.waitpid(child, os.WUNTRACED)[1]):
    print("stopped:", echo(), flush=True)
    os.kill(child, signal.SIGCONT)
print("ended:", os.waitstatus_to_exitcode(status), echo(), flush=True)
"""


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("foreground", ["job: silent", "stopped: seen", "job: silent", "ended: 0 seen"]),
        ("background", ["job: seen", "ended: 0 seen"]),
    ],
)
def test_a_job_of_a_shell(where, said):
    pid, fd = pty.fork()
    if not pid:
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'clients'}:{ROOT}"}
        os.execve(sys.executable, [sys.executable, "-c", SHELL, where], environment)
    screen = b""
    while select.select([fd], [], [], 30)[0]:
        try:
            screen += os.read(fd, 4096)
        except OSError:  # it has ended
            break
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(fd)
    assert screen.decode().split("\r\n")[:-1] == said


EARLY = """
import asyncio, sys
from realtime_client.keyboard import without_echo
from realtime_client.prompt import plain_lines

async def idle():
    print("answer", flush=True)
    await asyncio.sleep(0.5)

async def main():
    with without_echo(asks=True) as keyboard:
        async for line in plain_lines(idle, keyboard):
            print("line:", line, flush=True)
    print("over", flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("early", "then", "said"),
    [("\x04", "", []), ("ab\x04", "c\n\x04", ["line: abc"]), ("a\n\x04", "", ["line: a"])],
    ids=["alone", "behind letters", "behind a line"],
)
def test_ctrl_d_during_an_answer_counts_for_the_line_after_it(early, then, said):
    pid, fd = pty.fork()
    if not pid:
        path = f"{ROOT / 'clients'}:{ROOT}"
        os.execve(
            sys.executable, [sys.executable, "-c", EARLY], {**os.environ, "PYTHONPATH": path, "TERM": "dumb"}
        )
    screen = b""
    while select.select([fd], [], [], 10)[0]:
        try:
            screen += os.read(fd, 4096)
        except OSError:  # it has ended
            break
        if early and b"answer" in screen:
            os.write(fd, early.encode())
            early = ""
        elif then and b"> " in screen:
            os.write(fd, then.encode())
            then = ""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(fd)
    lines = screen.decode().split("\r\n")
    assert [line for line in lines if line.startswith("line:")] == said
    assert lines[-2].endswith("over")


def test_what_was_typed_for_a_line_that_never_came_is_no_command_for_the_shell(desk):
    keyboard = Keyboard(desk.fd, asks=True)
    keyboard.be_silent()
    os.write(desk.other, b"rm -r x\n\x04")
    keyboard.leave()
    assert not select.select([desk.fd], [], [], 0)[0]
