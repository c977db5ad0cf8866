"""From the chunker to the platform's client, everyone agrees on what can be spoken."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from realtime.core.characters import pronounceable
from realtime.core.chunker import Chunk, Chunker
from realtime.core.clauses import find_cuts
from realtime.core.spoken import SpokenPart
from realtime.core.spoken_form import spoken_form
from realtime.core.wording import Wording
from realtime.minimax.speech_config import SpeechConfig
from realtime.providers.memory_quota import MemoryQuota
from realtime.providers.minimax.utterance import MiniMaxUtterance
from realtime.upstream import Upstream

# letters, numbers that are no digits, an emoji that is a letter, signs, kana that are marks, marks and halves of them
HARD = [
    *("a", "é", "好", "한", "カ", "5", "①", "❶", "½", "㊀", "ℹ", "🄀", "々", "ー", "ก็", "क्ष"),
    *("・", "゛", "·", "%", "+", "€", "°", "_", "!", "。", "...", "…", "(", "“", "\n", " ", "—"),
    *("😀", "👩🏽‍🚀", "🇫🇷", "✓", "\u3164", "\u200d", "\u200b", "\ufe0f", "\u0301", "\ue000", "\u0378"),
    *("<#0.5#>", "<#123#>", "<#1.2.3#>", "<#.#>", "<##>", "<#", "#>", "<", "#", ".5"),
]
TEXTS = st.one_of(st.lists(st.sampled_from(HARD), max_size=12).map("".join), st.text(max_size=40))


def chunks_of(text: str) -> list[Chunk]:
    """The chunks of a text that comes character by character; its voice needs no time."""
    chunker, chunks, now_s = Chunker(), [], 0.0
    for char in text:
        chunker.feed(Wording.plain(char), now_s)
        chunks += chunker.poll(now_s)
        now_s += 0.02
    chunker.finish()
    while not chunker.done:
        chunks += chunker.poll(now_s)
        for chunk in chunks:
            chunker.audio(chunk.index, 60.0 * len(chunk.spoken), True, now_s)
        now_s = chunker.deadline() or now_s + 1
    return chunks


def is_timed(chunk: Chunk) -> bool:
    """Whether the ledger of a reply expects sound of this chunk before any came."""
    part = SpokenPart()
    part.begin_chunk(0, chunk.text, chunk.spoken, chunk.offsets)
    return part.new_words(final=True)[-1].end_ms > 0


class Line:
    """A pool and its one session: writes down what would go to the platform."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.upstream = Upstream()

    def take_idle(self, config: SpeechConfig) -> Line:
        return self

    async def say(self, text: str, leaving: Any) -> int:
        await leaving()
        self.sent.append(text)
        return len(self.sent) - 1


def is_sent(text: str) -> bool:
    async def say() -> list[str]:
        line: Any = Line()
        utterance = MiniMaxUtterance(
            line,
            SpeechConfig("a"),
            MemoryQuota("speech", 60),
            budget_wait_s=1.0,
            learn_latency=lambda _: None,
        )
        await utterance.say(text)
        return line.sent

    return bool(asyncio.run(say()))


@given(TEXTS)
@example("①! Hello there, my friends.")
@example("・・・! はい、そうです。")
@example("ℹ️! Hello there, my friends.")
@example("<#0.5#>! Hello there, my friends.")
@example("<😀#1#>")
def test_all_agree_on_what_can_be_spoken(text: str) -> None:
    """The normalized text, its spoken form, the ledger's weights, and what is sent: chunk by chunk and as a whole."""
    chunks = chunks_of(text)
    assert any(chunk.spoken for chunk in chunks) == pronounceable(text)
    assert all(chunk.spoken for chunk in chunks[:-1])
    for chunk in chunks:
        assert bool(chunk.spoken) == pronounceable(chunk.text) == is_timed(chunk)
        assert bool(chunk.spoken) == is_sent(chunk.text) == is_sent(chunk.spoken)


@given(TEXTS, st.booleans())
def test_a_place_to_cut_comes_after_something_that_can_be_spoken(text: str, final: bool) -> None:
    for cut in find_cuts(text, final=final):
        assert spoken_form(text[: cut.end])[0]
