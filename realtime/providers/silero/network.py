"""The network of Silero v6 at 16 kHz, written out for many streams and many frames at once.

The published ONNX file supplies the weights and is what this must agree with (a test runs both). A runtime works
through its convolutions sample by sample, four columns at a time; as a handful of matrix products over all frames they
cost a quarter (`bench/README.md`). Pure arithmetic: no clock, no threads, no idea of what is speech.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realtime.providers.silero.onnx_tensors import float_tensors

Floats = NDArray[np.float32]

FRAME = 512  # samples
CONTEXT = 64  # the end of the frame before, which the network sees again
WIDTH = 128  # of each half of a stream's memory
_WINDOW, _HOP, _STEPS = 256, 128, 4  # of the short-time transform: four spectra a frame
_PADDED = _WINDOW + (_STEPS - 1) * _HOP  # a frame with its context, and its end mirrored
_BINS = _WINDOW // 2 + 1
_HALF = np.float32(0.5)


class SileroNet:
    """The weights, in the order in which they are used."""

    def __init__(self, model: Path) -> None:
        tensors = float_tensors(model)

        def weight(name: str) -> Floats:
            # The model holds the network twice: the branch for 16 kHz is called "then".
            return next(t for key, t in tensors.items() if "then_branch" in key and key.endswith(name))

        def taps(layer: int, used: slice) -> Floats:
            """A convolution over time as one matrix: the taps one below the other."""
            kernel = weight(f"encoder.{layer}.reparam_conv.weight")[:, :, used]
            return np.ascontiguousarray(kernel.transpose(2, 1, 0).reshape(-1, len(kernel)))

        self._transform = np.ascontiguousarray(weight("stft.forward_basis_buffer")[:, 0].T)
        # Where a layer has only one step of time left, some taps of its kernel see nothing but padding.
        self._kernels = [taps(0, slice(3)), taps(1, slice(3)), taps(2, slice(1, 3)), taps(3, slice(1, 2))]
        self._biases = [weight(f"encoder.{layer}.reparam_conv.bias") for layer in range(4)]
        self._inputs = np.ascontiguousarray(weight("rnn.weight_ih").T)
        self._recurrent = np.ascontiguousarray(weight("rnn.weight_hh").T)
        self._gate_bias = weight("rnn.bias_ih") + weight("rnn.bias_hh")
        self._output, self._output_bias = weight("decoder.2.weight")[0, :, 0], weight("decoder.2.bias")[0]

    def run(self, sounds: Sequence[Floats], memory: Floats) -> tuple[Floats, Floats]:
        """Hear several streams on.

        `sounds`: of each stream its last CONTEXT samples and then one frame or more, the longest first. `memory`
        (2, streams, WIDTH) is what the streams remember. Returns the probabilities (frames of the longest, streams),
        of which those after a stream's own frames mean nothing, and the new memory.
        """
        counts = [len(sound) // FRAME for sound in sounds]
        hidden, cell = memory
        hidden, cell = hidden.copy(), cell.copy()
        probabilities = np.zeros((counts[0], len(sounds)), np.float32)
        gates = self._encode(_frames(sounds, counts))
        at = 0
        for step in range(counts[0]):
            width = sum(count > step for count in counts)
            gate = gates[at : at + width] + hidden[:width] @ self._recurrent
            at += width
            hidden[:width], cell[:width] = _remember(gate, cell[:width])
            score = np.maximum(hidden[:width], 0) @ self._output + self._output_bias
            probabilities[step, :width] = _sigmoid(score)
        return probabilities, np.stack((hidden, cell))

    def _encode(self, frames: Floats) -> Floats:
        """What every frame (padded to _PADDED samples) says to the memory's gates: all that needs no memory."""
        count = len(frames)
        windows = _view(frames, (count, _STEPS, _WINDOW), (_PADDED, _HOP, 1)).reshape(-1, _WINDOW)
        power = windows @ self._transform
        power *= power
        halves = power.reshape(count, _STEPS, 2, _BINS)  # real and imaginary
        heard = np.zeros((count, _STEPS + 2, _BINS), np.float32)  # with a step of padding on either side
        spectra = np.add(halves[:, :, 0], halves[:, :, 1], out=heard[:, 1:-1])
        np.sqrt(spectra, out=spectra)
        wide = heard.shape[1] * _BINS
        windows = _view(heard, (count, _STEPS, 3 * _BINS), (wide, _BINS, 1)).reshape(count * _STEPS, -1)
        padded = np.zeros((count, _STEPS + 1, WIDTH), np.float32)  # the next layer takes every other step
        padded[:, 1:] = self._layer(0, windows).reshape(count, _STEPS, WIDTH)
        wide = padded.shape[1] * WIDTH
        windows = _view(padded, (count, 2, 3 * WIDTH), (wide, 2 * WIDTH, 1)).reshape(count * 2, -1)
        x = self._layer(1, windows).reshape(count, -1)
        x = self._layer(3, self._layer(2, x))
        gates: Floats = x @ self._inputs
        gates += self._gate_bias
        return gates

    def _layer(self, number: int, x: Floats) -> Floats:
        x = x @ self._kernels[number]
        x += self._biases[number]
        return np.maximum(x, 0, out=x)


def _frames(sounds: Sequence[Floats], counts: Sequence[int]) -> Floats:
    """Every frame with its context and its mirrored end: all first ones, then all second ones, and so on."""
    frames = np.empty((sum(counts), _PADDED), np.float32)
    at = 0
    for step in range(counts[0]):
        for sound, count in zip(sounds, counts, strict=True):
            if count > step:
                frames[at, : CONTEXT + FRAME] = sound[step * FRAME : CONTEXT + (step + 1) * FRAME]
                at += 1
    seen = CONTEXT + FRAME
    frames[:, seen:] = frames[:, seen - 2 : 2 * seen - _PADDED - 2 : -1]
    return frames


def _view(x: Floats, shape: tuple[int, ...], strides: tuple[int, ...]) -> Floats:
    """Overlapping windows of a whole array; strides in numbers, not in bytes."""
    view: Floats = np.ndarray(shape, np.float32, x, 0, tuple(stride * x.itemsize for stride in strides))
    return view


def _remember(gates: Floats, cell: Floats) -> tuple[Floats, Floats]:
    """One step of the memory; the gates are input, forget, new and output."""
    opened = _sigmoid(gates)
    new = np.tanh(gates[:, 2 * WIDTH : 3 * WIDTH])
    cell = opened[:, WIDTH : 2 * WIDTH] * cell + opened[:, :WIDTH] * new
    return opened[:, 3 * WIDTH :] * np.tanh(cell), cell


def _sigmoid(x: Floats) -> Floats:
    y: Floats = np.tanh(x * _HALF)  # unlike the exponential, it has no overflow
    y *= _HALF
    y += _HALF
    return y
