"""Voices that give the sound of a chunk otherwise than the ordinary fake does."""

import asyncio
from contextlib import asynccontextmanager

from realtime.providers.base import SpeechAudio, SpeechChunkDone
from tests.fakes import FakeSpeech, FakeUtterance

LATER_S = 0.12


class _Other(FakeSpeech):
    """A voice with utterances of its own."""

    utterance = FakeUtterance

    @asynccontextmanager
    async def open(self, voice):
        async with super().open(voice):
            yield self.utterance(self)


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


class WordsFirst(_Other):
    """Tells the words of a chunk LATER_S before its sound, as MiniMax's does where it is asked for both."""

    utterance = _WordsFirst


class _Mute(FakeUtterance):
    async def events(self):
        async for event in super().events():
            if event.chunk > 0 or isinstance(event, SpeechChunkDone):
                yield event


class Mute(_Other):
    """Says nothing of its first chunk."""

    utterance = _Mute


class _Soundless(FakeUtterance):
    async def events(self):
        async for event in super().events():
            if isinstance(event, SpeechChunkDone):
                yield event


class Soundless(_Other):
    """Ends each chunk without any sound."""

    utterance = _Soundless


class _Endless(FakeUtterance):
    def finish(self):
        return None


class Endless(_Other):
    """Like a socket that is read until somebody closes it: `finish` ends nothing."""

    utterance = _Endless


class _FinishesLater(FakeUtterance):
    async def finish(self):
        await asyncio.sleep(0.01)
        super().finish()
        self._speech.finished = True


class FinishesLater(_Other):
    """Its `finish` is a coroutine."""

    utterance, finished = _FinishesLater, False


class _EndsAfter(FakeUtterance):
    async def events(self):
        if not self._speech.chunks:
            return
        async for event in super().events():
            yield event
            if isinstance(event, SpeechChunkDone) and event.chunk == self._speech.chunks - 1:
                return


class EndsAfter(_Other):
    """Ends after so many chunks, whatever it was given."""

    utterance = _EndsAfter

    def __init__(self, chunks: int) -> None:
        super().__init__()
        self.chunks = chunks
