"""What to say of a voice that the platform refused: which one was perhaps meant.

Asks the platform for its voices once, and only after such a refusal.
"""

from __future__ import annotations

import difflib

from realtime.errors import ProviderError
from realtime.minimax.speech import SpeechClient
from realtime.protocol.voices import OPENAI_VOICES

NEAR = 0.6


class VoiceNames:
    """The names of the voices that can be meant: the account's, and those of OpenAI's clients."""

    def __init__(self, client: SpeechClient) -> None:
        self._client = client
        self._known: frozenset[str] = frozenset()

    async def explain(self, error: ProviderError, voice_id: str) -> ProviderError:
        """The same error; where the voice is the reason, with the name that was perhaps meant in its message."""
        if error.code == "invalid_voice":
            if not self._known:
                self._known = await self._ask()
            end = (
                "" if error.message.endswith((".", "!", "?", "。")) else "."
            )  # the platform's words have none
            error.message = f"{error.message}{end} {describe(voice_id, self._known | OPENAI_VOICES)}"
            error.args = (error.message,)
        return error

    async def _ask(self) -> frozenset[str]:
        try:
            return frozenset(await self._client.voice_ids())
        except ProviderError:
            return frozenset()  # a suggestion is not worth a second error


def describe(voice_id: str, known: frozenset[str]) -> str:
    """A sentence about a voice that does not exist: the nearest name, or where the names are."""
    by_lower = {name.lower(): name for name in sorted(known)}
    nearest = difflib.get_close_matches(voice_id.strip().lower(), by_lower, n=1, cutoff=NEAR)
    if nearest and by_lower[nearest[0]] != voice_id:
        return f"The voice was {voice_id[:80]!r}: did you mean {by_lower[nearest[0]]!r}?"
    return f"The voice was {voice_id[:80]!r}: `realtime voices list` shows the names."
