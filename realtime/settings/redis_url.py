"""The address of a Redis, read once for all who need it: nothing in it is left out, and nothing is guessed.

An address that the library would understand in another way than it is written is refused, so that the start says so and
not a node that is away for ever. Opens no connection, and quotes nothing: there may be a password in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

SENTINEL = "redis+sentinel"
SENTINEL_PORT = 26_379

_YES, _NO = ("1", "t", "true", "y", "yes"), ("0", "f", "false", "n", "no")


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """What an address says. `options` are arguments of a connection, `hosts` and `name` of sentinels alone."""

    scheme: str
    options: dict[str, Any]
    hosts: tuple[tuple[str, int], ...] = ()
    name: str = ""


def read_redis_url(address: str) -> RedisUrl:
    """Raises ValueError for an address that is none, or says what would not be done."""
    scheme, _, rest = address.partition(":")
    scheme = scheme.lower()
    if scheme == "unix" and not rest.startswith("//"):
        rest = f"//{rest}"
    if scheme not in _READERS or not rest.startswith("//") or any(mark in rest for mark in "#\t\r\n"):
        raise ValueError("no address of a Redis")
    before, _, query = rest[2:].partition("?")
    authority, slash, path = before.partition("/")
    account, _, place = authority.rpartition("@")
    user, _, password = account.partition(":")
    given = {name: unquote(value) for name, value in (("username", user), ("password", password)) if value}
    options = _options(query, scheme)
    if given.keys() & options.keys():
        raise ValueError("two accounts")
    return _READERS[scheme](scheme, place, slash + path, {**options, **given})


def _one_server(scheme: str, place: str, path: str, options: dict[str, Any]) -> RedisUrl:
    _host_and_port(place, 6379)
    return RedisUrl(scheme, _with_database(options, path.strip("/")))


def _socket_file(scheme: str, place: str, path: str, options: dict[str, Any]) -> RedisUrl:
    if place or not path.strip("/"):
        raise ValueError("no path")
    return RedisUrl(scheme, options)


def _sentinels(scheme: str, place: str, path: str, options: dict[str, Any]) -> RedisUrl:
    name, _, database = path.strip("/").partition("/")
    if not name:
        raise ValueError("no name of a master")
    hosts = tuple(_host_and_port(host, SENTINEL_PORT) for host in place.split(","))
    return RedisUrl(scheme, _with_database(options, database), hosts, unquote(name))


_READERS: dict[str, Callable[[str, str, str, dict[str, Any]], RedisUrl]] = {
    "redis": _one_server,
    "rediss": _one_server,
    "unix": _socket_file,
    SENTINEL: _sentinels,
}


def _host_and_port(text: str, default: int) -> tuple[str, int]:
    """A name, an IPv4 address, or one of IPv6 in brackets, with its port."""
    if "," in text or text != "".join(text.split()):
        raise ValueError("no host")
    parts = urlsplit(f"//{text}")
    host, port = parts.hostname, parts.port  # raises for a port that is no number
    if not host or port == 0 or text.endswith(":"):
        raise ValueError("no host, or no port")
    return host, default if port is None else port


def _with_database(options: dict[str, Any], path: str) -> dict[str, Any]:
    """The options with the database that the path names."""
    if not path:
        return options
    if "db" in options:
        raise ValueError("two databases")
    return {**options, "db": _number(path)}


def _options(query: str, scheme: str) -> dict[str, Any]:
    """What stands behind the question mark."""
    known = {**_OPTIONS, **(_TLS if scheme == "rediss" else {})}
    options: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)):
        if name in options or name not in known or not value:
            raise ValueError("an option that is not known, or has no value, or two")
        options[name] = known[name](value)
    return options


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise ValueError("no number")
    return int(text)


def _protocol(text: str) -> int:
    return int(_one_of("2", "3")(text))


def _yes_or_no(text: str) -> bool:
    return _one_of(*_YES, *_NO)(text.lower()) in _YES


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError("no such word")
        return text

    return read


_OPTIONS: dict[str, Callable[[str], Any]] = {
    "db": _number,
    "username": str,
    "password": str,
    "protocol": _protocol,
}
_TLS: dict[str, Callable[[str], Any]] = {
    "ssl_ca_certs": str,
    "ssl_ca_path": str,
    "ssl_certfile": str,
    "ssl_keyfile": str,
    "ssl_password": str,
    "ssl_cert_reqs": _one_of("none", "optional", "required"),
    "ssl_check_hostname": _yes_or_no,
}
OPTIONS = f"{', '.join(_OPTIONS)}, and with rediss:// {', '.join(_TLS)}"
