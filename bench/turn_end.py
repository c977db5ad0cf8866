"""When the server ends a turn: how often before the end of speech, how long after it, and never.

    python -m bench.turn_end [--only en_jfk,en_two_cities] [--eagerness auto,low] [--speculate chat] [--kept FOLDER]

Recordings under many conditions (`conditions.py`) go through the server's listening side (voice detection, endpointing,
local transcription, end-of-turn model), 20 ms at a time. The clock is the audio, and it waits for every decode, so the
results do not depend on this machine; an early answer is taken to be ready ANSWER_MS after its question. What detectors
and transcribers said is kept in a folder: another rule over the same sounds takes minutes, not hours.

A third of the recordings is never used to choose a number; its rows are marked "held out".
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.common import table
from bench.conditions import CONDITIONS, GAPS_MS, LOUD_BABBLE, Sound, hesitating, places_of, sound_of
from bench.kept import Kept, KeptDetector, KeptEndOfTurn, KeptTranscriber, digest
from bench.listened import AudioLoop, Heard, Rule, listen
from bench.other_rules import livekit, pipecat
from realtime.providers import weights
from realtime.providers.base import EndOfTurnModel, Providers
from realtime.providers.catalog import find
from realtime.settings import Settings
from tests.clips import Clip, require_clips
from tests.fakes import FakeChat, FakeSpeech

UNFINISHED = {  # they end with a comma or without a verb: a longer wait is right
    "en_lj_0002",
    "en_lj_0004",
    "en_lj_0006",
    "en_libri_1995",
}
NOISY = {  # noise after the speech: its end is not known
    "en_dograh_yes",
    "en_dograh_nope",
    "en_one_two_three",
}
HELD_OUT_EVERY = 3  # by name: the first of three
HESITATING = ("clean",)


@dataclass(frozen=True)
class Run:
    """What one rule did with one sound."""

    sound: Sound
    heard: Heard
    held_out: bool

    @property
    def cut(self) -> bool:
        return self.heard.cut(self.sound)

    @property
    def never_ends(self) -> bool:
        """Of a sound whose end is not known: whether no turn has ended at all."""
        return not self.heard.ended_ms if self.sound.name in NOISY else self.heard.never_ends(self.sound)

    @property
    def delay_ms(self) -> float:
        known = self.sound.name not in NOISY | UNFINISHED
        return self.heard.delay_ms(self.sound) if known else float("nan")


def held_out(clips: Sequence[Clip]) -> set[str]:
    """The recordings that no number was chosen by."""
    return {clip.id for clip in sorted(clips, key=lambda clip: clip.id)[::HELD_OUT_EVERY]}


def words_of(kept: Kept, clip: Clip) -> list[tuple[str, float, float]]:
    """The words of a clean recording and their times, by the transcriber's own model."""
    key = digest("words", clip.id, clip.samples.tobytes())
    if (found := kept.get(key)) is None:
        from faster_whisper import WhisperModel

        path = weights.english() if clip.language == "en" else weights.multilingual()
        model = WhisperModel(str(path), device="cpu", compute_type="int8", cpu_threads=1)
        segments, _ = model.transcribe(
            clip.samples.astype(np.float32) / 32768, language=clip.language, word_timestamps=True
        )
        found = [(word.word, word.start, word.end) for segment in segments for word in segment.words or ()]
        kept.put(key, found)
    return [(str(word), float(start), float(end)) for word, start, end in found]


def sounds_of(kept: Kept, clip: Clip, clips: Sequence[Clip], conditions: Sequence[str]) -> list[Sound]:
    """Everything that is made of this recording."""
    others = [other for other in clips if other.language == "en"]
    natural = [sound_of(clip, condition, others) for condition in conditions]
    places = [place for place in places_of(words_of(kept, clip)) if place < 11_000]
    hesitations = [
        hesitating(clip, place, gap, condition, others)
        for condition in HESITATING
        if condition in conditions
        for place in places
        for gap in GAPS_MS
    ]
    return natural + hesitations


# -- the table ----------------------------------------------------------------------------------------------------


def percent(runs: Sequence[Run]) -> str:
    if not runs:
        return "-"
    cut = sum(run.cut for run in runs)
    return f"{100 * cut / len(runs):.0f} % ({cut} of {len(runs)})"


def spread(values: Sequence[float], late: float = 90) -> str:
    known = np.array([value for value in values if not np.isnan(value)])
    if not len(known):
        return "-"
    median, high = np.percentile(known, [50, late])
    return f"{median:.0f} ({high:.0f})"


HEADS = (
    "rule",
    "recordings",
    "natural: cut",
    "delay p50 (p90) ms",
    "hesitations: cut",
    *(f"{gap / 1000} s" for gap in GAPS_MS),
    f"{LOUD_BABBLE}: never ends / starts again",
    "first sound p50 (p95) ms",
    "questions a turn, p50 (p90)",
    "speech requests in vain a turn",
)


def row(rule: Rule, group: str, runs: Sequence[Run]) -> list[object]:
    natural = [run for run in runs if not run.sound.hesitation and run.sound.condition != LOUD_BABBLE]
    hesitations = [run for run in runs if run.sound.hesitation]
    babble = [run for run in runs if not run.sound.hesitation and run.sound.condition == LOUD_BABBLE]
    never = sum(run.never_ends for run in babble)
    again = sum(run.heard.begins_after(run.sound) for run in babble)
    timed = [run for run in natural if run.sound.name not in NOISY | UNFINISHED and not run.cut]
    return [
        rule.name,
        group,
        percent([run for run in natural if run.sound.name not in NOISY]),
        spread([run.delay_ms for run in natural]),
        percent(hesitations),
        *(percent([run for run in hesitations if run.sound.name.endswith(f"+{gap}")]) for gap in GAPS_MS),
        f"{never} / {again} of {len(babble)}" if babble else "-",
        spread([run.heard.first_sound_ms(run.sound) for run in timed], 95),
        spread([float(run.heard.questions) for run in natural]),
        f"{np.mean([run.heard.in_vain for run in natural]):.2f}" if natural else "-",
    ]


def group_of(run: Run) -> str:
    language = "Chinese" if run.sound.language != "en" else "English"
    return f"{language}, held out" if run.held_out else language


def tables(runs: dict[Rule, list[Run]], *, by_condition: bool) -> str:
    rows = []
    for rule, of_rule in runs.items():
        rows.append(row(rule, "all", of_rule))
        groups = [group_of(run) for run in of_rule]
        for group in sorted(set(groups)):
            rows.append(row(rule, group, [run for run in of_rule if group_of(run) == group]))
        if by_condition:
            for condition in CONDITIONS:
                chosen = [run for run in of_rule if run.sound.condition == condition]
                if chosen:
                    rows.append(row(rule, condition, chosen))
    return table(HEADS, rows)


def rules(eagernesses: Sequence[str], end_of_turn: EndOfTurnModel | None, speculate: str) -> list[Rule]:
    silence = {"type": "server_vad", "silence_duration_ms": 500}
    chosen = [Rule("server_vad 500", silence, speculate=speculate)]
    for eagerness in eagernesses:
        detection: dict[str, Any] = {"type": "semantic_vad", "eagerness": eagerness}
        chosen.append(Rule(f"{eagerness}, text only", detection, speculate=speculate))
        if end_of_turn is not None:
            chosen.append(Rule(f"{eagerness}, text and sound", detection, acoustic=True, speculate=speculate))
    return chosen


async def main(args: argparse.Namespace) -> None:
    settings = Settings.from_env()
    weights.use_cache(settings.cache_dir)
    every = require_clips()
    clips = [clip for clip in every if not args.only or clip.id in args.only.split(",")]
    kept = Kept(args.kept / "turn_end.sqlite")
    detector, transcriber = (
        find("vad", "silero").create(settings),
        find("transcriber", "local").create(settings),
    )
    end_of_turn = find("end_of_turn", "smart").create(settings) if weights.has_smart_turn() else None
    model = KeptEndOfTurn(kept, end_of_turn) if end_of_turn else None
    providers = Providers(
        KeptDetector(kept, detector), KeptTranscriber(kept, transcriber), FakeChat(), FakeSpeech(), model
    )
    if model is None:
        print(f"not measured: what needs the end-of-turn model ({weights.INSTALL_TURN})")
    apart = held_out(every)
    conditions = [name for name in CONDITIONS if not args.conditions or name in args.conditions.split(",")]
    chosen = [
        rule for rule in rules(args.eagerness.split(","), model, args.speculate) if args.rule in rule.name
    ]
    runs: dict[Rule, list[Run]] = {rule: [] for rule in chosen}
    others = {PIPECAT: pipecat, LIVEKIT: livekit} if model is not None else {LIVEKIT: livekit}
    others = {rule: hear for rule, hear in others.items() if args.rule in rule.name}
    runs |= {rule: [] for rule in others}
    try:
        for clip in clips:
            for sound in sounds_of(kept, clip, every, conditions):
                for rule in chosen:
                    runs[rule].append(Run(sound, await listen(providers, rule, sound), clip.id in apart))
                for rule, hear in others.items():
                    runs[rule].append(Run(sound, await hear(providers, sound), clip.id in apart))
            print(f"  {clip.id}", flush=True)
        print(tables(runs, by_condition=args.by_condition))
    finally:
        kept.close()
        for provider in (detector, transcriber, end_of_turn):
            if provider is not None:
                await provider.aclose()


PIPECAT = Rule("Pipecat's default: smart-turn after 0.2 s, else 3 s", {})
LIVEKIT = Rule("LiveKit's default: silence of 0.55 s", {})


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.turn_end", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="names of recordings, separated by commas")
    parser.add_argument("--conditions", default="", help="names of conditions, separated by commas")
    parser.add_argument("--eagerness", default="auto", help="some of low, medium, high and auto")
    parser.add_argument(
        "--speculate",
        default="speech",
        choices=("chat", "speech"),
        help="what is begun before the turn is over",
    )
    parser.add_argument("--rule", default="", help="part of a rule's name")
    parser.add_argument("--by-condition", action="store_true", help="a row for each condition as well")
    folder = Path(tempfile.gettempdir()) / "realtime-bench"
    parser.add_argument("--kept", type=Path, default=folder, help="where decodes are kept")
    return parser.parse_args()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=AudioLoop) as runner:
        runner.run(main(arguments()))
