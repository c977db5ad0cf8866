"""Who starts, stops and forgets replies, alone: a chat model and a voice that are timelines, no session around them."""

import asyncio

import pytest

from realtime.core import turn as turns
from realtime.core.conversation import Message, Text
from realtime.core.messages import ChatFinish
from realtime.core.turn_end import EarlyAnswer
from realtime.core.turn_marks import Marks
from realtime.errors import ProtocolError, ProviderUnavailable
from realtime.protocol.response_options import ResponseParams, response_options
from realtime.replying.chat_request import request_about
from realtime.replying.playout import Playout
from realtime.replying.responses import MAX_OUT_OF_BAND, Responses
from realtime.replying.speculation import Speculation
from realtime.settings import Settings
from realtime.tools import Toolbox
from realtime.translate import to_core_item
from tests.contexts import Bench
from tests.conversing import scripted
from tests.fakes import FakeChat, FakeSpeech, call

STORY = [(0.05, "There was a lighthouse on a rock. "), (0.05, "It had no keeper any more. ")] * 3


class Side:
    """The assistant's side of a bench."""

    def __init__(self, bench: Bench, tools: Toolbox | None = None) -> None:
        self.bench, self.playout = bench, Playout(bench.context)
        self.responses = Responses(bench.context, self.playout, tools)
        self.progress: list[EarlyAnswer] = []
        self.speculation = Speculation(bench.context, self.responses, self.progress.append)

    def marks(self) -> Marks:
        return Marks("response_create", asyncio.get_running_loop().time())

    def options(self, **params):
        return self.responses.plans.with_tools(
            response_options(self.bench.context.config, ResponseParams(**params) if params else None)
        )

    def request(self, options):
        conversation = self.bench.context.conversation

        async def asked():
            items = conversation.items if options.input is None else [*map(to_core_item, options.input)]
            return request_about(self.bench.context, options, items)

        return asked

    def reply(self, **params):
        options = self.options(**params)
        response = self.responses.prepare(options, self.request(options), self.marks())
        self.responses.open(response)
        self.responses.start(response)
        return response

    async def ended(self, response) -> list[dict]:
        """Wait for its end; everything that was sent by then."""
        sent = []
        async with asyncio.timeout(60):
            while not any(event["type"] == "response.done" for event in sent):
                await asyncio.sleep(0.01)
                sent += self.bench.sent()
        return sent

    async def close(self) -> None:
        self.speculation.drop()
        await self.bench.context.tasks.aclose()


def finished(bench: Bench, status: str) -> float:
    """How many replies the metrics counted with this status."""
    return bench.context.metrics.responses.labels(status, "")._value.get()


@scripted
async def test_a_reply_tells_the_rules_how_it_comes_and_goes():
    bench = Bench(chat=FakeChat([STORY]))
    side = Side(bench)
    response = side.reply()
    assert bench.noticed == [turns.ReplyBegan(response.id)]
    assert side.responses.active is response
    await side.ended(response)
    assert bench.noticed[-1] == turns.ReplyEnded(response.id, audible=True)
    assert side.responses.active is None
    await asyncio.sleep(side.playout.unheard_s() + 0.1)
    assert bench.noticed[-1] == turns.PlaybackEnded(response.id)
    await side.close()


@scripted
async def test_only_one_reply_of_the_conversation_at_a_time_and_a_few_beside_it():
    side = Side(Bench(chat=FakeChat([STORY] * 9)))
    side.reply()
    with pytest.raises(ProtocolError, match="already has an active response"):
        side.reply()
    beside = [side.reply(conversation="none") for _ in range(MAX_OUT_OF_BAND)]
    with pytest.raises(ProtocolError, match=f"At most {MAX_OUT_OF_BAND}"):
        side.reply(conversation="none")
    side.responses.stop(beside[0].id, "client_cancelled")  # before its task has made its first step
    side.reply(conversation="none")
    await asyncio.sleep(0.05)
    side.responses.stop(beside[1].id, "client_cancelled")
    side.reply(conversation="none")
    assert side.bench.context.metrics.responses.labels("cancelled", "")._value.get() == 2
    await side.close()


@scripted
async def test_a_stopped_reply_is_silent_at_once_and_its_upstreams_are_left():
    chat, speech = FakeChat([STORY]), FakeSpeech(factor=50)
    bench = Bench(chat=chat, speech=speech)
    side = Side(bench)
    response = side.reply()
    await asyncio.sleep(0.5)
    assert bench.outbox.unsent_audio_ms > 0
    side.responses.stop(response.id, "turn_detected")
    assert bench.outbox.unsent_audio_ms == 0
    assert [event["type"] for event in bench.sent()][-1] == "response.done"
    assert bench.noticed[-1] == turns.ReplyEnded(response.id, audible=False, stopped=True)
    await asyncio.sleep(0.1)
    assert (chat.running, speech.open_now) == (0, 0)
    assert bench.sent() == []
    assert finished(bench, "cancelled") == 1
    await side.close()


@scripted
async def test_a_reply_that_is_stopped_before_its_task_has_run_ends_like_any_other():
    bench = Bench(extensions="latency")
    side = Side(bench)
    response = side.reply()
    side.responses.stop(response.id, "client_cancelled")
    await asyncio.sleep(0.1)
    assert [event["type"] for event in bench.sent()] == [
        "response.created",
        "response.done",
        "response.latency.done",
    ]
    assert finished(bench, "cancelled") == 1
    assert (side.responses.active, bench.providers.chat.requests) == (None, [])
    await side.close()


@scripted
async def test_timers_of_a_reply_stand_still_while_nobody_listens():
    """The end of playback is no news before the listener is back and has heard the rest."""
    bench = Bench(chat=FakeChat([STORY]))
    side = Side(bench)
    response = side.reply()
    await side.ended(response)
    side.playout.pause()
    left_s = side.playout.unheard_s()
    await asyncio.sleep(300)
    assert not any(isinstance(event, turns.PlaybackEnded) for event in bench.noticed)
    side.playout.resume()
    await asyncio.sleep(left_s - 0.5)
    assert not any(isinstance(event, turns.PlaybackEnded) for event in bench.noticed)
    await asyncio.sleep(1.0)
    assert bench.noticed[-1] == turns.PlaybackEnded(response.id)
    await side.close()


@scripted
async def test_a_cut_that_the_player_does_not_answer_is_told_when_somebody_listens():
    bench = Bench(chat=FakeChat([STORY]), extensions="playback")
    side = Side(bench)
    response = side.reply()
    await asyncio.sleep(1.0)
    bench.sent()
    side.responses.stop(response.id, "turn_detected")
    side.playout.pause()
    await asyncio.sleep(10)
    assert "conversation.item.truncated" not in [event["type"] for event in bench.sent()]
    side.playout.resume()
    await asyncio.sleep(0.5)
    assert "conversation.item.truncated" in [event["type"] for event in bench.sent()]
    await side.close()


@scripted
async def test_a_cancel_that_crosses_the_end_is_nobodys_mistake():
    side = Side(Bench(chat=FakeChat([[(0.01, "Fine.")]])))
    response = side.reply()
    await side.ended(response)
    side.responses.cancel(response.id)
    await asyncio.sleep(1.5)
    with pytest.raises(ProtocolError, match="no active response"):
        side.responses.cancel(None)
    await side.close()


@scripted
async def test_what_the_model_thought_goes_back_with_its_calls():
    """Some models lose the thread of a tool loop unless their reasoning comes back with it."""
    thought = {"reasoning_content": "I need the weather."}
    answers = [
        [(0.01, call("get_weather", "{}")), (0.01, ChatFinish("tool_calls", reasoning=thought))],
        [(0.01, "Rain.")],
    ]

    async def get_weather() -> str:
        """The weather."""
        return "rain"

    bench = Bench(chat=FakeChat(answers))
    side = Side(bench, Toolbox([get_weather], timeout_s=1.0))
    response = side.reply()
    await side.ended(response)
    assert bench.noticed[-1] == turns.ReplyEnded(response.id, audible=False, to_continue=True)
    side.responses.continue_after(response.id, side.request, side.marks())
    await side.ended(side.responses.active)
    asked = bench.context.providers.chat.requests[1].messages
    assert [message.reasoning for message in asked if message.tool_calls] == [thought]
    assert [message.content for message in asked if message.role == "tool"] == ["rain"]
    await side.close()


@scripted
async def test_tools_are_not_followed_for_ever():
    answers = [[(0.01, call("again", "{}", f"call_{n}"))] for n in range(12)]

    async def again() -> str:
        """Once more."""
        return "again"

    bench = Bench(chat=FakeChat(answers))
    side = Side(bench, Toolbox([again], timeout_s=1.0))
    await side.ended(side.reply())
    rounds = 0
    while bench.noticed[-1].to_continue:
        rounds += 1
        side.responses.continue_after(bench.noticed[-1].response_id, side.request, side.marks())
        await side.ended(side.responses.active)
    assert rounds == 8
    assert bench.context.providers.chat.requests[-1].tool_choice == "none"
    await side.close()


@scripted
async def test_a_reply_behind_its_gate_is_seen_whole_and_in_order_once_it_opens():
    bench = Bench(chat=FakeChat([[(0.1, "One, "), (0.1, "two.")]]), output_modalities=["text"])
    side = Side(bench)
    options = side.options()
    response = side.responses.prepare(options, side.request(options), side.marks())
    side.responses.start(response)
    await asyncio.sleep(2)
    assert bench.sent() == []
    assert bench.noticed == []
    side.responses.open(response)
    sent = await side.ended(response)
    assert [event["delta"] for event in sent if event["type"] == "response.output_text.delta"] == [
        "One, ",
        "two.",
    ]
    await side.close()


@scripted
async def test_a_reply_that_failed_behind_its_gate_says_so_to_who_would_open_it():
    bench = Bench(chat=FakeChat([[(0.1, ProviderUnavailable("down"))]]))
    side = Side(bench)
    options = side.options()
    response = side.responses.prepare(options, side.request(options), side.marks())
    side.responses.start(response)
    await asyncio.sleep(1)
    assert response.failed
    side.responses.discard(response)
    await asyncio.sleep(0.1)
    assert bench.sent() == []
    await side.close()


class Early:
    """A bench whose user has just said something that may be all."""

    def __init__(self, *, speech: FakeSpeech | None = None, answer: tuple = ("Fine.",), **settings) -> None:
        chosen = Settings(voice_id="v1", **{"speculate": "chat", **settings})
        self.chat = FakeChat([[(0.1, delta) for delta in answer] for _ in range(9)])
        self.bench = Bench(chat=self.chat, speech=speech, settings=chosen)
        self.side = Side(self.bench)

    def suppose(self, text: str) -> None:
        self.side.speculation.suppose(text, self.side.options(), self.side.marks())

    def over(self, text: str) -> bool:
        """The turn is over, and this was said. Whether the early answer is used."""
        from realtime.core.conversation import InputSpeech

        self.bench.context.conversation.add(Message("item_u", "user", (InputSpeech(text),)))
        return self.side.speculation.redeem(self.side.options(), self.side.marks())


@scripted
async def test_an_early_answer_to_what_was_said_is_used():
    early = Early()
    early.suppose("How are you?")
    early.suppose("How are you?")
    await asyncio.sleep(0.05)
    assert len(early.chat.requests) == 1
    assert early.chat.requests[0].messages[-1].content == "How are you?"
    assert early.bench.noticed == []
    turn_over_s = asyncio.get_running_loop().time()
    assert early.over("how are you?"), "words count, capitals do not"
    used = early.side.responses.active
    assert used.marks.origin_s == turn_over_s, "the latency that the user noticed begins here"
    sent = await early.side.ended(used)
    assert len(early.chat.requests) == 1
    assert sent[0]["type"] == "response.created"
    await early.side.close()


@scripted
async def test_an_early_answer_to_something_else_is_dropped_and_nobody_knows():
    early = Early()
    early.suppose("How are")
    await asyncio.sleep(0.05)
    assert not early.over("How are they?")
    await asyncio.sleep(1)
    assert early.chat.running == 0
    assert early.bench.sent() == []
    assert early.bench.noticed == []
    await early.side.close()


@scripted
async def test_an_early_answer_before_the_conversation_changed_is_dropped():
    early = Early()
    early.suppose("How are you?")
    early.bench.context.conversation.add(Message("item_x", "system", (Text("Be rude."),)))
    assert not early.over("How are you?")
    await early.side.close()


@pytest.mark.parametrize(
    ("speculate", "speech_requests_left", "said"),
    [("speech", 60, ["Fine."]), ("speech", 5, []), ("chat", 60, [])],
)
def test_the_voice_begins_early_where_that_is_wanted_and_requests_are_left(
    speculate: str, speech_requests_left: float, said: list[str]
):
    @scripted
    async def guess():
        early = Early(speculate=speculate, speech_rpm=20)
        early.bench.providers.speech.budget = speech_requests_left
        early.suppose("How are you?")
        await asyncio.sleep(2)
        assert early.bench.providers.speech.said == said
        assert early.bench.sent() == []
        await early.side.close()

    guess()


@scripted
async def test_no_early_answer_where_none_is_wanted_or_requests_run_short():
    off = Early(speculate="off")
    off.suppose("How are you?")
    poor = Early(chat_rpm=200)
    poor.chat.budget = 100.0
    poor.suppose("How are you?")
    await asyncio.sleep(1)
    assert off.chat.requests == poor.chat.requests == []
    await off.side.close()
    await poor.side.close()
