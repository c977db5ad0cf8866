"""`doctor --health --url`, and a realtime server where a command expects the platform."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from realtime import cli
from realtime.commands.health import health_at, the_platform
from realtime.errors import ConfigError, ProviderRejected
from realtime.settings import Settings

OURS = b'{"status": "ok", "sessions": 0}'


@contextmanager
def serving(answer):
    """The address of a server that answers this to /healthz, and 404 to all else."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            found = self.path == "/healthz"
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(answer if found else b"")

        def log_message(self, *args): ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000/healthz"),
        ("127.0.0.1:9000", "http://127.0.0.1:9000/healthz"),
        ("wss://a.example/v1/realtime?model=m", "https://a.example/healthz"),
        ("https://a.example/voice/", "https://a.example/voice/healthz"),
        ("http://user:secret@127.0.0.1:9000", "http://127.0.0.1:9000/healthz"),
    ],
)
def test_where_a_server_tells_of_its_health(url, address):
    assert health_at(url) == address


def test_the_server_at_the_url_is_asked(capsys):
    with serving(OURS) as url:
        assert cli.main(["doctor", "--health", "--url", url]) == 0
    assert capsys.readouterr().out.strip() == OURS.decode()
    assert cli.main(["doctor", "--health", "--url", url]) == 1  # it is gone
    assert f"No healthy server at {url}/healthz" in capsys.readouterr().out
    assert cli.main(["doctor", "--health", "--url", "http://bad..host:80"]) == 1
    with serving(b"<p>It works!") as url:
        assert cli.main(["doctor", "--health", "--url", url]) == 1


async def test_a_server_instead_of_the_platform_is_told():
    nothing = ProviderRejected("MiniMax: there is nothing at this address; check the base URL (HTTP 404).")
    with serving(OURS) as url:
        settings = Settings(api_key="k", base_url=url)
        with pytest.raises(ConfigError, match=f"{url} is a realtime server.* ask --url {url}"):
            async with the_platform(settings):
                raise nothing
        with pytest.raises(ProviderRejected, match="busy"):
            async with the_platform(settings):
                raise ProviderRejected("busy")
    with serving(b"<p>It works!") as url, pytest.raises(ProviderRejected, match="nothing at this address"):
        async with the_platform(Settings(api_key="k", base_url=url)):
            raise nothing
