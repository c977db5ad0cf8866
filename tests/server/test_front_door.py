"""The handshake and the HTTP endpoints: keys, subprotocols, origins, hosts, limits, paths."""

import json
import shutil
import ssl
import subprocess

import aiohttp
import pytest
import websockets

from tests.server.door_kit import BROWSER_KEY, KEY, error_of, raw, rejection, works
from tests.server.harness import Harness, open_harness

# -- keys


async def test_a_correct_key_is_accepted(with_key: Harness):
    async with with_key.connect(headers={"Authorization": f"Bearer {KEY}"}) as wire:
        assert wire.socket.subprotocol is None
        await works(wire)


@pytest.mark.parametrize(
    "header", [None, "Bearer wrong", "Bearer ", "Basic abc", "Bearer ek_abc", "Bearer \xff\xfe"]
)
async def test_a_wrong_key_in_a_header_is_401_with_an_error_object(with_key: Harness, header: str | None):
    response = await rejection(with_key, headers={"Authorization": header} if header else {})
    assert response.status_code == 401
    error = error_of(response)
    assert (error["type"], error["code"]) == ("authentication_error", "invalid_api_key")
    assert KEY not in response.body.decode()


@pytest.mark.parametrize("key", ["", "wrong", "ek_wrong"])
async def test_a_browser_with_a_wrong_key_gets_an_error_event_and_1008(with_key: Harness, key: str):
    async with with_key.open_socket(protocols=("realtime", BROWSER_KEY + (key or "x"))) as wire:
        assert wire.socket.subprotocol == "realtime"
        error = await wire.error()
        assert (error["type"], error["code"]) == ("authentication_error", "invalid_api_key")
        assert await wire.closed() == (1008, "invalid_api_key")
        assert wire.types == ["error"]


async def test_a_browser_sends_its_key_as_a_subprotocol(with_key: Harness):
    protocols = ("realtime", BROWSER_KEY + KEY, "openai-agents-sdk.0.20.0")
    async with with_key.connect(protocols=protocols) as wire:
        assert wire.socket.subprotocol == "realtime"
        await works(wire)


async def test_without_keys_every_credential_is_accepted(harness: Harness):
    async with harness.connect(headers={"Authorization": "Bearer whatever"}) as wire:
        await works(wire)
    async with harness.connect(protocols=("realtime", BROWSER_KEY + "whatever")) as wire:
        await works(wire)


# -- subprotocols and paths


@pytest.mark.parametrize(
    ("offered", "selected"),
    [
        ((), None),
        (("realtime",), "realtime"),
        (("realtime.bin.v1",), "realtime.bin.v1"),
        (("realtime", "realtime.bin.v1"), "realtime.bin.v1"),
        (("chat", "realtime"), "realtime"),
    ],
)
async def test_the_preferred_subprotocol_is_selected(harness: Harness, offered: tuple, selected: str | None):
    async with harness.connect(protocols=offered) as wire:
        assert wire.socket.subprotocol == selected


async def test_unknown_subprotocols_are_400(harness: Harness):
    response = await rejection(harness, protocols=("chat", "mqtt"))
    assert response.status_code == 400
    assert "realtime" in error_of(response)["message"]


@pytest.mark.parametrize("path", ["/v1/realtime", "/v1/realtime/", "/realtime", "/realtime/"])
async def test_all_paths_of_the_protocol(harness: Harness, path: str):
    url = harness.server.url.replace("http", "ws", 1) + path + "?model=gpt-realtime-2.1&intent=x"
    async with websockets.connect(url, proxy=None) as socket:
        created = json.loads(await socket.recv())
        assert created["type"] == "session.created"
        assert created["session"]["model"] == "MiniMax-M3"
        assert "permessage-deflate" not in socket.response.headers.get("Sec-WebSocket-Extensions", "")


async def test_a_request_without_upgrade_is_426(harness: Harness):
    async with aiohttp.ClientSession() as http, http.get(harness.server.url + "/v1/realtime") as answer:
        assert answer.status == 426
        assert "WebSocket" in (await answer.json())["error"]["message"]


async def test_session_created_comes_first_for_clients_that_send_at_once(harness: Harness):
    async with harness.open_socket() as wire:
        await wire.send("session.update", session={"type": "realtime", "instructions": "Hello."})
        await wire.until("session.updated")
        assert wire.types == ["session.created", "conversation.created", "session.updated"]


# -- foreign pages


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://[::1", "http://127.0.0.1.evil.example"]
)
async def test_a_foreign_origin_is_403(harness: Harness, origin: str):
    assert (await rejection(harness, headers={"Origin": origin})).status_code == 403


async def test_own_loopback_and_configured_origins_are_accepted():
    async with open_harness(origins=("https://app.example",)) as harness:
        for origin in (harness.server.url, "http://localhost:3000", "https://app.example"):
            async with harness.connect(headers={"Origin": origin}) as wire:
                assert wire.types


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "[::1", "169.254.169.254"])
async def test_without_keys_a_foreign_host_is_403(harness: Harness, host: str):
    reader, writer = await raw(harness)
    writer.write(
        f"GET /v1/realtime HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    status = (await reader.readline()).decode()
    assert status.split()[1] in ("403", "400"), status
    writer.close()
    await writer.wait_closed()


# -- limits


async def test_a_full_server_is_503_with_retry_after():
    async with open_harness(max_sessions=1) as harness:
        async with harness.connect():
            response = await rejection(harness)
            assert response.status_code == 503
            assert int(response.headers["Retry-After"]) >= 1
            assert error_of(response)["code"] == "server_overloaded"
        await harness.no_sessions()
        async with harness.connect() as wire:
            await works(wire)


# -- the other endpoints


async def test_health_readiness_and_metrics(harness: Harness):
    async with harness.connect() as wire, aiohttp.ClientSession(harness.server.url) as http:
        await works(wire)
        async with http.get("/healthz") as answer:
            assert (await answer.json())["status"] == "ok"
        async with http.get("/readyz") as answer:
            ready = await answer.json()
            assert answer.status == 200
            assert ready["ready"] is True
            assert {
                "sandbox",
                "key_required",
                "hears",
                "transcriber",
                "chat_model",
                "voice",
                "missing",
            } <= set(ready)
        async with http.get("/metrics") as answer:
            text = await answer.text()
            assert answer.content_type == "text/plain"
            assert "\nrealtime_sessions 1.0\n" in text
            assert 'realtime_responses_total{code="",status="completed"} 1.0' in text
            assert (
                'realtime_turn_mark_seconds_count{mark="chat_first_delta",origin="response_create"} 1.0'
                in text
            )
            assert "realtime_loop_lag_seconds_bucket" in text


async def test_the_page_and_its_files_have_security_headers(harness: Harness):
    async with aiohttp.ClientSession(harness.server.url) as http:
        async with http.get("/") as answer:
            page = await answer.text()
            assert answer.status == 200
            assert "<html" in page.lower()
            assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        for path in ("/", "/sdk/realtime.js", "/healthz", "/nowhere"):
            async with http.get(path) as answer:
                assert answer.headers["X-Content-Type-Options"] == "nosniff", path
                assert answer.headers["Referrer-Policy"] == "no-referrer", path
        async with http.get("/sdk/realtime.js") as answer:
            assert "javascript" in answer.content_type


@pytest.mark.parametrize(
    "path", ["/../pyproject.toml", "/%2e%2e/pyproject.toml", "/..%2fpyproject.toml", "/sdk/"]
)
async def test_files_outside_the_page_are_not_served(harness: Harness, path: str):
    reader, writer = await raw(harness)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    answer = (await reader.read()).decode(errors="replace")
    assert answer.split()[1] in ("400", "403", "404"), answer[:100]
    assert "[project]" not in answer
    writer.close()
    await writer.wait_closed()


async def test_keys_are_not_logged(with_key: Harness, caplog):
    caplog.set_level("DEBUG")
    await rejection(with_key, headers={"Authorization": "Bearer sk-somebody-elses"})
    async with with_key.connect(protocols=("realtime", BROWSER_KEY + KEY)) as wire:
        await works(wire)
    logged = "".join(r.getMessage() for r in caplog.records if not r.name.startswith("websockets"))
    assert KEY not in logged
    assert "sk-somebody-elses" not in logged


@pytest.fixture
def certificate(tmp_path) -> tuple[str, str]:
    """A certificate for this machine and its key, made by openssl."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl to make a certificate")
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


async def test_tls(certificate):
    cert, key = certificate
    trust = ssl.create_default_context(cafile=cert)
    async with open_harness(tls_cert=cert, tls_key=key) as harness:
        assert harness.server.url.startswith("https://")
        async with harness.connect(ssl=trust) as wire:
            await works(wire)
        async with (
            aiohttp.ClientSession() as http,
            http.get(harness.server.url + "/healthz", ssl=trust) as answer,
        ):
            assert answer.status == 200
