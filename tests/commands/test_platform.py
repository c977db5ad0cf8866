"""What all platform commands share: the sandbox without a key, cost questions, dry runs, results, `--set`, the state folder."""

import contextlib
import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.commands import platform as platforms
from realtime.commands.extra import parse_extra
from realtime.commands.platform import BUILT_IN, Declined, client_of, run_on_platform, state_folder
from realtime.commands.progress import NoProgress
from realtime.errors import InvalidArgument
from realtime.minimax.door import Pause
from realtime.minimax.operations import OPERATIONS
from realtime.sandbox.server import Sandbox
from realtime.settings import Settings
from realtime.task_records import RecordState, TaskRecords
from tests.commands.running import add_all, environment, parsed

ROOT = Path(__file__).parents[2]
KEY = "sk-a-real-key"
REAL = {"MINIMAX_API_KEY": KEY, "MINIMAX_BASE_URL": "https://api.minimax.io"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current directory that is also the home."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch):
    """A terminal: `terminal(answer)` types the answer; what was printed is in the returned stream."""

    def typed(answer: str) -> Terminal:
        shown = Terminal()
        monkeypatch.setattr(sys, "stdin", Terminal(answer))
        monkeypatch.setattr(sys, "stderr", shown)
        return shown

    return typed


def run(folder, command, *words, **environ) -> int:
    return run_on_platform(parsed(add_all, list(words), environment(folder, **environ)), command)


def test_without_a_key_the_built_in_sandbox_answers_and_says_so_once(folder, capsys):
    async def command(platform):
        assert (platform.sandbox, platform.address) == (True, BUILT_IN)
        voices = await platform.mm.door.call(OPERATIONS["voices.list"], body={"voice_type": "system"})
        platform.show([folder / "a.png"], {"voices": len(voices["system_voice"])})
        return 0

    assert run(folder, command) == 0
    shown = capsys.readouterr()
    assert shown.out == f"{folder / 'a.png'}\n"
    assert shown.err == "No key is set: the built-in sandbox answers.\n"
    assert run(folder, command, "--json", "--quiet") == 0
    assert json.loads(capsys.readouterr().out)["voices"] > 0


def test_with_a_key_it_is_the_platform_of_the_settings(folder, capsys):
    async def command(platform):
        assert (platform.sandbox, platform.address) == (False, "https://api.minimax.io")
        assert platform.mm.base_url == "https://api.minimax.io"
        return 0

    assert run(folder, command, **REAL) == 0
    assert capsys.readouterr() == ("", "")


async def test_a_sandbox_at_an_address_costs_nothing_either(folder):
    async def command(platform):
        assert platform.sandbox
        assert platform.address == sandbox.url
        await platform.confirm_cost("4 pictures")
        return 0

    async with Sandbox() as sandbox:
        args = parsed(add_all, [], environment(folder, MINIMAX_BASE_URL=sandbox.url))
        assert await platforms._run(args, command) == 0


async def buying(platform) -> int:
    await platform.confirm_cost("4 pictures")
    return 0


def test_the_cost_is_asked_once_on_a_terminal(folder, terminal):
    shown = terminal("y\n")
    assert run(folder, buying, **REAL) == 0
    assert shown.getvalue().count("4 pictures") == 1
    assert "[y/N]" in shown.getvalue()


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_anything_but_yes_sends_nothing(folder, terminal, answer):
    terminal(answer)
    with pytest.raises(Declined, match="Nothing was sent"):
        run(folder, buying, **REAL)


ASKING = """
import sys
from realtime import cli
from realtime.commands import tasks
from realtime.commands.platform import run_on_platform

async def buying(platform):
    await platform.confirm_cost("4 pictures")
    return 0

def run(args):
    args.yes = False
    return run_on_platform(args, buying)

tasks.run = run
sys.exit(cli.main(["tasks"]))
"""


@pytest.mark.parametrize(("typed", "status"), [(b"\x03", 130), (b"\x04", 1), (b"y\n", 0)])
def test_ctrl_c_at_the_question_ends_at_once_without_a_traceback(folder, typed, status):
    here, there = pty.openpty()
    environ = {**environment(folder, **REAL), "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'clients'}"}
    code = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n" + ASKING
    asking = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=there,
        stdout=there,
        stderr=there,
        env=environ,
        start_new_session=True,
    )
    os.close(there)
    shown = b""
    try:
        while b"[y/N] " not in shown:
            shown += os.read(here, 1000)
        os.write(here, typed)
        assert asking.wait(30) == status
        with contextlib.suppress(OSError):  # the other end is closed
            while more := os.read(here, 1000):
                shown += more
    finally:
        asking.kill()
        asking.wait()
        os.close(here)
    assert b"Traceback" not in shown
    assert b"Fatal" not in shown


def test_yes_is_not_asked(folder, terminal):
    shown = terminal("")
    assert run(folder, buying, "--yes", **REAL) == 0
    assert "[y/N]" not in shown.getvalue()
    assert "4 pictures" in shown.getvalue()


def test_a_script_without_a_terminal_is_told_and_goes_on(folder, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert run(folder, buying, **REAL) == 0
    assert capsys.readouterr().err == "This costs: 4 pictures.\n"


def test_the_sandbox_never_asks(folder, terminal):
    shown = terminal("")
    assert run(folder, buying) == 0
    assert "pictures" not in shown.getvalue()


async def picture(platform) -> int:
    await platform.confirm_cost("1 picture")
    body = {"model": "image-01", "prompt": "a cat", "subject": "A" * 5000, **platform.extra}
    with platform.records.create("image", platform=platform.address):
        await platform.mm.door.call(OPERATIONS["images.create"], body=body)
    raise AssertionError("a dry run has no answer")


@pytest.mark.parametrize("environ", [REAL, {}])
def test_a_dry_run_prints_the_request_and_sends_and_records_nothing(folder, capsys, environ):
    assert run(folder, picture, "--dry-run", "--set", "seed=7", **environ) == 0
    shown = capsys.readouterr()
    request = json.loads(shown.out)
    assert request["method"] == "POST"
    assert request["url"].endswith("/v1/image_generation")
    assert request["body"]["prompt"] == "a cat"
    assert request["body"]["seed"] == 7
    assert len(request["body"]["subject"]) < 200, "a picture is not printed"
    assert KEY not in shown.out + shown.err
    assert shown.err == ""
    assert list(folder.rglob("*.json")) == []


def test_a_dry_run_names_the_address_of_the_settings(folder, capsys):
    run(folder, picture, "--dry-run", **REAL)
    assert json.loads(capsys.readouterr().out)["url"] == "https://api.minimax.io/v1/image_generation"


def test_a_dry_run_of_a_refused_argument_is_that_refusal(folder):
    async def command(platform):
        raise InvalidArgument("n is 10", param="n")

    with pytest.raises(InvalidArgument, match="n is 10"):
        run(folder, command, "--dry-run", **REAL)


def test_the_key_is_not_in_the_records(folder):
    async def command(platform):
        with platform.records.create("image", platform=platform.address, prompt=f"key {KEY}") as work:
            work.done()
        return 0

    assert run(folder, command, **REAL) == 0
    (record,) = (folder / "minimax-realtime" / "tasks").glob("*.json")
    assert KEY not in record.read_text()


@pytest.mark.parametrize(
    ("environ", "system", "path"),
    [
        ({"XDG_STATE_HOME": "/state", "HOME": "/h"}, "linux", "/state/minimax-realtime/tasks"),
        ({"HOME": "/h"}, "linux", "/h/.local/state/minimax-realtime/tasks"),
        ({"HOME": "/h", "XDG_STATE_HOME": "relative"}, "linux", "/h/.local/state/minimax-realtime/tasks"),
        ({"HOME": "/h"}, "darwin", "/h/Library/Application Support/minimax-realtime/tasks"),
        ({"HOME": "/h", "XDG_STATE_HOME": "/state"}, "darwin", "/state/minimax-realtime/tasks"),
    ],
)
def test_the_state_folder_is_where_the_system_keeps_such_things(environ, system, path):
    assert state_folder(environ, system) == Path(path)


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        ([], {}),
        (["seed=7", "watermark=true"], {"seed": 7, "watermark": True}),
        (["model=image-02", "x="], {"model": "image-02", "x": ""}),
        (["a.b=1", "a.c=[1, 2]"], {"a": {"b": 1, "c": [1, 2]}}),
        (['voice={"id": "v"}', "url=https://x/?a=b"], {"voice": {"id": "v"}, "url": "https://x/?a=b"}),
        (["x=NaN"], {"x": "NaN"}),
    ],
)
def test_set_takes_json_and_plain_text(words, extra):
    assert parse_extra(words) == extra


@pytest.mark.parametrize(
    "words", [["seed"], ["=7"], ["a..b=1"], ["a=1", "a.b=2"], ["a.b=1", "a=2"], ["a=1", "a=2"]]
)
def test_a_set_that_makes_no_sense_is_refused(words):
    with pytest.raises(InvalidArgument, match="--set") as caught:
        parse_extra(words)
    assert caught.value.param == "extra"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,9}", fullmatch=True), _JSON, max_size=5))
def test_every_json_value_arrives_as_it_is(fields):
    assert parse_extra(f"{name}={json.dumps(value)}" for name, value in fields.items()) == fields


@pytest.mark.parametrize("speech", [False, True])
async def test_a_record_knows_whether_its_request_waits_or_has_left(tmp_path, speech):
    operation = OPERATIONS["speech.synthesize" if speech else "images.create"]
    records = TaskRecords(tmp_path)
    with records.create("image", platform="here") as work:
        async with client_of(Settings(), "http://127.0.0.1:9", NoProgress()) as mm:
            door = mm.speech.door if speech else mm.door
            door.on_pause(Pause(operation, 0.1, "limit"))
            assert work.record.state is RecordState.WAITING
            door.on_send(operation)
            assert work.record.state is RecordState.SENDING
