"""What comes back of an item that a client made: all of it, unless that is too large for a socket."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.protocol.echo import MAX_ECHO_BYTES, echoed
from realtime.protocol.objects import (
    FunctionCallItem,
    FunctionCallOutputItem,
    InputAudio,
    InputImage,
    InputText,
    MessageItem,
    OutputAudio,
    OutputText,
)

PHOTO = "data:image/jpeg;base64," + "A" * 900_000


def message(*content, role="user") -> MessageItem:
    return MessageItem(id="i", role=role, content=content)


def size(item) -> int:
    return len(msgspec.json.encode(item))


@pytest.mark.parametrize(
    "item",
    [
        message(InputText("Hi")),
        message(InputText("x" * 200_000)),
        message(InputImage("data:image/png;base64," + "A" * 100_000, "low")),
        message(InputImage("https://example.org/cat.png")),
        message(InputAudio(None)),
        message(),
        FunctionCallItem(id="i", name="f", call_id="c", arguments='{"a":"' + "x" * 100_000 + '"}'),
    ],
)
def test_a_usual_item_comes_back_whole(item):
    assert echoed(item) is item


def test_the_data_of_a_large_photo_is_left_out():
    back = echoed(message(InputText("Look."), InputImage(PHOTO, "high")))
    assert list(msgspec.to_builtins(back.content)) == [
        {"type": "input_text", "text": "Look."},
        {"type": "input_image", "detail": "high"},
    ]


def test_the_address_of_a_picture_stays_beside_a_large_one():
    back = echoed(message(InputImage("https://example.org/cat.png"), InputImage(PHOTO)))
    assert back.content == (InputImage("https://example.org/cat.png"), InputImage())


@pytest.mark.parametrize(
    "item",
    [
        message(InputText("x" * 3_000_000)),
        message(InputText("日本語" * 66_000)),
        message(InputText("😀" * 200_000)),
        message(InputText("\0" * 200_000)),
        message(*[InputText("y" * 2_000)] * 900),
        message(InputAudio("z" * 700_000)),
        message(OutputText("w" * 700_000), role="assistant"),
        message(OutputAudio("v" * 700_000), role="assistant"),
        message(*[InputImage(PHOTO)] * 10),
        message(*[InputImage("https://example.org/" + "a" * 2_000)] * 1_000),
        FunctionCallItem(id="i", name="f", call_id="c", arguments="u" * 700_000),
        FunctionCallOutputItem(id="i", call_id="c", output="t" * 3_000_000),
    ],
)
def test_no_echo_is_larger_than_every_socket_takes(item):
    back = echoed(item)
    assert size(back) <= MAX_ECHO_BYTES
    assert type(back) is type(item)
    assert back.id == item.id


def test_a_text_that_is_cut_says_how_much_is_missing():
    (part,) = echoed(message(InputText("x" * 3_000_000))).content
    assert part.text.endswith("characters left out ...]")


parts = st.one_of(
    st.builds(InputText, st.text(max_size=50).map(lambda text: text * 3_000)),
    st.builds(InputImage, st.integers(0, 600_000).map(lambda count: "data:image/png;base64," + "A" * count)),
    st.builds(InputAudio, st.none() | st.text(max_size=20).map(lambda text: text * 9_000)),
)


@given(st.lists(parts, max_size=8))
def test_an_echo_always_fits_and_a_small_item_is_never_touched(content):
    item = message(*content)
    back = echoed(item)
    assert size(back) <= MAX_ECHO_BYTES
    assert len(back.content) == len(content)
    if size(item) <= MAX_ECHO_BYTES:
        assert back == item
