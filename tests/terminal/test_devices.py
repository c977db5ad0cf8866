"""The microphone and the speaker on real audio devices: PulseAudio's null sinks (`docs/engines.md` 6.1).

`vspk` is what the machine plays into, `vmic` what "the user" plays into; the default source is vmic's monitor.
"""

import asyncio
import os
import subprocess
import sys

import numpy as np
import pytest
from realtime_client import DeviceError, Microphone, PartKey, Speaker
from realtime_client.devices import device_names

from tests.eventually import WITHIN_S, eventually
from tests.terminal.sounding import DRIFT_SAMPLES, sounding, wrong_pieces

RATE = 24_000  # Hertz, of the wire
PART = PartKey("item_1")
PATIENT_S = 0.4  # of device latency: a machine that is busy with other tests does not lose sound


def speech_like(seconds, seed=1):
    """Noise in syllables: as easy to align as speech, without two places that sound alike."""
    random = np.random.default_rng(seed)
    count = int(seconds * RATE)
    smooth = np.convolve(random.standard_normal(count), np.ones(12) / 12, mode="same")
    syllables = 0.6 + 0.4 * np.sin(np.arange(count) * 2 * np.pi * 4 / RATE)
    return np.clip(smooth * syllables * 20_000, -30_000, 30_000).astype(np.int16)


def align(heard, said):
    """Where `said` begins in `heard`, and how alike they are there (1 = the same)."""
    heard, said = heard.astype(np.float64), said.astype(np.float64)
    size = 1 << (len(heard) + len(said)).bit_length()
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(said, size)), size)
    start = int(np.argmax(product[: max(1, len(heard) - len(said) + 1)]))
    window = np.zeros(len(said))
    window[: len(heard) - start] = heard[start : start + len(said)]
    norm = np.linalg.norm(window) * np.linalg.norm(said)
    return start, float(window @ said / norm) if norm else 0.0


def assert_same_sound(recorded, said):
    """All of it, in order and once; a busy machine may have paused, which tears a piece or two for each pause."""
    sound, pauses = sounding(recorded)
    assert len(wrong_pieces(recorded, said)) <= 2 * pauses, "a piece is missing or displaced"
    assert abs(len(sound) - len(said)) <= (1 + pauses) * DRIFT_SAMPLES, "something sounded twice or never"


async def recorded_sound(recording, ms):
    """Wait until so much sound is in the recording, and silence after it: a busy machine is late with both."""

    def enough():
        samples = recording.so_far()
        loud = np.flatnonzero(np.abs(samples.astype(int)) >= 500)
        silent_after = len(loud) and len(samples) - loud[-1] > RATE // 2
        return silent_after and len(sounding(samples).sound) * 1000 // RATE >= ms - 20

    await eventually(enough, f"{ms} ms of sound in the recording, and silence")
    return recording.stop()


def first_position(speaker):
    """Where the listener is, once something has been heard."""
    positions = speaker.player.positions(speaker.now())
    return positions[0] if positions and positions[0].played_ms > 0 else None


async def settled(recording):
    """The recording runs, and the speaker's device has filled itself with silence."""
    await asyncio.to_thread(recording.ready)
    await asyncio.sleep(1.5 * PATIENT_S)


async def test_the_devices_are_listed(pulse):
    assert await asyncio.to_thread(device_names, "input")
    assert await asyncio.to_thread(device_names, "output")


async def test_the_microphone_hears_what_is_said_into_it(pulse):
    said = speech_like(1.5)
    heard = bytearray()
    async with Microphone(latency_s=PATIENT_S) as microphone:
        blocks = aiter(microphone)
        await anext(blocks)
        playing = asyncio.create_task(asyncio.to_thread(pulse.play, "vmic", said, RATE))
        async with asyncio.timeout(WITHIN_S):
            while not playing.done() or len(heard) < 2 * len(said):
                heard += await anext(blocks)
            for _ in range(25):
                heard += await anext(blocks)
        await playing
    assert microphone.dropped_ms == 0
    samples = np.frombuffer(bytes(heard), np.int16)
    assert_same_sound(samples, said)


async def test_the_speaker_plays_everything_once_and_counts_what_was_heard(pulse):
    """In real time, so a busy machine may starve it; that it adds no silence of its own is in `test_any_device.py`."""
    said = speech_like(2.0, seed=2)
    with pulse.record("vspk.monitor", RATE) as recording:
        async with Speaker(latency_s=PATIENT_S) as speaker:
            await settled(recording)
            pcm = said.tobytes()
            for at in range(0, len(pcm), 1920):  # as a server sends it: 40 ms at a time, faster than it plays
                speaker.player.write(PART, pcm[at : at + 1920])
                await asyncio.sleep(0.005)
            speaker.player.end(PART)
            positions = []
            async with asyncio.timeout(WITHIN_S):
                while not (positions and positions[-1].drained):
                    positions += speaker.player.positions(speaker.now())
                    await asyncio.sleep(0.02)
            heard = await recorded_sound(recording, 2000)
    assert positions[-1].played_ms == 2000
    assert [p.played_ms for p in positions] == sorted(p.played_ms for p in positions)
    assert_same_sound(heard, said)


async def test_a_position_is_what_could_be_heard_by_then(pulse):
    """Played with the clock: after a second the count is a second, less the device's latency."""
    async with Speaker(latency_s=PATIENT_S) as speaker:
        began_s = speaker.now()
        speaker.player.write(PART, speech_like(3.0).tobytes())
        await asyncio.sleep(1.0)
        position = await eventually(lambda: first_position(speaker), "a position after the beginning")
        elapsed_ms = (speaker.now() - began_s) * 1000
        handed_ms = speaker.flush()[0].played_ms
        flushed_ms = (
            speaker.now() - began_s
        ) * 1000  # the device goes on taking between two lines of a busy machine
    assert 0 < position.played_ms <= elapsed_ms
    assert position.played_ms <= handed_ms <= flushed_ms + 1000 * PATIENT_S + 200


async def test_flush_silences_and_tells_exactly_what_sounded(pulse):
    """What the monitor recorded ends where the count says, to a few milliseconds."""
    said = speech_like(4.0, seed=3)
    with pulse.record("vspk.monitor", RATE) as recording:
        async with Speaker(latency_s=PATIENT_S) as speaker:
            await settled(recording)
            speaker.player.write(PART, said.tobytes())
            await asyncio.sleep(1.0)
            played_ms = speaker.flush()[0].played_ms
            heard = await recorded_sound(recording, played_ms)
    assert 0 < played_ms < 4000
    assert_same_sound(heard, said[: RATE * played_ms // 1000])


async def test_a_new_reply_sounds_after_a_flush(pulse):
    said = speech_like(1.0, seed=4)
    with pulse.record("vspk.monitor", RATE) as recording:
        async with Speaker(latency_s=PATIENT_S) as speaker:
            await settled(recording)
            speaker.player.write(PART, speech_like(5.0, seed=5).tobytes())
            await asyncio.sleep(0.3)
            speaker.flush()
            speaker.player.write(PartKey("item_2"), said.tobytes())
            speaker.player.end(PartKey("item_2"))
            async with asyncio.timeout(WITHIN_S):
                await speaker.drained()
            heard = await recorded_sound(recording, 1000)
    new = heard[align(heard, said)[0] :]
    assert_same_sound(new, said)


async def test_both_at_once(pulse):
    """Full duplex: the microphone hears the user while the speaker plays the answer."""
    user, answer = speech_like(1.0, seed=6), speech_like(2.0, seed=7)
    heard = bytearray()
    async with Speaker(latency_s=PATIENT_S) as speaker, Microphone(latency_s=PATIENT_S) as microphone:
        speaker.player.write(PART, answer.tobytes())
        blocks = aiter(microphone)
        await anext(blocks)
        playing = asyncio.create_task(asyncio.to_thread(pulse.play, "vmic", user, RATE))
        async with asyncio.timeout(WITHIN_S):
            while not playing.done():
                heard += await anext(blocks)
            for _ in range(25):
                heard += await anext(blocks)
        await playing
        assert await eventually(lambda: first_position(speaker), "the answer sounds, too")
    samples = np.frombuffer(bytes(heard), np.int16)
    assert_same_sound(samples, user)
    assert align(samples, answer[: RATE // 2])[1] < 0.3, "the sinks are separate: no echo"


async def test_a_device_that_does_not_exist_is_one_sentence(pulse):
    for device in (Microphone("no such device"), Speaker("no such device")):
        with pytest.raises(DeviceError, match="cannot be used"):
            async with device:
                pass


def test_a_machine_without_sound_is_told_in_one_sentence(tmp_path):
    """In a process of its own: no PulseAudio, no ALSA card."""
    nothing = {"PULSE_SERVER": "unix:/nonexistent", "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    script = (
        "import asyncio\n"
        "from realtime_client import DeviceError, Speaker\n"
        "async def main():\n"
        "    try:\n"
        "        async with Speaker():\n"
        "            print('sounds')\n"
        "    except DeviceError as error:\n"
        "        print('error:', error)\n"
        "asyncio.run(main())\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **nothing, "PYTHONPATH": "clients:."},
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(("error: This machine has no speaker: ", "sounds")), ran.stdout
    assert "Traceback" not in ran.stderr
