"""Created voices in speech: their own traits on the three speech interfaces."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.sandbox import voices
from realtime.sandbox.voice_traits import Traits, pitch_for
from tests.sandbox.speech_kit import (
    BIDI,
    HTTP,
    ORDINARY,
    Platform,
    audio_of,
    begin,
    platform,
    samples,
    send,
    start_event,
    until,
    until_final,
)
from tests.sandbox.voice_kit import SENTENCE, measured

LOW, HIGH = Traits("m3", pitch_for("m3", 90), 40, 1.0), Traits("f3", pitch_for("f3", 230), 40, 1.0)
SETTINGS = {"audio_setting": {"format": "pcm", "sample_rate": 16000}}


async def spoken(sandbox: Platform, path: str, voice_id: str) -> np.ndarray:
    """What a voice says on one of the three interfaces, at 16 kHz."""
    fields = {**SETTINGS, "voice_setting": {"voice_id": voice_id}}
    if path == HTTP:
        body = start_event(**fields, text=SENTENCE)
        del body["event"]
        return samples(audio_of([await (await sandbox.post(HTTP, body)).json()]))
    async with sandbox.connect(path) as ws:
        await begin(ws, **fields)
        await send(ws, "task_continue", text=SENTENCE)
        if path == BIDI:
            await send(ws, "task_finish")
            return samples(audio_of(await until(ws, "task_finished")))
        return samples(audio_of(await until_final(ws)))


@pytest.mark.parametrize("path", [ORDINARY, BIDI, HTTP])
async def test_a_created_voice_speaks_with_its_own_traits(path: str) -> None:
    """The traits decide and not the id: names that sound male and female are high and low here."""
    async with platform() as sandbox:
        voices.create_voice(sandbox.state, "High-Man", "voice_cloning", [], HIGH)
        voices.create_voice(sandbox.state, "Low-Lady", "voice_generation", [], LOW)
        high, low = [measured(await spoken(sandbox, path, name)) for name in ("High-Man", "Low-Lady")]
    assert high.pitch_hz == pytest.approx(230, rel=0.15)
    assert low.pitch_hz == pytest.approx(90, rel=0.15)
