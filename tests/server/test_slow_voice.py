"""A speech platform that is slower than real time, over real sockets."""

import asyncio
import base64

from tests.server.harness import WireClient, open_harness

LONG = "Please repeat: the small dog ran along the beach every morning until the sun was high."


async def arrivals(wire: WireClient, text: str) -> list[tuple[float, float]]:
    """The arrival times of an answer's audio deltas, in seconds, with their lengths in milliseconds."""
    loop, deltas = asyncio.get_running_loop(), []
    asking = asyncio.create_task(wire.ask(text))
    seen = len(wire.events)
    while not asking.done() or seen < len(wire.events):
        for event in wire.events[seen:]:
            if event["type"] == "response.output_audio.delta":
                deltas.append((loop.time(), len(base64.b64decode(event["delta"])) / 48))
        seen = len(wire.events)
        await asyncio.sleep(0.002)
    assert (await asking)["status"] == "completed"
    return deltas


def first_ms(deltas: list[tuple[float, float]]) -> float:
    """The audio that arrived within 400 ms of the first delta. At factor 0.8 the voice makes 320 ms in that time."""
    return sum(ms for at_s, ms in deltas if at_s < deltas[0][0] + 0.4)


async def test_the_audio_of_a_slow_voice_is_held_back_until_it_plays_without_gaps():
    async with open_harness("speech.factor=0.8", "speech.chunk_ms=100") as harness, harness.connect() as wire:
        await arrivals(wire, "Please repeat: the sun was high over the sea.")  # the server measures the speed
        for _ in range(3):  # a busy machine may hold up what was sent together
            if (at_once_ms := first_ms(await arrivals(wire, LONG))) > 600:
                break
        assert at_once_ms > 600
