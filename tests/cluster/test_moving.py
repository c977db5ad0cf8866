"""A session goes on at another server: with its history, its numbers and its answer; the older server is silenced."""

from __future__ import annotations

import asyncio

import pytest

from realtime.core import snapshot
from realtime.server.arrivals import Pace, Queue
from realtime.server.state import ARRIVALS, runtime_of
from tests.cluster.moving import (
    LONG,
    NUMBERS,
    QUERY,
    SLOW,
    ends_ms,
    ends_with_a_word,
    everything_in,
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
from tests.server.harness import WireClient
from tests.server.resuming import BIN, last_seq, named, numbers, session_of

pytestmark = pytest.mark.usefixtures("soon")


STORES = ["memory", "redis", "none"]


@pytest.mark.parametrize("store", STORES)
async def test_a_session_goes_on_with_its_history_and_its_numbers(
    kept_server: RedisServer, store: str
) -> None:
    async with open_nodes(kept_server, store=store) as (one, two), one.connect(QUERY) as old:
        await old.send("session.update", session={"type": "realtime", "instructions": "Be brief."})
        await old.ask("What is the sea?", output_modalities=["text"])
        await recorded(one, old)
        lose(old)
        async with two.open_socket(query_of(old)) as new:
            resumed = await new.until("session.resumed")
            assert (resumed["restored"], resumed["from_seq"]) == (True, last_seq(old) + 1)
            assert named(new) == named(old) == [session_of(old)["id"]]
            assert resumed["session"] == old.of("session.updated")[0]["session"]
            answer = await new.ask("And the sky?", output_modalities=["text"])
            assert answer["status"] == "completed"
            assert answer["conversation_id"] == old.of("conversation.created")[0]["conversation"]["id"]
            items = old.of("conversation.item.done") + new.of("conversation.item.done")
            for event in items:
                assert texts(await new.retrieve(event["item"]["id"])) == texts(event["item"])
            assert len(items) == 4
            assert numbers(old, new) == list(range(1, last_seq(new) + 1))
        await until(lambda: not one.sessions)  # the older server has found out
        assert (takeovers(one), takeovers(two)) == ({"lost": 1}, {"done": 1})


async def test_a_server_with_another_store_goes_on_and_leaves_the_conversation_where_it_is(
    server: RedisServer,
) -> None:
    async with open_nodes(server, stores=["redis", "memory"]) as (one, two), one.connect(QUERY) as old:
        assert (await old.ask("Hello", output_modalities=["text"]))["status"] == "completed"
        await recorded(one, old)
        lose(old)
        async with two.open_socket(query_of(old)) as new:
            assert (await new.until("session.resumed"))["restored"]
            assert max(ends_ms(server)) > 29 * 86_400_000, "two keeps what it needs itself for a minute"
            assert (await new.ask("Go on", output_modalities=["text"]))["status"] == "completed"
            assert await live_at(two, old).saving.save_all()
            lose(new)
            seq = last_seq(new)
        async with one.open_socket(query_of(old, seq)) as back:
            assert (await back.until("session.resumed"))["restored"]
            live = live_at(one, old)
            assert len(live.session.conversation.items) == 4
            assert await live.save_all()
            found = await runtime_of(one.server.app).store.load(live.key, live.session.conversation_id)
            assert len(found) == 4


@pytest.mark.parametrize("received", [True, False])
async def test_an_answer_goes_on_from_what_was_heard(kept_server: RedisServer, received: bool) -> None:
    async with open_nodes(kept_server, 2, *SLOW) as (one, two), one.connect(QUERY) as old:
        item_id = (await in_mid_answer(old))["item_id"]
        await recorded(one, old)
        live = live_at(one, old)
        got_ms = int(live.journaled._position.sent_ms)
        spoken = live.session.responses.unfinished.events.sound.part
        lose(old)
        more = {"received_ms": got_ms} if received else {}
        query = query_of(old, item_id=item_id, played_ms=got_ms // 2, **more)
        async with two.open_socket(query) as new:
            ended = (await new.until("response.done"))["response"]
            assert ended["id"] == old.of("response.created")[0]["response"]["id"]
            assert ended["status_details"]["error"]["code"] == "server_restarting"
            cut = await new.until("conversation.item.truncated")
            assert ends_with_a_word(spoken, cut, got_ms if received else got_ms // 2)
            assert ("output_audio_buffer.cleared" in new.types) is not received
            await new.until("response.done", 2)
            rest = new.of("conversation.item.done")[-1]["item"]
            assert words(cut["transcript"]) + words(texts(rest)) == NUMBERS
            whole = words(texts(await new.retrieve(item_id)))
            assert whole == words(cut["transcript"])


async def test_the_journal_knows_the_words_of_all_sound_that_was_sent(server: RedisServer) -> None:
    """Times of words come with the sound, long after the text: what is only guessed is said again, or never."""
    async with open_nodes(server, 1, "speech.factor=1.5") as (one,), one.connect(QUERY) as old:
        await in_mid_answer(old, 1)

        def kept() -> tuple[float, float]:
            """How much was sent, and of how much the times are known; of one write, or of two."""
            fields = next((each for each in everything_in(server) if b"position" in each), {})
            sent_ms = snapshot.decode_position(fields.get(b"position")).sent_ms
            reply = snapshot.decode_record(fields[b"record"]).reply if fields else None
            return sent_ms, reply.spoken.audio_ms if reply and reply.spoken else 0.0

        for least_ms in (500, 1000, 1500, 2000):  # the first chunk is longer
            await until(lambda least_ms=least_ms: kept()[0] > least_ms)
            sent_ms, known_ms = kept()
            assert known_ms >= sent_ms - 0.05  # a position has tenths of a millisecond


async def test_binary_frames_go_on(kept_server: RedisServer) -> None:
    async with (
        open_nodes(kept_server, 2, *SLOW) as (one, two),
        one.connect(QUERY, protocols=BIN) as old,
    ):
        await old.say(LONG)
        await old.send("response.create")
        await until(lambda: len(old.frames) > 4)
        await recorded(one, old)
        lose(old)
        async with two.open_socket(query_of(old), protocols=BIN) as new:
            await new.until("response.done", 2)
            streams = {frame.stream for frame in new.frames}
            first = old.frames[0].stream
            assert first in streams  # it ends here
            assert len(streams) == 2
            assert all(frame.start_ms == 0 for frame in new.frames[1:2] if frame.stream != first)


async def test_binary_frames_go_on_where_the_end_was_sent_and_never_came(kept_server: RedisServer) -> None:
    async with open_nodes(kept_server) as (one, two), one.connect(QUERY, protocols=BIN) as old:
        await old.say(LONG)
        await old.send("response.create")
        await until(lambda: len(old.frames) > 4)
        before, stream = last_seq(old), old.frames[0].stream
        item_id = old.of("response.content_part.added")[0]["item_id"]
        await old.until("response.done")
        await recorded(one, old)
        lose(old)
        query = query_of(old, before, item_id=item_id, played_ms=500)
        async with two.open_socket(query, protocols=BIN) as new:
            await new.until("response.done", 2)
            assert [frame.end for frame in new.frames if frame.stream == stream] == [True]
            rest = new.of("conversation.item.done")[-1]["item"]
            cut = new.of("conversation.item.truncated")[0]
            assert words(cut["transcript"]) + words(texts(rest)) == NUMBERS


async def test_a_reply_that_the_client_never_saw_is_made_anew(kept_server: RedisServer) -> None:
    async with open_nodes(kept_server, 2, *SLOW) as (one, two), one.connect(QUERY) as old:
        await old.say(LONG)
        await old.until("conversation.item.done")
        before = last_seq(old)
        await old.send("response.create")
        await old.until("response.output_audio.delta", 3)
        await recorded(one, old)
        lose(old)
        async with two.open_socket(query_of(old, before)) as new:
            done = (await new.until("response.done"))["response"]
            assert done["status"] == "completed"
            assert done["id"] == new.of("response.created")[0]["response"]["id"]
            assert new.count("response.created") == 1


async def test_items_that_the_client_was_not_told_of_are_told(kept_server: RedisServer) -> None:
    async with open_nodes(kept_server) as (one, two), one.connect(QUERY) as old:
        await old.say("one")
        await old.until("conversation.item.done")
        before = last_seq(old)
        await old.say("two")
        await old.until("conversation.item.done", 2)
        await recorded(one, old)
        lose(old)
        async with two.open_socket(query_of(old, before)) as new:
            told = await new.until("conversation.item.done")
            assert texts(told["item"]) == "two"
            assert new.count("conversation.item.added") == 1


async def test_another_credential_finds_nothing_and_takes_nothing(kept_server: RedisServer) -> None:
    keys = {"api_keys": ("sk-ada-1", "sk-ben-1")}
    ada, ben = ({"Authorization": f"Bearer {key}"} for key in keys["api_keys"])
    async with open_nodes(kept_server, **keys) as (one, two), one.connect(QUERY, headers=ada) as old:
        await recorded(one, old)
        async with two.open_socket(query_of(old), headers=ben) as other:
            assert (await other.error())["code"] == "session_not_resumable"
        live = live_at(one, old)
        assert live is not None
        assert await live.journaled.is_mine()
        assert "sk-ada" not in repr(everything_in(kept_server))


async def test_the_answer_names_the_session_whatever_else_the_address_says(kept_server: RedisServer) -> None:
    """The extensions are those of the session that goes on."""
    async with open_nodes(kept_server) as (one, two), one.connect(QUERY) as old:
        await recorded(one, old)
        async with two.open_socket(query_of(old).replace(QUERY + "&", "?")) as new:
            await new.until("session.resumed")
            assert named(new) == [session_of(old)["id"]]


async def test_a_session_that_moves_does_not_wait_for_new_ones(kept_server: RedisServer) -> None:
    async with open_nodes(kept_server, admission="load") as (one, two), one.connect(QUERY) as old:
        await recorded(one, old)
        lose(old)
        two.server.app[ARRIVALS]._new = Queue(Pace(per_s=0.001, at_once=0, longest_wait_s=1.0))
        async with two.open_socket(query_of(old)) as new:
            assert (await new.until("session.resumed"))["restored"]


async def test_two_who_resume_one_session_at_once(kept_server: RedisServer) -> None:
    """The newest has it; the other one is told, and nobody is left without an answer."""
    async with open_nodes(kept_server, 3) as (one, two, three), one.connect(QUERY) as old:
        await old.say("one")
        await recorded(one, old)
        query = query_of(old)
        async with two.open_socket(query) as second, three.open_socket(query) as third:

            async def lives(wire: WireClient) -> bool:
                first = await wire.until("session.resumed")
                return bool(first)

            assert await asyncio.gather(lives(second), lives(third)) == [True, True]
            clients = (old, second, third)
            await until(lambda: [wire.close_reason for wire in clients].count("session_taken_over") == 2)
            await until(lambda: sum(node.sessions for node in (one, two, three)) == 1)
            assert sum(wire.close_reason is None for wire in clients) == 1


async def test_an_older_server_that_meets_its_client_again_goes_by_the_journal(
    kept_server: RedisServer,
) -> None:
    """From one to two, and back before the first has found out: it goes on with what was said at two."""
    async with open_nodes(kept_server) as (one, two), one.connect(QUERY) as old:
        await recorded(one, old)
        entry = live_at(one, old).journaled
        lose(old)
        await until(lambda: not live_at(one, old).attached)
        async with two.open_socket(query_of(old)) as new:
            entry.moved = True  # the first one finds out nothing by itself
            await new.until("session.resumed")
            await new.say("two")
            await new.until("conversation.item.done")
            await recorded(two, new)
            lose(new)
            entry.moved = False
            async with one.open_socket(query_of(new, played_ms=0)) as back:
                assert (await back.until("session.resumed"))["restored"]
                item_id = new.of("conversation.item.done")[0]["item"]["id"]
                assert texts(await back.retrieve(item_id)) == "two"


async def test_the_record_of_a_newer_server_is_refused_politely(
    kept_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_nodes(kept_server) as (one, two), one.connect(QUERY) as old:
        monkeypatch.setattr(snapshot, "READERS_FROM", snapshot.VERSION + 1)
        await recorded(one, old)
        async with two.open_socket(query_of(old)) as new:
            error = await new.error()
            assert error["code"] == "session_not_resumable"
            assert "newer" in error["message"]
            assert named(new) == [session_of(new)["id"]] != named(old)


async def test_an_ended_session_is_over_everywhere_and_nothing_stays(server: RedisServer) -> None:
    from redis import Redis

    async with open_nodes(server, resume_window_s=0.5) as (one, two), one.connect(QUERY) as old:
        await old.say("one")
        await recorded(one, old)
        query = query_of(old)
        await old.socket.close()
        await until(lambda: not one.sessions)
        await asyncio.sleep(0.2)
        async with two.open_socket(query) as new:
            assert (await new.error())["code"] == "session_not_resumable"
        with Redis(unix_socket_path=str(server.path)) as client:
            hashes = [key for key in client.scan_iter() if client.type(key) == b"hash"]
            kept = [client.pttl(key) for key in hashes if not key.endswith(b":known")]  # of sessions
            assert kept
            assert all(0 < ms <= 30_500 for ms in kept)
