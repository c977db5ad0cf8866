"""The outbox: order, discarding, limits, closing."""

import asyncio
import weakref

import pytest

from realtime import outbox as module
from realtime.outbox import ROOM_BYTES, Outbox, OutboxFull, Outgoing
from realtime.protocol.server_events import (
    ConversationItemInputAudioTranscriptionDelta,
    InputAudioBufferCleared,
    ResponseOutputAudioDelta,
)
from tests.conversing import scripted

CONTROL = InputAudioBufferCleared()


def audio(ms: float, response_id: str = "r1", sent=None) -> Outgoing:
    event = ResponseOutputAudioDelta(response_id=response_id, item_id="i", output_index=0, delta=b"")
    return Outgoing(event, response_id, ms, sent)


def drain(outbox: Outbox) -> list[str]:
    """All queued events: "control", or the response id of an audio event."""
    found = []
    while (outgoing := outbox.take_now()) is not None:
        found.append(outgoing.response_id if outgoing.audio_ms else "control")
    return found


@scripted
async def test_events_and_audio_keep_their_order():
    outbox = Outbox()
    outbox.put(CONTROL)
    await outbox.put_audio(audio(100))
    outbox.put(CONTROL, "r1")
    await outbox.put_audio(audio(100, "r2"))
    assert drain(outbox) == ["control", "r1", "control", "r2"]
    assert outbox.take_now() is None


@scripted
async def test_take_waits_for_the_next_event():
    outbox = Outbox()
    taking = asyncio.create_task(outbox.take())
    await asyncio.sleep(1)
    assert not taking.done()
    outbox.put(CONTROL)
    assert (await taking).event is CONTROL


@scripted
async def test_only_audio_waits_while_too_much_is_unsent():
    outbox = Outbox(max_unsent_audio_ms=250)
    for _ in range(3):
        await outbox.put_audio(audio(100))
    waiting = asyncio.create_task(outbox.put_audio(audio(100)))
    await asyncio.sleep(1)
    assert not waiting.done()
    outbox.put(CONTROL)
    assert outbox.unsent_audio_ms == 300
    outbox.take_now()
    await asyncio.sleep(0)
    assert waiting.done()
    assert drain(outbox) == ["r1", "r1", "control", "r1"]
    assert outbox.unsent_audio_ms == 0


@scripted
async def test_only_the_audio_of_one_reply_is_discarded():
    outbox = Outbox()
    outbox.put(CONTROL, "r1")
    await outbox.put_audio(audio(100, "r1"))
    await outbox.put_audio(audio(70, "r2"))
    await outbox.put_audio(audio(50, "r1"))
    assert outbox.discard("r1") == 150
    assert outbox.discard("r1") == 0
    assert outbox.unsent_audio_ms == 70
    assert drain(outbox) == ["control", "r2"]


@scripted
async def test_discarding_lets_waiting_audio_in():
    outbox = Outbox(max_unsent_audio_ms=100)
    await outbox.put_audio(audio(100, "r1"))
    waiting = asyncio.create_task(outbox.put_audio(audio(100, "r2")))
    await asyncio.sleep(1)
    outbox.discard("r1")
    await asyncio.sleep(0)
    assert waiting.done()


@scripted
async def test_the_callback_is_called_only_for_taken_audio():
    outbox, sent = Outbox(), []
    for ms in (100, 80):
        await outbox.put_audio(audio(ms, sent=sent.append))
    assert sent == []
    outbox.take_now()
    outbox.discard("r1")
    assert sent == [100]


@scripted
async def test_too_many_events_raise_outbox_full():
    outbox = Outbox()
    for _ in range(module.MAX_UNSENT_EVENTS):
        outbox.put(CONTROL)
    with pytest.raises(OutboxFull):
        outbox.put(CONTROL)


LARGE = ConversationItemInputAudioTranscriptionDelta(item_id="i", delta="x" * (ROOM_BYTES // 2))


@scripted
async def test_too_many_bytes_raise_outbox_full():
    outbox = Outbox()
    for _ in range(15):
        outbox.put(LARGE)
    with pytest.raises(OutboxFull):
        outbox.put(LARGE)
    assert outbox.unsent_bytes <= module.MAX_UNSENT_BYTES


@scripted
async def test_there_is_room_until_a_mebibyte_waits_and_again_when_it_has_left():
    outbox = Outbox()
    outbox.put(LARGE)
    await outbox.room()
    outbox.put(LARGE)
    waiting = asyncio.create_task(outbox.room())
    await asyncio.sleep(1)
    assert not waiting.done()
    outbox.take_now()
    await waiting
    outbox.take_now()
    assert outbox.unsent_bytes == 0


@scripted
async def test_audio_takes_no_room_and_the_end_ends_the_wait():
    outbox = Outbox()
    await outbox.put_audio(audio(100))
    assert outbox.unsent_bytes == 0
    for _ in range(2):
        outbox.put(LARGE)
    waiting = asyncio.create_task(outbox.room())
    await asyncio.sleep(0)
    outbox.close()
    await waiting


@scripted
async def test_a_closed_outbox_returns_queued_events_and_ignores_new_ones():
    outbox = Outbox(max_unsent_audio_ms=100)
    outbox.put(CONTROL)
    await outbox.put_audio(audio(100))
    waiting = asyncio.create_task(outbox.put_audio(audio(100)))
    taking = [asyncio.create_task(outbox.take()) for _ in range(3)]
    await asyncio.sleep(0)
    outbox.close()
    await waiting
    outbox.put(CONTROL)
    first, second, third = await asyncio.gather(*taking)
    assert first.event is CONTROL
    assert second.audio_ms == 100
    assert third is None, "an event after close() was kept"


def test_repr_shows_the_queue_length():
    outbox = Outbox()
    outbox.put(CONTROL)
    assert repr(outbox) == "<Outbox 1 events, 0 ms of audio unsent>"


async def test_a_closed_outbox_keeps_nobody_who_waited_for_its_audio():
    class Reply:
        def sent(self, audio_ms):
            raise AssertionError("nobody asks any more")

    outbox, reply = Outbox(), Reply()
    kept = weakref.ref(reply)
    await outbox.put_audio(audio(20.0, sent=reply.sent))
    outbox.close()
    del reply
    assert kept() is None
    assert outbox.take_now().audio_ms == 20.0
