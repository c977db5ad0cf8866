"""The page in Chromium with a real server: the test speaks into its microphone, the page's output is recorded and checked.

Only one test needs what the speaker said; the others have no transcriber, or one that knows its text.
"""

import ssl

import numpy as np
import pytest
from aiohttp import web

from realtime import realtime_app
from realtime.protocol.server_events import ResponseOutputAudioDelta
from realtime.providers import FakeTranscriber
from realtime.server.audio_streams import AudioStreams
from realtime.server.run import running
from realtime.settings import Settings
from tests.certificates import self_signed
from tests.clips import clips, require_clips
from tests.web.conftest import STILL, browser_with, browsers, open_page  # noqa: F401
from tests.web.sound import RATE, assert_heard, locate, recording, to_rate
from tests.web.voice_input import RATE as MICROPHONE_RATE
from tests.web.voice_input import replace_microphone, say
from tests.wer import word_error_rate

pytestmark = pytest.mark.asyncio(loop_scope="session")  # that of the browsers

WRITTEN = Settings(port=0, language="en", transcriber="none")  # for those who type
EVENTS = "() => realtimeDebug.log.map(({ at, from, event }) => ({ at, from, ...event }))"


@pytest.fixture
def sent(monkeypatch):
    """All audio that the server has sent, as PCM."""
    pcm = bytearray()
    messages = AudioStreams.messages

    def keep(self, event, next_seq):
        if isinstance(event, ResponseOutputAudioDelta):
            pcm.extend(event.delta)
        return messages(self, event, next_seq)

    monkeypatch.setattr(AudioStreams, "messages", keep)
    return pcm


def sentences(count):
    """The shortest clips of one complete sentence each."""
    whole = [clip for clip in clips("en") if clip.transcript.endswith(".") and 2 < clip.seconds < 5]
    return sorted(whole, key=lambda clip: clip.seconds)[:count]


def heard_by_a_microphone(clip):
    return to_rate(clip.samples, 16_000, MICROPHONE_RATE)


async def events(page, type, count=1):
    """Wait until the page has at least `count` events of a type; returns them."""
    from playwright.async_api import Error

    enough = "([type, count]) => realtimeDebug.log.filter(({ event }) => event.type === type).length >= count"
    try:
        await page.wait_for_function(enough, arg=[type, count], timeout=60_000, polling=100)
    except Error:
        log = await page.evaluate(EVENTS)
        came = [event["type"] for event in log if not event["type"].endswith((".delta", ".played"))]
        raise AssertionError(f"less than {count} of {type}; there came {came}") from None
    return [event for event in await page.evaluate(EVENTS) if event["type"] == type]


async def quiet(page):
    """Wait until the page has stopped playing."""
    await page.wait_for_function("() => !realtimeDebug.voice.player.playing", timeout=60_000)
    frames = await page.evaluate("window.recorder?.frames.length ?? 0")
    if frames:  # and its last samples have been recorded: 15 frames of 20 ms
        await page.wait_for_function("(enough) => recorder.frames.length >= enough", arg=frames + 15)


async def test_two_spoken_turns_are_transcribed_answered_and_played_whole(open_page, sent):  # noqa: F811
    """Microphone, page, server, sandbox and the page's output, twice. Needs recorded statements, which the sandbox
    repeats: the sentences of its own voice ask for a story, which is longer than needed."""
    require_clips("en")
    first, second = sentences(2)
    async with running(Settings(port=0, language="en")) as server:
        page = await open_page(server.url)
        await replace_microphone(page)
        await page.evaluate("async () => { window.recorder = await realtimeDebug.record(); }")
        await page.click("#talk")
        await page.locator("#state", has_text="Listening").wait_for()
        await say(page, heard_by_a_microphone(first))
        await events(page, "response.done")
        await quiet(page)
        first_answer = bytes(sent)
        await say(page, heard_by_a_microphone(second))
        answers = await events(page, "response.done", 2)
        await quiet(page)
        recorded = await recording(page)
        said = await events(page, "conversation.item.input_audio_transcription.completed", 2)
    pairs = [(first.transcript, said[0]["transcript"]), (second.transcript, said[1]["transcript"])]
    assert word_error_rate(pairs) <= 0.2, pairs
    for answer, question in zip(answers, said, strict=True):
        assert answer["response"]["status"] == "completed"
        caption = answer["response"]["output"][0]["content"][0]["transcript"]
        assert question["transcript"].rstrip(".").lower() in caption.lower(), (
            "the sandbox's answer repeats the question"
        )
    assert_played(first_answer, recorded)
    assert_played(sent[len(first_answer) :], recorded)


def assert_played(pcm, recorded):
    """Check that the recording contains an answer's audio, all of it and once."""
    assert_heard(np.frombuffer(bytes(pcm), np.int16), recorded)


async def test_speaking_during_a_long_answer_stops_it_and_history_keeps_what_was_heard(open_page, sent):  # noqa: F811
    """The test speaks once some of the story has been heard, however fast the machine is."""
    (sentence,) = sentences(1)
    providers = {"transcriber": FakeTranscriber(["That is enough of it."])}
    async with running(Settings(port=0, language="en"), providers=providers) as server:
        page = await open_page(server.url)
        await replace_microphone(page)
        await page.evaluate("async () => { window.recorder = await realtimeDebug.record(); }")
        await page.click("#talk")
        await page.fill("#message", "Tell me a long story.")
        await page.press("#message", "Enter")
        await page.wait_for_function("() => document.querySelectorAll('.caption.assistant .said').length > 4")
        await say(page, heard_by_a_microphone(sentence))
        story, *_ = await events(page, "response.done", 2)
        truncated = await events(page, "conversation.item.truncated")
        await quiet(page)
        recorded = await recording(page)
        captions = await page.inner_text("#captions")
        log = await page.evaluate(EVENTS)
    item = story["response"]["output"][0]
    # A pause of a busy machine within the sentence ends a turn: then the next answer is interrupted, too.
    # And if it tells its position late, the server corrects what it supposed.
    *_, cut = [event for event in truncated if event["item_id"] == item["id"]]
    whole, kept = item["content"][0]["transcript"], cut["transcript"]
    assert kept
    assert whole.startswith(kept)
    assert len(kept) < len(whole)
    assert kept in " ".join(captions.split()), "the page shows what was heard"
    # the page stops as soon as the server tells it
    cleared = next(event for event in log if event["type"] == "output_audio_buffer.cleared")
    flushed = next(event for event in log if event.get("state") == "flushed")
    took_ms = flushed["at"] - cleared["at"]
    assert took_ms < 3000, "it would go on for many seconds"
    assert_stopped_at(cut["audio_end_ms"], took_ms, np.frombuffer(bytes(sent), np.int16), recorded)
    assert story["response"]["status"] == "cancelled"


def assert_stopped_at(end_ms, took_ms, pcm, recorded):
    """Check that the recording has the audio up to the reported position, and then no more of it.

    A page waits 150 ms for the position of its audio thread; if that is too busy, the page reports what it knew, and the
    audio goes on a little: up to a second here, and for many seconds without the stop.
    Only the last second is compared: where the machine was too slow for the audio, the recording has it later.
    """
    leeway = 150 * RATE // 1000
    end = end_ms * RATE // 1000 - leeway
    last = pcm[max(0, end - RATE) : end]
    offset, similarity = locate(last, recorded)
    assert similarity >= 0.9
    late = 0 if took_ms < 140 else RATE
    begin = len(last) + 2 * leeway + late
    rest = pcm[end + 2 * leeway + late :][:RATE]
    # What sounds there on a busy machine is the next answer.
    assert locate(rest, recorded[offset + begin :])[1] < 0.8, "audio after the reported position"


async def test_typing_works_without_a_microphone_and_is_in_the_history(open_page, sent):  # noqa: F811
    async with running(WRITTEN) as server:
        page = await open_page(server.url, device=False)
        for text in ("My name is Ada.", "What is my name?"):
            await page.fill("#message", text)
            await page.press("#message", "Enter")
            await quiet_after_answer(page)
        answers = await events(page, "response.done", 2)
    assert "Ada" in answers[1]["response"]["output"][0]["content"][0]["transcript"]
    assert len(sent) > RATE


async def test_the_page_works_at_a_path_of_another_application(open_page):  # noqa: F811
    """The page requests nothing outside of its path."""
    app = web.Application()
    app.add_subapp("/voice/", realtime_app(WRITTEN))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        page = await open_page(f"{url}/voice", device=False)
        await page.fill("#message", "What is two plus two?")
        await page.press("#message", "Enter")
        await quiet_after_answer(page)
        answers = await events(page, "response.done")
        await page.evaluate("async () => { await (await realtimeDebug.record()).stop(); }")
        await page.close()
    finally:
        await runner.cleanup()
    assert answers[0]["response"]["status"] == "completed"
    outside = [r for r in page.requests if not r.startswith((f"{url}/voice", "blob:", "data:"))]
    assert outside == []


async def quiet_after_answer(page):
    """Wait until the last question has been answered and the answer has been played."""
    await page.wait_for_function(
        """() => { const of = (type) => realtimeDebug.log.filter(({ event }) => event.type === type).length;
                   return of("response.done") > 0 && of("response.done") === of("response.create"); }""",
        timeout=60_000,
    )
    await quiet(page)


EMBEDDING = """<!doctype html><meta charset="utf-8"><title>another application</title>
<iframe id="frame" src="{server}/" allow="microphone; autoplay"></iframe>
<script type="module">
  import {{ Realtime }} from "{server}/sdk/realtime.js";
  window.voice = new Realtime({{ url: "{socket}/v1/realtime" }});
  window.heard = 0;
  voice.addEventListener("progress", () => {{ window.heard = Math.max(heard, ...[...voice.player.parts.values()].map((p) => p.heardMs)); }});
  window.say = (text) => voice.say(text);
</script>"""


async def test_a_page_of_an_allowed_origin_uses_the_sdk_and_frames_the_page(open_page, tmp_path):  # noqa: F811
    """Another origin imports the SDK with its worklets, gets a spoken answer, and shows the talk page in a frame; for a
    foreign origin neither works."""
    app = web.Application()
    pages = {}

    async def serve(request):
        return web.Response(text=pages["html"], content_type="text/html")

    app.router.add_get("/{name}", serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*self_signed(tmp_path))
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        port = runner.addresses[0][1]
        origin = f"https://app.example:{port}"
        async with (
            running(
                Settings(port=0, language="en", origins=(origin,)),
                providers={"transcriber": FakeTranscriber()},  # so that the page offers to talk
            ) as server,
            browser_with("--host-resolver-rules=MAP *.example 127.0.0.1") as browser,
        ):
            pages["html"] = EMBEDDING.format(server=server.url, socket=server.url.replace("http", "ws"))
            page = await browser.new_page(ignore_https_errors=True, reduced_motion=STILL)
            await page.goto(f"{origin}/page")
            await page.wait_for_function("() => window.say")
            await page.evaluate("say('What is two plus two?')")
            await page.wait_for_function("() => window.heard > 300", timeout=60_000)
            frame = page.frame_locator("#frame")
            await frame.locator("#state", has_text="Press to talk").wait_for(timeout=60_000)
            await frame.locator("#message").fill("Hello")
            await frame.locator("#message").press("Enter")
            await frame.locator(".caption.assistant.final").wait_for(timeout=60_000)
            async with page.expect_event("requestfailed", lambda request: "/sdk/" in request.url):
                await page.goto(f"https://evil.example:{port}/page")
            assert await page.evaluate("window.say === undefined"), "the SDK was imported"
            assert await page.frame_locator("#frame").locator("#state").count() == 0
    finally:
        await runner.cleanup()
