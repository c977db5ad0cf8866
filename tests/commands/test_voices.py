"""`realtime voices` against a sandbox in this process: each action, records, lost answers, and what it costs."""

from __future__ import annotations

import errno
import itertools
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from realtime_client.errors import DeviceError

from realtime.commands import platform as platforms
from realtime.commands import voice_records, voices
from realtime.commands.table import table
from realtime.errors import AnswerLost, InvalidArgument
from realtime.minimax.audio_length import audio_seconds
from realtime.sandbox.server import Sandbox
from realtime.task_records import RecordState, TaskRecords
from tests import programs
from tests.commands.running import environment, parsed
from tests.sandbox.voice_kit import recording

ROOT = Path(__file__).parents[2]
ID = "captain-01"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current directory that is also the home."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def sample() -> bytes:
    return recording(12.0, format="mp3")


@pytest.fixture
async def sandbox():
    async with Sandbox() as running:
        yield running


@pytest.fixture
def run(folder, sandbox, capsys):
    """Run one action against the sandbox; its stdout and stderr."""

    async def run(*words: str, actions: dict | None = None) -> tuple[str, str]:
        args = parsed(voices.add_arguments, list(words), environment(folder, MINIMAX_BASE_URL=sandbox.url))
        todo = {
            "list": voices._list,
            "try": voices._try,
            "design": voices.design,
            "clone": voices.clone,
            "keep": voices._keep,
            "delete": voices._delete,
        }[args.action]
        capsys.readouterr()
        assert await platforms._run(args, todo) == 0
        shown = capsys.readouterr()
        return shown.out, shown.err

    return run


def records(folder: Path):
    kept = TaskRecords(platforms.state_folder(environment(folder)))
    return {record.task_id or record.arguments.get("voice_id"): record for record in kept.recent().records}


def put(name: str, data: bytes) -> None:
    Path(name).write_bytes(data)


def got(name: str) -> bytes:
    return Path(name).read_bytes()


async def test_the_list_by_language_for_programs(run):
    out, _ = await run("list", "--language", "zh")
    lines = [line.split("\t") for line in out.splitlines()]
    assert 50 < len(lines) < 70
    assert {line[2] for line in lines} == {"zh"}
    out, _ = await run("list", "--json", "--kind", "cloned")
    assert json.loads(out) == {"voices": []}


def test_the_table_on_a_terminal_is_aligned():
    lines = table(("ID", "ABOUT"), [("a", "沉稳"), ("bcd ", "x  y")], aligned=True)
    assert lines == ["ID    ABOUT", "a     沉稳", "bcd   x y"]
    assert table(("ID", "ABOUT"), [("a", "b")], aligned=False) == ["a\tb"]
    assert table(("ID", "ABOUT"), [], aligned=True) == []


async def test_clone_list_keep_and_delete(run, folder, sandbox, sample):
    put("me.mp3", sample)
    out, err = await run("clone", ID, "me.mp3", "--denoise", "--say", "Welcome.", "-o", "demo.mp3")
    assert out.splitlines() == [ID, str(folder / "demo.mp3")]
    assert (audio_seconds(got("demo.mp3")) or 0) > 0.2
    assert f"realtime voices keep {ID}" in err
    assert records(folder)[ID].state is RecordState.DONE
    out, _ = await run("list", "--kind", "cloned")
    assert re.search(f"167 h 59 min left: .*realtime voices keep {ID}", out) or "168 h left" in out
    out, _ = await run("keep", ID)
    assert out == f"{ID}\n"
    out, _ = await run("list", "--kind", "cloned", "--json")
    assert [(voice["id"], "unused" in voice) for voice in json.loads(out)["voices"]] == [(ID, False)]
    _, err = await run("keep", ID)
    assert "was used before" in err
    sandbox.forward(hours=200)
    await run("try", ID, "Hi.", "-o", "hi.wav")
    assert got("hi.wav")[:4] == b"RIFF"
    await run("delete", ID)
    assert (await run("list", "--kind", "cloned"))[0] == ""


async def test_design_and_delete_before_its_first_use(run, folder):
    out, _ = await run("design", "an old captain", "--say", "Welcome aboard.", "--json")
    made = json.loads(out)
    assert [Path(path).name for path in made["paths"]] == ["an-old-captain.mp3"]
    assert (audio_seconds(got(made["paths"][0])) or 0) > 0.2
    assert made["voice_id"] in (await run("list", "--kind", "designed"))[0]
    await run("delete", made["voice_id"])
    assert (await run("list", "--kind", "designed"))[0] == ""


async def test_a_recording_that_is_too_short_is_refused_here(run, folder):
    put("me.wav", recording(6.2))
    with pytest.raises(InvalidArgument, match=r"6\.2 s, cloning wants 10 s to 5 min"):
        await run("clone", ID, "me.wav")
    with pytest.raises(InvalidArgument, match=r"no-such\.wav"):
        await run("clone", ID, "no-such.wav")
    with pytest.raises(InvalidArgument, match="go together"):
        await run("clone", ID, "me.wav", "--prompt", "me.wav")
    assert records(folder) == {}


async def test_a_refused_clone_is_a_failed_record(run, folder, sandbox, sample):
    put("me.mp3", sample)
    sandbox.inject("clone.error=1043", times=1)
    with pytest.raises(InvalidArgument, match="does not say"):
        await run("clone", ID, "me.mp3", "--check", "something else")
    assert records(folder)[ID].state is RecordState.FAILED


async def test_the_lost_answer_of_a_clone_is_remembered(run, folder, sandbox, sample, capsys):
    put("me.mp3", sample)
    sandbox.inject("clone.lost", times=1)
    with pytest.raises(AnswerLost):
        await run("clone", ID, "me.mp3")
    assert records(folder)[ID].state is RecordState.UNKNOWN
    with pytest.raises(InvalidArgument, match="choose another id"):
        await run("clone", ID, "me.mp3")
    assert "that voice may be yours" in capsys.readouterr().err


async def test_the_lost_answer_of_a_design_is_not_bought_again(run, folder, sandbox):
    sandbox.inject("design.lost", times=1)
    with pytest.raises(AnswerLost):
        await run("design", "an old captain", "--say", "Hi.")
    with pytest.raises(InvalidArgument, match="realtime tasks forget"):
        await run("design", "an old captain", "--say", "Hi.")
    await run("design", "a young captain", "--say", "Hi.")


async def test_a_preview_that_could_not_be_saved_does_not_lose_the_voice(run, folder, monkeypatch):
    async def fails(*ignored):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("realtime.commands.voice_making._save_preview", fails)
        with pytest.raises(OSError, match="No space"):
            await run("design", "an old captain", "--say", "Hi.")
    (voice_id,) = records(folder)
    out, _ = await run("design", "an old captain", "--say", "Hi.")
    assert out == f"{voice_id}\n"  # the same voice: it was paid for


async def test_an_interrupted_upload_bought_nothing(run, folder, sample, monkeypatch):
    put("me.mp3", sample)

    async def interrupted(*ignored, on_progress, **more):
        on_progress(10, 100)
        raise KeyboardInterrupt

    monkeypatch.setattr("realtime.minimax.voices.Voices.clone", interrupted)
    with pytest.raises(KeyboardInterrupt):
        await run("clone", ID, "me.mp3")
    assert records(folder)[ID].state is RecordState.FAILED


async def test_dry_runs_print_the_request(run, folder, sample):
    put("me.mp3", sample)
    request = json.loads((await run("clone", ID, "me.mp3", "--denoise", "--dry-run"))[0])
    assert request["body"]["voice_id"] == ID
    assert request["body"]["need_noise_reduction"] is True
    assert request["uploads"][0]["purpose"] == "voice_clone"
    request = json.loads((await run("keep", ID, "--dry-run"))[0])
    assert request["url"].endswith("/v1/t2a_v2")
    request = json.loads((await run("try", ID, "Hi.", "--dry-run"))[0])
    assert request["body"]["text"] == "Hi."
    assert records(folder) == {}


def test_voices_of_the_built_in_sandbox_end_with_their_command(folder, capsys):
    words = ["design", "an old captain", "--say", "Hi."]
    for _ in range(2):  # each is a new voice of a new sandbox
        assert voices.run(parsed(voices.add_arguments, words, environment(folder))) == 0
        assert "ended with the built-in sandbox" in capsys.readouterr().err
    assert voices.run(parsed(voices.add_arguments, ["list", "--kind", "designed"], environment(folder))) == 0
    assert capsys.readouterr().out == ""


def test_killed_at_any_moment_the_same_command_buys_once(folder):
    """A real process is killed while the platform designs; the next one refuses to buy the voice a second time."""
    environ = {**os.environ, "PYTHONPATH": f"{ROOT / 'clients'}{os.pathsep}{ROOT}", **environment(folder)}
    environ.pop("MINIMAX_API_KEY", None)
    server = programs.Popen(
        ["sandbox", "--port", "0", "--set", "voice.design_ms=60000"],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert server.stdout is not None
        url = next(word for line in server.stdout for word in line.split() if word.startswith("http://"))
        environ["MINIMAX_BASE_URL"] = url.rstrip(".,/")
        command = ["voices", "design", "an old captain", "--say", "Hi."]
        first = programs.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while not records(folder) and time.monotonic() < deadline:
            time.sleep(0.05)
        first.send_signal(signal.SIGKILL)
        first.wait()
        again = programs.run(*command, env=environ)
    finally:
        server.kill()
        server.communicate()
    assert again.returncode == 2
    assert "may have been charged" in again.stderr
    assert [record.state for record in records(folder).values()] == [RecordState.UNKNOWN]


async def test_without_a_speaker_nothing_is_bought(run, monkeypatch):
    class NoSpeaker:
        def __init__(self, **ignored): ...

        async def __aenter__(self):
            raise DeviceError("This machine has no speaker.")

        async def __aexit__(self, *ignored): ...

    async def bought(*ignored, **more):
        raise AssertionError("speech was bought that nobody can hear")

    monkeypatch.setattr("realtime_client.speaker.Speaker", NoSpeaker)
    monkeypatch.setattr("realtime.minimax.speech.SpeechClient.synthesize", bought)
    with pytest.raises(DeviceError):
        await run("try", "female-yujie", "Hi.")


async def test_the_built_in_sandbox_says_where_voices_would_stay(folder):
    for action, todo in (("keep", voices._keep), ("delete", voices._delete)):
        args = parsed(voices.add_arguments, [action, ID], environment(folder))
        with pytest.raises(InvalidArgument, match=r"realtime sandbox.*MINIMAX_BASE_URL"):
            await platforms._run(args, todo)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["clone", "cap", "me.wav"], "voice_id is 3 characters"),
        (["clone", ID, "me.wav", "--accuracy", "7"], "accuracy is 7"),
        (["clone", ID, "me.wav", "--say", "x" * 1_001], "say is 1,001 characters"),
        (["clone", ID, "me.wav", "--prompt", "me.wav", "--prompt-text", "no mark at the end"], "punctuation"),
        (["design", "", "--say", "Hi."], "prompt is empty"),
        (["design", "an old captain", "--say", "Hi.", "--id", "cap"], "voice_id is 3 characters"),
    ],
)
async def test_wrong_arguments_are_refused_before_the_cost_and_leave_no_record(
    run, folder, monkeypatch, words, said
):
    async def asked(*ignored):
        raise AssertionError("asked to pay for what cannot be bought")

    monkeypatch.setattr("realtime.commands.platform.Platform.confirm_cost", asked)
    put("me.wav", recording(12.0))
    with pytest.raises(InvalidArgument, match=said):
        await run(*words)
    assert records(folder) == {}


async def test_a_try_that_cannot_be_written_leaves_the_earlier_file(run, folder, monkeypatch):
    def full(self, *args):
        raise OSError(errno.ENOSPC, "No space left on device")

    await run("try", "female-yujie", "Hi.", "-o", "hi.mp3")
    before = got("hi.mp3")
    monkeypatch.setattr("realtime.minimax.part_file.PartFile.write", full)
    with pytest.raises(OSError, match="No space"):
        await run("try", "female-yujie", "Hi again.", "-o", "hi.mp3", "--force")
    assert got("hi.mp3") == before


def test_a_voice_behind_many_other_records_is_not_forgotten(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("os.fsync", lambda handle: None)
    seconds = itertools.count(time.time() - 1000)
    kept = TaskRecords(tmp_path, now=lambda: next(seconds))
    with kept.create("design", platform="here") as work:
        work.sent("captain-01")
        work.done()
    for _ in range(201):
        with kept.create("image", platform="here") as work:
            work.done()
    platform: Any = SimpleNamespace(records=kept, address="here")
    assert [voice.id for voice in voice_records.unused(platform)] == ["captain-01"]
    voice_records.mark_used(platform, "captain-01")
    assert voice_records.unused(platform) == []
