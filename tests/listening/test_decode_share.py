"""What the decodes of one speaker take on a slow machine, as the metric shows it."""

import pytest

from realtime.metrics import Metrics
from realtime.server.observed import ObservedTranscriber
from realtime.upstream import Upstream
from tests.conversing import Talk, scripted
from tests.fakes import FakeTranscriber

SPEECH_S = 20.0


@pytest.mark.parametrize("takes_s", [0.2, 0.5, 1.2])
def test_while_somebody_speaks_decodes_take_at_most_half_of_the_time(takes_s):
    metrics = Metrics()
    slow = FakeTranscriber(["So"], interim_texts=["So"] * 200, delay_s=takes_s)
    transcriber = ObservedTranscriber(slow, Upstream(metrics), metrics)

    @scripted
    async def speak():
        async with Talk(transcriber=transcriber) as talk:
            await talk.speak(SPEECH_S)
            spent_s = metrics.transcriptions.labels("interim")._sum.get()
            assert 0.3 * SPEECH_S <= spent_s <= 0.5 * SPEECH_S + takes_s

    speak()
