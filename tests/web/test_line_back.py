"""The line was away for a moment: the page is back at once, though the browser's kept connections are dead.

Nothing answers on such a connection, and nobody tells the browser: a request on it hangs.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.eventually import eventually
from tests.web.fake_server import RATE, Script, serving
from tests.web.test_page import session_of, speech, type_, wait_for_status

SOON_MS = 1500  # the SDK tries again after half a second
ONE_MORE_MS = 4000  # after two seconds a request is made once more
OPEN = "() => realtimeDebug.voice.connection.state === 'open'"


async def hang(page: Any, address: str, times: int = 1000) -> None:
    async def forget(_: Any) -> None:
        """Neither answered nor refused."""

    await page.route(address, forget, times=times)


async def test_a_connection_does_not_wait_for_what_is_known(open_page: Any) -> None:
    async with serving(Script(reply=speech(1)[:RATE])) as server:
        page = await open_page(server.url, device=False)
        await type_(page, "Hello")
        session = await session_of(server)
        await page.wait_for_function(OPEN)
        await hang(page, "**/readyz")
        session.socket._req.transport.abort()
        await page.wait_for_function("() => realtimeDebug.voice.connection.state === 'waiting'")
        await page.wait_for_function(OPEN, timeout=SOON_MS)


@pytest.mark.parametrize(("address", "key"), [("**/readyz", None), ("**/client_secrets", "one")])
async def test_what_a_connection_waits_for_is_asked_again(
    open_page: Any, address: str, key: str | None
) -> None:
    async with serving(Script(key=key, reply=speech(1)[:RATE])) as server:
        page = await open_page(server.url, device=False)
        await page.evaluate("sessionStorage.setItem('realtime.key', 'one')")
        await hang(page, address, times=1 if key else 2)  # /readyz: also as the page begins
        await page.reload()
        await type_(page, "Hello")
        await page.wait_for_function(OPEN, timeout=ONE_MORE_MS)


async def test_a_server_that_was_started_again_without_keys_needs_none(open_page: Any) -> None:
    """What was known is not true any more: the refusal tells."""
    script = Script(key="one", reply=speech(1)[:RATE])
    async with serving(script) as server:
        page = await open_page(server.url, device=False)
        await wait_for_status(page, "Press to talk")
        script.key = None
        await type_(page, "Hello")
        await page.click("#key-cancel")
        await page.evaluate("() => realtimeDebug.voice.connect()")
        await page.wait_for_function(OPEN)


async def test_a_server_that_was_started_again_with_a_key_asks_for_it(open_page: Any) -> None:
    script = Script(reply=speech(1)[:RATE])
    async with serving(script) as server:
        page = await open_page(server.url, device=False)
        await wait_for_status(page, "Press to talk")
        script.key = "one"
        await type_(page, "Hello")
        await page.fill("#key", "one")
        await page.keyboard.press("Enter")
        await page.wait_for_function(OPEN)
        await eventually(lambda: server.sessions, "a session")
