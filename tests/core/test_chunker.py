"""Chunks leave by the listener's clock; nothing is lost, doubled or cut inside what belongs together."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable

import pytest

from bench import replies
from bench.chunking import Scenario, run, run_load
from bench.simulated import BEHIND, FAR, LAME, LOCAL, MAINLAND, Budget, SpeechProfile, Turn, Voice, simulate
from bench.traces import BURSTS, CRAWL, FAST, SLOW, STEADY, TOKEN_20MS, Stream, Trace
from realtime.core.chunker import Boundary, Chunk, Chunker, ChunkRules
from realtime.core.clauses import measure
from realtime.core.playback_clock import Latency
from realtime.core.wording import Wording

SHORT = replies.ENGLISH + replies.CHINESE + replies.MIXED


def first_chunk(deltas: Iterable[str]) -> Chunk | None:
    """The first chunk of text that comes delta by delta, 20 ms apart."""
    chunker = Chunker()
    for number, delta in enumerate(deltas):
        chunker.feed(Wording.plain(delta), number / 50)
        if chunks := chunker.poll(number / 50):
            return chunks[0]
    return None


def speak(chunker: Chunker, chunk: Chunk, now_s: float, ms_per_char: float = 65.0) -> float:
    """All audio of `chunk` at once; returns its milliseconds."""
    audio_ms = ms_per_char * len(chunk.spoken)
    chunker.audio(chunk.index, audio_ms, True, now_s)
    return audio_ms


def drain(chunker: Chunker, now_s: float) -> list[Chunk]:
    """Every chunk to the end, spoken by a voice that needs no time, polled only when the chunker asks."""
    chunks: list[Chunk] = []
    while True:
        for chunk in chunker.poll(now_s):
            chunks.append(chunk)
            if chunk.spoken:
                speak(chunker, chunk, now_s)
        deadline = chunker.deadline()
        if deadline is None:
            return chunks
        assert deadline > now_s
        now_s = deadline


@pytest.mark.parametrize(
    ("deltas", "text"),
    [
        (["Sure", "!"], "Sure!"),
        (["No", ",", " I", " think", ",", " so"], "No, I think,"),
        (["Of", " course", "."], "Of course."),
        (["It", " is", " 3", ".", "14", ",", " or"], "It is 3.14, "),
        (["好的", "，"], "好的，"),
        (["今天", "天气", "很好", "，"], "今天天气很好，"),
        (["One", "\n", "Two"], "One\n"),
    ],
)
def test_the_first_chunk_is_the_first_clause(deltas: list[str], text: str) -> None:
    chunk = first_chunk(deltas)
    assert chunk is not None
    assert chunk.text == text


@pytest.mark.parametrize("opener", ["Well,", "Honestly,", "In short,"])
def test_a_lone_opener_before_a_comma_leaves_alone(opener: str) -> None:
    chunk = first_chunk([opener[:-1], ",", " I"])
    assert chunk is not None
    assert chunk.text == opener


@pytest.mark.parametrize("opener", ["No,", "So,", "嗯，"])
def test_an_opener_too_short_to_last_waits_for_the_clause(opener: str) -> None:
    assert first_chunk([opener[:-1], opener[-1], " I"]) is None


def test_an_opener_before_a_comma_waits_when_requests_run_short() -> None:
    chunker = Chunker()
    chunker.budget(12)
    chunker.feed(Wording.plain("Well, I"), 0.0)
    assert chunker.poll(0.0) == []
    chunker.feed(Wording.plain(" think,"), 0.1)
    assert [chunk.text for chunk in chunker.poll(0.1)] == ["Well, I think,"]


def test_without_a_clause_the_first_chunk_has_at_most_eight_words() -> None:
    words = re.findall(r" ?\S+", "Light takes about eight minutes and twenty seconds to travel from there")
    chunk = first_chunk(words)
    assert chunk is not None
    assert chunk.text == "Light takes about eight minutes and twenty "
    assert chunk.boundary is Boundary.WORD


def test_without_a_clause_the_first_chunk_has_at_most_sixteen_han_characters() -> None:
    chunk = first_chunk("光从太阳到地球大约需要走八分二十秒左右的时间")
    assert chunk is not None
    assert 8 <= len(chunk.text) <= 16


def test_a_first_chunk_does_not_end_with_a_word_that_leans_on_the_next() -> None:
    chunk = first_chunk(re.findall(r" ?\S+", "Our little shop sells bread from the old town bakery"))
    assert chunk is not None
    assert chunk.text == "Our little shop sells bread "


def test_a_burst_leaves_as_one_chunk_up_to_its_best_end() -> None:
    chunker = Chunker()
    chunker.feed(Wording.plain("Sure! I can help you with that today. Tell me, what is the"), 0.0)
    assert [chunk.text for chunk in chunker.poll(0.0)] == ["Sure! I can help you with that today. "]


def test_a_short_finished_reply_is_one_request() -> None:
    chunker = Chunker()
    chunker.feed(Wording.plain("Sure! I can help you with that. What time is it for?"), 0.0)
    chunker.finish()
    assert [chunk.boundary for chunk in chunker.poll(0.0)] == [Boundary.END]
    assert chunker.done


def test_a_later_chunk_waits_for_the_deadline_and_takes_the_best_end() -> None:
    """Nothing leaves while the listener has enough; then a sentence rather than the clause after it."""
    chunker = Chunker()
    chunker.latency(Latency(0.3))
    chunker.feed(Wording.plain("I can help you with that one, "), 0.0)
    (first,) = chunker.poll(0.0)
    dry_s = 0.3 + speak(chunker, first, 0.3) / 1000
    chunker.feed(Wording.plain("it is quite easy to do. Now first of all, please"), 0.4)
    assert chunker.poll(0.4) == []
    deadline = chunker.deadline()
    assert deadline is not None
    assert dry_s - 0.8 < deadline < dry_s - 0.3
    assert chunker.poll(deadline - 0.001) == []
    assert [chunk.text for chunk in chunker.poll(deadline)] == ["it is quite easy to do. "]


def test_a_slower_voice_gets_its_text_earlier() -> None:
    deadlines = []
    for latency_s in (0.1, 0.5):
        chunker = Chunker()
        chunker.latency(Latency(latency_s, latency_s / 4))
        chunker.feed(Wording.plain("I can help you with that one, "), 0.0)
        (first,) = chunker.poll(0.0)
        speak(chunker, first, 0.5)
        chunker.feed(Wording.plain("it is quite easy to do. Now first"), 0.5)
        assert chunker.poll(0.5) == []
        deadlines.append(chunker.deadline())
    assert deadlines[0] > deadlines[1]


def test_an_opener_that_does_not_last_is_followed_by_deadline() -> None:
    """No punctuation is waited for when the listener would run dry."""
    chunker = Chunker()
    chunker.latency(Latency(0.3))
    chunker.feed(Wording.plain("Sure!"), 0.0)
    assert len(chunker.poll(0.0)) == 1
    chunker.feed(Wording.plain(" The quickest way there leads right through the old"), 0.1)
    second = drain(chunker, 0.1)[0]
    assert second.boundary is Boundary.WORD
    assert second.text.startswith(" The quickest way ")


def test_nothing_is_synthesised_further_ahead_than_the_lead() -> None:
    rules = ChunkRules()
    chunker = Chunker(rules)
    chunker.feed(Wording.plain(replies.LONG[0]), 0.0)
    chunker.finish()
    now_s = heard_until_s = 0.0
    while not chunker.done:
        for chunk in chunker.poll(now_s):
            heard_until_s = max(heard_until_s, now_s) + speak(chunker, chunk, now_s) / 1000
            assert heard_until_s - now_s <= rules.lead_s * rules.stretch * 1.1
        deadline = chunker.deadline()
        now_s = now_s if deadline is None else deadline


@pytest.mark.parametrize("letters", ["a", "e\u0301", "ก", "7"])
def test_endless_text_without_a_place_to_cut_still_leaves(letters: str) -> None:
    chunker = Chunker()
    text = letters * 2000
    chunker.feed(Wording.plain(text), 0.0)
    early = chunker.poll(0.0)
    assert early
    chunker.finish()
    chunks = early + drain(chunker, 0.1)
    assert chunker.done
    assert "".join(chunk.text for chunk in chunks) == text
    assert all(chunk.text.startswith(letters) for chunk in chunks)
    assert max(len(chunk.text) for chunk in chunks) <= 2 * ChunkRules().cap_chars


def test_a_reply_without_a_sound_is_one_silent_chunk() -> None:
    chunker = Chunker()
    chunker.feed(Wording.plain("😀 !"), 0.0)
    assert chunker.poll(0.0) == []
    chunker.finish()
    (chunk,) = chunker.poll(0.0)
    assert (chunk.text, chunk.spoken) == ("😀 !", "")
    assert chunker.done


@pytest.mark.parametrize("symbols", ["🟩 🟨 ⬛\n", "→ ", ". . ", "😀"])
def test_a_picture_of_symbols_leaves_in_silence_as_it_comes(symbols: str) -> None:
    """What follows it is said at once, and however long it is, only its end is looked at again."""
    chunker, text, chunks = Chunker(), symbols * 600, []
    for start in range(0, len(text), 4):
        chunker.feed(Wording.plain(text[start : start + 4]), 0.0)
        chunks += chunker.poll(0.0)
        assert start + 4 - sum(len(chunk.text) for chunk in chunks) <= ChunkRules().silent_chars
    assert {chunk.spoken for chunk in chunks} == {""}
    chunker.feed(Wording.plain(" $5 is what it costs, my friend. "), 0.0)
    spoken = [chunk.spoken for chunk in chunker.poll(0.0) if chunk.spoken]
    assert spoken
    assert "$5 is what it costs," in spoken[0]


@pytest.mark.parametrize(
    "wordings", [[Wording.plain("→ " * 40)], [Wording.plain("→ " * 400)], [Wording("x = 1", "", ())]]
)
def test_a_reply_in_which_nothing_is_said_gets_its_stand_in(wordings: list[Wording]) -> None:
    chunker = Chunker()
    chunks = []
    for wording in wordings:
        chunker.feed(wording, 0.0)
        chunks += chunker.poll(0.0)
    chunker.finish("It is on your screen.")
    chunks += chunker.poll(0.0)
    assert [chunk.spoken for chunk in chunks if chunk.spoken] == ["It is on your screen."]
    assert chunker.done


def test_a_sign_at_the_end_of_symbols_stays_with_its_number() -> None:
    chunker = Chunker()
    chunker.feed(Wording.plain("= " * 120 + "$"), 0.0)
    (silent,) = chunker.poll(0.0)
    assert silent.text == "= " * 120
    chunker.feed(Wording.plain("5 is enough, my friend. "), 0.0)
    assert chunker.poll(0.0)[0].spoken.startswith("$5")


def test_an_emoji_at_the_end_stays_with_the_last_words() -> None:
    chunker = Chunker()
    chunker.feed(Wording.plain("Have a good evening! 😀"), 0.0)
    chunker.finish()
    (chunk,) = chunker.poll(0.0)
    assert (chunk.text, chunk.spoken) == ("Have a good evening! 😀", "Have a good evening!")


def test_a_chunk_carries_its_spoken_form_and_offsets() -> None:
    chunk = first_chunk(["Great 😀 stuff, my friend! "])
    assert chunk is not None
    assert chunk.spoken == "Great stuff, my friend!"
    assert chunk.text[chunk.offsets[6] :].startswith("stuff")


def test_when_requests_run_short_the_first_chunk_waits_for_more_text() -> None:
    chunker = Chunker()
    chunker.budget(0)
    chunker.feed(Wording.plain("Sure! I can"), 0.0)
    assert chunker.poll(0.0) == []
    deadline = chunker.deadline()
    assert deadline is not None
    assert deadline == pytest.approx(ChunkRules().hold_s)
    chunker.feed(Wording.plain(" help you."), 0.1)
    chunker.finish()
    assert [chunk.text for chunk in chunker.poll(0.2)] == ["Sure! I can help you."]


def test_the_speaking_rate_of_the_voice_is_learned_for_each_script_apart() -> None:
    chunker = Chunker()
    before = chunker.speaking_rate.ms_per_narrow, chunker.speaking_rate.ms_per_wide
    chunker.feed(Wording.plain("我可以帮你做这件事情。"), 0.0)
    (chunk,) = chunker.poll(0.0)
    chunker.audio(chunk.index, 2 * chunker.speaking_rate.expected_ms(measure(chunk.spoken)), True, 0.5)
    assert chunker.speaking_rate.ms_per_wide > 1.3 * before[1]
    assert chunker.speaking_rate.ms_per_narrow < 1.1 * before[0]


def test_audio_of_a_chunk_that_never_left_is_an_error() -> None:
    with pytest.raises(IndexError):
        Chunker().audio(0, 100.0, False, 0.0)


@pytest.mark.parametrize("stream", [TOKEN_20MS, STEADY, FAST], ids=lambda stream: stream.name)
def test_short_turns_cost_two_requests(stream: Stream) -> None:
    """docs/architecture.md 4, row 3: at 50 tokens a second and more."""
    assert run(Scenario("", SHORT, stream, MAINLAND), 72, seed=3).requests_mean <= 2.05


def test_short_turns_on_bursty_streams_cost_one_and_a_half_requests() -> None:
    """docs/architecture.md 4, row 3."""
    assert run(Scenario("", SHORT, BURSTS, MAINLAND), 72, seed=3).requests_mean <= 1.5


def test_forty_turns_a_minute_fit_sixty_requests_a_minute() -> None:
    """docs/architecture.md 4, row 3: the first sound yields before the account is exhausted."""
    row = run_load(120, 3, TOKEN_20MS, turns_per_minute=40, per_minute=60)
    assert row.requests_mean <= 1.5
    assert row.waited_mean_s < 1


def test_the_first_text_leaves_with_the_first_clause() -> None:
    """docs/architecture.md 4, rows 1 to 3: nothing over the clause floor, but for an end that a digit makes ambiguous."""
    english = run(Scenario("", replies.ENGLISH, TOKEN_20MS, MAINLAND), 80, seed=3)
    chinese = run(Scenario("", replies.CHINESE, TOKEN_20MS, MAINLAND), 48, seed=3)
    assert english.over_floor_p50 == chinese.over_floor_p50 == chinese.over_floor_p95 == 0
    assert english.over_floor_p95 <= 20.1
    assert english.first_text_p50 <= 60.1
    assert english.first_text_p90 <= 180.1
    assert chinese.first_text_p50 <= 110
    assert chinese.first_text_p90 <= 180.1
    assert (english.requests_mean + chinese.requests_mean) / 2 <= 2.0


@pytest.mark.parametrize("stream", [TOKEN_20MS, STEADY, BURSTS], ids=lambda stream: stream.name)
@pytest.mark.parametrize("speech", [LOCAL, MAINLAND, LAME], ids=lambda speech: speech.name)
def test_the_listener_does_not_run_dry_while_the_upstream_keeps_up(
    stream: Stream, speech: SpeechProfile
) -> None:
    """docs/architecture.md 4, row 4, with voices whose latency has a tail."""
    assert run(Scenario("", (*SHORT, *replies.LONG), stream, speech), 75, seed=3).stutter_turns == 0


def test_a_distant_voice_seldom_comes_too_late() -> None:
    """Its latency is twice as long at times: no opener lasts until then, whatever follows it and when."""
    row = run(Scenario("", (*SHORT, *replies.LONG), TOKEN_20MS, FAR), 300, seed=3)
    assert row.stutter_turns <= 0.02 * row.turns
    assert row.stutter_mean < 1


@pytest.mark.parametrize("speech", [LOCAL, MAINLAND], ids=lambda speech: speech.name)
def test_the_listener_hardly_runs_dry_at_twelve_tokens_a_second(speech: SpeechProfile) -> None:
    assert run(Scenario("", (*SHORT, *replies.LONG), SLOW, speech), 150, seed=3).stutter_mean < 2  # ms


def test_on_a_slow_day_pauses_fall_between_phrases() -> None:
    """Five tokens a second: whatever pause the voice does not cause itself follows a clause or a sentence."""
    rng = random.Random(3)
    pauses: list[Boundary | None] = []
    for text in SHORT:
        turn = Turn(CRAWL.trace(text, rng), MAINLAND, Voice.drawn(rng), rng)
        while not turn.over:
            turn.advance(turn.next_s())
        pauses += turn.pauses_after
        assert "".join(chunk.text for chunk in turn.chunks) == text
    assert sum(pause is not None and pause >= Boundary.CLAUSE for pause in pauses) >= 0.9 * len(pauses)


def test_a_voice_slower_than_speech_pauses_between_phrases() -> None:
    """0.8 times real time: the pauses are its own, and once it is known they fall where a speaker may pause."""
    rng = random.Random(3)
    voice = Voice.drawn(rng)
    first, *later = (
        simulate(STEADY.trace(text, rng), BEHIND, rng, voice).pauses for text in replies.LONG * 2
    )
    assert "inside" in first, "nobody could know"
    pauses = [pause for turn in later for pause in turn]
    assert len(pauses) > 20
    assert set(pauses) <= {"clause", "sentence", "paragraph"}


def test_a_simulated_turn_says_its_text_once() -> None:
    rng = random.Random(3)
    trace = Trace(((0.0, "Sure! "), (0.3, "That is *it*."), (0.4, " Bye.")), 0.5)
    result = simulate(trace, FAR, rng, budget=Budget(60))
    assert result.text == "Sure! That is *it*. Bye."
