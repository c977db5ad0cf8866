"""First audio of text turns compared with the clause floor, in pairs (docs/architecture.md 4, rows 1, 3, 5).

    python -m bench.latency [--rounds 20] [--only default,fast] [--quick] [--json FILE]

Each round asks the same question with the same history twice: once without any framework (`bench.floor`) and once
through the server, in alternating order. The platform has no jitter, so the difference within a pair is the server's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.common import Figures, WireClient, connected, figures, load_average, play, server, table
from bench.floor import Floor, FloorTurn, floor
from bench.platform import Platform, platform

INSTRUCTIONS = "Be brief."
ENGLISH = (
    "I can help you with that, because it is easy to explain.",
    "The weather is fine today, so you can go out without a coat.",
    "There are three ways to do it, and I like the second one best.",
    "Let me think about it, since it is a good question.",
    "It opens at nine in the morning, and it closes at six.",
)
NO_COMMA = (
    "The old lighthouse at the end of the harbour has been guiding ships safely home for more than two hundred years.",
    "Most people who visit our little town in the middle of summer come for the music that is played on the square.",
)
OPENERS = (
    "Sure! I can certainly help you find a good place for dinner tonight, my friend.",
    "Yes. There is a small bakery on the corner that opens very early every morning.",
)
CHINESE = (
    "好的，我来告诉你怎么走，其实很简单。",
    "今天的天气很好，你可以不带外套出门。",
    "这个问题很有意思，我们慢慢来说吧。",
)


@dataclass(frozen=True)
class Scenario:
    """The times of the platform, and how each turn is run."""

    name: str
    sets: tuple[str, ...]
    answers: tuple[str, ...] = ENGLISH
    profile: str = "local"
    question: str = 'Please say: "{}"'
    idle_s: float = 0.0  # pause before each turn
    interrupted: bool = False  # each turn follows an interrupted one
    max_rounds: int = 1000


def stream(first_ms: int, tps: int, speech_ms: int) -> tuple[str, ...]:
    """Options of the platform, with one token in each delta of the chat stream."""
    times = {
        "chat.first_ms": first_ms,
        "chat.tps": tps,
        "chat.chunk_ms": 1000 / tps,
        "chat.first_tokens": 1,
        "speech.first_ms": speech_ms,
    }
    return tuple(f"{name}={value:g}" for name, value in times.items())


CHAT_MS, HANDSHAKE_MS = 300, 400
HANDSHAKE = (f"speech.connect_ms={HANDSHAKE_MS}", f"http.connect_ms={HANDSHAKE_MS}")


def is_cold(marks: dict[str, int]) -> bool:
    """Whether the first chat delta, expected after CHAT_MS, also waited for a handshake."""
    return marks["chat_first_delta"] - marks["chat_request"] > CHAT_MS + 0.9 * HANDSHAKE_MS


SCENARIOS = (
    Scenario("default", stream(300, 80, 200)),
    Scenario("fast", ("jitter.spread=0",)),
    Scenario("slow chat", stream(300, 25, 200)),
    Scenario("no comma", stream(300, 80, 200), NO_COMMA),
    Scenario("short opener", stream(300, 25, 200), OPENERS),
    Scenario("Chinese", stream(300, 80, 200), CHINESE, question="请跟我说：“{}”"),
    Scenario("mainland", ("jitter.spread=0",), profile="mainland"),
    Scenario("after a pause", (*stream(300, 80, 200), *HANDSHAKE), idle_s=10.0, max_rounds=6),
    Scenario("after a barge-in", (*stream(300, 80, 200), *HANDSHAKE), interrupted=True, max_rounds=12),
)


@dataclass(frozen=True)
class ProductTurn:
    """Milliseconds after the question for each mark, and the upstream requests of the turn."""

    first_audio: float
    marks: dict[str, int]
    requests: int
    new_connections: int  # opened between the question and the first audio
    first_gap: float
    stutter: float


@dataclass
class Result:
    """The turns of one scenario."""

    name: str
    floor: list[FloorTurn] = field(default_factory=list)
    product: list[ProductTurn] = field(default_factory=list)
    load: float = 0.0

    @property
    def excess_ms(self) -> list[float]:
        pairs = zip(self.product, self.floor, strict=True)
        return [product.first_audio - floor.first_audio for product, floor in pairs]

    def of_product(self, value: Callable[[ProductTurn], float]) -> Figures:
        return figures([value(turn) for turn in self.product])


class Bench:
    """The processes of one scenario, and the common history of both sides."""

    def __init__(self, scenario: Scenario, floor: Floor, client: WireClient, upstream: Platform) -> None:
        self._scenario = scenario
        self._floor = floor
        self._client = client
        self._platform = upstream
        self._history: list[dict[str, str]] = [{"role": "system", "content": INSTRUCTIONS}]

    async def round(self, number: int, result: Result | None) -> None:
        """Run one pair of turns. Without a result, it only warms up."""
        answer = self._scenario.answers[number % len(self._scenario.answers)]
        question = self._scenario.question.format(answer)
        message = {"role": "user", "content": question}
        sides: dict[str, Any] = {}
        for side in ("floor", "product") if number % 2 else ("product", "floor"):
            if side == "floor":
                await asyncio.sleep(self._scenario.idle_s)
                sides[side] = await self._floor.turn([*self._history, message])
            else:
                sides[side] = await self._product_turn(question)
        self._history += [message, {"role": "assistant", "content": answer}]
        if result is not None:
            result.floor.append(sides["floor"])
            result.product.append(sides["product"])

    async def _product_turn(self, question: str) -> ProductTurn:
        if self._scenario.interrupted:
            await self._interrupt()
        await asyncio.sleep(self._scenario.idle_s)
        before = await self._platform.traffic()
        self._client.clear()
        asked_s = await self._client.ask(question)
        _, waterfall = await self._client.until("response.latency.done")
        after = await self._platform.traffic()
        reply = play(self._client.events)
        if reply.first_sound_s is None:
            done = next(event for _, event in self._client.events if event["type"] == "response.done")
            raise RuntimeError(f"The reply ended without audio: {done['response']['status_details']}")
        requests = after.speech_after(asked_s)
        new_speech = sum(request.waited for request in requests[:1])
        # Handshakes are slow: the time shows whether the turn waited for one
        if HANDSHAKE[-1] in self._scenario.sets:
            new_http = int(is_cold(waterfall["marks"]))
        else:
            new_http = after.http_connections - before.http_connections
        return ProductTurn(
            (reply.first_sound_s - asked_s) * 1000,
            waterfall["marks"],
            len(requests),
            new_speech + new_http,
            reply.first_gap_ms,
            reply.stutter_ms,
        )

    async def _interrupt(self) -> None:
        """Start a long answer, cancel it shortly after its first audio, and wait for a second."""
        await self._client.ask("Tell me a long story.")
        await self._client.until("response.output_audio.delta")
        await asyncio.sleep(0.3)
        await self._client.send("response.cancel")
        await self._client.until("response.latency.done")
        await asyncio.sleep(1.0)


async def measure(scenario: Scenario, rounds: int) -> Result:
    """Run one scenario in fresh processes."""
    result = Result(scenario.name)
    rounds = min(rounds, scenario.max_rounds)
    async with (
        platform(*scenario.sets, profile=scenario.profile) as upstream,
        server(upstream.url, TRANSCRIBER="none", REALTIME_INSTRUCTIONS=INSTRUCTIONS) as product,
        floor(upstream.url) as clause_floor,
        connected(product.url) as client,
    ):
        bench = Bench(scenario, clause_floor, client, upstream)
        await bench.round(0, None)
        await bench.round(1, None)
        for number in range(rounds):
            await bench.round(number, result)
        result.load = load_average()
    return result


STAGES = ("chat_first_delta", "first_chunk", "speech_first_audio")


def row(result: Result) -> list[object]:
    bare = figures([turn.first_audio for turn in result.floor])
    product = result.of_product(lambda turn: turn.first_audio)
    excess = figures(result.excess_ms)
    return [
        result.name,
        len(result.product),
        bare,
        product,
        f"{excess.p50:+.1f} / {excess.p95:+.1f}",
        f"{sum(turn.requests for turn in result.product) / len(result.product):.2f}",
        sum(turn.new_connections for turn in result.product),
        result.of_product(lambda turn: turn.first_gap),
        f"{result.load:.1f}",
    ]


HEADS = (
    "text turn",
    "rounds",
    "floor p50 / p95 ms",
    "product ms",
    "excess ms",
    "requests per turn",
    "new connections",
    "gap before chunk 2, ms",
    "machine load",
)


def stages(result: Result) -> str:
    """The medians of the product's marks and those of the floor."""
    parts = []
    for mark in STAGES:
        product = figures([turn.marks.get(mark, 0) for turn in result.product]).p50
        bare_of = {"speech_first_audio": "first_audio"}.get(mark, mark)
        bare = figures([getattr(turn, bare_of) for turn in result.floor]).p50
        parts.append(f"{mark} {product:.0f} (floor {bare:.0f})")
    sent = figures([turn.marks.get("first_audio_sent", 0) for turn in result.product]).p50
    request = figures([turn.marks.get("chat_request", 0) for turn in result.product]).p50
    return f"  {result.name}: chat_request {request:.0f}, " + ", ".join(parts) + f", sent {sent:.0f}"


def markdown(results: Sequence[Result]) -> str:
    return table(HEADS, [row(result) for result in results])


def select(names: str | None, quick: bool) -> list[Scenario]:
    """The scenarios with these names; `quick` shortens the pause."""
    selected = [s for s in SCENARIOS if names is None or s.name in names.split(",")]
    if quick:
        selected = [replace(s, idle_s=min(s.idle_s, 3.0)) for s in selected]
    return selected


async def main() -> None:
    parser = argparse.ArgumentParser(
        prog="bench.latency", description="Text turns compared with the clause floor."
    )
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--only", help="names of scenarios, separated by commas")
    parser.add_argument("--quick", action="store_true", help="3 s of pause instead of 10")
    parser.add_argument("--json", type=Path, help="also write every turn to this file")
    options = parser.parse_args()
    results = []
    for scenario in select(options.only, options.quick):
        results.append(await measure(scenario, options.rounds))
        print(stages(results[-1]), flush=True)
    print(markdown(results))
    if options.json:
        options.json.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
