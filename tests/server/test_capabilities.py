"""GET /v1/capabilities: what everybody sees, what a key shows, and a platform that is away."""

import asyncio
import functools
import time

import aiohttp
import msgspec
import pytest

from realtime.errors import ProviderRejected, ProviderUnavailable
from realtime.protocol.capabilities import Capabilities
from realtime.providers import FakeChat, FakeSpeech
from realtime.providers.base import KnownVoice
from realtime.server import offered_voices
from realtime.server.offered_voices import OfferedVoices
from realtime.server.run import running
from realtime.server.state import OFFERS
from realtime.settings import Settings
from realtime.tools import tool
from tests import virtual_time
from tests.protocol.wire_examples import CAPABILITIES
from tests.server.harness import open_harness

PATH = "/v1/capabilities"
KEY = "sk-capable-1"
BEARER = {"Authorization": f"Bearer {KEY}"}
PUBLIC = {"object", "key_required", "transcription", "extensions", "turn_detection"}
QUIET = {"transcriber": None, "vad": None, "end_of_turn": None}


async def get(url: str, headers: dict[str, str] | None = None, path: str = PATH, method: str = "GET"):
    """Status, headers, and the JSON of an answer; None without one."""
    async with aiohttp.ClientSession(url) as http, http.request(method, path, headers=headers) as answer:
        body = await answer.read()
        return answer.status, answer.headers, await answer.json() if body else None


@tool
async def weather(city: str) -> str:
    """The weather."""
    return city


def test_the_example_of_the_page_is_one():
    (example,) = CAPABILITIES
    assert set(example) <= set(Capabilities.__struct_fields__)
    msgspec.convert(example, Capabilities)


async def test_what_a_server_offers():
    async with open_harness(session_minutes=2.0, voice_id="English_Graceful_Lady") as harness:
        status, headers, offered = await get(harness.server.url)
    assert status == 200
    assert headers["Content-Type"] == "application/json"
    assert offered["object"] == "realtime.capabilities"
    assert offered["default_voice"] == "English_Graceful_Lady"
    assert offered["key_required"] is False
    assert offered["limits"]["session_s"] == 120
    assert offered["limits"]["text_characters"] == 200_000
    assert "sessions_per_key" not in offered["limits"]
    assert {"en", "zh", "yue"} <= set(offered["languages"])
    assert offered["turn_detection"] == ["server_vad", "semantic_vad"]
    assert set(offered["extensions"]) == {"playback", "words", "latency", "resume"}
    assert len(offered["models"]) == 1
    named = {voice["id"]: voice for voice in offered["voices"]}
    assert named["English_Graceful_Lady"]["languages"] == ["en"]
    assert named["English_Graceful_Lady"]["gender"] == "female"
    assert {voice["kind"] for voice in offered["voices"]} <= {"system", "cloned", "designed"}


async def test_tools_and_a_sandbox_are_told():
    own = {**QUIET, "chat": FakeChat([]), "speech": FakeSpeech()}
    async with running(Settings(port=0), providers=own, tools=[weather]) as server:
        _, _, offered = await get(server.url)
    assert offered["tools"] == ["weather"]
    assert offered["sandbox"] is False
    assert offered["transcription"] is False
    assert offered["voices"] == []  # this provider has no list
    assert offered["languages"] == []


async def test_a_part_adds_fields_of_its_own():
    async with open_harness() as harness:
        harness.server.app[OFFERS].append(lambda app, caller: {"narration": caller.name})
        _, _, offered = await get(harness.server.url)
    assert offered["narration"] == "open"
    assert offered["object"] == "realtime.capabilities"


async def test_with_keys_a_stranger_learns_only_what_everybody_may_know():
    async with open_harness(api_keys=(KEY,)) as harness:
        url = harness.server.url
        status, _, public = await get(url)
        assert status == 200
        assert set(public) == PUBLIC
        assert public["key_required"] is True
        _, _, minted = await get(url, BEARER, "/v1/realtime/client_secrets", "POST")
        secret = minted["value"]
        for credential in (KEY, secret):
            status, headers, offered = await get(url, {"Authorization": f"Bearer {credential}"})
            assert status == 200
            assert set(offered) > PUBLIC
            assert KEY not in str(offered)
            assert headers["Cache-Control"] == "private, no-cache"
            assert "Authorization" in headers["Vary"]


@pytest.mark.parametrize("credential", ["wrong", "ek_wrong", f"{KEY}x"])
async def test_a_wrong_credential_is_refused(credential):
    async with open_harness(api_keys=(KEY,)) as harness:
        status, _, body = await get(harness.server.url, {"Authorization": f"Bearer {credential}"})
    assert (status, body["error"]["code"]) == (401, "invalid_api_key")


async def test_an_unchanged_answer_is_not_sent_again():
    async with open_harness() as harness:
        url = harness.server.url
        _, headers, _ = await get(url)
        status, again, body = await get(url, {"If-None-Match": f'"old", {headers["ETag"]}'})
        assert (status, body, again["ETag"]) == (304, None, headers["ETag"])
        assert "Authorization" in again["Vary"]
        assert (await get(url, {"If-None-Match": '"old"'}))[0] == 200


async def test_head_and_other_methods():
    async with open_harness() as harness:
        status, headers, body = await get(harness.server.url, method="HEAD")
        assert (status, body) == (200, None)
        assert "ETag" in headers
        for method in ("POST", "PUT", "DELETE"):
            status, headers, body = await get(harness.server.url, method=method)
            assert (status, body["error"]["code"]) == (405, "method_not_allowed")


async def test_a_foreign_host_learns_nothing():
    async with open_harness() as harness:
        status, _, body = await get(harness.server.url, {"Host": "evil.example"})
    assert (status, body["error"]["code"]) == (403, "host_not_allowed")


def virtually(test):
    """The test in virtual time."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        virtual_time.run(test(*args, **kwargs))

    return run


class Listing(FakeSpeech):
    """A provider with a list; `answers` are lists, errors to raise, and None for one that never answers."""

    languages = ("en",)

    def __init__(self, *answers) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked = 0

    async def voices(self):
        self.asked += 1
        answer = self.answers.pop(0)
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        return answer


ADA, BEN = KnownVoice("ada", "Ada", language="en", gender="female"), KnownVoice("ben", kind="cloned")


@virtually
async def test_a_list_is_kept_and_asked_for_once_by_all():
    speech, voices = Listing([ADA, BEN], [BEN]), OfferedVoices()
    lists = await asyncio.gather(*(voices.get(speech) for _ in range(20)))
    assert {tuple(voice.id for voice in each) for each in lists} == {("ada", "ben")}
    assert lists[0][1].name == "ben"
    assert speech.asked == 1
    await asyncio.sleep(offered_voices.FRESH_S)
    assert [voice.id for voice in await voices.get(speech)] == ["ben"]
    await voices.aclose()


@pytest.mark.parametrize("trouble", [None, ProviderUnavailable("away"), ValueError("a bug")])
@virtually
async def test_a_platform_that_is_away_costs_less_than_a_second(trouble, caplog):
    """The last list is given, or none; the next try is later."""
    speech, voices = Listing([ADA], trouble, [BEN]), OfferedVoices()
    loop = asyncio.get_running_loop()
    await voices.get(speech)
    await asyncio.sleep(offered_voices.FRESH_S)
    began_s = loop.time()
    assert [voice.id for voice in await voices.get(speech)] == ["ada"]
    assert loop.time() - began_s < 1
    await asyncio.sleep(offered_voices.ASK_TIMEOUT_S)
    await voices.get(speech)
    assert speech.asked == 2
    assert "list of voices" in caplog.text
    await asyncio.sleep(offered_voices.RETRY_S)
    assert [voice.id for voice in await voices.get(speech)] == ["ben"]
    await voices.aclose()


@virtually
async def test_a_key_that_is_refused_for_hours_is_told_once(caplog):
    """Never in the platform's words, which may quote it; it is news again after an answer, or for another reason."""
    refused = [ProviderRejected("No such key: sk-mine", code="invalid_api_key") for _ in range(9)]
    speech = Listing(*refused, ProviderUnavailable("away"), [ADA], *refused)
    voices = OfferedVoices("one")
    for _ in range(11):
        await voices.get(speech)
        await asyncio.sleep(offered_voices.RETRY_S)
    await asyncio.sleep(offered_voices.FRESH_S)
    await voices.get(speech)
    told = [record.facts for record in caplog.records if "list of voices" in record.message]
    assert [facts["code"] for facts in told] == ["invalid_api_key", "upstream_unavailable", "invalid_api_key"]
    assert all(facts["account"] == "one" for facts in told)
    assert "sk-mine" not in caplog.text
    await voices.aclose()


async def test_a_huge_list_is_bounded_and_odd_names_are_left_out():
    many = [KnownVoice(f"voice-{number}", "n" * 9_999) for number in range(9_999)]
    voices = OfferedVoices()
    found = await voices.get(Listing([KnownVoice(""), KnownVoice("x" * 257), *many, *many]))
    assert len(found) == offered_voices.MAX_VOICES
    assert all(0 < len(voice.id) <= 256 and len(voice.name) <= 256 for voice in found)
    assert len({voice.id for voice in found}) == len(found)


async def test_a_server_ends_while_the_list_is_asked_for():
    own = {**QUIET, "chat": FakeChat([]), "speech": Listing(None)}
    async with running(Settings(port=0), providers=own) as server:
        began_s = time.monotonic()
        _, _, offered = await get(server.url)
        assert offered["voices"] == []
    assert time.monotonic() - began_s < offered_voices.ASK_TIMEOUT_S  # the end does not wait for it
