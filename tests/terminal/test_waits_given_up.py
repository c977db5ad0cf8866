"""A program waits for an event for some time, gives up, and waits again: nothing ends by that, and nothing is lost."""

import asyncio

import pytest
from realtime_client import ConnectionLost, connect

from tests.terminal.scripted_server import scripted_server

SHORT_S = 0.01


class Quiet:
    """A microphone that hears nothing."""

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        pass

    async def __aiter__(self):
        await asyncio.Event().wait()
        yield b""


class Hissing(Quiet):
    """A microphone that always hears something."""

    async def __aiter__(self):
        while True:
            yield bytes(96)
            await asyncio.sleep(0)


async def next_of(events):
    """The next event, after as many waits as it takes that are too short."""
    for _ in range(1000):
        try:
            return await asyncio.wait_for(anext(events), SHORT_S)
        except TimeoutError:
            continue
    raise AssertionError("it never came")


def ways_back():
    return [task for task in asyncio.all_tasks() if task.get_name() == "conversation: come back"]


@pytest.mark.parametrize("devices", [{}, {"microphone": Quiet()}], ids=["plain", "by voice"])
async def test_a_wait_that_is_given_up_does_not_end_the_iterator(devices):
    async def script(line):
        await line.greet()
        for number in range(3):
            await asyncio.sleep(5 * SHORT_S)
            await line.send("test.event", number=number)

    async with scripted_server(script) as (url, _), connect(url, **devices) as conversation:
        events = aiter(conversation)
        got = [await next_of(events) for _ in range(5)]
        assert [event.get("number") for event in got[2:]] == [0, 1, 2]
        await conversation.close()
        assert await conversation.receive() is None
        with pytest.raises(StopAsyncIteration):
            await anext(events)


async def test_a_lost_connection_comes_back_through_waits_that_are_too_short():
    times = 0

    async def script(line):
        nonlocal times
        times += 1
        await line.greet()
        if times == 1:
            line.socket.transport.abort()
        else:
            await line.send("test.event")

    async with asyncio.timeout(20), scripted_server(script) as (url, _), connect(url) as conversation:
        events = aiter(conversation)
        while (await next_of(events))["type"] != "test.event":
            pass
    assert times == 2


async def test_a_way_back_that_nobody_waits_for_ends_with_the_conversation():
    async def script(line):
        await line.greet()
        line.socket.transport.abort()

    async with scripted_server(script) as (url, _), connect(url) as conversation:
        for _ in range(2):
            await conversation.receive()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(conversation.receive(), SHORT_S)
    assert not ways_back()


DEVICES = pytest.mark.parametrize(
    "devices",
    [{}, {"microphone": Quiet()}, {"microphone": Hissing()}],
    ids=["plain", "by voice", "in a noisy room"],
)


async def greet_and_break(line):
    await line.greet()
    line.socket.transport.abort()


async def read_to_the_end(conversation):
    return [event["type"] async for event in conversation]


async def read_until_away(conversation):
    """The task that reads, once the line is lost."""
    lost = asyncio.Event()
    conversation.on_reconnecting = lost.set
    reader = asyncio.create_task(read_to_the_end(conversation))
    await lost.wait()
    return reader


@DEVICES
async def test_who_reads_while_another_closes_a_lost_conversation_comes_to_its_end(devices):
    async with scripted_server(greet_and_break) as (url, _), connect(url, **devices) as conversation:
        reader = await read_until_away(conversation)
        await conversation.close()
        async with asyncio.timeout(5):
            assert await reader == ["session.created", "conversation.created"]
            await conversation.ended()
        assert not conversation.away
        with pytest.raises(ConnectionLost, match=r"^The conversation was closed\.$"):
            await conversation.say("Hello")
        assert not ways_back()


async def test_who_reads_beyond_the_block_of_a_lost_conversation_begins_no_way_back():
    async with scripted_server(greet_and_break) as (url, _):
        async with connect(url) as conversation:
            reader = await read_until_away(conversation)
        async with asyncio.timeout(5):
            assert await reader == ["session.created", "conversation.created"]
        assert not ways_back()


@pytest.mark.parametrize("devices", [{}, {"microphone": Quiet()}], ids=["plain", "by voice"])
async def test_a_way_back_that_ends_with_a_bug_leaves_nobody_waiting(devices):
    def bug():
        raise ZeroDivisionError

    async with scripted_server(greet_and_break) as (url, _), connect(url, **devices) as conversation:
        conversation.on_reconnecting = bug
        async with asyncio.timeout(5):
            with pytest.raises(ZeroDivisionError):
                await read_to_the_end(conversation)
        assert not conversation.away
        with pytest.raises(ConnectionLost, match=r"^The connection to the server was lost\.$"):
            await conversation.say("Hello")


async def test_what_the_program_closed_itself_was_not_closed_by_the_server():
    async def script(line):
        await line.greet()

    async with scripted_server(script) as (url, _), connect(url) as conversation:
        pass
    with pytest.raises(ConnectionLost, match=r"^The conversation was closed\.$"):
        await conversation.say("Hello")


async def test_after_its_block_a_conversation_by_voice_has_ended():
    async def script(line):
        await line.greet()

    async with scripted_server(script) as (url, _), connect(url, microphone=Quiet()) as conversation:
        for _ in range(2):
            await conversation.receive()
    async with asyncio.timeout(5):
        await conversation.ended()
        assert await conversation.receive() is None
