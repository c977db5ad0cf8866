"""Roles, numbers and models of V2, written out from docs/minimax/video.md 4."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from realtime.sandbox.refusal import Refusal
from realtime.sandbox.video_v2_content import BASE_ROLES, ROLES, read_content
from realtime.sandbox.video_v2_rules import RATIOS, check_ratio, film_size, order_of, ratio_value

TEXT = {"type": "text", "text": "a cat"}


def item(role: str | None, kind: str = "image") -> dict[str, Any]:
    found = {"type": f"{kind}_url", f"{kind}_url": {"url": "x"}}
    return found | ({"role": role} if role else {})


def roles_of(*media: dict[str, Any]) -> list[str] | str:
    """The roles of the content, or the refusal's message."""
    try:
        return [m.role for m in read_content({"content": [TEXT, *media]}, ROLES).media]
    except Refusal as refusal:
        return f"{refusal.code} {refusal.message}"


FIRST, LAST = item("first_frame"), item("last_frame")
PICTURE, FILM, SOUND = (
    item("reference_image"),
    item("reference_video", "video"),
    item("reference_audio", "audio"),
)


@pytest.mark.parametrize(
    ("media", "roles"),
    [
        ([], []),
        ([item(None)], ["first_frame"]),
        ([FIRST, LAST], ["first_frame", "last_frame"]),
        ([LAST], ["last_frame"]),
        ([PICTURE] * 9 + [FILM] * 3, ["reference_image"] * 9 + ["reference_video"] * 3),
        ([SOUND] * 3, ["reference_audio"] * 3),
    ],
)
def test_what_goes_together(media: list[dict[str, Any]], roles: list[str]) -> None:
    assert roles_of(*media) == roles


@pytest.mark.parametrize(
    "media",
    [
        [FIRST, FIRST], [LAST, LAST], [item(None), item(None)], [FIRST, PICTURE], [LAST, FILM], [FIRST, SOUND],
        [PICTURE] * 10, [FILM] * 4, [SOUND] * 4, [PICTURE] * 9 + [FILM] * 3 + [SOUND],
        [item("base_video", "video")], [item(None, "video")], [item(None, "audio")], [item("first_frame", "video")],
        [item("hero")], [{"type": "film"}], [item(["first_frame"])],  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_what_does_not(media: list[dict[str, Any]]) -> None:
    assert str(roles_of(*media)).startswith("2013 ")


@pytest.mark.parametrize(
    "content",
    [None, [], {}, "a cat", [{}], ["a cat"], [{"type": "text", "text": " "}], [{"type": "text", "text": 7}], [TEXT, TEXT],
     [{"type": "text", "text": "x" * 7001}]],
)  # fmt: skip
def test_one_text_is_needed(content: Any) -> None:
    with pytest.raises(Refusal) as caught:
        read_content({"content": content}, ROLES)
    assert caught.value.code == 2013


def test_texts_have_a_length() -> None:
    assert len(read_content({"content": [{"type": "text", "text": "雪" * 7000}]}, ROLES).text) == 7000
    base = item("base_video", "video")
    long = {"type": "text", "text": "x" * 40_000}
    assert read_content({"content": [base]}, BASE_ROLES, 40_000, needs_text=False).text == ""
    assert len(read_content({"content": [long, base]}, BASE_ROLES, 40_000, needs_text=False).text) == 40_000
    with pytest.raises(Refusal):
        read_content({"content": [base, item(None)]}, BASE_ROLES, needs_text=False)


# model -> resolution -> first and last number of seconds
CELLS = {
    "MiniMax-H3": {"768P": (4, 15), "2K": (4, 15)},
    "MiniMax-H3-Max": {"480P": (5, 15), "768P": (5, 15)},
    "MiniMax-H3-Highspeed": {"768P": (4, 15)},
    "MiniMax-H3-Lite": {"480P": (4, 15), "768P": (4, 15)},
}


def ordered(**body: Any) -> bool:
    try:
        order_of(body)
    except Refusal as refusal:
        return refusal.code != 2013
    return True


@pytest.mark.parametrize("model", CELLS)
def test_every_cell(model: str) -> None:
    cells = itertools.product(("480P", "512P", "768P", "1080P", "2K"), range(18))
    found = {(r, s) for r, s in cells if ordered(model=model, resolution=r, duration=s)}
    assert found == {(r, s) for r, (a, b) in CELLS[model].items() for s in range(a, b + 1)}
    assert not ordered(model=model, duration=5)
    assert not ordered(model=model, resolution="768P")
    assert not ordered(model=model, resolution="768P", duration="5")


def test_prompt_expansion_is_for_one_model() -> None:
    for model in CELLS:
        body = {"model": model, "resolution": "768P", "duration": 5}
        for mode in ("disabled", "balanced", "quality"):
            assert ordered(**body, extra={"prompt_expansion_mode": mode}) == (model == "MiniMax-H3-Max")
        assert not ordered(**body, extra={"prompt_expansion_mode": "wild"})
        assert not ordered(**body, extra={"other": 1})
        assert ordered(**body, extra={})


def test_a_ratio_is_named_for_text_alone() -> None:
    body = {"resolution": "768P", "duration": 5}

    def needed(model: str, *, frames: bool, references: bool, ratio: str = "adaptive") -> bool:
        try:
            check_ratio(order_of({**body, "model": model, "ratio": ratio}), frames, references)
        except Refusal:
            return True
        return False

    assert needed("MiniMax-H3", frames=False, references=False)
    assert not needed("MiniMax-H3", frames=False, references=False, ratio="1:1")
    assert not needed("MiniMax-H3", frames=True, references=True)
    assert not needed("MiniMax-H3", frames=False, references=True)
    assert needed("MiniMax-H3-Lite", frames=False, references=True)
    assert not ordered(**body, model="MiniMax-H3", ratio="2:1")


def test_sizes_are_multiples_of_32_in_the_area_that_regeneration_takes() -> None:
    assert film_size("768P", 16 / 9) == (1344, 768)
    assert film_size("768P", 21 / 9) == (1536, 672)
    assert film_size("768P", 1) == (768, 768)
    assert film_size("480P", 9 / 16) == (480, 832)
    assert film_size("2K", 16 / 9) == (2560, 1440)
    for ratio in [ratio_value(name) for name in RATIOS[1:]] + [0.4, 2.5]:
        width, height = film_size("768P", ratio)
        assert (width % 32, height % 32) == (0, 0)
        assert 589_824 <= width * height <= 1_032_192
        assert width / height == pytest.approx(ratio, rel=0.05)
