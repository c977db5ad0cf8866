"""The shared parts of all handlers of the sandbox: options, state, keys, errors, latencies, faults.

Knows both error envelopes of the platform (docs/minimax/README.md 2 to 5). Does not know any endpoint.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from ..errors import ConfigError
from .clock import Clock
from .faults import Fault, Faults, parse_faults
from .jobs import Jobs
from .natural.speaker import NaturalVoice
from .options import SandboxOptions
from .records import Records
from .store import Store

KEPT_VOICES = 10_000  # created ones; the oldest go first
LONGEST_RECORDED = 100_000  # characters of one string
BAD_KEY = "sk-bad"


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request, without the key. `body` is the decoded JSON or form. `at_s` is loop time."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    at_s: float


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """One text to synthesize. `transport`: ordinary, bidi or http; `connection` is the number of the socket."""

    text: str
    model: str
    voice_id: str
    transport: str
    connection: int
    at_s: float  # loop time


@dataclass(slots=True)
class SandboxState:
    """Counters and records of one running sandbox; tests read them."""

    options: SandboxOptions
    records: bool = True  # whether requests are kept, for tests
    requests: Records[RecordedRequest] = field(init=False)
    speech_requests: Records[SpeechRequest] = field(init=False)
    connections_open: int = 0  # speech sockets now
    connections_opened: int = 0  # speech sockets ever
    http_connections_opened: int = 0  # HTTP connections ever, without speech sockets
    voices: dict[str, dict[str, Any]] = field(default_factory=dict)  # created voices by id
    injected: tuple[Fault, ...] = ()  # faults of `Sandbox.inject`
    injected_left: dict[str, int] = field(default_factory=dict)  # how often each of them still applies
    natural: NaturalVoice | None = None  # speaks English and Chinese; None: espeak speaks all languages
    clock: Clock = field(default_factory=Clock)
    jitter: random.Random = field(init=False)
    store: Store = field(init=False)
    jobs: Jobs = field(init=False)
    _windows: dict[tuple[str, str], deque[float]] = field(default_factory=dict)
    _drawn: int = 0
    _ids: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.requests = Records(wanted=self.records)
        self.speech_requests = Records(wanted=self.records)
        self.jitter = random.Random(f"jitter:{self.options.seed}")
        self._ids = random.Random(f"ids:{self.options.seed}")
        self.store = Store(self.options, self.clock, self.new_id)
        self.jobs = Jobs(self.options, self.clock, self.store, self.new_id, self.delay)

    def new_id(self) -> int:
        """An id of a file or task: 18 digits and odd, so a reader that makes it a float loses it."""
        return self._ids.randrange(10**17 + 1, 10**18, 2)

    def delay(self, name: str) -> float:
        """The time `name` of the options, in its own unit, with the profile's jitter."""
        options = self.options
        value = options[name] * (1.0 + options["jitter.spread"] * self.jitter.uniform(-1.0, 1.0))
        if options["jitter.tail"] and self.jitter.random() < options["jitter.tail"]:
            value *= options["jitter.tail_factor"]
        return max(0.0, value)

    def record(self, request: web.Request, body: Any) -> None:
        """Keep a request for tests, without its key."""
        if not self.records:
            return
        headers = {
            k: v for k, v in request.headers.items() if k.lower() not in ("authorization", "x-api-key")
        }
        now_s = asyncio.get_running_loop().time()
        kept = _shortened(body)
        recorded = RecordedRequest(request.method, request.path, headers, kept, now_s)
        self.requests.keep(recorded, kept, headers, request.path)

    def record_speech(
        self, text: str, model: str, voice_id: str, transport: str, connection: int = 0
    ) -> None:
        """Keep one text to synthesize."""
        now_s = asyncio.get_running_loop().time()
        self.speech_requests.keep(SpeechRequest(text, model, voice_id, transport, connection, now_s), text)

    def take(self, limit: str, account: str = "") -> bool:
        """Count one request against `limit.<limit>_rpm` ("speech", "image" …). False: refuse it with 1002.

        Those of each account count alone, where it is named.
        """
        allowed = self.options[f"limit.{limit}_rpm"]
        if not allowed:
            return True
        now_s = self.clock.now_s()
        window = self._windows.setdefault((limit, account), deque())
        while window and window[0] <= now_s - self.options["limit.window_s"]:
            window.popleft()
        if len(window) >= allowed:
            return False
        window.append(now_s)
        return True

    def open_connection(self) -> int | None:
        """Count a new speech socket and number it from 1. None: over `limit.connections`, refuse with 1041.

        Call `close_connection` when a counted socket is closed.
        """
        allowed = self.options["limit.connections"]
        if allowed and self.connections_open >= allowed:
            return None
        self.connections_open += 1
        self.connections_opened += 1
        return self.connections_opened

    def close_connection(self) -> None:
        """Count a closed speech socket."""
        self.connections_open -= 1

    def next_random(self) -> random.Random:
        """The random numbers of one request: the n-th request of one seed always gets the same."""
        self._drawn += 1
        return random.Random(f"fault:{self.options.seed}:{self._drawn}")


def _shortened(body: Any) -> Any:
    """A body to keep, without the pictures and recordings in it: the records must stay small."""
    match body:
        case str() if len(body) > LONGEST_RECORDED:
            return f"{body[:100]}… ({len(body)} characters)"
        case dict():
            return {name: _shortened(value) for name, value in body.items()}
        case list():
            return [_shortened(value) for value in body]
        case _:
            return body


OPTIONS: web.AppKey[SandboxOptions] = web.AppKey("options", SandboxOptions)
STATE: web.AppKey[SandboxState] = web.AppKey("state", SandboxState)
CLOSING: web.AppKey[asyncio.Event] = web.AppKey("closing", asyncio.Event)  # set when the sandbox stops

# code -> (HTTP status and error.type of the OpenAI-style envelope, message); docs/minimax/README.md 3.2, 4
CODES: dict[int, tuple[int, str, str]] = {
    1000: (500, "server_error", "unknown error, please try again later"),
    1001: (500, "server_error", "request timeout, please try again later"),
    1002: (429, "rate_limit_error", "rate limit, please retry later"),
    1004: (
        401,
        "authorized_error",
        "login fail: Please carry the API secret key in the 'Authorization' field of the request header",
    ),
    1008: (402, "insufficient_balance_error", "insufficient balance"),
    1013: (500, "server_error", "internal service error"),
    1024: (500, "server_error", "internal error"),
    1026: (422, "unprocessable_entity_error", "input new_sensitive"),
    1027: (422, "unprocessable_entity_error", "output new_sensitive"),
    1033: (500, "server_error", "system error, mysql failed"),
    1039: (429, "rate_limit_error", "rate limit, token limit exceeded"),
    1041: (429, "rate_limit_error", "connection limit exceeded, please contact sales"),
    1042: (400, "bad_request_error", "too many invisible or illegal characters in the text"),
    1043: (400, "bad_request_error", "asr similarity check failed"),
    1044: (400, "bad_request_error", "clone prompt similarity check failed"),
    2013: (400, "bad_request_error", "invalid params"),
    20132: (400, "bad_request_error", "invalid samples or voice_id"),
    2037: (400, "bad_request_error", "voice duration too short or too long"),
    2038: (401, "authorized_error", "voice clone is not allowed for this account"),
    2039: (400, "bad_request_error", "voice_id already exists"),
    2042: (401, "authorized_error", "you don't have access to this voice_id"),
    2044: (401, "authorized_error", "no permission for this API"),
    2045: (429, "rate_limit_error", "rate growth limit, please ramp up slowly"),
    2048: (400, "bad_request_error", "prompt audio too long"),
    2049: (401, "authorized_error", "invalid api key"),
    2054: (400, "bad_request_error", "voice id not exist"),
    2056: (429, "rate_limit_error", "usage limit exceeded, please wait for the next 5-hour window"),
    2061: (400, "bad_request_error", "your current token plan not support model"),
    2064: (529, "overloaded_error", "the server cluster is currently under high load, please retry shortly"),
    2201: (400, "bad_request_error", "connection timeout, no messages received for 120 seconds"),
    2202: (400, "bad_request_error", "illegal event"),
    2203: (400, "bad_request_error", "empty text, task skipped"),
    2204: (400, "bad_request_error", "text too long, task skipped"),
    2205: (429, "rate_limit_error", "request limit exceeded"),
    2206: (400, "bad_request_error", "illegal event order"),
}


def new_trace_id() -> str:
    """32 hex digits, as in `trace-id`."""
    return secrets.token_hex(16)


def message_for(code: int) -> str:
    """The platform's message for a code, or the default error's."""
    return CODES.get(code, CODES[1000])[2]


def base_resp(code: int = 0, msg: str | None = None) -> dict[str, Any]:
    """The value of the native envelope's `base_resp`; code 0 says `success`."""
    text = msg if msg is not None else "success" if code == 0 else message_for(code)
    return {"status_code": code, "status_msg": text}


def native_error(code: int, msg: str | None = None) -> dict[str, Any]:
    """The whole native error body (docs/minimax/README.md 3.1). It is sent with HTTP 200."""
    return {"base_resp": base_resp(code, msg)}


def openai_error_body(code: int, trace_id: str, msg: str | None = None, status: int = 0) -> dict[str, Any]:
    """The OpenAI-style error body (docs/minimax/README.md 3.2); the code is only at the end of the message."""
    known_status, kind, _ = CODES.get(code, CODES[1000])
    status = status or known_status
    if status == 413:
        kind = "invalid_request_error"
    text = f"{msg if msg is not None else message_for(code)} ({code})"
    if status == 529:
        text += " (529)"
    error = {"type": kind, "message": text, "http_code": str(status)}
    return {"type": "error", "error": error, "request_id": trace_id}


def openai_error(code: int, msg: str | None = None, status: int = 0) -> web.Response:
    """The OpenAI-style error as an answer with its real HTTP status; `request_id` is its trace-id header."""
    trace_id = new_trace_id()
    body = openai_error_body(code, trace_id, msg, status)
    http_status = int(body["error"]["http_code"])
    return web.json_response(body, status=http_status, headers={"trace-id": trace_id})


def key_error(request: web.Request) -> tuple[int, str] | None:
    """None if the request has a valid key, else code and message: 1004 without a key, 2049 for `sk-bad`."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        return 1004, message_for(1004)
    if key.strip() == BAD_KEY:
        return 2049, message_for(2049)
    return None


def faults_for(request: web.Request) -> Faults:
    """The faults of this request: the sandbox's, the injected, and by name over both those of `X-Sandbox-Fault`.

    Raises HTTPBadRequest with a sentence if the header cannot be read.
    """
    state = request.app[STATE]
    try:
        own = parse_faults(request.headers.get("X-Sandbox-Fault", ""))
    except ConfigError as error:
        raise web.HTTPBadRequest(text=f"X-Sandbox-Fault: {error}\n") from None
    faults = (*state.options.faults, *state.injected, *own)
    return Faults(faults, state.next_random(), state.injected_left)


def delay_ms(app: web.Application, name: str) -> float:
    """The time `name` of the options in ms, with the profile's jitter."""
    return app[STATE].delay(name)


async def sleep_ms(app: web.Application, wait: str | float) -> None:
    """Wait for the time of an option (with jitter), or for a number of ms."""
    value = delay_ms(app, wait) if isinstance(wait, str) else wait
    if value > 0:
        await asyncio.sleep(value / 1000)


async def stall(app: web.Application) -> None:
    """Wait until the sandbox stops; a disconnect of the client cancels this."""
    await app[CLOSING].wait()


def cut(request: web.Request) -> None:
    """Abort the request's TCP connection without a closing handshake."""
    if request.transport is not None:
        request.transport.abort()
