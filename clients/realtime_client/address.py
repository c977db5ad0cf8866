"""The address of a server as people give it, and as the socket needs it; what TLS and keys need. Opens nothing."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from .errors import ConnectionFailed

ENDPOINT = "/v1/realtime"
_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


def socket_url(url: str, extensions: Iterable[str] = (), model: str | None = None) -> str:
    """The URL of the WebSocket for `url`: a host, or http, https, ws or wss, with or without a path.

    A path that does not end in `/realtime` is a prefix: `https://host/voice` is `wss://host/voice/v1/realtime`. A
    query is kept; `extensions` and `model` are added unless it has them. Raises ConnectionFailed.
    """
    given = url.strip()
    try:
        parts = urlsplit(given if "://" in given else f"ws://{given}")
        _ = parts.port  # raises for a port that is no number
    except ValueError:
        raise _no_address(url) from None
    if parts.scheme.lower() not in _SCHEMES or not parts.hostname or any(map(str.isspace, given)):
        raise _no_address(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    for name, value in (("extensions", ",".join(extensions)), ("model", model)):
        if value and not any(known == name for known, _ in query):
            query.append((name, value))
    scheme = _SCHEMES[parts.scheme.lower()]
    return urlunsplit((scheme, parts.netloc, _path(parts.path), urlencode(query, safe=","), ""))


def shown(url: str) -> str:
    """The address for a message: without user, password and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def is_loopback(host: str) -> bool:
    """Whether this host can only be this machine."""
    if host.rstrip(".").lower() == "localhost" or host.rstrip(".").lower().endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def tls_context(ca_file: str | Path | None = None, *, insecure: bool = False) -> ssl.SSLContext:
    """TLS for a server with a certificate of its own: trust `ca_file` (PEM) as well, or with `insecure` anything.

    `insecure` lets whoever stands between the two read and change all that is said. Raises ConnectionFailed.
    """
    context = ssl.create_default_context()
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            reason = (
                error.strerror
                if type(error) is not ssl.SSLError and error.strerror
                else "no certificate in it"
            )
            raise ConnectionFailed(
                f"{ca_file} cannot be used as a file of certificates (PEM): {reason}."
            ) from None
    return context


def check_key(api_key: str) -> None:
    """Raises ConnectionFailed for a key that no HTTP header can carry; the message does not show it."""
    if not all("!" <= mark <= "~" for mark in api_key):
        what = (
            "a line break"
            if "\n" in api_key or "\r" in api_key
            else "a blank or a character that is not ASCII"
        )
        raise ConnectionFailed(f"The key of the server has {what} in it: copy it again.", "invalid_api_key")


def _path(path: str) -> str:
    bare = path.rstrip("/")
    if bare.endswith("/realtime"):
        return bare
    return bare.removesuffix("/v1") + ENDPOINT


def _no_address(url: str) -> ConnectionFailed:
    return ConnectionFailed(f"{url.strip()} is not an address like ws://127.0.0.1:8000/v1/realtime.")
