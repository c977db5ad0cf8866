"""Several accounts in the settings: what they inherit, who may use them, and what is said of ones that cannot be meant."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import ConfigError
from realtime.settings import Settings
from realtime.settings.accounts import accounts, every_account, key_name, settings_for, with_default
from realtime.settings.load import describe, load_settings, secrets_of
from realtime.settings.model import Account

ONE, TWO, THREE = "sk-api-one-0123456789", "sk-api-two-0123456789", "sk-api-three-0123456"
FIRST = f'[[accounts]]\nname = "first"\napi_key = "{ONE}"\n'
SECOND = f'[[accounts]]\nname = "second"\napi_key = "{TWO}"\n'


def load(tmp_path, toml="", **environ):
    path = tmp_path / "realtime.toml"
    path.write_text(toml, encoding="utf-8")
    return load_settings({}, environ, path)


def test_without_the_list_nothing_is_different(tmp_path):
    settings = load(tmp_path).settings
    assert settings.accounts == every_account(settings) == ()
    assert with_default(settings) is settings
    assert settings.use_sandbox


def test_the_account_of_the_key_is_the_default_and_the_list_adds_to_it(tmp_path):
    settings = load(tmp_path, SECOND, MINIMAX_API_KEY=ONE, MINIMAX_GROUP_ID="7").settings
    assert [each.name for each in settings.accounts] == ["default", "second"]
    assert settings.api_key == ONE
    other = settings_for(settings, settings.accounts[1])
    assert (other.api_key, other.group_id) == (TWO, None), "a group belongs to its account"
    assert settings_for(settings, settings.accounts[0]) == settings == with_default(settings)


def test_without_that_key_the_first_of_the_list_is_the_default(tmp_path):
    first = FIRST + 'base_url = "https://api.minimax.io/v1"\nchat_rpm = 500\n'
    loaded = load(tmp_path, first + SECOND)
    settings = loaded.settings
    assert not settings.use_sandbox
    assert (settings.api_key, settings.base_url, settings.chat_rpm) == (ONE, "https://api.minimax.io", 500)
    assert loaded.origins["api_key"] == loaded.origins["chat_rpm"] == "realtime.toml"
    assert loaded.origins["speech_connections"] == "default"


def test_limits_are_the_account_s_own_else_those_of_the_settings_else_those_of_its_region(tmp_path):
    abroad = SECOND + 'base_url = "https://api.minimax.io"\n'
    settings = load(tmp_path, FIRST + "speech_rpm = 7\n" + abroad).settings
    assert [each.speech_rpm for each in settings.accounts] == [7, 60]
    assert [each.chat_rpm for each in settings.accounts] == [200, 200]
    settings = load(tmp_path, FIRST + abroad).settings
    assert [each.speech_rpm for each in settings.accounts] == [20, 60]
    settings = load(tmp_path, FIRST + abroad, MINIMAX_SPEECH_RPM="33").settings
    assert [each.speech_rpm for each in settings.accounts] == [33, 33]


def test_hosts_for_speech_are_inherited_only_at_the_same_place(tmp_path):
    toml = FIRST + SECOND + 'base_url = "https://api.minimax.io"\n'
    settings = load(tmp_path, toml, MINIMAX_SPEECH_URLS="https://speech.example").settings
    first, second = (settings_for(settings, each) for each in settings.accounts)
    assert first.speech_urls == ("https://speech.example",)
    assert (second.base_url, second.speech_urls) == ("https://api.minimax.io", ())


def test_a_variable_holds_the_list_as_json(tmp_path):
    text = json.dumps([{"name": "a", "api_key": ONE, "speech_rpm": 30}])
    loaded = load(tmp_path, REALTIME_ACCOUNTS=text)
    assert (loaded.settings.api_key, loaded.settings.speech_rpm) == (ONE, 30)
    assert loaded.origins["accounts"] == "environment REALTIME_ACCOUNTS"


def test_keys_are_named_by_themselves_or_by_their_name_and_are_kept_as_names(tmp_path):
    names = [key_name(b"alpha-key"), key_name(b"beta-key")]
    toml = FIRST + f'for_keys = ["alpha-key"]\n{SECOND}for_keys = ["{names[1]}"]\n'
    settings = load(tmp_path, toml, REALTIME_API_KEYS="alpha-key,beta-key").settings
    assert [each.for_keys for each in settings.accounts] == [(names[0],), (names[1],)]


def test_who_wants_the_sandbox_gets_it(tmp_path):
    path = tmp_path / "realtime.toml"
    path.write_text(FIRST)
    settings = load_settings({}, {}, path, arguments={"api_key": None}).settings
    assert settings.use_sandbox
    assert settings.accounts == ()


def test_settings_made_in_python_are_completed_in_the_same_way():
    settings = with_default(Settings(accounts=(Account("a", ONE, speech_rpm=5), Account("b", TWO))))
    assert (settings.api_key, settings.speech_rpm) == (ONE, 5)
    assert [each.speech_rpm for each in settings.accounts] == [5, 20]
    settings = with_default(Settings(api_key=ONE, accounts=(Account("b", TWO),)))
    assert [each.name for each in settings.accounts] == ["default", "b"]
    assert with_default(settings) == settings
    with pytest.raises(ConfigError, match="the same api_key"):
        with_default(Settings(accounts=(Account("a", ONE), Account("b", ONE))))


@pytest.mark.parametrize(
    ("account", "message"),
    [
        (("", ONE), "The name of an account must be 1 to 64 letters"),
        (("a\nb", ONE), "The name of an account must be 1 to 64 letters"),
        (("a", ""), "The api_key of the account a must be a text that is not empty"),
        (("a", None), "The api_key of the account a must be a text"),
        (("a", f"{ONE} {TWO}"), "The api_key of the account a must be a key without blanks"),
        (("a", ONE, "nowhere"), "The base_url of the account a must be an address like https"),
        (("a", ONE, None, (), None, 0), "The speech_rpm of the account a must be a whole number from 1"),
    ],
)
def test_accounts_made_in_python_are_checked_like_those_of_a_file(account, message):
    with pytest.raises(ConfigError, match=message) as caught:
        Account(*account)
    assert not [key for key in (ONE, TWO) if key in str(caught.value)]


def test_a_text_for_a_list_of_an_account_is_one_as_in_a_file():
    account = Account(
        "a", ONE, speech_urls="https://a.example/v1, https://b.example", for_keys="key-12345678"
    )
    assert account.speech_urls == ("https://a.example", "https://b.example")
    assert account.for_keys == ("key-12345678",)
    assert dataclasses.replace(account) == account


def test_a_key_that_differs_by_a_line_break_is_the_same_key():
    with pytest.raises(ConfigError, match="the same api_key"):
        with_default(Settings(accounts=(Account("a", ONE), Account("b", f"{ONE}\n"))))


MANY = {
    FIRST.replace("[[accounts]]", "[accounts]"): r"\[accounts\] in .* must be \[\[accounts\]\], once for each account",
    "accounts = 3": "accounts in .* must be a list of accounts, each with `name` and `api_key`",
    "accounts = [3]": "a list of accounts, .*; number 1 is none",
    '[[accounts]]\nname = "a"\n': "number 1 has no api_key",
    FIRST + "[[accounts]]\n": "number 2 has no name",
    FIRST + "speech_rmp = 3\n": r"number 1 has 'speech_rmp' \(did you mean speech_rpm\?\)",
    FIRST + "speech_rpm = 0\n": "speech_rpm of number 1 must be a whole number from 1",
    FIRST + 'base_url = "nowhere"\n': "base_url of number 1 must be an address like https",
    FIRST.replace("first", "my first"): "name of number 1 must be 1 to 64 letters",
    FIRST + FIRST.replace(ONE, TWO): "Two accounts have the name first: give each its own",
    FIRST + FIRST.replace("first", "other"): "The accounts first and other have the same api_key",
    FIRST + 'for_keys = ["alpha-key"]\n': "this server has none: set REALTIME_API_KEYS",
    FIRST + f'[realtime]\naccounts = [{{name = "b", api_key = "{TWO}"}}]\n': "Unknown key 'realtime_accounts'",
}  # fmt: skip


def test_a_key_in_the_place_of_a_field_is_not_shown():
    for raw in ([{ONE: "one"}], [{"name": "a", "api_key": ONE, TWO: 3}]):
        with pytest.raises(ValueError, match="has another one") as caught:
            accounts(raw)
        assert not [key for key in (ONE, TWO) if key in str(caught.value)]


@pytest.mark.parametrize("toml", MANY)
def test_accounts_that_cannot_be_meant_are_one_sentence_without_a_key(tmp_path, toml):
    with pytest.raises(ConfigError, match=MANY[toml]) as caught:
        load(tmp_path, toml)
    assert "\n" not in str(caught.value)
    for key in (ONE, TWO):
        assert key not in str(caught.value)


def test_the_name_of_the_default_account_is_taken(tmp_path):
    with pytest.raises(ConfigError, match=r"default \(it is that of MINIMAX_API_KEY\)"):
        load(tmp_path, SECOND.replace("second", "default"), MINIMAX_API_KEY=ONE)


def test_an_unknown_key_is_not_shown_but_the_names_of_the_known_ones_are(tmp_path):
    toml = FIRST + 'for_keys = ["alpha-key", "sk-secret-of-somebody"]\n'
    with pytest.raises(ConfigError, match="Entry 2 of for_keys of the account first") as caught:
        load(tmp_path, toml, REALTIME_API_KEYS="alpha-key")
    assert key_name(b"alpha-key") in str(caught.value)
    assert "somebody" not in str(caught.value)


def test_a_key_of_the_server_that_may_use_no_account_is_an_error(tmp_path):
    toml = FIRST + 'for_keys = ["alpha-key"]\n'
    with pytest.raises(ConfigError, match=f"{key_name(b'beta-key')} of REALTIME_API_KEYS may use no account"):
        load(tmp_path, toml, REALTIME_API_KEYS="alpha-key,beta-key")


def test_keys_are_hidden_from_the_log_and_never_printed(tmp_path):
    loaded = load(
        tmp_path, SECOND + 'for_keys = ["alpha-key"]\n', MINIMAX_API_KEY=ONE, REALTIME_API_KEYS="alpha-key"
    )
    settings = loaded.settings
    assert {ONE, TWO, "alpha-key"} <= set(secrets_of(settings))
    shown = {name: value for name, value, _ in describe(loaded)}
    assert shown["REALTIME_ACCOUNTS"] == "default sk-…89, second sk-…89"
    for key in (ONE, TWO):
        assert key not in repr(settings)
        assert key not in repr(settings.accounts)


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.lists(st.text(max_size=3), max_size=2)
)
FIELDS = st.sampled_from([field.name for field in dataclasses.fields(Account)]) | st.text(max_size=4)


@given(VALUES | st.lists(VALUES | st.dictionaries(FIELDS, VALUES), max_size=3))
def test_any_value_is_a_list_of_accounts_or_a_sentence(raw):
    for given_as in (raw, json.dumps(raw)):
        try:
            found = accounts(given_as)
        except ValueError:
            continue
        assert all(isinstance(each, Account) for each in found)
