"""Spoken turns: from the true end of speech to the first audio of the answer (design 4, row 8).

    python -m bench.spoken [--rounds 12] [--only ...] [--natural] [--json FILE]

Recorded sentences are sent in real time; the local transcriber is used. `--natural`: Chinese sentences by the voice of
`realtime setup voice`, because there are three recorded ones only. Chat and speech take 300 ms each, one token at
a time, and the answer is always the same sentence.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench import natural_voice
from bench.common import Figures, WireClient, connected, figures, load_average, now_s, play, server, table
from bench.latency import CHAT_MS, HANDSHAKE, is_cold, stream
from bench.microphone import Microphone, Speech, sentences
from bench.platform import Platform, platform
from realtime.core.essence import essence

ANSWER = "That is good to hear, so let us go on."
INSTRUCTIONS = f'Answer only with the words "{ANSWER}"'
REPEATED = 90  # characters of an essence: the sandbox's talker repeats no less of English
EARLY_MS = -100.0  # a chat request this long before the end of speech used an interim text
SETS = (*stream(CHAT_MS, 80, 300), *HANDSHAKE)
SERVER_VAD = {"type": "server_vad", "silence_duration_ms": 500}
SEMANTIC_VAD = {"type": "semantic_vad"}


@dataclass(frozen=True)
class Mode:
    """The turn detection, and how much of an answer is begun early."""

    name: str
    detection: dict[str, Any]
    speculate: str
    goal_ms: float
    language: str = "en"  # "": the multilingual transcriber detects it
    speaks: str = "en"
    condition: str = "clean"


MODES = (
    Mode("server_vad 500, no speculation", SERVER_VAD, "off", 1250),
    Mode("server_vad 500, chat", SERVER_VAD, "chat", 1250),
    Mode("semantic_vad, chat", SEMANTIC_VAD, "chat", 650),
    Mode("semantic_vad, speech", SEMANTIC_VAD, "speech", 500),
    Mode("semantic_vad, chat, language not set", SEMANTIC_VAD, "chat", 650, ""),
    Mode("semantic_vad, speech, language not set", SEMANTIC_VAD, "speech", 500, ""),
    Mode("semantic_vad, speech, Chinese", SEMANTIC_VAD, "speech", 650, "zh", "zh"),
    Mode("semantic_vad, speech, babble 20 dB", SEMANTIC_VAD, "speech", 600, condition="babble 20 dB"),
    Mode("semantic_vad, speech, pink 10 dB", SEMANTIC_VAD, "speech", 600, condition="pink 10 dB"),
    Mode("semantic_vad, speech, telephone", SEMANTIC_VAD, "speech", 600, condition="telephone"),
)

NATURAL = "natural voice"
NATURAL_MODES = (
    Mode("semantic_vad, chat, Chinese, natural voice", SEMANTIC_VAD, "chat", 650, "zh", "zh", NATURAL),
    Mode("semantic_vad, speech, Chinese, natural voice", SEMANTIC_VAD, "speech", 650, "zh", "zh", NATURAL),
    Mode(
        "semantic_vad, speech, Chinese not told, natural voice",
        SEMANTIC_VAD,
        "speech",
        650,
        "",
        "zh",
        NATURAL,
    ),
)


@dataclass(frozen=True)
class SpokenTurn:
    """One turn, in ms after the true end of speech."""

    clip: str
    first_audio: float
    confirmed: float  # when `speech_stopped` was received
    marks: dict[str, int]  # after the server's own `speech_ended`
    ended: float  # the server's `speech_ended`
    requests: int  # speech requests
    chats: int  # chat requests, also discarded ones
    new_connections: int
    stutter: float
    other_words: bool  # the answer repeats other words than the transcript has


@dataclass
class Result:
    mode: Mode
    turns: list[SpokenTurn] = field(default_factory=list)
    early_ends: int = 0  # turns that the server ended inside the sentence
    lost: int = 0  # sentences that began no turn, or one that did not end
    load: float = 0.0

    @property
    def first_audio(self) -> Figures:
        return figures([turn.first_audio for turn in self.turns])

    @property
    def early(self) -> list[SpokenTurn]:
        """The turns whose interim text was complete so early that the chat request was sent before the end."""
        return [turn for turn in self.turns if turn.marks["chat_request"] + turn.ended <= EARLY_MS]


def repeats_other_words(events: Sequence[dict[str, Any]]) -> bool:
    """Whether an answer that repeats what it was asked, as the sandbox's does, was asked something else than the user
    said in the end. Of a long text it repeats the beginning."""
    ends = {
        "conversation.item.input_audio_transcription.completed": "",
        "response.output_audio_transcript.done": "",
    }
    for event in events:
        if event["type"] in ends:
            ends[event["type"]] = event["transcript"]
    said, answer = (essence(text) for text in ends.values())
    return said[:REPEATED] not in answer


async def turn(
    client: WireClient, microphone: Microphone, upstream: Platform, speech: Speech
) -> SpokenTurn | None:
    """One spoken turn; None if the server ended it before the sentence was complete. TimeoutError: it never did."""
    start_s = await microphone.say(speech)
    await client.forget()  # of the noise after the sentence before
    ended_s = start_s + speech.end_ms / 1000
    stopped_s, _ = await client.until("input_audio_buffer.speech_stopped", speech.ms / 1000 + 15)
    if stopped_s < ended_s:
        await asyncio.sleep(ended_s - now_s() + 5.0)
        return None
    _, waterfall = await client.until("response.latency.done")
    after = await upstream.traffic()
    reply = play(client.events)
    assert reply.first_sound_s is not None
    marks = waterfall["marks"]
    requests = after.speech_after(ended_s - 1.0)
    spoken = SpokenTurn(
        speech.name,
        (reply.first_sound_s - ended_s) * 1000,
        (stopped_s - ended_s) * 1000,
        marks,
        (stopped_s - ended_s) * 1000 - marks["turn_confirmed"],
        len(requests),
        sum(at_s >= start_s for at_s in after.chat_s),
        sum(request.waited for request in requests[:1]) + is_cold(marks),
        reply.stutter_ms,
        repeats_other_words([event for _, event in client.events]),
    )
    played_s = reply.first_sound_s + reply.audio_ms / 1000
    await asyncio.sleep(max(0.0, played_s - now_s()) + 0.6)
    return spoken


async def measure(mode: Mode, rounds: int, *, repeats: bool = False) -> Result:
    """Run one mode in new processes. `repeats`: the answer is what was asked."""
    result = Result(mode)
    recordings = (
        natural_voice.chinese() if mode.condition == NATURAL else sentences(mode.condition, mode.speaks)
    )
    async with (
        platform(*SETS) as upstream,
        server(
            upstream.url,
            SPECULATE=mode.speculate,
            REALTIME_INSTRUCTIONS="You are a friendly voice assistant." if repeats else INSTRUCTIONS,
            REALTIME_LANGUAGE=mode.language,
        ) as product,
        connected(product.url) as client,
    ):
        await client.configure(audio={"input": {"turn_detection": mode.detection}})
        microphone = Microphone(client.send)
        running = asyncio.create_task(microphone.run())
        try:
            await asyncio.sleep(1.0)
            await turn(client, microphone, upstream, recordings[-1])  # the first turn loads models
            for number in range(rounds):
                try:
                    one = await turn(client, microphone, upstream, recordings[number % len(recordings)])
                except TimeoutError:
                    result.lost += 1
                    continue
                if one is None:
                    result.early_ends += 1
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
    "end of speech → first audio, p50 / p95 ms",
    "goal p50",
    "→ turn confirmed",
    "transcript",
    "speech / chat requests per turn",
    "new connections",
    "cut / lost",
    "machine load",
)


def row(result: Result) -> list[object]:
    turns = result.turns
    ready = figures([one.marks.get("transcript_final", 0) + one.ended for one in turns])
    return [
        result.mode.name,
        len(turns),
        result.first_audio,
        f"≤ {result.mode.goal_ms:.0f}",
        figures([one.confirmed for one in turns]),
        ready,
        f"{sum(one.requests for one in turns) / len(turns):.2f} / {sum(one.chats for one in turns) / len(turns):.2f}",
        sum(one.new_connections for one in turns),
        f"{result.early_ends} / {result.lost}",
        f"{result.load:.1f}",
    ]


def markdown(results: Sequence[Result]) -> str:
    return table(HEADS, [row(result) for result in results])


async def main() -> None:
    parser = argparse.ArgumentParser(
        prog="bench.spoken", description="Spoken turns, end of speech to first audio."
    )
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--only", help="part of a mode's name")
    parser.add_argument(
        "--natural", action="store_true", help="Chinese by the voice of `realtime setup voice`"
    )
    parser.add_argument("--repeat", action="store_true", help="count answers to other words than were said")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = []
    for mode in NATURAL_MODES if options.natural else MODES:
        if options.only and options.only not in mode.name:
            continue
        results.append(await measure(mode, options.rounds, repeats=options.repeat))
        for one in results[-1].turns:
            times = f"{one.first_audio:6.0f} confirmed {one.confirmed:5.0f} ended {one.ended:+5.0f}"
            print(f"  {one.clip:18} {times} {one.marks}")
    print(markdown(results))
    if options.repeat:
        every = [one for result in results for one in result.turns]
        print(f"answers to other words: {sum(one.other_words for one in every)} of {len(every)}")
    if options.json:
        options.json.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
