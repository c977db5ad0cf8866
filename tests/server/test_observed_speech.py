"""A voice of another package: its block is left in good time, and what it gives is looked at."""

import asyncio
from contextlib import asynccontextmanager, nullcontext

import numpy as np
import pytest

from realtime.errors import ProviderError
from realtime.metrics import Metrics
from realtime.providers.base import Providers, Speech, SpeechAudio, Utterance, Voice, VoiceStream
from realtime.server import given
from realtime.server.observed import observed
from realtime.server.observed_speech import CLOSES_S
from realtime.server.wrapped import Later
from tests import virtual_time
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber, FakeUtterance, FakeVad

VOICE = Voice("v")


def seen(later: Later | None = None, **own) -> Providers:
    roles = {"vad": None, "transcriber": None, "chat": FakeChat(), "speech": FakeSpeech(), **own}
    return observed(Providers(**roles), Metrics(), later=later)


def speech_that_ends(ending, utterance=None) -> Speech:
    class Own(FakeSpeech):
        @asynccontextmanager
        async def open(self, voice):
            async with super().open(voice) as spoken:
                entered = asyncio.current_task()
                try:
                    yield spoken if utterance is None else utterance
                finally:
                    assert asyncio.current_task() is entered, "the scopes of some libraries need that"
                    await ending()

    return seen(speech=Own()).speech


async def never() -> None:
    await asyncio.sleep(3600)


async def never_quite() -> None:
    """Swallows the cancel."""
    try:
        await never()
    except asyncio.CancelledError:
        return


async def breaks_when_cancelled() -> None:
    try:
        await never()
    except asyncio.CancelledError as error:
        raise ConnectionError("lost") from error


async def soon() -> None:
    await asyncio.sleep(CLOSES_S / 2)


async def breaks() -> None:
    raise TimeoutError("mine")


@pytest.mark.parametrize(
    ("ending", "seconds", "told"),
    [
        (soon, CLOSES_S / 2, 0),
        (never, CLOSES_S, 1),
        (never_quite, CLOSES_S, 1),
        (breaks_when_cancelled, CLOSES_S, 1),
    ],
)
@pytest.mark.parametrize("error", [None, KeyError("mine"), asyncio.CancelledError()])
def test_the_end_of_a_reply_waits_a_second_for_its_voice(ending, seconds, told, error, caplog):
    async def leave() -> float:
        loop = asyncio.get_running_loop()
        speech = speech_that_ends(ending)
        with nullcontext() if error is None else pytest.raises(type(error)) as caught:
            async with speech.open(VOICE):
                began_s = loop.time()
                if error is not None:
                    raise error
        assert error is None or caught.value is error, "an error of the reply goes on"
        assert not asyncio.current_task().cancelling()
        await asyncio.sleep(0)
        return loop.time() - began_s

    assert virtual_time.run(leave()) == pytest.approx(seconds)
    assert len(caplog.records) == told


def test_an_error_of_the_end_itself_is_none_of_time():
    async def leave() -> None:
        async with speech_that_ends(breaks).open(VOICE):
            pass

    with pytest.raises(TimeoutError, match="mine"):
        virtual_time.run(leave())


def test_an_utterance_without_a_method_is_refused_and_its_block_is_left():
    left = []

    async def leave() -> None:
        left.append(True)

    class NoFinish(Utterance):
        say, events = FakeUtterance.say, FakeUtterance.events

    async def speak(utterance) -> None:
        async with speech_that_ends(leave, utterance).open(VOICE):
            raise AssertionError("it cannot speak")

    for utterance, lacking in (
        (NoFinish(), "a NoFinish, which has no method `finish`"),
        (0, "0, which has no methods `say`, `finish` and `events`"),
    ):
        with pytest.raises(ProviderError) as caught:
            virtual_time.run(speak(utterance))
        assert caught.value.message == f"The voice's open() gave {lacking}."
    assert left == [True, True]


@pytest.mark.parametrize(
    ("shape", "refused"),
    [
        ((240,), False),
        ((240, 1), False),
        ((1, 240), False),
        ((), False),
        ((120, 2), True),
        ((2, 60, 2), True),
    ],
)
def test_sound_has_one_channel(shape, refused):
    sound = given.Sound("The voice")
    samples = np.zeros(shape, np.int16)
    if not refused:
        assert sound.event(SpeechAudio(0, samples)) == SpeechAudio(0, bytes(2 * samples.size))
        return
    with pytest.raises(ProviderError) as caught:
        sound.event(SpeechAudio(0, samples))
    message = f"The voice gave a ndarray of the shape {shape}; SpeechAudio.pcm needs one channel."
    assert caught.value.message == message


# -- a coroutine where a plain method is asked -------------------------------------------------------------------


def test_a_prewarm_that_is_a_coroutine_runs_and_ends_with_the_server(caplog):
    began, ended = [], []

    class Own(FakeSpeech):
        async def prewarm(self, voice):
            began.append(voice)
            try:
                await asyncio.sleep(1.0 if len(began) == 1 else 3600)
            finally:
                ended.append(voice)

    async def prewarm() -> None:
        later = Later()
        speech = seen(later, speech=Own()).speech
        speech.prewarm(VOICE)
        await asyncio.sleep(2.0)
        assert (began, ended) == ([VOICE], [VOICE])
        speech.prewarm(VOICE)
        await asyncio.sleep(0)
        await later.aclose()
        assert len(ended) == 2

    virtual_time.run(prewarm())
    assert not caplog.records


def test_a_prewarm_that_hangs_is_cancelled_and_does_not_pile_up(caplog):
    class Hangs(FakeSpeech):
        async def prewarm(self, voice):
            await asyncio.sleep(1e9)

    async def prewarm() -> None:
        later = Later()
        speech = seen(later, speech=Hangs()).speech
        for _ in range(1000):
            speech.prewarm(VOICE)
        assert later.running("prewarm() of Hangs") == 100
        await asyncio.sleep(61.0)
        assert later.running("prewarm() of Hangs") == 0
        speech.prewarm(VOICE)
        await asyncio.sleep(0)
        assert later.running("prewarm() of Hangs") == 1
        await later.aclose()

    virtual_time.run(prewarm())
    assert [record.getMessage() for record in caplog.records] == [
        "prewarm() of Hangs has 100 calls that do not end: it is not called again before one does",
        "prewarm() of Hangs took longer than 60 s and is cancelled",
    ]


def test_a_prewarm_that_fails_is_told_once(caplog):
    class Plain(FakeSpeech):
        def prewarm(self, voice):
            raise KeyError("voice")

    class Later_(FakeSpeech):
        async def prewarm(self, voice):
            raise SystemExit(1)

    async def prewarm() -> None:
        for own in (Plain(), Later_()):
            speech = seen(speech=own).speech
            for _ in range(2):
                speech.prewarm(VOICE)
                await asyncio.sleep(1.0)

    virtual_time.run(prewarm())
    told = ["prewarm() of Plain failed", "prewarm() of Later_ failed"]
    assert [record.getMessage() for record in caplog.records] == told


async def number(*_: object) -> int:
    return 5


def test_a_number_that_is_a_coroutine_is_told_and_counts_as_no_limit(caplog):
    methods = {"requests_left": number, "requests_per_minute": number, "latency": number}
    speech = seen(speech=type("Own", (FakeSpeech,), methods)()).speech
    for _ in range(2):
        assert speech.requests_left() == speech.requests_per_minute() == float("inf")
        speech.latency(VOICE)
    assert [record.getMessage() for record in caplog.records] == [
        "requests_left() of Own gave a coroutine; a number is needed. It counts as no limit.",
        "requests_per_minute() of Own gave a coroutine; a number is needed. It counts as no limit.",
        "The voice's latency() gave a coroutine; a Latency is needed.",
    ]


def test_a_spare_that_is_a_coroutine_says_nothing(caplog):
    transcriber = seen(transcriber=type("Own", (FakeTranscriber,), {"spare": number})()).transcriber
    assert transcriber.spare(None) is False
    assert len(caplog.records) == 1


def test_the_end_of_a_voice_stream_may_be_a_coroutine(caplog):
    called = []

    class Stream:
        async def probabilities(self, frames):
            return [0.0] * len(frames)

        async def reset(self):
            called.append("reset")

        async def close(self):
            called.append("close")

    class Own(FakeVad):
        def open(self):
            return Stream()

    async def use() -> None:
        stream = seen(vad=Own()).vad.open()
        stream.reset()
        stream.close()
        await asyncio.sleep(0)

    virtual_time.run(use())
    assert called == ["reset", "close"]


async def test_a_voice_stream_with_a_stub_hears_nothing_and_is_named(caplog):
    class Own(FakeVad):
        def open(self):
            return type("Deaf", (VoiceStream,), {})()

    stream = seen(vad=Own()).vad.open()
    assert await stream.probabilities([np.zeros(512, np.int16)]) == [0.0]
    (record,) = caplog.records
    message = "The voice detector's open() gave a Deaf, which has no method `probabilities`."
    assert str(record.exc_info[1]) == message


def test_a_list_of_voices_may_come_from_a_plain_method():
    def listed(methods: dict) -> object:
        return seen(speech=type("Own", (FakeSpeech,), methods)()).speech.voices

    assert listed({}) is listed({"voices": ["a"]}) is None
    assert virtual_time.run(listed({"voices": lambda self: ()})()) == ()
