"""The voices: those of the system and those that an account created; `/v1/get_voice` and `/v1/delete_voice`.

Created voices are in `SandboxState.voices`; a voice is listed after its first use, and one that is not
used within seven days is deleted (docs/minimax/voices.md 2, 4, 5). Every key is an account of its own here: only the
account that created a voice can use, list and delete it.
"""

from __future__ import annotations

import datetime
import hashlib
from typing import Any

from aiohttp import web

from . import fields
from .context import KEPT_VOICES, SandboxState
from .native import Call, Endpoint, add_endpoint
from .refusal import Refusal
from .voice_table import SYSTEM_VOICES
from .voice_traits import Traits

__all__ = [
    "SYSTEM_VOICES",
    "VOICE_TYPES",
    "account_of",
    "add_routes",
    "create_voice",
    "is_foreign",
    "is_taken",
    "is_voice",
    "traits_of",
    "use_voice",
]

VOICE_TYPES = ("voice_cloning", "voice_generation")


def add_routes(app: web.Application) -> None:
    """Register the two endpoints."""
    add_endpoint(app, "POST", "/v1/get_voice", Endpoint("voice", get_voice))
    add_endpoint(app, "POST", "/v1/delete_voice", Endpoint("voice", delete_voice))


def is_voice(state: SandboxState, voice_id: str) -> bool:
    """Whether the voice can be used; if not, the platform answers 2054."""
    if voice_id in SYSTEM_VOICES:
        return True
    voice = state.voices.get(voice_id)
    return voice is not None and not voice["deleted"] and not _expired(state, voice)


def account_of(request: web.Request) -> str:
    """The account of a request: a name made from its key, which the sandbox does not keep."""
    _, _, key = request.headers.get("Authorization", "").partition(" ")
    key = key or request.headers.get("x-api-key", "")  # Anthropic's clients send it so
    return hashlib.sha256(key.strip().encode()).hexdigest()[:16]


def is_foreign(state: SandboxState, voice_id: str, account: str) -> bool:
    """Whether another account created the voice (2042)."""
    voice = state.voices.get(voice_id)
    return voice is not None and voice["account"] not in ("", account)


def is_taken(state: SandboxState, voice_id: str) -> bool:
    """Whether the id is taken for a new voice (2039); the id of a deleted voice stays taken."""
    return voice_id in SYSTEM_VOICES or voice_id in state.voices


def traits_of(state: SandboxState, voice_id: str) -> Traits | None:
    """How a created voice sounds. None for a system voice, whose id says it."""
    voice = state.voices.get(voice_id)
    traits: Traits | None = voice["traits"] if voice else None
    return traits


def create_voice(
    state: SandboxState,
    voice_id: str,
    voice_type: str,
    description: list[str],
    traits: Traits | None = None,
    account: str = "",
) -> None:
    """Register a created voice. `voice_type` is one of VOICE_TYPES.

    Without traits the id decides its sound; without an account every account can use it.
    """
    now = datetime.datetime.fromtimestamp(state.clock.unix_s(), datetime.UTC)
    state.voices[voice_id] = {
        "voice_type": voice_type,
        "description": description,
        "created_time": now.strftime("%Y-%m-%d"),
        "created_unix": str(int(now.timestamp())),
        "created_s": state.clock.now_s(),
        "traits": traits,
        "account": account,
        "used": False,
        "deleted": False,
    }
    while len(state.voices) > KEPT_VOICES:
        del state.voices[next(iter(state.voices))]


def use_voice(state: SandboxState, voice_id: str) -> None:
    """Record the use of a voice: a created one becomes permanent and is listed."""
    if voice_id in state.voices:
        state.voices[voice_id]["used"] = True


def _expired(state: SandboxState, voice: dict[str, Any]) -> bool:
    age_s = state.clock.now_s() - float(voice["created_s"])
    return not voice["used"] and age_s > state.options["life.voice_h"] * 3600


async def get_voice(call: Call) -> dict[str, Any]:
    """The voices of a type, or of all types."""
    wanted = call.body.get("voice_type")
    if wanted not in ("system", "all", "music_generation", *VOICE_TYPES):
        raise fields.invalid("voice_type")
    answer: dict[str, Any] = {}
    if wanted in ("system", "all"):
        answer["system_voice"] = [
            {"voice_id": voice, "voice_name": name, "description": [name], "created_time": "1970-01-01"}
            for voice, name in SYSTEM_VOICES.items()
        ]
    for kind in VOICE_TYPES:
        if wanted in (kind, "all"):
            answer[kind] = _created(call.state, kind, account_of(call.request))
    if wanted == "music_generation":
        answer["music_generation"] = []
    return answer


def _created(state: SandboxState, kind: str, account: str) -> list[dict[str, Any]]:
    return [
        {"voice_id": voice_id, "description": voice["description"], "created_time": voice["created_time"]}
        for voice_id, voice in state.voices.items()
        if voice["voice_type"] == kind
        and voice["used"]
        and not voice["deleted"]
        and not is_foreign(state, voice_id, account)
    ]


async def delete_voice(call: Call) -> dict[str, Any]:
    """Delete a created voice permanently."""
    kind = fields.one_of(call.body, "voice_type", VOICE_TYPES)
    voice_id = fields.text(call.body, "voice_id")
    voice = call.state.voices.get(voice_id)
    if voice is None or voice["deleted"] or voice["voice_type"] != kind:
        raise fields.invalid("voice_id")
    if is_foreign(call.state, voice_id, account_of(call.request)):
        raise Refusal(2042)
    voice["deleted"] = True
    return {"voice_id": voice_id, "created_time": voice["created_unix"]}
