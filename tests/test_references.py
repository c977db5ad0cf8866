"""What code, tests and pages refer to is there: pages, their sections, files."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SUFFIXES = {".py", ".js", ".mjs", ".css", ".html", ".md", ".toml", ".sh", ""}
PAGE = re.compile(r"\bdocs/(?P<page>[\w/-]+\.md)(?:,?\s+§?\s?(?P<section>\d+(?:\.\d+)*))?")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)(?P<target>[^)#\s]+)(?:#(?P<anchor>[\w-]+))?\)")
WIRE = re.compile(r"\(wire(?: §)? ?(?P<section>\d+(?:\.\d+)*)")


def files() -> list[Path]:
    """Everything that is kept in the repository and can be read."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    paths = [ROOT / name for name in listed.stdout.split("\n") if name]
    return [path for path in paths if path.suffix in SUFFIXES and path.is_file() and path != Path(__file__)]


@cache
def text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="ignore")


@cache
def sections(page: Path) -> frozenset[str]:
    """The numbers its headings begin with."""
    return frozenset(re.findall(r"^#+ (\d+(?:\.\d+)*)\.?\s", text(page), re.MULTILINE))


@cache
def anchors(page: Path) -> frozenset[str]:
    headings = re.findall(r"^#+ (.+)$", text(page), re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


@pytest.fixture(scope="module")
def kept() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    return files()


def test_every_page_and_section_that_is_cited_exists(kept):
    lost = []
    for path in kept:
        for match in PAGE.finditer(text(path)):
            page = ROOT / "docs" / match["page"]
            if not page.is_file():
                lost.append(f"{path.relative_to(ROOT)}: {match.group()}")
            elif match["section"] and match["section"].rstrip(".") not in sections(page):
                lost.append(f"{path.relative_to(ROOT)}: {match.group()}: no such section")
    assert lost == []


def test_every_section_of_the_wire_that_is_cited_exists(kept):
    known = sections(ROOT / "docs" / "wire.md")
    lost = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in kept
        for match in WIRE.finditer(text(path))
        if match["section"] not in known
    ]
    assert lost == []


def test_every_link_of_a_page_leads_somewhere(kept):
    lost = []
    for path in kept:
        if path.suffix != ".md":
            continue
        for match in LINK.finditer(text(path)):
            target = (path.parent / match["target"]).resolve()
            if not target.exists():
                lost.append(f"{path.relative_to(ROOT)}: {match['target']}")
            elif match["anchor"] and target.suffix == ".md" and match["anchor"] not in anchors(target):
                lost.append(f"{path.relative_to(ROOT)}: {match['target']}#{match['anchor']}")
    assert lost == []


def test_every_module_that_a_page_names_exists(kept):
    """`core/turn.py` in a page is a file of the package, of the clients, the tests or the bench."""
    lost = []
    for path in kept:
        if path.suffix != ".md" or "requirements" in path.parts or path.name == "CHANGELOG.md":
            continue
        for name in re.findall(r"`([\w/]+/[\w/]+\.py)`", text(path)):
            if not any((ROOT / base / name).is_file() for base in ("", "realtime", "clients")):
                lost.append(f"{path.relative_to(ROOT)}: {name}")
    assert lost == []


def test_nothing_refers_to_documents_outside_the_repository(kept):
    outside = re.compile(r"\bshared/(?:minimax|design|style|realtime-wire|engines|scale)|\bshared/minimax ")
    assert [str(path.relative_to(ROOT)) for path in kept if outside.search(text(path))] == []
