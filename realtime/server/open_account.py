"""One of several accounts of the platform, with its providers: what is left of it, and whether it answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from realtime.core.account import NEW_S, TURN_REQUESTS, AccountUse, Limit
from realtime.core.dry_account import ASK_AGAIN_S, Dryness
from realtime.errors import ProviderError
from realtime.logs import story
from realtime.metrics import Metrics
from realtime.minimax.codes import RPM, is_dry
from realtime.providers.base import ChatModel, Providers, Speech
from realtime.server.observed import per_minute
from realtime.server.offered_voices import OfferedVoices
from realtime.settings import Settings
from realtime.settings.model import Account
from realtime.upstream import CHAT, SPEECH, Upstream, facts_of

if TYPE_CHECKING:
    from realtime.server.accounts import Seat

log = logging.getLogger(__name__)


class OpenAccount:
    """`own` are the kinds of requests that it pays for: chat and speech, or one of them, and perhaps transcription."""

    def __init__(
        self, account: Account, settings: Settings, providers: Providers, own: Sequence[str]
    ) -> None:
        self.account, self.settings, self.providers = account, settings, providers
        self.own = own
        self.seats: dict[Seat, float] = {}  # with the loop's time at which each was taken
        self.voices = OfferedVoices(account.name)
        self._dryness = Dryness()
        self._limited_s = float("-inf")  # when the platform refused last for the number of requests

    def __repr__(self) -> str:
        return f"<OpenAccount {self.name} {len(self.seats)} seats>"

    @property
    def name(self) -> str:
        return self.account.name

    @property
    def dry(self) -> bool:
        """Whether it answers nobody now."""
        return self._dryness.holds(_now())

    @property
    def use(self) -> AccountUse:
        """Of what the account pays for."""
        young_since_s = _now() - NEW_S
        new = sum(since_s > young_since_s for since_s in self.seats.values())
        return AccountUse(self.limits(self.own), len(self.seats), new)

    def limits(self, kinds: Iterable[str]) -> tuple[Limit, ...]:
        """Those of requests of these kinds; transcription has none that we know."""
        roles: dict[str, ChatModel | Speech] = {CHAT: self.providers.chat, SPEECH: self.providers.speech}
        return tuple(
            Limit(per_minute(roles[kind]), roles[kind].requests_left()) for kind in kinds if kind in roles
        )

    @property
    def used_up(self) -> bool:
        """Whether the next request would wait for its place in the minute."""
        return self._limited or any(limit.left < 1 for limit in self.limits(self.own))

    @property
    def has_turn(self) -> bool:
        """Whether there is a place for every request of a turn."""
        return not self._limited and all(limit.left >= TURN_REQUESTS for limit in self.limits(self.own))

    @property
    def _limited(self) -> bool:
        """Whether the platform has just refused more requests than our count expected it to."""
        return _now() - self._limited_s < ASK_AGAIN_S

    def failed(self, kind: str, error: ProviderError) -> None:
        """A request of this kind failed. That the account has run dry is logged once."""
        if kind not in self.own:
            return
        if error.code == RPM.code and error.upstream_code is not None:  # not by our own count
            self._limited_s = _now()
        if not is_dry(error):
            return
        if self._dryness.refused(kind, _now(), error.retry_after_s):
            facts = {"account": self.name, "kind": kind, **facts_of(error)}
            story(log, "account has run dry", facts, logging.WARNING)

    def answered(self, kind: str, asked_s: float) -> None:
        """A request of this kind, which left at this time of the loop, was answered."""
        if self._dryness.answered(kind, asked_s, _now()):
            story(log, "account answers again", {"account": self.name, "kind": kind})

    def worth_asking_before(self, other: OpenAccount) -> bool:
        """Where both have run dry: whether this one may have come back since, rather than the other."""
        return self._dryness.worth_asking_before(other._dryness, _now())

    # -- voices --------------------------------------------------------------------------------------------------

    def has_voice(self, voice_id: str) -> bool:
        """Whether this voice is in its list, as far as that is known."""
        return voice_id in self.voices.kinds

    def lacks_voice(self, voice_id: str) -> bool:
        """Whether its list is known, and this voice is not in it."""
        return bool(self.voices.kinds) and voice_id not in self.voices.kinds

    def owns_voice(self, voice_id: str) -> bool:
        """Whether it was cloned or designed here."""
        return self.voices.kinds.get(voice_id, "system") != "system"

    def can_take_over(self, voice_id: str, other: OpenAccount) -> bool:
        """Whether it speaks with this voice of a session of the other account, as far as the lists of voices tell."""
        if SPEECH not in self.own or getattr(self.providers.speech, "voices", None) is None:
            return True
        if self.has_voice(voice_id):
            return True
        return bool(other.voices.kinds) and not other.owns_voice(voice_id)


class AccountUpstream(Upstream):
    """Also tells the account what failed, and what was answered."""

    def __init__(self, metrics: Metrics, account: OpenAccount) -> None:
        super().__init__(metrics)
        self._account = account

    def failed(self, kind: str, error: ProviderError, address: str | None = None) -> None:
        super().failed(kind, error, address)
        self._account.failed(kind, error)

    def answered(self, kind: str, asked_s: float) -> None:
        self._account.answered(kind, asked_s)


def _now() -> float:
    return asyncio.get_running_loop().time()
