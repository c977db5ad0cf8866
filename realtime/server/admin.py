"""Who may see what is for the operator: the metrics, and the details of `/readyz`.

Knows addresses and keys of one request, and no numbers (docs/operations.md, "Health", "Metrics").
"""

from __future__ import annotations

import time

from aiohttp import web

from realtime.server.access import AccessDenied, credential_of, is_local, name_of
from realtime.server.forwarded import host_of, is_trusted
from realtime.server.state import ACCESS, SETTINGS
from realtime.settings.hosts import is_loopback

# A request with one of these was sent on by a proxy: its address says nothing about who asks.
_OF_A_PROXY = ("Forwarded", "Via", "X-Real-IP", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto")


def is_operator(request: web.Request) -> bool:
    """Whether this request may see what is for the operator. A server without keys shows it to all whom it serves."""
    if not request.app[ACCESS].required:
        return True
    return _from_here(request) or _from_admin_address(request) or _has_key(request)


def may_operate(request: web.Request) -> bool:
    """Whether this request at the admin port comes from an operator: without keys only by its address."""
    by_address = _from_here(request) or _from_admin_address(request)
    return by_address or (request.app[ACCESS].required and _has_key(request))


def _from_here(request: web.Request) -> bool:
    """Whether a program on this machine asks. The Host must say so too: a page can reach this machine under its own."""
    peer = request.get_extra_info("peername") or request.get_extra_info("sockname")
    return _direct(request) and is_local(peer) and is_loopback(name_of(host_of(request)) or "")


def _from_admin_address(request: web.Request) -> bool:
    addresses = request.app[SETTINGS].admin_addresses
    return bool(addresses) and _direct(request) and is_trusted(request.get_extra_info("peername"), addresses)


def _direct(request: web.Request) -> bool:
    return not any(name in request.headers for name in _OF_A_PROXY)


def _has_key(request: web.Request) -> bool:
    credential, _ = credential_of(request.headers.get("Authorization"), [])
    try:
        return not request.app[ACCESS].check(credential, time.time()).ephemeral
    except AccessDenied:
        return False
