"""Everything behind one server: the providers that were handed in or that the settings choose, the tools, the store.

`open_runtime` starts the in-process sandbox where nobody named a platform, and closes everything it made, but nothing
that was handed in. A part that is not installed is not an error here: it is named in `missing`, with the line that
installs it, and a turn that needs it fails with that sentence. Which names there are is `providers/catalog.py`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import importlib.util
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from realtime.errors import ConfigError
from realtime.providers.base import ProviderOverrides, Providers, Store, Transcriber
from realtime.providers.catalog import ROLES, Source, candidates
from realtime.settings import Settings
from realtime.tools import Toolbox, Toolish, load_tools

log = logging.getLogger(__name__)

# What a server can run without, as people call it.
_OPTIONAL = {"vad": "voice detection", "transcriber": "transcription", "end_of_turn": "turn detection"}


@dataclass(frozen=True, slots=True)
class Missing:
    """A part this server runs without, and what would bring it."""

    part: str
    message: str


@dataclass(frozen=True, slots=True)
class Runtime:
    """The settings in force and what runs by them."""

    settings: Settings
    providers: Providers
    missing: tuple[Missing, ...] = ()
    sandbox: bool = False  # nobody named a platform: the emulator in this process answers
    tools: Toolbox | None = None  # Python functions this server runs for the model
    store: Store | None = None  # conversations beyond their session

    @property
    def transcriber_name(self) -> str:
        return self.providers.transcriber.name if self.providers.transcriber else "none"


@asynccontextmanager
async def open_runtime(
    settings: Settings, tools: Iterable[Toolish] = (), providers: ProviderOverrides | None = None
) -> AsyncIterator[Runtime]:
    """Everything a server needs, running. Raises ConfigError for settings that cannot work."""
    by_role = _handed_in(providers)
    sources = {role: candidates(role, settings) for role in ROLES if role not in by_role}
    missing: list[Missing] = []
    async with AsyncExitStack() as stack:
        toolbox = _toolbox(settings, tools)
        if toolbox is not None:
            stack.push_async_callback(toolbox.aclose)
        sandbox = settings.use_sandbox and _asks_the_platform(sources)
        if sandbox:
            settings = await _start_sandbox(settings, stack, missing)
        for role, choice in sources.items():
            made = by_role[role] = await _make(choice, settings, missing)
            if made is not None:
                stack.push_async_callback(made.aclose)
        store = by_role.pop("store")
        all_providers = Providers(**by_role)
        if all_providers.transcriber is not None:
            await stack.enter_async_context(_prewarming(all_providers.transcriber))
        yield Runtime(settings, all_providers, tuple(missing), sandbox, toolbox, store)


@asynccontextmanager
async def open_providers(settings: Settings) -> AsyncIterator[Providers]:
    """Just the providers, for commands that need no server."""
    async with open_runtime(settings) as runtime:
        yield runtime.providers


def _handed_in(providers: ProviderOverrides | None) -> dict[str, Any]:
    """What was handed in, by role. Raises ConfigError for what cannot be meant."""
    by_role: dict[str, Any] = dict(providers or {})
    for role, provider in by_role.items():
        if role not in ROLES:
            raise ConfigError(f"There is no role {role!r} for a provider: there is {', '.join(ROLES)}.")
        if provider is None and role not in (*_OPTIONAL, "store"):
            raise ConfigError(f"A server cannot do without {role}: leave it out for the configured one.")
        if isinstance(provider, type):
            raise ConfigError(f"The {role} handed in is the class {provider.__name__}: make an object of it.")
    return by_role


def _toolbox(settings: Settings, tools: Iterable[Toolish]) -> Toolbox | None:
    """The tools given in Python and those named by settings. Raises ConfigError."""
    every: list[Toolish] = [*tools, *load_tools(settings.tools)]
    if not every:
        return None
    return Toolbox(every, timeout_s=settings.tool_timeout_s, filler=settings.tool_filler)


def _asks_the_platform(sources: Mapping[str, tuple[Source, ...]]) -> bool:
    return any(source.name == "minimax" for choice in sources.values() for source in choice)


async def _start_sandbox(settings: Settings, stack: AsyncExitStack, missing: list[Missing]) -> Settings:
    """The platform on this machine. Without its voice it still writes: the page says what is missing."""
    from realtime.sandbox.server import Sandbox

    if importlib.util.find_spec("espeakng_loader") is None:
        install = "pip install 'minimax-realtime[sandbox]', or set MINIMAX_API_KEY"
        missing.append(Missing("voice", f"The sandbox has no voice: {install}."))
    sandbox = await stack.enter_async_context(Sandbox())
    log.info("no key set: the sandbox speaks, at %s", sandbox.url)
    return dataclasses.replace(settings, api_key="sandbox", base_url=sandbox.url, speech_urls=())


async def _make(choice: Iterable[Source], settings: Settings, missing: list[Missing]) -> Any | None:
    """The first of these that can be made. Raises ConfigError where a server cannot run without one."""
    for source in choice:
        try:
            if source.role == "end_of_turn" and source.entry_point is None:
                return await asyncio.to_thread(source.create, settings)  # its load takes a moment
            return source.create(settings)
        except (ConfigError, ModuleNotFoundError) as error:
            if source.role not in _OPTIONAL:
                raise
            missing.append(Missing(_OPTIONAL[source.role], _sentence(error)))
    return None


@asynccontextmanager
async def _prewarming(transcriber: Transcriber) -> AsyncIterator[None]:
    """Load the transcriber in the background: the server is ready before it is."""

    async def prewarm() -> None:
        try:
            await transcriber.prewarm()
        except ConfigError as error:
            log.warning("transcription will fail: %s", error)

    task = asyncio.create_task(prewarm(), name="prewarm transcriber")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _sentence(error: Exception) -> str:
    if isinstance(error, ConfigError):
        return str(error)
    return f"{error}: pip install 'minimax-realtime[local]'"
