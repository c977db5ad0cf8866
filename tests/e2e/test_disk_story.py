"""Results that cannot be saved: a disk that is full, and one that cannot be written. What was bought is saved elsewhere.

The disks are real, and only the command sees them: Linux lets a process mount some for itself alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from tests.e2e.shell import Terminal
from tests.e2e.test_book_story import READ_AT_ONCE, write

MADE_AT_ONCE = ("video.prepare_s=0", "video.queue_s=0", "video.process_s=0")
SCRIPT = 'mount -t tmpfs -o "$1" tmpfs "$2" && shift 2 && exec "$@"'
FILM = ("video", "The sea", "--model", "T2V-01", "-o", "disk/film.mp4")
BOOK = ("narrate", "book.md", "-o", "disk/", "--format", "wav", "--subtitles", "srt")
ORDERS = ("/v1/video_generation", "/v1/t2a_async_v2")


def on_disk(folder: Path, options: str) -> tuple[str, ...]:
    """A program that starts a command for which `folder` is an empty disk with these options of mount."""
    return ("unshare", "--map-root-user", "--mount", "sh", "-c", SCRIPT, "sh", options, str(folder))


@cache
def can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run([*on_disk(Path("/mnt"), "size=64k"), "true"], capture_output=True, check=False)
    return tried.returncode == 0


pytestmark = pytest.mark.skipif(not can_mount(), reason="this system lets no process mount a disk for itself")


def orders(sandbox: Sandbox) -> int:
    return sum(request.path in ORDERS for request in sandbox.state.requests)


@pytest.mark.parametrize(("command", "count", "file"), [(FILM, 1, "film.mp4"), (BOOK, 3, "02-the-storm.wav")])
async def test_a_full_disk_loses_nothing(
    tmp_path: Path, command: tuple[str, ...], count: int, file: str
) -> None:
    """It says so and leaves nothing half-done; with room the same command goes on, and buys nothing."""
    async with Sandbox(SandboxOptions.parse("local", (*MADE_AT_ONCE, *READ_AT_ONCE))) as sandbox:
        disk = tmp_path / "disk"
        disk.mkdir()
        write(tmp_path)
        full = await Terminal(tmp_path, sandbox.url, on_disk(disk, "size=64k")).run(*command)
        assert full.status == 1
        assert "missing on the disk" in full.err
        assert "Traceback" not in full.err
        assert orders(sandbox) == count
        await Terminal(tmp_path, sandbox.url).out(*command)
        assert (disk / file).stat().st_size > 65_536
        assert orders(sandbox) == count


async def test_a_short_text_that_does_not_fit_is_kept_on_another_disk_and_bought_once(tmp_path: Path) -> None:
    """The platform keeps nothing of what it streams."""
    async with Sandbox() as sandbox:
        disk = tmp_path / "disk"
        disk.mkdir()
        (tmp_path / "short.txt").write_text("The sea is quiet today. " * 3, encoding="utf-8")
        command = ("narrate", "short.txt", "-o", "disk/", "--format", "wav")
        full = await Terminal(tmp_path, sandbox.url, on_disk(disk, "size=64k")).run(*command)
        kept = Path(full.out.strip())
        assert full.status == 0
        assert f"cannot be written (the disk is full). It is kept in {kept}" in full.err
        assert os.stat(kept).st_size > 65_536
        assert os.stat(kept.parent).st_mode & 0o077 == 0
        again = await Terminal(tmp_path, sandbox.url).run(*command)
        assert (again.status, again.out) == (0, full.out)
        assert "1 of 1 chapters were sent before" in again.err


@pytest.mark.parametrize("command", [FILM, BOOK])
async def test_a_disk_that_cannot_be_written_is_refused_before_anything_is_bought(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    async with Sandbox() as sandbox:
        disk = tmp_path / "disk"
        disk.mkdir()
        write(tmp_path)
        refused = await Terminal(tmp_path, sandbox.url, on_disk(disk, "ro")).run(*command)
        assert refused.status == 2
        assert "cannot be written: choose another folder with -o" in refused.err
        assert orders(sandbox) == 0
