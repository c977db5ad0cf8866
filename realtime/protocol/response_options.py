"""The options of one response: what `response.create` may set, and the values that then apply.

`ResponseParams` holds what the client sent, checked. `response_options` combines it with the session's settings. Knows
no history and no generation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from realtime.protocol import checks
from realtime.protocol import session_values as values
from realtime.protocol.checks import Fields
from realtime.protocol.items import read_input_item
from realtime.protocol.objects import Item, ItemReference
from realtime.protocol.session_values import AudioFormat, FunctionTool, ToolChoice, Truncation
from realtime.protocol.voices import VoiceName, read_voice

if TYPE_CHECKING:
    from realtime.protocol.session_config import SessionConfig

T = TypeVar("T")

MAX_INPUT_ITEMS = 2_000  # as many as a conversation has
MAX_METADATA_KEYS = 16
MAX_METADATA_KEY_CHARS = 64
MAX_METADATA_VALUE_CHARS = 512

# Keys of the beta protocol and the ones that replace them, relative to `response`.
RENAMED_RESPONSE_KEYS = {
    "modalities": "output_modalities",
    "voice": "audio.output.voice",
    "output_audio_format": "audio.output.format",
    "max_response_output_tokens": "max_output_tokens",
}


@dataclass(frozen=True, slots=True)
class ResponseParams:
    """The overrides of one `response.create`. None inherits from the session."""

    instructions: str | None = None
    tools: tuple[FunctionTool, ...] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    max_output_tokens: int | Literal["inf"] | None = None
    output_modality: Literal["audio", "text"] | None = None
    reasoning_effort: str | None = None
    temperature: float | None = None
    output_format: AudioFormat | None = None
    voice: VoiceName | None = None
    conversation: Literal["auto", "none"] = "auto"
    input: tuple[Item | ItemReference, ...] | None = None
    metadata: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ResponseOptions:
    """The settings that apply to one response. `voice` is the client's name for it (see `platform_voice`)."""

    instructions: str
    tools: tuple[FunctionTool, ...]
    tool_choice: ToolChoice
    parallel_tool_calls: bool
    max_output_tokens: int | None  # None: no limit
    output_modality: Literal["audio", "text"]
    reasoning_effort: str | None
    temperature: float | None
    truncation: Truncation
    output_format: AudioFormat
    voice: VoiceName
    speed: float
    out_of_band: bool = False
    input: tuple[Item | ItemReference, ...] | None = None  # None: use the conversation
    metadata: dict[str, str] | None = None

    @property
    def spoken(self) -> bool:
        return self.output_modality == "audio"

    @property
    def wire_max_output_tokens(self) -> int | Literal["inf"]:
        return "inf" if self.max_output_tokens is None else self.max_output_tokens


def response_options(config: SessionConfig, params: ResponseParams | None = None) -> ResponseOptions:
    """The session's settings with the overrides of this response; without `params`, those of a spoken turn."""
    sent = params or ResponseParams()
    session_tokens: int | Literal["inf"] = config.wire_max_output_tokens
    tokens = _or_inherited(sent.max_output_tokens, session_tokens)
    return ResponseOptions(
        instructions=_or_inherited(sent.instructions, config.instructions),
        tools=_or_inherited(sent.tools, config.tools),
        tool_choice=_or_inherited(sent.tool_choice, config.tool_choice),
        parallel_tool_calls=_or_inherited(sent.parallel_tool_calls, config.parallel_tool_calls is not False),
        max_output_tokens=None if tokens == "inf" else tokens,
        output_modality=_or_inherited(sent.output_modality, config.output_modality),
        reasoning_effort=sent.reasoning_effort or config.reasoning_effort,
        temperature=config.temperature if sent.temperature is None else sent.temperature,
        truncation=config.truncation,
        output_format=_or_inherited(sent.output_format, config.output_format),
        voice=_or_inherited(sent.voice, config.voice),
        speed=config.speed,
        out_of_band=sent.conversation == "none",
        input=sent.input,
        metadata=sent.metadata,
    )


def _or_inherited(sent: T | None, inherited: T) -> T:
    return inherited if sent is None else sent


def read_response_params(value: Any, path: str) -> ResponseParams:
    """The `response` object of `response.create`. Raises ProtocolError."""
    sent = Fields(value, path)
    sent.reject_renamed(RENAMED_RESPONSE_KEYS)
    voice, output_format = _read_audio(sent)
    tokens = sent.pop("max_output_tokens")
    max_output_tokens: int | Literal["inf"] | None = None
    if tokens is not None:
        limit = values.read_max_output_tokens(tokens, sent.at("max_output_tokens"))
        max_output_tokens = "inf" if limit is None else limit
    modality: Any = sent.maybe("output_modalities", values.read_modalities)
    conversation: Any = sent.optional("conversation", checks.choice(["auto", "none"]), "auto")
    sent.maybe("prompt", values.read_prompt)
    params = ResponseParams(
        instructions=sent.maybe("instructions", values.read_instructions),
        tools=sent.maybe("tools", values.read_tools),
        tool_choice=sent.maybe("tool_choice", values.read_tool_choice),
        parallel_tool_calls=sent.maybe("parallel_tool_calls", checks.flag),
        max_output_tokens=max_output_tokens,
        output_modality=modality,
        reasoning_effort=sent.maybe("reasoning", values.read_reasoning),
        temperature=sent.maybe("temperature", checks.number(0, 2)),
        output_format=output_format,
        voice=voice,
        conversation=conversation,
        input=sent.maybe("input", checks.each(read_input_item, MAX_INPUT_ITEMS)),
        metadata=sent.maybe("metadata", read_metadata),
    )
    sent.close()
    return params


def _read_audio(sent: Fields) -> tuple[VoiceName | None, AudioFormat | None]:
    audio = sent.maybe("audio", Fields)
    if audio is None:
        return None, None
    output = audio.maybe("output", Fields)
    audio.close()
    if output is None:
        return None, None
    output.ignore(["speed"])  # belongs to the session; some clients repeat it here
    voice = output.maybe("voice", read_voice)
    output_format = output.maybe("format", values.read_format)
    output.close()
    return voice, output_format


def read_metadata(value: Any, path: str) -> dict[str, str]:
    """Up to 16 pairs of a short key and a short string."""
    sent: Mapping[str, Any] = checks.plain_object(value, path)
    if len(sent) > MAX_METADATA_KEYS:
        raise checks.invalid(
            f"Invalid '{path}': too many keys. Expected at most {MAX_METADATA_KEYS}, got {len(sent)}.", path
        )
    for key in sent:
        checks.text(key, path, max_chars=MAX_METADATA_KEY_CHARS)
    return {
        key: checks.text(entry, f"{path}.{key}", max_chars=MAX_METADATA_VALUE_CHARS)
        for key, entry in sent.items()
    }
