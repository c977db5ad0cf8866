"""What sounds and what was heard: the replies of one conversation that may still sound, and the listener's position.

A player plays one reply after the other, so several may be ahead of the listener. Here sound is discarded, cut and
acknowledged; each method returns what the client must be told. It starts no reply and knows no turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from realtime.context import Context
from realtime.core.sent_sound import RATE, unknown
from realtime.protocol import server_events as events
from realtime.replying.reply_sound import ReplySound

FLUSH_TIMEOUT_S = 0.3  # for the player to say where it stopped
DUCK_DB = -12  # while somebody may be interrupting: a quarter of the amplitude, and still understood
EARLY_S = 1e-6  # no wait is that short, and a timer of the loop may be so early
LATE_S = 1.0  # a player may be so late, and its client's word on the way
STOPS_S = 0.4  # a player has stopped so long after it was told to: until then its sound may be heard again

Announcements = list[events.ServerEvent]


class Playout:
    """Of one session."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._sounds: list[ReplySound] = []  # oldest first; the last one is the latest reply
        self._ducked = False  # the client was told to play more quietly
        self._paused_s: float | None = None  # since then nobody listens
        self._away_s = 0.0  # for how long nobody did, before that
        self.just_cut: tuple[ReplySound, ...] = ()  # by the last interruption, oldest first
        self._attended = asyncio.Event()
        self._attended.set()

    def __repr__(self) -> str:
        state = "" if self._paused_s is None else ", paused"
        return f"<Playout of {len(self._sounds)} replies, {self.unheard_s():.1f} s unheard{state}>"

    def now_s(self) -> float:
        """The listener's time: it stands still while nobody listens."""
        return asyncio.get_running_loop().time() if self._paused_s is None else self._paused_s

    # -- what sounds ---------------------------------------------------------------------------------------------

    def begin(self, sound: ReplySound) -> None:
        """A reply of the conversation begins; it sounds when those before it have ended."""
        now_s = self.now_s()
        sound.playback.not_before_s = now_s + self.unheard_s()
        self._sounds = [each for each in self._sounds if each.awaits_flush or each.unheard_s(now_s) > 0]
        self._sounds.append(sound)

    def restored(self, sound: ReplySound, sent_ms: float, played_ms: float) -> None:
        """A reply that another server has sent sounds on, as far as its audio has arrived."""
        now_s = self.now_s()
        sound.playback.sent(sent_ms, now_s)
        sound.playback.ack(played_ms, now_s)
        self._context.sent.sent(unknown(sent_ms - played_ms), RATE, now_s, sound.part, played_ms)
        self._sounds.append(sound)

    def restored_cut(self, sound: ReplySound, sent_ms: float, heard_ms: float) -> None:
        """A reply that was cut at another server: its player may still say where it stopped."""
        now_s = self.now_s()
        sound.playback.sent(sent_ms, now_s - heard_ms / 1000)
        sound.playback.acked_ms = 0.0  # the client was told that it has started
        sound.cut_s = now_s
        self._sounds.append(sound)

    def unheard_s(self) -> float:
        """Seconds of audio that the listener may still have ahead."""
        now_s = self.now_s()
        return max((sound.unheard_s(now_s) for sound in self._sounds), default=0.0)

    def sounds(self, response_id: str | None = None) -> bool:
        """Whether the listener may still have audio of this reply (default: of any) ahead."""
        now_s = self.now_s()
        return any(sound.unheard_s(now_s) > 0 for sound in self._named(response_id))

    def untold(self, sound: ReplySound) -> bool:
        """Whether its end may not have arrived, though it should have been played by now. What was said after it shows
        that the listener was there."""
        if sound.interrupted or not sound.playback.untold(self.now_s()):
            return False
        items = self._context.conversation.items
        return bool(items) and items[-1].id == sound.item_id

    @property
    def sounding(self) -> list[ReplySound]:
        """The sounds that the listener may still have ahead, oldest first."""
        now_s = self.now_s()
        return [sound for sound in self._sounds if sound.item_id is not None and sound.unheard_s(now_s) > 0]

    @property
    def cut_sounds(self) -> dict[str, ReplySound]:
        """Those that were cut, by item, if their players tell where they stopped."""
        tells = self._context.config.has("playback")
        return {each.item_id: each for each in self._sounds if tells and each.item_id and each.interrupted}

    def heard_by_now(self) -> dict[str, str]:
        """The words heard by now, as far as we know, of each item that may still sound."""
        now_s, truncated = self.now_s(), self._context.conversation.was_truncated
        return {
            sound.item_id: sound.part.heard(sound.playback.heard_ms(now_s))
            for sound in self._sounds
            if sound.item_id is not None and not sound.interrupted and sound.may_sound(now_s)
            if not truncated(sound.item_id)  # the client has said what was heard
        }

    def _named(self, response_id: str | None) -> list[ReplySound]:
        return [sound for sound in self._sounds if response_id in (None, sound.response_id)]

    def sent_ms(self, item_id: str) -> float | None:
        """How much audio of this item has left, if it may still sound."""
        sound = self._of(item_id)
        return sound.playback.sent_ms if sound is not None else None

    def _of(self, item_id: str) -> ReplySound | None:
        return next((sound for sound in self._sounds if sound.item_id == item_id), None)

    # -- the listener is interrupted -----------------------------------------------------------------------------

    def discard(self, sound: ReplySound) -> None:
        """Throw away the audio of one reply that has not been sent."""
        sound.discarded_ms += self._context.outbox.discard(sound.response_id)

    def discard_unsent(self) -> None:
        """Throw away all audio that has not been sent."""
        for sound in self._sounds:
            self.discard(sound)

    def cut(self, response_id: str | None = None) -> Announcements:
        """The listener was interrupted: unsent audio goes, and history keeps what was heard by now, as far as we know.

        `response_id`: of this reply alone. What is `awaiting_flush` then has to be settled after FLUSH_TIMEOUT_S.
        """
        before = {sound for sound in self._sounds if sound.interrupted}
        if response_id is not None:
            for sound in self._named(response_id):
                self._closes_up(sound)
        told = [event for sound in self._named(response_id) for event in self._cut(sound)]
        self.just_cut = tuple(each for each in self._sounds if each.interrupted and each not in before)
        return told

    def _cut(self, sound: ReplySound) -> Announcements:
        now_s = self.now_s()
        if sound.item_id is None or (sound.interrupted and sound.complete):
            return []
        sounding = sound.may_sound(now_s)
        self.discard(sound)
        if not sounding and not sound.discarded_ms:
            return []
        sound.cut_s, sound.awaits_flush = now_s, self._context.config.has("playback")
        self._context.sent.cut(now_s + STOPS_S)
        self._cut_history(sound, now_s)
        if not sound.awaits_flush:
            return []
        return [events.OutputAudioBufferCleared(response_id=sound.response_id)]

    def stopped_by_client(self, item_id: str) -> bool:
        """The client says where it has stopped this item. Returns whether the server did not know that it stops.

        A truncate of what was cut only says where: the server has told it to stop. One of a reply that is still made
        says nothing about what is still to come.
        """
        sound, now_s = self._of(item_id), self.now_s()
        if sound is None or sound.interrupted or not sound.complete or sound.unheard_s(now_s) <= 0:
            return False
        self._stop(sound, now_s)
        self._stop_deleted(now_s)
        return True

    def deleted_by_client(self, item_id: str) -> bool:
        """The client has deleted this item. Returns whether something is stopped by that."""
        sound = self._of(item_id)
        if sound is None:
            return False
        sound.deleted_s = self.now_s()
        return self._stop_deleted(sound.deleted_s)

    def _stop_deleted(self, now_s: float) -> bool:
        """A client that stops its player deletes what that has not begun, as LiveKit does: that sounds no more either.
        A delete alone stops no sound. Returns whether something was stopped."""
        stopped = [sound.cut_s for sound in self._sounds if sound.unwanted and sound.cut_s is not None]
        if not stopped or now_s - max(stopped) > LATE_S:
            return False
        unplayed = [
            sound
            for sound in self._sounds
            if sound.deleted_s is not None and now_s - sound.deleted_s <= LATE_S
            if sound.complete and sound.unheard_s(now_s) > 0 and sound.is_unplayed(now_s)
        ]
        for sound in unplayed:
            self._stop(sound, now_s)
        return bool(unplayed)

    def _stop(self, sound: ReplySound, now_s: float) -> None:
        """The client has stopped this one by itself."""
        self._closes_up(sound)
        self.discard(sound)
        sound.cut_s, sound.unwanted = now_s, True
        self._cut_history(sound, now_s)
        if not self.sounds():
            self._context.sent.cut(now_s + STOPS_S)

    def cut_short(self, item_id: str) -> str | None:
        """The client says where it has stopped this item, whose end should just have been heard: its player is late,
        and told of speech that began then it has thrown the last words away. Of which reply; None if it is not so."""
        sound, now_s = self._of(item_id), self.now_s()
        if sound is None or sound.interrupted or not sound.complete or sound.playback.acked_ms is not None:
            return None
        just_ended = sound.unheard_s(now_s) <= 0 < sound.unheard_s(now_s - LATE_S)
        return sound.response_id if just_ended else None

    def _closes_up(self, stopped: ReplySound) -> None:
        """The player stops this one, so those that wait behind it sound sooner. One that tells its position does so."""
        now_s = self.now_s()
        sooner_s = stopped.unheard_s(now_s) - stopped.playback.waits_s(now_s)
        for sound in self._sounds[self._sounds.index(stopped) + 1 :]:
            if sound.playback.acked_ms is None:
                sound.playback.shift(-sooner_s)

    def awaiting_flush(self) -> tuple[ReplySound, ...]:
        """Sounds that were cut, and whose player has yet to say where it stopped."""
        return tuple(sound for sound in self._sounds if sound.awaits_flush)

    def settle(self, sounds: tuple[ReplySound, ...]) -> Announcements:
        """Their players will not say any more where they stopped: tell which words count."""
        return [event for sound in sounds for event in self._settle(sound)]

    def _settle(self, sound: ReplySound) -> Announcements:
        if not sound.awaits_flush or sound.cut_s is None or sound.item_id is None:
            return []
        sound.awaits_flush = False
        # What a player that tells nothing played after the interruption, nobody wanted to hear.
        heard_ms = sound.playback.heard_ms(sound.cut_s)
        if not self._cut_history(sound, sound.cut_s):
            return []
        heard = self._context.conversation.heard_text(sound.item_id)
        return [
            events.ConversationItemTruncated(
                item_id=sound.item_id, audio_end_ms=int(heard_ms), transcript=heard
            )
        ]

    def _cut_history(self, sound: ReplySound, now_s: float) -> bool:
        """Whether history now ends where the listener was interrupted; a `truncate` of the client wins."""
        if sound.item_id is None:
            return False
        heard_ms = sound.playback.heard_ms(now_s)
        return self._context.conversation.cut(sound.item_id, heard_ms, sound.playback.sent_ms)

    def said_on(self, sounds: Sequence[ReplySound]) -> Announcements:
        """What was cut is said on: where a word lacks its end, history ends with the one before."""
        conversation, told = self._context.conversation, list[events.ServerEvent]()
        for item_id in [sound.item_id for sound in sounds if sound.item_id is not None]:
            end_ms = conversation.end_with_whole_word(item_id)
            if end_ms is not None and self._context.config.has("playback"):
                heard = conversation.heard_text(item_id)
                told.append(
                    events.ConversationItemTruncated(
                        item_id=item_id, audio_end_ms=int(end_ms), transcript=heard
                    )
                )
        return told

    def duck(self, response_id: str, *, down: bool) -> Announcements:
        """Somebody may be interrupting this reply (`down`), or it is known by now."""
        if down == self._ducked or (down and not (self._context.config.has("playback") and self.sounds())):
            return []
        self._ducked = down
        gain_db = DUCK_DB if down else 0
        self._context.sent.set_gain(gain_db, self.now_s())
        return [events.OutputAudioBufferGainChanged(response_id=response_id, gain_db=gain_db)]

    # -- the player says -----------------------------------------------------------------------------------------

    def played(self, item_id: str, played_ms: float, *, drained: bool, flushed: bool) -> Announcements:
        """The player tells its position (extension `playback`). Unknown items are a race, not a mistake."""
        sound, now_s = self._of(item_id), self.now_s()
        if sound is None:
            return []
        first = sound.playback.acked_ms is None
        if not sound.playback.ack(played_ms, now_s, drained=drained, flushed=flushed):
            return []
        told: Announcements = []
        if first:
            sound.marks.reach("playback_started", now_s)
            told.append(events.OutputAudioBufferStarted(response_id=sound.response_id))
        if flushed:
            told += self._flushed(sound, now_s)
        if drained and sound.complete and not (sound.interrupted or sound.stopped):
            sound.stopped = True
            told.append(events.OutputAudioBufferStopped(response_id=sound.response_id))
        return told

    def _flushed(self, sound: ReplySound, now_s: float) -> Announcements:
        """The player threw its audio away, asked or by itself."""
        if sound.cut_s is None and sound.playback.heard_ms(now_s) >= sound.part.audio_ms:
            return []  # there was nothing left to throw away
        sound.cut_s = now_s if sound.cut_s is None else sound.cut_s
        sound.awaits_flush = True
        return self._settle(sound)

    # -- the listener is away ------------------------------------------------------------------------------------

    def pause(self) -> None:
        """The listener is away: playback stands still until `resume`."""
        if self._paused_s is None:
            self._paused_s = self.now_s()
            self._attended.clear()

    def resume(self) -> None:
        """The listener is back, and plays on where it stopped."""
        if self._paused_s is None:
            return
        away_s, self._paused_s = asyncio.get_running_loop().time() - self._paused_s, None
        for sound in self._sounds:
            sound.playback.shift(away_s)
            if sound.cut_s is not None:
                sound.cut_s += away_s
        self._away_s += away_s
        self._attended.set()

    def sent_again(self, lengths_ms: Mapping[str, float]) -> None:
        """The end of these items' sound, so much of it, has not arrived: it is sent again, and sounds from now on."""
        begins_s = self.now_s()
        for sound in self._sounds:
            ms = lengths_ms.get(sound.item_id or "", 0.0)
            if ms and not sound.interrupted:
                sound.playback.sent_again(ms, begins_s)
                self._context.sent.sent_again(sound.part, sound.playback.sent_ms - ms, begins_s)
            begins_s = max(begins_s, self.now_s() + sound.unheard_s(self.now_s()))

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something after so many seconds in which somebody listened, unless the session has ended by then."""

        async def wait() -> None:
            left_s = seconds
            while left_s > EARLY_S:
                from_s = self.now_s() - self._away_s
                await asyncio.sleep(left_s)
                await self.attended()
                left_s -= self.now_s() - self._away_s - from_s
            action()

        self._context.tasks.spawn(wait(), "timer")

    async def attended(self) -> None:
        """Wait until somebody listens."""
        await self._attended.wait()
