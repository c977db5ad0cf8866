"""`--account NAME`: which of several accounts a command of the platform uses, and what its records call it."""

from __future__ import annotations

import json

import pytest

from realtime.commands.platform import Platform, records_of, run_on_platform
from realtime.commands.tasks import _check_platform
from realtime.errors import ConfigError
from realtime.settings import Settings
from realtime.settings.model import Account
from tests.commands.running import add_all, environment, parsed

ONE, TWO = "sk-api-one-0123456789", "sk-api-two-0123456789"
HOST = "https://api.minimax.io"
ACCOUNTS = {
    "MINIMAX_API_KEY": ONE,
    "MINIMAX_BASE_URL": HOST,
    "MINIMAX_GROUP_ID": "7",
    "REALTIME_ACCOUNTS": json.dumps([{"name": "second", "api_key": TWO}]),
}


def run(folder, *words, **environ) -> Platform:
    """The platform that a command with these words gets."""
    given = []

    async def command(platform) -> int:
        given.append(platform)
        return 0

    run_on_platform(parsed(add_all, list(words), environment(folder, **environ)), command)
    return given[0]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "key", "group", "address"),
    [
        ((), ONE, "7", HOST),
        (("--account", "default"), ONE, "7", HOST),
        (("--account", "second"), TWO, None, f"{HOST} (account second)"),
    ],
)
def test_the_named_account_is_asked_and_the_first_one_without_a_name(folder, words, key, group, address):
    platform = run(folder, *words, **ACCOUNTS)
    assert (platform.settings.api_key, platform.settings.group_id) == (key, group)
    assert platform.address == address, "files, tasks and voices are the account's"
    assert run(folder, *words, "--dry-run", **ACCOUNTS).address == address


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        (ACCOUNTS, "There is no account 'secnd': the accounts are default, second"),
        ({}, "the settings have one account, without a name"),
    ],
)
def test_a_name_that_none_has_is_an_error(folder, environ, message):
    with pytest.raises(ConfigError, match=message):
        run(folder, "--account", "secnd", **environ)


def test_a_task_of_another_account_says_how_to_name_it(folder):
    second, first = run(folder, "--account", "second", **ACCOUNTS), run(folder, **ACCOUNTS)
    with second.records.create("video", platform=second.address) as work:
        _check_platform(second, work.record)
        with pytest.raises(ConfigError, match=r"made at .* \(account second\).* --account"):
            _check_platform(first, work.record)


def test_no_key_of_the_settings_is_in_a_record(folder):
    args = parsed(add_all, [], environment(folder))
    settings = Settings(api_key=ONE, accounts=(Account("second", TWO),), transcriber_api_key="sk-ears-0123")
    with records_of(args, settings).create("image", platform=HOST, prompt=f"{ONE} {TWO} sk-ears-0123"):
        written = "".join(path.read_text() for path in folder.rglob("*.json"))
    assert written
    assert not [key for key in (ONE, TWO, "sk-ears-0123") if key in written]
