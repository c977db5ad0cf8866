"""Limits of one key and one client: sessions at once, events and audio faster than real time."""

import asyncio
import json
import urllib.error
import urllib.request

import pytest
import websockets

from realtime.server.pace import TokenBucket
from tests.server.wire import House
from tests.server.wire import house as open_house


def test_a_burst_is_free_and_the_rest_comes_at_the_rate():
    pace = TokenBucket(200.0, 2_000.0, now_s=5.0)
    assert [pace.spend(1, 5.0) for _ in range(2_000)] == [0.0] * 2_000
    assert pace.spend(1, 5.0) == pytest.approx(0.005)
    assert pace.spend(99, 5.0) == pytest.approx(0.5)
    assert pace.spend(1, 6.0) == 0.0
    assert pace.spend(0, 1_000.0) == 0.0
    assert pace.spend(2_000, 1_000.0) == 0.0, "the allowance never grows beyond one burst"
    assert pace.spend(20, 1_000.0) == pytest.approx(0.1)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def refusal(house: House, key: str) -> tuple[int, str, str]:
    """HTTP status, code and Retry-After of a handshake that is refused."""
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with house.dial(headers=bearer(key)):
            pass
    response = refused.value.response
    return response.status_code, json.loads(response.body)["error"]["code"], response.headers["Retry-After"]


async def test_a_key_has_no_more_sessions_than_it_may_and_another_key_notices_nothing():
    async with open_house(api_keys=("one", "two"), sessions_per_key=2) as house:
        async with house.wire(headers=bearer("one")), house.wire(headers=bearer("one")):
            assert await refusal(house, "one") == (429, "rate_limit_exceeded", "5")
            async with house.wire(headers=bearer("two")) as other:
                assert (await other.ask("What is two plus three?"))["status"] == "completed"
        await house.empty()
        async with house.wire(headers=bearer("one")):
            assert house.sessions == 1


async def test_a_parked_session_counts_and_may_be_taken_back():
    async with (
        open_house(api_keys=("one",), sessions_per_key=1) as house,
        house.wire("?extensions=resume", headers=bearer("one")) as before,
    ):
        session_id = before.events[0]["session"]["id"]
        before.socket.transport.abort()
        assert (await refusal(house, "one"))[0] == 429
        query = f"?extensions=resume&resume={session_id}&last_seq=2"
        async with house.dial(query, headers=bearer("one")) as after:
            await after.until("session.resumed")


async def test_client_secrets_count_for_the_key_that_made_them():
    async with open_house(api_keys=("one",), sessions_per_key=1) as house:
        protocols = ("realtime", f"openai-insecure-api-key.{await mint(house, 'one')}")
        async with house.wire(headers=bearer("one")), house.dial(protocols=protocols) as page:
            assert (await page.error())["code"] == "rate_limit_exceeded"
            assert await page.closed() == (1013, "rate_limit_exceeded")


async def mint(house: House, key: str) -> str:
    """A client secret."""
    url = house.server.url + "/v1/realtime/client_secrets"
    request = urllib.request.Request(url, b"{}", bearer(key), method="POST")

    def post() -> str:
        with urllib.request.urlopen(request) as answer:
            return str(json.load(answer)["value"])

    return await asyncio.to_thread(post)


async def test_without_a_limit_there_is_only_that_of_the_server():
    async with open_house(max_sessions=2) as house, house.wire(), house.wire():
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with house.dial():
                pass
        assert refused.value.response.status_code == 503


async def test_audio_far_faster_than_real_time_is_read_later():
    """Two minutes may come at once; what follows comes at ten times real time."""
    async with open_house() as house, house.wire("?extensions=resume") as wire:
        await wire.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
        loop = asyncio.get_running_loop()
        begin_s = loop.time()
        for _ in range(13):
            await wire.append(bytes(480_000))  # 10 s
        await wire.send("input_audio_buffer.clear")
        await wire.until("input_audio_buffer.cleared")
        assert loop.time() - begin_s >= 0.9
        assert not wire.of("error")
