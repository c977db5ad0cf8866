"""A noise stops a reply while a tool of the server works for it: the tool works on, and its answer comes."""

import asyncio

import pytest

from realtime.core.messages import ChatFinish
from realtime.tools import Toolbox, tool
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeTranscriber, call
from tests.session.listeners import items_said, kept_of

ANSWER = [(0.1, "It is four degrees.")]
FINISH = (0.0, ChatFinish("tool_calls"))
WEATHER = [(0.1, call("get_weather", "{}")), FINISH]


class Tools:
    """`runs`: the tools that have begun, `ended`: those that were not stopped."""

    def __init__(self, weather_s: float = 5.0, time_s: float = 0.5) -> None:
        self.runs, self.ended = [], []
        self._seconds = {"weather": weather_s, "time": time_s}

    async def get_weather(self) -> str:
        """The weather."""
        return await self._work("weather", "four degrees")

    async def get_time(self) -> str:
        """The time."""
        return await self._work("time", "noon")

    async def _work(self, name: str, output: str) -> str:
        self.runs.append(name)
        await asyncio.sleep(self._seconds[name])
        self.ended.append(name)
        return output

    def talk(self, *answers, heard=("",), interim_texts=None, filler=None, **session) -> Talk:
        transcriber = FakeTranscriber(
            list(heard) * 9, interim=interim_texts is not None, interim_texts=interim_texts
        )
        toolbox = Toolbox([self.get_weather, self.get_time], filler=filler)
        return Talk(chat=FakeChat(list(answers)), transcriber=transcriber, server_tools=toolbox, **session)


async def noise(talk: Talk, after_s: float = 1.0, then_s: float = 9.0) -> None:
    await talk.silence(after_s)
    await talk.speak(1.5)
    await talk.silence(then_s)


def outputs(talk: Talk) -> list[str]:
    """What the model was told of its tools, in the last request."""
    return [said.content for said in talk.chat.requests[-1].messages if said.role == "tool"]


def said(talk: Talk) -> str:
    """The text of the last response."""
    (item,) = talk.of("response.done")[-1]["response"]["output"]
    return item["content"][0]["transcript"]


@pytest.mark.parametrize("weather_s", [5.0, 2.0], ids=["works on", "ends during the noise"])
@pytest.mark.parametrize("heard", ["", "Mhm."])
def test_the_question_is_answered(heard: str, weather_s: float):
    @scripted
    async def run():
        tools = Tools(weather_s)
        async with tools.talk(WEATHER, ANSWER, heard=[heard]) as talk:
            await talk.ask("What is the weather?")
            await noise(talk)
            statuses = [done["response"]["status"] for done in talk.of("response.done")]
            assert statuses == ["cancelled", "completed", "completed"]
            assert said(talk) == "It is four degrees."
            assert (tools.runs, outputs(talk)) == (["weather"], ["four degrees"])
            assert len(talk.chat.requests) == 2

    run()


@scripted
async def test_what_was_being_said_before_it_goes_on_first():
    words = "Let me look that up for you, it will take me a little moment."
    tools = Tools()
    async with tools.talk([(0.1, words), *WEATHER], ANSWER) as talk:
        await talk.ask("What is the weather?")
        await noise(talk, 0.5, 12.0)
        first, rest, answer = items_said(talk)
        assert f"{await kept_of(talk, first)} {await kept_of(talk, rest)}" == words
        assert await kept_of(talk, answer) == "It is four degrees."
        assert tools.runs == ["weather"]


@scripted
async def test_two_tools_of_which_one_has_ended():
    tools = Tools()
    both = [(0.1, call("get_time", "{}")), (0.0, call("get_weather", "{}", "call_2", 1)), FINISH]
    async with tools.talk(both, [(0.1, "Noon, and four degrees.")]) as talk:
        await talk.ask("The time and the weather?")
        await noise(talk)
        assert said(talk) == "Noon, and four degrees."
        assert (tools.runs, outputs(talk)) == (["time", "weather"], ["noon", "four degrees"])


@scripted
async def test_a_second_noise_changes_nothing():
    tools = Tools(weather_s=9.0)
    async with tools.talk(WEATHER, ANSWER) as talk:
        await talk.ask("What is the weather?")
        await noise(talk, then_s=1.5)
        assert talk.types.count("response.created") == 2, "the reply waits for the tool again"
        await noise(talk)
        assert said(talk) == "It is four degrees."
        assert (tools.runs, outputs(talk)) == (["weather"], ["four degrees"])


@scripted
async def test_the_filler_is_said_when_the_reply_goes_on():
    tools = Tools()
    async with tools.talk(WEATHER, ANSWER, filler="One moment.") as talk:
        await talk.ask("What is the weather?")
        await noise(talk, 0.3)
        filler, answer = items_said(talk)
        assert await kept_of(talk, filler) == "One moment."
        assert await kept_of(talk, answer) == "It is four degrees."
        order = [item.id for item in talk.session.conversation.items]
        called = next(e["item"]["id"] for e in talk.of("conversation.item.added") if "name" in e["item"])
        assert order.index(filler) < order.index(called) < order.index(answer)


@scripted
async def test_words_that_nobody_said_stop_it_and_it_is_not_run_again():
    tools = Tools()
    async with tools.talk(
        WEATHER, [(0.1, "It was stopped.")], interim_texts=["Stop that now please"] * 9
    ) as talk:
        await talk.ask("What is the weather?")
        await noise(talk)
        assert (tools.runs, tools.ended) == (["weather"], [])
        (output,) = outputs(talk)
        assert "It may have happened" in output
        assert said(talk) == "It was stopped."


@scripted
async def test_words_end_it():
    tools = Tools()
    async with tools.talk(WEATHER, [(0.1, "Never mind.")], heard=["Forget it, please."]) as talk:
        await talk.ask("What is the weather?")
        await noise(talk)
        assert (tools.runs, tools.ended) == (["weather"], [])
        assert said(talk) == "Never mind."


@scripted
async def test_the_client_asks_where_its_tool_was_called_as_well():
    tools = Tools()
    both = [(0.1, call("get_weather", "{}")), (0.0, call("lamp_on", "{}", "call_2", 1)), FINISH]
    lamp = {"type": "function", "name": "lamp_on"}
    async with tools.talk(both, ANSWER, tools=[lamp]) as talk:
        await talk.ask("The weather, and the lamp.")
        await noise(talk)
        assert talk.types.count("response.created") == 1
        given = [item.output for item in talk.session.conversation.items if hasattr(item, "output")]
        assert given == ["four degrees"], "and the client's answer will have it"


@scripted
async def test_a_tool_may_be_slow_as_long_as_its_own_limit_allows():
    """Longer than a model may be silent: that counts for nobody who waits for a tool."""

    @tool(timeout_s=60.0)
    async def get_weather() -> str:
        """The weather."""
        await asyncio.sleep(35)
        return "four degrees"

    transcriber = FakeTranscriber([""] * 9, interim=False)
    chat, tools = FakeChat([WEATHER, ANSWER]), Toolbox([get_weather])
    async with Talk(chat=chat, transcriber=transcriber, server_tools=tools) as talk:
        await talk.ask("What is the weather?")
        await noise(talk, then_s=40.0)
        statuses = [done["response"]["status"] for done in talk.of("response.done")]
        assert statuses == ["cancelled", "completed", "completed"]
        assert said(talk) == "It is four degrees."
