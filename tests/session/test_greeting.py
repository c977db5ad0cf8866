"""What an operator lets the assistant say first: spoken like a reply, without a question to the chat model."""

import asyncio

from realtime.core.conversation import Message, Text
from realtime.server.persistence import StoredConversation
from realtime.settings import Settings
from tests.conversing import Talk, scripted


@scripted
async def test_the_greeting_is_said_first_and_the_model_is_not_asked():
    async with Talk(settings=Settings(voice_id="v1", greeting="Welcome. Ask me anything.")) as talk:
        done = await talk.until("response.done")
        assert done["response"]["status"] == "completed"
        assert (
            talk.of("response.output_audio_transcript.done")[0]["transcript"] == "Welcome. Ask me anything."
        )
        assert talk.audio_ms() > 0
        assert talk.chat.requests == []


@scripted
async def test_the_model_knows_afterwards_what_the_greeting_said():
    async with Talk(settings=Settings(voice_id="v1", greeting="Welcome.")) as talk:
        await talk.until("response.done")
        await talk.silence(3)
        await talk.ask("Hello.")
        await talk.until("response.done", 2)
        said = [(message.role, message.content) for message in talk.chat.requests[0].messages]
        assert said[-2:] == [("assistant", "Welcome."), ("user", "Hello.")]


@scripted
async def test_without_a_greeting_nobody_speaks_first():
    async with Talk() as talk:
        await talk.silence(3)
        assert talk.of("response.created") == []


@scripted
async def test_what_the_client_asks_for_meanwhile_waits_until_it_is_told_what_comes_first():
    """The end of a long stored conversation is told only to a client that reads."""
    told = [Message(f"item_{number}", "user", (Text("x" * 200_000),)) for number in range(9)]
    stored = {"conversation": StoredConversation("conv_1", tuple(told)).to_conversation()}
    settings = Settings(voice_id="v1", greeting="Welcome.")
    async with Talk(settings=settings, continues=stored, reads=False) as talk:
        asks = asyncio.create_task(talk.send("session.update", session={"instructions": "Be kind."}))
        await asyncio.sleep(1.0)
        assert not asks.done()
        talk.reads.set()
        await asks
        await talk.until("session.updated")
        types = talk.types
        assert types[:2] == ["session.created", "conversation.created"]
        assert types.count("conversation.item.done") >= 5
        assert types.index("session.updated") > types.index("response.created")
