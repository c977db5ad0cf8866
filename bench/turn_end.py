"""When the server ends a turn: how long after the true end of speech, and how often before it.

    python -m bench.turn_end [--only en_jfk,en_two_cities] [--eagerness auto]

Recorded clips go through the server's listening side (voice detection, endpointing, local transcription, end-of-turn
model), 20 ms at a time. Time is measured in audio, and the audio waits for every decode, so that the results do not
depend on this machine. Clips that end inside a sentence are listed separately: a longer wait is correct there.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench.common import RATE
from bench.microphone import Speech, speech_of
from realtime.context import Context
from realtime.core import turn as turns
from realtime.core.conversation import Conversation
from realtime.listening.user_input import UserInput
from realtime.metrics import Metrics
from realtime.outbox import Outbox
from realtime.providers import weights
from realtime.providers.base import EndOfTurnModel, Providers
from realtime.providers.catalog import find
from realtime.session.defaults import new_session_config
from realtime.settings import Settings
from realtime.tasks import Tasks
from realtime.turn_queue import TurnQueue
from tests.clips import Clip, require_clips
from tests.fakes import FakeChat, FakeSpeech

BEFORE_MS, AFTER_MS, FRAME_MS = 500, 6_000, 20
UNFINISHED = {
    "en_lj_0002",
    "en_lj_0004",
    "en_lj_0006",
    "en_libri_1995",
}  # they end with a comma or without a verb
NOISY = {
    "en_dograh_yes",
    "en_dograh_nope",
    "en_one_two_three",
}  # noise after the speech: its end is not known


@dataclass(frozen=True)
class Mode:
    """The turn detection."""

    name: str
    detection: dict[str, Any]
    acoustic: bool = False  # also use the end-of-turn model


def modes(eagerness: str) -> tuple[Mode, ...]:
    semantic = {"type": "semantic_vad", "eagerness": eagerness}
    return (
        Mode("server_vad 500", {"type": "server_vad", "silence_duration_ms": 500}),
        Mode("semantic_vad, text only", semantic),
        Mode("semantic_vad, text and sound", semantic, acoustic=True),
    )


@dataclass
class Outcome:
    """The ends of turns in one clip, in milliseconds after the true end of speech (negative: before it)."""

    clip: str
    confirmed_ms: list[float] = field(default_factory=list)

    @property
    def too_early(self) -> bool:
        """Whether the speaker continued after the server had ended the turn."""
        return len(self.confirmed_ms) > 1

    @property
    def delay_ms(self) -> float:
        return self.confirmed_ms[-1] if self.confirmed_ms and self.clip not in NOISY else float("nan")


class Listening:
    """The listening side of one session, for one clip."""

    def __init__(
        self, providers: Providers, end_of_turn: EndOfTurnModel | None, mode: Mode, language: str
    ) -> None:
        self.ended_ms: list[float] = []
        names = (f"item_{number}" for number in itertools.count())
        patch = {
            "audio": {"input": {"turn_detection": mode.detection, "transcription": {"language": language}}}
        }
        settings = dataclasses.replace(Settings(), transcribe_timeout_s=30.0)
        self.user = UserInput(
            Context(
                config=new_session_config(settings, providers, patch, ""),
                conversation=Conversation(),
                conversation_id="bench",
                outbox=Outbox(),
                turns=TurnQueue(self._notice),
                tasks=Tasks("bench"),
                providers=dataclasses.replace(providers, end_of_turn=end_of_turn),
                settings=settings,
                metrics=Metrics(),
                new_id=lambda kind: next(names),
            )
        )

    def _notice(self, event: turns.TurnEvent) -> None:
        match event:
            case turns.SpeechBegan(onset_ms, item_id):
                self._item_id = item_id
                self.user.announce(onset_ms)
            case turns.SpeechEnded(at_ms):
                self.ended_ms.append(at_ms)
                self.user.commit_turn(self._item_id, at_ms)

    async def append(self, pcm: bytes) -> None:
        await self.user.append(pcm)
        current = asyncio.current_task()
        while pending := [task for task in asyncio.all_tasks() if task is not current and not task.done()]:
            await asyncio.wait(pending)

    async def close(self) -> None:
        await self.user.aclose()


async def run_clip(
    providers: Providers, end_of_turn: EndOfTurnModel | None, mode: Mode, clip: Clip
) -> Outcome:
    speech: Speech = speech_of(clip)
    noise = np.random.default_rng(7)
    samples = noise.normal(0, 12, (BEFORE_MS + AFTER_MS) * RATE // 1000 + len(speech.samples))
    samples[BEFORE_MS * RATE // 1000 :][: len(speech.samples)] += speech.samples
    pcm = np.clip(samples, -32768, 32767).astype("<i2").tobytes()
    listening = Listening(providers, end_of_turn, mode, clip.language)
    size = RATE * FRAME_MS // 1000 * 2
    for start in range(0, len(pcm), size):
        await listening.append(pcm[start : start + size])
    await listening.close()
    return Outcome(clip.id, [ms - BEFORE_MS - speech.end_ms for ms in listening.ended_ms])


def row(mode: str, group: str, outcomes: Sequence[Outcome]) -> str:
    delays = np.array([outcome.delay_ms for outcome in outcomes])
    early = [outcome for outcome in outcomes if outcome.too_early]
    median, late = np.nanpercentile(delays, [50, 90])
    names = "".join(f"  {outcome.clip} x{len(outcome.confirmed_ms) - 1}" for outcome in early)
    return f"{mode:30} {group:20} {median:6.0f} {late:6.0f}   {len(early):2} of {len(outcomes):2}{names}"


def group_of(clip: Clip) -> str:
    if clip.language != "en":
        return "Chinese"
    return "English, unfinished" if clip.id in UNFINISHED else "English"


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="names of clips, separated by commas")
    parser.add_argument("--eagerness", default="auto", choices=["low", "medium", "high", "auto"])
    args = parser.parse_args()
    names = set(filter(None, args.only.split(",")))
    clips = [clip for clip in require_clips() if not names or clip.id in names]
    settings = Settings()
    vad, transcriber = find("vad", "silero").create(settings), find("transcriber", "local").create(settings)
    end_of_turn: EndOfTurnModel | None = (
        find("end_of_turn", "smart").create(settings) if weights.has_smart_turn() else None
    )
    providers = Providers(vad, transcriber, FakeChat(), FakeSpeech(), end_of_turn)
    print(f"{'':30} {'':20} median    p90   ended too early")
    try:
        for mode in modes(args.eagerness):
            if mode.acoustic and end_of_turn is None:
                print(f"{mode.name:30} not measured: {weights.INSTALL_TURN}")
                continue
            groups: dict[str, list[Outcome]] = {}
            for clip in clips:
                outcome = await run_clip(providers, end_of_turn if mode.acoustic else None, mode, clip)
                groups.setdefault(group_of(clip), []).append(outcome)
            for group, outcomes in groups.items():
                print(row(mode.name, group, outcomes), flush=True)
    finally:
        for provider in (vad, transcriber, end_of_turn):
            if provider is not None:
                await provider.aclose()


if __name__ == "__main__":
    asyncio.run(main())
