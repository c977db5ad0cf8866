"""Silero as onnxruntime calculates it: for a model file whose tensors `network.py` does not know.

A model is usable here if it has the inputs and outputs that Silero v5 and v6 have: "input", "state" and perhaps "sr".
That it agrees with `SileroNet` on the known file is tested; nothing is known of how well another model detects speech.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from realtime.errors import ConfigError
from realtime.providers import onnx
from realtime.providers.base import VAD_RATE
from realtime.providers.silero.network import CONTEXT, FRAME, WIDTH, Floats


class OnnxNet:
    """A `Network` (`jobs.py`). One call of the runtime for each frame step of a batch."""

    most_frames = 24  # 56 to 157 us each (`docs/engines.md` 3)

    def __init__(self, model: Path, advice: str) -> None:
        """Raises ConfigError, ending in the advice, without onnxruntime, or if it cannot run the model."""
        self._session = _open(model, advice)
        try:
            self._rate = _rate_input(self._session)
            self.run([np.zeros(CONTEXT + FRAME, np.float32)], np.zeros((2, 1, WIDTH), np.float32))
        except Exception as error:  # the runtime has a dozen kinds of its own
            raise ConfigError(f"{model} does not work like Silero v6 ({error}): {advice}.") from error

    def run(self, sounds: Sequence[Floats], state: Floats) -> tuple[Floats, Floats]:
        """See `SileroNet.run`."""
        counts = [len(sound) // FRAME for sound in sounds]
        probabilities = np.zeros((counts[0], len(sounds)), np.float32)
        state = state.copy()
        for step in range(counts[0]):
            width = sum(count > step for count in counts)
            start = step * FRAME
            frames = np.stack([sound[start : start + CONTEXT + FRAME] for sound in sounds[:width]])
            inputs = {"input": frames, "state": np.ascontiguousarray(state[:, :width]), **self._rate}
            scores, state[:, :width] = self._session.run(None, inputs)
            probabilities[step, :width] = scores[:, 0]
        return probabilities, state


def _open(model: Path, advice: str) -> Any:
    try:
        onnxruntime = onnx.onnxruntime()
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{model} is not the known model, and onnxruntime is not installed: {advice}."
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            str(model), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # as above
        raise ConfigError(f"{model} is no model that onnxruntime can read: {advice}.") from error


def _rate_input(session: Any) -> dict[str, Any]:
    """What a model for one rate only does without. Raises ValueError if the model asks for something else."""
    names = {tensor.name for tensor in session.get_inputs()}
    if not {"input", "state"} <= names <= {"input", "state", "sr"}:
        raise ValueError(f"it asks for {', '.join(sorted(names))}")
    return {"sr": np.array(VAD_RATE, np.int64)} if "sr" in names else {}
