"""Check key, network, models and sound devices, and say how to fix what does not work."""

from __future__ import annotations

import argparse
import asyncio

from realtime.commands.checks import Finding, Verdict, run_checks
from realtime.commands.common import add_address, add_config, load
from realtime.settings.load import Loaded, describe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--settings", action="store_true", help="show all settings and their sources")
    add_address(parser)
    add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if conversations are possible here, 1 if a check failed. Raises ConfigError."""
    loaded = load(args)
    if args.settings:
        _print_settings(loaded)
    findings = asyncio.run(run_checks(loaded.settings))
    for finding in findings:
        _print(finding)
    return 1 if any(finding.verdict is Verdict.BAD for finding in findings) else 0


def _print(finding: Finding) -> None:
    print(f"{finding.verdict.value}  {finding.part:<16} {finding.text}")
    if finding.advice:
        print(f"    {'':<16} → {finding.advice}")


def _print_settings(loaded: Loaded) -> None:
    rows = list(describe(loaded))
    name_width = max(len(name) for name, _, _ in rows)
    for name, value, origin in rows:
        shown = value if len(value) <= 60 else value[:59] + "…"
        print(f"{name:<{name_width}}  {shown:<60}  {origin}")
    print()
