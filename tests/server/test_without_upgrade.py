"""The address of the WebSocket, asked without one: a page learns so why its handshake failed."""

import aiohttp

from tests.server.harness import open_harness

SHOP = "https://shop.example"


async def test_a_page_asks_why_it_got_no_session():
    """426 while there is room, 503 while there is none; pages of allowed origins may read it, and no others."""
    async with open_harness(max_sessions=1, origins=(SHOP,)) as harness, aiohttp.ClientSession() as http:
        url = harness.server.url + "/v1/realtime"
        async with http.get(url, headers={"Origin": SHOP}) as answer:
            assert answer.status == 426
            assert answer.headers["Access-Control-Allow-Origin"] == SHOP
        async with harness.connect():
            async with http.get(url, headers={"Origin": SHOP}) as answer:
                assert answer.status == 503
                assert (await answer.json())["error"]["code"] == "server_overloaded"
                assert answer.headers["Access-Control-Allow-Origin"] == SHOP
            async with http.get(url, headers={"Origin": "https://other.example"}) as answer:
                assert answer.status == 403
                assert "Access-Control-Allow-Origin" not in answer.headers
