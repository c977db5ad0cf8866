"""`realtime sandbox`: runs the MiniMax emulator alone, until a signal stops it."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from .. import ending
from ..errors import ConfigError, as_typed
from ..line_writer import printed
from .faults import FAULTS
from .options import PROFILES, VALUES, SandboxOptions
from .server import Sandbox

log = logging.getLogger(__name__)

ROBOT = (
    "Its Chinese voice is a robot that is hard to understand: `realtime setup voice` installs a natural one."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the options of `realtime sandbox`, and a help page with every setting and fault."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _tables()
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8100, help="0 picks a free one (default: %(default)s)")
    parser.add_argument(
        "--profile", choices=PROFILES, default="local", help="the latency to emulate (default: local)"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        dest="sets",
        help="change one value below",
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[=VALUE][@PROBABILITY]",
        dest="faults",
        help="add a fault from the list below; the header X-Sandbox-Fault adds it for one request",
    )
    parser.add_argument("--seed", type=int, default=0, help="for probabilities and jitter (default: 0)")


def run(args: argparse.Namespace, natural_voice: Path | None = None) -> int:
    """Serve until SIGTERM, SIGINT or SIGHUP. Returns 0, or 2 when the options or the address are wrong.

    `natural_voice`: the folder of the natural voice; it speaks where no latency of speech is emulated.
    """
    try:
        options = SandboxOptions.parse(args.profile, args.sets, args.faults, args.seed)
    except ConfigError as error:
        print(f"realtime sandbox: {error}", file=sys.stderr)
        return 2
    try:
        asyncio.run(_serve(options, args.host, args.port, natural_voice))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error  # OverflowError: no such port
        print(f"realtime sandbox: cannot listen on {args.host}:{args.port}: {reason}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # only where the loop cannot handle signals (Windows)
        pass
    return 0


async def _serve(options: SandboxOptions, host: str, port: int, natural_voice: Path | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    if sys.platform != "win32":
        for number in ending.taken_signals():
            loop.add_signal_handler(number, stop.set)
    async with Sandbox(options, host, port, records=False, natural_voice=natural_voice) as sandbox:
        robot = [as_typed(ROBOT)] if not options.is_timed and natural_voice is None else []
        if not printed("\n".join([f"MiniMax sandbox ready: {sandbox.url}", *robot])):
            log.warning(
                "the ready line could not be written: standard output is closed, full or stands still"
            )
        await stop.wait()


def _tables() -> str:
    lines = ["settings (--set NAME=NUMBER), with their value in each profile:"]
    for name, kind in VALUES.items():
        figures = [f"{value:g}" for value in (kind.local, kind.mainland, kind.far)]
        shown = figures[0] if len(set(figures)) == 1 else " / ".join(figures)
        lines.append(f"  {name:<24} {shown:<20} {kind.help}")
    lines += ["", "faults (--fault NAME[=VALUE][@PROBABILITY]):"]
    for name, fault in FAULTS.items():
        label = f"{name}={fault.value}" if fault.value else name
        lines.append(f"  {label:<28} {fault.help}")
    return "\n".join(lines).replace("%", "%%")
