"""What docs/wire.md promises of any sequence of server events, whatever a client did: one checker for one session.

Give it every event in order with `see`, tell it what the client has done with `did`, and ask `close` at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]

AFTER_DONE = {
    "response.latency.done",
    "output_audio_buffer.started",
    "output_audio_buffer.stopped",
    "output_audio_buffer.cleared",
    "output_audio_buffer.gain_changed",
}
MISTAKES = {  # that a client makes which does not look first
    "conversation_full",
    "conversation_already_has_active_response",
    "input_audio_buffer_commit_empty",
    "response_cancel_not_active",
    "item_delete_invalid_item_id",
    "item_truncate_invalid_item_id",
    "item_create_invalid_previous_item_id",
    "item_create_duplicate_item_id",
    "item_retrieve_invalid_item_id",
    "unsupported_content_type",
    "invalid_value",
    "rate_limit_exceeded",
}
DELTAS = {
    "response.output_text.delta": "text",
    "response.output_audio_transcript.delta": "transcript",
    "response.function_call_arguments.delta": "arguments",
}
DONES = {
    "response.output_text.done": "text",
    "response.output_audio_transcript.done": "transcript",
    "response.function_call_arguments.done": "arguments",
}


@dataclass
class _Response:
    in_conversation: bool
    done: bool = False
    open_items: dict[str, Event] = field(default_factory=dict)
    closed_items: dict[int, Event] = field(default_factory=dict)  # by their output_index
    open_parts: set[str] = field(default_factory=set)
    audio_done: set[str] = field(default_factory=set)
    text_done: set[str] = field(default_factory=set)


class WireLaws:
    """The laws of one session, checked event by event. Raises AssertionError with the event that broke one."""

    def __init__(self, extensions: str = "") -> None:
        self.extensions = set(filter(None, extensions.split(",")))
        self.truncates = 0  # that the client sent
        self.items: list[str] = []  # of the conversation, in order
        self.texts: dict[str, str] = {}  # what each item of a response has said
        self.words: dict[str, str] = {}
        self.responses: dict[str, _Response] = {}
        self.committed: dict[str, int] = {}  # item: its transcripts
        self._open_speech: str | None = None
        self._start_ms = 0
        self._stopped: str | None = None  # and not yet committed
        self._half: dict[str, Event] = {}  # added to the conversation, and not yet done
        self.untold: set[str] = set()  # items whose transcript nobody tells
        self._ids: set[str] = set()
        self._ended_speech: set[str] = set()
        self._gain_db = 0.0  # of the player, as it was told
        self._sounding: dict[str, str] = {}  # response: the last that was told of its playback

    @property
    def speaks(self) -> bool:
        """Whether the client believes that somebody speaks."""
        return self._open_speech is not None

    def did(self, type: str) -> None:
        """The client has done something that ends open speech without `speech_stopped` (3.2, 3.3)."""
        assert type in ("commit", "clear", "manual", "truncate")
        if type == "truncate":
            self.truncates += 1
        else:
            self._open_speech = None

    def see(self, event: Event) -> None:
        try:
            self._see(event)
        except AssertionError as error:
            raise AssertionError(f"{error}\n  at {event}") from error

    def _see(self, event: Event) -> None:
        type = event["type"]
        assert event["event_id"] not in self._ids, "an event id came twice"
        self._ids.add(event["event_id"])
        if self._stopped is not None:
            full = type == "error" and event["error"]["code"] == "conversation_full"
            room = type == "conversation.item.deleted"
            assert room or full or type == "input_audio_buffer.committed", "speech_stopped without committed"
            self._stopped = None if full else self._stopped
        if type.startswith("input_audio_buffer."):
            self._input(type, event)
        elif type.startswith("conversation.item."):
            self._item(type, event)
        elif type == "response.created":
            self._created(event["response"])
        elif "response_id" in event or type == "response.done":
            self._response(type, event)
        elif type == "error":
            assert event["error"]["code"] in MISTAKES, "no mistake of this client"

    # -- speech --------------------------------------------------------------------------------------------------

    def _input(self, type: str, event: Event) -> None:
        match type:
            case "input_audio_buffer.speech_started":
                if self._open_speech is not None:
                    assert self.responses, "speech_started twice, and no reply to silence"
                    assert (event["item_id"], event["audio_start_ms"]) == (self._open_speech, self._start_ms)
                    return
                assert event["item_id"] not in self._ended_speech, "speech of an item that has ended"
                self._open_speech, self._start_ms = event["item_id"], event["audio_start_ms"]
                self._ended_speech.add(event["item_id"])
            case "input_audio_buffer.speech_stopped":
                assert self._open_speech == event["item_id"], "speech_stopped without its speech_started"
                assert event["audio_end_ms"] >= self._start_ms
                self._open_speech, self._stopped = None, event["item_id"]
            case "input_audio_buffer.committed":
                assert self._stopped in (None, event["item_id"]), "another item was committed"
                if self._stopped is None and self._open_speech is not None:
                    assert event["item_id"] == self._open_speech, "a commit of open speech has its item id"
                self._stopped = None
                assert event["item_id"] not in self.committed
                self.committed[event["item_id"]] = 0
                assert event["previous_item_id"] == (self.items[-1] if self.items else None)
            case "input_audio_buffer.timeout_triggered":
                self.untold.add(event["item_id"])
                assert event["audio_start_ms"] <= event["audio_end_ms"]

    # -- items ---------------------------------------------------------------------------------------------------

    def _item(self, type: str, event: Event) -> None:
        match type:
            case "conversation.item.added":
                item = event["item"]
                assert item["id"] not in self.items, "an item was added twice"
                previous = event["previous_item_id"]
                at = 0 if previous is None else self.items.index(previous) + 1
                self.items.insert(at, item["id"])
                self._half[item["id"]] = item
            case "conversation.item.done":
                assert self._half.pop(event["item"]["id"], None) is not None, "done before added, or twice"
            case "conversation.item.deleted":
                assert event["item_id"] in self.items, "an item was deleted that is not there"
                self.items.remove(event["item_id"])
            case "conversation.item.truncated":
                self.truncates -= 1
                assert "playback" in self.extensions or self.truncates >= 0, "truncated unasked"
            case "conversation.item.input_audio_transcription.completed" | (
                "conversation.item.input_audio_transcription.failed"
            ):
                self.committed[event["item_id"]] = self.committed.get(event["item_id"], 0) + 1
                assert self.committed[event["item_id"]] == 1, "two transcripts of one item"
            case "conversation.item.input_audio_transcription.delta":
                assert not self.committed.get(event["item_id"]), "a delta after the transcript"

    # -- responses -----------------------------------------------------------------------------------------------

    def _created(self, response: Event) -> None:
        assert response["id"] not in self.responses, "a response id came twice"
        in_conversation = response["conversation_id"] is not None
        if in_conversation:
            active = [id for id, each in self.responses.items() if each.in_conversation and not each.done]
            assert not active, f"{active} are active already"
        self.responses[response["id"]] = _Response(in_conversation)

    def _response(self, type: str, event: Event) -> None:
        id = event["response"]["id"] if type == "response.done" else event["response_id"]
        response = self.responses.get(id)
        assert response is not None, "of a response that was not created"
        if type in AFTER_DONE:
            if type == "output_audio_buffer.gain_changed":
                self._gain(event["gain_db"])
            self._playback(type, id)
            return
        assert not response.done, "after its response.done"
        match type:
            case "response.done":
                response.done = True
                assert not response.open_items, f"items are open: {response.open_items}"
                assert event["response"]["output"] == [
                    item for _, item in sorted(response.closed_items.items())
                ]
                assert event["response"]["status"] != "in_progress"
                if "words" in self.extensions and event["response"]["status"] == "completed":
                    for item in event["response"]["output"]:
                        for part in item.get("content", ()):
                            said = part.get("transcript")
                            assert said in (None, self.words.get(item["id"], "")), "words are missing"
            case "response.output_item.added":
                assert event["output_index"] == len(response.open_items) + len(response.closed_items)
                response.open_items[event["item"]["id"]] = event["item"]
            case "response.output_item.done":
                item = event["item"]
                assert response.open_items.pop(item["id"], None) is not None
                assert item["id"] not in response.open_parts
                response.closed_items[event["output_index"]] = item
            case _:
                self._part(type, event, response)

    def _gain(self, gain_db: float) -> None:
        assert gain_db != self._gain_db, "the same gain twice"
        assert 0.0 in (gain_db, self._gain_db), "down, and up again"
        self._gain_db = gain_db

    def _playback(self, type: str, id: str) -> None:
        name = type.rpartition(".")[2]
        if type == "response.latency.done":
            assert "latency" in self.extensions
            assert self.responses[id].done
            assert not self._sounding.get(f"latency {id}"), "told twice"
            self._sounding[f"latency {id}"] = name
            return
        assert "playback" in self.extensions
        if name == "gain_changed":
            return
        told = self._sounding.get(id, "")
        assert name == "cleared" or name not in told, f"{name} twice"
        assert name != "cleared" or "stopped" not in told, "cleared after its playback had ended"
        assert name != "stopped" or ("started" in told and "cleared" not in told), f"stopped after {told!r}"
        self._sounding[id] = f"{told} {name}"

    def _part(self, type: str, event: Event, response: _Response) -> None:
        item_id = event["item_id"]
        assert item_id in response.open_items, "outside of its item"
        match type:
            case "response.content_part.added":
                assert item_id not in response.open_parts
                response.open_parts.add(item_id)
            case "response.content_part.done":
                response.open_parts.remove(item_id)
                part = event["part"]
                assert part.get("transcript", part.get("text")) == self.texts.get(item_id, "")
            case "response.output_audio.delta":
                assert item_id in response.open_parts
                assert item_id not in response.audio_done
            case "response.output_audio.done":
                assert item_id not in response.audio_done
                response.audio_done.add(item_id)
            case "response.output_audio_words.delta":
                assert item_id in response.open_parts
                self.words[item_id] = self.words.get(item_id, "") + "".join(w["text"] for w in event["words"])
                assert self.texts[item_id].startswith(self.words[item_id])
            case _ if type in DELTAS:
                assert item_id not in response.text_done
                self.texts[item_id] = self.texts.get(item_id, "") + event["delta"]
            case _ if type in DONES:
                assert item_id not in response.text_done
                response.text_done.add(item_id)
                assert event[DONES[type]] == self.texts.get(item_id, "")

    # -- the end -------------------------------------------------------------------------------------------------

    def close(self, *, heard: dict[str, str], silent: bool) -> None:
        """`heard`: the text of each assistant item that `retrieve` gave; `silent`: nobody speaks any more."""
        waiting = [id for id, response in self.responses.items() if not response.done]
        assert not waiting, f"without response.done: {waiting}"
        assert not self._half, f"added and never done: {list(self._half)}"
        assert self._stopped is None, "speech_stopped without committed"
        unread = [id for id, count in self.committed.items() if not count and id in self.items]
        assert set(unread) <= self.untold, f"committed and never transcribed: {unread}"
        assert not silent or self._open_speech is None, "speech_started without speech_stopped"
        assert not silent or not self._gain_db, "played more quietly for good"
        for item_id, text in heard.items():
            if item_id in self.texts:
                assert self.texts[item_id].startswith(text), (
                    f"{text!r} was never said in {self.texts[item_id]!r}"
                )
