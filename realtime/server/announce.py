"""What a server says of itself when it is ready: a block for people, and one line for the log.

It names settings in use and versions; never a key, and of a platform's address only the host.
"""

from __future__ import annotations

import logging
import platform
import sys
from collections.abc import Iterator

import aiohttp

from realtime import __version__
from realtime.errors import as_typed
from realtime.line_writer import printed
from realtime.server.runtime import Runtime
from realtime.settings import Settings
from realtime.settings.hosts import is_mainland
from realtime.settings.model import Account
from realtime.upstream import host_of

EVERY_PAGE = (
    "REALTIME_ORIGINS has *: every web page that somebody opens may connect, with the keys it has, or without one "
    "if no keys are set. Name the pages instead."
)
TEXT_ONLY = "text and speech output only: this server cannot hear"

log = logging.getLogger(__name__)


def announce(text: str) -> None:
    """Say this on standard output. One that takes nothing costs this text alone: the server serves."""
    if not printed(text):
        log.warning("the ready line could not be written: standard output is closed, full or stands still")


def ready_block(url: str, runtime: Runtime) -> str:
    """The address to open, what answers, and how to stop."""
    rows = [
        ("page", f"{url}/  (open it in a browser)"),
        ("model", runtime.providers.chat.name),
        ("voice", f"{runtime.settings.voice_id}, {runtime.settings.speech_model}"),
        ("transcription", _transcription(runtime)),
        ("platform", _platform(runtime)),
        *(("account", _account(each)) for each in runtime.settings.accounts),
        ("version", f"{__version__}, Python {platform.python_version()}"),
        ("stop", "Ctrl-C"),
    ]
    return "\n".join([f"Ready: {url}", *(f"  {name:<14} {text}" for name, text in rows)])


def start_facts(url: str, runtime: Runtime) -> dict[str, object]:
    """The effective settings, for the line of the log that tells of the start."""
    settings = runtime.settings
    return {
        "version": __version__,
        "python": platform.python_version(),
        "system": f"{sys.platform}-{platform.machine()}",
        "aiohttp": aiohttp.__version__,
        "listen": host_of(url),
        "tls": url.startswith("https"),
        "keys": len(settings.api_keys),
        "platform": "sandbox" if runtime.sandbox else host_of(settings.base_url),
        "chat": runtime.providers.chat.name,
        "speech": settings.speech_model,
        "voice": settings.voice_id,
        "transcriber": runtime.transcriber_name,
        "hears": runtime.hears,
        "store": settings.store.partition(":")[0],
        "accounts": ", ".join(each.name for each in settings.accounts) or None,
        **_numbers(settings),
    }


def _numbers(settings: Settings) -> dict[str, object]:
    names = ("speculate", "language", "speech_rpm", "chat_rpm", "speech_connections", "max_sessions")
    return {name: getattr(settings, name) for name in (*names, "drain_s", "log_level")}


def warnings_of(runtime: Runtime) -> Iterator[str]:
    """One sentence for each part that is not there, and for a setting that opens the server to every web page."""
    if "*" in runtime.settings.origins:
        yield EVERY_PAGE
    missing = [f"{each.part} is off: {as_typed(each.message)}" for each in runtime.missing]
    if not runtime.hears:
        yield f"{TEXT_ONLY} ({' '.join(missing) or 'it is switched off in the settings.'})"
    else:
        yield from missing


def _transcription(runtime: Runtime) -> str:
    if not runtime.hears:
        return f"none ({TEXT_ONLY})"
    language = runtime.settings.language
    return f"{runtime.transcriber_name}, {'language ' + language if language else 'language detected'}"


def _platform(runtime: Runtime) -> str:
    """Who answers and speaks: with a chat of another service, also its host."""
    settings = runtime.settings
    platform_name = _sandbox_or_region(runtime)
    other_chat = settings.chat_base_url if settings.chat_provider in ("auto", "openai") else None
    return (
        platform_name if other_chat is None else f"{platform_name}; chat: {host_of(other_chat) or other_chat}"
    )


def _account(account: Account) -> str:
    """Its name and limits; never its key."""
    who = f", for {', '.join(account.for_keys)}" if account.for_keys else ""
    return (
        f"{account.name}: {account.chat_rpm} chat and {account.speech_rpm} speech requests a minute, "
        f"{account.speech_connections} connections{who}"
    )


def _sandbox_or_region(runtime: Runtime) -> str:
    if runtime.sandbox:
        return "the sandbox in this process: no key is set, it bills nothing"
    settings = runtime.settings
    region = "mainland China" if is_mainland(settings.base_url) else "international"
    host = host_of(settings.base_url) or settings.base_url
    known = host.endswith((".minimaxi.com", ".minimax.cn", ".minimax.io"))
    return f"{host} ({region})" if known else host
