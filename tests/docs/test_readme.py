"""Every snippet of the README runs as it is printed: programs, shell lines in their order, and the web page.

They run in a folder of their own, against a sandbox and a server of their own, with sound devices of PulseAudio. Only the
ports are changed (8000 and 8100 may be taken here). What cannot run here is in `SKIPPED`, each line with its reason.

A new interpreter costs one to two seconds of processor. So what serves, reads from stdin or is in `OWN_PROCESS` runs as
printed, in a shell; other commands and programs run in this process, with the words, folder and environment of the reader.
"""

from __future__ import annotations

import contextlib
import os
import re
import runpy
import shlex
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import pytest

from tests.commands.running import run_as, run_here
from tests.docs.readme import ENGLISH, ROOT, Block, blocks, shell_lines
from tests.eventually import eventually
from tests.terminal.conftest import pulse  # noqa: F401
from tests.web.conftest import STILL, browser_with

pytestmark = pytest.mark.timeout(300)

SKIPPED = {
    "make run": "sets up an environment of its own, from the network",
    "make test": "runs this test",
    "make wheel": "sets up an environment of its own, from the network",
    "export MINIMAX_API_KEY=...": "needs a key",
    "export MINIMAX_BASE_URL=https://api.minimax.io": "needs the network and a key",
    ".venv/bin/realtime setup voice": "downloads from the network",
    'python -m pip install "$(ls dist/*.whl)[local,sandbox]"': "downloads its dependencies from the network",
}
# These serve until they are stopped; each says so with this text.
SERVING = {
    ".venv/bin/realtime sandbox": "http://127.0.0.1:",
    "PYTHONPATH=. REALTIME_TOOLS=weather .venv/bin/realtime serve": "http://127.0.0.1:",
    ".venv/bin/realtime talk": "Speak",
}
TYPED = {".venv/bin/realtime talk --text": "Say hello.\n"}
# These print nothing: one speaks, one writes a file.
QUIET = {'.venv/bin/realtime say "Hello there."', '.venv/bin/realtime say "Hello." --out hello.mp3'}
# These prove that a shell finds the program and its parts: one command, and one of each way to write a program.
OWN_PROCESS = {'.venv/bin/realtime say "Hello." --out hello.mp3', "AsyncOpenAI", "web.run_app"}
STATUS_1_TOO = {".venv/bin/realtime doctor"}  # 1: a part is missing on this machine
START_S, END_S = 60, 120
SAID = "The sea was calm that morning, and the captain read his letter twice before he spoke. Then he said nothing."


@dataclass
class Place:
    """The folder of the README's reader, with a `.venv` like the one of `make run`."""

    folder: Path
    environment: dict[str, str]
    server: str = ""
    sandbox: str = ""

    def here(self, text: str) -> str:
        """The text with the ports of this test."""
        return text.replace("127.0.0.1:8000", self.server).replace("127.0.0.1:8100", self.sandbox)

    def start(self, words: list[str] | str, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            words, shell=isinstance(words, str), executable="/bin/bash" if isinstance(words, str) else None,
            cwd=self.folder, env={**self.environment, **more}, text=True, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, words: list[str] | str, typed: str = "") -> tuple[int, str]:
        """Run to the end: exit status and output."""
        process = self.start(words)
        try:
            output, _ = process.communicate(typed, timeout=END_S)
        finally:
            _stop(process, signal.SIGKILL)
        return process.returncode, output

    def run_here(self, line: str) -> tuple[int, str]:
        """A command of the README in this process: exit status and output."""
        program, *words = shlex.split(line)
        assert program == ".venv/bin/realtime"
        status, out, err = run_here(words, self.environment, self.folder)
        return status, out + err

    def run_program_here(self, name: str) -> tuple[int, str]:
        """A Python program of the folder in this process; what it raises fails the test."""
        status, out, err = run_as(
            lambda: runpy.run_path(name, run_name="__main__"), self.environment, self.folder
        )
        return status, out + err

    def run_until(self, words: list[str] | str, text: str) -> tuple[str, int]:
        """Run until this text is printed, then interrupt: the output so far, and the exit status."""
        process = self.start(words, PYTHONUNBUFFERED="1")
        try:
            output = _output_until(process, text)
            _stop(process, signal.SIGINT)
            rest, _ = process.communicate(timeout=END_S)
        finally:
            _stop(process, signal.SIGKILL)
        return output + rest, process.returncode


def _stop(process: subprocess.Popen[str], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
    if number == signal.SIGKILL:
        process.communicate()


def _output_until(process: subprocess.Popen[str], text: str) -> str:
    output, deadline_s = "", time.monotonic() + START_S
    assert process.stdout is not None
    while text not in output:
        line = process.stdout.readline()
        assert line, f"it ended without {text!r}:\n{output}"
        assert time.monotonic() < deadline_s, f"{text!r} did not come:\n{output}"
        output += line
    return output


@pytest.fixture(scope="module")
def place(tmp_path_factory, pulse) -> Iterator[Place]:  # noqa: F811
    folder = tmp_path_factory.mktemp("readme")
    binary = folder / ".venv" / "bin"
    binary.mkdir(parents=True)
    paths = os.pathsep.join([str(ROOT / "clients"), str(ROOT)])
    for name, words in (("realtime", "-m realtime"), ("python", "")):
        path = binary / name
        python = shlex.quote(sys.executable)
        path.write_text(f'#!/bin/bash\nPYTHONPATH="$PYTHONPATH:{paths}" exec {python} {words} "$@"\n')
        path.chmod(0o755)
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("MINIMAX_", "REALTIME_", "CHAT_"))
    }
    environment = {**kept, **pulse.environment, "XDG_STATE_HOME": str(folder / "state"), "REALTIME_PORT": "0",
                   "PYTHONPATH": "", "TRANSCRIBER": "none"}  # fmt: skip
    place = Place(folder, environment)
    quick = [word for kind in ("prepare", "queue", "process") for word in ("--set", f"video.{kind}_s=0")]
    with _serving(place, [str(binary / "realtime"), "sandbox", "--port", "0", *quick]) as place.sandbox:
        environment["MINIMAX_BASE_URL"] = f"http://{place.sandbox}"
        with _serving(place, [str(binary / "realtime"), "serve"]) as place.server:
            yield place


@contextlib.contextmanager
def _serving(place: Place, words: list[str]) -> Iterator[str]:
    """Host and port of a program that serves for the time of the block."""
    process = place.start(words, PYTHONUNBUFFERED="1")
    try:
        line = _output_until(process, "http://127.0.0.1:").splitlines()[-1]
        yield line.partition("http://")[2].split()[0].rstrip("/.,;)")
        _stop(process, signal.SIGINT)
        process.communicate(timeout=END_S)
    finally:
        _stop(process, signal.SIGKILL)


@pytest.fixture(scope="module")
def brought(place: Place) -> None:
    """What the reader brings: a book, a recording of a voice, questions."""
    with zipfile.ZipFile(place.folder / "book.epub", "w") as book:
        for name, text in BOOK.items():
            book.writestr(name, text)
    status, output = place.run([".venv/bin/realtime", "say", f"{SAID} {SAID}", "--out", "me.wav"])
    assert status == 0, output
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run(
        [ffmpeg, "-v", "error", "-i", "me.wav", "me.m4a"], cwd=place.folder, check=True, timeout=60
    )
    (place.folder / "questions.txt").write_text("What is the sea?\nWho is the captain?\n")


BOOK = {
    "mimetype": "application/epub+zip",
    "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="book.opf"/></rootfiles></container>',
    "book.opf": '<package xmlns="http://www.idpf.org/2007/opf"><metadata/><manifest><item id="c" href="c.xhtml" '
    'media-type="application/xhtml+xml"/></manifest><spine><itemref idref="c"/></spine></package>',
    "c.xhtml": '<html xmlns="http://www.w3.org/1999/xhtml"><body><h1>The Sea</h1><p>It was calm.</p></body></html>',
}
PROGRAMS = [block for block in blocks(ENGLISH) if block.language == "python"]
LINES = [line for line in shell_lines(ENGLISH) if line not in SKIPPED]


def test_every_block_has_a_known_language():
    assert {block.language for block in blocks(ENGLISH)} == {"sh", "python", "html", ""}
    for block in blocks(ENGLISH):
        assert block.language or "realtime/core/" in block.text, f"line {block.line}: name the language"


def test_what_is_skipped_is_in_the_readme_and_nothing_else_is():
    lines = shell_lines(ENGLISH)
    assert set(SKIPPED) <= set(lines)
    assert set(SERVING) <= set(lines)
    assert len(SKIPPED) == 7
    assert all(SKIPPED.values())


@pytest.mark.parametrize("block", PROGRAMS, ids=lambda block: f"line {block.line}")
def test_a_program_runs_to_its_end(block: Block, place: Place):
    path = place.folder / block.name
    path.write_text(place.here(block.text), encoding="utf-8")
    command = [".venv/bin/python", "-W", "error::RuntimeWarning", block.name]
    if "web.run_app" in block.text:
        path.write_text(block.text.replace("port=8000", "port=0"), encoding="utf-8")
        output, status = place.run_until(command, "Running on http://127.0.0.1:")
    elif any(mark in block.text for mark in OWN_PROCESS):
        status, output = place.run(command)
    else:
        status, output = place.run_program_here(block.name)
    assert status == 0, output
    assert "Traceback" not in output
    assert output.strip() or "print(" not in block.text
    for name in _saved(block.text):
        assert (place.folder / name).stat().st_size > 100, name


def _saved(program: str) -> list[str]:
    """The files that a program says to write."""
    names = [part.split('"')[1] for part in program.split("\n") if ".save(" in part or "wave.open(" in part]
    return [name for name in names if "." in name]


@pytest.mark.parametrize("line", LINES)
def test_a_shell_line_runs(line: str, place: Place, brought: None):
    if line in SERVING:
        port = " --port 0" if line.endswith("sandbox") else ""
        output, status = place.run_until(line + port, SERVING[line])
        assert status in (0, 130), output
    elif line in TYPED or line in OWN_PROCESS:
        status, output = place.run(line, TYPED.get(line, ""))
    else:
        status, output = place.run_here(line)
    if line not in SERVING:
        assert status == 0 or (status == 1 and line in STATUS_1_TOO), output
    assert "Traceback" not in output
    assert output.strip() or line in QUIET
    for name in re.findall(r"(?:--out|-o) ([\w.-]+)$", line):
        assert (place.folder / name).stat().st_size > 100, name


async def test_the_web_pages_talk(place: Place):
    """The one with the SDK, and the one with the widget."""
    pages = [block for block in blocks(ENGLISH) if block.language == "html"]
    words = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
    with _serving(place, words) as host:
        async with browser_with() as browser:
            for page, clicks in zip(pages, (["button"], [".launch", ".talk"]), strict=True):
                (place.folder / "page.html").write_text(place.here(page.text), encoding="utf-8")
                tab = await browser.new_page(reduced_motion=STILL)
                errors: list[str] = []
                tab.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
                await tab.goto(f"http://{host}/page.html")
                received: list[str] = []
                tab.on(
                    "websocket",
                    lambda socket, to=received: socket.on("framereceived", lambda _: to.append(socket.url)),
                )
                for each in clicks:
                    await tab.click(each)
                await eventually(lambda received=received: received, "an event of the server")
                assert received[0].startswith(f"ws://{place.server}/v1/realtime")
                assert errors == []
