"""Whether a realtime server is there, and well: the one of these settings, or the one at an address.

A command of the platform whose address is such a server says so: `--url` means the server in `talk` and `ask`.
"""

from __future__ import annotations

import json
import ssl
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.client import HTTPException
from urllib.parse import urlsplit, urlunsplit

from realtime.errors import ConfigError, ProviderError
from realtime.settings import Settings

HEALTH_TIMEOUT_S = 3.0


def health_address(settings: Settings) -> str:
    """Where a server with these settings tells of its health, as seen from this machine."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    host = everywhere.get(settings.host, settings.host)
    scheme = "https" if settings.tls_cert else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.port}/healthz"


def health_at(url: str) -> str:
    """Where the server at this URL, in any form that `talk` takes, tells of its health. Raises ConnectionFailed."""
    from realtime_client.address import socket_url

    parts = urlsplit(socket_url(url))
    path = parts.path.removesuffix("/realtime").removesuffix("/v1") + "/healthz"
    host = parts.netloc.rpartition("@")[2]  # health needs no password, and the address is printed
    return urlunsplit(("https" if parts.scheme == "wss" else "http", host, path, "", ""))


def ask_health(address: str, *, own: bool = False) -> str:
    """The answer. Raises OSError, HTTPException or ValueError unless it is 200.

    `own`: it is a server of this machine, at whatever address. There, as at a loopback address, the certificate's name
    and issuer do not matter. No proxy is asked.
    """
    from realtime_client.address import is_loopback

    context = ssl.create_default_context()
    if own or is_loopback(urlsplit(address).hostname or ""):
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    with urllib.request.build_opener(*handlers).open(address, timeout=HEALTH_TIMEOUT_S) as answer:
        return str(answer.read(65_536).decode(errors="replace"))


def is_health(answer: str) -> bool:
    """Whether this is how a server of this package tells of its health."""
    try:
        said = json.loads(answer)
    except ValueError:
        return False
    return isinstance(said, dict) and {"status", "sessions"} <= said.keys()


def is_server(url: str) -> bool:
    """Whether a server of this package answers here; asks it."""
    from realtime_client import ConnectionFailed

    try:
        return is_health(ask_health(health_at(url)))
    except (OSError, HTTPException, ValueError, ConnectionFailed):
        return False


def wrong_server(settings: Settings, problem: str) -> str | None:
    """What to say of this failure if the platform's address is that of a realtime server; asks it."""
    if settings.use_sandbox or "(HTTP 404)" not in problem or not is_server(settings.base_url):
        return None
    return (
        f"{settings.base_url} is a realtime server, and not the platform, whose address this command takes (--url, "
        f'MINIMAX_BASE_URL). To ask that server: realtime ask --url {settings.base_url} "..."'
    )


@asynccontextmanager
async def the_platform(settings: Settings) -> AsyncIterator[None]:
    """Raises ConfigError if what fails in the block was asked of a realtime server, as if it were the platform."""
    from realtime.minimax.file_source import in_waiting_thread

    try:
        yield
    except ProviderError as error:
        if wrong := await in_waiting_thread(wrong_server, settings, str(error)):
            raise ConfigError(wrong) from error
        raise
