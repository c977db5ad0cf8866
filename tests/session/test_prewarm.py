"""A session has the voice of its next reply ready before it is asked for, whatever the client changes meanwhile."""

import asyncio

from realtime.providers.base import Voice
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech
from tests.providers.minimax.scripted_speech import ScriptedClient
from tests.providers.minimax.test_speech_losses import provider


def spoken(client: ScriptedClient):
    speech = provider(client)
    speech.open_now = 0  # a `Talk` asks its voice
    return speech


def now() -> float:
    return asyncio.get_running_loop().time() - 1000.0


G711 = {"type": "audio/pcmu"}


def output(**fields) -> dict:
    return {"type": "realtime", "audio": {"output": fields}}


@scripted
async def test_a_new_voice_format_or_speed_is_warmed_by_the_update_itself():
    speech = FakeSpeech()
    async with Talk(speech=speech) as talk:
        await asyncio.sleep(0.01)
        await talk.send("session.update", session=output(voice="v2"))
        await talk.send("session.update", session=output(format=G711))
        await talk.send("session.update", session=output(speed=1.25))
        await talk.send("session.update", session=output(speed=9))
        await talk.send("session.update", session={"type": "realtime", "instructions": "Be brief."})
    assert speech.prewarmed == [
        Voice("v1"), Voice("v2"), Voice("v2", 8000), Voice("v2", 8000, 1.25),
    ]  # fmt: skip


@scripted
async def test_connections_are_asked_for_as_long_as_a_silent_session_lives():
    chat, speech = FakeChat(), FakeSpeech()
    async with Talk(chat=chat, speech=speech):
        await asyncio.sleep(300.0)
        assert len(speech.prewarmed) >= 6
        assert chat.prewarmed >= 6


@scripted
async def test_the_turn_after_a_change_of_voice_and_format_opens_no_connection():
    """Over the provider itself: two turns, a change between them, and what the second one had to wait for."""
    client = ScriptedClient()
    speech = spoken(client)
    chat = FakeChat([[(0.1, "Good evening.")], [(0.1, "Good evening.")]])
    async with Talk(speech=speech, chat=chat) as talk:
        await asyncio.sleep(1.0)
        delays = []
        for turn in (1, 2):
            opened, asked_s, before = client.sockets, now(), len(talk.of("response.output_audio.delta"))
            await talk.ask("Hello?")
            first = await talk.until("response.output_audio.delta", before + 1)
            delays.append(first["at"] - asked_s)
            assert client.sockets == opened
            await talk.until("response.done", turn)
            await talk.send("session.update", session=output(voice="v2", format=G711))
            await asyncio.sleep(1.0)
        assert abs(delays[1] - delays[0]) < 0.001
    await speech.aclose()


@scripted
async def test_the_voice_is_ready_however_long_nobody_speaks():
    client = ScriptedClient()
    speech = spoken(client)
    async with Talk(speech=speech) as talk:
        for minutes in (5, 7, 20):
            await asyncio.sleep(minutes * 60 + 17)  # not at the moment when something is renewed
            opened = client.sockets
            await talk.ask("Hello?")
            await talk.until("response.done", len(talk.of("response.done")) + 1)
            assert client.sockets == opened, f"the voice was cold after {minutes} minutes"
            assert client.sessions[-1].texts, "and the newest connection is the one that spoke"
    await asyncio.sleep(700)
    assert client.open_now == 0, "nobody keeps a voice warm for a session that is over"
    await speech.aclose()


@scripted
async def test_a_client_that_tries_every_voice_does_not_fill_our_memory():
    async with Talk(chat=FakeChat([[(0.0, "Yes.")]] * 60), speech=FakeSpeech(first_s=0.0, factor=99)) as talk:
        for number in range(60):
            await talk.ask("Yes?", audio={"output": {"voice": f"voice {number}"}})
            await talk.until("response.done", number + 1)
        assert len(talk.session.responses._speaking_rates) <= 16
