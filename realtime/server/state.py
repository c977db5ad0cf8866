"""The objects that all request handlers share, as typed keys of the application."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from aiohttp import web

from realtime.core.admission import Admission
from realtime.metrics import Metrics
from realtime.server.access import Access, Caller
from realtime.server.arrivals import Arrivals
from realtime.server.draining import Drain
from realtime.server.journaling import Journaling
from realtime.server.offered_voices import OfferedVoices
from realtime.server.openings import Openings
from realtime.server.registry import Registry
from realtime.server.runtime import Runtime
from realtime.server.starting import Starting
from realtime.server.story import Door
from realtime.settings import Settings
from realtime.tracing import Traces

if TYPE_CHECKING:
    from realtime.server.voice_samples import VoiceSamples


@dataclass(slots=True)
class Opened:
    """Holds the runtime between start and end, because the keys of a started application cannot be set."""

    starting: Starting = field(default_factory=Starting)
    runtime: Runtime | None = None
    traces: Traces | None = None  # of turns, if they are wanted
    journaling: Journaling | None = None  # of sessions, if other servers can go on with them


class Fleet(Protocol):
    """All workers of the server that this process is one of."""

    def sessions(self) -> int:
        """The open sessions of all."""
        ...

    @property
    def workers(self) -> int:
        """How many there are."""
        ...

    async def metrics(self) -> str | None:
        """The metrics of all, added up; None: they cannot be had now."""
        ...


# What a part of the server adds to the capabilities, for this caller: field of the JSON → value
Offer = Callable[[web.Application, Caller], Mapping[str, Any]]

OPENED = web.AppKey("opened", Opened)
SETTINGS = web.AppKey("settings", Settings)  # as given; `runtime_of(app).settings` also knows the sandbox
METRICS = web.AppKey("metrics", Metrics)
METRICS_MOVED = web.AppKey("metrics_moved", bool)  # they are at the admin port, and only there
ACCESS = web.AppKey("access", Access)
DOOR = web.AppKey("door", Door)
ADMISSION = web.AppKey("admission", Admission)
ARRIVALS = web.AppKey("arrivals", Arrivals)
REGISTRY = web.AppKey("registry", Registry)
DRAIN = web.AppKey("drain", Drain)
OPENINGS = web.AppKey("openings", Openings)
OFFERS = web.AppKey("offers", list[Offer])
SAMPLES: web.AppKey[VoiceSamples] = web.AppKey("samples")
FLEET: web.AppKey[Fleet] = web.AppKey("fleet")  # only where there are several workers
VOICES = web.AppKey("voices", OfferedVoices)


def runtime_of(app: web.Application) -> Runtime:
    """The runtime of a started application."""
    runtime = app[OPENED].runtime
    assert runtime is not None, "the application has not started, or has ended"
    return runtime
