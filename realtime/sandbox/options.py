"""The options of a sandbox: a latency profile, single settings, limits, faults and a seed.

Knows names, defaults and the grammar of `--set`. The values are those of docs/minimax/latency.md 3.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from ..errors import ConfigError
from .faults import Fault, nearest, parse_fault

PROFILES = ("local", "mainland", "far")


@dataclass(frozen=True, slots=True)
class ValueKind:
    """One row of the table: a line of help, the default in each profile, the smallest value allowed."""

    help: str
    local: float
    mainland: float
    far: float
    minimum: float = 0.0


def _same(help: str, value: float, minimum: float = 0.0) -> ValueKind:
    return ValueKind(help, value, value, value, minimum)


VALUES: dict[str, ValueKind] = {
    "http.connect_ms": ValueKind("extra latency of the first request on a new HTTP connection", 5, 150, 600),
    "http.error_ms": ValueKind("latency of a refusal", 5, 300, 500),
    "chat.first_ms": ValueKind("request to first token", 50, 700, 1000),
    "chat.tps": ValueKind("tokens a second, M3 and highspeed models", 200, 100, 50, 0.1),
    "chat.plain_tps": ValueKind("tokens a second of other models, at most chat.tps", 200, 60, 50, 0.1),
    "chat.chunk_ms": ValueKind("time between two stream events", 50, 250, 400, 1),
    "chat.first_tokens": _same("tokens in the first event", 2, 1),
    "chat.think_tokens": ValueKind("length of the thinking block, tokens", 20, 60, 100, 1),
    "chat.strict_temperature": _same("1: refuse temperatures outside (0, 1] instead of [0, 2]", 0),
    "chat.context_tokens": _same("context length, tokens; 0: the model's own", 0),
    "speech.connect_ms": ValueKind("TCP, TLS and WebSocket handshake", 5, 150, 600),
    "speech.connected_ms": ValueKind("handshake to connected_success", 5, 15, 15),
    "speech.start_ms": ValueKind("task_start to task_started", 10, 60, 200),
    "speech.first_ms": ValueKind("text to first audio, turbo models", 50, 280, 500),
    "speech.hd_first_ms": ValueKind("text to first audio, hd models", 80, 450, 700),
    "speech.factor": ValueKind("synthesis speed, in times of real time", 20, 8, 5, 0.01),
    "speech.chunk_ms": _same("audio in one frame", 100, 10),
    "speech.final_ms": ValueKind("last audio to is_final", 1, 10, 10),
    "speech.idle_s": _same("idle timeout of a socket, seconds", 120, 0.01),
    "speech.max_text": _same("longest text of one request, characters", 10_000, 1),
    "speech.max_queue": _same("texts waiting on one socket before 2205", 100, 1),
    "speech.reject_handshake": _same("1: a bad key gets HTTP 401 instead of task_failed", 0),
    "voice.clone_ms": ValueKind("time to clone a voice", 200, 3000, 5000),
    "voice.design_ms": ValueKind("time to design a voice", 200, 10_000, 15_000),
    "asr.ms": ValueKind("extra latency of a transcription", 20, 300, 600),
    "models.ms": ValueKind("latency of GET /v1/models", 5, 200, 400),
    "limit.speech_rpm": _same("speech requests in a window; 0: no limit", 0),
    "limit.chat_rpm": _same("chat requests in a window; 0: no limit", 0),
    "limit.connections": _same("speech sockets open at once; 0: no limit", 0),
    "limit.window_s": _same("length of the window of the two limits above, seconds", 60, 0.01),
    "jitter.spread": ValueKind("every latency varies by up to this share of itself", 0, 0.1, 0.15),
    "jitter.tail": _same("share of latencies that are much longer", 0),
    "jitter.tail_factor": _same("factor of those longer latencies", 2, 1),
}
ALIASES = {"speech.max_connections": "limit.connections"}


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """All options of a sandbox. `sets` are the values that differ from the profile; the last one of a name counts."""

    profile: str = "local"
    sets: tuple[tuple[str, float], ...] = ()
    faults: tuple[Fault, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            raise ConfigError(f"unknown profile {self.profile!r}{nearest(self.profile, PROFILES)}")
        for name, value in self.sets:
            _check(name, value)

    @classmethod
    def parse(
        cls, profile: str = "local", sets: Iterable[str] = (), faults: Iterable[str] = (), seed: int = 0
    ) -> Self:
        """Read the options of a command line. Raises ConfigError naming the nearest known name."""
        return cls(profile, tuple(map(parse_set, sets)), tuple(map(parse_fault, faults)), seed)

    def __getitem__(self, name: str) -> float:
        """The effective value of `name`, in the unit its name ends with. Raises KeyError."""
        name = ALIASES.get(name, name)
        kind = VALUES[name]
        for key, value in reversed(self.sets):
            if ALIASES.get(key, key) == name:
                return value
        match self.profile:
            case "mainland":
                return kind.mainland
            case "far":
                return kind.far
            case _:
                return kind.local


def parse_set(text: str) -> tuple[str, float]:
    """Read `NAME=NUMBER`. Raises ConfigError naming the nearest known name."""
    name, equals, value = text.partition("=")
    name = name.strip()
    if name not in VALUES and name not in ALIASES:
        raise ConfigError(f"unknown setting {name!r}{nearest(name, VALUES)}")
    try:
        number = float(value)
    except ValueError:
        raise ConfigError(f"setting {name!r} needs a number: {name}=NUMBER") from None
    if not equals:
        raise ConfigError(f"setting {name!r} needs a number: {name}=NUMBER")
    _check(name, number)
    return name, number


def _check(name: str, value: float) -> None:
    kind = VALUES.get(ALIASES.get(name, name))
    if kind is None:
        raise ConfigError(f"unknown setting {name!r}{nearest(name, VALUES)}")
    if not math.isfinite(value) or value < kind.minimum:
        raise ConfigError(f"setting {name!r} must be at least {kind.minimum:g}, not {value:g}")
