"""The idle timeout counts only in silence that is the user's: scripted conversations in virtual time."""

import asyncio

import pytest

from realtime.core.messages import ToolCallDelta
from realtime.errors import ProviderUnavailable
from realtime.tools import Toolbox
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeTranscriber, functions

TIMEOUT_S = 5.0
IDLE = {"type": "server_vad", "idle_timeout_ms": 5000}
TRIGGERED = "input_audio_buffer.timeout_triggered"
CALL = ToolCallDelta(0, "call_1", "weather", '{"city":"Oslo"}')
LONG = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen."


def talk(*answers, detection=IDLE, **more) -> Talk:
    """The first answer is "Hello."; a conversation with the idle timeout on."""
    chat = FakeChat([[(0.1, "Hello.")], *answers])
    return Talk(chat=chat, audio={"input": {"turn_detection": detection}}, **more)


def now_s() -> float:
    return asyncio.get_running_loop().time() - 1000.0


async def greeted(talk: Talk) -> float:
    """Have the first answer; returns when it has been heard: 60 ms a character after its first sound."""
    await talk.ask("Hi")
    await talk.until("response.done")
    return talk.of("response.output_audio.delta")[0]["at"] + talk.audio_ms() / 1000


async def switch(talk: Talk, detection: dict | None) -> None:
    await talk.send("session.update", session={"audio": {"input": {"turn_detection": detection}}})


async def rings_at(talk: Talk) -> float:
    return (await talk.until(TRIGGERED))["at"]


async def quiet(talk: Talk, seconds: float) -> None:
    await asyncio.sleep(seconds)
    assert TRIGGERED not in talk.types


@scripted
async def test_it_counts_from_the_end_of_what_is_heard():
    async with talk() as subject:
        heard_s = await greeted(subject)
        assert await rings_at(subject) == pytest.approx(heard_s + TIMEOUT_S, abs=0.05)


@scripted
async def test_it_waits_for_the_next_reply_before_it_counts_again():
    async with talk([(0.1, "Still there?")]) as subject:
        await greeted(subject)
        await rings_at(subject)
        await subject.until("response.done", 2)
        second = await subject.until(TRIGGERED, 2)
        assert second["at"] > subject.of("response.done")[1]["at"] + TIMEOUT_S


@scripted
async def test_without_turn_detection_it_never_rings():
    async with talk() as subject:
        await greeted(subject)
        await asyncio.sleep(2)
        await switch(subject, None)
        await quiet(subject, 60)


@scripted
async def test_switched_on_again_it_counts_anew():
    async with talk() as subject:
        await greeted(subject)
        await asyncio.sleep(4)
        await switch(subject, None)
        await asyncio.sleep(60)
        await switch(subject, IDLE)
        assert await rings_at(subject) == pytest.approx(now_s(), abs=0.01)
        assert subject.of(TRIGGERED)[0]["at"] == pytest.approx(
            subject.of("session.updated")[-1]["at"] + TIMEOUT_S, abs=0.05
        )


@scripted
async def test_another_kind_of_turn_detection_has_no_timeout():
    async with talk() as subject:
        await greeted(subject)
        await switch(subject, {"type": "semantic_vad"})
        await quiet(subject, 60)


@scripted
async def test_an_update_that_changes_nothing_of_it_does_not_disturb_it():
    async with talk() as subject:
        heard_s = await greeted(subject)
        await asyncio.sleep(3)
        await subject.send(
            "session.update",
            session={"instructions": "Be brief.", "audio": {"input": {"turn_detection": IDLE}}},
        )
        assert await rings_at(subject) == pytest.approx(heard_s + TIMEOUT_S, abs=0.05)


@scripted
async def test_a_longer_timeout_counts_anew():
    async with talk() as subject:
        await greeted(subject)
        await asyncio.sleep(4)
        changed_s = now_s()
        await switch(subject, {**IDLE, "idle_timeout_ms": 20_000})
        assert await rings_at(subject) == pytest.approx(changed_s + 20, abs=0.05)


@scripted
async def test_a_call_that_waits_for_its_output_is_no_silence_of_the_user():
    async with talk([(0.1, "One moment, I will look."), (0.0, CALL)], tools=functions("weather")) as subject:
        await greeted(subject)
        await subject.ask("What is the weather?")
        await subject.until("response.done", 2)
        await quiet(subject, 120)
        await subject.send(
            "conversation.item.create",
            item={"type": "function_call_output", "call_id": "call_1", "output": "4"},
        )
        came_s = now_s()
        assert await rings_at(subject) == pytest.approx(came_s + TIMEOUT_S, abs=0.05)


@scripted
async def test_a_call_that_is_deleted_is_awaited_no_longer():
    async with talk([(0.1, "One moment, I will look."), (0.0, CALL)], tools=functions("weather")) as subject:
        await greeted(subject)
        await subject.ask("What is the weather?")
        await subject.until("response.done", 2)
        await quiet(subject, 30)
        call = next(
            e["item"] for e in subject.of("conversation.item.done") if e["item"]["type"] == "function_call"
        )
        await subject.send("conversation.item.delete", item_id=call["id"])
        assert await rings_at(subject) == pytest.approx(now_s(), abs=0.01)


@scripted
async def test_a_call_that_the_client_put_in_itself_is_not_awaited():
    async with talk() as subject:
        item = {"type": "function_call", "call_id": "old", "name": "weather", "arguments": "{}"}
        await subject.send("conversation.item.create", item=item)
        heard_s = await greeted(subject)
        assert await rings_at(subject) == pytest.approx(heard_s + TIMEOUT_S, abs=0.05)


@scripted
async def test_a_slow_tool_of_the_server_is_no_silence_of_the_user():
    async def weather(city: str) -> str:
        """The weather."""
        await asyncio.sleep(12)
        return "rain"

    tools = Toolbox([weather])
    async with talk([(0.1, "Let me see."), (0.0, CALL)], [(0.1, "It rains.")], server_tools=tools) as subject:
        await greeted(subject)
        await subject.ask("What is the weather?")
        await subject.until("response.done", 3)
        assert TRIGGERED not in subject.types
        done_s = subject.of("response.done")[2]["at"]
        assert await rings_at(subject) >= done_s + TIMEOUT_S


@scripted
async def test_a_model_that_thinks_for_long_is_no_silence_of_the_user():
    async with talk([(14.0, "It depends.")]) as subject:
        await greeted(subject)
        await subject.ask("Think hard.")
        await quiet(subject, 13)
        await subject.until("response.done", 2)
        assert await rings_at(subject) > subject.of("response.done")[1]["at"] + TIMEOUT_S


@scripted
async def test_a_response_beside_the_conversation_is_work_too():
    async with talk([(8.0, "calm")]) as subject:
        heard_s = await greeted(subject)
        await subject.send(
            "response.create", response={"conversation": "none", "output_modalities": ["text"]}
        )
        assert await rings_at(subject) == pytest.approx(heard_s + 2 * TIMEOUT_S, abs=0.05)


@scripted
async def test_what_still_plays_is_no_silence():
    """The reply is generated in a second and plays for six."""
    async with talk([(0.1, LONG)]) as subject:
        await greeted(subject)
        await subject.ask("Count.")
        done = await subject.until("response.done", 2)
        first_s = next(
            e["at"]
            for e in subject.of("response.output_audio.delta")
            if e["response_id"] == done["response"]["id"]
        )
        assert await rings_at(subject) == pytest.approx(first_s + len(LONG) * 0.06 + TIMEOUT_S, abs=0.2)


@scripted
async def test_what_waits_in_the_player_is_no_silence():
    """The player tells again and again that it stands at the same place."""
    async with talk(extensions="playback") as subject:
        await greeted(subject)
        item_id = subject.of("conversation.item.added")[-1]["item"]["id"]
        for _ in range(40):
            await subject.send("output_audio_buffer.played", item_id=item_id, played_ms=100)
            await asyncio.sleep(0.25)
        assert TRIGGERED not in subject.types
        await subject.send("output_audio_buffer.played", item_id=item_id, played_ms=360, state="drained")
        assert await rings_at(subject) == pytest.approx(now_s(), abs=0.01)
        assert subject.of(TRIGGERED)[0]["at"] == pytest.approx(
            subject.of("output_audio_buffer.stopped")[0]["at"] + TIMEOUT_S, abs=0.05
        )


@scripted
async def test_a_cough_does_not_stop_it_for_ever():
    async with talk(transcriber=FakeTranscriber([""])) as subject:
        await greeted(subject)
        await subject.silence(2.0)
        await subject.speak(0.4)
        await subject.silence(2.0)
        stopped = await subject.until("conversation.item.input_audio_transcription.completed")
        await subject.silence(3.5)
        assert await rings_at(subject) == pytest.approx(stopped["at"] + TIMEOUT_S, abs=0.1)


@scripted
async def test_words_that_could_not_be_transcribed_are_no_answer():
    failed = ProviderUnavailable("The transcriber is away.", code="transcription_failed")
    async with talk(transcriber=FakeTranscriber([failed], interim=False)) as subject:
        await greeted(subject)
        await subject.speak(0.8)
        await subject.silence(1.5)
        told = await subject.until("conversation.item.input_audio_transcription.failed")
        assert await rings_at(subject) == pytest.approx(told["at"] + TIMEOUT_S, abs=0.1)


@scripted
async def test_words_that_the_client_will_answer_are_followed_by_no_silence_of_the_user():
    manual = {**IDLE, "create_response": False}
    async with talk(detection=manual, transcriber=FakeTranscriber(["What is two plus two?"])) as subject:
        await greeted(subject)
        await subject.speak(1.0)
        await subject.silence(1.5)
        await subject.until("conversation.item.input_audio_transcription.completed")
        await quiet(subject, 60)


@scripted
async def test_a_turn_that_the_client_commits_waits_for_its_answer():
    async with talk(transcriber=FakeTranscriber(["Hello."])) as subject:
        await greeted(subject)
        await subject.silence(1.0)
        await subject.send("input_audio_buffer.commit")
        await quiet(subject, 60)


@scripted
async def test_who_types_has_not_been_silent():
    async with talk() as subject:
        await greeted(subject)
        await asyncio.sleep(4)
        await subject.send(
            "conversation.item.create",
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Well,"}]},
        )
        typed_s = now_s()
        assert await rings_at(subject) == pytest.approx(typed_s + TIMEOUT_S, abs=0.05)


@scripted
async def test_a_microphone_that_was_muted_gets_the_whole_time():
    async with talk() as subject:
        await greeted(subject)
        await subject.silence(1.0)
        await asyncio.sleep(3.0)
        back_s = now_s()
        await subject.silence(6.0)
        assert await rings_at(subject) == pytest.approx(back_s + TIMEOUT_S, abs=0.05)


@scripted
async def test_a_reply_that_ends_while_the_client_is_away_is_counted_after_its_return():
    async with talk([(3.0, "Fine.")]) as subject:
        await greeted(subject)
        await subject.ask("And you?")
        subject.session.suspend()
        await quiet(subject, 60)
        subject.session.resume()
        back_s = now_s()
        assert await rings_at(subject) >= back_s + TIMEOUT_S


@scripted
async def test_before_the_first_reply_nothing_is_counted():
    async with talk(transcriber=FakeTranscriber([""])) as subject:
        await subject.silence(1.0)
        await subject.speak(0.4)
        await subject.silence(1.0)
        await quiet(subject, 60)


FAILS = [(0.1, ProviderUnavailable("down"))]


@scripted
@pytest.mark.parametrize("ends", ["failed", "cancelled", "cancelled before its first sound"])
async def test_after_a_reply_that_was_not_heard_it_counts_from_its_end(ends):
    second = FAILS if ends == "failed" else [(0.3, LONG)]
    async with talk(second, [(0.1, "Still there?")]) as subject:
        await greeted(subject)
        await subject.ask("Tell me more.")
        if ends != "failed":
            await asyncio.sleep(1.0 if ends == "cancelled" else 0.06)
            await subject.send("response.cancel")
        await subject.until("response.done", count=2)
        assert await rings_at(subject) == pytest.approx(now_s(), abs=0.05)
        assert now_s() - subject.of("response.done")[1]["at"] == pytest.approx(TIMEOUT_S, abs=0.4)


@scripted
async def test_after_a_written_reply_it_counts_from_its_end():
    async with talk() as subject:
        await subject.send("response.create", response={"output_modalities": ["text"]})
        done = await subject.until("response.done")
        assert await rings_at(subject) == pytest.approx(done["at"] + TIMEOUT_S, abs=0.05)


@scripted
async def test_what_it_has_begun_itself_and_fails_is_not_begun_again():
    async with talk(FAILS, FAILS, FAILS) as subject:
        await greeted(subject)
        await rings_at(subject)
        await asyncio.sleep(60)
        assert subject.types.count(TRIGGERED) == 1
        await subject.ask("Are you there?")
        await asyncio.sleep(60)
        assert subject.types.count(TRIGGERED) == 2, "the user has done something"


@scripted
async def test_a_written_answer_that_it_has_begun_counts_as_heard():
    async with talk(*[[(0.1, "Still there?")]] * 3, output_modalities=["text"]) as subject:
        await subject.ask("Hi")
        await asyncio.sleep(18)
        assert subject.types.count(TRIGGERED) == 3


@scripted
async def test_what_the_user_says_ends_what_it_has_begun():
    """The answer to that fails, and the next silence is the user's again."""
    prompt = [(0.1, LONG)]
    reader = FakeTranscriber(["What do you want?"] * 9)
    async with talk(prompt, FAILS, prompt, transcriber=reader) as subject:
        await greeted(subject)
        await rings_at(subject)
        await asyncio.sleep(1.0)
        await subject.speak(1.5)
        await subject.silence(9.0)
        assert [event["response"]["status"] for event in subject.of("response.done")][2] == "failed"
        assert subject.types.count(TRIGGERED) == 2
