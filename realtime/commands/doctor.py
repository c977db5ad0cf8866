"""Check key, network, models and sound devices, and say how to fix what does not work."""

from __future__ import annotations

import argparse
import http.client
import ssl
import urllib.request

from realtime.commands import interruptible
from realtime.commands.checks import Finding, Verdict, run_checks
from realtime.commands.common import add_address, add_config, load
from realtime.errors import as_typed
from realtime.settings import Settings
from realtime.settings.load import Loaded, describe, ignored_sentence

HEALTH_TIMEOUT_S = 3.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--health",
        action="store_true",
        help="only ask the server that runs with these settings whether it is well",
    )
    parser.add_argument("--settings", action="store_true", help="show all settings and their sources")
    add_address(parser)
    add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if conversations are possible here, 1 if a check failed. Raises ConfigError."""
    loaded = load(args)
    if args.health:
        return _print_health(loaded.settings)
    if (ignored := ignored_sentence(loaded)) is not None:
        print(ignored)
    if args.settings:
        _print_settings(loaded)
    findings = interruptible.run(run_checks, loaded.settings)
    for finding in findings:
        _print(finding)
    return 1 if any(finding.verdict is Verdict.BAD for finding in findings) else 0


def _print_health(settings: Settings) -> int:
    address = health_address(settings)
    try:
        answer = ask_health(address)
    except (OSError, http.client.HTTPException) as error:
        print(
            f"No healthy server at {address}: {getattr(error, 'reason', None) or error or type(error).__name__}"
        )
        return 1
    print(answer.strip())
    return 0


def health_address(settings: Settings) -> str:
    """Where a server with these settings tells of its health, as seen from this machine."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    host = everywhere.get(settings.host, settings.host)
    scheme = "https" if settings.tls_cert else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.port}/healthz"


def ask_health(address: str) -> str:
    """The answer. Raises OSError or HTTPException unless it is 200. It is this machine, so the certificate's name and
    issuer do not matter, and no proxy is asked."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusting)
    with urllib.request.build_opener(*handlers).open(address, timeout=HEALTH_TIMEOUT_S) as answer:
        return str(answer.read().decode())


def _print(finding: Finding) -> None:
    print(f"{finding.verdict.value}  {finding.part:<16} {as_typed(finding.text)}")
    if finding.advice:
        print(f"    {'':<16} → {as_typed(finding.advice)}")


def _print_settings(loaded: Loaded) -> None:
    rows = list(describe(loaded))
    name_width = max(len(name) for name, _, _ in rows)
    for name, value, origin in rows:
        shown = value if len(value) <= 60 else value[:59] + "…"
        print(f"{name:<{name_width}}  {shown:<60}  {origin}")
    print()
