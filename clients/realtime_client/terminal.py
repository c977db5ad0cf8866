"""A conversation in the terminal: captions in time with the audio, typed lines, the end of a file.

It decides what is shown and when the conversation is over. `talk.py` handles the audio.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

from .captions import Screen, SpokenText
from .conversation import Conversation, Event
from .player import Position
from .prompt import words_of

SPEECH_TIMEOUT_S = 1.5  # from the end of a file until the server must have detected its last word
ANSWER_TIMEOUT_S = 40.0  # until the answer must have come, and more of it while it is not over
# Until another server says the rest of an answer whose server is gone, if there is a rest
REST_TIMEOUT_S = 2.0
WAITING = (  # seconds without anything of the answer, and what is said then
    (2.0, "Waiting for the answer ..."),
    (4.5, "Still nothing: the network or the model may be down. Ctrl-C ends."),
)
_CONTENT = (
    "response.output_audio.delta",
    "response.output_audio_transcript.delta",
    "response.output_text.delta",
    "response.done",
)
_NO_SIGNS = ("session.updated", "error")
Work = AsyncGenerator[None, None]


class Terminal:
    """Shows one conversation until its input ends, the server ends it, or it is cancelled."""

    def __init__(self, conversation: Conversation, screen: Screen) -> None:
        self.conversation = conversation
        self.screen = screen
        self.answers = 0  # finished responses, failed ones included
        self.failures: list[str] = []
        self._texts: dict[str, SpokenText] = {}  # by item
        self._positions: dict[str, Position] = {}  # by item: the latest, perhaps ahead of the events
        self._whole: set[str] = set()  # items whose text has come to its end
        self._current: str | None = None  # the item on the current line of the screen
        self._news = asyncio.Condition()
        self._active = 0  # responses that are not done
        self._turn_open = False  # the user has spoken and there is no response yet
        self._user_heard = False  # at all
        self._unasked = 0  # responses before anything was heard: a greeting
        self._words_heard = False  # what the user has said was understood, at least once
        self._updates = 0  # confirmed changes of the session
        self._refused = False  # the server was busy with another response
        self._contents = 0  # pieces of answers that have come
        self._signs = 0  # events that tell that the server works on something, or is there again
        self._going_on: set[str] = set()  # items of which another server says the rest
        self._rest: asyncio.Task[None] | None = None  # waits for it
        self.on_refused: Callable[[], Any] = lambda: None  # called when that one was stopped
        conversation.on_heard = self._heard
        conversation.on_reconnecting = lambda: screen.note("The connection was lost: reconnecting ...")

    async def run(self, *works: Work) -> None:
        """Handle events and run the works; return when one of them, or the conversation, ends.

        Raises ConnectionLost.
        """
        tasks = [asyncio.create_task(job) for job in (self._events(), *(_exhaust(work) for work in works))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            tasks += [self._rest] if self._rest is not None else []
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.screen.end_reply()

    async def hear_out(self, finished: asyncio.Event) -> Work:
        """Ends when the file has been sent and the answer to its last turn has been played."""
        await finished.wait()
        await self._received()
        await asyncio.sleep(SPEECH_TIMEOUT_S)
        await self._received()
        yield
        if not self._user_heard:
            self._problem("The server heard no speech in the file.")
        try:
            await self._in_time(lambda: not self._turn_open and not self._active)
        except TimeoutError:
            what = "No more of the answer" if self._active else "No answer"
            self._problem(f"{what} came within {ANSWER_TIMEOUT_S:g} s.")
        await self.settled()
        understood = self._words_heard or self.answers > self._unasked or self.failures
        if self._user_heard and not understood:  # a hum begins as speech does
            self._problem("The server heard sound in the file, but no words.")

    async def _received(self) -> None:
        """Until the server has received all that was sent, and what it had to say by then is shown.

        It answers in order; while the line is down, what is sent waits for the next one. Raises ConnectionLost.
        """
        before = self._updates
        await self.conversation.update()
        with contextlib.suppress(TimeoutError):  # a server that is not ours may not answer
            await self._in_time(lambda: self._updates > before)

    async def type(self, lines: AsyncIterable[str], *, wait: bool = False, echo: bool = False) -> Work:
        """Each line is a turn. A line during an answer interrupts it; with `wait` it waits for its end.

        `echo`: the screen shows the line, because where it was typed it does not stay.
        """
        async for line in lines:
            words = words_of(line)
            if not words:
                continue
            if wait:
                await self.settled()
            else:
                await self._interrupt()
            if echo:
                self.screen.you(words)
            await self._ask(words, lambda: bool(self._active))
            yield
        await self.settled()

    async def ask(self, text: str) -> Work:
        """One question, until its answer has been played."""
        await self._ask(text, lambda: False)
        await self.settled()
        yield

    async def settled(self) -> None:
        """Wait until there is no active response and all audio has been played."""
        await self._until(lambda: not self._active)
        await self.conversation.drained()

    async def _ask(self, text: str, enough: Callable[[], bool]) -> None:
        await self.conversation.write(text)
        while True:
            self._refused = False
            before = self.answers + len(self.failures)
            await self.conversation.respond()

            def over(before: int = before) -> bool:
                return self._refused or enough() or self.answers + len(self.failures) > before

            async with self._signs_of_waiting():
                await self._until(over)
            if not self._refused:
                return
            await self._interrupt()  # a greeting, say: it would be heard instead of the answer
            self.on_refused()

    async def _interrupt(self) -> None:
        if self._active or self.conversation.playing:
            await self.conversation.interrupt()
        await self._until(lambda: not self._active)

    # -- what the server says -------------------------------------------------------------------------------

    async def _events(self) -> None:
        async for event in self.conversation:
            await self._show(event)

    async def _show(self, event: Event) -> None:
        self._contents += event["type"] in _CONTENT
        self._signs += event["type"] not in _NO_SIGNS
        match event["type"]:
            case "session.updated":
                self._updates += 1
            case "input_audio_buffer.speech_started":
                if not self._user_heard:
                    self._unasked = self.answers + self._active
                self._turn_open = self._user_heard = True
            case "conversation.item.input_audio_transcription.completed":
                self._said(event["transcript"].strip())
            case "conversation.item.input_audio_transcription.failed":
                self._turn_open = False
                self._problem(event["error"]["message"])
            case "response.created":
                self._turn_open = False
                self._active += 1
                self._rest_has_begun()
            case "response.output_audio_transcript.delta":
                self._spoken(event["item_id"]).add(event["delta"])
                self._follow(event["item_id"])
            case "response.output_audio_words.delta":
                self._spoken(event["item_id"]).add_words(event["words"])
                self._follow(event["item_id"])
            case "response.output_audio_transcript.done" if self.conversation.plays:
                self._whole.add(event["item_id"])
                self._follow(event["item_id"])
            case "response.output_audio_transcript.done":
                self._finish(event["item_id"])
            case "response.output_text.delta":
                self._texts.setdefault(event["item_id"], SpokenText()).add(event["delta"])
                self._caption(event["item_id"], 0)
            case "response.output_text.done":
                self._finish(event["item_id"])
            case "conversation.item.truncated":
                self._truncated(event["item_id"], event.get("transcript"))
            case "conversation.item.retrieved":
                self._truncated(event["item"]["id"], _transcript(event["item"]))
            case "response.done" if _goes_on_elsewhere(event["response"]):
                self._await_rest(event["response"])
            case "response.done":
                self._positions = {name: at for name, at in self._positions.items() if name in self._texts}
                self._active -= 1
                self.answers += 1
                self._failed(event["response"])
            case "error" if event["error"].get("code") == "conversation_already_has_active_response":
                self._refused = True
            case "error" if event["error"].get("code") == "session_not_resumable":
                pass  # this is another session, which is told of the conversation
            case "error":
                self._problem(event["error"]["message"])
        async with self._news:
            self._news.notify_all()

    def _said(self, transcript: str) -> None:
        if transcript:
            self._words_heard = True
            self._end_line()
            self.screen.you(transcript)
        else:
            self._turn_open = False  # noise: there will be no answer

    def _spoken(self, item_id: str) -> SpokenText:
        timed = self.conversation.plays and "words" in self.conversation.extensions
        return self._texts.setdefault(item_id, SpokenText(timed))

    def _heard(self, position: Position) -> None:
        """What is played may be ahead of the events that are shown: its words are shown when they come."""
        self._positions[position.part.item_id] = position
        self._follow(position.part.item_id)

    def _follow(self, item_id: str) -> None:
        """Show the words of this item up to the position of its playback."""
        if item_id not in self._texts:
            return
        position = self._positions.get(item_id)
        self._caption(item_id, position.played_ms if position is not None else 0)
        if position is not None and position.drained and item_id in self._whole:
            self._finish(item_id)

    def _finish(self, item_id: str) -> None:
        self._whole.discard(item_id)
        text = self._texts.pop(item_id, None)
        if text is not None:
            self.screen.reply(text.rest())
            self._end_line()

    def _caption(self, item_id: str, heard_ms: int) -> None:
        due = self._texts[item_id].due(heard_ms)
        if due and self._current != item_id:
            self._end_line()
            self._current = item_id
        self.screen.reply(due)

    def _truncated(self, item_id: str, heard: str | None) -> None:
        if heard is None or item_id not in self._texts:
            return  # without `playback` the transcript comes with the retrieved item
        if item_id in self._going_on:
            self._texts[item_id].transcript = heard
            self._finish(item_id)
            return
        del self._texts[item_id]
        self._whole.discard(item_id)
        self._end_line()
        self.screen.interrupted(heard)

    def _end_line(self) -> None:
        self.screen.end_reply()
        self._current = None

    def _await_rest(self, response: dict[str, Any]) -> None:
        """Its server is gone: until the rest begins, or does not, the answer is not over."""
        self._going_on = {item["id"] for item in response.get("output") or []}
        self._rest_has_begun()
        self._rest = asyncio.create_task(self._no_rest(), name="rest of an answer")

    def _rest_has_begun(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
            self._active -= 1

    async def _no_rest(self) -> None:
        await asyncio.sleep(REST_TIMEOUT_S)
        self._rest = None
        self._active -= 1
        self.answers += 1
        async with self._news:
            self._news.notify_all()

    def _failed(self, response: dict[str, Any]) -> None:
        details = response.get("status_details") or {}
        if response["status"] == "failed":
            error = details.get("error") or {}
            self._problem(error.get("message") or error.get("code") or "The answer failed.")

    def _problem(self, message: str) -> None:
        self.failures.append(message)
        self._current = None
        self.screen.problem(message)

    @asynccontextmanager
    async def _signs_of_waiting(self) -> AsyncIterator[None]:
        """Say that an answer is waited for, as long as nothing of it comes."""
        loop, before = asyncio.get_running_loop(), self._contents

        def say(sentence: str) -> None:
            # without a connection it is the line that is waited for, and that is said
            if self._contents == before and not self.conversation.away:
                self.screen.note(sentence)

        timers = [loop.call_later(after_s, say, sentence) for after_s, sentence in WAITING]
        try:
            yield
        finally:
            for timer in timers:
                timer.cancel()

    # -- waiting --------------------------------------------------------------------------------------------

    async def _in_time(self, condition: Callable[[], bool]) -> None:
        """Until this is so. Raises TimeoutError once the server, if it is there, has said nothing for too long."""
        while not condition():

            def moved(before: int = self._signs) -> bool:
                return condition() or self._signs > before

            try:
                async with asyncio.timeout(ANSWER_TIMEOUT_S):
                    await self._until(moved)
            except TimeoutError:
                if not self.conversation.away:
                    raise

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with self._news:
            await self._news.wait_for(condition)


def _goes_on_elsewhere(response: dict[str, Any]) -> bool:
    """Whether another server has the session now, and says the rest in a new response (docs/wire.md 6.6)."""
    error = (response.get("status_details") or {}).get("error") or {}
    return error.get("code") == "server_restarting"


def _transcript(item: dict[str, Any]) -> str:
    parts = item.get("content") or []
    return "".join(part.get("transcript") or part.get("text") or "" for part in parts)


async def _exhaust(work: Work) -> None:
    async with aclosing(work):
        async for _ in work:
            pass
