"""Who may connect: API keys, ephemeral secrets, browser origins. Knows no requests and sends nothing.

A web page may open a WebSocket to any address: without an Origin check, every page that the user visits could use the
user's key (docs/wire.md 1.1). Ephemeral secrets are signed (HMAC) with the server's own random secret, so that
every worker and server that has it, and the same API keys, can verify them without shared state. The keys alone would
not do: whoever holds a client secret could then try keys at home until one makes its signature.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from realtime.errors import ConfigError, ProtocolError
from realtime.settings.load import is_loopback

EPHEMERAL = "ek_"
SUBPROTOCOL_KEY = "openai-insecure-api-key."
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[0-9]{1,5})?")
MAX_SECRET_CHARACTERS = 6_000  # many proxies reject headers of more than about 8 KiB


@dataclass(frozen=True, slots=True)
class Caller:
    """A client that may connect. `name` identifies its key in limits and logs without revealing it."""

    name: str
    session: dict[str, Any] | None = None  # the settings in an ephemeral secret
    ephemeral: bool = False


class AccessDenied(ProtocolError):
    """The credential is missing, wrong or expired."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="invalid_api_key", type="authentication_error")


class Access:
    """Checks credentials and mints ephemeral secrets. Without configured keys everybody may connect."""

    def __init__(self, api_keys: tuple[str, ...], server_secret: str | None = None) -> None:
        """`server_secret` signs; None: a random one, of this object alone. Raises ConfigError for a key that no client
        could use."""
        if any(not key.strip() or key.startswith(EPHEMERAL) for key in api_keys):
            raise ConfigError("REALTIME_API_KEYS must be keys that are not empty and do not begin with ek_.")
        self._keys = tuple(key.encode() for key in api_keys)
        self._names = sorted(map(_name, self._keys))
        root = b"\n".join([b"realtime client secret", *sorted(self._keys)])
        signing = server_secret.encode() if server_secret else secrets.token_bytes(32)
        self._secret = hmac.digest(signing, root, "sha256")

    def __repr__(self) -> str:
        return f"<Access {len(self._keys)} keys>"

    @property
    def required(self) -> bool:
        return bool(self._keys)

    def check(self, credential: str | None, now_unix_s: float) -> Caller:
        """The caller behind this credential. Raises AccessDenied."""
        if credential and credential.startswith(EPHEMERAL):
            return self._check_ephemeral(credential, now_unix_s)
        if not self._keys:
            return Caller("open")
        if not credential:
            raise AccessDenied("No API key: send it as 'Authorization: Bearer <key>'.")
        given, found = credential.encode(errors="surrogateescape"), None
        for key in self._keys:  # compare every key: the time must not depend on which one matches
            if hmac.compare_digest(hashlib.sha256(key).digest(), hashlib.sha256(given).digest()):
                found = key
        if found is None:
            raise AccessDenied("Incorrect API key: use one of the keys in REALTIME_API_KEYS of this server.")
        return Caller(_name(found))

    def mint(self, caller: Caller, session: dict[str, Any], expires_at: int) -> str:
        """A secret for sessions with these settings, valid until `expires_at` (Unix seconds). Raises ProtocolError."""
        if caller.ephemeral:
            raise AccessDenied("A client secret cannot create another one: use an API key.")
        # The key's number and not its name: the name is a part of its hash, and could be tried as well.
        who = self._names.index(caller.name) if caller.name in self._names else caller.name
        claim = {"e": expires_at, "n": secrets.token_urlsafe(16), "c": who, "s": session}
        body = zlib.compress(msgspec.json.encode(claim), 9)
        token = EPHEMERAL + base64.urlsafe_b64encode(self._sign(body) + body).decode().rstrip("=")
        if len(token) > MAX_SECRET_CHARACTERS:
            raise ProtocolError(
                "The session settings are too long for a client secret: send the rest with session.update.",
                param="session",
            )
        return token

    def _sign(self, body: bytes) -> bytes:
        return hmac.digest(self._secret, body, "sha256")[:20]

    def _check_ephemeral(self, credential: str, now_unix_s: float) -> Caller:
        try:
            raw = base64.urlsafe_b64decode(credential[3:] + "=" * (-len(credential[3:]) % 4))
        except ValueError:
            raw = b""
        body = raw[20:]
        if not hmac.compare_digest(raw[:20], self._sign(body)):
            raise AccessDenied("This client secret is not valid on this server: create one here.")
        claim = msgspec.json.decode(zlib.decompress(body))
        if claim["e"] < now_unix_s:
            raise AccessDenied("The client secret has expired: create a new one.")
        who = claim["c"]
        name = self._names[who] if isinstance(who, int) else who
        return Caller(name, session=claim["s"], ephemeral=True)


def _name(key: bytes) -> str:
    return "key-" + hashlib.sha256(key).hexdigest()[:8]


def credential_of(authorization: str | None, subprotocols: list[str]) -> tuple[str | None, bool]:
    """The credential of a request, and whether the client is a browser (which sends it as a subprotocol)."""
    for name in subprotocols:
        if name.startswith(SUBPROTOCOL_KEY):
            return name[len(SUBPROTOCOL_KEY) :], True
    if authorization and authorization.lower().startswith("bearer "):
        return authorization[7:].strip(), False
    return None, "realtime" in subprotocols or "realtime.bin.v1" in subprotocols


def origin_allowed(origin: str | None, host: str, allowed: tuple[str, ...]) -> bool:
    """Whether to serve a request with this Origin and Host. None: the client is no browser."""
    if origin is None or "*" in allowed:
        return True
    place = _place(origin)
    if place is None:
        return False
    scheme, name, _ = place
    return place == _place(f"{scheme}://{host}") or is_loopback(name) or place in map(_place, allowed)


def _place(origin: str) -> tuple[str, str, int] | None:
    """Scheme, host and port as they are compared: in small letters, with the port that a URL may leave out."""
    try:
        parts = urlsplit(origin)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        return None
    name = name_of(parts.netloc)  # with a user name in it, it is no origin
    return (parts.scheme, name, port) if parts.scheme and name else None


def host_allowed(host: str, bound_host: str) -> bool:
    """Whether the Host is the bound address. Protects servers without keys from DNS rebinding.

    Bound to all addresses, only names of this machine count: a page may choose any other.
    """
    name = name_of(host)
    if name is None:
        return False
    everywhere = bound_host in ("0.0.0.0", "::", "")
    return name == bound_host.lower() or (is_loopback(name) and (everywhere or is_loopback(bound_host)))


def name_of(host: str) -> str | None:
    """The name or address of a Host header, in small letters, without its port; None if it is not one."""
    found = _HOST.fullmatch(host)
    return (found[1] or found[2]).lower() if found else None


def is_local(socket_address: object) -> bool:
    """Whether only this machine can connect to this address of a server's socket (a pair, or the path of a Unix
    socket)."""
    if isinstance(socket_address, tuple) and socket_address:
        return is_loopback(str(socket_address[0]))
    return isinstance(socket_address, str | bytes)
