"""Settings that a program makes: read, completed and refused like those of the command line."""

import copy
import dataclasses
import pickle
import timeit

import pytest

from realtime.errors import ConfigError
from realtime.settings import Account, Settings, load_settings
from realtime.settings.given import DEFAULTS, argument
from realtime.settings.table import SETTINGS

KEY = "sk-api-0123456789abcdef"
SECRET = "0123456789abcdef" * 4
OWN = {
    "api_key": KEY, "base_url": "https://api.minimax.io", "speech_urls": ("https://a.example",), "group_id": "g",
    "chat_model": "m", "chat_api": "anthropic", "speech_model": "s", "voice_id": "v", "speech_socket": "bidi",
    "speech_rpm": 1, "chat_rpm": 2, "speech_connections": 3, "accounts": (Account("second", "sk-2"),),
    "chat_provider": "openai", "speech_provider": "own:x", "chat_base_url": "http://c.example", "chat_api_key": "c",
    "transcriber": "openai:http://t.example", "transcriber_api_key": "t", "voice_detector": "none",
    "end_of_turn_model": "smart", "language": "zh-TW", "instructions": "", "greeting": "Hi.", "stand_in": "",
    "host": "::1", "port": 0, "open_to_all": True, "api_keys": ("a", "b"), "server_secret": SECRET,
    "admin": "[::1]:9000", "admin_addresses": ("10.0.0.0/8",), "origins": ("*", "https://o.example"),
    "trusted_proxies": ("*",), "store": "sqlite:/x", "redis": "redis://h", "redis_prefix": "p:", "node": "n",
    "tools": ("json",), "tool_timeout_s": 1.5, "tool_filler": "Wait.", "tls_cert": __file__, "tls_key": __file__,
    "log_level": "error", "log_format": "json", "cache_dir": "/c", "otlp_endpoint": "http://o.example",
    "otlp_traces_endpoint": "http://o.example/x", "trace_content": True, "speculate": "off", "max_sessions": 4,
    "admission": "load", "session_minutes": 1.0, "sessions_per_key": 5, "resume_window_s": 0.0,
    "chat_first_timeout_s": 1.0, "chat_gap_timeout_s": 1.0, "speech_timeout_s": 1.0, "transcribe_timeout_s": 1.0,
    "silent_turn_timeout_s": 1.0, "budget_wait_s": 1.0, "drain_delay_s": 0.0, "drain_s": 1.0, "send_timeout_s": 1.0,
}  # fmt: skip
LISTS = {
    "api_keys": ("s3cret-key, other", ("s3cret-key", "other")),
    "origins": ("https://a.b", ("https://a.b",)),
    "trusted_proxies": ("10.0.0.1", ("10.0.0.1",)),
    "admin_addresses": ("10.0.0.1,::1", ("10.0.0.1", "::1")),
    "speech_urls": ("http://a.example/v1/,http://b.example", ("http://a.example", "http://b.example")),
    "tools": ("json,csv:reader", ("json", "csv:reader")),
}


@pytest.mark.parametrize("field", LISTS)
def test_a_text_for_a_list_is_read_as_in_the_environment(field):
    text, value = LISTS[field]
    assert getattr(Settings(**{field: text}), field) == value
    assert getattr(dataclasses.replace(Settings(), **{field: text}), field) == value
    assert getattr(Settings(**{field: list(value)}), field) == value


def test_a_text_for_a_number_is_read_as_in_the_environment():
    made = Settings(session_minutes="3", max_sessions="10", drain_s="3", port="0", open_to_all="yes")
    assert made == Settings(session_minutes=3.0, max_sessions=10, drain_s=3.0, port=0, open_to_all=True)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("speculate", "yes", "speculate must be off, chat or speech, not 'yes'"),
        ("chat_api", "claude", "chat_api must be openai or anthropic, not 'claude'"),
        ("log_level", "verbose", "log_level must be debug, info"),
        ("port", 70000, "port must be a whole number from 0 to 65535, not 70000"),
        ("session_minutes", 0, "session_minutes must be a number above 0"),
        ("trusted_proxies", ("nonsense",), "trusted_proxies must be a list of addresses"),
        ("api_keys", [""], "api_keys must be a list with at least one key"),
        ("api_keys", b"s3cret", "api_keys must be a list of texts"),
        ("resume_window_s", None, "resume_window_s cannot be None: leave it out for its default"),
        ("send_timeout_s", None, "send_timeout_s cannot be None"),
        ("voice_id", None, "voice_id cannot be None"),
        ("max_sesions", 3, "There is no setting 'max_sesions'. Did you mean max_sessions?"),
    ],
)
def test_a_wrong_value_is_one_sentence(field, value, message):
    with pytest.raises(ConfigError) as caught:
        Settings(**{field: value})
    assert str(caught.value).startswith(message)
    with pytest.raises(ConfigError) as again:
        load_settings({}, {}, arguments={field: value})
    assert str(again.value) == str(caught.value)


def test_a_copy_is_checked_too():
    with pytest.raises(ConfigError, match="speculate must be"):
        dataclasses.replace(Settings(), speculate="yes")


@pytest.mark.parametrize("field", [setting.field for setting in SETTINGS if setting.secret])
def test_a_wrong_secret_is_not_shown(field):
    with pytest.raises(ConfigError) as caught:
        Settings(**{field: "s3cret one\x00"})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "field",
    "group_id language greeting tool_filler chat_base_url admin redis node tls_cert cache_dir drain_delay_s".split(),
)
@pytest.mark.parametrize("blank", ["", " "])
def test_a_blank_text_for_an_optional_field_leaves_it_out(field, blank):
    assert getattr(Settings(**{field: blank}), field) is None
    assert getattr(load_settings({}, {}, arguments={field: blank}).settings, field) is None


@pytest.mark.parametrize("blank", ["", " "])
def test_a_blank_text_says_nothing_where_that_is_a_value(blank):
    assert (Settings(stand_in=blank).stand_in, Settings(instructions=blank).instructions) == ("", "")


@pytest.mark.parametrize(
    "field", ["api_key", "chat_api_key", "transcriber_api_key", "server_secret", "api_keys"]
)
def test_a_blank_key_is_a_mistake(field):
    with pytest.raises(ConfigError, match=field):
        Settings(**{field: ""})


def test_a_blank_text_of_an_account_is_left_out():
    left = Account("a", "sk-1")
    blank = {
        "name": "a",
        "api_key": "sk-1",
        "group_id": "",
        "base_url": " ",
        "speech_rpm": "",
        "for_keys": "",
    }
    assert Account(**blank) == left
    assert Settings(accounts=[blank]) == Settings(accounts=[left])
    with pytest.raises(ConfigError, match="api_key"):
        Account("a", " ")


def test_what_needs_something_else_is_said():
    with pytest.raises(ConfigError, match="there is no key"):
        Settings(base_url="https://api.minimax.io")
    with pytest.raises(ConfigError, match="there is no key"):
        Settings(base_url=DEFAULTS["base_url"])
    with pytest.raises(ConfigError, match="no model"):
        Settings(chat_base_url="http://c.example")
    with pytest.raises(ConfigError, match="--tls-key is missing"):
        Settings(tls_cert=__file__)
    assert Settings(chat_base_url="http://c.example", chat_model=DEFAULTS["chat_model"]).chat_base_url


def test_the_platform_is_chosen_as_on_the_command_line():
    for given in (
        {"api_key": KEY},
        {"api_key": KEY, "speech_rpm": 60},
        {"api_key": KEY, "base_url": "https://api.minimax.io"},
        {"base_url": "http://127.0.0.1:8100"},
        {"api_key": None, "base_url": "https://api.minimax.io"},
        {"api_key": KEY, "accounts": (Account("second", "sk-2"), Account("third", "sk-3", speech_rpm=7))},
        {"accounts": [{"name": "second", "api_key": "sk-2"}]},
    ):
        assert Settings(**given) == load_settings({}, {}, arguments=given).settings
    assert Settings(api_key=KEY).speech_rpm == 20
    assert Settings(api_key=KEY, speech_rpm=60).speech_rpm == 60


def test_a_read_value_is_read_to_itself():
    """So that a copy (`dataclasses.replace`) changes nothing else."""
    assert set(OWN) == set(DEFAULTS)
    assert {field: argument(field, value) for field, value in OWN.items()} == OWN
    whole = Settings(**OWN)
    for same in (dataclasses.replace(whole), copy.copy(whole), pickle.loads(pickle.dumps(whole))):
        assert same == whole
    assert Settings(**DEFAULTS) == Settings() == dataclasses.replace(Settings())


def test_a_copy_is_cheap():
    whole = Settings(**OWN)
    assert min(timeit.repeat(lambda: dataclasses.replace(whole, port=1), number=10, repeat=5)) < 0.1
