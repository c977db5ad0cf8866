"""`realtime image` and `realtime music`: what is asked, saved, named, counted; and what is left when something fails."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

import pytest

from realtime import cli
from realtime.commands import image, music
from realtime.sandbox.picture_facts import picture_facts
from realtime.task_records import RecordState, TaskRecords
from tests import programs
from tests.commands.answering import JPEG, MP3, PNG, WORDS, served
from tests.commands.running import at_home

ROOT = Path(__file__).parents[2]
IMAGES, SONGS, LYRICS = "/v1/image_generation", "/v1/music_generation", "/v1/lyrics_generation"


@pytest.fixture
def platform():
    with served() as fake:
        yield fake


@pytest.fixture
def folder(tmp_path, monkeypatch, platform):
    """An empty current directory and home, with the platform in the environment."""
    at_home(monkeypatch, tmp_path, platform.url, XDG_STATE_HOME=str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def records(folder):
    return TaskRecords(folder / "state" / "minimax-realtime" / "tasks")


def files(folder) -> list[str]:
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and "state" not in path.parts
    )


def states(records) -> list[RecordState]:
    return [record.state for record in records.recent().records]


def test_pictures_are_saved_under_names_from_the_prompt(platform, folder, records, capsys):
    assert cli.main(["image", "a cat on a red sofa", "-n", "2", "--ratio", "16:9"]) == 0
    names = ["a-cat-on-a-red-sofa-1.jpeg", "a-cat-on-a-red-sofa-2.jpeg"]
    assert capsys.readouterr().out.split() == [str(folder / name) for name in names]
    assert files(folder) == names
    assert (folder / names[0]).read_bytes() == JPEG
    assert platform.bodies(IMAGES) == [
        {"model": "image-01", "prompt": "a cat on a red sofa", "n": 2, "aspect_ratio": "16:9"}
    ]
    assert states(records) == [RecordState.DONE]
    assert cli.main(["image", "a cat on a red sofa", "--quiet"]) == 0
    assert files(folder)[0] == "a-cat-on-a-red-sofa-1.jpeg", "nothing is overwritten"
    assert len(files(folder)) == 3


def test_every_option_of_pictures_has_its_place(platform, folder):
    (folder / "me.jpg").write_bytes(JPEG)
    words = [
        "her at sea",
        "--size",
        "1024x768",
        "--subject",
        "me.jpg",
        "--seed",
        "7",
        "--optimize-prompt",
        "--watermark",
    ]
    assert cli.main(["image", *words, "--set", "new=1", "-o", "sea.jpg"]) == 0
    (body,) = platform.bodies(IMAGES)
    (subject,) = body.pop("subject_reference")
    assert subject["image_file"].startswith("data:image/jpeg;base64,")
    assert body == {
        "model": "image-01", "prompt": "her at sea", "n": 1, "width": 1024, "height": 768, "seed": 7,
        "prompt_optimizer": True, "aigc_watermark": True, "new": 1,
    }  # fmt: skip
    assert cli.main(["image", "the sea", "--style", "水彩", "--style-weight", "0.3"]) == 0
    assert platform.bodies(IMAGES)[1]["style"] == {"style_type": "水彩", "style_weight": 0.3}
    assert files(folder) == ["me.jpg", "sea.jpg", "the-sea.jpeg"]


def test_more_than_nine_pictures_are_several_requests_with_seeds_of_their_own(platform, folder, capsys):
    assert cli.main(["image", "a cat", "-n", "20", "--seed", "5", "-o", "cats/", "--json"]) == 0
    assert [(body["n"], body["seed"]) for body in platform.bodies(IMAGES)] == [(9, 5), (9, 14), (2, 23)]
    document = json.loads(capsys.readouterr().out)
    names = [f"cats/a-cat-{number:02d}.jpeg" for number in range(1, 21)]
    assert files(folder) == names
    assert document == {
        "kind": "image", "prompt": "a cat", "paths": [str(folder / name) for name in names], "failed": 0
    }  # fmt: skip


def test_a_picture_ends_in_what_its_bytes_are(platform, folder):
    platform.file = PNG
    assert cli.main(["image", "a cat", "-o", "cat.jpg"]) == 0
    assert cli.main(["image", "a cat"]) == 0
    assert files(folder) == ["a-cat.png", "cat.png"]


def test_half_of_the_pictures_stopped_is_shown(platform, folder, capsys):
    platform.stopped = 2
    assert cli.main(["image", "a cat", "-n", "4"]) == 0
    shown = capsys.readouterr()
    assert "2 of 4 pictures were stopped as sensitive" in shown.err
    assert len(shown.out.split()) == len(files(folder)) == 2


def test_what_was_saved_before_a_refusal_is_said(platform, folder, records, capsys):
    platform.refuse = {1: 1008}
    assert cli.main(["image", "a cat", "-n", "12"]) == 1
    shown = capsys.readouterr().err
    assert "Saved before this" in shown
    assert "top it up" in shown
    assert len(files(folder)) == 9
    assert sorted(states(records)) == [RecordState.DONE, RecordState.FAILED]


@pytest.mark.parametrize(
    "words",
    [
        ["image", "a cat", "-n", "0"],
        ["image", "a cat", "--size", "1024"],
        ["image", "a cat", "--size", "1000x1001"],
        ["image", "a cat", "--ratio", "5:4"],
        ["image", "a cat", "--subject", "no-such-file.jpg"],
        ["image", "a cat", "-o", "taken.jpeg"],
        ["image", "x" * 1501],
        ["music", "jazz"],
        ["music", "jazz", "--lyrics", "binary.txt"],
        ["music", "jazz", "--lyrics", "long.txt"],
        ["music", "jazz", "--lyrics", "taken.jpeg", "--rate", "1"],
        ["music", "jazz", "--write-lyrics", "--rate", "1"],
        ["music", "jazz", "--write-lyrics", "--cover", "old.wav"],
        ["music", "jazz", "--instrumental", "--model", "music-2.0"],
        ["music", "jazz, late night", "--cover", "short.wav"],
        ["music", "jazz, late night", "--cover", "taken.jpeg"],
    ],
)
def test_a_mistake_is_status_2_and_buys_nothing(platform, folder, records, capsys, words):
    (folder / "taken.jpeg").write_bytes(b"some text")
    (folder / "binary.txt").write_bytes(b"\xff\xfe\x00")
    (folder / "long.txt").write_text("x" * 3501)
    with wave.open(str(folder / "short.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * 8000 * 3))
    before = files(folder)
    assert cli.main([*words, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["type"] == "InvalidArgument"
    assert platform.asked == []
    assert files(folder) == before
    assert states(records) == []


def test_a_song_with_lyrics_from_a_file(platform, folder, records, capsys):
    platform.file = MP3
    (folder / "song.txt").write_text(f"\ufeff{WORDS}\n", encoding="utf-8")
    words = [
        "--lyrics",
        "song.txt",
        "--format",
        "mp3",
        "--rate",
        "44100",
        "--bitrate",
        "256000",
        "--watermark",
    ]
    assert cli.main(["music", "jazz, late night", *words, "-o", "song.mp3"]) == 0
    assert capsys.readouterr().out == f"{folder / 'song.mp3'}\n"
    assert platform.bodies(SONGS) == [
        {
            "model": "music-3.0", "prompt": "jazz, late night", "lyrics": WORDS, "output_format": "url",
            "audio_setting": {"format": "mp3", "sample_rate": 44100, "bitrate": 256000}, "aigc_watermark": True,
        }
    ]  # fmt: skip
    assert (folder / "song.mp3").read_bytes() == MP3
    assert states(records) == [RecordState.DONE]


@pytest.mark.parametrize("name", ["none.txt", ".", "x" * 300])
def test_lyrics_that_cannot_be_read_are_a_mistake_of_the_caller(platform, folder, capsys, name):
    assert cli.main(["music", "jazz", "--lyrics", name, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["param"] == "lyrics"
    assert platform.bodies(SONGS) == []


@pytest.mark.parametrize("closed", ["stdin", "stdout", "stderr"])
def test_a_closed_stream_of_the_shell_loses_no_picture(platform, folder, monkeypatch, capsys, closed):
    platform.file = JPEG
    monkeypatch.setenv("MINIMAX_API_KEY", "sk-real")  # so that the cost is said
    monkeypatch.setattr(sys, closed, None)  # what Python makes of `>&-`
    assert cli.main(["image", "a cat"]) == 0
    assert files(folder) == ["a-cat.jpeg"]
    assert capsys.readouterr().out == ("" if closed == "stdout" else f"{folder / 'a-cat.jpeg'}\n")


def test_lyrics_from_standard_input_and_a_song_without_any(platform, folder, monkeypatch):
    platform.file = MP3
    with tempfile.TemporaryFile("w+", encoding="utf-8") as words:
        words.write(WORDS)
        words.seek(0)
        monkeypatch.setattr(sys, "stdin", words)
        assert cli.main(["music", "jazz", "--lyrics", "-"]) == 0
    assert cli.main(["music", "calm piano", "--instrumental"]) == 0
    first, second = platform.bodies(SONGS)
    assert first["lyrics"] == WORDS
    assert (second["is_instrumental"], "lyrics" in second) == (True, False)
    assert files(folder) == ["calm-piano.mp3", "jazz.mp3"]


def test_lyrics_are_written_kept_and_sung(platform, folder, records, capsys):
    platform.file = MP3
    assert cli.main(["music", "rain in the city", "--write-lyrics", "-o", "out/rain.mp3", "--json"]) == 0
    assert platform.bodies(LYRICS) == [{"mode": "write_full_song", "prompt": "rain in the city"}]
    assert platform.bodies(SONGS)[0]["lyrics"] == WORDS
    document = json.loads(capsys.readouterr().out)
    assert document["lyrics"] == [str(folder / "out" / "rain.txt")]
    assert document["paths"] == [str(folder / "out" / "rain.mp3")]
    assert (folder / "out" / "rain.txt").read_text() == f"{WORDS}\n"
    assert sorted(record.kind for record in records.recent().records) == ["lyrics", "music"]


@pytest.mark.parametrize(
    ("out", "names"),
    [
        ("Dr. Who", ["Dr. Who.mp3", "Dr. Who.txt"]),
        ("St.Louis", ["St.Louis.mp3", "St.Louis.txt"]),
        ("我的歌.MP3", ["我的歌.MP3", "我的歌.txt"]),
        ("songs/.", ["songs/rain.mp3", "songs/rain.txt"]),
        ("a" * 245, [f"{'a' * 241}.mp3", f"{'a' * 241}.txt"]),
    ],
    ids=["dot", "dots", "upper", "folder", "long"],
)
def test_lyrics_stand_beside_their_song_under_its_name(platform, folder, out, names):
    platform.file = MP3
    assert cli.main(["music", "rain", "--write-lyrics", "-o", out]) == 0
    assert files(folder) == names


def test_a_song_that_fails_does_not_lose_its_lyrics(platform, folder, capsys):
    platform.refuse = {1: 1027}
    assert cli.main(["music", "rain", "--write-lyrics"]) == 1
    assert f"--lyrics {folder / 'rain.txt'}" in capsys.readouterr().err
    assert (folder / "rain.txt").read_text() == f"{WORDS}\n"


def test_lyrics_without_a_song_are_sung_by_the_same_line_and_only_once(platform, folder, capsys):
    platform.refuse, platform.file = {1: 1027}, MP3
    line = ["music", "rain", "--write-lyrics", "-o", "out/rain.mp3"]
    assert cli.main(line) == 1
    assert cli.main(line) == 0
    said = capsys.readouterr()
    assert str(folder / "out" / "rain.txt") in said.out
    assert len(platform.bodies(LYRICS)) == 1
    assert [body["lyrics"] for body in platform.bodies(SONGS)] == [WORDS, WORDS]
    assert cli.main([*line, "--force"]) == 0
    assert len(platform.bodies(LYRICS)) == 2


def test_ctrl_c_names_what_was_bought_before_it(platform, folder, monkeypatch, capsys):
    async def stopped(*_args):
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(60)

    real = image._request
    monkeypatch.setattr(image, "_request", lambda *args: (stopped if args[2].place.first else real)(*args))
    monkeypatch.setattr(music, "_sing", stopped)
    assert cli.main(["image", "a cat", "-n", "10", "-o", "cats/"]) == 130
    assert f"Saved before this: {folder / 'cats'}" in capsys.readouterr().err
    assert cli.main(["music", "rain", "--write-lyrics"]) == 130
    assert f"--lyrics {folder / 'rain.txt'}" in capsys.readouterr().err


def test_a_cover_of_a_recording(platform, folder):
    platform.file = MP3
    with wave.open(str(folder / "old.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * 8000 * 7))
    assert cli.main(["music", "jazz, late night", "--cover", "old.wav", "--seed", "3"]) == 0
    (body,) = platform.bodies(SONGS)
    assert (body["model"], body["seed"]) == ("music-cover", 3)
    assert len(body["audio_base64"]) > 2 * 8000 * 7
    assert cli.main(["music", "jazz, late night", "--cover", "https://host/old.mp3"]) == 0
    assert platform.bodies(SONGS)[1]["audio_url"] == "https://host/old.mp3"


def test_files_that_came_with_the_answer_are_saved_too(platform, folder, records):
    platform.file = MP3
    assert cli.main(["music", "jazz", "--instrumental", "--set", "output_format=hex", "-o", "a.wav"]) == 0
    assert (folder / "a.mp3").read_bytes() == MP3
    assert states(records) == [RecordState.DONE]


def test_a_download_that_failed_goes_on_by_its_record(platform, folder, records, capsys):
    platform.dead = True
    assert cli.main(["image", "a cat", "-n", "2", "-o", "cats/"]) == 1
    shown = capsys.readouterr()
    assert "realtime tasks wait trace-0" in shown.err
    assert "Signature" not in shown.err + shown.out
    assert states(records) == [RecordState.SENT]
    platform.dead = False
    (folder / "elsewhere").mkdir()
    os.chdir(folder / "elsewhere")
    assert cli.main(["tasks", "resume"]) == 0
    assert files(folder) == ["cats/a-cat-1.jpeg", "cats/a-cat-2.jpeg"]
    assert states(records) == [RecordState.DONE]
    assert len(platform.asked) == 1, "nothing is bought twice"
    assert cli.main(["tasks", "list", "--json"]) == 0
    assert "Signature" not in capsys.readouterr().out


def test_a_lost_answer_is_listed_and_not_asked_for_again(platform, folder, records, capsys):
    platform.lose = {0}
    assert cli.main(["music", "jazz", "--instrumental"]) == 1
    assert "may have been accepted" in capsys.readouterr().err
    assert states(records) == [RecordState.UNKNOWN]
    assert len(platform.asked) == 1
    assert cli.main(["tasks"]) == 0
    assert "unknown, maybe charged" in capsys.readouterr().out


def test_a_dry_run_prints_the_request_and_sends_nothing(platform, folder, records, capsys):
    assert cli.main(["image", "a cat", "-n", "20", "--ratio", "1:1", "--dry-run"]) == 0
    request = json.loads(capsys.readouterr().out)
    assert request["url"].endswith(IMAGES)
    assert request["body"] == {"model": "image-01", "prompt": "a cat", "n": 9, "aspect_ratio": "1:1"}
    assert cli.main(["music", "jazz", "--instrumental", "--dry-run"]) == 0
    assert json.loads(capsys.readouterr().out)["body"]["is_instrumental"] is True
    assert cli.main(["music", "jazz", "--dry-run"]) == 2
    assert (platform.asked, files(folder), states(records)) == ([], [], [])


def test_what_costs_is_counted_with_a_key(platform, folder, monkeypatch, capsys):
    monkeypatch.setenv("MINIMAX_API_KEY", "sk-a-real-key")
    platform.file = MP3
    for words, said in (
        (["image", "a cat"], "This costs: 1 picture."),
        (["image", "a cat", "-n", "12"], "This costs: 12 pictures."),
        (["music", "jazz", "--instrumental"], "This costs: 1 song."),
        (["music", "jazz", "--write-lyrics"], "This costs: lyrics and 1 song."),
    ):
        assert cli.main(words) == 0
        assert said in capsys.readouterr().err


@pytest.mark.parametrize("after_s", [0.0, 0.7, 1.1, 1.6])
def test_killed_at_any_moment_nothing_that_was_bought_is_lost(platform, folder, records, after_s):
    command = ["image", "a cat", "-n", "3", "-o", "cats/", "--quiet"]
    running = programs.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(after_s)  # wherever that is: every moment has to be safe
    running.send_signal(signal.SIGKILL)
    running.wait(10)
    assert cli.main(["tasks", "resume", "--quiet"]) == 0
    assert (bought := len(platform.asked)) <= 1
    assert set(states(records)) <= {RecordState.DONE, RecordState.UNKNOWN}
    if states(records) == [RecordState.DONE]:
        assert len([name for name in files(folder) if name.endswith(".jpeg")]) >= 3
    assert len(states(records)) >= bought, "what was sent is written down before"
    assert not [name for name in files(folder) if ".part" in name]


def test_without_a_key_the_built_in_sandbox_draws_and_takes_its_own_picture_as_a_subject(
    folder, monkeypatch, capsys
):
    pytest.importorskip("PIL")
    monkeypatch.delenv("MINIMAX_BASE_URL")
    assert cli.main(["image", "her at sea", "--ratio", "3:4", "-o", "her.jpg"]) == 0
    assert "built-in sandbox" in capsys.readouterr().err
    assert cli.main(["image", "a party", "--subject", "her.jpg", "-n", "2", "--size", "640x512"]) == 0
    assert files(folder) == ["a-party-1.jpeg", "a-party-2.jpeg", "her.jpg"]
    facts = picture_facts((folder / "a-party-1.jpeg").read_bytes())
    assert (facts.width, facts.height) == (640, 512)
    assert "a party" in facts.description
