"""Which proxy a connection takes, by the environment (and the settings of macOS and Windows), as other programs do.

`NO_PROXY` and this machine itself are never reached through a proxy. Of several the most specific counts: that of
WebSockets, SOCKS, HTTPS, HTTP (only for `ws://`), then `ALL_PROXY`. Opens nothing.
"""

from __future__ import annotations

import importlib.util
import urllib.request
from urllib.parse import urlsplit

from realtime.errors import install

from .address import is_loopback
from .errors import ConnectionFailed

SOCKS_LINE = install("python-socks")
_SECURE = ("wss", "socks", "https", "all")
_PLAIN = ("ws", "socks", "https", "http", "all")


def proxy_for(url: str) -> str | None:
    """The proxy for this URL of a socket, or None. Raises ConnectionFailed for one that cannot be used."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host) or urllib.request.proxy_bypass(f"{host}:{parts.port}" if parts.port else host):
        return None
    known = urllib.request.getproxies()
    name = next((name for name in (_SECURE if parts.scheme == "wss" else _PLAIN) if known.get(name)), None)
    return None if name is None else _usable(known[name].strip(), name)


def shown_proxy(proxy: str) -> str:
    """A proxy for a message: without user and password."""
    parts = urlsplit(proxy)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _usable(proxy: str, name: str) -> str:
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    scheme, _, rest = proxy.partition("://")
    scheme = scheme.lower()
    if scheme == "socks" or (name == "socks" and scheme == "http"):  # as desktops write it
        scheme = "socks5h"
    proxy = f"{scheme}://{rest}"
    variable = f"{name.upper()}_PROXY"
    if scheme not in ("http", "https", "socks4", "socks4a", "socks5", "socks5h") or not _has_host(proxy):
        raise ConnectionFailed(
            f"{variable} is not a proxy like http://host:3128 or socks5://host:1080: correct it."
        )
    if scheme.startswith("socks") and importlib.util.find_spec("python_socks") is None:
        raise ConnectionFailed(
            f"{variable} names the proxy {shown_proxy(proxy)}, and SOCKS needs another package: {SOCKS_LINE}. "
            "Or name the server in NO_PROXY."
        )
    return proxy


def _has_host(proxy: str) -> bool:
    try:
        parts = urlsplit(proxy)
        _ = parts.port
    except ValueError:
        return False
    return bool(parts.hostname) and parts.path in ("", "/") and not parts.query and not parts.fragment
