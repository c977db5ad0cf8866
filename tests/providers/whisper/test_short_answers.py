"""Which words of a doubtful sound the local transcriber believes; the numbers were measured (docs/engines.md 2.2)."""

import numpy as np
import pytest

pytest.importorskip("faster_whisper", reason="pip install 'minimax-realtime[local]'")

from realtime.providers.whisper import transcriber as local
from realtime.providers.whisper.model import Decoded

SOUND = np.full(16_000, 1_000, np.int16)


class Reads:
    """In the place of the model: always reads the same."""

    multilingual = False

    def __init__(self, decoded):
        self.decoded = decoded

    def knows(self, language):
        return language == "en"

    def decode(self, samples, language, *, beam, **options):
        return self.decoded


class OneModel(local.LocalTranscriber):
    def __init__(self, model):
        super().__init__(model="one")
        self._models["one"] = model


@pytest.mark.parametrize(
    ("text", "no_speech", "log_probability", "believed"),
    [
        ("one.", 0.489, -1.06, True),  # pink noise of 5 dB
        ("Yes.", 0.527, -1.15, True),  # babble of 15 dB
        ("two...", 0.573, -1.38, True),
        ("No.", 0.452, -1.18, True),
        ("stars.", 0.579, -1.41, False),  # a far voice
        ("stars.", 0.579, -1.2, False),
        ("Thank you.", 0.772, -1.11, False),  # faint babble
        ("Yes.", 0.77, -1.11, False),
        ("Yes.", 0.55, -1.6, False),
        ("mmm", 0.55, -1.1, False),
    ],
)
async def test_a_short_answer_may_be_doubted_and_noise_may_not(text, no_speech, log_probability, believed):
    transcriber = OneModel(Reads(Decoded(text, "en", no_speech, log_probability)))
    transcript = await transcriber.transcribe(SOUND, language="en", final=True)
    assert transcript.text == (text if believed else "")
    await transcriber.aclose()
