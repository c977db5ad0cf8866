"""Downloads into memory and as a stream: each byte once, within a bound, of one file."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from realtime.errors import InvalidArgument, ProviderUnavailable
from realtime.minimax.download import read, stream
from tests.minimax.object_store import MP4, Store, a_film, open_store

MIB = 1024 * 1024
FILM = a_film(3 * MIB)


async def test_read_gives_the_bytes_within_a_bound() -> None:
    store = Store(FILM, days=["cut", "403"], ranges=False, cut_at=MIB)
    async with open_store(store) as http:
        assert await read(store.link, http=http, most_bytes=len(FILM), backoff_s=0) == FILM
        with pytest.raises(InvalidArgument, match="more than") as raised:
            await read(store.link, http=http, most_bytes=len(FILM) - 1)
        store.every_day = "no length"
        with pytest.raises(InvalidArgument, match="more than"):
            await read(store.link, http=http, most_bytes=MIB)
    assert raised.value.param == "most_bytes"


@pytest.mark.parametrize("with_ranges", [True, False])
async def test_stream_gives_each_byte_once(with_ranges) -> None:
    store = Store(FILM, days=["cut", "cut"], ranges=with_ranges, cut_at=MIB)
    async with open_store(store) as http:
        parts = [part async for part in stream(store.link, http=http, backoff_s=0)]
    assert b"".join(parts) == FILM
    assert b"" not in parts


async def test_stream_does_not_mix_two_files() -> None:
    store = Store(FILM, days=["cut"], cut_at=MIB)
    async with open_store(store) as http:
        parts = stream(store.link, http=http, backoff_s=0)
        async with aclosing(parts):
            first = await anext(parts)
            assert first.startswith(MP4)
            store.content, store.etag = a_film(3 * MIB), '"v2"'
            with pytest.raises(ProviderUnavailable, match="changed"):
                async for _ in parts:
                    pass
