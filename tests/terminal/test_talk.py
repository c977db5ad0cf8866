"""`realtime talk` as a person uses it: a voice into the microphone, an answer out of the speaker, Ctrl-C.

Real devices (PulseAudio), real transcription, the sandbox's chat and voice, all in the program's own process.
"""

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from tests import programs
from tests.clips import RATE, clips

ROOT = Path(__file__).parents[2]
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("MINIMAX_", "REALTIME_"))}
WAIT_S = 60


class Talk:
    """The running program and what it has printed."""

    def __init__(self, process):
        self.process = process
        self.text = ""

    async def until(self, *words):
        """Read on until all of these have been printed, in this order."""
        async with asyncio.timeout(WAIT_S):
            while not self._has(words):
                data = await self.process.stdout.read(4096)
                assert data, f"it ended after {self.text!r}"
                self.text += data.decode()

    def _has(self, words):
        at = 0
        for word in words:
            at = self.text.find(word, at)
            if at < 0:
                return False
            at += len(word)
        return True

    async def interrupt(self):
        """Ctrl-C; the exit status and all that was printed, notes on stderr included."""
        self.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(WAIT_S):
            out, _ = await self.process.communicate()
        self.text += out.decode()
        return self.process.returncode, self.text


@asynccontextmanager
async def talking(pulse, *words):
    pytest.importorskip("faster_whisper", reason="no transcriber: pip install 'minimax-realtime[local]'")
    pytest.importorskip("espeakng_loader", reason="no voice: pip install 'minimax-realtime[sandbox]'")
    process = await programs.start(
        *("talk", *words),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        cwd=ROOT, env={**CLEAN, **pulse.environment, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'clients'}",
                       "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        yield Talk(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def spoken():
    """Something to answer at length, and something to interrupt with."""
    known = {clip.id: clip for clip in clips("en")}
    first = known.get("en_arctic_a0024") or known["spoken_1"]
    second = known.get("en_sb_spk1_snt3") or known["spoken_2"]
    return first, second


async def test_a_voice_is_heard_and_answered_aloud(pulse):
    first, _ = spoken()
    with pulse.record("vspk.monitor", RATE) as recording:
        async with talking(pulse) as talk:
            await talk.until("Listening")
            await asyncio.to_thread(pulse.play, "vmic", first.samples, RATE)
            await talk.until("you ", "assistant ", "\n")
            status, err = await talk.interrupt()
        heard = recording.stop()
    assert status == 0, err
    assert "Traceback" not in err
    assert "ALSA" not in err
    spoken_s = np.count_nonzero(np.abs(heard.astype(int)) > 300) / RATE
    assert spoken_s > 0.3, "the answer sounded"
    assert "(interrupted" not in talk.text, "half duplex: the answer does not interrupt itself"


async def test_with_headphones_a_voice_stops_the_answer(pulse):
    first, second = spoken()
    async with talking(pulse, "--headphones") as talk:
        await talk.until("Listening")
        await asyncio.to_thread(pulse.play, "vmic", first.samples, RATE)
        await talk.until("assistant ")
        await asyncio.to_thread(pulse.play, "vmic", second.samples, RATE)
        await talk.until("assistant ", "(interrupted; heard: ", "you ", "assistant ")
        status, err = await talk.interrupt()
    assert status == 0, err
    assert "Traceback" not in err


async def test_ctrl_c_at_once_leaves_quietly(pulse):
    async with talking(pulse) as talk:
        await talk.until("Listening")
        status, err = await talk.interrupt()
    assert status == 0
    assert "Traceback" not in err
    assert "never" not in err, "no task and no coroutine is left behind"
