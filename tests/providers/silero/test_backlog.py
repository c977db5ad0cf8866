"""Sound that comes faster than it is spoken: taken in at once, in small parts, while live sound goes first."""

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import ProviderUnavailable
from realtime.providers.base import VAD_FRAME_SAMPLES, VAD_RATE
from realtime.providers.silero.detector import REST_S, SileroDetector
from realtime.providers.silero.jobs import BACKLOG_S, LEAD_S, LEAD_SHRINKS, Lead
from realtime.providers.silero.network import CONTEXT, FRAME
from tests.virtual_time import run

FRAME_S = VAD_FRAME_SAMPLES / VAD_RATE
SECOND = 31  # frames


class CountingNetwork:
    """The probability of a frame is the number of frames its stream has had, in thousandths. Notes each batch."""

    most_frames = 48

    def __init__(self):
        self.batches = []  # for each: the frames of its streams
        self.contexts = []

    def run(self, sounds, state):
        counts = [len(sound) // FRAME for sound in sounds]
        assert counts == sorted(counts, reverse=True)
        self.batches.append(counts)
        self.contexts += [sound[:CONTEXT] for sound in sounds]
        before = state[0, :, 0]
        probabilities = (before + np.arange(1, counts[0] + 1)[:, None]) / 1000
        state = state.copy()
        state[0, :, 0] += counts
        return probabilities, state


def frames(count, value=1):
    return [np.full(VAD_FRAME_SAMPLES, value, np.int16)] * count


def thousandths(first, last):
    return pytest.approx([number / 1000 for number in range(first, last + 1)])


async def rounds(count):
    """Let the event loop go round."""
    for _ in range(count):
        await asyncio.sleep(0)


def test_a_minute_given_at_once_is_taken_in_without_a_pause_and_in_small_parts():
    async def main():
        network = CountingNetwork()
        stream = SileroDetector(network).open()
        before_s = asyncio.get_running_loop().time()
        answer = await stream.probabilities(frames(60 * SECOND))
        assert asyncio.get_running_loop().time() == before_s, "it waited for a timer"
        assert answer == thousandths(1, 60 * SECOND)
        assert max(map(sum, network.batches)) <= network.most_frames // 4

    run(main())


def test_each_part_has_the_end_of_the_part_before_as_its_context():
    async def main():
        network = CountingNetwork()
        sound = np.arange(40 * FRAME).astype(np.int16).reshape(-1, FRAME)
        await SileroDetector(network).open().probabilities(list(sound))
        at = np.cumsum([0, *(count for [count] in network.batches)])[:-1]
        assert not network.contexts[0].any()
        for frame, context in zip(at[1:], network.contexts[1:], strict=True):
            assert np.allclose(context, sound[frame - 1, -CONTEXT:] / 32768)

    run(main())


def test_live_sound_goes_before_the_next_part_of_a_backlog():
    async def main():
        network = CountingNetwork()
        detector = SileroDetector(network)
        backlog = asyncio.create_task(detector.open().probabilities(frames(10 * SECOND)))
        await rounds(40)
        done = len(network.batches)
        assert await detector.open().probabilities(frames(1)) == thousandths(1, 1)
        assert done > 1
        assert network.batches[done:] == [[1]], "the backlog went first"
        assert len(await backlog) == 10 * SECOND

    run(main())


def test_between_two_parts_of_a_backlog_the_loop_does_what_is_ready():
    async def main():
        network = CountingNetwork()
        backlog = asyncio.create_task(SileroDetector(network).open().probabilities(frames(10 * SECOND)))
        most = turns = 0
        while not backlog.done():
            done = len(network.batches)
            await asyncio.sleep(0)
            most, turns = max(most, len(network.batches) - done), turns + 1
        assert most == 1
        assert turns > 3 * len(network.batches)

    run(main())


def test_a_backlog_has_its_turn_however_much_live_sound_there_is():
    async def main():
        detector = SileroDetector(CountingNetwork())

        async def talk(stream):
            """Live sound without a pause: a stream whose lead is forgotten each time."""
            for _ in range(1000):
                stream._lead = Lead()
                await stream.probabilities(frames(10))

        others = [asyncio.create_task(talk(detector.open())) for _ in range(20)]
        assert len(await detector.open().probabilities(frames(2 * SECOND))) == 2 * SECOND
        assert not any(other.done() for other in others), "it had to wait for their end"
        await asyncio.gather(*others)

    run(main())


def test_two_backlogs_share_and_the_shorter_one_is_ready_first():
    async def main():
        network = CountingNetwork()
        detector = SileroDetector(network)
        order = []

        async def give(name, count):
            await detector.open().probabilities(frames(count))
            order.append(name)

        await asyncio.gather(give("long", 40 * SECOND), give("short", 2 * SECOND), give("other", 2 * SECOND))
        assert order == ["short", "other", "long"]
        assert max(map(len, network.batches)) == 3
        assert len(network.batches) < 44 * SECOND / 8

    run(main())


def test_backlogs_of_everybody_are_run_in_full_batches():
    """As after a stall of the whole process."""

    async def main():
        network = CountingNetwork()
        detector = SileroDetector(network)
        await asyncio.gather(*(detector.open().probabilities(frames(30)) for _ in range(96)))
        assert network.batches == [[3] * 16] * 60, "many streams with one frame each would cost more"

    run(main())


@pytest.mark.parametrize("share", [1, 4])
def test_many_small_calls_faster_than_speech_do_not_wait_for_each_other(share):
    """What a client kept while it had no network comes as small appends."""

    async def main():
        network = CountingNetwork()
        stream = SileroDetector(network).open()
        before_s = asyncio.get_running_loop().time()
        for _ in range(10 * SECOND // share):
            await stream.probabilities(frames(share))
        passed_s = asyncio.get_running_loop().time() - before_s
        assert passed_s < 2 * BACKLOG_S / FRAME_S * REST_S, "only what came before it was a backlog rests"

    run(main())


def test_live_sound_of_many_streams_is_still_run_together():
    async def main():
        network = CountingNetwork()
        detector = SileroDetector(network)

        async def talk(offset_s):
            stream = detector.open()
            await asyncio.sleep(offset_s)
            for _ in range(50):
                await asyncio.gather(stream.probabilities(frames(3)), asyncio.sleep(3 * FRAME_S))

        await asyncio.gather(*(talk(number * 3 * FRAME_S / 200) for number in range(200)))
        assert detector.frames / detector.batches > 20

    run(main())


def test_a_cancelled_backlog_stops_and_its_stream_goes_on_from_there():
    async def main():
        network = CountingNetwork()
        detector = SileroDetector(network)
        stream = detector.open()
        backlog = asyncio.create_task(stream.probabilities(frames(60 * SECOND)))
        await rounds(40)
        backlog.cancel()
        run_before = detector.frames
        assert 0 < run_before < 60 * SECOND
        assert await stream.probabilities(frames(2)) == thousandths(run_before + 1, run_before + 2)

    run(main())


def test_closing_the_detector_ends_a_backlog():
    async def main():
        detector = SileroDetector(CountingNetwork())
        stream = detector.open()
        calls = [asyncio.create_task(stream.probabilities(frames(60 * SECOND))) for _ in range(2)]
        await rounds(20)
        await detector.aclose()
        for result in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(result, ProviderUnavailable)

    run(main())


def test_a_network_that_fails_fails_its_batch_and_nobody_else():
    class Failing(CountingNetwork):
        def run(self, sounds, state):
            if sum(len(sound) // FRAME for sound in sounds) == 2:
                raise RuntimeError("no memory")
            return super().run(sounds, state)

    async def main():
        stream = SileroDetector(Failing()).open()
        await stream.probabilities(frames(1))
        with pytest.raises(ProviderUnavailable, match="no memory"):
            await stream.probabilities(frames(2))
        assert await stream.probabilities(frames(1)) == thousandths(2, 2)

    run(main())


def test_a_detector_shows_what_waits():
    async def main():
        detector = SileroDetector(CountingNetwork())
        calls = [asyncio.create_task(detector.open().probabilities(frames(n))) for n in (1, 100)]
        await rounds(1)
        assert repr(detector) == "<SileroDetector, 1 live jobs and 1 of backlogs waiting>"
        await asyncio.gather(*calls)

    run(main())


@given(
    append_s=st.sampled_from([0.02, 0.032, 0.1, 0.15]),
    delays_s=st.lists(st.floats(0, 0.3), min_size=1, max_size=300),
)
def test_a_stream_in_real_time_over_an_uneven_network_is_no_backlog(append_s, delays_s):
    lead, at_s = Lead(), 0.0
    for number, delay_s in enumerate(delays_s):
        at_s = max(at_s, number * append_s + delay_s)
        assert not lead.add(append_s, at_s)


def test_a_stream_is_no_backlog_any_more_soon_after_it_has_caught_up():
    lead = Lead()
    assert lead.add(120.0, 0.0)
    soon_s = (LEAD_S - BACKLOG_S + 0.1) / (LEAD_SHRINKS - 1)
    verdicts = [lead.add(0.1, number / 10) for number in range(1, 50)]
    assert verdicts[0]
    assert not any(verdicts[round(soon_s * 10) :])


@given(speed=st.floats(1.5, 100))
def test_whoever_is_faster_than_speech_for_long_is_a_backlog(speed):
    lead = Lead()
    verdicts = [lead.add(0.1, number * 0.1 / speed) for number in range(200)]
    assert verdicts[-1]
