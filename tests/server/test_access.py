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
from realtime.settings.hosts import is_loopback

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


def minted(access: Access, key: str | None, expires_at: int = NOW + 60) -> str:
    return access.mint(access.check(key, NOW), {"instructions": "Be brief."}, expires_at)


def test_a_secret_is_valid_until_it_expires_and_carries_settings():
    """With 30 s for a clock that is ahead of the one that made it."""
    access = Access(("sk-one",))
    secret = minted(access, "sk-one")
    for now in (NOW - 300, NOW + 59, NOW + 90):
        caller = access.check(secret, now)
        assert caller.session == {"instructions": "Be brief."}
        assert caller.ephemeral
    with pytest.raises(AccessDenied, match="expired"):
        access.check(secret, NOW + 91)


@given(
    before=st.sets(st.sampled_from("abcdef"), min_size=1),
    after=st.sets(st.sampled_from("abcdef"), min_size=1),
    order=st.randoms(use_true_random=False),
)
def test_a_secret_lives_as_long_as_its_key_whatever_happens_to_the_others(before, after, order):
    lists = sorted(before), order.sample(sorted(after), len(after))
    one, other = (Access(tuple(keys), SERVER) for keys in lists)
    for key in before:
        secret = minted(one, key)
        if key in after:
            assert other.check(secret, NOW).name == one.check(key, NOW).name == other.check(key, NOW).name
        else:
            with pytest.raises(AccessDenied):
                other.check(secret, NOW)


def test_a_secret_is_valid_only_on_servers_with_the_same_server_secret():
    for keys, key in ((("a", "b"), "a"), ((), None)):
        secret = minted(Access(keys, SERVER), key)
        assert Access(keys, SERVER).check(secret, NOW).ephemeral
        for other in (Access(keys, SERVER + "x"), Access(keys)):
            with pytest.raises(AccessDenied):
                other.check(secret, NOW)


def test_a_secret_of_an_open_server_ends_with_its_first_key_and_the_other_way_round():
    for one, key, other in (((), None, ("a",)), (("a",), "a", ()), (("open server",), "open server", ())):
        with pytest.raises(AccessDenied):
            Access(other, SERVER).check(minted(Access(one, SERVER), key), NOW)


def test_a_secret_cannot_create_another_one_nor_can_a_stranger():
    access = Access(("a",))
    for caller in (access.check(minted(access, "a"), NOW), Caller("key"), Caller("open")):
        with pytest.raises(AccessDenied):
            access.mint(caller, {}, NOW + 60)


def test_settings_that_are_too_long_for_a_header_are_rejected():
    with pytest.raises(ProtocolError, match="too long"):
        Access(()).mint(Caller("open"), {"instructions": secrets.token_hex(8000)}, NOW)


@given(st.text(max_size=60))
def test_forged_secrets_are_rejected(text):
    with pytest.raises(AccessDenied):
        Access(("a",)).check("ek_" + text, NOW)


def test_a_secret_with_one_changed_character_is_rejected():
    access = Access(("a",))
    secret = minted(access, "a")
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
