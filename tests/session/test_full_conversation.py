"""A conversation with all the items it may have, in virtual time: the last question is answered, the next is refused."""

from realtime.core.conversation import MAX_ITEMS, Message
from tests.conversing import Talk, scripted
from tests.fakes import FakeTranscriber


def fill(talk: Talk, count: int) -> None:
    for number in range(count):
        talk.session.conversation.add(Message(f"old_{number}", "user"))


@scripted
async def test_the_last_item_is_answered_and_then_the_client_has_to_delete_some():
    async with Talk() as talk:
        fill(talk, MAX_ITEMS - 1)
        await talk.ask("Is there room?")
        assert (await talk.until("response.done"))["response"]["status"] == "completed"
        await talk.send("response.create")
        assert (await talk.until("error"))["error"]["code"] == "conversation_full"
        for number in range(2):
            await talk.send("conversation.item.delete", item_id=f"old_{number}")
        await talk.ask("And now?")
        assert (await talk.until("response.done", 2))["response"]["status"] == "completed"


@scripted
async def test_speech_that_does_not_fit_is_an_error_and_the_session_lives():
    async with Talk(transcriber=FakeTranscriber(["Hello."] * 4)) as talk:
        fill(talk, MAX_ITEMS)
        await talk.speak(0.8)
        await talk.silence(1.0)
        assert (await talk.until("error"))["error"]["code"] == "conversation_full"
        for number in range(3):
            await talk.send("conversation.item.delete", item_id=f"old_{number}")
        await talk.silence(1.0)
        await talk.speak(0.8)
        await talk.silence(2.0)
        assert (await talk.until("response.done"))["response"]["status"] == "completed"
