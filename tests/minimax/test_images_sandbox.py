"""Pictures against the sandbox: asked for, looked at, saved; and refused."""

from __future__ import annotations

import pytest

pytest.importorskip("PIL")
from realtime.errors import AnswerLost, InvalidArgument, ProviderError, ProviderRejected
from realtime.minimax import MiniMax, Picture
from realtime.sandbox.picture_facts import picture_facts
from realtime.sandbox.server import Sandbox

pytestmark = pytest.mark.operation("images.create")


async def facts(picture: Picture) -> tuple[int, int, str]:
    """Width, height and prompt, as they stand in the picture."""
    found = picture_facts(await picture.read())
    return found.width, found.height, found.description


async def test_pictures_have_the_size_and_the_prompt_they_were_asked_for(mm: MiniMax, tmp_path):
    picture, other = await mm.images.create("a cat on a red sofa", ratio="16:9", n=2)
    width, height, prompt = await facts(picture)
    assert (width, height) == (1280, 720)
    assert "a cat on a red sofa" in prompt
    saved = await picture.save(tmp_path / "cat.jpeg")
    assert saved.kind == "jpeg"
    assert saved.path.read_bytes() == await picture.read() != await other.read()


async def test_base64_a_size_and_a_seed(mm: MiniMax):
    arguments = {"width": 640, "height": 512, "seed": 7, "output": "base64", "watermark": True}
    (one,) = await mm.images.create("the sea", **arguments)
    (again,) = await mm.images.create("the sea", **arguments)
    assert (await facts(one))[:2] == (640, 512)
    assert one.url is None
    assert await one.read() == await again.read()


async def test_styles_and_a_subject_change_the_picture(mm: MiniMax):
    (plain,) = await mm.images.create("her at sea", seed=1, ratio="1:1", optimize_prompt=False)
    data = await plain.read()
    (with_subject,) = await mm.images.create("her at sea", seed=1, ratio="1:1", subject=data)
    (styled,) = await mm.images.create("her at sea", seed=1, ratio="1:1", style="水彩", style_weight=1)
    assert len({data, await with_subject.read(), await styled.read()}) == 3
    (by_address,) = await mm.images.create("her at sea", seed=1, ratio="1:1", subject=plain.url)
    assert await by_address.read() == await with_subject.read()


async def test_half_of_the_pictures_stopped_is_shown_and_all_of_them_is_an_error(
    sandbox: Sandbox, mm: MiniMax
):
    sandbox.inject("image.partial")
    pictures = await mm.images.create("a cat", n=4)
    assert (len(pictures), pictures.failed) == (2, 2)
    with pytest.raises(ProviderRejected) as caught:
        await mm.images.create("a cat", n=1)
    assert (caught.value.code, caught.value.upstream_code) == ("content_filter", 1027)


@pytest.mark.parametrize("code", [1004, 1008, 1026, 2013, 2049])
async def test_the_platforms_codes(sandbox: Sandbox, mm: MiniMax, code):
    sandbox.inject(f"image.error={code}", times=1)
    with pytest.raises(ProviderError) as caught:
        await mm.images.create("a cat")
    assert caught.value.upstream_code == code


async def test_what_only_the_platform_knows_is_refused_by_our_name(mm: MiniMax):
    with pytest.raises(InvalidArgument):
        await mm.images.create("a cat", extra={"aspect_ratio": "7:1"})
    with pytest.raises(InvalidArgument):
        await mm.images.create("a cat", model="image-99")


async def test_pictures_whose_answer_was_lost_are_not_made_twice(sandbox: Sandbox, mm: MiniMax):
    sandbox.inject("image.lost", times=1)
    with pytest.raises(AnswerLost):
        await mm.images.create("a cat")


async def test_a_link_that_has_died_says_so(sandbox: Sandbox, mm: MiniMax, tmp_path):
    (picture,) = await mm.images.create("a cat")
    sandbox.forward(hours=25)
    with pytest.raises(ProviderRejected, match="gone"):
        await picture.save(tmp_path / "cat.jpeg")
    assert list(tmp_path.iterdir()) == []
