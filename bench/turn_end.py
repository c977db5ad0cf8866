"""When a turn is called over: after the true end of the speaker's energy, and how often before it.

    python -m bench.turn_end [--only en_jfk,en_two_cities] [--eagerness auto]

Recorded clips go through the server's own ears (detector, endpointing, local transcriber, judge of turns), 20 ms at a
time. The sound waits for every decode, so that the numbers do not depend on this machine: the clock is the audio.
Clips that break off in the middle of a sentence are listed apart; there a longer wait is right.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench.microphone import Speech, speech_of
from bench.rig import RATE
from realtime.core import turn as turns
from realtime.core.audio import AudioFormat
from realtime.core.conversation import Conversation
from realtime.core.endpointing import EndpointRules
from realtime.listening.audio_input import AudioInput
from realtime.listening.transcription import Hearing
from realtime.listening.user_input import UserInput
from realtime.outbox import Outbox
from realtime.providers import weights
from realtime.providers.base import EndOfTurnModel, Providers
from realtime.providers.catalog import load
from realtime.session.defaults import new_session_config
from realtime.settings import Settings
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
    judged: bool = False


def manners(eagerness: str) -> tuple[Manner, ...]:
    semantic = {"type": "semantic_vad", "eagerness": eagerness}
    return (
        Manner("server_vad 500", {"type": "server_vad", "silence_duration_ms": 500}),
        Manner("semantic_vad, text only", semantic),
        Manner("semantic_vad, text and sound", semantic, judged=True),
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
        self, providers: Providers, judge: EndOfTurnModel | None, manner: Manner, language: str
    ) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self.over_ms: list[float] = []
        names = (f"item_{number}" for number in itertools.count())
        patch = {
            "audio": {"input": {"turn_detection": manner.detection, "transcription": {"language": language}}}
        }
        config = new_session_config(Settings(), providers, patch, "")
        ears = AudioInput(providers.vad, AudioFormat("audio/pcm", RATE), EndpointRules())
        self.hearing = Hearing(providers.transcriber, 30.0)
        self.user = UserInput(
            ears,
            self.hearing,
            config=config,
            outbox=Outbox(),
            conversation=Conversation(),
            new_id=lambda kind: next(names),
            spawn=self._spawn,
            notice=self._notice,
            guessed=lambda text: None,
            judge=judge,
        )

    def _spawn(self, coroutine: Any, name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _notice(self, event: turns.TurnEvent) -> None:
        match event:
            case turns.SpeechBegan(onset_ms):
                self.user.announce(onset_ms)
            case turns.SpeechEnded(at_ms):
                self.over_ms.append(at_ms)
                self.user.commit_turn(at_ms)

    async def hear(self, pcm: bytes) -> None:
        await self.user.hear(pcm)
        me = asyncio.current_task()
        while pending := [task for task in asyncio.all_tasks() if task is not me and not task.done()]:
            await asyncio.wait(pending)

    async def close(self) -> None:
        await self.user.aclose()


async def listen(providers: Providers, judge: EndOfTurnModel | None, manner: Manner, clip: Clip) -> Outcome:
    speech: Speech = speech_of(clip)
    noise = np.random.default_rng(7)
    room = noise.normal(0, 12, (BEFORE_MS + AFTER_MS) * RATE // 1000 + len(speech.samples))
    room[BEFORE_MS * RATE // 1000 :][: len(speech.samples)] += speech.samples
    pcm = np.clip(room, -32768, 32767).astype("<i2").tobytes()
    listening = Listening(providers, judge, manner, clip.language)
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
    vad, transcriber = load("vad", "silero").create(settings), load("transcriber", "local").create(settings)
    judge: EndOfTurnModel | None = (
        load("turn", "smart").create(settings) if weights.has_smart_turn() else None
    )
    providers = Providers(vad, transcriber, FakeChat(), FakeSpeech(), judge)
    print(f"{'':30} {'':20} median    p90   cut too early")
    try:
        for manner in manners(args.eagerness):
            if manner.judged and judge is None:
                print(f"{manner.name:30} not measured: {weights.INSTALL_TURN}")
                continue
            groups: dict[str, list[Outcome]] = {}
            for clip in clips:
                outcome = await listen(providers, judge if manner.judged else None, manner, clip)
                groups.setdefault(group_of(clip), []).append(outcome)
            for group, outcomes in groups.items():
                print(row(manner.name, group, outcomes), flush=True)
    finally:
        for provider in (vad, transcriber, judge):
            if provider is not None:
                await provider.aclose()


if __name__ == "__main__":
    asyncio.run(main())
