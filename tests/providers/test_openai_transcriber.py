"""Transcription by an OpenAI-compatible service, against a small one on this machine."""

import asyncio
import contextlib

import numpy as np
import pytest
from aiohttp import web

from realtime.core.audio import read_wav
from realtime.errors import ConfigError, ProviderRejected, ProviderTimeout, ProviderUnavailable
from realtime.providers.base import Transcript
from realtime.providers.catalog import find
from realtime.providers.checks import check_transcriber
from realtime.settings import Settings

SAMPLES = np.arange(1600, dtype=np.int16)


@contextlib.asynccontextmanager
async def service(answer):
    """A service on a free port that answers with `answer(request, fields)`."""

    async def transcriptions(request):
        fields = dict(await request.post())
        with fields["file"].file:
            return await answer(request, fields)

    app = web.Application()
    app.router.add_post("/v1/audio/transcriptions", transcriptions)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/v1"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def transcriber(url, **settings):
    made = find("transcriber", "openai").create(Settings(transcriber=f"openai:{url}", **settings))
    try:
        yield made
    finally:
        await made.aclose()


async def ask(url, *, language=None, **settings):
    """One utterance to this service."""
    async with transcriber(url, **settings) as made:
        return await made.transcribe(SAMPLES, language=language, final=True)


async def test_the_service_gets_a_wav_and_the_key_and_its_text_comes_back():
    seen = {}

    async def answer(request, fields):
        samples, rate = read_wav(fields.pop("file").file.read())
        seen.update(fields, key=request.headers["Authorization"], rate=rate, samples=samples)
        return web.json_response({"text": " Hello there. "})

    async with service(answer) as url:
        transcript = await ask(f"{url}/?model=large", language="en-US", transcriber_api_key="sk-1")
    assert transcript == Transcript("Hello there.", "en-US")
    assert np.array_equal(seen.pop("samples"), SAMPLES)
    assert seen == {
        "model": "large",
        "response_format": "json",
        "language": "en",
        "key": "Bearer sk-1",
        "rate": 16_000,
    }


async def test_it_does_what_every_transcriber_must():
    async def answer(request, fields):
        return web.json_response({"text": "Hello there."})

    async with service(answer) as url, transcriber(url) as made:
        await check_transcriber(made, SAMPLES, "Hello there.")


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (401, ProviderRejected, "TRANSCRIBER_API_KEY.*bad key"),
        (400, ProviderRejected, "bad key"),
        (404, ProviderRejected, "404"),
        (500, ProviderUnavailable, "500"),
        (503, ProviderUnavailable, "503"),
    ],
)
async def test_each_status_becomes_its_kind_of_error(status, error, message):
    async def answer(request, fields):
        return web.json_response({"error": {"message": "bad key"}}, status=status)

    async with service(answer) as url:
        with pytest.raises(error, match=message) as caught:
            await ask(url)
    assert caught.value.upstream_code == status


async def test_a_rate_limit_says_how_long_to_wait():
    async def answer(request, fields):
        return web.Response(status=429, headers={"Retry-After": "7"}, text="slow down")

    async with service(answer) as url:
        with pytest.raises(ProviderUnavailable, match="slow down") as caught:
            await ask(url)
    assert (caught.value.code, caught.value.retry_after_s) == ("rate_limit_exceeded", 7)


@pytest.mark.parametrize("body", ["", "not json", "[]", '{"texts": 1}', '{"text": null}'])
async def test_an_answer_without_a_text_is_an_upstream_error(body):
    async def answer(request, fields):
        return web.Response(text=body)

    async with service(answer) as url:
        with pytest.raises(ProviderUnavailable, match="without a text"):
            await ask(url)


async def test_a_service_that_does_not_answer_times_out():
    async def answer(request, fields):
        await asyncio.sleep(30)
        return web.Response()

    async with service(answer) as url:
        with pytest.raises(ProviderTimeout):
            await ask(url, transcribe_timeout_s=0.05)


async def test_an_unreachable_service_is_unavailable():
    async with service(lambda request, fields: None) as url:
        pass
    with pytest.raises(ProviderUnavailable, match=r"the connection to http://127.0.0.1:\d+/v1 failed"):
        await ask(url)


async def test_the_key_is_in_no_error_and_no_repr():
    async def answer(request, fields):
        return web.Response(status=401, text="no")

    async with service(answer) as url, transcriber(url, transcriber_api_key="sk-secret") as made:
        assert "sk-secret" not in repr(made) + made.name
        with pytest.raises(ProviderRejected) as caught:
            await made.transcribe(SAMPLES, language=None, final=True)
        assert "sk-secret" not in str(caught.value)


@pytest.mark.parametrize("value", ["openai", "openai:", "openai:ftp://x/v1", "openai:host/v1"])
def test_a_setting_without_an_address_is_refused(value):
    with pytest.raises(ConfigError, match=r"openai:(https://|URL)"):
        Settings(transcriber=value)


@pytest.mark.parametrize(
    ("segments", "text", "log_probability"),
    [
        (
            [{"avg_logprob": -0.2, "no_speech_prob": 0.1}, {"avg_logprob": -0.4, "no_speech_prob": 0.9}],
            "Hello.",
            -0.3,
        ),
        ([{"avg_logprob": -1.6, "no_speech_prob": 0.9}], "", -1.6),
        ([{"avg_logprob": -1.6, "no_speech_prob": 0.1}], "Hello.", -1.6),
        ([], "Hello.", None),
        ([{"text": "Hello."}, "odd"], "Hello.", None),
        ("odd", "Hello.", None),
    ],
)
async def test_the_confidence_of_a_service_that_tells_it_is_read(segments, text, log_probability):
    async def answer(request, fields):
        return web.json_response({"text": "Hello.", "segments": segments})

    async with service(answer) as url:
        transcript = await ask(url)
    assert transcript.text == text
    assert transcript.log_probability == (None if log_probability is None else pytest.approx(log_probability))


async def test_half_an_emoji_costs_itself_alone():
    async def answer(request, fields):
        return web.Response(text='{"text": "Hello \\ud83d there."}', content_type="application/json")

    async with service(answer) as url:
        assert await ask(url) == Transcript("Hello \ufffd there.", None)
