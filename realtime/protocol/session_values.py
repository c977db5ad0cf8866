"""The typed values in a session's settings: formats, turn detection, transcription, tools and others.

Each has a reader (takes a JSON value and its dotted path, raises ProtocolError) and most have a `to_wire`. They do not
know each other, the rules for merging, or what a running session allows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Literal

from realtime.protocol import checks
from realtime.protocol.checks import Fields

Eagerness = Literal["low", "medium", "high", "auto"]

MAX_NAME_CHARS = 256  # of a tool, a voice, a model
MAX_TOOLS = 128
TURN_DETECTION = ("server_vad", "semantic_vad")
MAX_CHOICES = 16  # in a list of words that the protocol names


class AudioFormat(StrEnum):
    """How audio is coded: 16-bit little-endian mono PCM at 24 kHz, or G.711 mono at 8 kHz."""

    PCM = "audio/pcm"
    PCMU = "audio/pcmu"
    PCMA = "audio/pcma"

    @property
    def rate(self) -> int:
        """Samples per second (Hertz)."""
        return 24_000 if self is AudioFormat.PCM else 8_000

    @property
    def sample_bytes(self) -> int:
        return 2 if self is AudioFormat.PCM else 1

    def to_wire(self) -> dict[str, Any]:
        return {"type": self.value, "rate": self.rate} if self is AudioFormat.PCM else {"type": self.value}


def read_format(value: Any, path: str) -> AudioFormat:
    """An audio format; a rate, if given, must be that of the format."""
    sent = Fields(value, path)
    audio_format = AudioFormat(sent.required("type", checks.choice([form.value for form in AudioFormat])))
    rate = sent.optional("rate", checks.integer(1), audio_format.rate)
    if rate != audio_format.rate:
        raise checks.invalid(
            f"Invalid value: {rate}. Supported values are: {audio_format.rate}.", sent.at("rate")
        )
    sent.close()
    return audio_format


# --- turn detection ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ServerVad:
    """A turn ends after a fixed silence."""

    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500
    idle_timeout_ms: int | None = None
    create_response: bool = True
    interrupt_response: bool = True

    def to_wire(self) -> dict[str, Any]:
        return {"type": "server_vad", **_as_dict(self)}


@dataclass(frozen=True, slots=True)
class SemanticVad:
    """A turn ends when the sentence seems finished; `eagerness` limits the wait."""

    eagerness: Eagerness = "auto"
    create_response: bool = True
    interrupt_response: bool = True

    def to_wire(self) -> dict[str, Any]:
        return {"type": "semantic_vad", **_as_dict(self)}


TurnDetection = ServerVad | SemanticVad

DEFAULT_TURN_DETECTION = ServerVad()

_SERVER_VAD_KEYS = ("threshold", "prefix_padding_ms", "silence_duration_ms", "idle_timeout_ms")
_SEMANTIC_VAD_KEYS = ("eagerness",)


def read_turn_detection(value: Any, path: str) -> TurnDetection:
    """The turn detection of either mode; keys of the other mode are ignored."""
    sent = Fields(value, path)
    mode = sent.optional("type", checks.choice(TURN_DETECTION), "server_vad")
    sent.ignore(["model_version"])
    sent.ignore(_SEMANTIC_VAD_KEYS if mode == "server_vad" else _SERVER_VAD_KEYS)
    create = sent.optional("create_response", checks.flag, True)
    interrupt = sent.optional("interrupt_response", checks.flag, True)
    detection: TurnDetection
    if mode == "server_vad":
        detection = ServerVad(
            threshold=sent.optional("threshold", checks.number(0, 1), DEFAULT_TURN_DETECTION.threshold),
            prefix_padding_ms=sent.optional(
                "prefix_padding_ms", checks.integer(), DEFAULT_TURN_DETECTION.prefix_padding_ms
            ),
            silence_duration_ms=sent.optional(
                "silence_duration_ms", checks.integer(), DEFAULT_TURN_DETECTION.silence_duration_ms
            ),
            idle_timeout_ms=sent.maybe("idle_timeout_ms", checks.integer(5_000, 30_000)),
            create_response=create,
            interrupt_response=interrupt,
        )
    else:
        eagerness: Any = sent.optional("eagerness", checks.choice(["low", "medium", "high", "auto"]), "auto")
        detection = SemanticVad(eagerness, create, interrupt)
    sent.close()
    return detection


# --- transcription and noise ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Transcription:
    """How the user's speech is transcribed. A field that is None was not sent and is not returned."""

    model: str | None = None
    language: str | None = None  # ISO-639-1
    prompt: str | None = None
    delay: str | None = None
    keywords: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None

    def to_wire(self) -> dict[str, Any]:
        sent = {key: value for key, value in _as_dict(self).items() if value is not None}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in sent.items()}


def read_transcription(value: Any, path: str) -> Transcription:
    """Keeps only what the client sent: the session object returns exactly these fields."""
    sent = Fields(value, path)
    transcription = Transcription(
        model=sent.maybe("model", _name),
        language=sent.maybe("language", _name),
        prompt=sent.maybe("prompt", _instructions),
        delay=sent.maybe("delay", checks.choice(["minimal", "low", "medium", "high", "xhigh"])),
        keywords=sent.maybe("keywords", checks.each(_name)),
        languages=sent.maybe("languages", checks.each(_name)),
    )
    sent.close()
    return transcription


@dataclass(frozen=True, slots=True)
class NoiseReduction:
    """The position of the microphone: near or far."""

    type: str
    strength: float | None = None

    def to_wire(self) -> dict[str, Any]:
        return {key: value for key, value in _as_dict(self).items() if value is not None}


def read_noise_reduction(value: Any, path: str, before: NoiseReduction | None) -> NoiseReduction:
    """Unlike other nested values, this one is merged: an omitted `strength` or `type` keeps its value."""
    sent = Fields(value, path)
    mode = sent.maybe("type", checks.choice(["near_field", "far_field"])) or (before.type if before else None)
    if mode is None:
        raise checks.missing(sent.at("type"))
    kept = before.strength if before else None
    strength = sent.maybe("strength", checks.number(0, 1))
    sent.close()
    return NoiseReduction(mode, kept if strength is None else strength)


# --- tools ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FunctionTool:
    """A function the model may call. `parameters` is a JSON Schema object."""

    name: str
    description: str | None = None
    parameters: Mapping[str, Any] | None = None

    def to_wire(self) -> dict[str, Any]:
        wire = {"type": "function", "name": self.name}
        return wire | {key: value for key, value in _as_dict(self).items() if value is not None}


def read_tool(value: Any, path: str) -> FunctionTool:
    """A function; other kinds of tools are rejected."""
    sent = Fields(value, path)
    sent.optional("type", checks.choice(["function"]), "function")
    sent.ignore(["strict"])  # some client libraries copy it from their own tool objects
    tool = FunctionTool(
        name=sent.required("name", _name),
        description=sent.maybe("description", _instructions),
        parameters=sent.maybe("parameters", checks.plain_object),
    )
    sent.close()
    return tool


read_tools = checks.each(read_tool, MAX_TOOLS)


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """Whether the model may, must or must not call tools; `name` is set only in mode `function`."""

    mode: Literal["auto", "none", "required", "function"] = "auto"
    name: str | None = None

    def to_wire(self) -> str | dict[str, Any]:
        return {"type": "function", "name": self.name} if self.mode == "function" else self.mode


def read_tool_choice(value: Any, path: str) -> ToolChoice:
    """A mode, or one function by name."""
    if isinstance(value, str):
        mode: Any = checks.choice(["auto", "none", "required"])(value, path)
        return ToolChoice(mode)
    if not isinstance(value, dict):
        raise checks.wrong_type("a string or an object", value, path)
    sent = Fields(value, path)
    sent.required("type", checks.choice(["function"]))
    choice = ToolChoice("function", sent.required("name", _name))
    sent.close()
    return choice


# --- generation ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Truncation:
    """What to do when the history is too long for the model. `retention_ratio` counts only in that mode."""

    mode: Literal["auto", "disabled", "retention_ratio"] = "auto"
    retention_ratio: float = 1.0
    post_instructions_tokens: int | None = None

    def to_wire(self) -> str | dict[str, Any]:
        if self.mode != "retention_ratio":
            return self.mode
        wire: dict[str, Any] = {"type": "retention_ratio", "retention_ratio": self.retention_ratio}
        if self.post_instructions_tokens is not None:
            wire["token_limits"] = {"post_instructions": self.post_instructions_tokens}
        return wire


def read_truncation(value: Any, path: str) -> Truncation:
    """`auto`, `disabled`, or the share of the context to keep."""
    if isinstance(value, str):
        mode: Any = checks.choice(["auto", "disabled"])(value, path)
        return Truncation(mode)
    if not isinstance(value, dict):
        raise checks.wrong_type("a string or an object", value, path)
    sent = Fields(value, path)
    sent.required("type", checks.choice(["retention_ratio"]))
    ratio = sent.required("retention_ratio", checks.number(0, 1))
    limits = sent.maybe("token_limits", Fields)
    tokens = None
    if limits is not None:
        tokens = limits.maybe("post_instructions", checks.integer())
        limits.close()
    sent.close()
    return Truncation("retention_ratio", ratio, tokens)


def read_reasoning(value: Any, path: str) -> str | None:
    """The reasoning effort, or None for `{}`."""
    sent = Fields(value, path)
    effort = sent.maybe("effort", checks.choice(["minimal", "low", "medium", "high", "xhigh"]))
    sent.close()
    return effort


def read_max_output_tokens(value: Any, path: str) -> int | None:
    """1 to 4096; None for `"inf"`."""
    if value == "inf":
        return None
    if isinstance(value, str):
        raise checks.not_among(value, ["inf"], path)
    return checks.integer(1, 4096)(value, path)


def read_modalities(value: Any, path: str) -> Literal["audio", "text"]:
    """The modality of replies. Audio includes its transcript, so both together mean audio."""
    sent = checks.each(checks.choice(["audio", "text"]), MAX_CHOICES)(value, path)
    if not sent:
        raise checks.invalid(
            f"Invalid value for '{path}': expected ['audio'] or ['text'], but it is empty.", path
        )
    return "audio" if "audio" in sent else "text"


read_include = checks.each(checks.choice(["item.input_audio_transcription.logprobs"]), MAX_CHOICES)


def read_prompt(value: Any, path: str) -> Mapping[str, Any]:
    """A reference to a stored prompt: only returned in the session object."""
    sent = Fields(value, path)
    prompt: dict[str, Any] = {"id": sent.required("id", _name)}
    optional = {
        "version": sent.maybe("version", _name),
        "variables": sent.maybe("variables", checks.plain_object),
    }
    sent.close()
    return prompt | {key: value for key, value in optional.items() if value is not None}


def read_tracing(value: Any, path: str) -> str | Mapping[str, Any]:
    """`auto` or an object: only returned in the session object."""
    if isinstance(value, str):
        return checks.choice(["auto"])(value, path)
    if not isinstance(value, dict):
        raise checks.wrong_type("a string or an object", value, path)
    sent = Fields(value, path)
    tracing = {
        "workflow_name": sent.maybe("workflow_name", _name),
        "group_id": sent.maybe("group_id", _name),
        "metadata": sent.maybe("metadata", checks.plain_object),
    }
    sent.close()
    return {key: value for key, value in tracing.items() if value is not None}


MAX_INSTRUCTIONS_CHARS = 65_536


def _name(value: Any, path: str) -> str:
    return checks.text(value, path, min_chars=1, max_chars=MAX_NAME_CHARS)


def _instructions(value: Any, path: str) -> str:
    return checks.text(value, path, max_chars=MAX_INSTRUCTIONS_CHARS)


read_instructions = _instructions
read_name = _name


def _as_dict(value: Any) -> dict[str, Any]:
    """The fields as a dict. Values are not converted."""
    return {field.name: getattr(value, field.name) for field in fields(value)}
