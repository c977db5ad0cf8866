"""The host that the browser used, where a proxy in front of the server puts its own name into `Host`.

Only a proxy that the operator has named (`REALTIME_TRUSTED_PROXIES`) is believed: everybody can send these headers.
Knows no keys and no rules about origins (docs/operations.md, "TLS and a reverse proxy").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address, ip_network

from aiohttp import web

HEADERS = ("X-Forwarded-Host", "Forwarded")
EVERYBODY = "*"
MOST_PAIRS = 20  # of one `Forwarded` element; RFC 7239 knows four
_BROWSER_HOST = web.RequestKey("browser_host", str)
_ELEMENT = re.compile(r'(?:[^",]+|"[^"]*"?)*')  # up to a comma that is not within quotation marks
_PAIR = re.compile(r'\s*([\w-]+)\s*=\s*(?:"([^"]*)"|([^\s;,"]+))\s*(?:;|$)')
_ORIGIN = re.compile(r"[\w.:/\[\]-]+", re.ASCII)
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def browser_host(request: web.Request, trusted: tuple[str, ...]) -> str:
    """Name and port as the browser wrote them: those of the trusted proxy's headers, else those of `Host`.

    Several parts of an answer ask, so it is found once for each request.
    """
    known = request.get(_BROWSER_HOST)
    if known is None:
        known = request[_BROWSER_HOST] = _browser_host(request, trusted)
    return known


def _browser_host(request: web.Request, trusted: tuple[str, ...]) -> str:
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    if not is_trusted(peer, trusted):
        return host_of(request)
    return forwarded_host(request.headers) or host_of(request)


def host_of(request: web.BaseRequest) -> str:
    """The `Host` header; "" without one. aiohttp would ask the name service for a name of this machine, and wait."""
    return request.headers.get("Host", "")


def is_trusted(peer: object, trusted: tuple[str, ...]) -> bool:
    """Whether the other end of a connection is one of these proxies: addresses, networks, or `*` for every one.

    `peer` is the socket's address. A Unix socket has none: it is of this machine, and is trusted where loopback is.
    """
    if EVERYBODY in trusted:
        return True
    try:
        address = ip_address(
            str(peer[0]).partition("%")[0] if isinstance(peer, tuple) and peer else "127.0.0.1"
        )
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return any((mapped or address) in ip_network(network, strict=False) for network in trusted)


def forwarded_host(headers: Mapping[str, str]) -> str | None:
    """The host of the first proxy of the chain, as the browser wrote it: without the port that its scheme implies."""
    first = _first_element(headers.get("Forwarded", ""))
    host = headers.get("X-Forwarded-Host", "").partition(",")[0].strip() or first.get("host", "")
    if not host:
        return None
    scheme = headers.get("X-Forwarded-Proto", "").partition(",")[0].strip() or first.get("proto", "")
    port = headers.get("X-Forwarded-Port", "").partition(",")[0].strip()
    if port.isdecimal() and not re.search(r":\d+$", host):
        host = f"{host}:{port}"
    return host.removesuffix(f":{_DEFAULT_PORTS.get(scheme.lower(), '')}").lower() or None


def _first_element(forwarded: str) -> dict[str, str]:
    """The first pairs of the first element of a `Forwarded` header (RFC 7239).

    Anybody can send 8 kB of them to a proxy that passes them on: each character is read once.
    """
    pairs: dict[str, str] = {}
    found = _ELEMENT.match(forwarded)
    element, at = found[0] if found else "", 0
    for _ in range(MOST_PAIRS):
        match = _PAIR.match(element, at)
        if match is None:
            break
        pairs[match[1].lower()] = match[3] if match[2] is None else match[2]
        at = match.end()
    return pairs


def origin_refusal(request: web.Request) -> str:
    """Why a page was refused, and what to set."""
    origin = request.headers.get("Origin", "")[:100]
    named = f" {origin}" if _ORIGIN.fullmatch(origin) else ""  # nothing else of a request is quoted
    text = f"The origin{named} is not in REALTIME_ORIGINS of this server."
    if any(name in request.headers for name in HEADERS):
        text += (
            " Behind a proxy that sets its own Host: name the proxy's address in REALTIME_TRUSTED_PROXIES."
        )
    return text
