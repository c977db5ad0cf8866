"""What counts as silence of the services: only the time in which the chat model or the voice owes something."""

import asyncio
from contextlib import asynccontextmanager

from hypothesis import example, given, settings
from hypothesis import strategies as st

from realtime.core.quota import QuotaLog
from realtime.providers.base import SpeechAudio, SpeechChunkDone, SpeechPaused
from realtime.providers.memory_quota import now_ms
from realtime.replying.speech_feed import BUDGET_TIMEOUT_S
from realtime.settings import Settings
from tests import virtual_time
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeUtterance

SILENT_S = 20.0
SENTENCE = "从前有一座高高的山，山上有一座古老的寺庙，庙里住着一位老和尚和一只猫。"


class AccountSpeech(FakeSpeech):
    """A voice with an account: one request too many waits in `say`. A character takes `ms` of speech.

    After `mute_after` chunks it says nothing any more.
    """

    def __init__(
        self, per_minute: int, *, ms: float = 200.0, factor: float = 4.0, mute_after: float = float("inf")
    ) -> None:
        super().__init__(factor=factor)
        self.account, self.ms, self.mute_after = QuotaLog(per_minute), ms, mute_after

    def requests_left(self) -> float:
        return self.account.left(now_ms())

    @asynccontextmanager
    async def open(self, voice):
        self.open_now += 1
        try:
            yield AccountUtterance(self)
        finally:
            self.open_now -= 1


class AccountUtterance(FakeUtterance):
    async def say(self, text: str) -> int:
        account, place = self._speech.account, f"{id(self)} {self._said}"
        await asyncio.sleep(account.take(place, now_ms()) / 1000)
        account.write(place, now_ms())
        return await super().say(text)

    async def events(self):
        speech, chunk = self._speech, 0
        while (text := await self._texts.get()) is not None:
            await asyncio.sleep(speech.first_s if chunk < speech.mute_after else 10_000)
            for at in range(0, len(text), 8):
                ms = speech.ms * len(text[at : at + 8])
                yield SpeechAudio(chunk, bytes(int(ms * speech.rate / 1000) * 2))
                await asyncio.sleep(ms / 1000 / speech.factor)
            yield SpeechChunkDone(chunk)
            chunk += 1


async def told(texts: list[str], speech: FakeSpeech, *, delta_s: float = 0.02) -> tuple[dict, float]:
    """The response that says these texts, and how long it took. The client tells nothing of its playback."""
    chat = FakeChat([[(delta_s, text) for text in texts]])
    async with Talk(
        chat=chat,
        speech=speech,
        settings=Settings(instructions="", voice_id="v1", speculate="off", silent_turn_timeout_s=SILENT_S),
    ) as talk:
        await talk.ask("讲个故事")
        done = await talk.until("response.done", timeout_s=100_000)
        return done["response"], done["at"]


def said(response: dict) -> str:
    return response["output"][0]["content"][0]["transcript"]


@scripted
async def test_a_long_reply_lives_while_the_chunker_waits_for_the_listener():
    """Others use the account too, so chunks are long, and the voice is fast: it has nothing to do for more than 20 s."""
    response, took_s = await told([SENTENCE] * 40, FakeSpeech(budget=1, factor=50.0))
    assert (response["status"], said(response)) == ("completed", SENTENCE * 40)
    assert took_s > 3 * SILENT_S


@scripted
async def test_a_reply_lives_while_it_waits_for_the_accounts_budget():
    for per_minute in (1, 2, 3):
        response, _ = await told([SENTENCE] * 20, AccountSpeech(per_minute))
        assert (response["status"], said(response)) == ("completed", SENTENCE * 20), per_minute


@scripted
async def test_a_voice_that_owes_a_chunk_is_not_waited_for_for_ever():
    """Also after a long wait for the listener: the silence begins when the chunk leaves."""
    response, took_s = await told([SENTENCE] * 60, AccountSpeech(20, factor=20.0, mute_after=5))
    assert response["status"] == "failed"
    assert response["status_details"]["error"]["code"] == "upstream_timeout"
    assert took_s < 150


@scripted
async def test_a_chat_model_that_goes_silent_is_not_waited_for_for_ever():
    response, took_s = await told([SENTENCE, SENTENCE], AccountSpeech(20), delta_s=60.0)
    assert response["status"] == "failed"
    assert took_s < SILENT_S + 1


class RefusedUtterance(FakeUtterance):
    """The account refuses each chunk at first: `pause_s` before it is asked again, `hangs_s` after that."""

    pause_s, hangs_s = 3 * SILENT_S, 0.0

    async def events(self):
        chunk = 0
        while (await self._texts.get()) is not None:
            yield SpeechPaused()
            await asyncio.sleep(self.pause_s)
            yield SpeechPaused(over=True)
            await asyncio.sleep(self.hangs_s)
            yield SpeechAudio(chunk, bytes(9_600))
            yield SpeechChunkDone(chunk)
            chunk += 1


class HangingUtterance(FakeUtterance):
    async def say(self, text: str) -> int:
        await asyncio.sleep(10_000)
        return 0


class OtherSpeech(FakeSpeech):
    """A voice with utterances of this kind, whose budget is used up."""

    def __init__(self, kind: type[FakeUtterance]) -> None:
        super().__init__()
        self.kind = kind

    def requests_left(self) -> float:
        return 0.0

    @asynccontextmanager
    async def open(self, voice):
        yield self.kind(self)


@scripted
async def test_a_pause_after_a_refusal_is_no_silence():
    response, took_s = await told([SENTENCE], OtherSpeech(RefusedUtterance))
    assert (response["status"], said(response)) == ("completed", SENTENCE)
    assert took_s > 3 * SILENT_S


@scripted
async def test_but_the_silence_after_it_is():
    class Hangs(RefusedUtterance):
        hangs_s = 10_000.0

    response, took_s = await told([SENTENCE], OtherSpeech(Hangs))
    assert response["status_details"]["error"]["code"] == "upstream_timeout"
    assert took_s < 5 * SILENT_S


@scripted
async def test_a_voice_that_takes_no_text_is_not_waited_for_for_ever():
    response, took_s = await told([SENTENCE], OtherSpeech(HangingUtterance))
    assert response["status_details"]["error"]["code"] == "upstream_timeout"
    assert took_s < BUDGET_TIMEOUT_S + SILENT_S


@settings(max_examples=25, deadline=None)
@example(per_minute=20, sentences=25, ms=200.0, factor=20.0, delta_s=0.02)
@given(
    per_minute=st.integers(1, 30),
    sentences=st.integers(1, 25),
    ms=st.sampled_from((50.0, 200.0, 300.0)),
    factor=st.sampled_from((0.7, 1.0, 4.0, 40.0)),
    delta_s=st.sampled_from((0.0, 0.02, 1.0, 15.0)),
)
def test_no_healthy_reply_is_silent(per_minute, sentences, ms, factor, delta_s):
    """Whatever the account, the voice and the model's speed are: who answers in time is not cut off."""
    speech = AccountSpeech(per_minute, ms=ms, factor=factor)
    response, _ = virtual_time.run(told([SENTENCE] * sentences, speech, delta_s=delta_s))
    assert (response["status"], said(response)) == ("completed", SENTENCE * sentences)
