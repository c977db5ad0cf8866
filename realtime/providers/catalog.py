"""The providers of each role, by name: those of this package, then those of other installed packages.

Another package adds a provider with an entry point of the group `realtime.providers`. Its name is `role.name`, its
value a function `create(settings)` or a module with that function (`docs/extending.md`).
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from realtime.contained import awaited
from realtime.errors import ConfigError
from realtime.own_code import what_broke
from realtime.providers import roles
from realtime.providers.weights import has_smart_turn
from realtime.settings import Settings

GROUP = "realtime.providers"
ROLES = ("vad", "transcriber", "end_of_turn", "chat", "speech", "store")
_PACKAGE = "realtime.providers."
_MODULES = {
    ("chat", "minimax"): "minimax.chat",
    ("chat", "openai"): "openai_chat",
    ("end_of_turn", "smart"): "smart_turn",
    ("speech", "minimax"): "minimax.speech",
    ("store", "memory"): "memory_store",
    ("store", "redis"): "redis_store",
    ("store", "sqlite"): "sqlite_store",
    ("transcriber", "local"): "whisper.transcriber",
    ("transcriber", "minimax"): "minimax.transcriber",
    ("transcriber", "openai"): "openai_transcriber",
    ("vad", "silero"): "silero.detector",
}

_WORDS = {  # values of the settings that are not the name of one provider: see `_names`
    "chat": ["auto"],
    "end_of_turn": ["auto", "none"],
    "store": ["none"],
    "transcriber": ["auto", "none"],
    "vad": ["none"],
}


@dataclass(frozen=True, slots=True)
class Source:
    """A provider that can be created. `entry_point` is None if it belongs to this package."""

    role: str
    name: str
    entry_point: EntryPoint | None = None

    @property
    def is_platform(self) -> bool:
        """Whether it asks MiniMax, or what stands in its place."""
        return self.name == "minimax" and self.entry_point is None

    @property
    def package(self) -> str:
        """The name of its distribution."""
        dist = self.entry_point.dist if self.entry_point is not None else None
        return dist.name if dist is not None else "minimax-realtime"

    async def provide(self, settings: Settings) -> Any:
        """Create the provider, as one that can play its role. Raises what `create` raises."""
        if self.entry_point is None:
            if self.role == "end_of_turn":
                return await asyncio.to_thread(self.create, settings)  # loading the model is slow
            return self.create(settings)
        with self._explained():
            made = await awaited(self.create(settings))
        if made is None:
            raise ConfigError(f"{self._theirs} cannot be used: its create(settings) gives None.")
        try:
            roles.check(self.role, made)
        except ConfigError as error:
            await roles.close(made)
            raise ConfigError(f"{self._theirs} cannot be used: {error}") from error
        return made

    def create(self, settings: Settings) -> Any:
        """Call its `create`. Of another package that may be a coroutine, and give anything: `provide` looks at it.

        Raises ConfigError, or ModuleNotFoundError if an optional dependency is missing."""
        if self.entry_point is None:
            return importlib.import_module(_PACKAGE + _MODULES[self.role, self.name]).create(settings)
        try:
            found = self.entry_point.load()
            create: Callable[[Settings], Any] = found.create if inspect.ismodule(found) else found
        except (ImportError, AttributeError) as error:
            raise ConfigError(f"{self._theirs} cannot be loaded: {error}.") from error
        except (Exception, SystemExit) as error:
            raise ConfigError(f"{self._theirs} cannot be loaded: {what_broke(error)}") from error
        with self._explained():
            return create(settings)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """What its `create` raises is one sentence for the operator."""
        try:
            yield
        except (ConfigError, ModuleNotFoundError):
            raise
        except (Exception, SystemExit) as error:
            raise ConfigError(f"{self._theirs} cannot be created: {what_broke(error)}") from error

    @property
    def _theirs(self) -> str:
        return f"The{str(self)[3:]}"

    def __str__(self) -> str:
        return f"the {self.role} {self.name!r} of the package {self.package}"


def find(role: str, name: str) -> Source:
    """The provider with this name. Raises ConfigError if there is none (with the known names) or more than one."""
    if (role, name) in _MODULES:
        return Source(role, name)
    found = {point.value: point for point in _installed() if point.name == f"{role}.{name}"}
    if not found:
        raise ConfigError(f"There is no {role} named {name!r}; known names: {', '.join(known(role))}.")
    sources = [Source(role, name, point) for point in found.values()]
    if len(sources) > 1:
        packages = " and ".join(sorted(source.package for source in sources))
        raise ConfigError(f"The packages {packages} both have a {role} named {name!r}: uninstall one.")
    return sources[0]


def known(role: str) -> list[str]:
    """The values that the setting of this role may have: first those of this package, then the others."""
    ours = _WORDS.get(role, []) + sorted(name for kind, name in _MODULES if kind == role)
    theirs = {point.name.partition(".")[2] for point in _installed() if point.name.startswith(f"{role}.")}
    return ours + sorted(theirs - set(ours))


def candidates(role: str, settings: Settings) -> tuple[Source, ...]:
    """The providers that the settings allow for this role, the preferred one first; empty if the role is off.

    Raises ConfigError for an unknown name; its message names the setting.
    """
    setting, value = _chosen(role, settings)
    try:
        return tuple(find(role, name) for name in _names(role, value.partition(":")[0], settings))
    except ConfigError as error:
        raise ConfigError(f"{setting}={value}: {error}") from error


def modules_of(settings: Settings) -> list[str]:
    """The modules of this package that the providers of these settings need. Raises ConfigError for an unknown name."""
    sources = (
        source for role in ROLES for source in candidates(role, settings) if source.entry_point is None
    )
    return [_PACKAGE + _MODULES[source.role, source.name] for source in sources]


def _chosen(role: str, settings: Settings) -> tuple[str, str]:
    """The name and the value of the setting for this role."""
    return {
        "vad": ("VOICE_DETECTOR", settings.voice_detector),
        "transcriber": ("TRANSCRIBER", settings.transcriber),
        "end_of_turn": ("END_OF_TURN_MODEL", settings.end_of_turn_model),
        "chat": ("CHAT_PROVIDER", settings.chat_provider),
        "speech": ("SPEECH_PROVIDER", settings.speech_provider),
        "store": ("REALTIME_STORE", settings.store),
    }[role]


def _names(role: str, value: str, settings: Settings) -> tuple[str, ...]:
    """The provider names for this value of the setting."""
    match role, value:
        case "chat", "auto":
            return ("openai",) if settings.chat_base_url else ("minimax",)
        case "transcriber", "auto":  # the sandbox would use the same local model
            return ("local",) if settings.use_sandbox else ("local", "minimax")
        case "end_of_turn", "auto":  # a model that is not installed is not an error
            return ("smart",) if has_smart_turn() else ()
        case (("vad" | "transcriber" | "end_of_turn" | "store"), "none"):
            return ()
    return (value,)


def _installed() -> list[EntryPoint]:
    return list(entry_points(group=GROUP))
