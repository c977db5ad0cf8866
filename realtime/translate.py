"""Converts between the values of the wire and those of the core (items, audio formats); neither knows the other."""

from __future__ import annotations

from msgspec import UNSET

from realtime.core import conversation as core
from realtime.core.audio import AudioFormat
from realtime.protocol import objects as wire
from realtime.protocol import session_config


def to_core_format(format: session_config.AudioFormat) -> AudioFormat:
    """An audio format of the wire as the arithmetic on audio takes it."""
    return AudioFormat(format.value, format.rate)


def to_core_item(item: wire.Item) -> core.Item:
    """The history's item for an item of the protocol. Audio is dropped: the history keeps its transcript."""
    match item:
        case wire.MessageItem():
            parts = tuple(_to_core_part(part) for part in item.content)
            return core.Message(item.id, item.role, parts, item.status)
        case wire.FunctionCallItem():
            return core.FunctionCall(item.id, item.call_id, item.name, item.arguments, item.status)
        case wire.FunctionCallOutputItem():
            return core.FunctionCallOutput(item.id, item.call_id, item.output, item.status)


def _to_core_part(part: wire.ItemPart) -> core.Part:
    match part:
        case wire.InputText(text) | wire.OutputText(text):
            return core.Text(text)
        case wire.InputAudio(transcript=transcript):
            return core.InputSpeech(transcript)
        case wire.InputImage(image_url=url, detail=detail):
            return core.Image("" if url is UNSET else url, None if detail is UNSET else str(detail))
        case wire.OutputAudio(transcript):
            return core.OutputSpeech(transcript)


def to_wire_item(item: core.Item) -> wire.Item:
    """The protocol's item for an item of the history."""
    match item:
        case core.Message():
            content = tuple(_to_wire_part(part, item.role) for part in item.parts)
            return wire.MessageItem(id=item.id, role=item.role, status=item.status, content=content)
        case core.FunctionCall():
            return wire.FunctionCallItem(
                id=item.id, status=item.status, name=item.name, call_id=item.call_id, arguments=item.arguments
            )
        case core.FunctionCallOutput():
            return wire.FunctionCallOutputItem(
                id=item.id, status=item.status, call_id=item.call_id, output=item.output
            )


def _to_wire_part(part: core.Part, role: core.Role) -> wire.ItemPart:
    match part:
        case core.Text(text):
            return wire.OutputText(text) if role == "assistant" else wire.InputText(text)
        case core.InputSpeech(transcript):
            return wire.InputAudio(transcript)
        case core.Image(url, detail):
            return wire.InputImage(url, UNSET if detail is None else detail)  # type: ignore[arg-type]
        case core.OutputSpeech(transcript):
            return wire.OutputAudio(transcript)
