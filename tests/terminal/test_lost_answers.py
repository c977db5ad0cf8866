"""An answer of a session that was lost, which still sounds: it can be stopped, and the new session is told what counts."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from realtime_client import connect
from realtime_client.files import FileSpeaker
from realtime_client.terminal import Terminal

from tests.eventually import WITHIN_S, eventually
from tests.terminal.scripted_server import scripted_server
from tests.terminal.test_terminal import Paper, sound

WORDS = [(f"word{number} ", number * 100, number * 100 + 100) for number in range(200)]
HEARD_MS = 300  # of it, when the server is lost
TEXT = "".join(text for text, _, _ in WORDS).rstrip()


def heard_of(ms):
    return "".join(text for text, start_ms, end_ms in WORDS if (start_ms + end_ms) / 2 <= ms).rstrip()


async def item(line, name, role, previous, text):
    """An item of the conversation has its place."""
    kind = "input_text" if role == "user" else "output_audio"
    content = [{"type": kind, "text" if role == "user" else "transcript": text}] if text else []
    told = {"id": name, "type": "message", "role": role, "content": content}
    await line.send("conversation.item.added", item=told, previous_item_id=previous)


async def answer(line, heard, *, whole=True, ms=20_000):
    """20 s are sent at once; the server is gone when something of it was `heard`."""
    await line.greet()
    asked = (await line.expect("conversation.item.create"))["item"]["id"]
    await item(line, asked, "user", None, "Tell me a story.")
    await line.expect("response.create")
    await line.open_reply()
    await item(line, "item_1", "assistant", asked, "")
    await line.text(TEXT)
    await line.words(*WORDS)
    for _ in range(0, ms, 1000):
        await line.audio(sound(1000))
    if whole:
        await line.send("response.output_audio_transcript.done", transcript=TEXT, **line.part)
        await line.close_reply()
    await heard.wait()
    await line.socket.close(1012, "server_draining")


@asynccontextmanager
async def after_a_restart(second, *, first=answer, **more):
    """A conversation whose answer still sounds, and the second server's line. `second`: what that server does."""
    heard, met = asyncio.Event(), []

    async def script(line):
        met.append(line)
        await (second(line) if len(met) > 1 else first(line, heard))

    def on_heard(position):
        if position.played_ms >= HEARD_MS:
            heard.set()

    options = {name: more.pop(name) for name in ("extensions",) if name in more}
    async with (
        asyncio.timeout(WITHIN_S),
        scripted_server(script, **options) as (url, lines),
        connect(url, speaker=FileSpeaker(), headphones=True, **more) as talk,
    ):
        talk.on_heard = on_heard
        await talk.say("Tell me a story.")
        await eventually(lambda: len(lines) == 2)
        yield talk, lines[1]


async def cut_of(talk):
    async for event in talk:
        if event["type"] == "conversation.item.truncated":
            return event
    raise AssertionError


async def told_again(line, count):
    """The text of the answer as the new session was last told it, and after which item."""
    event = await line.expect("conversation.item.create", count)
    return event["item"]["id"], event["item"]["content"][0]["text"], event.get("previous_item_id")


async def speech(line):
    await line.greet()
    await line.expect("conversation.item.create", 2)
    await line.send("input_audio_buffer.speech_started", audio_start_ms=100, item_id="item_9")


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
@pytest.mark.parametrize("extensions", [("playback", "words"), ("words",)], ids=["playback", "stock"])
async def test_speech_stops_it_and_the_new_session_is_told_what_was_heard(binary, extensions):
    async with after_a_restart(speech, binary=binary, extensions=extensions) as (talk, line):
        cut = await cut_of(talk)
        assert (cut["item_id"], cut["content_index"]) == ("item_1", 0)
        assert cut["transcript"] == heard_of(cut["audio_end_ms"]) != TEXT
        assert not talk.playing
        asked, answered = line.of_type("conversation.item.create")[:2]
        assert answered["item"]["content"][0]["text"] == TEXT, "it sounded on"
        assert await line.expect("conversation.item.delete", item_id="item_1")
        assert await told_again(line, 3) == ("item_1", cut["transcript"], asked["item"]["id"])
        kinds = {event["type"] for event in line.said}
        assert not kinds & {"output_audio_buffer.played", "conversation.item.truncate"}


async def test_an_interruption_stops_it_before_there_is_a_new_session():
    """The new session is told at once what was heard."""
    there = asyncio.Event()

    async def second(line):
        await there.wait()
        await line.greet()

    async with after_a_restart(second) as (talk, line):
        assert talk.playing
        await talk.interrupt()
        assert not talk.playing
        heard_ms = talk.position.played_ms
        there.set()
        name, text, _ = await told_again(line, 2)
        assert (name, text) == ("item_1", heard_of(heard_ms))
        await line.expect("session.update")
        assert not line.of_type("conversation.item.delete")


async def test_a_typed_line_stops_it():
    async def second(line):
        await line.greet()
        await line.expect("response.create")

    typed = asyncio.Queue()

    async def lines_typed():
        while True:
            yield await typed.get()

    async with after_a_restart(second) as (talk, line):
        paper = Paper()
        terminal = Terminal(talk, paper.screen)
        running = asyncio.create_task(terminal.run(terminal.type(lines_typed())))
        await line.expect("conversation.item.create", 2)
        await eventually(lambda: "word0" in paper.text)
        typed.put_nowait("Something else.")
        await line.expect("response.create")
        assert not talk.playing
        text = line.of_type("conversation.item.create")[2]["item"]["content"][0]["text"]
        await eventually(lambda: f"(interrupted; heard: {text!r})" in paper.text)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_what_waits_behind_it_is_played_when_it_is_stopped():
    """The new session's own answer is not stopped with it."""

    async def second(line):
        await line.greet()
        await line.expect("conversation.item.create", 2)
        await line.open_reply("2")
        await line.audio(sound(300, 2000))
        await line.close_reply()
        await line.send("input_audio_buffer.speech_started", audio_start_ms=100, item_id="item_9")

    async with after_a_restart(second) as (talk, line):
        told = await line.expect("output_audio_buffer.played", state="drained")
        assert (told["item_id"], told["played_ms"]) == ("item_2", 300)
        assert not line.of_type("output_audio_buffer.clear")


async def test_an_answer_that_broke_off_is_told_as_far_as_it_has_come():
    async def first(line, heard):
        await answer(line, heard, whole=False, ms=2000)

    async def second(line):
        await line.greet()

    async with after_a_restart(second, first=first) as (talk, line):
        name, text, _ = await told_again(line, 2)
        assert (name, text) == ("item_1", heard_of(2000))
        await talk.drained()
        assert not line.of_type("conversation.item.delete"), "all of that was heard"
