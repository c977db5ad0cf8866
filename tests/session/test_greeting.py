"""What an operator lets the assistant say first: spoken like a reply, without a question to the chat model."""

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
