"""Whether early answers may be asked for: not for some seconds after the chat model has refused one.

A limit, an empty account and an overloaded service refuse the next guess as well, of whichever session: requests are
left for the turns that are certain. Time is an argument; knows no error and no provider.
"""

from __future__ import annotations

PAUSE_S = 10.0
# However long the service wants to be left alone: one guess a minute shows that it is back
LONGEST_PAUSE_S = 60.0


class GuessPause:
    """Of one chat model, for all sessions."""

    def __init__(self) -> None:
        self._until_s = float("-inf")

    def __repr__(self) -> str:
        return f"<GuessPause until {self._until_s:.1f} s>"

    def refused(self, now_s: float, wait_s: float | None = None) -> None:
        """A guess was refused, for `wait_s` if the service named a time."""
        pause_s = min(LONGEST_PAUSE_S, max(PAUSE_S, wait_s or 0.0))
        self._until_s = max(self._until_s, now_s + pause_s)

    def holds(self, now_s: float) -> bool:
        """Whether nothing is guessed now."""
        return now_s < self._until_s
