"""What there is of the replies that are not over: the words heard by now, or written. Changes nothing.

For who keeps a conversation while it goes on: a reply that is generated, or that sounds on after it, counts as far as
the listener has heard it (docs/architecture.md 2.4).
"""

from __future__ import annotations

from realtime.core.conversation import OutputSpeech, Part, Text
from realtime.replying.playout import Playout
from realtime.replying.response import Response


def so_far(active: Response | None, playout: Playout) -> dict[str, Part]:
    """By item: of every spoken reply that may still sound, and of the written one in work."""
    found: dict[str, Part] = {
        item_id: OutputSpeech(words) for item_id, words in playout.heard_by_now().items()
    }
    if active is not None and not active.events.options.spoken and active.events.message_id is not None:
        found[active.events.message_id] = Text(active.events.transcript)
    return found
