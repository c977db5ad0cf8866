"""How long the user may be silent before the turn is over, under `semantic_vad`: by what was said and how it sounded.

Asks the end-of-turn model once in each pause, where there is one, and sets the endpointer's length of silence each time
something new is known, and the one after which the turn is likely over. It ends no turn itself.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from dataclasses import replace

from realtime import deadlines
from realtime.contained import contained
from realtime.context import Context
from realtime.core.endpointing import Endpointer, EndpointRules
from realtime.core.short_language import said_by_assistant
from realtime.core.turn_end import EarlyAnswer, Evidence, silence_ms, waits
from realtime.errors import ProviderError
from realtime.protocol.session_config import SemanticVad, ServerVad
from realtime.providers.base import EndOfTurnModel, Samples, Transcript

log = logging.getLogger(__name__)

MODEL_TIMEOUT_S = 1.0


class EndOfTurnDelay:
    """Of one session. Under any other detection the silence is fixed, and nobody is asked."""

    def __init__(self, context: Context, endpointer: Endpointer) -> None:
        self._context = context
        self._endpointer = endpointer
        self._detection = context.config.turn_detection  # of the speech that is open, or of the next one
        self._known = Evidence()
        self._answer = EarlyAnswer.NONE
        self._speech: Callable[[], Samples] | None = None  # the model has not been asked yet
        self._asking: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        silence_ms = self._endpointer.silence_ms
        return f"<EndOfTurnDelay {silence_ms:.0f} ms, {self._known}, answer {self._answer.name}>"

    @property
    def semantic(self) -> bool:
        """Whether the text decides when the open speech, or the next one, is over."""
        return isinstance(self._detection, SemanticVad)

    def evidence_of(self, known: Transcript) -> Evidence:
        """What a text says about the end of a turn, after what the assistant said."""
        before = said_by_assistant(self._context.conversation.items)
        return Evidence(known.text, known.last_word, known.stop, before=before)

    def follow_rules(self) -> None:
        """The detection may be another one."""
        match self._context.config.turn_detection:
            case ServerVad(threshold=threshold, silence_duration_ms=wait_ms):
                self._endpointer.change(EndpointRules(threshold=threshold, silence_ms=wait_ms))
            case SemanticVad(eagerness=eagerness):
                self._endpointer.change(EndpointRules(silence_ms=silence_ms(Evidence(), eagerness)))

    def began(self) -> None:
        """Somebody speaks: whatever changes meanwhile, this speech ends as it began (docs/wire.md 2.1)."""
        self._detection = self._context.config.turn_detection

    def pause_began(self, speech: Callable[[], Samples], *, text_comes: bool) -> None:
        """The user fell silent after this speech. If its text comes soon, the model is asked after that: whatever
        shares the cores with the decode delays the answer.
        """
        self.pause_ended()
        if not isinstance(self._detection, SemanticVad):
            return
        self._speech = speech
        if not text_comes:
            self._ask_model()

    def pause_ended(self) -> None:
        """The user goes on, or the turn is over: whatever the model still says is late."""
        self._speech = None
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None
        self._known = Evidence()
        # The next pause begins before it is announced, perhaps under a detection of another kind
        if not self._endpointer.speaking:
            self._detection = self._context.config.turn_detection
        self._endpointer.silence_ms = self._endpointer.rules.silence_ms
        self._endpointer.likely_over_ms = math.inf
        self._apply()

    def text_known(self, known: Transcript, silent_ms: float = 0.0) -> None:
        """What was said before this pause. `silent_ms`: so much before it counts as silence."""
        acoustic = self._known.acoustic
        self._known = replace(self.evidence_of(known), acoustic=acoustic, silent_ms=silent_ms)
        self._apply()
        self._ask_model()

    def text_fails(self) -> None:
        """Nobody can read this pause: the sound is all that there is."""
        self._ask_model()

    def answer_is(self, answer: EarlyAnswer) -> None:
        """How far the answer is that was begun early: until its first sound is there, waiting is free."""
        if answer is not self._answer:
            self._answer = answer
            self._apply()

    def _ask_model(self) -> None:
        model = self._context.providers.end_of_turn
        if model is not None and self._speech is not None:
            self._asking = self._context.tasks.spawn(self._ask(model, self._speech()), "end of turn")
            self._speech = None  # once in each pause

    async def _ask(self, model: EndOfTurnModel, speech: Samples) -> None:
        try:
            async with deadlines.timeout(MODEL_TIMEOUT_S):
                acoustic = await contained(_asked(model, speech))
        except (ProviderError, TimeoutError):
            return  # the text will do
        except Exception as error:  # of a provider from anywhere
            log.error("the end-of-turn model broke", exc_info=error)
            return
        self._known = replace(self._known, acoustic=acoustic)
        self._apply()

    def _apply(self) -> None:
        if isinstance(self._detection, SemanticVad):
            found = waits(self._known, self._detection.eagerness, self._answer)
            self._endpointer.silence_ms, self._endpointer.likely_over_ms = found


async def _asked(model: EndOfTurnModel, speech: Samples) -> float:
    return await model.finished(speech)
