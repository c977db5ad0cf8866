"""What is sent out: error pages, scripts in names, files outside of the page, bodies that grow, compression."""

from __future__ import annotations

import asyncio
import gzip
import random
import socket

import pytest

from realtime.providers import FakeChat, FakeSpeech
from realtime.server.app import web_root
from realtime.server.run import running
from realtime.server.state import METRICS
from realtime.settings import Settings
from tests.adversarial.raw_http import UPGRADE, everything_logged, exchange, head
from tests.server.harness import open_harness, open_socket

KEY = "sk-test-1234567890"
SECRETS = b"/v1/realtime/client_secrets"
SCRIPT = b"<script>alert(1)</script>"


async def test_every_error_is_json_with_security_headers_and_quotes_nothing(monkeypatch):
    quoted = b"flamingo"
    odd = b"X-Words: " + quoted
    async with open_harness(api_keys=(KEY,)) as harness:
        metrics = harness.server.app[METRICS]
        monkeypatch.setattr(metrics, "text", lambda: metrics.flamingo, raising=True)
        requests = {
            404: head(odd, path=b"/nowhere/" + quoted),
            405: head(odd, path=b"/metrics?" + quoted, method=b"DELETE"),
            426: head(odd),
            401: head(*UPGRADE, b"Authorization: Bearer " + quoted),
            400: head(*UPGRADE, b"Sec-WebSocket-Protocol: " + quoted),
            413: head(b"Authorization: Bearer " + KEY.encode(), b"Content-Length: 300000", path=SECRETS, method=b"POST")
            + quoted * 37_500,
            500: head(odd, path=b"/metrics"),
        }  # fmt: skip
        for status, data in requests.items():
            answer = await exchange(harness.server.url, data)
            assert answer.status == status
            assert answer.headers["content-type"].startswith("application/json")
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "default-src 'self'" in answer.headers["content-security-policy"]
            assert answer.headers["server"] == "minimax-realtime"
            assert set(answer.error) == {"message", "type", "param", "code"}
            assert quoted not in answer.raw, status
        assert "GET" in (await exchange(harness.server.url, requests[405])).headers["allow"]


async def test_the_policy_names_this_server_and_the_configured_ones():
    async with open_harness(origins=("https://app.example",)) as harness:
        answer = await exchange(harness.server.url, head(path=b"/", host=b"127.0.0.1:8123"))
        policy = dict(
            part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
        )
        assert set(policy["connect-src"].split()) == {
            "'self'", "ws://127.0.0.1:8123", "wss://127.0.0.1:8123", "https://app.example", "wss://app.example",
        }  # fmt: skip
        for host in (b"evil.example; script-src *", b"evil.example 'unsafe-inline'", b"a,b", b"*", b"x/*"):
            answer = await exchange(harness.server.url, head(path=b"/", host=host))
            assert b"evil" not in answer.raw
            assert "script-src" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("where", ["path", "origin", "host", "query", "file"])
async def test_a_script_in_a_request_is_never_a_page(where: str):
    requests = {
        "path": head(path=b"/" + SCRIPT),
        "origin": head(*UPGRADE, b"Origin: http://" + SCRIPT),
        "host": head(path=b"/readyz", host=SCRIPT),
        "query": head(path=b"/?" + SCRIPT),
        "file": head(path=b"/sdk/" + SCRIPT.replace(b"/", b"%2f")),
    }
    async with open_harness() as harness:
        answer = await exchange(harness.server.url, requests[where])
        page = answer.status == 200 and answer.body == (web_root() / "index.html").read_bytes()
        assert page or not answer.headers["content-type"].startswith("text/html")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert page or SCRIPT not in answer.body


async def test_no_path_leads_out_of_the_folder_of_the_page():
    random_ = random.Random(11)
    parts = ["..", "%2e%2e", ".%2e", "%2e.", "%252e%252e", "..%5c", "..\\", "...", "%00", "%c0%ae%c0%ae", "~", ".",
             "sdk", "pyproject.toml", "README.md", "realtime", "server", "app.py", "etc", "passwd", "C:", "%0a", ";",
             "a" * 300, "%ff", "//"]  # fmt: skip
    served = {path.read_bytes() for path in web_root().rglob("*") if path.is_file()}
    paths = ["/../pyproject.toml", "/..%2f..%2fetc%2fpasswd", "//etc/passwd", "/sdk/../../pyproject.toml", "/%2fetc/passwd",
             *("/" + random_.choice(["/", "%2f", "%5c"]).join(random_.choices(parts, k=random_.randint(1, 7)))
               for _ in range(200))]  # fmt: skip
    async with open_harness() as harness:
        with everything_logged() as told:
            for path in paths:
                answer = await exchange(harness.server.url, head(path=path.encode()))
                assert answer.status in (400, 403, 404, 426) or answer.body in served, path
                assert b"[project]" not in answer.body
                assert b"root:" not in answer.body
        assert not any(record.exc_info for record in told.records), told.text


async def test_a_link_in_the_folder_of_the_page_does_not_lead_out(tmp_path, monkeypatch):
    (tmp_path / "secret.txt").write_text("flamingo")
    root = tmp_path / "web"
    root.mkdir()
    (root / "index.html").write_text("<html></html>")
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    (root / "up").symlink_to(tmp_path)
    monkeypatch.setattr("realtime.server.app.web_root", lambda: root)
    async with open_harness() as harness:
        for path in (b"/link.txt", b"/up/secret.txt", b"/up/web/index.html/../../secret.txt"):
            answer = await exchange(harness.server.url, head(path=path))
            assert answer.status == 404
            assert b"flamingo" not in answer.raw


# -- compression


async def test_compression_is_never_agreed_and_a_compressed_frame_ends_the_connection():
    offers = b"permessage-deflate; client_max_window_bits, permessage-bzip2, x-webkit-deflate-frame"
    async with open_harness() as harness:
        answer = await exchange(harness.server.url, head(*UPGRADE, b"Sec-WebSocket-Extensions: " + offers))
        assert answer.status == 101
        assert "sec-websocket-extensions" not in answer.headers
        host, port = harness.server.url.partition("//")[2].split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        async with asyncio.timeout(60):
            writer.write(head(*UPGRADE))
            await reader.readuntil(b"\r\n\r\n")
            writer.write(bytes([0xC1, 0x84, 0, 0, 0, 0]) + b"abcd")  # RSV1: "this frame is compressed"
            rest = await reader.read()
        assert b"\x88" in rest
        assert (1002).to_bytes(2, "big") in rest
        writer.close()
        await harness.no_sessions()


async def test_a_body_that_grows_when_it_is_unpacked_is_413():
    bomb = gzip.compress(b" " * 16_000_000 + b"{}")
    data = head(b"Authorization: Bearer " + KEY.encode(), b"Content-Encoding: gzip",
                b"Content-Length: %d" % len(bomb), path=SECRETS, method=b"POST")  # fmt: skip
    async with open_harness(api_keys=(KEY,)) as harness:
        assert (await exchange(harness.server.url, data + bomb)).status == 413


# -- addresses that a client names


async def test_the_server_opens_no_address_that_a_client_names():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        trap = f"127.0.0.1:{listener.getsockname()[1]}"
        own = {
            "transcriber": None,
            "vad": None,
            "end_of_turn": None,
            "speech": FakeSpeech(first_s=0.0, factor=1000),
        }
        chat = FakeChat([[(0.0, "It is noon.")]] * 3)
        chat.sees_images = True
        async with running(Settings(port=0), providers={**own, "chat": chat}) as server:
            address = (
                server.url.replace("http", "ws", 1)
                + f"/v1/realtime?model=http://{trap}/&conversation=http://{trap}/"
            )
            named = {"X-Forwarded-Host": trap, "Referer": f"http://{trap}/", "User-Agent": f"http://{trap}/"}
            async with open_socket(address, headers=named) as wire:
                await wire.send(
                    "session.update",
                    session={
                        "instructions": f"http://{trap}/",
                        "audio": {"output": {"voice": f"http://{trap}/"}},
                    },
                )
                for url in (f"http://{trap}/a.png", f"file://{trap}/etc/passwd", f"//{trap}/a.png"):
                    content = [
                        {"type": "input_image", "image_url": url},
                        {"type": "input_text", "text": f"See http://{trap}/."},
                    ]
                    await wire.send(
                        "conversation.item.create",
                        item={"type": "message", "role": "user", "content": content},
                    )
                await wire.send("response.create", response={"output_modalities": ["text"]})
                await wire.until("response.done")
        with pytest.raises(BlockingIOError):
            listener.accept()
