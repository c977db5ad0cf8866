"""An answer that its lost server counted as over: the client still plays it, and cuts it at the new server as at the old."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.conversing import Talk, scripted
from tests.fakes import FakeSpeech, FakeTranscriber
from tests.session.listeners import UnevenSpeech
from tests.session.moving import Losable, StoryChat
from tests.session.test_moved import STORY, WORDS, quiet, said

RESUME, PLAYBACK = "resume", "playback,resume"
FAST = {"speech": FakeSpeech(factor=100.0)}


def chat() -> StoryChat:
    return StoryChat(story=STORY, word_s=0.001)


async def heard(talk: Talk) -> str:
    """The item of the last answer, which the server counts as over."""
    count = len(talk.of("response.created")) + 1
    await talk.ask("Tell me a story.")
    await talk.until("response.done", count)
    await asyncio.sleep(talk.audio_ms() / 1000 + 1.0)
    assert talk.session.responses.unfinished is None
    return talk.of("response.output_audio.delta")[-1]["item_id"]


async def cut(talk: Talk, item_id: str, ms: int) -> tuple[dict, list[str]]:
    """What the client is told when it cuts this item, and what counts then."""
    before = len(talk.events)
    await talk.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=ms)
    await asyncio.sleep(0.01)
    told = [
        event for event in talk.events[before:] if event["type"] in ("conversation.item.truncated", "error")
    ]
    kept = {name: value for name, value in told[0].items() if name not in ("event_id", "at", "seq")}
    return kept, said(talk)


@pytest.mark.parametrize("later_s", [0.0, 60.0])
@pytest.mark.parametrize("extensions", [RESUME, PLAYBACK])
@pytest.mark.parametrize("ms", [0, 900, 2000, 5000, 5900, 7400, 90_000])
@scripted
async def test_an_answer_that_was_over_is_cut_as_at_the_lost_server(
    ms: int, extensions: str, later_s: float
) -> None:
    async with Losable(chat=chat(), extensions=extensions, **FAST) as old:
        item_id = await heard(old)
        await asyncio.sleep(later_s)
        left = old.lose()
        there = await cut(old, item_id, ms)
    async with Talk(extensions=extensions, continues=left.continues(), ids="b") as new:
        await quiet(new)
        assert (said(new), new.events) == (WORDS, [])
        assert await cut(new, item_id, ms) == there
        beyond = ms > old.audio_ms() + 1000
        assert there[0]["type"] == ("error" if beyond else "conversation.item.truncated")


@pytest.mark.parametrize("seed", range(20))
@scripted
async def test_whatever_a_voice_is_like_the_same_words_count(seed: int) -> None:
    dice = random.Random(seed)
    async with Losable(chat=chat(), extensions=RESUME, speech=UnevenSpeech(dice)) as old:
        item_id = await heard(old)
        left = old.lose()
        cuts = sorted((dice.randrange(int(old.audio_ms())) for _ in range(12)), reverse=True)
        there = [await cut(old, item_id, ms) for ms in cuts]
    async with Talk(extensions=RESUME, continues=left.continues(), ids="b") as new:
        await quiet(new)
        assert [await cut(new, item_id, ms) for ms in cuts] == there


@scripted
async def test_all_the_last_answers_can_be_cut_also_after_a_second_server_was_lost() -> None:
    async with Losable(chat=chat(), extensions=RESUME, **FAST) as first:
        items = [await heard(first) for _ in range(3)]
        left = first.lose()
        there = [await cut(first, item_id, 2500) for item_id in items]
    before = {"before": left, "continues": left.continues()}
    async with Losable(extensions=RESUME, ids="b", **before) as second:
        await quiet(second)
        assert await cut(second, items[0], 2500) == (there[0][0], there[0][1])
        left = second.lose()
    async with Talk(extensions=RESUME, continues=left.continues(), ids="c") as third:
        await quiet(third)
        assert [await cut(third, item_id, 2500) for item_id in items] == there


@scripted
async def test_the_word_of_a_client_can_only_be_made_shorter_at_the_next_server_too() -> None:
    async with Losable(chat=chat(), extensions=RESUME, **FAST) as old:
        item_id = await heard(old)
        await cut(old, item_id, 3000)
        left = old.lose()
        there = [await cut(old, item_id, ms) for ms in (4000, 1500)]
    async with Talk(extensions=RESUME, continues=left.continues(), ids="b") as new:
        await quiet(new)
        assert [await cut(new, item_id, ms) for ms in (4000, 1500)] == there
        assert there[0][0]["audio_end_ms"] == 3000


@pytest.mark.parametrize("how", ["conversation.item.truncate", "interruption"])
@scripted
async def test_an_answer_that_was_cut_while_it_was_made_is_cut_again_as_there(how: str) -> None:
    """Of an interruption the server only has an estimate, and the client's word counts, also if it is more."""
    stop = FakeTranscriber(["Wait, stop that, please."])
    async with Losable(
        chat=StoryChat(story=STORY, word_s=0.01),
        extensions=RESUME,
        speech=FakeSpeech(factor=2.0),
        transcriber=stop,
    ) as old:
        await old.ask("Tell me a story.")
        item_id = (await old.until("response.output_audio.delta", 9))["item_id"]
        if how == "interruption":
            await old.speak(1.0)
            await old.until("input_audio_buffer.speech_started")
        else:
            await cut(old, item_id, 1500)
        left = old.lose()
        sent_ms = int(old.audio_ms())
        there = [(await cut(old, item_id, ms))[0] for ms in (sent_ms, 800)]
        words = said(old)
    async with Talk(extensions=RESUME, continues=left.continues(), ids="b") as new:
        await quiet(new)
        assert [(await cut(new, item_id, ms))[0] for ms in (sent_ms, 800)] == there
        assert said(new) == words


@pytest.mark.parametrize("flushes", [True, False])
@scripted
async def test_a_player_that_was_told_to_flush_says_to_the_next_server_where_it_stopped(
    flushes: bool,
) -> None:
    """As at one server: it says so, or is not waited for any longer, and is told what counts."""
    stop = FakeTranscriber(["Wait, stop that, please."])
    async with Losable(chat=chat(), extensions=PLAYBACK, transcriber=stop, **FAST) as old:
        await old.ask("Tell me a story.")
        await old.until("response.done")
        item_id = old.of("response.output_audio.delta")[0]["item_id"]
        await old.send("output_audio_buffer.played", item_id=item_id, played_ms=250)
        await asyncio.sleep(1.0)
        speaks = asyncio.create_task(old.speak(1.0))
        await old.until("output_audio_buffer.cleared")
        left = old.lose()
        estimate = said(old)
        speaks.cancel()
    async with Talk(extensions=PLAYBACK, continues=left.continues(), ids="b") as new:
        await asyncio.sleep(0.05)
        assert new.types == ["input_audio_buffer.cleared"]
        if flushes:
            flush = {"item_id": item_id, "played_ms": 400, "state": "flushed"}
            await new.send("output_audio_buffer.played", **flush)
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        (told,) = new.of("conversation.item.truncated")
        assert told["transcript"].split() == said(new)
        assert said(new) == (WORDS[:2] if flushes else estimate)
        assert len(estimate) > 2
        assert new.types == ["input_audio_buffer.cleared", "conversation.item.truncated"]


@scripted
async def test_a_player_that_never_got_the_word_to_flush_is_told_again() -> None:
    stop = FakeTranscriber(["Wait, stop that, please."])
    async with Losable(chat=chat(), extensions=PLAYBACK, transcriber=stop, **FAST) as old:
        await old.ask("Tell me a story.")
        await old.until("response.done")
        before = len(old.events)
        speaks = asyncio.create_task(old.speak(1.0))
        response_id = (await old.until("output_audio_buffer.cleared"))["response_id"]
        left = old.lose()
        speaks.cancel()
    continues = left.continues(last_seq=before)
    async with Talk(extensions=PLAYBACK, continues=continues, ids="b") as new:
        await asyncio.sleep(0.05)
        (told,) = new.of("output_audio_buffer.cleared")
        assert told["response_id"] == response_id


@scripted
async def test_words_that_no_longer_change_are_encoded_once_and_only_the_last_are_kept(monkeypatch) -> None:
    from realtime.server import recorded_speech

    encoded = []
    encode = recorded_speech.encode_words
    monkeypatch.setattr(recorded_speech, "encode_words", lambda part: encoded.append(part) or encode(part))
    async with Losable(chat=chat(), extensions=RESUME, **FAST) as old:
        items = []
        for _ in range(9):
            items.append(await heard(old))
            for _ in range(3):
                left = old.lose()
    assert len(encoded) == 9
    seconds = old.audio_ms() / 9 / 1000
    assert [each.item_id for each in left.snapshot.said] == items[-int(20 // seconds + 1) :]


@pytest.mark.parametrize("seed", range(40))
@scripted
async def test_answers_are_cut_as_at_the_lost_server_whenever_it_is_lost(seed: int) -> None:
    """One or two that are made, and that sound or have sounded, as the server believes; some were cut before."""
    dice = random.Random(seed)
    extensions = dice.choice([RESUME, PLAYBACK])
    async with Losable(chat=chat(), extensions=extensions, speech=UnevenSpeech(dice)) as old:
        count = dice.choice([1, 1, 2, 3])
        for number in range(1, count + 1):
            await old.ask("Tell me a story.")
            await old.until("response.done", number)
            await asyncio.sleep(dice.choice([0.0, 1.0, 30.0]))
        sounds = {event["item_id"]: 0.0 for event in old.of("response.output_audio.delta")}
        items = list(sounds)[-2:]
        if dice.random() < 0.3:
            await cut(old, dice.choice(items), dice.randrange(5000))
        left = old.lose()
        cuts = [(dice.choice(items), dice.randrange(7000)) for _ in range(4)]
        there = [await cut(old, *each) for each in cuts]
    before = {"before": left, "continues": left.continues()}
    async with Losable(chat=chat(), extensions=extensions, ids="b", **before) as new:
        await asyncio.sleep(dice.choice([0.05, 20.0]))
        assert not new.of("response.created")
        left = new.lose()
        assert [await cut(new, *each) for each in cuts] == there
    async with Talk(chat=chat(), extensions=extensions, continues=left.continues(), ids="c") as third:
        await asyncio.sleep(0.05)
        assert not third.of("response.created")
        assert [await cut(third, *each) for each in cuts] == there
