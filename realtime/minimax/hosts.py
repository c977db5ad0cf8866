"""The speech hosts of each base URL (docs/minimax/README.md 1). Never mixes the regions."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

_LOW_LATENCY = {
    "api.minimaxi.com": "https://api-bj.minimaxi.com",
    "api.minimax.cn": "https://api-bj.minimaxi.com",
    "api.minimax.io": "https://api-uw.minimax.io",
}


def speech_urls_for(base_url: str) -> tuple[str, ...]:
    """The hosts for synchronous speech, best first: the region's low-latency host, then the base itself."""
    base_url = base_url.rstrip("/")
    fast = _LOW_LATENCY.get((urlsplit(base_url).hostname or "").lower())
    return (fast, base_url) if fast else (base_url,)


def socket_url(base_url: str, path: str) -> str:
    """The WebSocket address on the same host: `/ws` goes before `/v1`."""
    base_url = base_url.rstrip("/")
    scheme, _, rest = base_url.partition("://")
    return f"{'ws' if scheme == 'http' else 'wss'}://{rest}/ws{path}"


def is_loopback(url: str) -> bool:
    """Whether the address is this machine, which is reached without a proxy."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
