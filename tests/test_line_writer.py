"""Lines written by a thread: in order, without waiting for a reader, and the lost ones are counted where they were."""

import contextlib
import io
import os
import sys
import threading
import time

import pytest

from realtime import line_writer
from realtime.line_writer import MOST_WAITING, LineWriter
from tests import programs

TIMEOUT_S = 20.0
LINE = "x" * 999 + "\n"


def writer_for(output) -> LineWriter:
    return LineWriter(lambda: output, lambda count: f"{count} lost\n")


@pytest.fixture
def pipe():
    """Its end to read from, and the end to write to as a stream."""
    reading, writing = os.pipe()
    with open(reading, "rb") as reader, open(writing, "w") as stream:
        yield reader, stream


class Output(io.StringIO):
    """Of a program: it takes lines only while `open`, and fails while `broken`."""

    def __init__(self):
        super().__init__()
        self.open, self.begun, self.broken = threading.Event(), threading.Event(), False
        self.open.set()

    def write(self, text):
        self.begun.set()
        self.open.wait()
        if self.broken:
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_lines_come_in_order():
    output = Output()
    writer = writer_for(output)
    for number in range(500):
        writer.put(output, f"{number}\n")
    writer.flush(TIMEOUT_S)
    assert output.getvalue().split() == [str(number) for number in range(500)]


def test_a_reader_that_stands_still_costs_lines_and_no_time(pipe):
    reader, stream = pipe
    writer, many = writer_for(stream), 2 * MOST_WAITING // len(LINE)
    began_s = time.monotonic()
    for _ in range(many):
        writer.put(stream, LINE)
    writer.flush(0.05)
    assert time.monotonic() - began_s < TIMEOUT_S / 2
    lines = lost = 0
    while lines + lost < many:
        line = reader.readline()
        if line.endswith(b"lost\n"):
            lost += int(line.split()[0])
        else:
            assert line == LINE.encode()
            lines += 1
    assert lost > 0
    assert lines * len(LINE) > MOST_WAITING - len(LINE)
    writer.put(stream, "later\n")
    assert reader.readline() == b"later\n"


def test_the_count_stands_where_the_lines_are_missing():
    output = Output()
    writer = writer_for(output)
    output.open.clear()
    writer.put(output, "first\n")
    assert output.begun.wait(TIMEOUT_S)
    for text in ("long", "long", "lost", "lost"):
        writer.put(output, text.ljust(MOST_WAITING // 2 - 10) + "\n")
    writer.put(output, "last\n")
    output.open.set()
    writer.flush(TIMEOUT_S)
    assert output.getvalue().split() == ["first", "long", "long", "2", "lost", "last"]


def test_what_a_broken_output_did_not_take_is_counted_when_it_works_again():
    output = Output()
    writer = writer_for(output)
    output.broken = True
    for _ in range(3):
        writer.put(output, "line\n")
    writer.flush(TIMEOUT_S)
    output.broken = False
    writer.put(output, "later\n")
    writer.flush(TIMEOUT_S)
    assert output.getvalue() == "3 lost\nlater\n"


def test_a_line_goes_to_its_own_stream_and_elsewhere_if_that_was_closed():
    first, second = Output(), Output()
    writer = writer_for(second)
    writer.put(first, "one\n")
    writer.flush(TIMEOUT_S)
    assert first.getvalue() == "one\n"
    first.close()
    for closed in (first, None):
        writer.put(closed, "two\n")
    writer.flush(TIMEOUT_S)
    assert second.getvalue() == "two\ntwo\n"


class Tee:
    """All that some programs give as their stream."""

    def __init__(self):
        self.said = []

    def write(self, text):
        self.said.append(text)

    def flush(self):
        pass


def test_a_stream_that_knows_little_gets_its_lines_and_one_that_was_detached_none():
    tee = Tee()
    writer = writer_for(tee)
    writer.put(tee, "one\n")
    detached = io.TextIOWrapper(io.BytesIO())
    detached.detach()
    writer.put(detached, "two\n")
    writer.put(tee, "three\n")
    writer.flush(TIMEOUT_S)
    assert tee.said == ["one\n", "two\n", "three\n"]


def test_without_any_stream_nothing_happens():
    writer = writer_for(None)
    writer.put(None, "line\n")
    writer.flush(TIMEOUT_S)


def test_at_the_end_of_python_and_without_threads_a_line_is_written_at_once(monkeypatch):
    output = Output()
    writer = writer_for(output)
    monkeypatch.setattr(threading.Thread, "start", _refuse)
    writer.put(output, "one\n")
    assert output.getvalue() == "one\n"
    monkeypatch.undo()
    writer.put(output, "two\n")
    writer.flush(TIMEOUT_S)
    writer.end()
    writer.put(output, "three\n")
    assert output.getvalue() == "one\ntwo\nthree\n"


def _refuse(thread):
    raise RuntimeError("can't start new thread")


def test_at_the_end_of_python_nobody_waits_for_a_thread_that_is_stuck():
    output = Output()
    writer = writer_for(output)
    output.open.clear()
    writer.put(output, "one\n")
    assert output.begun.wait(TIMEOUT_S)
    writer.flush(0.01)
    writer.end()
    writer.put(output, "two\n")
    output.open.set()
    writer.flush(TIMEOUT_S)
    assert output.getvalue() == "one\ntwo\n"


def test_a_standard_output_that_takes_nothing_costs_the_text_alone(monkeypatch, capsys):
    assert line_writer.printed("Ready")
    assert capsys.readouterr().out == "Ready\n"
    monkeypatch.setattr(line_writer, "PRINT_S", 0.05)
    (reading, writing), full, closed, still = os.pipe(), Output(), Output(), Output()
    full.broken = True
    closed.close()
    still.open.clear()
    os.close(reading)
    with open(writing, "w") as gone:
        for output in (full, gone, closed, still, None):
            monkeypatch.setattr(sys, "stdout", output)
            assert not line_writer.printed("Ready")
        gone.flush()  # nothing is left for the end of Python
    still.open.set()


FORKING = """
import logging, os, sys
from realtime import logs
logs.configure("info", "text")
logging.error("parent")
logs.flush()
if not os.fork():
    logging.error("child")
    logs.flush()
    os._exit(0)
os.wait()
logging.error("the end")
int("flamingo")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_process_that_was_forked_writes_its_own_lines_and_the_last_ones_come_at_an_error_exit(tmp_path):
    done = programs.run(code=FORKING, cwd=tmp_path)
    said = [line.split(": ", 1)[1] for line in done.stderr.splitlines() if line.startswith("20")]
    assert said == ["parent", "child", "the end", "an error that nobody handled"]
    assert done.stderr.endswith("ValueError\n")
    assert done.returncode == 1


def test_an_output_that_does_not_block_is_tried_again(pipe):
    reader, stream = pipe
    os.set_blocking(stream.fileno(), False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(stream.fileno(), b"." * 4096)
    writer = writer_for(stream)
    writer.put(stream, "line\n")
    writer.flush(0.05)
    assert reader.readline().endswith(b".line\n")
