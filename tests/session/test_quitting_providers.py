"""A provider that calls `sys.exit`, wherever it does: the session goes on, and the process too."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from typing import ClassVar

import pytest

import tests.conversing
from realtime.providers.base import EndOfTurnModel
from realtime.settings import Settings
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber, FakeUtterance, FakeVad

SEMANTIC = {"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}}


def quits(*_, **__):
    sys.exit("usage: provider")


async def quits_later(*_, **__):
    sys.exit("usage: provider")


async def quits_streaming(*_, **__):
    sys.exit("usage: provider")
    yield


@asynccontextmanager
async def quits_opening(*_):
    sys.exit("usage: provider")
    yield


@asynccontextmanager
async def quits_closing(*_):
    yield FakeUtterance(FakeSpeech())
    sys.exit("usage: provider")


class Prober(EndOfTurnModel):
    async def finished(self, samples):
        return 0.9


class Vad(FakeVad):
    """`stream`: what its streams do instead, by method; `open` is its own, from the second one on."""

    stream: ClassVar[dict] = {}
    opens = 0

    def open(self):
        Vad.opens += 1
        if Vad.opens > 1 and "open" in Vad.stream:
            quits()
        stream = super().open()
        for name, does in Vad.stream.items():
            setattr(stream, name, does)
        return stream


ROLES = [
    ("chat", "stream", quits),
    ("chat", "stream", quits_streaming),
    ("chat", "requests_left", quits),
    ("chat", "prewarm", quits),
    ("chat", "prewarm", quits_later),
    ("speech", "open", quits),
    ("speech", "open", quits_opening),
    ("speech", "open", quits_closing),
    ("speech", "prewarm", quits),
    ("speech", "latency", quits),
    ("speech", "delivery", quits),
    ("speech", "requests_left", quits),
    ("utterance", "say", quits_later),
    ("utterance", "finish", quits),
    ("utterance", "events", quits_streaming),
    ("utterance", "events", quits),
    ("transcriber", "spare", quits),
    ("transcriber", "transcribe", quits),
    ("transcriber", "transcribe", quits_later),
    ("transcriber", "murmur", quits_later),
    ("end_of_turn", "finished", quits),
    ("end_of_turn", "finished", quits_later),
    ("vad", "open", quits),
    ("vad", "probabilities", quits),
    ("vad", "probabilities", quits_later),
    ("vad", "reset", quits),
    ("vad", "close", quits),
]


@pytest.mark.parametrize(("role", "method", "does"), ROLES, ids=lambda each: getattr(each, "__name__", each))
def test_a_session_goes_on_after_a_provider_that_wants_to_end_the_process(role, method, does, monkeypatch):
    monkeypatch.setattr(Vad, "stream", {})
    monkeypatch.setattr(Vad, "opens", 0)
    monkeypatch.setattr(tests.conversing, "FakeVad", Vad)
    parts = {
        "chat": FakeChat(),
        "speech": FakeSpeech(),
        "transcriber": FakeTranscriber(),
        "end_of_turn": Prober(),
    }

    @scripted
    async def run():
        async with Talk(
            **parts,
            settings=Settings(instructions="Be brief.", voice_id="v1", speculate="speech"),
            **SEMANTIC,
        ) as talk:
            with monkeypatch.context() as broken:
                if role == "vad":
                    Vad.stream[method] = does
                    setattr(talk.session._user._audio._stream, method, does)
                else:
                    owner = {"utterance": FakeUtterance}.get(role) or parts[role]
                    broken.setattr(owner, method, does, raising=False)
                await converse(talk)
                for name in Vad.stream:
                    delattr(talk.session._user._audio._stream, name)
            Vad.stream.clear()
            done = len(talk.of("response.done"))
            await talk.ask("Are you there?")
            await talk.until("response.done", done + 1)
            assert not talk._run.done(), "the session has ended"

    run()


async def converse(talk: Talk) -> None:
    """What asks every provider, in every way."""

    async def tried(asking) -> None:
        try:
            await asking
        except Exception:  # as the connection does: an `error` event
            return

    await tried(talk.ask("Hello?"))
    await tried(talk.silence(1.0))
    await tried(talk.speak(0.8))
    await tried(talk.silence(2.0))
    await tried(talk.speak(0.4))
    await tried(talk.silence(2.0))
    await tried(
        talk.send("session.update", session={"type": "realtime", "audio": {"output": {"speed": 1.1}}})
    )
    await tried(talk.send("input_audio_buffer.commit"))
    await tried(talk.silence(2.0))
