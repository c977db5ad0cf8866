"""Transcription of one recording against the sandbox."""

from __future__ import annotations

import pytest

from realtime.errors import ProviderRejected
from realtime.minimax import MiniMax
from realtime.sandbox.server import Sandbox


@pytest.mark.operation("transcribe")
async def test_what_the_sandbox_says_is_transcribed():
    pytest.importorskip("faster_whisper")
    async with Sandbox() as sandbox, MiniMax("key", sandbox.url) as mm:
        said = await mm.speech.synthesize(
            "What is the weather like in London today?", format="pcm", rate=16_000
        )
        heard = await mm.transcribe(said.audio, rate=16_000, language="en")
        assert "weather" in heard.text.lower()
        assert heard.duration_s == pytest.approx(len(said.audio) / 2 / 16_000, abs=0.1)


@pytest.mark.operation("transcribe")
async def test_a_recording_that_is_too_long_is_refused_before_it_is_sent():
    async with Sandbox() as sandbox, MiniMax("key", sandbox.url) as mm:
        with pytest.raises(ProviderRejected, match="500 s"):
            await mm.transcribe(bytes(501 * 8_000 * 2), rate=8_000)
        assert not sandbox.state.requests
