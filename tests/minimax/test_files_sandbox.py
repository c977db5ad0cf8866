"""The files namespace against the sandbox: every call, good and refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from realtime.errors import InvalidArgument, ProviderError, ProviderUnavailable
from realtime.minimax import MiniMax
from realtime.sandbox.server import Sandbox


@pytest.mark.operation("files.upload", "files.list", "files.get", "files.open", "files.delete")
async def test_a_file_goes_up_is_listed_read_saved_and_deleted(mm: MiniMax, tmp_path: Path):
    text = b"Chapter one.\n" * 1000
    file = await mm.files.upload(text, purpose="t2a_async_input", name="book.txt")
    assert (file.name, file.purpose, file.size_bytes) == ("book.txt", "t2a_async_input", len(text))
    assert file.id.isdigit()
    assert int(file.id) > 2**53
    assert [entry.id async for entry in mm.files.list("t2a_async_input")] == [file.id]
    assert [entry.id async for entry in mm.files.list("voice_clone")] == []
    assert (await mm.files.get(file.id)).created == file.created > 1_700_000_000
    assert await mm.files.open(file.id) == text
    saved = await mm.files.save(file.id, tmp_path / "back.txt")
    assert saved.path.read_bytes() == text
    await mm.files.delete(file.id)
    assert [entry async for entry in mm.files.list()] == []


@pytest.mark.operation("files.get")
async def test_an_unknown_id_is_refused_by_its_name(mm: MiniMax):
    with pytest.raises(InvalidArgument):
        await mm.files.get("123456789")
    with pytest.raises(InvalidArgument) as caught:
        await mm.files.get("twelve")
    assert caught.value.param == "file_id"


@pytest.mark.operation("files.upload")
async def test_a_gateways_page_is_waited_out(sandbox: Sandbox, mm: MiniMax):
    sandbox.inject("upload.502", times=1)
    assert (await mm.files.upload(b"x", purpose="t2a_async_input", name="a.txt")).size_bytes == 1


@pytest.mark.operation("files.open")
async def test_a_file_that_is_gone_says_so(sandbox: Sandbox, mm: MiniMax, tmp_path: Path):
    file = await mm.files.upload(b"x", purpose="t2a_async_input", name="a.txt")
    sandbox.forward(hours=24 * 7 + 1)
    with pytest.raises(ProviderError) as caught:
        await mm.files.save(file.id, tmp_path / "a.txt")
    assert not isinstance(caught.value, ProviderUnavailable)
    assert not os.listdir(tmp_path)
