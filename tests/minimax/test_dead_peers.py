"""Connections that die without a word: the system looks for them, and one that is found makes the others suspect."""

import errno
import itertools
import socket
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from realtime.errors import ProviderUnavailable
from realtime.minimax.chat import MAX_RETRIES, Chat
from realtime.minimax.dead_peers import LIVE_LOST_S, died_silently, notice_loss, noticing
from realtime.minimax.http import HttpClient
from tests.conversing import scripted


def caused(*chain: BaseException) -> BaseException:
    """The first of these, each caused by the next."""
    for error, cause in itertools.pairwise(chain):
        error.__cause__ = cause
    return chain[0]


def test_the_system_watches_a_connection_as_far_as_it_can():
    with noticing(LIVE_LOST_S)((socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("", 0))) as sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 3000
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 15
    ours, theirs = socket.socketpair()
    with ours, theirs:
        notice_loss(ours)  # a socket that knows no TCP is left as it is


@pytest.mark.parametrize("number", [errno.ETIMEDOUT, errno.ENETUNREACH, errno.EHOSTUNREACH])
def test_the_cause_tells_how_a_connection_was_lost(number: int):
    assert died_silently(caused(ProviderUnavailable("lost"), aiohttp.ClientOSError(number, "gone")))
    assert died_silently(caused(ProviderUnavailable("lost"), RuntimeError("closed"), OSError(number, "gone")))
    assert not died_silently(
        caused(ProviderUnavailable("lost"), ConnectionResetError(errno.ECONNRESET, "reset"))
    )
    assert not died_silently(ProviderUnavailable("lost"))


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux has it")
async def test_a_large_request_has_longer_until_it_counts_as_lost_and_the_next_small_one_has_not():
    times_ms: list[int] = []

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response({})

    class Looking(HttpClient):
        def look(self) -> None:
            (session,) = self._sessions.here().open.values()
            ((transport, _),) = session.connector.idle._released.items()
            sock = transport.get_extra_info("socket")
            times_ms.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))

    app = web.Application(client_max_size=1 << 20)
    app.router.add_route("*", "/", answer)
    async with TestServer(app) as server:
        http = Looking(str(server.make_url("")), None, lost_s=LIVE_LOST_S)
        for size in (10, 70_000, 600_000, 10):
            await http.json("POST", "/", body={"a": "x" * size})
            http.look()
        await http.json("GET", "/")
        http.look()
        await http.aclose()
    assert times_ms == [3000, 12_000, 12_000, 3000, 3000]


class LosingHttp:
    """Loses every request in this way."""

    service, base_url = "MiniMax", "http://localhost"

    def __init__(self, number: int) -> None:
        self.number, self.renewed, self.asked = number, 0, 0

    @asynccontextmanager
    async def request(self, *arguments, **options):
        self.asked += 1
        raise ProviderUnavailable("lost", sent=True) from aiohttp.ClientOSError(self.number, "lost")
        yield

    def idle_connections(self, **options) -> int:
        return 0

    async def renew(self) -> None:
        self.renewed += 1

    async def aclose(self) -> None: ...


@pytest.mark.parametrize(
    ("number", "renewed"),
    [(errno.ETIMEDOUT, MAX_RETRIES + 1), (errno.ECONNRESET, 0)],
    ids=["silent", "reset"],
)
def test_a_chat_request_that_was_lost_silently_goes_over_a_new_connection(number: int, renewed: int):
    @scripted
    async def run():
        http = LosingHttp(number)
        with pytest.raises(ProviderUnavailable):
            await anext(Chat(http, model="m").stream("Hello?"))
        assert (http.asked, http.renewed) == (MAX_RETRIES + 1, renewed)

    run()
