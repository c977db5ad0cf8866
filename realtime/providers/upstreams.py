"""The services that the settings connect to, and the proxies on the way: what can be checked before the first turn.

Opens no connection.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from realtime.errors import ConfigError, ProviderUnavailable
from realtime.minimax.hosts import speech_urls_for
from realtime.minimax.proxies import Proxy, proxy_for
from realtime.settings import Settings
from realtime.settings.accounts import every_account, settings_for


def upstreams(settings: Settings) -> tuple[str, ...]:
    """The base URLs of the services, each once. The built-in sandbox is none: it is in this process."""
    urls: list[str | None] = [settings.chat_base_url]
    if not settings.use_sandbox:
        for its in [settings_for(settings, each) for each in every_account(settings)] or [settings]:
            urls += [its.base_url, *(its.speech_urls or speech_urls_for(its.base_url))]
    kind, _, address = settings.transcriber.partition(":")
    if kind == "openai":
        urls.append(address)
    return tuple(dict.fromkeys(url for url in urls if url))


def proxies_of(settings: Settings) -> dict[str, Proxy]:
    """The proxy to each host that is reached through one. Raises ConfigError for a proxy that cannot be used."""
    try:
        found = {urlsplit(url).netloc.rpartition("@")[2]: proxy_for(url) for url in upstreams(settings)}
    except ProviderUnavailable as error:
        raise ConfigError(error.message) from None
    except ValueError:  # an address that is none: the provider's own message says so
        return {}
    return {host: proxy for host, proxy in found.items() if proxy is not None}
