"""The user's speech when a server is lost: it is heard anew, once, and answered."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from realtime.providers.base import Samples, Transcript
from realtime.tools import Toolbox
from tests.conversing import LOUD, SILENT, Talk, scripted
from tests.fakes import FakeChat, FakeTranscriber, call
from tests.session.moving import Left, Losable

BY_HAND = {"audio": {"input": {"turn_detection": None}}}


async def send_again(new: Talk, sound: list[bytes], from_ms: float) -> None:
    """As our clients do: what they have sent from there on, at once."""
    for number, pcm in enumerate(sound):
        if number * 20 >= from_ms - 1:
            await new.append(pcm)


def users(talk: Talk) -> list[str]:
    return [
        part.transcript or ""
        for item in talk.session.conversation.items
        if getattr(item, "role", "") == "user"
        for part in item.parts
    ]


async def say(talk: Talk, sound: list[bytes]) -> None:
    for pcm in sound:
        await talk.append(pcm)
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("asked", [True, False], ids=["asked", "not asked"])
@scripted
async def test_speech_that_the_client_committed_is_heard_anew(asked: bool) -> None:
    sound = [SILENT] * 30 + [LOUD] * 60
    slow = FakeTranscriber(["never"], interim=False, delay_s=60.0)
    async with Losable(transcriber=slow, extensions="resume", **BY_HAND) as old:
        await old.send("input_audio_buffer.commit")  # too little: nothing
        await say(old, sound)
        await old.send("input_audio_buffer.commit")
        item_id = (await old.until("conversation.item.done"))["item"]["id"]
        if asked:
            await old.send("response.create")
        await asyncio.sleep(0.1)
        assert old.session.leaving.must_stay is asked  # then the model has yet to write
        left = old.lose()
    chat = FakeChat([[(0.1, "The sea is blue.")]])
    heard = FakeTranscriber(["What is the sea?"], interim=False)
    continues = left.continues()
    async with Talk(
        chat=chat, transcriber=heard, extensions="resume", continues=continues, ids="b", **BY_HAND
    ) as new:
        assert new.session.input_audio_ms == 0
        await send_again(new, sound + [LOUD] * 20, new.session.input_audio_ms)
        told = await new.until("conversation.item.input_audio_transcription.completed")
        assert (told["item_id"], told["transcript"]) == (item_id, "What is the sea?")
        assert users(new) == ["What is the sea?"]
        ((seconds, _),) = heard.asked
        assert seconds == pytest.approx(1.8, abs=0.05), "not what was said after the commit"
        if asked:
            done = [(await new.until("response.done", count))["response"] for count in (1, 2)]
            assert [each["status"] for each in done] == ["failed", "completed"]
            assert len(chat.requests) == 1
            assert chat.requests[0].messages[-1].content == "What is the sea?"
        await new.send("input_audio_buffer.commit")
        await new.until("input_audio_buffer.committed")


@scripted
async def test_speech_that_never_comes_again_has_no_text_and_nobody_waits_for_ever() -> None:
    slow = FakeTranscriber(["never"], interim=False, delay_s=60.0)
    async with Losable(transcriber=slow, extensions="resume", **BY_HAND) as old:
        await say(old, [LOUD] * 60)
        await old.send("input_audio_buffer.commit")
        await old.send("response.create")
        await asyncio.sleep(0.1)
        left = old.lose()
    async with Talk(extensions="resume", continues=left.continues(), ids="b", **BY_HAND) as new:
        await new.until("conversation.item.input_audio_transcription.failed")
        done = (await new.until("response.done", 2))["response"]
        assert done["status_details"]["error"]["code"] == "transcription_failed"
        assert not new.of("error")


@scripted
async def test_a_turn_that_went_on_before_its_first_half_had_a_text_is_heard_whole() -> None:
    slow = FakeTranscriber(["never"], interim=False, delay_s=60.0)
    sound = [SILENT] * 20 + [LOUD] * 50 + [SILENT] * 40 + [LOUD] * 30
    async with Losable(transcriber=slow, extensions="resume") as old:
        await say(old, sound)
        assert len(old.of("input_audio_buffer.committed")) == 1
        left = old.lose()
    heard = FakeTranscriber(["What is", "the sea?"], interim=False)
    async with Talk(transcriber=heard, extensions="resume", continues=left.continues(), ids="b") as new:
        assert new.session.input_audio_ms < 500
        await send_again(new, sound + [SILENT] * 80, new.session.input_audio_ms)
        await new.until("response.done")
        assert users(new) == ["What is", "the sea?"]
        assert not new.of("conversation.item.deleted")
        assert len(new.of("response.created")) == 1


@pytest.mark.parametrize("padding_ms", [0, 3000])
@scripted
async def test_a_turn_that_has_its_text_is_not_heard_again_with_the_one_after_it(padding_ms: int) -> None:
    detection = {"type": "server_vad", "silence_duration_ms": 200, "prefix_padding_ms": padding_ms}
    session = {"audio": {"input": {"turn_detection": {**detection, "create_response": False}}}}
    sound = [SILENT] * 30 + [LOUD] * 50 + [SILENT] * 16 + [LOUD] * 50
    async with Losable(
        transcriber=FakeTranscriber(["One."], interim=False), extensions="resume", **session
    ) as old:
        await say(old, sound)
        assert users(old) == ["One."]
        ended_ms = old.of("input_audio_buffer.speech_stopped")[0]["audio_end_ms"]
        assert old.of("input_audio_buffer.speech_started")[1]["audio_start_ms"] >= ended_ms
        left = old.lose()
    heard = FakeTranscriber(["Two.", "never"], interim=False)
    async with Talk(
        transcriber=heard, extensions="resume", continues=left.continues(), ids="b", **session
    ) as new:
        assert new.session.input_audio_ms >= ended_ms
        await send_again(new, sound + [SILENT] * 50, new.session.input_audio_ms)
        await new.silence(1.0)
        assert users(new) == ["One.", "Two."]


async def slow_tool() -> str:
    """Do it."""
    await asyncio.sleep(5.0)
    return "done"


@scripted
async def test_a_server_that_stops_waits_for_a_tool() -> None:
    chat = FakeChat([[(0.1, call("slow_tool", "{}"))], [(0.1, "It is done.")]])
    async with Losable(chat=chat, server_tools=Toolbox([slow_tool])) as talk:
        assert not talk.session.leaving.must_stay
        await talk.ask("Do it.")
        await asyncio.sleep(2.0)
        assert talk.session.leaving.must_stay
        await talk.until("response.done", 2)
        assert not talk.session.leaving.must_stay


async def committed_and_lost(sound: list[bytes]) -> tuple[str, Left]:
    """A turn that the client ended itself; its server is lost before there is a text."""
    slow = FakeTranscriber(["never"], interim=False, delay_s=60.0)
    async with Losable(transcriber=slow, extensions="resume", **BY_HAND) as old:
        await say(old, sound)
        await old.send("input_audio_buffer.commit")
        item_id = (await old.until("conversation.item.done"))["item"]["id"]
        await asyncio.sleep(0.1)
        return item_id, old.lose()


@asynccontextmanager
async def went_on_without(item_id: str, left: Left, heard: FakeTranscriber) -> AsyncIterator[Talk]:
    """The session at another server; the first thing that its client does is to delete that turn."""
    async with Talk(
        transcriber=heard, extensions="resume", continues=left.continues(), ids="b", **BY_HAND
    ) as new:
        await asyncio.sleep(0)
        await new.send("conversation.item.delete", item_id=item_id)
        yield new


@scripted
async def test_speech_that_the_client_deletes_before_it_comes_again_is_no_part_of_the_next() -> None:
    sound = [LOUD] * 60
    item_id, left = await committed_and_lost(sound)
    heard = FakeTranscriber(["Something else."], interim=False)
    async with went_on_without(item_id, left, heard) as new:
        assert not new.session.unheard.segments
        await send_again(new, sound + [LOUD] * 20, new.session.input_audio_ms)
        await new.send("input_audio_buffer.commit")
        told = await new.until("conversation.item.input_audio_transcription.completed")
        assert told["item_id"] != item_id
        ((seconds, _),) = heard.asked
        assert seconds == pytest.approx(0.4, abs=0.05), "only what was said after the deleted turn"
        await asyncio.sleep(20.0)
        assert "conversation.item.input_audio_transcription.failed" not in new.types


@scripted
async def test_sound_that_comes_long_after_a_deleted_turn_should_have_come_again_is_another_turn() -> None:
    item_id, left = await committed_and_lost([LOUD] * 60)
    heard = FakeTranscriber(["Something else."], interim=False)
    async with went_on_without(item_id, left, heard) as new:
        await asyncio.sleep(11.0)
        await say(new, [LOUD] * 80)
        await new.send("input_audio_buffer.commit")
        await new.until("conversation.item.input_audio_transcription.completed")
        ((seconds, _),) = heard.asked
        assert seconds == pytest.approx(1.6, abs=0.05)


class SlowAtTheEnd(FakeTranscriber):
    """Has read nothing for good when its server is lost."""

    async def transcribe(self, samples: Samples, *, language: str | None, final: bool) -> Transcript:
        if final:
            await asyncio.sleep(60.0)
        return await super().transcribe(samples, language=language, final=final)


@scripted
async def test_the_last_delta_comes_from_the_other_server() -> None:
    sound = [SILENT] * 20 + [LOUD] * 100 + [SILENT] * 50
    interim = SlowAtTheEnd(interim_texts=["What is"] * 2 + ["What is the sea"] * 20)
    async with Losable(transcriber=interim, extensions="resume") as old:
        await say(old, sound)
        assert len(old.of("input_audio_buffer.committed")) == 1
        told = old.of("conversation.item.input_audio_transcription.delta")
        left = old.lose()
    heard = FakeTranscriber(["What is the sea, really?"], interim=False)
    async with Talk(transcriber=heard, extensions="resume", continues=left.continues(), ids="b") as new:
        await send_again(new, sound + [SILENT] * 80, new.session.input_audio_ms)
        completed = await new.until("conversation.item.input_audio_transcription.completed")
        told += new.of("conversation.item.input_audio_transcription.delta")
        assert len(told) > 1
        assert "".join(each["delta"] for each in told) == completed["transcript"]


@scripted
async def test_recordings_of_an_item_that_had_no_text_yet_fail_one_by_one() -> None:
    part = {"type": "input_audio", "audio": base64.b64encode(LOUD * 60).decode()}
    text = {"type": "input_text", "text": "Listen."}
    item = {"type": "message", "role": "user", "content": [text, part, part, part]}
    slow = FakeTranscriber(["One.", "never"], interim=False, delay_s=2.0)
    async with Losable(transcriber=slow, extensions="resume", **BY_HAND) as old:
        await old.send("conversation.item.create", item=item)
        first = await old.until("conversation.item.input_audio_transcription.completed")
        left = old.lose()
    async with Talk(extensions="resume", continues=left.continues(), ids="b", **BY_HAND) as new:
        await new.until("conversation.item.input_audio_transcription.failed", 2)
        failed = new.of("conversation.item.input_audio_transcription.failed")
        assert [each["content_index"] for each in (first, *failed)] == [1, 2, 3]
