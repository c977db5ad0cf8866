"""The provider roles of a conversation, the values they exchange, and in-memory fakes.

    from realtime.providers import ChatModel, ChatRequest, TextDelta, ChatFinish

The roles are in `base.py` and `store.py` of this folder, the fakes in `testing.py`, what every provider of a role
must do in `checks.py`; `docs/extending.md` shows how to add another provider. Names are imported when they are first
used, so that importing this package is cheap.

The modules, by what they are for:

    the roles           base, store, roles, quota, journal
    which of them       catalog, upstreams, shared_quotas
    the platform        minimax
    other services      openai_chat, openai_transcriber
    on this machine     silero, whisper, smart_turn, noise_reduction, worker_pool, weights, voice_weights,
                        onnx
    stores              memory_store, sqlite_store, sqlite_tables, sqlite_place, private_file, redis_store,
                        stored_order
    an account          memory_quota, connection_share, nodes
    through Redis       redis_link, redis_address, redis_errors, redis_report, redis_quota, redis_permit,
                        redis_journal, redis_index
    for tests           testing, checks
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_NAMES = {
    "realtime.core.messages": (
        "ChatEvent ChatFinish ChatMessage ChatRequest ChatUsage TextDelta Tool ToolCall ToolCallDelta WordTime"
    ),
    "realtime.core.playback_clock": "Latency",
    "realtime.core.prebuffer": "Delivery",
    "realtime.errors": (
        "ConversationForgotten ConversationTakenOver ProviderError ProviderRejected ProviderTimeout "
        "ProviderUnavailable"
    ),
    "realtime.providers.base": (
        "VAD_FRAME_SAMPLES VAD_RATE ChatModel EndOfTurnModel KnownVoice ListsVoices ProviderOverrides Providers "
        "Samples Speech SpeechAudio SpeechChunkDone SpeechEvent SpeechPaused SpeechWords Transcriber Transcript "
        "Utterance Voice VoiceDetector VoiceStream"
    ),
    "realtime.providers.checks": (
        "check_chat check_end_of_turn check_speech check_store check_transcriber check_voice_detector"
    ),
    "realtime.providers.store": (
        "FIRST_EPOCH Changes DropsConversations LateItem ListsConversations Store StoredSummary Taken"
    ),
    "realtime.providers.testing": (
        "FakeChat FakeEndOfTurnModel FakeSpeech FakeTranscriber FakeUtterance FakeVad FakeVoiceStream"
    ),
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = [
    "FIRST_EPOCH",
    "VAD_FRAME_SAMPLES",
    "VAD_RATE",
    "Changes",
    "ChatEvent",
    "ChatFinish",
    "ChatMessage",
    "ChatModel",
    "ChatRequest",
    "ChatUsage",
    "ConversationForgotten",
    "ConversationTakenOver",
    "Delivery",
    "DropsConversations",
    "EndOfTurnModel",
    "FakeChat",
    "FakeEndOfTurnModel",
    "FakeSpeech",
    "FakeTranscriber",
    "FakeUtterance",
    "FakeVad",
    "FakeVoiceStream",
    "KnownVoice",
    "LateItem",
    "Latency",
    "ListsConversations",
    "ListsVoices",
    "ProviderError",
    "ProviderOverrides",
    "ProviderRejected",
    "ProviderTimeout",
    "ProviderUnavailable",
    "Providers",
    "Samples",
    "Speech",
    "SpeechAudio",
    "SpeechChunkDone",
    "SpeechEvent",
    "SpeechPaused",
    "SpeechWords",
    "Store",
    "StoredSummary",
    "Taken",
    "TextDelta",
    "Tool",
    "ToolCall",
    "ToolCallDelta",
    "Transcriber",
    "Transcript",
    "Utterance",
    "Voice",
    "VoiceDetector",
    "VoiceStream",
    "WordTime",
    "check_chat",
    "check_end_of_turn",
    "check_speech",
    "check_store",
    "check_transcriber",
    "check_voice_detector",
]

if TYPE_CHECKING:
    from realtime.core.messages import (
        ChatEvent,
        ChatFinish,
        ChatMessage,
        ChatRequest,
        ChatUsage,
        TextDelta,
        Tool,
        ToolCall,
        ToolCallDelta,
        WordTime,
    )
    from realtime.core.playback_clock import Latency
    from realtime.core.prebuffer import Delivery
    from realtime.errors import (
        ConversationForgotten,
        ConversationTakenOver,
        ProviderError,
        ProviderRejected,
        ProviderTimeout,
        ProviderUnavailable,
    )
    from realtime.providers.base import (
        VAD_FRAME_SAMPLES,
        VAD_RATE,
        ChatModel,
        EndOfTurnModel,
        KnownVoice,
        ListsVoices,
        ProviderOverrides,
        Providers,
        Samples,
        Speech,
        SpeechAudio,
        SpeechChunkDone,
        SpeechEvent,
        SpeechPaused,
        SpeechWords,
        Transcriber,
        Transcript,
        Utterance,
        Voice,
        VoiceDetector,
        VoiceStream,
    )
    from realtime.providers.checks import (
        check_chat,
        check_end_of_turn,
        check_speech,
        check_store,
        check_transcriber,
        check_voice_detector,
    )
    from realtime.providers.store import (
        FIRST_EPOCH,
        Changes,
        DropsConversations,
        LateItem,
        ListsConversations,
        Store,
        StoredSummary,
        Taken,
    )
    from realtime.providers.testing import (
        FakeChat,
        FakeEndOfTurnModel,
        FakeSpeech,
        FakeTranscriber,
        FakeUtterance,
        FakeVad,
        FakeVoiceStream,
    )


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'realtime.providers' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
