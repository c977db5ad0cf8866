"""When a turn is called over: after the true end of the speaker's energy, and how often before it.

    python -m bench.turn_end [--only en_jfk,en_two_cities] [--eagerness auto]

Recorded clips go through the server's own listening side (detector, endpointing, local transcriber, end-of-turn model),
20 ms at a time. The sound waits for every decode, so that the numbers do not depend on this machine: the clock is the
audio.
Clips that break off in the middle of a sentence are listed apart; there a longer wait is right.
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

from bench.microphone import Speech, speech_of
from bench.rig import RATE
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
UNFINISHED = {"en_lj_0002", "en_lj_0004", "en_lj_0006", "en_libri_1995"}  # a comma, or no verb, at the end
NOISY = {
    "en_dograh_yes",
    "en_dograh_nope",
    "en_one_two_three",
}  # noise outlasts the voice: no end to measure from


@dataclass(frozen=True)
class Manner:
    """How the end of a turn is found."""

    name: str
    detection: dict[str, Any]
    modeld: bool = False


def manners(eagerness: str) -> tuple[Manner, ...]:
    semantic = {"type": "semantic_vad", "eagerness": eagerness}
    return (
        Manner("server_vad 500", {"type": "server_vad", "silence_duration_ms": 500}),
        Manner("semantic_vad, text only", semantic),
        Manner("semantic_vad, text and sound", semantic, modeld=True),
    )


@dataclass
class Outcome:
    """What became of one clip; milliseconds after the true end of its energy, negative before it."""

    clip: str
    confirmed_ms: list[float] = field(default_factory=list)

    @property
    def cut(self) -> bool:
        """The speaker went on after a turn had been called over."""
        return len(self.confirmed_ms) > 1

    @property
    def delay_ms(self) -> float:
        return self.confirmed_ms[-1] if self.confirmed_ms and self.clip not in NOISY else float("nan")


class Listening:
    """One clip through the ears of one session."""

    def __init__(
        self, providers: Providers, model: EndOfTurnModel | None, manner: Manner, language: str
    ) -> None:
        self.over_ms: list[float] = []
        names = (f"item_{number}" for number in itertools.count())
        patch = {
            "audio": {"input": {"turn_detection": manner.detection, "transcription": {"language": language}}}
        }
        settings = dataclasses.replace(Settings(), transcribe_timeout_s=30.0)
        self._tasks = Tasks("bench")
        self.user = UserInput(
            Context(
                config=new_session_config(settings, providers, patch, ""),
                conversation=Conversation(),
                conversation_id="bench",
                outbox=Outbox(),
                turns=TurnQueue(self._notice),
                tasks=self._tasks,
                providers=dataclasses.replace(providers, end_of_turn=model),
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
                self.over_ms.append(at_ms)
                self.user.commit_turn(self._item_id, at_ms)

    async def hear(self, pcm: bytes) -> None:
        await self.user.append(pcm)
        me = asyncio.current_task()
        while pending := [task for task in asyncio.all_tasks() if task is not me and not task.done()]:
            await asyncio.wait(pending)

    async def close(self) -> None:
        await self.user.aclose()


async def listen(providers: Providers, model: EndOfTurnModel | None, manner: Manner, clip: Clip) -> Outcome:
    speech: Speech = speech_of(clip)
    noise = np.random.default_rng(7)
    room = noise.normal(0, 12, (BEFORE_MS + AFTER_MS) * RATE // 1000 + len(speech.samples))
    room[BEFORE_MS * RATE // 1000 :][: len(speech.samples)] += speech.samples
    pcm = np.clip(room, -32768, 32767).astype("<i2").tobytes()
    listening = Listening(providers, model, manner, clip.language)
    size = RATE * FRAME_MS // 1000 * 2
    for start in range(0, len(pcm), size):
        await listening.hear(pcm[start : start + size])
    await listening.close()
    return Outcome(clip.id, [ms - BEFORE_MS - speech.end_ms for ms in listening.over_ms])


def row(manner: str, group: str, outcomes: Sequence[Outcome]) -> str:
    delays = np.array([outcome.delay_ms for outcome in outcomes])
    cut = [outcome for outcome in outcomes if outcome.cut]
    median, late = np.nanpercentile(delays, [50, 90])
    names = "".join(
        f"  {outcome.clip} x{len(outcome.confirmed_ms) - 1}" for outcome in outcomes if outcome.cut
    )
    return f"{manner:30} {group:20} {median:6.0f} {late:6.0f}   {len(cut):2} of {len(outcomes):2}{names}"


def group_of(clip: Clip) -> str:
    if clip.language != "en":
        return "Chinese"
    return "English, unfinished" if clip.id in UNFINISHED else "English"


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="clips, by name, with commas")
    parser.add_argument("--eagerness", default="auto", choices=["low", "medium", "high", "auto"])
    args = parser.parse_args()
    wanted = set(filter(None, args.only.split(",")))
    clips = [clip for clip in require_clips() if not wanted or clip.id in wanted]
    settings = Settings()
    vad, transcriber = find("vad", "silero").create(settings), find("transcriber", "local").create(settings)
    model: EndOfTurnModel | None = (
        find("end_of_turn", "smart").create(settings) if weights.has_smart_turn() else None
    )
    providers = Providers(vad, transcriber, FakeChat(), FakeSpeech(), model)
    print(f"{'':30} {'':20} median    p90   cut too early")
    try:
        for manner in manners(args.eagerness):
            if manner.modeld and model is None:
                print(f"{manner.name:30} not measured: {weights.INSTALL_TURN}")
                continue
            groups: dict[str, list[Outcome]] = {}
            for clip in clips:
                outcome = await listen(providers, model if manner.modeld else None, manner, clip)
                groups.setdefault(group_of(clip), []).append(outcome)
            for group, outcomes in groups.items():
                print(row(manner.name, group, outcomes), flush=True)
    finally:
        for provider in (vad, transcriber, model):
            if provider is not None:
                await provider.aclose()


if __name__ == "__main__":
    asyncio.run(main())
