"""Recorded token streams of the sandbox for the simulator.

    python -m bench.recorded        # record again: takes about a minute, writes bench/recorded.json

Each profile of the sandbox, with its jitter, has the same conversation over a real socket. A recording holds when each
delta arrived after the first one, and when the stream ended.
"""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bench.floor import KEY, content_of
from bench.platform import Platform, platform
from bench.traces import Trace

FILE = Path(__file__).with_name("recorded.json")
SETS = {"local": (), "mainland": (), "far": (), "80 tok/s": ("chat.tps=80", "chat.chunk_ms=1")}
QUESTIONS = (
    "Hello!",
    "My name is Anna.",
    "What is 12 times 11?",
    "Tell me a joke.",
    "How are you?",
    "What can you do?",
    "Count to five.",
    "I like green tea.",
    "What's the capital of France?",
    "Who are you?",
    "What's my name?",
    "Tell me a story.",
    "Thank you!",
    "Goodbye.",
    "你好！",
    "我叫小明。",
    "十二乘以十一是多少？",
    "你是谁？",
    "你能做什么？",
    "我喜欢喝绿茶。",
    "法国的首都是哪里？",
    "讲一个笑话。",
    "讲一个故事。",
    "谢谢！",
    "再见。",
)


@dataclass(frozen=True, slots=True)
class Recording:
    """Recorded replies; can be used instead of a generated `Stream`."""

    name: str
    traces: tuple[Trace, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(trace.text for trace in self.traces)

    def trace(self, text: str, rng: random.Random) -> Trace:
        """The recorded trace of `text`. Raises StopIteration if it was not recorded."""
        return next(trace for trace in self.traces if trace.text == text)


def load() -> dict[str, Recording]:
    """All recordings by name."""
    return {
        name: Recording(
            name,
            tuple(
                Trace(tuple((at_s, text) for at_s, text in reply["deltas"]), reply["finish_s"])
                for reply in replies
            ),
        )
        for name, replies in json.loads(FILE.read_text()).items()
    }


async def _record(name: str) -> list[dict[str, object]]:
    profile = name if not SETS[name] else "local"
    messages: list[dict[str, str]] = []
    replies: list[dict[str, object]] = []
    async with platform(*SETS[name], profile=profile) as upstream, aiohttp.ClientSession() as http:
        for question in QUESTIONS:
            messages.append({"role": "user", "content": question})
            reply = await _receive(upstream, http, messages)
            messages.append({"role": "assistant", "content": "".join(text for _, text in reply.deltas)})
            replies.append({"finish_s": reply.finish_s, "deltas": reply.deltas})
    return replies


async def _receive(upstream: Platform, http: aiohttp.ClientSession, messages: list[dict[str, str]]) -> Trace:
    clock = asyncio.get_running_loop().time
    body = {"model": "MiniMax-M3", "messages": messages, "stream": True, "thinking": {"type": "disabled"}}
    deltas: list[tuple[float, str]] = []
    start_s = 0.0
    async with http.post(f"{upstream.url}/v1/chat/completions", json=body, headers=KEY) as answer:
        async for line in answer.content:
            if text := content_of(line):
                start_s = start_s or clock()
                deltas.append((round(clock() - start_s, 4), text))
    return Trace(tuple(deltas), round(clock() - start_s, 4))


def main() -> None:
    async def record() -> dict[str, object]:
        return {name: await _record(name) for name in SETS}

    FILE.write_text(json.dumps(asyncio.run(record()), ensure_ascii=False, indent=0) + "\n")


if __name__ == "__main__":
    main()
