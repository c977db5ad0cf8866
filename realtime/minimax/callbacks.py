"""What the platform POSTs to us when a task changes: challenges are answered, pushes wake the task that waits.

Knows the bodies of docs/minimax/README.md 6. A push is a hint and never the truth: it makes a waiting task ask soon,
and nothing in it is kept but the id. So a forged, repeated, late or lost push does no harm. Bodies are never logged.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import weakref
from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from realtime.errors import InvalidArgument
from realtime.minimax.json_text import decode_json

BODY_BYTES = 64 * 1024
EARLY_PUSHES = 1000  # remembered pushes for tasks that nobody waits for yet
EARLY_S = 60.0  # how long: the create call's answer may come after the first push
_ID_CHARACTERS = 128
_ACCEPTED = {"status": "success"}


class Wakeable(Protocol):
    """What waits for a task."""

    id: str

    def wake(self) -> None:
        """Ask soon."""


class Callbacks:
    """Receives the platform's callbacks below `base_url`, the public address of this program.

    With the same `secret` the addresses stay the same after a restart; without one they are new each time. The path
    cannot be guessed, because the platform does not sign what it sends. The platform has to reach the address within
    3 s; TLS is the business of the proxy in front. What exceeds `burst` requests at once, or `pushes_per_s` for longer,
    is refused unread. Raises InvalidArgument for an address that is not http or https.
    """

    def __init__(
        self,
        base_url: str,
        *,
        secret: str | bytes | None = None,
        path: str = "/minimax-callbacks",
        pushes_per_s: float = 50.0,
        burst: float = 200.0,
        body_timeout_s: float = 5.0,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise InvalidArgument(
                f"MiniMax: callbacks need a public address such as https://my.host, not {base_url!r}.",
                param="base_url",
            )
        if secret is not None and not secret:
            raise InvalidArgument("MiniMax: the secret of the callbacks is empty.", param="secret")
        self._base_url = base_url.rstrip("/")
        self._path = "/" + path.strip("/")
        self._secret = secret.encode() if isinstance(secret, str) else secret or secrets.token_bytes(32)
        self._body_timeout_s = body_timeout_s
        self._waiting = Waiting()
        self._limit = PushLimit(pushes_per_s, burst)

    def __repr__(self) -> str:
        return f"<Callbacks {self._base_url}, {len(self._waiting)} tasks wait>"

    def url_for(self, kind: str = "task") -> str:
        """The `callback_url` of a create call. `kind` is a word for the operator, such as `video`. It is a secret.

        Raises InvalidArgument for a kind that cannot be a part of an address.
        """
        if not (kind.isascii() and kind.replace("-", "").replace("_", "").isalnum()):
            raise InvalidArgument(f"MiniMax: {kind!r} is no word for an address.", param="kind")
        return f"{self._base_url}{self._path}/{kind}/{self._token(kind)}"

    def watch(self, task: Wakeable) -> None:
        """Wake this task when a push for its id comes, or when one came just before. Keeps no task alive."""
        self._waiting.add(task)

    def routes(self) -> web.RouteTableDef:
        """For any application of aiohttp: `app.add_routes(callbacks.routes())`."""
        table = web.RouteTableDef()
        table.post(self._path + "/{kind}/{token}")(self._receive)
        return table

    @asynccontextmanager
    async def serve(self, port: int = 9000, host: str = "127.0.0.1") -> AsyncGenerator[int, None]:
        """A server of its own inside the block. Gives the port (one that is free for 0). Raises OSError.

        It listens on this machine only, for a proxy or a tunnel in front of it, unless `host` says otherwise.
        """
        app = web.Application()
        app.add_routes(self.routes())
        # No access log: it would hold the secret path. A refused body is not waited for.
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, lingering_time=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            yield int(runner.addresses[0][1])
        finally:
            await runner.cleanup()

    def _token(self, kind: str) -> str:
        return hmac.new(self._secret, f"callback {kind}".encode(), hashlib.sha256).hexdigest()[:40]

    async def _receive(self, request: web.Request) -> web.Response:
        expected = self._token(request.match_info["kind"])
        if not hmac.compare_digest(request.match_info["token"].encode(), expected.encode()):
            return _close(404)
        if not self._limit.take(asyncio.get_running_loop().time()):
            return _close(429)
        try:
            body = await _read(request, self._body_timeout_s)
        except TimeoutError:
            return _close(408)
        except (web.RequestPayloadError, ConnectionError):
            return _close(400)  # wrongly packed, or the connection broke
        if body is None:
            return _close(413)
        return web.json_response(self._answer(body))

    def _answer(self, body: bytes) -> Mapping[str, Any]:
        """The answer to a body. One that nobody can read is accepted too: sending it again would not help."""
        try:
            payload = decode_json(body)
        except msgspec.DecodeError:
            return _ACCEPTED
        if not isinstance(payload, dict):
            return _ACCEPTED
        if isinstance(challenge := payload.get("challenge"), str | int):
            return {"challenge": challenge}
        for task_id in pushed_ids(payload):
            self._waiting.wake(task_id)
        return _ACCEPTED


CallbackTarget = Callbacks | str


def callback_url(target: CallbackTarget | None, kind: str) -> str | None:
    """The `callback_url` of a create call whose caller gave Callbacks, an address or nothing."""
    return target.url_for(kind) if isinstance(target, Callbacks) else target


def watch(target: CallbackTarget | None, task: Wakeable) -> None:
    """After a create call: wake its task by the pushes that come to `target`."""
    if isinstance(target, Callbacks):
        target.watch(task)


def pushed_ids(payload: Mapping[str, Any]) -> set[str]:
    """The ids that a push may be about: V1 and templates `task_id`, V2 `task.id`, a batch `id`."""
    task = payload.get("task")
    found = [payload.get("task_id"), payload.get("id")]
    if isinstance(task, Mapping):
        found += [task.get("id"), task.get("task_id")]
    ids = {
        str(value).strip() for value in found if isinstance(value, str | int) and not isinstance(value, bool)
    }
    return {task_id for task_id in ids if 0 < len(task_id) <= _ID_CHARACTERS}


class Waiting:
    """The tasks that wait, by id, held weakly; and the ids of pushes that came too early for them."""

    def __init__(self) -> None:
        self._tasks: dict[str, set[weakref.ref[Wakeable]]] = {}
        self._early: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tasks)

    def add(self, task: Wakeable) -> None:
        task_id = task.id
        self._tasks.setdefault(task_id, set()).add(weakref.ref(task, lambda dead: self._drop(task_id, dead)))
        pushed_at = self._early.pop(task_id, None)
        if pushed_at is not None and _now() - pushed_at <= EARLY_S:
            task.wake()

    def wake(self, task_id: str) -> None:
        tasks = [task for ref in self._tasks.get(task_id, ()) if (task := ref()) is not None]
        for task in tasks:
            task.wake()
        if not tasks:
            self._early[task_id] = _now()
            self._early.move_to_end(task_id)
            while len(self._early) > EARLY_PUSHES:
                self._early.popitem(last=False)

    def _drop(self, task_id: str, dead: weakref.ref[Wakeable]) -> None:
        refs = self._tasks.get(task_id, set())
        refs.discard(dead)
        if not refs:
            self._tasks.pop(task_id, None)


class PushLimit:
    """A token bucket: how many requests a second are read. The others are refused unread."""

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._tokens = burst
        self._filled_at: float | None = None

    def take(self, now: float) -> bool:
        if self._filled_at is not None:
            self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._per_s)
        self._filled_at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


async def _read(request: web.Request, timeout_s: float) -> bytes | None:
    """The body; None when it is too long. Raises TimeoutError."""
    if (request.content_length or 0) > BODY_BYTES:
        return None
    body = bytearray()
    async with asyncio.timeout(timeout_s):
        async for part in request.content.iter_any():
            body += part
            if len(body) > BODY_BYTES:
                return None
    return bytes(body)


def _close(status: int) -> web.Response:
    """A refusal that also ends the connection, so that the rest of a body is not waited for."""
    response = web.Response(status=status)
    response.force_close()
    return response


def _now() -> float:
    return asyncio.get_running_loop().time()
