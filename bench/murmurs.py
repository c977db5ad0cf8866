"""What the local transcriber makes of murmurs, and whether they would stop an answer (docs/turn-taking.md).

    python -m bench.murmurs [--only zh] [--told] [--one-in 10]

The natural voice (`realtime setup voice`) says murmurs, commands and other short texts in all its voices, after an
answer in the same language. Each is read as at a pause, by the careful decode, and as in the middle of speech, by
interim decodes of its beginnings. Two things of the server are left out: it also decodes carefully where a voice only
fades, and sound from 0.8 s on stops an answer by its length, if it is not known to be a murmur. Needs the
`sandbox-voice`, `local` and `zh` extras, and two cores: with one, another model reads English if no language is told.
Nothing else should run. No server.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench import natural_voice
from bench.common import table
from realtime.core.conversation import Message, OutputSpeech
from realtime.core.interruption import has_words
from realtime.errors import ConfigError
from realtime.listening.certainty import is_guess, is_sure
from realtime.listening.transcription import Transcription
from realtime.providers import weights
from realtime.providers.base import VAD_RATE, Samples, Transcriber, Transcript
from realtime.providers.whisper.transcriber import LocalTranscriber
from realtime.sandbox.natural.speaker import CHINESE_VOICES, ENGLISH_VOICES, sounding
from realtime.settings import Settings
from tests.contexts import Bench

ENGLISH = {
    "murmur": "Mm-hmm.|Uh-huh.|Yeah.|Okay.|Right.|I see.|Got it.|Really?|Sure.|Makes sense.|Interesting.|Yep.|Oh.|"
    "Ah.|Wow.|Hmm.|Cool.|Great.|Exactly.|True.|Oh really?|All right.|Of course.|I know.",
    "command": "Stop.|Wait.|No.|Hold on.|What?|Why?|Never mind.|But why?|Who?|When?|Where?|How?|Enough.|Sorry?|"
    "Pause.|Skip.|Quiet.|Louder.|Go back.|Next.|Come on.|Hey.",
    "other": "Tuesday.|Rice.|Light.|A key.|Tea.|Turn left.|Five.|Help me.|Say again.|Not now.|"
    "In Rome.|Tell me more.|Too fast.|At home.|Yeah but.|I did.|Slow down.|Blue.|Seven.|The red one.|How far?|"
    "No way.|Play it.|Bye.|Water.|Pizza.|Home.",
    "sentence": "It was my report from the north.|I would like to ask you something else.|Tell me about the weather in "
    "Rome.|Where did you put my book yesterday?|Please turn off the light in the kitchen.|That is too expensive.",
}
CHINESE = {
    "murmur": "嗯。|对。|对对对。|明白。|真的吗？|好的。|是的。|原来如此。|哦。|好。|行。|没错。|好吧。|知道了。|"
    "有意思。|厉害。",
    "command": "停。|等一下。|不对。|为什么？|什么？|不。|谁？|别说了。|不要。|等等。|哪里？|怎么？|"
    "大声点。|慢点。|下一个。|换一个。|再说一遍。",
    "other": "名牌。|水。|天气。|说。|推。|红色。|北京。|三。|米饭。|你好。|电脑。|去哪。|"
    "灯。|苹果。|左边。|飘。|太快了。|我不想。",
    "sentence": "明天上海的天气怎么样？|请给我讲一个关于小狗的故事。|请把客厅的灯打开。|我昨天买的书还没有到。|"
    "我想听周杰伦的歌。|我不同意你的说法。|可是我昨天不在家。|这个太贵了，有没有便宜一点的？",
}
TALKED = {"en": "Once there was a small dog.", "zh": "很久以前，有一只小狗。"}
VOICES = {"en": ENGLISH_VOICES, "zh": CHINESE_VOICES}
SPEEDS = (1.0, 0.88, 1.12)
BEGINNINGS_MS = (256, 384, 512, 640)  # of the voice: when interim decodes are begun
BEFORE_MS, AFTER_MS = 400, 200  # of quiet that a decode gets with the voice
LONGEST_S = 30.0  # for a decode
A_MS = VAD_RATE // 1000  # samples


@dataclass(frozen=True)
class Text:
    kind: str
    text: str
    voice: str
    speed: float


@dataclass(frozen=True)
class Said:
    text: Text
    voice: Samples  # without the silence around it

    @property
    def voice_ms(self) -> float:
        return len(self.voice) / A_MS


@dataclass(frozen=True)
class Outcome:
    """What stops the answer: the text of the pause, an interim text after so much of the voice, either or both."""

    careful: bool
    interim_ms: int | None

    @property
    def stopped(self) -> bool:
        return self.careful or self.interim_ms is not None


def texts(language: str, one_in: int) -> list[Text]:
    """Each text in each voice, at one of three speeds in turn; or a sample of these, always the same one."""
    names = [name for group in VOICES[language].values() for name in group]
    said = [
        (kind, text)
        for kind, line in (ENGLISH if language == "en" else CHINESE).items()
        for text in line.split("|")
    ]
    every = [
        Text(kind, text, name, SPEEDS[(number + index) % len(SPEEDS)])
        for (number, (kind, text)), (index, name) in itertools.product(enumerate(said), enumerate(names))
    ]
    chosen = set(random.Random(1).sample(every, len(every) // one_in))
    return [text for text in every if text in chosen]


def say(text: Text, language: str) -> Said:
    samples = natural_voice.say_in(text.voice, text.text, language, text.speed).samples
    begin, end = sounding(samples)
    return Said(text, samples[begin:end])


class Watched(Transcriber):
    """A transcriber whose failures are not taken for silence, nor its slow second readings for an opinion."""

    interim = True

    def __init__(self, transcriber: Transcriber) -> None:
        self.name = transcriber.name
        self._transcriber = transcriber
        self.failed: Exception | None = None
        self.missed = 0

    async def transcribe(self, samples: Samples, *, language: str | None, final: bool) -> Transcript:
        try:
            return await self._transcriber.transcribe(samples, language=language, final=final)
        except asyncio.CancelledError:
            self.missed += 1  # of a second reading: for the first one nobody waits so long as it may take
            raise
        except Exception as error:
            self.failed = error
            raise

    async def murmur(self, samples: Samples, transcript: Transcript) -> str | None:
        try:
            return await self._transcriber.murmur(samples, transcript)
        except asyncio.CancelledError:
            self.missed += 1
            raise
        except Exception as error:
            self.failed = error
            raise


class Reader:
    """Reads as the server does over an answer, for a speaker of whom it knows nothing yet."""

    def __init__(self, transcriber: Watched, language: str, *, told: bool) -> None:
        self._transcriber = transcriber
        self._talked = TALKED[language]
        config = {"input": {"transcription": {"language": language}}}
        self._session: dict[str, Any] = {"audio": config} if told else {}

    async def outcome(self, one: Said) -> Outcome:
        return Outcome(await self._careful(one), await self._interim(one))

    async def _careful(self, one: Said) -> bool:
        read = await self._read(_with_quiet(one.voice, AFTER_MS), final=True)
        text = read.murmur or read.text
        return has_words(text, one.voice_ms, whole=True, sure=is_sure(read), before_answer=False)

    async def _interim(self, one: Said) -> int | None:
        for ms in BEGINNINGS_MS:
            if ms > one.voice_ms:
                return None
            read = await self._read(_with_quiet(one.voice[: ms * A_MS], 0), final=False)
            sure, guess = is_sure(read), is_guess(read)
            if has_words(read.text, ms, whole=False, sure=sure, guess=guess, before_answer=False):
                return ms
        return None

    async def _read(self, samples: Samples, *, final: bool) -> Transcript:
        # the server would take a text that does not come for silence: it must not give up before we do
        settings = Settings(transcribe_timeout_s=2 * LONGEST_S)
        context = Bench(transcriber=self._transcriber, settings=settings, **self._session).context
        context.conversation.add(Message("answer", "assistant", (OutputSpeech(self._talked),)))
        decodes, told = Transcription(context), asyncio.Future[Transcript]()
        try:
            if final:
                decodes.read(samples, 0.0, told.set_result)
            else:
                decodes.interim(samples, told.set_result)
            async with asyncio.timeout(LONGEST_S):
                read = await told
        except TimeoutError as error:
            raise RuntimeError("The transcriber told no text.") from (self._transcriber.failed or error)
        finally:
            await decodes.aclose()
        if self._transcriber.failed is not None:
            raise self._transcriber.failed
        return read


def _with_quiet(voice: Samples, after_ms: int) -> Samples:
    """The quiet of a room around it."""
    noise = np.random.default_rng(1)
    before, after = (noise.normal(0, 6, ms * A_MS).astype(np.int16) for ms in (BEFORE_MS, after_ms))
    return np.concatenate([before, voice, after])


async def measure(languages: list[str], *, told: bool, one_in: int) -> str:
    rows = []
    transcriber = LocalTranscriber()
    watched = Watched(transcriber)
    await transcriber.prewarm()
    try:
        for language in languages:
            reader, kinds = Reader(watched, language, told=told), dict[str, list[Outcome]]()
            for text in texts(language, one_in):
                outcome = await reader.outcome(say(text, language))
                kinds.setdefault(text.kind, []).append(outcome)
            for kind, outcomes in kinds.items():
                after = [sum(one.interim_ms == begun for one in outcomes) for begun in BEGINNINGS_MS]
                careful, stopped = sum(one.careful for one in outcomes), sum(one.stopped for one in outcomes)
                row = (f"{kind}, {language}", len(outcomes), stopped, careful, " / ".join(map(str, after)))
                rows.append(row)
                print(f"  {row}", flush=True)
    finally:
        await transcriber.aclose()
    heads = (
        "what is said",
        "in all",
        "stop the answer",
        "by the careful text",
        "by an interim text, after 256 / 384 / 512 / 640 ms",
    )
    if watched.missed:
        print(f"  {watched.missed} second readings took too long: is another program busy?")
    return table(heads, rows)


async def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.murmurs", description="Read murmurs and other short words.")
    parser.add_argument("--only", default="", choices=("", *VOICES), help="one language")
    parser.add_argument("--told", action="store_true", help="tell the transcriber the language")
    parser.add_argument("--one-in", type=int, default=1, metavar="N", help="only one in N of them")
    options = parser.parse_args()
    if options.one_in < 1:
        parser.error("--one-in: at least 1")
    languages = [options.only] if options.only else list(VOICES)
    if not all(texts(language, options.one_in) for language in languages):
        parser.error("--one-in: leaves no text to say")
    try:
        weights.use_cache(Settings.from_env().cache_dir)
        natural_voice.load()
        if not (weights.has_english() and weights.has_multilingual()):
            raise ConfigError(
                f"Both models of the local transcriber are needed: {weights.INSTALL_MULTILINGUAL}"
            )
        print(await measure(languages, told=options.told, one_in=options.one_in))
    except ConfigError as error:
        parser.exit(2, f"{error}\n")


if __name__ == "__main__":
    asyncio.run(main())
