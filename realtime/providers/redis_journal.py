"""The role `Journal` in Redis: one hash a session, one script that refuses an older owner (docs/scale.md)."""

from __future__ import annotations

import asyncio
import secrets
from functools import partial
from importlib import resources

from realtime.errors import ProviderUnavailable
from realtime.providers.journal import Entry, Journal, Kept
from realtime.providers.redis_link import CLEAR, REHEARSED_MS, Argument, RedisLink, Rehearsed, Result, Script

SCRIPT = Script(resources.files("realtime.providers").joinpath("lua/journal.lua").read_text("utf-8"))
TRIES = 3  # after so many losses the link itself takes Redis for gone
_OUTCOMES = (Kept.REFUSED, Kept.WRITTEN, Kept.INCOMPLETE)


class RedisJournal(Journal):
    """Records under `prefix`, each for `keep_ms` after its last write."""

    def __init__(self, link: RedisLink, prefix: str, keep_ms: int) -> None:
        self._link = link
        self._prefix = prefix
        self._keep_ms = keep_ms
        link.rehearse_with(partial(rehearsal, prefix))

    def __repr__(self) -> str:
        return f"<RedisJournal {self._prefix}, {self._link!r}>"

    def write(
        self, session_id: str, epoch: int, *, record: bytes | None = None, position: bytes | None = None
    ) -> asyncio.Future[Kept]:
        given = {"record": record, "position": position}
        fields: list[Argument] = [part for name, value in given.items() if value for part in (name, value)]
        answer = self._send(session_id, "write", epoch, *fields)
        kept: asyncio.Future[Kept] = asyncio.get_running_loop().create_future()

        def tell(answer: asyncio.Future[Result]) -> None:
            if not kept.done():
                kept.set_result(_outcome(answer.result()))

        answer.add_done_callback(tell)
        return kept

    async def read(self, session_id: str) -> Entry | None:
        return self._entry(await self._asked(session_id, "read"))

    async def claim(self, session_id: str, epoch: int) -> Entry | None:
        """If the answer was lost and Redis had done it, it is refused the second time: read and claim again then."""
        return self._entry(await self._asked(session_id, "claim", epoch))

    def end(self, session_id: str, epoch: int) -> None:
        self._send(session_id, "end", epoch)

    async def _asked(self, session_id: str, operation: str, *arguments: Argument) -> Result:
        """The answer. One that is lost costs a client its session, so it is asked for again while Redis is there."""
        result = await self._send(session_id, operation, *arguments)
        for _ in range(TRIES - 1):
            if result is not None or not self._link.up:
                break
            result = await self._send(session_id, operation, *arguments)
        return result

    def _send(self, session_id: str, operation: str, *arguments: Argument) -> asyncio.Future[Result]:
        key = f"{self._prefix}{{{session_id}}}:session"
        return self._link.send(SCRIPT, [key], operation, self._keep_ms, *arguments)

    def _entry(self, result: Result) -> Entry | None:
        if result is None:
            raise ProviderUnavailable(self._link.problem or "Redis does not answer.")
        return Entry(int(result[0]), result[1], result[2] or None) if result else None


def rehearsal(prefix: str) -> list[Rehearsed]:
    """All that the journal asks of Redis."""
    key, keep = f"{prefix}{{look:{secrets.token_hex(8)}}}:session", REHEARSED_MS
    runs: list[tuple[Argument, ...]] = [
        ("write", keep, 1, "record", "-"),
        ("claim", keep, 1),
        ("end", keep, 2),
    ]
    return [*(Rehearsed(SCRIPT, [key], run) for run in runs), Rehearsed(CLEAR, [key])]


def _outcome(result: Result) -> Kept:
    return Kept.LOST if result is None else _OUTCOMES[int(result[0])]
