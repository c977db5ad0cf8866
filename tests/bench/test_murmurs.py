"""What `bench.murmurs` counts: texts by a transcriber of the test, in a voice of the test."""

import asyncio
import collections

import numpy as np
import pytest

from bench import murmurs
from realtime.core.short_words import is_backchannel, takes_turn
from realtime.errors import ProviderUnavailable
from realtime.providers.base import Transcriber, Transcript

SURE = -0.3


class Reads(Transcriber):
    """It reads one text in careful decodes and another one in interim decodes."""

    name, interim = "reads", True

    def __init__(self, careful: str, interim: str = "", murmur: str | None = None) -> None:
        self.careful, self.interims, self.found = careful, interim, murmur
        self.told: list[tuple[str | None, bool]] = []

    async def prewarm(self) -> None: ...

    async def aclose(self) -> None: ...

    async def transcribe(self, samples, *, language, final):
        self.told.append((language, final))
        return Transcript(self.careful if final else self.interims, "en", SURE)

    async def murmur(self, samples, transcript):
        return self.found


class Fails(Reads):
    async def transcribe(self, samples, *, language, final):
        raise ProviderUnavailable("no model")


def said(voice_ms: int = 700) -> murmurs.Said:
    text = murmurs.Text("murmur", "Uh-huh.", "af_heart", 1.0)
    return murmurs.Said(text, np.full(voice_ms * murmurs.A_MS, 3_000, np.int16))


async def outcome(transcriber: Reads, voice_ms: int = 700, *, told: bool = False) -> murmurs.Outcome:
    return await murmurs.Reader(murmurs.Watched(transcriber), "en", told=told).outcome(said(voice_ms))


@pytest.mark.parametrize("language", murmurs.VOICES)
def test_each_text_is_said_in_each_voice_and_a_sample_has_all_of_both(language):
    every, sample = murmurs.texts(language, 1), murmurs.texts(language, 4)
    voices = {text.voice for text in every}
    assert len(every) == len(set(every)) == len(voices) * len({(text.kind, text.text) for text in every})
    assert sample == murmurs.texts(language, 4), "the same each time"
    assert len(sample) == len(every) // 4
    for field in ("voice", "speed", "kind"):
        assert {getattr(text, field) for text in sample} == {getattr(text, field) for text in every}
    assert min(collections.Counter(text.voice for text in sample).values()) > len(sample) / len(voices) / 3


@pytest.mark.parametrize("kinds", [murmurs.ENGLISH, murmurs.CHINESE])
def test_each_text_is_of_its_kind(kinds):
    for kind, line in kinds.items():
        for text in line.split("|"):
            assert (kind == "murmur", kind == "command") == (is_backchannel(text), takes_turn(text)), text


@pytest.mark.parametrize(
    ("transcriber", "careful", "interim_ms"),
    [
        (Reads("As high.", "As high."), True, 256),
        (Reads("As high.", "Uh-huh."), True, None),
        (Reads("Uh-huh.", "As high."), False, 256),
        (Reads("Uh-huh."), False, None),
        (Reads(""), False, None),
        (Reads("As.", murmur="uh-huh"), False, None),
    ],
)
async def test_what_stops_the_answer_is_counted_by_what_was_read(transcriber, careful, interim_ms):
    found = await outcome(transcriber)
    assert found == murmurs.Outcome(careful, interim_ms)
    assert found.stopped is (careful or interim_ms is not None)


@pytest.mark.parametrize(("voice_ms", "interims"), [(200, 0), (256, 1), (511, 2), (700, 4)])
async def test_interim_texts_are_of_no_more_than_the_voice(voice_ms, interims):
    transcriber = Reads("Uh-huh.")
    await outcome(transcriber, voice_ms)
    assert [final for _, final in transcriber.told].count(False) == interims


@pytest.mark.parametrize(("told", "language"), [(True, "en"), (False, None)])
async def test_the_language_is_told_if_asked_for(told, language):
    transcriber = Reads("Uh-huh.")
    await outcome(transcriber, told=told)
    assert {asked for asked, _ in transcriber.told} == {language}


async def test_a_decode_that_fails_is_no_murmur():
    with pytest.raises((ProviderUnavailable, RuntimeError)):
        await outcome(Fails("Uh-huh."))


class FailsToCompare(Reads):
    async def murmur(self, samples, transcript):
        raise ProviderUnavailable("all workers are busy")


async def test_a_comparison_that_fails_is_no_opinion():
    with pytest.raises(ProviderUnavailable):
        await outcome(FailsToCompare("As high."))


async def test_the_table_has_a_row_for_each_kind(monkeypatch):
    monkeypatch.setattr(murmurs, "LocalTranscriber", lambda: Reads("As high.", "As high."))
    monkeypatch.setattr(murmurs, "say", lambda text, language: said(600))
    async with asyncio.timeout(60):
        written = await murmurs.measure(["en"], told=False, one_in=10)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in written.splitlines()[2:]]
    assert [row[0] for row in rows] == ["murmur, en", "command, en", "other, en", "sentence, en"]
    for _, every, stopped, careful, interim in rows:
        assert every == stopped == careful
        assert interim == f"{every} / 0 / 0 / 0"
    assert sum(int(row[1]) for row in rows) == len(murmurs.texts("en", 10))


@pytest.mark.parametrize(
    ("arguments", "says"), [(["--one-in", "9999"], "no text"), (["--one-in", "0"], "at least 1")]
)
async def test_a_sample_has_texts(monkeypatch, capsys, arguments, says):
    monkeypatch.setattr("sys.argv", ["bench.murmurs", *arguments])
    with pytest.raises(SystemExit):
        await murmurs.main()
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["has_multilingual", "has_english"])
async def test_models_that_are_missing_are_named(monkeypatch, capsys, missing):
    monkeypatch.setattr("sys.argv", ["bench.murmurs"])
    monkeypatch.setattr(murmurs.natural_voice, "load", lambda: None)
    monkeypatch.setattr(murmurs.weights, "use_cache", lambda folder: None)
    for model in ("has_multilingual", "has_english"):
        monkeypatch.setattr(murmurs.weights, model, lambda there=model != missing: there)
    with pytest.raises(SystemExit):
        await murmurs.main()
    assert "local,zh" in capsys.readouterr().err
