"""Connections through a proxy: what the HTTP and the WebSocket library need for one, and their failures as our errors.

`proxies` decides which proxy it is. Both libraries speak with HTTP and HTTPS proxies; for SOCKS both use python-socks,
which comes with aiohttp-socks.
"""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import quote

import aiohttp
from websockets.exceptions import InvalidProxyStatus

from realtime.errors import ProviderUnavailable
from realtime.minimax.idle_connections import CountedConnector
from realtime.minimax.proxies import Proxy

_RETRY_STATUSES = (408, 429, 500, 502, 503, 504)


def open_connector(proxy: Proxy | None, **options: Any) -> CountedConnector:
    """The connector of a session whose connections all go through this proxy, or through none.

    An HTTP proxy is no part of the connector: `request_options` are for each request.
    """
    if proxy is None or not proxy.is_socks:
        return CountedConnector(**options)
    from aiohttp_socks import ProxyConnector, ProxyType

    class CountedProxyConnector(CountedConnector, ProxyConnector):
        """Its connections can be counted too."""

    return CountedProxyConnector(
        proxy.host,
        proxy.port,
        proxy_type=ProxyType.SOCKS5 if proxy.scheme.startswith("socks5") else ProxyType.SOCKS4,
        username=proxy.user,
        password=None if proxy.user is None else proxy.password,
        rdns=proxy.remote_names,
        **options,
    )


def request_options(proxy: Proxy | None) -> dict[str, Any]:
    """The arguments of an aiohttp request that goes through an HTTP proxy."""
    if proxy is None or proxy.is_socks:
        return {}
    if proxy.user is None:
        return {"proxy": proxy.address}
    # The library writes user and password as Latin-1; proxies read UTF-8.
    login = (quote(text.encode().decode("latin-1"), safe="") for text in (proxy.user, proxy.password))
    return {"proxy": proxy.address.replace("://", f"://{':'.join(login)}@", 1)}


def socket_proxy(proxy: Proxy | None) -> str | None:
    """The argument `proxy` of websockets."""
    if proxy is None:
        return None
    url = proxy.address
    if proxy.remote_names:
        url = url.replace("socks5://", "socks5h://", 1)
    if proxy.user is None:
        return url
    login = f"{quote(proxy.user, safe='')}:{quote(proxy.password, safe='')}"
    return url.replace("://", f"://{login}@", 1)


def proxy_failure(service: str, base_url: str, proxy: Proxy, error: Exception) -> ProviderUnavailable | None:
    """Our error for a connection that the proxy did not make; None where the proxy is not to blame.

    `error` is of one of the libraries. It must not be chained to ours: it may hold the proxy's password.
    """
    status = _refused_status(error)
    if status == 407:
        return _failure(service, _login_wrong(proxy), retryable=False)
    if status is not None:
        text = (
            f"{proxy.shown} refuses the connection to {base_url} (HTTP {status}): let it be allowed there, "
            f"change {proxy.variable}, or name the host in NO_PROXY"
        )
        return _failure(service, text, retryable=status in _RETRY_STATUSES)
    if _is_unreachable(error):
        return _unreachable(service, proxy)
    if (reply := _socks_reply(error)) is not None:
        if "auth" in reply.lower():
            return _failure(service, _login_wrong(proxy), retryable=False)
        return _failure(service, f"{proxy.shown} did not connect to {base_url} ({reply})")
    return None


def socket_failure(service: str, url: str, proxy: Proxy, error: Exception) -> ProviderUnavailable | None:
    """As `proxy_failure`, for a WebSocket: nothing but the proxy is connected to, so an OSError is about it."""
    failed = proxy_failure(service, url, proxy, error)
    later = isinstance(error, TimeoutError | ConnectionResetError | ssl.SSLError)
    if failed is None and isinstance(error, OSError) and not later and not proxy.is_socks:
        return _unreachable(service, proxy)
    return failed


def login_needed(service: str, proxy: Proxy) -> ProviderUnavailable:
    """The error for the answer 407 of a proxy that forwards plain HTTP requests."""
    return _failure(service, _login_wrong(proxy), retryable=False)


def _failure(service: str, text: str, *, retryable: bool = True) -> ProviderUnavailable:
    failed = ProviderUnavailable(f"{service}: {text}.", retryable=retryable, sent=False)
    failed.reason = text
    return failed


def _unreachable(service: str, proxy: Proxy) -> ProviderUnavailable:
    return _failure(service, f"{proxy.shown} cannot be reached: start it, or change {proxy.variable}")


def _login_wrong(proxy: Proxy) -> str:
    if proxy.user is None:
        example = proxy.address.replace("://", "://user:password@", 1)
        return f"{proxy.shown} wants a user and a password: set {proxy.variable}={example}"
    return f"{proxy.shown} refuses the user or the password in {proxy.variable}: correct them"


def _refused_status(error: Exception) -> int | None:
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return error.status
    return error.response.status_code if isinstance(error, InvalidProxyStatus) else None


def _is_unreachable(error: Exception) -> bool:
    return _is_of_socks(error, "ProxyConnectionError") or isinstance(
        error, aiohttp.ClientProxyConnectionError | aiohttp.ClientConnectorDNSError
    )


def _socks_reply(error: BaseException | None) -> str | None:
    """What a SOCKS proxy answered; websockets wraps it once."""
    while error is not None:
        if _is_of_socks(error, "ProxyError"):
            return str(error)[:120]
        error = error.__cause__
    return None


def _is_of_socks(error: BaseException, name: str) -> bool:
    """Whether an error is this one of aiohttp-socks or python-socks, which need not be installed."""
    kind = type(error)
    return kind.__name__ == name and kind.__module__.split(".")[0] in ("aiohttp_socks", "python_socks")


def is_socks_timeout(error: BaseException) -> bool:
    """Whether a SOCKS proxy did not answer in time."""
    return _is_of_socks(error, "ProxyTimeoutError")
