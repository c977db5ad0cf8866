"""Which of the user's speech is not text in the conversation yet: a new session has to hear it again.

Follows what is sent and what the server says of it. With turn detection the server says where an utterance begins;
without, the client's own `input_audio_buffer.commit` and `.clear` do. Pure: knows positions in the audio, and no audio.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from realtime.core.audio import ms_to_samples

COMMIT, CLEAR = "input_audio_buffer.commit", "input_audio_buffer.clear"
ONSET_MS = 1000  # speech that began so long before a sign of life may not have been noticed yet


@dataclass(slots=True)
class _Utterance:
    begins_at: int
    committed: bool = False
    commit_id: str | None = None  # of the client's event that ended it


class Unheard:
    """Positions are samples of the session. `items`: ids of the user's items that have no text yet."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._utterances: dict[str, _Utterance] = {}
        self._answered_ms = 0  # the end of the user's last whole utterance
        self._sign_at = 0  # what was sent when the server last gave a sign of life
        self._manual = False  # the client ends the turns
        self._transcribed = True  # the server tells the texts
        self._settings_at = 0  # what was sent when the client last changed settings
        self._turn_at = 0  # where the turn begins that the client has not ended
        self._commits: dict[str, int] = {}  # without an answer: id of the event -> where its turn begins

    def fresh(self) -> Unheard:
        """For a new session that gets the same settings."""
        fresh = Unheard(self._rate)
        fresh._manual, fresh._transcribed = self._manual, self._transcribed
        return fresh

    @property
    def items(self) -> list[str]:
        return list(self._utterances)

    @property
    def begins_at(self) -> int:
        """The first sample that a new session has to hear."""
        starts = [each.begins_at for each in self._utterances.values()]
        if self._manual:
            return min([*starts, *self._commits.values(), self._turn_at])
        return min(starts, default=self._after_answered(self._sign_at))

    def _after_answered(self, at: int) -> int:
        return max(ms_to_samples(self._answered_ms, self._rate), at - ms_to_samples(ONSET_MS, self._rate))

    def is_pending(self, commit_id: str) -> bool:
        """Whether a commit ended an utterance that has no text yet, or may have."""
        return commit_id in self._commits or any(
            commit_id == each.commit_id for each in self._utterances.values()
        )

    def sign(self, at: int) -> None:
        """The server gave a sign of life when so much had been sent."""
        self._sign_at = at

    def sent(self, kind: str, event_id: str, at: int) -> None:
        """A client event was sent after so much audio."""
        if kind == COMMIT:
            self._commits[event_id] = self._turn_at
        if kind in (COMMIT, CLEAR):
            self._turn_at = at
        if kind == "session.update":
            self._settings_at = at

    def follow(self, event: Mapping[str, Any]) -> None:
        """Learn from an event of the server."""
        match event:
            case {"type": "session.created" | "session.updated" | "session.resumed", "session": session}:
                self._configured((session.get("audio") or {}).get("input") or {})
            case {"type": "input_audio_buffer.speech_started", "item_id": item_id}:
                begins_at = ms_to_samples(int(event.get("audio_start_ms") or 0), self._rate)
                self._utterances[item_id] = _Utterance(begins_at)
            case {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": int(end_ms)}:
                self._answered_ms = max(self._answered_ms, end_ms)
            case {"type": "input_audio_buffer.committed", "item_id": item_id}:
                self._committed(item_id)
            case {"type": "input_audio_buffer.cleared"}:
                self._utterances = {name: each for name, each in self._utterances.items() if each.committed}
            case {"type": "response.output_item.added"} if not self._transcribed:
                self._utterances.clear()  # it answers them, and their text will never be told
            case {"type": "error", "error": {"event_id": str(name)}} if name in self._commits:
                begins_at = self._commits.pop(name)
                self._turn_at = begins_at if not self._commits else self._turn_at  # it goes on
            case {
                "type": "conversation.item.deleted"
                | "conversation.item.input_audio_transcription.completed"
                | "conversation.item.input_audio_transcription.failed",
                "item_id": item_id,
            }:
                self._utterances.pop(item_id, None)

    def _configured(self, audio_input: Mapping[str, Any]) -> None:
        manual = audio_input.get("turn_detection", self) is None
        if manual and not self._manual:
            self._turn_at = max(self._turn_at, self._after_answered(self._settings_at))
        self._manual = manual
        self._transcribed = audio_input.get("transcription", self) is not None

    def _committed(self, item_id: str) -> None:
        """The server commits in the order of the client's commits."""
        commit_id = next(iter(self._commits), None)
        begins_at = self._turn_at if commit_id is None else self._commits.pop(commit_id)
        known = self._utterances.get(item_id)
        if known is not None:
            known.committed, known.commit_id = True, commit_id
        elif self._manual and commit_id is not None:
            self._utterances[item_id] = _Utterance(begins_at, True, commit_id)
