"""Failures of the network as errors of ours: which host, what is wrong with it, and whether it has seen the request."""

from __future__ import annotations

import ssl
from collections.abc import Generator
from contextlib import contextmanager

import aiohttp

from realtime.errors import ProviderTimeout, ProviderUnavailable
from realtime.minimax.proxied import is_socks_timeout, proxy_failure
from realtime.minimax.proxies import Proxy

# Raised before anything of the request was written: no connection, no name, no TLS, or the proxy refused.
_NEVER_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)


@contextmanager
def network_errors(
    service: str, base_url: str, *, secret: bool = False, proxy: Proxy | None = None
) -> Generator[None, None, None]:
    """Turn network failures into ProviderErrors that name the host, and the proxy if there is one.

    `sent` of the error is False where no connection was made (no name, refused, no TLS, connect timeout): the service
    has seen nothing, so even a billed request may be sent again. It is True for all the others: the request may have
    arrived, and only its answer is lost. With `secret`, the library's own error is not kept: it may hold the address.
    Neither is it with a proxy: it may hold the proxy's password.
    """
    try:
        yield
    except Exception as error:
        raised = _network_error(service, base_url, proxy, error)
        if raised is None:
            raise
        raise raised from (None if secret or proxy is not None else error)


def _network_error(
    service: str, base_url: str, proxy: Proxy | None, error: Exception
) -> ProviderTimeout | ProviderUnavailable | None:
    """Our error for one of the network; None for all others, our own timeouts too."""
    through = f" through {proxy.shown}" if proxy is not None else ""
    if proxy is not None and (failed := proxy_failure(service, base_url, proxy, error)):
        return failed
    if isinstance(error, aiohttp.ServerTimeoutError) or is_socks_timeout(error):
        sent = isinstance(error, aiohttp.ServerTimeoutError) and not isinstance(error, _NEVER_SENT)
        return ProviderTimeout(f"{service}: no connection to {base_url}{through} in time.", sent=sent)
    if isinstance(error, TimeoutError) or not isinstance(error, aiohttp.ClientError | OSError):
        return None  # one of our own timeouts around the block, or no failure of the network
    name, sent = type(error).__name__, not isinstance(error, _NEVER_SENT)
    why, lasting = _why(error)
    failed = ProviderUnavailable(
        f"{service}: the connection to {base_url}{through} failed ({name}){f': {why}' if why else ''}.",
        sent=sent,
        retryable=not lasting,
    )
    failed.reason = why or f"the connection failed ({name})"
    return failed


def _why(error: Exception) -> tuple[str, bool]:
    """What is wrong with the connection, in words that say what to do, and whether it stays so."""
    match error:
        case aiohttp.ClientConnectorCertificateError(
            certificate_error=ssl.SSLCertVerificationError() as found
        ):
            text = f"its certificate is not trusted, {found.verify_message}"
            return f"{text}; a CA of your own belongs into the file that SSL_CERT_FILE names", True
        case aiohttp.ClientConnectorSSLError():
            return "it does not speak TLS as we do; check http or https in the address", False
        case aiohttp.ClientConnectorDNSError():
            return "its name is not known; check the address", False
        case aiohttp.ClientConnectorError(os_error=ConnectionRefusedError()):
            return "nothing listens there; start it, or check the address", False
        case aiohttp.ClientResponseError():
            return "what answers there does not speak HTTP; check the address", False
        case aiohttp.ServerDisconnectedError():
            return "it hung up without an answer", False
        case aiohttp.ClientPayloadError():
            return "it broke off in the middle of an answer", False
    return "", False
