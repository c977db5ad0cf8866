"""An answer that a noise has stopped goes on from the first word not heard to its end, and history is what was heard."""

from __future__ import annotations

import asyncio

import pytest

from realtime.core.conversation import Message, OutputSpeech
from realtime.errors import ProviderUnavailable
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber, call, functions
from tests.wire_laws import WireLaws

WORDS = "Once there was a small dog, and it lived by the sea. Every day it ran along the beach until it met a cat. "
STORY = WORDS * 2
ALL_AT_ONCE = [(0.1, STORY)]


def slowly(text: str, every_s: float = 0.25) -> list[tuple[float, str]]:
    """A chat model that is still writing when it is interrupted."""
    return [(every_s, f"{word} ") for word in text.split()]


def noisy(*texts: str | Exception, answer=ALL_AT_ONCE, then="Yes?", **session) -> Talk:
    """A conversation whose answer is disturbed; the transcriber makes these texts of the sounds."""
    transcriber = FakeTranscriber(list(texts), interim_texts=[], delay_s=0.08)
    chat = FakeChat([answer, [(0.1, then)], [(0.1, then)]])
    return Talk(chat=chat, speech=FakeSpeech(factor=3.0), transcriber=transcriber, **session)


async def disturb(talk: Talk, seconds: float = 1.7, before_s: float = 1.5) -> None:
    """A sound of such length while the answer is heard; it is longer than what may be a murmur."""
    await talk.silence(before_s)
    await talk.speak(seconds)
    await talk.silence(1.2)


def responses(talk: Talk) -> list[dict]:
    return [event["response"] for event in talk.of("response.done")]


def spoken(talk: Talk) -> list[str]:
    """What history says that the assistant said, item by item."""
    messages = [item for item in talk.session.conversation.items if isinstance(item, Message)]
    parts = [part for message in messages for part in message.parts if isinstance(part, OutputSpeech)]
    return [part.transcript for part in parts]


def check_order(talk: Talk, extensions: str = "") -> None:
    laws = WireLaws(extensions)
    for event in talk.events:
        laws.see(event)
    laws.close(heard={}, silent=True)


@pytest.mark.parametrize("text", ["", "Mm-hmm.", "嗯。", "Yeah, yeah.", "真的吗？"])
@pytest.mark.parametrize("answer", [ALL_AT_ONCE, slowly(STORY)])
def test_what_was_not_heard_is_said_without_asking_again(text, answer):
    @scripted
    async def disturbed():
        async with noisy(text, answer=answer) as talk:
            await talk.ask("Tell me a story.")
            await talk.until("response.output_audio.delta")
            await disturb(talk)
            await talk.until("response.done", 2, timeout_s=200.0)
            await talk.silence(20.0)
            first, second = responses(talk)
            assert first["status_details"]["reason"] == "turn_detected"
            assert second["status"] == "completed"
            assert len(talk.chat.requests) == 1
            assert talk.chat.running == 0
            heard, rest = spoken(talk)
            assert f"{heard} {rest}".split() == STORY.split()
            assert heard
            assert rest
            assert talk.metrics.interruptions_taken_back._value.get() == 1
            check_order(talk)

    disturbed()


@scripted
async def test_a_noise_after_the_end_of_generation_is_taken_back_too():
    async with noisy("") as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.done")
        await disturb(talk, before_s=2.0)
        await talk.until("response.done", 2)
        assert [each["status"] for each in responses(talk)] == ["completed", "completed"]
        await talk.silence(20.0)
        heard, rest = spoken(talk)
        assert f"{heard} {rest}".split() == STORY.split()
        assert len(talk.chat.requests) == 1
        check_order(talk)


@scripted
async def test_the_clients_word_for_what_was_heard_decides_where_it_goes_on():
    async with noisy("") as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta")
        talking = asyncio.create_task(disturb(talk))
        await talk.until("input_audio_buffer.speech_started")
        item_id = talk.of("response.output_audio.delta")[0]["item_id"]
        await talk.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=700)
        await talking
        await talk.until("response.done", 2)
        await talk.silence(20.0)
        heard, rest = spoken(talk)
        assert heard in ("Once there", "Once there was")
        assert f"{heard} {rest}".split() == STORY.split()


@pytest.mark.parametrize("extensions", ["playback", ""])
@pytest.mark.parametrize(
    ("played_ms", "counts", "whole"), [(900, 4, 4), (1000, 5, 4), (1116, 5, 5), (1300, 6, 5)]
)
def test_a_word_of_which_the_end_was_not_heard_is_said_again(extensions, played_ms, counts, whole):
    """As far as is known, the fifth word sounds from 806 to 1116 ms, and the sixth one from then on to 1426 ms."""

    @scripted
    async def disturbed():
        async with noisy("", extensions=extensions) as talk:
            await talk.ask("Tell me a story.")
            await talk.until("response.output_audio.delta")
            talking = asyncio.create_task(disturb(talk))
            await talk.until("input_audio_buffer.speech_started")
            item_id = talk.of("response.output_audio.delta")[0]["item_id"]
            if extensions:
                at = {"item_id": item_id, "played_ms": played_ms, "state": "flushed"}
                await talk.send("output_audio_buffer.played", **at)
            else:
                at = {"item_id": item_id, "audio_end_ms": played_ms, "content_index": 0}
                await talk.send("conversation.item.truncate", **at)
            assert spoken(talk)[0].split() == WORDS.split()[:counts], "until it is known to go on"
            await talking
            await talk.until("response.done", 2)
            await talk.silence(20.0)
            heard, rest = spoken(talk)
            assert heard.split() == WORDS.split()[:whole]
            assert f"{heard} {rest}".split() == STORY.split()
            told = [event.get("transcript", "").split() for event in talk.of("conversation.item.truncated")]
            if extensions:
                assert list(map(len, told)) == ([counts] if counts == whole else [counts, whole])
                check_order(talk, extensions)

    disturbed()


@scripted
async def test_noise_after_noise_takes_nothing_away():
    async with noisy("", "Mm.", "", answer=slowly(STORY * 2)) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta")
        for _ in range(3):
            await disturb(talk, before_s=2.5)
        await talk.until("response.done", 4, timeout_s=200.0)
        await talk.silence(20.0)
        assert " ".join(spoken(talk)).split() == (STORY * 2).split()
        assert len(talk.chat.requests) == 1
        check_order(talk)


@scripted
async def test_two_sounds_in_a_row_are_both_waited_for():
    async with noisy("", "") as talk:
        talk.transcriber.delay_s = 0.9
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta")
        await talk.silence(1.0)
        await talk.speak(1.7)
        await talk.silence(0.7)  # the turn is over, and its text is not known
        await talk.speak(0.5)
        await talk.silence(3.0)
        await talk.until("response.done", 2)
        assert talk.metrics.interruptions_taken_back._value.get() == 1
        check_order(talk)


@scripted
async def test_words_end_the_answer_and_the_chat_model_with_it():
    async with noisy("What about cats, then?", answer=slowly(STORY)) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta")
        talk.transcriber.interim_texts = [""] * 6 + ["What about cats"] * 9
        await talk.silence(1.0)
        speaking = asyncio.create_task(talk.speak(3.0))
        await talk.until("input_audio_buffer.speech_started")
        assert talk.chat.running == 1, "it may have been a noise"
        await asyncio.sleep(0.8)
        assert not speaking.done()
        assert talk.chat.running == 0, "it was none"
        await speaking
        await talk.silence(1.2)
        await talk.until("response.done", 2)
        assert talk.chat.requests[1].messages[-1].content == "What about cats, then?"
        assert talk.metrics.interruptions_taken_back._value.get() == 0


@scripted
async def test_a_model_that_was_stopped_by_words_that_nobody_said_is_asked_to_go_on():
    async with noisy("", answer=slowly(STORY), then="It had nine lives.") as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta")
        talk.transcriber.interim_texts = ["Thanks for your help"]
        await disturb(talk)
        assert talk.chat.running == 0
        await talk.until("response.done", 2)
        await talk.silence(20.0)
        heard, rest = spoken(talk)
        *_, said, wish = talk.chat.requests[1].messages
        assert (said.role, wish.role) == ("assistant", "user")
        written = f"{heard} {rest}"
        assert written.endswith("It had nine lives.")
        assert said.content.split() == written.removesuffix("It had nine lives.").split()
        assert STORY.startswith(said.content)


@pytest.mark.parametrize("seconds", [0.3, 1.0])
@scripted
async def test_an_answer_that_had_not_begun_to_sound_is_not_lost(seconds):
    async with noisy("", "", answer=[(4.0, STORY)]) as talk:
        await talk.ask("Tell me a story.")
        await disturb(talk, seconds=1.7, before_s=seconds)
        await talk.until("response.done", 2, timeout_s=200.0)
        assert len(talk.chat.requests) == 1
        await talk.silence(20.0)
        assert "".join(spoken(talk)).split() == STORY.split()


@scripted
async def test_a_written_answer_goes_on_where_it_stopped():
    async with noisy("", answer=slowly(STORY), output_modalities=["text"]) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.output_text.delta", 4)
        await disturb(talk)
        await talk.until("response.done", 2)
        texts = [event["text"] for event in talk.of("response.output_text.done")]
        assert " ".join(texts).split() == STORY.split()
        check_order(talk)


@scripted
async def test_a_call_that_was_still_to_come_comes():
    answer = [
        *slowly("Let me look at the weather in Oslo for you now."),
        (0.2, call("weather", '{"city":')),
        (0.2, call("", '"Oslo"}', call_id="")),
    ]
    async with noisy("", answer=answer, tools=functions("weather")) as talk:
        await talk.ask("How is the weather?")
        await talk.until("response.output_audio.delta")
        await disturb(talk, before_s=0.4)
        await talk.until("response.done", 2)
        calls = talk.of("response.function_call_arguments.done")
        assert [(each["name"], each["arguments"]) for each in calls] == [("weather", '{"city":"Oslo"}')]
        check_order(talk)


NO_TEXT = ProviderUnavailable("Nobody is there.")


@pytest.mark.parametrize(
    ("texts", "session"),
    [
        ((NO_TEXT, NO_TEXT, NO_TEXT), {}),
        (("",), {"audio": {"input": {"turn_detection": {"type": "server_vad", "create_response": False}}}}),
    ],
)
@pytest.mark.parametrize("answer", [ALL_AT_ONCE, slowly(STORY)])
def test_who_cannot_be_read_can_stop_an_answer_and_the_client_may_keep_the_turns(texts, session, answer):
    @scripted
    async def stopped():
        async with noisy(*texts, answer=answer, **session) as talk:
            await talk.ask("Tell me a story.")
            await talk.until("response.output_audio.delta")
            await disturb(talk)
            await talk.silence(5.0)
            assert [each["status"] for each in responses(talk)] in (["cancelled"], ["completed"])
            assert talk.chat.running == 0

    stopped()


async def cancel(talk: Talk) -> None:
    await talk.send("response.cancel")


async def clear(talk: Talk) -> None:
    await talk.send("output_audio_buffer.clear")


async def write(talk: Talk) -> None:
    content = [{"type": "input_text", "text": "Enough."}]
    await talk.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})


async def drop(talk: Talk) -> None:
    await talk.send("input_audio_buffer.clear")


@pytest.mark.parametrize("act", [cancel, clear, write, drop])
def test_a_client_that_acts_meanwhile_has_the_last_word(act):
    @scripted
    async def stopped():
        async with noisy("", answer=slowly(STORY), extensions="playback") as talk:
            await talk.ask("Tell me a story.")
            await talk.until("response.output_audio.delta")
            await talk.silence(1.0)
            speaking = asyncio.create_task(talk.speak(1.7))
            await talk.until("input_audio_buffer.speech_started")
            await act(talk)
            await speaking
            await talk.silence(5.0)
            assert len(talk.of("response.created")) == 1
            assert talk.chat.running == 0

    stopped()


@scripted
async def test_a_yes_at_the_very_end_is_an_answer_and_a_hum_is_none():
    for said, answers in (("Yes.", 2), ("Mm-hmm.", 1)):
        async with noisy(
            said, answer=[(0.1, "That is all I know about dogs. Shall I tell you more of it?")]
        ) as talk:
            await talk.ask("Hello.")
            await talk.until("response.done")
            speaking = asyncio.create_task(disturb(talk, before_s=0.0))
            await talk.until("input_audio_buffer.speech_started")
            at = {"item_id": talk.of("response.output_audio.delta")[0]["item_id"], "content_index": 0}
            await talk.send("conversation.item.truncate", **at, audio_end_ms=int(talk.audio_ms()))
            await speaking
            await talk.silence(4.0)
            assert len(talk.of("response.created")) == answers, said


@pytest.mark.parametrize("heard", [False, True])
def test_a_deleted_item_is_said_whole_if_its_player_can_have_played_nothing(heard):
    """LiveKit deletes what it has not played; its player is behind what the server believes."""

    @scripted
    async def run():
        async def client(talk):
            await talk.until("input_audio_buffer.speech_started")
            await asyncio.sleep(0.1)
            item = talk.of("response.output_item.added")[0]["item"]
            await talk.send("conversation.item.delete", item_id=item["id"])

        async with noisy("", answer=[(0.9, STORY)]) as talk:
            deletes = asyncio.create_task(client(talk))
            await talk.ask("Tell me a story.")
            await disturb(talk, before_s=2.0 if heard else 0.0)
            await deletes
            await talk.silence(5)
            assert talk.of("conversation.item.deleted")
            assert spoken(talk) == ([] if heard else [STORY])

    run()


@scripted
async def test_where_nothing_is_left_to_say_nobody_writes_on():
    """Its item was deleted after some of it was heard, and the model still wrote it."""

    async def client(talk: Talk):
        await talk.until("input_audio_buffer.speech_started")
        item = talk.of("response.output_item.added")[0]["item"]
        await talk.send("conversation.item.delete", item_id=item["id"])

    async with noisy("", answer=slowly(STORY * 3)) as talk:
        deletes = asyncio.create_task(client(talk))
        await talk.ask("Tell me a story.")
        await disturb(talk, before_s=2.5)
        await deletes
        await talk.silence(1.0)
        assert talk.types.count("response.created") == 1
        assert talk.chat.running == 0
