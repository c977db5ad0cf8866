"""Speech by the voice of `realtime setup voice`, where there are few recordings: Chinese, and short words."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from bench.microphone import Speech, speech_of
from realtime.core.audio import Resampler
from realtime.providers import voice_weights
from realtime.sandbox import voice_text
from realtime.sandbox.natural.kokoro import Kokoro
from realtime.sandbox.natural.speaker import CHINESE_VOICES, Delivery, NaturalVoice, kokoro_voice
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
def load() -> NaturalVoice:
    """The voice. Raises ConfigError where it is not installed."""
    return NaturalVoice(Kokoro(voice_weights.voice()))


def say(text: str, language: str, variant: str) -> Speech:
    """The text, by a woman's or a man's voice. Raises ConfigError where the voice is not installed."""
    return speech_of(_say(text, language, Delivery(f"bench {variant}", variant)))


def say_in(name: str, text: str, language: str, speed: float) -> Clip:
    """The text, by this voice of the model, which has to be one for its language."""
    return _say(text, language, replace(_delivery_of(name), speed=speed))


@cache
def _delivery_of(name: str) -> Delivery:
    """Of some voice of the platform for which the model uses this one of its own."""
    chinese = any(name in names for names in CHINESE_VOICES.values())
    tried = (Delivery(f"bench {number}", variant) for number in range(1_000) for variant in VOICES)
    return next(one for one in tried if kokoro_voice(one, chinese=chinese) == name)


def _say(text: str, language: str, delivery: Delivery) -> Clip:
    parts = voice_text.plan(text, interjections=False, readings={})
    runs = [part for part in parts if isinstance(part, voice_text.Say)]
    samples, _, rate = load().say(runs, delivery)
    resampler = Resampler(rate, CLIP_RATE)
    made = np.concatenate([resampler.feed(samples), resampler.feed(samples[:0], last=True)]).astype(np.int16)
    return Clip(text, language, text, made, recorded=False)


def chinese() -> list[Speech]:
    """Twelve sentences."""
    return [say(text, "zh", VOICES[number % len(VOICES)]) for number, text in enumerate(CHINESE)]
