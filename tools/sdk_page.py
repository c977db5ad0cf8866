"""Writes docs/sdk.md from the web SDK: its README, the JSDoc of its public class and types, and `web/examples/`.

Knows the few forms of JSDoc that those two files use; knows no TypeScript.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SDK = ROOT / "web" / "sdk"
COMMENT = r"/\*\*(?P<doc>(?:(?!\*/)[\s\S])*)\*/"
MEMBER = re.compile(
    rf"^  {COMMENT}\s*\n  (?P<kind>get |async |)(?P<name>[a-z]\w*)(?P<form>\(| = )", re.MULTILINE
)
TAG = re.compile(r"@(type|param|returns|typedef|property)\s+\{")
EXAMPLES = {"react.js": "React", "vue.js": "Vue", "svelte.js": "Svelte"}


def page(generated: str) -> str:
    """The whole page; `generated` is the line that says what to edit instead."""
    lines = ["# The web SDK", "", generated, "", *_readme(), "## In short", "", *_introduction()]
    lines += ["## `Realtime`", "", *_members()]
    lines += ["## Types", "", *_types(), "## In a framework", ""]
    for name, title in EXAMPLES.items():
        code = (ROOT / "web" / "examples" / name).read_text(encoding="utf-8").rstrip()
        lines += [f"{title}:", "", "```js", code, "```", ""]
    return "\n".join(lines)


def _readme() -> list[str]:
    """What the package says of itself, without its title."""
    return [*(SDK / "README.md").read_text(encoding="utf-8").splitlines()[2:], ""]


def _introduction() -> Iterator[str]:
    """The comment at the head of realtime.js: what to write, and the events."""
    source = (SDK / "realtime.js").read_text(encoding="utf-8").split("import ")[0]
    comment = [line[3:] for line in source.splitlines() if line.startswith("//") and "@ts-check" not in line]
    code = False
    while comment and not comment[-1].strip():
        comment.pop()
    for line in comment:
        if not line:
            yield from ("```", "") if code else ("",)
            code = False
            continue
        if line.startswith("  ") and not code:
            yield "```js"
            code = True
        yield line.removeprefix("  ")
    yield ""


def _members() -> Iterator[str]:
    source = (SDK / "realtime.js").read_text(encoding="utf-8")
    for match in MEMBER.finditer(source):
        text, tags = _read(match["doc"])
        if match["kind"] == "get " or match["form"] == " = ":
            yield from _entry(f"{match['name']}: {tags[0][1]}", text)
        else:
            given = ", ".join(f"{rest.split()[0]}: {type_}" for tag, type_, rest in tags if tag == "param")
            result = next((type_ for tag, type_, _ in tags if tag == "returns"), "")
            result = result or ("Promise<void>" if match["kind"] == "async " else "")
            name = f"new Realtime({given})" if match["name"] == "constructor" else f"{match['name']}({given})"
            yield from _entry(f"{name}: {result}" if result else name, text)


def _types() -> Iterator[str]:
    source = (SDK / "types.js").read_text(encoding="utf-8")
    for match in re.finditer(COMMENT, source):
        text, tags = _read(match["doc"])
        if not tags or tags[0][0] != "typedef":
            continue
        _, type_, name = tags[0]
        yield from (f"### `{name.split()[0]}`", "")
        if text:
            yield from (text, "")
        if type_ != "object":
            yield from ("```ts", type_, "```", "")
            continue
        yield from ("| field | type | |", "| --- | --- | --- |")
        for _, field_type, rest in tags[1:]:
            field, _, meaning = rest.partition(" ")
            optional = field.startswith("[")
            field_type = field_type.replace("|", r"\|")
            yield f"| `{field.strip('[]')}{'?' if optional else ''}` | `{field_type}` | {meaning} |"
        yield ""


def _entry(signature: str, text: str) -> Iterator[str]:
    yield from ("```ts", signature, "```", "", text, "")


def _read(doc: str) -> tuple[str, list[tuple[str, str, str]]]:
    """The prose of a comment, and its tags as (tag, type, rest)."""
    flat = " ".join(line.strip().removeprefix("*").strip() for line in doc.splitlines()).strip()
    starts = [match.start() for match in TAG.finditer(flat)] + [len(flat)]
    tags = []
    for start, end in itertools.pairwise(starts):
        tag, _, rest = flat[start:end].partition(" ")
        close = _closing(rest)
        tags.append((tag[1:], rest[1:close].strip(), rest[close + 1 :].strip()))
    after = tags[0][2] if tags and tags[0][0] == "type" else ""
    return (flat[: starts[0]].strip() or after), tags


def _closing(text: str) -> int:
    depth = 0
    for at, character in enumerate(text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth == 0:
            return at
    raise ValueError(f"a type without an end: {text}")
