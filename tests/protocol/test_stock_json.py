"""JSON as stock clients write it: whatever a serializer makes of a text is read, also half of a surrogate pair."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import ProtocolError
from realtime.protocol import client_json
from realtime.protocol.codec import NotAnEvent, decode, decode_in_steps
from realtime.protocol.raw_events import UNCHECKED_BYTES

HALF_CHARACTERS = st.characters(categories=["Cs"])
texts = st.text(st.one_of(st.characters(), HALF_CHARACTERS, st.sampled_from('\\"/\ud83d\ude00u')))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def whole(value):
    """What a reader should find: pairs as characters, U+FFFD for halves."""
    match value:
        case str():
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        case list():
            return [whole(each) for each in value]
        case dict():
            return {whole(key): whole(each) for key, each in value.items()}
    return value


def as_javascript(value):
    """As `JSON.stringify` writes it: characters as they are, halves as escapes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # Pairs are characters
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return "".join(f"\\u{ord(each):04x}" if "\ud800" <= each <= "\udfff" else each for each in text)


@given(values, st.sampled_from([json.dumps, as_javascript]), st.booleans())
def test_whatever_a_serializer_writes_is_read(value, serializer, as_bytes):
    text = serializer(value)
    found = client_json.parse(text.encode() if as_bytes else text, "it")
    assert found == whole(value)


@given(texts, st.sampled_from([json.dumps, as_javascript]), st.sampled_from([0, UNCHECKED_BYTES]))
def test_an_event_with_any_text_is_an_event(text, serializer, more):
    text += "x" * more
    said = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    event = decode(serializer({"type": "conversation.item.create", "item": said}))
    assert event.item.content[0].text == whole(text)


@pytest.mark.parametrize(
    "broken",
    ['["\\ud83d",NaN]', '["\\ud83d",1e999]', '["\\ud83d"', "[\"\\ud83d\", '']", '["\\ud83d" 1]', '"\\ud8"'],
)
def test_what_is_no_json_stays_none(broken):
    with pytest.raises(client_json.NotJson):
        client_json.parse(broken, "it")
    with pytest.raises(ProtocolError):
        decode(broken)


def test_many_halves_are_replaced_in_steps():
    halves, plain = (steps_of(character * 170_000) for character in ("\\ud83d", "aaaaaa"))
    assert halves >= plain + 170_000 // client_json.STEP_CHARS


def steps_of(text):
    """How many there are until it is known that this is JSON of an unknown type."""
    steps = decode_in_steps('{"type":"x","text":"' + text + '"}')
    count = 0
    try:
        for _ in steps:
            count += 1
    except NotAnEvent:
        return 0
    except ProtocolError:
        return count
