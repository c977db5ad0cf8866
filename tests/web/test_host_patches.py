"""The widget on pages that have changed what the browser gives, and with secrets that expire on their way."""

from __future__ import annotations

from typing import Any

from tests.web.fake_server import Script, serving
from tests.web.host_page import hosting
from tests.web.test_widget import OPEN, tone
from tests.web.widget_page import heard, open_widget, type_

WITH_TOKEN = OPEN.replace(" open", ' open token-url="/token"')
EARLY = f"{WITH_TOKEN}<script type=module src=page.js></script>"  # before the widget
PATCHES = """
Array.prototype.last = function () { return this[this.length - 1]; };
String.prototype.has = function (part) { return this.includes(part); };
const { fetch: ownFetch, WebSocket: OwnSocket, Promise: OwnPromise } = window;
window.fetch = (address, options) => ownFetch(address.startsWith("/") ? location.origin + address : address, options);
window.WebSocket = function (address, protocols) {
  window.patched = address.slice(0, 5);
  return new OwnSocket(address, protocols);
};
window.Promise = class extends OwnPromise {};
document.querySelector("realtime-voice").tools = [{ name: "now", run: () => 1 }];
"""


async def test_a_page_that_has_patched_the_browser(open_page: Any) -> None:
    """As old libraries and today's monitoring do: enumerable additions, and wrappers that expect an address as text."""
    async with (
        serving(Script(reply=tone(0.1))) as server,
        hosting(server.url, element=EARLY, script=PATCHES, token=(200, {"value": "ek_1"})) as host,
    ):
        page = await open_widget(open_page, host)
        await type_(page, "Hello")
        assert [one["role"] for one in await heard(page, "message", 2)] == ["user", "assistant"]
        assert await page.evaluate("patched") == "ws://"


async def test_an_expired_secret_is_replaced(open_page: Any) -> None:
    """The backend may keep one for a while, or it expires on its way: another one is asked for, and nobody sees it."""
    async with (
        serving(Script(key="one", reply=tone(0.1))) as server,
        hosting(server.url, element=WITH_TOKEN, token=(200, {"value": "ek_old"})) as host,
    ):
        page = await open_widget(open_page, host)
        secrets = ["ek_old", "ek_0000"]  # the second one is good
        await page.route("**/token", lambda route: route.fulfill(json={"value": secrets.pop(0)}))
        await type_(page, "Hello")
        assert (await heard(page, "message", 2))[0]["text"] == "Hello"
        assert secrets == []
        assert await page.evaluate("heard.filter(({ name }) => name === 'error')") == []


async def test_a_secret_that_stays_expired_is_refused(open_page: Any) -> None:
    """The same one again opens no second socket: there would be no end of it."""
    async with (
        serving(Script(key="one")) as server,
        hosting(server.url, element=WITH_TOKEN, token=(200, {"value": "ek_old"})) as host,
    ):
        page = await open_widget(open_page, host)
        await type_(page, "Hello")
        assert (await heard(page, "error"))[0]["code"] == "key"
        assert (host.tokens, len(server.subprotocols)) == (2, 1)
