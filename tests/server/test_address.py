"""The socket of a server: one and the same for one process, for several, and for the admin port."""

from __future__ import annotations

import os
import socket

import aiohttp
import pytest

from realtime.server.address import CannotListen, bound_socket, listening_socket
from realtime.server.admin_port import open_admin_port
from realtime.settings import Settings
from tests.ports import free_port
from tests.server.harness import open_harness
from tests.server.test_admin_port import FakeNode


@pytest.fixture
def ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")


async def both_answer(port: int, path: str) -> None:
    async with aiohttp.ClientSession() as http:
        for host in ("127.0.0.1", "[::1]"):
            async with http.get(f"http://{host}:{port}{path}") as answer:
                assert answer.status == 200, host


@pytest.mark.parametrize("host", ["::", "0::0"])
def test_all_addresses_are_those_of_ipv4_too(ipv6, host: str):
    with listening_socket(Settings(host=host, port=0)) as sock:
        assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 0
        port = sock.getsockname()[1]
        for address in ("127.0.0.1", "::1"):
            socket.create_connection((address, port), 10).close()


async def test_one_process_and_its_admin_port_listen_as_workers_do(ipv6):
    async with open_harness(host="::", open_to_all=True) as harness:
        await both_answer(int(harness.server.url.rpartition(":")[2]), "/healthz")
    everywhere = Settings(admin="[::]:0", admin_addresses=("127.0.0.0/8", "::1"))
    async with open_admin_port(everywhere, FakeNode()) as port:
        await both_answer(port, "/metrics")


@pytest.mark.parametrize(
    ("known", "family"),
    [
        ((socket.AF_INET6, socket.AF_INET), socket.AF_INET),
        ((socket.AF_INET6,), socket.AF_INET6),
        ((socket.AF_INET,), socket.AF_INET),
    ],
)
def test_a_name_is_one_address_with_ipv4_if_it_has_one(ipv6, monkeypatch, known, family):
    places = {socket.AF_INET: ("127.0.0.1", 0), socket.AF_INET6: ("::1", 0, 0, 0)}
    found = [(each, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", places[each]) for each in known]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with bound_socket("voice.example", 0) as sock:
        assert sock.family == family


@pytest.mark.parametrize(("host", "flag"), [("192.0.2.1", "--host"), ("nowhere.invalid", "--host")])
def test_an_address_that_cannot_be_had_is_one_sentence(host: str, flag: str):
    with pytest.raises(CannotListen, match=rf"Cannot listen on {host}:0 \(.+\): choose another {flag}"):
        listening_socket(Settings(host=host, port=0))


@pytest.mark.skipif(os.name != "posix", reason="what a port may be used for at once")
def test_a_port_that_is_taken_is_said_to_be():
    port = free_port()
    with listening_socket(Settings(port=port)), pytest.raises(CannotListen) as caught:
        listening_socket(Settings(port=port))
    assert caught.value.port_taken
