"""Loads the settings: arguments override flags, then the environment, then `realtime.toml`, then the defaults.

It converts each value once and records where it came from, for `realtime doctor`. It opens no connection and keeps no
state. No other module reads the environment.
"""

from __future__ import annotations

import dataclasses
import difflib
import ipaddress
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from realtime.errors import ConfigError
from realtime.settings.accounts import DEFAULT, OWN, completed
from realtime.settings.model import Account, Settings
from realtime.settings.service_links import service_links
from realtime.settings.table import SETTINGS, Setting

TOML_NAME = "realtime.toml"
ACCOUNTS = "accounts"  # in that file: [[accounts]]
SANDBOX_KEY = "sandbox"
MAINLAND_SPEECH_RPM = 20  # requests a minute of an ordinary account
_MAINLAND_DOMAINS = ("minimaxi.com", "minimax.cn")
CACHE_NAME = "minimax-realtime"
_FLAGS = {"base_url": "--url", "voice_id": "--voice", "speech_model": "--model", "chat_model": "--model"}
_PREFIXES = ("MINIMAX_", "REALTIME_")


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
_BY_FIELD: Mapping[str, Setting] = {setting.field: setting for setting in SETTINGS}
# Names that other MiniMax tools use for the same thing.
_KNOWN_ELSEWHERE = {"MINIMAX_API_HOST": "MINIMAX_BASE_URL", "MINIMAX_MODEL": "MINIMAX_CHAT_MODEL"}


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
    origins = {field.name: "default" for field in dataclasses.fields(Settings)}
    sources = (
        _from_toml(toml_path),
        _from_environment(environ),
        _from_flags(flags),
        _from_arguments(arguments),
    )
    for source in sources:  # a later one overrides an earlier one
        for setting, shown_name, origin, raw in source:
            values[setting.field] = None if raw is None else _read(setting, shown_name, raw)
            origins[setting.field] = origin
    _choose_accounts(values, origins)
    _choose_platform(values, origins)
    _choose_cache(values, origins, environ)
    _check_together(values, origins)
    ignored = sorted(name for name in service_links(environ) if name.startswith(_PREFIXES))
    return Loaded(Settings(**values), MappingProxyType(origins), tuple(ignored))


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
        if field not in _BY_FIELD:
            raise ConfigError(f"Unknown flag {flag}.{_suggestion(field, _BY_FIELD)}")
        yield _BY_FIELD[field], flag, "flag", raw


def _from_arguments(arguments: Mapping[str, Any]) -> Found:
    defaults = Settings()
    for field, value in arguments.items():
        if field not in _BY_FIELD:
            raise ConfigError(f"There is no setting {field!r}.{_suggestion(field, _BY_FIELD)}")
        if value is None and getattr(defaults, field) is not None:
            raise ConfigError(f"{field} cannot be None: leave it out for its default.")
        yield _BY_FIELD[field], field, "argument", value


def _from_environment(environ: Mapping[str, str]) -> Found:
    injected = service_links(environ)
    for name in environ:
        if name.startswith(_PREFIXES) and name not in _BY_NAME and name not in injected:
            raise ConfigError(f"Unknown environment variable {name}.{_suggestion(name, _BY_NAME)}")
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
            raise ConfigError(f"Unknown key {key!r} in {path}.{_suggestion(key, known)}")
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


def _read(setting: Setting, shown_name: str, raw: Any) -> Any:
    try:
        return setting.read(raw)
    except ValueError as problem:
        shown = "" if setting.secret else f", not {raw!r}"
        raise ConfigError(f"{shown_name} must be {problem}{shown}.") from None


def _suggestion(name: str, known: Mapping[str, Setting]) -> str:
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
            if word in (setting.field, *(key.lower().removeprefix(start.lower()) for start in _PREFIXES)):
                return key
        _, _, word = word.partition("_")
    return None


def _choose_accounts(values: dict[str, Any], origins: dict[str, str]) -> None:
    """Complete the accounts. The first one is the default: that of MINIMAX_API_KEY, else the first of the list."""
    given = values.get("accounts")
    if not given:
        return
    if values.get("api_key", "") is None:  # the sandbox is wanted
        values["accounts"], origins["accounts"] = (), "default"
        return
    whole = [_completed(account, values) for account in given]
    default = None
    if "api_key" in values:
        said = {field: values[field] for field in OWN if field in values}
        default = _completed(Account(DEFAULT, **said), values)
    values["accounts"] = completed(whole, default, values.get("api_keys", ()))
    if default is None:
        said = {field: value for field in OWN if (value := getattr(given[0], field))}
        if "speech_urls" in values:
            said["speech_urls"] = whole[0].speech_urls
        values |= said
        origins |= dict.fromkeys(said, origins["accounts"])


def _completed(account: Account, values: Mapping[str, Any]) -> Account:
    """The account with the limits of the settings, and of its region, where it says none itself."""
    usual = Settings()
    base_url = values.get("base_url", usual.base_url)
    here = account.base_url in (None, base_url)
    mainland = is_mainland(account.base_url or base_url)
    return dataclasses.replace(
        account,
        base_url=account.base_url or base_url,
        speech_urls=account.speech_urls or (values.get("speech_urls", ()) if here else ()),
        speech_rpm=account.speech_rpm
        or values.get("speech_rpm", MAINLAND_SPEECH_RPM if mainland else usual.speech_rpm),
        chat_rpm=account.chat_rpm or values.get("chat_rpm", usual.chat_rpm),
        speech_connections=account.speech_connections
        or values.get("speech_connections", usual.speech_connections),
    )


def _choose_platform(values: dict[str, Any], origins: dict[str, str]) -> None:
    """Set what depends on the platform: the key of a sandbox, and the speech budget of the mainland."""
    base_url = values.get("base_url")
    if base_url is not None and "api_key" not in values:
        if not is_loopback(urlsplit(base_url).hostname or ""):
            raise ConfigError(
                f"MINIMAX_BASE_URL is {base_url} but there is no key: set MINIMAX_API_KEY, "
                "or unset both to talk to the built-in sandbox."
            )
        values["api_key"] = SANDBOX_KEY
    has_key = values.get("api_key") is not None
    if has_key and "speech_rpm" not in values and is_mainland(base_url or Settings().base_url):
        values["speech_rpm"] = MAINLAND_SPEECH_RPM
        origins["speech_rpm"] = "default of mainland accounts"


def _choose_cache(values: dict[str, Any], origins: dict[str, str], environ: Mapping[str, str]) -> None:
    base = environ.get("XDG_CACHE_HOME", "")
    # A relative one counts as unset, as its specification says
    if "cache_dir" not in values and os.path.isabs(base):
        values["cache_dir"] = os.path.join(base, CACHE_NAME)
        origins["cache_dir"] = "environment XDG_CACHE_HOME"


def _check_together(values: Mapping[str, Any], origins: Mapping[str, str]) -> None:
    if values.get("chat_base_url") and origins["chat_model"] == "default":
        raise ConfigError("CHAT_BASE_URL is set but no model: name the model to use there with CHAT_MODEL.")
    if bool(values.get("tls_cert")) != bool(values.get("tls_key")):
        missing = "--tls-key" if values.get("tls_cert") else "--tls-cert"
        raise ConfigError(f"TLS needs a certificate and its key: {missing} is missing.")
    for field in ("tls_cert", "tls_key"):
        if values.get(field) and not os.path.exists(values[field]):
            raise ConfigError(f"--{field.replace('_', '-')}: there is no file {values[field]}.")


def check_binding(settings: Settings) -> None:
    """Check who can reach the server. Raises ConfigError unless it is loopback only, has keys, or is `--open`."""
    if settings.api_keys or settings.open_to_all or is_loopback(settings.host):
        return
    raise ConfigError(
        f"Binding to {settings.host} would let anyone on the network spend your key: set REALTIME_API_KEYS, "
        "or say --open if that is what you want."
    )


def is_loopback(host: str) -> bool:
    """Whether this host name or address can only be this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def is_mainland(base_url: str) -> bool:
    """Whether this address is the mainland platform. Its keys do not work on the international one."""
    host = urlsplit(base_url).hostname or ""
    return any(host == domain or host.endswith("." + domain) for domain in _MAINLAND_DOMAINS)


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """Every key in the settings."""
    values = [getattr(settings, setting.field) for setting in SETTINGS if setting.secret]
    every = (key for value in values for key in (value if isinstance(value, tuple) else (value,)) if key)
    return tuple(key.api_key if isinstance(key, Account) else key for key in every)


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
