"""How long an answer may be, and in what pieces it goes on."""

from contextlib import aclosing

import pytest

from realtime.core.messages import ChatFinish, ChatUsage, TextDelta, ToolCallDelta
from realtime.replying.answer import (
    CALL_CHARACTERS,
    MAX_ANSWER_CHARACTERS,
    MAX_DELTA_CHARACTERS,
    in_bounds,
    is_whole,
)
from tests.conversing import scripted
from tests.fakes import call

STOP, LENGTH = ChatFinish("stop"), ChatFinish("length")


async def of(*events) -> list:
    async def model():
        for event in events:
            yield event

    async with aclosing(model()) as said:
        return [event async for event in in_bounds(said)]


def text(events) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


@scripted
async def test_an_ordinary_answer_passes_as_it_is():
    events = [
        TextDelta("It "),
        TextDelta(""),
        TextDelta("rains."),
        call("weather", "{}"),
        STOP,
        ChatUsage(3, 4),
    ]
    assert await of(*events) == events


@scripted
async def test_a_long_delta_comes_in_pieces_and_none_is_lost():
    story = "".join(map(str, range(30_000)))
    *pieces, end = await of(TextDelta(story), STOP)
    assert text(pieces) == story
    assert max(len(piece.text) for piece in pieces) == MAX_DELTA_CHARACTERS
    assert end == STOP


@pytest.mark.parametrize("delta", [1, 7, 90_001, 3_000_000])
def test_an_answer_ends_at_its_limit_whatever_its_deltas(delta: int):
    @scripted
    async def run():
        deltas = [TextDelta("x" * delta)] * min(300_000, MAX_ANSWER_CHARACTERS // delta + 2)
        *pieces, end = await of(*deltas, STOP, ChatUsage(3, 4))
        assert len(text(pieces)) == MAX_ANSWER_CHARACTERS
        assert end == LENGTH

    run()


@scripted
async def test_calls_count_as_text_does():
    """One with endless arguments is cut, and so are endlessly many."""
    *_, cut, end = await of(TextDelta("So: "), call("weather", '{"city": "' + "x" * 3_000_000 + '"}'), STOP)
    assert len(cut.arguments) < MAX_ANSWER_CHARACTERS
    assert not is_whole(cut)
    assert end == LENGTH
    fragments = [ToolCallDelta(0, "", "", "x" * 50)] * 9_000
    *_, end = await of(call("weather", '{"city": "'), *fragments, STOP)
    assert end == LENGTH
    *calls, end = await of(*(call("weather", "{}", index=index) for index in range(9_000)), STOP)
    assert len(calls) <= MAX_ANSWER_CHARACTERS / CALL_CHARACTERS
    assert end == LENGTH


@pytest.mark.parametrize("arguments", ["", " ", '{"city": "Os', '{"city": "Oslo"', "[" * 100_000])
def test_arguments_that_are_not_whole(arguments: str):
    assert not is_whole(call("weather", arguments))
    assert is_whole(call("weather", '{"city": "Oslo"}'))
