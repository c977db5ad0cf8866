"""Progress on stderr: plain lines at changes and now and then, bars on a terminal, nothing with `--quiet`."""

import io
from dataclasses import dataclass

import pytest

from realtime.commands.progress import (
    NoProgress,
    PlainProgress,
    open_progress,
    spoken_s,
    transferred,
    waited,
)


@dataclass
class Seen:
    state: str = "running"
    elapsed_s: float = 0.0
    typical_s: float | None = 120.0
    share: float | None = None
    trouble: str | None = None


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def lines(clock):
    """Plain progress, and the lines it has printed so far."""
    stream = io.StringIO()
    progress = PlainProgress(stream, now=clock)
    return progress, lambda: stream.getvalue().splitlines()


def test_a_task_has_a_line_at_each_change_and_every_10_s(lines, clock):
    progress, printed = lines
    show = progress.task("video")
    for clock.now_s in range(25):
        show(Seen("queued" if clock.now_s < 2 else "running", elapsed_s=clock.now_s))
    assert printed() == [
        "video: queued, 0 s of usually 2 min",
        "video: running, 2 s of usually 2 min",
        "video: running, 12 s of usually 2 min",
        "video: running, 22 s of usually 2 min",
    ]


def test_trouble_is_shown_once_and_its_end_too(lines):
    progress, printed = lines
    show = progress.task("video")
    for trouble in (None, "502", "502", None):
        show(Seen(trouble=trouble))
    assert len(printed()) == 3
    assert "502" in printed()[1]


def test_a_quick_transfer_has_one_line_and_a_slow_one_a_few(lines, clock):
    progress, printed = lines
    show = progress.transfer("uploading me.m4a")
    for done in range(0, 100_001, 10_000):
        show(done, 100_000)
    assert printed() == ["uploading me.m4a: 0.1 of 0.1 MB (100%)"]
    show = progress.transfer("downloading")
    for clock.now_s in range(30):
        show(clock.now_s * 1_000_000, None)
    assert printed()[1:] == ["downloading: 10.0 MB", "downloading: 20.0 MB"]


def test_quiet_shows_nothing():
    stream = io.StringIO()
    with open_progress(quiet=True, stream=stream) as progress:
        assert isinstance(progress, NoProgress)
        progress.say("a word")
        progress.transfer("a")(1, 2)
        progress.task("b")(Seen())
    assert stream.getvalue() == ""


def test_no_terminal_means_plain_lines():
    stream = io.StringIO()
    with open_progress(stream=stream) as progress:
        progress.task("[video]")(Seen())
    assert stream.getvalue() == "[video]: running, 0 s of usually 2 min\n"


def test_a_terminal_shows_bars_with_the_same_words():
    stream = Terminal()
    with open_progress(stream=stream) as progress:
        progress.transfer("uploading [b].wav")(3_000_000, 12_000_000)
        progress.task("video")(Seen(elapsed_s=40))
        progress.task("new")(Seen(typical_s=None))
        progress.say("waiting for [the] limit")
        progress._bars.refresh()
    shown = stream.getvalue()
    for words in (
        "uploading [b].wav",
        "3.0 of 12.0 MB",
        "running, 40 s of usually 2 min",
        "waiting for [the] limit",
    ):
        assert words in shown


def test_bars_leave_stdout_and_questions_alone(capsys):
    stream = Terminal()
    with open_progress(stream=stream) as progress:
        assert stream.getvalue() == "", "no bar before there is something to show"
        show = progress.transfer("uploading")
        show(1, 2)
        progress.clear()
        shown = stream.getvalue()
        print("a-cat.png")
        show(2, 2)
        assert stream.getvalue() == shown, "a bar that was taken away does not come back"
        progress.task("video")(Seen())
    assert capsys.readouterr().out == "a-cat.png\n"
    assert stream.getvalue() != shown


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0 s"), (59.4, "59 s"), (60, "1 min"), (125, "2 min 5 s"), (3600, "1 h"), (11_400, "3 h 10 min")],
)
def test_a_time_is_written_as_people_say_it(seconds, text):
    assert spoken_s(seconds) == text


def test_the_words_for_bytes_and_shares():
    assert transferred(3_100_000, 12_000_000) == "3.1 of 12.0 MB (25%)"
    assert transferred(0, 0) == "0 kB"
    assert transferred(14_400, 14_400) == "14 of 14 kB (100%)"
    assert waited(Seen(share=0.5, typical_s=None)) == "running, 0 s, 50%"
