"""The Python client whose server is lost in the middle of an answer: what its player has is heard, and then the rest."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from realtime_client import connect
from realtime_client.files import FileSpeaker

from realtime.server.state import REGISTRY
from tests.cluster.moving import LONG, SLOW, ends_with_a_word, open_nodes
from tests.cluster.redis_server import RedisServer
from tests.eventually import eventually
from tests.proxy import proxy_to
from tests.server.harness import Harness
from tests.terminal.test_coming_back import Listener

RATE = 24_000


def port_of(node: Harness) -> int:
    return urlsplit(node.ws_url).port or 0


def sound_of(listener: Listener, item_id: str) -> bytes:
    deltas = listener.of("response.output_audio.delta")
    return b"".join(event["pcm"] for event in deltas if event["item_id"] == item_id)


@pytest.mark.parametrize("binary", [False, True], ids=["json", "binary"])
async def test_what_has_arrived_is_played_and_nothing_is_said_twice(
    kept_server: RedisServer, binary: bool
) -> None:
    async with open_nodes(kept_server, 2, *SLOW) as (one, two), proxy_to(port_of(one)) as proxy:
        url = f"ws://127.0.0.1:{proxy.port}/v1/realtime"
        async with connect(url, speaker=FileSpeaker(), binary=binary) as conversation:
            listener = Listener(conversation)
            await conversation.say(LONG)
            await eventually(lambda: len(listener.sound) > RATE)
            proxy.stall()
            (live,) = one.server.app[REGISTRY]
            assert live.journaled is not None
            assert await live.save_all()
            await live.journaled.write()
            spoken = live.session.responses.unfinished.events.sound.part
            proxy.target_port = port_of(two)
            proxy.reset()
            assert (await listener.until("session.resumed"))["restored"]
            cut = await listener.until("conversation.item.truncated")
            assert ends_with_a_word(spoken, cut, len(sound_of(listener, cut["item_id"])) // 2 * 1000 // RATE)
            assert not listener.of("output_audio_buffer.cleared")
            done = await listener.until("response.done", 2)
            assert done["response"]["status"] == "completed"
            rest = listener.of("conversation.item.done")[-1]["item"]["content"][0]["transcript"]
            said = f"{cut['transcript']} {rest}".replace(",", " ").replace(".", " ").lower().split()
            assert (said[0], said[-1], len(said)) == ("one", "twenty", 20)
            await listener.aclose()
