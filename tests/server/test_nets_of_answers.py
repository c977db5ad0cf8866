"""What breaks while an answer begins, beyond its handler, is an answer too: in a server alone, and in an application."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from realtime.metrics import Metrics
from realtime.server.access import Access
from realtime.server.app import realtime_app
from realtime.server.front_door import guard
from realtime.server.state import ACCESS, DOOR, SETTINGS
from realtime.server.story import Door
from realtime.settings import Settings
from tests.adversarial.raw_http import everything_logged, exchange, head
from tests.server.harness import open_harness

NAMES = (b"If-Modified-Since", b"If-Unmodified-Since", b"If-Range")
DATES = (
    b"Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
    b"Mon, 01 Jan 2024 99999999999999999999:00:00 GMT",
    b"Mon, 99999999999999999999 Jan 2024 00:00:00 GMT",
)
QUIET = Settings(api_key="x", base_url="http://127.0.0.1:1", transcriber="none", voice_detector="none")


@asynccontextmanager
async def embedded(*middlewares) -> AsyncIterator[str]:
    """The address of an application with these middlewares that has the server at /voice/."""
    app = web.Application(middlewares=middlewares)
    app.add_subapp("/voice/", realtime_app(QUIET))
    async with TestServer(app) as server:
        yield f"http://127.0.0.1:{server.port}"


@web.middleware
async def named(request, handler):
    """As applications have them: a header for every answer, after its handler."""
    answer = await handler(request)
    answer.headers["X-Application"] = "theirs"
    return answer


async def test_dates_that_no_calendar_has_are_refused_and_cost_no_line_of_the_log():
    dates = [(name, date) for name in NAMES for date in DATES]

    async def ask(url: str, path: bytes) -> None:
        for name, date in dates:
            answer = await exchange(url, head(name + b": " + date, b"Range: bytes=0-5", path=path))
            assert answer.status == 400, (name, date)
            assert answer.error["code"] == "invalid_request"

    with everything_logged() as told:
        async with open_harness() as harness:
            await ask(harness.server.url, b"/")
            await ask(harness.server.url, b"/sdk/realtime.js")
            good = await exchange(harness.server.url, head(b"If-Modified-Since: garbage", path=b"/"))
            assert good.status == 200
        for middlewares in ((), (named,)):
            async with embedded(*middlewares) as url:
                await ask(url, b"/voice/")
    assert not [record for record in told.records if record.levelno >= logging.WARNING]


async def test_the_redirect_to_the_page_leaves_the_query_as_it_was_written():
    queries = [
        b"a=1", b"a=%0d%0aSet-Cookie:%20x=1", b"a=%0a", b"a=%00", b"a=%25", b"a=%23frag", b"a=b%26c%3Dd", b"name=Zo%C3%AB",
        b"a=%ff", b"a=%zz", b"a=%", b"lang=zh&x=%E4%BD%A0", b"a=1?b=2/3", b"a=b+c", b"url=https://a.example/@x:1,2;3",
    ]  # fmt: skip
    async with embedded() as url:
        for query in queries:
            answer = await exchange(url, head(path=b"/voice?" + query))
            assert (answer.status, answer.headers["location"]) == (307, "voice/?" + query.decode())


async def test_the_redirect_is_ascii_whatever_came():
    async with embedded() as url:
        for query, sent in (
            (b"a=\xe4\xbd\xa0", "a=%E4%BD%A0"),
            (b"a=\xff", "a=%FF"),
            (b'a="<>"', "a=%22%3C%3E%22"),
        ):
            answer = await exchange(url, head(path=b"/voice?" + query))
            if answer.status != 400:  # a parser in Python lets them through
                assert (answer.status, answer.headers["location"]) == (307, "voice/?" + sent)


async def test_middlewares_around_the_server_still_change_its_answers():
    async with embedded(named) as url:
        for path in (b"/voice/", b"/voice/healthz", b"/voice/nowhere"):
            answer = await exchange(url, head(path=path))
            assert answer.headers["x-application"] == "theirs", path


async def test_an_answer_that_cannot_begin_is_a_500_and_of_many_only_some_are_logged(caplog):
    async def broken(request: web.Request) -> web.Response:
        return web.Response(headers={"X-Words": "two\nlines"})

    async def hook(request: web.Request, response: web.StreamResponse) -> None:
        if request.path == "/hook" and response.status == 200:
            raise KeyError("words")

    async def fine(request: web.Request) -> web.Response:
        return web.Response(text="fine")

    app = web.Application(middlewares=[guard(open_handlers=())])
    app[SETTINGS], app[ACCESS], app[DOOR] = QUIET, Access((), None), Door(Metrics())
    app.on_response_prepare.append(hook)
    app.router.add_get("/broken", broken)
    app.router.add_get("/hook", fine)
    app.router.add_get("/fine", fine)
    async with TestServer(app) as server:
        for path in (b"/broken", b"/hook"):
            for _ in range(30):
                answer = await exchange(f"http://127.0.0.1:{server.port}", head(path=path))
                assert (answer.status, answer.error["code"]) == (500, "internal_error")
        assert (await exchange(f"http://127.0.0.1:{server.port}", head(path=b"/fine"))).body == b"fine"
    logged = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert {record.getMessage() for record in logged} == {"a request failed"}
    assert len(logged) == 2 * 10  # each kind of error is counted alone


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
async def test_a_file_is_sent_once(method: bytes):
    async with open_harness() as harness:
        first = await exchange(harness.server.url, head(path=b"/sdk/realtime.js", method=method))
        again = head(
            b"If-None-Match: " + first.headers["etag"].encode(), path=b"/sdk/realtime.js", method=method
        )
        assert (await exchange(harness.server.url, again)).status == 304
        part = await exchange(
            harness.server.url, head(b"Range: bytes=0-5", path=b"/sdk/realtime.js", method=method)
        )
        assert (first.status, part.status) == (200, 206)
        assert part.body == first.body[:6]
