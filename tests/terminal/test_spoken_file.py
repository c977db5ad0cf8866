"""A recording instead of a microphone: it is spoken, answered and left, also where the line is down at its end."""

import asyncio
import itertools

from realtime_client import connect
from realtime_client.files import FileMicrophone, FileSpeaker
from realtime_client.terminal import ANSWER_TIMEOUT_S, SPEECH_TIMEOUT_S, Terminal

from tests.conversing import scripted
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


class Timed:
    """A conversation whose answer comes after a question from a file: seconds to wait, and the event that is due then.

    An event may also be True or False: whether the line is down from now on.
    """

    plays, playing, away, extensions = False, False, False, ()
    on_heard = on_reconnecting = None

    def __init__(self, *answer, before=()):
        self.answer, self.before, self.updates = answer, before, asyncio.Queue()

    async def update(self):
        self.updates.put_nowait({"type": "session.updated"})

    async def drained(self): ...

    async def __aiter__(self):
        for event in self.before:
            yield event
        yield {"type": "input_audio_buffer.speech_started"}
        for _ in range(2):
            yield await self.updates.get()
        for after_s, event in self.answer:
            await asyncio.sleep(after_s)
            if isinstance(event, bool):
                self.away = event
            else:
                yield event
        await asyncio.Event().wait()


CREATED = {"type": "response.created"}
AUDIO = {"type": "response.output_audio.delta"}
DONE = {"type": "response.done", "response": {"status": "completed"}}
TRANSCRIBED = "conversation.item.input_audio_transcription.completed"
NO_WORDS = {"type": TRANSCRIBED, "transcript": " "}
WORDS = {"type": TRANSCRIBED, "transcript": "What time is it?"}
ALMOST_S = ANSWER_TIMEOUT_S - 1


async def failures_of(*answer, before=()):
    """What a terminal says of this answer to a file that has just been sent."""
    terminal, sent = Terminal(Timed(*answer, before=before), Paper().screen), asyncio.Event()
    sent.set()
    await terminal.run(terminal.hear_out(sent))
    return terminal.failures


@scripted
async def test_an_answer_may_take_longer_than_its_beginning_is_waited_for():
    assert not await failures_of((ALMOST_S, CREATED), *[(ALMOST_S, AUDIO)] * 8, (ALMOST_S, DONE))


@scripted
async def test_an_answer_that_stops_in_the_middle_is_told():
    stops = (0, CREATED), (1, AUDIO), (ANSWER_TIMEOUT_S + 1, DONE)
    assert await failures_of(*stops) == ["No more of the answer came within 40 s."]


@scripted
async def test_an_answer_that_does_not_begin_is_told():
    assert await failures_of((ANSWER_TIMEOUT_S + 1, CREATED)) == ["No answer came within 40 s."]


@scripted
async def test_the_way_back_to_a_server_counts_for_nothing():
    back = (3 * ANSWER_TIMEOUT_S, False), (0, {"type": "session.created"})
    assert not await failures_of((1, True), *back, (ALMOST_S, CREATED), (ALMOST_S, DONE))


@scripted
async def test_sound_without_words_is_told():
    said = ["The server heard sound in the file, but no words."]
    assert await failures_of((1, NO_WORDS)) == said
    assert await failures_of((1, NO_WORDS), before=[CREATED, DONE]) == said  # a greeting is no answer
    assert await failures_of((1, DONE), (1, NO_WORDS), before=[CREATED]) == said


@scripted
async def test_words_or_an_answer_are_enough():
    assert not await failures_of((1, WORDS), (1, NO_WORDS))  # noise at the end
    assert not await failures_of((1, CREATED), (1, DONE))  # a model that hears needs no transcript


async def test_a_file_without_speech_is_said_to_be_one():
    async def script(line):
        await line.greet()
        for number in (1, 2):
            await confirm(line, number)

    terminal, _, _ = await speak(script)
    assert terminal.failures == ["The server heard no speech in the file."]
