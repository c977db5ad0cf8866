"""What the page sets of the session: `sdk/settings.js`, the properties of `Realtime`, and the value that frameworks compare."""

from __future__ import annotations

from typing import Any

import pytest

from tests.eventually import eventually
from tests.web.fake_server import serving

SETTINGS = """async ({ fields, script }) => {
    const { Settings } = await import("/sdk/settings.js");
    const sent = [], got = [], line = { open: false };
    let session = null, own = [];
    const settings = new Settings({
        fields, send: (event) => line.open && Boolean(sent.push(event)), session: () => session, tools: () => own });
    for (const [verb, value] of script) {
        if (verb === "open") { line.open = true; settings.configure(); }
        if (verb === "resume") { line.open = true; settings.handle({ type: "session.resumed" }); }
        if (verb === "close") line.open = false;
        if (verb === "update") settings.update(value);
        if (verb === "change") settings.change(...value);
        if (verb === "updated") { session = value; settings.handle({ type: "session.updated" }); }
        if (verb === "refused") settings.handle({ type: "error", error: { event_id: value } });
        if (verb === "tools") { own = value; settings.toolsChanged(); }
        if (verb === "get") got.push(settings.get(...value));
    }
    return { sent: sent.map(({ session: { type, ...rest } }) => rest), ids: sent.map((event) => event.event_id), got,
        fields: settings.fields };
}"""
SPEED = ["audio", "output", "speed"]


def speed(value: float) -> dict[str, Any]:
    return {"audio": {"output": {"speed": value}}}


async def run(page: Any, script: list[Any], fields: Any = None) -> dict[str, Any]:
    result: dict[str, Any] = await page.evaluate(SETTINGS, {"fields": fields, "script": script})
    return result


async def test_updates_merge_by_the_rules_of_the_wire(page: Any) -> None:
    """Down to audio.input and audio.output key by key, deeper as a whole; the noise reduction keeps its keys."""
    first = {"instructions": "a", "audio": {"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "low"},
             "noise_reduction": {"type": "far_field"}}, "output": {"voice": "x"}}}  # fmt: skip
    second = {"audio": {"input": {"turn_detection": {"type": "server_vad"}, "noise_reduction": {"strength": 1}},
              "output": {"speed": 1.2}}}  # fmt: skip
    result = await run(page, [["update", second]], first)
    assert result["fields"] == {
        "instructions": "a",
        "audio": {"input": {"turn_detection": {"type": "server_vad"},
                  "noise_reduction": {"type": "far_field", "strength": 1}}, "output": {"voice": "x", "speed": 1.2}},
    }  # fmt: skip


async def test_what_was_set_is_sent_now_and_to_every_new_session(page: Any) -> None:
    script = [["open"], ["updated", {}], ["update", speed(1.2)], ["updated", {}], ["close"], ["open"]]
    result = await run(page, script, {"instructions": "a"})
    assert result["sent"] == [{"instructions": "a"}, speed(1.2), {"instructions": "a"} | speed(1.2)]


async def test_what_the_server_refuses_is_taken_back(page: Any) -> None:
    """The rest is kept, and the next session does not get the refused value."""
    script = [["open"], ["update", speed(9)], ["update", {"instructions": "b"}], ["get", SPEED], ["refused", "settings_1"],
              ["updated", {"instructions": "b"} | speed(1)], ["get", SPEED], ["close"], ["open"]]  # fmt: skip
    result = await run(page, script)
    assert result["got"] == [9, 1]
    assert result["sent"][-1] == {"instructions": "b"}


async def test_without_a_session_what_was_set_is_read(page: Any) -> None:
    script = [
        ["get", SPEED],
        ["update", speed(1.1)],
        ["get", SPEED],
        ["update", {"instructions": ""}],
        ["get", SPEED],
    ]
    assert (await run(page, script))["got"] == [None, 1.1, 1.1]


async def test_a_resumed_session_gets_only_what_was_set_meanwhile(page: Any) -> None:
    script = [["open"], ["update", speed(1.2)], ["close"], ["update", {"instructions": "b"}], ["resume"]]
    result = await run(page, script)
    assert result["sent"] == [speed(1.2), {"instructions": "b"}]


async def test_keys_of_a_whole_object_are_changed_over_what_is_there(page: Any) -> None:
    """Two changes before the first answer do not lose one another."""
    turn = {"audio": {"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "low"}}}}
    script = [["open"], ["update", {}], ["updated", turn], ["change", ["turn_detection", {"interrupt_response": False}]],
              ["change", ["turn_detection", {"eagerness": "high"}]]]  # fmt: skip
    last = (await run(page, script))["sent"][-1]["audio"]["input"]["turn_detection"]
    assert last == {"type": "semantic_vad", "eagerness": "high", "interrupt_response": False}


async def test_turn_detection_that_is_off_stays_off(page: Any) -> None:
    """Whether the server said so, or the page and nobody has answered; what is not known yet is set."""
    off = {"audio": {"input": {"turn_detection": None}}}
    change = ["change", ["turn_detection", {"interrupt_response": False}]]
    assert (await run(page, [["open"], ["updated", off], change]))["sent"] == []
    assert (await run(page, [["update", off], change, ["open"]]))["sent"] == [off]
    assert (await run(page, [change], off))["fields"] == off
    on = {"audio": {"input": {"turn_detection": {"interrupt_response": False}}}}
    assert (await run(page, [["open"], change]))["sent"] == [on]


async def test_functions_of_the_page_join_the_tools_of_the_session(page: Any) -> None:
    """Of two with one name the page's is offered; when the last one is removed, the session's are left."""
    own, other = {"type": "function", "name": "a"}, {"type": "function", "name": "b"}
    fields = {"tools": [other, {"type": "function", "name": "a", "description": "old"}]}
    script = [
        ["tools", [own]],
        ["open"],
        ["updated", {}],
        ["tools", []],
        ["updated", {}],
        ["update", speed(1)],
    ]
    result = await run(page, script, fields)
    assert result["sent"] == [{"tools": [other, own]}, fields, speed(1)]


# --- the whole SDK, in front of the scripted server ---

REALTIME = """const { Realtime } = await import("/sdk/realtime.js");
    const voice = new Realtime({ url: location.origin.replace("http", "ws") + "/v1/realtime", ...options });"""


async def test_properties_and_tools_reach_the_server(open_page: Any) -> None:
    """Set before the connection and after it."""
    async with serving() as server:
        page = await open_page(f"{server.url}/icon.svg")
        await page.evaluate(f"""async (options) => {{ {REALTIME}
            window.voice = voice;
            voice.voice = "x"; voice.instructions = "Be brief.";
            voice.tool({{ name: "t", run: () => 1 }});
            voice.connect();
        }}""", {})  # fmt: skip
        await eventually(lambda: server.sessions and len(server.sessions[0].of("session.update")) >= 3)
        await page.evaluate("voice.speed = 1.2")
        updates = server.sessions[0].of("session.update")
        await eventually(
            lambda: (
                server.sessions[0].of("session.update")[-1]["session"].get("audio")
                == {"output": {"speed": 1.2}}
            )
        )
        assert updates[0]["session"]["tools"][0]["name"] == "t"
        assert [update["session"].get("instructions") for update in updates[1:3]] == [None, "Be brief."]


@pytest.mark.parametrize("credential", ['"ek_0001"', 'async () => "ek_0001"', '() => "ek_0001"'])
async def test_a_credential_is_a_text_or_a_function(open_page: Any, credential: str) -> None:
    async with serving() as server:
        page = await open_page(f"{server.url}/icon.svg")
        await page.evaluate(
            f"""async () => {{ const options = {{ credential: {credential} }}; {REALTIME} voice.connect(); }}"""
        )
        await eventually(lambda: server.subprotocols)
        assert "openai-insecure-api-key.ek_0001" in server.subprotocols[0]


async def test_pictures_are_sent_with_the_words(open_page: Any) -> None:
    """As data URIs, in order; a message with a picture alone has no text part. Offline ones come with the next session."""
    async with serving() as server:
        page = await open_page(f"{server.url}/icon.svg")
        await page.evaluate(f"""async (options) => {{ {REALTIME}
            const blob = new Blob(["x"], {{ type: "image/png" }});
            await voice.say({{ text: "What is this?", images: [blob, "data:image/png;base64,QQ=="] }});
            await voice.say({{ images: [blob] }});
        }}""", {})  # fmt: skip
        await eventually(
            lambda: server.sessions and len(server.sessions[0].of("conversation.item.create")) == 2
        )
        first, second = (
            event["item"]["content"] for event in server.sessions[0].of("conversation.item.create")
        )
        picture = {"type": "input_image", "image_url": "data:image/png;base64,eA=="}
        assert first == [
            {"type": "input_text", "text": "What is this?"},
            picture,
            picture | {"image_url": "data:image/png;base64,QQ=="},
        ]
        assert second == [picture]


async def test_a_snapshot_is_the_same_object_until_something_changes(open_page: Any) -> None:
    """As useSyncExternalStore wants it: neither function needs `this`."""
    async with serving() as server:
        page = await open_page(f"{server.url}/icon.svg")
        made = await page.evaluate(f"""async (options) => {{ {REALTIME}
            const {{ subscribe, snapshot }} = voice;
            const first = snapshot();
            let calls = 0;
            const same = first === snapshot();
            const end = subscribe(() => calls++);
            voice.mute(true);
            const second = snapshot();
            await null; await null;
            const told = calls;
            end(); voice.mute(false); await null; await null;
            return [same, second !== first, second.microphone.muted, second.connection === first.connection,
                second === voice.snapshot(), told, calls, Object.isFrozen(second)];
        }}""", {})  # fmt: skip
        assert made == [True, True, True, True, False, 1, 1, True]
