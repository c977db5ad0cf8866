"""Chat and speech over TLS through every kind of proxy, on both event loops, with a certificate made for the test."""

from __future__ import annotations

import asyncio
import os
import shutil
import ssl
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from tests.minimax.small_proxies import listening, pipe, proxying
from tests.minimax.test_proxied import FAST, needs_socks

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("proxied_tls.py")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A file with a key and a certificate for the platform's name and this machine."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl to make a certificate")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    names = "subjectAltName=DNS:api.voice.example,DNS:localhost,IP:127.0.0.1"
    key, certificate = path.with_name("key.pem"), path.with_name("certificate.pem")
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=test", "-addext", names, "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    path.write_text(key.read_text() + certificate.read_text())
    return path


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("http", "http://me:pa%40ss@127.0.0.1:{port}"),
        ("http", "https://me:pa%40ss@localhost:{port}"),
        pytest.param("socks", "socks5://me:pa%40ss@127.0.0.1:{port}", marks=needs_socks),
    ],
)
async def test_chat_and_speech_over_tls_pass_the_proxy(kind, url, loop, certificate):
    if loop == "uvloop":
        pytest.importorskip("uvloop", reason="not on Windows")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    async with Sandbox(SandboxOptions.parse("local", list(FAST))) as sandbox:
        port = urlsplit(sandbox.url).port or 0
        outside = context if url.startswith("https") else None
        async with (
            listening(lambda reader, writer: pipe(port, reader, writer), context) as tls_port,
            proxying(kind, tls_port, context=outside, user="me", password="pa@ss") as proxy,
        ):
            inherited = {
                name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")
            }
            process = await asyncio.create_subprocess_exec(
                sys.executable, str(PROGRAM), loop,
                env={
                    **inherited,
                    "PYTHONPATH": os.pathsep.join([*sys.path, str(ROOT), str(ROOT / "clients")]),
                    "SSL_CERT_FILE": str(certificate.with_name("certificate.pem")),
                    "HTTPS_PROXY": url.format(port=proxy.port),
                },
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert int(out) > 10_000
    assert err == b""
    assert set(proxy.asked) == {"api.voice.example:443"}
