"""The door: what is sent again, what is not, and what a lost answer is called. Against scripted servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from realtime.errors import AnswerLost, InvalidArgument, ProviderError, ProviderRejected, ProviderUnavailable
from realtime.minimax.door import Door, Pause
from realtime.minimax.http import HttpClient
from realtime.minimax.operations import OPERATIONS, Limit, Operation
from tests.minimax.local_server import serving

CREATE = OPERATIONS["video.create"]  # billed
LIST = OPERATIONS["files.list"]  # not billed
OK: dict[str, Any] = {"base_resp": {"status_code": 0, "status_msg": "success"}, "task_id": "7"}
Step = dict[str, Any] | int | str


def refusal(code: int, message: str = "no") -> dict[str, Any]:
    return {"base_resp": {"status_code": code, "status_msg": message}}


@asynccontextmanager
async def scripted(*steps: Step) -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A server that does one step a request: a JSON answer, a status with an HTML page, or "cut"."""
    seen: list[web.Request] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        await request.read()
        step = steps[min(len(seen), len(steps) - 1)]
        seen.append(request)
        if step == "cut":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if isinstance(step, int):
            return web.Response(status=step, text="<html>gateway</html>", content_type="text/html")
        return web.json_response(step)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", seen
    finally:
        await runner.cleanup()


@asynccontextmanager
async def door_to(url: str, **options: Any) -> AsyncIterator[Door]:
    http = HttpClient(url, "key", group_id=options.pop("group_id", None))
    door = Door(http, jitter=lambda: 0.5, **options)
    waits: list[Pause] = []
    door.on_pause = waits.append
    door.waits = waits  # type: ignore[attr-defined]
    try:
        yield door
    finally:
        await http.aclose()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits are checked by what `on_pause` was told; they pass at once."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    monkeypatch.setattr("realtime.minimax.door.asyncio.sleep", lambda _seconds: sleep(0))


async def test_a_call_gives_the_answer_and_merges_its_query_with_the_group_id():
    async with scripted(OK) as (url, seen), door_to(url, group_id="g1") as door:
        assert (await door.call(LIST, query={"purpose": "voice_clone"}))["task_id"] == "7"
    assert dict(seen[0].query) == {"purpose": "voice_clone", "GroupId": "g1"}
    assert seen[0].headers["Authorization"] == "Bearer key"


async def test_ids_in_a_path_are_quoted():
    async with scripted(OK) as (url, seen), door_to(url) as door:
        await door.call(OPERATIONS["batches.task"], path_values={"batch_id": "a/../b ?"})
    assert seen[0].raw_path == "/v1/batches/a%2F..%2Fb%20%3F"


@pytest.mark.parametrize("trouble", [refusal(1000), refusal(1033), 502, 504, "cut"])
async def test_what_costs_nothing_is_sent_again(trouble: Step):
    async with scripted(trouble, trouble, OK) as (url, seen), door_to(url) as door:
        assert (await door.call(LIST))["task_id"] == "7"
        assert {pause.reason for pause in door.waits} == {"trouble"}
    assert len(seen) == 3  # aiohttp sends a GET whose kept connection was cut again by itself


async def test_it_is_not_sent_for_ever():
    async with scripted(502) as (url, seen), door_to(url) as door:
        with pytest.raises(ProviderUnavailable):
            await door.call(LIST)
    assert len(seen) == 4


@pytest.mark.parametrize("trouble", ["cut", 502, 504, 500])
async def test_a_billed_request_without_an_answer_is_sent_once_and_may_have_been_accepted(trouble: Step):
    async with scripted(trouble, OK) as (url, seen), door_to(url) as door:
        with pytest.raises(AnswerLost, match="may have been accepted"):
            await door.call(CREATE, body={"model": "m"})
    assert len(seen) == 1


@pytest.mark.parametrize("code", [1000, 1001, 1024])
async def test_a_billed_request_that_failed_inside_the_platform_is_raised_as_what_it_is(code: int):
    async with scripted(refusal(code), OK) as (url, seen), door_to(url) as door:
        with pytest.raises(ProviderUnavailable if code != 1001 else Exception) as caught:
            await door.call(CREATE, body={})
    assert not isinstance(caught.value, AnswerLost)
    assert caught.value.upstream_code == code
    assert len(seen) == 1


@pytest.mark.parametrize("busy", [refusal(1002), refusal(1041), refusal(2045), refusal(1039), 429, 529])
async def test_a_certain_refusal_is_waited_out_also_where_it_costs_money(busy: Step):
    async with scripted(busy, busy, OK) as (url, seen), door_to(url) as door:
        assert (await door.call(CREATE, body={}))["task_id"] == "7"
        assert [pause.reason for pause in door.waits] == ["busy", "busy"]
        assert door.waits[1].wait_s > door.waits[0].wait_s
    assert len(seen) == 3


async def test_waiting_for_room_has_an_end():
    async with scripted(refusal(1002)) as (url, seen), door_to(url, busy_s=4.0) as door:
        with pytest.raises(ProviderRejected, match="too many requests"):
            await door.call(CREATE, body={})
    assert len(seen) == 1


async def test_a_connection_that_was_never_made_is_tried_again_even_for_money():
    async with scripted(OK) as (url, _):
        pass  # the port is closed again
    async with door_to(url) as door:
        with pytest.raises(ProviderUnavailable) as caught:
            await door.call(CREATE, body={})
        assert not isinstance(caught.value, AnswerLost)
        assert len(door.waits) == 3


async def test_a_refused_argument_has_its_name_in_python():
    refused = refusal(2013, "invalid params, invalid params: duration")
    async with scripted(refused) as (url, seen), door_to(url) as door:
        with pytest.raises(InvalidArgument) as caught:
            await door.call(CREATE, body={})
    assert caught.value.param == "seconds"
    assert len(seen) == 1


async def test_another_host_serves_only_what_costs_nothing():
    async with (
        scripted(502) as (broken, first),
        scripted(OK) as (spare, second),
        door_to(broken, fallback_urls=(f"{spare}/v1",)) as door,
    ):
        assert (await door.call(LIST))["task_id"] == "7"
        with pytest.raises(AnswerLost):
            await door.call(CREATE, body={})
    assert (len(first), len(second)) == (2, 1)


async def test_requests_are_paced_and_the_wait_is_shown():
    async with scripted(OK) as (url, _), door_to(url, limits={"video": Limit(2)}) as door:
        for _ in range(4):
            await door.call(CREATE, body={})
        assert [pause.reason for pause in door.waits] == ["limit", "limit"]
        assert all(55 < pause.wait_s <= 60 for pause in door.waits)


async def test_a_streamed_answer_is_read_inside_and_a_refusal_outside():
    async with scripted(OK, 502) as (url, _), door_to(url) as door:
        async with door.open(OPERATIONS["files.open"], query={"file_id": 7}) as response:
            assert b"success" in await response.read()
        with pytest.raises(ProviderUnavailable):
            async with door.open(OPERATIONS["files.open"]):
                pass


async def test_a_cancelled_wait_gives_its_place_back(monkeypatch: pytest.MonkeyPatch):
    async with scripted(OK) as (url, _), door_to(url, limits={"video": Limit(1)}) as door:
        await door.call(CREATE, body={})
        forever = asyncio.Event()
        monkeypatch.setattr("realtime.minimax.door.asyncio.sleep", lambda _seconds: forever.wait())
        waiting = asyncio.ensure_future(door.call(CREATE, body={}))
        while not door.waits:
            await asyncio.wait({waiting}, timeout=0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        monkeypatch.undo()
        monkeypatch.setattr("realtime.minimax.door.asyncio.sleep", lambda _seconds: forever.wait())
        forever.set()
        await door.call(CREATE, body={})
        assert door.waits[-1].wait_s <= 60


@pytest.mark.parametrize("batch_id", ["", ".", ".."])
async def test_an_id_that_would_make_another_address_is_refused(batch_id: str):
    async with scripted(OK) as (url, seen), door_to(url) as door:
        with pytest.raises(InvalidArgument) as caught:
            await door.call(OPERATIONS["batches.cancel"], path_values={"batch_id": batch_id})
    assert caught.value.param == "batch_id"
    assert seen == []


@pytest.mark.parametrize("odd", [object(), {1: {(1, 2): 3}}, "\ud800"])
async def test_a_body_that_is_no_json_is_refused_before_it_is_sent(odd: Any):
    async with scripted(OK) as (url, seen), door_to(url) as door:
        with pytest.raises(InvalidArgument):
            await door.call(CREATE, body={"prompt": odd})
    assert seen == []


@pytest.mark.parametrize("limit", [Limit(0), Limit(-1), Limit(None, 0)])
async def test_a_limit_that_lets_nothing_through_is_refused(limit: Limit):
    with pytest.raises(InvalidArgument):
        Door(HttpClient("http://127.0.0.1", "key"), limits={"video": limit})


async def test_a_limit_of_an_unknown_group_is_refused_with_the_known_ones():
    with pytest.raises(InvalidArgument, match="image"):
        Door(HttpClient("http://127.0.0.1", "key"), limits={"images": Limit(5)})


async def test_a_refusal_that_only_has_a_name_is_waited_out_and_not_called_lost():
    busy = web.json_response
    refused = {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}}

    async def handle(request: web.Request) -> web.Response:
        seen.append(request.path)
        return busy(refused, status=429) if len(seen) < 3 else busy(OK)

    seen: list[str] = []
    async with serving(handle) as url, door_to(url) as door:
        assert (await door.call(CREATE, body={}))["task_id"] == "7"
    assert len(seen) == 3


async def test_each_try_is_told_right_before_it_leaves_and_may_be_forbidden():
    told: list[str] = []
    async with scripted(refusal(1002), OK) as (url, seen), door_to(url) as door:
        door.on_pause = lambda pause: told.append(f"waits after {len(seen)}")
        door.on_send = lambda operation: told.append(f"leaves after {len(seen)}")
        await door.call(CREATE, body={})
        assert told == ["leaves after 0", "waits after 1", "leaves after 1"]

        def no(operation: object) -> None:
            raise LookupError

        door.on_send = no
        with pytest.raises(LookupError):
            await door.call(CREATE, body={})
        with pytest.raises(LookupError):
            async with door.open(CREATE, body={}):
                pass
    assert len(seen) == 2


async def test_a_callback_that_raises_in_a_wait_gives_the_place_back():
    def no(pause: Pause) -> None:
        raise LookupError

    async with scripted(OK) as (url, _), door_to(url, limits={"video": Limit(1)}) as door:
        await door.call(CREATE, body={})
        door.on_pause = no
        for _ in range(3):
            with pytest.raises(LookupError):
                await door.call(CREATE, body={})
        waits: list[Pause] = []
        door.on_pause = waits.append
        await door.call(CREATE, body={})
    assert waits[0].wait_s <= 60


def causes(error: BaseException) -> list[type[BaseException]]:
    """The classes of an error and of what caused it, the first ten."""
    found: list[type[BaseException]] = []
    each: BaseException | None = error
    while each is not None and len(found) < 10:
        found.append(type(each))
        each = each.__cause__
    return found


@pytest.mark.parametrize("as_stream", [False, True])
@pytest.mark.parametrize(
    ("operation", "raised", "kinds"),
    [
        (LIST, ProviderRejected("no"), [ProviderRejected, ConnectionResetError]),
        (CREATE, AnswerLost("lost"), [AnswerLost, ConnectionResetError]),
        (
            CREATE,
            ProviderUnavailable("gone", sent=True),
            [AnswerLost, ProviderUnavailable, ConnectionResetError],
        ),
    ],
)
async def test_what_is_raised_keeps_the_root_of_a_failure_and_is_not_its_own_cause(
    as_stream: bool, operation: Operation, raised: ProviderError, kinds: list[type[BaseException]]
):
    async def once(host: str) -> None:
        raise raised from ConnectionResetError

    async def parts(host: str) -> AsyncGenerator[None, None]:
        await once(host)
        yield

    async with door_to("http://127.0.0.1:9") as door:
        call = anext(door.stream(operation, parts)) if as_stream else door.attempts(operation, once)
        with pytest.raises(ProviderError) as caught:
            await call
    assert causes(caught.value) == kinds


async def test_a_connection_that_an_open_could_not_make_is_the_root_of_what_it_raises():
    with pytest.raises(ProviderUnavailable) as caught:
        async with door_to("http://127.0.0.1:9") as door, door.open(LIST):
            pass
    kinds = causes(caught.value)
    assert kinds[0] is ProviderUnavailable
    assert len(kinds) < 10
    assert issubclass(kinds[-1], OSError)
