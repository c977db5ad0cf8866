"""The rules of cloning that the platform has between fields, and what it answers (docs/minimax/voices.md 2).

Pure but for `ClonedVoice`, whose demo is downloaded. The call itself is in `voices`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from realtime.errors import InvalidArgument, ProviderError
from realtime.minimax.field_tables import CLONE
from realtime.minimax.fields import build, refused
from realtime.minimax.http import HttpClient
from realtime.minimax.media_result import MediaResult
from realtime.minimax.results import mapping, text, whole

KEPT_S = 168 * 3600.0  # how long a new voice lives that is not used
_VOICE_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]*[A-Za-z0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClonedVoice(MediaResult):
    """A new voice. It is deleted after 168 h (KEPT_S) unless it is used in speech; the demo is no use of it.

    Its file is the demo, whose link (`url`) lives for 24 h; `seconds` and `characters` are those of the demo, 0 without
    one. `file_id` is the recording on the platform.
    `sensitive_type` is 0 for a recording without an objection, else the platform's number (docs/minimax/chat.md 3).
    """

    id: str
    file_id: str = ""
    seconds: float = 0.0
    characters: int = 0
    sensitive_type: int = 0

    @property
    def has_demo(self) -> bool:
        return self.url is not None

    def _nothing(self) -> ProviderError:
        return InvalidArgument("This clone has no demo: give a text with say=.", param="say")


def clone_body(
    values: Mapping[str, Any], prompt_text: str | None, extra: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The body of a clone, checked; ids of files that are not uploaded yet are placeholders in it.

    Raises InvalidArgument.
    """
    body = build(CLONE, values, extra)
    check_voice_id(values["voice_id"])
    if values.get("say") is not None and not body.get("model"):
        raise InvalidArgument("model is missing: a demo (say) needs a speech model.", param="model")
    if prompt_text is not None:
        _check_prompt_text(prompt_text)
    return body


def check_voice_id(voice_id: str) -> None:
    """Raises InvalidArgument for an id that the platform does not take. The table of fields checks its length."""
    if not _VOICE_ID.fullmatch(voice_id):
        raise refused(
            "voice_id",
            repr(voice_id[:60]),
            "it begins with a Latin letter, has letters, digits, - and _, and ends in a letter or a digit",
        )


def check_prompt(prompt: object) -> None:
    """Raises InvalidArgument for anything but a recording together with its words."""
    if prompt is None:
        return
    if (
        not isinstance(prompt, tuple | list)
        or len(prompt) != 2
        or None in prompt
        or not isinstance(prompt[1], str)
    ):
        raise InvalidArgument("prompt is a recording and its text: give both, in a tuple.", param="prompt")


def _check_prompt_text(words: str) -> None:
    last = words.strip()[-1:]
    if not last:
        raise InvalidArgument("prompt is a recording without its text: give both.", param="prompt")
    if not unicodedata.category(last).startswith("P"):
        raise refused("prompt", f"a text that ends in {last!r}", "the text ends in a punctuation mark")


def cloned_voice(voice_id: str, file_id: int, answer: Mapping[str, Any], http: HttpClient) -> ClonedVoice:
    """From the platform's answer, which does not repeat the id. The mark for sensitive input has two shapes."""
    extra = mapping(answer, "extra_info")
    mark = mapping(answer, "input_sensitive")
    found = whole(mark, "type") or whole(answer, "input_sensitive_type")
    return ClonedVoice(
        id=voice_id,
        file_id=str(file_id),
        seconds=whole(extra, "audio_length") / 1000,
        characters=whole(extra, "usage_characters"),
        sensitive_type=found or int(answer.get("input_sensitive") is True),
        url=text(answer, "demo_audio") or None,
        raw=answer,
        trace_id=text(answer, "trace_id") or None,
        _http=http,
    )
