"""`realtime say --out FILE.mp3`: the platform encodes it, so no other package is needed.

Long texts become several requests; their MP3 frames follow each other in one file.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from realtime.commands.platform import client_of
from realtime.commands.progress import open_progress
from realtime.commands.say import NOTHING
from realtime.core.chunker import Chunker, ChunkRules
from realtime.core.normalize import said_of
from realtime.core.wording import Wording
from realtime.errors import ConfigError
from realtime.settings import Settings

_RULES = ChunkRules(lead_s=float("inf"), refill_s=float("inf"), cap_chars=3000)


async def mp3(
    settings: Settings, text: AsyncIterator[str], speed: float | None, sink: Callable[[bytes, str], None]
) -> None:
    """The text as MP3 into `sink`, each part as it comes, with the words for how much there is.

    Raises ConfigError for a text without a word, and ProviderError.
    """
    pieces = _pieces("".join([fragment async for fragment in text]))
    if not pieces:
        raise ConfigError(NOTHING)
    said, whole = 0, sum(map(len, pieces))
    with open_progress() as progress:
        async with client_of(settings, settings.base_url, progress) as mm:
            for piece in pieces:
                speech = await mm.speech.synthesize(piece, format="mp3", speed=speed)
                said += len(piece)
                sink(await speech.read(), f"The first {said:,} of {whole:,} characters")


def _pieces(text: str) -> list[str]:
    """The text as it is spoken, in parts that one request takes."""
    chunker = Chunker(_RULES)
    chunker.feed(Wording.plain(said_of(text)), 0.0)
    chunker.finish()
    pieces: list[str] = []
    while not chunker.done:
        chunks = chunker.poll(0.0)
        if not chunks:
            break
        pieces += [chunk.spoken for chunk in chunks if chunk.spoken]
    return pieces
