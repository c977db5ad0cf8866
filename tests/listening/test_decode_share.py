"""How often one speaker is decoded, and what share of the time that takes."""

import asyncio
import itertools

import pytest

from realtime.errors import ProviderUnavailable
from realtime.listening.transcription import INTERIM_EVERY_MS, INTERIM_OFTEN_MS, Transcription
from realtime.metrics import Metrics
from realtime.server.observed import ObservedTranscriber
from realtime.upstream import Upstream
from tests.contexts import Bench
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber
from tests.listening.test_transcription import SECOND, Linguist, english, interim, into, transcription

SPEECH_S = 20.0


@pytest.mark.parametrize("takes_s", [0.2, 0.5, 1.2])
def test_while_somebody_speaks_decodes_take_at_most_half_of_the_time(takes_s):
    metrics = Metrics()
    slow = FakeTranscriber(["So"], interim_texts=["So"] * 200, delay_s=takes_s)
    transcriber = ObservedTranscriber(slow, Upstream(metrics), metrics)

    @scripted
    async def speak():
        async with Talk(transcriber=transcriber) as talk:
            await talk.speak(SPEECH_S)
            spent_s = metrics.transcriptions.labels("interim")._sum.get()
            assert 0.3 * SPEECH_S <= spent_s <= 0.5 * SPEECH_S + takes_s

    speak()


class Idle(FakeTranscriber):
    def spare(self, language):
        return True


@pytest.mark.parametrize(("over_answer", "every_s"), [(False, 0.064), (True, 0.128)])
def test_a_session_reads_more_often_where_no_answer_was_heard_and_a_thread_is_free(over_answer, every_s):
    """Also when what was said has stopped the answer."""
    idle = Idle(["So"] * 9, interim_texts=["So it"] * 200, delay_s=0.02)
    speech_s, first_s = 3.0, 0.25

    @scripted
    async def speak():
        chat = FakeChat([[(0.1, "Once there was a small dog, and it lived by the sea. ")] * 5])
        async with Talk(chat=chat, speech=FakeSpeech(factor=3.0), transcriber=idle) as talk:
            if over_answer:
                await talk.ask("Tell me a story.")
                await talk.until("response.output_audio.delta")
                await talk.silence(0.6)
            await talk.speak(speech_s)
            assert talk.types.count("input_audio_buffer.speech_started") == 1

    speak()
    assert [final for _, final in idle.asked].count(False) == pytest.approx(
        (speech_s - first_s) / every_s, abs=4
    )


@scripted
async def test_slow_decodes_come_less_often():
    for takes_s, every_ms in ((0.02, INTERIM_EVERY_MS[0]), (0.2, 400.0), (2.0, INTERIM_EVERY_MS[1])):
        subject = transcription(Linguist(english(), takes_s=takes_s))
        await interim(subject)
        assert subject.interim_every_ms(often=True) == pytest.approx(every_ms, abs=1)


@scripted
@pytest.mark.parametrize("spare", [False, True])
async def test_where_an_interim_decode_is_refused_the_next_one_comes_as_late_as_may_be(spare):
    busy = ProviderUnavailable("all workers are busy")
    linguist = Linguist(english(), busy, english(), english(), takes_s=0.02)
    if spare:
        linguist.spares.add(None)
    subject, loop = transcription(linguist), asyncio.get_running_loop()
    begun_s: list[float] = []
    while len(begun_s) < 4:
        if subject.takes_interim:
            begun_s.append(loop.time())
            subject.interim(SECOND, into([]))
        await asyncio.sleep(0.01)
    first, missed, after = (later - sooner for sooner, later in itertools.pairwise(begun_s))
    assert missed == pytest.approx(INTERIM_EVERY_MS[1] / 1000, abs=0.02)
    assert max(first, after) <= 0.06, "where there is room, as often as ever"
    assert subject.interim_every_ms(often=True) <= INTERIM_EVERY_MS[0], (
        "the decode that failed was no slow one"
    )
    registry = subject._context.metrics.registry
    assert registry.get_sample_value("realtime_interim_texts_missed_total") == 1
    await subject.aclose()


@scripted
@pytest.mark.parametrize("takes_s", [0.02, 0.2, 0.5, 0.9, 2.5])
async def test_interim_decodes_take_at_most_half_of_the_time(takes_s):
    """One after the other, the slow ones would take a core for one speaker."""
    linguist = Linguist(*[english()] * 2_000, takes_s=takes_s)
    subject, loop = transcription(linguist), asyncio.get_running_loop()
    begun_s = loop.time()
    while loop.time() < begun_s + 30:
        subject.interim(SECOND, into([]))
        await asyncio.sleep(0.02)
    await subject.aclose()
    assert 0.4 <= linguist.finished * takes_s / 30 <= 0.5 + takes_s / 30


@scripted
@pytest.mark.parametrize("takes_s", [0.02, 0.2, 0.5, 0.9])
async def test_where_nobody_else_needs_the_transcriber_interim_decodes_do_not_rest(takes_s):
    linguist = Linguist(*[english()] * 4_000, takes_s=takes_s)
    linguist.spares.add(None)
    bench, loop = Bench(transcriber=linguist), asyncio.get_running_loop()
    subject = Transcription(bench.context)
    begun_s = loop.time()
    while loop.time() < begun_s + 30:
        subject.interim(SECOND, into([]))
        await asyncio.sleep(takes_s / 20)
    assert linguist.finished * takes_s / 30 >= 0.9
    for hindered in ("others need it", "the server is late"):
        if hindered == "others need it":
            linguist.spares.clear()
        else:
            linguist.spares.add(None)
            bench.context.careful = lambda: True
        before, begun_s = linguist.finished, loop.time()
        while loop.time() < begun_s + 30:
            subject.interim(SECOND, into([]))
            await asyncio.sleep(takes_s / 20)
        assert (linguist.finished - before) * takes_s / 30 <= 0.5 + 2 * takes_s / 30, hindered
    await subject.aclose()


@scripted
async def test_where_nobody_else_needs_the_transcriber_there_is_less_speech_between_two_decodes():
    for takes_s, every_ms in (
        (0.02, INTERIM_OFTEN_MS),
        (0.1, 100.0),
        (0.2, 200.0),
        (2.0, INTERIM_EVERY_MS[1]),
    ):
        linguist = Linguist(english(), takes_s=takes_s)
        linguist.spares.add(None)
        subject = transcription(linguist)
        await interim(subject)
        assert subject.interim_every_ms(often=True) == pytest.approx(every_ms, abs=1)
        rarely_ms = subject.interim_every_ms(often=False)
        assert rarely_ms == pytest.approx(max(every_ms, INTERIM_EVERY_MS[0]), abs=1)


@scripted
@pytest.mark.parametrize("hindered", ["others need it", "the server is late"])
async def test_where_others_need_the_transcriber_it_is_asked_as_often_as_before(hindered):
    linguist = Linguist(english(), takes_s=0.02)
    linguist.spares.add(None)
    bench = Bench(transcriber=linguist)
    subject = Transcription(bench.context)
    await interim(subject)
    assert subject.interim_every_ms(often=True) == INTERIM_OFTEN_MS
    if hindered == "others need it":
        linguist.spares.clear()
    else:
        bench.context.careful = lambda: True
    assert subject.interim_every_ms(often=True) == INTERIM_EVERY_MS[0]


@scripted
async def test_a_decode_that_fails_late_has_taken_its_time_too():
    linguist = Linguist(*[ProviderUnavailable("broken")] * 100, takes_s=1.0)
    subject = transcription(linguist)
    for _ in range(300):
        subject.interim(SECOND, into([]))
        await asyncio.sleep(0.02)
    await subject.aclose()
    assert len(linguist.told) == 3
