"""The stock agents client in Node, unmodified: it talks, calls tools, is interrupted, rewrites history, changes its agent.

After every conversation: no event that its schemas refused, no error, nothing thrown, nothing logged.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.harness import Harness, open_harness
from tests.stock.npm import HERE, modules, node
from tests.stock.record import keep
from tests.stock.speech import INTERRUPTION, QUESTION, files, said
from tests.wer import word_error_rate, words

SPEECH = "speech.factor=20"  # faster than it plays, slower than at once: as the platform
NODE_S = 60.0


@pytest.fixture
async def harness() -> AsyncIterator[Harness]:
    async with open_harness(SPEECH, transcriber="none") as it:
        yield it


@pytest.fixture
async def listening() -> AsyncIterator[Harness]:
    """A server with ears."""
    pytest.importorskip("faster_whisper", reason="no transcriber here: pip install 'minimax-realtime[local]'")
    async with open_harness(SPEECH, transcriber="local", language="en") as it:
        yield it


async def converse(harness: Harness, scenario: str, **more: Any) -> dict[str, Any]:
    """Run the script of `agents.mjs` and return its report, checked for every silent failure."""
    job = {"modules": str(modules()), "url": harness.ws_url, "key": "any", "scenario": scenario, **more}
    process = await asyncio.create_subprocess_exec(
        node(),
        str(HERE / "agents.mjs"),
        json.dumps(job),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(NODE_S):
            output, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, complaints.decode()
    report: dict[str, Any] = json.loads(output)
    received = (type for type, times in report["events"].items() for _ in range(times))
    keep("agents-js Node", sent=report["sent"], received=received)
    for silent in ("uncaught", "errors", "dropped", "logged"):
        assert report[silent] == [], f"{silent}: {report[silent]}"
    assert report["unknown"] in ([], [*filter(_greets, report["unknown"])]), report["unknown"]
    return report


def _greets(event: str) -> bool:
    """The one event that this client does not know and ignores."""
    return json.loads(event)["type"] == "conversation.created"


async def test_a_text_turn_and_the_echo_of_its_configuration(harness: Harness):
    report = await converse(harness, "text")
    assert "5" in report["notes"]["answer"] or "five" in words(report["notes"]["answer"])
    assert report["audioBytes"] > 24_000
    echo = report["notes"]["echo"]
    assert echo["audio"]["input"]["turn_detection"]["type"] == "semantic_vad"
    assert echo["audio"]["input"]["turn_detection"]["interrupt_response"] is True
    assert echo["audio"]["input"]["noise_reduction"] is None
    assert echo["audio"]["output"]["format"] == {"type": "audio/pcm", "rate": 24000}
    assert echo["tracing"] == "auto"
    assert [tool["name"] for tool in echo["tools"]] == ["get_weather"]
    assert [item["role"] for item in report["history"]] == ["user", "assistant"]
    assert report["history"][1]["text"] == report["notes"]["answer"]


async def test_tools_run_once_each_and_their_results_are_told(harness: Harness):
    report = await converse(harness, "tools")
    assert report["notes"]["toolsAfterOne"] == ["Paris"]
    assert "21" in report["notes"]["told"]
    assert report["tools"] == ["Paris", "Paris", "Rome"]
    assert report["notes"]["responses"] in (2, 3)
    assert "21" in report["notes"]["bothTold"]
    assert "24" in report["notes"]["bothTold"]
    kinds = [item["type"] for item in report["history"]]
    assert kinds[:4] == ["message", "function_call", "message", "message"]
    assert kinds[-1] == "message"
    assert kinds.count("function_call") == 3


async def test_a_spoken_turn(listening: Harness, tmp_path: Path):
    report = await converse(listening, "voice", clips=files(tmp_path))
    assert word_error_rate([(said(QUESTION), report["notes"]["heard"])]) <= 0.35
    assert report["notes"]["answer"]
    assert report["audioBytes"] > 24_000
    assert [item["role"] for item in report["history"]] == ["user", "assistant"]
    assert report["history"][0]["text"] == report["notes"]["heard"]


async def test_a_spoken_interruption_cuts_the_reply_where_it_was_heard(listening: Harness, tmp_path: Path):
    report = await converse(listening, "interruption", clips=files(tmp_path))
    notes = report["notes"]
    assert report["interruptions"] == 1
    assert (notes["status"], notes["reason"]) == ("cancelled", "turn_detected")
    assert notes["truncatedMs"] > 0
    assert notes["told"].startswith(notes["left"])
    assert 0 < len(notes["left"]) < len(notes["told"])
    assert notes["inHistory"] == notes["left"]
    heard = [item["text"] for item in report["history"] if item["role"] == "user"][1]
    assert word_error_rate([(said(INTERRUPTION), heard)]) <= 0.35


async def test_history_rewritten_keeps_its_order(harness: Harness):
    report = await converse(harness, "history")
    notes = report["notes"]
    assert [item["role"] for item in notes["before"]] == ["user", "assistant", "user", "assistant"]
    assert notes["after"] == [{**notes["before"][0], "text": "My name is Grace."}, *notes["before"][1:]]
    assert "Grace" in notes["name"]
    assert report["history"] == []


async def test_another_agent_takes_over_and_responses_wait_for_each_other(harness: Harness):
    report = await converse(harness, "agents")
    assert report["notes"]["answer"].startswith("Ahoy")
    assert report["notes"]["toolsLeft"] == 0
    assert report["events"]["response.created"] == report["events"]["response.done"] == 3


async def test_a_wrong_key_is_told_at_the_door():
    async with open_harness(api_keys=("sk-real",)) as harness:
        with pytest.raises(AssertionError, match="401"):
            await converse(harness, "text")
