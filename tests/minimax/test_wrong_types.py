"""Arguments of the wrong type are refused by name before anything is sent, as values out of range are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from realtime.errors import ConfigError, InvalidArgument
from realtime.minimax import MiniMax

ODD: tuple[Any, ...] = (b"x", 7, 1.5, float("nan"), float("inf"), True, object(), [7], {7: 7}, "\ud800")
Call = Callable[[MiniMax, Any], Awaitable[object]]
CALLS: dict[str, Call] = {
    "images prompt": lambda mm, odd: mm.images.create(odd),
    "images model": lambda mm, odd: mm.images.create("a", ratio=odd),
    "images extra": lambda mm, odd: mm.images.create("", extra=odd),
    "music prompt": lambda mm, odd: mm.music.create(odd),
    "lyrics prompt": lambda mm, odd: mm.music.write_lyrics(odd, mode="x"),
    "narration text": lambda mm, odd: mm.narration.create(odd),
    "narration pronunciation": lambda mm, odd: mm.narration.create("a", pronunciation=odd if odd != {7: 7} else {"a": ""}),
    "speech weights": lambda mm, odd: mm.speech.synthesize("a", timbre_weights=odd),
    "clone language": lambda mm, odd: mm.voices.clone("captain-01", file_id="7", language=odd),
    "clone prompt": lambda mm, odd: mm.voices.clone("captain-01", file_id="7", prompt=odd),
    "design prompt": lambda mm, odd: mm.voices.design(odd, say=""),
    "delete kind": lambda mm, odd: mm.voices.delete("a", kind=odd),
    "file id": lambda mm, odd: mm.files.get(-1 if odd == 7 else odd),
    "upload purpose": lambda mm, odd: mm.files.upload(b"x", purpose=odd),
    "upload name": lambda mm, odd: mm.files.upload(b"x", purpose="t2a_async_input", name=odd),
    "batch requests": lambda mm, odd: mm.batches.create(odd),
    "batch request": lambda mm, odd: mm.batches.create([odd]),
    "batch id": lambda mm, odd: mm.batches.get(None if odd in (7, b"x") else odd),
    "chat messages": lambda mm, odd: mm.chat.complete(odd if not isinstance(odd, str) else [odd]),
    "chat tools": lambda mm, odd: mm.chat.complete("a", tools=odd),
    "chat tool": lambda mm, odd: mm.chat.complete("a", tools=[odd]),
    "chat extra": lambda mm, odd: mm.chat.complete("a", extra=odd if not isinstance(odd, dict) else {"n": 2}),
    "chat dialect": lambda mm, odd: mm.chat.complete("a", dialect=odd),
    "chat model": lambda mm, odd: mm.chat.complete("a", model=odd),
}  # fmt: skip


@pytest.fixture
async def mm() -> AsyncIterator[MiniMax]:
    async with MiniMax(
        "key", "http://127.0.0.1:9"
    ) as client:  # nobody listens there: a request would not be refused
        yield client


@pytest.mark.parametrize("name", CALLS)
async def test_a_wrong_type_is_refused_by_name(mm: MiniMax, name: str):
    for odd in ODD:
        with pytest.raises(InvalidArgument):
            await CALLS[name](mm, odd)


async def test_a_system_voice_cannot_be_deleted_by_its_kind(mm: MiniMax):
    for kind in ("system", "all", "mine"):
        with pytest.raises(InvalidArgument) as caught:
            await mm.voices.delete("captain-01", kind=kind)
        assert caught.value.param == "kind"


@pytest.mark.parametrize("key", ["key\n", "key\r\nX: y", "a key", "ключ", "\ud800", b"key", 7])
def test_a_key_that_fits_in_no_header_is_refused_without_being_shown(key: Any):
    with pytest.raises(ConfigError) as caught:
        MiniMax(key)
    assert str(key) not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["", "api.minimaxi.com", "ftp://api.minimaxi.com", "http://[x", "http://h:99999", None]
)
def test_a_base_url_that_is_no_address_is_refused(url: Any):
    with pytest.raises(ConfigError, match="base_url"):
        MiniMax("key", url)
    with pytest.raises(ConfigError, match="fallback_urls"):
        MiniMax("key", fallback_urls=(url,))
    with pytest.raises(ConfigError, match="speech_urls"):
        MiniMax("key", speech_urls=(url,))


async def test_a_text_for_a_list_of_hosts_is_split_at_its_commas():
    async with MiniMax(
        "key", speech_urls="http://a.example/v1/, http://b.example", fallback_urls="http://c"
    ) as mm:
        assert mm.speech.hosts == ("http://a.example", "http://b.example")
        assert repr(mm.door) == "<Door https://api.minimaxi.com http://c>"
    environ = {"MINIMAX_API_KEY": "key", "MINIMAX_SPEECH_URLS": "http://a.example,"}
    async with MiniMax.from_env(environ) as mm:
        assert mm.speech.hosts == ("http://a.example",)
    with pytest.raises(ConfigError, match="speech_urls is 'nowhere'"):
        MiniMax.from_env({**environ, "MINIMAX_SPEECH_URLS": "nowhere"})


@pytest.mark.parametrize("blank", ["", " ", None])
async def test_a_blank_group_is_none_as_in_the_environment(blank: str | None):
    made = MiniMax("key", group_id=blank)
    for mm in (made, MiniMax.from_env({"MINIMAX_API_KEY": "key", "MINIMAX_GROUP_ID": blank or ""})):
        async with mm:
            assert mm.chat._http._group_id is None


@pytest.mark.parametrize("odd", [7, b"x", [], 0])
def test_a_group_that_is_no_text_is_refused(odd: Any):
    with pytest.raises(ConfigError, match="group_id"):
        MiniMax("key", group_id=odd)


@pytest.mark.parametrize("name", ["chat_model", "speech_model", "voice_id"])
def test_a_name_that_is_no_text_is_refused(name: str):
    for odd in (7, "", " ", b"x"):
        with pytest.raises(ConfigError, match=name):
            MiniMax("key", **{name: odd})
