"""`realtime narrate` against the sandbox: files, subtitles, going on after a kill, and nothing bought twice."""

from __future__ import annotations

import asyncio
import io
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from realtime import cli
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from realtime.task_records import RecordState, TaskRecords
from tests import programs

pytest.importorskip("realtime.sandbox.narration")

CREATE, SPEAK = "/v1/t2a_async_v2", "/v1/t2a_v2"
PARAGRAPH = "The boat went out before the sun was up, and nobody on the shore saw it go. "
BOOK = "\n\n".join(f"Chapter {number}\n\n{PARAGRAPH * 14}" for number in (1, 2, 3))
FAST = ("narration.least_s=0.2", "narration.process_s=0.1", "speech.first_ms=1", "speech.factor=1000")


class Server:
    """A sandbox in a thread; `bought` are the texts of the requests that cost."""

    def __init__(self, sets: tuple[str, ...]) -> None:
        self.loop = asyncio.new_event_loop()
        self.sandbox = Sandbox(SandboxOptions.parse(sets=sets))
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.call(self.sandbox.start())

    def call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def inject(self, *faults: str, times: int | None = None) -> None:
        async def inject() -> None:
            self.sandbox.inject(*faults, times=times)

        self.call(inject())

    def bought(self, path: str = CREATE) -> list[str]:
        return [each.body["text"] for each in self.sandbox.state.requests if each.path == path]

    def close(self) -> None:
        self.call(self.sandbox.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


@pytest.fixture
def server(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    running = Server(getattr(request, "param", FAST))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("MINIMAX_BASE_URL", running.sandbox.url)
    monkeypatch.delenv("MINIMAX_API_KEY", raising=False)
    yield running
    running.close()


def records(folder: Path) -> TaskRecords:
    return TaskRecords(folder / "state" / "minimax-realtime" / "tasks")


def narrate(*words: str) -> int:
    return cli.main(["narrate", *words, "--quiet"])


def test_a_book_becomes_a_folder(server: Server, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "book.txt").write_text(BOOK)
    assert narrate("book.txt", "-o", "out/", "--format", "wav", "--subtitles", "srt", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    names = sorted(os.listdir(tmp_path / "out"))
    chapters = [f"0{number}-chapter-{number}.{end}" for number in (1, 2, 3) for end in ("srt", "wav")]
    assert names == [*chapters, "book.m3u8"]
    assert [each["title"] for each in shown["chapters"]] == ["Chapter 1", "Chapter 2", "Chapter 3"]
    assert (tmp_path / "out" / "01-chapter-1.wav").read_bytes().startswith(b"RIFF")
    assert "The boat went out" in (tmp_path / "out" / "01-chapter-1.srt").read_text()
    assert (tmp_path / "out" / "book.m3u8").read_text().count("#EXTINF:") == 3
    assert len(server.bought()) == 3
    assert narrate("book.txt", "-o", "out/", "--format", "wav", "--subtitles", "srt") == 0
    assert len(server.bought()) == 3, "nothing is bought twice"
    os.unlink(tmp_path / "out" / "02-chapter-2.wav")
    assert narrate("book.txt", "-o", "out/", "--format", "wav", "--subtitles", "srt") == 0
    assert len(server.bought()) == 3, "a lost file is fetched again"
    assert (tmp_path / "out" / "02-chapter-2.wav").exists()


def test_a_short_text_is_spoken_at_once(server: Server, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "note.md").write_text("# Note\n\nA **short** one.\n\n# End\n\nBye.\n")
    assert narrate("note.md") == 0
    assert capsys.readouterr().out == f"{tmp_path / 'note.mp3'}\n"
    assert server.bought(SPEAK) == ["Note.\n\nA short one.\n\nEnd.\n\nBye."]
    assert narrate("note.md") == 0
    assert narrate("note.md", "--no-wait") == 0
    assert len(server.bought(SPEAK)) == 1
    assert narrate("note.md", "-o", "said.mp3", "--subtitles", "vtt") == 0
    assert (tmp_path / "said.vtt").read_text().startswith("WEBVTT")
    assert server.bought() == []


def test_names_that_are_taken_are_refused_before_anything_is_bought(server: Server, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("A short one.")
    (tmp_path / "note.mp3").write_bytes(b"mine")
    assert narrate("note.txt") == 2
    assert (tmp_path / "note.mp3").read_bytes() == b"mine"
    assert server.bought(SPEAK) == []
    assert narrate("note.txt", "--force") == 0
    (tmp_path / "book.txt").write_text(BOOK)
    assert narrate("book.txt", "-o", "book.mp3") == 2
    assert narrate("book.txt", "--single", "-o", "book.wav") == 2
    assert narrate("book.txt", "--single", "--format", "pcm") == 2
    assert narrate("book.txt", "--single", "--no-wait") == 2
    assert server.bought() == []


@pytest.mark.parametrize("content", [b"\x00\x01\x02", b"", b" \n ", b"\xff\xd8\xff\xe0", b"PK\x03\x04zzz"])
def test_what_is_no_text_is_refused(server: Server, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.txt").write_bytes(content)
    assert narrate("x.txt") == 2
    assert list(server.sandbox.state.requests) == []
    assert narrate("missing.txt") == 2


def test_standard_input(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    opened: list[io.TextIOWrapper] = []

    def pipe(content: bytes) -> None:
        reading, writing = os.pipe()
        threading.Thread(target=lambda: (os.write(writing, content), os.close(writing)), daemon=True).start()
        opened.append(io.TextIOWrapper(os.fdopen(reading, "rb", buffering=0), "utf-8"))
        monkeypatch.setattr(sys, "stdin", opened[-1])

    pipe(b"Some words.")
    assert narrate("-") == 0
    assert (tmp_path / "narration.mp3").exists()
    pipe(b"\x89PNG\r\n\x1a\n\x00")
    assert narrate("-") == 2
    monkeypatch.setattr("realtime.commands.narrate.MOST_STDIN_BYTES", 5)
    pipe(b"Too many words.")
    assert narrate("-", "-o", "b.mp3") == 2
    assert len(server.bought(SPEAK)) == 1
    for thread in threading.enumerate():
        if thread.name == "stdin":
            thread.join(10)
    for each in opened:
        each.close()


def test_no_wait_and_then_the_same_command(server: Server, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "book.txt").write_text(BOOK)
    assert narrate("book.txt", "--format", "wav", "--no-wait") == 0
    ids = capsys.readouterr().out.split()
    assert len(ids) == len(server.bought()) == 3
    assert narrate("book.txt", "--format", "wav") == 0
    assert len(server.bought()) == 3
    assert len(list((tmp_path / "book").glob("*.wav"))) == 3


def test_no_wait_takes_the_id_of_a_task_that_another_process_waits_for(
    server: Server, tmp_path: Path, capsys: Any
) -> None:
    (tmp_path / "book.txt").write_text(BOOK)
    assert narrate("book.txt", "--no-wait") == 0
    ids = capsys.readouterr().out.split()
    with records(tmp_path).work_on(ids[1]):
        assert narrate("book.txt", "--no-wait") == 0
    assert capsys.readouterr().out.split() == ids
    assert len(server.bought()) == 3


def test_another_command_can_fetch_the_results(server: Server, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "book.txt").write_text(BOOK)
    assert narrate("book.txt", "-o", "out/", "--format", "wav", "--subtitles", "vtt", "--no-wait") == 0
    os.mkdir(tmp_path / "elsewhere")
    os.chdir(tmp_path / "elsewhere")
    assert cli.main(["tasks", "resume", "--quiet"]) == 0
    assert len(list((tmp_path / "out").glob("0?-chapter-?.vtt"))) == 3
    assert len(list((tmp_path / "out").glob("0?-chapter-?.wav"))) == 3


def test_a_file_that_came_meanwhile_is_not_replaced(server: Server, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "book.txt").write_text(BOOK)
    command = ("book.txt", "-o", "out/", "--format", "wav")
    assert narrate(*command, "--no-wait") == 0
    mine = tmp_path / "out" / "02-chapter-2.wav"
    mine.parent.mkdir()
    mine.write_text("MINE")
    assert narrate(*command) == 2
    assert cli.main(["tasks", "resume", "--quiet"]) != 0
    assert mine.read_text() == "MINE"
    assert narrate(*command, "--force") == 0
    assert mine.read_bytes().startswith(b"RIFF")
    assert len(server.bought()) == 3


def test_what_an_earlier_command_was_allowed_replaces_nothing_later(server: Server, tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text(f"{PARAGRAPH * 42}")
    mine = tmp_path / "book.wav"
    mine.write_text("MINE")
    command = ("book.txt", "--format", "wav")
    server.inject("link.dead", times=9)
    assert narrate(*command, "--force") == 1
    assert narrate(*command) == 2
    assert mine.read_text() == "MINE"
    server.inject()
    assert narrate(*command, "--force") == 0
    assert mine.read_bytes().startswith(b"RIFF")
    assert len(server.bought()) == 1


def test_other_fields_are_other_work(server: Server, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("A short one.")
    assert narrate("note.txt", "--set", "voice_setting.pitch=2") == 0
    assert narrate("note.txt", "--set", "voice_setting.pitch=3", "--force") == 0
    assert narrate("note.txt", "--set", "voice_setting.pitch=3") == 0
    assert len(server.bought(SPEAK)) == 2


def test_the_cost_is_said_once_and_only_for_what_is_new(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("MINIMAX_API_KEY", "a-key")
    (tmp_path / "book.txt").write_text(BOOK)
    characters = 3 * len(f"Chapter 1\n\n{PARAGRAPH * 14}".strip())
    command = ["narrate", "book.txt", "--format", "wav"]
    assert cli.main(command) == 0
    said = capsys.readouterr().err
    assert said.count("This costs") == 1
    assert f"This costs: {characters:,} characters of speech in 3 chapters." in said
    assert cli.main(command) == 0
    said = capsys.readouterr().err
    assert "This costs" not in said
    assert "3 of 3 chapters were sent before" in said


def test_dry_run_prints_the_request_and_sends_nothing(server: Server, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "book.txt").write_text(BOOK)
    assert (
        narrate(
            "book.txt",
            "--speed",
            "1.5",
            "--pronounce",
            "sun/moon",
            "--dry-run",
            "--set",
            "aigc_watermark=true",
        )
        == 0
    )
    body = json.loads(capsys.readouterr().out)["body"]
    assert body["voice_setting"]["speed"] == 1.5
    assert body["pronunciation_dict"] == {"tone": ["sun/moon"]}
    assert body["aigc_watermark"] is True
    assert narrate("book.txt", "--speed", "9", "--dry-run") == 2
    assert list(server.sandbox.state.requests) == []
    assert not (tmp_path / "book").exists()


def test_a_lost_answer_is_not_bought_again_unless_asked(server: Server, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "book.txt").write_text(BOOK)
    server.inject("narration.lost", times=1)
    assert narrate("book.txt", "--format", "wav") == 1
    first = server.bought()
    assert narrate("book.txt", "--format", "wav") == 2
    assert "realtime tasks forget" in capsys.readouterr().err
    rest = server.bought()[len(first) :]
    assert set(rest).isdisjoint(first)
    assert narrate("book.txt", "--format", "wav", "--again") == 0
    assert len(server.bought()) == 4


def test_speech_whose_subtitles_are_not_fetched_is_not_bought_again(
    server: Server, tmp_path: Path, capsys: Any
) -> None:
    (tmp_path / "note.txt").write_text("A short one.")
    command = ("note.txt", "-o", "book.mp3", "--subtitles", "srt", "--set", "voice_setting.pitch=1")
    server.inject("link.dead", times=9)  # each try asks three times
    assert narrate(*command) == 1
    (record,) = records(tmp_path).recent().records
    assert (record.state, record.paths) == (RecordState.SENT, (str(tmp_path / "book.mp3"),))
    assert narrate(*command) == 1
    assert narrate(*command, "--force", "--again") == 1
    assert cli.main(["tasks", "resume", "--quiet"]) == 0
    assert "A short one" in (tmp_path / "book.srt").read_text()
    assert narrate(*command) == 0
    assert len(server.bought(SPEAK)) == 1


def test_a_short_text_that_another_process_speaks_is_not_called_lost(
    server: Server, tmp_path: Path, capsys: Any
) -> None:
    (tmp_path / "note.txt").write_text("A short one.")
    assert narrate("note.txt") == 0
    (tmp_path / "note.mp3").unlink()
    (record,) = records(tmp_path).recent().records
    with records(tmp_path).work_on(record.key) as work:
        work.save(replace(record, state=RecordState.SENDING, paths=()))
        for flag in ("--quiet", "--again", "--no-wait"):
            assert narrate("note.txt", flag) == 1
            assert "Another process works on" in capsys.readouterr().err
    assert len(server.bought(SPEAK)) == 1


@pytest.mark.parametrize("name", ["d/01-one.srt", "d/02-two.mp3", "d/b.m3u8", "all.srt", "said.vtt"])
def test_no_file_of_the_user_is_replaced_without_force(
    server: Server, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.media.ffmpeg.ffmpeg", lambda: "ffmpeg")
    (tmp_path / "b.md").write_text(f"# One\n\n{PARAGRAPH * 21}\n\n# Two\n\n{PARAGRAPH * 21}")
    (tmp_path / "note.txt").write_text("A short one.")
    (tmp_path / "d").mkdir()
    (tmp_path / name).write_text("MINE")
    command = {
        "all.srt": ("b.md", "--single", "-o", "all.m4b", "--subtitles", "srt"),
        "said.vtt": ("note.txt", "-o", "said.mp3", "--subtitles", "vtt"),
    }.get(name, ("b.md", "-o", "d/", "--subtitles", "srt"))
    assert narrate(*command) == 2
    assert (tmp_path / name).read_text() == "MINE"
    assert list(server.sandbox.state.requests) == []


@pytest.mark.parametrize(
    ("out", "file"), [("Dr. Who", "Dr. Who.mp3"), ("part.1", "part.1.mp3"), ("A.WAV", "A.mp3")]
)
def test_a_name_with_a_dot_is_kept(server: Server, tmp_path: Path, capsys: Any, out: str, file: str) -> None:
    (tmp_path / "note.txt").write_text("A short one.")
    assert narrate("note.txt", "-o", out) == 0
    assert capsys.readouterr().out == f"{tmp_path / file}\n"


def test_a_task_that_fails_keeps_the_others(server: Server, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "book.txt").write_text(BOOK)
    server.inject("narration.fail=1026", times=1)
    assert narrate("book.txt", "--format", "wav") == 1
    assert "1026" in capsys.readouterr().err
    assert len(list((tmp_path / "book").glob("*.wav"))) == 2
    assert narrate("book.txt", "--format", "wav") == 0
    assert len(server.bought()) == 4


def test_one_file_with_chapter_marks(server: Server, tmp_path: Path, capsys: Any) -> None:
    pytest.importorskip("pydub")
    (tmp_path / "book.txt").write_text(BOOK)
    assert narrate("book.txt", "--single", "-o", "all.m4b", "--format", "wav", "--subtitles", "srt") == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / "all.m4b"), str(tmp_path / "all.srt")]
    assert (tmp_path / "all.m4b").read_bytes()[4:8] == b"ftyp"
    times = [line for line in (tmp_path / "all.srt").read_text().splitlines() if "-->" in line]
    assert times == sorted(times)
    assert len(server.bought()) == 3


@pytest.mark.parametrize("server", [("narration.least_s=2.5", *FAST[1:])], indirect=True)
def test_killed_at_any_moment_the_same_command_goes_on(server: Server, tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("\n\n".join(f"Chapter {n}\n\n{PARAGRAPH * 7}" for n in range(1, 8)))
    command = ["narrate", "book.txt", "-o", "out/", "--format", "wav"]
    luck, kills, lost = random.Random(20261126), 0, 0
    ended: Any = SimpleNamespace(returncode=None)
    for _ in range(40):
        words = [*command, "--again"] if ended.returncode == 2 else command
        records = [path.read_text() for path in tmp_path.glob("state/**/*.json")]
        lost += 0 if words is command else sum('"sending"' in record for record in records)
        goal = len(server.bought()) + luck.choice((0, 1, 1, 2, 4))
        process = programs.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        if kills < 6:
            while len(server.bought()) < goal and process.poll() is None:
                time.sleep(0.01)
            time.sleep(luck.uniform(0.0, 0.4))
            kills += process.poll() is None
            process.kill()
        _, said = process.communicate(timeout=120)
        ended = SimpleNamespace(returncode=process.returncode, said=said)
        if process.returncode == 0:
            break
    assert ended.returncode == 0, ended.said
    assert kills, "no task ends before the first kill"
    assert len(list((tmp_path / "out").glob("*.wav"))) == 7
    texts = server.bought()
    assert len(set(texts)) == 7
    assert len(texts) <= 7 + lost, "only what was lost is bought again, and only when that was asked for"
    assert not list((tmp_path / "out").glob(".*")), "nothing is left half-done"
