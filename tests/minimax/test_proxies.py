"""Which proxy leads to an address: variables, exceptions, private addresses, and values that are no proxy. No socket."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import ProviderUnavailable
from realtime.minimax import proxies
from realtime.minimax.proxies import Proxy, is_private, parse_proxy, proxy_for

API = "https://api.minimax.io/v1"
ANY = {"http": "http://one.example:3128", "https": "http://two.example:3128"}


def address(url: str, **found: str) -> str | None:
    proxy = proxy_for(url, found)
    return proxy.address if proxy else None


@pytest.mark.parametrize(
    ("url", "found", "expected"),
    [
        ("http://api.test.example", ANY, "http://one.example:3128"),
        ("ws://api.test.example/ws", ANY, "http://one.example:3128"),
        ("https://api.test.example", ANY, "http://two.example:3128"),
        ("wss://api.test.example/ws", ANY, "http://two.example:3128"),
        ("wss://api.test.example", {"all": "http://three.example:1"}, "http://three.example:1"),
        ("https://api.test.example", {"http": "http://one.example:3128"}, None),
        ("https://api.test.example", {**ANY, "all": "http://three.example:1"}, "http://two.example:3128"),
        ("https://api.test.example", {"https": " ", "all": "three.example"}, "http://three.example:80"),
        ("https://api.test.example", {}, None),
        ("https://203.0.113.9:8443/v1", ANY, "http://two.example:3128"),
    ],
)
def test_the_scheme_chooses_the_variable(url, found, expected):
    assert address(url, **found) == expected


@pytest.mark.parametrize(
    ("text", "shown", "login"),
    [
        ("proxy.example:3128", "http://proxy.example:3128", None),
        ("proxy.example", "http://proxy.example:80", None),
        ("HTTPS://Proxy.Example", "https://proxy.example:443", None),
        ("http://user:pa%40ss@proxy.example:8080/", "http://proxy.example:8080", ("user", "pa@ss")),
        ("http://user:p@ss@proxy.example:8080", "http://proxy.example:8080", ("user", "p@ss")),
        ("http://user@proxy.example:8080", "http://proxy.example:8080", ("user", "")),
        ("http://用户:密码@proxy.example", "http://proxy.example:80", ("用户", "密码")),
        ("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128", None),
        ("socks5://proxy.example", "socks5://proxy.example:1080", None),
        ("socks5h://u:p@127.0.0.1:9050", "socks5h://127.0.0.1:9050", ("u", "p")),
        ("socks4://proxy.example:1081", "socks4://proxy.example:1081", None),
        ("socks4a://proxy.example", "socks4a://proxy.example:1080", None),
        ("socks://127.0.0.1:1080/", "socks5://127.0.0.1:1080", None),
    ],
)
def test_a_proxy_is_read_from_every_usual_form(text, shown, login):
    proxy = parse_proxy(text, "HTTPS_PROXY")
    assert proxy.address == shown
    assert (None if proxy.user is None else (proxy.user, proxy.password)) == login
    assert proxy.shown == f"the proxy {shown} (HTTPS_PROXY)"


@pytest.mark.parametrize(
    "text",
    [
        "http://", "://x", "http://proxy.example:port", "http://proxy.example:99999", "http://proxy.example:0",
        "http://[::1", "http://proxy example:3128", "http://proxy.example:3128/path", "http://user:sec/ret@host:1",
        "http://user:sec#ret@host:1", "ftp://user:secret@proxy.example", "quic://proxy.example:443", "yes?no", "@",
        "http://user:secret@", "socks5://user:gehörtmir@proxy.example", f"socks5://u:{'x' * 256}@proxy.example",
    ],
)  # fmt: skip
def test_a_value_that_is_no_proxy_is_one_sentence_without_its_password(text):
    with pytest.raises(ProviderUnavailable) as caught:
        parse_proxy(text, "HTTPS_PROXY")
    error = caught.value
    assert error.message.startswith("HTTPS_PROXY")
    assert (error.sent, error.retryable) == (False, False)
    for secret in ("secret", "sec/ret", "sec#ret", "gehörtmir", "xxx"):
        assert secret not in error.message


@given(st.text(max_size=60))
def test_any_text_is_a_proxy_or_one_sentence(text):
    message = ""
    try:
        proxy = parse_proxy(text, "ALL_PROXY")
        assert proxy.host
        assert 0 < proxy.port < 65536
    except ProviderUnavailable as error:
        message = error.message
    assert "\n" not in message


@given(st.text(max_size=40), st.sampled_from(["http", "https", "socks5"]))
def test_no_text_of_a_proxy_shows_its_login(text, scheme):
    secret = f"s3cr3t{text}"
    proxy = Proxy(scheme, "proxy.example", 3128, "ALL_PROXY", user=secret, password=secret)
    assert "s3cr3t" not in repr(proxy) + proxy.address + proxy.shown


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8100", "http://localhost:8100", "http://sandbox.localhost", "http://[::1]:8100",
        "http://127.9.9.9", "http://10.1.2.3", "http://172.16.0.5:8100", "http://172.31.255.1", "http://192.168.1.20:8100",
        "http://169.254.1.1", "http://100.64.0.9", "http://[fd12::1]:8100", "http://[fe80::1]", "http://sandbox:8100",
        "http://host.docker.internal:8100", "http://mac.local:8100", "http://0.0.0.0:8100", "http://[::ffff:10.0.0.1]",
        "ws://sandbox:8100/ws/v1/t2a_v2",
    ],
)  # fmt: skip
def test_private_addresses_are_never_proxied(url):
    assert address(url, all="http://proxy.example:3128", http="no proxy at all") is None


@pytest.mark.parametrize(
    "host", ["api.minimax.io", "203.0.113.9", "172.32.0.1", "8.8.8.8", "2001:db8::1", "local.example"]
)
def test_public_addresses_are_not_private(host):
    assert not is_private(host)


@pytest.mark.parametrize(
    ("no_proxy", "url", "direct"),
    [
        ("*", API, True),
        ("api.minimax.io", API, True),
        ("minimax.io", API, True),
        (".minimax.io", API, True),
        ("*.minimax.io", API, True),
        ("MINIMAX.IO", API, True),
        ("example.com, minimax.io", API, True),
        ("example.com minimax.io", API, True),
        ("api.minimax.io.", API, True),
        ("imax.io", API, False),
        ("io.minimax", API, False),
        ("uw.minimax.io", API, False),
        ("", API, False),
        (" , ,", API, False),
        ("api.minimax.io:443", API, True),
        ("api.minimax.io:8443", API, False),
        ("minimax.io:80", "ws://api.minimax.io/ws", True),
        ("minimax.io:443", "wss://api.minimax.io/ws", True),
        ("minimax.io:9000", "https://api.minimax.io:9000", True),
        ("203.0.113.9", "https://203.0.113.9", True),
        ("203.0.113.0/24", "https://203.0.113.9", True),
        ("203.0.114.0/24", "https://203.0.113.9", False),
        ("203.0.113.9/24", "https://203.0.113.200", True),
        ("2001:db8::/32", "https://[2001:db8::5]:8443", True),
        ("[2001:db8::5]:8443", "https://[2001:db8::5]:8443", True),
        ("[2001:db8::5]:443", "https://[2001:db8::5]:8443", False),
        ("[2001:db8::5]", "https://[2001:db8::5]", True),
        ("203.0.113.0/24", API, False),
        ("not/a/network", "https://203.0.113.9", False),
    ],
)
def test_no_proxy(no_proxy, url, direct):
    assert (address(url, all="http://proxy.example:1", no=no_proxy) is None) is direct


@given(st.text(alphabet="abc.*:/[]0123456789, -", max_size=30))
def test_any_no_proxy_is_read(no_proxy):
    assert address(API, all="http://proxy.example:1", no=no_proxy) in (None, "http://proxy.example:1")
    assert address("https://203.0.113.9", all="http://proxy.example:1", no=f"{no_proxy},*") is None


def test_a_malformed_proxy_matters_only_where_it_would_be_used():
    found = {"https": "http://user:secret@:3128", "no": "example.com"}
    assert proxy_for("https://api.example.com", found) is None
    with pytest.raises(ProviderUnavailable, match="HTTPS_PROXY is not the address of a proxy"):
        proxy_for(API, found)


@pytest.mark.parametrize(
    "text", ["socks5://u:secret@proxy.example", "socks4://proxy.example", "socks://proxy.example"]
)
def test_a_socks_proxy_without_its_package_says_what_to_install(text, monkeypatch):
    monkeypatch.setattr(proxies, "_SOCKS_PACKAGE", "no_such_package")
    with pytest.raises(ProviderUnavailable, match="pip install aiohttp-socks") as caught:
        proxy_for(API, {"all": text})
    assert "secret" not in str(caught.value)
    assert "ALL_PROXY" in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("HTTPS_PROXY", API), ("https_proxy", API), ("ALL_PROXY", API), ("all_proxy", API),
        ("HTTP_PROXY", "http://api.minimax.io"), ("http_proxy", "http://api.minimax.io"),
    ],
)  # fmt: skip
def test_the_environment_is_read(variable, url, monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv(variable, "http://proxy.example:3128")
    found = proxy_for(url)
    assert found is not None
    assert found.variable == variable.upper()
    monkeypatch.setenv("NO_PROXY", "minimax.io")
    assert proxy_for(url) is None
