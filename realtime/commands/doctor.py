"""Check key, network, models and sound devices, and say how to fix what does not work."""

from __future__ import annotations

import argparse
import http.client

from realtime.commands import interruptible
from realtime.commands.checks import Finding, Verdict, run_checks
from realtime.commands.common import add_address, add_config, load
from realtime.commands.health import ask_health, health_address, health_at, is_health, wrong_server
from realtime.errors import as_typed
from realtime.settings.load import Loaded, describe, ignored_sentence


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--health",
        action="store_true",
        help="only ask the server that runs with these settings, or the one at --url, whether it is well",
    )
    parser.add_argument("--settings", action="store_true", help="show all settings and their sources")
    add_address(parser)
    add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if conversations are possible here, 1 if a check failed.

    Raises ConfigError and ConnectionFailed.
    """
    if args.health and args.setting_base_url:
        return _print_health(health_at(args.setting_base_url))
    loaded = load(args)
    if args.health:
        return _print_health(health_address(loaded.settings), own=True)
    if (ignored := ignored_sentence(loaded)) is not None:
        print(ignored)
    if args.settings:
        _print_settings(loaded)
    findings = interruptible.run(run_checks, loaded.settings)
    for finding in findings:
        _print(finding)
    if wrong := wrong_server(loaded.settings, " ".join(finding.text for finding in findings)):
        _print(Finding("platform", Verdict.BAD, wrong))
    return 1 if any(finding.verdict is Verdict.BAD for finding in findings) else 0


def _print_health(address: str, *, own: bool = False) -> int:
    try:
        answer = ask_health(address, own=own)
    except (OSError, http.client.HTTPException, ValueError) as error:
        print(
            f"No healthy server at {address}: {getattr(error, 'reason', None) or error or type(error).__name__}"
        )
        return 1
    if not is_health(answer):
        print(f"No healthy server at {address}: what answers there is no realtime server")
        return 1
    print(answer.strip())
    return 0


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
