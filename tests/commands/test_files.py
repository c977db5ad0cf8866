"""`realtime files` against a sandbox in this process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from realtime.commands import files
from realtime.commands import platform as platforms
from realtime.errors import InvalidArgument
from realtime.sandbox.server import Sandbox
from tests.commands.running import environment, parsed


@pytest.fixture
async def run(tmp_path, monkeypatch, capsys):
    """Run one action against the sandbox; its stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    actions = {
        "list": files._list,
        "upload": files._upload,
        "get": files._get,
        "info": files._info,
        "delete": files._delete,
    }
    async with Sandbox() as sandbox:

        async def run(*words: str) -> tuple[str, str]:
            args = parsed(
                files.add_arguments, list(words), environment(tmp_path, MINIMAX_BASE_URL=sandbox.url)
            )
            assert await platforms._run(args, actions[args.action]) == 0
            shown = capsys.readouterr()
            return shown.out, shown.err

        yield run


def put(name: str, data: bytes) -> None:
    Path(name).write_bytes(data)


def got(name: str) -> bytes:
    return Path(name).read_bytes()


async def test_a_file_goes_up_and_comes_back(run, tmp_path):
    put("book.txt", b"Chapter one.\n")
    out, err = await run("upload", "book.txt", "--purpose", "t2a_async_input")
    file_id = out.strip()
    assert "uploading book.txt" in err
    out, _ = await run("list")
    assert out.split("\t")[:3] == [file_id, "t2a_async_input", "13 bytes"]
    assert json.loads((await run("list", "--json", "--purpose", "voice_clone"))[0]) == {"files": []}
    assert "t2a_async_input" in (await run("info", file_id))[0]
    info = json.loads((await run("info", file_id, "--json"))[0])
    assert (info["name"], info["bytes"]) == ("book.txt", 13)
    out, _ = await run("get", file_id, "-o", "back.txt")
    assert got(out.strip()) == b"Chapter one.\n"
    with pytest.raises(InvalidArgument, match="--force"):
        await run("get", file_id, "-o", "back.txt")
    out, _ = await run("get", file_id)
    assert Path(out.strip()).name == "book-2.txt"  # the original is still there
    await run("delete", file_id)
    assert (await run("list"))[0] == ""


async def test_a_file_that_its_purpose_does_not_take(run):
    put("a.png", b"\x89PNG\r\n\x1a\n")
    with pytest.raises(InvalidArgument, match="voice_clone takes mp3, m4a or wav"):
        await run("upload", "a.png", "--purpose", "voice_clone")
    with pytest.raises(InvalidArgument, match="There is no file"):
        await run("upload", "b.png", "--purpose", "voice_clone")
    with pytest.raises(InvalidArgument):
        await run("info", "12345")
