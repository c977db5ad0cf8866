"""Subtitles on the sandbox's speech socket: by sentence, by word, streaming."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from tests.sandbox.speech_kit import audio_of, begin, platform, samples, send, until_final

TEXT = "Hello there, friend. 你好，世界！"


async def spoken(kind: str, fault: str = "") -> list[dict[str, Any]]:
    async with platform() as sandbox, sandbox.connect(fault=fault) as ws:
        await begin(ws, subtitle_enable=True, subtitle_type=kind)
        await send(ws, "task_continue", text=TEXT)
        return await until_final(ws)


def subtitles(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    assert "subtitle" not in frames[-1]["data"]
    return [frame["data"]["subtitle"] for frame in frames[:-1] if frame["data"]["subtitle"]]


def check_words(frames: list[dict[str, Any]], entries: list[dict[str, Any]]) -> None:
    pcm = samples(audio_of(frames)).astype(float)
    before_ms = 0.0
    for entry in entries:
        assert TEXT[entry["word_begin"] : entry["word_end"]] == entry["word"]
        assert before_ms <= entry["time_begin"] < entry["time_end"] <= len(pcm) / 24
        word_pcm = pcm[int(entry["time_begin"] * 24) : int(entry["time_end"] * 24)]
        assert np.sqrt(np.mean(word_pcm**2)) > 200, entry
        before_ms = entry["time_end"]


async def test_sentence_subtitles() -> None:
    """One for each sentence, with offsets into the text and no words."""
    found = subtitles(await spoken("sentence"))
    assert [s["text"] for s in found] == ["Hello there, friend.", "你好，世界！"]
    assert [(s["text_begin"], s["text_end"]) for s in found] == [(0, 20), (21, 27)]
    assert [s["timestamped_words"] for s in found] == [None, None]
    assert 0 < found[0]["time_begin"] < found[0]["time_end"] < found[1]["time_begin"] < found[1]["time_end"]


async def test_word_subtitles_match_the_audio() -> None:
    """Each comes with the last frame of its sentence; there is audio at the time of every word."""
    frames = await spoken("word")
    found = subtitles(frames)
    words = [word for s in found for word in s["timestamped_words"]]
    assert [w["word"] for w in words] == ["Hello", "there", "friend", *"你好世界"]
    check_words(frames, words)
    at = next(i for i, frame in enumerate(frames) if frame["data"]["subtitle"])
    assert len(audio_of(frames[: at + 1])) / 48 >= words[2]["time_end"]


async def test_streaming_word_subtitles_grow() -> None:
    """One on every frame, cumulative inside a sentence, only with words whose audio has begun."""
    frames = await spoken("word_streaming")
    found = subtitles(frames)
    assert len(found) == len(frames) - 1
    for index, subtitle in enumerate(found):
        check_words(frames, subtitle["timestamped_words"])
        sent_ms = len(audio_of(frames[: index + 1])) / 48
        assert all(word["time_begin"] < sent_ms for word in subtitle["timestamped_words"])
        assert TEXT[subtitle["text_begin"] : subtitle["text_end"]] == subtitle["text"]
    for older, newer in itertools.pairwise(found):
        if older["text_begin"] == newer["text_begin"]:
            assert newer["timestamped_words"][: len(older["timestamped_words"])] == older["timestamped_words"]
    assert found[-1]["text"] == "你好，世界！"


async def test_split_words_share_a_range() -> None:
    """Two parts of one word: two entries, one range, times one after the other."""
    words = [w for s in subtitles(await spoken("word", "speech.split_words")) for w in s["timestamped_words"]]
    assert [(w["word"], w["word_begin"], w["word_end"]) for w in words[:2]] == [("He", 0, 5), ("llo", 0, 5)]
    assert words[0]["time_end"] == pytest.approx(words[1]["time_begin"], abs=0.01)
