"""Several accounts of the platform on one server: how they are read, completed and checked (docs/scale.md 5).

`[[accounts]]` in `realtime.toml`, or a JSON list in `REALTIME_ACCOUNTS`. What an account does not say is as the
`MINIMAX_` settings say. Opens nothing, and shows no key: neither the platform's nor one of this server.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from realtime.errors import ConfigError
from realtime.settings import readers as types
from realtime.settings.model import Account, Settings

DEFAULT = "default"  # the name of the account of MINIMAX_API_KEY
NEEDED = ("name", "api_key")
EXAMPLE = "a list of accounts, each with `name` and `api_key`: [[accounts]] in realtime.toml, or JSON"
# What an account may say itself; the rest of the settings is that of the server
_LISTS = ("speech_urls", "for_keys")
OWN = ("api_key", "base_url", "speech_urls", "group_id", "speech_rpm", "chat_rpm", "speech_connections")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_WORD = re.compile(r"[A-Za-z_]{1,32}")


def key_name(key: bytes) -> str:
    """The name of a key of this server: it tells it from the others in logs and limits, and does not reveal it."""
    return "key-" + hashlib.sha256(key).hexdigest()[:8]


def _name(raw: Any) -> str:
    if not isinstance(raw, str) or not _NAME.fullmatch(raw):
        raise ValueError("1 to 64 letters of ASCII, digits, dots, hyphens or underscores")
    return raw


_FIELDS: Mapping[str, types.Reader] = {
    "name": _name,
    "api_key": types.key,
    "base_url": types.platform_url,
    "speech_urls": types.urls,
    "group_id": types.text,
    "speech_rpm": types.whole(1, 1_000_000),
    "chat_rpm": types.whole(1, 1_000_000),
    "speech_connections": types.whole(1, 100_000),
    "for_keys": types.texts,
}


def accounts(raw: Any) -> tuple[Account, ...]:
    """The accounts of a list of tables, or of its JSON. As a reader it raises ValueError (`readers.py`)."""
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except (ValueError, RecursionError):
            raise ValueError(EXAMPLE) from None
    if not isinstance(raw, list | tuple):
        raise ValueError(EXAMPLE)
    return tuple(_account(each, number) for number, each in enumerate(raw, 1))


def _account(raw: Any, number: int) -> Account:
    if isinstance(raw, Account):
        return raw
    if not isinstance(raw, Mapping):
        raise ValueError(f"{EXAMPLE}; number {number} is none")
    for field in raw:
        if field not in _FIELDS:
            near = difflib.get_close_matches(field, _FIELDS, n=1, cutoff=0.5)
            meant = f"did you mean {near[0]}?" if near else f"known are {', '.join(_FIELDS)}"
            # It may be a key in the wrong place
            shown = repr(field) if _WORD.fullmatch(field) else "another one"
            raise ValueError(f"accounts with known fields; number {number} has {shown} ({meant})")
    for field in NEEDED:
        if field not in raw:
            raise ValueError(f"accounts with `name` and `api_key`; number {number} has no {field}")
    return Account(**{field: _field(field, value, number) for field, value in raw.items()})


def _field(field: str, raw: Any, number: int) -> Any:
    if field not in NEEDED and types.is_blank(raw):
        return raw  # an account reads it as not given
    try:
        return _FIELDS[field](raw)
    except ValueError as problem:
        raise ValueError(f"accounts with good values; {field} of number {number} must be {problem}") from None


def checked(account: Account) -> dict[str, Any]:
    """The fields of an account that is made in Python, read as those of a list. Raises ConfigError."""
    given = {field: getattr(account, field) for field in _FIELDS}
    try:
        said = f"of the account {_name(account.name)}"
    except ValueError:
        said = "of an account"
    return {field: _checked(field, raw, said) for field, raw in given.items()}


def _checked(field: str, raw: Any, said: str) -> Any:
    if field not in NEEDED and (raw is None or types.is_blank(raw)):
        return () if field in _LISTS else None
    try:
        return _FIELDS[field](raw)
    except ValueError as problem:
        raise ConfigError(f"The {field} {said} must be {problem}.") from None


def completed(given: Iterable[Account], defaults: Account | None, keys: Iterable[str]) -> tuple[Account, ...]:
    """These accounts with the names of their keys, after the default one, if there is one.

    `keys` are those of this server. Raises ConfigError for accounts that cannot be meant.
    """
    names = {key: key_name(key.encode()) for key in keys}
    whole = [dataclasses.replace(each, for_keys=_names(each, names)) for each in given]
    every = tuple(whole if defaults is None else [defaults, *whole])
    _check_twice(every)
    for name in names.values():
        if not any(may_use(name, account) for account in every):
            raise ConfigError(
                f"The key {name} of REALTIME_API_KEYS may use no account: "
                "name it in for_keys of one, or leave for_keys out there."
            )
    return every


def _names(account: Account, names: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the keys that may use it; an entry is a key of this server, or its name."""
    if account.for_keys and not names:
        raise ConfigError(
            f"for_keys of the account {account.name} names keys, but this server has none: set REALTIME_API_KEYS."
        )
    found = []
    for number, entry in enumerate(account.for_keys, 1):
        name = names.get(entry, entry)
        if name not in names.values():
            raise ConfigError(
                f"Entry {number} of for_keys of the account {account.name} is no key of REALTIME_API_KEYS: write the "
                f"key or its name ({', '.join(names.values())})."
            )
        found.append(name)
    return tuple(found)


def _check_twice(every: tuple[Account, ...]) -> None:
    by_name: dict[str, Account] = {}
    by_key: dict[str, Account] = {}
    for account in every:
        if account.name in by_name:
            taken = " (it is that of MINIMAX_API_KEY)" if account.name == every[0].name == DEFAULT else ""
            raise ConfigError(f"Two accounts have the name {account.name}{taken}: give each its own.")
        if account.api_key in by_key:
            raise ConfigError(
                f"The accounts {by_key[account.api_key].name} and {account.name} have the same api_key: "
                "its requests would be counted twice, so leave one of the two out."
            )
        by_name[account.name] = by_key[account.api_key] = account


def may_use(key: str, account: Account) -> bool:
    """Whether the key of this name may use the account."""
    return not account.for_keys or key in account.for_keys


def every_account(settings: Settings) -> tuple[Account, ...]:
    """All accounts, the default one first; () where nothing but the `MINIMAX_` settings says which one."""
    given = settings.accounts
    if not given or settings.api_key is None or any(each.api_key == settings.api_key for each in given):
        return given
    return (Account(DEFAULT, **_own(settings)), *given)


def with_default(settings: Settings) -> Settings:
    """The same settings with every account as it is in force, and the platform as the default one has it.

    Raises ConfigError.
    """
    if not settings.accounts:
        return settings
    every = tuple(
        dataclasses.replace(account, **_own(settings_for(settings, account)))
        for account in completed(every_account(settings), None, settings.api_keys)
    )
    return dataclasses.replace(settings_for(settings, every[0]), accounts=every)


def _own(settings: Settings) -> dict[str, Any]:
    return {field: getattr(settings, field) for field in OWN}


def settings_for(settings: Settings, account: Account) -> Settings:
    """The same settings, with the platform as this account has it."""
    said = {field: value for field in OWN if (value := getattr(account, field)) is not None}
    other_place = account.base_url is not None and account.base_url != settings.base_url
    if not account.speech_urls and not other_place:
        del said["speech_urls"]
    return dataclasses.replace(settings, **{"group_id": account.group_id, **said})


def only(settings: Settings, name: str) -> Settings:
    """The same settings with this account alone. Raises ConfigError for a name that none has."""
    every = every_account(settings)
    for account in every:
        if account.name == name:
            return dataclasses.replace(settings_for(settings, account), accounts=())
    known = ", ".join(each.name for each in every)
    raise ConfigError(
        f"There is no account {name!r}: the accounts are {known}."
        if every
        else f"There is no account {name!r}: the settings have one account, without a name (docs/scale.md 5)."
    )
