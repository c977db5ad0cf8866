"""A session that is lost at any moment, and the one that goes on with it at another server, in virtual time.

What is kept in between is the real record (`server/recording.py`), read again; sockets and Redis are in tests/cluster.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from realtime.core.conversation import Item
from realtime.core.messages import ChatFinish, TextDelta
from realtime.core.snapshot import decode_position, decode_record, encode_position, encode_record
from realtime.providers.memory_store import MemoryStore
from realtime.replying.interrupted import CONTINUE
from realtime.server.persistence import Persistence, StoredConversation
from realtime.server.recording import Recorder
from realtime.server.replay import ResumeRequest
from realtime.server.restoring import continued_of
from tests.conversing import Talk
from tests.fakes import FakeChat


@dataclass
class StoryChat(FakeChat):
    """Tells one story, however it is asked: from its beginning, or from where the text of the assistant ends.

    `first` comes before it where the model is asked for the first time, and is said once: text, and calls of functions.
    """

    story: str = ""
    first: Sequence[Any] = ()
    word_s: float = 0.05

    async def stream(self, request):
        self.requests.append(request)
        messages, told = list(request.messages), ""
        calls = any(message.tool_calls for message in messages)
        if messages[-1].content == CONTINUE:
            told = messages[-2].content
        self.running += 1
        try:
            if self.first and not calls:
                for event in self.first:
                    await asyncio.sleep(self.word_s)
                    yield TextDelta(event) if isinstance(event, str) else event
                yield ChatFinish("tool_calls")
                return
            assert self.story.startswith(told), told
            for word in self.story[len(told) :].split():
                await asyncio.sleep(self.word_s)
                yield TextDelta(f"{word} ")
            yield ChatFinish("stop")
        finally:
            self.running -= 1


@dataclass
class Left:
    """What a lost server leaves: for the next one, and at the client."""

    snapshot: Any
    position: Any
    items: tuple[Item, ...]
    events: list[dict] = field(default_factory=list)

    def continues(self, **client: Any) -> dict[str, Any]:
        """The arguments of the session that goes on. `client`: what it says of its player."""
        client.setdefault("last_seq", len(self.events))
        request = ResumeRequest("sess_1", **client)
        return {
            "continued": continued_of(self.snapshot, self.position, request),
            "conversation": StoredConversation("conv_1", self.items).to_conversation(),
            "conversation_id": "conv_1",
        }


class Losable(Talk):
    """A talk whose server can be lost. `before`: what another one, that was lost before it, has left."""

    def __init__(self, *, before: Left | None = None, **more: Any) -> None:
        super().__init__(**more)
        self._before = before

    async def __aenter__(self):
        seq = 0 if self._before is None else len(self._before.events)
        self._numbering = SimpleNamespace(seq=seq, last_stream=0, stream_of=lambda _: 0)
        await super().__aenter__()
        return self

    def _recorder(self) -> Recorder:
        if not hasattr(self, "_records"):
            live = SimpleNamespace(
                id="sess_1",
                key="key",
                session=self.session,
                items_at="sess_1",
                binary=False,
                caller=SimpleNamespace(ephemeral=False),
                numbering=self._numbering,
                last_event_id=None,
                saving=SimpleNamespace(saved=1),
            )
            before = None if self._before is None else self._before.snapshot
            self._records = Recorder(live, "proof", before)
        return self._records

    def queued(self, event) -> None:
        self._recorder().queued(event)

    def sent(self, event) -> None:
        self._numbering.seq += 1
        self._recorder().sent(event, self._numbering.seq)

    def lose(self) -> Left:
        """The server is gone now; this is what was kept."""
        record, position = self._recorder().snapshot(), self._recorder().position()
        saved = Persistence(
            MemoryStore(), "key", "conv_1", self.session.conversation, so_far=self.session.responses.so_far
        )
        items = tuple(saved._items_now().values())
        read = decode_record(encode_record(record)), decode_position(encode_position(position))
        earlier = [] if self._before is None else self._before.events
        return Left(*read, items, [*earlier, *self.events])
