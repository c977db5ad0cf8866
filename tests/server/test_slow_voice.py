"""A platform whose voice is slower than its speech, over real sockets."""

import asyncio
import base64

from tests.server.wire import Wire
from tests.server.wire import house as open_house

LONG = "Please repeat: the small dog ran along the beach every morning until the sun was high."


async def arrivals(wire: Wire, text: str) -> list[tuple[float, float]]:
    """When the sound of an answer came, seconds, and how much at a time, milliseconds."""
    loop, came = asyncio.get_running_loop(), []
    asking = asyncio.create_task(wire.ask(text))
    seen = len(wire.events)
    while not asking.done() or seen < len(wire.events):
        for event in wire.events[seen:]:
            if event["type"] == "response.output_audio.delta":
                came.append((loop.time(), len(base64.b64decode(event["delta"])) / 48))
        seen = len(wire.events)
        await asyncio.sleep(0.002)
    assert (await asking)["status"] == "completed"
    return came


def at_once_ms(came: list[tuple[float, float]]) -> float:
    """How much came within 400 ms of the first. A voice at 0.8 makes 320 ms in that time, however slow we are."""
    return sum(ms for at_s, ms in came if at_s < came[0][0] + 0.4)


async def test_a_slow_voice_is_heard_once_it_can_play_through():
    async with open_house("speech.factor=0.8", "speech.chunk_ms=100") as house, house.wire() as wire:
        await arrivals(wire, "Please repeat: the sun was high over the sea.")  # teaches how slow it is
        together_ms = at_once_ms(await arrivals(wire, LONG))
        assert together_ms > 600
