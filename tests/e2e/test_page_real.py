"""The talk page and the widget in Chromium in front of a real server: what was built apart works together.

The settings show what this server offers, the drawer its marks, the history its store; the widget lives on a page of another
origin; and a lost line is not noticed while an answer still sounds.
"""

from urllib.parse import urlsplit

from realtime.server.run import running
from realtime.server.state import REGISTRY
from realtime.settings import Settings
from tests.e2e.test_page import events, heard_by_a_microphone, pytestmark, quiet_after_answer, sentences  # noqa: F401
from tests.eventually import eventually
from tests.proxy import proxy_to
from tests.web.broken_line import Listener
from tests.web.conftest import browsers, open_page  # noqa: F401
from tests.web.host_page import hosting
from tests.web.voice_input import replace_microphone, say
from tests.web.widget_page import heard, on, open_widget, type_, until

SOUNDS = """() => {
    const { start } = AudioBufferSourceNode.prototype;
    window.sounds = [];
    AudioBufferSourceNode.prototype.start = function (...at) {
        sounds.push({ seconds: this.buffer.duration, peak: this.buffer.getChannelData(0).reduce((a, b) => Math.max(a, b)) });
        return start.apply(this, at);
    };
}"""


async def ask(page, text):
    await page.fill("#message", text)
    await page.press("#message", "Enter")
    await quiet_after_answer(page)


async def test_settings_drawer_and_history_of_a_real_server(open_page, tmp_path):  # noqa: F811
    """The voices with a sample to hear, the waterfall of the turn, an earlier conversation; leaving ends the session."""
    settings = Settings(
        port=0, language="en", transcriber="none", store=f"sqlite:{tmp_path}/kept", resume_window_s=600.0
    )
    async with running(settings) as server:
        page = await open_page(server.url, device=False)
        await page.evaluate(SOUNDS)
        await ask(page, "My name is Ada.")

        await page.keyboard.press("F2")
        await page.click(".turns summary")
        marks = await page.inner_text(".turns .marks")
        assert "asked the chat model" in marks
        assert "page: first sound at the speaker" in marks
        assert await page.locator(".turns .bar").count() >= 4
        stats = await page.evaluate("realtimeDebug.voice.stats()")
        (turn,) = stats["turns"]
        assert turn["marks"]["page_audio"] >= turn["marks"]["first_audio_sent"]
        assert stats["p50"] == turn["firstSoundMs"] == turn["marks"]["page_sound"]
        assert stats["events"]["bytes"]["received"] > 24_000

        offered = await (await page.request.get(f"{server.url}/v1/capabilities")).json()
        await page.click("#settings-toggle")
        await page.locator(".voices .play").first.wait_for()
        ids = {voice["id"] for voice in offered["voices"]}
        shown = await page.eval_on_selector_all(".voices input", "all => all.map(({ value }) => value)")
        assert set(shown) <= ids | {""}
        assert len(shown) > 1
        await page.locator(".voices .play").first.click()
        await page.wait_for_function("() => sounds.length")
        (sample,) = await page.evaluate("sounds")
        assert sample["seconds"] > 0.5
        assert sample["peak"] > 0.05
        chosen = page.locator(".voices input").nth(1)
        await chosen.check()
        voice = await chosen.get_attribute("value")
        await page.wait_for_function(
            "(voice) => realtimeDebug.voice.conversation.session.audio.output.voice === voice", arg=voice
        )
        await page.keyboard.press("Escape")

        await page.click("#new")
        await ask(page, "What is two plus two?")
        await page.click("#settings-toggle")
        earlier = page.locator(".earlier button")
        await earlier.first.wait_for()
        assert await earlier.count() == 1
        assert "Ada" in await earlier.inner_text()
        await earlier.click()
        await page.locator(".caption.user", has_text="My name is Ada.").wait_for()
        await page.goto("about:blank")
        await eventually(
            lambda: not len(server.app[REGISTRY]), "the end of the session, long before its window"
        )


STOCK = """
document.querySelector("realtime-voice").tools = [{
    name: "plant_stock", description: "How many of a plant are in stock.",
    parameters: { type: "object", properties: { plant: { type: "string", description: "The plant" } }, required: ["plant"] },
    run: ({ plant }) => ({ plant, count: 7 }),
}];
"""


async def test_the_widget_on_a_page_of_another_origin(open_page):  # noqa: F811
    """A strict policy; a tool of the page answers a typed question, and speech is answered in speech."""
    (sentence,) = sentences(1)
    early = "<realtime-voice open></realtime-voice><script type=module src=page.js></script>"
    async with hosting("", element=early, script=STOCK) as host:
        settings = Settings(port=0, language="en", origins=(host.url,))
        transcriber = Listener("What is two plus two?")
        async with running(settings, providers={"transcriber": transcriber}) as server:
            host.server = server.url
            page = await open_widget(open_page, host)
            await replace_microphone(page)
            await type_(page, "How many of the plant fern are in stock?")
            (called,) = await heard(page, "tool")
            assert called["result"] == {"plant": called["arguments"]["plant"], "count": 7}
            answer = (await heard(page, "message", 2))[-1]
            assert "7" in answer["text"] or "seven" in answer["text"]
            assert await on(page, "return element.voice.stats().turns.at(-1).marks.page_sound > 0")

            await page.click("realtime-voice .talk")
            await until(page, "root.querySelector('.panel').dataset.status === 'listening'")
            await say(page, heard_by_a_microphone(sentence))
            asked, spoken = (await heard(page, "message", 4))[2:]
            assert (asked["role"], asked["text"]) == ("user", "What is two plus two?")
            assert spoken["text"]
            assert [one for one in await page.evaluate("heard") if one["name"] == "error"] == []
            await page.close()


async def test_a_lost_line_is_not_noticed_while_the_answer_sounds(open_page):  # noqa: F811
    """The session is resumed behind it; the page says nothing of it, and the answer can be stopped as ever."""
    settings = Settings(port=0, language="en", transcriber="none")
    async with running(settings) as server, proxy_to(urlsplit(server.url).port) as proxy:
        page = await open_page(f"http://127.0.0.1:{proxy.port}", device=False)
        await page.fill("#message", "Tell me a long story.")
        await page.press("#message", "Enter")
        await page.wait_for_function("() => realtimeDebug.voice.player.bufferedMs > 6000")
        await page.locator("#state", has_text="Speaking").wait_for()
        await page.evaluate("""() => {
            const state = document.getElementById("state");
            window.shown = [];
            new MutationObserver(() => shown.push(state.textContent)).observe(state, { childList: true });
        }""")
        proxy.refusing = True
        proxy.reset()
        await page.wait_for_function("() => realtimeDebug.voice.connection.resuming")
        opened = proxy.opened
        await eventually(lambda: proxy.opened > opened, "an attempt")
        assert await page.is_visible("#interrupt")
        assert await page.is_hidden("#reconnect")
        proxy.refusing = False
        await events(page, "session.resumed")
        assert await page.evaluate("shown") == []
        assert await page.evaluate("realtimeDebug.voice.phase") == "speaking"
        await page.click("#interrupt")
        (cut,) = await events(page, "conversation.item.truncated")
        assert cut["audio_end_ms"] > 0
        assert await page.evaluate("realtimeDebug.stats().resumed") == 1
        await page.close()
