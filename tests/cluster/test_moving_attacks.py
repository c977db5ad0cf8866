"""Clients and servers that do odd things around a move: at once, again and again, late, or with another key."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from realtime.server import journaling, realtime_endpoint, room
from realtime.server.run import running
from realtime.server.state import METRICS, REGISTRY, SETTINGS, runtime_of
from tests.adversarial.test_released import gone, no_collector, ours_in_garbage, parts_of
from tests.cluster.moving import (
    NUMBERS,
    QUERY,
    SLOW,
    in_mid_answer,
    live_at,
    lose,
    open_nodes,
    query_of,
    recorded,
    takeovers,
    texts,
    words,
)
from tests.cluster.nodes import until
from tests.cluster.redis_server import RedisServer
from tests.server.harness import Harness
from tests.server.resuming import session_of

pytestmark = pytest.mark.usefixtures("soon")


async def test_two_who_resume_one_session_at_the_same_server(kept_server: RedisServer) -> None:
    """There is one session then, with one voice: the first one is closed, and the server knows the other."""
    async with open_nodes(kept_server) as (one, two), one.connect(QUERY) as old:
        await old.say("one")
        await recorded(one, old)
        lose(old)
        query = query_of(old)
        async with two.open_socket(query) as first, two.open_socket(query) as second:
            both = (first, second)
            await asyncio.gather(*(wire.until("session.resumed") for wire in both))
            await until(lambda: [wire.close_reason for wire in both].count("session_taken_over") == 1)
            (stays,) = (wire for wire in both if wire.close_reason is None)
            assert two.sessions == 1
            assert len(two.server.app[REGISTRY]._places) == 1
            await stays.say("two")
            await stays.until("conversation.item.done")
            live = live_at(two, stays)
            assert live is not None
            assert live.attached
            assert await live.journaled.is_mine()


async def test_a_client_that_resumes_again_and_again(kept_server: RedisServer) -> None:
    """At whichever server: in the end there is one session, and it has everything."""
    async with open_nodes(kept_server) as nodes, nodes[0].connect(QUERY) as old:
        await old.say("one")
        item_id = (await old.until("conversation.item.done"))["item"]["id"]
        await recorded(nodes[0], old)
        query = query_of(old)
        for number in range(16):
            async with nodes[number % 2].open_socket(query) as again:
                await again.until("session.resumed")
                lose(again)
        async with nodes[0].open_socket(query) as last:
            await last.until("session.resumed")
            assert texts(await last.retrieve(item_id)) == "one"
            await until(lambda: sum(node.sessions for node in nodes) == 1)
            assert last.close_reason is None


async def test_resume_that_is_switched_on_later_counts_from_then_on(kept_server: RedisServer) -> None:
    async with open_nodes(kept_server) as (one, two), one.connect("?extensions=playback") as old:
        await old.say("one")
        item_id = (await old.until("conversation.item.done"))["item"]["id"]
        assert live_at(one, old).journaled is None
        wanted = {"type": "realtime", "extensions": ["resume", "playback"]}
        await old.send("session.update", session=wanted)
        await old.until("session.updated")
        await until(lambda: live_at(one, old).journaled is not None)
        await recorded(one, old)
        lose(old)
        async with two.open_socket(query_of(old)) as new:
            assert (await new.until("session.resumed"))["restored"]
            assert texts(await new.retrieve(item_id)) == "one"


async def test_resume_that_is_switched_off_is_off_at_every_server(kept_server: RedisServer) -> None:
    async with open_nodes(kept_server) as (one, two), one.connect(QUERY) as old:
        query = query_of(old)
        await old.send("session.update", session={"type": "realtime", "extensions": ["playback"]})
        await old.until("session.updated")
        await recorded(one, old)
        for node in (two, one):
            async with node.open_socket(query) as new:
                error = await new.error()
                assert (error["code"], "extension" in error["message"]) == ("session_not_resumable", True)


async def test_a_tool_runs_at_no_server_that_has_lost_the_session(kept_server: RedisServer) -> None:
    """One that was frozen before it ran a tool may wake up after another server has gone on."""
    async with open_nodes(kept_server) as (one, two), one.connect(QUERY) as old:
        await recorded(one, old)
        elsewhere = live_at(one, old).elsewhere
        assert await elsewhere.may_run()
        async with two.open_socket(query_of(old)) as new:
            await new.until("session.resumed")
            assert not await elsewhere.may_run()
            assert await live_at(two, new).elsewhere.may_run()


async def test_the_session_of_a_key_takes_its_place_along(kept_server: RedisServer) -> None:
    """The worker that it left counts it until it has found out: a limit of one does not keep it away."""
    limits = {"api_keys": ("sk-ada-1",), "sessions_per_key": 1}
    ada = {"Authorization": "Bearer sk-ada-1"}

    class Counts:
        def write(self, key: str, sessions: int) -> None:
            """Nobody else reads them."""

        def elsewhere(self, key: str) -> int:
            return 1

    async with open_nodes(kept_server, **limits) as (one, two), one.connect(QUERY, headers=ada) as old:
        await recorded(one, old)
        two.server.app[REGISTRY].key_counts = Counts()
        async with two.open_socket(query_of(old), headers=ada) as new:
            assert (await new.until("session.resumed"))["restored"]


async def test_a_key_that_the_next_server_does_not_have_any_more(kept_server: RedisServer) -> None:
    ada = {"Authorization": "Bearer sk-ada-1"}
    keys = {"api_keys": ("sk-ada-1", "sk-ben-1")}
    async with open_nodes(kept_server, 1, **keys) as (one,), one.connect(QUERY, headers=ada) as old:
        await recorded(one, old)
        fewer = replace(one.server.app[SETTINGS], api_keys=("sk-ben-1",))
        async with running(fewer) as server:
            two = Harness(server, one.sandbox)
            with pytest.raises(Exception, match="401"):
                await two.open_socket(query_of(old), headers=ada).__aenter__()
        assert await live_at(one, old).journaled.is_mine()


async def test_an_item_that_was_deleted_while_an_answer_sounds_does_not_come_back(
    kept_server: RedisServer,
) -> None:
    """The record says that the delete was carried out, so what is kept has to know it, too."""
    async with open_nodes(kept_server, 2, *SLOW) as (one, two), one.connect(QUERY) as old:
        await in_mid_answer(old)
        secret = old.of("conversation.item.done")[0]["item"]["id"]
        await old.send("conversation.item.delete", item_id=secret, event_id="forget")
        await old.until("conversation.item.deleted")
        journal, session_id = runtime_of(two.server.app).journal, session_of(old)["id"]
        for _ in range(1000):
            entry = await journal.read(session_id)
            if entry is not None and b'"last_event_id":"forget"' in entry.record:
                break
            await asyncio.sleep(0.005)
        lose(old)
        async with two.open_socket(query_of(old)) as new:
            await new.until("session.resumed")
            await new.send("conversation.item.retrieve", item_id=secret)
            assert (await new.error())["code"] == "item_retrieve_invalid_item_id"


async def test_what_a_server_hears_after_it_has_lost_the_session_is_in_no_store(
    kept_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when it was frozen: the client has sent that again, and said it at the other one."""
    async with open_nodes(kept_server, store="redis") as (one, two), one.connect(QUERY) as old:
        await old.say("one")
        await recorded(one, old)
        monkeypatch.setattr(journaling, "ALIVE_S", 3600.0)
        await asyncio.sleep(0.3)  # the first server finds out nothing by itself from now on
        live = live_at(one, old)
        async with two.open_socket(query_of(old)) as new:
            await new.until("session.resumed")
            await old.say("a ghost")
            assert await old.closed() == (1008, "session_taken_over")
            await until(live.ended.is_set)
            await new.say("two")
            await new.until("conversation.item.done")
            await recorded(two, new)
            conversation_id = old.of("conversation.created")[0]["conversation"]["id"]
            bodies = await runtime_of(two.server.app).store.load(live.key, conversation_id)
            assert b"ghost" not in b"".join(bodies)
            assert len(bodies) == 2
            await until(lambda: live.journaled is None)  # else they would keep each other


async def test_a_written_answer_of_a_session_that_speaks_stays_written(kept_server: RedisServer) -> None:
    slow = ("chat.tps=20", "chat.plain_tps=20")
    async with open_nodes(kept_server, 2, *slow) as (one, two), one.connect(QUERY) as old:
        await old.say("Count to twenty.")
        await old.send("response.create", response={"output_modalities": ["text"], "metadata": {"a": "b"}})
        await old.until("response.output_text.delta", 4)
        await recorded(one, old)
        lose(old)
        async with two.open_socket(query_of(old)) as new:
            ended = (await new.until("response.done"))["response"]
            assert ended["metadata"] == {"a": "b"}
            (part,) = ended["output"][0]["content"]
            assert part["type"] == "output_text"
            assert part["text"].lower().startswith("one")
            rest = (await new.until("response.created", 1))["response"]
            assert rest["output_modalities"] == ["text"]
            await new.until("response.done", 2)
            assert "response.output_audio.delta" not in new.types


async def test_it_is_seen_how_sessions_move(
    kept_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "realtime")
    async with open_nodes(kept_server, 2, *SLOW) as (one, two), one.connect(QUERY) as old:
        item_id = (await in_mid_answer(old))["item_id"]
        await recorded(one, old)
        lose(old)
        async with two.open_socket(query_of(old, item_id=item_id, played_ms=100)) as new:
            await new.until("response.output_audio.delta")
            await until(lambda: not one.sessions)
        lines = [record.message.partition(" id=")[0] for record in caplog.records]
        assert lines.count("session taken over") == lines.count("session lost to another server") == 1
        assert (takeovers(one), takeovers(two)) == ({"lost": 1}, {"done": 1})

        def value(node: Harness, name: str, **labels: str) -> float:
            return node.server.app[METRICS].registry.get_sample_value(name, labels) or 0.0

        assert value(two, "realtime_takeover_silence_seconds_count") == 1
        assert 0 < value(two, "realtime_takeover_silence_seconds_sum") < 60
        assert value(one, "realtime_journal_writes_total", outcome="refused") >= 1
        assert value(one, "realtime_journal_writes_total", outcome="written") >= 2
        assert value(one, "realtime_journal_seconds_count") >= 1


async def test_a_server_that_stops_as_soon_as_it_has_a_session_spoils_nothing(
    kept_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has not brought the client and the session together yet: the record of the server before it is still good."""
    async with open_nodes(kept_server, 3, *SLOW) as (one, two, three), one.connect(QUERY) as old:
        item_id = (await in_mid_answer(old))["item_id"]
        await recorded(one, old)
        lose(old)
        two.server.app[REGISTRY].draining = True
        monkeypatch.setattr(room, "check_stopping", lambda registry: None)
        monkeypatch.setattr(realtime_endpoint, "check_stopping", lambda registry: None)
        monkeypatch.setattr(room, "check_room", lambda registry: None)
        query = query_of(old, item_id=item_id, played_ms=100)
        async with two.open_socket(query) as between:
            assert await between.closed() == (1012, "server_restarting")
        async with three.open_socket(query) as new:
            ended = (await new.until("response.done"))["response"]
            assert ended["id"] == old.of("response.created")[0]["response"]["id"]
            cut = await new.until("conversation.item.truncated")
            await new.until("response.done", 2)
            rest = new.of("conversation.item.done")[-1]["item"]
            assert words(cut["transcript"]) + words(texts(rest)) == NUMBERS


async def test_a_session_that_cannot_go_on_makes_no_room_for_another_one(server: RedisServer) -> None:
    """Its items are lost: a new session of its key has to fit into the limit like any other."""
    from redis import Redis

    limits = {"api_keys": ("sk-ada-1",), "sessions_per_key": 1}
    ada = {"Authorization": "Bearer sk-ada-1"}
    async with open_nodes(server, **limits) as (one, two), one.connect(QUERY, headers=ada) as old:
        await old.say("one")
        await recorded(one, old)
        one.server.app[REGISTRY].get(session_of(old)["id"]).saving._shared._taken_over = True
        with Redis(unix_socket_path=str(server.path)) as client:
            for key in client.scan_iter("*:conversation"):
                client.delete(key)
        async with two.connect(headers=ada), two.open_socket(query_of(old), headers=ada) as new:
            assert await new.closed() == (1013, "rate_limit_exceeded")
            assert [event["error"]["code"] for event in new.of("error")] == ["rate_limit_exceeded"]


async def test_nothing_of_a_session_that_has_left_waits_for_the_garbage_collector(
    kept_server: RedisServer,
) -> None:
    """Neither at the server that has lost it in mid-answer, nor at the one where it ended."""
    async with open_nodes(kept_server, 2, *SLOW) as (one, two), one.connect(QUERY) as old:
        item_id = (await in_mid_answer(old))["item_id"]
        await recorded(one, old)
        with no_collector():
            parts = parts_of(one)
            assert parts
            lose(old)
            async with two.open_socket(query_of(old, item_id=item_id, played_ms=100)) as new:
                await new.until("response.output_audio.delta")
                assert await gone(one, parts) == []
                parts = parts_of(two)
                await new.socket.close()
            assert await gone(two, parts) == []
            assert ours_in_garbage() == {}
