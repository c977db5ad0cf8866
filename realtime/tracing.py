"""One OpenTelemetry trace a turn: a span `turn` with the marks as its events, and a span `tool NAME` for each tool.

It turns reports of turns (`turn_report.py`) into spans; a conversation does not know of it. Names and attributes are in
docs/operations.md ("Traces"). OpenTelemetry is imported only if traces are wanted. `trace_export.py` sends the spans.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from realtime import __version__, trace_attributes
from realtime.errors import install_extra
from realtime.metrics import Metrics
from realtime.settings import Settings
from realtime.turn_report import OnTurn, ReplyReport, ToolRun

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

    from realtime.trace_export import Export

INSTALL = f"{install_extra('otel')}, or unset OTEL_EXPORTER_OTLP_ENDPOINT"
PARENT, STATE = "traceparent", "tracestate"
MAX_PARENT = 512  # characters; one of today has 55
MAX_STATE, MAX_MEMBERS = 8192, 32  # characters, and members (W3C Trace Context)
_KEY = r"[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13}"
_VALUE = r"[ -+\--<>-~]{0,255}[!-+\--<>-~]"
_MEMBER = re.compile(rf"(?:({_KEY})={_VALUE})?")

log = logging.getLogger(__name__)


class NotInstalled(Exception):
    """Traces are wanted, and the packages for them are not there. The message says what to do."""


def endpoint_of(settings: Settings) -> str | None:
    """The address that takes spans; None: no traces are wanted."""
    if settings.otlp_traces_endpoint is not None:
        return settings.otlp_traces_endpoint
    return None if settings.otlp_endpoint is None else f"{settings.otlp_endpoint}/v1/traces"


def problem_of(settings: Settings) -> str | None:
    """Why there are no traces although the settings want them."""
    if endpoint_of(settings) is None:
        return None
    try:
        from realtime import trace_export  # noqa: F401
    except ImportError:
        return f"OpenTelemetry is not installed: {INSTALL}."
    return None


@asynccontextmanager
async def open_traces(settings: Settings, metrics: Metrics) -> AsyncIterator[Traces | None]:
    """Traces until the end of the block; None if they are not wanted or not installed. Raises ConfigError."""
    endpoint = endpoint_of(settings)
    if endpoint is None or problem_of(settings) is not None:
        yield None
        return
    from realtime.trace_export import Export

    export = Export(endpoint, metrics.spans_lost)
    try:
        yield Traces(export, trace_attributes.provider_name(settings), content=settings.trace_content)
    finally:
        await export.aclose()


class Traces:
    """Makes spans of the turns of one server. `content`: what was said is an attribute, too."""

    def __init__(self, export: Export, provider: str, *, content: bool) -> None:
        self.export = export
        self.content = content
        self.tracer: Tracer = export.provider.get_tracer("realtime", __version__)
        self.always: trace_attributes.Attributes = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": provider,
        }

    def __repr__(self) -> str:
        return f"<Traces to {self.export!r}{', with content' if self.content else ''}>"

    def session(self, headers: Mapping[str, str]) -> OnTurn:
        """For one session: `headers` are those of its handshake, of which `traceparent` names the parent."""
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carrier = _parent_headers(headers)
        parent = TraceContextTextMapPropagator().extract(carrier) if carrier else None
        return _SessionTraces(self, parent)


def _parent_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that name the parent. OpenTelemetry would log what it cannot read, and no log quotes a header."""
    if len(headers.get(PARENT, "")) > MAX_PARENT:
        return {}
    kept = {name: headers[name] for name in (PARENT, STATE) if name in headers}
    if not _can_be_read(kept.get(STATE, "")):
        del kept[STATE]  # as the standard wants it: the parent alone counts
    return kept


def _can_be_read(state: str) -> bool:
    found = [_MEMBER.fullmatch(member.strip(" \t")) for member in state[: MAX_STATE + 1].split(",")]
    keys = [member[1] for member in found if member is not None and member[1] is not None]
    return len(state) <= MAX_STATE and None not in found and len(set(keys)) == len(keys) <= MAX_MEMBERS


class _SessionTraces:
    """The `OnTurn` of one session."""

    def __init__(self, traces: Traces, parent: Any) -> None:
        from opentelemetry.context import Context

        self._traces = traces
        # Never whatever span the task of the server is in: turns of a session outlive its handshake
        self._parent = Context() if parent is None else parent

    def __repr__(self) -> str:
        return f"<traces of a session, {'with' if self._parent else 'without'} a parent>"

    def __call__(self, replies: Sequence[ReplyReport]) -> None:
        try:
            self._trace(replies)
        except Exception as error:  # a turn is worth more than its trace
            self._traces.export.broke(error)

    def _trace(self, replies: Sequence[ReplyReport]) -> None:
        from opentelemetry.trace import SpanKind

        clock = _Clock()
        times_s = [time_s for reply in replies for time_s in _times(reply)]
        root = self._traces.tracer.start_span(
            "turn", self._parent, SpanKind.SERVER, start_time=clock.ns(min(times_s))
        )
        if root.is_recording():
            self._fill(root, replies, clock)
            root.end(clock.ns(max(times_s)))

    def _fill(self, root: Span, replies: Sequence[ReplyReport], clock: _Clock) -> None:
        root.set_attributes(self._traces.always | trace_attributes.of_turn(replies))
        if self._traces.content:
            root.set_attributes(trace_attributes.content_of(replies))
        for reply in replies:
            _mark(root, reply, clock)
            for run in reply.tools:
                self._add_tool(root, run, _end_s(run, reply), clock)
        _fail(root, replies[-1].error_code)

    def _add_tool(self, root: Span, run: ToolRun, end_s: float, clock: _Clock) -> None:
        from opentelemetry.trace import set_span_in_context

        inside = set_span_in_context(root, self._parent)
        span = self._traces.tracer.start_span(f"tool {run.name}", inside, start_time=clock.ns(run.began_s))
        span.set_attributes(trace_attributes.of_tool(run, content=self._traces.content))
        _fail(span, trace_attributes.tool_error(run))
        span.end(clock.ns(end_s))


class _Clock:
    """Loop seconds as nanoseconds since 1970, as the clocks stand now."""

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - round(asyncio.get_running_loop().time() * 1e9)

    def ns(self, loop_s: float) -> int:
        return self._offset_ns + round(loop_s * 1e9)


def _times(reply: ReplyReport) -> list[float]:
    """All that a turn begins and ends with."""
    tools_s = [time_s for run in reply.tools for time_s in (run.began_s, _end_s(run, reply))]
    return [reply.marks.origin_s, reply.ended_s, *reply.marks.reached_s.values(), *tools_s]


def _end_s(run: ToolRun, reply: ReplyReport) -> float:
    return max(run.began_s, reply.ended_s) if run.ended_s is None else run.ended_s


def _mark(root: Span, reply: ReplyReport, clock: _Clock) -> None:
    """The marks of this reply, in their order in time. Those after a tool say which round they are of."""
    attributes = {"realtime.tool_round": reply.tool_round} if reply.tool_round else None
    for name, time_s in sorted(reply.marks.reached_s.items(), key=lambda mark: mark[1]):
        root.add_event(name, attributes, clock.ns(time_s))


def _fail(span: Span, code: str) -> None:
    if code:
        from opentelemetry.trace import StatusCode

        span.set_attribute("error.type", code)
        span.set_status(StatusCode.ERROR)
