"""Pictures: size, colours, words and metadata come from the prompt; broken ones are refused."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.sandbox import lettering
from realtime.sandbox.extras import ExtraMissing
from realtime.sandbox.picture_facts import UnreadablePicture, picture_facts
from realtime.sandbox.picture_words import scene_of
from realtime.sandbox.pictures import caption_text, make_picture
from realtime.sandbox.voice_engine import VoiceUnavailable

Image = pytest.importorskip("PIL.Image")


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=int)


def share_near(data: bytes, colour: tuple[int, int, int]) -> float:
    """The share of pixels that are about this colour."""
    return float((np.abs(pixels(data) - colour).max(axis=2) < 25).mean())


def encoded(format: str, size: tuple[int, int] = (40, 30), **options: object) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", size, (255, 0, 255)).save(data, format, **options)
    return data.getvalue()


@pytest.mark.parametrize(("width", "height"), [(512, 512), (1344, 576), (720, 1280), (2048, 512)])
def test_a_picture_has_the_asked_size_and_holds_its_prompt(width: int, height: int) -> None:
    """A JPEG that any reader opens; the prompt can be read back, Chinese too."""
    facts = picture_facts(make_picture("雪山日出, a red boat", width, height))
    assert (facts.format, facts.width, facts.height) == ("jpeg", width, height)
    assert facts.description == "雪山日出, a red boat"


@pytest.mark.parametrize(
    ("prompt", "colour"),
    [
        ("a cat on a red sofa", (205, 38, 38)),
        ("一只蓝色的船", (40, 90, 205)),
        ("紫色的花", (128, 60, 170)),
        ("a YELLOW house", (245, 212, 50)),
    ],
)
def test_the_named_colour_is_in_the_picture(prompt: str, colour: tuple[int, int, int]) -> None:
    """Much of it has that colour, whatever the seed, and little of it without the word."""
    for seed in (0, 1, 2**63):
        assert share_near(make_picture(prompt, 512, 512, seed=seed), colour) > 0.1
    assert share_near(make_picture("a thing", 512, 512), colour) < 0.05


def test_the_seed_decides() -> None:
    """The same seed and prompt make the same bytes; another seed or prompt makes others."""
    first = make_picture("a green tree", 512, 512, seed=7)
    assert make_picture("a green tree", 512, 512, seed=7) == first
    assert make_picture("a green tree", 512, 512, seed=8) != first
    assert make_picture("a green trees", 512, 512, seed=7) != first
    assert make_picture("a green tree", 512, 512, seed=-1) != first


def test_the_night_is_darker_than_the_day() -> None:
    """Words for scenes decide sky and ground."""
    day, night = (pixels(make_picture(prompt, 512, 512))[:200].mean() for prompt in ("a city", "城市的夜晚"))
    assert night < day / 2


def test_the_subject_stands_in_the_picture() -> None:
    """Its colour, which no prompt word brings, fills a part of the middle."""
    plain = make_picture("at sea", 800, 600)
    with_subject = make_picture("at sea", 800, 600, subject=encoded("PNG", (300, 400)))
    assert share_near(plain, (255, 0, 255)) == 0
    assert share_near(with_subject, (255, 0, 255)) > 0.05


@pytest.mark.parametrize("style", ["漫画", "元气", "中世纪", "水彩"])
def test_each_style_changes_the_picture_by_its_weight(style: str) -> None:
    """A greater weight changes more."""
    plain = pixels(make_picture("a red boat at sea", 512, 512))
    light, strong = (
        np.abs(
            pixels(make_picture("a red boat at sea", 512, 512, style=style, style_weight=w)) - plain
        ).mean()
        for w in (0.2, 1.0)
    )
    assert 1 < light < strong


def test_the_watermark_is_in_its_corner_and_nowhere_else() -> None:
    """The rest of the picture is the same but for what the encoder does."""
    plain, marked = (pixels(make_picture("a hill", 800, 600, watermark=on)) for on in (False, True))
    changed = np.abs(plain - marked).max(axis=2) > 60
    assert changed[:60, 500:].mean() > 0.02
    assert not changed[100:].any()


def test_the_prompt_is_drawn_at_the_foot() -> None:
    """White letters on the dark band; another text of the same seed draws other letters."""
    foot = pixels(make_picture("hello world", 800, 600))[560:]
    assert (foot.min(axis=2) > 220).mean() > 0.005
    assert not np.array_equal(foot, pixels(make_picture("hello there", 800, 600))[560:])


def test_letters_that_no_font_has_are_left_out() -> None:
    """The rest stays, in one line."""
    assert lettering.drawable("a\U0010fffeb\n c") == "a b c"


@pytest.mark.parametrize(
    ("prompt", "drawable", "caption"),
    [
        ("a red cat [Push in]", "a red cat [Push in]", "a red cat [Push in]"),
        ("雪山日出 [推进] at 7", "[ ] at 7", "snow mountain sunrise at 7"),
        ("红猫, café", ", caf", ", caf"),
        ("未知", "", ""),
    ],
)
def test_a_prompt_without_its_letters_is_written_in_english(prompt: str, drawable: str, caption: str) -> None:
    """Where most letters are missing, the names of colours and things stand for them."""
    assert caption_text(prompt, drawable) == caption


@given(st.text(min_size=1, max_size=1500))
@settings(max_examples=25, deadline=None)
def test_any_prompt_can_be_drawn_and_read_back(prompt: str) -> None:
    """No letter ends in an error."""
    facts = picture_facts(make_picture(prompt, 512, 512))
    assert facts.description == prompt


def test_half_a_letter_becomes_a_question_mark() -> None:
    """JSON can hold one half of a pair."""
    assert picture_facts(make_picture("a \ud83d cat", 512, 512)).description == "a ? cat"


def test_a_very_long_prompt_is_kept_as_far_as_a_jpeg_can() -> None:
    """A metadata segment is below 64 KiB; the cut is between two letters."""
    description = picture_facts(make_picture("山" * 40_000, 512, 512)).description
    assert description == "山" * 20_000


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_facts_of_every_format(format: str) -> None:
    """Bytes tell the format."""
    facts = picture_facts(encoded(format))
    assert (facts.format, facts.width, facts.height, facts.description) == (format.lower(), 40, 30, "")


def test_a_picture_taken_on_its_side_has_the_size_it_is_seen_in() -> None:
    """EXIF orientation 6: a quarter turn."""
    exif = Image.Exif()
    exif[0x0112] = 6
    facts = picture_facts(encoded("JPEG", exif=exif))
    assert (facts.width, facts.height) == (30, 40)


@pytest.mark.parametrize(
    "data", [b"", b"<html>", encoded("GIF"), encoded("PNG")[:60], encoded("JPEG", (600, 600))[:900]]
)
def test_what_is_no_whole_picture_is_refused(data: bytes) -> None:
    """Empty, a page, another format, cut files."""
    with pytest.raises(UnreadablePicture, match="JPEG, PNG or WebP"):
        picture_facts(data)


def test_the_longer_word_wins_and_parts_of_words_do_not_count() -> None:
    """黄昏 is no yellow, 沙发 no desert, "bored" no red."""
    assert scene_of("黄昏的沙发, bored").colours == ()
    assert scene_of("黄昏的沙发, bored").things == ("sunrise", "sofa")
    assert scene_of("红色和绿色, green again").colours == ("red", "green")


def test_without_pillow_the_error_is_the_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same kind of error as for the voice."""
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(ExtraMissing, match=r"pip install 'minimax-realtime\[sandbox\]'"):
        make_picture("a cat", 512, 512)
    assert issubclass(VoiceUnavailable, ExtraMissing)
