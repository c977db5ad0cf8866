"""Spoken turns: from the true end of the speaker's energy to the first sound of the answer (design 4, row 8).

    python -m bench.spoken [--rounds 12] [--only ...] [--json FILE]

Recorded sentences go through the microphone in real time; the local transcriber listens. Chat and speech take 300 ms
each, one token at a time, and the answer is always the same sentence.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.latency import CHAT_MS, HANDSHAKE, is_cold, stream
from bench.microphone import Microphone, Speech, sentences
from bench.platform import Platform, platform
from bench.rig import Figures, WireClient, figures, heard, load_average, now_s, server, table, wire

ANSWER = "That is good to hear, so let us go on."
INSTRUCTIONS = f'Answer only with the words "{ANSWER}"'
EARLY_MS = (
    -100.0
)  # a question asked so long before the end was asked on interim text: a pause is noticed after the end
SETS = (*stream(CHAT_MS, 80, 300), *HANDSHAKE)
SERVER_VAD = {"type": "server_vad", "silence_duration_ms": 500}
SEMANTIC_VAD = {"type": "semantic_vad"}


@dataclass(frozen=True)
class Manner:
    """How the end of a turn is found, and how much is done on a guess."""

    name: str
    detection: dict[str, Any]
    speculate: str
    goal_ms: float
    language: str = "en"  # "" lets the multilingual transcriber find out


MANNERS = (
    Manner("server_vad 500, no speculation", SERVER_VAD, "off", 1250),
    Manner("server_vad 500, chat", SERVER_VAD, "chat", 1250),
    Manner("semantic_vad, chat", SEMANTIC_VAD, "chat", 800),
    Manner("semantic_vad, speech", SEMANTIC_VAD, "speech", 760),
    Manner("semantic_vad, chat, language not told", SEMANTIC_VAD, "chat", 800, ""),
)


@dataclass(frozen=True)
class SpokenTurn:
    """One turn, in ms after the true end of the speaker's energy."""

    clip: str
    first_audio: float
    confirmed: float  # when `speech_stopped` was there
    marks: dict[str, int]  # after the server's own `speech_ended`
    ended: float  # the server's `speech_ended`, seen from the true end
    requests: int  # for speech
    chats: int  # requests for chat, used or not
    new_connections: int
    stutter: float


@dataclass
class Result:
    manner: Manner
    turns: list[SpokenTurn] = field(default_factory=list)
    broken: int = 0  # turns that were ended inside the sentence
    load: float = 0.0

    @property
    def first_audio(self) -> Figures:
        return figures([turn.first_audio for turn in self.turns])

    @property
    def asked_early(self) -> list[SpokenTurn]:
        """The turns whose words stood still before their end, so that the chat model was asked before it as well."""
        return [turn for turn in self.turns if turn.marks["chat_request"] + turn.ended <= EARLY_MS]


async def turn(
    client: WireClient, microphone: Microphone, upstream: Platform, speech: Speech
) -> SpokenTurn | None:
    """One spoken turn; None if the server answered before the sentence was over."""
    client.clear()
    began_s = await microphone.say(speech)
    ended_s = began_s + speech.end_ms / 1000
    stopped_s, _ = await client.until("input_audio_buffer.speech_stopped", speech.ms / 1000 + 15)
    if stopped_s < ended_s:
        await asyncio.sleep(ended_s - now_s() + 5.0)
        return None
    _, waterfall = await client.until("response.latency.done")
    after = await upstream.traffic()
    reply = heard(client.events)
    assert reply.first_sound_s is not None
    marks = waterfall["marks"]
    said = after.speech_after(ended_s - 1.0)
    spoken = SpokenTurn(
        speech.name,
        (reply.first_sound_s - ended_s) * 1000,
        (stopped_s - ended_s) * 1000,
        marks,
        (stopped_s - ended_s) * 1000 - marks["turn_confirmed"],
        len(said),
        sum(at_s >= began_s for at_s in after.chat_s),
        sum(piece.fresh for piece in said[:1]) + is_cold(marks),
        reply.stutter_ms,
    )
    heard_s = reply.first_sound_s + reply.audio_ms / 1000
    await asyncio.sleep(max(0.0, heard_s - now_s()) + 0.6)
    return spoken


async def measure(manner: Manner, rounds: int) -> Result:
    """Run one manner in fresh processes."""
    result = Result(manner)
    said = sentences()
    async with (
        platform(*SETS) as upstream,
        server(
            upstream.url,
            SPECULATE=manner.speculate,
            REALTIME_INSTRUCTIONS=INSTRUCTIONS,
            REALTIME_LANGUAGE=manner.language,
        ) as product,
        wire(product.url) as client,
    ):
        await client.configure(audio={"input": {"turn_detection": manner.detection}})
        microphone = Microphone(client.send)
        running = asyncio.create_task(microphone.run())
        try:
            await asyncio.sleep(1.0)
            await turn(client, microphone, upstream, said[-1])  # the first one loads what is loaded late
            for number in range(rounds):
                one = await turn(client, microphone, upstream, said[number % len(said)])
                if one is None:
                    result.broken += 1
                else:
                    result.turns.append(one)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        result.load = load_average()
    return result


HEADS = (
    "spoken turn",
    "rounds",
    "end of speech → first sound, p50 / p95 ms",
    "goal p50",
    "→ turn confirmed",
    "transcript",
    "speech / chat requests a turn",
    "new connections",
    "machine load",
)


def row(result: Result) -> list[object]:
    turns = result.turns
    ready = figures([one.marks.get("transcript_final", 0) + one.ended for one in turns])
    return [
        result.manner.name,
        len(turns),
        result.first_audio,
        f"≤ {result.manner.goal_ms:.0f}",
        figures([one.confirmed for one in turns]),
        ready,
        f"{sum(one.requests for one in turns) / len(turns):.2f} / {sum(one.chats for one in turns) / len(turns):.2f}",
        sum(one.new_connections for one in turns),
        f"{result.load:.1f}",
    ]


def markdown(results: Sequence[Result]) -> str:
    return table(HEADS, [row(result) for result in results])


async def main() -> None:
    parser = argparse.ArgumentParser(
        prog="bench.spoken", description="Spoken turns, end of speech to first sound."
    )
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--only", help="part of a manner's name")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = []
    for manner in MANNERS:
        if options.only and options.only not in manner.name:
            continue
        results.append(await measure(manner, options.rounds))
        for one in results[-1].turns:
            times = f"{one.first_audio:6.0f} confirmed {one.confirmed:5.0f} ended {one.ended:+5.0f}"
            print(f"  {one.clip:18} {times} {one.marks}")
    print(markdown(results))
    if options.json:
        options.json.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
