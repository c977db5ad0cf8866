"""Every mistake in the TLS files is one sentence that names the file. The files are made by openssl."""

import asyncio
import os
import shutil
import ssl
import subprocess
import time

import pytest

from realtime.commands.health import ask_health, health_address
from realtime.errors import ConfigError
from realtime.server import listener
from realtime.server.run import running
from realtime.server.tls import tls_context
from realtime.settings import Settings
from tests.ports import free_port

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


def openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("tls")
    for name in ("a", "b"):
        openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
            "-days", "30", "-keyout", str(place / f"{name}.key"), "-out", str(place / f"{name}.pem"),
        )  # fmt: skip
    openssl(
        "pkey",
        "-in",
        str(place / "a.key"),
        "-aes256",
        "-passout",
        "pass:secret",
        "-out",
        str(place / "locked.key"),
    )
    openssl(
        "req", "-new", "-key", str(place / "a.key"), "-subj", "/CN=localhost", "-out", str(place / "a.csr")
    )
    openssl("x509", "-in", str(place / "a.pem"), "-outform", "DER", "-out", str(place / "a.der"))
    whole = (place / "a.pem").read_text()
    (place / "cut.pem").write_text(whole[: len(whole) // 2])
    (place / "empty.pem").write_text("")
    (place / "both.pem").write_text((place / "a.key").read_text() + whole)
    (place / "folder").mkdir()
    return place


@pytest.mark.parametrize(
    ("cert", "key", "said"),
    [
        ("a.key", "a.pem", "swap the two"),
        ("a.pem", "b.key", "does not belong to"),
        ("a.pem", "locked.key", "passphrase"),
        ("a.pem", "a.pem", "--tls-key .* holds no private key"),
        ("a.key", "a.key", "--tls-cert .* holds no certificate"),
        ("a.csr", "a.key", "--tls-cert .* holds no certificate"),
        ("a.der", "a.key", "--tls-cert .* holds no certificate"),
        ("empty.pem", "a.key", "--tls-cert .* holds no certificate"),
        ("cut.pem", "a.key", "Cannot use"),
        ("gone.pem", "a.key", "there is no file"),
        ("a.pem", "gone.key", "there is no file"),
        ("folder", "a.key", "cannot be read"),
    ],
)
def test_a_mistake_is_one_sentence(folder, cert, key, said):
    with pytest.raises(ConfigError, match=said) as error:
        tls_context(Settings(tls_cert=str(folder / cert), tls_key=str(folder / key)))
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_key_that_may_not_be_read(folder, tmp_path):
    key = tmp_path / "own.key"
    key.write_bytes((folder / "a.key").read_bytes())
    key.chmod(0)
    with pytest.raises(ConfigError, match="cannot be read by this user"):
        tls_context(Settings(tls_cert=str(folder / "a.pem"), tls_key=str(key)))


@pytest.mark.parametrize(("begins_s", "ends_s", "said"), [(-20, -10, "expired on"), (10, 20, "valid from")])
def test_a_certificate_out_of_its_time(monkeypatch, folder, begins_s, ends_s, said):
    def shown(at_s: float) -> str:
        return time.strftime("%b %d %H:%M:%S %Y GMT", time.gmtime(time.time() + at_s * 86_400))

    dates = {"notBefore": shown(begins_s), "notAfter": shown(ends_s)}
    monkeypatch.setattr(ssl._ssl, "_test_decode_cert", lambda path: dates)
    with pytest.raises(ConfigError, match=said):
        tls_context(Settings(tls_cert=str(folder / "a.pem"), tls_key=str(folder / "a.key")))


@pytest.mark.parametrize("cert", ["a.pem", "both.pem"])
async def test_right_files_serve_https_and_the_health_check_follows(folder, cert):
    settings = Settings(
        port=free_port(), transcriber="none", tls_cert=str(folder / cert), tls_key=str(folder / "a.key")
    )
    async with running(settings):
        address = health_address(settings)
        assert address.startswith("https://")
        assert '"ok"' in await asyncio.to_thread(ask_health, address)
    with pytest.raises(OSError):  # noqa: PT011 - refused
        await asyncio.to_thread(ask_health, address)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("0.0.0.0", "http://127.0.0.1:9000/healthz"),
        ("::", "http://[::1]:9000/healthz"),
        ("::1", "http://[::1]:9000/healthz"),
        ("10.1.2.3", "http://10.1.2.3:9000/healthz"),
        ("localhost", "http://localhost:9000/healthz"),
    ],
)
def test_the_health_check_asks_where_the_server_listens(host, address):
    assert health_address(Settings(host=host, port=9000)) == address


async def test_a_handshake_that_never_ends_is_closed(folder, monkeypatch):
    monkeypatch.setattr(listener, "HEAD_TIMEOUT_S", 0.5)
    settings = Settings(
        port=0, tls_cert=str(folder / "a.pem"), tls_key=str(folder / "a.key"), transcriber="none"
    )
    async with running(settings) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
        writer.write(b"\x16\x03\x01")
        async with asyncio.timeout(60):
            assert await reader.read() == b""
        writer.close()
