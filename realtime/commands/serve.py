"""Run the voice server: the OpenAI Realtime protocol at /v1/realtime, and a web page to talk with it."""

from __future__ import annotations

import argparse
import dataclasses
import logging

from realtime import logs
from realtime.commands.common import add_config, add_setting, add_setting_switch, load
from realtime.commands.foreign_packages import refuse_foreign_packages
from realtime.commands.free_port import free_port, port_command
from realtime.commands.outcome import EXIT_USAGE
from realtime.errors import ConfigError, as_typed
from realtime.settings.load import check_binding, ignored_sentence, secrets_of

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_setting(parser, "--host", "host", "ADDRESS", "address to listen on (default: 127.0.0.1)")
    add_setting(parser, "--port", "port", "N", "port to listen on, 0 picks a free one (default: 8000)")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default: 1)")
    add_setting_switch(parser, "--open", "open_to_all", "accept clients from the network without keys")
    add_setting(
        parser, "--tls-cert", "tls_cert", "FILE", "certificate, PEM; microphones need https or localhost"
    )
    add_setting(parser, "--tls-key", "tls_key", "FILE", "its private key, PEM")
    add_setting(parser, "--log-level", "log_level", "LEVEL", "debug, info, warning, error (default: info)")
    add_setting(parser, "--log-format", "log_format", "FORMAT", "text or json (default: text)")
    add_config(parser)


def prepare(args: argparse.Namespace) -> None:
    """Import what the server needs: the slow part of the start."""
    from realtime.server import run  # noqa: F401


def run(args: argparse.Namespace) -> int:
    """Serve until a signal. Raises ConfigError."""
    try:
        return _run(args)
    except ConfigError as error:
        if not _wants_json(args):
            raise
        logs.configure("info", "json")
        log.critical(as_typed(str(error)))
        return EXIT_USAGE


def _run(args: argparse.Namespace) -> int:
    if not 1 <= args.workers <= 256:
        raise ConfigError(f"--workers must be a whole number from 1 to 256, not {args.workers}.")
    refuse_foreign_packages()
    loaded = load(args)
    settings = loaded.settings
    if settings.admission == "auto":  # this process is ours alone
        settings = dataclasses.replace(settings, admission="load")
    check_binding(settings)
    from realtime.server.address import CannotListen
    from realtime.server.run import serve

    logs.configure(settings.log_level, settings.log_format, secrets_of(settings))
    if (ignored := ignored_sentence(loaded)) is not None:
        log.warning(ignored)
    try:
        return serve(settings, workers=args.workers)
    except CannotListen as error:
        if not error.port_taken:
            raise
        works = port_command(args.environ, free_port(settings.host, settings.port + 1))
        raise ConfigError(
            f"Cannot listen on {settings.host}:{settings.port} (Address already in use), perhaps because a server runs "
            f"already. This works: {works}"
        ) from error


def _wants_json(args: argparse.Namespace) -> bool:
    """Whether the log is to be JSON, as far as it can be told while the settings cannot be read."""
    flag = getattr(args, "setting_log_format", None)
    return str(flag or args.environ.get("REALTIME_LOG_FORMAT", "")).strip().lower() == "json"
