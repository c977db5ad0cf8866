"""What the journal keeps of one session: its record, and the position in it (docs/scale.md).

Reads the session and remembers which message told the client of what. When it is written is `journaling.py`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from realtime.core.snapshot import (
    CallSnapshot,
    CommitSnapshot,
    EndedSnapshot,
    Position,
    ReplySnapshot,
    SegmentSnapshot,
    SessionSnapshot,
    SpokenSnapshot,
    StoppedSnapshot,
)
from realtime.protocol import server_events as events
from realtime.protocol.kept_options import differing
from realtime.protocol.objects import FunctionCallItem, Item, ResponseObject
from realtime.protocol.response_options import ResponseOptions, response_options
from realtime.server.recorded_changes import RecordedChanges
from realtime.server.recorded_speech import RecordedSpeech
from realtime.server.told_messages import UNSENT, ToldMessages

if TYPE_CHECKING:
    from realtime.protocol.session_config import SessionConfig
    from realtime.replying.reply_sound import ReplySound
    from realtime.replying.response import Response
    from realtime.server.live_session import LiveSession

ENDED = 32  # replies
NUMBERED = 64  # replies whose messages are remembered


def proof_of(session_id: str, credential: str | None) -> str:
    """What shows later that somebody has the credential, and does not tell it."""
    secret = (credential or "").encode(errors="surrogateescape")
    return hmac.new(session_id.encode(), secret, hashlib.sha256).hexdigest()


class Recorder:
    """Of one session. `proof`: see `proof_of`."""

    def __init__(self, live: LiveSession, proof: str, before: SessionSnapshot | None = None) -> None:
        """`before`: the record of another server, which had begun it."""
        self._live = live
        self._proof = proof
        self._created: dict[str, int] = {}  # numbers of messages, by response
        self._done: dict[str, int] = {}
        self._ended: dict[str, EndedSnapshot] = {}
        self._told: ToldMessages[tuple[int, str]] = ToldMessages()  # of items
        self._changes = RecordedChanges()
        self._speech = RecordedSpeech()
        # Of the last reply that was recorded: a reply has many records
        self._differing: tuple[ResponseOptions, SessionConfig, dict[str, Any] | None] | None = None
        for reply in () if before is None else before.replies:
            if 0 < reply.created_seq <= live.numbering.seq:  # else the client does not know it
                self._created[reply.response_id] = reply.created_seq
            if 0 < reply.done_seq <= live.numbering.seq:
                self._done[reply.response_id] = reply.done_seq
        if before is not None:
            self._go_on(before, live.numbering.seq)

    def __repr__(self) -> str:
        return f"<Recorder of {self._live.id}>"

    def _go_on(self, before: SessionSnapshot, last_seq: int) -> None:
        """Replies whose end the client waits for: it is told here, and may not come from here either."""
        beside = [
            EndedSnapshot(response_id, seq, UNSENT, "failed", None) for response_id, seq in before.beside
        ]
        for each in (*before.ended, *beside):
            if 0 < each.created_seq <= last_seq < each.done_seq:
                self._created[each.response_id] = each.created_seq
                self._note_end(replace(each, done_seq=UNSENT))

    def queued(self, event: events.ServerEvent) -> None:
        """It waits for the client, which may be away: if this server is lost before, another one tells it."""
        match event:
            case events.ResponseDone(response=response):
                self._note_end(self._ended_of(response, UNSENT))
            case events.ConversationItemAdded(item=item) | events.ConversationItemDone(item=item):
                self._told.queued((UNSENT, item.id))
            case _:
                self._changes.queued(event)

    def sent(self, event: events.ServerEvent, seq: int) -> bool:
        """It has this number now. Whether another server must know of it."""
        match event:
            case events.ResponseCreated(response=response):
                _note(self._created, response.id, seq)
            case events.ResponseDone(response=response):
                _note(self._done, response.id, seq)
                self._note_end(self._ended_of(response, seq))
            case events.ConversationItemAdded(item=item) | events.ConversationItemDone(item=item):
                self._told.sent((UNSENT, item.id), (seq, item.id))
            case events.SessionUpdated():
                pass
            case _:
                return self._changes.sent(event, seq)
        return True

    def _ended_of(self, response: ResponseObject, seq: int) -> EndedSnapshot:
        items = None if response.conversation_id is None else tuple(item.id for item in response.output)
        modality: Any = response.output_modalities[0]
        created = self._created.get(response.id, 0)
        status, metadata, whole = response.status, response.metadata, None
        if items is not None or status in ("cancelled", "failed"):  # nobody keeps what was said beside it
            whole = msgspec.to_builtins(msgspec.structs.replace(response, output=()))
        return EndedSnapshot(response.id, created, seq, status, items, modality, metadata, whole)

    def _note_end(self, ended: EndedSnapshot) -> None:
        self._ended.pop(ended.response_id, None)
        self._ended[ended.response_id] = ended
        if len(self._ended) > ENDED:
            del self._ended[next(iter(self._ended))]

    def _with_begin(self, ended: EndedSnapshot) -> EndedSnapshot:
        """It may have waited for the client when the reply ended."""
        created = self._created.get(ended.response_id, ended.created_seq)
        return ended if created == ended.created_seq else replace(ended, created_seq=created)

    def position(self) -> Position:
        session = self._live.session
        reply, left_s, unheard = session.responses.unfinished, session.idle.left_s, session.unheard
        sound = None if reply is None or reply.events.sound.item_id is None else reply.events.sound
        return Position(
            round(unheard.from_ms, 1),
            None if sound is None else sound.item_id,
            0.0 if sound is None else round(sound.playback.sent_ms, 1),
            tuple(
                (each.item_id or "", round(each.playback.sent_ms, 1)) for each in session.responses.earlier
            ),
            None if left_s is None else round(left_s * 1000, 1),
            round(unheard.open_ms, 1),
            round(session.received_ms, 1),
            0.0 if unheard.settled is None else round(unheard.settled.to_ms, 1),
        )

    def snapshot(self) -> SessionSnapshot:
        live, session = self._live, self._live.session
        responses, unheard = session.responses, session.unheard
        latest = responses.unfinished
        reply = None if latest is None else self._reply(latest)
        earlier = tuple(map(self._earlier, responses.earlier))
        going_on = (*earlier, *(() if reply is None else (reply,)))
        return SessionSnapshot(
            session_id=live.id,
            key=live.key,
            proof=self._proof,
            config=session.session_object(),
            conversation_id=session.conversation_id,
            items_at=live.items_at,
            expires_unix_s=session.expires_unix_s,
            binary=live.binary,
            ephemeral=live.caller.ephemeral,
            seq=live.numbering.seq,
            last_event_id=live.last_event_id,
            told=self._told.now(),
            **_for_older_servers(unheard.segments),
            reply=reply,
            earlier=earlier,
            ended=tuple(map(self._with_begin, self._ended.values())),
            beside=tuple((each.id, self._created.get(each.id, 0)) for each in responses.beside),
            said=self._speech.of(session, {each.item_id for each in going_on if not each.unwanted}),
            changes=self._changes.now(),
            streams=live.numbering.last_stream,
            saved=live.saving.saved,
            idle=session.idle.snapshot,
            segments=unheard.segments,
            sent=unheard.sent,
            turn=session.turn_snapshot,
            stopped=self._stopped(),
            speaking=session.speaking,
            settled=unheard.settled,
        )

    def _reply(self, reply: Response) -> ReplySnapshot:
        told, answer = reply.events, reply.answer
        spoken = told.options.spoken
        return ReplySnapshot(
            response_id=reply.id,
            created_seq=self._created.get(reply.id, 0),
            done_seq=self._done.get(reply.id, 0),
            item_id=told.message_id,
            text=answer.text if spoken else told.transcript,
            complete=answer.finish is not None or told.status == "failed",
            spoken=_spoken(told.sound) if spoken and told.sound.item_id is not None else None,
            stream=self._live.numbering.stream_of(told.message_id),
            options=self._options(told.options),
            calls=(*_calls(told.items.output, ours=False), *_calls(told.items.server_items, ours=True)),
            tool_round=reply.plan.tool_round,
            resumes=reply.plan.resumes,
            unwanted=self._unwanted(told.message_id),
        )

    def _stopped(self) -> StoppedSnapshot | None:
        session = self._live.session
        rules, interrupted = session.stopped, session.responses.interrupted
        if rules is None or interrupted is None or interrupted.response.id != rules.response_id:
            return None
        response = interrupted.response
        item_id, sound = response.events.message_id, response.events.sound
        before = (each.item_id for each in interrupted.sounds if each is not sound)
        # Here a truncate says only where it goes on
        unwanted = sound.unwanted or (item_id is not None and item_id not in session.conversation)
        return StoppedSnapshot(
            replace(self._reply(response), unwanted=unwanted),
            tuple(item_id for item_id in before if item_id is not None),
            response.events.status != "cancelled",
            rules.heard,
            rules.before_answer,
            rules.agreed,
            rules.at_end,
        )

    def _earlier(self, sound: ReplySound) -> ReplySnapshot:
        """Of a reply that is made and may still sound."""
        created, done = self._created.get(sound.response_id, 0), self._done.get(sound.response_id, 0)
        return ReplySnapshot(
            sound.response_id,
            created,
            done,
            sound.item_id,
            sound.part.text,
            complete=True,
            spoken=_spoken(sound),
            unwanted=self._unwanted(sound.item_id),
        )

    def _unwanted(self, item_id: str | None) -> bool:
        """Whether the client has deleted or truncated it."""
        conversation = self._live.session.conversation
        return item_id is not None and (item_id not in conversation or conversation.was_truncated(item_id))

    def _options(self, options: ResponseOptions) -> dict[str, Any] | None:
        plans, config = self._live.session.responses.plans, self._live.session.config
        if self._differing is None or self._differing[0] is not options or self._differing[1] is not config:
            usual = plans.with_tools(response_options(config))
            self._differing = options, config, differing(options, usual, plans.ours(options))
        return self._differing[2]


def _for_older_servers(segments: Sequence[SegmentSnapshot]) -> dict[str, Any]:
    """Their detector hears again what another one has ended."""
    turns = [each.item_id for each in segments if not each.by_client]
    commits = (CommitSnapshot(each.item_id, each.from_ms, each.to_ms) for each in segments if each.by_client)
    return {
        "unanswered": next(iter(turns), None),
        "unanswered_too": tuple(turns[1:]),
        "commits": tuple(commits),
    }


def _note(numbers: dict[str, int], response_id: str, seq: int) -> None:
    numbers[response_id] = seq
    if len(numbers) > NUMBERED:
        del numbers[next(iter(numbers))]


def _spoken(sound: ReplySound) -> SpokenSnapshot:
    text, seen, audio_ms, ends, from_ms, whole_ms = sound.part.measured()
    return SpokenSnapshot(text, seen, audio_ms, ends, tuple(round(ms, 1) for ms in from_ms), whole_ms)


def _calls(items: list[Item], *, ours: bool) -> tuple[CallSnapshot, ...]:
    return tuple(
        CallSnapshot(item.id, item.call_id, ours) for item in items if isinstance(item, FunctionCallItem)
    )
