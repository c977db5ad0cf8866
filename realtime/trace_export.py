"""Sends spans to a collector over OTLP (HTTP), from a thread of its own, and counts those that are lost.

A collector that is away, refuses or hangs never holds anybody up: few spans wait for it, and what is too much is lost.
Only this module and `tracing.py` know OpenTelemetry. Importing this one needs the extra `otel`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Sequence
from typing import Protocol

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from prometheus_client import Counter

from realtime import __version__
from realtime.errors import ConfigError
from realtime.logs import story

MAX_WAITING = 2048  # spans: those on their way included
CLOSE_S = 0.5  # for the last spans; the end of the server does not wait longer
WARN_EVERY_S = 60.0

log = logging.getLogger(__name__)


class Export:
    """`provider` makes the spans that are sent to `endpoint`. Raises ConfigError for a wrong OTEL_ variable."""

    def __init__(self, endpoint: str, lost: Counter) -> None:
        self._losses = Losses(lost)
        try:
            self._batch = Batch(OTLPSpanExporter(endpoint=endpoint), self._losses)
            self.provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        except (ValueError, OSError) as error:
            raise ConfigError(f"A variable for traces (OTEL_...) is wrong: {error}") from error
        self.provider.add_span_processor(self._batch)

    def __repr__(self) -> str:
        return f"<Export {self._batch!r}>"

    def broke(self, error: Exception) -> None:
        """A turn could not be made a trace: a bug."""
        self._losses.count(1, "internal_error", error)

    async def aclose(self) -> None:
        """Send what waits, for CLOSE_S at most; the rest is lost."""
        loop, closed = asyncio.get_running_loop(), asyncio.Event()

        def close() -> None:
            self.provider.shutdown()
            with contextlib.suppress(RuntimeError):  # the loop may be over by now
                loop.call_soon_threadsafe(closed.set)

        threading.Thread(target=close, name="last spans", daemon=True).start()
        waiting = asyncio.ensure_future(closed.wait())
        await asyncio.wait({waiting}, timeout=CLOSE_S)
        waiting.cancel()
        self._batch.give_up()


def takes_spans(endpoint: str, timeout_s: float) -> bool:
    """Whether a collector takes a report without spans, with the headers of the environment. Blocks for so long, and
    logs nothing. Raises ConfigError for a wrong OTEL_ variable."""
    theirs = logging.getLogger(OTLPSpanExporter.__module__)
    before, theirs.disabled = theirs.disabled, True
    try:
        exporter = OTLPSpanExporter(endpoint=endpoint, timeout=timeout_s)
        try:
            return exporter.export([]) is SpanExportResult.SUCCESS
        finally:
            exporter.shutdown()
    except (ValueError, OSError) as error:
        raise ConfigError(f"A variable for traces (OTEL_...) is wrong: {error}") from error
    finally:
        theirs.disabled = before


class Losses:
    """Counts lost spans, and logs them once in WARN_EVERY_S. Called in any thread."""

    def __init__(self, lost: Counter) -> None:
        self._lost = lost
        self._untold = 0
        self._told_s = float("-inf")

    def count(self, spans: int, reason: str, error: Exception | None = None) -> None:
        """So many are lost: `queue_full`, `not_delivered`, `internal_error`."""
        self._lost.labels(reason).inc(spans)
        self._untold += spans
        now_s = time.monotonic()
        if now_s - self._told_s >= WARN_EVERY_S:
            self._told_s, told, self._untold = now_s, self._untold, 0
            facts = {"spans": told, "reason": reason, "error": type(error).__name__ if error else None}
            story(log, "spans lost", facts, logging.WARNING)


class Batch(SpanProcessor):
    """OpenTelemetry's own batches, with a count of the spans that it has not sent yet."""

    def __init__(self, exporter: SpanExporter, losses: Losses) -> None:
        self._losses = losses
        self._lock = threading.Lock()
        self._waiting = 0
        self._inner = BatchSpanProcessor(_Counted(exporter, self._sent), max_queue_size=MAX_WAITING)

    def __repr__(self) -> str:
        return f"<Batch {self._waiting} spans wait>"

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing is to do."""

    def on_end(self, span: ReadableSpan) -> None:
        """Queue it, if there is room."""
        if span.context is None or not span.context.trace_flags.sampled:
            return
        with self._lock:
            full = self._waiting >= MAX_WAITING
            self._waiting += not full
        if full:
            self._losses.count(1, "queue_full")
        else:
            self._inner.on_end(span)

    def _sent(self, spans: int, *, lost: bool) -> None:
        with self._lock:
            counted = min(spans, self._waiting)  # 0 once they were given up
            self._waiting -= counted
        if lost and counted:
            self._losses.count(counted, "not_delivered")

    def give_up(self) -> None:
        """What waits now is lost."""
        self._sent(MAX_WAITING, lost=True)

    def shutdown(self) -> None:
        """Send the rest. Blocks for as long as the collector lets it."""
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what waits now. Blocks."""
        return bool(self._inner.force_flush(timeout_millis))


class _Sent(Protocol):
    def __call__(self, spans: int, *, lost: bool) -> None: ...


class _Counted(SpanExporter):
    """An exporter that tells `sent` how each batch ended."""

    def __init__(self, exporter: SpanExporter, sent: _Sent) -> None:
        self._exporter = exporter
        self._sent = sent

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export(spans)
        finally:
            self._sent(len(spans), lost=result is not SpanExportResult.SUCCESS)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return bool(self._exporter.force_flush(timeout_millis))


def _resource() -> Resource:
    """What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say, else our own name."""
    told = Resource.create()
    ours = {SERVICE_VERSION: __version__}
    if str(told.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        return told.merge(Resource({SERVICE_NAME: "minimax-realtime", **ours}))
    return Resource(ours).merge(told)
