"""Text that can be written."""

import pytest

from realtime.core.writable import without_halves, writable

HIGH, LOW = "\ud83d", "\ude00"  # the two halves of a smiling face


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("four degrees", "four degrees"),
        ("四度 😀 é", "四度 😀 é"),
        (f"smile {HIGH}", "smile \ufffd"),
        (f"{LOW} and {HIGH}!", "\ufffd and \ufffd!"),
        (f"a{HIGH}{LOW}b", "a😀b"),
        (LOW + HIGH, "\ufffd\ufffd"),
    ],
)
def test_halves_are_joined_or_replaced(text: str, expected: str):
    assert writable(text) == expected
    assert writable(text).encode().decode() == expected


def test_every_text_of_a_value_is_joined_or_replaced():
    damaged = {f"k{HIGH}": [f"a{HIGH}{LOW}", {"b": (LOW, 1.5, None)}], 7: True}
    assert without_halves(damaged) == {"k\ufffd": ["a😀", {"b": ("\ufffd", 1.5, None)}], 7: True}
