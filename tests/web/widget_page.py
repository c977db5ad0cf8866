"""Opens the widget on a host page and looks into it; its events are kept in the page as `heard`."""

from __future__ import annotations

from typing import Any

from tests.web.host_page import Host

# The host page's own module: it keeps the widget's events, as any page could, at the document.
KEEP_EVENTS = """
window.heard = [];
for (const name of ["open", "close", "message", "tool", "error"]) {
  document.addEventListener(`realtime-${name}`, ({ detail, target }) => heard.push({ ...detail, name, at: target.id }));
}
"""
ELEMENT = "document.querySelector('realtime-voice')"


async def open_widget(open_page: Any, host: Host, **context: Any) -> Any:
    """The host page with a defined widget."""
    host.script = KEEP_EVENTS + host.script
    page = await open_page(host.url, **context)
    await page.wait_for_function(
        "() => Boolean(customElements.get('realtime-voice')) && Boolean(window.heard)"
    )
    return page


async def on(page: Any, code: str) -> Any:
    """Run code with `element`, the first widget, and `root`, what is in it."""
    return await page.evaluate(
        f"async () => {{ const element = {ELEMENT}, root = element?.shadowRoot; {code} }}"
    )


async def until(page: Any, condition: str) -> None:
    """Wait until a condition over `element` and `root` is true."""
    await page.wait_for_function(
        f"() => {{ const element = {ELEMENT}, root = element?.shadowRoot; return {condition}; }}"
    )


async def heard(page: Any, name: str, count: int = 1) -> list[dict[str, Any]]:
    """The first events of this name, as soon as there are so many."""
    await page.wait_for_function(
        "({ name, count }) => heard.filter((one) => one.name === name).length >= count",
        arg={"name": name, "count": count},
    )
    return list(await page.evaluate("(name) => heard.filter((one) => one.name === name)", name))


async def type_(page: Any, text: str) -> None:
    await page.fill("realtime-voice input", text)
    await page.press("realtime-voice input", "Enter")
