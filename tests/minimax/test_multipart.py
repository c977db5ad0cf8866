"""The form, read back with aiohttp's own reader."""

from __future__ import annotations

import asyncio

from aiohttp import BodyPartReader, MultipartReader, StreamReader
from aiohttp.base_protocol import BaseProtocol
from hypothesis import example, given
from hypothesis import strategies as st

from realtime.minimax.multipart import MAX_NAME_CHARACTERS, Multipart, safe_name

NAMES = st.text(min_size=1, max_size=40)


async def read_back(
    form: Multipart, content: bytes
) -> list[tuple[str | None, str | None, str | None, bytes]]:
    """Name, file name, content type and bytes of every part."""
    stream = StreamReader(BaseProtocol(asyncio.get_running_loop()), 2**20)
    stream.feed_data(form.wrap(content))
    stream.feed_eof()
    found = []
    async for part in MultipartReader({"Content-Type": form.content_type}, stream):
        assert isinstance(part, BodyPartReader)
        found.append((part.name, part.filename, part.headers.get("Content-Type"), bytes(await part.read())))
    return found


@given(
    fields=st.dictionaries(
        st.from_regex(r"[a-z_]{1,12}", fullmatch=True), st.text(st.characters(codec="utf-8"))
    ),
    name=NAMES,
    content=st.binary(),
)
@example(fields={}, name="a; b; c.txt", content=b"")
def test_fields_and_file_come_back_whole(fields, name, content) -> None:
    form = Multipart(fields, "file", name, "audio/mpeg")
    *texts, file = asyncio.run(read_back(form, content))
    assert {part[0]: part[3].decode() for part in texts} == fields
    assert file[0] == "file"
    assert file[2:] == ("audio/mpeg", content)
    assert file[1] == safe_name(name).encode("utf-8", "replace").decode()
    assert form.length(len(content)) == len(form.wrap(content))


@given(name=NAMES, kind=st.text())
def test_no_name_opens_a_second_header_or_part(name, kind) -> None:
    form = Multipart({name: "v"}, name, name, kind)
    assert form.head.count(b"\r\n\r\n") == 2
    assert form.head.count(b"Content-Disposition:") - name.count("Content-Disposition:") == 2
    for line in form.head.split(b"\r\n"):
        assert b"\n" not in line
        assert b"\r" not in line
    assert len(asyncio.run(read_back(form, b"x"))) == 2


def test_names_are_sent_without_folders_and_keep_their_ending() -> None:
    assert safe_name("/home/me/第一章.txt") == "第一章.txt"
    assert safe_name("C:\\books\\a.txt") == "a.txt"
    assert safe_name('say "hi"\r\n.mp3') == "say %22hi%22%0D%0A.mp3"
    assert safe_name("one; two; three.mp3") == "one%3B two%3B three.mp3"
    assert safe_name("///") == "file"
    long = safe_name("x" * 400 + ".mp3")
    assert (len(long), long[-4:]) == (MAX_NAME_CHARACTERS, ".mp3")


def test_two_forms_never_share_a_boundary() -> None:
    assert Multipart({}, "f", "n", "t").boundary != Multipart({}, "f", "n", "t").boundary
