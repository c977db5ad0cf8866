"""The real natural voice, transcribed back by this project's own transcriber. Skipped where it is not installed."""

import pytest

from realtime.providers import voice_weights, weights
from realtime.providers.whisper.transcriber import LocalTranscriber
from realtime.sandbox import voice_text
from realtime.sandbox.natural.kokoro import Kokoro
from realtime.sandbox.natural.speaker import NaturalVoice
from realtime.sandbox.voice import Style, synthesize_segment
from tests.home import USERS_CACHE
from tests.wer import character_error_rate, word_error_rate

CHINESE = ("今天天气很好，我们去公园散步吧。", "不好意思，我没有听清楚，请再说一遍。")
ENGLISH = "The weather is lovely today, so we will go for a walk in the park."


@pytest.fixture(scope="module")
def natural():
    weights.use_cache(str(USERS_CACHE))
    if not voice_weights.has_voice() or not weights.has_multilingual():
        pytest.skip("needs `realtime setup voice` and the multilingual transcriber")
    yield NaturalVoice(Kokoro(voice_weights.voice()))
    weights.use_cache(None)


async def transcribed(natural: NaturalVoice, text: str, voice_id: str, language: str) -> str:
    (segment,) = voice_text.segments(text)
    speech = synthesize_segment(segment, Style(voice_id, rate=16_000, natural=natural))
    return (await LocalTranscriber().transcribe(speech.pcm, language=language, final=True)).text


async def test_chinese_is_understood(natural):
    lady = "Chinese (Mandarin)_Warm_Girl"
    pairs = [(text, await transcribed(natural, text, lady, "zh")) for text in CHINESE]
    assert character_error_rate(pairs) <= 0.2, pairs


async def test_english_is_understood(natural):
    heard = await transcribed(natural, ENGLISH, "English_Graceful_Lady", "en")
    assert word_error_rate([(ENGLISH, heard)]) <= 0.1, heard
