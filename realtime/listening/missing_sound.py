"""When a client sends nothing any more in the middle of speech, it is silent (docs/wire.md 2.1).

A noise gate, a voice detection of its own or a muted microphone sends nothing where others send silence, and the end of
a turn is measured in silence. A network that stalls looks the same for a while. Knows no turns and reads no audio.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from realtime.context import Context
from realtime.core.endpointing import Endpointer
from realtime.deadlines import Alarm
from realtime.weak_calls import weak_call

MISSING_S = 3.0  # without any sound: stalls of a network are mostly over by then
LONGER_S = 1.0  # than the silence that ends the turn, at least
FASTEST = 10.0  # times real time: faster than this the server may not read on (docs/wire.md 1.4)


class MissingSound:
    """Of one microphone. Calls `ended` when nothing has come for too long while speech is open."""

    def __init__(self, context: Context, endpointer: Endpointer, ended: Callable[[], None]) -> None:
        self._outbox = context.outbox
        self._endpointer = endpointer
        self._ended = ended
        self._alarm = Alarm(context.tasks.guarded(weak_call(self._look)))
        # Since when nothing has come, in loop seconds; None: something comes
        self._from_s: float | None = None
        self._away = False

    def __repr__(self) -> str:
        return f"<MissingSound {self._alarm!r}>"

    @contextmanager
    def coming(self, sound_s: float = 0.0) -> Iterator[None]:
        """So much sound has come, and is worked on inside this block."""
        self._from_s = None
        try:
            yield
        finally:
            self._from_s = asyncio.get_running_loop().time() + sound_s / FASTEST
            if self._endpointer.speaking and self._alarm.when_s is None and not self._away:
                self._alarm.set(self._from_s + self._most_s)

    def away(self) -> None:
        """The client cannot send."""
        self._away = True
        self._alarm.cancel()

    def back(self) -> None:
        """It can again."""
        self._away = False
        with self.coming():
            pass

    def close(self) -> None:
        self._alarm.cancel()

    @property
    def _most_s(self) -> float:
        return max(MISSING_S, self._endpointer.silence_ms / 1000 + LONGER_S)

    def _look(self) -> None:
        if not self._endpointer.speaking:
            return
        now_s = asyncio.get_running_loop().time()
        if self._from_s is None or not self._outbox.has_room:  # the client may have sent more than was read
            due_s = now_s + self._most_s
        else:
            due_s = self._from_s + self._most_s
        if now_s < due_s:
            self._alarm.set(due_s)
        else:
            self._ended()
