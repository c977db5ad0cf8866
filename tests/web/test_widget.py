"""The widget on a page of another origin with a strict policy: talk, typed turns, tools, life in the page, sizes and words."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.eventually import eventually
from tests.web.fake_server import RATE, Script, Session, serving
from tests.web.host_page import hosting
from tests.web.test_page import MIC_RATE, session_of, speech
from tests.web.voice_input import replace_microphone, say
from tests.web.widget_page import heard, on, open_widget, type_, until

WEB = Path(__file__).parents[2] / "web"
OPEN = "<realtime-voice open></realtime-voice>"
TEXT_OF = "root.querySelector('.list').innerText"
MARKUP = ("<img src=x onerror='window.ran=1'>", " and <b>bold</b>", "<script>window.ran=1</script>")


def tone(seconds: float = 0.3) -> np.ndarray:
    return (np.sin(np.arange(int(seconds * RATE)) / 20) * 4000).astype(np.int16)


def test_size() -> None:
    """Beyond the SDK the widget stays under 30 kB, each file compressed by itself as a server sends it."""
    files = [WEB / "embed.js", *sorted((WEB / "widget").glob("*.js"))]
    assert len(files) > 5
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) < 30_000


async def test_talk(open_page: Any) -> None:
    """Speech goes to the server, the answer is heard, and the page is told both sides; nothing breaks the page's policy."""
    async with serving(Script(reply=tone())) as server, hosting(server.url) as host:
        page = await open_widget(open_page, host)
        await replace_microphone(page)
        await page.click("realtime-voice .launch")
        await page.click("realtime-voice .talk")
        await until(page, "root.querySelector('.panel').dataset.status === 'listening'")
        await say(page, speech(0, MIC_RATE))
        messages = await heard(page, "message", 2)
        assert [(one["role"], one["text"]) for one in messages] == [
            ("user", "What time is it?"),
            ("assistant", "Well, here you are."),
        ]
        assert (await session_of(server)).received
        await until(page, "!root.querySelector('.unheard')")
        assert await page.evaluate("heard[0].name") == "open"


async def test_an_answer_stopped_at_its_end_is_told_whole(open_page: Any) -> None:
    """Where nothing was left to throw away, the server says nothing of a cut."""
    script = Script(reply=tone(60), settles=False)
    async with serving(script) as server, hosting(server.url, element=OPEN) as host:
        page = await open_widget(open_page, host)
        await type_(page, "Tell me something")
        await until(page, "root.querySelectorAll('.assistant .text span:not(.unheard)').length >= 1")
        await page.click("realtime-voice .side[part=stop]")
        [_, answer] = await heard(page, "message", 2)
        assert not answer["interrupted"]


async def test_markup_is_text(open_page: Any) -> None:
    """What a person or a model writes is shown as it is, and never executed."""
    script = Script(reply=tone(0.1), reply_words=MARKUP)
    async with serving(script) as server, hosting(server.url, element=OPEN) as host:
        page = await open_widget(open_page, host)
        await type_(page, MARKUP[0])
        [mine, answer] = await heard(page, "message", 2)
        assert [mine["text"], answer["text"]] == [MARKUP[0], "".join(MARKUP)]
        shown = await on(page, f"return {TEXT_OF}")
        assert shown.count(MARKUP[0]) == 2
        assert MARKUP[2] in shown
        assert await on(page, "return root.querySelectorAll('.list :is(img, b, script)').length") == 0
        assert await page.evaluate("window.ran") is None


async def test_attributes_and_their_changes(open_page: Any) -> None:
    """Attributes are the settings of the session; a change while it runs is sent, and stays after the next connect."""
    element = '<realtime-voice open voice="calm" language="de-DE" instructions="Be kind."></realtime-voice>'
    async with serving(Script(reply=tone(0.1))) as server, hosting(server.url, element=element) as host:
        page = await open_widget(open_page, host)
        await type_(page, "Hello")
        session = await session_of(server)
        await eventually(lambda: session.of("session.update"), "the settings")
        first = session.of("session.update")[0]["session"]
        assert first["instructions"] == "Be kind."
        assert first["audio"]["output"] == {"voice": "calm"}
        assert first["audio"]["input"]["transcription"] == {"language": "de"}
        await on(page, "element.setAttribute('voice', 'bright')")
        await eventually(lambda: len(session.of("session.update")) > 1, "the change")
        assert session.of("session.update")[-1]["session"]["audio"]["output"] == {"voice": "bright"}
        await heard(page, "message", 2)
        await on(page, "await element.stop()")
        await type_(page, "Again")
        again = await session_of(server, 1)
        await eventually(lambda: again.of("session.update"), "the settings")
        assert again.of("session.update")[0]["session"]["audio"]["output"] == {"voice": "bright"}


TOOLS = """
const element = document.querySelector("realtime-voice");
element.tools = [{ name: "stock", description: "How many there are.", parameters: { type: "object" }, run: ({ plant }) => ({ plant, count: 7 }) }];
element.tool?.({ name: "broken", run: () => { throw new Error("<b>no</b>"); } });
"""


async def call(session: Session, name: str, arguments: str, number: int) -> None:
    """The model calls a tool."""
    ids = {
        "response_id": f"resp_T{number}",
        "item_id": f"item_F{number}",
        "output_index": 0,
        "call_id": f"call_{number}",
    }
    await session.send("response.function_call_arguments.done", **ids, name=name, arguments=arguments)
    response = {
        "id": ids["response_id"],
        "status": "completed",
        "output": [],
        "conversation_id": session.conversation,
    }
    await session.send("response.done", response=response)


async def test_tools_of_the_page(open_page: Any) -> None:
    """A tool runs in the page and its result goes to the model, an error too; tools set before the element is defined count."""
    async with serving(Script(reply=tone(0.1))) as server:
        # The page's module comes first here: its element is not defined yet.
        early = f"{OPEN}<script type=module src=page.js></script>"
        async with hosting(server.url, element=early, script=TOOLS) as host:
            page = await open_widget(open_page, host)
            await on(page, "element.tool({ name: 'broken', run: () => { throw new Error('<b>no</b>'); } })")
            await type_(page, "Hello")
            await heard(page, "message", 2)
            session = await session_of(server)
            offered = [
                event["session"]["tools"]
                for event in session.of("session.update")
                if "tools" in event["session"]
            ]
            assert {tool["name"] for tool in offered[-1]} == {"stock", "broken"}
            await call(session, "stock", '{"plant":"fern"}', 1)
            assert (await heard(page, "tool"))[0]["result"] == {"plant": "fern", "count": 7}
            await eventually(lambda: len(session.of("response.create")) == 2, "the next answer")
            await heard(page, "message", 3)
            await call(session, "broken", "{}", 2)
            assert (await heard(page, "tool", 2))[1]["error"] == "<b>no</b>"
            await eventually(lambda: len(session.of("response.create")) == 3, "the answer to the error")
            items = [event["item"] for event in session.of("conversation.item.create")]
            outputs = [json.loads(item["output"]) for item in items if item["type"] == "function_call_output"]
            assert outputs[0] == {"plant": "fern", "count": 7}
            assert "no" in json.dumps(outputs[1])


async def test_greeting(open_page: Any) -> None:
    """The assistant speaks first when a person starts to talk, once."""
    element = '<realtime-voice open greeting="Welcome to the shop"></realtime-voice>'
    async with serving(Script(reply=tone(0.1))) as server, hosting(server.url, element=element) as host:
        page = await open_widget(open_page, host)
        assert await on(page, "return root.querySelector('.lead').textContent") == "Welcome to the shop"
        await page.click("realtime-voice .talk")
        session = await session_of(server)
        await eventually(lambda: session.of("response.create"), "the greeting")
        assert "Welcome to the shop" in session.of("response.create")[0]["response"]["instructions"]
        await heard(page, "message")
        assert len(session.of("response.create")) == 1


async def test_removed_and_added_again(open_page: Any) -> None:
    """Moved, it goes on; removed, it ends microphone, socket and audio; added again, it goes on with the conversation."""
    async with serving(Script(reply=tone(0.1))) as server, hosting(server.url, element=OPEN) as host:
        page = await open_widget(open_page, host)
        await page.click("realtime-voice .talk")
        await until(
            page, "element.voice.microphone.state === 'on' && element.voice.connection.state === 'open'"
        )
        await on(page, "window.kept = element; document.body.append(element);")
        assert await on(page, "return [element.voice.microphone.state, element.voice.connection.state]") == [
            "on",
            "open",
        ]
        await type_(page, "Hello")
        await heard(page, "message", 2)
        await on(page, "window.context = element.voice.player.context; element.remove();")
        await page.wait_for_function("() => window.context.state === 'closed'")
        state = await page.evaluate("[kept.voice.microphone.state, kept.voice.connection.state]")
        assert state == ["off", "closed"]
        session = await session_of(server)
        await eventually(lambda: session.socket.closed, "the closed socket")
        await page.evaluate("document.body.append(kept)")
        assert "Hello" in await on(page, f"return {TEXT_OF}")
        await type_(page, "Once more")
        again = await session_of(server, 1)
        await eventually(lambda: len(again.of("conversation.item.create")) == 3, "the conversation")
        assert [event["item"]["role"] for event in again.of("conversation.item.create")] == [
            "user",
            "assistant",
            "user",
        ]


async def test_two_on_one_page(open_page: Any) -> None:
    """They share one AudioContext, only one of them has the microphone, and none takes the focus from the page that loads."""
    elements = '<realtime-voice id="a" mode="inline"></realtime-voice><realtime-voice id="b" mode="inline"></realtime-voice>'
    async with serving(Script(reply=tone(0.1))) as server, hosting(server.url, element=elements) as host:
        page = await open_widget(open_page, host)
        assert await page.evaluate("document.activeElement === document.body")
        await page.evaluate("""() => { window.opened = 0; const Own = AudioContext;
            window.AudioContext = class extends Own { constructor(...all) { super(...all); window.opened += 1; } }; }""")
        await page.click("#a .talk")
        await page.wait_for_function("() => a.voice.microphone.state === 'on'")
        await page.evaluate("() => b.say('Hello')")
        await page.wait_for_function(
            "() => heard.filter(({ at, name }) => at === 'b' && name === 'message').length === 2"
        )
        assert await page.evaluate("() => a.voice.player.context === b.voice.player.context")
        assert await page.evaluate("opened") == 1
        await page.click("#b .talk")
        await page.wait_for_function(
            "() => b.voice.microphone.state === 'on' && a.voice.microphone.state === 'off'"
        )
