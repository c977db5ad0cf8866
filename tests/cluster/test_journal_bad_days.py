"""The journal on bad days: Redis forgets or is away, two servers write at once; everybody who talks goes on talking."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from realtime.errors import ProviderUnavailable
from realtime.providers import redis_store
from realtime.providers.journal import Entry, Journal, Kept
from realtime.providers.redis_journal import RedisJournal
from realtime.server.state import OPENED, runtime_of
from tests.cluster.moving import QUERY, live_at, lose, open_nodes, query_of, recorded, takeovers, texts
from tests.cluster.nodes import until
from tests.cluster.redis_server import RedisServer

pytestmark = pytest.mark.usefixtures("soon")


@pytest.fixture
async def journal(server: RedisServer):
    link = redis_store.open_link(server.url, "sessions")
    yield RedisJournal(link, "rt:", 60_000)
    await link.aclose()


async def test_an_older_owner_writes_nothing_and_nobody_claims_twice(journal: RedisJournal) -> None:
    assert await journal.read("sess_1") is None
    assert await journal.claim("sess_1", 0) is None
    assert await journal.write("sess_1", 1, position=b"p") is Kept.INCOMPLETE
    assert await journal.read("sess_1") is None
    assert await journal.write("sess_1", 1, record=b"one", position=b"p1") is Kept.WRITTEN
    claims = await asyncio.gather(*(journal.claim("sess_1", 1) for _ in range(5)))
    assert [claim for claim in claims if claim] == [Entry(2, b"one", b"p1")]
    assert await journal.write("sess_1", 1, record=b"lost") is Kept.REFUSED
    assert await journal.read("sess_1") == Entry(2, b"one", b"p1")
    assert await journal.write("sess_1", 2, record=b"two") is Kept.WRITTEN
    journal.end("sess_1", 1)
    assert await journal.read("sess_1") == Entry(2, b"two", b"p1")
    journal.end("sess_1", 2)
    assert await journal.read("sess_1") is None
    assert await journal.write("sess_1", 2, record=b"late") is Kept.REFUSED


def cut_connections(server: RedisServer) -> None:
    """Whoever is connected finds out with its next command."""
    from redis import Redis

    with Redis(unix_socket_path=str(server.path)) as client:
        client.client_kill_filter(_type="normal", skipme=True)


async def test_an_answer_that_is_lost_is_asked_for_again(journal: RedisJournal, server: RedisServer) -> None:
    assert await journal.write("sess_1", 1, record=b"one") is Kept.WRITTEN
    cut_connections(server)
    assert await journal.read("sess_1") == Entry(1, b"one")
    cut_connections(server)
    assert await journal.claim("sess_1", 1) == Entry(2, b"one")
    server.kill()
    with pytest.raises(ProviderUnavailable):
        await journal.read("sess_1")


async def test_a_redis_that_has_forgotten_everything_gets_it_again(server: RedisServer) -> None:
    async with open_nodes(server) as (one, two), one.connect(QUERY) as old:
        await old.say("one")
        await old.until("conversation.item.done")
        await recorded(one, old)
        link = live_at(one, old).journaled._journal._link
        server.kill()
        await until(lambda: not link.up)
        server.start()
        await until(lambda: link.up and two.server.app is not None)
        await until(lambda: live_at(one, old).journaled._position is not None)
        await recorded(one, old)
        item_id = old.of("conversation.item.done")[0]["item"]["id"]
        lose(old)
        other = open_link_of(two)
        await until(lambda: other.up)
        async with two.open_socket(query_of(old)) as new:
            assert (await new.until("session.resumed"))["restored"]
            assert texts(await new.retrieve(item_id)) == "one"


async def test_a_session_whose_position_cannot_be_read_does_not_go_on(server: RedisServer) -> None:
    async with open_nodes(server) as (one, two), one.connect(QUERY) as old:
        await recorded(one, old)
        entry = live_at(one, old).journaled
        entry.moved = True  # so that it writes no better one
        assert await entry._journal.write(entry.live.id, entry.epoch, position=b"{") is Kept.WRITTEN
        async with two.open_socket(query_of(old)) as new:
            assert (await new.error())["code"] == "session_not_resumable"
            assert takeovers(two) == {"failed": 1}


def open_link_of(node):
    return runtime_of(node.server.app).journal._link


@pytest.mark.usefixtures("impatient")
async def test_while_redis_is_away_talks_go_on_and_a_stranger_is_told_so(server: RedisServer) -> None:
    async with open_nodes(server) as (one, two), one.connect(QUERY) as old:
        await recorded(one, old)
        for node in (one, two):
            quota = runtime_of(node.server.app).providers.chat._quota
            await until(lambda quota=quota: any(spare.in_hand for spare in quota._spares))
        server.freeze()
        answer = await old.ask("What is the sea?", output_modalities=["text"])
        assert answer["status"] == "completed"
        async with two.open_socket(query_of(old)) as new:
            error = await new.error()
            assert error["code"] == "session_not_resumable"
            assert (await new.ask("Hello?", output_modalities=["text"]))["status"] == "completed"
        lose(old)
        await until(lambda: not live_at(one, old).attached)
        async with one.open_socket(query_of(old)) as back:
            assert "restored" not in await back.until("session.resumed")
        server.wake()


class Hiccup:
    """A journal of which the first answer of each kind gets lost: what was asked is done all the same."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.lost: list[str] = []

    def __getattr__(self, name: str):
        return getattr(self._journal, name)

    async def read(self, session_id: str) -> Entry | None:
        return await self._first_lost("read", session_id)

    async def claim(self, session_id: str, epoch: int) -> Entry | None:
        return await self._first_lost("claim", session_id, epoch)

    async def _first_lost(self, name: str, *arguments) -> Entry | None:
        found = await getattr(self._journal, name)(*arguments)
        if name in self.lost:
            return found
        self.lost.append(name)
        raise ProviderUnavailable("Redis does not answer.")


async def test_an_answer_of_redis_that_gets_lost_costs_nobody_the_session(server: RedisServer) -> None:
    async with open_nodes(server) as (one, two), one.connect(QUERY) as old:
        await old.say("one")
        item_id = (await old.until("conversation.item.done"))["item"]["id"]
        await recorded(one, old)
        lose(old)
        runtime = runtime_of(two.server.app)
        hiccup = Hiccup(runtime.journal)
        two.server.app[OPENED].runtime = replace(runtime, journal=hiccup)
        async with two.open_socket(query_of(old)) as new:
            assert (await new.until("session.resumed"))["restored"]
            assert hiccup.lost == ["read", "claim"]
            assert texts(await new.retrieve(item_id)) == "one"
            assert await live_at(two, new).journaled.is_mine()
