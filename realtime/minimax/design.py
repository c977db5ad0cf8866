"""A voice from a description: the request and its answer (docs/minimax/voices.md 3). The call itself is in `voices`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from realtime.errors import AnswerLost, ProviderUnavailable
from realtime.minimax.clone import check_voice_id
from realtime.minimax.field_tables import DESIGN
from realtime.minimax.fields import build
from realtime.minimax.media_result import MediaResult, from_hex
from realtime.minimax.results import text


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignedVoice(MediaResult):
    """A new voice and `audio`, an mp3 in which it says the text. It is deleted after 168 h unless it is used."""

    id: str

    @property
    def audio(self) -> bytes:
        return self.data or b""


def design_body(
    prompt: str,
    say: str,
    voice_id: str | None,
    watermark: bool | None = None,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The body of a design, checked. Raises InvalidArgument."""
    values = {"prompt": prompt, "say": say, "voice_id": voice_id, "watermark": watermark}
    body = build(DESIGN, values, extra)
    if voice_id is not None:
        check_voice_id(voice_id)
    return body


async def designed_voice(answer: Mapping[str, Any], voice_id: str | None) -> DesignedVoice:
    """From the platform's answer. A preview that is broken is empty: the voice is made and paid for, so keep its id.

    Raises AnswerLost for an answer without an id: the design may have been charged.
    """
    found = text(answer, "voice_id") or voice_id or ""
    if not found:
        raise AnswerLost("MiniMax: the design was answered without a voice id. It may have been charged.")
    try:
        audio = await from_hex(text(answer, "trial_audio"))
    except ProviderUnavailable:
        audio = b""
    return DesignedVoice(id=found, data=audio, raw=answer, trace_id=text(answer, "trace_id") or None)
