"""Opens the sockets of one conversation: key, proxy, TLS, and one sentence on why there is no connection.

Knows no conversation, and nothing of a socket once its first event is there.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import msgspec
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import (
    ConnectionClosed,
    InvalidProxy,
    InvalidStatus,
    InvalidURI,
    ProxyError,
    WebSocketException,
)
from websockets.typing import Subprotocol

from .address import shown, tls_context
from .conversation import BINARY, Event
from .errors import ConnectionFailed
from .proxies import proxy_for, shown_proxy
from .silence import WatchedSocket

JSON_ONLY = Subprotocol("realtime")
_MAX_MESSAGE = 16 << 20  # bytes; the server has the same limit
_CLOSE_TIMEOUT_S = 2.0  # a network that is gone says no goodbye


@dataclass(frozen=True, slots=True)
class Opener:
    """How to reach a server. `url` is that of the socket (`address.socket_url`)."""

    url: str
    api_key: str | None = field(repr=False)
    binary: bool  # ask for binary frames
    tls: ssl.SSLContext | None
    timeout_s: float

    async def open(self) -> WatchedSocket:
        """A socket. Raises ConnectionFailed."""
        proxy = proxy_for(self.url)
        tls: dict[str, Any] = {"ssl": self.tls or tls_context()} if self.url.startswith("wss:") else {}
        try:
            async with asyncio.timeout(self.timeout_s):  # websockets leaves the proxy's answer out of its own
                socket = await open_socket(
                    self.url,
                    subprotocols=[BINARY, JSON_ONLY] if self.binary else None,
                    additional_headers={"Authorization": f"Bearer {self.api_key}"} if self.api_key else None,
                    compression=None,
                    open_timeout=None,
                    close_timeout=_CLOSE_TIMEOUT_S,
                    max_size=_MAX_MESSAGE,
                    proxy=proxy,
                    ping_interval=None,  # websockets' own ping hangs where nothing can be sent: `silence.py`
                    create_connection=WatchedSocket,
                    **tls,
                )
                assert isinstance(socket, WatchedSocket)
                return socket
        except InvalidStatus as refused:
            raise ConnectionFailed(*_refusal(refused)) from None
        except _failures() as error:
            raise ConnectionFailed(_trouble(error, self.url, proxy, self.timeout_s)) from None

    async def open_again(self, query: Mapping[str, Any], *, binary: bool) -> tuple[WatchedSocket, Event]:
        """Another socket for the same conversation, and its first event. Raises ConnectionFailed."""
        url = self.url + ("&" if "?" in self.url else "?") + urlencode(query)
        socket = await replace(self, url=url, binary=binary).open()
        try:
            async with asyncio.timeout(self.timeout_s):
                first: Event = msgspec.json.decode(await socket.recv())
        except (TimeoutError, ConnectionClosed) as error:
            socket.transport.abort()
            raise ConnectionFailed(_trouble(error, url, None, self.timeout_s)) from None
        except BaseException:
            socket.transport.abort()
            raise
        if first["type"] == "error":
            socket.transport.abort()
            raise ConnectionFailed(first["error"]["message"], first["error"].get("code"))
        return socket, first


def _failures() -> tuple[type[Exception], ...]:
    return (OSError, EOFError, ValueError, ImportError, WebSocketException, *_socks_errors())


def _socks_errors() -> tuple[type[Exception], ...]:
    """What python-socks raises, where it is installed."""
    try:
        from python_socks import ProxyError as SocksError
        from python_socks import ProxyTimeoutError
    except ImportError:
        return ()
    return SocksError, ProxyTimeoutError


def _trouble(error: Exception, url: str, proxy: str | None, timeout_s: float) -> str:
    """One sentence on why there is no connection, and what to do."""
    where = shown(url)
    through = f" through the proxy {shown_proxy(proxy)}" if proxy else ""
    match error:
        case TimeoutError():
            return (
                f"{where} did not answer{through} within {timeout_s:g} s: check the address and the network."
            )
        case ssl.SSLCertVerificationError():
            return (
                f"The certificate of {where} is not trusted ({error.verify_message.rstrip('.')}): name the file of "
                "its CA (--ca-file, `tls_context`), or trust anything (--insecure)."
            )
        case ssl.SSLError() if error.reason in (
            "WRONG_VERSION_NUMBER",
            "RECORD_LAYER_FAILURE",
            "HTTP_REQUEST",
        ):
            return f"{where} does not speak TLS: use ws:// or http://."
        case ssl.SSLError():
            return f"No TLS with {where} ({error.reason or error})."
        case _ if isinstance(error, (ProxyError, InvalidProxy, *_socks_errors())):
            return (
                f"The proxy {shown_proxy(proxy or '')} does not connect to {where} ({error}): see NO_PROXY."
            )
        case OSError() if proxy:
            return f"Nothing answers{through} ({error.strerror or error}): check it, or name the server in NO_PROXY."
        case ConnectionResetError() if url.startswith("wss:"):
            return f"{where} hung up on TLS: if it does not speak TLS, use ws:// or http://."
        case OSError():
            reason = error.strerror or error
            return f"Nothing answers at {where} ({reason}). Is the server running? `realtime serve`"
        case InvalidURI():
            return f"{where} is not an address like ws://127.0.0.1:8000/v1/realtime."
        case _:
            hint = "" if url.startswith("wss:") else " If it speaks TLS: wss:// or https://."
            return f"{where} is not a realtime server ({str(error).rstrip('.')}).{hint}"


def _refusal(refused: InvalidStatus) -> tuple[str, str | None, float | None]:
    """Message, code and seconds to wait."""
    response = refused.response
    asked = "".join(response.headers.get_all("Retry-After")[:1])
    wait_s = float(asked) if re.fullmatch("[0-9]{1,9}", asked) else None  # a balancer may send a date instead
    try:
        error = msgspec.json.decode(response.body or b"")["error"]
        return error["message"], error.get("code"), wait_s
    except (msgspec.DecodeError, KeyError, TypeError):
        return f"The server refused the connection with HTTP status {response.status_code}.", None, wait_s
