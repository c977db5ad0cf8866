"""A recording instead of a microphone: it is spoken, answered and left, also where the line is down at its end."""

import asyncio
import itertools

from realtime_client import connect
from realtime_client.files import FileMicrophone, FileSpeaker
from realtime_client.terminal import SPEECH_TIMEOUT_S, Terminal

from tests.terminal.scripted_server import scripted_server
from tests.terminal.test_terminal import RATE, Paper, reply_noon, sound


async def confirm(line, number):
    """Answer this change of the session."""
    await line.expect("session.update", number)
    await line.send("session.updated", session={})


async def read_the_question(line):
    await line.send(
        "conversation.item.input_audio_transcription.completed", item_id="item_U", content_index=0,
        transcript="What time is it?", usage={"type": "duration", "seconds": 0.3},
    )  # fmt: skip


async def speak(script):
    """A file of 0.3 s, until it is answered. Returns the terminal, its screen and its speaker."""
    paper, speaker, file = Paper(), FileSpeaker(), FileMicrophone(sound(300))
    async with (
        scripted_server(script) as (url, _),
        connect(url, speaker=speaker, microphone=file, headphones=True) as conversation,
    ):
        terminal = Terminal(conversation, paper.screen)
        await terminal.run(terminal.hear_out(file.finished))
    return terminal, paper, speaker


async def test_a_file_is_spoken_answered_and_left():
    async def script(line):
        await line.greet()
        await line.expect("frame", 10)
        await line.send("input_audio_buffer.speech_started", audio_start_ms=0, item_id="item_U")
        await line.expect("frame", 60)
        await confirm(line, 1)
        await line.send("input_audio_buffer.speech_stopped", audio_end_ms=900, item_id="item_U")
        await read_the_question(line)
        await reply_noon(line)
        await confirm(line, 2)

    _, paper, speaker = await speak(script)
    assert paper.lines == ["you       What time is it?", "assistant It is noon."]
    assert bytes(speaker.heard).count(b"\xe8\x03") >= RATE * 400 // 1000


async def test_a_file_whose_end_meets_a_line_that_is_down_is_answered_all_the_same():
    """The server is away for longer than its answer is waited for."""
    connections = itertools.count(1)

    async def script(line):
        if next(connections) == 1:
            await line.greet()
            await line.expect("frame", 5)
            line.socket.transport.abort()
            return
        await asyncio.sleep(SPEECH_TIMEOUT_S + 1)
        await line.greet()
        for number in (1, 2):  # the settings of the new session, and what was sent while the line was down
            await confirm(line, number)
        await line.send("input_audio_buffer.speech_started", audio_start_ms=0, item_id="item_U")
        await read_the_question(line)
        await reply_noon(line)
        await confirm(line, 3)

    terminal, paper, _ = await speak(script)
    assert paper.lines[-2:] == ["you       What time is it?", "assistant It is noon."]
    assert not terminal.failures


def be_impatient(monkeypatch):
    monkeypatch.setattr("realtime_client.terminal.ANSWER_TIMEOUT_S", 0.6)
    monkeypatch.setattr("realtime_client.terminal.SPEECH_TIMEOUT_S", 0.1)


async def hear_the_file(line):
    await line.greet()
    await line.send("input_audio_buffer.speech_started", audio_start_ms=0, item_id="item_U")
    await confirm(line, 1)
    await confirm(line, 2)
    await read_the_question(line)


async def test_an_answer_may_take_longer_than_its_beginning_is_waited_for(monkeypatch):
    be_impatient(monkeypatch)

    async def script(line):
        await hear_the_file(line)
        await line.open_reply()
        for number in range(8):
            await line.audio(sound(100), start_ms=100 * number)
            await asyncio.sleep(0.2)
        await line.close_reply()

    terminal, _, _ = await speak(script)
    assert not terminal.failures


async def test_an_answer_that_stops_in_the_middle_is_told(monkeypatch):
    be_impatient(monkeypatch)

    async def script(line):
        await hear_the_file(line)
        await line.open_reply()
        await asyncio.sleep(2)
        await line.close_reply()

    terminal, _, _ = await speak(script)
    assert terminal.failures == ["No more of the answer came within 0.6 s."]


async def test_the_way_back_to_a_server_counts_for_nothing(monkeypatch):
    be_impatient(monkeypatch)
    connections = itertools.count(1)

    async def script(line):
        if next(connections) == 1:
            await hear_the_file(line)
            line.socket.transport.abort()
            return
        await asyncio.sleep(1.5)
        await line.greet()
        await reply_noon(line)

    terminal, paper, _ = await speak(script)
    assert not terminal.failures
    assert paper.lines[-1] == "assistant It is noon."


async def test_a_file_without_speech_is_said_to_be_one():
    async def script(line):
        await line.greet()
        for number in (1, 2):
            await confirm(line, number)

    terminal, _, _ = await speak(script)
    assert terminal.failures == ["The server heard no speech in the file."]
