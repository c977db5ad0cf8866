"""The features of each chat model, by its id (docs/minimax/chat.md 1 and 2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

_MILLION = 1_000_192  # tokens, of the models before M2


class Endpoint(Enum):
    """The two chat addresses of the platform."""

    COMPLETIONS = "/v1/chat/completions"
    NATIVE = "/v1/text/chatcompletion_v2"


@dataclass(frozen=True, slots=True)
class ModelTraits:
    """`thinking_choice`: thinking can be switched (M3). `thinking_required`: it must be on (M3.1).
    `takes_schema`: it obeys `response_format`. `context_tokens`: the longest prompt, None where it is not published."""

    endpoint: Endpoint = Endpoint.COMPLETIONS
    thinking_choice: bool = False
    thinking_required: bool = False
    sees_images: bool = False
    takes_tools: bool = True
    takes_schema: bool = False
    context_tokens: int | None = None


def traits_of(model: str) -> ModelTraits:
    """The traits of a model id. An unknown model gets the defaults."""
    if model.startswith("M2-her"):
        return ModelTraits(endpoint=Endpoint.NATIVE, takes_tools=False, context_tokens=64_000)
    if model.startswith("MiniMax-M1"):
        return ModelTraits(endpoint=Endpoint.NATIVE, context_tokens=_MILLION)
    if model.startswith("MiniMax-Text-01"):
        return ModelTraits(
            endpoint=Endpoint.NATIVE, sees_images=True, takes_schema=True, context_tokens=_MILLION
        )
    if model.startswith("MiniMax-M3."):
        return ModelTraits(thinking_required=True, sees_images=True, context_tokens=1_000_000)
    if model.startswith("MiniMax-M3"):
        return ModelTraits(thinking_choice=True, sees_images=True, context_tokens=1_000_000)
    if model.startswith("MiniMax-M2"):
        return ModelTraits(context_tokens=204_800)
    return ModelTraits()
