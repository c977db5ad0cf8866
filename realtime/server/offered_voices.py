"""The speech platform's list of voices, kept: who asks for it gets the last one, and waits for a new one only briefly.

A platform that is away, slow or refuses costs nobody more than `WAIT_S`, and is not asked again for `RETRY_S`.
Knows no requests.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping

from msgspec import UNSET

from realtime import deadlines
from realtime.contained import contained
from realtime.errors import ProviderError, ProviderTimeout
from realtime.logs import story
from realtime.protocol.capabilities import OfferedVoice
from realtime.providers.base import KnownVoice, Speech
from realtime.tasks import cancel
from realtime.upstream import facts_of

log = logging.getLogger(__name__)

WAIT_S = 0.8
ASK_TIMEOUT_S = 10.0
FRESH_S = 600.0
RETRY_S = 30.0
MAX_VOICES = 2_000
MAX_NAME_CHARS = 256  # a longer id is no name that a session takes


class OfferedVoices:
    """Asks one speech provider, the same in every call. `account` is its name where there are several."""

    def __init__(self, account: str = "") -> None:
        self._account = account
        self._kept: tuple[OfferedVoice, ...] = ()
        self.kinds: Mapping[str, str] = {}  # of the last list, by id; empty before the first one
        self._due_s = float("-inf")
        self._asking: asyncio.Task[None] | None = None
        self._trouble: tuple[str, int | None] | None = None  # that was told last

    def __repr__(self) -> str:
        return f"<OfferedVoices {len(self._kept)}>"

    async def get(self, speech: Speech) -> tuple[OfferedVoice, ...]:
        """The voices as far as they are known; never raises. () for a provider that has no list."""
        if getattr(speech, "voices", None) is None:
            return ()
        if self._asking is None and asyncio.get_running_loop().time() >= self._due_s:
            self._asking = asyncio.create_task(self._ask(speech), name="list of voices")
        if self._asking is not None:
            await asyncio.wait({self._asking}, timeout=WAIT_S)
        return self._kept

    async def aclose(self) -> None:
        if self._asking is not None:
            await cancel([self._asking])

    async def _ask(self, speech: Speech) -> None:
        keep_s = RETRY_S
        try:
            async with deadlines.timeout(ASK_TIMEOUT_S):
                self._kept = tuple(_offered(await contained(speech.voices())))  # type: ignore[attr-defined]
            self.kinds = {voice.id: voice.kind for voice in self._kept}
            self._trouble = None
            keep_s = FRESH_S
        except ProviderError as error:
            self._tell(error)
        except TimeoutError:
            self._tell(ProviderTimeout("The platform did not answer in time."))
        except Exception as error:  # of a provider from anywhere
            log.error("the list of voices could not be read", exc_info=error)
        finally:
            self._due_s = asyncio.get_running_loop().time() + keep_s
            self._asking = None

    def _tell(self, error: ProviderError) -> None:
        """Once for each trouble: of several accounts, one whose key is wrong is asked again for ever."""
        trouble = (error.code, error.upstream_code)
        if trouble != self._trouble:
            self._trouble = trouble
            facts = {"account": self._account or None, **facts_of(error)}
            story(log, "the list of voices could not be read", facts, logging.WARNING)


def _offered(voices: Iterable[KnownVoice]) -> Iterable[OfferedVoice]:
    """The voices of a list that can be chosen, each once."""
    usable = {voice.id: voice for voice in voices if 0 < len(voice.id) <= MAX_NAME_CHARS}
    for voice in list(usable.values())[:MAX_VOICES]:
        yield OfferedVoice(
            id=voice.id,
            name=(voice.name or voice.id)[:MAX_NAME_CHARS],
            kind=voice.kind,
            languages=(voice.language,) if voice.language else (),
            gender=voice.gender or UNSET,
        )
