"""A voice that tells the words of a chunk before its sound, as MiniMax's does where it is asked for both."""

import asyncio
from contextlib import asynccontextmanager

from realtime.providers.base import SpeechAudio, SpeechChunkDone
from tests.fakes import FakeSpeech, FakeUtterance

LATER_S = 0.12


class WordsFirst(FakeSpeech):
    """The sound of a chunk comes LATER_S after its words, all of it at once."""

    @asynccontextmanager
    async def open(self, voice):
        async with super().open(voice):
            yield _WordsFirst(self)


class _WordsFirst(FakeUtterance):
    async def events(self):
        sound = []
        async for event in super().events():
            if isinstance(event, SpeechAudio):
                sound.append(event)
                continue
            if isinstance(event, SpeechChunkDone):
                await asyncio.sleep(LATER_S)
                for one in sound:
                    yield one
                sound.clear()
            yield event
