"""Any OpenAI-compatible chat service in the role `ChatModel`."""

from __future__ import annotations

from urllib.parse import urlsplit

from realtime.errors import ConfigError
from realtime.minimax.chat import Chat
from realtime.minimax.chat_call import Dialect
from realtime.minimax.http import HttpClient
from realtime.providers.minimax.chat import ChatProvider
from realtime.settings import Settings

_PATH = "/chat/completions"
_OWN_PATHS = ("/api/chat", "/api/generate")  # of Ollama: another request, another answer


def create(settings: Settings) -> ChatProvider:
    """The provider for `chat_base_url` (with or without `/v1`) and `chat_model`. Raises ConfigError without a URL."""
    if not settings.chat_base_url:
        raise ConfigError("There is no address for the chat service: set CHAT_BASE_URL.")
    address = urlsplit(settings.chat_base_url)
    if not address.hostname:
        raise ConfigError(f"CHAT_BASE_URL is not a URL: {settings.chat_base_url!r}.")
    base_url = settings.chat_base_url.rstrip("/").removesuffix(_PATH)
    if address.path.rstrip("/").endswith(_OWN_PATHS):
        raise ConfigError(
            f"CHAT_BASE_URL is Ollama's own address ({address.path}): set its OpenAI address, "
            f"{address.scheme}://{address.netloc.rpartition('@')[2]}/v1."
        )
    if not address.path.strip("/"):
        base_url += "/v1"
    http = HttpClient(base_url, settings.chat_api_key, service=address.hostname)
    chat = Chat(
        http,
        model=settings.chat_model,
        dialect=Dialect.OPENAI,
        path=_PATH,
        models_path="/models",
        # OpenAI's newer models refuse the old name of this field; most other services know only the old name.
        token_field="max_completion_tokens" if address.hostname.endswith("openai.com") else "max_tokens",
    )
    return ChatProvider(
        chat,
        sees_images=True,
        rpm=settings.chat_rpm,
        budget_wait_s=settings.budget_wait_s,
        first_timeout_s=settings.chat_first_timeout_s,
        gap_timeout_s=settings.chat_gap_timeout_s,
        address=base_url,
    )
