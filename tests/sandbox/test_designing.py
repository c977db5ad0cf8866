"""`/v1/voice_design`: a description in, a voice that speaks out, and what is refused."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from realtime.sandbox.speech_request import SENSITIVE_WORDS
from realtime.sandbox.voice_samples import read_sample
from tests.sandbox.voice_kit import SENTENCE, Account

CAPTAIN = "an old captain, rough and kind"


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    sets = ("voice.design_ms=0", "http.error_ms=0", "http.connect_ms=0", "speech.first_ms=0")
    async with Sandbox(SandboxOptions.parse("local", sets)) as running:
        yield running


@pytest.fixture
async def account(sandbox: Sandbox) -> AsyncIterator[Account]:
    async with Account.open(sandbox.url) as account:
        yield account


async def design(account: Account, **fields: Any) -> dict[str, Any]:
    body = {"prompt": CAPTAIN, "preview_text": SENTENCE, **fields}
    return await account.post("/v1/voice_design", body)


def code(answer: dict[str, Any]) -> int:
    return int(answer["base_resp"]["status_code"])


async def test_the_answer_is_the_documented_one(account: Account) -> None:
    answer = await design(account)
    assert re.fullmatch(r"ttv-voice-\d{16}-\w{8}", answer["voice_id"])
    heard = read_sample(bytes.fromhex(answer["trial_audio"]))
    assert heard.pitch_hz is not None
    assert heard.pitch_hz < 130
    assert heard.duration_s > 4
    assert set(answer) == {"voice_id", "trial_audio", "base_resp"}


async def test_descriptions_are_heard(account: Account) -> None:
    girl = await design(account, prompt="年轻温柔的女声")
    captain = await design(account)
    high, low = (read_sample(bytes.fromhex(a["trial_audio"])).pitch_hz for a in (girl, captain))
    assert high is not None
    assert low is not None
    assert high > 1.6 * low


async def test_a_designed_voice_is_used_listed_kept_and_deleted(sandbox: Sandbox, account: Account) -> None:
    voice_id = (await design(account))["voice_id"]
    assert await account.voices("voice_generation") == []
    assert await account.speak(voice_id) == 0
    sandbox.forward(hours=169)
    assert await account.voices("voice_generation") == [voice_id]
    listed = await account.post("/v1/get_voice", {"voice_type": "all"})
    assert listed["voice_generation"][0]["description"] == [CAPTAIN]
    gone = await account.post("/v1/delete_voice", {"voice_type": "voice_generation", "voice_id": voice_id})
    assert code(gone) == 0
    assert await account.speak(voice_id) == 2054
    assert code(await design(account, voice_id=voice_id)) == 2039


async def test_an_unused_design_is_gone_after_168_hours(sandbox: Sandbox, account: Account) -> None:
    voice_id = (await design(account))["voice_id"]
    sandbox.forward(hours=168.1)
    assert await account.speak(voice_id) == 2054


async def test_an_id_of_ones_own(account: Account) -> None:
    assert (await design(account, voice_id="old-captain-01"))["voice_id"] == "old-captain-01"
    assert await account.speak("old-captain-01") == 0
    assert code(await design(account, voice_id="old-captain-01")) == 2039
    assert code(await design(account, voice_id="Arnold-")) == 2013


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": " "}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"preview_text": None}, "preview_text"),
        ({"preview_text": "x" * 501}, "preview_text"),
        ({"aigc_watermark": 1}, "aigc_watermark"),
    ],
)
async def test_wrong_fields_are_2013(account: Account, fields: dict[str, Any], named: str) -> None:
    answer = await design(account, **fields)
    assert code(answer) == 2013
    assert named in answer["base_resp"]["status_msg"]


async def test_a_preview_of_500_characters_is_good(account: Account) -> None:
    assert code(await design(account, preview_text=("word " * 100).strip())) == 0


@pytest.mark.parametrize("field", ["prompt", "preview_text"])
async def test_forbidden_words_are_1027(account: Account, field: str) -> None:
    assert code(await design(account, **{field: f"well {SENSITIVE_WORDS[0]}"})) == 1027


async def test_faults(sandbox: Sandbox, account: Account) -> None:
    """A code of choice makes no voice; a lost answer leaves one."""
    sandbox.inject("design.error=1008", times=1)
    assert code(await design(account, voice_id="old-captain-01")) == 1008
    sandbox.inject("design.lost", times=1)
    with pytest.raises(aiohttp.ClientConnectionError):
        await design(account, voice_id="old-captain-01")
    assert await account.speak("old-captain-01") == 0
