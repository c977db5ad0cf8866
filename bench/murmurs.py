"""What the local transcriber makes of murmurs, and whether they would stop an answer (docs/turn-taking.md).

    python -m bench.murmurs [--only zh] [--every 1]

The natural voice (`realtime setup voice`) says murmurs, commands and other short texts in all its voices, after an
answer in the same language; no language is told. Each is read as at a pause, by the careful decode, and as in the
middle of speech, by interim decodes of its beginnings. Needs the `sandbox-voice` and `local` extras. No server, no
clock: the numbers do not depend on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench import natural_voice
from bench.common import table
from realtime.core.interruption import has_words
from realtime.listening.certainty import is_guess, is_sure
from realtime.listening.second_opinion import in_likelier_language, with_murmur
from realtime.listening.spoken_language import is_short
from realtime.providers.base import Samples, Transcriber, Transcript
from realtime.providers.whisper.transcriber import LocalTranscriber
from realtime.sandbox.natural.speaker import CHINESE_VOICES, ENGLISH_VOICES

ENGLISH = {
    "murmur": "Mm-hmm.|Uh-huh.|Yeah.|Okay.|Right.|I see.|Got it.|Really?|Sure.|Makes sense.|Interesting.|Yep.|Oh.|"
    "Ah.|Wow.|Hmm.|Cool.|Great.|Exactly.|True.|Oh really?|All right.|Of course.|I know.",
    "command": "Stop.|Wait.|No.|Hold on.|What?|Why?|Never mind.|But why?|Who?|When?|Where?|How?|Enough.|Sorry?|"
    "Pause.|Skip.|Quiet.",
    "other": "Tuesday.|Rice.|Light.|A key.|Tea.|Louder.|Turn left.|Go back.|Next.|Five.|Help me.|Say again.|Not now.|"
    "In Rome.|Tell me more.|Too fast.|At home.|Yeah but.|I did.|Slow down.|Blue.|Seven.|The red one.|How far?|"
    "No way.|Play it.|Come on.|Hey.|Bye.|Water.|Pizza.|Home.",
    "sentence": "It was my report from the north.|I would like to ask you something else.|Tell me about the weather in "
    "Rome.|Where did you put my book yesterday?|Please turn off the light in the kitchen.|That is too expensive.",
}
CHINESE = {
    "murmur": "嗯。|对。|对对对。|明白。|真的吗？|好的。|是的。|原来如此。|哦。|好。|行。|没错。|好吧。|知道了。|"
    "有意思。|厉害。",
    "command": "停。|等一下。|不对。|为什么？|什么？|不。|谁？|别说了。|不要。|等等。|哪里？|怎么？",
    "other": "名牌。|水。|天气。|说。|推。|红色。|大声点。|慢点。|下一个。|北京。|三。|米饭。|你好。|电脑。|去哪。|"
    "换一个。|灯。|苹果。|左边。|飘。|太快了。|再说一遍。|我不想。",
    "sentence": "明天上海的天气怎么样？|请给我讲一个关于小狗的故事。|请把客厅的灯打开。|我昨天买的书还没有到。|"
    "我想听周杰伦的歌。|我不同意你的说法。|可是我昨天不在家。|这个太贵了，有没有便宜一点的？",
}
TALKED = {"en": "Once there was a small dog.", "zh": "很久以前，有一只小狗。"}
VOICES = {"en": ENGLISH_VOICES, "zh": CHINESE_VOICES}
SPEEDS = (1.0, 0.88, 1.12)
BEGINNINGS_MS = (256, 384, 512, 640)  # of the voice: when interim decodes are begun
BEFORE_MS, AFTER_MS = 400, 200  # of quiet that a decode gets with the voice
A_MS = 16  # samples
AUDIBLE = 200  # of 32767


@dataclass(frozen=True)
class Said:
    kind: str
    text: str
    voice: Samples

    @property
    def voice_ms(self) -> float:
        return len(self.voice) / A_MS


def said(language: str, every: int) -> Iterator[Said]:
    """Each text in each voice, at three speeds in turn."""
    names = [name for group in VOICES[language].values() for name in group]
    number = 0
    for kind, line in (ENGLISH if language == "en" else CHINESE).items():
        for text in line.split("|"):
            for index, name in enumerate(names):
                number += 1
                if number % every == 0:
                    speed = SPEEDS[(index + len(text)) % len(SPEEDS)]
                    clip = natural_voice.say_in(name, text, language, speed)
                    yield Said(kind, text, _heard(clip.samples))


class Reader:
    """Reads as the server does over an answer, for a speaker of whom it knows nothing yet."""

    def __init__(self, transcriber: Transcriber, language: str) -> None:
        self._transcriber = transcriber
        self._talked = TALKED[language]

    async def careful(self, one: Said) -> bool:
        """Whether the text of the pause stops the answer."""
        samples = _with_quiet(one.voice, AFTER_MS)
        read = await self._read(samples, final=True)
        if is_short(samples):
            read = await with_murmur(self._transcriber, samples, read)
        text = read.murmur or read.text
        return has_words(text, one.voice_ms, whole=True, sure=is_sure(read), before_answer=False)

    async def interim(self, one: Said) -> int | None:
        """After how much of the voice an interim text stops the answer, in ms; None: none does."""
        for ms in BEGINNINGS_MS:
            if ms > one.voice_ms:
                return None
            read = await self._read(_with_quiet(one.voice[: ms * A_MS], 0), final=False)
            sure, guess = is_sure(read), is_guess(read)
            if has_words(read.text, ms, whole=False, sure=sure, guess=guess, before_answer=False):
                return ms
        return None

    async def _read(self, samples: Samples, *, final: bool) -> Transcript:
        read = await self._transcriber.transcribe(samples, language=None, final=final)
        if not is_short(samples):
            return read
        return await in_likelier_language(
            self._transcriber, samples, read, spoken=(), talked=self._talked, final=final
        )


def _heard(samples: Samples) -> Samples:
    """From the first to the last sample that is heard."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > AUDIBLE)
    return samples[loud[0] : loud[-1] + 1]


def _with_quiet(voice: Samples, after_ms: int) -> Samples:
    """The quiet of a room around it."""
    random = np.random.default_rng(1)
    before, after = (random.normal(0, 6, ms * A_MS).astype(np.int16) for ms in (BEFORE_MS, after_ms))
    return np.concatenate([before, voice, after])


async def measure(languages: list[str], every: int) -> str:
    rows = []
    transcriber = LocalTranscriber()
    await transcriber.prewarm()
    try:
        for language in languages:
            reader, kinds = Reader(transcriber, language), dict[str, list[tuple[bool, int | None]]]()
            for one in said(language, every):
                kinds.setdefault(one.kind, []).append((await reader.careful(one), await reader.interim(one)))
            for kind, outcomes in kinds.items():
                after = [sum(ms == begun for _, ms in outcomes) for begun in BEGINNINGS_MS]
                stopped = sum(careful for careful, _ in outcomes)
                rows.append((f"{kind}, {language}", len(outcomes), stopped, " / ".join(map(str, after))))
                print(f"  {rows[-1]}", flush=True)
    finally:
        await transcriber.aclose()
    heads = (
        "what is said",
        "in all",
        "stopped by its careful text",
        "by an interim text, 256 / 384 / 512 / 640 ms",
    )
    return table(heads, rows)


async def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.murmurs", description="Read murmurs and other short words.")
    parser.add_argument("--only", default="", choices=("", *VOICES), help="one language")
    parser.add_argument("--every", type=int, default=1, help="only each so manieth of them")
    options = parser.parse_args()
    print(await measure([options.only] if options.only else list(VOICES), options.every))


if __name__ == "__main__":
    asyncio.run(main())
