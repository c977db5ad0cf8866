"""The layers of the package: a module imports only lower layers, and the lowest ones are free of I/O."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "realtime").rglob("*.py"))

# From the lowest layer to the highest: a part may import only parts listed before it.
LAYERS = [
    "interrupt",
    "ending",
    "weak_calls",
    "deadlines",
    "line_writer",
    "logs",
    "errors",
    "blocks",
    "contained",
    "own_code",
    "core",
    "protocol",
    "minimax",
    "settings",
    "metric_kinds",
    "metrics",
    "media",
    "file_lock",
    "task_record",
    "task_work",
    "task_records",
    "turn_report",
    "upstream",
    "providers",
    "outbox",
    "translate",
    "tool_results",
    "tool_schema",
    "tool_threads",
    "tools",
    "trace_attributes",
    "trace_export",
    "tracing",
    "watchdog",
    "tasks",
    "turn_queue",
    "context",
    "listening",
    "replying",
    "session",
    "sandbox",
    "server",
    "commands",
    "cli",
    "__main__",
]
SEPARATE = [
    ("core", "protocol"),
    ("listening", "replying"),
    ("minimax", "settings"),
    ("outbox", "providers"),
]
IMPURE = {"asyncio", "aiohttp", "websockets", "socket", "threading", "time", "os", "subprocess", "random"}


def part_of(path: Path) -> str:
    """The part of the package that a file belongs to."""
    return path.relative_to(ROOT / "realtime").with_suffix("").parts[0]


def layer(name: str) -> int:
    assert name in LAYERS, f"realtime/{name} has no layer: add it to LAYERS"
    return LAYERS.index(name)


@cache
def nodes(path: Path) -> list[ast.AST]:
    """Everything that is written in a file."""
    return list(ast.walk(ast.parse(path.read_text())))


@cache
def imports(path: Path) -> frozenset[str]:
    """All modules that a file imports, also inside functions."""
    return frozenset().union(*map(imported, nodes(path)))


def imports_at_start(path: Path) -> set[str]:
    """The modules that a file imports as soon as it is imported itself."""
    (module, *_) = nodes(path)
    assert isinstance(module, ast.Module)
    return set().union(*map(imported, module.body))


def imported(node: ast.AST) -> set[str]:
    """The modules that this statement imports."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return {node.module} | {
            f"{node.module}.{alias.name}" for alias in node.names if node.module == "realtime"
        }
    return set()


def imported_parts(path: Path) -> set[str]:
    return {
        name.split(".")[1]
        for name in imports(path)
        if name.startswith("realtime.") and name != "realtime.__version__"
    }


def test_a_part_imports_only_lower_layers():
    for path in FILES:
        here = part_of(path)
        for other in imported_parts(path) - {here} if here != "__init__" else ():
            assert layer(other) < layer(here), f"{path}: {here} must not import {other}"


def test_every_part_is_named_in_the_architecture():
    text = (ROOT / "docs/architecture.md").read_text()
    for part in LAYERS[:-1]:
        name = f"{part}/" if (ROOT / "realtime" / part).is_dir() else f"{part}.py"
        assert f"`{name}`" in text, name


@pytest.mark.parametrize(("one", "other"), SEPARATE)
def test_separate_parts_do_not_import_each_other(one, other):
    for path in FILES:
        if part_of(path) in (one, other):
            assert imported_parts(path) & {one, other} <= {part_of(path)}, path


@pytest.mark.parametrize("part", ["core", "protocol"])
def test_core_and_protocol_do_no_io(part):
    for path in FILES:
        if part_of(path) == part:
            assert not {name.split(".")[0] for name in imports(path)} & IMPURE, path
            assert imported_parts(path) <= {part, "errors", "blocks"}, path


def test_the_platform_client_does_not_import_the_conversation():
    for path in FILES:
        if part_of(path) == "minimax":
            assert imported_parts(path) <= {"minimax", "errors", "deadlines", "core"}, path


def test_the_sandbox_shares_no_code_with_the_client():
    for path in FILES:
        if part_of(path) == "sandbox":
            assert imported_parts(path) <= {"sandbox"}, path
        elif part_of(path) not in ("server", "commands", "cli"):
            assert "sandbox" not in imported_parts(path), path


@pytest.mark.parametrize("part", ["listening", "replying", "session"])
def test_a_conversation_imports_no_concrete_provider(part):
    for path in FILES:
        if part_of(path) == part:
            providers = {name for name in imports(path) if name.startswith("realtime.providers.")}
            assert providers <= {"realtime.providers.base"}, path


def test_nothing_of_redis_is_imported_where_it_is_not_wanted():
    """Only what the settings choose at run time knows the library, and no conversation knows even that."""
    knowing = (
        "redis_address.py",
        "redis_errors.py",
        "redis_index.py",
        "redis_journal.py",
        "redis_link.py",
        "redis_permit.py",
        "redis_quota.py",
        "redis_report.py",
        "redis_store.py",
        "shared_quotas.py",
    )
    for path in FILES:
        if path.name not in knowing:
            at_start = imports_at_start(path)
            names = {name.rpartition(".")[2] + ".py" for name in at_start}
            assert not names & set(knowing) | (at_start & {"redis"}), path
        if part_of(path) in ("listening", "replying", "session"):
            assert "redis" not in path.read_text().lower(), path


def test_what_several_accounts_need_is_imported_only_where_there_are_several():
    for path in FILES:
        several = imports_at_start(path) & {"realtime.server.accounts", "realtime.commands.account_check"}
        assert not several, path


def test_only_the_settings_read_the_environment():
    for path in FILES:
        if part_of(path) in ("settings", "commands", "cli", "__main__"):
            continue
        if path.match("minimax/client.py"):
            continue  # `MiniMax.from_env()`: the client is usable alone
        if path.match("providers/onnx.py") or path.match("sandbox/natural/kokoro.py"):
            continue  # sets one, for a library that has no other way
        for node in nodes(path):
            assert not (isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")), path


# Timers that are no verdict on a service or a client: how many there are in a file, and what for.
OWN_TIMERS = {
    "deadlines.py": (3, "the deadline itself"),
    "watchdog.py": (2, "ends its block without a time"),
    "minimax/chat.py": (1, "the last bytes of an answer that is complete"),
    "minimax/speech_socket.py": (1, "the end of a connection that is not needed any more"),
    "replying/speech_feed.py": (1, "the chunker's pace"),
    "server/connection.py": (2, "the end of a connection"),
    "server/draining.py": (2, "the delay before sessions leave, and the end of the last sockets"),
    "server/registry.py": (1, "a change, or a look again"),
    "session/lifetime.py": (1, "the length of a session, whatever happens in it"),
}


def test_whoever_waits_for_others_reads_before_a_deadline_is_over():
    """`asyncio.timeout` judges before it reads, where the process stood still (docs/architecture.md 2.8)."""
    parts = {"listening", "replying", "session", "server", "providers", "tools"}
    for path in FILES:
        name = str(path.relative_to(ROOT / "realtime"))
        conversing = part_of(path) in parts or name.startswith(
            ("minimax/chat", "minimax/speech", "minimax/http")
        )
        if conversing or name in OWN_TIMERS:
            text, (own, _) = path.read_text(), OWN_TIMERS.get(name, (0, ""))
            assert text.count("asyncio.timeout") == own, f"{name}: use realtime.deadlines"
            assert "asyncio.wait_for" not in text, f"{name}: use realtime.deadlines"
