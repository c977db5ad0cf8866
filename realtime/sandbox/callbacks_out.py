"""Callbacks: the challenge while a create call is open, and a push at each change of a task's state.

docs/minimax/README.md 6. What a push says is the row of the task's kind (`JobKind.push`). A push that fails is not
repeated [guess].
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from .context import STATE, SandboxState
from .faults import Faults
from .jobs import Job, JobKind
from .native import Call
from .refusal import Refusal

KEPT_PUSHES = 10_000
MOST_BYTES = 64 * 1024  # read of a receiver's answer


@dataclass(frozen=True, slots=True)
class Push:
    """One POST to a receiver; `status` is its HTTP status, None: no answer in time."""

    url: str
    body: Mapping[str, Any]
    status: int | None


class Sender:
    """Sends challenges and pushes; those of one task arrive in their order."""

    def __init__(self, state: SandboxState) -> None:
        self.sent: deque[Push] = deque(maxlen=KEPT_PUSHES)  # for tests
        self._state = state
        self._session: aiohttp.ClientSession | None = None
        self._last: dict[int, asyncio.Task[None]] = {}  # the last push of each task
        state.jobs.listeners.append(self.push)

    async def challenge(self, url: str, faults: Faults) -> bool:
        """Whether the receiver repeats a random word in time. Any answer with 200 does under the fault."""
        await self._late(faults)
        word = secrets.token_hex(3)
        good = False
        for _ in range(2 if faults.has("callback.twice") else 1):
            status, answer = await self._post(url, {"challenge": word})
            good = status == 200 and (
                faults.has("callback.wrong_challenge_ok")
                or (isinstance(answer, dict) and answer.get("challenge") == word)
            )
        return good

    def push(self, job: Job) -> None:
        """Send the task's present state soon; listens to `Jobs`."""
        if not job.callback_url or job.kind.push is None or job.faults.has("callback.lost"):
            return
        body = job.kind.push(job)
        if body is None:
            return
        task = asyncio.create_task(
            self._push(job, dict(body), self._last.get(job.id)),
            name=f"sandbox push of {job.id}",
        )
        self._last[job.id] = task
        task.add_done_callback(lambda done: self._forget(job.id, done))

    def _forget(self, id: int, done: asyncio.Task[None]) -> None:
        if self._last.get(id) is done:
            del self._last[id]

    async def _push(self, job: Job, body: dict[str, Any], before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        await self._late(job.faults)
        for _ in range(2 if job.faults.has("callback.twice") else 1):
            await self._post(job.callback_url, body)

    async def _late(self, faults: Faults) -> None:
        if faults.has("callback.late"):
            await asyncio.sleep(self._state.options["callback.late_s"])

    async def _post(self, url: str, body: Mapping[str, Any]) -> tuple[int | None, Any]:
        status, answer = None, None
        if self._session is None:
            self._session = aiohttp.ClientSession()
        try:
            async with (
                asyncio.timeout(self._state.options["callback.limit_s"]),
                self._session.post(url, json=body) as response,
            ):
                text = await response.content.read(MOST_BYTES)
                status = response.status
                with suppress(ValueError):
                    answer = aiohttp.typedefs.DEFAULT_JSON_DECODER(text.decode())
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            pass  # the receiver is not there, too slow, or no address at all
        self.sent.append(Push(url, body, status))
        return status, answer

    async def close(self) -> None:
        """Drop the pushes that wait and close the connections."""
        tasks = list(self._last.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()


SENDER: web.AppKey[Sender] = web.AppKey("callback sender", Sender)


def add_routes(app: web.Application) -> None:
    """No route: joins the tasks to their callbacks, and ends both when the sandbox stops."""
    app[SENDER] = Sender(app[STATE])
    app.on_cleanup.append(_close)


async def _close(app: web.Application) -> None:
    await app[STATE].jobs.close()
    await app[SENDER].close()


async def start_job(
    call: Call,
    kind: JobKind,
    *,
    scale: float = 1.0,
    extra: Mapping[str, Any] | None = None,
    inputs: Any = None,
) -> Job:
    """Challenge the request's `callback_url`, if it has one, and make the task.

    Raises Refusal 2013 if the challenge fails, unless `callback.lenient` is 1 (then no push comes), and 1041 over the
    kind's limit.
    """
    url = call.body.get("callback_url") or ""
    if not isinstance(url, str):
        raise Refusal(2013, "invalid params, invalid params: callback_url")
    if url and not await call.request.app[SENDER].challenge(url, call.faults):
        if not call.state.options["callback.lenient"]:
            raise Refusal(2013, "invalid params, callback_url did not answer the challenge")
        url = ""
    return call.state.jobs.create(
        kind, call.body, call.faults,
        base_url=call.base_url, callback_url=url, scale=scale, extra=extra, inputs=inputs,
    )  # fmt: skip
