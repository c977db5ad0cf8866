"""Replies on connections that fail: hundreds of losses; the audio itself tells which words were received."""

from __future__ import annotations

import asyncio
import itertools
import random
from contextlib import aclosing

import pytest

from realtime.errors import ProviderUnavailable
from realtime.minimax.errors import error_for_code
from realtime.minimax.speech import Transport
from realtime.providers.base import SpeechAudio, SpeechChunkDone, SpeechWords, Voice
from realtime.providers.minimax.speech import MiniMaxSpeech
from tests import virtual_time
from tests.providers.minimax.scripted_speech import Fate, ScriptedClient

VOICE = Voice("v")
SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "el", "or")]


def provider(client: ScriptedClient, transport: str = "ordinary", **more) -> MiniMaxSpeech:
    kept = {"connections": 20, "rpm": 1000, "budget_wait_s": 5.0, **more}
    return MiniMaxSpeech(client, transport=Transport(transport), **kept)


def make_words(dice: random.Random, count: int, *, chinese: float = 0.0) -> list[str]:
    """Words that are all different."""
    words: dict[str, None] = {}
    while len(words) < count:
        if dice.random() < chinese:
            words[chr(0x4E00 + dice.randrange(3000))] = None
        else:
            words["".join(dice.choices(SYLLABLES, k=dice.randint(1, 3)))] = None
    return list(words)


def joined(words: list[str], dice: random.Random) -> str:
    """As a sentence; Han characters stand together."""
    text = words[0]
    for before, word in itertools.pairwise(words):
        together = before[-1] >= "\u2e80" and word[0] >= "\u2e80"
        text += ("" if together else dice.choice([" ", " ", ", "])) + word
    return text + ". "


def make_fate(dice: random.Random, words: str) -> Fate:
    """Failures at every moment: before the audio, in a text, at its end, by silence, by a rate limit."""
    match dice.randrange(8):
        case 0:
            return Fate(connect=ProviderUnavailable("no way"), words=words)
        case 1:
            return Fate(frames=0, words=words)
        case 2:
            return Fate(before_end=True, words=words)
        case 3:
            return Fate(frames=dice.randrange(30), error=error_for_code(1002), words=words)
        case 4:
            return Fate(frames=dice.randrange(30), stalls=True, words=words)
        case _:
            return Fate(frames=dice.randrange(60), words=words)


async def speak(speech: MiniMaxSpeech, chunks: list[str], gap_s: float = 0.0):
    """Say the chunks. Returns the audio and the words of each; checks the order of their ends."""
    pcm, words, done = {}, {}, []
    async with speech.open(VOICE) as utterance:

        async def say() -> None:
            for chunk in chunks:
                await utterance.say(chunk)
                await asyncio.sleep(gap_s)
            utterance.finish()

        saying = asyncio.create_task(say())
        async with aclosing(utterance.events()) as events:
            async for event in events:
                match event:
                    case SpeechAudio(chunk, data):
                        pcm[chunk] = pcm.get(chunk, b"") + data
                    case SpeechWords(chunk, known):
                        words[chunk] = known
                    case SpeechChunkDone(chunk):
                        done.append(chunk)
        await saying
    assert done == list(range(len(chunks)))
    return pcm, words


def received_whole(ms: float, whole_ms: float) -> bool:
    """Whether enough of the word was received to understand it."""
    return ms >= whole_ms / 2 and (whole_ms - ms <= 80 or ms >= 0.8 * whole_ms)


def check_sound(client: ScriptedClient, words: list[str], runs: list[tuple[str, float]]) -> None:
    """Every word is complete once; a word that was cut is repeated from its start, at once."""
    lexicon, at = client.lexicon, 0
    for word, ms in runs:
        assert at < len(words), f"{word!r} after the end"
        assert word == words[at], f"{word!r} where {words[at]!r} was due"
        if received_whole(ms, lexicon.ms_of(word)):
            at += 1
    assert at == len(words), f"missing: {words[at:]}"


@pytest.mark.parametrize("transport", ["ordinary", "bidi"])
def test_hundreds_of_replies_on_failing_connections(transport):
    """No word is missing or repeated, and the word times match the audio."""
    for seed in range(120):
        virtual_time.run(one_reply(random.Random(f"{transport} {seed}"), transport, f"seed {seed}"))


async def one_reply(dice: random.Random, transport: str, name: str) -> None:
    words = make_words(dice, dice.randint(3, 30), chinese=dice.choice([0.0, 0.3, 1.0]))
    cuts = sorted(dice.sample(range(1, len(words)), min(dice.randrange(3), len(words) - 1)))
    groups = [words[a:b] for a, b in zip([0, *cuts], [*cuts, len(words)], strict=True)]
    chunks = [joined(group, dice) for group in groups]
    client = ScriptedClient(
        *(make_fate(dice, "early") for _ in range(dice.randint(1, 3))), hosts=("one", "two")
    )
    client.frame_ms = dice.choice([20, 40, 100])
    speech = provider(client, transport, budget_wait_s=30.0)
    if dice.random() < 0.5:
        speech.prewarm(VOICE)
        await asyncio.sleep(1.0)
    pcm, times = await speak(speech, chunks, dice.choice([0.0, 0.0, 2.0]))
    await speech.aclose()
    try:
        for chunk, group in enumerate(groups):
            runs = client.lexicon.runs(pcm[chunk], 24_000)
            check_sound(client, [w.lower() for w in group], runs)
            check_times(client, chunks[chunk], group, pcm[chunk], times[chunk])
    except AssertionError as error:
        raise AssertionError(f"{name}: {error}") from error
    assert client.open_now == 0, name


def check_times(client, text, group, pcm, times) -> None:
    """Every word has the time of its audio."""
    assert ["".join(filter(str.isalnum, text[w.begin : w.end])).lower() for w in times] == [
        w.lower() for w in group
    ]
    for word in times:
        middle = int((word.start_ms + word.end_ms) / 2 * 24) * 2
        level = int.from_bytes(pcm[middle : middle + 2], "little")
        assert level, "silence where a word should be"
        assert client.lexicon.word(level) == "".join(filter(str.isalnum, text[word.begin : word.end])).lower()


@pytest.mark.parametrize("known", ["late", "none"])
def test_without_word_times_at_most_two_words_are_lost_or_repeated(known):
    """Without word times before the loss, the offset is estimated from the usual speaking rate."""
    off = []
    for seed in range(60):
        off.append(virtual_time.run(one_untimed(random.Random(f"{known} {seed}"), known)))
    assert max(off) <= 2
    assert off.count(0) / len(off) > 0.7


async def one_untimed(dice: random.Random, known: str) -> int:
    """How many words are missing or repeated."""
    words = make_words(dice, dice.randint(8, 30), chinese=dice.choice([0.0, 0.3, 1.0]))
    client = ScriptedClient(Fate(frames=dice.randrange(1, 60), words=known), words=known)
    client.lexicon.ms_of = lambda word: 220 if word[0] >= "\u2e80" else 60 + 60 * len(word)
    speech = provider(client)
    pcm, _ = await speak(speech, [joined(words, dice)])
    await speech.aclose()
    runs = client.lexicon.runs(pcm[0], 24_000)
    spoken = [word for word, ms in runs if received_whole(ms, client.lexicon.ms_of(word))]
    return len(set(words) - set(spoken)) + len(spoken) - len(set(spoken))


def test_a_platform_that_closes_every_connection_as_idle_is_given_up():
    async def reply() -> None:
        client = ScriptedClient(*[Fate(frames=0, error=error_for_code(2201))] * 100)
        speech = provider(client)
        with pytest.raises(ProviderUnavailable, match="idle"):
            await speak(speech, ["Good evening."])
        await speech.aclose()
        assert len(client.texts) <= 8

    virtual_time.run(reply())
