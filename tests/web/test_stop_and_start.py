"""Stop and start in quick succession, in one conversation and among widgets: what was wished last is what happens."""

from __future__ import annotations

from typing import Any

import pytest

from tests.eventually import eventually
from tests.web.fake_server import FakeServer, Script, serving
from tests.web.host_page import hosting
from tests.web.test_page import session_of
from tests.web.test_widget import tone
from tests.web.widget_page import open_widget

WORDS = tuple(f"word{number} " for number in range(60))
SDK = """async () => {
    const { Realtime } = await import("/sdk/realtime.js");
    window.voice = new Realtime({ url: `ws://${location.host}/v1/realtime` });
    window.state = () => [voice.microphone.state, voice.connection.state];
    window.texts = () => voice.conversation.items.filter(({ role }) => role === "user").map(({ text }) => text);
    window.picture = new Blob(["x"], { type: "image/png" });
    window.reading = (start) => new Promise((done) => {  // a picture that is read as soon as `done` is called
        const read = FileReader.prototype.readAsDataURL;
        FileReader.prototype.readAsDataURL = function (blob) {
            FileReader.prototype.readAsDataURL = read;
            done(() => read.call(this, blob));
        };
        start();
    });
}"""
SOUNDS = "[...voice.player.parts.values()].some(({ heardMs }) => heardMs > 300)"


def long_answer() -> Script:
    return Script(reply=tone(30), reply_words=WORDS)


async def sdk(open_page: Any, server: FakeServer, *, sounding: bool = False) -> Any:
    """A page with the SDK. `sounding`: it talks, and an answer sounds."""
    page = await open_page(f"{server.url}/icon.svg")
    await page.evaluate(SDK)
    if sounding:
        await page.evaluate("async () => { await voice.talk(); await voice.say('Hello'); }")
        await page.wait_for_function(f"() => {SOUNDS}")
    return page


# --- one conversation ---


async def test_who_talks_again_while_the_answer_is_stopped_goes_on(open_page: Any) -> None:
    """In the same session; the older wish tells that it did not close it."""
    async with serving(long_answer()) as server:
        page = await sdk(open_page, server, sounding=True)
        made = await page.evaluate("""async () => {
            const stopped = voice.stop();
            await voice.talk();
            return [await stopped, ...state(), voice.player.playing];
        }""")
        assert made == [False, "on", "open", False]
        assert await page.evaluate("async () => [await voice.stop(), ...state()]") == [True, "off", "closed"]
        assert len(server.sessions) == 1


async def test_the_last_of_many_wishes_counts(open_page: Any) -> None:
    async with serving(long_answer()) as server:
        page = await sdk(open_page, server, sounding=True)
        made = await page.evaluate("""async () => {
            await Promise.all([voice.stop(), voice.talk(), voice.stop(), voice.talk(), voice.stop()]);
            return state();
        }""")
        assert made == ["off", "closed"]


async def test_who_talks_again_while_the_conversation_is_discarded_is_in_another(open_page: Any) -> None:
    async with serving(long_answer()) as server:
        page = await sdk(open_page, server, sounding=True)
        await page.evaluate("async () => { const gone = voice.reset(); await voice.talk(); await gone; }")
        await page.wait_for_function("() => voice.conversation.id === 'conv_2'")
        assert await page.evaluate("[...state(), ...texts()]") == ["on", "open"]
        heard = await session_of(server, 1)
        await eventually(lambda: heard.received, "the microphone in the new session")


async def test_a_message_belongs_to_the_conversation_it_was_written_in(open_page: Any) -> None:
    """One whose picture was read too late is dropped, and one that is written at once waits for the new conversation."""
    async with serving(long_answer()) as server:
        page = await sdk(open_page, server, sounding=True)
        await page.evaluate("""async () => {
            const read = await reading(() => voice.say({ text: "Old", images: [picture] }));
            const gone = voice.reset(), said = voice.say("New");
            read();
            await Promise.all([gone, said]);
        }""")
        await page.wait_for_function("() => voice.conversation.id === 'conv_2'")
        session = await session_of(server, 1)
        await eventually(lambda: session.of("conversation.item.create"), "the message")
        assert await page.evaluate("texts()") == ["New"]


async def test_nothing_is_asked_again_after_stop(open_page: Any) -> None:
    async with serving(long_answer()) as server:
        page = await sdk(open_page, server, sounding=True)
        await page.evaluate("() => Promise.all([voice.retry(), voice.stop()])")
        assert await page.evaluate("[...state(), voice.phase]") == ["off", "closed", "listening"]


async def test_messages_are_sent_in_the_order_in_which_they_were_written(open_page: Any) -> None:
    """Also if the picture of the first one takes its time; one that cannot be read holds nothing up."""
    async with serving(Script(reply=tone(0.3))) as server:
        page = await sdk(open_page, server)
        failed = await page.evaluate("""async () => {
            const read = await reading(() => voice.say({ text: "One", images: [picture] }));
            const lost = voice.say({ text: "Lost", images: [{ toString() { throw new Error("unreadable"); } }] });
            const two = voice.say("Two");
            const failed = await lost.catch(({ message }) => message);
            read();
            await two;
            return failed;
        }""")
        session = await session_of(server)
        await eventually(lambda: len(session.of("conversation.item.create")) == 2, "both messages")
        assert failed == "unreadable"
        assert await page.evaluate("texts()") == ["One", "Two"]


async def test_a_conversation_that_could_not_be_discarded_does_not_silence_the_next_message(
    page: Any,
) -> None:
    assert await page.evaluate("""async () => {
        const { Asking } = await import("/sdk/asking.js");
        const { emptyConversation } = await import("/sdk/conversation.js");
        const sent = [];
        const asking = new Asking({
            conversation: emptyConversation, apply: () => {}, send: ({ type }) => sent.push(type),
            cut: async () => {}, wanted: () => true, ready: () => true,
        });
        asking.discard(Promise.reject(new Error("no")));
        await asking.say("Hello");
        return sent;
    }""") == ["conversation.item.create", "response.create"]


async def test_an_answer_that_is_cut_by_the_end_of_the_conversation_is_told_as_it_was_heard(
    open_page: Any,
) -> None:
    async with serving(Script(reply=tone(30), reply_words=WORDS, send_factor=0.01)) as server:
        page = await sdk(open_page, server, sounding=True)
        await page.wait_for_function("() => !voice.conversation.response")
        text = await page.evaluate("""async () => {
            await voice.stop();
            await voice.talk();
            return voice.conversation.items[1].text;
        }""")
        assert text.startswith("word0")
        again = await session_of(server, 1)
        await eventually(lambda: len(again.of("conversation.item.create")) == 2, "the conversation")
        assert again.of("conversation.item.create")[1]["item"]["content"][0]["text"] == text
        assert WORDS[-1].strip() not in text


async def test_a_player_that_is_opened_while_it_closes_sounds(page: Any) -> None:
    """Its first start is not over: what it then finds is not its own any more."""
    heard = await page.evaluate("""async () => {
        const { Player } = await import("/sdk/player.js");
        const player = new Player(), first = player.open(), before = player.context, closed = player.close();
        const second = player.open(), other = player.context !== before;
        await Promise.all([first, closed, second]);
        player.push("0:item_1", new Int16Array(2400));
        player.end("0:item_1");
        while (player.playing) await new Promise((done) => player.addEventListener("progress", done, { once: true }));
        const states = [other, before.state, player.context.state];
        await player.close();
        return states;
    }""")
    assert heard == [True, "closed", "running"]


# --- widgets ---

ELEMENTS = "".join(f'<realtime-voice id="{name}" mode="inline"></realtime-voice>' for name in "abc")
STATES = "[a, b, c].map(({ voice }) => voice.microphone.state)"


async def widgets(open_page: Any, host: Any) -> Any:
    """Three of them; an answer sounds in the first one, which has the microphone."""
    page = await open_widget(open_page, host)
    await page.evaluate("async () => { await a.talk(); await a.say('Hello'); }")
    await page.wait_for_function(f"() => {{ const {{ voice }} = a; return {SOUNDS}; }}")
    return page


@pytest.mark.parametrize(
    ("wishes", "states"),
    [
        ("b.talk(), c.talk()", ["off", "off", "on"]),
        ("b.talk(), a.talk()", ["on", "off", "off"]),
        ("a.stop(), a.talk()", ["on", "off", "off"]),
        ("b.talk(), b.stop()", ["off", "off", "off"]),
    ],
)
async def test_the_widget_that_was_started_last_has_the_microphone(
    open_page: Any, wishes: str, states: list[str]
) -> None:
    async with serving(long_answer()) as server, hosting(server.url, element=ELEMENTS) as host:
        page = await widgets(open_page, host)
        await page.evaluate(f"async () => {{ await Promise.all([{wishes}]); }}")
        assert await page.evaluate(STATES) == states
        if "on" not in states:
            return
        await page.evaluate(
            f"() => {{ window.talking = [a, b, c][{states.index('on')}]; talking.say('And now?'); }}"
        )
        await page.wait_for_function(f"() => {{ const {{ voice }} = talking; return {SOUNDS}; }}")


async def test_a_widget_that_is_closed_while_another_one_stops_does_not_listen(open_page: Any) -> None:
    element = f"{ELEMENTS}<realtime-voice id='dialog'></realtime-voice>"
    async with serving(long_answer()) as server, hosting(server.url, element=element) as host:
        page = await widgets(open_page, host)
        made = await page.evaluate("""async () => {
            dialog.show();
            const talking = dialog.talk();
            dialog.close();
            await talking;
            return [dialog.open, dialog.voice.microphone.state, a.voice.microphone.state];
        }""")
        assert made == [False, "off", "off"]


async def test_a_widget_that_moves_to_another_server_takes_no_microphone_with_it(open_page: Any) -> None:
    """The old voice stops at once, whatever is started meanwhile."""
    script = Script(reply=tone(30), reply_words=WORDS, send_factor=0.01)
    async with serving(script) as server, hosting(server.url, element=ELEMENTS) as host:
        page = await widgets(open_page, host)
        await page.wait_for_function("() => !a.voice.conversation.response")
        move = """async (url) => {
            const { voice } = a;
            a.setAttribute("server", url);
            await a.talk();
            return [voice.microphone.state, a.voice.microphone.state, a.voice === voice];
        }"""
        assert await page.evaluate(move, f"{server.url}/elsewhere/") == ["off", "on", False]
        texts = await page.evaluate("a.voice.conversation.items.map(({ text }) => text)")
        assert texts[0] == "Hello"
        assert texts[1].startswith("word0")
        assert WORDS[-1].strip() not in texts[1], "it was not heard to its end"
