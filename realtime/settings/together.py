"""What the given settings mean together: the accounts, the key and the limits of the platform, what needs what.

The same for a program (`Settings(...)`) and for the command line (`load`). It works on the values that were given, by
field; what is not in them has its default. Reads no text, and looks at no environment.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from realtime.errors import ConfigError
from realtime.settings.accounts import DEFAULT, OWN, completed
from realtime.settings.hosts import is_loopback, is_mainland
from realtime.settings.model import Account, Settings

SANDBOX_KEY = "sandbox"
MAINLAND_SPEECH_RPM = 20  # requests a minute of an ordinary account


def complete(values: dict[str, Any], origins: dict[str, str]) -> None:
    """Add what follows from the given values, and where each addition came from. Raises ConfigError."""
    _choose_accounts(values, origins)
    _choose_platform(values, origins)
    _check_together(values)


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


def _check_together(values: Mapping[str, Any]) -> None:
    if values.get("chat_base_url") and "chat_model" not in values:
        raise ConfigError("CHAT_BASE_URL is set but no model: name the model to use there with CHAT_MODEL.")
    if bool(values.get("tls_cert")) != bool(values.get("tls_key")):
        missing = "--tls-key" if values.get("tls_cert") else "--tls-cert"
        raise ConfigError(f"TLS needs a certificate and its key: {missing} is missing.")
    for field in ("tls_cert", "tls_key"):
        if values.get(field) and not os.path.exists(values[field]):
            raise ConfigError(f"--{field.replace('_', '-')}: there is no file {values[field]}.")
