"""How one setting is read: from the text of a flag or a variable, or from a typed value of the settings file.

A reader returns the value or raises ValueError whose message completes the sentence "NAME must be ...".
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from realtime.core.characters import is_whole
from realtime.core.han_variants import traditional_script
from realtime.settings.redis_url import OPTIONS as REDIS_OPTIONS
from realtime.settings.redis_url import read_redis_url

Reader = Callable[[Any], Any]

MIN_SERVER_SECRET = 32  # characters
_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def text(raw: Any) -> str:
    """Any text without control characters other than line breaks and tabs; a whole number is taken as written."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        return str(raw)
    if not isinstance(raw, str) or not raw.strip():
        raise ValueError("a text that is not empty")
    if any(ord(mark) < 32 and mark not in "\n\t\r" for mark in raw):
        raise ValueError("a text without control characters")
    return _whole(raw).strip()


def is_blank(raw: Any) -> bool:
    """Whether it is a text that says nothing. A variable like this counts as not set."""
    return isinstance(raw, str) and not raw.strip()


def _whole(word: str) -> str:
    if not is_whole(word):
        raise ValueError("text in UTF-8: there are bytes in it that are no character")
    return word


def text_or_empty(raw: Any) -> str:
    """Any text like `text`, or none at all."""
    return "" if is_blank(raw) else text(raw)


def text_or_none(raw: Any) -> str:
    """Any text like `text`; "" for the word none."""
    said = text_or_empty(raw)
    return "" if said.lower() == "none" else said


def path(raw: Any) -> str:
    """The path of a file or a folder, as a text or a `Path`."""
    return text(os.fspath(raw) if isinstance(raw, os.PathLike) else raw)


def key(raw: Any) -> str:
    """A key as a header carries it: one line of ASCII without blanks and quotation marks. Never shown in a message."""
    word = text(raw)
    if "\n" in word or "\r" in word:
        raise ValueError("one line: this key has a line break in it, copy it again")
    if not word.isascii():
        raise ValueError("a key of ASCII characters: this one has others in it, copy it again")
    if any(mark.isspace() for mark in word):
        raise ValueError("a key without blanks: give only the key itself")
    if word[0] in "\"'`" or word[-1] in "\"'`":
        raise ValueError("a key without quotation marks")
    return word


def keys(raw: Any) -> tuple[str, ...]:
    """A list of keys of this server. Without one the server would be open, so a list that holds none is refused."""
    found = tuple(key(part) for part in texts(raw))
    if not found and raw not in ([], ()):
        raise ValueError("a list with at least one key: leave the setting out if clients need none")
    if any(word.startswith("ek_") for word in found):
        raise ValueError(
            "keys that do not begin with ek_: so begin client secrets, and none of these would work"
        )
    return found


def server_secret(raw: Any) -> str:
    """The secret that signs client secrets."""
    word = key(raw)
    if len(word) < MIN_SERVER_SECRET:
        raise ValueError(
            f"at least {MIN_SERVER_SECRET} random characters, such as `openssl rand -hex 32` prints"
        )
    return word


def redis_address(raw: Any) -> str:
    """The address of a Redis or Valkey, or of the sentinels that know it. It may hold a password: never shown."""
    word = text(raw)
    try:
        read_redis_url(word)
    except ValueError:
        raise ValueError(
            "redis://HOST:6379/DB, rediss://HOST, unix:///PATH or redis+sentinel://HOST,HOST,HOST/NAME/DB; "
            f"options behind a question mark are {REDIS_OPTIONS}"
        ) from None
    return word


def texts(raw: Any) -> tuple[str, ...]:
    """A list of texts; in a flag or a variable they are separated by commas."""
    parts = raw.split(",") if isinstance(raw, str) else raw
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        raise ValueError("a list of texts, separated by commas")
    return tuple(_whole(part).strip() for part in parts if part.strip())


def whole(least: int, most: int) -> Reader:
    """A whole number in a range."""

    def read(raw: Any) -> int:
        problem = f"a whole number from {least} to {most}"
        if isinstance(raw, bool) or not isinstance(raw, int | str):
            raise ValueError(problem)
        try:
            number = int(raw)
        except ValueError:
            raise ValueError(problem) from None
        if not least <= number <= most:
            raise ValueError(problem)
        return number

    return read


def positive(raw: Any) -> float:
    """A number above zero, at most a day of seconds."""
    problem = "a number above 0 and at most 86400"
    number = _seconds(raw, problem)
    if number == 0:
        raise ValueError(problem)
    return number


def seconds(raw: Any) -> float:
    """A number of seconds, 0 or above, at most a day."""
    return _seconds(raw, "a number from 0 to 86400")


def _seconds(raw: Any, problem: str) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise ValueError(problem)
    try:
        number = float(raw)
    except ValueError:
        raise ValueError(problem) from None
    if not math.isfinite(number) or not 0 <= number <= 86_400:
        raise ValueError(problem)
    return number


def address(raw: Any) -> str:
    """A host and a port: `127.0.0.1:9000`, `[::1]:9000`."""
    word = text(raw)
    host, _, port = word.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not bare or (":" in bare) != (bare != host) or not port.isascii() or not port.isdigit():
        raise ValueError("HOST:PORT, such as 127.0.0.1:9000 or [::1]:9000")
    if len(port) > 5 or int(port) > 65_535:
        raise ValueError("HOST:PORT with a port from 0 to 65535")
    return word


def yes_no(raw: Any) -> bool:
    """yes, true, on, 1 or no, false, off, 0."""
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().lower()
    if word not in _YES + _NO:
        raise ValueError("yes or no")
    return word in _YES


def choice(*allowed: str) -> Reader:
    """One of a few words, in any case."""

    def read(raw: Any) -> str:
        word = raw.strip().lower() if isinstance(raw, str) else ""
        if word not in allowed:
            raise ValueError(f"{', '.join(allowed[:-1])} or {allowed[-1]}")
        return word

    return read


def url(raw: Any) -> str:
    """An http or https address, without a slash at its end."""
    problem = "an address like https://api.example.com"
    if not isinstance(raw, str):
        raise ValueError(problem)
    _whole(raw)
    try:
        parts = urlsplit(raw.strip())
        _ = parts.port  # raises for a port that is no number
    except ValueError:
        raise ValueError(problem) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", raw.strip()):
        raise ValueError(problem)
    return raw.strip().rstrip("/")


def platform_url(raw: Any) -> str:
    """The platform's address; an API version at its end is left off, because every path brings its own."""
    return url(raw).removesuffix("/v1")


def urls(raw: Any) -> tuple[str, ...]:
    """A list of addresses."""
    return tuple(platform_url(part) for part in texts(raw))


def origins(raw: Any) -> tuple[str, ...]:
    """A list of origins; `*` stands for all."""
    return tuple("*" if part == "*" else platform_url(part) for part in texts(raw))


def networks(raw: Any) -> tuple[str, ...]:
    """A list of IP addresses and networks; `*` stands for all."""
    found = texts(raw)
    try:
        for network in found:
            if network != "*":
                ip_network(network, strict=False)
    except ValueError:
        raise ValueError("a list of addresses or networks like 127.0.0.1, 10.0.0.0/8, or *") from None
    return found


def language(raw: Any) -> str | None:
    """An ISO-639-1 code; `auto` means that the language is detected; a region (`en-US`) is left off, unless it tells
    that Chinese is written in traditional characters: `zh-TW` and `zh-HK` stay, `zh-Hant` is `zh-TW`."""
    word = raw.strip().lower() if isinstance(raw, str) else ""
    if word == "auto":
        return None
    code = re.split("[-_]", word, maxsplit=1)[0]
    if not re.fullmatch("[a-z]{2,3}", code):
        raise ValueError("auto or a code like en or zh")
    script = traditional_script(word)
    return code + script.removeprefix("zh") if script else code


def provider(own: str) -> Reader:
    """A provider's name, in any case, and perhaps an argument for it after a colon.

    `own` lists the names of this package. Other installed packages can add names, so an unknown name is an error only
    when the server starts.
    """
    problem = f"{own} or the name of an installed provider"

    def read(raw: Any) -> str:
        name, colon, argument = _whole(raw).strip().partition(":") if isinstance(raw, str) else ("", "", "")
        if not re.fullmatch("[a-z][a-z0-9_-]*", name.lower()) or bool(colon) != bool(argument.strip()):
            raise ValueError(problem)
        return name.lower() + colon + argument.strip()

    return read


_transcriber = provider("auto, local, local:MODEL, minimax, openai:URL, none")
_store = provider("memory, sqlite:PATH, redis, none")


def transcriber(raw: Any) -> str:
    """auto, local, local:MODEL, minimax, openai:URL, none, or the name of an installed provider."""
    name, _, argument = _transcriber(raw).partition(":")
    if name == "openai":
        try:
            return f"openai:{url(argument)}"
        except ValueError:
            raise ValueError("an address like openai:https://api.example.com") from None
    if argument and name in ("auto", "minimax", "none"):
        raise ValueError(f"{name}, without anything after it")
    return f"{name}:{argument}" if argument else name


def store(raw: Any) -> str:
    """memory, sqlite:PATH, redis, none, or the name of an installed provider."""
    chosen: str = _store(raw)
    if chosen == "sqlite":
        raise ValueError("sqlite:PATH, with the path of a file")
    return chosen
