"""Devices of any channel count and rate, and devices that vanish: a fake that refuses as PortAudio does."""

import asyncio
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from realtime_client import DeviceError, Microphone, PartKey, Speaker, calls
from realtime_client.devices import GONE_S, Form, Liveness, usable_form

from realtime.commands import checks
from realtime.core.channels import Downmix, spread
from realtime.ending import Ending
from tests.eventually import eventually
from tests.terminal.strict_devices import Stream, StrictDevices

RATE = 24_000  # Hertz, of the wire
TONE = 440  # Hertz

DEVICES = [
    {"rates": (24_000,), "channels": (1,)},
    {"rates": (48_000,), "channels": (1,)},
    {"rates": (48_000,), "channels": (2,)},
    {"rates": (44_100,), "channels": (2,)},
    {"rates": (44_100,), "channels": (4,)},
    {"rates": (48_000,), "channels": (8,)},
    {"rates": (44_100, 48_000), "channels": (6,), "default_rate": 44_100},
    {"rates": (16_000,), "channels": (1,)},
    {"rates": (8_000,), "channels": (1, 2)},
    {"rates": (32_000,), "channels": (2,), "default_rate": 48_000},
    {"rates": (96_000,), "channels": (18,)},
    {"rates": (192_000,), "channels": (3,)},
    {"rates": (11_025,), "channels": (2,)},
    {"rates": (88_200,), "channels": (10,)},
]


def named(device):
    return f"{'/'.join(map(str, device['rates']))} Hz, {'/'.join(map(str, device['channels']))} channels"


@pytest.fixture(params=DEVICES, ids=named)
def strict(request, monkeypatch):
    module = StrictDevices(**request.param)
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return module


def tone(seconds, rate):
    return np.round(10_000 * np.sin(2 * np.pi * TONE * np.arange(int(seconds * rate)) / rate)).astype(
        np.int16
    )


def pitch(samples, rate):
    """The strongest frequency, in Hertz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return np.argmax(spectrum) * rate / len(samples)


async def test_a_microphone_of_any_kind_gives_24_khz_of_one_channel(strict):
    async with Microphone() as microphone:
        stream = strict.streams[0]
        spoken_into = stream.channels - 1  # any but the first, where there is one
        sound = tone(1.0, stream.rate)
        for at in range(0, len(sound) - stream.blocksize + 1, stream.blocksize):
            frames = np.zeros((stream.blocksize, stream.channels), np.int16)
            frames[:, spoken_into] = sound[at : at + stream.blocksize]
            stream.push(frames)
        heard = bytearray()
        async for pcm in microphone:
            heard += pcm
            if len(heard) >= 2 * RATE * 9 // 10:
                break
    samples = np.frombuffer(bytes(heard), np.int16)
    assert abs(pitch(samples, RATE) - TONE) < 3
    assert abs(np.abs(samples[RATE // 10 :]).max() - 10_000) < 600, "as loud as it was spoken"
    assert stream.closed


async def test_a_speaker_of_any_kind_plays_left_and_right(strict):
    part = PartKey("item_1")
    async with Speaker() as speaker:
        stream = strict.streams[0]
        speaker.player.write(part, tone(1.0, RATE).tobytes())
        speaker.player.end(part)
        blocks = []
        while not (blocks and speaker.player.positions(stream.time + 1.0) == []):
            blocks.append(stream.pull())
            assert len(blocks) < 300
        frames = np.concatenate([*blocks, *(stream.pull() for _ in range(10))])
    sounding = frames[:, : min(2, stream.channels)]
    assert np.array_equal(sounding[:, 0], sounding[:, -1])
    assert not frames[:, 2:].any()
    assert abs(pitch(sounding[: stream.rate, 0], stream.rate) - TONE) < 3
    assert abs(np.count_nonzero(sounding[:, 0]) / stream.rate - 1.0) < 0.03, "all of it, once"


async def test_a_speaker_adds_no_silence_to_what_comes_in_time(monkeypatch):
    """To the sample: as a server sends it, 40 ms at a time, each before the device asks for it."""
    module = StrictDevices(rates=(RATE,), channels=(1,))
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    part, said, played = PartKey("item_1"), tone(1.0, RATE) + 11_000, []
    async with Speaker() as speaker:
        for at in range(0, len(said), 960):
            speaker.player.write(part, said[at : at + 960].tobytes())
            played += [module.streams[0].pull() for _ in range(4)]
    assert np.array_equal(np.concatenate(played)[:, 0], said)
    assert speaker.player.starved_ms == 0


async def test_what_was_heard_is_counted_in_the_time_of_the_device(strict):
    async with Speaker() as speaker:
        stream = strict.streams[0]
        speaker.player.write(PartKey("item_1"), tone(2.0, RATE).tobytes())
        while stream.time < 1.0:
            stream.pull()
        (position,) = speaker.player.positions(stream.time)
    assert abs(position.played_ms - 1000 * (1 - stream.latency)) < 40


@pytest.mark.parametrize("kind", ["input", "output"])
@pytest.mark.parametrize(
    ("device", "form"),
    [
        ({"rates": (24_000, 48_000), "channels": (1, 2)}, Form(24_000, 1)),
        ({"rates": (48_000,), "channels": (1, 2, 8)}, Form(48_000, 1)),
        ({"rates": (24_000, 48_000), "channels": (2, 8), "default_rate": 48_000}, Form(24_000, 2)),
        ({"rates": (44_100, 48_000), "channels": (8,)}, Form(44_100, 8)),
        ({"rates": (44_100, 48_000), "channels": (8,), "default_rate": 48_000}, Form(48_000, 8)),
        ({"rates": (47_999, 48_000), "channels": (2,)}, Form(48_000, 2)),  # no ratio of small numbers
    ],
)  # fmt: skip
def test_the_least_change_is_chosen(kind, device, form):
    assert usable_form(StrictDevices(**device), kind, None) == form


@pytest.mark.parametrize("make", [Microphone, Speaker])
@pytest.mark.parametrize(
    "device",
    [{"channels": ()}, {"rates": (47_999,)}, {"refuses_to_start": True}],
    ids=["none", "odd", "busy"],
)
async def test_a_device_that_takes_nothing_is_one_sentence(make, device, monkeypatch):
    module = StrictDevices(**device)
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    with pytest.raises(DeviceError, match=r"cannot be used \(.*\): see `realtime doctor`, or eat cake\."):
        async with make(instead="eat cake"):
            pass
    assert all(stream.closed for stream in module.streams)


async def heard_out(microphone):
    return [pcm async for pcm in microphone]


async def test_a_microphone_that_vanishes_says_so(strict):
    async with Microphone(instead="type") as microphone:
        stream = strict.streams[0]
        stream.push(np.ones((stream.blocksize, stream.channels), np.int16))
        stream.vanish()
        with pytest.raises(DeviceError, match=r"The microphone is gone: .* or type\."):
            await asyncio.wait_for(heard_out(microphone), 10)


async def test_a_speaker_that_vanishes_says_so(strict):
    async with Speaker(instead="read") as speaker:
        assert speaker.now() == 0.0
        speaker.player.write(PartKey("item_1"), bytes(4800))
        strict.streams[0].vanish()
        with pytest.raises(DeviceError, match=r"The speaker is gone: .* or read\."):
            await speaker.drained()


async def test_closing_a_device_is_not_vanishing(strict):
    async with Microphone() as microphone, Speaker() as speaker:
        pass
    speaker.now()
    microphone._liveness.check()


def test_a_device_that_only_goes_silent_is_gone_after_a_while():
    clock = [0.0]
    device = Liveness("speaker", "read", lambda: clock[0])
    while clock[0] < GONE_S:
        clock[0] += 0.5
        device.check()
    clock[0] += 0.5
    with pytest.raises(DeviceError, match="gone"):
        device.check()
    device.alive()
    device.check()


def test_a_process_that_was_stopped_does_not_blame_its_devices():
    clock = [0.0]
    device = Liveness("speaker", "read", lambda: clock[0])
    device.alive()
    clock[0] = 3600.0
    device.check()
    clock[0] += 0.5
    device.check()


# -- channels -------------------------------------------------------------------------------------------------------------


@given(st.integers(1, 20), st.data())
def test_a_voice_on_one_channel_comes_out_as_it_went_in(channels, data):
    channel = data.draw(st.integers(0, channels - 1))
    voice = tone(0.1, RATE)
    frames = np.zeros((len(voice), channels), np.int16)
    frames[:, channel] = voice
    assert np.array_equal(Downmix(channels).feed(frames.ravel()), voice)


@given(st.integers(1, 20), st.lists(st.integers(-32768, 32767), max_size=50))
def test_spread_and_downmix_are_inverse(channels, samples):
    mono = np.array(samples, np.int16)
    assert np.array_equal(Downmix(channels).feed(spread(mono, channels)), mono)


def test_opposite_phases_do_not_cancel():
    voice = tone(0.1, RATE)
    assert np.array_equal(Downmix(2).feed(np.stack([voice, -voice], axis=1).ravel()), voice)


def test_noise_on_another_channel_does_not_take_over_in_a_pause():
    random = np.random.default_rng(1)
    downmix, block = Downmix(2), RATE // 50
    voice, hiss = tone(0.02, RATE), random.integers(-90, 90, block).astype(np.int16)
    for frames in (voice, np.zeros_like(voice), np.zeros_like(voice)):
        out = downmix.feed(np.stack([hiss, frames], axis=1).ravel())
    assert downmix.taken == 1
    assert not out.any()


def test_a_torn_frame_is_dropped():
    assert len(Downmix(4).feed(np.zeros(10, np.int16))) == 2
    assert len(Downmix(4).feed(np.zeros(3, np.int16))) == 0


@pytest.mark.parametrize(("kind", "times"), [(Microphone, 1), (Microphone, 2), (Speaker, 1), (Speaker, 2)])
async def test_a_device_that_was_opened_for_a_cancelled_call_is_closed(kind, times, monkeypatch):
    module = StrictDevices()
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    asked, go_on = threading.Event(), threading.Event()
    query = module.query_devices

    def slowly(*args):
        asked.set()
        go_on.wait()
        return query(*args)

    monkeypatch.setattr(module, "query_devices", slowly)
    opening = asyncio.create_task(kind().__aenter__())
    try:
        await eventually(asked.is_set)
        for _ in range(times):
            opening.cancel()
            await asyncio.sleep(0)
        assert not opening.done(), "the thread still opens the device"
    finally:
        go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert [stream.closed for stream in module.streams] == [True]


# -- a sound server that hangs --------------------------------------------------------------------------------------------


@pytest.fixture
def hanging(monkeypatch):
    """Calls of this device do not come back before the end of the test: `hanging(name)` says which."""
    module, go_on = StrictDevices(), threading.Event()
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    monkeypatch.setattr(calls, "OPEN_S", 0.2)
    monkeypatch.setattr(calls, "CLOSE_S", 0.2)
    query, close = module.query_devices, Stream.close

    def hang(name):
        where, call = (module, query) if name == "query_devices" else (Stream, close)
        monkeypatch.setattr(where, name, lambda *args: (go_on.wait(), call(*args))[1])
        return module, go_on

    yield hang
    go_on.set()


@pytest.mark.parametrize(("kind", "what"), [(Microphone, "microphone"), (Speaker, "speaker")])
async def test_a_device_that_does_not_answer_is_told_and_closed_when_it_opens_after_all(kind, what, hanging):
    module, go_on = hanging("query_devices")
    with pytest.raises(DeviceError, match=f"The {what} does not answer"):
        async with kind():
            pass
    go_on.set()
    await eventually(lambda: [stream.closed for stream in module.streams] == [True])


@pytest.mark.parametrize("kind", [Microphone, Speaker])
async def test_ctrl_c_does_not_wait_for_a_device_that_does_not_open(kind, hanging):
    module, go_on = hanging("query_devices")
    opening = asyncio.create_task(kind().__aenter__())
    await asyncio.sleep(0.05)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(opening, 5)
    go_on.set()
    await eventually(lambda: [stream.closed for stream in module.streams] == [True])


@pytest.mark.parametrize("kind", [Microphone, Speaker])
async def test_an_error_is_told_though_the_device_does_not_close(kind, hanging):
    """And the end of the process does not wait for it either."""
    hanging("close")
    async with asyncio.timeout(5):
        with pytest.raises(DeviceError, match="gone"):
            async with kind():
                raise DeviceError("It is gone.")
    left = []
    ending = Ending(left.append)
    for thread in calls._hanging:
        ending.abandon(thread)
    ending.end(1)
    assert left == [1]


async def test_doctor_does_not_wait_for_it_either(hanging):
    hanging("query_devices")
    (finding,) = await checks._sound()
    assert finding.part == "sound"
    assert "does not answer" in finding.advice
