"""A session goes on at another server in the middle of everything: no word lost or said twice, no call made twice."""

from __future__ import annotations

import asyncio
import random

import pytest

from realtime.tools import Toolbox
from tests.conversing import Talk, scripted
from tests.fakes import FakeSpeech, FakeTranscriber, call
from tests.session.listeners import Client
from tests.session.moving import Losable, StoryChat

STORY = "One dog ran by the sea. Two cats sat on a warm wall. Three birds sang until the night came. "
WORDS = STORY.split()
EXTENSIONS = "playback,resume"


def said(talk: Talk) -> list[str]:
    """What counts of all that the assistant has said, in order."""
    return [
        word
        for item in talk.session.conversation.items
        if getattr(item, "role", "") == "assistant"
        for part in item.parts
        for word in (getattr(part, "transcript", None) or getattr(part, "text", "")).split()
    ]


async def quiet(talk: Talk) -> None:
    """Until nothing is made any more."""
    await asyncio.sleep(0.01)
    for _ in range(600):
        if not talk.session.responses.busy:
            break
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.3)


def done(*talks_events: list[dict]) -> list[str]:
    return [
        event["response"]["id"]
        for events in talks_events
        for event in events
        if event["type"] == "response.done"
    ]


def created(*talks_events: list[dict]) -> list[str]:
    return [
        event["response"]["id"]
        for events in talks_events
        for event in events
        if event["type"] == "response.created"
    ]


def at_ear(client: Client, arrived: bool) -> dict:
    """What a client says when it comes back."""
    for item_id, player in reversed(client.players().items()):
        played = int(player.heard_ms(asyncio.get_running_loop().time() - 1000.0))
        if played:
            return {
                "item_id": item_id,
                "played_ms": played,
                "received_ms": int(player.received_ms) if arrived else None,
            }
    return {}


@pytest.mark.parametrize("seed", range(40))
@scripted
async def test_a_story_is_told_to_its_end_wherever_its_server_is_lost(seed: int) -> None:
    dice = random.Random(seed)
    voice = {"first_s": dice.uniform(0.05, 0.4), "factor": dice.choice([0.9, 3.0, 20.0])}
    chat = StoryChat(story=STORY, word_s=dice.uniform(0.01, 0.2))
    modality = "text" if seed % 5 == 4 else "audio"
    async with Losable(chat=chat, speech=FakeSpeech(**voice), extensions=EXTENSIONS) as old:
        client = Client(old, dice, "acks")
        await old.ask("Tell me a story.", output_modalities=[modality], metadata={"name": "story"})
        await asyncio.sleep(dice.uniform(0.0, 12.0) * dice.random())
        left = old.lose()
        told = at_ear(client, arrived=dice.random() < 0.7)
    missed = dice.choice([0, 0, 0, 1, 2, 3])  # messages that were on their way
    known = left.events[: len(left.events) - missed]
    chat = StoryChat(story=STORY)
    continues = left.continues(last_seq=len(known), **told)
    async with Talk(
        chat=chat, speech=FakeSpeech(factor=20.0), extensions=EXTENSIONS, continues=continues, ids="b"
    ) as new:
        await quiet(new)
        assert said(new) == WORDS, (said(new), told)
        assert sorted(done(known, new.events)) == sorted(created(known, new.events))
        assert not new.of("error")
        assert len(chat.requests) <= 1
        finished = [event["response"] for event in new.of("response.done")]
        assert {each["output_modalities"][0] for each in finished} <= {modality}
        assert not new.of("conversation.item.deleted")


@pytest.mark.parametrize("seed", range(12))
@scripted
async def test_a_story_is_told_to_its_end_though_two_servers_are_lost(seed: int) -> None:
    dice = random.Random(seed)
    usual = {"speech": FakeSpeech(factor=20.0), "extensions": EXTENSIONS}
    async with Losable(chat=StoryChat(story=STORY, word_s=0.15), **usual) as first:
        await first.ask("Tell me a story.")
        await asyncio.sleep(dice.uniform(0.2, 3.0))
        left = first.lose()
    chat, before = StoryChat(story=STORY, word_s=0.4), {"before": left, "continues": left.continues()}
    async with Losable(chat=chat, ids="b", **before, **usual) as second:
        await asyncio.sleep(dice.choice([0.05, 0.3, 0.5, 1.5]))
        left = second.lose()
    chat = StoryChat(story=STORY)
    async with Talk(chat=chat, continues=left.continues(), ids="c", **usual) as third:
        await quiet(third)
        assert said(third) == WORDS
        assert sorted(done(left.events, third.events)) == sorted(created(left.events, third.events))
        assert not third.of("error")


@pytest.mark.parametrize("extensions", ["resume", EXTENSIONS])
@scripted
async def test_an_answer_that_was_sent_whole_is_not_said_again_by_the_third_server(extensions: str) -> None:
    """Its client tells nothing of what it plays: it plays all that was sent."""
    usual = {"speech": FakeSpeech(factor=100.0), "extensions": extensions}
    async with Losable(chat=StoryChat(story=STORY, word_s=0.001), **usual) as first:
        await first.ask("Tell me a story.")
        await first.until("response.done")
        left = first.lose()
    before = {"before": left, "continues": left.continues()}
    async with Losable(chat=StoryChat(story=STORY), ids="b", **before, **usual) as second:
        await quiet(second)
        left = second.lose()
    async with Talk(chat=StoryChat(story=STORY), continues=left.continues(), ids="c", **usual) as third:
        await quiet(third)
        assert (said(third), third.events) == (WORDS, [])


async def weather_of(city: str) -> str:
    """The weather in a city."""
    RAN.append(city)
    await asyncio.sleep(1.0)
    return "four degrees"


RAN: list[str] = []
CALL = call("weather_of", '{"city":"Oslo"}')


@pytest.mark.parametrize("seed", range(24))
@scripted
async def test_a_tool_of_the_server_runs_once_and_its_answer_comes(seed: int) -> None:
    dice, before = random.Random(seed), "Let me look at the sky. " if seed % 2 else ""
    first = [*([before] if before else []), CALL]
    RAN.clear()
    tools = {"server_tools": Toolbox([weather_of]), "extensions": EXTENSIONS}
    async with Losable(chat=StoryChat(story=STORY, first=first), **tools) as old:
        client = Client(old, dice, "acks")
        await old.ask("How is the weather?")
        await asyncio.sleep(dice.uniform(0.0, 6.0))
        left = old.lose()
        told = at_ear(client, arrived=bool(seed % 3))
    ran = len(RAN)
    chat = StoryChat(story=STORY, first=first)
    async with Talk(chat=chat, continues=left.continues(**told), ids="b", **tools) as new:
        await quiet(new)
        assert said(new) == [*before.split(), *WORDS]
        assert len(RAN) == 1, (ran, RAN)
        assert not new.of("error")
        assert sorted(done(left.events, new.events)) == sorted(created(left.events, new.events))
        outputs = [item.output for item in new.session.conversation.items if hasattr(item, "output")]
        assert len(outputs) == 1
        kinds = [type(item).__name__ for item in new.session.conversation.items]
        assert kinds.index("FunctionCall") < kinds.index("FunctionCallOutput")


FUNCTION = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}
LOOK = call("look", "{}")


@scripted
async def test_a_call_that_the_client_knows_is_not_made_again_and_the_client_may_ask_on() -> None:
    chat = StoryChat(story=STORY, first=["Let me look at this. ", LOOK])
    async with Losable(
        chat=chat, extensions=EXTENSIONS, speech=FakeSpeech(factor=0.5), tools=[FUNCTION]
    ) as old:
        await old.ask("What is there?")
        await old.until("response.function_call_arguments.done")
        left = old.lose()
    chat = StoryChat(story=STORY)
    async with Talk(
        chat=chat, extensions=EXTENSIONS, continues=left.continues(), ids="b", tools=[FUNCTION]
    ) as new:
        ended = (await new.until("response.done"))["response"]
        assert ended["status"] == "completed", "our page asks on after calls of such a response alone"
        assert [item["type"] for item in ended["output"]] == ["message", "function_call"]
        assert not chat.requests
        output = {"type": "function_call_output", "call_id": "call_1", "output": "a wall"}
        await new.send("conversation.item.create", item=output)
        await new.send("response.create")
        await quiet(new)
        assert said(new)[-len(WORDS) :] == WORDS
        assert not new.of("error")


@scripted
async def test_a_call_that_the_client_does_not_know_is_made_again() -> None:
    chat = StoryChat(story=STORY, first=[LOOK])
    async with Losable(chat=chat, extensions=EXTENSIONS, tools=[FUNCTION]) as old:
        await old.ask("What is there?")
        await old.until("response.function_call_arguments.done")
        left = old.lose()
    known = next(n for n, event in enumerate(left.events) if event["type"] == "response.created") + 1
    chat = StoryChat(story=STORY, first=[LOOK])
    continues = left.continues(last_seq=known)
    async with Talk(chat=chat, extensions=EXTENSIONS, continues=continues, ids="b", tools=[FUNCTION]) as new:
        await new.until("response.function_call_arguments.done")
        calls = [item for item in new.session.conversation.items if type(item).__name__ == "FunctionCall"]
        assert len(calls) == 1


@scripted
async def test_a_call_that_still_waited_for_a_client_that_was_away_is_made_again() -> None:
    chat = StoryChat(story=STORY, first=["Let me look. ", LOOK])
    async with Losable(chat=chat, extensions=EXTENSIONS, tools=[FUNCTION]) as old:
        await old.ask("What is there?")
        await old.until("response.created")
        old.reads.clear()
        await asyncio.sleep(0.5)
        left = old.lose()
    assert left.snapshot.reply.calls
    chat = StoryChat(story=STORY, first=[LOOK])
    continues = left.continues()
    async with Talk(chat=chat, extensions=EXTENSIONS, continues=continues, ids="b", tools=[FUNCTION]) as new:
        await new.until("response.function_call_arguments.done")
        await quiet(new)
        calls = [item for item in new.session.conversation.items if type(item).__name__ == "FunctionCall"]
        assert len(calls) == 1
        assert sorted(done(left.events, new.events)) == sorted(created(left.events, new.events))


@pytest.mark.parametrize("how", ["conversation.item.delete", "conversation.item.truncate"])
@pytest.mark.parametrize("over", [True, False], ids=["made", "in the making"])
@scripted
async def test_what_the_client_has_cut_or_deleted_stays_so_and_is_not_said_on(how: str, over: bool) -> None:
    speech = FakeSpeech(factor=20.0 if over else 1.0)
    async with Losable(chat=StoryChat(story=STORY), speech=speech, extensions=EXTENSIONS) as old:
        await old.ask("Tell me a story.")
        item_id = (await old.until("response.output_audio.delta"))["item_id"]
        if over:
            await old.until("response.done")
        more = {"audio_end_ms": 500, "content_index": 0} if how.endswith("truncate") else {}
        await old.send(how, item_id=item_id, **more)
        await asyncio.sleep(0.05)
        left = old.lose()
        kept = said(old)
    continues = left.continues(item_id=item_id, played_ms=500)
    chat = StoryChat(story=STORY)
    async with Talk(chat=chat, extensions=EXTENSIONS, continues=continues, ids="b") as new:
        await quiet(new)
        assert said(new) == kept
        assert not new.of("response.created")
        assert not chat.requests
        assert sorted(done(left.events, new.events)) == created(left.events)
        assert not new.of("error")


@scripted
async def test_an_answer_that_has_arrived_whole_sounds_on_and_can_be_interrupted() -> None:
    async with Losable(
        chat=StoryChat(story=STORY, word_s=0.001), speech=FakeSpeech(factor=100.0), extensions=EXTENSIONS
    ) as old:
        await old.ask("Tell me a story.")
        await old.until("response.done")
        item_id = old.of("response.output_audio.delta")[0]["item_id"]
        whole_ms = int(old.audio_ms())
        left = old.lose()
    continues = left.continues(item_id=item_id, played_ms=300, received_ms=whole_ms)
    stop = FakeTranscriber(["Wait, stop that, please."])
    async with Losable(extensions=EXTENSIONS, continues=continues, ids="b", transcriber=stop) as new:
        await asyncio.sleep(0.1)
        assert new.types == ["output_audio_buffer.gain_changed"], "nothing of it is missing"
        assert said(new) == WORDS
        again = new.lose()
        assert again.snapshot.reply.item_id == item_id
        await new.speak(1.0)
        await new.until("output_audio_buffer.cleared")
        await new.send("output_audio_buffer.played", item_id=item_id, played_ms=900, state="flushed")
        assert 0 < len(said(new)) < len(WORDS)


@scripted
async def test_replies_beside_the_conversation_end_for_who_waits_for_them() -> None:
    async with Losable(chat=StoryChat(story=STORY), extensions=EXTENSIONS) as old:
        await old.ask("Classify this.", conversation="none", output_modalities=["text"])
        beside = (await old.until("response.created"))["response"]["id"]
        await old.until("response.output_text.delta")
        left = old.lose()
    async with Talk(extensions=EXTENSIONS, continues=left.continues(), ids="b") as new:
        ended = (await new.until("response.done"))["response"]
        assert (ended["id"], ended["status"], ended["conversation_id"]) == (beside, "failed", None)
        assert ended["status_details"]["error"]["code"] == "server_restarting"


@scripted
async def test_what_a_client_that_was_away_has_missed_is_told_though_its_server_is_lost_as_well() -> None:
    """The network went, then the server: the answer was over, and its end waited."""
    async with Losable(chat=StoryChat(story=STORY), extensions=EXTENSIONS) as old:
        await old.ask("Tell me a story.", output_modalities=["text"])
        await old.until("response.output_text.delta", 2)
        old.reads.clear()
        await quiet(old)
        assert not old.session.responses.busy
        left = old.lose()
        assert "response.done" not in [event["type"] for event in left.events]
    async with Talk(extensions=EXTENSIONS, continues=left.continues(), ids="b") as new:
        ended = (await new.until("response.done"))["response"]
        assert ([ended["id"]], ended["status"]) == (created(left.events), "completed")
        item = new.of("conversation.item.done")[-1]["item"]
        assert item["content"][0]["text"].split() == WORDS
        assert not new.of("response.created")


@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize("away", [True, False])
@scripted
async def test_the_end_of_an_answer_is_told_though_the_second_server_is_lost_too(
    away: bool, beside: bool
) -> None:
    """`away`: the client was not there when the second one wanted to tell it."""
    where = {"conversation": "none"} if beside else {}
    async with Losable(chat=StoryChat(story=STORY), extensions=EXTENSIONS) as first:
        await first.ask("Tell me a story.", output_modalities=["text"], **where)
        await first.until("response.output_text.delta" if beside else "response.done")
        left = first.lose()
    waits = next(n for n, event in enumerate(left.events, 1) if event["type"] == "response.output_text.delta")
    left.events = left.events[:waits]
    before = {"before": left, "continues": left.continues()}
    async with Losable(extensions=EXTENSIONS, ids="b", reads=not away, **before) as second:
        await asyncio.sleep(0.5)
        again = second.lose()
    again.events = left.events  # nothing of it has arrived
    async with Talk(extensions=EXTENSIONS, continues=again.continues(), ids="c") as third:
        await asyncio.sleep(0.5)
        assert done(third.events) == created(left.events)


@pytest.mark.parametrize("arrived", [True, False])
@scripted
async def test_two_answers_in_a_row_are_both_heard_to_their_end(arrived: bool) -> None:
    """The second is made while the first one sounds, and its server is lost then."""
    async with Losable(
        chat=StoryChat(story=STORY, word_s=0.001), speech=FakeSpeech(factor=50.0), extensions=EXTENSIONS
    ) as old:
        await old.ask("Tell me a story.")
        await old.until("response.done")
        first = old.of("response.output_audio.delta")[0]["item_id"]
        first_ms = int(old.audio_ms())
        old.speech.factor = 1.0
        old.speech.first_s = 5.0 if arrived else 0.05
        await old.ask("Once more.")
        await old.until("response.created", 2)
        await asyncio.sleep(0.5)
        left = old.lose()
    assert len(left.snapshot.earlier) == 1
    told = {"item_id": first, "played_ms": 400, "received_ms": first_ms}
    async with Talk(
        chat=StoryChat(story=STORY), extensions=EXTENSIONS, continues=left.continues(**told), ids="b"
    ) as new:
        await quiet(new)
        assert said(new) == WORDS * 2
        assert bool(new.of("output_audio_buffer.cleared")) is not arrived
        assert not new.of("error")
        assert sorted(done(left.events, new.events)) == sorted(created(left.events, new.events))
