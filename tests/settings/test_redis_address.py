"""The address of a Redis in the settings: every kind that is known, and never shown, because it may hold a password."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import ConfigError
from realtime.settings.load import load_settings, secrets_of
from realtime.settings.redis_url import read_redis_url


@pytest.mark.parametrize(
    "address",
    [
        "redis://h",
        "rediss://u:p@h:6380/1",
        "unix:///run/redis.sock",
        "unix://:p@/run/r",
        "redis+sentinel://a,b:1,c/name",
        "redis+sentinel://[::1]:26379,[::1]:26380/name",
        "redis+sentinel://a/name/3",
        "redis+sentinel://:p@a/name?db=3&protocol=3",
        "redis://[::1]:6379/2",
        "redis://h?db=2",
        "redis://h/",
        "REDIS://h",
        "unix:/run/r?db=1&password=p",
        "rediss://h?ssl_ca_certs=/ca.pem&ssl_cert_reqs=required&ssl_check_hostname=no",
    ],
)
def test_an_address_of_redis_is_taken_as_it_is_and_never_shown(address):
    settings = load_settings({}, {"REALTIME_REDIS": address}).settings
    assert settings.redis == address
    assert address not in repr(settings)
    assert address in secrets_of(settings)


@pytest.mark.parametrize(
    "address",
    [
        "h:6379",
        "http://:s3cret@h",
        "redis://",
        "redis://:s3cret@h:x",
        "unix://",
        "redis+sentinel://a,b",
        "redis:h",
        # the library would leave out a part of these, or fail at each connection
        "redis://h?foo=1",
        "redis://h?socket_timeout=5",
        "redis://h?db",
        "redis://h?db=",
        "redis://h?db=x",
        "redis://h?db=-1",
        "redis://h?db=1&db=2",
        "redis://h/1?db=2",
        "redis://h/abc",
        "redis://h/1/2",
        "redis://h/1#s3cret",
        "redis://h:0",
        "redis://h:",
        "redis://a,b",
        "redis://a b",
        "redis://::1:6379",
        "redis://h?ssl_cert_reqs=none",
        "redis://h?protocol=4",
        "rediss://h?ssl_cert_reqs=no",
        "rediss://h?ssl_check_hostname=off",
        "redis://:s3cret@h?password=other",
        "unix://run/redis.sock",
        "redis+sentinel:///m",
        "redis+sentinel://a,,b/m",
        "redis+sentinel://a:x/m",
        "redis+sentinel://a/m/x",
        "redis+sentinel://a/m/3?db=4",
        "redis+sentinel://a/m?foo=1",
        "redis+sentinel://::1/m",
        "redis+sentinel://a/m?ssl_ca_certs=/ca.pem",
        "redis+sentinel://a:0/m",
        "redis+sentinel://[::1:1/m",
    ],
)
def test_a_wrong_address_of_redis_is_refused_without_being_quoted(address):
    with pytest.raises(ConfigError, match="REALTIME_REDIS must be redis://HOST") as caught:
        load_settings({}, {"REALTIME_REDIS": address})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "hosts", "name", "options"),
    [
        ("redis+sentinel://a,b:1/m", (("a", 26_379), ("b", 1)), "m", {}),
        ("redis+sentinel://[::1],[fe80::2]:7/m", (("::1", 26_379), ("fe80::2", 7)), "m", {}),
        ("redis+sentinel://a/m?db=3", (("a", 26_379),), "m", {"db": 3}),
        ("redis+sentinel://a/m/3", (("a", 26_379),), "m", {"db": 3}),
        ("redis+sentinel://u%40:p%2F@a/m", (("a", 26_379),), "m", {"username": "u@", "password": "p/"}),
        ("redis+sentinel://a/m?password=p%20q", (("a", 26_379),), "m", {"password": "p q"}),
        ("redis://h:7/2?protocol=2", (), "", {"db": 2, "protocol": 2}),
    ],
)
def test_what_an_address_says(address, hosts, name, options):
    url = read_redis_url(address)
    assert (url.hosts, url.name, url.options) == (hosts, name, options)


@given(st.text(max_size=40), st.sampled_from(["redis", "rediss", "unix", "redis+sentinel"]))
def test_any_text_is_read_or_refused(text, scheme):
    with contextlib.suppress(ValueError):
        read_redis_url(f"{scheme}://{text}")
