"""Reads what a program gives by name: each field as the table says, the same for `Settings(...)` and `from_env`.

A text for a list, a number or a choice is read as in the environment. What follows from several values is
in `together`.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from typing import Any

from realtime.errors import ConfigError
from realtime.settings import readers as types
from realtime.settings.model import Settings
from realtime.settings.table import SETTINGS, Setting
from realtime.settings.together import complete

PREFIXES = ("MINIMAX_", "REALTIME_")
BY_FIELD: Mapping[str, Setting] = {setting.field: setting for setting in SETTINGS}
DEFAULTS: Mapping[str, Any] = {field.name: field.default for field in dataclasses.fields(Settings)}
# A blank text is a value to these: it says that nothing is said. A blank key is a mistake: nobody may go on without one
_READ_BLANK = (types.text_or_empty, types.text_or_none, types.key, types.server_secret)
# Names that other MiniMax tools use for the same thing.
_KNOWN_ELSEWHERE = {"MINIMAX_API_HOST": "MINIMAX_BASE_URL", "MINIMAX_MODEL": "MINIMAX_CHAT_MODEL"}


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `Settings(**given)`. Raises ConfigError for an unknown name or an invalid value.

    Where every field is given (`dataclasses.replace`, or the loader), there is nothing to complete.
    """
    values = {field: argument(field, value) for field, value in given.items()}
    if len(values) < len(DEFAULTS):
        complete(values, dict.fromkeys(values, "argument"))
    return values


def argument(field: str, value: Any) -> Any:
    """The value of one field. None or a blank text unsets an optional one. Raises ConfigError."""
    if field not in BY_FIELD:
        raise ConfigError(f"There is no setting {field!r}.{suggestion(field, BY_FIELD)}")
    if value is DEFAULTS[field]:
        return value
    if value is None:
        raise ConfigError(f"{field} cannot be None: leave it out for its default.")
    setting = BY_FIELD[field]
    if DEFAULTS[field] is None and types.is_blank(value) and setting.read not in _READ_BLANK:
        return None
    return read(setting, field, value)


def read(setting: Setting, shown_name: str, raw: Any) -> Any:
    try:
        return setting.read(raw)
    except ValueError as problem:
        shown = "" if setting.secret else f", not {raw!r}"
        raise ConfigError(f"{shown_name} must be {problem}{shown}.") from None


def suggestion(name: str, known: Mapping[str, Setting]) -> str:
    if name.upper() in _KNOWN_ELSEWHERE:
        elsewhere = _KNOWN_ELSEWHERE[name.upper()]
        return f" Did you mean {elsewhere if name.isupper() else elsewhere.lower()}?"
    nearest = _without_prefix(name, known) or next(
        iter(difflib.get_close_matches(name, known, n=1, cutoff=0.5)), None
    )
    return f" Did you mean {nearest}?" if nearest else ""


def _without_prefix(name: str, known: Mapping[str, Setting]) -> str | None:
    """The one of `known` that is meant by a name in other letters, or with no prefix or a wrong one (`port`)."""
    word = name.lower().replace("-", "_")
    for key in known:
        if key.lower() == word:
            return key
    while word:
        for key, setting in known.items():
            if word in (setting.field, *(key.lower().removeprefix(start.lower()) for start in PREFIXES)):
                return key
        _, _, word = word.partition("_")
    return None
