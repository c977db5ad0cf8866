"""When there are traces, and that neither a mistake nor a collector can cost more than spans."""

import sys
import threading

import pytest

from realtime import tracing
from realtime.errors import ConfigError
from realtime.metrics import Metrics
from realtime.settings import Settings
from tests.test_trace_attributes import REPLY

WANTED = Settings(otlp_endpoint="http://127.0.0.1:9")


def test_the_address_for_traces_is_below_the_collectors_unless_it_is_named():
    assert tracing.endpoint_of(Settings()) is None
    assert tracing.endpoint_of(WANTED) == "http://127.0.0.1:9/v1/traces"
    assert tracing.endpoint_of(Settings(otlp_traces_endpoint="http://c/x")) == "http://c/x"


def test_nothing_is_missing_where_no_traces_are_wanted():
    assert tracing.problem_of(Settings()) is None


async def test_what_is_not_installed_is_a_sentence_with_the_command_and_no_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "realtime.trace_export", None)
    monkeypatch.delattr("realtime.trace_export", raising=False)
    problem = tracing.problem_of(WANTED)
    assert problem is not None
    assert "pip install 'minimax-realtime[otel]'" in problem
    async with tracing.open_traces(WANTED, Metrics()) as traces:
        assert traces is None


class TestInstalled:
    @pytest.fixture(autouse=True)
    def installed(self):
        pytest.importorskip(
            "opentelemetry.exporter.otlp.proto.http",
            reason="the extra otel is not installed",
            exc_type=ImportError,
        )

    async def test_a_wrong_variable_stops_the_start_with_a_sentence(self, monkeypatch):
        monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "100000")
        with pytest.raises(ConfigError, match="OTEL_"):
            async with tracing.open_traces(WANTED, Metrics()):
                pass

    async def test_a_turn_that_cannot_be_traced_costs_its_trace_alone(self):
        metrics = Metrics()
        async with tracing.open_traces(WANTED, metrics) as traces:
            traces.session({})([])  # a turn without a reply: there is none
        assert b'realtime_spans_lost_total{reason="internal_error"} 1.0' in metrics.text()

    async def test_spans_of_a_hung_collector_are_bounded_and_counted(self, monkeypatch):
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

        from realtime import trace_export

        monkeypatch.setattr(trace_export, "MAX_WAITING", 600)
        hung, over = threading.Event(), threading.Event()

        class Hangs(SpanExporter):
            def export(self, spans):
                hung.set()
                over.wait()
                return SpanExportResult.SUCCESS

        metrics = Metrics()
        batch = trace_export.Batch(Hangs(), trace_export.Losses(metrics.spans_lost))
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(batch)
        tracer = provider.get_tracer("test")
        for _ in range(600):
            tracer.start_span("turn").end()
        assert hung.wait(60)
        for _ in range(50):
            tracer.start_span("turn").end()
        assert b'realtime_spans_lost_total{reason="queue_full"} 50.0' in metrics.text()
        over.set()
        batch.shutdown()
        assert b"not_delivered" not in metrics.text(), "what waited was sent after all"

    async def test_a_session_without_a_parent_is_in_no_trace_of_its_server(self):
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.trace import use_span

        async with tracing.open_traces(WANTED, Metrics()) as traces:
            ended = []
            traces.export.provider.add_span_processor(_Keeps(ended))
            outer = TracerProvider(shutdown_on_exit=False).get_tracer("app").start_span("request")
            with use_span(outer):
                traces.session({})([REPLY])
        (turn,) = ended
        assert turn.parent is None
        assert (turn.end_time - turn.start_time) == 2_000_000_000


class _Keeps:
    """A processor that keeps the spans."""

    def __init__(self, ended):
        self._ended = ended

    def on_start(self, span, parent_context=None): ...

    def _on_ending(self, span): ...

    def on_end(self, span):
        self._ended.append(span)

    def shutdown(self): ...

    def force_flush(self, timeout_millis=0):
        return True
