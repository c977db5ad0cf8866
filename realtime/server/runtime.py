"""What one server runs with: the providers (given by the caller or selected by the settings), the tools, the store.

`open_runtime` starts the sandbox in this process if no platform is configured. It closes everything it created, and
nothing that the caller gave. A part that is not installed is no error here: `missing` names it and says how to install
it, and a turn that needs it fails with that message. The provider names are in `providers/catalog.py`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import importlib.util
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realtime import logs, tracing
from realtime.contained import contained
from realtime.core.account import Limit
from realtime.errors import ConfigError, as_typed, install_extra
from realtime.metrics import Metrics
from realtime.providers import noise_reduction, roles, voice_weights, weights
from realtime.providers.base import ChatModel, ProviderOverrides, Providers, Speech, Transcriber
from realtime.providers.catalog import ROLES, Source, candidates
from realtime.providers.journal import Journal
from realtime.providers.store import Store
from realtime.providers.upstreams import proxies_of
from realtime.server.observed import observed, per_minute
from realtime.server.observed_store import ObservedStore
from realtime.server.starting import Starting
from realtime.server.wrapped import Later
from realtime.settings import Settings
from realtime.settings.accounts import with_default
from realtime.settings.load import secrets_of
from realtime.tasks import cancel
from realtime.tools import Toolbox, Toolish, load_tools

if TYPE_CHECKING:
    from realtime.providers.shared_quotas import SharedQuotas
    from realtime.server.accounts import Accounts
    from realtime.server.open_account import OpenAccount

log = logging.getLogger(__name__)


KEEP_LONGER_S = 30.0  # than the resume window


def _ready() -> str | None:
    """Nothing is waited for."""
    return None


def _nothing_to_see(metrics: Metrics) -> None:
    """There is no Redis."""


def _show(shown: Iterable[Any], metrics: Metrics) -> None:
    """Show what uses Redis."""
    added = metrics.add_redis()
    for each in shown:
        if each is not None:
            each.show(added)


# The roles that a server can run without, and their names in `missing`.
_OPTIONAL = {"vad": "voice detection", "transcriber": "transcription", "end_of_turn": "end-of-turn model"}


@dataclass(frozen=True, slots=True)
class Missing:
    """A part that this server runs without, and how to install it."""

    part: str
    message: str


@dataclass(frozen=True, slots=True)
class Runtime:
    """The settings in use and the objects created from them."""

    settings: Settings
    providers: Providers
    parts_missing: Sequence[Missing] = ()  # grows if a part turns out not to work: see `missing`
    # The roles that the sandbox in this process plays: no platform is configured
    emulated: tuple[str, ...] = ()
    tools: Toolbox | None = None  # Python functions that this server runs for the model
    store: Store | None = None  # keeps conversations after their session
    not_ready: Callable[[], str | None] = _ready  # why this server should get no sessions yet
    observe: Callable[[Metrics], None] = _nothing_to_see  # shows Redis and a shared account in these metrics
    journal: Journal | None = None  # where other servers find what they need to go on with a session
    copies: Store | None = None  # the items of sessions for these servers, where they do not share the store
    of_others: Store | None = None  # what a server with another store has kept; with a journal always there
    later: Later = field(default_factory=Later)  # what providers gave to be waited for where nobody waits
    accounts: Accounts | None = None  # where there are several; the fields above are those of the default one

    @property
    def sandbox(self) -> bool:
        """Whether the sandbox in this process plays any role."""
        return bool(self.emulated)

    @property
    def account_limits(self) -> list[Limit]:
        """Of those who chat and speak. The sandbox in this process has no account."""
        roles: dict[str, ChatModel | Speech] = {"chat": self.providers.chat, "speech": self.providers.speech}
        return [
            Limit(per_minute(provider), provider.requests_left())
            for role, provider in roles.items()
            if role not in self.emulated
        ]

    def speech_for(self, key: str, voice_id: str) -> Speech:
        """Who speaks with this voice to the key of this name outside of sessions."""
        return self.providers.speech if self.accounts is None else self.accounts.speech_for(key, voice_id)

    def at(self, account: OpenAccount) -> Runtime:
        """The same for a session that this account pays for."""
        return dataclasses.replace(self, settings=account.settings, providers=account.providers)

    def seen_by(self, metrics: Metrics) -> Runtime:
        """The same, with all that is asked of services counted in these metrics, and all that they give looked at."""
        self.observe(metrics)
        several = self.accounts
        if several is None:
            seen = observed(self.providers, metrics, later=self.later)
        else:
            seen = several.observe(metrics, self.later)
        store = None if self.store is None else ObservedStore(self.store, self.later)
        return dataclasses.replace(self, providers=seen, store=store)

    @property
    def transcriber_name(self) -> str:
        return self.providers.transcriber.name if self.providers.transcriber else "none"

    @property
    def missing(self) -> tuple[Missing, ...]:
        """The parts that do not work, as known by now: the transcriber loads after the start."""
        return tuple(self.parts_missing)

    @property
    def hears(self) -> bool:
        """Whether it detects speech and can transcribe it. If not, it takes text, and sound of clients that end their
        turns themselves."""
        works = all(missing.part != _OPTIONAL["transcriber"] for missing in self.missing)
        return works and self.providers.vad is not None and self.providers.transcriber is not None


@asynccontextmanager
async def open_runtime(
    settings: Settings,
    tools: Iterable[Toolish] = (),
    providers: ProviderOverrides | None = None,
    starting: Starting | None = None,
) -> AsyncIterator[Runtime]:
    """The runtime of one server, until the end of the block. `starting` is told what it waits for.

    Raises ConfigError for settings that cannot work.
    """
    starting = starting or Starting()
    weights.use_cache(settings.cache_dir)
    settings = with_default(settings)
    logs.hide(secrets_of(settings))  # also where the program has its own logging
    by_role = _given(providers)
    sources = {role: candidates(role, settings) for role in ROLES if role not in by_role}
    for host, proxy in proxies_of(settings).items():
        log.info("%s is reached through %s", host, proxy.shown)
    missing: list[Missing] = []
    closings = roles.Closings()
    async with AsyncExitStack() as stack:
        with starting.waits_for("the modules of REALTIME_TOOLS"):
            toolbox = _toolbox(settings, tools)
        if toolbox is not None:
            stack.push_async_callback(toolbox.aclose)
        emulated = _on_the_platform(sources) if settings.use_sandbox else ()
        if emulated:
            with starting.waits_for("the sandbox"):
                settings = await _start_sandbox(settings, stack, missing)
        # Each sandbox in a process is an account of its own
        quotas = await _shared_quotas(settings, stack) if settings.redis and not emulated else None
        for role, choice in sources.items():
            provider = by_role[role] = await _create(choice, settings, missing, starting)
            if provider is not None:
                stack.push_async_callback(closings.close, provider)
            if quotas is not None:
                quotas.give_to(role, provider)
        if problem := tracing.problem_of(settings):
            missing.append(Missing("tracing", problem))
        store = by_role.pop("store")
        journal, of_others = _journal(settings, stack)
        copies = None if of_others is None or _is_shared(store) else of_others
        all_providers = Providers(**by_role, noise_reduction=noise_reduction.open_stream)
        if all_providers.transcriber is not None:
            await stack.enter_async_context(_prewarming(all_providers.transcriber, missing))
        accounts = await _accounts(settings, sources, all_providers, stack, quotas)
        later = Later()
        stack.push_async_callback(later.aclose)
        shown = [quotas, of_others, store if settings.redis and _is_shared(store) else None]
        yield Runtime(
            settings,
            all_providers,
            missing,
            emulated,
            toolbox,
            store,
            not_ready=quotas.not_ready if quotas is not None else _ready,
            observe=partial(_show, shown) if any(shown) else _nothing_to_see,
            journal=journal,
            copies=copies,
            of_others=of_others,
            later=later,
            accounts=accounts,
        )


def _given(providers: ProviderOverrides | None) -> dict[str, Any]:
    """The caller's providers by role. Raises ConfigError for a wrong role or value."""
    by_role: dict[str, Any] = dict(providers or {})
    for role, provider in by_role.items():
        if role not in ROLES:
            raise ConfigError(f"There is no provider role {role!r}; the roles are {', '.join(ROLES)}.")
        if provider is None and role not in (*_OPTIONAL, "store"):
            raise ConfigError(f"A server needs the role {role}: leave it out to use the configured provider.")
        if provider is not None:
            roles.check(role, provider)
    return by_role


def _toolbox(settings: Settings, tools: Iterable[Toolish]) -> Toolbox | None:
    """The caller's tools and those that the settings name. Raises ConfigError."""
    every: list[Toolish] = [*tools, *load_tools(settings.tools)]
    if not every:
        return None
    return Toolbox(every, timeout_s=settings.tool_timeout_s, filler=settings.tool_filler)


def _on_the_platform(sources: Mapping[str, tuple[Source, ...]]) -> tuple[str, ...]:
    """The roles that MiniMax plays by these settings."""
    ours = (role for role, choice in sources.items() if any(source.is_platform for source in choice))
    return tuple(sorted(ours))


async def _shared_quotas(settings: Settings, stack: AsyncExitStack) -> SharedQuotas:
    """The quotas that nodes share; imported only where they are wanted. Raises ConfigError."""
    from realtime.providers.shared_quotas import shared_quotas

    return await stack.enter_async_context(shared_quotas(settings))


async def _accounts(
    settings: Settings,
    sources: Mapping[str, tuple[Source, ...]],
    providers: Providers,
    stack: AsyncExitStack,
    quotas: SharedQuotas | None,
) -> Accounts | None:
    """The accounts, where there are several; imported only then. Raises ConfigError."""
    if not settings.accounts:
        return None
    from realtime.server.accounts import open_accounts

    return await open_accounts(settings, sources, providers, stack, quotas)


def _journal(settings: Settings, stack: AsyncExitStack) -> tuple[Journal | None, Store | None]:
    """Where servers with the same Redis find each other's sessions, and copies of their items; imported only where that
    is wanted."""
    if not settings.redis or settings.resume_window_s <= 0:
        return None, None
    from realtime.providers.redis_journal import RedisJournal
    from realtime.providers.redis_link import SESSIONS
    from realtime.providers.redis_store import RedisStore, open_link

    link = open_link(settings.redis, SESSIONS)
    keep_ms = int((settings.resume_window_s + KEEP_LONGER_S) * 1000)
    stack.push_async_callback(link.aclose)
    items = RedisStore(link, settings.redis_prefix, keep_ms=keep_ms, listed=False)
    return RedisJournal(link, settings.redis_prefix, keep_ms), items


def _is_shared(store: Store | None) -> bool:
    """Whether all servers with this Redis have this store. Asked only where there is one."""
    from realtime.providers.redis_store import RedisStore

    return isinstance(store, RedisStore)


async def _start_sandbox(settings: Settings, stack: AsyncExitStack, missing: list[Missing]) -> Settings:
    """Start the sandbox and return settings that use it. Without its voice it still answers in text."""
    from realtime.sandbox.server import Sandbox

    if importlib.util.find_spec("espeakng_loader") is None:
        install = f"{install_extra('sandbox')}, or set MINIMAX_API_KEY"
        missing.append(Missing("voice", f"The sandbox has no voice: {install}."))
    voice = await asyncio.to_thread(_natural_voice)
    sandbox = await stack.enter_async_context(Sandbox(records=False, natural_voice=voice))
    return dataclasses.replace(settings, api_key="sandbox", base_url=sandbox.url, speech_urls=())


def _natural_voice() -> Path | None:
    """The folder of the sandbox's natural voice, if it is installed and unchanged. Reads 100 MB."""
    try:
        if voice_weights.has_voice():
            return voice_weights.voice()
    except ConfigError as error:
        log.warning("%s", error)
    advice = as_typed(voice_weights.INSTALL)
    log.info("the sandbox's Chinese voice is a robot that is hard to understand: %s", advice)
    return None


async def _create(
    sources: Iterable[Source], settings: Settings, missing: list[Missing], starting: Starting
) -> Any | None:
    """The first of these providers that can be created. Raises ConfigError if the server needs the role."""
    for source in sources:
        try:
            with starting.waits_for(str(source)):
                return await source.provide(settings)
        except (ConfigError, ModuleNotFoundError) as error:
            if source.role not in _OPTIONAL:
                raise
            missing.append(Missing(_OPTIONAL[source.role], _sentence(error)))
    return None


@asynccontextmanager
async def _prewarming(transcriber: Transcriber, missing: list[Missing]) -> AsyncIterator[None]:
    """Load the transcriber in the background: the server does not wait for it. If that fails, it is missing."""

    async def prewarm() -> None:
        try:
            await contained(transcriber.prewarm())
        except ConfigError as error:
            log.warning("transcription will fail: %s", error)
            missing.append(Missing(_OPTIONAL["transcriber"], str(error)))
        except Exception as error:  # of a provider from anywhere
            log.error("prewarming the transcriber broke", exc_info=error)

    task = asyncio.create_task(prewarm(), name="prewarm transcriber")
    try:
        yield
    finally:
        await cancel([task])


def _sentence(error: Exception) -> str:
    if isinstance(error, ConfigError):
        return str(error)
    return f"{error}: {install_extra('local')}"
