"""Readers for the items that clients create: messages, function calls and their outputs.

Knows the fields, the beta names that are still accepted, and the limits of ids and parts. A text may have any length:
who keeps it cuts it. Does not know the conversation.
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
MAX_PARTS = 1_000  # of one message
MAX_PICTURE_BYTES = 10 * 1024 * 1024  # of one data URI or address: a file of 7.5 MiB
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
                arguments=sent.required("arguments", checks.text),
            )
        case _:
            item = FunctionCallOutputItem(
                id=item_id,
                status=status,
                call_id=sent.required("call_id", read_id),
                output=sent.required("output", checks.text),
            )
    # Some serialisers write the keys of the other item types as null.
    for key in ("role", "content", "name", "call_id", "arguments", "output"):
        if key in sent and sent.pop(key) is not None:
            raise checks.unknown(sent.at(key))
    sent.close()
    return item


def _read_content(sent: Fields, role: str) -> tuple[ItemPart, ...]:
    content = sent.required("content", checks.array)
    if len(content) > MAX_PARTS:
        path = sent.at("content")
        raise checks.invalid(
            f"Invalid '{path}': too many parts. Expected at most {MAX_PARTS}, got {len(content)}: "
            "put their texts together, or use several items.",
            path,
        )
    return checks.each(lambda value, path: _read_part(value, path, role))(content, sent.at("content"))


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
            part = InputText(sent.required("text", checks.text))
        case "input_audio":
            part = _read_input_audio(sent)
        case "input_image":
            part = _read_image(sent)
        case "output_text":
            part = OutputText(sent.required("text", checks.text))
        case _:
            part = OutputAudio(sent.optional("transcript", checks.text, ""))
    sent.ignore(IGNORED_PART_KEYS)
    sent.close()
    return part


def _read_input_audio(sent: Fields) -> InputAudio:
    transcript = sent.maybe("transcript", checks.text)
    if transcript is None:
        return InputAudio(None, sent.required("audio", checks.base64_bytes)[:])
    if not transcript.strip() and (audio := sent.maybe("audio", checks.base64_bytes)):
        return InputAudio(None, audio[:])  # some clients have to send both fields, and have no words
    return InputAudio(transcript)  # used as text: its audio is not needed


def _read_image(sent: Fields) -> InputImage:
    url = sent.required("image_url", checks.text)
    if not url.startswith(IMAGE_PREFIXES):
        raise checks.invalid(
            f"Invalid value for '{sent.at('image_url')}': expected a data URI of an image.",
            sent.at("image_url"),
        )
    if len(url) > MAX_PICTURE_BYTES:
        raise checks.invalid(
            f"Invalid '{sent.at('image_url')}': the picture is too large. Expected at most {MAX_PICTURE_BYTES} bytes "
            f"of data URI, got {len(url)}: send a smaller picture.",
            sent.at("image_url"),
        )
    detail: Any = sent.maybe("detail", checks.choice(["auto", "low", "high"]))
    return InputImage(url, UNSET if detail is None else detail)
