"""The fake providers of the package, and a helper for function calls."""

from realtime.core.messages import ToolCallDelta
from realtime.providers.testing import (
    MS_PER_CHARACTER,
    FakeChat,
    FakeEndOfTurnModel,
    FakeSpeech,
    FakeTranscriber,
    FakeUtterance,
    FakeVad,
    FakeVoiceStream,
)

__all__ = [
    "MS_PER_CHARACTER",
    "FakeChat",
    "FakeEndOfTurnModel",
    "FakeSpeech",
    "FakeTranscriber",
    "FakeUtterance",
    "FakeVad",
    "FakeVoiceStream",
    "call",
    "functions",
]


def call(name: str, arguments: str, call_id: str = "call_1", index: int = 0) -> ToolCallDelta:
    return ToolCallDelta(index, call_id, name, arguments)


def functions(*names: str) -> list[dict]:
    """Tools of a client, for its session: the model may only call what it is offered."""
    return [{"type": "function", "name": name} for name in names]
