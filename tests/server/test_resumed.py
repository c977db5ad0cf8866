"""An answer that a noise has stopped goes on, over a real socket."""

import numpy as np

from realtime.providers import FakeChat, FakeSpeech, FakeTranscriber, FakeVad
from realtime.server.run import running
from realtime.settings import Settings
from tests.eventually import eventually
from tests.server.harness import open_socket
from tests.wire_laws import WireLaws

STORY = "Once there was a small dog, and it lived by the sea. Every day it ran along the beach. " * 6
NOISE = (np.sin(np.arange(72_000) / 3) * 12_000).astype("<i2").tobytes()  # three seconds
SILENT = bytes(48_000)  # one second


async def test_a_client_that_knows_no_extension_hears_the_rest_in_a_new_response():
    own = {
        "vad": FakeVad(),
        "transcriber": FakeTranscriber([""], delay_s=0.0),
        "end_of_turn": None,
        "chat": FakeChat([[(0.0, STORY)]]),
        "speech": FakeSpeech(first_s=0.0, factor=1000),
        "store": None,
    }
    async with running(Settings(port=0), providers=own) as server:
        address = server.url.replace("http", "ws", 1) + "/v1/realtime"
        async with open_socket(address) as wire:
            await wire.say("Tell me a story.")
            await wire.send("response.create")
            await eventually(lambda: len(wire.audio()) > 4 * 48_000)
            await wire.append(NOISE)
            started = await wire.until("input_audio_buffer.speech_started")
            first = wire.of("response.output_audio.delta")[0]["item_id"]
            await wire.send("conversation.item.truncate", item_id=first, content_index=0, audio_end_ms=3000)
            await wire.append(SILENT)
            second = (await wire.until("response.created", 2))["response"]
            added = await wire.until("response.output_item.added", 2)
            assert added["response_id"] == second["id"]
            heard = (await wire.retrieve(first))["content"][0]["transcript"]
            await eventually(
                lambda: wire.of("response.output_audio_transcript.delta")[-1]["item_id"] != first
            )
            texts = [
                event["delta"]
                for event in wire.of("response.output_audio_transcript.delta")
                if event["response_id"] == second["id"]
            ]
            assert started["item_id"] == wire.of("input_audio_buffer.committed")[0]["item_id"]
            assert heard
            assert STORY.startswith(f"{heard} {texts[0]}".rstrip())
            assert len(own["chat"].requests) == 1
            laws = WireLaws()
            laws.did("truncate")
            for event in wire.events:
                laws.see(event)
