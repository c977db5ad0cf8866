"""Whatever the text, the deltas and the clock: nothing is lost, doubled, swapped or cut inside what is one."""

from __future__ import annotations

import itertools
import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from realtime.core.characters import PAUSE_MARK
from realtime.core.chunker import Boundary, Chunk, Chunker, ChunkRules
from realtime.core.normalize import SpeechNormalizer
from realtime.core.playback_clock import Latency, SpeakingRate
from realtime.core.wording import Wording

# never cut inside; graphemes whose parts are characters of their own, numbers, abbreviations, addresses, pause marks
WHOLE = [
    "3.14",
    "1,000",
    "10:30",
    "-12.5",
    "2,500.75",
    "50%",
    "Dr. Smith",
    "U.S.",
    "e.g.",
    "p.m.",
    "https://a.b/c,d.e?f=1",
    "www.example.com",
    "a@b.example",
    "don't",
    "(laughs)",
    "<#0.5#>",
    "<#12.25#>",
    "👨‍👩‍👧",
    "👩🏽‍🚀",
    "🇫🇷",
    "1️⃣",
    "e\u0301",
    "か\u3099",
    "百分之六十",
]
WORDS = [
    *WHOLE,
    *("I", "can", "help", "you", "from", "the", "Well", "extraordinarily", "한국어"),
    *("好的", "今天天气", "我们明天去公园看花", "ありがとう", "東京タワー"),
    *(",", ".", "!", "?", ":", "。", "，", "、", "…", "—", "\n", "\n\n", "😀", '"', "”", ")"),
]
MARKS_AFTER_A_LONG_WORD = (
    "https://a.b/c,d.e?f=1 extraordinarily extraordinarily 好的 好的 https://a.b/c,d.e?f=1 , 3.14"
)
TEXTS = st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join)
RULES = st.builds(
    ChunkRules,
    cap_chars=st.sampled_from([30, 300]),
    lead_s=st.sampled_from([1.0, 12.0]),
    refill_s=st.sampled_from([0.5, 4.0]),
)
SIZES = st.lists(st.integers(1, 30), min_size=1, max_size=20)
GAPS = st.lists(st.sampled_from([0.0, 0.02, 0.1, 0.3, 2.0]), min_size=1, max_size=10)


class Conversation:
    """A chunker on a clock, and a voice that is late and takes its time; polled at deltas, deadlines and sounds."""

    def __init__(self, rules: ChunkRules, latency_s: float, requests_left: float) -> None:
        self.chunker = Chunker(rules, SpeakingRate())
        self.chunker.latency(Latency(latency_s, latency_s / 5))
        self.chunker.budget(requests_left)
        self.chunks: list[Chunk] = []
        self.now_s = 0.0
        self._latency_s = latency_s
        self._sounds: list[tuple[float, int, float]] = []  # when, of which chunk, milliseconds

    def run(self, until_s: float) -> None:
        """All that is due until then."""
        while True:
            self._poll()
            deadline_s = self.chunker.deadline()
            assert deadline_s is None or deadline_s > self.now_s
            moments = [sound[0] for sound in self._sounds] + ([] if deadline_s is None else [deadline_s])
            if not moments or min(moments) > until_s:
                self.now_s = max(self.now_s, min(until_s, 1e6))
                self._poll()
                return
            self.now_s = max(self.now_s, min(moments))
            for sound in [sound for sound in self._sounds if sound[0] <= self.now_s]:
                self._sounds.remove(sound)
                self.chunker.audio(sound[1], sound[2], True, self.now_s)

    def _poll(self) -> None:
        for chunk in self.chunker.poll(self.now_s):
            self.chunks.append(chunk)
            if chunk.spoken:
                after_s = max((sound[0] for sound in self._sounds), default=self.now_s)
                self._sounds.append((after_s + self._latency_s, chunk.index, 65.0 * len(chunk.spoken)))
        assert self.chunker.poll(self.now_s) == []


def converse(
    text: str, sizes: list[int], gaps_s: list[float], rules: ChunkRules, latency_s: float, requests: float
) -> list[Chunk]:
    """The chunks of `text` that comes in deltas of these sizes, so far apart."""
    talk = Conversation(rules, latency_s, requests)
    at_s, start = 0.0, 0
    for size, gap_s in zip(itertools.cycle(sizes), itertools.cycle(gaps_s), strict=False):
        if start >= len(text):
            break
        talk.chunker.feed(Wording.plain(text[start : start + size]), talk.now_s)
        start, at_s = start + size, at_s + gap_s
        talk.run(at_s)
    talk.chunker.finish()
    talk.run(float("inf"))
    assert talk.chunker.done
    return talk.chunks


def ends(chunks: list[Chunk]) -> set[int]:
    return set(itertools.accumulate(len(chunk.text) for chunk in chunks))


@settings(max_examples=200)
@example("www.example.com", [1], [0.0], ChunkRules(), 1.0, 12.0)
@example(MARKS_AFTER_A_LONG_WORD, [1], [0.0], ChunkRules(cap_chars=30, lead_s=1.0, refill_s=0.5), 1.0, 12.0)
@given(TEXTS, SIZES, GAPS, RULES, st.floats(0.05, 1.5), st.sampled_from([0.0, 6.0, 12.0, 60.0]))
def test_nothing_is_lost_doubled_or_cut_inside(
    text: str, sizes: list[int], gaps_s: list[float], rules: ChunkRules, latency_s: float, requests: float
) -> None:
    """By clause, deadline, cap and end of the stream alike; a delta may end anywhere, inside a number too."""
    chunks = converse(text, sizes, gaps_s, rules, latency_s, requests)
    assert "".join(chunk.text for chunk in chunks) == text
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
    assert all(chunk.spoken for chunk in chunks[:-1])
    to_last_words = [re.sub(r"\W+$", "", chunk.text) for chunk in chunks]  # marks after it stay with it
    assert all(len(text) <= 2 * rules.cap_chars + max(map(len, WORDS)) for text in to_last_words)
    for whole in WHOLE:
        for match in re.finditer(rf"(?<!\S){re.escape(whole)}(?!\S)", text):
            assert not ends(chunks) & set(range(match.start() + 1, match.end())), (whole, chunks)


@settings(max_examples=200)
@given(TEXTS, SIZES, GAPS, st.floats(0.05, 1.5))
def test_offsets_lead_from_the_spoken_form_to_the_text(
    text: str, sizes: list[int], gaps_s: list[float], latency_s: float
) -> None:
    for chunk in converse(text, sizes, gaps_s, ChunkRules(), latency_s, 60.0):
        assert len(chunk.offsets) == len(chunk.spoken) + 1
        assert list(chunk.offsets) == sorted(chunk.offsets)
        assert chunk.offsets[-1] == len(chunk.text)


@settings(max_examples=200)
@given(st.text(max_size=200), SIZES, GAPS)
def test_any_text_at_all_comes_out_whole(text: str, sizes: list[int], gaps_s: list[float]) -> None:
    chunks = converse(text, sizes, gaps_s, ChunkRules(cap_chars=30), 0.3, 60.0)
    assert "".join(chunk.text for chunk in chunks) == text


def letters(said: str) -> str:
    return "".join(filter(str.isalnum, PAUSE_MARK.sub("", said)))


MARKDOWN = st.lists(
    st.sampled_from(
        [
            *WORDS,
            "**bold**",
            "*it*",
            "`code`",
            "[the page](https://a.b/c_d)",
            "# Title\n",
            "- one\n",
            "1. two\n",
            "| a | b |\n",
            "```\nx = 1.5\n```\n",
            "(sighs)",
            "<b>",
            "2 * 3 * 4",
        ]
    ),
    max_size=30,
).map(" ".join)


@settings(max_examples=150)
@given(MARKDOWN, SIZES, GAPS, RULES)
def test_what_is_spoken_does_not_depend_on_the_deltas(
    text: str, sizes: list[int], gaps_s: list[float], rules: ChunkRules
) -> None:
    """Through the normalizer and the chunker, as a reply goes."""
    whole = SpeechNormalizer()
    expected = whole.feed(text).said + whole.finish().said
    normalizer, talk, start = SpeechNormalizer(), Conversation(rules, 0.3, 60.0), 0
    for size, gap_s in zip(itertools.cycle(sizes), itertools.cycle(gaps_s), strict=False):
        if start >= len(text):
            break
        talk.chunker.feed(normalizer.feed(text[start : start + size]), talk.now_s)
        start += size
        talk.run(talk.now_s + gap_s)
    talk.chunker.feed(normalizer.finish(), talk.now_s)
    talk.chunker.finish()
    talk.run(float("inf"))
    assert "".join(chunk.text for chunk in talk.chunks) == text
    spoken = "".join(chunk.spoken for chunk in talk.chunks)
    assert letters(spoken) == letters(expected)


GRAPHEMES = ["a", "ß", "ก", "e\u0301", "한", "👨‍👩‍👧", "👍🏽", "🇫🇷", "🇩🇪", "1️⃣", "か\u3099"]


@settings(max_examples=100)
@given(st.lists(st.sampled_from(GRAPHEMES), min_size=1, max_size=200), SIZES, GAPS)
def test_a_forced_cut_is_between_graphemes(
    graphemes: list[str], sizes: list[int], gaps_s: list[float]
) -> None:
    """Endless text that offers no place to cut."""
    rules = ChunkRules(cap_chars=20)
    chunks = converse("".join(graphemes), sizes, gaps_s, rules, 0.3, 60.0)
    assert "".join(chunk.text for chunk in chunks) == "".join(graphemes)
    assert ends(chunks) <= set(itertools.accumulate(len(grapheme) for grapheme in graphemes))


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(["I", "help", "you", "garden", "seven"]), min_size=30, max_size=50), SIZES, GAPS
)
def test_text_without_any_mark_is_cut_between_words(
    words: list[str], sizes: list[int], gaps_s: list[float]
) -> None:
    chunks = converse(" ".join(words), sizes, gaps_s, ChunkRules(cap_chars=30), 0.3, 60.0)
    assert [word for chunk in chunks for word in chunk.text.split()] == words
    assert {chunk.boundary for chunk in chunks[:-1]} <= {Boundary.WORD}
