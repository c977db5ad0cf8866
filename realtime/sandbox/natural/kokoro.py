"""Kokoro-82M on this machine's processor: phonemes in, samples out, kept for the next time the same is said.

It knows the model's phonemes and files (`docs/engines.md` 5). It blocks for about half of the sound's length: call it
in a thread. It knows no text and no language.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE = 24_000  # Hertz
MODEL_FILE = "model.onnx"
LONGEST = 500  # phonemes of one run; the model takes 510
KEPT_BYTES = 64 * 1024 * 1024  # 23 minutes of speech
SLOWEST, FASTEST = 0.5, 2.0  # what the model was made for
_STYLES, _STYLE_SIZE = 510, 256  # a voice has one style for each length of a text

Samples = NDArray[np.int16]

# The model's phonemes by their numbers: runs of neighbours, each with the number of its first one.
_RUNS = (
    (1, ";:,.!?"), (9, "—…\"()“” \u0303ʣʥʦʨᵝ\uab67AI"), (31, "O"), (33, "Q"), (35, "ST"), (39, "W"), (41, "Yᵊabcdef"),
    (50, "hijklmnopqrstuvwxyzɑɐɒæ"), (75, "βɔɕç"), (80, "ɖðʤə"), (85, "ɚɛɜ"), (90, "ɟ"), (92, "ɡ"), (99, "ɥ"),
    (101, "ɨɪʝ"), (110, "ɯɰŋɳɲɴø"), (118, "ɸθœ"), (123, "ɹ"), (125, "ɾɻ"), (128, "ʁɽʂʃʈʧ"), (135, "ʊʋ"), (138, "ʌɣɤ"),
    (142, "χʎ"), (147, "ʒʔ"), (156, "ˈˌː"), (162, "ʰ"), (164, "ʲ"), (169, "↓"), (171, "→↗↘"), (177, "ᵻ"),
)  # fmt: skip
PHONEMES: dict[str, int] = {
    phoneme: first + index for first, run in _RUNS for index, phoneme in enumerate(run)
}


@dataclass(frozen=True, slots=True)
class Utterance:
    """What is said, by which voice, and how fast. `speed` is times the voice's own."""

    phonemes: str
    voice: str
    speed: float


class Kokoro:
    """The model and the voices in one folder: `model.onnx`, and a file `<voice>.bin` for each voice."""

    def __init__(self, folder: Path, *, session: Callable[[Path], Any] | None = None) -> None:
        self._folder = folder
        self._open = session or _session
        self._session: Any = None
        self._styles: dict[str, NDArray[np.float32]] = {}
        self._kept: OrderedDict[Utterance, Samples] = OrderedDict()
        self._kept_bytes = 0
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Kokoro in {self._folder}>"

    def load(self) -> None:
        """Have the model ready before the first word. Takes half a second or more. Raises as `say` does."""
        with self._lock:
            self._loaded()

    def say(self, utterance: Utterance) -> Samples:
        """The samples of at most LONGEST phonemes, at RATE. Raises OSError without its files, ImportError without
        onnxruntime.
        """
        with self._lock:  # two that say the same: one waits, and finds it
            kept = self._kept.get(utterance)
            if kept is not None:
                self._kept.move_to_end(utterance)
                return kept
            pcm = self._synthesized(utterance)
            self._keep(utterance, pcm)
            return pcm

    def _synthesized(self, utterance: Utterance) -> Samples:
        tokens = numbered(utterance.phonemes)[:LONGEST]
        style = self._style(utterance.voice)[min(len(tokens), _STYLES - 1)]
        feed = {
            "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
            "style": style[None],
            "speed": np.array([utterance.speed], dtype=np.float32),
        }
        wave = np.ravel(self._loaded().run(None, feed)[0])
        return np.asarray(np.clip(np.rint(wave * 32767.0), -32768, 32767), dtype=np.int16)

    def _loaded(self) -> Any:
        """The model; the lock is held."""
        if self._session is None:
            self._session = self._open(self._folder / MODEL_FILE)
        return self._session

    def _style(self, voice: str) -> NDArray[np.float32]:
        if voice not in self._styles:
            raw = np.fromfile(self._folder / f"{voice}.bin", dtype="<f4")
            self._styles[voice] = raw.reshape(_STYLES, _STYLE_SIZE)
        return self._styles[voice]

    def _keep(self, utterance: Utterance, pcm: Samples) -> None:
        self._kept[utterance] = pcm
        self._kept_bytes += pcm.nbytes
        while self._kept_bytes > KEPT_BYTES and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= oldest.nbytes


def numbered(phonemes: Iterable[str]) -> list[int]:
    """The numbers of the phonemes; what the model does not know is left out."""
    return [PHONEMES[one] for one in phonemes if one in PHONEMES]


def _session(path: Path) -> Any:
    # It would write files and look for a server of its maker
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = max(1, min(4, (os.cpu_count() or 2) // 2))  # the server needs the others
    options.log_severity_level = 3
    if not path.is_file():
        raise FileNotFoundError(path)
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
