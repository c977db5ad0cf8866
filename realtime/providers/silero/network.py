"""The network of Silero v6 at 16 kHz as matrix products, for many streams and many frames at once.

The published ONNX file supplies the weights; a test compares the results with that model in onnxruntime. It only
calculates: no clock, no threads, and it does not decide what is speech. Why it exists: see the package docstring.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realtime.providers.silero.onnx_tensors import float_tensors

Floats = NDArray[np.float32]

FRAME = 512  # samples
CONTEXT = 64  # samples: the end of the frame before, which is part of the input
WIDTH = 128  # values of a hidden state and of a cell state
_WINDOW, _HOP, _STEPS = 256, 128, 4  # of the short-time Fourier transform: four spectra per frame
_PADDED = _WINDOW + (_STEPS - 1) * _HOP  # a frame with its context, and its end mirrored
_BINS = _WINDOW // 2 + 1
_HALF = np.float32(0.5)


class SileroNet:
    """A `Network` (`jobs.py`). Holds the weights in the order in which they are used."""

    most_frames = 48  # 1.3 to 2.6 ms; more cost the same per frame and hold the event loop for longer

    def __init__(self, model: Path) -> None:
        """`model`: the file that `weights.py` knows; its tensors are read by their names there."""
        tensors = float_tensors(model)

        def weight(name: str) -> Floats:
            # The model holds the network twice: the branch for 16 kHz is called "then".
            return next(t for key, t in tensors.items() if "then_branch" in key and key.endswith(name))

        def taps(layer: int, used: slice) -> Floats:
            """A convolution over time as one matrix: the taps of its kernel one below the other."""
            kernel = weight(f"encoder.{layer}.reparam_conv.weight")[:, :, used]
            return np.ascontiguousarray(kernel.transpose(2, 1, 0).reshape(-1, len(kernel)))

        self._transform = np.ascontiguousarray(weight("stft.forward_basis_buffer")[:, 0].T)
        # Where a layer has only one time step left, some taps of its kernel meet nothing but padding.
        self._kernels = [taps(0, slice(3)), taps(1, slice(3)), taps(2, slice(1, 3)), taps(3, slice(1, 2))]
        self._biases = [weight(f"encoder.{layer}.reparam_conv.bias") for layer in range(4)]
        self._inputs = np.ascontiguousarray(_reordered(weight("rnn.weight_ih")).T)
        self._recurrent = np.ascontiguousarray(_reordered(weight("rnn.weight_hh")).T)
        self._gate_bias = _reordered(weight("rnn.bias_ih") + weight("rnn.bias_hh"))
        self._output, self._output_bias = weight("decoder.2.weight")[0, :, 0], weight("decoder.2.bias")[0]

    def run(self, sounds: Sequence[Floats], state: Floats) -> tuple[Floats, Floats]:
        """Calculate the next frames of several streams.

        `sounds`: for each stream its last CONTEXT samples and then one or more frames, samples from -1 to 1, the
        longest first. `state` (2, streams, WIDTH): the hidden and the cell state of the streams; it is not changed.
        Returns the probabilities (frames of the longest, streams) and the new state. Probabilities after a stream's
        own last frame have no meaning.
        """
        counts = [len(sound) // FRAME for sound in sounds]
        widths = [sum(count > step for count in counts) for step in range(counts[0])]
        gates = self._encode(_frames(sounds, counts))
        state = state.copy()
        outputs = np.empty((len(gates), WIDTH), np.float32)
        at = 0
        for width, steps in groupby(widths):
            end = at + width * len(list(steps))
            _recur(gates[at:end], self._recurrent, state[:, :width], outputs[at:end])
            at = end
        scores = np.maximum(outputs, 0, out=outputs) @ self._output + self._output_bias
        return _table(_sigmoid(scores), widths), state

    def _encode(self, frames: Floats) -> Floats:
        """The part of the gates that needs no state: (frames, _PADDED) samples to (frames, 4 * WIDTH)."""
        count = len(frames)
        windows = _view(frames, (count, _STEPS, _WINDOW), (_PADDED, _HOP, 1)).reshape(-1, _WINDOW)
        power = windows @ self._transform
        power *= power
        halves = power.reshape(count, _STEPS, 2, _BINS)  # real and imaginary
        padded = np.zeros((count, _STEPS + 2, _BINS), np.float32)  # one step of padding on either side
        spectra = np.add(halves[:, :, 0], halves[:, :, 1], out=padded[:, 1:-1])
        np.sqrt(spectra, out=spectra)
        wide = padded.shape[1] * _BINS
        windows = _view(padded, (count, _STEPS, 3 * _BINS), (wide, _BINS, 1)).reshape(count * _STEPS, -1)
        padded = np.zeros((count, _STEPS + 1, WIDTH), np.float32)  # the next layer has a stride of two
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
    """Every frame with its context and its mirrored end: the first frames of all streams, then the second ones."""
    frames = np.empty((sum(counts), _PADDED), np.float32)
    at = 0
    for step in range(counts[0]):
        for sound, count in zip(sounds, counts, strict=True):
            if count > step:
                frames[at, : CONTEXT + FRAME] = sound[step * FRAME : CONTEXT + (step + 1) * FRAME]
                at += 1
    filled = CONTEXT + FRAME
    frames[:, filled:] = frames[:, filled - 2 : 2 * filled - _PADDED - 2 : -1]
    return frames


def _table(values: Floats, widths: Sequence[int]) -> Floats:
    """Values in the order of `_frames` as a table (frames, streams), with zeros where a stream has no frame."""
    table = np.zeros((len(widths), widths[0]), np.float32)
    at = 0
    for step, width in enumerate(widths):
        table[step, :width] = values[at : at + width]
        at += width
    return table


def _view(x: Floats, shape: tuple[int, ...], strides: tuple[int, ...]) -> Floats:
    """Overlapping windows of a whole array; strides in numbers, not in bytes."""
    view: Floats = np.ndarray(shape, np.float32, x, 0, tuple(stride * x.itemsize for stride in strides))
    return view


def _reordered(gates: Floats) -> Floats:
    """The rows of the gates input, forget, new and output as input, forget, output and new; all but new halved.

    A sigmoid is tanh(x / 2) / 2 + 1 / 2. In this order one call of tanh serves all four gates: a fifth less time
    where one stream has many frames.
    """
    input_, forget, new, output = np.split(gates, 4)
    return np.concatenate((input_ * _HALF, forget * _HALF, output * _HALF, new))


def _recur(gates: Floats, recurrent: Floats, state: Floats, outputs: Floats) -> None:
    """Several frames of each stream through the LSTM, one after the other.

    `gates` (frames * streams, 4 * WIDTH) is the part that needs no state. Changes `state` (2, streams, WIDTH) in place,
    and fills `outputs` (frames * streams, WIDTH) with the hidden states. All views are made once: for one stream, a
    frame's arithmetic takes no longer than making them.
    """
    hidden: Floats = state[0]
    cell: Floats = state[1]
    streams = len(hidden)
    now = np.empty((streams, 4 * WIDTH), np.float32)
    sigmoids = now[:, : 3 * WIDTH]
    input_, forget, output, new = (now[:, at : at + WIDTH] for at in range(0, 4 * WIDTH, WIDTH))
    for at in range(0, len(gates), streams):
        np.matmul(hidden, recurrent, out=now)
        now += gates[at : at + streams]
        np.tanh(now, out=now)
        sigmoids *= _HALF
        sigmoids += _HALF
        cell *= forget
        input_ *= new
        cell += input_
        hidden = outputs[at : at + streams]
        np.tanh(cell, out=hidden)
        hidden *= output
    state[0] = hidden


def _sigmoid(x: Floats) -> Floats:
    y: Floats = np.tanh(x * _HALF)  # unlike the exponential, it cannot overflow
    y *= _HALF
    y += _HALF
    return y
