"""Bounds of an event: counted on its raw JSON, and large sound and pictures decoded in small steps."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import ProtocolError
from realtime.protocol import codec, raw_events
from realtime.protocol.client_events import ConversationItemCreate, InputAudioBufferAppend
from realtime.protocol.codec import NotAnEvent, decode, decode_in_steps
from realtime.protocol.raw_events import MAX_EVENT_BYTES, MAX_VALUES, check_values
from realtime.protocol.session_config import SessionConfig, from_client_secret

MIB = 1024 * 1024
SOUND = random.Random(11).randbytes(3 * MIB)
SOUND_TEXT = base64.b64encode(SOUND).decode()


def create(*content: dict[str, Any], **more: Any) -> dict[str, Any]:
    item = {"type": "message", "role": "user", "content": list(content)}
    return {"type": "conversation.item.create", "item": item, **more}


def picture(data: str = SOUND_TEXT) -> dict[str, Any]:
    return {"type": "input_image", "image_url": "data:image/png;base64," + data}


def steps_of(work: Generator[None, None, Any]) -> tuple[int, Any]:
    steps = 0
    while True:
        try:
            next(work)
        except StopIteration as end:
            return steps, end.value
        steps += 1


# -- too much is not built --------------------------------------------------------------------------------------------


TOO_MUCH = {
    "lists without end": '{"event_id":"mine","type":"session.update","session":[' + "[],[]," * (15 * MIB // 6),
    "a megabyte of lists": '{"event_id":"mine","type":"session.update","session":[' + "[]," * 340_000 + "0]}",
    "empty parts": json.dumps(create(*[{}] * 100_000, event_id="mine")),
    "tools": json.dumps({"type": "session.update", "session": {"tools": [{"name": "f"}] * 60_000}, "event_id": "mine"}),
    "members": '{"event_id":"mine","x":{' + ",".join(f'"{n}":0' for n in range(MAX_VALUES + 1)) + "}}",
    "a tower": '{"event_id":"mine","x":' + "[" * 300_000,
    "a long text": json.dumps({"event_id": "mine", **create({"type": "input_text", "text": "x" * MAX_EVENT_BYTES})}),
    "instructions": json.dumps({"event_id": "mine", "type": "session.update", "session": {"instructions": "x" * MIB}}),
    "a picture in the wrong event": json.dumps({"event_id": "mine", "type": "session.update", "audio": SOUND_TEXT}),
    "a picture in the wrong place": json.dumps({"event_id": "mine", **create({"x": {"image_url": SOUND_TEXT}})}),
    "a picture beside too much": json.dumps(
        {"event_id": "mine", **create(picture(), {"type": "input_text", "text": "x" * MIB})}
    ),
    "keys without data": '{"event_id":"mine","x":[' + '{"audio":""},' * 100_000 + "0]}",
    "a picture beside parts": json.dumps({"event_id": "mine", **create(picture(), *[{}] * 30_000)}),
}  # fmt: skip


@pytest.mark.parametrize("message", TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_is_too_much_is_refused_before_it_is_parsed(message: str, monkeypatch: pytest.MonkeyPatch):
    parsed: list[int] = []
    parse = codec._parse
    monkeypatch.setattr(codec, "_parse", lambda data: parsed.append(raw_values(data)) or parse(data))
    with pytest.raises(NotAnEvent) as caught:
        decode(message)
    assert caught.value.event_id == "mine"
    assert "at most" in caught.value.message
    assert all(values <= MAX_VALUES for values in parsed)


def raw_values(data: bytes) -> int:
    return data.count(b",") + data.count(b"[") + data.count(b"{")


def json_values(value: Any) -> int:
    """All members and elements, containers themselves included."""
    if isinstance(value, dict):
        return 1 + sum(map(json_values, value.values()))
    return 1 + sum(map(json_values, value)) if isinstance(value, list) else 1


texts = st.text(st.sampled_from('ab"\\,[]{}:/\n\u4e2d'), max_size=12)
documents = st.recursive(
    texts | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(texts, inner, max_size=6),
    max_leaves=40,
)


@given(documents, st.integers(7, 40), st.booleans())
def test_values_are_counted_as_a_parser_finds_them(document: Any, step: int, ascii_only: bool):
    """Whatever stands in the texts, and wherever a step ends. Empty lists and objects count twice at most."""
    data = json.dumps(document, ensure_ascii=ascii_only, separators=(",", ":")).encode()
    limit = json_values(document)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raw_events, "UNCHECKED_BYTES", 0)
        patch.setattr(raw_events, "STEP_BYTES", step)
        patch.setattr(raw_events, "MAX_VALUES", 2 * limit + 1)
        list(check_values(data))
        patch.setattr(raw_events, "MAX_VALUES", limit // 2 - 1)
        with pytest.raises(ProtocolError):
            list(check_values(data))


def test_the_body_of_a_client_secret_is_counted_too():
    with pytest.raises(ProtocolError, match="at most 20000"):
        from_client_secret(b'{"session":{"tools":[' + b"[]," * 80_000 + b"0]}}", SessionConfig())


# -- large data is decoded in steps -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "escape", [str, lambda text: text.replace("/", "\\/"), lambda text: text.replace("+", "\\u002B")]
)
def test_a_large_append_comes_in_steps(escape):
    begin, end = '{"audio" : "', '","type":"input_audio_buffer.append","event_id":"mine"}'
    message = begin + escape(SOUND_TEXT) + end
    steps, event = steps_of(decode_in_steps(message.encode()))
    assert event == InputAudioBufferAppend(audio=SOUND, event_id="mine")
    assert steps >= len(message) // raw_events.STEP_BYTES


def test_an_item_may_hold_large_pictures_and_recordings_and_as_much_text_as_others():
    text = 'He said "audio": "' * 30_000
    event = create(
        {"type": "input_text", "text": text},
        picture(),
        {"type": "input_audio", "audio": SOUND_TEXT},
        picture("QUJD"),
    )
    steps, decoded = steps_of(decode_in_steps(json.dumps(event)))
    assert isinstance(decoded, ConversationItemCreate)
    parts = decoded.item.content  # type: ignore[union-attr]
    assert (parts[0].text, parts[1].image_url, parts[2].audio) == (text, picture()["image_url"], SOUND)
    assert parts[3].image_url == picture("QUJD")["image_url"]
    assert steps >= 2 * len(SOUND_TEXT) // raw_events.STEP_BYTES


def test_pictures_of_a_response_may_be_as_large_as_its_event():
    data = "data:image/png;base64," + SOUND_TEXT[: 600 * 1024]
    item = {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": data}]}
    event = decode(json.dumps({"type": "response.create", "response": {"input": [item]}}))
    assert event.response.input[0].content[0].image_url == data


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ("!" + SOUND_TEXT, "input_audio"), (SOUND_TEXT[:-1], "input_audio"), ("QQ==" + SOUND_TEXT, "input_audio"),
        (SOUND_TEXT + "\u00e9", "input_audio"), (SOUND_TEXT + "\u00e9", "input_image"),
    ],
)  # fmt: skip
def test_large_data_that_is_none_is_refused_by_name(data: str, kind: str):
    key = "audio" if kind == "input_audio" else "image_url"
    part = {"type": kind, key: data if key == "audio" else "data:image/png;base64," + data}
    with pytest.raises(ProtocolError) as caught:
        decode(json.dumps(create(part, event_id="mine"), ensure_ascii=False))
    assert (caught.value.event_id, caught.value.param) == ("mine", f"item.content[0].{key}")


@given(st.integers(0, 5_000), st.integers(4, 300), st.sampled_from(["none", "/", "+"]))
def test_sound_of_any_length_is_decoded_as_by_one_decoder(size: int, step: int, escaped: str):
    sound = random.Random(size).randbytes(size)
    text = base64.b64encode(sound).decode()
    text = (
        text.replace("/", "\\/")
        if escaped == "/"
        else text.replace("+", "\\u002b")
        if escaped == "+"
        else text
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codec, "AT_ONCE_BYTES", 0)
        patch.setattr(codec, "UNCHECKED_BYTES", 0)
        patch.setattr(raw_events, "LARGE_BYTES", 100)
        patch.setattr(raw_events, "STEP_BYTES", step + 8)
        event = decode('{"type":"input_audio_buffer.append","audio":"' + text + '"}')
    assert event == InputAudioBufferAppend(audio=sound)
