"""Who may connect: API keys, ephemeral secrets, browser origins. Knows no requests and sends nothing.

A web page may open a WebSocket to any address: without an Origin check, every page that the user visits could use the
user's key (docs/wire.md 1.1). An ephemeral secret is signed (HMAC) with the API key that made it and the server's own
random secret, so that every worker and server that has both can verify it without shared state, and no other key
matters. The key alone would not do: whoever holds a client secret could then try keys at home until one makes its
signature. The secret names its key by a hash of both, which tells a holder nothing either.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec

from realtime.errors import ConfigError, ProtocolError
from realtime.settings.accounts import key_name
from realtime.settings.hosts import is_loopback

EPHEMERAL = "ek_"
OPEN = "open"  # the name of everybody at a server without keys
SUBPROTOCOL_KEY = "openai-insecure-api-key."
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[0-9]{1,5})?")
MAX_SECRET_CHARACTERS = 6_000  # many proxies reject headers of more than about 8 KiB
# The clock of the server that checks may be so much ahead of that of the one that made the secret
CLOCK_LEEWAY_S = 30
SIGNATURE_BYTES, MARK_BYTES = 20, 8


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
        root = server_secret.encode() if server_secret else secrets.token_bytes(32)
        signers = [_Signer.of(root, key) for key in self._keys] or [_Signer.of(root, None)]
        self._by_mark = {signer.mark: signer for signer in signers}
        self._by_name = {signer.name: signer for signer in signers}

    def __repr__(self) -> str:
        return f"<Access {len(self._keys)} keys>"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all callers that may come."""
        return tuple(self._by_name)

    @property
    def required(self) -> bool:
        return bool(self._keys)

    def check(self, credential: str | None, now_unix_s: float) -> Caller:
        """The caller behind this credential. Raises AccessDenied."""
        if credential and credential.startswith(EPHEMERAL):
            return self._check_ephemeral(credential, now_unix_s)
        if not self._keys:
            return Caller(OPEN)
        if not credential:
            raise AccessDenied("No API key: send it as 'Authorization: Bearer <key>'.")
        given, found = credential.encode(errors="surrogateescape"), None
        for key in self._keys:  # compare every key: the time must not depend on which one matches
            if hmac.compare_digest(hashlib.sha256(key).digest(), hashlib.sha256(given).digest()):
                found = key
        if found is None:
            raise AccessDenied("Incorrect API key: use one of the keys in REALTIME_API_KEYS of this server.")
        return Caller(key_name(found))

    def check_known(self, name: str) -> None:
        """Whether this server has the key of this name. Raises AccessDenied."""
        if name not in self._by_name:
            raise AccessDenied("This caller has no API key of this server.")

    def mint(self, caller: Caller, session: dict[str, Any], expires_at: int) -> str:
        """A secret for sessions with these settings, valid until `expires_at` (Unix seconds). Raises ProtocolError."""
        if caller.ephemeral:
            raise AccessDenied("A client secret cannot create another one: use an API key.")
        self.check_known(caller.name)
        signer = self._by_name[caller.name]
        claim = {"e": expires_at, "n": secrets.token_urlsafe(16), "s": session}
        body = zlib.compress(msgspec.json.encode(claim), 9) + signer.mark
        token = EPHEMERAL + base64.urlsafe_b64encode(signer.sign(body) + body).decode().rstrip("=")
        if len(token) > MAX_SECRET_CHARACTERS:
            raise ProtocolError(
                "The session settings are too long for a client secret: send the rest with session.update.",
                param="session",
            )
        return token

    def _check_ephemeral(self, credential: str, now_unix_s: float) -> Caller:
        try:
            raw = base64.urlsafe_b64decode(credential[3:] + "=" * (-len(credential[3:]) % 4))
        except ValueError:
            raw = b""
        signature, body = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
        signer = self._by_mark.get(body[-MARK_BYTES:])
        if signer is None or not hmac.compare_digest(signature, signer.sign(body)):
            raise AccessDenied("This client secret is not valid on this server: create one here.")
        claim = msgspec.json.decode(zlib.decompress(body[:-MARK_BYTES]))
        if claim["e"] + CLOCK_LEEWAY_S < now_unix_s:
            raise AccessDenied("The client secret has expired: create a new one.")
        return Caller(signer.name, session=claim["s"], ephemeral=True)


@dataclass(frozen=True, slots=True)
class _Signer:
    """What signs the client secrets of one API key, or of a server without keys. `mark` names it inside of them."""

    name: str
    mark: bytes
    secret: bytes = field(repr=False)

    @classmethod
    def of(cls, root: bytes, key: bytes | None) -> _Signer:
        """`root` is the server's own secret: without it neither mark nor signature says anything of the key."""
        owner = b"open server" if key is None else b"key " + key
        mark = hmac.digest(root, b"realtime client secret, mark: " + owner, "sha256")[:MARK_BYTES]
        secret = hmac.digest(root, b"realtime client secret, signature: " + owner, "sha256")
        return cls(OPEN if key is None else key_name(key), mark, secret)

    def sign(self, body: bytes) -> bytes:
        return hmac.digest(self.secret, body, "sha256")[:SIGNATURE_BYTES]


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
