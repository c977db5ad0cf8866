"""Helpers for the tests of the sandbox: fast options, raw requests, and reading an event stream by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import aiohttp

from realtime.sandbox.options import SandboxOptions

OPENAI, NATIVE, ASR = "/v1/chat/completions", "/v1/text/chatcompletion_v2", "/v1/speech_to_text"
NO_WAIT = (
    "http.connect_ms=0",
    "http.error_ms=0",
    "chat.first_ms=0",
    "chat.tps=100000",
    "chat.chunk_ms=1",
    "asr.ms=0",
)
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the current weather for a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def quick(*sets: str, faults: tuple[str, ...] = (), seed: int = 0) -> SandboxOptions:
    """Options without latency; five tokens an event, so that streams still have several events."""
    return SandboxOptions.parse(
        sets=("chat.plain_tps=100000", *NO_WAIT, "chat.tps=5000", *sets), faults=faults, seed=seed
    )


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, read to its end."""

    status: int
    headers: Any
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def lines(self) -> list[str]:
        """The payloads of an event stream; anything but `data: ` lines with a blank line after fails."""
        text = self.raw.decode()
        assert text.endswith("\n\n")
        blocks = text[:-2].split("\n\n")
        assert all(block.startswith("data: ") and "\n" not in block for block in blocks)
        return [block.removeprefix("data: ") for block in blocks]

    @property
    def events(self) -> list[dict[str, Any]]:
        """The JSON events, `[DONE]` left out."""
        return [json.loads(line) for line in self.lines if line != "[DONE]"]

    @property
    def deltas(self) -> list[dict[str, Any]]:
        return [c["delta"] for event in self.events for c in event.get("choices", []) if "delta" in c]

    @property
    def content(self) -> str:
        return "".join(delta.get("content", "") for delta in self.deltas)

    @property
    def reasoning(self) -> str:
        return "".join(delta.get("reasoning_content", "") for delta in self.deltas)

    @property
    def finish(self) -> str | None:
        reasons = [c.get("finish_reason") for event in self.events for c in event.get("choices", [])]
        return next((reason for reason in reasons if reason), None)


def body(text: str = "Hello", **more: Any) -> dict[str, Any]:
    """A streamed request to M3 without thinking."""
    request_body: dict[str, Any] = {
        "model": "MiniMax-M3",
        "thinking": {"type": "disabled"},
        "messages": [{"role": "user", "content": text}],
        "stream": True,
    }
    return {key: value for key, value in (request_body | more).items() if value is not None}


async def post(
    url: str, path: str, data: Any, *, key: str | None = "any", fault: str = "", timeout_s: float = 30
) -> Answer:
    """POST JSON (or bytes as they are) on a connection of its own."""
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    if fault:
        headers["X-Sandbox-Fault"] = fault
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout_s)) as session,
        session.post(url + path, data=raw, headers=headers) as answer,
    ):
        return Answer(answer.status, answer.headers, await answer.read())
