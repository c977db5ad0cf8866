"""`realtime doctor` says whether the collector of traces takes them."""

import asyncio

import pytest

from realtime.commands import checks
from realtime.commands.checks import Verdict
from realtime.settings import Settings

pytest.importorskip(
    "opentelemetry.exporter.otlp.proto.http", reason="the extra otel is not installed", exc_type=ImportError
)
from tests.ports import free_port
from tests.server.collector import open_collector


def finding(settings):
    return checks._traces(settings)


def test_nothing_is_said_where_no_traces_are_wanted():
    assert finding(Settings()) == []


def test_a_collector_that_takes_them():
    with open_collector() as (collector, url):
        [found] = finding(Settings(otlp_endpoint=url))
        assert (found.verdict, collector.asked, collector.spans) == (Verdict.GOOD, 1, [])


def test_a_collector_that_refuses_is_a_note_and_logs_nothing(caplog):
    with open_collector(401) as (_, url):
        [found] = finding(Settings(otlp_endpoint=url))
    assert found.verdict is Verdict.NOTE
    assert "OTEL_EXPORTER_OTLP_HEADERS" in found.advice
    assert caplog.records == []


async def test_nobody_there_is_a_note(monkeypatch):
    monkeypatch.setattr(checks, "REACH_TIMEOUT_S", 0.5)
    url = f"http://127.0.0.1:{free_port()}"
    [found] = await asyncio.to_thread(finding, Settings(otlp_endpoint=url))
    assert (found.verdict, "spans are lost" in found.text) == (Verdict.NOTE, True)
