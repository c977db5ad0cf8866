"""What is said about a settings file, or a value, that cannot be read as it is written."""

import pytest

from realtime.errors import ConfigError
from realtime.settings.load import load_settings


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("port = 8000", "realtime_port"),
        ('voice_id = "x"', "minimax_voice_id"),
        ("[server]\nport = 8000", "realtime_port"),
        ("[minimax]\nport = 8000", "realtime_port"),
        ("REALTIME_PORT = 8000", "realtime_port"),
        ('base-url = "https://a.example"', "minimax_base_url"),
        ('realtime_api_key = "x"', "minimax_api_key"),
    ],
)
def test_a_key_without_its_prefix_is_answered_with_the_name_it_has(tmp_path, written, meant):
    path = tmp_path / "realtime.toml"
    path.write_text(written)
    with pytest.raises(ConfigError, match=rf"Unknown key .* Did you mean {meant}\?"):
        load_settings({}, {}, path)


def test_a_settings_file_may_begin_with_a_byte_order_mark(tmp_path):
    path = tmp_path / "realtime.toml"
    path.write_bytes(b"\xef\xbb\xbfrealtime_port = 8001\n")
    assert load_settings({}, {}, path).settings.port == 8001


def test_a_settings_file_in_another_encoding_is_told_so(tmp_path):
    path = tmp_path / "realtime.toml"
    path.write_text("realtime_port = 8001\n", encoding="utf-16")
    with pytest.raises(ConfigError, match="is not text in UTF-8"):
        load_settings({}, {}, path)


@pytest.mark.parametrize(
    "environ",
    [
        {"REALTIME_INSTRUCTIONS": "caf\udce9"},
        {"REALTIME_ORIGINS": "https://\udce9.example"},
        {"MINIMAX_BASE_URL": "https://\udce9.example"},
        {"TRANSCRIBER": "local:\udce9"},
    ],
)
def test_a_setting_with_bytes_that_are_no_text_is_refused(environ):
    with pytest.raises(ConfigError, match=f"{next(iter(environ))} must be text in UTF-8"):
        load_settings({}, environ)
