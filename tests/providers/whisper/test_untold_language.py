"""Speech whose language nobody told: the English model begins beside the one that finds the language out."""

import asyncio
import threading

import numpy as np
import pytest

from realtime.errors import ProviderUnavailable
from realtime.metrics import Metrics
from realtime.providers import weights
from realtime.providers.base import VAD_RATE, Transcript
from realtime.providers.whisper import transcriber as local
from realtime.providers.whisper.model import Decoded
from realtime.providers.worker_pool import WorkerPool
from realtime.server.observed import ObservedTranscriber
from realtime.upstream import Upstream

SPEECH = (np.sin(np.arange(2 * VAD_RATE) / 3) * 9_000).astype(np.int16)
SPOKEN_S = 5.0  # a test that waits so long has failed


class Model:
    """A loaded model with one answer. `meets`: it goes on when another model works at the same time."""

    def __init__(self, answer: Decoded | Exception, meets: threading.Barrier | None = None) -> None:
        self.multilingual = answer is not ENGLISH and answer is not DOUBTED
        self._answer, self._meets = answer, meets
        self.asked: list[str | None] = []

    def knows(self, language):
        return self.multilingual or language == "en"

    def decode(self, samples, language, *, beam, left=None, draft=False):
        self.asked.append(language)
        if self._meets is not None:
            self._meets.wait(SPOKEN_S)
        if isinstance(self._answer, Exception):
            raise self._answer
        if left is not None and self._answer.language == left:
            return Decoded("", left, 1.0, 0.0)
        return self._answer


ENGLISH = Decoded("What time is it?", "en", 0.0, -0.4)
DOUBTED = Decoded("Whatever thyme.", "en", 0.0, local.ENGLISH_SURE - 0.1)
BASE_ENGLISH = Decoded("What time is it now?", "en", 0.0, -0.5)
CHINESE = Decoded("几点了", "zh", 0.0, -0.5)


@pytest.fixture
async def transcriber(monkeypatch):
    monkeypatch.setattr(weights, "has_english", lambda: True)
    monkeypatch.setattr(weights, "has_multilingual", lambda: True)
    monkeypatch.setattr(local, "cores", lambda: 2)
    made = local.LocalTranscriber()
    yield made
    await made.aclose()


def given(transcriber, english: Model, multilingual: Model):
    transcriber._models = {local.ENGLISH: english, local.MULTILINGUAL: multilingual}


@pytest.mark.parametrize("final", [False, True])
async def test_english_is_decoded_while_its_language_is_found_out(transcriber, final):
    both = threading.Barrier(2)
    english, multilingual = Model(ENGLISH, both), Model(BASE_ENGLISH, both)
    given(transcriber, english, multilingual)
    known = await transcriber.transcribe(SPEECH, language=None, final=final)
    assert known == Transcript(ENGLISH.text, "en", ENGLISH.log_probability), (
        "as if the language had been told"
    )
    assert (english.asked, multilingual.asked) == (["en"], [None])


async def test_another_language_is_the_multilingual_models(transcriber):
    given(transcriber, Model(ENGLISH), Model(CHINESE))
    known = await transcriber.transcribe(SPEECH, language=None, final=True)
    assert (known.text, known.language) == ("几点了", "zh")


@pytest.mark.parametrize(("final", "text"), [(False, DOUBTED.text), (True, BASE_ENGLISH.text)])
async def test_english_that_the_small_model_doubts_is_decoded_by_the_other_one_at_the_end(
    transcriber, final, text
):
    given(transcriber, Model(DOUBTED), Model(BASE_ENGLISH))
    assert (await transcriber.transcribe(SPEECH, language=None, final=final)).text == text


@pytest.mark.parametrize("spoken", [CHINESE, BASE_ENGLISH])
async def test_a_guess_that_fails_costs_no_text(transcriber, spoken):
    given(transcriber, Model(RuntimeError("broken")), Model(spoken))
    assert (await transcriber.transcribe(SPEECH, language=None, final=True)).text == spoken.text


async def test_where_both_fail_one_error_is_told(transcriber):
    given(transcriber, Model(RuntimeError("broken")), Model(RuntimeError("broken too")))
    with pytest.raises(ProviderUnavailable, match="broken too"):
        await transcriber.transcribe(SPEECH, language=None, final=True)


async def test_nothing_is_guessed_where_a_language_was_told(transcriber):
    english, multilingual = Model(ENGLISH), Model(BASE_ENGLISH)
    given(transcriber, english, multilingual)
    assert (await transcriber.transcribe(SPEECH, language="de", final=True)).text == BASE_ENGLISH.text
    assert (english.asked, multilingual.asked) == ([], ["de"])


async def test_a_busy_machine_decodes_once(transcriber):
    hold, english = threading.Event(), Model(ENGLISH)
    given(transcriber, english, Model(BASE_ENGLISH))
    other = asyncio.create_task(transcriber._pool.run(hold.wait, urgent=True))
    await asyncio.sleep(0)
    try:
        assert (await transcriber.transcribe(SPEECH, language=None, final=True)).text == BASE_ENGLISH.text
    finally:
        hold.set()
        await other
    assert english.asked == []


@pytest.mark.parametrize(
    ("threads", "busy", "told", "untold"),
    [
        pytest.param(1, 0, False, False, id="one core"),
        pytest.param(2, 0, True, False, id="two cores: without a language a decode takes both"),
        pytest.param(2, 1, False, False, id="two cores, one busy"),
        pytest.param(4, 1, True, True, id="four cores, one busy"),
        pytest.param(4, 2, True, False, id="four cores, two busy"),
        pytest.param(4, 3, False, False, id="four cores, three busy"),
    ],
)
async def test_interim_decodes_need_no_rest_while_they_leave_a_thread_free(
    transcriber, threads, busy, told, untold
):
    transcriber._pool = WorkerPool(threads, "test")
    observed = ObservedTranscriber(transcriber, Upstream(metrics := Metrics()), metrics)
    hold = threading.Event()
    others = [asyncio.create_task(transcriber._pool.run(hold.wait, urgent=True)) for _ in range(busy)]
    await asyncio.sleep(0)
    try:
        for one in (transcriber, observed):
            assert (one.spare("en"), one.spare(None)) == (told, untold)
    finally:
        hold.set()
        await asyncio.gather(*others)


async def test_prewarm_loads_both_where_the_language_is_open(transcriber, monkeypatch):
    opened = []
    monkeypatch.setattr(transcriber, "_prewarm", opened.append)
    await transcriber.prewarm()
    assert opened == [local.MULTILINGUAL, local.ENGLISH]
