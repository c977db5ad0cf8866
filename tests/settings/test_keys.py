"""Keys in settings: never shown, and refused where no header can carry them."""

import pytest

from realtime.errors import ConfigError
from realtime.settings.load import load_settings

BROKEN_KEYS = [
    "sk-a\nsk-b", "sk-a\r\nsk-b", "my key", "Bearer sk-a", "sk\tkey", "'sk-a'", '"sk-a"', "`sk-a`", "schlüssel",
    "\u201csk-a\u201d", "键", "sk\u200bkey", "sk-a\nsk-b\nsk-c", '"sk-a',
]  # fmt: skip


@pytest.mark.parametrize(
    "name", ["MINIMAX_API_KEY", "CHAT_API_KEY", "TRANSCRIBER_API_KEY", "REALTIME_API_KEYS"]
)
@pytest.mark.parametrize("broken", BROKEN_KEYS)
def test_a_key_that_no_header_can_carry_is_one_sentence_that_does_not_show_it(name, broken):
    with pytest.raises(ConfigError) as caught:
        load_settings({}, {name: broken})
    assert str(caught.value).startswith(f"{name} must be ")
    assert broken not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_key_from_a_file_ends_in_a_line_break():
    assert load_settings({}, {"MINIMAX_API_KEY": " sk-a.B_c/+=\n"}).settings.api_key == "sk-a.B_c/+="
