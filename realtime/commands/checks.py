"""Checks what works on this machine and what does not, and gives advice: one line each.

Checks are independent, have timeouts, and change nothing.
"""

from __future__ import annotations

import asyncio
import errno
import importlib.util
import os
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import realtime
from realtime import deadlines
from realtime.commands.foreign_packages import OUR_DISTRIBUTION, foreign_packages
from realtime.commands.free_port import free_port, port_command
from realtime.errors import ConfigError, ProviderError, install_extra
from realtime.settings import Settings
from realtime.settings.together import SANDBOX_KEY
from realtime.upstream import host_of

if TYPE_CHECKING:
    from realtime.providers.catalog import Source

REACH_TIMEOUT_S = 8.0
# For a provider of another package, which may load a model: the server waits without a limit, and says so
CREATED_S = 60.0
CLOSED_S = 3.0  # for it to close: all providers of a server that stops have so long together


class Verdict(Enum):
    """The result of a check, and its mark in the output."""

    GOOD = "ok"
    NOTE = "--"
    BAD = "!!"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `advice` says what to do; it is empty if nothing is to do."""

    part: str
    verdict: Verdict
    text: str
    advice: str = ""


async def run_checks(settings: Settings) -> list[Finding]:
    """Run all checks, in the order in which problems should be fixed."""
    from realtime.commands.account_check import account_findings
    from realtime.commands.redis_check import redis_findings
    from realtime.providers import weights

    weights.use_cache(settings.cache_dir)
    findings = [_package(), _key(settings), _address(settings), *_proxy(settings)]
    findings += await _reach(settings)
    findings += await account_findings(settings, _reach)
    findings += [
        await _providers(settings),
        _voice_detection(),
        _turn_end(),
        await asyncio.to_thread(_transcription, settings),
        _store(settings),
        _sandbox_voice(settings),
        *await asyncio.to_thread(_tools, settings),
    ]
    findings += await redis_findings(settings)
    findings += await asyncio.to_thread(_traces, settings)
    findings += await _sound()
    return findings


def _package() -> Finding:
    where = Path(realtime.__file__).parent
    others = foreign_packages()
    if others:
        advice = f"pip uninstall {' '.join(others)}, or use a fresh environment"
        return Finding("package", Verdict.BAD, f"mixed with {', '.join(others)} in {where}", advice)
    return Finding("package", Verdict.GOOD, f"{OUR_DISTRIBUTION} {realtime.__version__} in {where}")


def _key(settings: Settings) -> Finding:
    if settings.use_sandbox:
        return Finding(
            "key",
            Verdict.NOTE,
            "none: the built-in sandbox answers",
            "export MINIMAX_API_KEY=... to talk with MiniMax",
        )
    if settings.api_key == SANDBOX_KEY:
        return Finding("key", Verdict.GOOD, f"none needed for {settings.base_url}")
    return Finding("key", Verdict.GOOD, f"set, for {settings.base_url}")


def _address(settings: Settings) -> Finding:
    from realtime.settings.load import check_binding

    try:
        check_binding(settings)
    except ConfigError as error:
        return Finding("address", Verdict.BAD, f"{settings.host}:{settings.port}", str(error))
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        works = port_command({}, free_port(settings.host, settings.port + 1)) if taken else "REALTIME_HOST"
        advice = f"stop what listens there (a server that runs already?), or: {works}" if taken else works
        return Finding("address", Verdict.NOTE, f"{settings.host}:{settings.port}: {error.strerror}", advice)
    return Finding("address", Verdict.GOOD, f"will listen on {settings.host}:{settings.port}")


def _proxy(settings: Settings) -> list[Finding]:
    """How the services are reached; nothing where no proxy is set."""
    from realtime.providers.upstreams import proxies_of

    try:
        proxies = proxies_of(settings)
    except ConfigError as error:
        return [Finding("proxy", Verdict.BAD, "cannot be used", str(error))]
    hosts_by_proxy: dict[str, list[str]] = {}
    for host, proxy in proxies.items():
        hosts_by_proxy.setdefault(f"{proxy.address} ({proxy.variable})", []).append(host)
    return [
        Finding("proxy", Verdict.GOOD, f"{shown}, to {', '.join(hosts)}")
        for shown, hosts in hosts_by_proxy.items()
    ]


async def _reach(settings: Settings) -> list[Finding]:
    """Send the platform a cheap request, and measure the time."""
    if settings.use_sandbox:
        return []
    from realtime.minimax import MiniMax

    async with MiniMax(
        settings.api_key or "", settings.base_url, settings.speech_urls, settings.group_id
    ) as minimax:

        async def voices() -> list[object]:
            return [voice async for voice in minimax.voices.list("system")]

        return [
            await _timed("chat", minimax.models, "models"),
            await _timed("speech", voices, "voices"),
        ]


async def _timed(part: str, request: Callable[[], Awaitable[object]], what: str) -> Finding:
    started_s = time.perf_counter()
    try:
        async with asyncio.timeout(REACH_TIMEOUT_S):
            await request()
    except ProviderError as error:
        return Finding(part, Verdict.BAD, error.message, _advice(error))
    except TimeoutError:
        return Finding(
            part,
            Verdict.BAD,
            f"no answer in {REACH_TIMEOUT_S:.0f} s",
            "check the network and MINIMAX_BASE_URL",
        )
    return Finding(part, Verdict.GOOD, f"{what} listed in {(time.perf_counter() - started_s) * 1000:.0f} ms")


def _advice(error: ProviderError) -> str:
    if error.code == "invalid_api_key":
        return "a key belongs to one region: check MINIMAX_BASE_URL, then the key"
    if error.code == "insufficient_quota":
        return "top up the account"
    if "_PROXY" in error.message:
        return "the message says what to change; hosts in NO_PROXY are reached directly"
    return "check the network and MINIMAX_BASE_URL"


async def _providers(settings: Settings) -> Finding:
    """Who plays which role. Those of other packages are created, as the server does it at its start, and closed."""
    from realtime.providers.catalog import ROLES, candidates

    try:
        chosen = {role: candidates(role, settings) for role in ROLES}
    except ConfigError as error:
        return Finding("providers", Verdict.BAD, "unknown", str(error))
    others = [source for who in chosen.values() for source in who if source.entry_point is not None]
    tried = await asyncio.gather(*(_tried(source, settings) for source in others), return_exceptions=True)
    broken = [each for each in tried if isinstance(each, Exception)]
    if unknown := [each for each in broken if not isinstance(each, ConfigError | ModuleNotFoundError)]:
        raise unknown[0]
    if broken:
        return Finding("providers", Verdict.BAD, "cannot be used", " ".join(str(each) for each in broken))
    names = [f"{role} {'/'.join(source.name for source in who) or 'none'}" for role, who in chosen.items()]
    late = [f"{each}." for each in tried if each]
    return Finding("providers", Verdict.NOTE if late else Verdict.GOOD, ", ".join(names), " ".join(late))


async def _tried(source: Source, settings: Settings) -> str:
    """Create a provider and close it again; returns what took too long. Raises ConfigError or ModuleNotFoundError if it
    cannot be created."""
    from realtime.providers.roles import close

    whose = f"the {source.role} {source.name!r} of the package {source.package}"
    limit = deadlines.timeout(CREATED_S)
    try:
        async with limit:
            provider = await source.provide(settings)
    except TimeoutError:
        if not limit.expired():
            raise
        return f"not there after {CREATED_S:g} s: {whose}; the server waits for it at its start"
    try:
        async with deadlines.timeout(CLOSED_S):
            await close(provider)
    except TimeoutError:
        return f"its aclose() had not ended after {CLOSED_S:g} s: {whose}; a server that stops does not wait for it"
    return ""


def _tools(settings: Settings) -> list[Finding]:
    """The operator's functions; nothing is called."""
    if not settings.tools:
        return []
    from realtime.tools import load_tools

    try:
        names = [tool.name for tool in load_tools(settings.tools)]
    except ConfigError as error:
        return [Finding("tools", Verdict.BAD, "cannot be used", str(error))]
    return [Finding("tools", Verdict.GOOD, ", ".join(names))]


def _voice_detection() -> Finding:
    from realtime.providers import weights

    try:
        model = weights.silero()
    except ConfigError as error:
        return Finding("voice detection", Verdict.NOTE, "not installed", str(error))
    if model.known:
        return Finding("voice detection", Verdict.GOOD, f"{model.path.name}, checked")
    if weights.has_module("onnxruntime"):
        text = f"another {model.path.name} than the known one, run by onnxruntime"
        return Finding("voice detection", Verdict.NOTE, text, weights.INSTALL_SILERO)
    text = f"another {model.path.name} than the known one, and no onnxruntime to run it"
    return Finding("voice detection", Verdict.BAD, text, weights.INSTALL_SILERO)


def _turn_end() -> Finding:
    from realtime.providers import weights

    if weights.has_smart_turn():
        return Finding("end of turn", Verdict.GOOD, "by text and by audio")
    advice = "realtime setup turn  (8.7 MB, BSD-2) also uses the intonation"
    return Finding("end of turn", Verdict.GOOD, "by text", advice)


def _transcription(settings: Settings) -> Finding:
    from realtime.providers import weights

    if settings.transcriber not in ("auto", "local"):
        return Finding("transcription", Verdict.GOOD, settings.transcriber)
    if importlib.util.find_spec("faster_whisper") is None:
        return Finding("transcription", Verdict.NOTE, "not installed locally", weights.INSTALL_LOCAL)
    problems, languages = [], []
    for name, installed, check in (
        ("English", weights.has_english(), weights.check_english),
        ("other languages", weights.has_multilingual(), weights.check_multilingual),
    ):
        try:
            if installed:
                check()  # it does not only look: the server would find out later
                languages.append(name)
        except ConfigError as error:
            problems.append(str(error))
    if problems or not languages:
        text = f"local, for {languages[0]} only" if languages else "no weights"
        return Finding("transcription", Verdict.BAD, text, " ".join(problems) or weights.INSTALL_LOCAL)
    advice = "" if len(languages) == 2 else weights.INSTALL_MULTILINGUAL
    return Finding("transcription", Verdict.GOOD, f"local, for {' and '.join(languages)}", advice)


def _store(settings: Settings) -> Finding:
    """Whether the file of conversations can be written, or made in a folder that there is. Writes nothing."""
    kind, _, path = settings.store.partition(":")
    if kind != "sqlite":
        return Finding("store", Verdict.GOOD, kind)
    file = Path(path).expanduser()
    place = file if file.exists() else file.parent
    if place.is_dir() == file.exists() or not os.access(place, os.W_OK):
        advice = (
            "name a file in a folder that there is, and that this user may write: REALTIME_STORE=sqlite:PATH"
        )
        return Finding("store", Verdict.BAD, f"{path} cannot be written", advice)
    return Finding("store", Verdict.GOOD, settings.store)


def _sandbox_voice(settings: Settings) -> Finding:
    from realtime.providers import voice_weights

    if importlib.util.find_spec("espeakng_loader") is None:
        verdict = Verdict.BAD if settings.use_sandbox else Verdict.NOTE
        return Finding("sandbox voice", verdict, "not installed", install_extra("sandbox"))
    try:
        if voice_weights.has_voice():
            voice_weights.voice()
            return Finding("sandbox voice", Verdict.GOOD, "natural in English and Chinese, else espeak-ng")
    except ConfigError as error:
        return Finding("sandbox voice", Verdict.BAD, "espeak-ng", str(error))
    advice = f"{voice_weights.INSTALL}  (100 MB, Apache-2.0) makes English and Chinese natural"
    return Finding("sandbox voice", Verdict.GOOD, "espeak-ng, its Chinese is hard to understand", advice)


def _traces(settings: Settings) -> list[Finding]:
    """Whether the collector takes an empty report; nothing where no traces are wanted. A server runs without it."""
    from realtime.tracing import endpoint_of, problem_of

    endpoint = endpoint_of(settings)
    if endpoint is None:
        return []
    if problem := problem_of(settings):
        return [Finding("traces", Verdict.NOTE, "off", problem)]
    from realtime.trace_export import takes_spans

    where = host_of(endpoint) or endpoint
    try:
        if takes_spans(endpoint, REACH_TIMEOUT_S):
            return [Finding("traces", Verdict.GOOD, f"{where} takes them")]
    except ConfigError as error:
        return [Finding("traces", Verdict.BAD, "cannot begin", str(error))]
    advice = "check the collector, OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_HEADERS; the server runs without"
    return [Finding("traces", Verdict.NOTE, f"{where} does not take them: spans are lost", advice)]


async def _sound() -> list[Finding]:
    """The devices; a sound server that hangs is told like one that is not there."""
    from realtime_client import DeviceError
    from realtime_client.calls import opened

    found: list[Finding] = []
    try:
        await opened(lambda: found.extend(_devices()), lambda: None, "sound system", "use the page")
    except DeviceError as error:
        return [_soundless(error)]
    return found


def _soundless(error: Exception) -> Finding:
    return Finding("sound", Verdict.NOTE, "no sound in the terminal; the page works without it", str(error))


def _devices() -> list[Finding]:
    from realtime_client import DeviceError
    from realtime_client.devices import device_names

    findings = []
    for kind, part in (("input", "microphone"), ("output", "speaker")):
        try:
            names = device_names(kind)
        except DeviceError as error:
            return [_soundless(error)]
        if names:
            findings.append(
                Finding(part, Verdict.GOOD, ", ".join(names[:3]) + (", ..." if len(names) > 3 else ""))
            )
        else:
            findings.append(
                Finding(
                    part, Verdict.NOTE, "none found", "connect one, or use the page or `realtime talk --text`"
                )
            )
    return findings
