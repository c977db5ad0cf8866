"""Looks for defects that no test notices: changes one place of the code at a time and runs the tests that belong to it.

python -m tools.mutate realtime/core            a sample of 12 changes in each file of the folder
python -m tools.mutate --all realtime/core/audio_buffer.py
python -m tools.mutate realtime/core/history.py:40 --tests tests/core tests/session      one line, other tests

It knows which tests belong to which file (`tests_of`) and prints each change that these tests do not notice. It writes
no file: every change is compiled in memory, in a process of its own. `tools/mutations.py` says what it changes. A
survivor is not always a defect, see docs/testing.md. It forks, so it runs on Linux and macOS only.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

import pytest
from hypothesis import Phase, settings

from tools.mutations import Mutation, mutated, mutations

ROOT = Path(__file__).parents[1]
PROFILE = "mutation"
SESSION_TESTS = ("session/test_session.py", "session/test_detached.py")
JOINED_TESTS = (
    *SESSION_TESTS,
    "session/test_greeting.py",
    "session/test_prewarm.py",
    "session/test_voice_turn.py",
)
TURN_TESTS = tuple(
    f"core/{name}.py"
    for name in (
        "test_turn",
        "test_turn_any_order",
        "test_turn_reading",
        "test_turn_after_a_hum",
        "test_quick_turns",
        "test_ducking",
        "test_stopped_reply",
    )
)
QUIET = ("-W", "ignore::pytest.PytestAssertRewriteWarning")  # the parent has imported hypothesis already
FREQUENT = ("aiohttp", "msgspec", "numpy", "websockets")  # imported once by the parent, not by every child
OTHER_TESTS = {  # files whose tests do not have their name
    "core/g711": ("core/test_audio.py",),
    "core/history": ("core/test_conversation.py", "replying/test_chat_request.py"),
    "core/html_tags": ("core/test_normalize.py", "core/test_text_or_markup.py"),
    "core/inline_markup": ("core/test_normalize.py", "core/test_text_or_markup.py"),
    "core/markup": ("core/test_normalize.py", "core/test_text_or_markup.py"),
    "core/markup_reader": ("core/test_normalize.py", "core/test_text_or_markup.py"),
    "core/messages": ("core/test_conversation.py",),
    "core/resample": ("core/test_audio.py",),
    "core/spoken_form": ("core/test_normalize.py", "core/test_characters.py"),
    "core/turn": TURN_TESTS,
    "core/turn_actions": TURN_TESTS,
    "core/turn_answers": TURN_TESTS,
    "core/turn_events": TURN_TESTS,
    "core/turn_interruptions": TURN_TESTS,
    "core/turn_state": TURN_TESTS,
    "core/wording": ("core/test_normalize.py", "core/test_chunker_properties.py"),
    "core/wordbreak": ("core/test_characters.py", "core/test_spoken.py"),
    "replying/fixed_response": ("session/test_greeting.py",),
    "session/prewarm": ("session/test_prewarm.py", "session/test_voice_turn.py"),
    "session/answering": JOINED_TESTS,
    "session/session": JOINED_TESTS,
    "session/turn_taking": JOINED_TESTS,
}


@dataclass(frozen=True, slots=True)
class Target:
    """What to change: a file, its module's name, the tests that belong to it, and one line of it (None: all lines)."""

    path: Path
    module: str
    tests: tuple[str, ...]
    line: int | None = None


class _MutantFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module the changed code; every other module is imported as usual."""

    def __init__(self, target: Target, code: CodeType) -> None:
        self._target = target
        self._code = code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._target.module:
            return None
        return importlib.util.spec_from_file_location(fullname, self._target.path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)


def tests_of(package: str, stem: str) -> tuple[str, ...]:
    """The test files, or the folder, that have to notice a change of realtime/`package`/`stem`.py."""
    if files := OTHER_TESTS.get(f"{package}/{stem}"):
        return tuple(f"tests/{file}" for file in files)
    if package in ("replying", "listening"):  # few and quick: all of them
        return (f"tests/{package}",)
    own = (f"tests/{package}/test_{stem}{ending}.py" for ending in ("", "_properties"))
    shared = SESSION_TESTS if package == "session" else ()
    return (*(file for file in own if (ROOT / file).exists()), *(f"tests/{file}" for file in shared))


def targets(places: Sequence[str], tests: Sequence[str]) -> Iterator[Target]:
    """The files of `places` (folder, file, or file:line), each with `tests` if there are any, else with its own."""
    for place in places:
        name, _, line = place.partition(":")
        path = ROOT / name
        for file in sorted(path.glob("*.py")) if path.is_dir() else [path]:
            package = file.parent.name
            if file.name != "__init__.py":
                chosen = tuple(tests) or tests_of(package, file.stem)
                yield Target(file, f"realtime.{package}.{file.stem}", chosen, int(line) if line else None)


def run_tests(target: Target, tree: ast.Module, limit_s: float) -> str:
    """Run the target's tests against `tree` in a forked process: "survived", "killed" or "timeout"."""
    pid = os.fork()
    if pid == 0:
        _run_in_child(target, tree)
    deadline_s = time.monotonic() + limit_s
    while time.monotonic() < deadline_s:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return "survived" if os.waitstatus_to_exitcode(status) == 0 else "killed"
        time.sleep(0.02)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return "timeout"


def _run_in_child(target: Target, tree: ast.Module) -> None:
    os.setpgid(0, 0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    status = 1
    try:
        sys.meta_path.insert(0, _MutantFinder(target, compile(tree, str(target.path), "exec")))
        options = ["-x", "-q", "-p", "no:cacheprovider", f"--hypothesis-profile={PROFILE}", *QUIET]
        status = int(pytest.main([*options, *target.tests]))
    finally:
        os._exit(status)


def examine(target: Target, sample: int | None, chance: random.Random) -> Counter[str]:
    """Try a sample of the changes of one file (None: all), print the survivors, return the count of each outcome."""
    source = target.path.read_text(encoding="utf-8")
    began_s = time.monotonic()
    if run_tests(target, ast.parse(source), limit_s=600.0) != "survived":
        tests = " ".join(map(str, target.tests))
        raise SystemExit(f"{target.module}: the tests fail without any change. See which: pytest {tests}")
    limit_s = 5.0 + 3.0 * (time.monotonic() - began_s)
    found = [one for one in mutations(source) if target.line in (None, one.line)]
    chosen = found if sample is None or sample >= len(found) else chance.sample(found, sample)
    counts: Counter[str] = Counter()
    for mutation in sorted(chosen, key=lambda one: one.line):
        outcome = run_tests(target, mutated(source, mutation), limit_s)
        counts[outcome] += 1
        if outcome == "survived":
            _print_survivor(target, mutation, source)
    print(f"{target.module}: {len(found)} places, {dict(counts)}", flush=True)
    return counts


def _print_survivor(target: Target, mutation: Mutation, source: str) -> None:
    line = source.splitlines()[mutation.line - 1].strip()
    print(f"  {target.path.relative_to(ROOT)}:{mutation.line}: {mutation.what}\n      {line}", flush=True)


def main() -> None:
    """Examine the files or folders of the command line and print the sum for each folder."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("places", nargs="+", help="folders, files or lines (file.py:LINE) of realtime/")
    parser.add_argument("--tests", nargs="+", default=(), help="run these tests, not those of the file")
    parser.add_argument("--sample", type=int, default=12, help="changes to try in each file (default: 12)")
    parser.add_argument("--all", action="store_true", help="try every change")
    parser.add_argument("--seed", type=int, default=1, help="the same seed chooses the same changes")
    options = parser.parse_args()
    settings.register_profile(
        PROFILE, deadline=None, database=None, derandomize=True, phases=(Phase.explicit, Phase.generate)
    )
    for name in FREQUENT:
        importlib.import_module(name)
    sums: dict[str, Counter[str]] = {}
    for target in targets(options.places, options.tests):
        chance = random.Random(f"{options.seed} {target.module}")
        counts = examine(target, None if options.all else options.sample, chance)
        sums.setdefault(target.path.parent.name, Counter()).update(counts)
    for package, counts in sums.items():
        print(f"{package}: {counts.total()} changes, {dict(counts)}")


if __name__ == "__main__":
    main()
