"""When there are traces, and that neither a mistake nor a collector can cost more than spans."""

import sys
import threading

import pytest

from realtime import tracing
from realtime.errors import ConfigError
from realtime.metrics import Metrics
from realtime.settings import Settings
from tests.test_trace_attributes import REPLY

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
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

    async def test_a_parent_with_a_state_that_nobody_can_read_counts_and_no_line_quotes_it(self, caplog):
        states = (
            *(
                "sk-x",
                "a=1,sk-x",
                "a=1,a=2",
                "A=sk-x",
                "a=b=sk-x",
                "a@b@c=sk-x",
                "é=sk-x",
                "\udcff=sk-x",
                "9=sk-x",
            ),
            *(",".join(f"k{number}=1" for number in range(33)), "a=1," * 300, "x" * 9000),
        )
        async with tracing.open_traces(WANTED, Metrics()) as traces:
            ended = []
            traces.export.provider.add_span_processor(_Keeps(ended))
            for state in states:
                traces.session({"traceparent": PARENT, "tracestate": state})([REPLY])
        assert [each.parent.span_id for each in ended] == [int(PARENT[36:52], 16)] * len(states)
        assert not any(each.parent.trace_state for each in ended)
        assert not [each for each in caplog.records if each.name.startswith("opentelemetry.trace")]

    async def test_a_state_that_can_be_read_is_kept_and_a_long_parent_is_none(self, caplog):
        async with tracing.open_traces(WANTED, Metrics()) as traces:
            ended = []
            traces.export.provider.add_span_processor(_Keeps(ended))
            traces.session({"traceparent": PARENT, "tracestate": "a=1, ,9v@b/2=x;y: z"})([REPLY])
            traces.session({"traceparent": PARENT + "-" + "x" * 8000})([REPLY])
        assert dict(ended[0].parent.trace_state) == {"a": "1", "9v@b/2": "x;y: z"}
        assert ended[1].parent is None
        assert not [each for each in caplog.records if each.name.startswith("opentelemetry.trace")]


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
