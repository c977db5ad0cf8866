"""Addresses as people give them, keys, loopback hosts, and the proxy that is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from realtime_client import ConnectionFailed
from realtime_client.address import check_key, is_loopback, shown, socket_url
from realtime_client.proxies import proxy_for

PROXY_VARIABLES = [f"{name}_proxy" for name in ("ws", "wss", "socks", "https", "http", "all", "no")]


@pytest.mark.parametrize(
    ("given", "opened"),
    [
        ("localhost", "ws://localhost/v1/realtime"),
        ("localhost:8000", "ws://localhost:8000/v1/realtime"),
        ("[::1]:8000", "ws://[::1]:8000/v1/realtime"),
        (" ws://h:8000/ ", "ws://h:8000/v1/realtime"),
        ("http://h:8000", "ws://h:8000/v1/realtime"),
        ("https://h", "wss://h/v1/realtime"),
        ("HTTPS://h/", "wss://h/v1/realtime"),
        ("https://h/voice", "wss://h/voice/v1/realtime"),
        ("https://h/voice/", "wss://h/voice/v1/realtime"),
        ("https://h/a/b/v1", "wss://h/a/b/v1/realtime"),
        ("wss://h/v1/realtime", "wss://h/v1/realtime"),
        ("wss://h/voice/v1/realtime/", "wss://h/voice/v1/realtime"),
        ("wss://h/own/realtime", "wss://h/own/realtime"),
        ("wss://h/v1/realtime?conversation=conv_1", "wss://h/v1/realtime?conversation=conv_1"),
        ("wss://me:secret@h/voice", "wss://me:secret@h/voice/v1/realtime"),
    ],
)
def test_an_address_in_any_form_is_the_endpoint(given, opened):
    assert socket_url(given) == opened


@pytest.mark.parametrize(
    "given",
    [
        "",
        " ",
        "ws://",
        "https:///voice",
        "ftp://h/",
        "file:///x",
        "ws://h:port",
        "ws://h:99999",
        "ws://a b/",
        "h/x y",
    ],
)
def test_what_is_no_address_is_told_in_one_sentence(given):
    with pytest.raises(ConnectionFailed, match="is not an address like ws://"):
        socket_url(given)


@given(
    st.sampled_from(["http", "https", "ws", "wss"]), st.from_regex(r"(/[a-z0-9]{1,8}){0,3}/?", fullmatch=True)
)
def test_the_endpoint_of_an_endpoint_is_itself(scheme, path):
    once = socket_url(f"{scheme}://h:1{path}")
    assert once.endswith("/realtime")
    assert socket_url(once) == once


def test_extensions_and_model_are_added_but_never_replaced():
    assert socket_url("h", ("words", "playback")).endswith("?extensions=words,playback")
    assert socket_url("h?extensions=words", ("playback",)).endswith("?extensions=words")
    assert socket_url("h?a=1", (), "M 3").endswith("?a=1&model=M+3")
    assert socket_url("h?model=a", (), "b").endswith("?model=a")


def test_a_shown_address_has_no_secrets():
    assert shown("wss://me:secret@h:1/v1/realtime?resume=x") == "wss://h:1/v1/realtime"


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1"],
)
def test_this_machine(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["h", "localhost.example.com", "10.0.0.1", "128.0.0.1", "::2", "0.0.0.0", ""]
)
def test_another_machine(host):
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "key", ["a\nb", "a\r\nb", "my secret", "a\tb", "schlüssel", "k\u200bey", "k\x00", "\ufeffkey", "键"]
)
def test_a_key_that_no_header_can_carry_is_refused_and_not_shown(key):
    with pytest.raises(ConnectionFailed, match="The key of the server has") as caught:
        check_key(key)
    assert key not in str(caught.value)


def test_keys_that_are_good():
    check_key("sk-api_01.Az/+=~")


# -- proxies --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def proxied(monkeypatch):
    """Sets the proxies of the environment, and no others."""
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def set_them(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_them


@pytest.mark.parametrize(
    ("url", "variables", "taken"),
    [
        ("ws://h/", {}, None),
        ("ws://h/", {"HTTP_PROXY": "http://p:3128"}, "http://p:3128"),
        ("wss://h/", {"HTTP_PROXY": "http://p:3128"}, None),
        ("wss://h/", {"https_proxy": "http://p:3128/"}, "http://p:3128/"),
        ("wss://h/", {"ALL_PROXY": "http://p:3128"}, "http://p:3128"),
        ("ws://h/", {"ALL_PROXY": "p:3128"}, "http://p:3128"),
        ("ws://h/", {"ALL_PROXY": "http://a:1", "HTTP_PROXY": "http://p:3128"}, "http://p:3128"),
        ("ws://h:9/", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "h"}, None),
        ("ws://a.example.com/", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "x, .example.com"}, None),
        ("ws://h/", {"HTTP_PROXY": "http://p:1", "no_proxy": "*"}, None),
        ("ws://localhost:8000/", {"ALL_PROXY": "nonsense://"}, None),
        ("wss://127.0.0.1:8000/", {"https_proxy": "http://p:1"}, None),
        ("ws://[::1]:8000/", {"http_proxy": "http://p:1"}, None),
    ],
)  # fmt: skip
def test_the_proxy_for_an_address(proxied, url, variables, taken):
    proxied(**variables)
    assert proxy_for(url) == taken


@pytest.mark.parametrize(
    "value", ["ftp://p", "http://", "http://p:port", "socks6://p:1", "http://p/path", "http://p?x"]
)
def test_a_proxy_that_is_none_is_named_by_its_variable(proxied, value):
    proxied(ALL_PROXY=value)
    with pytest.raises(ConnectionFailed, match="ALL_PROXY is not a proxy"):
        proxy_for("wss://h/")


@pytest.mark.parametrize(
    "value", ["socks5://me:secret@p:1080", "socks5h://p:1080", "socks4://p:1080", "socks://p:1080"]
)
def test_socks_works_or_says_what_is_missing(proxied, value):
    proxied(ALL_PROXY=value)
    try:
        import python_socks  # noqa: F401
    except ImportError:
        with pytest.raises(ConnectionFailed, match="pip install python-socks") as caught:
            proxy_for("wss://h/")
        assert "secret" not in str(caught.value)
    else:
        assert proxy_for("wss://h/").startswith("socks")
