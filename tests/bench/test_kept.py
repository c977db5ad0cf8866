"""What models said about a sound is kept: it is found again as it was, and another sound is asked about."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bench.kept import Kept, KeptDetector, KeptEndOfTurn, KeptTranscriber, digest
from realtime.providers.base import Samples, Transcriber, Transcript, VoiceDetector, VoiceStream
from tests.fakes import FakeEndOfTurnModel

ONE, OTHER = np.arange(512, dtype=np.int16), np.arange(1, 513, dtype=np.int16)
VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
# A part that is a text holds no "|", as none of those that are used does
PARTS = st.tuples(st.text(st.characters(codec="utf-8", exclude_characters="|")), st.binary())


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    opened = Kept(tmp_path / "folder" / "kept.sqlite")
    yield opened
    opened.close()


@given(st.dictionaries(st.text(), VALUES, max_size=4), VALUES)
@hypothesis_settings(max_examples=25)
def test_what_was_kept_is_the_same_when_the_file_is_opened_again(
    values: dict[str, object], newer: object
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kept.sqlite"
        first = Kept(path)
        for key, value in values.items():
            first.put(key, "older")
            first.put(key, value)
        first.close()
        again = Kept(path)
        assert {key: again.get(key) for key in values} == values
        assert again.get("".join(values) + "another") is None
        again.put("key", newer)
        assert again.get("key") == newer
        again.close()


@given(PARTS, PARTS)
def test_another_input_has_another_key_and_the_same_input_the_same(
    one: tuple[str, bytes], other: tuple[str, bytes]
) -> None:
    assert (digest(*one) == digest(*other)) is (one == other)
    assert digest(*one) == digest(*one)


def test_the_key_depends_on_where_a_part_ends_and_on_the_order() -> None:
    keys = {digest("ab", "c"), digest("a", "bc"), digest("abc"), digest("c", "ab"), digest("ab", "c", "")}
    assert len(keys) == 5


class HasHeard(VoiceDetector):
    """Its probabilities depend on all that was heard since the reset, as those of the real one do."""

    def __init__(self) -> None:
        self.frames = 0  # that it was given

    def open(self) -> VoiceStream:
        return _HasHeard(self)


class _HasHeard(VoiceStream):
    def __init__(self, owner: HasHeard) -> None:
        self._owner, self._sum = owner, 0

    def reset(self) -> None:
        self._sum = 0

    async def probabilities(self, frames: Sequence[Samples]) -> list[float]:
        found = []
        for frame in frames:
            self._sum = (self._sum * 31 + int(frame.sum())) % 997
            self._owner.frames += 1
            found.append(self._sum / 997)
        return found


def frames_of(numbers: Sequence[int]) -> list[Samples]:
    return [np.full(512, number, np.int16) for number in numbers]


HEARD = st.lists(st.lists(st.integers(0, 2), max_size=4), max_size=4)  # in such pieces


@given(st.lists(HEARD, min_size=1, max_size=4))
@hypothesis_settings(max_examples=60)
def test_a_kept_detector_says_what_the_detector_would_have_said_of_all_it_heard(
    streams: list[list[list[int]]],
) -> None:
    async def listens() -> None:
        with tempfile.TemporaryDirectory() as folder:
            kept = Kept(Path(folder) / "kept.sqlite")
            wrapped = KeptDetector(kept, HasHeard())
            for pieces in streams:
                plain, stream = HasHeard().open(), wrapped.open()
                for piece in pieces:
                    expected = await plain.probabilities(frames_of(piece))
                    assert await stream.probabilities(frames_of(piece)) == expected
                stream.close()
            kept.close()

    asyncio.run(listens())


async def test_a_detector_is_not_asked_again_about_what_it_heard_from_the_beginning(kept: Kept) -> None:
    detector = HasHeard()
    wrapped = KeptDetector(kept, detector)
    first = await wrapped.open().probabilities(frames_of([1, 2, 3]))
    assert detector.frames == 3
    stream = wrapped.open()
    assert await stream.probabilities(frames_of([1, 2, 3])) == first
    assert detector.frames == 3
    stream.reset()
    assert await stream.probabilities(frames_of([1, 2])) == first[:2]
    assert await stream.probabilities(frames_of([5])) != first[2:]
    assert detector.frames == 6, "it hears what came before as well"


async def test_after_a_reset_a_detector_has_heard_nothing(kept: Kept) -> None:
    stream = KeptDetector(kept, HasHeard()).open()
    await stream.probabilities(frames_of([4, 4]))
    stream.reset()
    plain = HasHeard().open()
    assert await stream.probabilities(frames_of([7, 8])) == await plain.probabilities(frames_of([7, 8]))
    again, plain = KeptDetector(kept, HasHeard()).open(), HasHeard().open()
    heard = frames_of([4, 4, 7, 8])
    assert await again.probabilities(heard) == await plain.probabilities(heard)


class Counts(Transcriber):
    """Says another text each time."""

    name, interim = "counts", True

    def __init__(self) -> None:
        self.asked: list[tuple[str | None, bool]] = []

    async def transcribe(self, samples: Samples, *, language: str | None, final: bool) -> Transcript:
        self.asked.append((language, final))
        return Transcript(f"{len(self.asked)}.", language, -0.25, 0.1 + 0.2, 1 / 3, "Mm-hmm.")


async def test_a_kept_text_is_the_whole_transcript_and_is_asked_for_once(kept: Kept) -> None:
    model = Counts()
    transcriber = KeptTranscriber(kept, model)
    first = await transcriber.transcribe(ONE, language="zh", final=True)
    assert first == Transcript("1.", "zh", -0.25, 0.1 + 0.2, 1 / 3, "Mm-hmm.")
    assert await transcriber.transcribe(ONE.copy(), language="zh", final=True) == first
    assert model.asked == [("zh", True)]


async def test_another_sound_language_decode_or_model_is_asked_for_anew(kept: Kept) -> None:
    model = Counts()
    transcriber = KeptTranscriber(kept, model)
    for samples, language, final in (
        (ONE, "zh", True),
        (OTHER, "zh", True),
        (ONE[:-1], "zh", True),
        (ONE, None, True),
        (ONE, "zh", False),
    ):
        await transcriber.transcribe(samples, language=language, final=final)
    assert len(model.asked) == 5
    another = Counts()
    another.name = "another"
    assert await KeptTranscriber(kept, another).transcribe(ONE, language="zh", final=True)
    assert len(another.asked) == 1


async def test_english_is_decoded_once_because_its_final_text_is_decoded_like_an_interim_one(
    kept: Kept,
) -> None:
    model = Counts()
    transcriber = KeptTranscriber(kept, model)
    interim = await transcriber.transcribe(ONE, language="en", final=False)
    assert await transcriber.transcribe(ONE, language="en", final=True) == interim
    assert model.asked == [("en", False)]


async def test_a_turn_is_judged_once_by_the_end_of_turn_model(kept: Kept) -> None:
    judge = KeptEndOfTurn(kept, FakeEndOfTurnModel([0.25, 0.75], delay_s=0.0))
    assert [await judge.finished(samples) for samples in (ONE, ONE, OTHER, ONE)] == [0.25, 0.25, 0.75, 0.25]


async def test_a_probability_of_none_at_all_is_kept_too(kept: Kept) -> None:
    judge = KeptEndOfTurn(kept, FakeEndOfTurnModel([0.0], delay_s=0.0))
    assert [await judge.finished(ONE) for _ in range(2)] == [0.0, 0.0]


@pytest.mark.parametrize(("language", "spare"), [("en", True), ("zh", True), (None, False)])
def test_speech_is_read_as_often_as_on_two_idle_cores(kept: Kept, language: str | None, spare: bool) -> None:
    """Where no language is told, a decode takes both."""
    assert KeptTranscriber(kept, Counts()).spare(language) is spare
