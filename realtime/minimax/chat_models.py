"""Counting a prompt's tokens and listing the models, both of the platform's Anthropic side (docs/minimax/anthropic.md).

Nothing here costs anything. The body of a count is that of the dialect without the fields of the output.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from realtime.errors import InvalidArgument, ProviderRejected, ProviderUnavailable
from realtime.minimax.chat_anthropic import COUNT_PATH, HEADERS, MODELS_PATH, prompt_fields
from realtime.minimax.chat_call import ChatCall
from realtime.minimax.door import Door
from realtime.minimax.operations import OPERATIONS

_PAGE = 100
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class ChatModelInfo:
    """One chat model. `created_at` is None where the platform says nothing that is a time."""

    id: str
    display_name: str
    created_at: datetime | None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


async def count_tokens(door: Door, call: ChatCall, *, timeout_s: float) -> int:
    """The tokens of the prompt. `timeout_s` bounds each try. Raises ProviderError."""
    body = prompt_fields(call)
    answer = await door.attempts(
        OPERATIONS["chat.count_tokens"],
        lambda host: door.http.json(
            "POST", COUNT_PATH, body=body, headers=HEADERS, timeout_s=timeout_s, base_url=host
        ),
    )
    count = answer.get("input_tokens")
    if not isinstance(count, int):
        raise ProviderUnavailable(f"{door.http.service}: {COUNT_PATH} did not answer with a count.")
    return count


async def list_models(door: Door) -> AsyncGenerator[ChatModelInfo, None]:
    """All models; pages are fetched as needed. Raises ProviderError."""
    after: str | None = None
    while True:
        query = f"?limit={_PAGE}" + (f"&after_id={quote(after, safe='')}" if after else "")
        answer = await _models(door, MODELS_PATH + query)
        items = [item for item in answer.get("data") or () if isinstance(item, Mapping) and item.get("id")]
        for item in items:
            yield _model(item)
        last = answer.get("last_id") or (items[-1]["id"] if items else None)
        if answer.get("has_more") is not True or not items or last == after:
            return
        after = str(last)


async def get_model(door: Door, model: str) -> ChatModelInfo:
    """One model by its id. Raises ProviderError; InvalidArgument for an unknown one."""
    try:
        return _model(await _models(door, f"{MODELS_PATH}/{quote(model, safe='')}"))
    except ProviderRejected as error:
        if error.upstream_code != _NOT_FOUND:
            raise
        raise InvalidArgument(
            f"{door.http.service}: there is no model {model!r}.", param="model", upstream_code=_NOT_FOUND
        ) from error


async def _models(door: Door, path: str) -> dict[str, Any]:
    return await door.attempts(
        OPERATIONS["models"], lambda host: door.http.json("GET", path, headers=HEADERS, base_url=host)
    )


def _model(item: Mapping[str, Any]) -> ChatModelInfo:
    model_id = str(item.get("id") or "")
    try:
        created_at = datetime.fromisoformat(str(item.get("created_at")))
    except ValueError:
        created_at = None
    return ChatModelInfo(model_id, str(item.get("display_name") or model_id), created_at, item)
