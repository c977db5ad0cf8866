"""Events that are read after their sound was played: their words are shown all the same."""

import asyncio

from realtime_client.player import PartKey, Position
from realtime_client.terminal import Terminal

from tests.eventually import WITHIN_S
from tests.terminal.test_terminal import Paper


class Played:
    """A conversation that has played its answer before its events are read."""

    plays, playing, extensions, on_reconnecting = True, False, ("playback", "words"), None
    on_heard = None

    def __init__(self, *events):
        self.events, self.asked = events, asyncio.Event()

    async def write(self, text): ...

    async def respond(self):
        self.asked.set()

    async def drained(self): ...

    async def __aiter__(self):
        await self.asked.wait()
        for played_ms, drained in ((150, False), (400, True)):
            self.on_heard(Position(PartKey("item_1", 0), played_ms, drained))
        for type, more in self.events:
            yield {"type": type, "item_id": "item_1", **more}
        await asyncio.Event().wait()


async def test_what_was_played_before_its_events_were_read_is_shown():
    """A file plays as fast as it comes, and a busy machine reads late."""
    words = [
        {"text": "It ", "start_ms": 0},
        {"text": "is ", "start_ms": 100},
        {"text": "noon.", "start_ms": 200},
    ]
    conversation = Played(
        ("response.created", {}),
        ("response.output_audio_transcript.delta", {"delta": "It is "}),
        ("response.output_audio_words.delta", {"words": words[:2]}),
        ("response.output_audio_transcript.delta", {"delta": "noon."}),
        ("response.output_audio_words.delta", {"words": words[2:]}),
        ("response.output_audio_transcript.done", {}),
        ("response.done", {"response": {"status": "completed"}}),
    )
    paper = Paper()
    terminal = Terminal(conversation, paper.screen)
    async with asyncio.timeout(WITHIN_S):
        await terminal.run(terminal.ask("What time is it?"))
    assert paper.lines == ["assistant It is noon."]
