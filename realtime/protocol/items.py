"""Readers for the items that clients create: messages, function calls and their outputs.

Knows the fields, the beta names that are still accepted, and the limits. Does not know the conversation.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from realtime.protocol import checks
from realtime.protocol.checks import Fields
from realtime.protocol.objects import (
    FunctionCallItem,
    FunctionCallOutputItem,
    InputAudio,
    InputImage,
    InputText,
    Item,
    ItemPart,
    ItemReference,
    MessageItem,
    OutputAudio,
    OutputText,
)

MAX_ID_CHARS = 128
MAX_ITEM_CHARS = 200_000  # text of one item, all parts together
IMAGE_PREFIXES = ("data:image/", "https://", "http://")

ITEM_TYPES = ["message", "function_call", "function_call_output"]
ROLES = ["system", "user", "assistant", "developer"]
CONTENT_TYPES = {
    "system": ["input_text"],
    "user": ["input_text", "input_audio", "input_image"],
    "assistant": ["output_text", "output_audio"],
}
BETA_CONTENT_TYPES = {"text": "output_text", "audio": "output_audio"}  # of the assistant

# Client libraries keep these keys in the content that they send back. They have no meaning here.
IGNORED_PART_KEYS = ("text", "audio", "transcript", "image_url", "detail", "format")


def read_id(value: Any, path: str) -> str:
    return checks.text(value, path, min_chars=1, max_chars=MAX_ID_CHARS)


def read_item(value: Any, path: str) -> Item:
    """One item that a client creates; `id` is "" if the client gave none. Raises ProtocolError."""
    sent = Fields(value, path)
    return _read_item(sent, sent.required("type", checks.choice(ITEM_TYPES)))


def read_input_item(value: Any, path: str) -> Item | ItemReference:
    """One entry of `response.create.input`: an item, or a reference to one. Raises ProtocolError."""
    sent = Fields(value, path)
    kind = sent.required("type", checks.choice([*ITEM_TYPES, "item_reference"]))
    if kind != "item_reference":
        return _read_item(sent, kind)
    reference = ItemReference(id=sent.required("id", read_id))
    sent.close()
    return reference


def _read_item(sent: Fields, kind: str) -> Item:
    item_id = sent.optional("id", read_id, "")
    status: Any = sent.optional(
        "status", checks.choice(["in_progress", "completed", "incomplete"]), "completed"
    )
    sent.ignore(["object"])
    item: Item
    match kind:
        case "message":
            role: Any = sent.required("role", checks.choice(ROLES)).replace("developer", "system")
            content = _read_content(sent, role)
            item = MessageItem(id=item_id, status=status, role=role, content=content)
        case "function_call":
            item = FunctionCallItem(
                id=item_id,
                status=status,
                name=sent.required("name", read_id),
                call_id=sent.optional("call_id", read_id, ""),
                arguments=sent.required("arguments", _item_text),
            )
        case _:
            item = FunctionCallOutputItem(
                id=item_id,
                status=status,
                call_id=sent.required("call_id", read_id),
                output=sent.required("output", _item_text),
            )
    # Some serialisers write the keys of the other item types as null.
    for key in ("role", "content", "name", "call_id", "arguments", "output"):
        if key in sent and sent.pop(key) is not None:
            raise checks.unknown(sent.at(key))
    sent.close()
    return item


def _item_text(value: Any, path: str) -> str:
    return checks.text(value, path, max_chars=MAX_ITEM_CHARS)


def _read_content(sent: Fields, role: str) -> tuple[ItemPart, ...]:
    content = sent.required("content", checks.each(lambda value, path: _read_part(value, path, role)))
    length = sum(_text_length(part) for part in content)
    if length > MAX_ITEM_CHARS:
        path = sent.at("content")
        raise checks.invalid(
            f"Invalid '{path}': text too long. Expected at most {MAX_ITEM_CHARS} characters, got {length}.",
            path,
        )
    return content


def _text_length(part: ItemPart) -> int:
    match part:
        case InputText(text) | OutputText(text) | OutputAudio(text):
            return len(text)
        case InputAudio(transcript):
            return len(transcript or "")
        case _:
            return 0


def _read_part(value: Any, path: str, role: str) -> ItemPart:
    sent = Fields(value, path)
    kind = sent.required("type", checks.text)
    if role == "assistant":
        kind = BETA_CONTENT_TYPES.get(kind, kind)
    if kind not in CONTENT_TYPES[role]:
        raise checks.not_among(kind, CONTENT_TYPES[role], sent.at("type"))
    part: ItemPart
    match kind:
        case "input_text":
            part = InputText(sent.required("text", _item_text))
        case "input_audio":
            part = _read_input_audio(sent)
        case "input_image":
            part = _read_image(sent)
        case "output_text":
            part = OutputText(sent.required("text", _item_text))
        case _:
            part = OutputAudio(sent.optional("transcript", _item_text, ""))
    sent.ignore(IGNORED_PART_KEYS)
    sent.close()
    return part


def _read_input_audio(sent: Fields) -> InputAudio:
    transcript = sent.maybe("transcript", _item_text)
    if transcript is not None:
        return InputAudio(transcript)  # used as text: its audio is not needed
    return InputAudio(None, sent.required("audio", checks.base64_bytes))


def _read_image(sent: Fields) -> InputImage:
    url = sent.required("image_url", checks.text)
    if not url.startswith(IMAGE_PREFIXES):
        raise checks.invalid(
            f"Invalid value for '{sent.at('image_url')}': expected a data URI of an image.",
            sent.at("image_url"),
        )
    detail: Any = sent.maybe("detail", checks.choice(["auto", "low", "high"]))
    return InputImage(url, UNSET if detail is None else detail)
