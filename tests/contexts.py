"""The context of one side of a conversation, alone: fakes around it, its turn events and wire events in lists."""

import itertools

import msgspec

from realtime.context import Context
from realtime.core.conversation import Conversation
from realtime.core.turn import TurnEvent
from realtime.metrics import Metrics
from realtime.outbox import Outbox
from realtime.protocol.codec import encode
from realtime.providers.base import Providers
from realtime.session.defaults import new_session_config
from realtime.settings import Settings
from realtime.tasks import Tasks
from realtime.turn_queue import TurnQueue
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber, FakeVad


class Bench:
    """`context` for the part under test; `noticed` are the turn events it put, `sent` its wire events as objects."""

    def __init__(
        self,
        *,
        vad=None,
        transcriber=None,
        chat=None,
        speech=None,
        end_of_turn=None,
        settings: Settings | None = None,
        extensions: str = "",
        **session,
    ) -> None:
        self.noticed: list[TurnEvent] = []
        self.outbox = Outbox()
        self.providers = Providers(
            vad or FakeVad(),
            transcriber or FakeTranscriber(),
            chat or FakeChat(),
            speech or FakeSpeech(),
            end_of_turn,
        )
        self.settings = settings or Settings(instructions="Be brief.", voice_id="v1", speculate="off")
        numbers = itertools.count(1)
        self.context = Context(
            session_id="sess_1",
            config=new_session_config(self.settings, self.providers, session, extensions),
            conversation=Conversation(),
            conversation_id="conv_1",
            outbox=self.outbox,
            turns=TurnQueue(self.noticed.append),
            tasks=Tasks("sess_1"),
            providers=self.providers,
            settings=self.settings,
            metrics=Metrics(),
            new_id=lambda kind: f"{kind}_{next(numbers)}",
        )

    def sent(self) -> list[dict]:
        """The wire events since the last call."""
        events = []
        while (outgoing := self.outbox.take_now()) is not None:
            events.append(msgspec.json.decode(encode(outgoing.event, "event")))
        return events
