"""One session's settings as a frozen value: the defaults, the changes by a client, and the session object on the wire.

Knows the rules for merging and the names that are rejected. Does not know what a setting does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec

from realtime.protocol import checks, client_json
from realtime.protocol import session_values as values
from realtime.protocol.checks import Fields
from realtime.protocol.raw_events import check_values
from realtime.protocol.response_options import (
    ResponseOptions,
    ResponseParams,
    read_response_params,
    response_options,
)
from realtime.protocol.session_values import (
    DEFAULT_TURN_DETECTION,
    AudioFormat,
    FunctionTool,
    NoiseReduction,
    SemanticVad,
    ServerVad,
    ToolChoice,
    Transcription,
    Truncation,
    TurnDetection,
)
from realtime.protocol.voices import VoiceName, read_voice, voice_id

__all__ = [
    "EXTENSIONS",
    "AudioFormat",
    "ClientSecretRequest",
    "FunctionTool",
    "NoiseReduction",
    "ResponseOptions",
    "ResponseParams",
    "SemanticVad",
    "ServerVad",
    "SessionConfig",
    "ToolChoice",
    "Transcription",
    "Truncation",
    "TurnDetection",
    "apply",
    "extensions_from_query",
    "from_client_secret",
    "read_response_params",
    "response_options",
    "to_wire",
]

EXTENSIONS = ("playback", "words", "latency", "resume")

# Keys of the beta protocol and the ones that replace them, relative to `session`.
RENAMED_SESSION_KEYS = {
    "modalities": "output_modalities",
    "voice": "audio.output.voice",
    "input_audio_format": "audio.input.format",
    "output_audio_format": "audio.output.format",
    "input_audio_transcription": "audio.input.transcription",
    "input_audio_noise_reduction": "audio.input.noise_reduction",
    "turn_detection": "audio.input.turn_detection",
    "max_response_output_tokens": "max_output_tokens",
}

_AUTO_TOOL_CHOICE = ToolChoice()
_AUTO_TRUNCATION = Truncation()
_DEFAULT_TRANSCRIPTION = Transcription(model="default")

MAX_SESSION_BYTES = 768 * 1024  # of the session object; some sockets refuse messages of over 1 MiB


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """All settings of one session. Built with the server's defaults as keyword arguments; changed by `apply`.

    `to_wire` writes None as null where the protocol has null, and leaves out the other fields that are None.
    """

    instructions: str = ""
    output_modality: Literal["audio", "text"] = "audio"
    tools: tuple[FunctionTool, ...] = ()
    tool_choice: ToolChoice = _AUTO_TOOL_CHOICE
    parallel_tool_calls: bool | None = None
    max_output_tokens: int | None = None  # None: "inf"
    temperature: float | None = None
    truncation: Truncation = _AUTO_TRUNCATION
    reasoning_effort: str | None = None
    prompt: Any = None  # echoed, without effect
    tracing: Any = None  # echoed, without effect
    include: tuple[str, ...] | None = None
    input_format: AudioFormat = AudioFormat.PCM
    transcription: Transcription | None = _DEFAULT_TRANSCRIPTION
    noise_reduction: NoiseReduction | None = None
    turn_detection: TurnDetection | None = DEFAULT_TURN_DETECTION
    output_format: AudioFormat = AudioFormat.PCM
    voice: VoiceName = "default"
    speed: float = 1.0
    extensions: tuple[str, ...] | None = None
    offered: tuple[str, ...] = EXTENSIONS  # of these a client may choose
    baseline: SessionConfig | None = None  # the server's defaults; None: this value holds them

    @property
    def defaults(self) -> SessionConfig:
        """The server's own settings: null from a client restores them."""
        return self.baseline or self

    @property
    def wire_max_output_tokens(self) -> int | Literal["inf"]:
        return "inf" if self.max_output_tokens is None else self.max_output_tokens

    def has(self, extension: str) -> bool:
        """Whether the client asked for this extension."""
        return extension in (self.extensions or ())


# --- changing ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Setting:
    """The attribute for a key of the protocol, its reader, and whether null switches the setting off."""

    attribute: str
    read: Callable[[Any, str], Any]
    null_is_off: bool = False


def _read_extensions(value: Any, path: str) -> tuple[str, ...]:
    asked = checks.each(checks.text, values.MAX_CHOICES)(value, path)
    return _known(asked)


def _known(asked: Iterable[str]) -> tuple[str, ...]:
    """The extensions among these names, each once."""
    names = set(asked)
    return tuple(name for name in EXTENSIONS if name in names)


_SESSION = {
    "instructions": _Setting("instructions", values.read_instructions),
    "output_modalities": _Setting("output_modality", values.read_modalities),
    "tools": _Setting("tools", values.read_tools),
    "tool_choice": _Setting("tool_choice", values.read_tool_choice),
    "parallel_tool_calls": _Setting("parallel_tool_calls", checks.flag),
    "max_output_tokens": _Setting("max_output_tokens", values.read_max_output_tokens),
    "temperature": _Setting("temperature", checks.number(0, 2)),
    "truncation": _Setting("truncation", values.read_truncation),
    "reasoning": _Setting("reasoning_effort", values.read_reasoning),
    "prompt": _Setting("prompt", values.read_prompt, null_is_off=True),
    "tracing": _Setting("tracing", values.read_tracing, null_is_off=True),
    "include": _Setting("include", values.read_include),
    "extensions": _Setting("extensions", _read_extensions),
}
_INPUT = {
    "format": _Setting("input_format", values.read_format),
    "transcription": _Setting("transcription", values.read_transcription, null_is_off=True),
    "turn_detection": _Setting("turn_detection", values.read_turn_detection, null_is_off=True),
}
_OUTPUT = {
    "format": _Setting("output_format", values.read_format),
    "voice": _Setting("voice", read_voice),
    "speed": _Setting("speed", checks.number(0.25, 1.5)),
}


def apply(config: SessionConfig, session_patch: dict[str, Any], *, input_busy: bool = False) -> SessionConfig:
    """The settings after this `session.update`: the same object if nothing changes. One invalid value rejects the
    whole update: raises ProtocolError.

    `input_busy`: audio is buffered or the user is speaking, so the input format cannot change.
    """
    sent = Fields(session_patch, "session")
    sent.reject_renamed(RENAMED_SESSION_KEYS)
    sent.optional("type", checks.choice(["realtime"]), "realtime")
    sent.maybe("model", values.read_name)  # cannot change after the session began
    sent.ignore(["id", "object", "expires_at", "resume_window_s"])
    changes = _changes(sent, _SESSION, config.defaults)
    if "audio" in sent:
        changes |= _audio_changes(sent, config)
    sent.close()
    if input_busy and changes.get("input_format", config.input_format) is not config.input_format:
        raise checks.invalid(
            "The input audio format cannot change while audio is buffered. "
            "Commit or clear the input audio buffer first.",
            "session.audio.input.format",
        )
    if changes.get("extensions") is not None:
        changes["extensions"] = _offered(config, changes["extensions"])
    changed = replace(config, **changes, baseline=config.defaults)
    return config if changed == config else _of_allowed_size(changed)


def _of_allowed_size(config: SessionConfig) -> SessionConfig:
    """The settings come back whole in one message. Raises ProtocolError."""
    size = len(msgspec.json.encode(to_wire(config, session_id="", expires_at=0, model="")))
    if size > MAX_SESSION_BYTES:
        raise checks.invalid(
            f"Invalid 'session': the settings are too long. Expected at most {MAX_SESSION_BYTES} bytes of JSON in all, "
            f"got {size}: shorten the tools, the instructions or the prompt.",
            "session",
        )
    return config


def _audio_changes(sent: Fields, config: SessionConfig) -> dict[str, Any]:
    audio = Fields(_object_or_empty(sent, "audio", ("input", "output")), sent.at("audio"))
    changes: dict[str, Any] = {}
    if "input" in audio:
        keys = (*_INPUT, "noise_reduction")
        sent_input = Fields(_object_or_empty(audio, "input", keys), audio.at("input"))
        if "noise_reduction" in sent_input:
            changes["noise_reduction"] = _noise_reduction(sent_input, config)
        changes |= _changes(sent_input, _INPUT, config.defaults)
        sent_input.close()
    if "output" in audio:
        sent_output = Fields(_object_or_empty(audio, "output", tuple(_OUTPUT)), audio.at("output"))
        changes |= _changes(sent_output, _OUTPUT, config.defaults)
        sent_output.close()
    audio.close()
    return changes


def _object_or_empty(sent: Fields, key: str, keys: tuple[str, ...]) -> Any:
    """The object under `key`. Null restores the server's defaults for everything in it."""
    value = sent.pop(key)
    return dict.fromkeys(keys, _DEFAULT) if value is None or value is _DEFAULT else value


_DEFAULT: Any = object()  # "restore the server's default", also for settings that null switches off


def _changes(sent: Fields, settings: dict[str, _Setting], defaults: SessionConfig) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for key, setting in settings.items():
        if key not in sent:
            continue
        value = sent.pop(key)
        if value is None and setting.null_is_off:
            changes[setting.attribute] = None
        elif value is None or value is _DEFAULT:
            changes[setting.attribute] = getattr(defaults, setting.attribute)
        else:
            changes[setting.attribute] = setting.read(value, sent.at(key))
    return changes


def _noise_reduction(sent: Fields, config: SessionConfig) -> NoiseReduction | None:
    value = sent.pop("noise_reduction")
    if value is None:
        return None
    if value is _DEFAULT:
        return config.defaults.noise_reduction
    return values.read_noise_reduction(value, sent.at("noise_reduction"), config.noise_reduction)


def extensions_from_query(config: SessionConfig, value: str) -> SessionConfig:
    """The settings with the extensions of a URL, as in `?extensions=playback,words`. Never raises: names that are
    not known are no mistake, however many they are."""
    extensions = _offered(config, _known(name.strip() for name in value.split(",")))
    return replace(config, extensions=extensions, baseline=config.defaults)


def _offered(config: SessionConfig, extensions: tuple[str, ...]) -> tuple[str, ...]:
    """Those of them that this server has: what is not confirmed is not promised."""
    return tuple(name for name in extensions if name in config.offered)


# --- the session object ---------------------------------------------------------------------------------------


def to_wire(
    config: SessionConfig, *, session_id: str, expires_at: int, model: str, resume_window_s: int = 30
) -> dict[str, Any]:
    """The session object for the client, with all defaults filled in. `expires_at` in Unix seconds."""
    wire: dict[str, Any] = {
        "type": "realtime",
        "object": "realtime.session",
        "id": session_id,
        "expires_at": expires_at,
        "model": model,
        "instructions": config.instructions,
        "output_modalities": [config.output_modality],
        "tools": [tool.to_wire() for tool in config.tools],
        "tool_choice": config.tool_choice.to_wire(),
        "max_output_tokens": config.wire_max_output_tokens,
        "truncation": config.truncation.to_wire(),
        "tracing": config.tracing,
        "prompt": config.prompt,
        "audio": {"input": _input_to_wire(config), "output": _output_to_wire(config)},
    }
    optional = {
        "parallel_tool_calls": config.parallel_tool_calls,
        "temperature": config.temperature,
        "reasoning": {"effort": config.reasoning_effort} if config.reasoning_effort else None,
        "include": None if config.include is None else list(config.include),
        "extensions": None if config.extensions is None else list(config.extensions),
        "resume_window_s": resume_window_s if config.has("resume") else None,
    }
    return wire | {key: value for key, value in optional.items() if value is not None}


def _input_to_wire(config: SessionConfig) -> dict[str, Any]:
    parts: dict[str, Transcription | NoiseReduction | TurnDetection | None] = {
        "transcription": config.transcription,
        "noise_reduction": config.noise_reduction,
        "turn_detection": config.turn_detection,
    }
    echoed = {key: None if part is None else part.to_wire() for key, part in parts.items()}
    return {"format": config.input_format.to_wire(), **echoed}


def _output_to_wire(config: SessionConfig) -> dict[str, Any]:
    return {
        "format": config.output_format.to_wire(),
        "voice": voice_id(config.voice),
        "speed": config.speed,
    }


# --- client secrets ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ClientSecretRequest:
    """A request for a client secret: settings, the model (if one was named), and the lifetime in seconds."""

    config: SessionConfig
    model: str | None = None
    expires_after_s: int = 600


def from_client_secret(body: bytes | str | dict[str, Any], defaults: SessionConfig) -> ClientSecretRequest:
    """The request in the body of `POST /v1/realtime/client_secrets`; an empty body means all defaults.

    Raises ProtocolError.
    """
    if not isinstance(body, dict):
        body = _parse(body) if body.strip() else {}
    if isinstance(body, dict) and client_json.too_deep(body):
        raise checks.invalid(client_json.TOO_DEEP, None)
    sent = Fields(body, "")
    after = sent.maybe("expires_after", Fields)
    seconds = 600
    if after is not None:
        after.optional("anchor", checks.choice(["created_at"]), "created_at")
        seconds = after.optional("seconds", checks.integer(10, 7200), seconds)
        after.close()
    session: dict[str, Any] = sent.maybe("session", checks.plain_object) or {}
    sent.close()
    config = apply(defaults, session)
    return ClientSecretRequest(config, session.get("model"), seconds)


def _parse(body: bytes | str) -> Any:
    for _ in check_values(body.encode("utf-8", "replace") if isinstance(body, str) else body):
        pass  # the body is small: no step of it is long
    try:
        return client_json.parse(body, "the body")
    except client_json.NotJson as error:
        raise checks.invalid(str(error), None) from None
