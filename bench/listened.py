"""One sound through the listening side of one session, on the clock of the audio; and what came of it.

The chat model and the voice are taken to need ANSWER_MS from the question to the first sound of an early answer, as in
`spoken.py` (300 ms each, and the first clause). A decode takes no time of the audio, so its usual time is added.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import math
from dataclasses import dataclass, field
from typing import Any

import soxr

from bench.common import RATE
from bench.conditions import Sound
from realtime.context import Context
from realtime.core import turn as turns
from realtime.core.conversation import Conversation
from realtime.core.essence import essence
from realtime.core.turn_end import MOST_QUESTIONS, EarlyAnswer
from realtime.listening.user_input import UserInput
from realtime.metrics import Metrics
from realtime.outbox import Outbox
from realtime.providers.base import VAD_RATE, Providers
from realtime.replying.speculation import MOST_SPEECH_IN_VAIN
from realtime.session.defaults import new_session_config
from realtime.settings import Settings
from realtime.tasks import Tasks
from realtime.turn_queue import TurnQueue

FRAME_MS = 20
CALLBACKS = 3  # one calls another
# Before the end of speech: the last sound of a word may be below the level that counts as its end
EARLY_MS = 150.0
DECODE_MS = {"en": 60.0}  # on an idle core, where the language is known
DECODE_OTHERS_MS = 150.0
CHAT_MS, CLAUSE_MS, SPEECH_MS = 300.0, 70.0, 300.0
CLAUSE_AFTER_MS = CHAT_MS + CLAUSE_MS
ANSWER_MS = CLAUSE_AFTER_MS + SPEECH_MS  # without any wait for the voice
SETTLED_MS = 400.0  # after the end of the turn, there is nothing more to learn from a sound without babble


class AudioLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is that of the audio: it moves with the frames, and shorter timers ring at once."""

    audio_s = 0.0

    def time(self) -> float:
        return self.audio_s

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> Any:
        if when - self.audio_s < FRAME_MS / 1000:
            return self.call_soon(callback, *args, context=context)
        return super().call_at(when, callback, *args, context=context)


@dataclass(frozen=True)
class Rule:
    """The turn detection under test."""

    name: str
    detection: dict[str, Any] = field(hash=False)
    acoustic: bool = False  # also use the end-of-turn model
    speculate: str = "speech"  # or "chat": the voice begins when the turn is likely over


@dataclass
class Heard:
    """What the listening side made of one sound. Positions in ms of the audio."""

    began_ms: list[float] = field(default_factory=list)
    ended_ms: list[float] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)  # of the turns; empty where no words were heard
    sounds_ms: list[float] = field(default_factory=list)  # of the answer to each turn; nan: it had no words
    questions: int = 0
    spoken: int = 0  # early answers that reached the voice

    def cut(self, sound: Sound) -> bool:
        """Whether a turn was ended while the speaker had more to say."""
        if sound.hesitation is None:
            return any(ms < sound.end_ms - EARLY_MS for ms in self.ended_ms)
        from_ms, to_ms = sound.hesitation
        return any(from_ms - EARLY_MS <= ms < to_ms for ms in self.ended_ms)

    def delay_ms(self, sound: Sound) -> float:
        late = [ms for ms in self.ended_ms if ms >= sound.end_ms - EARLY_MS]
        return late[0] - sound.end_ms if late else float("nan")

    def first_sound_ms(self, sound: Sound) -> float:
        """From the end of speech to the first sound of the answer, by calculation."""
        late = [
            first
            for end, first in zip(self.ended_ms, self.sounds_ms, strict=False)
            if end >= sound.end_ms - EARLY_MS
        ]
        return late[0] - sound.end_ms if late else float("nan")

    def never_ends(self, sound: Sound) -> bool:
        return not any(ms >= sound.end_ms - EARLY_MS for ms in self.ended_ms)

    def begins_after(self, sound: Sound) -> bool:
        """Whether the background alone began a turn."""
        return any(ms > sound.end_ms for ms in self.began_ms)

    @property
    def in_vain(self) -> int:
        """Early answers that reached the voice for nothing."""
        return self.spoken - sum(not math.isnan(ms) for ms in self.sounds_ms)


class Listening:
    """The listening side of one session, for one sound, and an early answer in the making."""

    def __init__(self, providers: Providers, rule: Rule, language: str) -> None:
        self.heard = Heard()
        self._position_ms = 0.0
        self._asked: str | None = None  # what the question in the making is about ...
        self._asked_ms = 0.0  # ... and when it was asked
        self._may_speak_ms: float | None = None  # from when on the voice may begin with the answer
        self._asked_in_turn = self._in_vain_in_turn = 0
        self._told = False  # the listening side knows that the answer is ready
        self._speculate = rule.speculate
        self._decode_ms = DECODE_MS.get(language, DECODE_OTHERS_MS)
        names = (f"item_{number}" for number in itertools.count())
        patch = {
            "audio": {"input": {"turn_detection": rule.detection, "transcription": {"language": language}}}
        }
        end_of_turn = providers.end_of_turn if rule.acoustic else None
        settings = dataclasses.replace(Settings(), transcribe_timeout_s=30.0, speculate=rule.speculate)
        self._metrics = Metrics()
        self.user = UserInput(
            Context(
                session_id="bench",
                config=new_session_config(settings, providers, patch, ""),
                conversation=Conversation(),
                conversation_id="bench",
                outbox=Outbox(),
                turns=TurnQueue(self._notice),
                tasks=Tasks("bench"),
                providers=dataclasses.replace(providers, end_of_turn=end_of_turn),
                settings=settings,
                metrics=self._metrics,
                new_id=lambda kind: next(names),
            )
        )

    def _notice(self, event: turns.TurnEvent) -> None:
        match event:
            case turns.SpeechBegan(onset_ms, item_id):
                self._item_id = item_id
                self.heard.began_ms.append(onset_ms)
                self.user.announce(onset_ms)
            case turns.WholeTextSupposed(text):
                self._suppose(essence(text) or None)
            case turns.PauseEnded():
                self._may_speak_ms = self._may_speak_ms if self._voice_ms is not None else None
            case turns.LikelyOver():
                self._may_speak_ms = self._may_speak_ms or self._position_ms
            case turns.SpeechEnded(at_ms):
                self.heard.ended_ms.append(at_ms)
                self.user.commit_turn(self._item_id, at_ms)
            case turns.TranscriptKnown(_, text):
                self.heard.texts.append(text)
                self._answer(essence(text) if text.strip() else None)
            case turns.TranscriptFailed():
                self.heard.texts.append("")
                self._answer(None)

    @property
    def _speaks_ahead(self) -> bool:
        return self._in_vain_in_turn < MOST_SPEECH_IN_VAIN

    @property
    def _voice_ms(self) -> float | None:
        """When the voice began with the early answer; None: it has not."""
        if self._asked is None or self._may_speak_ms is None or not self._speaks_ahead:
            return None
        began_ms = max(self._may_speak_ms, self._asked_ms + CLAUSE_AFTER_MS)
        return began_ms if began_ms <= self._position_ms else None

    @property
    def _is_ready(self) -> bool:
        """As much of the answer is in hand as may be before the turn is over."""
        if not self._speaks_ahead:
            return self._asked is not None and self._position_ms >= self._asked_ms + CLAUSE_AFTER_MS
        return self._voice_ms is not None and self._position_ms >= self._voice_ms + SPEECH_MS

    def _suppose(self, words: str | None) -> None:
        if words == self._asked:
            return
        self._drop()
        if words is not None and self._asked_in_turn < MOST_QUESTIONS:
            self._asked_in_turn += 1
            self._asked, self._asked_ms = words, self._position_ms + self._decode_ms
            self._may_speak_ms = self._position_ms if self._speculate == "speech" else None
            self.heard.questions += 1
        self.user.answer_is(EarlyAnswer.IN_THE_MAKING if self._asked is not None else EarlyAnswer.NONE)

    def _drop(self) -> None:
        """The early answer was in vain; so was what the voice was given, if it came so far."""
        if self._voice_ms is not None:
            self.heard.spoken += 1
            self._in_vain_in_turn += 1
        self._asked, self._told = None, False

    def _answer(self, words: str | None) -> None:
        """The turn is over: the early answer is used, or the question is asked now. None: nothing is answered."""
        now_ms = self._position_ms
        if words is None:
            self.heard.sounds_ms.append(float("nan"))
            self._drop()
        elif words == self._asked:
            voice_ms = self._voice_ms
            if voice_ms is None:
                voice_ms = max(now_ms, self._asked_ms + CLAUSE_AFTER_MS)
            self.heard.sounds_ms.append(max(now_ms, voice_ms + SPEECH_MS))
            self.heard.spoken += 1
            self._asked = None
        else:
            self.heard.sounds_ms.append(now_ms + ANSWER_MS)
            self._drop()
            self.heard.questions += 1
            self.heard.spoken += 1
        self._asked_in_turn = self._in_vain_in_turn = 0

    async def append(self, pcm: bytes) -> None:
        self._position_ms += FRAME_MS
        if self._is_ready and not self._told:
            self._told = True
            self.user.answer_is(EarlyAnswer.READY)
        loop = asyncio.get_running_loop()
        if isinstance(loop, AudioLoop):
            loop.audio_s += FRAME_MS / 1000
        await self.user.append(pcm)
        current = asyncio.current_task()
        for _ in range(CALLBACKS):  # what is kept is there at once: let those who wait for it be told
            await asyncio.sleep(0)
        while pending := [task for task in asyncio.all_tasks() if task is not current and not task.done()]:
            await asyncio.wait(pending)
            await asyncio.sleep(0)


async def listen(providers: Providers, rule: Rule, sound: Sound) -> Heard:
    """Let a session hear this sound."""
    listening = Listening(providers, rule, sound.language)
    pcm = soxr.resample(sound.samples, VAD_RATE, RATE).astype("<i2").tobytes()
    size = RATE * FRAME_MS // 1000 * 2
    for start in range(0, len(pcm), size):
        await listening.append(pcm[start : start + size])
        settled_ms = start / size * FRAME_MS - SETTLED_MS
        if sound.hesitation is not None and settled_ms > sound.hesitation[1]:
            break  # what follows is a sentence like any other
        delay_ms = listening.heard.delay_ms(sound)
        if "babble" not in sound.condition and settled_ms > sound.end_ms + delay_ms:
            break
    await listening.user.aclose()
    return listening.heard
