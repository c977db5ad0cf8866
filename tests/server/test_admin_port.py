"""The admin port: metrics, health and drain for the operator, at an address of its own."""

import asyncio
import os

import aiohttp
import pytest

from realtime.errors import ConfigError
from realtime.server.admin_port import open_admin_port
from realtime.settings import Settings
from realtime.settings.load import load_settings
from tests.ports import free_port
from tests.server.test_process import serving, until

KEY = "sk-admin"


class FakeNode:
    def __init__(self):
        self.not_ready, self.text = None, "up 1\n"
        self.drained = self.asked_times = 0

    def asked(self):
        self.asked_times += 1

    def sessions(self):
        return 3

    async def metrics(self):
        return self.text

    def drain(self):
        self.drained += 1


async def ask(port, path, method="GET", **headers):
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, f"http://127.0.0.1:{port}{path}", headers=headers) as answer,
    ):
        return answer.status, await answer.text()


async def test_this_machine_reads_metrics_and_health_and_begins_the_drain():
    node = FakeNode()
    async with open_admin_port(Settings(admin="127.0.0.1:0"), node) as port:
        assert await ask(port, "/metrics") == (200, "up 1\n")
        assert await ask(port, "/healthz") == (200, '{"status": "ok", "sessions": 3}')
        assert await ask(port, "/readyz") == (200, '{"ready": true}')
        assert node.asked_times == 1
        assert (await ask(port, "/drain"))[0] == 405
        assert (await ask(port, "/v1/realtime"))[0] == 404
        assert node.drained == 0
        assert await ask(port, "/drain", "POST") == (202, '{"draining": true, "sessions": 3}')
        assert node.drained == 1
        node.not_ready, node.text = "Redis does not answer.", None
        assert await ask(port, "/readyz") == (503, '{"ready": false, "reason": "Redis does not answer."}')
        assert (await ask(port, "/metrics"))[0] == 503


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://127.0.0.1:9"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Referer": "https://evil.example/"},
        {"Host": "evil.example"},
        {"X-Forwarded-For": "203.0.113.9"},
    ],
)
@pytest.mark.parametrize("keys", [(), (KEY,)])
async def test_no_page_no_foreign_name_and_no_proxy_begins_the_drain(headers, keys):
    node = FakeNode()
    async with open_admin_port(Settings(admin="127.0.0.1:0", api_keys=keys), node) as port:
        assert (await ask(port, "/drain", "POST", **headers))[0] in (401, 403)
        assert (await ask(port, "/metrics", **headers))[0] in (401, 403)
    assert node.drained == 0


async def test_a_key_is_enough_and_a_wrong_one_or_an_open_server_is_not():
    proxied = {"X-Forwarded-For": "203.0.113.9"}
    async with open_admin_port(Settings(admin="127.0.0.1:0", api_keys=(KEY,)), FakeNode()) as port:
        assert (await ask(port, "/drain", "POST", Authorization=f"Bearer {KEY}", **proxied))[0] == 202
        assert (await ask(port, "/drain", "POST", Authorization="Bearer sk-x", **proxied))[0] == 401
    async with open_admin_port(Settings(admin="127.0.0.1:0", open_to_all=True), FakeNode()) as port:
        assert (await ask(port, "/drain", "POST", **proxied))[0] == 401


async def test_an_address_of_the_network_needs_somebody_who_may_use_it():
    with pytest.raises(ConfigError, match="REALTIME_ADMIN_ADDRESSES"):
        async with open_admin_port(Settings(admin="0.0.0.0:0", open_to_all=True), FakeNode()):
            pass
    async with open_admin_port(
        Settings(admin="0.0.0.0:0", admin_addresses=("127.0.0.0/8",)), FakeNode()
    ) as port:
        assert (await ask(port, "/metrics", Host="node-7.example:9000"))[0] == 200


async def test_without_the_setting_there_is_none_and_a_taken_port_is_one_sentence():
    async with open_admin_port(Settings(), FakeNode()) as port:
        assert port == 0
    async with open_admin_port(Settings(admin="127.0.0.1:0"), FakeNode()) as port:
        with pytest.raises(ConfigError, match=f"REALTIME_ADMIN=127.0.0.1:{port} cannot be listened on"):
            async with open_admin_port(Settings(admin=f"127.0.0.1:{port}"), FakeNode()):
                pass


@pytest.mark.parametrize("value", ["127.0.0.1:9000", "[::1]:9000", "localhost:0", "0.0.0.0:65535"])
def test_addresses(value):
    assert load_settings({}, {"REALTIME_ADMIN": value}).settings.admin == value


@pytest.mark.parametrize(
    "value", ["9000", ":9000", "127.0.0.1", "::1:9000", "a:b", "a:65536", "a:-1", "a:²", "[]:1"]
)
def test_what_is_no_address(value):
    with pytest.raises(ConfigError, match="REALTIME_ADMIN must be HOST:PORT"):
        load_settings({}, {"REALTIME_ADMIN": value})


@pytest.mark.skipif(os.name == "nt", reason="several workers")
async def test_the_workers_have_one_admin_port_that_drains_them_all(tmp_path):
    port = free_port()
    chosen = {"REALTIME_ADMIN": f"127.0.0.1:{port}", "REALTIME_ADMISSION": "count"}
    async with serving(tmp_path, "--workers", "2", **chosen) as server, server.connect() as socket:
        await until(socket, "session.created")
        assert "realtime_sessions 1.0" in (await ask(port, "/metrics"))[1]
        assert (await ask(port, "/readyz"))[0] == 200
        public = int(server.url.rpartition(":")[2])
        assert (await ask(public, "/metrics"))[0] == 404
        assert (await ask(public, "/drain", "POST"))[0] in (404, 405)
        assert (await ask(port, "/drain", "POST"))[0] == 202
        async with asyncio.timeout(60):
            await socket.wait_closed()
        assert (socket.close_code, socket.close_reason) == (1012, "server_draining")
        assert await server.ended() == 0
