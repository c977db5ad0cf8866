"""Saving the conversation: text, JSON and a recording that the person asked for; going back to an earlier conversation."""

from __future__ import annotations

import io
import json
import wave
from pathlib import Path
from typing import Any

import numpy as np

from tests.eventually import eventually
from tests.web.fake_server import RATE, Script, serving
from tests.web.sound import locate
from tests.web.test_page import session_of, speech, type_, wait_until_played

LINES = """async () => {
    const { asText, lines } = await import("/page/exporting.js");
    const said = (role, text, more = {}) => ({ id: text, role, text, whole: null, truncated: false, hidden: false, ...more });
    const items = [
        said("user", "Hi"), said("assistant", "One, two", { whole: "One, two, three.", truncated: true }),
        said("system", "secret"), said("user", "unseen", { hidden: true }), { id: "F1", role: "function_call", hidden: true },
        { id: "F2", role: "function_call", hidden: true }, said("assistant", ""),
    ];
    const tools = { calls: new Map([["F1", { name: "weather", call_id: "c1", arguments: "{}" }]]), results: new Map([["c1", { output: "sunny" }]]) };
    const all = lines(items, tools);
    return [all, asText(all)];
}"""
MIX = """async () => {
    const { Recorder } = await import("/page/recorder.js");
    const voice = { player: { rate: 100 }, microphone: new EventTarget() };
    const recorder = new Recorder(voice, { maxMinutes: 0.05 });
    recorder.played(Int16Array.of(1, 2));
    recorder.heard(Int16Array.of(11, 12, 13));
    recorder.played(Int16Array.of(3, 4));
    recorder.played(Int16Array.of(5, 6));
    recorder.heard(new Int16Array(100).map((_, at) => at));
    recorder.played(Int16Array.of(7, 8));
    const wav = [...new Uint8Array(await recorder.wav().arrayBuffer())];
    for (let at = 0; at < 3; at++) recorder.played(new Int16Array(100));
    return [wav, recorder.full];
}"""


def samples(data: bytes) -> np.ndarray:
    """The two channels of a WAV file, as columns."""
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (2, 2)
        return np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)


async def test_the_conversation_as_it_was_heard(page: Any) -> None:
    lines, text = await page.evaluate(LINES)
    assert lines == [
        {"role": "user", "text": "Hi"},
        {"role": "assistant", "text": "One, two", "interrupted": True, "not_heard": ", three."},
        {"role": "tool", "name": "weather", "arguments": "{}", "result": "sunny"},
    ]
    assert text == "You: Hi\n\nAnswer: One, two — (interrupted)\n\n[weather({}) → sunny]\n"


async def test_both_sides_share_one_time_line(page: Any) -> None:
    """Silence where the microphone has nothing; its newest sound where it has too much; an end where it is full."""
    data, full = await page.evaluate(MIX)
    both = samples(bytes(data))
    assert both[:, 1].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert both[:, 0].tolist() == [0, 0, 11, 12, 13, 0, 70, 71]
    assert full


def read(path: str) -> bytes:
    return Path(path).read_bytes()


async def saved(page: Any, name: str) -> bytes:
    async with page.expect_download() as waiting:
        await page.click(f".buttons >> text='{name}'")
    download = await waiting.value
    return read(await download.path())


async def test_text_json_and_sound_are_saved(open_page: Any) -> None:
    """Sound only after the person has asked to record, which the page shows all the time."""
    reply = speech(1)[: 2 * RATE]
    async with serving(Script(reply=reply)) as server:
        page = await open_page(server.url, device=False, accept_downloads=True)
        await page.click("#settings-toggle")
        await page.locator("text=Record both sides").wait_for()
        assert not await page.locator(".buttons >> text='Sound'").is_visible()
        await page.click("text=Record both sides")
        await page.keyboard.press("Escape")
        await page.locator("#recording").wait_for()
        await type_(page, "Hello")
        await wait_until_played(await session_of(server))
        await page.click("#recording")
        await page.locator("#recording").wait_for(state="hidden")
        await page.click("#settings-toggle")
        assert await saved(page, "Text") == b"You: Hello\n\nAnswer: Well, here you are.\n"
        exported = json.loads(await saved(page, "JSON"))
        assert [item["text"] for item in exported["items"]] == ["Hello", "Well, here you are."]
        assert exported["turns"][0]["firstSoundMs"] is not None
        both = samples(await saved(page, "Sound"))
        assert not np.any(both[:, 0]), "there is no microphone"
        _, score = locate(reply[: RATE // 2], both[:, 1])
        assert score >= 0.9
        await page.click("text=Delete recording")
        await page.locator(".buttons >> text='Sound'").wait_for(state="hidden")


async def test_an_earlier_conversation_goes_on(open_page: Any) -> None:
    """Where the server has a store: its list, as text, and the chosen conversation with its items."""
    content = [{"type": "input_text", "text": "As we said"}]
    item = {"id": "item_old", "type": "message", "role": "user", "status": "completed", "content": content}
    data = [{"id": "conv_old", "title": "<b>Lisbon</b>", "updated_at": 1795221234}, {"odd": True}]
    async with serving(Script(reply=speech(1)[: RATE // 2], stored=(item,))) as server:
        page = await open_page(server.url, device=False)
        await page.route("**/v1/capabilities", lambda route: route.fulfill(json={"conversations": True}))
        await page.route("**/v1/conversations", lambda route: route.fulfill(json={"data": data}))
        await page.click("#settings-toggle")
        await page.locator(".earlier >> text=<b>Lisbon</b>").wait_for()
        assert await page.locator(".earlier li").count() == 1, "what has no id cannot be opened"
        await page.click(".earlier >> text=<b>Lisbon</b>")
        await eventually(lambda: server.asked_for == ["conv_old"], "the stored conversation")
        await page.locator(".caption.user", has_text="As we said").wait_for()
