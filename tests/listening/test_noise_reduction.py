"""`noise_reduction` of the wire: every sample has its place, and the library does what the name says."""

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core import turn as turns
from realtime.core.audio import AudioFormat
from realtime.listening.audio_input import AudioInput
from realtime.listening.user_input import UserInput
from realtime.protocol.session_values import NoiseReduction as NoiseReductionOf
from realtime.providers import noise_reduction
from realtime.providers.noise_reduction import BLOCK_SAMPLES, LEVELS, WebRtcNoiseReduction, open_stream
from tests.contexts import Bench
from tests.conversing import LOUD, SILENT, scripted
from tests.fakes import FakeVad
from tests.listening.test_user_input import SEMANTIC, speak

PCM = AudioFormat("audio/pcm", 16_000)


class Negative:
    """A suppressor that turns each sample round."""

    def Process10ms(self, audio):
        assert len(audio) == 2 * BLOCK_SAMPLES
        return SimpleNamespace(audio=(-np.frombuffer(audio, "<i2")).tobytes())


@given(st.lists(st.integers(0, 500), max_size=10))
def test_every_sample_keeps_its_place(sizes):
    subject, sound = WebRtcNoiseReduction(Negative()), np.arange(sum(sizes), dtype=np.int16)
    ends = np.cumsum([0, *sizes])
    out = [subject.feed(sound[start:end]) for start, end in pairwise(ends)]
    whole = len(sound) // BLOCK_SAMPLES * BLOCK_SAMPLES
    assert np.array_equal(np.concatenate([np.zeros(0, np.int16), *out]), -sound[:whole])
    assert subject.held_ms == (len(sound) - whole) / 16
    assert np.array_equal(subject.rest(), sound[whole:])
    assert subject.held_ms == 0


@scripted
async def test_what_waits_counts_as_received_and_comes_with_the_end_of_the_stream():
    subject = AudioInput(FakeVad(), PCM, detects=False)
    subject.reduce_noise(WebRtcNoiseReduction(Negative()))
    await subject.take(np.full(250, 100, "<i2").tobytes())
    assert subject.received_ms == subject.buffered_ms == 250 / 16
    subject.flush()
    assert subject.samples(0).tolist() == [-100] * 160 + [100] * 90
    await subject.take(np.full(250, 100, "<i2").tobytes())
    subject.reduce_noise(None)
    await subject.take(np.full(10, 5, "<i2").tobytes())
    assert subject.samples(0).tolist()[250:] == [-100] * 160 + [100] * 90 + [5] * 10


@scripted
async def test_a_session_opens_it_for_the_microphone_that_it_names():
    asked: list[str] = []
    for session in ({"audio": {"input": {"noise_reduction": {"type": "far_field"}}}}, {}):
        context = Bench(**session).context
        context.providers = replace(context.providers, noise_reduction=asked.append)
        UserInput(context)
    assert asked == ["far_field"]


@scripted
async def test_an_update_of_the_session_opens_and_ends_it():
    asked: list[str] = []
    context = Bench().context
    context.providers = replace(context.providers, noise_reduction=asked.append)
    subject, off = UserInput(context), context.config
    near = replace(off, noise_reduction=NoiseReductionOf("near_field"))
    for before, after in ((off, near), (near, near), (near, off)):
        context.config = after
        subject.config_changed(before)
    assert asked == ["near_field"]


@scripted
async def test_speech_goes_on_when_it_changes_and_its_end_is_told():
    bench = Bench(**SEMANTIC)
    negative = replace(bench.providers, noise_reduction=lambda kind: WebRtcNoiseReduction(Negative()))
    bench.context.providers = negative
    bench.context.config = near = replace(
        bench.context.config, noise_reduction=NoiseReductionOf("near_field")
    )
    subject = UserInput(bench.context)
    await speak(subject, LOUD * 25)
    bench.context.config = replace(near, noise_reduction=None)
    subject.config_changed(near)
    await speak(subject, LOUD * 25 + SILENT * 150)
    spoken = [event for event in bench.noticed if isinstance(event, turns.SpeechBegan | turns.SpeechEnded)]
    assert [type(event) for event in spoken] == [turns.SpeechBegan, turns.SpeechEnded]
    await subject.aclose()
    await bench.context.tasks.aclose()


def test_without_the_library_nothing_changes(monkeypatch):
    monkeypatch.setattr(noise_reduction, "has_module", lambda name: False)
    assert open_stream("near_field") is None


@pytest.mark.parametrize("kind", LEVELS)
def test_steady_noise_becomes_quieter(kind):
    pytest.importorskip("webrtc_noise_gain", reason="pip install 'minimax-realtime[noise]'")
    noise = np.random.default_rng(1).normal(0, 500, 5 * 16_000).astype(np.int16)
    quieter = open_stream(kind).feed(noise)
    assert np.std(quieter[-16_000:].astype(float)) < 0.6 * np.std(noise.astype(float))
