"""A voice slower than its speech, in virtual time: it pauses between its chunks and never inside one."""

import asyncio

import pytest

from realtime.core.prebuffer import Delivery
from realtime.settings import Settings
from tests.conversing import Talk, scripted
from tests.fakes import MS_PER_CHARACTER, FakeChat, FakeSpeech, FakeTranscriber

SENTENCES = [
    "Once there was a small dog, and it lived in a white house by the sea. ",
    "Every day it ran along the beach until the sun was low. ",
    "One morning it found a bottle with a letter in it, and nobody could read what it said. ",
    "So it carried the letter to the old captain. ",
]
STORY = [(0.3, sentence) for sentence in SENTENCES]


def known(rate: float = 0.8) -> Delivery:
    """A voice of which this is known."""
    delivery = Delivery()
    delivery.learn(1000.0, 1000.0 / rate)
    return delivery


def pauses(talk: Talk) -> tuple[list[float], list[float]]:
    """Seconds for which a player that plays what it gets at once is silent: inside chunks, and before them."""
    inside: list[float] = []
    before: list[float] = []
    dry_s, begins = None, False
    for event in talk.events:
        if event["type"] == "response.output_audio_transcript.delta":
            begins = True
        elif event["type"] == "response.output_audio.delta":
            if dry_s is not None and event["at"] > dry_s + 1e-6:
                (before if begins else inside).append(event["at"] - dry_s)
            dry_s = max(event["at"], dry_s or 0.0) + len(event["delta"]) * 3 / 4 / 48_000
            begins = False
    return inside, before


@scripted
async def test_a_known_slow_voice_pauses_before_its_pieces():
    async with Talk(chat=FakeChat([STORY]), speech=FakeSpeech(factor=0.8, delivered=known())) as talk:
        await talk.ask("Tell me a story.")
        done = await talk.until("response.done")
        assert done["response"]["status"] == "completed"
        inside, before = pauses(talk)
        assert inside == []
        assert len(before) >= 2
        assert talk.audio_ms() == pytest.approx(sum(map(len, talk.speech.said)) * MS_PER_CHARACTER, abs=5)


@scripted
async def test_it_is_known_after_its_first_piece():
    async with Talk(chat=FakeChat([STORY, STORY]), speech=FakeSpeech(factor=0.8)) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.done")
        begins = [i for i, type in enumerate(talk.types) if type == "response.output_audio_transcript.delta"]
        second = talk.events[begins[1]]["at"]
        assert pauses(talk)[0], "nobody could know"
        talk.events[:] = [event for event in talk.events if event["at"] >= second]
        assert pauses(talk)[0] == []
        talk.events.clear()
        await talk.ask("Again.")
        await talk.until("response.done")
        assert pauses(talk)[0] == []


@scripted
async def test_a_voice_that_keeps_up_is_passed_on_the_moment_it_comes():
    async with Talk(chat=FakeChat([STORY]), speech=FakeSpeech(factor=1.0)) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.done")
        first, *rest = (event["at"] for event in talk.of("response.output_audio.delta"))
        frames = [ms for text in talk.speech.said for ms in frames_ms(len(text) * MS_PER_CHARACTER)]
        assert first == pytest.approx(0.3 + 0.2, abs=0.001)
        assert len(rest) + 1 == len(frames)
        gaps_ms = [1000 * (after - at) for at, after in zip([first, *rest], rest, strict=False)]
        assert all(gap_ms >= ms - 0.01 for gap_ms, ms in zip(gaps_ms, frames, strict=False))
        late = [gap_ms for gap_ms, ms in zip(gaps_ms, frames, strict=False) if gap_ms > ms + 0.01]
        assert len(late) <= len(talk.speech.said) - 1  # where a chunk begins


def frames_ms(total_ms: float) -> list[float]:
    return [min(100.0, total_ms - begin) for begin in range(0, int(total_ms), 100)]


@scripted
async def test_interrupted_at_any_moment_nothing_that_was_kept_back_counts():
    kept_back = 0
    for tenths in range(5, 180, 7):
        speech = FakeSpeech(factor=0.8, delivered=known())
        async with Talk(chat=FakeChat([STORY, [(0.1, "Yes?")]]), speech=speech) as talk:
            await talk.ask("Tell me a story.")
            await asyncio.sleep(tenths / 10)
            shown = [event["delta"] for event in talk.of("response.output_audio_transcript.delta")]
            kept_back += speech.begun > len(shown)
            await talk.send("response.cancel")
            done = await talk.until("response.done")
            assert done["response"]["status"] == "cancelled"
            await asyncio.sleep(5.0)
            assert talk.types[-1] == "response.done"
            await talk.ask("And then?")
            await talk.until("response.done", 2)
        told = [message.content for message in talk.chat.requests[1].messages if message.role == "assistant"]
        assert "".join(shown).startswith("".join(told)), tenths
    assert kept_back >= 5


@scripted
async def test_waiting_for_a_piece_is_not_silence():
    """Sound comes all the time: nobody has to give up because it is kept back."""
    settings = Settings(voice_id="v1", speculate="off", silent_turn_timeout_s=0.6)
    speech = FakeSpeech(factor=0.8, delivered=known())
    async with Talk(chat=FakeChat([STORY]), speech=speech, settings=settings) as talk:
        await talk.ask("Tell me a story.")
        done = await talk.until("response.done")
        assert done["response"]["status"] == "completed"
        assert max(pauses(talk)[1]) > 0.7


@scripted
async def test_a_fast_voice_that_waited_behind_the_gate_is_not_taken_for_a_slow_one():
    settings = Settings(voice_id="v1", speculate="speech")
    async with Talk(
        chat=FakeChat([[(0.0, "It is noon.")]]),
        speech=FakeSpeech(first_s=0.0),
        transcriber=FakeTranscriber(["What time is it?"], interim_texts=["What time is it?"] * 9),
        settings=settings,
        audio={"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": 1500}}},
    ) as talk:
        await talk.speak(1.0)
        await talk.silence(1.3)
        assert talk.speech.begun
        assert "response.created" not in talk.types
        await talk.silence(1.0)
        await talk.until("response.done")
        assert talk.speech.delivered.lag == 0.0
