"""From where on the transcriber is given one segment of speech."""

import pytest

from realtime.listening.segment import SpeechSegment
from realtime.protocol.session_config import SessionConfig, apply
from tests.contexts import Bench
from tests.conversing import scripted


def config(turn_detection: dict | None) -> SessionConfig:
    return apply(Bench().context.config, {"audio": {"input": {"turn_detection": turn_detection}}})


@pytest.mark.parametrize(
    ("turn_detection", "lead_ms"),
    [
        ({"type": "server_vad", "prefix_padding_ms": 0}, 400),
        ({"type": "server_vad", "prefix_padding_ms": 900}, 900),
        ({"type": "semantic_vad"}, 400),
        (None, 400),
    ],
)
def test_a_segment_begins_some_time_before_its_onset_and_never_before_the_audio(turn_detection, lead_ms):
    @scripted
    async def begin():
        chosen = config(turn_detection)
        assert SpeechSegment(onset_ms=2000).start_ms(chosen) == 2000 - lead_ms
        assert SpeechSegment(onset_ms=lead_ms - 1).start_ms(chosen) == 0

    begin()


@scripted
async def test_a_segment_begins_at_no_audio_of_another_item():
    for padding_ms, told_ms, start_ms in ((0, 2000, 1700), (200, 1800, 1700), (900, 1700, 1700)):
        chosen = config({"type": "server_vad", "prefix_padding_ms": padding_ms})
        segment = SpeechSegment(onset_ms=2000, kept_from_ms=1700)
        assert (segment.told_ms(chosen), segment.start_ms(chosen)) == (told_ms, start_ms)
