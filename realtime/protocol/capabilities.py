"""What a server offers, as the JSON of `GET /v1/capabilities` (docs/wire.md 1.7). Values only; knows no server."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType


class OfferedVoice(Struct, frozen=True, kw_only=True):
    """A voice that the platform lists. `languages` are those that its name tells: every voice speaks every language."""

    id: str
    name: str
    kind: Literal["system", "cloned", "designed"]
    languages: tuple[str, ...] = ()
    gender: Literal["female", "male"] | UnsetType = UNSET


class Limits(Struct, frozen=True, kw_only=True):
    """Lengths in seconds, numbers of things, and characters (docs/wire.md 1.4)."""

    session_s: float
    sessions: int
    sessions_per_key: int | UnsetType = UNSET  # absent: no limit but `sessions`
    resume_s: float  # how long a lost session waits for its client
    items: int  # of a conversation
    text_characters: int  # of one item
    instructions_characters: int
    tools: int


class Public(Struct, frozen=True, kw_only=True):
    """What everybody may know: what the protocol of this server has, and whether it needs a key."""

    object: Literal["realtime.capabilities"] = "realtime.capabilities"
    key_required: bool
    transcription: bool  # speech is detected and transcribed
    extensions: tuple[str, ...]
    turn_detection: tuple[str, ...]


class Capabilities(Public, frozen=True, kw_only=True):
    """What those may know who may open a session."""

    version: str
    sandbox: bool
    models: tuple[str, ...]
    default_voice: str
    voices: tuple[OfferedVoice, ...]
    languages: tuple[str, ...]  # codes (ISO 639) that the voices speak
    limits: Limits
    tools: tuple[str, ...]  # names of those that the server runs itself
