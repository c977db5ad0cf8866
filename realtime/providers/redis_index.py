"""The list of an owner's conversations in Redis: ids beside the conversations, the newest 1,000.

Whether a save has brought something new cannot be told from its answer: one that was lost is asked for again, and finds
everything there. So it is remembered here what each conversation was when Redis has surely listed it, and anything else
is listed. Knows nothing of what a conversation holds.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from realtime.providers.redis_link import REHEARSED_MS, RedisLink, Rehearsed, Result, Script

MAX_LISTED = 1_000  # of one owner
REMEMBERED = 10_000  # conversations; of those before them an entry that is there is written once more
TRIES = 3  # of an entry, before it waits for the next save: Redis may refuse it

INDEX = Script("""
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[2])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return {}
""")
LIST = Script("return redis.call('ZRANGE', KEYS[1], 0, -1)")
UNLIST = Script("redis.call('ZREM', KEYS[1], ARGV[1]) return {}")

_Name = tuple[str, str]  # the key of the index, the id


@dataclass(slots=True)
class _Entry:
    """What is listed. `sent`: how often it was."""

    seen: int
    at_ms: int
    listed: bool = False
    sent: int = 0


class RedisIndex:
    """Writes the entries, each again until Redis has answered: when it is back, and with the next save."""

    def __init__(self, link: RedisLink, keep_ms: int) -> None:
        self._link = link
        self._keep_ms = keep_ms
        self._entries: dict[_Name, _Entry] = {}
        link.on_connection(self._connected)

    def __repr__(self) -> str:
        return f"<RedisIndex {len(self._entries)} remembered>"

    def put(self, key: str, conversation_id: str, seen: int, at_ms: int) -> None:
        """This conversation was saved, as one that the number `seen` stands for. Nobody waits for the entry."""
        name, new = (key, conversation_id), _Entry(seen, at_ms)
        known = self._entries.pop(name, new)
        if known.listed and known.seen == seen:
            self._entries[name] = known
            return
        self._entries[name] = new  # the youngest
        if len(self._entries) > REMEMBERED:
            del self._entries[next(iter(self._entries))]
        self._send(name, new)

    def remove(self, key: str, conversation_id: str) -> None:
        self._entries.pop((key, conversation_id), None)
        self._link.send(UNLIST, [key], conversation_id)

    def _send(self, name: _Name, entry: _Entry) -> None:
        key, conversation_id = name
        entry.sent += 1

        def answered(answer: asyncio.Future[Result]) -> None:
            entry.listed = entry.listed or answer.result() is not None

        answer = self._link.send(INDEX, [key], self._keep_ms, conversation_id, entry.at_ms, MAX_LISTED)
        answer.add_done_callback(answered)

    def _connected(self) -> None:
        """Redis is there again. It may be a replica that lacks the last entries: the next save sends each once more."""
        for name, entry in self._entries.items():
            if entry.listed:
                entry.listed, entry.sent = False, TRIES
            elif entry.sent < TRIES:
                self._send(name, entry)


def rehearsal_of(key: str) -> list[Rehearsed]:
    """All that the index asks of Redis."""
    return [
        Rehearsed(INDEX, [key], (REHEARSED_MS, "a", 1, MAX_LISTED)),
        Rehearsed(LIST, [key]),
        Rehearsed(UNLIST, [key], ("a",)),
    ]
