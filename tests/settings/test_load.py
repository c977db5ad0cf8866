"""Where a setting may come from, which source wins, and what is said about one that cannot be meant."""

import dataclasses
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import ConfigError
from realtime.settings import Settings
from realtime.settings.given import read
from realtime.settings.hosts import is_mainland
from realtime.settings.load import _BY_NAME, check_binding, describe, load_settings, mask
from realtime.settings.table import SETTINGS

KEY = "sk-api-0123456789abcdef"
NAMES = [name for setting in SETTINGS for name in setting.names]


def load(flags=None, environ=None, toml=None, tmp_path=None):
    path = None
    if toml is not None:
        path = tmp_path / "realtime.toml"
        path.write_text(toml, encoding="utf-8")
    return load_settings(flags or {}, environ or {}, path)


def test_without_settings_the_defaults_and_the_sandbox_are_used():
    loaded = load()
    assert loaded.settings == Settings()
    assert loaded.settings.use_sandbox
    assert set(loaded.origins.values()) == {"default"}


def test_every_field_of_settings_can_be_set():
    assert {setting.field for setting in SETTINGS} == {field.name for field in dataclasses.fields(Settings)}


def test_flags_override_environment_file_and_defaults(tmp_path):
    toml = 'realtime_port = 1\nrealtime_host = "file"\nrealtime_language = "zh"\n'
    loaded = load({"port": "3"}, {"REALTIME_PORT": "2", "REALTIME_HOST": "env"}, toml, tmp_path)
    settings = loaded.settings
    assert (settings.port, settings.host, settings.language) == (3, "env", "zh")
    assert settings.log_level == "info"
    assert loaded.origins["port"] == "flag"
    assert loaded.origins["host"] == "environment REALTIME_HOST"
    assert loaded.origins["language"] == "realtime.toml"
    assert loaded.origins["log_level"] == "default"


@pytest.fixture
def here(monkeypatch, tmp_path):
    """An empty current directory, and an environment that sets nothing of ours."""
    for name in (*NAMES, "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_from_env_reads_what_the_command_line_reads(here, monkeypatch):
    (here / "realtime.toml").write_text('[realtime]\nport = 1\nlanguage = "zh"\nhost = "file"\n')
    monkeypatch.setenv("REALTIME_PORT", "2")
    monkeypatch.setenv("REALTIME_HOST", "env")
    settings = Settings.from_env(port=3)
    assert (settings.port, settings.host, settings.language) == (3, "env", "zh")
    assert (
        settings == load({"port": "3"}, {"REALTIME_HOST": "env"}, 'realtime_language = "zh"', here).settings
    )


def test_from_env_with_nothing_set_gives_the_defaults(here):
    assert Settings.from_env() == Settings()
    assert Settings.from_env(api_keys=("a", "b"), open_to_all=True) == Settings(
        api_keys=("a", "b"), open_to_all=True
    )


def test_an_argument_none_unsets_what_the_environment_sets(here, monkeypatch):
    monkeypatch.setenv("MINIMAX_API_KEY", KEY)
    monkeypatch.setenv("MINIMAX_BASE_URL", "https://api.minimax.io")
    monkeypatch.setenv("REALTIME_LANGUAGE", "en")
    assert not Settings.from_env().use_sandbox
    settings = Settings.from_env(api_key=None, language=None)
    assert settings.use_sandbox
    assert settings.language is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"prot": 1}, "There is no setting 'prot'. Did you mean port?"),
        ({"port": "eighty"}, "port must be a whole number from 0 to 65535, not 'eighty'."),
        ({"port": None}, "port cannot be None: leave it out for its default."),
        ({"tls_cert": "cert.pem"}, "TLS needs a certificate and its key: --tls-key is missing."),
    ],
)
def test_a_wrong_argument_is_one_sentence(here, arguments, sentence):
    with pytest.raises(ConfigError) as caught:
        Settings.from_env(**arguments)
    assert str(caught.value) == sentence


def test_a_table_in_the_file_is_a_prefix(tmp_path):
    minimax = f'[minimax]\napi_key = "{KEY}"\nspeech_rpm = 7\n'
    toml = f'speculate = "off"\n{minimax}[realtime]\napi_keys = ["a", "b"]\nopen = true\n'
    settings = load(toml=toml, tmp_path=tmp_path).settings
    assert (settings.api_key, settings.speech_rpm, settings.api_keys) == (KEY, 7, ("a", "b"))
    assert settings.open_to_all
    assert settings.speculate == "off"


def test_a_setting_that_is_twice_in_the_file_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="set twice"):
        load(toml='minimax_api_key = "a"\n[minimax]\napi_key = "b"\n', tmp_path=tmp_path)


@pytest.mark.parametrize(
    ("environ", "nearest"),
    [
        ({"MINIMAX_APIKEY": "x"}, "MINIMAX_API_KEY"),
        ({"REALTIME_LANG": "x"}, "REALTIME_LANGUAGE"),
        ({"MINIMAX_SPEACH_RPM": "x"}, "MINIMAX_SPEECH_RPM"),
        ({"MINIMAX_API_HOST": "x"}, "MINIMAX_BASE_URL"),
    ],
)
def test_the_error_for_an_unknown_variable_suggests_one(environ, nearest):
    with pytest.raises(ConfigError, match=f"Unknown environment variable .* Did you mean {nearest}\\?"):
        load(environ=environ)


def test_the_error_for_an_unknown_key_in_the_file_suggests_one(tmp_path):
    with pytest.raises(ConfigError, match=r"'realtime_prot'.* Did you mean realtime_port"):
        load(toml="[realtime]\nprot = 1\n", tmp_path=tmp_path)


def test_the_error_for_an_unknown_flag_suggests_one():
    with pytest.raises(ConfigError, match=r"Unknown flag --prot\. Did you mean port"):
        load({"prot": "1"})


def test_variables_of_other_programs_are_ignored():
    assert load(environ={"PATH": "/bin", "CHATTY": "1", "MINIMAXIMUM": "2"}).settings == Settings()


def test_an_empty_variable_counts_as_unset():
    loaded = load(environ={"MINIMAX_API_KEY": "", "REALTIME_PORT": "  "})
    assert loaded.settings == Settings()
    assert loaded.origins["api_key"] == "default"


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"REALTIME_PORT": "eighty"}, "REALTIME_PORT must be a whole number from 0 to 65535, not 'eighty'."),
        ({"REALTIME_PORT": "65536"}, "REALTIME_PORT must be a whole number"),
        ({"MINIMAX_SPEECH_RPM": "0"}, "MINIMAX_SPEECH_RPM must be a whole number from 1"),
        ({"MINIMAX_BASE_URL": "api.minimax.io"}, "MINIMAX_BASE_URL must be an address like https://"),
        ({"MINIMAX_BASE_URL": "http://h:x"}, "MINIMAX_BASE_URL must be an address like https://"),
        ({"SPECULATE": "maybe"}, "SPECULATE must be off, chat or speech, not 'maybe'"),
        (
            {"TRANSCRIBER": "a whisper"},
            "TRANSCRIBER must be auto, local, local:MODEL, minimax, openai:URL, none or the name of an installed",
        ),
        (
            {"TRANSCRIBER": "none:model"},
            "TRANSCRIBER must be none, without anything after it, not 'none:model'",
        ),
        ({"TRANSCRIBER": "local:"}, "TRANSCRIBER must be"),
        ({"TRANSCRIBER": "openai:nowhere"}, "TRANSCRIBER must be an address"),
        ({"REALTIME_LANGUAGE": "English please"}, "REALTIME_LANGUAGE must be auto or a code"),
        ({"TRANSCRIBER": "openai"}, "TRANSCRIBER must be an address"),
        ({"REALTIME_STORE": "sqlite"}, "REALTIME_STORE must be sqlite:PATH"),
        (
            {"REALTIME_STORE": "/a/file"},
            "REALTIME_STORE must be memory, sqlite:PATH, redis, none or the name of",
        ),
        (
            {"CHAT_PROVIDER": "my chat"},
            "CHAT_PROVIDER must be auto, minimax, openai or the name of an installed",
        ),
        (
            {"SPEECH_PROVIDER": "mine:"},
            "SPEECH_PROVIDER must be minimax or the name of an installed provider",
        ),
        ({"REALTIME_OPEN": "perhaps"}, "REALTIME_OPEN must be yes or no"),
        ({"REALTIME_DRAIN_DELAY_S": "-1"}, "REALTIME_DRAIN_DELAY_S must be a number from 0 to 86400"),
        ({"REALTIME_DRAIN_S": "0"}, "REALTIME_DRAIN_S must be a number above 0"),
        ({"REALTIME_DRAIN_S": "nan"}, "REALTIME_DRAIN_S must be a number above 0"),
        ({"REALTIME_LOG_LEVEL": "loud"}, "REALTIME_LOG_LEVEL must be debug"),
    ],
)
def test_the_error_for_a_wrong_value_names_the_setting(environ, sentence):
    with pytest.raises(ConfigError, match=sentence.replace("(", r"\(")):
        load(environ=environ)


@pytest.mark.parametrize("toml", ["realtime_port = true", "realtime_port = 1.5", "realtime_api_keys = [1]"])
def test_a_wrong_type_in_the_file_is_an_error(toml, tmp_path):
    with pytest.raises(ConfigError, match=r"realtime\.toml must be"):
        load(toml=toml, tmp_path=tmp_path)


def test_an_invalid_or_missing_file_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load(toml="port = = 1", tmp_path=tmp_path)
    with pytest.raises(ConfigError, match="There is no settings file"):
        load_settings({}, {}, tmp_path / "nowhere.toml")


def test_the_error_for_a_wrong_key_does_not_show_it():
    with pytest.raises(ConfigError) as caught:
        load(environ={"MINIMAX_API_KEY": KEY + "\x07"})
    assert KEY not in str(caught.value)


def test_a_loopback_base_url_needs_no_key():
    for url in ("http://127.0.0.1:8100", "http://localhost:8100/", "http://[::1]:8100"):
        settings = load(environ={"MINIMAX_BASE_URL": url}).settings
        assert settings.api_key == "sandbox"
        assert not settings.use_sandbox
        assert settings.base_url == url.rstrip("/")


def test_a_base_url_without_a_key_is_an_error():
    with pytest.raises(ConfigError, match="set MINIMAX_API_KEY, or unset both"):
        load(environ={"MINIMAX_BASE_URL": "https://api.minimax.io"})


def test_a_key_without_a_base_url_uses_the_default_platform():
    settings = load(environ={"MINIMAX_API_KEY": KEY}).settings
    assert not settings.use_sandbox
    assert settings.base_url == "https://api.minimaxi.com"


@pytest.mark.parametrize(
    ("environ", "rpm"),
    [
        ({}, 60),
        ({"MINIMAX_API_KEY": KEY}, 20),
        ({"MINIMAX_API_KEY": KEY, "MINIMAX_BASE_URL": "https://api.minimax.cn"}, 20),
        ({"MINIMAX_API_KEY": KEY, "MINIMAX_BASE_URL": "https://api.minimax.io"}, 60),
        ({"MINIMAX_API_KEY": KEY, "MINIMAX_SPEECH_RPM": "45"}, 45),
        ({"MINIMAX_BASE_URL": "http://127.0.0.1:8100"}, 60),
    ],
)
def test_the_speech_budget_follows_the_region(environ, rpm):
    assert load(environ=environ).settings.speech_rpm == rpm


def test_a_similar_domain_is_not_mainland():
    assert is_mainland("https://api-bj.minimaxi.com")
    assert not is_mainland("https://evilminimaxi.com")
    assert not is_mainland("https://api.minimaxi.com.example.org")


def test_another_chat_model_has_its_own_url_key_and_name():
    environ = {
        "CHAT_BASE_URL": "http://h:1/v1/",
        "CHAT_API_KEY": "k",
        "CHAT_MODEL": "m",
        "MINIMAX_CHAT_MODEL": "n",
    }
    settings = load(environ=environ).settings
    assert (settings.chat_base_url, settings.chat_api_key, settings.chat_model) == ("http://h:1/v1", "k", "m")


def test_another_chat_url_without_a_model_is_an_error():
    with pytest.raises(ConfigError, match="CHAT_MODEL"):
        load(environ={"CHAT_BASE_URL": "http://h:1/v1"})


def test_the_base_url_may_contain_the_version():
    environ = {"MINIMAX_API_KEY": KEY, "MINIMAX_BASE_URL": "https://api.minimax.io/v1/"}
    assert load(environ=environ).settings.base_url == "https://api.minimax.io"


def test_speech_urls_keep_their_order():
    environ = {"MINIMAX_API_KEY": KEY, "MINIMAX_SPEECH_URLS": "https://b.example, https://a.example/"}
    assert load(environ=environ).settings.speech_urls == ("https://b.example", "https://a.example")


def test_tls_needs_both_files(tmp_path):
    with pytest.raises(ConfigError, match="--tls-key is missing"):
        load({"tls_cert": "cert.pem"})
    with pytest.raises(ConfigError, match="--tls-cert: there is no file"):
        load({"tls_cert": str(tmp_path / "c"), "tls_key": str(tmp_path / "k")})


def test_a_server_on_the_network_needs_keys_or_open():
    check_binding(Settings())
    check_binding(Settings(host="::1"))
    check_binding(Settings(host="0.0.0.0", api_keys=("k",)))
    check_binding(Settings(host="0.0.0.0", open_to_all=True))
    for host in ("0.0.0.0", "192.168.1.2", "::", "myhost"):
        with pytest.raises(ConfigError, match=r"REALTIME_API_KEYS.*--open"):
            check_binding(Settings(host=host))


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("TRANSCRIBER", "Local:base.en", "local:base.en"),
        ("TRANSCRIBER", "openai:http://h:1/v1/", "openai:http://h:1/v1"),
        ("TRANSCRIBER", "acme-asr: Nova 2", "acme-asr:Nova 2"),
        ("REALTIME_STORE", "sqlite:/a/File.db", "sqlite:/a/File.db"),
        ("REALTIME_STORE", "redis://h:1", "redis://h:1"),
        ("CHAT_PROVIDER", "ACME", "acme"),
        ("SPEECH_PROVIDER", "acme:http://h", "acme:http://h"),
        ("VOICE_DETECTOR", "none", "none"),
        ("END_OF_TURN_MODEL", "smart", "smart"),
    ],
)
def test_a_provider_is_a_name_with_an_optional_argument(name, value, read):
    loaded = load(environ={name: value})
    field = next(setting.field for setting in SETTINGS if name in setting.names)
    assert getattr(loaded.settings, field) == read


def test_a_language_is_a_code_or_auto():
    assert load(environ={"REALTIME_LANGUAGE": "en-US"}).settings.language == "en"
    assert load(environ={"REALTIME_LANGUAGE": "auto"}).settings.language is None


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("zh-CN", "zh"), ("zh_Hans_HK", "zh"), ("zh-TW", "zh-TW"), ("zh_tw", "zh-TW"), ("zh-Hant", "zh-TW"),
        ("zh-Hant-MO", "zh-HK"), ("yue-HK", "yue-HK"), ("yue", "yue"), ("en-HK", "en"),
    ],
)  # fmt: skip
def test_a_region_stays_where_chinese_is_written_in_traditional_characters(told, kept):
    assert load(environ={"REALTIME_LANGUAGE": told}).settings.language == kept


def test_no_key_is_in_a_repr_or_in_the_description():
    environ = {
        "MINIMAX_API_KEY": KEY, "CHAT_API_KEY": KEY + "2", "REALTIME_API_KEYS": f"{KEY}3,{KEY}4",
        "TRANSCRIBER_API_KEY": "pet-name",
    }  # fmt: skip
    loaded = load(environ=environ)
    lines = list(describe(loaded))
    assert KEY not in repr(loaded)
    assert KEY not in str(lines)
    assert "pet-name" not in str(lines)
    assert ("MINIMAX_API_KEY", mask(KEY), "environment MINIMAX_API_KEY") in lines


def test_the_description_names_the_variable_that_was_used():
    loaded = load(environ={"MINIMAX_CHAT_MODEL": "MiniMax-M2.5"})
    assert ("MINIMAX_CHAT_MODEL", "MiniMax-M2.5", "environment MINIMAX_CHAT_MODEL") in list(describe(loaded))


@given(st.text(min_size=1))
def test_a_mask_never_shows_more_than_five_characters(key):
    assert len(mask(key)) <= 6
    if len(key) < 16:
        assert mask(key) == "…"


@given(
    st.dictionaries(
        st.sampled_from(NAMES) | st.text(string.ascii_uppercase + "_", min_size=1),
        st.text() | st.integers().map(str) | st.just("http://127.0.0.1:1"),
        max_size=6,
    )
)
def test_a_random_environment_gives_settings_or_config_error(environ):
    try:
        loaded = load(environ=environ)
    except ConfigError as error:
        assert str(error)  # noqa: PT017 (both results are allowed)
    else:
        for field, origin in loaded.origins.items():
            if origin == "default" and field != "api_key":
                assert getattr(loaded.settings, field) == getattr(Settings(), field)


@given(
    st.dictionaries(
        st.sampled_from([n.lower() for n in NAMES]),
        st.text() | st.integers() | st.booleans() | st.floats() | st.lists(st.text()),
    )
)
def test_a_random_value_gives_a_setting_or_config_error(values):
    for name, value in values.items():
        setting = _BY_NAME[name.upper()]
        try:
            read(setting, name, value)
        except ConfigError as error:
            assert str(error).startswith(f"{name} must be")  # noqa: PT017 (both results are allowed)
