"""Tools that the server runs itself: when they are run, and what the model is asked afterwards."""

import asyncio

from realtime.protocol.objects import InputText, MessageItem
from realtime.tools import Toolbox
from tests.contexts import Bench
from tests.conversing import scripted
from tests.fakes import FakeChat, call
from tests.replying.test_responses import Side


@scripted
async def test_a_response_with_an_input_of_its_own_goes_on_with_what_its_tools_gave():
    async def get_weather() -> str:
        """The weather."""
        return "rain"

    bench = Bench(chat=FakeChat([[(0.01, call("get_weather", "{}"))], [(0.01, "Rain.")]]))
    side = Side(bench, Toolbox([get_weather], timeout_s=1.0))
    question = MessageItem(id="q", role="user", content=(InputText("And the weather?"),))
    response = side.reply(input=(question,))
    await side.ended(response)
    side.responses.continue_after(response.id, side.request, side.marks())
    await side.ended(side.responses.active)
    asked = bench.context.providers.chat.requests[1].messages
    assert [(message.role, message.content) for message in asked[1:]] == [
        ("user", "And the weather?"),
        ("assistant", ""),
        ("tool", "rain"),
    ]
    await side.close()


@scripted
async def test_no_tool_is_run_behind_the_gate():
    """What a tool did cannot be taken back: it waits until it is certain that the reply counts."""
    runs = []

    async def unlock() -> str:
        """Unlock the door."""
        runs.append("unlock")
        return "open"

    bench = Bench(chat=FakeChat([[(0.1, call("unlock", "{}")), (0.1, "Done.")]]))
    side = Side(bench, Toolbox([unlock], timeout_s=1.0))
    options = side.options()
    response = side.responses.prepare(options, side.request(options), side.marks())
    side.responses.start(response)
    await asyncio.sleep(2)
    assert runs == []
    assert bench.context.conversation.items == ()
    side.responses.open(response)
    await side.ended(response)
    assert runs == ["unlock"]
    await side.close()
