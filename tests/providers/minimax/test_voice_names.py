"""A refused voice: the message says which name was perhaps meant."""

from __future__ import annotations

import pytest

from realtime.errors import ProviderRejected
from realtime.minimax.speech import SpeechClient
from realtime.providers.base import Voice
from realtime.providers.catalog import find
from realtime.providers.minimax.voice_names import VoiceNames, describe
from realtime.sandbox.server import Sandbox
from realtime.settings import Settings

KNOWN = frozenset(
    ["English_Graceful_Lady", "female-shaonv", "Chinese (Mandarin)_News_Anchor", "alloy", "coral"]
)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("aloy", "alloy"),
        ("corral", "coral"),
        ("english_graceful_lady", "English_Graceful_Lady"),
        ("English_Gracefull_Lady", "English_Graceful_Lady"),
        ("English Graceful Lady", "English_Graceful_Lady"),
        ("female_shaonv", "female-shaonv"),
        ("Chinese_News_Anchor", "Chinese (Mandarin)_News_Anchor"),
    ],
)
def test_the_nearest_name_is_suggested(sent, meant):
    assert describe(sent, KNOWN) == f"The voice was {sent!r}: did you mean {meant!r}?"


@pytest.mark.parametrize("sent", ["zzzz", "", "x" * 200, "某某"])
def test_nothing_near_points_to_the_list(sent):
    assert describe(sent, KNOWN).endswith("`realtime voices list` shows the names.")


async def test_the_error_of_a_turn_has_the_suggestion():
    async with Sandbox() as sandbox:
        speech = find("speech", "minimax").create(Settings(api_key="k", base_url=sandbox.url))
        try:
            async with speech.open(Voice("english_graceful_lady", rate=24_000)) as utterance:
                await utterance.say("Hello there.")
                utterance.finish()
                with pytest.raises(ProviderRejected, match="did you mean 'English_Graceful_Lady'") as caught:
                    async for _ in utterance.events():
                        pass
        finally:
            await speech.aclose()
    assert caught.value.code == "invalid_voice"


async def test_the_suggestion_is_a_sentence_of_its_own():
    class Client:
        async def voice_ids(self):
            return KNOWN

    for said in ("voice id not exist", "voice id not exist."):
        error = ProviderRejected(said, code="invalid_voice")
        explained = await VoiceNames(Client()).explain(error, "aloy")
        assert str(explained) == "voice id not exist. The voice was 'aloy': did you mean 'alloy'?"


async def test_all_voices_of_the_account_are_known():
    async with Sandbox() as sandbox:
        client = SpeechClient((sandbox.url,), "k")
        names = await client.voice_ids()
        await client.aclose()
    assert "English_Graceful_Lady" in names
