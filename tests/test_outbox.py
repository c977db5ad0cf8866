"""What waits for the socket: order, taking back, bounds, the end."""

import asyncio

import pytest

from realtime import outbox as module
from realtime.outbox import Outbox, OutboxFull, Outgoing
from realtime.protocol.server_events import InputAudioBufferCleared, ResponseOutputAudioDelta
from tests.conversing import scripted

CONTROL = InputAudioBufferCleared()


def audio(ms: float, response_id: str = "r1", sent=None) -> Outgoing:
    event = ResponseOutputAudioDelta(response_id=response_id, item_id="i", output_index=0, delta=b"")
    return Outgoing(event, response_id, ms, sent)


def taken(outbox: Outbox) -> list[str]:
    """What can be taken now: "control", or the reply whose audio it is."""
    found = []
    while (outgoing := outbox.take_now()) is not None:
        found.append(outgoing.response_id if outgoing.audio_ms else "control")
    return found


@scripted
async def test_events_and_audio_leave_in_their_order():
    outbox = Outbox()
    outbox.put(CONTROL)
    await outbox.put_audio(audio(100))
    outbox.put(CONTROL, "r1")
    await outbox.put_audio(audio(100, "r2"))
    assert taken(outbox) == ["control", "r1", "control", "r2"]
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
async def test_audio_waits_for_room_and_control_events_do_not():
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
    assert taken(outbox) == ["r1", "r1", "control", "r1"]
    assert outbox.unsent_audio_ms == 0


@scripted
async def test_audio_of_one_reply_is_taken_back_and_nothing_else():
    outbox = Outbox()
    outbox.put(CONTROL, "r1")
    await outbox.put_audio(audio(100, "r1"))
    await outbox.put_audio(audio(70, "r2"))
    await outbox.put_audio(audio(50, "r1"))
    assert outbox.discard("r1") == 150
    assert outbox.discard("r1") == 0
    assert outbox.unsent_audio_ms == 70
    assert taken(outbox) == ["control", "r2"]


@scripted
async def test_taking_back_makes_room():
    outbox = Outbox(max_unsent_audio_ms=100)
    await outbox.put_audio(audio(100, "r1"))
    waiting = asyncio.create_task(outbox.put_audio(audio(100, "r2")))
    await asyncio.sleep(1)
    outbox.discard("r1")
    await asyncio.sleep(0)
    assert waiting.done()


@scripted
async def test_the_reply_learns_what_the_socket_took_and_only_that():
    outbox, sent = Outbox(), []
    for ms in (100, 80):
        await outbox.put_audio(audio(ms, sent=sent.append))
    assert sent == []
    outbox.take_now()
    outbox.discard("r1")
    assert sent == [100]


@scripted
async def test_a_reader_who_never_reads_is_given_up():
    outbox = Outbox()
    for _ in range(module.MAX_UNSENT_EVENTS):
        outbox.put(CONTROL)
    with pytest.raises(OutboxFull):
        outbox.put(CONTROL)


@scripted
async def test_a_closed_outbox_is_emptied_and_takes_no_more():
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
    assert third is None, "what came after the end was not kept"


def test_an_outbox_shows_how_full_it_is():
    outbox = Outbox()
    outbox.put(CONTROL)
    assert repr(outbox) == "<Outbox 1 events, 0 ms of audio unsent>"
