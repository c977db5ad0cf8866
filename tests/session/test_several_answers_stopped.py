"""A noise stops several answers at once, as one is still played when the next is there; in virtual time."""

import asyncio

import pytest

from realtime.errors import ProviderRejected, ProviderUnavailable
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber
from tests.session.listeners import items_said, kept_of

COUNT = (
    "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty."
)  # 60 ms a character
ABC = "Alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar."


def talk_of(*answers, interim_texts=None) -> Talk:
    chat = FakeChat([[(0.1, each)] if isinstance(each, str) else each for each in answers])
    transcriber = FakeTranscriber([""] * 9, interim=interim_texts is not None, interim_texts=interim_texts)
    return Talk(chat=chat, speech=FakeSpeech(factor=50), transcriber=transcriber)


async def noise(talk: Talk, then_s: float = 4.0) -> dict:
    """Stops all that sounds; returns the last response, and its output, when it is done."""
    await talk.speak(1.5)
    await talk.silence(then_s)
    return talk.of("response.done")[-1]["response"]


def said(response: dict) -> str:
    (item,) = response["output"]
    (part,) = item["content"]
    return part["transcript"]


@scripted
async def test_a_written_answer_in_between_leaves_the_rest_of_a_spoken_one_spoken():
    async with talk_of(COUNT, "Noted.") as talk:
        await talk.ask("Count.", audio={"output": {"voice": "marin", "format": {"type": "audio/pcmu"}}})
        output = (await talk.until("response.done"))["response"]["audio"]["output"]
        await talk.silence(1)
        await talk.ask("Note that.", output_modalities=["text"], metadata={"kind": "note"})
        assert (await talk.until("response.done", 2))["response"]["output_modalities"] == ["text"]
        await talk.silence(0.5)
        rest = await noise(talk)
        kept = await kept_of(talk, items_said(talk)[0])
        assert rest["output_modalities"] == ["audio"]
        assert rest["audio"]["output"] == output, "the voice and the format that sounded"
        assert rest["metadata"] is None
        assert said(rest).strip() == COUNT.removeprefix(kept).strip()
        assert len(items_said(talk)) == 2


@scripted
async def test_what_sounded_is_spoken_with_what_was_still_being_written():
    async with talk_of(COUNT, [(0.1, "It is noted "), (1.5, "on the list.")]) as talk:
        await talk.ask("Count.")
        await talk.until("response.done")
        await talk.silence(1)
        await talk.ask("Note that.", output_modalities=["text"])
        rest = await noise(talk)
        kept = await kept_of(talk, items_said(talk)[0])
        assert rest["output_modalities"] == ["audio"]
        unheard = COUNT.removeprefix(kept).strip()
        assert said(rest).split() == f"{unheard} on the list.".split()


@scripted
async def test_a_written_answer_that_was_stopped_alone_stays_written():
    async with talk_of("It is noon.", [(0.1, "It is noted "), (2.5, "on the list.")]) as talk:
        await talk.ask("What time is it?")
        await talk.until("response.done")
        await asyncio.sleep(3)
        await talk.ask("Note that.", output_modalities=["text"])
        rest = await noise(talk)
        assert rest["output_modalities"] == ["text"]
        assert rest["output"][0]["content"][0]["text"] == "on the list."
        assert talk.types.count("response.created") == 3


@scripted
async def test_a_deleted_answer_does_not_take_the_next_one_with_it():
    """Something of the first was heard before its item was deleted: it does not come again, and the second one does."""
    async with talk_of(COUNT, ABC) as talk:
        await talk.ask("Count.")
        await talk.until("response.done")
        await talk.silence(1)
        await talk.ask("Now the letters.")
        await talk.until("response.done", 2)
        first, second = items_said(talk)
        await talk.send("conversation.item.delete", item_id=first)
        await talk.silence(0.5)
        rest = await noise(talk, 3)
        assert talk.types.count("response.created") == 3
        assert await kept_of(talk, second) == ""
        assert said(rest).strip() == ABC


SLOW = [(9.0, "And five.")]
REFUSED = [(0.1, ProviderRejected("no", code="content_filter"))]


@pytest.mark.parametrize(
    "interim_texts", [None, ["Stop that now please"] * 9], ids=["nothing read", "words that nobody said"]
)
def test_a_question_of_which_nothing_had_come_is_answered_after_the_rest(interim_texts):
    """The model that was to answer it is still asked, or was stopped and is asked again."""

    @scripted
    async def run():
        async with talk_of(COUNT, SLOW, "And five.", interim_texts=interim_texts) as talk:
            await talk.ask("Count.")
            await talk.until("response.done")
            await talk.silence(1)
            await talk.ask("And more?")
            await talk.silence(0.5)
            rest = await noise(talk, 14.0)
            kept = await kept_of(talk, items_said(talk)[0])
            assert said(rest).split() == f"{COUNT.removeprefix(kept)} And five.".split()
            asked = [request.messages[-1].content for request in talk.chat.requests[1:]]
            assert set(asked) == {"And more?"}
            assert len(asked) == (1 if interim_texts is None else 2)

    run()


@scripted
async def test_a_question_that_was_refused_is_not_asked_again():
    async with talk_of(COUNT, REFUSED, REFUSED) as talk:
        await talk.ask("Count.")
        await talk.until("response.done")
        await talk.silence(1)
        await talk.ask("And more?")
        await talk.silence(0.5)
        rest = await noise(talk)
        kept = await kept_of(talk, items_said(talk)[0])
        assert said(rest).strip() == COUNT.removeprefix(kept).strip()
        assert len(talk.chat.requests) == 2


@scripted
async def test_of_an_answer_that_broke_off_what_had_sounded_is_said():
    """Its client knows that it has failed: the model is not asked for the rest."""
    broken = [(0.1, f"{ABC} "), (0.1, "Papa quebec romeo."), (0.5, ProviderUnavailable("down"))]
    async with talk_of(broken, "Papa.") as talk:
        await talk.ask("The letters.")
        assert (await talk.until("response.done"))["response"]["status"] == "failed"
        announced = "".join(event["delta"] for event in talk.of("response.output_audio_transcript.delta"))
        await talk.silence(1)
        rest = await noise(talk, 8)
        kept = await kept_of(talk, items_said(talk)[0])
        assert kept
        assert f"{kept} {said(rest).strip()}" == announced.strip()
        assert len(talk.chat.requests) == 1


@scripted
async def test_nothing_stands_between_the_rests_of_chinese_answers():
    first, second = "今天天气很好我们一起去海边走走吧，小狗在沙滩上跑来跑去。", "明天也是这样。"
    async with talk_of(first, second) as talk:
        await talk.ask("天气怎么样？")
        await talk.until("response.done")
        await talk.silence(0.5)
        await talk.ask("明天呢？")
        await talk.until("response.done", 2)
        rest = await noise(talk)
        kept = await kept_of(talk, items_said(talk)[0])
        assert said(rest) == first.removeprefix(kept) + second
