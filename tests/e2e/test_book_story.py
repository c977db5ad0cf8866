"""The long story of a book: a text file, its narration in chapters, ended at random moments and run again."""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path

from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from tests.e2e.interrupting import Work, gets_done

READ_AT_ONCE = ("narration.least_s=0", "narration.process_s=0", "task.ms=0", "files.ms=0")
TITLES = ("Out to sea", "The storm", "Home again")
NAMES = ("01-out-to-sea", "02-the-storm", "03-home-again")


def write(folder: Path) -> Path:
    """A book of three chapters, too long to be spoken in one request."""
    folder.mkdir(exist_ok=True)
    path = folder / "book.md"
    chapters = (f"# {title}\n\n" + f"The captain thinks of {title.lower()}. " * 32 for title in TITLES)
    path.write_text("\n\n".join(chapters), encoding="utf-8")
    return path


def check_chapters(folder: Path) -> None:
    """Every chapter is there with its own words, whole, and the playlist names them in order."""
    book = folder / "book"
    files = {f"{name}.{ending}" for name in NAMES for ending in ("wav", "srt")}
    assert {path.name for path in book.iterdir()} == files | {"book.m3u8"}
    for name, title in zip(NAMES, TITLES, strict=True):
        audio = (book / f"{name}.wav").read_bytes()
        assert audio[:4] == b"RIFF"
        assert int.from_bytes(audio[4:8], "little") + 8 == len(audio)
        assert title.lower() in (book / f"{name}.srt").read_text(encoding="utf-8").lower()
    listed = [
        line for line in (book / "book.m3u8").read_text(encoding="utf-8").splitlines() if line[0] != "#"
    ]
    assert listed == [f"{name}.wav" for name in NAMES]


WORK = Work(
    ("narrate", "book.md", "-o", "book/", "--format", "wav", "--subtitles", "srt"),
    buys="/v1/t2a_async_v2",
    prepare=write,
    check=check_chapters,
    leaves=frozenset({"book.md", "book"}),
    times=3,
)


def chapters_bought(sandbox: Sandbox) -> Counter[str]:
    """How often each chapter was bought, by its title."""
    texts = [request.body["text"] for request in sandbox.state.requests if request.path == WORK.buys]
    found = [re.search("|".join(map(re.escape, TITLES)), text, re.IGNORECASE) for text in texts]
    return Counter(each[0].lower() for each in found if each)


async def test_a_book_gets_done_however_often_it_is_ended(tmp_path: Path) -> None:
    async with Sandbox(SandboxOptions.parse("local", READ_AT_ONCE)) as sandbox:
        assert await gets_done(WORK, sandbox, tmp_path / "shelf", random.Random(20261126), most=3)
        assert set(chapters_bought(sandbox)) == {title.lower() for title in TITLES}
