"""Keeps what detectors and transcribers said about a sound, so that rules can be tried again at no cost.

A value is kept under a hash of the sound and the name of the model. The wrappers have the shapes of the providers; what
is not kept is asked and then kept. One file holds all; delete it after a change of what the models are given, or of
what they tell.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from realtime.providers.base import (
    EndOfTurnModel,
    Samples,
    Transcriber,
    Transcript,
    VoiceDetector,
    VoiceStream,
)


class Kept:
    """Values by key, in one file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(path)
        self._file.execute("pragma synchronous = off")
        self._file.execute("create table if not exists kept (key text primary key, value text)")
        self.asked = 0  # of what was not kept

    def get(self, key: str) -> Any:
        """What is kept there; None if nothing is."""
        found = self._file.execute("select value from kept where key = ?", (key,)).fetchone()
        return None if found is None else json.loads(found[0])

    def put(self, key: str, value: Any) -> None:
        self.asked += 1
        self._file.execute("insert or replace into kept values (?, ?)", (key, json.dumps(value)))
        if self.asked % 100 == 0:
            self._file.commit()

    def close(self) -> None:
        self._file.commit()
        self._file.close()

    async def ask(self, key: str, ask: Callable[[], Awaitable[Any]]) -> Any:
        """What is kept there, or what the model says now."""
        if (value := self.get(key)) is None:
            value = await ask()
            self.put(key, value)
        return value


def digest(*parts: bytes | str) -> str:
    """A key for all this."""
    whole = hashlib.blake2b(digest_size=16)
    for part in parts:
        whole.update(part.encode() if isinstance(part, str) else part)
        whole.update(b"|")
    return whole.hexdigest()


class KeptDetector(VoiceDetector):
    """A voice detector whose probabilities are kept."""

    def __init__(self, kept: Kept, detector: VoiceDetector) -> None:
        self._kept, self._detector = kept, detector

    def open(self) -> VoiceStream:
        return _KeptStream(self._kept, self._detector.open())


class _KeptStream(VoiceStream):
    """What a detector says depends on all it was given before: so does the key."""

    def __init__(self, kept: Kept, stream: VoiceStream) -> None:
        self._kept, self._stream = kept, stream
        self.reset()

    def reset(self) -> None:
        self._stream.reset()
        self._key = "silero"
        self._not_given: list[Samples] = []

    async def probabilities(self, frames: Sequence[Samples]) -> Sequence[float]:
        found = []
        for frame in frames:
            self._key = digest(self._key, frame.tobytes())
            self._not_given.append(frame)
            if (probability := self._kept.get(self._key)) is None:
                probability = float((await self._stream.probabilities(self._not_given))[-1])
                self._not_given = []
                self._kept.put(self._key, probability)
            found.append(probability)
        return found

    def close(self) -> None:
        self._stream.close()


class KeptTranscriber(Transcriber):
    """A transcriber whose texts are kept."""

    interim = True

    def __init__(self, kept: Kept, transcriber: Transcriber) -> None:
        self.name = transcriber.name
        self._kept, self._transcriber = kept, transcriber

    def spare(self, language: str | None) -> bool:
        """As on two idle cores. A decode takes no time here, so speech is read as often as may be: Chinese more often
        than in a server, where a decode takes longer than 64 ms."""
        return language is not None

    async def transcribe(self, samples: Samples, *, language: str | None, final: bool) -> Transcript:
        async def ask() -> Any:
            return asdict(await self._transcriber.transcribe(samples, language=language, final=final))

        fields = " ".join(Transcript.__slots__)
        final = final and language != "en"  # English is decoded the same way
        key = digest("transcript 2", fields, self.name, str(language), str(final), samples.tobytes())
        return Transcript(**await self._kept.ask(key, ask))


class KeptEndOfTurn(EndOfTurnModel):
    """An end-of-turn model whose probabilities are kept."""

    def __init__(self, kept: Kept, model: EndOfTurnModel) -> None:
        self._kept, self._model = kept, model

    async def finished(self, samples: Samples) -> float:
        async def ask() -> Any:
            return await self._model.finished(samples)

        return float(await self._kept.ask(digest("smart-turn", samples.tobytes()), ask))
