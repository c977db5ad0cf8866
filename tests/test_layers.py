"""The house: imports point down, the wings do not meet, the ground floor is pure."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "realtime").rglob("*.py"))

# From the ground up. A room may import what stands below it, and nothing beside it.
HOUSE = [
    "errors",
    "core",
    "protocol",
    "minimax",
    "settings",
    "metrics",
    "providers",
    "outbox",
    "translate",
    "tools",
    "watchdog",
    "tasks",
    "turn_queue",
    "context",
    "listening",
    "replying",
    "session",
    "sandbox",  # across the street
    "server",
    "commands",
    "cli",
    "__main__",
]
NEVER_MEET = [
    ("core", "protocol"),
    ("listening", "replying"),
    ("minimax", "settings"),
    ("outbox", "providers"),
]
IMPURE = {"asyncio", "aiohttp", "websockets", "socket", "threading", "time", "os", "subprocess", "random"}


def room(path: Path) -> str:
    """The part of the house a file belongs to."""
    return path.relative_to(ROOT / "realtime").with_suffix("").parts[0]


def floor(name: str) -> int:
    assert name in HOUSE, f"realtime/{name} is on no floor: add it to HOUSE where it belongs"
    return HOUSE.index(name)


def imports(path: Path) -> set[str]:
    """Every module a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names if node.module == "realtime"}
    return found


def own_rooms(path: Path) -> set[str]:
    return {
        name.split(".")[1]
        for name in imports(path)
        if name.startswith("realtime.") and name != "realtime.__version__"
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path):
    here = room(path)
    if here == "__init__":
        return
    for other in own_rooms(path) - {here}:
        assert floor(other) < floor(here), f"{here} must not know {other}"


@pytest.mark.parametrize(("one", "other"), NEVER_MEET)
def test_some_neighbours_never_meet(one, other):
    for path in FILES:
        if room(path) in (one, other):
            assert own_rooms(path) & {one, other} <= {room(path)}, path


@pytest.mark.parametrize("ground", ["core", "protocol"])
def test_the_ground_floor_is_pure(ground):
    for path in FILES:
        if room(path) == ground:
            assert not {name.split(".")[0] for name in imports(path)} & IMPURE, path
            assert own_rooms(path) <= {ground, "errors"}, path


def test_the_platform_client_knows_nothing_of_conversations():
    for path in FILES:
        if room(path) == "minimax":
            assert own_rooms(path) <= {"minimax", "errors", "core"}, path


def test_the_sandbox_shares_no_code_with_the_client():
    for path in FILES:
        if room(path) == "sandbox":
            assert own_rooms(path) <= {"sandbox"}, path
        elif room(path) not in ("server", "commands", "cli"):
            assert "sandbox" not in own_rooms(path), path


@pytest.mark.parametrize("wing", ["listening", "replying", "session"])
def test_a_conversation_sees_roles_not_vendors(wing):
    for path in FILES:
        if room(path) == wing:
            vendors = {name for name in imports(path) if name.startswith("realtime.providers.")}
            assert vendors <= {"realtime.providers.base"}, path


def test_only_the_settings_look_at_the_environment():
    for path in FILES:
        if room(path) in ("commands", "cli", "__main__"):
            continue
        if path.match("minimax/client.py"):
            continue  # `MiniMax.from_env()`: the client is usable alone
        for node in ast.walk(ast.parse(path.read_text())):
            assert not (isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")), path
