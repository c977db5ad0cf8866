"""The traces of turns, from conversations of a running server to a collector that decodes them."""

import json
from contextlib import asynccontextmanager

import pytest

from realtime.core.turn_marks import MARKS
from realtime.server.announce import warnings_of
from realtime.server.state import METRICS, OPENED
from tests.eventually import eventually
from tests.server.collector import attributes, open_collector
from tests.server.harness import open_harness

pytest.importorskip(
    "opentelemetry.exporter.otlp.proto.http", reason="the extra otel is not installed", exc_type=ImportError
)

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = {"traceparent": f"00-{TRACE}-{SPAN}-01"}


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Spans are sent at once; by the standard variable, as an operator would."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")


@asynccontextmanager
async def traced(*sets, status=200, **settings):
    """A collector, and a server that sends it its traces."""
    with open_collector(status) as (collector, endpoint):
        async with open_harness(*sets, otlp_endpoint=endpoint, **settings) as harness:
            yield collector, harness


def lost(harness) -> dict[str, float]:
    """Lost spans by reason."""
    return {
        sample.labels["reason"]: sample.value
        for family in harness.server.app[METRICS].spans_lost.collect()
        for sample in family.samples
        if sample.name.endswith("_total")
    }


def look_up_walnut(city: str) -> str:
    """Look up something in a city."""
    return f"an umbrella in {city}"


async def test_a_turn_is_one_span_with_the_marks_as_its_events():
    async with (
        traced() as (collector, harness),
        harness.connect("?extensions=playback", headers=PARENT) as wire,
    ):
        await wire.say("What is two plus three?")
        await wire.send("response.create")
        item_id = (await wire.until("response.output_audio.delta"))["item_id"]
        await wire.send("output_audio_buffer.played", item_id=item_id, played_ms=10)
        done = (await wire.until("response.done"))["response"]
        await eventually(lambda: collector.spans)
        session = wire.of("session.created")[0]["session"]["id"]
    (turn,) = collector.spans
    assert (turn.name, turn.trace_id.hex(), turn.parent_span_id.hex()) == ("turn", TRACE, SPAN)
    names = [event.name for event in turn.events]
    assert set(names) <= set(MARKS)
    assert names[-6:] == sorted(names[-6:], key=MARKS.index)
    assert set(names) == set(MARKS) - {"speech_ended", "transcript_final"}, "of a turn that was typed"
    times = [
        turn.start_time_unix_nano,
        *(event.time_unix_nano for event in turn.events),
        turn.end_time_unix_nano,
    ]
    assert times == sorted(times)
    told = attributes(turn)
    assert told["gen_ai.operation.name"] == "invoke_agent"
    assert told["gen_ai.provider.name"] == "minimax"
    assert told["gen_ai.request.model"] == "MiniMax-M3"
    assert told["gen_ai.conversation.id"] == done["conversation_id"]
    assert told["gen_ai.response.finish_reasons"] == ["stop"]
    assert told["gen_ai.usage.input_tokens"] == done["usage"]["input_tokens"]
    assert told["gen_ai.usage.output_tokens"] == done["usage"]["output_tokens"]
    assert told["gen_ai.output.type"] == "speech"
    assert told["session.id"] == session
    assert told["realtime.response_ids"] == [done["id"]]
    assert told["realtime.status"] == "completed"
    assert told["realtime.origin"] == "response_create"
    assert len(told["realtime.upstream_trace_ids"]) >= 2, "of the chat model and of the voice"
    assert all(told["realtime.upstream_trace_ids"])
    assert collector.resource["service.name"] == "minimax-realtime"


async def test_without_a_parent_each_turn_is_a_trace_of_its_own():
    async with (
        traced() as (collector, harness),
        harness.connect(headers={"traceparent": "00-nonsense-01"}) as wire,
    ):
        await wire.ask("What is two plus three?")
        await wire.ask("What is two plus four?", output_modalities=["text"])
        await eventually(lambda: len(collector.spans) == 2)
    assert len({span.trace_id for span in collector.spans}) == 2
    assert [span.parent_span_id for span in collector.spans] == [b"", b""]
    assert {attributes(span)["gen_ai.output.type"] for span in collector.spans} == {"speech", "text"}


async def test_a_caller_that_takes_no_sample_gets_none():
    async with traced() as (collector, harness):
        async with harness.connect(headers={"traceparent": f"00-{TRACE}-{SPAN}-00"}) as wire:
            await wire.ask("What is two plus three?")
        async with harness.connect(headers=PARENT) as wire:
            await wire.ask("What is two plus four?")
            await eventually(lambda: collector.spans)
    assert len(collector.spans) == 1


@pytest.mark.parametrize("content", [False, True])
async def test_words_are_in_the_traces_only_if_the_operator_wants_them(content):
    settings = {"trace_content": content, "instructions": "Talk of an umbrella."}
    async with (
        traced(**settings) as (collector, harness),
        harness.connect(headers={"User-Agent": "xylophone", **PARENT}) as wire,
    ):
        await wire.ask("Repeat after me: flamingo.")
        await eventually(lambda: collector.spans)
    sent = b"".join(collector.bodies)
    assert (b"flamingo" in sent, b"umbrella" in sent) == (content, content)
    assert b"xylophone" not in sent
    told = attributes(collector.spans[0])
    if content:
        (asked,) = json.loads(told["gen_ai.input.messages"])
        assert asked == {"role": "user", "parts": [{"type": "text", "content": "Repeat after me: flamingo."}]}
        (said,) = json.loads(told["gen_ai.output.messages"])
        assert (said["role"], said["finish_reason"]) == ("assistant", "stop")


@pytest.mark.parametrize("content", [False, True])
async def test_a_tool_is_a_span_inside_of_the_turn(content):
    tools = (f"{__name__}:look_up_walnut",)
    async with (
        traced(tools=tools, trace_content=content) as (collector, harness),
        harness.connect(headers=PARENT) as wire,
    ):
        await wire.say("Look up the walnut in Paris.")
        await wire.send("response.create")
        await wire.until("response.done", 2)
        await eventually(lambda: collector.named("turn"))
    (turn,), (tool,) = collector.named("turn"), collector.named("tool look_up_walnut")
    assert (tool.trace_id, tool.parent_span_id) == (turn.trace_id, turn.span_id)
    assert turn.start_time_unix_nano <= tool.start_time_unix_nano <= tool.end_time_unix_nano
    assert tool.end_time_unix_nano <= turn.end_time_unix_nano
    told = attributes(tool)
    assert told["gen_ai.operation.name"] == "execute_tool"
    assert told["gen_ai.tool.name"] == "look_up_walnut"
    assert told["gen_ai.tool.call.id"]
    asked = [event for event in turn.events if event.name == "chat_request"]
    assert [attributes(event).get("realtime.tool_round", 0) for event in asked] == [0, 1]
    assert attributes(turn)["gen_ai.response.finish_reasons"] == ["tool_calls", "stop"]
    assert ("gen_ai.tool.call.result" in told, "gen_ai.tool.call.arguments" in told) == (content, content)
    assert (b"umbrella" in b"".join(collector.bodies)) is content


async def test_a_turn_that_failed_says_why_and_with_which_id():
    async with traced() as (collector, harness), harness.connect(headers=PARENT) as wire:
        harness.fault("chat.error=1008")
        await wire.ask("Tell me of the flamingo.")
        await eventually(lambda: collector.spans)
    told = attributes(collector.spans[0])
    assert (told["realtime.status"], told["error.type"]) == ("failed", "insufficient_quota")
    assert collector.spans[0].status.code == 2
    assert told["realtime.upstream_trace_ids"]
    assert b"flamingo" not in collector.bodies[0]


async def test_a_collector_that_hangs_holds_up_no_turn_and_no_stop():
    with open_collector(status=None) as (collector, endpoint):
        async with open_harness(otlp_endpoint=endpoint) as harness, harness.connect() as wire:
            await wire.ask("What is two plus three?")
            await eventually(lambda: collector.asked)
            done = await wire.ask("What is two plus four?")
            assert done["status"] == "completed"
        assert not collector.over.is_set(), "the server has ended, and the collector still hangs"
        assert lost(harness) == {"not_delivered": 2.0}


async def test_spans_that_a_collector_refuses_are_counted():
    async with traced(status=400) as (collector, harness), harness.connect() as wire:
        await wire.ask("What is two plus three?")
        await eventually(lambda: lost(harness) == {"not_delivered": 1.0})
        assert b'realtime_spans_lost_total{reason="not_delivered"} 1.0' in harness.server.app[METRICS].text()


async def test_nothing_is_lost_at_the_end(monkeypatch):
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "3600000")
    async with traced() as (collector, harness), harness.connect() as wire:
        await wire.ask("What is two plus three?")
        assert collector.spans == []
    assert [span.name for span in collector.spans] == ["turn"]
    assert lost(harness) == {}


async def test_without_an_address_nothing_is_traced():
    async with open_harness() as harness:
        assert harness.server.app[OPENED].traces is None
        assert not [line for line in warnings_of(harness.server.app[OPENED].runtime) if "tracing" in line]
