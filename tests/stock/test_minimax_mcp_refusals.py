"""MiniMax's own MCP server against the sandbox: how its tools tell a refusal, a bad key and what is half done."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.sandbox.voice_kit import recording
from tests.stock.mcp_desk import PROMPT, SAID, TOOLS, Desk, settings
from tests.stock.mcp_server import Server, ToolFailed

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with Desk.laid(tmp_path_factory.mktemp("desk")) as laid:
        yield laid


async def test_a_bad_key_is_told_by_every_tool(desk: Desk) -> None:
    calls: dict[str, dict[str, str]] = {
        "text_to_audio": {"text": SAID},
        "list_voices": {},
        "voice_clone": {"voice_id": "WitnessNobody", "file": str(desk.me), "text": SAID},
        "voice_design": {"prompt": "an old man", "preview_text": SAID},
        "text_to_image": {"prompt": PROMPT},
        "generate_video": {"prompt": PROMPT},
        "query_video_generation": {"task_id": "106916112212032"},
    }
    assert set(calls) == TOOLS - {"play_audio"}
    async with Server.started(**settings(desk.sandbox, desk.folder, "local", key="sk-bad")) as server:
        for tool, arguments in calls.items():
            said = await server.call(tool, **arguments)
            assert re.match(r"Failed to [a-z ]+: API Error: 2049-invalid api key", said), (tool, said)


@pytest.mark.parametrize(
    ("fault", "tool", "arguments", "advice"),
    [
        ("image.error=1004", "text_to_image", {"prompt": PROMPT}, "please check your API key and API host"),
        ("video.error=2038", "generate_video", {"prompt": PROMPT}, "should complete real-name verification"),
    ],
)
async def test_two_codes_come_with_its_own_advice(
    desk: Desk, fault: str, tool: str, arguments: dict[str, str], advice: str
) -> None:
    """It finds them where it looks, and the trace id in a header."""
    desk.sandbox.inject(fault)
    said = await desk.local.call(tool, **arguments)
    desk.sandbox.inject()
    assert advice in said
    assert re.search(r"Trace-Id: [0-9a-f]{32}", said), said


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [
        ("text_to_audio", {"text": SAID, "voice_id": "nobody-has-this"}, 2054),
        ("text_to_audio", {"text": SAID, "speed": 3}, 2013),
        ("list_voices", {"voice_type": "mine"}, 2013),
        ("voice_clone", {"voice_id": "short", "text": SAID}, 2013),
        ("voice_clone", {"voice_id": "female-shaonv", "text": SAID}, 2039),
        ("voice_design", {"prompt": "an old man", "preview_text": "a" * 501}, 2013),
        ("text_to_image", {"prompt": PROMPT, "n": 10}, 2013),
        ("text_to_image", {"prompt": "a" * 1501}, 2013),
        ("generate_video", {"prompt": PROMPT, "model": "T2V-01", "duration": 10}, 2013),
        ("generate_video", {"prompt": PROMPT, "model": "I2V-01"}, 2013),
        ("query_video_generation", {"task_id": "1"}, 2013),
    ],
)
async def test_a_refusal_is_told_with_its_code(
    desk: Desk, tool: str, arguments: dict[str, object], code: int
) -> None:
    if tool == "voice_clone":
        arguments = {"file": str(desk.me), **arguments}
    said = await desk.local.call(tool, **arguments)
    assert re.match(rf"Failed to [a-z ]+: API Error: {code}-\S", said), said


async def test_a_recording_that_is_too_short_is_2037(desk: Desk) -> None:
    short = desk.folder / "short.wav"
    short.write_bytes(recording(6))
    said = await desk.local.call("voice_clone", voice_id="WitnessShort", file=str(short), text=SAID)
    assert "API Error: 2037-" in said


async def test_a_missing_file_never_leaves_the_machine(desk: Desk) -> None:
    said = await desk.local.call("voice_clone", voice_id="WitnessGhost", file="/no/such.mp3", text=SAID)
    assert said == "Failed to clone voice: Local file does not exist: /no/such.mp3"
    with pytest.raises(ToolFailed):
        await desk.local.call("play_audio", input_file_path="/no/such.mp3")


@pytest.mark.parametrize(
    ("fault", "count", "said"),
    [
        ("image.partial", 1, "Success."),
        ("image.error=1026", 0, "API Error: 1026-"),
        ("link.dead", 0, "403 Client Error"),
    ],
)
async def test_pictures_that_are_not_all_there(desk: Desk, fault: str, count: int, said: str) -> None:
    """Half of them stopped, all of them stopped, and links that have died."""
    desk.sandbox.inject(fault)
    answer = await desk.local.call("text_to_image", prompt=PROMPT, n=3, output_directory="some")
    desk.sandbox.inject()
    assert said in answer
    assert answer.count(".jpg") == count
