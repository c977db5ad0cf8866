"""A voice that tells the words of a chunk before its sound, as MiniMax's does where it is asked for both."""

from realtime.providers.base import SpeechChunkDone, SpeechWords
from tests.fakes import FakeSpeech, FakeUtterance


class WordsFirst(FakeSpeech):
    """A voice that tells the words of a chunk before its sound, as MiniMax's does."""

    def open(self, voice):
        return _Opened(self)


class _Opened:
    def __init__(self, speech: FakeSpeech) -> None:
        self._utterance = _WordsFirst(speech)

    async def __aenter__(self) -> FakeUtterance:
        return self._utterance

    async def __aexit__(self, *_: object) -> None:
        return


class _WordsFirst(FakeUtterance):
    async def events(self):
        held = []
        async for event in super().events():
            if isinstance(event, SpeechChunkDone):
                for one in sorted(held, key=lambda event: not isinstance(event, SpeechWords)):
                    yield one
                held.clear()
                yield event
            else:
                held.append(event)
