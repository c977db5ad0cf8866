"""A film that a task made: its measures, and its bytes by a link that is asked for anew each time.

Serves Hailuo and the templates; docs/minimax/video.md 2 and 3. Links die after 1 h (Hailuo) or 9 h (templates).
"""

from __future__ import annotations

from dataclasses import dataclass

from realtime.errors import ProviderError, ProviderRejected
from realtime.minimax.media_result import MediaResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Film(MediaResult):
    """One film. `width` and `height` in pixels, 0 where the platform does not say (templates).

    `file_id` names its file on the platform for `mm.files`; templates have none ("").
    """

    task_id: str
    file_id: str = ""
    width: int = 0
    height: int = 0

    def _nothing(self) -> ProviderError:
        return ProviderRejected(
            "MiniMax: this film has no client and no address, because it was made in another process: ask for its task "
            f"{self.task_id} again."
        )
