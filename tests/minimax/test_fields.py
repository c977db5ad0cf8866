"""Arguments become fields: placed where the wire wants them, and refused by name before anything is sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import InvalidArgument
from realtime.minimax.field_tables import IMAGE, MUSIC, NARRATION, SPEECH, TABLES, VIDEO
from realtime.minimax.fields import Field, Id, Json, Model, Number, Whole, build, merge, python_name
from realtime.minimax.operations import LIMITS, OPERATIONS


def test_arguments_are_placed_in_nested_objects():
    body = build(
        SPEECH,
        {
            "model": "speech-2.8-hd",
            "text": "Hi.",
            "voice_id": "v",
            "speed": 1.5,
            "rate": 24000,
            "format": "mp3",
        },
    )
    assert body == {
        "model": "speech-2.8-hd",
        "text": "Hi.",
        "voice_setting": {"voice_id": "v", "speed": 1.5},
        "audio_setting": {"sample_rate": 24000, "format": "mp3"},
    }


def test_the_long_text_interface_has_its_own_name_for_the_rate():
    body = build(
        NARRATION, {"model": "speech-2.8-hd", "voice_id": "v", "rate": 32000, "file_id": "9007199254740993"}
    )
    assert body["audio_setting"] == {"audio_sample_rate": 32000}
    assert body["text_file_id"] == 9007199254740993


def test_extra_passes_what_is_newer_and_wins():
    body = build(
        SPEECH,
        {"model": "m", "text": "x", "speed": 1.0},
        {"voice_setting": {"emotion": "proud"}, "brand_new": [1]},
    )
    assert body["voice_setting"] == {"speed": 1.0, "emotion": "proud"}
    assert body["brand_new"] == [1]


def test_extra_may_give_a_required_field():
    assert build(IMAGE, {"model": "image-01"}, {"prompt": "a cat"})["prompt"] == "a cat"


@pytest.mark.parametrize(
    ("fields", "values", "param", "words"),
    [
        (IMAGE, {"model": "image-01"}, "prompt", "1 to 1,500 characters"),
        (IMAGE, {"model": "image-01", "prompt": "x" * 1501}, "prompt", "1,501 characters"),
        (IMAGE, {"model": "image-01", "prompt": "  "}, "prompt", "empty"),
        (IMAGE, {"model": "image-01", "prompt": "x", "n": 10}, "n", "from 1 to 9"),
        (IMAGE, {"model": "image-01", "prompt": "x", "n": True}, "n", "True"),
        (IMAGE, {"model": "image-01", "prompt": "x", "width": 516}, "width", "multiple of 8"),
        (IMAGE, {"model": "image-01", "prompt": "x", "ratio": "5:4"}, "ratio", "21:9"),
        (IMAGE, {"model": "image-01", "prompt": "x", "style": "水彩"}, "style", "image-01-live"),
        (SPEECH, {"model": "speech-2.8-hd", "text": "x" * 10_000}, "text", "9,999"),
        (SPEECH, {"model": "speech-2.8-hd", "text": "x", "volume": 0}, "volume", "above 0"),
        (SPEECH, {"model": "speech-2.8-hd", "text": "x", "pitch": 1.5}, "pitch", "whole number"),
        (SPEECH, {"model": "speech-2.8-hd", "text": "x", "rate": 24001}, "rate", "24001"),
        (VIDEO, {"model": "MiniMax-Hailuo-02", "seconds": 7}, "seconds", "6, 10"),
        (MUSIC, {"model": "music-3.0", "lyrics": "x" * 3501}, "lyrics", "3,501"),
        (MUSIC, {"model": "music-3.0", "cover_feature_id": "f"}, "cover_feature_id", "music-cover"),
        (NARRATION, {"model": "speech-2.8-hd", "file_id": "12a"}, "file_id", "digits"),
    ],
)
def test_a_wrong_argument_is_named_with_what_was_given_and_what_is_allowed(fields, values, param, words):
    with pytest.raises(InvalidArgument) as caught:
        build(fields, values)
    assert caught.value.param == param
    assert words in caught.value.message
    assert caught.value.upstream_code is None


def test_a_model_that_is_newer_than_the_table_is_left_to_the_platform():
    body = build(IMAGE, {"model": "image-02", "prompt": "x", "style": "水彩"})
    assert body["style"] == {"style_type": "水彩"}


def test_a_name_without_a_row_is_a_mistake_of_the_program():
    with pytest.raises(TypeError, match="hue"):
        build(IMAGE, {"model": "image-01", "prompt": "x", "hue": 1})


def test_half_of_a_character_is_refused_here():
    with pytest.raises(InvalidArgument, match="half of a character"):
        build(IMAGE, {"model": "image-01", "prompt": "\ud800"})


@given(st.integers())
def test_whole_numbers_are_taken_exactly_in_their_range(value):
    kind = Whole(512, 2048, 8)
    if 512 <= value <= 2048 and value % 8 == 0:
        assert kind.check(value) == value
    else:
        with pytest.raises(ValueError, match=r"."):
            kind.check(value)


@given(st.floats())
def test_numbers_are_taken_exactly_in_their_range(value):
    kind = Number(0, 1, above=True)
    if 0 < value <= 1:
        assert kind.check(value) == value
    else:
        with pytest.raises(ValueError, match=r"."):
            kind.check(value)


@given(st.integers(min_value=1, max_value=2**64 - 1))
def test_ids_are_texts_outside_and_integers_on_the_wire(value):
    assert Id().check(str(value)) == Id().check(value) == value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


@given(st.dictionaries(st.text(), JSON, max_size=3), st.dictionaries(st.text(), JSON, max_size=3))
def test_merging_keeps_everything_of_the_extra(body, extra):
    merged = merge(body, extra)
    assert set(merged) == set(body) | set(extra)
    for key, value in extra.items():
        if not isinstance(value, dict):
            assert merged[key] == value
    assert merge(merged, extra) == merged


def test_a_field_of_the_wire_is_found_by_its_place_or_its_last_name():
    assert python_name(SPEECH, "voice_setting.vol") == "volume"
    assert python_name(SPEECH, "vol") == "volume"
    assert python_name(SPEECH, "messages[0]") is None


def test_every_table_belongs_to_an_operation_and_names_are_unique():
    assert set(TABLES) <= set(OPERATIONS)
    for name, fields in TABLES.items():
        assert len({f.name for f in fields}) == len(fields), name
        assert len({f.wire for f in fields}) == len(fields), name
        for field in fields:
            assert field.kind.allowed, (name, field.name)


def test_every_operation_is_complete():
    for operation in OPERATIONS.values():
        assert operation.limit in ("", *LIMITS), operation
        assert operation.codes, operation
        assert operation.timeout_s > 0, operation
    billed = {name for name, operation in OPERATIONS.items() if operation.billed}
    assert "video.create" in billed
    assert not billed & {"files.upload", "files.list", "voices.list", "video.task", "files.delete"}


def test_models_are_matched_by_prefix():
    fields = (
        Field("model", "model", Model(("a-1", "a-1-fast", "b")), required=True),
        Field("x", "x", Json(), models=("a-1",)),
    )
    assert build(fields, {"model": "a-1-fast", "x": 1})["x"] == 1
    with pytest.raises(InvalidArgument, match="not for the model b"):
        build(fields, {"model": "b", "x": 1})


@pytest.mark.parametrize("extra", ["seed=7", b"{}", [("seed", 7)], 7])
def test_an_extra_that_is_no_object_is_refused(extra):
    with pytest.raises(InvalidArgument) as caught:
        build(IMAGE, {"model": "image-01", "prompt": "a"}, extra)
    assert caught.value.param == "extra"
