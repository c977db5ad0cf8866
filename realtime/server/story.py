"""What the log tells of sessions and of clients that are refused. Counts messages; knows none of their words."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from aiohttp import web

from realtime.logs import story
from realtime.metrics import Metrics
from realtime.protocol import server_events as events
from realtime.protocol.client_events import AnyClientEvent, InputAudioBufferAppend
from realtime.server.forwarded import host_of
from realtime.server.token_bucket import Throttle

log = logging.getLogger("realtime.session")
GOES_ON_S = 1.0  # after its session was taken over

door = logging.getLogger("realtime.door")


@dataclass(frozen=True, slots=True)
class Client:
    """Who is at the other end of a socket, as far as it says so itself."""

    address: str | None = None
    user_agent: str | None = None
    origin: str | None = None
    transport: str = "json"


def client_of(request: web.BaseRequest, *, binary: bool = False) -> Client:
    """The client of this request."""
    headers = request.headers
    transport = "binary" if binary else "json"
    return Client(request.remote, headers.get("User-Agent"), headers.get("Origin"), transport)


class SessionStory:
    """One session for the log and the metrics: its begin, its end, what went in and out."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._began_s = 0.0
        self._counts = {"turns": 0, "failed": 0, "interrupted": 0}
        self._replies: dict[str, str] = {}  # items -> the responses that made them
        self._interrupted: set[str] = set()  # responses that were cancelled, or whose sound was cut
        self._bytes_in = self._bytes_out = 0
        self._owed_until_s = 0.0  # an answer that another server had begun goes on before that, or not at all
        self._silent_s = 0.0  # when its listener has no sound of it left
        self._goes_on: str | None = None  # the response that says its rest

    def __repr__(self) -> str:
        return f"<SessionStory {self._counts} {self._bytes_in} bytes in, {self._bytes_out} out>"

    def begin(self, session_id: str, key: str, client: Client, account: str | None = None) -> None:
        """The session begins, at this account where there are several."""
        self._began_s = asyncio.get_running_loop().time()
        self._metrics.sessions.inc()
        self._metrics.sessions_total.inc()
        story(log, "session began", {"id": session_id, "key": key, "account": account, **_facts_of(client)})

    def goes_on(self, buffered_s: float) -> None:
        """An answer of another server goes on here. Its listener has so much sound of it left."""
        now_s = asyncio.get_running_loop().time()
        self._owed_until_s, self._silent_s = now_s + GOES_ON_S, now_s + buffered_s

    def end(self, session_id: str, code: int | None, reason: str) -> None:
        """The session has ended, with this close code."""
        self._metrics.sessions.dec()
        facts = {
            "id": session_id,
            "duration_s": asyncio.get_running_loop().time() - self._began_s,
            **self._counts,
            "code": code,
            "reason": reason or ("client_closed" if code in (0, 1000, 1001) else "connection_lost"),
            "bytes_in": self._bytes_in,
            "bytes_out": self._bytes_out,
        }
        story(log, "session ended", facts)

    def on_event(self, event: events.ServerEvent) -> None:
        """Called for every event to the client, but for sound."""
        match event:
            case events.ResponseCreated() if asyncio.get_running_loop().time() < self._owed_until_s:
                self._goes_on, self._owed_until_s = event.response.id, 0.0
            case events.ResponseOutputItemAdded():
                self._replies[event.item.id] = event.response_id
            case events.ResponseDone():
                self._counts["turns"] += 1
                if event.response.id == self._goes_on:
                    self._goes_on = None
                self._counts["failed"] += event.response.status == "failed"
                if event.response.status == "cancelled":
                    self._interrupt(event.response.id)
            case events.ConversationItemTruncated() if event.item_id in self._replies:
                self._interrupt(self._replies[event.item_id])

    def _interrupt(self, response_id: str) -> None:
        """The user stopped this reply while it was made, or while it sounded; mostly both are told."""
        self._interrupted.add(response_id)
        self._counts["interrupted"] = len(self._interrupted)

    def received(self, size: int) -> None:
        """A message of so many bytes came."""
        self._bytes_in += size
        self._metrics.socket_bytes.received += size

    def understood(self, event: AnyClientEvent) -> None:
        """It was this one."""
        if isinstance(event, InputAudioBufferAppend):
            self._metrics.audio_bytes.received += len(event.audio)

    def sent(self, size: int) -> None:
        """A message of so many bytes goes out."""
        self._bytes_out += size
        self._metrics.socket_bytes.sent += size

    def sounded(self, event: events.ServerEvent) -> None:
        """An event was taken from the queue; sound is counted."""
        if isinstance(event, events.ResponseOutputAudioDelta):
            self._metrics.audio_bytes.sent += len(event.delta)
            if event.response_id == self._goes_on:
                now_s = asyncio.get_running_loop().time()
                self._metrics.takeover_silence.observe(max(0.0, now_s - self._silent_s))
                self._goes_on = None


class Door:
    """Tells of clients that were refused; of many, only some, so that nobody can fill the disk."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._throttle = Throttle()

    def refused(self, request: web.BaseRequest, reason: str) -> None:
        """A handshake or a request for a secret was refused. `reason` is one of few words of ours."""
        self._metrics.refused.labels(reason).inc()
        left_out = self._throttle.allow(reason, asyncio.get_running_loop().time())
        if left_out is not None:
            who = _facts_of(client_of(request)) | {"transport": None, "host": host_of(request)}
            facts = {"reason": reason, **who, "left_out": left_out or None}
            story(door, "client refused", facts, logging.WARNING)


def _facts_of(client: Client) -> dict[str, object]:
    return {
        "address": client.address,
        "user_agent": client.user_agent,
        "origin": client.origin,
        "transport": client.transport,
    }
