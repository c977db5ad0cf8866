"""The house: imports point down, the ground floor is pure, the public surface is what it says."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "realtime").rglob("*.py"))

FLOORS = [
    {"core", "protocol", "errors"},
    {"minimax", "config"},
    {"providers", "metrics", "setting_types", "settings"},
    {"sandbox"},  # across the street
    {
        "outbox",
        "translate",
        "session_defaults",
        "listening",
        "patience",
        "transcribing",
        "recital",
        "tools",
        "remembering",
        "narration",
        "tasks",
        "idle",
        "warmth",
        "watchdog",
        "reply_writer",
        "response",
        "chat_request",
        "replies",
        "user_turn",
        "speculation",
        "item_events",
        "session",
    },
    {"server"},
    {"doctor", "commands", "cli", "__main__"},
]
IMPURE = {"asyncio", "aiohttp", "websockets", "socket", "threading", "time", "os", "subprocess", "random"}


def room(path: Path) -> str:
    """The part of the house a file belongs to."""
    parts = path.relative_to(ROOT / "realtime").with_suffix("").parts
    return parts[0]


def floor(name: str) -> int:
    for number, rooms in enumerate(FLOORS):
        if name in rooms:
            return number
    raise AssertionError(f"realtime/{name} is on no floor: add it to FLOORS where it belongs")


def imports(path: Path) -> set[str]:
    """Every module a file imports, but for those only types need."""
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
    for other in own_rooms(path):
        if other != here:
            assert floor(other) <= floor(here), f"{here} must not know {other}"


@pytest.mark.parametrize("ground", ["core", "protocol"])
def test_the_ground_floor_is_pure(ground):
    other = {"core": "protocol", "protocol": "core"}[ground]
    for path in FILES:
        if room(path) == ground:
            assert not {name.split(".")[0] for name in imports(path)} & IMPURE, path
            assert other not in own_rooms(path), path


def test_the_platform_client_knows_nothing_of_conversations():
    for path in FILES:
        if room(path) == "minimax":
            assert own_rooms(path) <= {"minimax", "errors", "core"}, path


def test_the_sandbox_shares_no_code_with_the_client():
    for path in FILES:
        if room(path) == "sandbox":
            assert own_rooms(path) <= {"sandbox"}, path
        elif room(path) not in ("server", "commands", "cli", "doctor"):
            assert "sandbox" not in own_rooms(path), path


def test_the_session_sees_roles_not_vendors():
    for path in FILES:
        if floor(room(path)) == 4 if room(path) != "__init__" else False:
            vendors = {name for name in imports(path) if name.startswith("realtime.providers.")}
            assert vendors <= {"realtime.providers.base"} | {
                name for name in vendors if name.startswith("realtime.providers.base.")
            }, path


def test_only_the_settings_look_at_the_environment():
    for path in FILES:
        if room(path) in ("commands", "cli", "doctor", "__main__"):
            continue
        if path.match("minimax/client.py"):
            continue  # `MiniMax.from_env()`: the client is usable alone
        for node in ast.walk(ast.parse(path.read_text())):
            assert not (isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")), path
