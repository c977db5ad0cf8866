"""What sounds and what was heard, alone: replies with sound, a clock that is moved by hand, a player's word."""

import asyncio

import pytest

from realtime.core.conversation import Message, OutputSpeech
from realtime.core.messages import WordTime
from realtime.core.turn_marks import Marks
from realtime.outbox import Outgoing
from realtime.protocol import server_events as events
from realtime.replying.playout import Playout
from realtime.replying.reply_sound import ReplySound
from tests.contexts import Bench
from tests.conversing import scripted

WORDS = (WordTime(0, 3, 0, 300), WordTime(4, 7, 400, 700), WordTime(8, 13, 800, 1000))  # one two three


async def reply(bench: Bench, playout: Playout, number: int = 1, *, sent_ms: float = 1000.0) -> ReplySound:
    """A reply of one second of sound, "one two three", of which so much has left; the rest is unsent."""
    sound = ReplySound(f"resp_{number}", Marks("response_create", 0.0))
    playout.begin(sound)
    sound.item_id = f"item_{number}"
    bench.context.conversation.add(Message(sound.item_id, "assistant", status="in_progress"))
    bench.context.conversation.speaks(sound.item_id, sound.part)
    sound.part.begin_chunk(0, "one two three")
    sound.part.set_words(0, WORDS)
    sound.part.add_audio(0, 1000.0)
    sound.part.finish_chunk(0)
    if sent_ms:
        sound.playback.sent(sent_ms, asyncio.get_running_loop().time())
    if sent_ms < 1000:
        delta = events.ResponseOutputAudioDelta(
            response_id=sound.response_id, item_id=sound.item_id, output_index=0, delta=b"\0\0"
        )
        await bench.outbox.put_audio(Outgoing(delta, sound.response_id, 1000.0 - sent_ms))
    sound.complete = True
    bench.context.conversation.update_speech(sound.item_id, "completed")
    return sound


def heard(bench: Bench, number: int = 1) -> str:
    item = bench.context.conversation.get(f"item_{number}")
    return "".join(part.transcript for part in item.parts if isinstance(part, OutputSpeech))


@scripted
async def test_a_cut_discards_once_and_keeps_what_was_heard():
    bench = Bench()
    playout = Playout(bench.context)
    sound = await reply(bench, playout, sent_ms=600.0)
    await asyncio.sleep(0.35)
    assert playout.unheard_s() == pytest.approx(0.65)
    discarded, discard = [], bench.outbox.discard
    bench.outbox.discard = lambda response_id: discarded.append(response_id) or discard(response_id)
    assert playout.cut() == []
    assert discarded == ["resp_1"]
    assert (sound.discarded_ms, playout.unheard_s()) == (400.0, 0.0)
    assert heard(bench) == "one"
    assert playout.cut() == []
    assert discarded == ["resp_1"], "a reply that is over and cut is left alone"


@scripted
@pytest.mark.parametrize("by_client", [True, False])
@pytest.mark.parametrize(("stopped", "left_s"), [(1, 2.0), (2, 1.6), (3, 1.6)])
async def test_what_waits_behind_a_reply_that_is_stopped_sounds_sooner(
    stopped: int, left_s: float, by_client: bool
):
    bench = Bench()
    playout = Playout(bench.context)
    for number in (1, 2, 3):
        await reply(bench, playout, number)
    await asyncio.sleep(0.4)
    assert playout.unheard_s() == pytest.approx(2.6)
    if by_client:
        assert playout.stopped_by_client(f"item_{stopped}")
    else:
        playout.cut(f"resp_{stopped}")
    assert playout.unheard_s() == pytest.approx(left_s)
    await asyncio.sleep(left_s + 0.1)
    assert not playout.sounds()


@scripted
async def test_replies_sound_one_after_the_other():
    bench = Bench()
    playout = Playout(bench.context)
    await reply(bench, playout, 1)
    await reply(bench, playout, 2)
    assert playout.unheard_s() == pytest.approx(2.0)
    await asyncio.sleep(1.5)
    playout.cut()
    assert heard(bench, 1) == "one two three"
    assert heard(bench, 2) == "one"


@scripted
async def test_what_was_heard_to_its_end_is_not_cut():
    bench = Bench()
    playout = Playout(bench.context)
    await reply(bench, playout)
    await asyncio.sleep(1.01)
    assert playout.cut() == []
    assert heard(bench) == "one two three"
    assert bench.context.conversation.get("item_1").status == "completed"


@scripted
async def test_a_player_that_acknowledges_is_asked_and_has_the_last_word():
    bench = Bench(extensions="playback")
    playout = Playout(bench.context)
    await reply(bench, playout)
    await asyncio.sleep(0.35)
    assert [event.response_id for event in playout.cut()] == ["resp_1"]
    assert heard(bench) == "one"
    told = playout.played("item_1", 650, drained=False, flushed=True)
    assert [type(event) for event in told] == [
        events.OutputAudioBufferStarted,
        events.ConversationItemTruncated,
    ]
    assert (told[1].audio_end_ms, told[1].transcript) == (650, "one two")
    assert heard(bench) == "one two"
    assert playout.settle(playout.awaiting_flush()) == []


@scripted
async def test_a_player_that_does_not_answer_is_not_waited_for():
    bench = Bench(extensions="playback")
    playout = Playout(bench.context)
    await reply(bench, playout)
    await asyncio.sleep(0.35)
    playout.cut()
    await asyncio.sleep(0.3)
    told = playout.settle(playout.awaiting_flush())
    assert [(event.audio_end_ms, event.transcript) for event in told] == [(350, "one")]
    assert playout.awaiting_flush() == ()


@scripted
async def test_a_player_that_throws_its_audio_away_by_itself_is_believed():
    bench = Bench(extensions="playback")
    playout = Playout(bench.context)
    await reply(bench, playout)
    await asyncio.sleep(0.5)
    (_, told) = playout.played("item_1", 350, drained=False, flushed=True)
    assert (told.audio_end_ms, told.transcript) == (350, "one")
    assert heard(bench) == "one"
    assert playout.awaiting_flush() == ()


@scripted
async def test_a_player_that_answered_is_not_settled_again_by_the_timeout():
    bench = Bench(extensions="playback")
    playout = Playout(bench.context)
    await reply(bench, playout)
    await asyncio.sleep(0.35)
    playout.cut()
    waiting = playout.awaiting_flush()
    playout.played("item_1", 350, drained=False, flushed=True)
    assert playout.settle(waiting) == []
    assert heard(bench) == "one"


@scripted
async def test_nothing_is_heard_while_the_listener_is_away():
    bench = Bench()
    playout = Playout(bench.context)
    await reply(bench, playout)
    await asyncio.sleep(0.2)
    playout.pause()
    await asyncio.sleep(60)
    assert playout.unheard_s() == pytest.approx(0.8)
    playout.resume()
    assert playout.unheard_s() == pytest.approx(0.8)
    await asyncio.sleep(0.3)
    playout.cut()
    assert heard(bench) == "one"


@scripted
async def test_a_cut_stays_where_it_was_while_the_listener_is_away():
    """Interrupted, then the line breaks before the player has answered: the words heard are those of then."""
    bench = Bench(extensions="playback")
    playout = Playout(bench.context)
    await reply(bench, playout)
    await asyncio.sleep(0.75)
    playout.cut()
    assert heard(bench) == "one two"
    playout.pause()
    await asyncio.sleep(20)
    playout.resume()
    told = playout.settle(playout.awaiting_flush())
    assert [(event.audio_end_ms, event.transcript) for event in told] == [(750, "one two")]


@scripted
async def test_who_waits_for_a_listener_waits_until_one_is_there():
    playout = Playout(Bench().context)
    playout.resume()  # nobody was away
    await playout.attended()
    playout.pause()
    waiting = asyncio.create_task(playout.attended())
    await asyncio.sleep(5)
    assert not waiting.done()
    playout.resume()
    await waiting


@scripted
async def test_a_position_of_an_unknown_item_or_beyond_the_audio_is_no_news():
    bench = Bench(extensions="playback")
    playout = Playout(bench.context)
    sound = await reply(bench, playout, sent_ms=600.0)
    assert playout.played("item_9", 100, drained=False, flushed=False) == []
    playout.played("item_1", 5000, drained=False, flushed=False)
    assert sound.playback.heard_ms(asyncio.get_running_loop().time()) == 600.0
    assert playout.sent_ms("item_1") == 600.0
    assert playout.sent_ms("item_9") is None


@scripted
async def test_the_end_is_told_once_the_player_has_played_it():
    bench = Bench(extensions="playback")
    playout = Playout(bench.context)
    await reply(bench, playout)
    assert [type(event) for event in playout.played("item_1", 200, drained=False, flushed=False)] == [
        events.OutputAudioBufferStarted
    ]
    assert playout.played("item_1", 100, drained=False, flushed=False) == []
    assert [type(event) for event in playout.played("item_1", 1000, drained=True, flushed=False)] == [
        events.OutputAudioBufferStopped
    ]
    assert playout.unheard_s() == 0


@scripted
async def test_a_flush_after_the_last_word_cuts_nothing():
    bench = Bench(extensions="playback")
    playout = Playout(bench.context)
    await reply(bench, playout)
    await asyncio.sleep(1.2)
    playout.played("item_1", 1000, drained=False, flushed=True)
    assert heard(bench) == "one two three"
    assert bench.context.conversation.get("item_1").status == "completed"


@scripted
async def test_of_replies_that_were_heard_nothing_is_kept():
    bench = Bench()
    playout = Playout(bench.context)
    for number in range(1, 50):
        await reply(bench, playout, number)
        await asyncio.sleep(1.1)
    assert len(playout._sounds) <= 2
