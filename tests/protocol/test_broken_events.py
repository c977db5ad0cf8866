"""The `event_id` of messages that are no events: found as far as the message can be read at all."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import ProtocolError
from realtime.protocol.broken_events import id_in, id_in_broken
from realtime.protocol.codec import NotAnEvent, decode

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("message", "event_id"),
    [
        ('{"event_id":"c1"}', "c1"),
        ('{"event_id":"c1","type":7}', "c1"),
        ('{"type":null,"event_id":"c1","audio":""}', "c1"),
        ('{"event_id":"c1","type":["session.update"]}', "c1"),
        ('{"Type":"response.create","event_id":"c1"}', "c1"),
        ('[{"type":"response.create","event_id":"c1"}]', "c1"),
        ('[{"event_id":"c1"},{"event_id":"c2"}]', "c1"),
        ('{"type":"response.create","event_id":"c1"', "c1"),
        ('{"type":"response.create","event_id":"c1",}', "c1"),
        ('{"type":"response.create","event_id":"c1"}}', "c1"),
        ('{"event_id":"c1","type":"session.update","session":{"instructions":"no end', "c1"),
        ('{"event_id":"c1","type":"response.create","response":{"temperature":NaN}}', "c1"),
        ('{"type":"session.update","session":{"speed":NaN},"event_id":"c1"}', "c1"),
        ('{"text":"two\nlines","event_id":"c1"}', "c1"),
        ('\ufeff{"event_id":"c1","type":"response.create"}', "c1"),
        (' {\n "event_id" : "c1" ,\n "type" : undefined }', "c1"),
        (b'{"event_id":"c1","type":"\xff"}', "c1"),
        ('{"event_id":"c1","deep":' + "[" * 100_000, "c1"),
        ('{"event_id":"日本","type":1}', "日本"),
        ('{"event_id":"' + "x" * 600 + '","type":1}', "x" * 512),
        ('{"event_id":7}', None),
        ('{"event_id":["c1"],"type":1}', None),
        ('{"event_id":"\\ud83d","type":1}', "\ufffd"),
        ('{"type":"response.create","event_id":"c1', None),
        ("{'event_id':'c1'}", None),
        ('[["event_id","c1"]]', None),
        ('"event_id"', None),
        ("{1:2}", None),
    ],
)
def test_the_id_is_found_where_the_message_can_be_read_that_far(message, event_id):
    with pytest.raises(NotAnEvent) as caught:
        decode(message)
    assert caught.value.event_id == event_id


@given(st.dictionaries(st.text(), json_values, max_size=4), st.text(max_size=20), st.data())
def test_whatever_the_other_fields_are_the_error_names_the_event(fields, event_id, data):
    kind = data.draw(json_values)
    message = {"event_id": event_id, **fields, "type": kind} | {"event_id": event_id}
    with pytest.raises(ProtocolError) as caught:
        decode(json.dumps(message))
    assert caught.value.event_id == event_id


@given(st.dictionaries(st.text(), json_values, max_size=3), st.text(min_size=1, max_size=20), st.data())
def test_a_message_that_breaks_off_after_its_id_keeps_the_id(fields, event_id, data):
    text = json.dumps(
        {"event_id": event_id, **{key: value for key, value in fields.items() if key != "event_id"}}
    )
    begin = len(json.dumps({"event_id": event_id})) - 1
    assert id_in_broken(text[: data.draw(st.integers(begin, len(text)))]) == event_id


@given(st.text() | st.binary())
def test_nothing_is_ever_raised(data):
    assert isinstance(id_in_broken(data), str | None)


@given(json_values)
def test_no_value_is_ever_refused(value):
    assert isinstance(id_in(value), str | None)
