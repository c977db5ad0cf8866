"""What the script in Redis does, once more in Python: the pure log, and what is known of the nodes.

The script is compared with it on a real Redis, and nodes live whole days with it in virtual time.
"""

from __future__ import annotations

from typing import Any

from realtime.core.quota import HOLD_MS, KNOWN_MS, SILENT_MS, WINDOW_MS, QuotaLog, share_of


class AccountModel:
    def __init__(self) -> None:
        self.log = QuotaLog(1)
        self.heard_ms: dict[str, int] = {}
        self.knows: dict[str, int] = {}
        self.since_ms = 0
        self.process = ""

    def run(
        self, now_ms: int, operation: str, node: str, heard_ms: int, knows: int, limit: int, *arguments: Any
    ) -> list[int]:
        self._forget(now_ms)
        process = arguments[0] if operation == "greet" else ""
        if not self.heard_ms or (process and process != self.process):
            self.since_ms = now_ms
        self.process = process or self.process
        if 0 < heard_ms <= now_ms:
            self.heard_ms[node] = heard_ms
        self.heard_ms.setdefault(node, now_ms - SILENT_MS)
        self.knows[node] = knows
        if operation == "leave":
            del self.heard_ms[node]
        if operation == "refused":
            self.log.refused(now_ms)
        silent = [name for name, at_ms in self.heard_ms.items() if at_ms <= now_ms - SILENT_MS]
        self.log.limit = limit
        self.log.aside = sum(share_of(limit, self.knows[name]) for name in silent)
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
