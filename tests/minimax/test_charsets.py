"""A body in another encoding is read as what it says, wherever its fragments are cut."""

from __future__ import annotations

import codecs
import encodings
from itertools import pairwise
from pkgutil import iter_modules

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.messages import ChatMessage, TextDelta
from realtime.minimax import charsets
from realtime.minimax.charsets import Recoder, to_utf8
from realtime.minimax.chat import Chat
from realtime.minimax.chat_call import Dialect
from realtime.minimax.http import HttpClient
from tests.minimax.scripted import Reply, scripted

CHINESE = '联通: data: {"a": "今天天气很好。"}\r\n\ndata: é 😀\n\nlast 联通'
WESTERN = 'data: {"a": "Schöne Grüße à tous"}\n\ndata: ñ'

ENCODED = {
    "nothing said": (CHINESE, CHINESE.encode(), None),
    "UTF-8": (CHINESE, CHINESE.encode(), "text/event-stream; charset=UTF-8"),
    "UTF-8 with a mark": (CHINESE, CHINESE.encode("utf-8-sig"), "text/event-stream"),
    "GB18030": (CHINESE, CHINESE.encode("gb18030"), "text/event-stream;charset=gb18030"),
    "UTF-8 called GBK": ('data: "今"\n', 'data: "今"\n'.encode(), "text/plain; charset=gbk"),
    "GBK": ("data: 联通好\n联通\n", "data: 联通好\n联通\n".encode("gbk"), 'application/json; charset="GBK"'),
    "Big5": ("data: 功能\n", "data: 功能\n".encode("big5"), "text/event-stream; charset=big5"),
    "Shift JIS": ("data: 表示ソ\n", "data: 表示ソ\n".encode("shift_jis"), "text/plain; charset=Shift_JIS"),
    "ISO-2022-JP": ("data: 表示\n", "data: 表示\n".encode("iso2022_jp"), "text/plain; charset=iso-2022-jp"),
    "UTF-16 with a mark": (CHINESE, CHINESE.encode("utf-16"), None),
    "UTF-16 with a mark, called UTF-8": (CHINESE, CHINESE.encode("utf-16"), "text/plain; charset=utf-8"),
    "UTF-16, big end first": (WESTERN, b"\xfe\xff" + WESTERN.encode("utf-16-be"), None),
    "UTF-16 without a mark": (WESTERN, WESTERN.encode("utf-16-le"), "text/plain; charset=utf-16"),
    "UTF-16, nothing said": (WESTERN, WESTERN.encode("utf-16-be"), None),
    "UTF-32": (WESTERN, WESTERN.encode("utf-32"), None),
    "UTF-32, nothing said": (WESTERN, WESTERN.encode("utf-32-le"), None),
    "Latin-1": (WESTERN, WESTERN.encode("latin-1"), "text/event-stream; charset=ISO-8859-1"),
    "UTF-8 called Latin-1": (CHINESE, CHINESE.encode(), "text/event-stream; charset=ISO-8859-1"),
    "an unknown one": (CHINESE, CHINESE.encode(), "text/event-stream; charset=none"),
    "one that only Python has": (r"\u0041 é", r"\u0041 é".encode(), "text/plain; charset=unicode_escape"),
    "one of Python that is none": (CHINESE, CHINESE.encode(), "text/event-stream; charset=hex"),
    "short": ("é", "é".encode("gbk"), "text/plain; charset=gbk"),
    "empty": ("", b"", "text/plain; charset=gbk"),
}


@pytest.mark.parametrize("case", ENCODED)
def test_every_encoding_is_read(case: str) -> None:
    text, body, content_type = ENCODED[case]
    assert to_utf8(body, content_type).removeprefix(b"\xef\xbb\xbf").decode() == text


@given(st.sampled_from(sorted(ENCODED)), st.lists(st.integers(0, 300), max_size=20))
def test_the_cuts_do_not_matter(case: str, cuts: list[int]) -> None:
    _, body, content_type = ENCODED[case]
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    recoder = Recoder(content_type)
    read = b"".join(recoder.feed(body[begin:end]) for begin, end in pairwise(edges)) + recoder.finish()
    assert read == to_utf8(body, content_type)


@given(
    st.binary(max_size=60),
    st.sampled_from(sorted(module.name for module in iter_modules(encodings.__path__))),
)
def test_any_bytes_become_utf_8(body: bytes, charset: str) -> None:
    """But for those that are called UTF-8 already: they go through as they are."""
    content_type = f"text/plain; charset={charset}"
    read = to_utf8(body, content_type)
    if charsets._declared(content_type) not in charsets._PLAIN and not body.startswith(codecs.BOM_UTF8):
        read.decode()


def test_a_stream_in_utf_8_is_not_held_back() -> None:
    recoder = Recoder("text/event-stream")
    assert recoder.feed(b"data: a") + recoder.feed(b"b") == b"data: ab"


EVENT = '{"choices":[{"index":0,"delta":{"content":"今天天气很好。"},"finish_reason":"stop"}]}'
BODY = '{"choices":[{"index":0,"message":{"content":"今天天气很好。"},"finish_reason":"stop"}]}'


@pytest.mark.parametrize(
    ("charset", "content_type", "text"),
    [
        ("gbk", "text/event-stream; charset=GBK", f"data: {EVENT}\n\ndata: [DONE]\n\n"),
        ("utf-16", "text/event-stream", f"data: {EVENT}\n\ndata: [DONE]\n\n"),
        ("gb18030", "application/json; charset=gb18030", BODY),
        ("utf-16", "application/json", BODY),
    ],
)
async def test_an_answer_in_another_encoding(charset: str, content_type: str, text: str) -> None:
    async with scripted(Reply(text.encode(charset), content_type=content_type)) as server:
        http = HttpClient(server.url, None)
        chat = Chat(http, model="tiny", dialect=Dialect.OPENAI, path="/chat/completions")
        try:
            events = [event async for event in chat.stream([ChatMessage("user", "Hi")])]
            assert events[0] == TextDelta("今天天气很好。")
            if text == BODY:
                assert (await chat.complete([ChatMessage("user", "Hi")])).text == "今天天气很好。"
        finally:
            await http.aclose()


def test_a_line_that_does_not_end_is_not_kept_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charsets, "MOST_HELD", 1000)
    recoder = Recoder("text/plain; charset=gbk")
    read = [recoder.feed("联通".encode("gbk") * 25) for _ in range(100)]
    assert sum(map(len, read)) > 14_000  # of 15,000 in UTF-8
    assert b"".join([*read, recoder.finish()]).decode() == "联通" * 2500


def test_lines_that_end_as_old_macintoshes_end_them_come_at_once() -> None:
    recoder = Recoder("text/event-stream; charset=gbk")
    assert recoder.feed("data: 联\r\rdata: ".encode("gbk")).decode() == "data: 联\r\r"
    assert recoder.feed("通\r".encode("gbk")).decode() == "data: 通\r"


def test_a_long_line_is_held_in_its_fragments() -> None:
    recoder = Recoder("application/json; charset=gbk")
    fragments = [b"x" * 50] * 100
    assert not any(map(recoder.feed, fragments))
    assert len(recoder._held) == 100  # joined once, at its end: else each fragment would copy all before it
