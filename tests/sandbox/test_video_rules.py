"""Every cell of model × mode × seconds × resolution, written out from docs/minimax/video.md 1."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from realtime.sandbox.refusal import Refusal
from realtime.sandbox.video_rules import MODELS, film_size, shot_of, subject_of

# model -> mode -> the cells that it makes
CELLS: dict[str, dict[str, set[str]]] = {
    "MiniMax-Hailuo-2.3": {"text": {"768P 6", "768P 10", "1080P 6"}, "image": {"768P 6", "768P 10", "1080P 6"}},
    "MiniMax-Hailuo-2.3-Fast": {"image": {"768P 6", "768P 10", "1080P 6"}},
    "MiniMax-Hailuo-02": {
        "text": {"768P 6", "768P 10", "1080P 6"},
        "image": {"512P 6", "512P 10", "768P 6", "768P 10", "1080P 6"},
        "frames": {"768P 6", "768P 10", "1080P 6"},
    },
    "T2V-01-Director": {"text": {"720P 6"}},
    "T2V-01": {"text": {"720P 6"}},
    "I2V-01-Director": {"image": {"720P 6"}},
    "I2V-01-live": {"image": {"720P 6"}},
    "I2V-01": {"image": {"720P 6"}},
    "S2V-01": {"subject": {"720P 6"}},
}  # fmt: skip
MODES: dict[str, dict[str, Any]] = {
    "text": {},
    "image": {"first_frame_image": "x"},
    "frames": {"first_frame_image": "x", "last_frame_image": "y"},
    "subject": {"subject_reference": [{"type": "character", "image": ["x"]}]},
}


def taken(**body: Any) -> bool:
    try:
        shot_of({"prompt": "a cat", **body})
    except Refusal as refusal:
        return refusal.code != 2013
    return True


@pytest.mark.parametrize("model", CELLS)
def test_every_cell(model: str) -> None:
    found: dict[str, set[str]] = {}
    cells = itertools.product(MODES, ("512P", "720P", "768P", "1080P", "2K"), (5, 6, 10, 11))
    for mode, resolution, seconds in cells:
        if taken(model=model, resolution=resolution, duration=seconds, **MODES[mode]):
            found.setdefault(mode, set()).add(f"{resolution} {seconds}")
    assert found == CELLS[model]


def test_no_other_models() -> None:
    assert set(MODELS) == set(CELLS)
    assert not taken(model="MiniMax-Hailuo-9")
    assert not taken()


def test_defaults_are_six_seconds_and_the_models_resolution() -> None:
    for model, resolution in (
        ("MiniMax-Hailuo-2.3", "768P"),
        ("MiniMax-Hailuo-02", "768P"),
        ("T2V-01", "720P"),
    ):
        shot = shot_of({"model": model, "prompt": "a cat"})
        assert (shot.seconds, shot.resolution) == (6, resolution)


def test_a_prompt_is_needed_for_text_alone_and_has_a_length() -> None:
    model = "MiniMax-Hailuo-02"
    assert not taken(model=model, prompt="")
    assert not taken(model=model, prompt=None)
    assert taken(model=model, prompt="", first_frame_image="x")
    assert taken(model=model, prompt="雪" * 2000)
    assert not taken(model=model, prompt="雪" * 2001)
    assert not taken(model=model, prompt="雪" * 2001, first_frame_image="x")


@pytest.mark.parametrize(
    "body",
    [
        {"model": "MiniMax-Hailuo-02", "prompt": 7},
        {"model": "MiniMax-Hailuo-02", "duration": "6"},
        {"model": "MiniMax-Hailuo-02", "prompt_optimizer": "yes"},
        {"model": "MiniMax-Hailuo-02", "aigc_watermark": 1},
        {"model": "S2V-01", **MODES["subject"], **MODES["image"]},
        {"model": "MiniMax-Hailuo-02", **MODES["frames"], "fast_pretreatment": True},
        {"model": "T2V-01", "fast_pretreatment": True},
    ],
)
def test_refused_requests(body: dict[str, Any]) -> None:
    assert not taken(**body)


def test_fast_pretreatment_where_the_table_has_it() -> None:
    rows = [(model, mode) for model, modes in CELLS.items() for mode in modes]
    fast = {
        (model, mode) for model, mode in rows if taken(model=model, fast_pretreatment=True, **MODES[mode])
    }
    assert fast == {
        ("MiniMax-Hailuo-2.3", "text"), ("MiniMax-Hailuo-2.3", "image"), ("MiniMax-Hailuo-2.3-Fast", "image"),
        ("MiniMax-Hailuo-02", "text"), ("MiniMax-Hailuo-02", "image"),
    }  # fmt: skip


def test_the_last_frame_may_stand_alone() -> None:
    assert taken(model="MiniMax-Hailuo-02", last_frame_image="y")
    assert not taken(model="MiniMax-Hailuo-2.3", last_frame_image="y")


def test_which_models_understand_camera_commands() -> None:
    assert {name for name, model in MODELS.items() if model.camera} == {
        "MiniMax-Hailuo-2.3", "MiniMax-Hailuo-2.3-Fast", "MiniMax-Hailuo-02", "T2V-01-Director", "I2V-01-Director",
    }  # fmt: skip


@pytest.mark.parametrize(
    "subject",
    [
        [{"type": "character", "image": []}],
        [{"type": "character", "image": ["x", "y"]}],
        [{"type": "dog", "image": ["x"]}],
        [{"type": "character", "image": ["x"]}] * 2,
        {"type": "character", "image": ["x"]},
        ["x"],
    ],
)
def test_one_subject_with_one_picture(subject: Any) -> None:
    assert subject_of(MODES["subject"]) == "x"
    with pytest.raises(Refusal, match="subject_reference"):
        subject_of({"subject_reference": subject})


@pytest.mark.parametrize(
    ("resolution", "ratio", "size"),
    [
        ("768P", None, (1366, 768)), ("1080P", None, (1920, 1080)), ("720P", 16 / 9, (1280, 720)),
        ("512P", 1.0, (512, 512)), ("512P", 0.4, (512, 1280)), ("768P", 2.5, (1920, 768)),
        ("768P", 9 / 16, (768, 1366)),
    ],
)  # fmt: skip
def test_the_resolution_is_the_shorter_side(
    resolution: str, ratio: float | None, size: tuple[int, int]
) -> None:
    assert film_size(resolution, ratio) == size
