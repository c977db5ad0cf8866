"""The settings of the talk page: kept, shared by an address, and sent to the session."""

from __future__ import annotations

from typing import Any

from tests.eventually import eventually
from tests.web.fake_server import RATE, Script, serving
from tests.web.test_page import arrived, session_of, speech, type_, wait_for_status
from tests.web.voice_input import replace_microphone

CHOOSE = """async ([address, kept, changes]) => {
    const { Choices } = await import("/page/choices.js");
    localStorage.setItem("realtime.choices", kept);
    const choices = new Choices(address);
    for (const [name, value] of changes) choices.set(name, value);
    const result = [choices.session(), choices.link("https://host/x/?old=1#part"), localStorage.getItem("realtime.choices")];
    localStorage.clear();
    return result;
}"""
TURNS = {"type": "semantic_vad"}
OFFERED = {
    "object": "realtime.capabilities", "default_voice": "v1", "voice_samples": True, "languages": ["en", "zh"],
    "voices": [
        {"id": "v1", "name": "Lady", "languages": ["en"], "kind": "system"},
        {"id": "v2", "name": "<b>Man</b>", "languages": ["zh"], "kind": "system"},
        {"id": "v3", "name": "Mine", "languages": [], "kind": "cloned"}, {"no": "id"}, None,
    ],
}  # fmt: skip


async def test_choices_are_read_kept_and_shared(page: Any) -> None:
    """An address wins over what is kept, but is not kept itself; a shared address names no device."""
    address = (
        "https://host/?voice=v2&interruption=off&eagerness=low&microphone=secret&instructions=Be%20brief"
    )
    session, link, kept = await page.evaluate(
        CHOOSE, [address, '{"speed": 1.2, "voice": "v1"}', [["language", "en"], ["microphone", "mic-1"]]]
    )
    assert session == {
        "instructions": "Be brief",
        "audio": {
            "input": {
                "turn_detection": {**TURNS, "eagerness": "low", "interrupt_response": False},
                "transcription": {"language": "en"},
            },
            "output": {"voice": "v2", "speed": 1.2},
        },
    }
    expected = "old=1&voice=v2&language=en&speed=1.2&interruption=off&eagerness=low&instructions=Be+brief"
    assert link == f"https://host/x/?{expected}"
    assert kept == '{"voice":"v1","speed":1.2,"language":"en","microphone":"mic-1"}'


async def test_whatever_was_kept_or_linked_the_page_begins(page: Any) -> None:
    """Damaged JSON, other types, values out of range: as the server has it."""
    for kept in ("{", "null", "[1]", '{"voice": 7, "speed": "fast", "eagerness": {}, "interruption": 0}'):
        session, *_ = await page.evaluate(
            CHOOSE, ["https://host/?speed=9&language=%00&eagerness=x", kept, []]
        )
        assert session == {"audio": {"input": {"turn_detection": TURNS}}}, kept


async def test_the_sheet_changes_the_session_and_is_remembered(open_page: Any) -> None:
    """Each change is one update; a name is never HTML; after a reload the next session begins with the choice."""
    async with serving(Script(reply=speech(1)[: RATE // 2])) as server:
        page = await open_page(server.url, device=False)
        await page.route("**/v1/capabilities", lambda route: route.fulfill(json=OFFERED))
        await page.route("**/v1/voice_samples/**", lambda route: route.fulfill(status=404))
        await type_(page, "Hello")
        session = await session_of(server)
        await page.click("#settings-toggle")
        await page.locator(".voices .voice").nth(3).wait_for()
        assert await page.locator(".voices b").count() == 0
        await page.select_option("[aria-label='Language of the voices']", "zh")
        await page.locator(".voices .voice").nth(3).wait_for(state="detached")
        assert await page.locator(".voices .voice").count() == 3, (
            "the server's own, a cloned one, a Chinese one"
        )
        await page.click("text=<b>Man</b>")
        await page.click("[aria-label='Hear Mine']")
        await page.locator("text=There is no sample of this voice.").wait_for()
        await eventually(lambda: len(session.of("session.update")) == 2, "the change")
        output = session.of("session.update")[-1]["session"]["audio"]["output"]
        assert output["voice"] == "v2"
        await page.keyboard.press("Escape")
        await page.locator("#server", has_text="MiniMax-M3 · v2").wait_for()
        await page.reload()
        await page.locator("#server", has_text="MiniMax-M3 · v2").wait_for()
        await type_(page, "Again")
        second = await session_of(server, 1)
        await eventually(lambda: second.of("session.update"), "the settings")
        assert second.of("session.update")[0]["session"]["audio"]["output"] == {"voice": "v2"}
        await page.click("#settings-toggle")
        await page.click("text=Reset all")
        await eventually(lambda: len(second.of("session.update")) == 2, "the server's own settings")
        assert second.of("session.update")[1]["session"]["audio"]["output"]["voice"] is None
        await page.locator("#server", has_text="MiniMax-M3 · English_Graceful_Lady").wait_for()
        assert await page.evaluate("localStorage.length") == 0


async def test_the_header_follows_the_choice_before_there_is_a_session(open_page: Any) -> None:
    async with serving() as server:
        page = await open_page(server.url, device=False)
        await page.route("**/v1/capabilities", lambda route: route.fulfill(json=OFFERED))
        await page.locator("#server", has_text="MiniMax-M3 · English_Graceful_Lady").wait_for()
        await page.click("#settings-toggle")
        await page.click("text=<b>Man</b>")
        shown = "document.querySelector('#server').textContent"
        assert await page.evaluate(shown) == "MiniMax-M3 · v2"
        assert not server.sessions


async def test_what_is_being_typed_stays(open_page: Any) -> None:
    """The server's answer comes late: it fills the sheet, and not the field that somebody writes in."""
    async with serving() as server:
        page = await open_page(server.url, device=False)
        waiting: list[Any] = []
        await page.route("**/v1/capabilities", lambda route: waiting.append(route))
        await page.click("#settings-toggle")
        await eventually(lambda: waiting, "the question")
        await page.fill("#settings textarea", "Be br")
        await waiting[0].fulfill(json=OFFERED)
        await page.locator(".voices .voice").nth(3).wait_for()
        await page.keyboard.type("ief")
        assert await page.input_value("#settings textarea") == "Be brief"
        await page.keyboard.press("Tab")
        await page.wait_for_function("() => localStorage['realtime.choices']?.includes('Be brief')")
        await page.click("text=Reset all")
        await page.wait_for_function("() => document.querySelector('#settings textarea').value === ''")


async def test_an_older_server_offers_no_voices(open_page: Any) -> None:
    """404: the rest of the sheet works."""
    async with serving() as server:
        page = await open_page(server.url, device=False)
        await page.click("#settings-toggle")
        await page.locator("#settings[open]").wait_for()
        await page.locator("#settings >> text=Instructions").wait_for()
        assert not await page.locator(".voices").is_visible()


async def test_a_link_with_instructions_says_so(open_page: Any) -> None:
    """What a link makes the assistant do is on the screen, as text."""
    async with serving() as server:
        page = await open_page(f"{server.url}/?instructions=%3Cimg%20src%3Dx%3E%20be%20rude", device=False)
        told = page.locator("[data-id=instructions]")
        await told.wait_for()
        assert "“<img src=x> be rude”" in await told.inner_text()
        assert await page.evaluate("localStorage.length") == 0


async def test_a_greeting_begins_an_empty_conversation(open_page: Any) -> None:
    """The assistant is asked to say it once; a conversation that has begun is not greeted."""
    async with serving(Script(reply=speech(1)[: RATE // 2])) as server:
        page = await open_page(f"{server.url}/?greeting=Good%20morning", device=False)
        await page.evaluate("realtimeDebug.voice.connect()")
        session = await session_of(server)
        await eventually(lambda: session.of("response.create"), "the greeting")
        assert session.of("response.create")[0]["response"]["instructions"].endswith("\nGood morning")
        await page.locator(".caption.assistant.final").wait_for()
        await page.evaluate("realtimeDebug.voice.connection.close(), realtimeDebug.voice.connect()")
        second = await session_of(server, 1)
        await page.wait_for_timeout(900)  # longer than the page waits before it greets
        await arrived(page, second)
        assert not second.of("response.create")


async def test_another_microphone_while_talking(open_page: Any) -> None:
    """The choice reaches the browser, and the conversation goes on."""
    async with serving() as server:
        page = await open_page(server.url)
        await replace_microphone(page)
        await page.click("#talk")
        await wait_for_status(page, "Listening")
        await page.click("#settings-toggle")
        options = page.locator("#choose-microphone option")
        await options.nth(1).wait_for(state="attached")
        name = await options.nth(1).get_attribute("value")
        await page.evaluate("""() => {
            const original = navigator.mediaDevices.getUserMedia;
            navigator.mediaDevices.getUserMedia = (constraints) => {
                window.asked = constraints.audio.deviceId;
                return original.call(navigator.mediaDevices, constraints);
            };
        }""")
        await page.select_option("#choose-microphone", name)
        await page.wait_for_function("() => window.asked !== undefined")
        assert await page.evaluate("asked.exact ?? asked") == name
        await page.keyboard.press("Escape")
        await wait_for_status(page, "Listening")
        assert len(server.sessions) == 1


async def test_one_sample_at_a_time(open_page: Any) -> None:
    """The one that was pressed last; none after the sheet was closed, also if it is still loaded then."""
    async with serving() as server:
        page = await open_page(server.url, device=False)
        await page.route("**/v1/capabilities", lambda route: route.fulfill(json=OFFERED))
        await page.evaluate("""() => {
            window.started = []; window.waiting = [];
            const start = AudioBufferSourceNode.prototype.start, own = window.fetch;
            AudioBufferSourceNode.prototype.start = function () { started.push(this.buffer.length); return start.call(this); };
            const wav = (samples) => {  // of 8-bit silence at 8 kHz
                const bytes = new Uint8Array(44 + samples).fill(128), view = new DataView(bytes.buffer);
                [..."RIFF\0\0\0\0WAVEfmt "].forEach((letter, at) => { bytes[at] = letter.charCodeAt(0); });
                [[16, 16], [24, 8000], [28, 8000], [40, samples], [4, 36 + samples]].forEach(([at, value]) => view.setUint32(at, value, true));
                [[20, 1], [22, 1], [32, 1], [34, 8]].forEach(([at, value]) => view.setUint16(at, value, true));
                [..."data"].forEach((letter, at) => { bytes[36 + at] = letter.charCodeAt(0); });
                return new Response(bytes);
            };
            window.answer = (at, samples) => waiting[at](wav(samples));
            window.fetch = (address, ...rest) => (String(address).includes("voice_samples")
                ? new Promise((resolve) => waiting.push(resolve)) : own(address, ...rest));
        }""")
        await page.click("#settings-toggle")
        for name in ("Lady", "Mine"):
            await page.click(f"[aria-label='Hear {name}']")
        await page.evaluate("answer(1, 800)")
        await page.wait_for_function("() => started.length > 0")
        await page.evaluate("answer(0, 4000)")
        await page.locator(".play[aria-busy]").first.wait_for(state="detached")
        await page.click("[aria-label='Hear Lady']")
        await page.evaluate(
            "() => { window.sheetClosed = new Promise((done) => settings.addEventListener('close', done)); }"
        )
        await page.keyboard.press("Escape")
        await page.evaluate("sheetClosed.then(() => answer(2, 6000))")
        await page.locator(".play[aria-busy]").first.wait_for(state="detached")
        await page.evaluate("new AudioContext().decodeAudioData(new ArrayBuffer(0)).catch(() => {})")
        assert len(await page.evaluate("started")) == 1


async def test_a_microphone_test_that_is_closed_while_it_opens_ends(open_page: Any) -> None:
    async with serving() as server:
        page = await open_page(server.url)
        await page.evaluate("""() => {
            const own = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
            window.tracks = [];
            navigator.mediaDevices.getUserMedia = async (wanted) => {
                const stream = await own(wanted);
                await new Promise((resolve) => { window.allow = resolve; });
                tracks.push(...stream.getTracks());
                return stream;
            };
        }""")
        await page.click("#settings-toggle")
        await page.click("[aria-label='Test the microphone']")
        await page.wait_for_function("() => window.allow !== undefined")
        await page.keyboard.press("Escape")
        await page.evaluate("allow()")
        await page.wait_for_function(
            "() => tracks.length > 0 && tracks.every(({ readyState }) => readyState === 'ended')"
        )
