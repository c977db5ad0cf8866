"""An answer whose server was lost: another one says the rest. It is one answer, and nothing has failed."""

import asyncio

import pytest
from realtime_client import terminal as module
from realtime_client.player import PartKey, Position
from realtime_client.terminal import Terminal

from tests.eventually import WITHIN_S
from tests.terminal.test_late_events import Played
from tests.terminal.test_terminal import Paper

LOST = {"type": "failed", "error": {"code": "server_restarting", "message": "The server restarts."}}
FIRST = (
    ("response.created", {}),
    ("response.output_audio_transcript.delta", {"delta": "It is noon in Oslo."}),
    ("response.output_audio_transcript.done", {}),
)
CUT = (
    (
        "response.done",
        {"response": {"status": "failed", "status_details": LOST, "output": [{"id": "item_1"}]}},
    ),
    ("conversation.item.truncated", {"audio_end_ms": 400, "transcript": "It is noon"}),
)
REST = (
    ("response.created", {"item_id": "item_2"}),
    ("response.output_audio_transcript.delta", {"item_id": "item_2", "delta": "in Oslo."}),
    ("response.output_audio_transcript.done", {"item_id": "item_2"}),
    ("response.done", {"item_id": "item_2", "response": {"status": "completed"}}),
)


class Late(Played):
    """The player has nothing left when the server is lost, and the rest needs its time."""

    def __init__(self, *events, before, then=()):
        super().__init__(*events)
        self.before, self.then = before, then

    async def __aiter__(self):
        await self.asked.wait()
        for type, more in self.events:
            yield {"type": type, "item_id": "item_1", **more}
        await self.before.wait()
        self.on_heard(Position(PartKey("item_2", 0), 400, drained=True))
        for type, more in self.then:
            yield {"type": type, **more}
        await asyncio.Event().wait()


async def shown(conversation, before=None):
    paper = Paper()
    terminal = Terminal(conversation, paper.screen)
    async with asyncio.timeout(WITHIN_S):
        asking = asyncio.create_task(terminal.run(terminal.ask("What time is it?")))
        if before is not None:
            while "Oslo" not in paper.text and "noon" not in paper.text:  # noqa: ASYNC110  shown by another task
                await asyncio.sleep(0.01)
            assert not asking.done()
            before.set()
        await asking
    return paper.lines, terminal


async def test_the_rest_is_waited_for_and_nothing_has_failed():
    before = asyncio.Event()
    lines, terminal = await shown(Late(*FIRST, *CUT, before=before, then=REST), before)
    assert lines == ["assistant It is noon", "assistant in Oslo."]
    assert (terminal.answers, terminal.failures) == (1, [])


async def test_that_a_session_cannot_be_resumed_is_no_failure():
    """The conversation goes on in a new one."""
    error = {"code": "session_not_resumable", "message": "That session does not exist any more."}
    conversation = Late(("error", {"error": error}), *FIRST, *CUT, before=asyncio.Event(), then=REST)
    conversation.before.set()
    lines, terminal = await shown(conversation)
    assert lines == ["assistant It is noon", "assistant in Oslo."]
    assert terminal.failures == []


async def test_an_answer_without_a_rest_ends_soon(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "REST_TIMEOUT_S", 0.01)
    lines, terminal = await shown(Late(*FIRST, *CUT, before=asyncio.Event()))
    assert lines == ["assistant It is noon"]
    assert (terminal.answers, terminal.failures) == (1, [])
