"""The assistant's own voice in the microphone: what sounds or reads like it is kept from the rules and from the turn.

A client with loudspeakers and without echo cancellation sends back what it plays. Joins the pure rules (`core/echo.py`,
`core/echo_text.py`) with what one conversation was sent, and counts what they found. It decides nothing about turns.
"""

from __future__ import annotations

import asyncio

from realtime.context import Context
from realtime.core.echo import EchoGate
from realtime.core.echo_search import EARLIEST_S, LATEST_S
from realtime.core.echo_text import repeats
from realtime.core.endpointing import FRAME_MS
from realtime.listening.audio_input import AudioInput

COUNTED_MS = 250.0  # so much was an echo, and no accident
APART_S = 2.0  # what comes later is another one
AS_A_HUM = "hm"  # what an echo is for the rules of turns: it wants no turn, however long it is
# The words of an echo may begin so much before the detector heard it, and their times are estimates
ONSET_S, TIMES_S = 0.4, 0.3
AFTER_S = 0.3  # more of what was said is compared
OVER_S = 0.1  # so much before the last word ends the times of words may be wrong


class EchoFilter:
    """Of one session."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._gate = EchoGate(context.sent)
        self._run_ms = 0.0  # of the echo that goes on
        self._last_s = 0.0  # when it was heard last
        self._counted_from_ms = -1.0  # of the last text that was counted
        # Where the first such text ended, while there is something to hear: words come back from a loudspeaker
        self._words_back_ms: float | None = None

    def __repr__(self) -> str:
        return f"<EchoFilter {self._gate!r}>"

    def hides(self, audio: AudioInput, voiced: bool) -> bool:
        """Whether the frame that ends where the input was scored is nothing but an echo."""
        now_s = asyncio.get_running_loop().time()
        if self._context.sent.silent_since(now_s - 2 * LATEST_S):
            self._words_back_ms = None
            return False  # nearly always: what follows costs more
        if not voiced and self._gate.delay_s is None:
            self._gate.skip()
            return False
        end_s = audio.at_s(audio.scored_ms)
        if not self._gate.feed(end_s, audio.newest, voiced=voiced):
            return False
        before_ms = self._run_ms if end_s - self._last_s < APART_S else 0.0
        self._run_ms, self._last_s = before_ms + FRAME_MS, end_s
        if before_ms < COUNTED_MS <= self._run_ms:
            self._context.metrics.echoes.labels("sound").inc()
        return True

    def for_rules(self, text: str, audio: AudioInput, from_ms: float, to_ms: float) -> str:
        """The same as `own_words`, but an echo is a hum: of a sound without words, the rules believe only a second."""
        return AS_A_HUM if text and not self.own_words(text, audio, from_ms, to_ms) else text

    def own_words(self, text: str, audio: AudioInput, from_ms: float, to_ms: float) -> str:
        """This text, which was read between these positions; "" if all there was an echo, by its sound or its words."""
        if not text or self._context.sent.empty:
            return text
        from_s, to_s = audio.at_s(from_ms), audio.at_s(to_ms)
        if self._gate.only_echo(from_s, to_s):
            return ""
        back = self._words_back_ms is not None and self._words_back_ms <= from_ms
        if not self._repeats(text, from_s, to_s, back=back):
            return text
        if self._words_back_ms is None:
            self._words_back_ms = to_ms
        if from_ms != self._counted_from_ms:
            self._counted_from_ms = from_ms
            self._context.metrics.echoes.labels("words").inc()
        return ""

    def _repeats(self, text: str, from_s: float, to_s: float, *, back: bool) -> bool:
        """Whether it is an echo by its words: nobody knows how late the loudspeaker is, unless its echo was found.

        `back`: earlier words came back as an echo."""
        delay_s, in_vain = self._gate.delay_s, self._gate.in_vain > 0
        earliest_s, latest_s = (EARLIEST_S, LATEST_S) if delay_s is None else (delay_s, delay_s + TIMES_S)
        said = self._context.sent.said(from_s - latest_s - ONSET_S - TIMES_S, to_s - earliest_s + AFTER_S)
        # Nothing but the very end of an echo begins after the last word: an answer does, and so do the words of who
        # repeats them. Of a delay that nobody knows, the last sentence may, after others that came back, and so may the
        # whole of a short answer
        over_s = from_s + OVER_S - (0.0 if delay_s is None else latest_s)
        over = all(word.end_s <= over_s for word in said)
        if over and delay_s is not None:
            return False
        latest_s += 0.0 if delay_s is None and (in_vain or over) else ONSET_S
        few, ended_s = not in_vain and not over, to_s if over else None
        return repeats(text, said, from_s, latest_s, few=few, ended_s=ended_s, tail=back)
