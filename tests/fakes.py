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
]


def call(name: str, arguments: str, call_id: str = "call_1", index: int = 0) -> ToolCallDelta:
    return ToolCallDelta(index, call_id, name, arguments)
