"""The HTTP client: queries, streamed bodies, the key that stays at home, and whether a request left."""

from __future__ import annotations

import asyncio
import ssl
import traceback
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.client_reqrep import ConnectionKey

from realtime.errors import ProviderRejected, ProviderTimeout, ProviderUnavailable, for_clients
from realtime.minimax.http import HttpClient
from realtime.minimax.network_errors import network_errors
from tests.minimax.local_server import closed_port, serving

KEY = "sk-very-secret"
HOST = ConnectionKey("h", 443, True, True, None, None, None)


def certificate_error() -> aiohttp.ClientConnectorCertificateError:
    found = ssl.SSLCertVerificationError(1, "certificate verify failed")
    found.verify_message = "unable to get local issuer certificate"
    return aiohttp.ClientConnectorCertificateError(HOST, found)


async def echo(request: web.Request) -> web.Response:
    """What arrived, as JSON."""
    content = await request.read()
    return web.json_response(
        {
            "query": [list(pair) for pair in request.query.items()],
            "raw": request.rel_url.raw_query_string,
            "authorization": request.headers.get("Authorization"),
            "length": request.headers.get("Content-Length"),
            "chunked": request.headers.get("Transfer-Encoding"),
            "content": content.decode(),
        }
    )


@pytest.mark.parametrize(
    ("group_id", "query", "arrives"),
    [
        (None, None, []),
        ("g1", None, [["GroupId", "g1"]]),
        (None, {"a": "x y&z", "n": 2**60}, [["a", "x y&z"], ["n", str(2**60)]]),
        ("g1", {"a": "1"}, [["a", "1"], ["GroupId", "g1"]]),
        ("g1", {"GroupId": "g2", "a": "1"}, [["GroupId", "g2"], ["a", "1"]]),
        ("g1", {"t": ["x", "y"]}, [["t", "x"], ["t", "y"], ["GroupId", "g1"]]),
        ("g1", {}, [["GroupId", "g1"]]),
    ],
)
async def test_the_query_and_the_group_id_are_both_sent(group_id, query, arrives) -> None:
    async with serving(echo) as url:
        http = HttpClient(url, KEY, group_id=group_id)
        answer = await http.json("GET", "/v1/files/list", query=query)
        await http.aclose()
    assert answer["query"] == arrives


async def test_a_query_in_the_path_is_kept() -> None:
    async with serving(echo) as url:
        http = HttpClient(url, KEY, group_id="g1")
        answer = await http.json("GET", "/v1/x?file_id=5", query={"a": "1"})
        await http.aclose()
    assert answer["query"] == [["file_id", "5"], ["a", "1"], ["GroupId", "g1"]]


@pytest.mark.parametrize("length", [None, "6"])
async def test_a_body_is_streamed_with_its_length_or_in_chunks(length) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"abc"
        await asyncio.sleep(0)
        yield b"def"

    async with serving(echo) as url:
        http = HttpClient(url, KEY)
        headers = {"Content-Length": length} if length else None
        answer = await http.json("POST", "/v1/files/upload", data=parts(), headers=headers)
        await http.aclose()
    assert answer["content"] == "abcdef"
    assert answer["length"] == length
    assert answer["chunked"] == (None if length else "chunked")


@pytest.mark.parametrize("size", [10, 3_000_000])
async def test_a_body_of_any_size_is_sent_with_its_length(size) -> None:
    """The library warns of large bodies in one piece, and a warning is an error here."""
    async with serving(echo) as url:
        http = HttpClient(url, KEY)
        raw = await http.json("POST", "/v1/files/upload", data=b"x" * size)
        picture = await http.json("POST", "/v1/image_generation", body={"image": "x" * size})
        await http.aclose()
    assert (raw["content"], raw["length"], raw["chunked"]) == ("x" * size, str(size), None)
    assert picture["content"] == f'{{"image":"{"x" * size}"}}'


async def test_the_key_goes_to_the_service_only() -> None:
    async with serving(echo) as url:
        http = HttpClient(url, KEY, group_id="g1")
        own = await http.json("GET", "/v1/models")
        async with http.fetch(f"{url}/result?Signature=a%2Fb%2B+c&x") as response:
            foreign = await response.json()
        await http.aclose()
    assert own["authorization"] == f"Bearer {KEY}"
    assert foreign["authorization"] is None
    assert foreign["raw"] == "Signature=a%2Fb%2B+c&x"  # byte for byte, and no GroupId


async def test_a_redirect_to_another_host_takes_neither_key_nor_group_id() -> None:
    async with serving(echo) as other:

        async def move(_: web.Request) -> web.Response:
            return web.Response(status=302, headers={"Location": f"{other}/there?s=a%2Fb"})

        async with serving(move) as url:
            http = HttpClient(url, KEY, group_id="g1")
            async with http.request("GET", "/v1/files/retrieve_content") as response:
                keyed = await response.json()
            async with http.fetch(f"{url}/result") as response:
                keyless = await response.json()
            await http.aclose()
    for arrived in (keyed, keyless):
        assert arrived["authorization"] is None
        assert arrived["raw"] == "s=a%2Fb"


async def test_a_refused_connection_was_never_sent() -> None:
    async with closed_port() as url:
        http = HttpClient(url, KEY)
        with pytest.raises(ProviderUnavailable) as raised:
            await http.json("POST", "/v1/image_generation", body={})
        await http.aclose()
    assert raised.value.sent is False


async def test_an_unknown_name_was_never_sent() -> None:
    http = HttpClient("http://nobody.invalid", KEY)
    with pytest.raises(ProviderUnavailable) as raised:
        await http.json("POST", "/v1/image_generation", body={})
    await http.aclose()
    assert raised.value.sent is False


async def test_a_lost_answer_was_sent() -> None:
    async def hang_up(request: web.Request) -> web.Response:
        await request.read()
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with serving(hang_up) as url:
        http = HttpClient(url, KEY)
        with pytest.raises(ProviderUnavailable) as raised:
            await http.json("POST", "/v1/image_generation", body={})
        await http.aclose()
    assert raised.value.sent is True


async def test_a_late_answer_was_sent() -> None:
    done = asyncio.Event()

    async def wait(_: web.Request) -> web.Response:
        await done.wait()
        return web.Response()

    async with serving(wait) as url:
        http = HttpClient(url, KEY)
        with pytest.raises(ProviderTimeout) as raised:
            await http.json("POST", "/v1/image_generation", body={}, timeout_s=0.05)
        done.set()
        await http.aclose()
    assert raised.value.sent is True


async def test_a_closed_client_sends_nothing() -> None:
    http = HttpClient("http://127.0.0.1:1", KEY)
    await http.aclose()
    with pytest.raises(ProviderUnavailable, match="closed") as raised:
        await http.json("GET", "/v1/models")
    assert raised.value.sent is False


@pytest.mark.parametrize(
    "address", ["ftp://host/a?Signature=SECRET", "/a?Signature=SECRET", "http:///a?SECRET"]
)
async def test_only_web_addresses_are_fetched(address) -> None:
    http = HttpClient("http://127.0.0.1:1", KEY)
    with pytest.raises(ProviderUnavailable) as raised:
        async with http.fetch(address):
            pass
    assert "SECRET" not in str(raised.value)


async def test_a_signature_is_in_no_error() -> None:
    async def turn_around(request: web.Request) -> web.Response:
        raise web.HTTPFound(str(request.url))

    secret = "s" * 20
    async with closed_port() as nobody, serving(turn_around) as url:
        http = HttpClient(url, KEY)
        for host in (nobody, url):
            with pytest.raises(ProviderUnavailable) as raised:
                async with http.fetch(f"{host}/a.mp4?Signature={secret}"):
                    pass
            shown = "".join(traceback.format_exception(raised.value))
            assert host in shown
            assert secret not in shown
        await http.aclose()


@pytest.mark.parametrize("status", [301, 302, 303])
async def test_a_redirect_that_loses_the_body_says_where_to(status: int) -> None:
    async def handler(request: web.Request) -> web.Response:
        moved = {"Location": "/new/place?key=x"}
        return web.Response(status=status, headers=moved) if request.path == "/old" else await echo(request)

    async with serving(handler) as url:
        http = HttpClient(url, KEY)
        with pytest.raises(ProviderRejected, match=rf"moved to {url}/new/place, set the base URL") as caught:
            await http.json("POST", "/old", body={"a": 1})
        assert caught.value.reason is not None
        assert (await http.json("GET", "/old"))["content"] == ""
        await http.aclose()


@pytest.mark.parametrize("status", [307, 308])
async def test_a_redirect_that_keeps_the_body_is_followed(status: int) -> None:
    async def handler(request: web.Request) -> web.Response:
        moved = {"Location": "/new"}
        return web.Response(status=status, headers=moved) if request.path == "/old" else await echo(request)

    async with serving(handler) as url:
        http = HttpClient(url, KEY)
        for size in (10, 600_000):
            answer = await http.json("POST", "/old", body={"a": "x" * size})
            assert len(answer["content"]) > size
        await http.aclose()


@pytest.mark.parametrize("status", [300, 304])
async def test_a_redirect_to_nowhere_is_an_error(status: int) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status)

    async with serving(handler) as url:
        http = HttpClient(url, KEY)
        with pytest.raises(ProviderRejected, match="leads nowhere"):
            await http.json("POST", "/x", body={})
        await http.aclose()


@pytest.mark.parametrize(
    ("failure", "says", "retryable"),
    [
        (certificate_error(), "not trusted, unable to get local issuer certificate; .* SSL_CERT_FILE", False),
        (
            aiohttp.ClientConnectorError(HOST, ConnectionRefusedError(111, "no")),
            "nothing listens there",
            True,
        ),
        (aiohttp.ClientConnectorDNSError(HOST, OSError(-2, "no")), "its name is not known", True),
        (aiohttp.ClientConnectorSSLError(HOST, ssl.SSLError(1, "wrong version")), "does not speak TLS", True),
        (aiohttp.ServerDisconnectedError(), "hung up without an answer", True),
        (aiohttp.ClientPayloadError(), "broke off in the middle", True),
    ],
)
def test_a_failed_connection_says_why(failure: Exception, says: str, retryable: bool) -> None:
    with pytest.raises(ProviderUnavailable, match=says) as caught, network_errors("chat", "https://h"):
        raise failure
    assert caught.value.retryable is retryable
    assert caught.value.reason is not None
    assert says.split(",")[0].split(";")[0] in for_clients(caught.value.message)
