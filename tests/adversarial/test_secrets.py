"""Client secrets, the server's own secret, keys that would open the server by mistake, and files that hold words."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import stat
import threading
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime import logs
from realtime.errors import ConfigError
from realtime.providers.sqlite_store import SqliteStore
from realtime.providers.store import FIRST_EPOCH, Changes
from realtime.server.access import Access, AccessDenied
from realtime.server.server_secret import FILE_NAME, secret_in, with_server_secret
from realtime.settings import Settings
from realtime.settings.load import describe, load_settings, secrets_of
from tests.test_logs import record

NOW, KEY = 1_795_000_000, "sk-weak"
posix = pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")


def minted(access: Access, key: str = KEY) -> str:
    return access.mint(access.check(key, NOW), {"instructions": "Be brief."}, NOW + 600)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# -- client secrets


def test_a_client_secret_does_not_tell_whether_a_guess_of_the_key_is_right():
    """Whoever holds one, and guesses the key, and has this program, still lacks the server's secret."""
    secret = minted(Access((KEY,), "x" * 32))
    raw = base64.urlsafe_b64decode(secret[3:] + "=" * (-len(secret[3:]) % 4))
    signature, mark, body = raw[:20], raw[-8:], raw[20:]
    for root in (
        KEY.encode(),
        hashlib.sha256(KEY.encode()).digest(),
        b"realtime client secret\n" + KEY.encode(),
    ):
        for guess in (
            root,
            hashlib.sha256(root).digest(),
            hashlib.sha256(b"realtime client secret\n" + root).digest(),
        ):
            assert hmac.digest(guess, body, "sha256")[:20] != signature
            assert mark not in guess
            assert (
                hmac.digest(guess, b"realtime client secret, mark: key " + KEY.encode(), "sha256")[:8] != mark
            )
    for other in (Access((KEY,)), Access((KEY,), "y" * 32)):
        with pytest.raises(AccessDenied):
            other.check(secret, NOW)
    claim = zlib.decompress(body[:-8]).decode()
    for trace in (KEY, hashlib.sha256(KEY.encode()).hexdigest()[:8], "key-"):
        assert trace not in claim


def test_the_session_of_a_client_secret_belongs_to_the_key_that_made_it():
    keys = ("sk-one", "sk-two", "sk-three")
    one, other_worker = Access(keys, "x" * 32), Access(keys[::-1], "x" * 32)
    for key in keys:
        assert other_worker.check(minted(one, key), NOW).name == one.check(key, NOW).name


def test_without_a_server_secret_two_servers_do_not_know_each_other():
    with pytest.raises(AccessDenied):
        Access((KEY,)).check(minted(Access((KEY,))), NOW)


@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 255))
def test_no_changed_client_secret_is_accepted_and_each_is_only_denied(tail, at, value):
    access = Access((KEY,), "x" * 32)
    secret = minted(access)
    raw = bytearray(base64.urlsafe_b64decode(secret[3:] + "=" * (-len(secret[3:]) % 4)))
    before = bytes(raw)
    raw[at % len(raw)] = value
    for forged in (bytes(raw), bytes(raw) + tail, tail, bytes(raw)[: at % len(raw)]):
        if forged != before:
            with pytest.raises(AccessDenied):
                access.check("ek_" + base64.urlsafe_b64encode(forged).decode().rstrip("="), NOW)


# -- the server's own secret


def test_it_is_in_a_file_of_this_user_and_the_same_after_a_restart(tmp_path):
    settings = Settings(api_keys=(KEY,), cache_dir=str(tmp_path / "deep" / "cache"))
    first, second = with_server_secret(settings), with_server_secret(settings)
    assert first.server_secret == second.server_secret
    path = tmp_path / "deep" / "cache" / FILE_NAME
    assert [each.name for each in path.parent.iterdir()] == [FILE_NAME]
    if os.name != "nt":
        assert mode(path) == 0o600
    assert str(first.server_secret) not in repr(first)
    assert first.server_secret in secrets_of(first)


def test_without_keys_it_is_kept_nowhere_and_a_chosen_one_is_left_alone(tmp_path):
    settings = Settings(cache_dir=str(tmp_path))
    assert with_server_secret(settings).server_secret != with_server_secret(settings).server_secret
    chosen = Settings(api_keys=(KEY,), server_secret="z" * 40, cache_dir=str(tmp_path))
    assert with_server_secret(chosen) == chosen
    assert not list(tmp_path.iterdir())


@posix
@pytest.mark.parametrize("content", ["", "short", "e" * 64])
def test_a_file_that_is_empty_or_that_others_could_read_is_replaced(tmp_path, content):
    path = tmp_path / FILE_NAME
    path.write_text(content)
    path.chmod(0o644)
    secret = secret_in(path)
    assert (secret, len(secret)) == (path.read_text().strip(), 64)
    assert secret != content
    assert mode(path) == 0o600


def test_servers_that_start_at_once_have_the_same(tmp_path):
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(secret_in(tmp_path / FILE_NAME))) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(found), len(set(found))) == (16, 1)


def test_where_it_cannot_be_kept_the_server_works_and_says_so(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    assert len(secret_in(tmp_path / "file" / FILE_NAME)) == 64
    assert "REALTIME_SERVER_SECRET" in caplog.text


# -- keys


@pytest.mark.parametrize("value", [",", " , ", ",,,", "\t,", "ek_abc", "sk-good,ek_abc", "ek_"])
def test_keys_that_would_open_the_server_or_never_work_are_refused(value):
    with pytest.raises(ConfigError, match="REALTIME_API_KEYS must be") as refused:
        load_settings({}, {"REALTIME_API_KEYS": value})
    assert "ek_abc" not in str(refused.value)
    with pytest.raises(ConfigError, match="--api-keys must be"):
        load_settings({"api_keys": value}, {})


def test_an_empty_flag_for_keys_is_refused():
    """`--api-keys "$KEYS"` with nothing in it must not be an open server."""
    with pytest.raises(ConfigError, match="--api-keys must be"):
        load_settings({"api_keys": ""}, {})


@pytest.mark.parametrize("keys", [("ek_abc",), ("",), ("sk-good", " ")])
def test_settings_in_code_are_checked_too(keys):
    with pytest.raises(ConfigError, match="ek_"):
        Access(keys)


def test_the_server_secret_is_long_and_masked():
    with pytest.raises(ConfigError, match="REALTIME_SERVER_SECRET must be at least 32") as refused:
        load_settings({}, {"REALTIME_SERVER_SECRET": "hunter2"})
    assert "hunter2" not in str(refused.value)
    secret = "0123456789abcdef" * 4
    shown = str(list(describe(load_settings({}, {"REALTIME_SERVER_SECRET": secret}))))
    assert "REALTIME_SERVER_SECRET" in shown
    assert secret not in shown


# -- the log


@pytest.mark.parametrize("kind", [logs.LogFormatter, logs.JsonFormatter])
@pytest.mark.parametrize(
    "before", ["Authorization: Bearer ", "bearer ", "openai-insecure-api-key.", "/v1/realtime?api_key=", ""]
)
def test_what_looks_like_a_clients_key_is_hidden_wherever_it_stands(kind, before):
    key = "ek_" + "Ab1-Cd2_" * 6
    for line in (
        kind().format(record(f"odd {before}{key}")),
        kind().format(record(facts={"user_agent": before + key})),
    ):
        assert key[3:12] not in line
        assert logs.HIDDEN in line
        if kind is logs.JsonFormatter:
            json.loads(line)


# -- the store


@posix
async def test_only_this_user_can_read_the_store_and_what_stands_beside_it(tmp_path):
    path = tmp_path / "talk.db"
    before = os.umask(0)
    try:
        store = SqliteStore(str(path))
        await store.save("me", "conv_1", FIRST_EPOCH, Changes(["a"], {"a": b"words"}))
        files = sorted(each.name for each in path.parent.iterdir())
        assert files == ["talk.db", "talk.db-shm", "talk.db-wal"]
        assert {mode(path.parent / name) for name in files} == {0o600}
        await store.aclose()
    finally:
        os.umask(before)


@posix
async def test_a_store_of_before_is_closed_to_others_too(tmp_path):
    path = tmp_path / "talk.db"
    old = SqliteStore(str(path))
    await old.save("me", "conv_1", FIRST_EPOCH, Changes(["a"], {"a": b"words"}))
    for each in tmp_path.iterdir():
        each.chmod(0o644)
    store = SqliteStore(str(path))
    assert await store.load("me", "conv_1") == (b"words",)
    await store.save("me", "conv_1", FIRST_EPOCH, Changes(["a"], {"a": b"more"}))
    assert {mode(each) for each in tmp_path.iterdir()} == {0o600}
    await old.aclose()
    await store.aclose()
    assert {mode(each) for each in tmp_path.iterdir()} == {0o600}
