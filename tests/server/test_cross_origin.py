"""What pages of other origins may do, with the headers that browsers send: modules, worklets, preflights, answers."""

import aiohttp
import pytest

from realtime.server.origins import embeddable
from tests.adversarial.raw_http import exchange, head
from tests.server.harness import open_harness

APP = "https://app.example"
ALLOWED = [APP, "http://localhost:3000"]
REFUSED = ["https://evil.example", "http://app.example", "null", ""]
MODULES = ["/sdk/realtime.js", "/sdk/worklets/player.js"]
FOR_PAGES = {
    "/v1/capabilities": "GET",
    "/v1/voice_samples/English_Graceful_Lady": "GET",
    "/v1/realtime/client_secrets": "POST",
    "/v1/conversations": "GET",
}


async def ask(url: str, method: str, path: str, **headers: str):
    """Status, headers and text of an answer. `Sec_Fetch_Site` is the header of that name."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with aiohttp.ClientSession(url) as http, http.request(method, path, headers=sent) as answer:
        return answer.status, answer.headers, await answer.text("utf-8", "replace")


@pytest.mark.parametrize("path", MODULES)
async def test_modules_and_worklets_load_in_allowed_pages(path):
    """A module script and `addModule` are CORS requests; style sheets of a page with COEP need CORP."""
    async with open_harness(origins=(APP,)) as harness:
        url = harness.server.url
        for origin in ALLOWED:
            status, headers, text = await ask(url, "GET", path, Origin=origin, Sec_Fetch_Mode="cors")
            assert (status, headers["Access-Control-Allow-Origin"]) == (200, origin)
            assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
            assert "javascript" in headers["Content-Type"]
            assert "Origin" in headers["Vary"]
            assert text
            again = await ask(url, "GET", path, Origin=origin, If_None_Match=headers["ETag"])
            assert (again[0], again[1]["Access-Control-Allow-Origin"]) == (304, origin)
        for origin in REFUSED:
            status, headers, text = await ask(url, "GET", path, Origin=origin)
            assert (status, '"origin_not_allowed"' in text) == (403, True), origin
            assert "Access-Control-Allow-Origin" not in headers
            assert "Origin" in headers["Vary"]
        assert (await ask(url, "GET", path))[0] == 200  # the page's own modules, and programs


@pytest.mark.parametrize("path", ["/embed.js", "/widget/none.js", "/sdk/none.js"])
async def test_a_missing_module_is_told_to_an_allowed_page(path):
    async with open_harness(origins=(APP,)) as harness:
        status, headers, text = await ask(harness.server.url, "GET", path, Origin=APP)
        assert status in (200, 404)
        assert headers["Access-Control-Allow-Origin"] == APP
        status, headers, text = await ask(harness.server.url, "GET", path, Origin="https://evil.example")
        assert (status, '"origin_not_allowed"' in text) == (403, True)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("embed.js", True),
        ("sdk/realtime.js", True),
        ("widget/a/b.css", True),
        ("embed.jsx", False),
        ("x/embed.js", False),
        ("sdk", False),
        ("sdk/../demo.js", False),
        ("widget/x/../../index.html", False),
        ("index.html", False),
        ("SDK/realtime.js", False),
    ],
)
def test_which_files_are_for_other_pages(name, expected):
    assert embeddable(name) is expected


async def test_no_other_file_gets_out_through_a_path_with_dots():
    async with open_harness(origins=(APP,)) as harness:
        for path in (
            b"/sdk/../demo.js",
            b"/sdk/%2e%2e/demo.js",
            b"/sdk/..%2fdemo.js",
            b"/sdk%2f..%2fdemo.js",
        ):
            answer = await exchange(harness.server.url, head(b"Origin: " + APP.encode(), path=path))
            assert "access-control-allow-origin" not in answer.headers, path


@pytest.mark.parametrize(("path", "method"), FOR_PAGES.items())
async def test_an_allowed_page_reads_answers_and_errors(path, method):
    async with open_harness(origins=(APP,), api_keys=("k",)) as harness:
        url = harness.server.url
        for credential, status in (("k", 200), ("wrong", 401)):
            got, headers, text = await ask(
                url, method, path, Origin=APP, Authorization=f"Bearer {credential}"
            )
            assert (got, headers["Access-Control-Allow-Origin"]) == (status, APP), text
            assert "Retry-After" in headers["Access-Control-Expose-Headers"]
            assert "Origin" in headers["Vary"]
            assert "Access-Control-Allow-Credentials" not in headers


@pytest.mark.parametrize(("path", "method"), FOR_PAGES.items())
async def test_preflights(path, method):
    async with open_harness(origins=(APP,), api_keys=("k",)) as harness:
        url = harness.server.url
        asked = {"Access_Control_Request_Method": method, "Access_Control_Request_Headers": "authorization"}
        status, headers, text = await ask(url, "OPTIONS", path, Origin=APP, **asked)
        assert (status, text) == (204, "")
        assert headers["Access-Control-Allow-Origin"] == APP
        assert method in headers["Access-Control-Allow-Methods"].split(", ")
        assert "authorization" in headers["Access-Control-Allow-Headers"].lower().split(", ")
        for origin in REFUSED:
            status, headers, text = await ask(url, "OPTIONS", path, Origin=origin, **asked)
            assert (status, '"origin_not_allowed"' in text) == (403, True), origin
            assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize(("path", "method"), FOR_PAGES.items())
async def test_other_sites_cannot_make_a_browser_ask_without_an_origin(path, method):
    """As an image, a sound or a frame would: the browser sends no Origin, but says that it is another site's page."""
    async with open_harness(origins=(APP,)) as harness:
        url = harness.server.url
        for site in ("cross-site", "same-site"):
            status, _, text = await ask(url, method, path, Sec_Fetch_Site=site, Sec_Fetch_Mode="no-cors")
            assert (status, '"origin_not_allowed"' in text) == (403, True)
        for site in ("same-origin", "none"):
            assert (await ask(url, method, path, Sec_Fetch_Site=site))[0] == 200
        assert (await ask(url, method, path, Sec_Fetch_Site="cross-site", Origin=APP))[0] == 200


async def test_a_page_of_an_allowed_origin_connects():
    async with open_harness(origins=(APP,)) as harness:
        async with harness.connect(protocols=("realtime.bin.v1",), headers={"Origin": APP}) as wire:
            await wire.until("session.created")
        status, _, text = await ask(harness.server.url, "GET", "/v1/realtime", Origin="https://evil.example")
        assert (status, '"origin_not_allowed"' in text) == (403, True)


async def test_the_policy_of_our_own_page_stays_strict():
    async with open_harness(origins=(APP,)) as harness:
        _, headers, _ = await ask(harness.server.url, "GET", "/")
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self';")
        assert "unsafe" not in policy
        assert "Cross-Origin-Resource-Policy" not in headers
