"""What early answers may cost, where the conversation changes while the user speaks."""

import asyncio

from realtime.core.conversation import Message, Text
from realtime.core.turn_end import MOST_QUESTIONS
from realtime.errors import ProviderUnavailable
from realtime.settings import Settings
from tests.contexts import Bench
from tests.conversing import scripted
from tests.fakes import FakeChat
from tests.replying.test_responses import STORY, Side


@scripted
async def test_a_turn_costs_no_more_because_the_conversation_changes_in_it():
    chat = FakeChat([STORY] * 20)
    bench = Bench(chat=chat, settings=Settings(speculate="chat"))
    side = Side(bench)
    for count in range(2 * MOST_QUESTIONS):
        bench.context.conversation.add(Message(f"item_{count}", "user", (Text("A note."),)))
        side.speculation.suppose(f"I want {count}.", side.options(), side.marks())
        await asyncio.sleep(0.05)
    assert len(chat.requests) == MOST_QUESTIONS
    side.speculation.turn_began()
    side.speculation.suppose("And now?", side.options(), side.marks())
    await asyncio.sleep(0.05)
    assert len(chat.requests) == MOST_QUESTIONS + 1
    await side.close()


@scripted
async def test_an_answer_that_has_failed_says_so_as_soon_as_anybody_is_told():
    """Its voice, or a tool, may take a moment to stop."""
    side = Side(Bench(chat=FakeChat([[(0.05, ProviderUnavailable("overloaded"))]])))
    options = side.options()
    response = side.responses.prepare(options, side.request(options), side.marks())
    told: list[bool] = []
    response.guess(lambda _: told.append(response.failed))
    side.responses.start(response)
    await asyncio.sleep(0.1)
    assert told == [True]
    side.responses.discard(response)
    await side.close()
