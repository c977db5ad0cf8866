"""Created voices in speech: their own traits on the three speech interfaces."""

from __future__ import annotations

import hashlib
from typing import Any

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
    code,
    platform,
    receive,
    samples,
    send,
    start_event,
    until,
    until_final,
)
from tests.sandbox.voice_kit import SENTENCE, measured

LOW, HIGH = Traits("m3", pitch_for("m3", 90), 40, 1.0), Traits("f3", pitch_for("f3", 230), 40, 1.0)
ACCOUNT = hashlib.sha256(b"any").hexdigest()[:16]  # of the key that the helpers use
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


@pytest.mark.parametrize("path", [ORDINARY, BIDI, HTTP])
async def test_only_the_account_that_created_a_voice_can_use_it(path: str) -> None:
    """2042 for another key, alone and in a mixture; its own key speaks."""
    mine = {"voice_setting": {"voice_id": "MyOwnVoice1"}}
    mixed = {
        "timbre_weights": [{"voice_id": "MyOwnVoice1", "weight": 1}, {"voice_id": "Arnold", "weight": 2}]
    }
    async with platform() as sandbox:
        assert await code_of(sandbox, path, mine) == 2054
        voices.create_voice(sandbox.state, "MyOwnVoice1", "voice_cloning", [], LOW, account=ACCOUNT)
        assert await code_of(sandbox, path, mine) == 0
        assert await code_of(sandbox, path, mine, key="another") == 2042
        assert await code_of(sandbox, path, mixed, key="another") == 2042


async def test_only_the_account_that_created_a_voice_lists_and_deletes_it() -> None:
    """Another key neither sees it nor deletes it."""
    request = {"voice_type": "voice_cloning", "voice_id": "MyOwnVoice1"}
    async with platform() as sandbox:
        voices.create_voice(sandbox.state, "MyOwnVoice1", "voice_cloning", [], LOW, account=ACCOUNT)
        voices.use_voice(sandbox.state, "MyOwnVoice1")
        for key, count, answer in (("another", 0, 2042), ("any", 1, 0)):
            listed = await (await sandbox.post("/v1/get_voice", {"voice_type": "all"}, key=key)).json()
            assert len(listed["voice_cloning"]) == count
            deleted = await (await sandbox.post("/v1/delete_voice", request, key=key)).json()
            assert deleted["base_resp"]["status_code"] == answer


async def code_of(sandbox: Platform, path: str, fields: dict[str, Any], key: str = "any") -> int:
    """The code with which a start or a whole request is answered."""
    event = {**start_event(**fields)}
    if path == HTTP:
        answer = await sandbox.post(HTTP, {**event, "text": "Hi."}, key=key)
        return code(await answer.json())
    async with sandbox.connect(path, key=key) as ws:
        await receive(ws)
        await send(ws, event)
        return code(await receive(ws))
