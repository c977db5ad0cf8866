"""Text in, chunks out: the feed alone, with a voice that is a timeline."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.chunker import ChunkRules
from realtime.core.prebuffer import Delivery
from realtime.errors import ProviderUnavailable
from realtime.providers.base import SpeechAudio, SpeechChunkDone, Voice
from realtime.replying.speech_feed import (
    ENDS_S,
    AudioReceived,
    ChunkAudio,
    ChunkBegan,
    ChunkEnded,
    ChunkWords,
    SpeechFeed,
)
from tests import virtual_time
from tests.conversing import scripted
from tests.fakes import FakeSpeech, FakeUtterance
from tests.replying.voices import Endless, EndsAfter, FinishesLater, WordsFirst

VOICE = Voice("v1")
WHOLE = ChunkRules(lead_s=float("inf"))


async def spoken(speech: FakeSpeech, *deltas: str, gap_s: float = 0.0, permit=None, rules=None) -> list:
    """All that comes of these deltas, one every `gap_s`."""
    feed, seen = SpeechFeed(speech, VOICE, rules=rules), []

    async def write() -> None:
        for delta in deltas:
            feed.feed(delta)
            await asyncio.sleep(gap_s)
        feed.finish()

    async with asyncio.TaskGroup() as group, feed.speaking(permit) as events:
        group.create_task(write())
        async for event in events:
            seen.append(event)
    assert speech.open_now == 0
    return seen


def check_order(events: list) -> None:
    """Each chunk begins, sounds and ends before the next one, and they are numbered from 0."""
    now, ended = None, -1
    for event in events:
        match event:
            case ChunkBegan(chunk):
                assert now is None
                assert chunk.index == ended + 1
                now = chunk.index
            case ChunkAudio(index) | ChunkWords(index):
                assert index == now
            case ChunkEnded(index):
                assert index == now
                now, ended = None, index
    assert now is None, "the last chunk did not end"


def texts(events: list) -> list[str]:
    return [event.chunk.text for event in events if isinstance(event, ChunkBegan)]


@scripted
async def test_a_chunk_begins_sounds_and_ends():
    events = await spoken(FakeSpeech(), "Hello there.")
    check_order(events)
    assert texts(events) == ["Hello there."]
    assert sum(len(event.pcm) for event in events if isinstance(event, ChunkAudio)) / 48 == pytest.approx(720)
    assert [len(event.words) for event in events if isinstance(event, ChunkWords)] == [2]


@scripted
async def test_words_that_come_before_the_sound_are_passed_on_with_it():
    """Who stops at the first of them, because nobody may hear it yet, has learnt of the sound before."""
    long = "Once there was a lighthouse on a rock, far out in the sea, and nobody went there any more. "
    events = await spoken(WordsFirst(factor=1e6), long, "The end of it.", gap_s=0.5)
    check_order(events)
    began = [at for at, event in enumerate(events) if isinstance(event, ChunkBegan)]
    assert len(began) > 1
    for at in began:
        assert isinstance(events[at - 1], AudioReceived)
        assert [type(event) for event in events[at : at + 3]] == [ChunkBegan, ChunkWords, ChunkAudio]


@scripted
async def test_chunks_without_sound_have_their_turn_too():
    for text in ("😀", "①! Hello there, my friends.", "Hello there. 😀", "…", "**", "Hi!\n\n---\n\nBye."):
        speech = FakeSpeech()
        events = await spoken(speech, text)
        check_order(events)
        sounding = {event.index for event in events if isinstance(event, ChunkAudio)}
        assert len(sounding) == len(speech.said), text


@given(st.lists(st.text(st.sampled_from("ab ,.!?\n①½😀한你。**`-"), max_size=12), max_size=6))
def test_whatever_is_fed_comes_back_in_order_and_whole(deltas: list[str]):
    speech = FakeSpeech(factor=50)
    events = virtual_time.run(spoken(speech, *deltas, gap_s=0.05))
    check_order(events)
    feed_text = "".join(texts(events))
    assert [text for text in speech.said if not text.strip()] == []
    assert len({event.index for event in events if isinstance(event, ChunkAudio)}) == len(speech.said)
    assert all(said.strip() for said in speech.said) or not feed_text.strip()


@scripted
async def test_a_chunk_waits_for_its_permit():
    gate, speech = asyncio.Event(), FakeSpeech()

    async def permit(chunk) -> None:
        await gate.wait()

    task = asyncio.create_task(spoken(speech, "Hello there.", permit=permit))
    await asyncio.sleep(5)
    assert speech.said == []
    gate.set()
    check_order(await task)
    assert speech.said == ["Hello there."]


@scripted
async def test_a_short_budget_makes_fewer_requests():
    """The chunker grows its chunks when requests run short: the feed has to tell it what is left."""
    sentences = [f"This is sentence number {number} of the story. " for number in range(12)]
    plenty, short = FakeSpeech(budget=60.0), FakeSpeech(budget=0.0)
    for speech in (plenty, short):
        check_order(await spoken(speech, *sentences, gap_s=0.3))
    assert "".join(plenty.said).replace(" ", "") == "".join(short.said).replace(" ", "")
    assert len(short.said) < len(plenty.said)


@scripted
async def test_a_voice_slower_than_its_speech_is_held_between_chunks_and_tells_that_it_lives():
    delivery = Delivery()
    for _ in range(5):
        delivery.learn(2000.0, 2500.0, 100.0)
    speech = FakeSpeech(factor=0.8, delivered=delivery)
    story = "There was a lighthouse on a rock. It had no keeper any more. The sea was quiet that night. "
    events = await spoken(speech, story * 3, rules=WHOLE)
    check_order(events)
    first_audio = next(index for index, event in enumerate(events) if isinstance(event, ChunkAudio))
    assert events[:first_audio].count(AudioReceived()) > 1, "it tells that sound comes while it is held"
    firsts = {}
    for event in events:
        if isinstance(event, ChunkAudio):
            firsts.setdefault(event.index, len(firsts))
    assert list(firsts) == sorted(firsts)


@scripted
async def test_the_chunker_learns_of_sound_that_was_passed_on_and_of_no_other():
    """Sound that waits behind a closed gate has not begun to play: the next chunk is not due yet."""
    speech, asked = FakeSpeech(), []
    feed = SpeechFeed(speech, VOICE)
    reported = feed._chunker.audio
    feed._chunker.audio = lambda index, ms, complete, now_s: (
        asked.append(ms) or reported(index, ms, complete, now_s)
    )
    feed.feed("Hello there. This is the second sentence of mine.")
    feed.finish()
    async with feed.speaking() as events:
        async for event in events:
            if isinstance(event, ChunkAudio):
                assert asked == []
                break
        await events.aclose()
    assert asked == []


@scripted
async def test_whoever_leaves_early_silences_the_voice():
    speech = FakeSpeech()
    feed = SpeechFeed(speech, VOICE)
    feed.feed("Hello there. This is a longer text. It goes on and on.")
    async with asyncio.timeout(None), feed.speaking() as events:
        async for event in events:
            if isinstance(event, ChunkAudio):
                break
        feed.finish()
    assert speech.open_now == 0


@scripted
async def test_a_voice_that_answers_for_another_chunk_is_not_believed():
    class Confused(FakeSpeech):
        def open(self, voice):
            from contextlib import asynccontextmanager

            class Utterance(FakeUtterance):
                async def events(self):
                    await asyncio.sleep(0.1)
                    yield SpeechAudio(3, b"\0\0" * 240)
                    yield SpeechChunkDone(3)

            @asynccontextmanager
            async def opened():
                yield Utterance(self)

            return opened()

    with pytest.raises(ExceptionGroup) as raised:
        await spoken(Confused(), "Hello there.")
    assert raised.group_contains(ProviderUnavailable, match="chunk 3 when 0 was due")


@scripted
async def test_an_error_of_the_voice_comes_out_and_nothing_is_left_behind():
    speech = FakeSpeech(errors=[ProviderUnavailable("gone")])
    with pytest.raises(ExceptionGroup) as raised:
        await spoken(speech, "Hello there. And this is more.")
    assert raised.group_contains(ProviderUnavailable, match="gone")
    assert speech.open_now == 0


@scripted
async def test_a_voice_that_does_not_end_is_closed_soon_after_all_is_said(caplog):
    began_s = asyncio.get_running_loop().time()
    events = await spoken(Endless(), "Hello there. And this is more.")
    check_order(events)
    assert "".join(texts(events)) == "Hello there. And this is more."
    said_s = sum(len(event.pcm) for event in events if isinstance(event, ChunkAudio)) / 48_000
    assert asyncio.get_running_loop().time() - began_s < said_s + ENDS_S + 2
    assert [record.message for record in caplog.records if "did not end" in record.message]


@scripted
async def test_finish_may_be_a_coroutine():
    speech = FinishesLater()
    events = await spoken(speech, "Hello there.")
    assert texts(events) == ["Hello there."]
    assert speech.finished


@pytest.mark.parametrize("after", [0, 1])
def test_a_voice_that_ends_before_it_has_said_everything_has_failed(after: int):
    """At once: nobody waits for what will not come."""

    @scripted
    async def speak():
        began_s = asyncio.get_running_loop().time()
        with pytest.raises(ExceptionGroup) as raised:
            await spoken(EndsAfter(after), *["This is a sentence of a longer answer. "] * 8, gap_s=0.05)
        assert raised.group_contains(ProviderUnavailable, match="ended before it had said everything")
        assert asyncio.get_running_loop().time() - began_s < 5

    speak()


@scripted
async def test_audio_is_given_as_it_comes():
    loop, times = asyncio.get_running_loop(), []
    feed = SpeechFeed(FakeSpeech(first_s=0.2, factor=8), VOICE)
    feed.feed("Hello there, this is one clause of some length")
    feed.finish()
    began_s = loop.time()
    async with feed.speaking() as events:
        async for event in events:
            if isinstance(event, ChunkAudio):
                times.append(loop.time() - began_s)
    assert times[0] == pytest.approx(0.2, abs=0.001)
    assert all(later - sooner == pytest.approx(0.0125, abs=0.001) for sooner, later in pairwise(times[:-1]))
