"""Helpers for the tests of the sandbox's Anthropic-compatible path: requests, and reading a stream by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import aiohttp

MESSAGES = "/anthropic/v1/messages"
COUNT = "/anthropic/v1/messages/count_tokens"
MODELS = "/anthropic/v1/models"
WEATHER = {
    "name": "get_weather",
    "description": "Get the current weather for a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@dataclass(frozen=True)
class Message:
    """One HTTP answer, read to its end."""

    status: int
    headers: Any
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Names and data; anything but an `event:` and a `data:` line with a blank line after fails."""
        text = self.raw.decode()
        assert text.endswith("\n\n")
        events = []
        for block in text[:-2].split("\n\n"):
            first, second = block.split("\n")
            assert first.startswith("event: ")
            assert second.startswith("data: ")
            events.append((first.removeprefix("event: "), json.loads(second.removeprefix("data: "))))
        return events

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.events]

    @property
    def content(self) -> list[dict[str, Any]]:
        """The blocks of a streamed message, put together from their deltas."""
        blocks: list[dict[str, Any]] = []
        partial = ""
        for name, data in self.events:
            match name:
                case "content_block_start":
                    assert data["index"] == len(blocks)
                    blocks.append(dict(data["content_block"]))
                    partial = ""
                case "content_block_delta":
                    delta = data["delta"]
                    assert data["index"] == len(blocks) - 1
                    match delta["type"]:
                        case "text_delta":
                            blocks[-1]["text"] += delta["text"]
                        case "thinking_delta":
                            blocks[-1]["thinking"] += delta["thinking"]
                        case "signature_delta":
                            blocks[-1]["signature"] += delta["signature"]
                        case "input_json_delta":
                            partial += delta["partial_json"]
                case "content_block_stop":
                    assert data["index"] == len(blocks) - 1
                    if blocks[-1]["type"] == "tool_use":
                        blocks[-1]["input"] = json.loads(partial)
        return blocks


def body(content: Any = "Hello", **more: Any) -> dict[str, Any]:
    """A request to M3 without a stream; `messages` replaces the one message. None leaves a field out."""
    request_body: dict[str, Any] = {
        "model": "MiniMax-M3",
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": content}],
    }
    return {key: value for key, value in (request_body | more).items() if value is not None}


async def send(
    url: str,
    data: Any,
    path: str = MESSAGES,
    *,
    headers: dict[str, str] | None = None,
    fault: str = "",
) -> Message:
    """POST JSON (or bytes as they are) with a key in `X-Api-Key`, unless other headers are given."""
    sent = {"X-Api-Key": "any"} if headers is None else headers
    sent = {**sent, "Content-Type": "application/json", "anthropic-version": "2023-06-01"}
    if fault:
        sent["X-Sandbox-Fault"] = fault
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session,
        session.post(url + path, data=raw, headers=sent) as answer,
    ):
        return Message(answer.status, answer.headers, await answer.read())
