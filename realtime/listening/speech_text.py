"""What the user has said so far, while speech is open: told on the wire, to the rules, and to whoever answers early.

Starts interim decodes while the user speaks and an early decode at each pause, and says which of their texts may be
all that the user says. Of long speech these are decodes of its rest (`long_speech.py`): here texts are those of the
rest, and the whole text is what is told. It decides nothing: what it finds becomes turn events.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from realtime.context import Context
from realtime.core import turn as turns
from realtime.core.agreement import Agreement
from realtime.core.audio_buffer import Samples
from realtime.core.completeness import Completeness
from realtime.core.essence import essence
from realtime.core.interruption import CONSIDER_MS, CONSIDER_WHOLE_MS
from realtime.core.short_words import is_backchannel
from realtime.core.silences import Silences
from realtime.core.turn_end import AGREED_MS, is_unlikely, looks, worth_asking, worth_asking_in_pause
from realtime.core.wordbreak import atoms
from realtime.listening.audio_input import AudioInput
from realtime.listening.certainty import is_guess, is_sure
from realtime.listening.echo import EchoFilter
from realtime.listening.end_of_turn import EndOfTurnDelay
from realtime.listening.long_speech import LongSpeech
from realtime.listening.segment import SpeechSegment
from realtime.listening.transcription import OnText, Transcription
from realtime.protocol import server_events as events
from realtime.providers.base import Transcript

FIRST_INTERIM_MS = 250.0  # of speech, before the first decode: over an answer the first words decide
WHOLE_WORDS = 3  # or Han characters; fewer may be the beginning of anything


class SpeechText:
    """The text of the open speech, as far as it is known."""

    def __init__(
        self,
        context: Context,
        audio: AudioInput,
        transcription: Transcription,
        delay: EndOfTurnDelay,
        echo: EchoFilter | None = None,
    ) -> None:
        self._context = context
        self._audio = audio
        self._transcription = transcription
        self._delay = delay
        self._echo = echo or EchoFilter(context)
        self._long = LongSpeech(context, audio, transcription, self._echo)
        self._segment = SpeechSegment()
        self._stretch = 0  # of its speech: each one that begins before the last was read is another
        self._agreement = Agreement()
        self._next_interim_ms = 0.0  # of speech
        self._guessed_ms = -1.0  # the end of the voice that was guessed about last
        self._interim = ""  # the last interim text, or that of the last pause
        self._same_from_ms = 0.0  # interim texts have been the same since here
        self._fed_ms = -math.inf  # where the sound of the last text ends that deltas were made of
        # Speech over an answer is read less often: each text is one more chance that a murmur is misread. Also when it
        # has stopped the answer, because that may still go on
        self._over_answer = False
        self._read_to_ms = -1.0  # up to here the text of the last pause knows everything
        self._supposed = ""  # what was put as perhaps the whole text
        self._asked = 0  # how many such texts there were while the voice sounded ...
        self._unlikely = 0  # ... and in pauses that are hardly the end
        self._paused = False  # the speech has paused since it last sounded ...
        self._pause_ms = -1.0  # ... where the voice ended
        self._silences = Silences()
        self._read = False  # the careful decode of this pause has told its text
        self._believed = ""  # the newest words that a careful decode of this speech believed

    def __repr__(self) -> str:
        return f"<SpeechText interim {self._interim!r}, supposed {self._supposed!r}>"

    @property
    def said(self) -> str:
        """What the client was told of it."""
        return self._agreement.said

    @property
    def believed(self) -> str:
        """Words that the user has certainly said: an empty text of the whole speech does not undo them."""
        return self._believed

    # -- what the endpointer notices -----------------------------------------------------------------------------

    def began(self, segment: SpeechSegment) -> None:
        """Somebody speaks."""
        if segment is not self._segment:
            self._agreement, self._believed = Agreement(), ""
            if segment.settled.text:
                self._agreement.settle(segment.settled.text)
        self._segment, self._stretch = segment, self._stretch + 1
        self._transcription.began()
        self._long.began(segment)
        self._interim = self._supposed = ""
        self._same_from_ms, self._fed_ms, self._over_answer = 0.0, -math.inf, False
        self._read_to_ms = -1.0
        self._paused, self._read, self._guessed_ms = False, False, -1.0
        self._asked = self._unlikely = 0
        self._silences.reset()
        self._next_interim_ms = FIRST_INTERIM_MS

    def grew(self) -> None:
        """There is one more frame of open speech."""
        self._settle_beginning()
        speech_ms = self._audio.endpointer.speech_ms
        due = speech_ms >= self._next_interim_ms and not self._audio.endpointer.paused
        if due and self._transcription.takes_interim:
            # Where no answer is heard speech is announced long before its first interim decode, but not at once
            self._over_answer |= not self._segment.announced
            every_ms = self._transcription.interim_every_ms(often=not self._over_answer)
            self._next_interim_ms = speech_ms + every_ms
            self._transcription.interim(self.utterance(), self._interim_of_now())

    async def catch_up(self) -> None:
        """Where long speech comes faster than it is read, wait."""
        await self._long.catch_up()

    def _settle_beginning(self) -> None:
        settled = self._long.look()
        if settled is not None:
            self._agreement.settle(settled)
            self._interim = self._believed = ""  # they are of the sound as it was

    def faded(self, end_ms: float) -> None:
        """The voice fell quiet; a pause may follow."""
        self._decode_early(end_ms, self._on_fading)
        every_ms = self._transcription.interim_every_ms(often=False)
        self._next_interim_ms = self._audio.endpointer.speech_ms + every_ms
        self._suppose_sentence(self._interim)

    def paused(self, end_ms: float) -> None:
        """The user is silent."""
        self._paused, self._read, self._pause_ms = True, False, end_ms
        self._decode_early(end_ms, partial(self._on_early, end_ms))
        if not self._supposed:
            self._suppose_interim()

    def _decode_early(self, end_ms: float, then: OnText) -> None:
        segment, deciding = self._segment, self._deciding(then)
        self._transcription.early(
            self.utterance(),
            end_ms,
            deciding,
            partial(self._on_failure, end_ms),
            over_answer=lambda: not segment.announced,
        )
        # Over an answer a guess would be told before the careful text, which may be a murmur
        if segment.announced and end_ms != self._guessed_ms and self._transcription.guesses_sooner:
            self._guessed_ms = end_ms
            self._transcription.guess(self.utterance(), self._interim_of_now())

    def likely_over(self) -> None:
        """The pause is so long that it is likely the end, whatever its text looked like."""
        if self._read and not self._supposed:
            self._suppose(self._interim)

    def read_pause(self, end_ms: float) -> None:
        """No more sound comes, or it is silent, and what was said decides about a reply: it is read, whatever a decode
        costs."""
        if self._audio.endpointer.speech_ms >= CONSIDER_WHOLE_MS:
            tell = self._deciding(partial(self._on_early, end_ms))
            self._transcription.read(self.utterance(), end_ms, tell)

    def resumed(self, at_ms: float) -> None:
        """The fading or the pause was not the end: there is sound again from `at_ms`, with or without more words."""
        if self._segment.announced:
            self._transcription.discard_early()
        else:
            self._transcription.leave_early()  # its text decides about the reply
        if self._paused:  # what only faded may still be a whole sentence: the next text will tell
            self._silences.ended(at_ms - self._pause_ms)
            if self._segment.announced and self._delay.semantic:
                # The text may be all there is, and the sound a noise: the next text tells, and the next long pause
                self._context.turns.put(turns.PauseEnded())
            else:
                self._suppose("")
        self._paused = False

    def discarded(self) -> None:
        """The speech was taken away."""
        self._long.ended()
        self._transcription.discard_early()
        self._suppose("")

    def utterance(self, to_ms: float | None = None) -> Samples:
        """The speech with what came shortly before it, up to this position; of long speech the rest.

        The default is as far as frames were scored: what an append brings beyond that may be another utterance.
        """
        to_ms = self._audio.scored_ms if to_ms is None else to_ms
        return self._audio.samples(self._segment.start_ms(self._context.config), to_ms)

    # -- texts ---------------------------------------------------------------------------------------------------

    def _deciding(self, then: OnText) -> OnText:
        """Whoever listens to what was said up to here: while a reply is heard that decides, also if speech goes on."""
        segment, settled, speech_ms = self._segment, self._segment.settled, self._audio.endpointer.speech_ms
        is_open = self._is_open()

        def tell(known: Transcript) -> None:
            if segment is not self._segment or settled != segment.settled:
                return  # a decode that was slow says nothing about the speech after it
            known = self._own(known)
            if not is_guess(known) and not is_backchannel(known.text):  # nor a hum, as which an echo is read
                self._believed = known.text
            if not is_open():
                self._tell_earlier(speech_ms, known)
                return
            if self._audio.endpointer.speaking and not segment.announced and speech_ms >= CONSIDER_MS:
                sure, guess = is_sure(known), is_guess(known)
                said = turns.InterimText(known.text, speech_ms, sure=sure, guess=guess, murmur=known.murmur)
                self._context.turns.put(said)
            then(known)

        return tell

    def _is_open(self) -> Callable[[], bool]:
        """Whether the speech that is open now is still the same: one stretch of it, from its beginning. The
        endpointer counts each stretch from zero, so what was read of one explains nothing of the next."""
        stretch, is_same = self._stretch, self._is_same()
        return lambda: is_same() and stretch == self._stretch

    def _is_same(self) -> Callable[[], bool]:
        """Whether the speech that is open now is of the same segment, and no more of it was settled."""
        segment, settled = self._segment, self._segment.settled
        return lambda: segment is self._segment and settled == segment.settled

    def _tell_earlier(self, speech_ms: float, known: Transcript) -> None:
        """What an earlier stretch says, in so much speech. The decode that would tell it begins anew at each pause."""
        if self._audio.endpointer.speaking and not self._segment.announced and speech_ms >= CONSIDER_MS:
            sure, guess = is_sure(known), is_guess(known)
            said = turns.InterimText(
                known.text, speech_ms, sure=sure, guess=guess, murmur=known.murmur, earlier=True
            )
            self._context.turns.put(said)

    def _own(self, known: Transcript) -> Transcript:
        """Without an echo of the reply. Until the speech is announced a hum stands for it: it may be all there is."""
        own = self._echo.own_words if self._segment.announced else self._echo.for_rules
        from_ms = self._segment.open_from_ms
        return known.with_text(own(known.text, self._audio, from_ms, self._audio.scored_ms))

    def _whole(self, text: str) -> str:
        """The text of the speech, where that of its rest is this one. Until it is announced the rest alone decides."""
        return self._segment.settled.with_rest(text) if self._segment.announced else text

    def _interim_of_now(self) -> OnText:
        """Whoever listens to what has been said so far."""
        speech_ms, to_ms = self._audio.endpointer.speech_ms, self._audio.scored_ms
        is_open, is_same = self._is_open(), self._is_same()

        def tell(known: Transcript) -> None:
            if is_open():
                self._on_interim(speech_ms, to_ms, known)
            elif is_same():
                self._tell_earlier(speech_ms, self._own(known))

        return tell

    def _on_interim(self, speech_ms: float, to_ms: float, known: Transcript) -> None:
        """What the user has said up to a position, in so much speech. A sentence that is likely whole may be all."""
        segment, endpointer = self._segment, self._audio.endpointer
        if not endpointer.speaking or to_ms <= self._read_to_ms:
            return  # a decode that was slow: this is other speech, or that of the pause knows better
        known = self._own(known)
        text = known.text
        same_ms = self._note(text, to_ms)
        if segment.announced:  # until then an echo is read as a hum, always the same
            self._silences.interim(text, to_ms)
        self._tell(known, speech_ms, to_ms)
        if endpointer.paused:  # it is of more sound than what was supposed before
            self._suppose_interim()
        elif endpointer.faded:
            self._suppose_sentence(text)
        elif worth_asking(self._delay.evidence_of(known), same_ms=same_ms, asked=self._asked):
            # until the speech is announced, a text decides about the reply and asks nothing
            self._asked += self._segment.announced and essence(text) != essence(self._supposed)
            self._suppose(text)
        elif essence(text) != essence(self._supposed):
            self._suppose("")

    def _note(self, text: str, to_ms: float) -> float:
        """Note what the sound up to a position says: for how much of it, pauses too, decodes have said the same."""
        if essence(text) != essence(self._interim):
            self._same_from_ms = to_ms
        self._interim = text
        return to_ms - self._same_from_ms

    def _on_fading(self, known: Transcript) -> None:
        if not self._audio.endpointer.paused:  # the decode of the pause knows as much or more
            self._suppose_sentence(known.text)

    def _on_early(self, end_ms: float, known: Transcript) -> None:
        """The text if the pause since `end_ms` is the end: how finished it looks sets how long we wait."""
        if not self._audio.endpointer.paused or end_ms != self._pause_ms:
            return  # speech followed: a decode that was left says nothing about a later pause
        self._read, self._read_to_ms = True, self._audio.scored_ms
        self._note(known.text, end_ms)
        self._suppose_pause(known)
        # Until the speech is announced an echo is read as a hum, always the same
        heard = known.text if self._segment.announced else ""
        self._delay.text_known(known, self._silences.before(heard, end_ms))
        self._tell(known, self._audio.endpointer.speech_ms, end_ms, whole=True)

    def _on_failure(self, end_ms: float) -> None:
        """The decode of the pause since `end_ms` failed."""
        if self._audio.endpointer.paused and end_ms == self._pause_ms:
            self._delay.text_fails()

    def _tell(self, known: Transcript, speech_ms: float, to_ms: float, *, whole: bool = False) -> None:
        """An interim text, to the rules and then to the client: it may be what makes the rules announce the speech."""
        sure, guess = is_sure(known), is_guess(known)
        said = turns.InterimText(self._whole(known.text), speech_ms, whole, sure, guess, known.murmur)
        self._context.turns.put(said)
        if not self._segment.announced or self._context.config.transcription is None:
            return
        # A delta is never taken back, and two quick texts of nearly the same sound prove little. A careful one counts
        if not whole and to_ms < self._fed_ms + AGREED_MS:
            return
        self._fed_ms = to_ms
        if fresh := self._agreement.feed(known.text):
            self._context.outbox.put(
                events.ConversationItemInputAudioTranscriptionDelta(
                    item_id=self._segment.item_id, delta=fresh
                )
            )

    def _suppose_interim(self) -> None:
        """In a pause the last interim sentence may be all there is; the decode of the pause soon knows better."""
        if self._is_whole(self._interim):
            self._suppose(self._interim)

    def _suppose_sentence(self, text: str) -> None:
        """Where there is hardly a pause yet, only a whole sentence may be all there is."""
        if not self._audio.endpointer.speaking:
            return  # a decode that ends after the turn says nothing about an answer under way
        if self._is_whole(text) and len(atoms(text)) >= WHOLE_WORDS:
            self._suppose(text)

    def _is_whole(self, text: str) -> bool:
        return looks(self._delay.evidence_of(Transcript(text))) is Completeness.COMPLETE

    def _suppose_pause(self, known: Transcript) -> None:
        """In a pause any text may be all there is."""
        evidence = self._delay.evidence_of(known)
        text_decides = self._segment.announced and self._delay.semantic
        if text_decides and known.text and essence(known.text) != essence(self._supposed):
            if not worth_asking_in_pause(evidence, unlikely=self._unlikely):
                self._suppose("")
                return
            self._unlikely += is_unlikely(evidence)
        self._suppose(known.text)

    def _suppose(self, text: str) -> None:
        """The user may have said this, and no more; "": has not."""
        if text or self._supposed:
            self._supposed = text
            self._context.turns.put(turns.WholeTextSupposed(self._whole(text) if text else ""))
