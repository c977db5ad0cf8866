"""What keeps a reply unseen until the turn it answers is certain to be over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Gate:
    """Closed at first; once open it stays open."""

    def __init__(self) -> None:
        self._opened = asyncio.Event()
        self._waiting: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        return f"<Gate {'open' if self.is_open else f'closed, {len(self._waiting)} waiting'}>"

    @property
    def is_open(self) -> bool:
        return self._opened.is_set()

    def open(self) -> None:
        """Let everything be seen: what waits is shown now, in its order."""
        self._opened.set()
        waiting, self._waiting = self._waiting, []
        for show in waiting:
            show()

    def show(self, show: Callable[[], None]) -> None:
        """Show something now, or as soon as the gate is open."""
        if self.is_open:
            show()
        else:
            self._waiting.append(show)

    async def wait(self) -> None:
        """Until the gate is open."""
        await self._opened.wait()
