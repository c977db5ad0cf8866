"""The text of docs/platform.md: every call of the platform × client × sandbox × command × test, from the tables.

`gaps` names the empty cells; `tools/docs.py --check` fails when there is one without a reason in REASONS.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from functools import reduce
from pathlib import Path

from realtime.cli import COMMANDS
from realtime.minimax.chat import MAX_RETRIES
from realtime.minimax.chat_call import ChatOptions
from realtime.minimax.codes import CODES
from realtime.minimax.door import BUSY_S, TRIES
from realtime.minimax.field_tables import TABLES
from realtime.minimax.fields import Field, Model
from realtime.minimax.operations import LIMITS, OPERATIONS, Operation
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import create_app

ROOT = Path(__file__).parents[1]

# Why a cell of the first table is empty.
REASONS: dict[tuple[str, str], str] = {
    ("chat.complete", "command"): "`ask` streams",
    ("chat.parse", "command"): "for programs",
    ("chat.count_tokens", "command"): "for programs",
    ("transcribe", "command"): "`talk` transcribes",
    ("video_v2.list", "command"): "`tasks list` knows what was asked for here",
    ("video_v2.delete", "command"): "for programs",
    ("video_v2.regenerate", "command"): "for programs",
    ("video_v2.context", "command"): "for programs",
}

# Calls that are a method of something else than a namespace.
CLIENTS: dict[str, str] = {"batches.cancel": "mm.batches.task(id).cancel()"}


def rows() -> list[dict[str, str]]:
    """One row an operation; an empty text is a gap."""
    routes = sandbox_routes()
    tests = marked_tests()
    return [_row(operation, routes, tests) for operation in OPERATIONS.values()]


def gaps() -> list[str]:
    """The empty cells without a reason."""
    return [
        f"{row['name']} has no {column}"
        for row in rows()
        for column in ("client", "sandbox", "command", "test")
        if not row[column] and (row["name"], column) not in REASONS
    ]


def page(generated: str) -> str:
    """The whole page."""
    return "\n".join([*_head(generated), *_table(), *_calls(), *_codes()])


def _row(operation: Operation, routes: set[tuple[str, str]], tests: dict[str, int]) -> dict[str, str]:
    name = operation.name
    return {
        "name": name,
        "client": f"`{CLIENTS.get(name, f'mm.{name}')}`" if name in CLIENTS or _has_client(name) else "",
        "wire": f"{operation.method} `{operation.path}`",
        "sandbox": "yes" if (operation.method, _shape(operation.path)) in routes else "",
        "command": f"`realtime {operation.command}`" if _has_command(operation) else "",
        "test": str(tests.get(name, "")),
        "billed": "yes" if operation.billed else "",
    }


def _has_client(name: str) -> bool:
    from realtime.minimax import MiniMax

    client = MiniMax("key", "http://127.0.0.1:1")
    try:
        reduce(getattr, name.split("."), client)
    except AttributeError:
        return False
    return True


def _has_command(operation: Operation) -> bool:
    word, *sub = operation.command.split() or [""]
    if word not in COMMANDS:
        return False
    module = importlib.import_module(f"realtime.commands.{word}")
    source = Path(module.__file__ or "").read_text()
    return all(f'"{part}"' in source for part in sub)


def sandbox_routes() -> set[tuple[str, str]]:
    """Method and path of every route of the sandbox, with `{}` for the variable parts."""
    app = create_app(SandboxOptions())
    return {
        (route.method, _shape(route.resource.canonical)) for route in app.router.routes() if route.resource
    }


def _shape(path: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


def marked_tests() -> dict[str, int]:
    """How many tests are marked with `@pytest.mark.operation("name")`, by that name."""
    found: dict[str, int] = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "operation"
            ):
                for argument in node.args:
                    if isinstance(argument, ast.Constant):
                        found[str(argument.value)] = found.get(str(argument.value), 0) + 1
    return found


def _head(generated: str) -> list[str]:
    return [
        "# The platform, call by call",
        "",
        generated,
        "",
        "`mm` is a `MiniMax`. Each call takes the arguments of its table below by name; `extra={…}` passes fields that",
        "are newer than this package. What a table does not allow is refused before anything is sent or paid: the error",
        "is `InvalidArgument`, and its `param` is the argument. Rules between several arguments are in the docstrings of",
        "the calls ([api.md](api.md)). The facts and where they come from: [minimax/](minimax/README.md).",
        "",
        f"A request that was lost is sent up to {TRIES} times where it costs nothing; where it is billed it is sent",
        "again only if it never left or the platform certainly refused it (1002, 1039, 1041, 2045, 2064). Otherwise",
        f"`AnswerLost` says that it may have been accepted. For a busy platform a call waits up to {BUSY_S:.0f} s (chat less,",
        "as its parts below say; live sessions of speech have waits of their own), and `on_pause` is told about it. It keeps",
        "to the account's requests a minute: the documented ones, or `MiniMax(limits={\"image\": Limit(60)})`.",
        "",
    ]  # fmt: skip


# Which calls wait for a busy platform in their own way, and how.
_WITHIN = " This is for all tries together, also where the platform is busy (`timeout_s`)."
_EACH = (
    " This is for each answer, all its tries together (`timeout_s`); an answer that does not fit is asked for"
    " again, twice at most."
)
OWN_WAITS = {
    "chat.stream": f" This is for the beginning, up to {MAX_RETRIES + 1} tries included (`first_timeout_s`): somebody waits.",
    "chat.complete": _WITHIN,
    "chat.parse": _EACH,
}  # fmt: skip


def _busy(operation: Operation) -> str:
    return OWN_WAITS.get(operation.name, "")


def _table() -> Iterator[str]:
    yield "| client | platform | sandbox | command | tests | billed |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for row in rows():
        cells = {
            column: row[column] or REASONS.get((row["name"], column), "**missing**")
            for column in ("client", "sandbox", "command", "test")
        }
        yield (
            f"| {cells['client']} | {row['wire']} | {cells['sandbox']} | {cells['command']} | {cells['test']} "
            f"| {row['billed']} |"
        )
    yield ""


def _calls() -> Iterator[str]:
    yield "## Arguments, limits and codes"
    yield ""
    for operation in OPERATIONS.values():
        yield f"### `{operation.name}`"
        yield ""
        yield (
            f"{operation.method} `{operation.path}`, described in {_source(operation)}. "
            f"Waits up to {operation.timeout_s:.0f} s for the answer.{_busy(operation)}{_limit(operation)} "
            f"Codes: {', '.join(map(str, operation.codes))}."
        )
        yield ""
        if operation.name.startswith("chat."):
            options = ", ".join(f"`{name}`" for name in ChatOptions.__annotations__)
            yield f"Arguments: `messages` (a text or a list), and by name {options}."
            yield ""
        fields = TABLES.get(operation.name)
        if fields:
            yield "| argument | field | allowed | models |"
            yield "| --- | --- | --- | --- |"
            yield from (_argument(field) for field in fields)
            yield ""


def _source(operation: Operation) -> str:
    page, _, section = operation.source.partition(" ")
    return f"[{page}](minimax/{page}){f' {section}' if section else ''}"


def _limit(operation: Operation) -> str:
    limit = LIMITS.get(operation.limit)
    if limit is None:
        return ""
    parts = [f"{limit.per_minute} requests a minute"] if limit.per_minute else []
    parts += [f"{limit.in_flight} at once"] if limit.in_flight else []
    return f" Limit `{operation.limit}`: {', '.join(parts)}."


def _argument(field: Field) -> str:
    must = " (required)" if field.required else ""
    kind = field.kind.allowed
    allowed = f"known: {kind}" if isinstance(field.kind, Model) else kind
    models = ", ".join(f"{prefix}…" for prefix in field.models) or "all"
    return f"| `{field.name}`{must} | `{field.wire}` | {allowed} | {models} |"


def _codes() -> Iterator[str]:
    yield "## Codes"
    yield ""
    yield "| code | what it means and what to do | who can | ask again | error |"
    yield "| --- | --- | --- | --- | --- |"
    for number, code in CODES.items():
        again = "yes" if code.retryable else "no"
        wait = f", after {code.wait_s:.0f} s" if code.wait_s else ""
        yield f"| {number} | {code.text} | {code.who.value} | {again}{wait} | `{code.error.__name__}` |"
    yield ""
