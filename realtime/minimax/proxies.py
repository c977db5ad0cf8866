"""Which proxy leads to an address: the one rule for HTTP and WebSocket connections (docs/operations.md, "Proxies").

Reads `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` (lower case first), or the proxies of macOS and Windows
where none of them is set. Knows no sockets: `proxied` connects. No text of this module holds a proxy's password.
"""

from __future__ import annotations

import importlib.util
import re
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, unquote, urlsplit

from realtime.errors import ProviderUnavailable, install

_DEFAULT_PORTS = {
    "http": 80,
    "https": 443,
    "socks4": 1080,
    "socks4a": 1080,
    "socks5": 1080,
    "socks5h": 1080,
}
_SAME = {"socks": "socks5"}  # desktops write socks:// for any version
_TARGET_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_VARIABLES = {"http": "HTTP_PROXY", "https": "HTTPS_PROXY", "all": "ALL_PROXY", "socks": "SOCKS_PROXY"}
_PRIVATE_NETWORKS = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.168.0.0/16", "::/128", "::1/128", "fc00::/7", "fe80::/10",
    )
)  # fmt: skip
_PRIVATE_DOMAINS = ("localhost", "local", "internal", "home.arpa")
_SOCKS_PACKAGE = "aiohttp_socks"


@dataclass(frozen=True, slots=True)
class Proxy:
    """One proxy. `variable` is where it is set; `repr` and `address` leave user and password out."""

    scheme: str  # http, https, socks4, socks4a, socks5 or socks5h
    host: str
    port: int
    variable: str
    user: str | None = field(default=None, repr=False)
    password: str = field(default="", repr=False)

    @property
    def is_socks(self) -> bool:
        return self.scheme.startswith("socks")

    @property
    def remote_names(self) -> bool:
        """Whether the proxy looks up names. All but `socks4` do: a machine behind a proxy may not be able to."""
        return self.scheme != "socks4"

    @property
    def address(self) -> str:
        """The proxy as it may be shown."""
        return f"{self.scheme}://{_bracketed(self.host)}:{self.port}"

    @property
    def shown(self) -> str:
        return f"the proxy {self.address} ({self.variable})"


def proxy_for(url: str, proxies: Mapping[str, str] | None = None) -> Proxy | None:
    """The proxy for a web address; None: connect directly.

    `proxies` are addresses by the scheme they are for ("http", "https", "all", and "no" for exceptions), as
    `urllib.request.getproxies` returns them, which is the default. This machine and private addresses are always
    reached directly. Raises ProviderUnavailable (`sent` and `retryable` are False) for a setting that cannot be used.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if not host or is_private(host):
        return None
    found = urllib.request.getproxies() if proxies is None else proxies
    key = next((key for key in _keys(parts.scheme) if found.get(key, "").strip()), None)
    if key is None or _excepted(host, _target_port(parts), found):
        return None
    proxy = parse_proxy(found[key].strip(), _VARIABLES[key])
    if proxy.is_socks and importlib.util.find_spec(_SOCKS_PACKAGE) is None:
        raise _unusable(
            f"{proxy.shown[0].upper()}{proxy.shown[1:]} needs another package: {install('aiohttp-socks')}."
        )
    return proxy


def parse_proxy(text: str, variable: str) -> Proxy:
    """A proxy from the value of a variable: `[scheme://][user:password@]host[:port]`. Raises ProviderUnavailable."""
    if "://" not in text:
        text = f"http://{text}"
    try:
        parts = urlsplit(text)
        scheme = _SAME.get(parts.scheme, parts.scheme)
        host = parts.hostname or ""
        usable = bool(host) and parts.port != 0 and parts.path in ("", "/") and _is_host(host)
        usable = usable and not (parts.query or parts.fragment)
        port = parts.port or _DEFAULT_PORTS.get(scheme, 0)
    except ValueError:  # `port` reads the number
        usable, scheme, port = False, "", 0
    if not usable:
        raise _unusable(
            f"{variable} is not the address of a proxy: write it like http://proxy.example:3128 or "
            "socks5://user:password@proxy.example:1080, with %2F for a / in the password, and %23 for a #."
        )
    if scheme not in _DEFAULT_PORTS:
        raise _unusable(
            f"{variable} names a proxy of the kind {scheme[:20]}://, which is not known: "
            f"use one of {', '.join(_DEFAULT_PORTS)}."
        )
    user = None if parts.username is None else unquote(parts.username)
    password = unquote(parts.password or "")
    if scheme.startswith("socks") and not all(_fits_socks(text) for text in (user or "", password)):
        raise _unusable(
            f"{variable}: the user and the password of a SOCKS proxy are up to 255 letters, digits and signs."
        )
    return Proxy(scheme, host, port, variable, user, password)


def is_private(host: str) -> bool:
    """Whether a host is this machine or can only be in its own network: such addresses are reached without a proxy."""
    address = _ip(host)
    if address is not None:
        return any(address in network for network in _PRIVATE_NETWORKS if network.version == address.version)
    name = host.lower().rstrip(".")
    return "." not in name or name.endswith(tuple(f".{domain}" for domain in _PRIVATE_DOMAINS))


def _keys(scheme: str) -> tuple[str, ...]:
    own = "https" if scheme in ("https", "wss") else "http"
    return (own, "all", "socks")


def _excepted(host: str, port: int, found: Mapping[str, str]) -> bool:
    if "no" in found:
        return any(_matches(entry, host, port) for entry in re.split(r"[,\s]+", found["no"]) if entry)
    if urllib.request.getproxies_environment():
        return False
    return bool(urllib.request.proxy_bypass(host))  # the exceptions of macOS and Windows


def _matches(entry: str, host: str, port: int) -> bool:
    """Whether one entry of NO_PROXY names this host: `*`, a name with its subdomains, an address, a CIDR block."""
    if entry == "*":
        return True
    name, _, wanted_port = entry.lower().rpartition(":")
    if not (wanted_port.isdecimal() and name and (":" not in name or name.endswith("]"))):
        name, wanted_port = entry.lower(), ""
    if wanted_port and int(wanted_port) != port:
        return False
    name = name.strip("[]").removeprefix("*").strip(".")
    address = _ip(host)
    if address is None:
        return bool(name) and (host.lower() == name or host.lower().endswith(f".{name}"))
    try:
        return address in ip_network(name, strict=False)
    except (ValueError, TypeError):
        return False


def _target_port(parts: SplitResult) -> int:
    try:
        return parts.port or _TARGET_PORTS.get(parts.scheme, 0)
    except ValueError:
        return 0


def _ip(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _is_host(host: str) -> bool:
    return _ip(host) is not None or re.fullmatch(r"[^\s\\%\[\]<>\"'`|^{}:,;@]+", host) is not None


def _fits_socks(text: str) -> bool:
    return text.isascii() and len(text) <= 255


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _unusable(message: str) -> ProviderUnavailable:
    return ProviderUnavailable(message, retryable=False, sent=False)
