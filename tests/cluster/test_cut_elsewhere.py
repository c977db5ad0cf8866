"""A client plays on when its server is lost, and cuts at the next one what it has heard; what it missed it is told there."""

from __future__ import annotations

import pytest

from tests.cluster.moving import QUERY, live_at, lose, open_nodes, query_of, recorded, texts
from tests.cluster.nodes import until
from tests.cluster.redis_server import RedisServer
from tests.server.harness import WireClient
from tests.server.resuming import last_seq

pytestmark = pytest.mark.usefixtures("soon")

QUESTION = "Hello there."


async def cut(wire: WireClient, item_id: str, ms: int) -> int:
    count = wire.count("conversation.item.truncated") + 1
    await wire.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=ms)
    return int((await wire.until("conversation.item.truncated", count))["audio_end_ms"])


@pytest.mark.parametrize("store", ["memory", "redis", "none"])
async def test_an_answer_that_was_over_is_cut_at_the_next_server(
    kept_server: RedisServer, store: str
) -> None:
    """A stock player tells nothing of what it plays. It may be seconds late."""
    query = "?extensions=resume"
    async with open_nodes(kept_server, 3, store=store) as (one, two, three), one.connect(query) as old:
        await old.ask(QUESTION)
        item_id = old.of("response.output_audio.delta")[0]["item_id"]
        responses = live_at(one, old).session.responses
        spoken = responses.unfinished.events.sound.part
        await until(lambda: responses.unfinished is None)  # it counts as heard
        await recorded(one, old)
        lose(old)
        whole_ms = int(spoken.audio_ms)
        async with two.open_socket(query_of(old)) as new:
            await new.until("session.resumed")
            assert texts(await new.retrieve(item_id)) == spoken.text.rstrip()
            assert await cut(new, item_id, whole_ms - 300) == whole_ms - 300
            kept = texts(await new.retrieve(item_id))
            assert kept == spoken.heard(whole_ms - 300)
            assert len(kept) < len(spoken.text.rstrip())
            await recorded(two, new)
            lose(new)
            async with three.open_socket(query_of(new)) as last:
                await last.until("session.resumed")
                assert await cut(last, item_id, whole_ms) == whole_ms - 300  # a second word only shortens
                assert await cut(last, item_id, whole_ms // 2) == whole_ms // 2
                assert texts(await last.retrieve(item_id)) == spoken.heard(whole_ms // 2)


async def test_what_a_client_never_got_to_know_is_told_by_the_next_server(kept_server: RedisServer) -> None:
    async with open_nodes(kept_server) as (one, two), one.connect(QUERY) as old:
        await old.say("This goes.")
        await old.ask(QUESTION)
        item_id = old.of("response.output_audio.delta")[0]["item_id"]
        goes = old.of("conversation.item.done")[0]["item"]["id"]
        await old.send("output_audio_buffer.played", item_id=item_id, played_ms=700, state="drained")
        await old.until("output_audio_buffer.stopped")
        before = last_seq(old)
        await old.send("conversation.item.delete", item_id=goes)
        assert await cut(old, item_id, 600) == 600
        await recorded(one, old)
        lose(old)
        async with two.open_socket(query_of(old, before)) as new:
            assert (await new.until("conversation.item.deleted"))["item_id"] == goes
            told = await new.until("conversation.item.truncated")
            assert (told["item_id"], told["audio_end_ms"]) == (item_id, 600)
            assert told["transcript"] == texts(await new.retrieve(item_id))
            assert not new.count("response.created")
            assert last_seq(new) >= before + 2
