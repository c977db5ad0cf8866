"""Which texts are hardly more than a guess. The numbers behind it are in docs/turn-taking.md."""

import pytest

from realtime.listening.certainty import is_guess
from realtime.providers.base import Transcript


@pytest.mark.parametrize(
    ("language", "believed", "guessed"),
    [("en", -1.3, -1.31), ("zh", -1.15, -1.16), ("de", -1.3, -1.31), (None, -1.3, -1.31)],
)
def test_chinese_is_believed_less(language, believed, guessed):
    assert not is_guess(Transcript("So", language, believed))
    assert is_guess(Transcript("So", language, guessed))
    assert not is_guess(Transcript("So", language, None)), "it tells no doubts"
