"""The end-of-turn model: smart-turn (v3.2) on the last eight seconds of speech.

The audio becomes the log-mel spectrogram of Whisper's encoder, and one small ONNX model gives one probability
(`docs/engines.md` 4). It is often wrong for read speech that is cut, and rates nearly all Chinese as finished. What
follows from the probability is decided in `core/turn_end.py`.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime.errors import ConfigError, ProviderUnavailable
from realtime.providers import onnx, weights
from realtime.providers.base import VAD_RATE, Samples
from realtime.settings import Settings

SECONDS = 8
WINDOW, HOP, MELS = 400, 160, 80  # samples, samples, bands
MAX_WAITING = 32  # pauses of all conversations; one takes some 30 ms

Floats = NDArray[np.float32]


def create(settings: Settings) -> SmartTurn:
    """The end-of-turn model. Raises ConfigError with the command to run if its file is missing or another one."""
    return SmartTurn(weights.smart_turn())


class SmartTurn:
    """An `EndOfTurnModel`. One model and one thread for all conversations."""

    def __init__(self, model: Path) -> None:
        self._session = _open(model)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="smart-turn")
        self._waiting = 0
        self._closed = False

    def __repr__(self) -> str:
        return f"<SmartTurn, {self._waiting} waiting>"

    async def finished(self, samples: Samples) -> float:
        """The probability (0 to 1) that a turn ends with these samples; the last SECONDS of them count.

        Raises ProviderUnavailable when too many wait: a late probability is of no use.
        """
        if self._closed or self._waiting >= MAX_WAITING:
            raise ProviderUnavailable("the end-of-turn model is " + ("closed" if self._closed else "busy"))
        self._waiting += 1
        work = asyncio.get_running_loop().run_in_executor(self._thread, self._predict, samples)
        work.add_done_callback(self._done)
        return await work

    def _done(self, work: asyncio.Future[float]) -> None:
        self._waiting -= 1

    def _predict(self, samples: Samples) -> float:
        spectrogram = log_mel(last_seconds(samples))
        try:
            probabilities = self._session.run(None, {"input_features": spectrogram[None]})[0]
        except Exception as error:  # the runtime has many exception types of its own
            raise ProviderUnavailable(f"the end-of-turn model failed: {error}") from error
        return float(probabilities.reshape(-1)[0])

    async def aclose(self) -> None:
        """Accept no more work and let running work finish."""
        self._closed = True
        await asyncio.to_thread(self._thread.shutdown, wait=True, cancel_futures=True)


def last_seconds(samples: Samples) -> Floats:
    """The last SECONDS at VAD_RATE, with silence before them if there are fewer; mean 0, variance 1."""
    length = SECONDS * VAD_RATE
    audio = np.zeros(length, np.float32)
    tail = samples[-length:].astype(np.float32) / 32768
    audio[length - len(tail) :] = tail
    scaled: Floats = (audio - audio.mean()) / np.sqrt(audio.var() + 1e-7)
    return scaled


def log_mel(audio: Floats) -> Floats:
    """Whisper's log-mel spectrogram of audio at VAD_RATE: (MELS, one column for every 10 ms)."""
    padded = np.pad(audio, WINDOW // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][: len(audio) // HOP]
    power = np.abs(np.fft.rfft(windows * _hann(), axis=1)) ** 2
    bands = np.log10(np.maximum(power @ _mel_filters(), 1e-10)).T
    bands = np.maximum(bands, bands.max() - 8.0)
    spectrogram: Floats = ((bands + 4.0) / 4.0).astype(np.float32)
    return np.ascontiguousarray(spectrogram)


@cache
def _hann() -> NDArray[np.float64]:
    turns: NDArray[np.float64] = np.arange(WINDOW) / WINDOW
    return 0.5 - 0.5 * np.cos(2 * np.pi * turns)


@cache
def _mel_filters() -> NDArray[np.float64]:
    """Triangles on Slaney's mel scale, each of the same area; (WINDOW / 2 + 1, MELS)."""
    bins = np.linspace(0, VAD_RATE / 2, WINDOW // 2 + 1)
    edges = _hertz(np.linspace(0, _mel(VAD_RATE / 2), MELS + 2))
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins[:, None] - low) / (middle - low)
    falling = (high - bins[:, None]) / (high - middle)
    triangles: NDArray[np.float64] = np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low)
    return triangles


_LINEAR_HERTZ, _LINEAR_MELS, _LOG_STEP = (
    1000.0,
    15.0,
    np.log(6.4) / 27,
)  # linear below 1 kHz, then logarithmic


def _mel(hertz: float) -> float:
    if hertz < _LINEAR_HERTZ:
        return hertz * _LINEAR_MELS / _LINEAR_HERTZ
    return float(_LINEAR_MELS + np.log(hertz / _LINEAR_HERTZ) / _LOG_STEP)


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    above: NDArray[np.float64] = _LINEAR_HERTZ * np.exp(_LOG_STEP * (mels - _LINEAR_MELS))
    return np.where(mels < _LINEAR_MELS, mels * _LINEAR_HERTZ / _LINEAR_MELS, above)


@lru_cache(maxsize=1)
def _open(model: Path) -> Any:
    """The session of onnxruntime: to load it takes a quarter of a second, and all servers of one process may run it.

    The hash of the file was checked, so another file at this path would be the same.
    """
    try:
        onnxruntime = onnx.onnxruntime()
    except ModuleNotFoundError as error:
        raise ConfigError(f"The end-of-turn model needs onnxruntime: {weights.INSTALL_LOCAL}") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Without this, processors that lack VNNI (AVX2 only) cut products of 8 bits off: a third of all sentences is
    # then judged wrong (`docs/engines.md` 4). It costs no time where it changes nothing.
    options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(str(model), sess_options=options, providers=["CPUExecutionProvider"])
