"""How long the user may be silent under `semantic_vad`: what the text and the end-of-turn model say, and when it is asked."""

import asyncio
import math

import numpy as np
import pytest

from realtime.core.conversation import Message, OutputSpeech
from realtime.core.endpointing import Endpointer
from realtime.core.turn_end import EarlyAnswer, Evidence, silence_ms, waits
from realtime.errors import ProviderUnavailable
from realtime.listening.end_of_turn import EndOfTurnDelay
from realtime.providers.base import Transcript
from tests.contexts import Bench
from tests.conversing import scripted

SEMANTIC = {"audio": {"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "low"}}}}
SERVER = {"audio": {"input": {"turn_detection": {"type": "server_vad"}}}}
SPEECH = np.zeros(16_000, np.int16)


class Model:
    """An end-of-turn model that takes `after_s` and gives 0.95, or raises."""

    def __init__(self, after_s: float = 0.05, error: Exception | None = None) -> None:
        self.after_s, self.error, self.asked = after_s, error, 0

    async def finished(self, samples: np.ndarray) -> float:
        self.asked += 1
        await asyncio.sleep(self.after_s)
        if self.error is not None:
            raise self.error
        return 0.95


class Pause:
    """A bench with the delay under test; `silence_ms` is what the endpointer was told."""

    def __init__(self, model: Model, session: dict = SEMANTIC) -> None:
        self.bench = Bench(end_of_turn=model, **session)
        self.endpointer = Endpointer()
        self.delay = EndOfTurnDelay(self.bench.context, self.endpointer)

    def begin(self, *, text_comes: bool) -> None:
        self.delay.pause_began(lambda: SPEECH, text_comes=text_comes)

    @property
    def silence_ms(self) -> float:
        return self.endpointer.silence_ms


@scripted
async def test_the_model_is_asked_once_in_each_pause_and_after_the_text():
    model = Model()
    pause = Pause(model)
    for number in (1, 2):
        pause.begin(text_comes=True)
        await asyncio.sleep(0.2)
        assert model.asked == number - 1, "the text comes first"
        assert pause.silence_ms == silence_ms(Evidence(), "low"), "of the last pause nothing is left"
        pause.delay.text_known(Transcript("I would like"))
        assert pause.silence_ms == silence_ms(Evidence("I would like"), "low")
        pause.delay.text_known(Transcript("I would like to"))
        await asyncio.sleep(0.2)
        assert model.asked == number
        assert pause.silence_ms == silence_ms(Evidence("I would like to", acoustic=0.95), "low")
    await pause.bench.context.tasks.aclose()


@scripted
async def test_a_digit_waits_for_more_where_the_assistant_asked_for_a_number():
    pause = Pause(Model())
    asked = Message("item_1", "assistant", (OutputSpeech("What is your PIN?"),))
    pause.bench.context.conversation.add(asked)
    pause.begin(text_comes=True)
    pause.delay.text_known(Transcript("4."))
    assert pause.silence_ms == silence_ms(Evidence("4.", before="What is your PIN?"), "low")
    assert pause.silence_ms > silence_ms(Evidence("4.", before="How many?"), "low")
    await pause.bench.context.tasks.aclose()


@scripted
async def test_earlier_pauses_count_until_this_one_is_over():
    pause = Pause(Model())
    pause.begin(text_comes=True)
    pause.delay.text_known(Transcript("I would like"), 150.0)
    assert pause.silence_ms == silence_ms(Evidence("I would like", silent_ms=150.0), "low")
    await asyncio.sleep(0.2)
    assert pause.silence_ms == silence_ms(Evidence("I would like", acoustic=0.95, silent_ms=150.0), "low")
    pause.delay.pause_ended()
    assert pause.silence_ms == silence_ms(Evidence(), "low"), "the next silence may begin at any moment"
    await pause.bench.context.tasks.aclose()


@scripted
async def test_of_a_pause_nothing_is_left_where_the_client_changes_the_detection_in_it():
    pause = Pause(Model())
    before_ms = pause.endpointer.rules.silence_ms
    pause.begin(text_comes=True)
    pause.delay.text_known(Transcript("What time is it?"), 4_000.0)
    assert pause.silence_ms < before_ms
    assert pause.endpointer.likely_over_ms < before_ms
    pause.bench.context.config = Bench(**SERVER).context.config
    pause.delay.pause_ended()
    assert (pause.silence_ms, pause.endpointer.likely_over_ms) == (before_ms, math.inf)
    await pause.bench.context.tasks.aclose()


@pytest.mark.parametrize("model", [Model(after_s=1.1), Model(error=ProviderUnavailable("down"))])
def test_a_model_that_is_late_or_fails_changes_nothing(model: Model):
    @scripted
    async def ask():
        pause = Pause(model)
        pause.begin(text_comes=False)
        pause.delay.text_known(Transcript("Turn the light"))
        await asyncio.sleep(3)
        assert model.asked == 1
        assert pause.silence_ms == silence_ms(Evidence("Turn the light"), "low")
        await pause.bench.context.tasks.aclose()

    ask()


@scripted
async def test_what_the_model_says_after_the_pause_is_late():
    pause = Pause(Model(after_s=0.5))
    pause.begin(text_comes=False)
    await asyncio.sleep(0.1)
    pause.delay.pause_ended()
    await asyncio.sleep(1)
    assert pause.silence_ms == silence_ms(Evidence(), "low")
    pause.delay.text_known(Transcript("Wait"))
    assert pause.bench.providers.end_of_turn.asked == 1, (
        "the speech of that pause is not asked about any more"
    )
    await pause.bench.context.tasks.aclose()


@scripted
async def test_under_server_vad_the_silence_is_what_the_client_chose():
    model = Model()
    pause = Pause(model, SERVER)
    before_ms = pause.silence_ms
    pause.begin(text_comes=False)
    pause.delay.text_known(Transcript("I would like"))
    await asyncio.sleep(1)
    assert (model.asked, pause.silence_ms) == (0, before_ms)
    assert pause.endpointer.likely_over_ms == math.inf, "the voice waits for the end"
    await pause.bench.context.tasks.aclose()


@scripted
async def test_until_an_early_answer_is_in_hand_waiting_is_free():
    pause = Pause(Model())
    pause.begin(text_comes=True)
    known = Transcript("What time is it?", last_word=0.9, stop=0.9)
    evidence = Evidence(known.text, known.last_word, known.stop)
    pause.delay.text_known(known)
    for answer in (EarlyAnswer.IN_THE_MAKING, EarlyAnswer.READY, EarlyAnswer.NONE):
        pause.delay.answer_is(answer)
        assert pause.silence_ms == silence_ms(evidence, "low", answer)
        assert pause.endpointer.likely_over_ms == waits(evidence, "low").likely_over_ms
    await pause.bench.context.tasks.aclose()
