"""Playback, captions and barge-in of the terminal against a scripted server; the speaker is a file."""

import asyncio
import contextlib

from realtime_client import connect
from realtime_client.captions import Screen
from realtime_client.files import FileMicrophone, FileSpeaker
from realtime_client.terminal import Terminal

from tests.conversing import scripted
from tests.eventually import WITHIN_S, eventually
from tests.terminal.scripted_server import scripted_server

RATE = 24_000


def sound(ms, value=1000):
    return value.to_bytes(2, "little") * (RATE * ms // 1000)


class Paper:
    """A screen that keeps what was written."""

    def __init__(self):
        self.text = ""
        self.cut = asyncio.Event()  # an interruption was noted
        self.screen = Screen(self.write)

    def write(self, text, style):
        self.text += text
        if "heard" in text:
            self.cut.set()

    @property
    def lines(self):
        return [line.strip() for line in self.text.splitlines()]


async def reply_noon(line, name="1"):
    await line.open_reply(name)
    await line.text("It is noon.")
    await line.words(("It ", 0, 100), ("is ", 100, 200), ("noon.", 200, 380))
    await line.audio(sound(200))
    await line.audio(sound(200), start_ms=200)
    await line.close_reply()


async def test_a_question_is_answered_heard_and_acknowledged():
    async def script(line):
        await line.greet()
        await line.expect("response.create")
        await reply_noon(line)

    paper, speaker = Paper(), FileSpeaker()
    async with (
        scripted_server(script) as (url, lines),
        connect(url, speaker=speaker) as conversation,
    ):
        terminal = Terminal(conversation, paper.screen)
        await terminal.run(terminal.ask("What time is it?"))
    assert paper.lines == ["assistant It is noon."]
    assert (terminal.answers, terminal.failures) == (1, [])
    assert bytes(speaker.heard).strip(b"\0") == sound(400).strip(b"\0")
    acks = lines[0].of_type("output_audio_buffer.played")
    assert acks[-1]["state"] == "drained"
    assert acks[-1]["played_ms"] == 400
    positions = [ack["played_ms"] for ack in acks]
    assert positions == sorted(positions)
    assert all(ack["item_id"] == "item_1" for ack in acks)


async def test_without_the_playback_extension_nothing_is_acknowledged():
    async def script(line):
        await line.greet()
        await line.expect("response.create")
        await reply_noon(line)

    paper, speaker = Paper(), FileSpeaker()
    async with (
        scripted_server(script, extensions=()) as (url, lines),
        connect(url, speaker=speaker) as conversation,
    ):
        terminal = Terminal(conversation, paper.screen)
        await terminal.run(terminal.ask("What time is it?"))
    assert paper.lines == ["assistant It is noon."]
    assert lines[0].of_type("output_audio_buffer.played") == []


async def barge_in(line, *, negotiated):
    """A long reply, of which some was heard when the user speaks."""
    await line.greet()
    await line.expect("frame")
    await line.open_reply()
    await line.text("Well, the history of Oslo")
    await line.words(("Well, ", 0, 200), ("the ", 200, 60_000), ("history of Oslo", 60_000, 61_000))
    await line.audio(sound(5000))
    if negotiated:
        await line.expect("output_audio_buffer.played", 2)
    else:
        await line.expect("frame", 30)
    await line.send("input_audio_buffer.speech_started", audio_start_ms=100, item_id="item_U")
    if negotiated:
        await line.send("output_audio_buffer.cleared", response_id="resp_1")
    await line.close_reply("cancelled", "turn_detected")
    if negotiated:
        flushed = await line.expect("output_audio_buffer.played", state="flushed")
        await line.send(
            "conversation.item.truncated", item_id="item_1", content_index=0,
            audio_end_ms=flushed["played_ms"], transcript="Well, the",
        )  # fmt: skip
        return
    cut = await line.expect("conversation.item.truncate")
    await line.send(
        "conversation.item.truncated", item_id="item_1", content_index=0, audio_end_ms=cut["audio_end_ms"]
    )
    await line.expect("conversation.item.retrieve")
    content = [{"type": "output_audio", "transcript": "Well, the"}]
    await line.send(
        "conversation.item.retrieved", item={"id": "item_1", "type": "message", "content": content}
    )


async def talked_into(script, extensions):
    paper, speaker, file = Paper(), FileSpeaker(), FileMicrophone(sound(300))
    async with (
        scripted_server(script, extensions=extensions) as (url, lines),
        connect(url, speaker=speaker, microphone=file, headphones=True) as conversation,
    ):
        terminal = Terminal(conversation, paper.screen)
        run = asyncio.create_task(terminal.run())
        async with asyncio.timeout(WITHIN_S):
            await paper.cut.wait()
        heard = len(speaker.heard)
        await asyncio.sleep(0.2)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
    assert len(speaker.heard) - heard < 2 * RATE // 10  # nothing more came after the cut
    return paper, lines[0], len(speaker.heard)


async def test_barge_in_with_playback_flushes_and_tells_the_position():
    paper, line, size = await talked_into(lambda line: barge_in(line, negotiated=True), ("playback", "words"))
    flushed = [ack for ack in line.of_type("output_audio_buffer.played") if ack["state"] == "flushed"]
    assert len(flushed) == 1
    assert 0 < flushed[0]["played_ms"] < 5000
    assert line.of_type("conversation.item.truncate") == []
    assert size < len(sound(5000))
    assert paper.lines == ["assistant Well, the", "(interrupted; heard: 'Well, the')"]


async def test_barge_in_without_playback_truncates_and_asks_what_was_heard():
    paper, line, size = await talked_into(lambda line: barge_in(line, negotiated=False), ())
    cuts = line.of_type("conversation.item.truncate")
    assert len(cuts) == 1
    assert 0 < cuts[0]["audio_end_ms"] < 5000
    assert size < len(sound(5000))
    assert paper.lines[-1] == "(interrupted; heard: 'Well, the')"


async def lines_of(*texts):
    for text in texts:
        yield text


async def test_typed_lines_are_turns_and_the_last_answer_is_heard_out():
    async def script(line):
        await line.greet()
        for turn in (1, 2):
            await line.expect("response.create", turn)
            await reply_noon(line, str(turn))

    paper, speaker = Paper(), FileSpeaker()
    async with (
        scripted_server(script) as (url, lines),
        connect(url, speaker=speaker) as conversation,
    ):
        terminal = Terminal(conversation, paper.screen)
        await terminal.run(terminal.type(lines_of("one", "", "two"), wait=True))
    assert paper.lines == ["assistant It is noon."] * 2
    assert [item["item"]["content"][0]["text"] for item in lines[0].of_type("conversation.item.create")] == [
        "one", "two",
    ]  # fmt: skip
    assert bytes(speaker.heard).count(b"\xe8\x03") >= 2 * RATE * 400 // 1000


async def test_a_line_typed_into_an_answer_stops_it_first():
    async def script(line):
        await line.greet()
        await line.expect("response.create")
        await line.open_reply("1")
        await line.text("A long story.")
        await line.audio(sound(5000))
        await line.expect("output_audio_buffer.clear")
        await line.send("output_audio_buffer.cleared", response_id="resp_1")
        await line.close_reply("cancelled", "client_cancelled")
        await line.expect("response.create", 2)
        assert len(line.of_type("output_audio_buffer.clear")) == 1
        await reply_noon(line, "2")

    async def two_lines():
        yield "Tell me a story."
        await eventually(lambda: speaker.heard, "the answer")
        yield "What time is it?"

    paper, speaker = Paper(), FileSpeaker()
    async with scripted_server(script) as (url, _), connect(url, speaker=speaker) as conversation:
        terminal = Terminal(conversation, paper.screen)
        await terminal.run(terminal.type(two_lines()))
    assert paper.lines[-1] == "assistant It is noon."
    assert len(speaker.heard) < len(sound(5000))


async def test_a_failed_answer_is_said_and_counted():
    async def script(line):
        await line.greet()
        await line.expect("response.create")
        await line.open_reply()
        error = {"type": "server_error", "code": "rate_limit_exceeded", "message": "Retry in 12 s."}
        await line.close_reply("failed", error=error)

    paper, speaker = Paper(), FileSpeaker()
    async with scripted_server(script) as (url, _), connect(url, speaker=speaker) as conversation:
        terminal = Terminal(conversation, paper.screen)
        await terminal.run(terminal.ask("Hello"))
    assert terminal.failures == ["Retry in 12 s."]
    assert "Retry in 12 s." in paper.text


async def test_a_refused_question_does_not_wait_for_its_answer():
    async def script(line):
        await line.greet()
        await line.expect("response.create")
        await line.send(
            "error", error={"type": "invalid_request_error", "code": "invalid_value", "message": "No."}
        )

    paper = Paper()
    async with scripted_server(script) as (url, _), connect(url) as conversation:
        terminal = Terminal(conversation, paper.screen)
        async with asyncio.timeout(WITHIN_S):
            await terminal.run(terminal.ask("Hello"))
    assert terminal.failures == ["No."]
    assert terminal.answers == 0


async def test_without_a_speaker_answers_are_read():
    async def script(line):
        await line.greet()
        await line.expect("response.create")
        await line.open_reply()
        await line.send("response.output_text.delta", delta="Hel", **line.part)
        await line.send("response.output_text.delta", delta="lo!", **line.part)
        await line.send("response.output_text.done", text="Hello!", **line.part)
        await line.close_reply()

    paper = Paper()
    async with scripted_server(script) as (url, _), connect(url) as conversation:
        terminal = Terminal(conversation, paper.screen)
        await terminal.run(terminal.ask("Hello"))
    assert paper.lines == ["assistant Hello!"]


async def test_nothing_is_left_behind_when_it_is_cancelled():
    async def script(line):
        await line.greet()

    async with scripted_server(script) as (url, _):
        before = asyncio.all_tasks()
        microphone = FileMicrophone(sound(100))
        async with connect(url, speaker=FileSpeaker(), microphone=microphone) as conversation:
            run = asyncio.create_task(Terminal(conversation, Paper().screen).run())
            await asyncio.sleep(0.1)
            run.cancel()
            assert isinstance((await asyncio.gather(run, return_exceptions=True))[0], asyncio.CancelledError)

        def left():
            tasks = asyncio.all_tasks() - before
            return [task for task in tasks if "realtime_client" in repr(task.get_coro())]

        await eventually(lambda: not left(), "the end of the client's tasks")


BUSY = {
    "type": "invalid_request_error", "code": "conversation_already_has_active_response",
    "message": "Conversation already has an active response in progress: resp_1.",
}  # fmt: skip


async def test_a_server_that_greets_is_interrupted_and_asked_again():
    """What is saved is the answer alone."""

    async def script(line):
        await line.greet()
        await line.open_reply("1")
        await line.text("Welcome! How ")
        await line.audio(sound(500, 33))
        await line.expect("response.create")
        await line.send("error", error=BUSY)
        await line.expect("output_audio_buffer.clear")
        await line.send("output_audio_buffer.cleared", response_id="resp_1")
        await line.close_reply("cancelled", "client_cancelled")
        await line.expect("response.create", 2)
        await reply_noon(line, "2")

    paper, speaker = Paper(), FileSpeaker(paced=False)
    async with scripted_server(script) as (url, lines), connect(url, speaker=speaker) as conversation:
        terminal = Terminal(conversation, paper.screen)
        terminal.on_refused = speaker.heard.clear
        async with asyncio.timeout(WITHIN_S):
            await terminal.run(terminal.ask("What time is it?"))
    assert terminal.failures == []
    assert paper.lines[-1] == "assistant It is noon."
    assert bytes(speaker.heard) == sound(400)
    assert len(lines[0].of_type("conversation.item.create")) == 1, "the question is asked once"


async def test_an_answer_that_does_not_come_is_told(monkeypatch):
    monkeypatch.setattr("realtime_client.terminal.WAITING", ((0.05, "Waiting."), (0.1, "Still nothing.")))

    async def script(line):
        await line.greet()
        await line.expect("response.create")
        await eventually(lambda: "Still nothing." in paper.text, "what is told of the wait")
        await reply_noon(line)

    paper = Paper()
    async with scripted_server(script) as (url, _), connect(url) as conversation:
        terminal = Terminal(conversation, paper.screen)
        await terminal.run(terminal.ask("Hello"))
    assert paper.lines[:2] == ["Waiting.", "Still nothing."]
    assert paper.lines[2].startswith("assistant It is noon.")


@scripted
async def test_while_the_line_is_down_nothing_is_said_of_the_model():
    class Away:
        plays, playing, away, extensions = False, False, True, ()
        on_heard = on_reconnecting = None

        async def write(self, text): ...

        async def respond(self): ...

        async def __aiter__(self):
            await asyncio.Event().wait()
            yield

    paper = Paper()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(60):
            terminal = Terminal(Away(), paper.screen)
            await terminal.run(terminal.ask("Hello"))
    assert paper.lines == []
