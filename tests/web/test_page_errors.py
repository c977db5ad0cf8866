"""What the talk page does when something is missing, refused or lost."""

from __future__ import annotations

import re
from typing import Any

from tests.eventually import eventually
from tests.web.fake_server import RATE, FakeServer, Script, serving
from tests.web.test_page import arrived, session_of, speech, type_, wait_for_status, wait_until_played


async def test_permission_denied(open_page: Any) -> None:
    """The page says that permission is missing, and what to do; the button can be pressed again."""
    async with serving() as server:
        page = await open_page(server.url, prompt="deny")
        await page.click("#talk")
        await wait_for_status(page, "No microphone permission")
        assert "Allow it next to the address" in await page.inner_text("[data-id=microphone]")
        assert await page.inner_text("#talk-label") == "Start talking"


async def test_no_microphone(open_page: Any) -> None:
    """A missing microphone has another text than a missing permission."""
    async with serving() as server:
        page = await open_page(server.url, device=False)
        await page.click("#talk")
        await wait_for_status(page, "No microphone found")


async def test_microphone_audio_is_processed(open_page: Any) -> None:
    """The page requests echo cancellation, noise suppression and gain control by default."""
    async with serving() as server:
        page = await open_page(server.url)
        await page.evaluate("""() => {
            const original = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
            navigator.mediaDevices.getUserMedia = async (constraints) => {
                const stream = await original(constraints);
                window.got = stream.getAudioTracks()[0].getSettings();
                return stream;
            };
        }""")
        await page.click("#talk")
        await wait_for_status(page, "Listening")
        got = await page.evaluate("got")
        assert got["echoCancellation"]
        assert got["noiseSuppression"]
        assert got["autoGainControl"]


async def test_reconnecting_after_a_lost_connection(open_page: Any) -> None:
    """The page shows a countdown, reconnects, creates the conversation again, and continues to listen."""
    server = FakeServer(Script(reply=speech(1)[:RATE]))
    await server.start()
    try:
        page = await open_page(server.url)
        await page.click("#talk")
        await wait_for_status(page, "Listening")
        await type_(page, "Remember me")
        await wait_until_played(server.sessions[0])
        await server.stop()
        await wait_for_status(page, "Connection lost. Reconnecting in")
        await server.start()
        await session_of(server, 1)
        # "Listening" comes first: speech is kept until the session has its items, which may still be on their way
        await wait_for_status(page, "Listening")

        def rebuilt() -> Any:
            """On a busy machine a session may be silent for so long that the page gives it up and begins another."""
            found = (each for each in server.sessions[1:] if len(each.of("conversation.item.create")) == 2)
            return next(found, None)

        session = await eventually(rebuilt, "the conversation so far")
        await arrived(page, session)
        texts = [e["item"]["content"][0]["text"] for e in session.of("conversation.item.create")]
        assert texts == ["Remember me", "Well, here you are."]
        assert not session.of("response.create")
        await eventually(lambda: session.received, "microphone audio on the new connection")
        assert await page.locator(".caption").count() == 2
    finally:
        await server.stop()


async def test_connecting_to_an_unreachable_server(open_page: Any) -> None:
    """The server stops before the first connection: the page shows a countdown and connects later."""
    server = FakeServer(Script())
    await server.start()
    try:
        page = await open_page(server.url)
        await wait_for_status(page, "Press to talk")
        await server.stop()
        await page.click("#talk")
        await wait_for_status(page, "Server unreachable. Trying again in")
        await server.start()
        await wait_for_status(page, "Listening")
    finally:
        await server.stop()


async def test_key_is_requested_and_exchanged_for_a_secret(open_page: Any) -> None:
    """A wrong key is rejected. The page exchanges the correct one for a short-lived secret to open the socket."""
    async with serving(Script(key="correct-key")) as server:
        page = await open_page(server.url)
        await page.click("#talk")
        await page.wait_for_selector("#key-dialog[open]")
        await page.fill("#key", "wrong")
        await page.press("#key", "Enter")
        await page.locator("#key-error", has_text="did not accept").wait_for()
        assert await page.is_visible("#key-dialog")
        await page.fill("#key", "correct-key")
        await page.press("#key", "Enter")
        await wait_for_status(page, "Listening")
        assert server.subprotocols == [["realtime.bin.v1", "realtime", "openai-insecure-api-key.ek_0001"]]
        assert "correct-key" not in await page.content()
        assert await page.evaluate("Object.values(localStorage).length + document.cookie.length") == 0
        await page.reload()
        await page.click("#talk")
        await wait_for_status(page, "Listening")
        assert server.secrets == 2


async def test_an_invalid_secret_opens_the_key_dialog(open_page: Any) -> None:
    """If the server rejects the secret, the page asks for a key and does not retry."""
    async with serving(Script(key="one")) as server:
        page = await open_page(server.url)
        await page.evaluate("sessionStorage.setItem('realtime.key', 'one')")
        await page.route(
            "**/client_secrets", lambda route: route.fulfill(json={"value": "ek_stale", "expires_at": 1})
        )
        await page.clock.install()
        await page.click("#talk")
        await page.wait_for_selector("#key-dialog[open]")
        await page.clock.run_for(60_000)
        assert await page.evaluate("realtimeDebug.voice.connection.state") == "refused"
        assert len(server.subprotocols) == 1


async def test_a_failed_answer_is_shown(open_page: Any) -> None:
    """The page shows the message of a failed response; the next turn works and removes it."""
    error = {"type": "server_error", "code": "upstream_unavailable", "message": "The speech service is down."}
    script = Script(reply=speech(1)[:RATE], fail=error)
    async with serving(script) as server:
        page = await open_page(server.url)
        await type_(page, "Hi")
        await page.wait_for_selector("[data-id=problem]")
        text = await page.inner_text("[data-id=problem]")
        assert text.startswith("The speech service is down.")
        script.fail = None
        await type_(page, "Again")
        await wait_for_status(page, "Speaking")
        assert await page.locator("[data-id=problem]").count() == 0


async def test_error_event_is_shown_and_can_be_dismissed(open_page: Any) -> None:
    """An `error` event becomes a notice with a button."""
    error = {"type": "invalid_request_error", "code": "invalid_value", "message": "That will not do."}
    async with serving(Script(error=error)) as server:
        page = await open_page(server.url)
        await page.click("#talk")
        await page.locator("[data-id=problem]", has_text="That will not do.").wait_for()
        await page.click("[data-id=problem] button")
        await page.wait_for_selector("[data-id=problem]", state="detached")


async def test_permanent_notices(open_page: Any) -> None:
    """Notices for the sandbox and a missing transcriber; nothing of what only the operator can change."""
    missing = [
        {"part": "end-of-turn model", "message": "The turn model is missing: run `realtime setup turn`."}
    ]
    async with serving(Script(ready={"sandbox": True, "transcriber": "none", "missing": missing})) as server:
        page = await open_page(server.url)
        await page.wait_for_selector("[data-id=sandbox]")
        assert "the chat and the voice come from simple emulators" in await page.inner_text(
            "[data-id=sandbox]"
        )
        assert "it has no transcriber" in await page.inner_text("[data-id=deaf]")
        assert "realtime setup" not in await page.inner_text("body"), "that is for the operator"
        assert re.search("MiniMax-M3 · English_Graceful_Lady", await page.inner_text("#server"))
