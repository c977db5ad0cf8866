"""What each chat model can do, from its id (shared/minimax chat.md 1 and 2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Endpoint(Enum):
    """The two chat addresses of the platform."""

    COMPLETIONS = "/v1/chat/completions"
    NATIVE = "/v1/text/chatcompletion_v2"


@dataclass(frozen=True, slots=True)
class ModelTraits:
    """`thinking`: can it be chosen (M3), is it required (M3.1), or is it not a parameter at all."""

    endpoint: Endpoint = Endpoint.COMPLETIONS
    thinking_choice: bool = False
    thinking_required: bool = False
    sees_images: bool = False
    takes_tools: bool = True


def traits_of(model: str) -> ModelTraits:
    """The traits of a model id; an unknown one is taken for the newest ordinary kind."""
    if model.startswith("M2-her"):
        return ModelTraits(endpoint=Endpoint.NATIVE, takes_tools=False)
    if model.startswith(("MiniMax-M1", "MiniMax-Text-01")):
        return ModelTraits(endpoint=Endpoint.NATIVE, sees_images=model.startswith("MiniMax-Text-01"))
    if model.startswith("MiniMax-M3."):
        return ModelTraits(thinking_required=True, sees_images=True)
    if model.startswith("MiniMax-M3"):
        return ModelTraits(thinking_choice=True, sees_images=True)
    return ModelTraits()
