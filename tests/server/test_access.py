"""Who may connect: keys, client secrets, origins, hosts. No socket."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import ProtocolError
from realtime.server.access import (
    Access,
    AccessDenied,
    Caller,
    credential_of,
    host_allowed,
    is_local,
    origin_allowed,
)
from realtime.settings.load import is_loopback

SERVER = "the server's own secret, 32 marks"
NOW = 1_795_000_000


def test_without_keys_everybody_may_connect():
    assert Access(()).check(None, NOW) == Caller("open")
    assert Access(()).check("whatever", NOW) == Caller("open")


def test_only_a_configured_key_is_accepted():
    access = Access(("sk-one", "sk-two"))
    assert access.check("sk-two", NOW).name != access.check("sk-one", NOW).name
    for wrong in (None, "", "sk-three", "sk-on", "sk-onee"):
        with pytest.raises(AccessDenied):
            access.check(wrong, NOW)


def test_a_secret_is_valid_until_it_expires_and_carries_settings():
    access = Access(("sk-one",))
    secret = access.mint(access.check("sk-one", NOW), {"instructions": "Be brief."}, NOW + 60)
    caller = access.check(secret, NOW + 59)
    assert caller.session == {"instructions": "Be brief."}
    assert caller.ephemeral
    with pytest.raises(AccessDenied, match="expired"):
        access.check(secret, NOW + 61)


def test_a_secret_is_valid_only_on_servers_with_the_same_keys_and_secret():
    secret = Access(("a", "b"), SERVER).mint(Caller("key"), {}, NOW + 60)
    assert Access(("b", "a"), SERVER).check(secret, NOW).ephemeral
    for other in (
        Access(("a",), SERVER),
        Access((), SERVER),
        Access(("a", "b"), SERVER + "x"),
        Access(("a", "b")),
    ):
        with pytest.raises(AccessDenied):
            other.check(secret, NOW)


def test_a_secret_cannot_create_another_one():
    access = Access(("a",))
    caller = access.check(access.mint(Caller("key"), {}, NOW + 60), NOW)
    with pytest.raises(AccessDenied):
        access.mint(caller, {}, NOW + 60)


def test_settings_that_are_too_long_for_a_header_are_rejected():
    with pytest.raises(ProtocolError, match="too long"):
        Access(("a",)).mint(Caller("key"), {"instructions": secrets.token_hex(8000)}, NOW)


@given(st.text(max_size=60))
def test_forged_secrets_are_rejected(text):
    with pytest.raises(AccessDenied):
        Access(("a",)).check("ek_" + text, NOW)


def test_a_secret_with_one_changed_character_is_rejected():
    access = Access(("a",))
    secret = access.mint(Caller("key"), {"instructions": "x"}, NOW + 60)
    for at in range(3, len(secret) - 1):  # some bits of the last character are unused
        other = "A" if secret[at] != "A" else "B"
        with pytest.raises(AccessDenied):
            access.check(secret[:at] + other + secret[at + 1 :], NOW)


def test_repr_does_not_show_keys():
    assert "sk-one" not in repr(Access(("sk-one",)))
    assert "sk-one" not in repr(Access(("sk-one",)).check("sk-one", NOW))


def test_credentials_in_headers_and_subprotocols():
    assert credential_of("Bearer abc", []) == ("abc", False)
    assert credential_of(None, ["realtime", "openai-insecure-api-key.abc"]) == ("abc", True)
    assert credential_of(None, ["realtime"]) == (None, True)
    assert credential_of(None, []) == (None, False)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://talk.example:8000", True),
        ("http://localhost:3000", True),
        ("http://127.0.0.1", True),
        ("https://app.example", True),
        ("https://evil.example", False),
        ("null", False),
        ("http://localhost.evil.example", False),
    ],
)
def test_origins(origin, allowed):
    assert origin_allowed(origin, "talk.example:8000", ("https://app.example",)) is allowed


def test_without_keys_a_foreign_host_is_rejected():
    assert host_allowed("127.0.0.1:8000", "127.0.0.1")
    assert host_allowed("localhost:8000", "127.0.0.1")
    assert host_allowed("[::1]:8000", "::1")
    assert not host_allowed("evil.example:8000", "127.0.0.1")


def test_loopback():
    assert is_loopback("127.0.0.1")
    assert is_loopback("localhost")
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("example.com")


@pytest.mark.parametrize(
    ("address", "local"),
    [
        (("127.0.0.1", 8000), True),
        (("::1", 8000, 0, 0), True),
        (("::ffff:127.0.0.1", 8000, 0, 0), True),
        ("/run/voice.sock", True),
        (b"\0abstract", True),
        (("192.0.2.2", 8000), False),
        (("::ffff:192.0.2.2", 8000, 0, 0), False),
        (("0.0.0.0", 8000), False),
        (None, False),
        ((), False),
    ],
)
def test_which_socket_addresses_are_local(address, local):
    assert is_local(address) is local
