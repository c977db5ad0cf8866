"""Loads the settings: arguments override flags, then the environment, then `realtime.toml`, then the defaults.

It converts each value once and records where it came from, for `realtime doctor`. It opens no connection and keeps no
state. No other module reads the environment.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from realtime.errors import ConfigError
from realtime.settings.given import BY_FIELD, DEFAULTS, PREFIXES, argument, read, suggestion
from realtime.settings.hosts import is_loopback
from realtime.settings.model import Account, Settings
from realtime.settings.service_links import service_links
from realtime.settings.table import SETTINGS, Setting
from realtime.settings.together import SANDBOX_KEY, complete

TOML_NAME = "realtime.toml"
ACCOUNTS = "accounts"  # in that file: [[accounts]]
CACHE_NAME = "minimax-realtime"
_FLAGS = {"base_url": "--url", "voice_id": "--voice", "speech_model": "--model", "chat_model": "--model"}


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, and where each field came from.

    An origin is "argument", "flag", "environment NAME", "realtime.toml" or "default". `ignored` are variables that look
    like settings and are of Kubernetes. `account`: the one of several that a command names, if not the default one.
    """

    settings: Settings
    origins: Mapping[str, str]
    ignored: tuple[str, ...] = ()
    account: str | None = None


_BY_NAME: Mapping[str, Setting] = {name: setting for setting in SETTINGS for name in setting.names}


def load_settings(
    flags: Mapping[str, str],
    environ: Mapping[str, str],
    toml_path: Path | None = None,
    *,
    arguments: Mapping[str, Any] = MappingProxyType({}),
) -> Loaded:
    """The effective settings. `flags` (texts) and `arguments` (values) are keyed by the fields of `Settings`.

    An empty variable counts as unset; an argument None sets an optional field to None.
    In `realtime.toml` a key is the variable's name in lower case; a table is a prefix (`[minimax]` then `api_key`).
    Raises ConfigError for an unknown name or an invalid value; its message names the setting and says what to do.
    """
    values: dict[str, Any] = {}
    origins = dict.fromkeys(DEFAULTS, "default")
    for source in (_from_toml(toml_path), _from_environment(environ), _from_flags(flags)):
        for setting, shown_name, origin, raw in source:  # a later one overrides an earlier one
            values[setting.field] = read(setting, shown_name, raw)
            origins[setting.field] = origin
    values |= {field: argument(field, value) for field, value in arguments.items()}
    origins |= dict.fromkeys(arguments, "argument")
    complete(values, origins)
    _choose_cache(values, origins, environ)
    ignored = sorted(name for name in service_links(environ) if name.startswith(PREFIXES))
    return Loaded(Settings(**{**DEFAULTS, **values}), MappingProxyType(origins), tuple(ignored))


def ignored_sentence(loaded: Loaded) -> str | None:
    """One sentence about the variables that were ignored; None if there were none."""
    if not loaded.ignored:
        return None
    names = ", ".join(loaded.ignored)
    return (
        f"Ignored, because Kubernetes sets them for a Service of this name and they are no settings: {names}."
    )


def settings_file() -> Path | None:
    """The `realtime.toml` of the current directory, if there is one."""
    path = Path(TOML_NAME)
    return path if path.exists() else None


def settings_from_env(arguments: Mapping[str, Any]) -> Settings:
    """The settings of the command line in the current directory, with these fields set. Raises ConfigError."""
    return load_settings({}, os.environ, settings_file(), arguments=arguments).settings


Found = Iterator[tuple[Setting, str, str, Any]]  # setting, the name to show, origin, raw value


def _from_flags(flags: Mapping[str, str]) -> Found:
    for field, raw in flags.items():
        flag = _FLAGS.get(field) or "--" + field.replace("_", "-")
        if field not in BY_FIELD:
            raise ConfigError(f"Unknown flag {flag}.{suggestion(field, BY_FIELD)}")
        yield BY_FIELD[field], flag, "flag", raw


def _from_environment(environ: Mapping[str, str]) -> Found:
    injected = service_links(environ)
    for name in environ:
        if name.startswith(PREFIXES) and name not in _BY_NAME and name not in injected:
            raise ConfigError(f"Unknown environment variable {name}.{suggestion(name, _BY_NAME)}")
    for setting in SETTINGS:
        for name in setting.names:
            if environ.get(name, "").strip() and name not in injected:
                yield setting, name, f"environment {name}", environ[name]
                break


def _from_toml(path: Path | None) -> Found:
    if path is None:
        return
    known = {_key_in_file(name): setting for name, setting in _BY_NAME.items()}
    tree = _parse_toml(path)
    if isinstance(tree.get(ACCOUNTS), dict):
        raise ConfigError(f"[{ACCOUNTS}] in {path} must be [[{ACCOUNTS}]], once for each account.")
    found = _flatten(tree)
    for key in found:
        if key not in known:
            raise ConfigError(f"Unknown key {key!r} in {path}.{suggestion(key, known)}")
    for setting in SETTINGS:
        for key in map(_key_in_file, setting.names):
            if key in found:
                yield setting, f"{key} in {path}", TOML_NAME, found[key]
                break


def _key_in_file(name: str) -> str:
    """What a setting of this name is called in the file."""
    return ACCOUNTS if name == "REALTIME_ACCOUNTS" else name.lower()


def _parse_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # some editors begin a file with a mark
    except FileNotFoundError:
        raise ConfigError(f"There is no settings file {path}.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not text in UTF-8: save it in this encoding.") from None
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from None


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{prefix}_{key}" if prefix else key
        for leaf, found in (_flatten(value, name) if isinstance(value, dict) else {name: value}).items():
            if leaf in flat:
                raise ConfigError(f"{leaf!r} is set twice in the settings file: keep one of the two.")
            flat[leaf] = found
    return flat


def _choose_cache(values: dict[str, Any], origins: dict[str, str], environ: Mapping[str, str]) -> None:
    base = environ.get("XDG_CACHE_HOME", "")
    # A relative one counts as unset, as its specification says
    if "cache_dir" not in values and os.path.isabs(base):
        values["cache_dir"] = os.path.join(base, CACHE_NAME)
        origins["cache_dir"] = "environment XDG_CACHE_HOME"


def check_binding(settings: Settings) -> None:
    """Check who can reach the server. Raises ConfigError unless it is loopback only, has keys, or is `--open`."""
    if settings.api_keys or settings.open_to_all or is_loopback(settings.host):
        return
    raise ConfigError(
        f"Binding to {settings.host} would let anyone on the network spend your key: set REALTIME_API_KEYS, "
        "or say --open if that is what you want."
    )


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """Every key in the settings that is a secret: that of the sandbox is an ordinary word."""
    values = [getattr(settings, setting.field) for setting in SETTINGS if setting.secret]
    every = (key for value in values for key in (value if isinstance(value, tuple) else (value,)) if key)
    keys = (key.api_key if isinstance(key, Account) else key for key in every)
    return tuple(key for key in keys if key != SANDBOX_KEY)


def mask(key: str) -> str:
    """A key as it may be printed: enough to recognise it, not enough to use it."""
    return f"{key[:3]}…{key[-2:]}" if len(key) >= 16 else "…"


def describe(loaded: Loaded) -> Iterator[tuple[str, str, str]]:
    """Every setting as (name, value with keys masked, origin), to print."""
    for setting in SETTINGS:
        value = getattr(loaded.settings, setting.field)
        shown = value if isinstance(value, tuple) else (value,)
        texts = [_masked(v) if setting.secret else _shown(v) for v in shown if v is not None]
        origin = loaded.origins[setting.field]
        name = next((n for n in setting.names if origin == f"environment {n}"), setting.names[-1])
        yield name, ", ".join(texts) or "none", origin


def _masked(value: object) -> str:
    return f"{value.name} {mask(value.api_key)}" if isinstance(value, Account) else mask(str(value))


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
