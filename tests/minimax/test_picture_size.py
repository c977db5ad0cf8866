"""The size of a picture from its header, and what a picture may be."""

from __future__ import annotations

import base64
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import InvalidArgument
from realtime.minimax.media_input import PICTURE, PICTURE_V2, media_url
from realtime.minimax.picture_size import picture_size
from tests.minimax.pictures import jpeg, png, webp

SIDES = st.integers(1, 16_000)


@given(SIDES, SIDES)
def test_every_size_is_read_from_every_format(width: int, height: int):
    icc = b"\xff\xe2\xff\xff" + b"\xff\xc0" * 32766 + b"\0"  # as long as a segment can be, with frames inside
    for data in (
        png(width, height),
        jpeg(width, height),
        jpeg(width, height, before=icc + b"\xff"),
        webp(width, height),
        webp(width, height, b"VP8L"),
        webp(width, height, b"VP8X"),
    ):
        assert picture_size(data) == (width, height)


@given(
    st.binary(max_size=64), st.sampled_from([png(), jpeg(), webp(), webp(form=b"VP8L"), webp(form=b"VP8X")])
)
def test_broken_headers_have_no_size_and_raise_nothing(tail: bytes, picture: bytes):
    for length in range(len(picture)):
        found = picture_size(picture[:length] + tail)
        assert found is None or min(found) > 0


def test_without_pixels_there_is_no_size():
    assert picture_size(png(0, 5)) is None
    assert picture_size(b"\xff\xd8\xff\xda" + jpeg()[2:]) is None  # a frame after the pixels began
    assert picture_size(b"GIF89a" + bytes(20)) is None


async def test_a_picture_comes_as_path_bytes_stream_address_or_data_url(tmp_path):
    data = jpeg()
    wanted = "data:image/jpeg;base64," + base64.b64encode(data).decode()
    path = tmp_path / "a.png"  # the bytes say what it is, not the name
    path.write_bytes(data)
    for source in (path, str(path), data, io.BytesIO(data), wanted):
        assert await media_url(source, "first") == wanted
    assert await media_url("https://x.example/a.jpg", "first") == "https://x.example/a.jpg"
    assert await media_url("mm_file://7", "first", PICTURE_V2) == "mm_file://7"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (png(300, 400), "300 x 400"),
        (png(301, 753), "2:5"),
        (png(753, 301), "2:5"),
        (png(640, 480, 20 * 1024 * 1024 + 1), "20 MB"),
        (b"\0\0\0\x18ftypheic" + bytes(40), "heic"),
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "broken"),
        ("data:image/png;base64,!!!", "data URL"),
        ("mm_file://7", "http"),
        ("/no/such/picture.png", "no file"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_what_the_platform_would_refuse_is_refused_here(source: bytes | str, said: str):
    with pytest.raises(InvalidArgument, match=said) as caught:
        await media_url(source, "first", PICTURE)
    assert caught.value.param == "first"


async def test_the_edges_of_a_picture_pass():
    for data in (png(301, 752), png(752, 301), png(301, 301, 20 * 1024 * 1024)):
        assert (await media_url(data, "first", PICTURE)).startswith("data:image/png")
    assert await media_url(png(256, 640), "x", PICTURE_V2)
    for size in ((255, 400), (5761, 3000)):
        with pytest.raises(InvalidArgument, match="256"):
            await media_url(png(*size), "x", PICTURE_V2)
