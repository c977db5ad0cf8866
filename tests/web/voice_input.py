"""A microphone into which a test speaks when it likes to: Chromium's own one plays a file from the moment it is opened, on a
slow machine before the page is ready for it, and each file needs a browser of its own.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

RATE = 48_000  # Hertz

# A page without it has Chromium's microphone. Silence comes while nothing is said.
_SPOKEN_INTO = """(sampleRate) => {
    const context = new AudioContext({ sampleRate }), voice = context.createMediaStreamDestination();
    navigator.mediaDevices.getUserMedia = async () => voice.stream.clone();
    window.speakInto = async (text) => {
        const pcm = new Int16Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
        const buffer = context.createBuffer(1, pcm.length, context.sampleRate);
        buffer.copyToChannel(Float32Array.from(pcm, (sample) => sample / 32768), 0);
        const source = new AudioBufferSourceNode(context, { buffer });
        source.connect(voice);
        const ended = new Promise((done) => { source.onended = done; });
        source.start();
        await ended;
    };
}"""


async def replace_microphone(page: Any) -> None:
    """From now on the page's microphone has what `say` says."""
    await page.evaluate(_SPOKEN_INTO, RATE)


async def say(page: Any, samples: np.ndarray) -> None:
    """Speak int16 samples at RATE; returns when they have been said."""
    await page.evaluate(
        "(text) => speakInto(text)", base64.b64encode(samples.astype("<i2").tobytes()).decode()
    )
