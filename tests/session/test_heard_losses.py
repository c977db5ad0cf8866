"""What was heard of replies whose voice connection died and was replaced: the sound itself is the witness.

Whole conversations over the real voice provider and scripted connections: mixed Chinese and English, pauses, G.711,
late and repeated truncates, interruptions before, in and after a chunk that had to be said again.
"""

from __future__ import annotations

import asyncio
import base64
import math
import random

import pytest

from realtime.core.audio import AudioFormat, PcmDecoder, pcm_to_samples, samples_to_pcm
from realtime.core.wordbreak import atoms
from tests import virtual_time
from tests.conversing import Talk
from tests.fakes import FakeChat, FakeTranscriber
from tests.providers.minimax.scripted_speech import Fate, ScriptedClient
from tests.providers.minimax.test_speech_losses import joined, make_fate, make_words, provider
from tests.session.listeners import Client, Listener, items_said, kept_of

FORMATS = {
    "pcm": ({"type": "audio/pcm", "rate": 24000}, 48, AudioFormat()),
    "pcmu": ({"type": "audio/pcmu"}, 8, AudioFormat("audio/pcmu", 8000)),
}


class Witness(Client):
    """A client that keeps the sound it got, and can say which words of it were played."""

    def __init__(self, talk: Talk, dice: random.Random, report: str, name: str) -> None:
        super().__init__(talk, dice, report)
        _, self.bytes_per_ms, self.format = FORMATS[name]

    def players(self) -> dict[str, Listener]:
        found: dict[str, Listener] = {}
        for event in self.talk.of("response.output_audio.delta"):
            player = found.setdefault(event["item_id"], Listener(**self.traits))
            player.receive(event["at"], len(base64.b64decode(event["delta"])) / self.bytes_per_ms)
        return found

    def words_played(self, lexicon, item_id: str, heard_ms: float) -> int:
        """How many different words sounded at least to their middle."""
        sound = b"".join(
            base64.b64decode(event["delta"])
            for event in self.talk.of("response.output_audio.delta")
            if event["item_id"] == item_id
        )[: int(heard_ms) * self.bytes_per_ms]
        runs = lexicon.runs(samples_to_pcm(PcmDecoder(self.format).feed(sound)), self.format.rate)
        return len({word for word, ms in runs if ms >= lexicon.ms_of(word) / 2})


def words_of(text: str) -> list[str]:
    begin, found = 0, []
    for end in atoms(text):
        if word := "".join(filter(str.isalnum, text[begin:end])):
            found.append(word.lower())
        begin = end
    return found


def make_story(dice: random.Random, words: list[str]) -> list[tuple[float, str]]:
    """The words as sentences, with a pause mark here and there."""
    story, at = [], 0
    while at < len(words):
        some = words[at : at + dice.randint(4, 12)]
        at += len(some)
        sentence = joined(some, dice)
        if dice.random() < 0.3 and " " in sentence.strip():
            place = dice.choice([n for n, char in enumerate(sentence.strip()) if char == " "])
            sentence = f"{sentence[:place]} <#0.4#>{sentence[place:]}"
        story.append((dice.uniform(0.02, 0.6), sentence))
    return story


async def one_conversation(seed: str, report: str) -> None:
    dice = random.Random(seed)
    random.seed(seed)  # pauses of the provider are drawn too
    words = make_words(dice, dice.randint(10, 40), chinese=dice.choice([0.0, 0.3, 0.3, 1.0]))
    timed = dice.choice(["early", "early", "early", "late", "none"])
    fates = [make_fate(dice, timed) for _ in range(dice.randint(0, 3))]
    voice = ScriptedClient(*fates, Fate(words=timed), hosts=("one", "two"), words=timed)
    voice.factor = dice.choice([0.8, 1.5, 5.0, 30.0])
    speech = provider(voice, dice.choice(["ordinary", "bidi"]), budget_wait_s=30.0)
    speech.open_now = 0  # a `Talk` asks its voice
    chat = FakeChat([make_story(dice, words), [(0.1, "Yes?")], [(0.1, "Yes?")]])
    name = dice.choice(["pcm", "pcmu"])
    async with Talk(
        chat=chat,
        speech=speech,
        transcriber=FakeTranscriber(["Stop it now."] * 9),
        extensions="playback" if report == "acks" else "",
        audio={"output": {"format": FORMATS[name][0]}},
    ) as talk:
        client = Witness(talk, dice, report, name)
        await talk.ask("Tell me a story.")
        acks = asyncio.create_task(client.acknowledge()) if report == "acks" else None
        await asyncio.sleep(dice.choice([dice.uniform(0, 1), dice.uniform(0, 5), dice.uniform(0, 15)]))
        by_voice = dice.random() < 0.5 or not talk.session.replying
        await (client.barge_in() if by_voice else client.cancel())
        await (acks or asyncio.sleep(0))
        await asyncio.sleep(1.0)
        # A cancel that crossed the end of the reply says nothing about its sound.
        crossed = not by_voice and talk.of("response.done")[0]["response"]["status"] != "cancelled"
        if items_said(talk) and not (crossed and report == "nothing"):
            await check(client, voice, words, items_said(talk)[0], report, timed, f"seed {seed}")
    await speech.aclose()


async def check(client, voice, words, item_id, report, timed, name) -> None:
    talk, heard_ms = client.talk, client.heard_ms(item_id, math.inf)
    kept = await kept_of(talk, item_id)
    said = words_of(kept.replace("<#0.4#>", " "))
    assert said == [word.lower() for word in words[: len(said)]], f"{name}: {kept!r}"
    slack_ms = client.delay_ms if report == "nothing" else 0.0
    least = client.words_played(voice.lexicon, item_id, max(0.0, heard_ms - slack_ms))
    most = client.words_played(voice.lexicon, item_id, heard_ms + slack_ms)
    off = 1 if timed == "early" else 12  # else in proportion, inside one chunk
    assert least - off <= len(said) <= most + off, f"{name}: {len(said)} words kept, {least} to {most} heard"
    if report == "truncate":  # a late second word of the client never makes history longer
        for beyond_ms in (400, 90_000):
            await talk.send(
                "conversation.item.truncate", item_id=item_id, content_index=0,
                audio_end_ms=int(heard_ms) + beyond_ms,
            )  # fmt: skip
        assert await kept_of(talk, item_id) == kept, name


@pytest.mark.parametrize("report", ["truncate", "acks", "nothing"])
def test_history_is_true_also_after_losses(report):
    """75 conversations for each way to report."""
    for number in range(75):
        virtual_time.run(one_conversation(f"{report} {number}", report))


def test_the_witness_knows_its_words():
    """What the tests above rely on: every level survives G.711, and a word is recognised by its sound."""
    lexicon = ScriptedClient().lexicon
    pcm, _ = lexicon.pronounce("One two. 三四 <#0.4#> five", 8000)
    format = AudioFormat("audio/pcmu", 8000)
    again = samples_to_pcm(format.decode(format.encode(pcm_to_samples(pcm))))
    assert [word for word, _ in lexicon.runs(again, 8000)] == ["one", "two", "三", "四", "five"]
    assert again == pcm
