"""What the tests of the speech socket share: a sentence, and the failure that ends a session."""

from __future__ import annotations

from typing import Any

from tests.sandbox.speech_kit import rest

SENTENCE = "We must find a new home in the stars."


async def failed_after(ws: Any) -> dict[str, Any]:
    frames = await rest(ws)
    assert frames[-1]["event"] == "task_failed"
    return frames[-1]
