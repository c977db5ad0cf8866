"""GET /v1/voice_samples/{voice_id}: what is made, what is kept, what is refused, and what it may cost."""

import asyncio
import io
import wave
from contextlib import asynccontextmanager
from urllib.parse import quote

import aiohttp
import pytest

from realtime.contained import Escaped
from realtime.core.sample_sentences import SENTENCES, base_language
from realtime.core.stand_in import PHRASES
from realtime.errors import ProviderRejected, ProviderTimeout, ProviderUnavailable
from realtime.minimax.speech_config import LANGUAGE_BOOSTS
from realtime.providers import FakeChat, FakeSpeech, Voice
from realtime.providers.base import KnownVoice
from realtime.server import voice_samples
from realtime.server.callers import RetryLater
from realtime.server.offered_voices import OfferedVoices
from realtime.server.run import running
from realtime.server.voice_samples import VoiceSamples
from realtime.settings import Settings
from tests import virtual_time
from tests.server.harness import open_harness

KEY = "sk-sample-1"
QUIET = {"transcriber": None, "vad": None, "end_of_turn": None}
LISTED = ("ada", "Santa_Claus ", "主持人（F)", "with/slash", "..")


class Listing(FakeSpeech):
    """With a list of voices."""

    languages = ("en", "zh")

    def __init__(self, listed=LISTED, **more) -> None:
        super().__init__(first_s=0.0, factor=1000, **more)
        self.listed = listed
        self.asked: list[Voice] = []

    async def voices(self):
        return [KnownVoice(name, language="zh" if name == "ada" else None) for name in self.listed]

    def open(self, voice):
        self.asked.append(voice)
        return super().open(voice)


def server_with(speech, **settings):
    own = {**QUIET, "chat": FakeChat([]), "speech": speech}
    return running(Settings(port=0, voice_id="own", **settings), providers=own)


async def sample(url: str, voice: str, method: str = "GET", **headers: str):
    """Status, headers, body."""
    async with aiohttp.ClientSession() as http:
        path = f"{url}/v1/voice_samples/{voice}"
        async with http.request(method, aiohttp.client.URL(path, encoded=True), headers=headers) as answer:
            return answer.status, answer.headers, await answer.read()


def test_each_language_has_a_sentence():
    assert set(SENTENCES) == {"no" if code == "nb" else code for code in LANGUAGE_BOOSTS}
    assert set(PHRASES) <= set(SENTENCES)
    assert len(set(SENTENCES.values())) == len(SENTENCES)


@pytest.mark.parametrize(
    ("code", "base"),
    [
        ("en", "en"),
        ("en-US", "en"),
        ("ZH_hk", "yue"),
        ("zh-CN", "zh"),
        ("nb-NO", "no"),
        ("xx", ""),
        ("../en", ""),
    ],
)
def test_codes(code, base):
    assert base_language(code) == base


async def test_a_sample_of_the_sandbox_is_speech():
    async with open_harness() as harness:
        status, headers, body = await sample(harness.server.url, "English_Graceful_Lady?language=en")
        assert (status, headers["Content-Type"]) == (200, "audio/wav")
        with wave.open(io.BytesIO(body)) as sound:
            assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (24_000, 1, 2)
            assert 0.5 < sound.getnframes() / 24_000 < 20
        again = await sample(harness.server.url, "alloy?language=en-GB")  # a name for the configured voice
        assert again[2] == body


async def test_a_voice_says_its_own_language_or_the_asked_one_and_is_asked_once():
    speech = Listing()
    async with server_with(speech) as server:
        answers = await asyncio.gather(*(sample(server.url, "ada") for _ in range(9)))
        assert {answer[0] for answer in answers} == {200}
        assert len({answer[2] for answer in answers}) == 1
        assert speech.said == [SENTENCES["zh"]]
        assert (await sample(server.url, "ada?language=fr"))[0] == 200
        assert (await sample(server.url, "own"))[0] == 200
        assert speech.said[1:] == [SENTENCES["fr"], SENTENCES["en"]]
        assert [voice.voice_id for voice in speech.asked] == ["ada", "ada", "own"]


async def test_a_voice_that_says_nothing_is_no_sample_and_is_asked_again():
    class Mute(Listing):
        @asynccontextmanager
        async def open(self, voice):
            async with super().open(voice) as utterance:
                if self.said or len(self.asked) > 1:
                    yield utterance
                else:
                    utterance.finish()
                    yield Silent(utterance)

    class Silent:
        def __init__(self, utterance):
            self.events, self.finish = utterance.events, utterance.finish

        async def say(self, text):
            return 0

    async with server_with(Mute()) as server:
        status, headers, body = await sample(server.url, "ada")
        assert (status, "max-age=86400" in headers.get("Cache-Control", "")) == (502, False)
        assert b"upstream_unavailable" in body
        assert (await sample(server.url, "ada"))[0] == 200


@pytest.mark.parametrize("name", LISTED[1:])
async def test_names_with_blanks_marks_and_slashes(name):
    speech = Listing()
    async with server_with(speech) as server:
        status, _, _ = await sample(server.url, quote(name, safe="").replace("..", "%2E%2E"))
        assert status == 200
        assert [voice.voice_id for voice in speech.asked] == [name]


@pytest.mark.parametrize(
    "name",
    ["nobody", "..%2f..%2fetc%2fpasswd", "%00", "%ff%fe", "ada%0d%0aX-Evil:1", "x" * 5_000, "", "ada/", "%2e%2e/ada",
     "ada%00", " ada", "ADA", "ek_ada"],
)  # fmt: skip
async def test_a_name_that_is_in_no_list_costs_nothing(name):
    """The first use of a new voice is billed, so an unknown name never reaches the platform."""
    speech = Listing()
    async with server_with(speech) as server:
        status, headers, body = await sample(server.url, name)
        assert status in (400, 404)
        assert headers["Content-Type"].startswith("application/json")
        assert b'"error"' in body
        assert "X-Evil" not in headers
        assert speech.said == []


async def test_an_unknown_language_is_refused():
    speech = Listing()
    async with server_with(speech) as server:
        for language in ("xx", "..", "%00", "e" * 4_000):
            status, _, body = await sample(server.url, f"ada?language={language}")
            assert (status, b'"param": "language"' in body) == (400, True)
        assert speech.said == []


async def test_it_needs_the_credential_of_a_session():
    speech = Listing()
    async with server_with(speech, api_keys=(KEY,)) as server:
        assert (await sample(server.url, "ada"))[0] == 401
        assert (await sample(server.url, "ada", Authorization="Bearer wrong"))[0] == 401
        assert speech.said == []
        status, headers, _ = await sample(server.url, "ada", Authorization=f"Bearer {KEY}")
        assert status == 200
        assert headers["Cache-Control"].startswith("private")
        assert "Authorization" in headers["Vary"]


async def test_other_methods_hosts_and_sites_make_no_request():
    speech = Listing()
    async with server_with(speech) as server:
        for method in ("HEAD", "POST", "DELETE"):
            assert (await sample(server.url, "ada", method))[0] in (404, 405)
        assert (await sample(server.url, "ada", Host="evil.example"))[0] == 403
        assert (await sample(server.url, "ada", **{"Sec-Fetch-Site": "cross-site"}))[0] == 403
        assert (await sample(server.url, "ada", Origin="https://evil.example"))[0] == 403
        assert speech.said == []


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ProviderUnavailable("away"), 502, b"upstream_unavailable"),
        (ProviderTimeout("slow"), 504, b"upstream_timeout"),
        (ProviderRejected("no such voice", code="invalid_voice"), 404, b"voice_not_found"),
        (
            ProviderRejected("too many", code="rate_limit_exceeded", retry_after_s=7),
            429,
            b"rate_limit_exceeded",
        ),
    ],
)
async def test_trouble_upstream_is_told_and_not_kept(error, status, code):
    speech = Listing(errors=[error])
    async with server_with(speech) as server:
        got, headers, body = await sample(server.url, "ada")
        assert (got, code in body) == (status, True)
        assert headers.get("Retry-After") == ("7" if status == 429 else None)
        assert (await sample(server.url, "ada"))[0] == 200


async def test_a_list_that_cannot_be_read_is_no_unknown_voice():
    async with server_with(Listing(listed=())) as server:
        status, headers, body = await sample(server.url, "ada")
        assert (status, headers["Retry-After"], b"voices_unknown" in body) == (503, "30", True)
        assert (await sample(server.url, "own"))[0] == 200


def test_only_a_few_requests_a_minute():
    async def main() -> None:
        samples, speech = VoiceSamples(), Listing()
        made = [Voice(f"v{number}", language="en") for number in range(voice_samples.PER_MINUTE + 1)]
        for voice in made[:-1]:
            await samples.get(speech, voice)
        with pytest.raises(RetryLater):
            await samples.get(speech, made[-1])
        await samples.get(speech, made[0])  # is kept
        assert len(speech.said) == voice_samples.PER_MINUTE
        await asyncio.sleep(60 / voice_samples.PER_MINUTE)
        assert await samples.get(speech, made[-1])

    virtual_time.run(main())


def test_conversations_come_first():
    async def main() -> None:
        samples, speech = VoiceSamples(), Listing(budget=voice_samples.RESERVED_REQUESTS)
        with pytest.raises(RetryLater):
            await samples.get(speech, Voice("ada"))
        assert speech.said == []

    virtual_time.run(main())


def test_memory_is_bounded_and_the_oldest_goes(monkeypatch):
    async def main() -> None:
        samples, speech = VoiceSamples(), Listing()
        first = await samples.get(speech, Voice("v0"))
        monkeypatch.setattr(voice_samples, "MAX_KEPT_BYTES", 2 * len(first))
        for name in ("v1", "v0", "v2", "v0"):
            await samples.get(speech, Voice(name))
        assert len(speech.said) == 3
        await samples.get(speech, Voice("v1"))
        assert len(speech.said) == 4

    virtual_time.run(main())


def test_a_caller_who_leaves_does_not_stop_the_others():
    async def main() -> None:
        samples, speech = VoiceSamples(), Listing()
        one, other = (asyncio.create_task(samples.get(speech, Voice("ada"))) for _ in range(2))
        await asyncio.sleep(0)
        one.cancel()
        assert await other
        assert len(speech.said) == 1
        await samples.aclose()

    virtual_time.run(main())


async def test_a_provider_that_wants_to_end_the_process_gives_no_list_and_no_sample():
    class Quits(FakeSpeech):
        async def voices(self):
            raise SystemExit("usage: voices")

        @asynccontextmanager
        async def open(self, voice):
            raise SystemExit("usage: open")
            yield

    voices, samples = OfferedVoices(), VoiceSamples()
    assert await voices.get(Quits()) == ()
    with pytest.raises(Escaped):
        await samples.get(Quits(), Voice("v"))
