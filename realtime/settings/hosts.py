"""What a host or an address says about itself: this machine, or the mainland platform. Asks no name server."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

_MAINLAND_DOMAINS = ("minimaxi.com", "minimax.cn")


def is_loopback(host: str) -> bool:
    """Whether this host name or address can only be this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def is_mainland(base_url: str) -> bool:
    """Whether this address is the mainland platform. Its keys do not work on the international one."""
    host = urlsplit(base_url).hostname or ""
    return any(host == domain or host.endswith("." + domain) for domain in _MAINLAND_DOMAINS)
