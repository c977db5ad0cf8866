"""Names of voices as clients send them: OpenAI's own names, custom voices, and all others (docs/wire.md 3.1).

Does not know which voices the speech platform has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from realtime.protocol.checks import Fields
from realtime.protocol.session_values import read_name

# Every name that OpenAI's clients offer, for conversations and for speech: the speech platform does not know them.
OPENAI_VOICES = frozenset(
    """
    alloy ash ballad beacon bossa cedar cinder coral delta echo fable gleam marin meridian nova onyx quartz ripple sage
    shida shimmer stone tempo verse vesper willow
    """.split()
)
_OPENAI_CUSTOM = re.compile(r"voice_[0-9A-Za-z]+", re.ASCII)  # not `voice_agent_...`, which the platform has


@dataclass(frozen=True, slots=True)
class VoiceObject:
    """A voice that was sent as an object with an `id`, as clients do with custom voices."""

    id: str


VoiceName = str | VoiceObject


def read_voice(value: Any, path: str) -> VoiceName:
    """The name of a voice, given as a string or as an object with an `id`. Raises ProtocolError."""
    if not isinstance(value, dict):
        return read_name(value, path)
    sent = Fields(value, path)
    voice = VoiceObject(sent.required("id", read_name))
    sent.close()
    return voice


def voice_id(voice: VoiceName) -> str:
    """The name as it was sent, for the wire: always a string, because many clients cannot read an object there."""
    return voice.id if isinstance(voice, VoiceObject) else voice


def platform_voice(voice: VoiceName, configured: str) -> str:
    """The speech platform's voice for a client's name.

    OpenAI's names, in any case, and its custom voices (`{"id": "voice_1234"}`) select the configured voice.
    """
    name = voice_id(voice).strip()
    if name.lower() in OPENAI_VOICES:
        return configured
    if isinstance(voice, VoiceObject) and _OPENAI_CUSTOM.fullmatch(name):
        return configured
    return name
