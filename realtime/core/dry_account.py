"""Whether an account answers nobody for now: it refused for a reason that lasts (docs/scale.md 5).

No balance, a plan that is used up or lacks the model, a key that is not good: by kind of request, because a plan for
chat says nothing of speech. It counts for a time from the latest such refusal on, and an answer to a request that left
after that ends it. Time is an argument; knows no error and no provider.
"""

from __future__ import annotations

DRY_S = 600.0  # where the platform names no time
ASK_AGAIN_S = 30.0  # where no other account answers either, one is asked again after so long


class Dryness:
    """Of one account."""

    def __init__(self) -> None:
        self._until_s: dict[str, float] = {}
        self._refused_s: dict[str, float] = {}

    def __repr__(self) -> str:
        return f"<Dryness of {', '.join(self._refused_s) or 'nothing'}>"

    def refused(self, kind: str, now_s: float, wait_s: float | None) -> bool:
        """A request of this kind was refused, for `wait_s` if the platform named a time. Whether that is news."""
        news = not self.holds(now_s)
        self._refused_s[kind] = now_s
        self._until_s[kind] = now_s + (wait_s or DRY_S)
        return news

    def answered(self, kind: str, asked_s: float, now_s: float) -> bool:
        """A request of this kind that left at `asked_s` was answered. Whether that is news."""
        if asked_s <= self._refused_s.get(kind, float("inf")):
            return False
        held = self.holds(now_s)
        del self._refused_s[kind], self._until_s[kind]
        return held and not self.holds(now_s)

    def holds(self, now_s: float) -> bool:
        """Whether it answers nobody now."""
        return any(now_s < until_s for until_s in self._until_s.values())

    @property
    def refused_s(self) -> float:
        """When it refused last."""
        return max(self._refused_s.values(), default=float("-inf"))

    def worth_asking_before(self, other: Dryness, now_s: float) -> bool:
        """Where both answer nobody: whether this one's word is the older one, and old enough to be asked again."""
        return self.refused_s < other.refused_s and now_s - self.refused_s >= ASK_AGAIN_S
