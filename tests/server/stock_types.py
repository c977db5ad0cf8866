"""Checks server events strictly against the type definitions of the stock client.

The stock client does not validate by itself: it passes a wrong event on to the application.
"""

from __future__ import annotations

import typing
from functools import cache
from typing import Any

import pytest

# Fields that may be null (docs/wire.md 2.4), by their last name.
NULLABLE = frozenset(
    "previous_item_id transcript code param event_id status_details usage metadata conversation_id tracing prompt "
    "transcription noise_reduction turn_detection idle_timeout_ms "
    "last_event_id".split()
)
EXTENSIONS = frozenset(
    "response.output_audio_words.delta response.latency.done session.resumed output_audio_buffer.gain_changed".split()
)


@cache
def _models() -> dict[str, Any]:
    openai = pytest.importorskip("openai.types.realtime", reason="the stock client is not installed")
    members: list[Any] = [openai.RealtimeServerEvent]
    models: dict[str, Any] = {}
    while members:
        member = members.pop()
        if typing.get_args(member) and not isinstance(member, type):
            members += typing.get_args(member)
        elif hasattr(member, "model_fields") and "type" in member.model_fields:
            for name in typing.get_args(member.model_fields["type"].annotation):
                models[name] = member
    return models


def check_event(event: dict[str, Any]) -> None:
    """Fails unless the stock client knows this event and every field has the right type."""
    assert isinstance(event.get("event_id"), str), event
    _check_nulls(event, event["type"])
    if event["type"] in EXTENSIONS:
        return
    model = _models()[event["type"]]
    model.model_validate(event, strict=True)


def _check_nulls(value: Any, path: str) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            assert inner is not None or name in NULLABLE, f"{path}.{name} is null"
            _check_nulls(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            assert inner is not None, f"null in {path}"
            _check_nulls(inner, path)
