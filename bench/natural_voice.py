"""Speech by the voice of `realtime setup voice`, where there are few recordings: Chinese, and short words."""

from __future__ import annotations

from functools import cache

import numpy as np

from bench.microphone import Speech, speech_of
from realtime.core.audio import Resampler
from realtime.providers import voice_weights
from realtime.sandbox import voice_text
from realtime.sandbox.natural.kokoro import Kokoro
from realtime.sandbox.natural.speaker import Delivery, NaturalVoice
from tests.clips import RATE as CLIP_RATE
from tests.clips import Clip

VOICES = ("f2", "m3")  # a woman's and a man's, in turn
CHINESE = (  # what people say to an assistant
    "明天上海的天气怎么样？",
    "请给我讲一个关于小狗的故事。",
    "请把客厅的灯打开。",
    "我昨天买的书还没有到。",
    "你叫什么名字？",
    "请用简单的话解释一下人工智能。",
    "我想听周杰伦的歌。",
    "三百五十加二百八十等于多少？",
    "世界上最高的山是什么山？",
    "请告诉我怎么去图书馆。",
    "请把闹钟设到早上六点半。",
    "公司附近哪里可以停车？",
)


@cache
def _voice() -> NaturalVoice:
    return NaturalVoice(Kokoro(voice_weights.voice()))


def say(text: str, language: str, variant: str) -> Speech:
    """The text, by one of its voices. Raises ConfigError where the voice is not installed."""
    parts = voice_text.plan(text, interjections=False, readings={})
    runs = [part for part in parts if isinstance(part, voice_text.Say)]
    samples, _, rate = _voice().say(runs, Delivery(f"bench {variant}", variant))
    resampler = Resampler(rate, CLIP_RATE)
    made = np.concatenate([resampler.feed(samples), resampler.feed(samples[:0], last=True)]).astype(np.int16)
    return speech_of(Clip(text, language, text, made, recorded=False))


def chinese() -> list[Speech]:
    """Twelve sentences."""
    return [say(text, "zh", VOICES[number % len(VOICES)]) for number, text in enumerate(CHINESE)]
