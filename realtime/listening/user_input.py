"""The user's side of one session: from audio to turn events, and to committed items with their text.

Gives the audio to the endpointer, puts what it notices as turn events, and does what the session decides: announce
speech, commit it, discard it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from realtime.blocks import LongBytes
from realtime.context import Context
from realtime.core import turn as turns
from realtime.core.endpointing import (
    ONSET_MS,
    EndpointEvent,
    Misfire,
    SpeechFaded,
    SpeechLikelyOver,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    SpeechStopped,
)
from realtime.core.snapshot import SegmentSnapshot
from realtime.core.turn_end import EarlyAnswer
from realtime.errors import ProtocolError
from realtime.listening.audio_input import AudioInput, Scored
from realtime.listening.carried import Carried
from realtime.listening.certainty import is_sure
from realtime.listening.comes_again import ComesAgain
from realtime.listening.echo import EchoFilter
from realtime.listening.end_of_turn import EndOfTurnDelay
from realtime.listening.missing_sound import MissingSound
from realtime.listening.quiet_voice import QuietVoice
from realtime.listening.segment import PRE_ROLL_MS, Settled, SpeechSegment
from realtime.listening.speech_text import SpeechText
from realtime.listening.transcription import Transcription
from realtime.listening.user_items import Unheard, UserItems
from realtime.protocol import server_events as events
from realtime.protocol.session_config import SessionConfig
from realtime.providers.base import Transcript
from realtime.translate import to_core_format
from realtime.weak_calls import weak_call

MIN_COMMIT_MS = 100.0
WENT_ON_MS = 1_500.0  # speech so soon after the end of a turn goes on with it: the end was a cut


class UserInput:
    """Audio in, turn events and user items out."""

    def __init__(self, context: Context) -> None:
        config = context.config
        self._context = context
        self._echo = EchoFilter(context)
        self._audio = AudioInput(
            context.providers.vad,
            to_core_format(config.input_format),
            detects=config.turn_detection is not None,
            hides=self._echo.hides,
        )
        self._transcription = Transcription(context)
        self._delay = EndOfTurnDelay(context, self._audio.endpointer)
        self._text = SpeechText(context, self._audio, self._transcription, self._delay, self._echo)
        self.again = ComesAgain(context, self._audio)
        self.items = UserItems(context, self._audio, self._transcription, self.again)
        self._segment = SpeechSegment()  # that is or was open
        self._judged = False  # it has ended, and its text will decide what it was
        self._carried = Carried(context, self.items)  # of speech that was open elsewhere
        self._ended_ms: float | None = None  # of the last turn that the detector ended
        self._dropped_ms = 0.0  # up to there it was no speech
        self._voice = QuietVoice(context, weak_call(self._voice_stopped))
        self._missing = MissingSound(context, self._audio.endpointer, weak_call(self._sound_ended))
        self._reduce_noise()
        self._delay.follow_rules()

    def __repr__(self) -> str:
        return f"<UserInput {self._audio!r} {self._audio.endpointer!r}>"

    def config_changed(self, before: SessionConfig) -> None:
        """The session has another configuration than this one by now."""
        config = self._context.config
        if config.input_format is not before.input_format:
            self._audio.set_format(to_core_format(config.input_format))
        if config.noise_reduction != before.noise_reduction:
            self._reduce_noise()
        # A word over an answer that has ended and is being read is dropped; open speech is heard again
        open_ms = self._segment.start_ms(before) if self._audio.endpointer.speaking else None
        if (before.turn_detection is None) is not (config.turn_detection is None):
            self._carried.keep(self._settled)
        self._audio.detect(config.turn_detection is not None, open_ms)
        if before.turn_detection is None and config.turn_detection is not None:
            self._segment.announced = False  # what is kept of it is told anew
        if config.turn_detection is None:  # the client ends the turns now: nothing is judged
            self._audio.release()
            if self._judged:
                self._transcription.discard_early()
            self._judged = False
        self._delay.follow_rules()

    def _reduce_noise(self) -> None:
        wanted = self._context.config.noise_reduction
        self._audio.reduce_noise(self._context.providers.noise_reduction(wanted.type) if wanted else None)

    @property
    def busy(self) -> bool:
        """Audio is buffered that a client still counts on, or speech is open."""
        if self._context.config.turn_detection is None:
            return self._audio.buffered_ms > 0
        return self._audio.endpointer.speaking

    @property
    def received_ms(self) -> float:
        """How much audio was received in all."""
        return self._audio.received_ms

    @property
    def open_ms(self) -> float:
        """Where the audio begins that no item has yet: that of open speech, of speech that may have begun without
        anybody knowing it yet, or what comes next."""
        config = self._context.config
        if self._audio.is_deaf:
            return self._audio.listens_from_ms
        if config.turn_detection is None:
            return self._audio.start_ms if self._audio.buffered_ms else self.received_ms
        if self._judged or self._audio.endpointer.speaking:
            return self._segment.start_ms(config)
        kept_from_ms = max(self._audio.start_ms, self._dropped_ms)
        begins = SpeechSegment(onset_ms=self._audio.scored_ms - ONSET_MS, kept_from_ms=kept_from_ms)
        return min(self.received_ms, begins.start_ms(config))

    @property
    def _settled(self) -> Settled:
        """What was read of the speech that no item has, and comes before the sound that is kept."""
        is_open = self._segment.announced or self._judged or self._audio.endpointer.speaking
        return self._segment.settled if is_open else self._carried.settled

    @property
    def speaking(self) -> bool:
        """Whether the client was told that the user speaks, and of no end."""
        return self._segment.announced

    @property
    def unheard(self) -> Unheard:
        """The sound that has no text yet: somebody else who goes on needs it again."""
        return self.items.unheard(self.open_ms, self._settled)

    def go_on(self, before: Unheard, received_ms: float) -> None:
        """Somebody else has received so much audio, and its client sends again what is unheard."""
        self._carried.keep(Settled.restored(before.settled))
        self.again.begin(before.from_ms, before.open_ms, received_ms)
        for segment in before.segments:
            self.items.hear_again(segment)

    def goes_on_otherwise(self) -> None:
        """The user has typed, or the client asks for an answer: speech of another server that has not gone on by now
        comes before that."""
        self._carried.end()

    @property
    def last_audio_s(self) -> float | None:
        """When the last audio arrived, in loop seconds."""
        return self._audio.last_arrival_s

    def speech_ended_at_s(self) -> float | None:
        """When the last sample of the user's speech arrived, in loop seconds."""
        end_ms = self._segment.end_ms
        return None if end_ms is None else self._audio.arrival_s(end_ms)

    # -- audio in ------------------------------------------------------------------------------------------------

    async def append(self, data: LongBytes) -> float:
        """Take in audio of the wire's format, and put what it means as turn events. Returns its milliseconds."""
        now_s, parts = asyncio.get_running_loop().time(), self._audio.parts(data)
        length_ms = self._audio.length_ms(data)
        with self._missing.coming(length_ms / 1000), self._audio.looking():
            try:
                for part in parts:
                    await self._text.catch_up()
                    self._hear(await self._audio.take(part))
                    self._audio.arrived(now_s)
            except Exception:  # of the detector: the rest is here all the same
                for part in parts:
                    self._hear(await self._audio.take(part, looks=False))
                    self._audio.arrived(now_s)
                raise
        self.again.look()
        return length_ms

    async def hear_kept(self) -> None:
        """Turn detection may have come on: what was said before and is no item yet is a turn like any other."""
        with self._missing.coming(), self._audio.looking():
            while frames := await self._audio.kept():
                self._hear(frames)

    def _sound_ended(self) -> None:
        """The client sends nothing any more in the middle of speech."""
        with self._context.turns:
            self._notice(self._audio.finish())
        self._ended_ms = None  # that was no cut, however near in the audio the next turn is

    def _hear(self, frames: Sequence[Scored]) -> None:
        self.again.cut()
        for scored in frames:
            noticed = self._audio.endpoint(scored)
            if noticed or self._audio.endpointer.speaking:
                with self._context.turns:
                    self._notice(noticed)

    def answer_is(self, answer: EarlyAnswer) -> None:
        """How far the answer is that was begun before the turn is over: with its first sound in hand, it may be now."""
        self._delay.answer_is(answer)
        if ended := self._audio.endpointer.end_now():
            with self._context.turns:
                self._notice(ended)

    def _notice(self, noticed: Sequence[EndpointEvent]) -> None:
        for event in noticed:
            self._endpoint(event)
        if self._audio.endpointer.speaking:
            # Once announced it is an interruption; and a voice that falls quiet does not speak more
            if not self._segment.announced and not self._audio.endpointer.faded:
                speech_ms, text_comes = self._audio.endpointer.speech_ms, self._transcription.reading
                self._context.turns.put(turns.SpeechGrew(speech_ms, text_comes))
                self._voice.grew()
            self._text.grew()

    def _voice_stopped(self) -> None:
        """Speech that is not announced has not grown for a while, whether sound comes or not: say so, and read what no
        pause has shown to anybody."""
        if not self._segment.announced and (self._audio.endpointer.speaking or self._judged):
            self._context.turns.put(turns.VoiceStopped())
            if not self._judged and not self._audio.endpointer.paused and self._transcription.reads:
                self._text.read_pause(self._audio.scored_ms)

    def _endpoint(self, event: EndpointEvent) -> None:
        match event:
            case SpeechStarted(onset_ms):
                self._began(onset_ms)
            case SpeechFaded(end_ms):
                self._segment.end_ms = end_ms
                self._text.faded(end_ms)
            case SpeechPaused(end_ms):
                self._segment.end_ms = end_ms
                self._delay.pause_began(self._text.utterance, text_comes=self._transcription.interim_is_cheap)
                self._text.paused(end_ms)
                if not self._segment.announced and self._transcription.reads_at_a_price:
                    self._text.read_pause(end_ms)
            case SpeechLikelyOver():
                self._text.likely_over()
                self._context.turns.put(turns.LikelyOver())
            case SpeechResumed(at_ms):
                self._segment.end_ms = None
                self._delay.pause_ended()
                self._text.resumed(at_ms)
            case SpeechStopped(end_ms, at_ms):
                self._segment.end_ms = end_ms
                self._delay.pause_ended()
                self._context.turns.put(turns.SpeechEnded(at_ms))
            case Misfire(at_ms):
                self._delay.pause_ended()
                self._context.turns.put(turns.SpeechEnded(at_ms))

    def _began(self, onset_ms: float) -> None:
        """Somebody speaks; what comes while a short word is still being judged is one utterance with it."""
        if self._judged:
            self._judged, self._segment.end_ms = False, None
        else:
            kept_from_ms, settled = self._audio.start_ms, self._carried.take()
            item_id = self._context.new_id("item")
            self._segment = SpeechSegment(item_id, onset_ms, kept_from_ms, settled=settled)
        self._delay.began()
        self._text.began(self._segment)
        self._context.turns.put(turns.SpeechBegan(self._segment.onset_ms, self._segment.item_id))

    # -- doing what was decided ----------------------------------------------------------------------------------

    def announce(self, onset_ms: float) -> None:
        """Tell the client that the user speaks."""
        self._segment.announced = True
        if self._ended_ms is not None and onset_ms - self._ended_ms < WENT_ON_MS:
            self._context.metrics.cuts.inc()
        self._ended_ms = None
        start_ms = self._segment.told_ms(self._context.config)
        self._context.outbox.put(
            events.InputAudioBufferSpeechStarted(audio_start_ms=start_ms, item_id=self._segment.item_id)
        )

    def read_speech(self, item_id: str, at_ms: float) -> None:
        """Find out what this speech says, which has ended, and put it as a turn event; keep its audio until then."""
        self._judged = True
        self._audio.hold(self._segment.start_ms(self._context.config))
        end_ms = at_ms if self._segment.end_ms is None else self._segment.end_ms
        from_ms = self._segment.open_from_ms
        before = self._segment.settled if self._segment.announced else Settled()

        def tell(known: Transcript) -> None:
            own = known.with_text(self._echo.for_rules(known.text, self._audio, from_ms, end_ms))
            text = before.with_rest(own.text)
            self._context.turns.put(turns.SpeechRead(item_id, text, is_sure(own), own.murmur, at_ms))

        self._transcription.read(self._text.utterance(at_ms), end_ms, tell)

    def commit_turn(self, item_id: str, at_ms: float) -> None:
        """The detector ended the turn: make this item of the speech. Where there is no room, the client is told so."""
        samples, end_ms = self._text.utterance(at_ms), self._segment.end_ms
        from_ms = self._segment.start_ms(self._context.config)
        outbox = self._context.outbox
        outbox.put(events.InputAudioBufferSpeechStopped(audio_end_ms=int(at_ms), item_id=item_id))
        try:
            self.items.add(item_id)
        except ProtocolError as error:
            outbox.put(events.ErrorEvent.of(error))
            self._transcription.discard_early()
            self._context.turns.put(turns.TranscriptFailed(item_id))
        else:
            spoken_ms = self._segment.open_from_ms, at_ms if end_ms is None else end_ms
            own = partial(self._echo.own_words, audio=self._audio, from_ms=spoken_ms[0], to_ms=spoken_ms[1])
            settled, said, believed = self._segment.settled.snapshot, self._text.said, self._text.believed
            segment = SegmentSnapshot(item_id, from_ms, at_ms, settled=settled, said=said)
            self.items.transcribe(item_id, samples, end_ms, own=own, segment=segment, believed=believed)
        self._audio.discard(at_ms)
        self._ended_ms = at_ms
        self._judged = self._segment.announced = False
        self._segment.settled = Settled()

    def commit_buffer(self) -> None:
        """The client ends the turn itself. Raises ProtocolError if there is too little audio, or no room; nothing has
        changed then, and half a sample still waits for its other half."""
        buffered_ms, start_ms = self._audio.buffered_ms, self._audio.start_ms
        if buffered_ms < MIN_COMMIT_MS:
            raise ProtocolError(
                "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, "
                f"but buffer only has {buffered_ms:.2f}ms of audio.",
                code="input_audio_buffer_commit_empty",
            )
        announced, settled = self._segment.announced, self._settled.snapshot
        item_id = self._segment.item_id if announced else self._context.new_id("item")
        self.items.add(item_id)
        self._transcription.discard_early()
        speech = announced or self._audio.speech_since(start_ms)
        self._audio.flush()
        to_ms = self._audio.received_ms
        said, believed = (self._text.said, self._text.believed) if announced else ("", "")
        segment = SegmentSnapshot(item_id, start_ms, to_ms, by_client=True, settled=settled, said=said)
        samples = self._audio.samples(start_ms)
        self.items.transcribe(item_id, samples, speech=speech, segment=segment, believed=believed)
        self.discard()

    def commit_idle(self) -> None:
        """Nobody spoke for the agreed time: an empty user item says so. Raises ProtocolError in a full conversation.

        Somebody may have begun to speak just now: what would be part of that is not part of this item."""
        start_ms, item_id = int(self._audio.start_ms), self._context.new_id("item")
        end_ms = max(start_ms, int(self._audio.scored_ms - ONSET_MS - PRE_ROLL_MS))
        self._context.outbox.put(
            events.InputAudioBufferTimeoutTriggered(
                audio_start_ms=start_ms, audio_end_ms=end_ms, item_id=item_id
            )
        )
        self.items.add(item_id, transcript="")
        self._audio.discard(end_ms)

    def discard(self) -> None:
        """Drop what is buffered and the speech that is open. What comes next begins with a whole sample."""
        self._audio.flush()
        self._audio.discard()
        self._delay.pause_ended()
        self._text.discarded()
        self._judged = self._segment.announced = False
        self._carried.take()
        self._segment.settled = Settled()

    def drop_speech(self) -> None:
        """A sound during a reply that was no interruption: as if it had never been."""
        self._transcription.discard_early()
        self._audio.release()
        self._carried.give_back(self._segment.settled)
        self._judged = self._segment.announced = False
        self._dropped_ms = self._audio.scored_ms

    def disconnected(self) -> None:
        """The client is away: it does not fall silent by that."""
        self._missing.away()

    def reconnected(self) -> None:
        """The client sends on a new socket, from the last whole millisecond that it was told of."""
        self._audio.drop_half_sample()
        self._missing.back()

    async def aclose(self) -> None:
        """Stop decoding and leave the detector."""
        self._carried.close()
        self._voice.close()
        self._missing.close()
        self._audio.close()
        await self._transcription.aclose()
