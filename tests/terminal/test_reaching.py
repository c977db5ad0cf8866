"""Reaching a server: TLS with certificates of one's own, proxies, and everything that does not answer."""

import asyncio
import contextlib
import inspect
import socket
import ssl

import pytest
from realtime_client import ConnectionFailed, connect, tls_context

from tests.certificates import self_signed
from tests.terminal.scripted_server import scripted_server
from tests.terminal.test_address import proxied  # noqa: F401


async def hello(line):
    await line.greet()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return self_signed(tmp_path_factory.mktemp("tls"))


@contextlib.asynccontextmanager
async def tls_server(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    async with scripted_server(hello, ssl=context) as (url, lines):
        yield url.replace("ws://127.0.0.1", "localhost"), lines


@pytest.mark.parametrize("scheme", ["wss", "https"])
async def test_a_certificate_of_ones_own_is_accepted_with_its_file(certificate, scheme):
    async with (
        tls_server(certificate) as (host, lines),
        connect(f"{scheme}://{host}/voice", ssl_context=tls_context(certificate[0])) as conversation,
    ):
        assert conversation.session["id"] == "sess_1"
    assert lines[0].socket.request.path.startswith("/voice/v1/realtime?")


async def test_any_certificate_is_accepted_when_that_is_asked_for(certificate):
    async with (
        tls_server(certificate) as (host, _),
        connect(f"wss://{host}", ssl_context=tls_context(insecure=True)) as conversation,
    ):
        assert conversation.session["id"] == "sess_1"


async def test_an_unknown_certificate_is_refused_and_the_sentence_names_both_ways_out(certificate):
    async with tls_server(certificate) as (host, lines):
        with pytest.raises(
            ConnectionFailed, match=r"not trusted \(self.signed certificate\).*--ca-file.*--insecure"
        ):
            async with connect(f"wss://{host}"):
                pass
        assert lines == []


async def test_a_certificate_for_another_name_is_refused(certificate):
    """The file of the CA makes it known, not right."""
    async with tls_server(certificate) as (host, _):
        port = host.rpartition(":")[2]
        with pytest.raises(ConnectionFailed, match="not trusted"):
            async with connect(f"wss://127.0.0.1:{port}", ssl_context=tls_context(certificate[0])):
                pass


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_file_without_certificates_is_one_sentence(tmp_path, content):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConnectionFailed, match=r"ca\.pem cannot be used"):
        tls_context(path)


async def test_tls_where_there_is_none_and_none_where_there_is_tls(certificate):
    async with scripted_server(hello) as (url, _):
        with pytest.raises(ConnectionFailed, match="not speak TLS"):
            async with connect(url.replace("ws:", "wss:")):
                pass
    async with tls_server(certificate) as (host, _):
        with pytest.raises(ConnectionFailed, match=r"If it speaks TLS: wss://"):
            async with connect(f"ws://{host}"):
                pass


async def test_a_context_is_no_mistake_for_a_server_without_tls():
    async with scripted_server(hello) as (url, _), connect(url, ssl_context=tls_context()) as conversation:
        assert conversation.session["id"] == "sess_1"


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\n\r\n", b"SSH-2.0-x\r\n", b"\x15\x03\x01"])
async def test_something_else_that_answers_is_one_sentence(first):
    async def answer(reader, writer):
        await reader.read(100)
        writer.write(first)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ConnectionFailed) as caught:
            async with connect(f"ws://127.0.0.1:{port}"):
                pass
    assert f"127.0.0.1:{port}" in str(caught.value) or "HTTP status 200" in str(caught.value)


@pytest.mark.parametrize("scheme", ["ws", "wss"])
async def test_a_server_that_accepts_and_says_nothing_is_given_up(scheme):
    with (
        socket.create_server(("127.0.0.1", 0)) as deaf,
        pytest.raises(ConnectionFailed, match=r"did not answer within 0\.3 s"),
    ):
        async with connect(f"{scheme}://127.0.0.1:{deaf.getsockname()[1]}", open_timeout_s=0.3):
            pass


def test_by_default_nobody_waits_for_five_seconds():
    assert inspect.signature(connect).parameters["open_timeout_s"].default < 5


# -- proxies --------------------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def http_proxy(port, status=b"200 OK"):
    """A proxy that connects everything to one port of this machine; yields its address and what was asked for."""
    asked = []

    async def relay(reader, writer):
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()

    async def serve(reader, writer):
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 " + status + b"\r\n\r\n")
        if not status.startswith(b"200"):
            writer.close()
            return
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(relay(reader, up_writer), relay(up_reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://me:secret@127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


async def test_a_proxy_of_the_environment_is_used(proxied):  # noqa: F811
    async with scripted_server(hello) as (url, _), http_proxy(int(url.rpartition(":")[2])) as (proxy, asked):
        proxied(HTTP_PROXY=proxy)
        async with connect("ws://voice.example:8000") as conversation:
            assert conversation.session["id"] == "sess_1"
    assert asked[0].startswith("CONNECT voice.example:8000 HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic " in asked[0]


async def test_this_machine_is_never_reached_through_a_proxy(proxied):  # noqa: F811
    async with scripted_server(hello) as (url, _):
        proxied(HTTP_PROXY="http://127.0.0.1:9", ALL_PROXY="socks5://127.0.0.1:9", http_proxy="nonsense")
        async with connect(url) as conversation:
            assert conversation.session["id"] == "sess_1"


async def test_a_proxy_that_refuses_is_one_sentence_without_its_password(proxied):  # noqa: F811
    async with http_proxy(0, b"407 Proxy Authentication Required") as (proxy, _):
        proxied(HTTP_PROXY=proxy)
        with pytest.raises(
            ConnectionFailed, match=r"The proxy http://127\.0\.0\.1:\d+ does not connect.*407"
        ) as caught:
            async with connect("ws://voice.example:8000"):
                pass
    assert "secret" not in str(caught.value)


async def test_a_proxy_that_is_not_there_is_one_sentence(proxied, unused_tcp_port):  # noqa: F811
    proxied(HTTP_PROXY=f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(
        ConnectionFailed, match=rf"Nothing answers through the proxy http://127\.0\.0\.1:{unused_tcp_port}"
    ):
        async with connect("ws://voice.example:8000"):
            pass


async def test_a_socks_proxy_that_is_not_there_is_one_sentence(proxied, unused_tcp_port):  # noqa: F811
    """With python-socks or without."""
    proxied(ALL_PROXY=f"socks5://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(ConnectionFailed, match=r"python-socks|Nothing answers through the proxy"):
        async with connect("ws://voice.example:8000"):
            pass
