"""Token streams as they were received: replies of the sandbox, recorded once, played again by the simulator.

    python -m bench.recorded        # record anew: about a minute of talking, writes bench/recorded.json

Each profile of the sandbox, its jitter included, holds the same conversation over a real socket; what is kept of a
reply is when each piece of text came after the first one, and when the stream ended.
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
    """Responses as they came; stands where a generated `Stream` may stand."""

    name: str
    traces: tuple[Trace, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(trace.text for trace in self.traces)

    def trace(self, text: str, rng: random.Random) -> Trace:
        """The recorded arrival of `text`. Raises StopIteration for a text that was not recorded."""
        return next(trace for trace in self.traces if trace.text == text)


def load() -> dict[str, Recording]:
    """All recordings, by the name of what was recorded."""
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
            reply = await _listen(upstream, http, messages)
            messages.append({"role": "assistant", "content": "".join(text for _, text in reply.deltas)})
            replies.append({"finish_s": reply.finish_s, "deltas": reply.deltas})
    return replies


async def _listen(upstream: Platform, http: aiohttp.ClientSession, messages: list[dict[str, str]]) -> Trace:
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
