"""What the page's AudioContext really puts out, on the timeline of its audio thread; and a comparison by the sample.

The recorder of the page is a part of what is tested. This one is a worklet of the test, behind the player's gain.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np

RATE = 24_000  # Hertz
BLOCK = 240  # samples, 10 ms
LEAST = 2  # of a sample's value: rounding
RAMP = 48  # samples, 2 ms, in which it begins again
SHORT = 24  # samples: too few to know them again
DECAY = 256  # samples in which a sound that has ended has faded
LONGEST_PAUSE = 20 * RATE  # of a busy machine

# The context of the page must allow it: `open_page(url, bypass_csp=True)`.
_TAP = """async () => {
    const code = `registerProcessor("test-tap", class extends AudioWorkletProcessor {
        all = []; begin = currentFrame;
        constructor() { super(); this.port.onmessage = () => {
            const pcm = new Int16Array(this.all.length * 128);
            this.all.forEach((each, i) => pcm.set(each.map((value) => Math.round(value * 32768)), i * 128));
            this.port.postMessage({ begin: this.begin, pcm });
        }; }
        process([[input]]) { this.all.push(input ? input.slice() : new Float32Array(128)); return true; }
    });`;
    const player = (window.realtimeDebug?.voice ?? window.voice).player;
    await player.open();
    const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    await player.context.audioWorklet.addModule(url);
    const node = new AudioWorkletNode(player.context, "test-tap", { outputChannelCount: [1] });
    player.output.connect(node).connect(player.context.destination);
    window.tapped = () => new Promise((resolve) => {
        node.port.onmessage = ({ data: { begin, pcm } }) => {
            const bytes = new Uint8Array(pcm.buffer), pieces = [];
            for (let at = 0; at < bytes.length; at += 0x2000) pieces.push(String.fromCharCode(...bytes.subarray(at, at + 0x2000)));
            resolve({ begin, pcm: btoa(pieces.join("")) });
        };
        node.port.postMessage("give");
    });
}"""


@dataclass(frozen=True, slots=True)
class Tapped:
    """All that was put out since `begin`, a frame of the AudioContext; int16 at RATE."""

    begin: int
    pcm: np.ndarray


async def tap(page: Any) -> None:
    """Record from now on what the player of `realtimeDebug.voice` or `window.voice` puts out."""
    await page.evaluate(_TAP)


async def tapped(page: Any) -> Tapped:
    given = await page.evaluate("tapped()")
    return Tapped(given["begin"], np.frombuffer(base64.b64decode(given["pcm"]), np.int16))


def last_sound(pcm: np.ndarray) -> int:
    """The number of samples up to the last one that is not silent."""
    sounding = np.flatnonzero(np.abs(pcm) > LEAST)
    return int(sounding[-1]) + 1 if sounding.size else 0


def put_out(sent: np.ndarray, out: np.ndarray) -> int:
    """How many samples of `sent` are in `out`, in order and once, from the first one on; and that nothing else sounds in it.

    Pauses are allowed: where a busy machine let the player starve. Around a pause, and at the end, a fade changes samples.
    """
    loud = int(np.flatnonzero(np.abs(sent) > 1000)[0]) + RAMP
    begin = loud + _shift(sent, out, loud)
    explained = np.zeros(len(out), bool)
    # There may be a pause before it is loud
    quiet = _follow(sent[:loud][::-1], out[:begin][::-1], explained[:begin][::-1], stop=RAMP, start=DECAY)
    assert loud - quiet < RAMP + SHORT, "the beginning is missing"
    count = _follow(sent[loud:], out[begin:], explained[begin:], stop=DECAY, start=RAMP)
    rest = np.abs(out[~explained])
    assert rest.max(initial=0) <= LEAST, f"{int((rest > LEAST).sum())} samples sound that were not sent"
    return loud + count


def _follow(sent: np.ndarray, out: np.ndarray, explained: np.ndarray, *, stop: int, start: int) -> int:
    """How many samples of `sent` are in `out`, where it begins with them; which of `out` they are is `explained`. So many
    samples behind each stop, and before each start, may be others."""
    at = shift = 0
    while at < len(sent):
        step = min(BLOCK, len(sent) - at)
        place = at + shift
        same = _same_samples(sent[at : at + step], out[place : place + step])
        explained[place : place + same] = True
        if same < step:
            explained[place : place + same + stop] = True
            step = same + RAMP  # after a pause it fades in
            pause = _place(sent[at + step :][:BLOCK], out[place + step :])
            if pause is None:
                return at + same
            explained[max(0, place + pause + step - start) : place + pause + step] = True
            shift += pause
        at += step
    explained[at + shift : at + shift + stop] = True
    return at


def assert_once(sent: np.ndarray, out: np.ndarray) -> None:
    """Check that every sample of `sent` is put out once, and nothing else."""
    at = put_out(sent, out)
    assert len(sent) - at < RAMP + SHORT, (
        f"after {at / RATE:.3f} of {len(sent) / RATE:.3f} s samples are lost"
    )


def _shift(sent: np.ndarray, out: np.ndarray, loud: int) -> int:
    """How much later than in `sent` its first loud samples are in `out`."""
    found = _place(sent[loud : loud + 2 * SHORT], out[loud:])
    assert found is not None, "the beginning is missing"
    return found


def _same_samples(block: np.ndarray, other: np.ndarray) -> int:
    """How many of them are the same, up to the first that is not."""
    different = np.flatnonzero(np.abs(block[: len(other)].astype(int) - other) > LEAST)
    return int(different[0]) if different.size else min(len(block), len(other))


def _place(block: np.ndarray, out: np.ndarray) -> int | None:
    """After how many samples of `out` the block stands in it; None if nowhere."""
    out = out[: LONGEST_PAUSE + len(block)]
    if not SHORT <= len(block) <= len(out):
        return None
    loudest = int(np.argmax(np.abs(block)))
    near = (
        np.abs(out[loudest : len(out) - len(block) + loudest + 1].astype(int) - int(block[loudest])) <= LEAST
    )
    return next(
        (
            int(at)
            for at in np.flatnonzero(near)
            if _same_samples(block, out[at : at + len(block)]) == len(block)
        ),
        None,
    )
