"""What the tests of early answers share: a question, a transcriber that hears in steps, settings, outcomes."""

import numpy as np

from realtime.settings import Settings
from tests.conversing import Talk
from tests.fakes import FakeTranscriber

NOON = [(0.3, "It is noon in Oslo.")]


VOICE = (np.sin(np.arange(480) / 3) * 32_000).astype("<i2").tobytes()  # 20 ms at 24 kHz


# Speech for the detector, quiet beside VOICE
FADED = (np.sin(np.arange(480) / 3) * 1_150).astype("<i2").tobytes()


class Heard(FakeTranscriber):
    """Texts by how much was said: (seconds of audio, text) in rising order; the pre-roll counts."""

    def __init__(self, *steps: tuple[float, str], delay_s: float = 0.05) -> None:
        super().__init__(delay_s=delay_s)
        self.steps = steps

    async def transcribe(self, samples, *, language, final):
        self.texts = [next((text for s, text in reversed(self.steps) if len(samples) / 16_000 >= s), "")]
        return await super().transcribe(samples, language=language, final=final)


def settings(speculate: str = "chat") -> Settings:
    return Settings(instructions="Be brief.", voice_id="v1", speculate=speculate)


def outcomes(talk: Talk) -> dict[str, float]:
    samples = [sample for metric in talk.metrics.speculations.collect() for sample in metric.samples]
    return {sample.labels["outcome"]: sample.value for sample in samples if sample.name.endswith("_total")}
