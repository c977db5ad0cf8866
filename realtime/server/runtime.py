"""The composition root: the one place that picks concrete providers.

`open_providers` starts the in-process sandbox when the settings ask for it and closes everything again. A part that is
not installed is not an error here: it is named in `missing`, with the line that installs it, and a turn that needs it
fails with that sentence.
"""

from __future__ import annotations

import asyncio
import dataclasses
import importlib.util
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from realtime.errors import ConfigError
from realtime.providers.base import EndOfTurnModel, Providers, Store, Transcriber, VoiceDetector
from realtime.providers.catalog import load
from realtime.providers.weights import has_smart_turn
from realtime.settings import Settings
from realtime.tools import Toolbox, Toolish, load_tools

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Missing:
    """A part this server runs without, and what would bring it."""

    part: str
    message: str


@dataclass(frozen=True, slots=True)
class Runtime:
    """The settings in force and the cast that plays them."""

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
async def open_runtime(settings: Settings, tools: Iterable[Toolish] = ()) -> AsyncIterator[Runtime]:
    """Everything a server needs, running. Raises ConfigError for settings that cannot work."""
    async with AsyncExitStack() as stack:
        missing: list[Missing] = []
        toolbox = _toolbox(settings, tools)
        if toolbox is not None:
            stack.push_async_callback(toolbox.aclose)
        sandbox = settings.use_sandbox
        if sandbox:
            settings = await _start_sandbox(settings, stack, missing)
        vad = _load_vad(settings, missing)
        if vad is not None:
            stack.push_async_callback(vad.aclose)
        transcriber = _load_transcriber(settings, missing, sandbox=sandbox)
        if transcriber is not None:
            stack.push_async_callback(transcriber.aclose)
            await stack.enter_async_context(_warming(transcriber))
        turn = await _load_turn_judge(settings, missing)
        if turn is not None:
            stack.push_async_callback(turn.aclose)
        chat = load("chat", "openai" if settings.chat_base_url else "minimax").create(settings)
        stack.push_async_callback(chat.aclose)
        speech = load("speech", "minimax").create(settings)
        stack.push_async_callback(speech.aclose)
        store: Store = load("store", settings.store.partition(":")[0]).create(settings)
        stack.push_async_callback(store.aclose)
        providers = Providers(vad, transcriber, chat, speech, turn)
        yield Runtime(settings, providers, tuple(missing), sandbox, toolbox, store)


@asynccontextmanager
async def open_providers(settings: Settings) -> AsyncIterator[Providers]:
    """Just the providers, for commands that need no server."""
    async with open_runtime(settings) as runtime:
        yield runtime.providers


def _toolbox(settings: Settings, tools: Iterable[Toolish]) -> Toolbox | None:
    """The tools given in Python and those named by settings. Raises ConfigError."""
    every: list[Toolish] = [*tools, *load_tools(settings.tools)]
    if not every:
        return None
    return Toolbox(every, timeout_s=settings.tool_timeout_s, filler=settings.tool_filler)


async def _start_sandbox(settings: Settings, stack: AsyncExitStack, missing: list[Missing]) -> Settings:
    """The platform on this machine. Without its voice it still writes: the page says what is missing."""
    from realtime.sandbox.server import Sandbox

    if importlib.util.find_spec("espeakng_loader") is None:
        install = "pip install 'minimax-realtime[sandbox]', or set MINIMAX_API_KEY"
        missing.append(Missing("voice", f"The sandbox has no voice: {install}."))
    sandbox = await stack.enter_async_context(Sandbox())
    log.info("no key set: the sandbox speaks, at %s", sandbox.url)
    return dataclasses.replace(settings, api_key="sandbox", base_url=sandbox.url, speech_urls=())


@asynccontextmanager
async def _warming(transcriber: Transcriber) -> AsyncIterator[None]:
    """Load the ears in the background: the server is ready before they are."""

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


def _load_vad(settings: Settings, missing: list[Missing]) -> VoiceDetector | None:
    try:
        vad: VoiceDetector = load("vad", "silero").create(settings)
    except (ConfigError, ModuleNotFoundError) as error:
        missing.append(Missing("voice detection", _sentence(error)))
        return None
    return vad


def _load_transcriber(settings: Settings, missing: list[Missing], *, sandbox: bool) -> Transcriber | None:
    kind = settings.transcriber.partition(":")[0]
    if kind == "none":
        return None
    names = {"auto": ["local", "minimax"], "local": ["local"], "minimax": ["minimax"], "openai": ["openai"]}
    if kind not in names:
        raise ConfigError(
            f"TRANSCRIBER={settings.transcriber!r} is not known: use local[:model], minimax, openai:URL or none."
        )
    for name in names[kind]:
        if name == "minimax" and kind == "auto" and sandbox:
            continue  # the sandbox listens with the same local model that is missing here
        try:
            transcriber: Transcriber = load("transcriber", name).create(settings)
        except (ConfigError, ModuleNotFoundError) as error:
            missing.append(Missing("transcription", _sentence(error)))
            if kind != "auto":
                return None
        else:
            return transcriber
    return None


async def _load_turn_judge(settings: Settings, missing: list[Missing]) -> EndOfTurnModel | None:
    """The judge is optional: only a damaged one is missed. Its load takes a moment, in a thread."""
    if not has_smart_turn():
        return None
    try:
        judge: EndOfTurnModel = await asyncio.to_thread(load("turn", "smart").create, settings)
    except (ConfigError, ModuleNotFoundError) as error:
        missing.append(Missing("turn detection", _sentence(error)))
        return None
    return judge


def _sentence(error: Exception) -> str:
    if isinstance(error, ConfigError):
        return str(error)
    return f"{error}: pip install 'minimax-realtime[local]'"
