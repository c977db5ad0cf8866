"""The unmodified stock agents client in Node: turns, tools, interruption, changed history, another agent.

After every conversation: its schemas accepted all events, and it reported, threw and logged no error.
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
from tests.stock.record import record
from tests.stock.speech import INTERRUPTION, QUESTION, files, said
from tests.wer import word_error_rate, words

SPEECH = "speech.factor=20"  # times real time, as on the platform
NODE_S = 60.0


@pytest.fixture
async def harness() -> AsyncIterator[Harness]:
    async with open_harness(SPEECH, transcriber="none") as it:
        yield it


@pytest.fixture
async def with_transcriber() -> AsyncIterator[Harness]:
    """A server with a transcriber."""
    pytest.importorskip("faster_whisper", reason="no transcriber: pip install 'minimax-realtime[local]'")
    async with open_harness(SPEECH, transcriber="local", language="en") as it:
        yield it


async def converse(harness: Harness, scenario: str, **more: Any) -> dict[str, Any]:
    """Run `agents.mjs` and return its report; fails if the report contains any error."""
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
            output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, errors.decode()
    report: dict[str, Any] = json.loads(output)
    received = (type for type, times in report["events"].items() for _ in range(times))
    record("agents-js Node", sent=report["sent"], received=received)
    for kind in ("uncaught", "errors", "dropped", "logged"):
        assert report[kind] == [], f"{kind}: {report[kind]}"
    assert all(map(_is_conversation_created, report["unknown"])), report["unknown"]
    return report


def _is_conversation_created(event: str) -> bool:
    """The only event that this client does not know; it ignores it."""
    return json.loads(event)["type"] == "conversation.created"


async def test_a_text_turn_and_the_returned_configuration(harness: Harness):
    report = await converse(harness, "text")
    assert "5" in report["notes"]["answer"] or "five" in words(report["notes"]["answer"])
    assert report["audioBytes"] > 24_000
    session = report["notes"]["session"]
    assert session["audio"]["input"]["turn_detection"]["type"] == "semantic_vad"
    assert session["audio"]["input"]["turn_detection"]["interrupt_response"] is True
    assert session["audio"]["input"]["noise_reduction"] is None
    assert session["audio"]["output"]["format"] == {"type": "audio/pcm", "rate": 24000}
    assert session["tracing"] == "auto"
    assert [tool["name"] for tool in session["tools"]] == ["get_weather"]
    assert [item["role"] for item in report["history"]] == ["user", "assistant"]
    assert report["history"][1]["text"] == report["notes"]["answer"]


async def test_tools_run_once_each_and_the_answers_use_their_results(harness: Harness):
    report = await converse(harness, "tools")
    assert report["notes"]["toolsAfterOne"] == ["Paris"]
    assert "21" in report["notes"]["answer"]
    assert report["tools"] == ["Paris", "Paris", "Rome"]
    assert report["notes"]["responses"] in (2, 3)
    assert "21" in report["notes"]["secondAnswer"]
    assert "24" in report["notes"]["secondAnswer"]
    kinds = [item["type"] for item in report["history"]]
    assert kinds[:4] == ["message", "function_call", "message", "message"]
    assert kinds[-1] == "message"
    assert kinds.count("function_call") == 3


async def test_a_spoken_turn(with_transcriber: Harness, tmp_path: Path):
    report = await converse(with_transcriber, "voice", clips=files(tmp_path))
    assert word_error_rate([(said(QUESTION), report["notes"]["transcript"])]) <= 0.35
    assert report["notes"]["answer"]
    assert report["audioBytes"] > 24_000
    assert [item["role"] for item in report["history"]] == ["user", "assistant"]
    assert report["history"][0]["text"] == report["notes"]["transcript"]


async def test_a_spoken_interruption_truncates_the_reply_to_what_was_heard(
    with_transcriber: Harness, tmp_path: Path
):
    report = await converse(with_transcriber, "interruption", clips=files(tmp_path))
    notes = report["notes"]
    assert report["interruptions"] == 1
    assert (notes["status"], notes["reason"]) == ("cancelled", "turn_detected")
    assert notes["truncatedMs"] > 0
    assert notes["whole"].startswith(notes["truncated"])
    assert 0 < len(notes["truncated"]) < len(notes["whole"])
    assert notes["inHistory"] == notes["truncated"]
    transcript = [item["text"] for item in report["history"] if item["role"] == "user"][1]
    assert word_error_rate([(said(INTERRUPTION), transcript)]) <= 0.35


async def test_changed_history_keeps_its_order(harness: Harness):
    report = await converse(harness, "history")
    notes = report["notes"]
    assert [item["role"] for item in notes["before"]] == ["user", "assistant", "user", "assistant"]
    assert notes["after"] == [{**notes["before"][0], "text": "My name is Grace."}, *notes["before"][1:]]
    assert "Grace" in notes["name"]
    assert report["history"] == []


async def test_another_agent_and_two_responses_one_after_the_other(harness: Harness):
    report = await converse(harness, "agents")
    assert report["notes"]["answer"].startswith("Ahoy")
    assert report["notes"]["toolsLeft"] == 0
    assert report["events"]["response.created"] == report["events"]["response.done"] == 3


async def test_a_wrong_key_is_401():
    async with open_harness(api_keys=("sk-real",)) as harness:
        with pytest.raises(AssertionError, match="401"):
            await converse(harness, "text")
