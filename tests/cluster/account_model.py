"""What the script in Redis does, once more in Python: the pure log, and what is known of the nodes.

The script is compared with it on a real Redis, and nodes live whole days with it in virtual time.
"""

from __future__ import annotations

from typing import Any

from realtime.core.quota import HOLD_MS, KNOWN_MS, SILENT_MS, TAG, WINDOW_MS, QuotaLog, share_of


class AccountModel:
    def __init__(self) -> None:
        self.log = QuotaLog(1)
        self.heard_ms: dict[str, int] = {}
        self.knows: dict[str, int] = {}
        self.since_ms = 0
        self.process = ""
        self.lost = False  # a part of it

    def lose(self, part: str) -> None:
        """Redis needed the memory, or somebody has deleted it."""
        match part:
            case "places":
                for place, _ in self.log.places(0):
                    self.log.give_back(place)
                    self.lost = True
            case "nodes":
                self.heard_ms = {}
            case "known":
                self.lost, self.process = True, ""
                self.knows = dict.fromkeys(self.knows, 1)

    def run(
        self, now_ms: int, operation: str, node: str, heard_ms: int, knows: int, limit: int, *arguments: Any
    ) -> list[int]:
        self._forget(now_ms)
        process = arguments[0] if operation == "greet" else ""
        if self.lost or not self.heard_ms or (process and process != self.process):
            self.since_ms, self.lost = now_ms, False
        self.process = process or self.process
        if 0 < heard_ms <= now_ms:
            self.heard_ms[node] = heard_ms
        elif node not in self.heard_ms:
            self.heard_ms[node] = now_ms - SILENT_MS
            if operation == "greet":
                same = [name for name in self.heard_ms if name != node and name[TAG:] == node[TAG:]]
                for name in same:
                    del self.heard_ms[name]
        self.knows[node] = knows
        if operation == "leave":
            del self.heard_ms[node]
        if operation == "refused":
            self.log.refused(now_ms)
        silent = [name for name, at_ms in self.heard_ms.items() if at_ms <= now_ms - SILENT_MS]
        self.log.limit = limit
        self.log.shares = {name[:TAG]: share_of(limit, self.knows[name]) for name in silent}
        wait_ms = self._places(now_ms, operation, arguments)
        oldest_ms = min(self.heard_ms.values(), default=now_ms)
        seen = (len(self.heard_ms), self.log.usable(now_ms), now_ms, oldest_ms, self.since_ms)
        return [wait_ms, self.log.left(now_ms), *seen]

    def _places(self, now_ms: int, operation: str, arguments: tuple[Any, ...]) -> int:
        match operation:
            case "take":
                return self.log.take(arguments[0], now_ms, arguments[1])
            case "back":
                for place in arguments:
                    self.log.give_back(place)
            case "write":
                for place, age_ms in zip(arguments[::2], arguments[1::2], strict=True):
                    self.log.write(place, now_ms - age_ms)
        return 0

    def _forget(self, now_ms: int) -> None:
        """What is over, and what cannot be because the clock went back."""
        jumped = any(at_ms > now_ms for at_ms in self.heard_ms.values())
        kept = {} if jumped else self.heard_ms
        self.heard_ms = {name: at_ms for name, at_ms in kept.items() if at_ms > now_ms - KNOWN_MS}
        for place, at_ms in self.log.places(now_ms):
            if at_ms > now_ms + WINDOW_MS + HOLD_MS:
                self.log.give_back(place)
        self.log._refused_ms = [at_ms for at_ms in self.log._refused_ms if at_ms <= now_ms]
