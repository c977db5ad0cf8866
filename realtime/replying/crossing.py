"""A stop of the client that crosses on the wire what has just happened here: what it means, and that it is no mistake.

Times are seconds of the listener's clock, given by the caller.
"""

from __future__ import annotations

CANCEL_GRACE_S = 1.0  # a cancel that crosses the end of a reply, or its interruption, is nobody's mistake
UNSEEN_S = 0.4  # a client knows a reply so long after its begin: the way there, and back
_NEVER_S = float("-inf")


class Crossing:
    """When the replies of one session have begun, ended, and were interrupted last."""

    def __init__(self) -> None:
        self._began_s = _NEVER_S
        self._ended_s = _NEVER_S
        self._interrupted_s = _NEVER_S  # by the server; since then the client has asked for no reply

    def __repr__(self) -> str:
        return f"<Crossing began={self._began_s} ended={self._ended_s} interrupted={self._interrupted_s}>"

    def began(self, now_s: float) -> None:
        """A reply of the conversation can be seen."""
        self._began_s = now_s

    def ended(self, now_s: float) -> None:
        """A reply has ended."""
        self._ended_s = now_s

    def interrupted(self, now_s: float) -> None:
        """The server has interrupted a reply."""
        self._interrupted_s = now_s

    def means_what_comes(self) -> None:
        """Whatever the client stops from now on is what it has asked for, or what goes on."""
        self._interrupted_s = _NEVER_S

    def means_the_one_before(self, now_s: float, *, another: bool) -> bool:
        """Whether the server has interrupted a reply so lately that what the client stops now is that one. `another`
        has begun since: the client cannot know it yet."""
        interrupted = now_s - self._interrupted_s < CANCEL_GRACE_S
        if not another:
            return interrupted
        return interrupted and self._interrupted_s <= self._began_s and now_s - self._began_s < UNSEEN_S

    def excuses(self, now_s: float, cut_s: float) -> bool:
        """Whether there was something to stop a moment ago. `cut_s`: when sound was cut last."""
        return now_s - max(self._ended_s, cut_s) < CANCEL_GRACE_S
