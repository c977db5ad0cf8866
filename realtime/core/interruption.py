"""When speech during a reply is an interruption: by its length, and by what it says (docs/architecture.md 2.5).

Milliseconds and texts in, a verdict out. Knows no phases and no actions: those are `turn.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from realtime.core.short_words import (
    begins_like_hum,
    ends_a_hum,
    ends_with_command,
    has_several_words,
    is_backchannel,
    is_hum,
    may_become_backchannel,
    takes_turn,
)

# How much speech is an interruption:
CONFIRM_MS = 600.0  # this much if nobody can tell what it says, or after backchannels
CONFIRM_UNREAD_MS = 800.0  # this much if somebody can and has not: a slow "mm-hmm" takes over 700 ms
DUCK_MS = 150.0  # so much voice may be an interruption: the reply is played more quietly until that is known
DUCK_AGAIN_MS = 450.0  # so much more of it, after backchannels: the text of the next 300 ms has come by then
# A reply that has come back is not lowered again in the next DUCK_REST_MS for less than DUCK_AGAIN_MS of voice, and at
# most so often in so much sound: what comes and goes in quick turns must not make it go up and down with it
DUCK_REST_MS = 1_000.0
MOST_DUCKS, DUCKS_WITHIN_MS = 2, 4_000.0
READING_MS = 400.0  # more is needed while a text is on its way: on a busy machine it comes late
WORDLESS_MS = 1_000.0  # of a sound in which no words were read: this much may be a hum or a noise
CONSIDER_MS = 250.0  # this much if it has a word that is no backchannel
# This much if it has ended and all of it is a word that takes the turn: "No!" Before the answer, any word that is sure
CONSIDER_WHOLE_MS = 150.0


def is_certain(speech_ms: float, explained_ms: float, *, reads: bool, text_comes: bool) -> bool:
    """Whether so much speech is an interruption whatever it says. What is known to be none does not count.

    `reads`: a transcriber can tell what it says. `text_comes`: it is about to.
    """
    more_ms = READING_MS if reads and text_comes else 0.0
    if explained_ms:
        return speech_ms - explained_ms >= CONFIRM_MS + more_ms
    return speech_ms >= (CONFIRM_UNREAD_MS if reads else CONFIRM_MS) + more_ms


def may_interrupt(speech_ms: float, explained_ms: float) -> bool:
    """Whether so much speech, of which backchannels explain a part, may be an interruption."""
    return speech_ms - explained_ms >= (DUCK_AGAIN_MS if explained_ms else DUCK_MS)


def may_duck(speech_ms: float, explained_ms: float, at_ms: float, came_back_ms: Sequence[float]) -> bool:
    """Whether a reply is lowered for so much speech. `at_ms`: the position; `came_back_ms`: where replies came back
    that had been lowered for nothing."""
    if sum(at_ms - back_ms < DUCKS_WITHIN_MS for back_ms in came_back_ms) >= MOST_DUCKS:
        return False
    rests = any(at_ms - back_ms < DUCK_REST_MS for back_ms in came_back_ms)
    return may_interrupt(speech_ms, explained_ms) and (not rests or speech_ms - explained_ms >= DUCK_AGAIN_MS)


def explained_by(text: str, speech_ms: float, *, before_answer: bool) -> float:
    """How much of so much speech, in which this text was read and was no interruption, is known to be none.

    Where there are no words it was a hum or a noise; but a transcriber may fail to read a voice that is far away."""
    if not text.strip():
        return min(speech_ms, WORDLESS_MS) if speech_ms >= CONSIDER_MS else 0.0
    return speech_ms if is_agreement(text, before_answer=before_answer) else 0.0


def is_agreement(text: str, *, before_answer: bool) -> bool:
    """Whether whoever says this does not want the turn. Nobody agrees to what has not been said: before anything of the
    answer was heard a "yes" is more of the user's turn, and only a hum is not."""
    return is_hum(text) if before_answer else is_backchannel(text)


def has_words(
    text: str, speech_ms: float, *, whole: bool, sure: bool, before_answer: bool, guess: bool = False
) -> bool:
    """Whether this text, heard in so much speech, interrupts. In very short sounds only few words are believed.

    `whole`: it is all that was said before a pause. `before_answer`: the speech began when nothing of the answer had
    been heard. `sure`: the transcriber believes it itself. It misreads "mm-hmm" as "Emme" or "I'm home", but also "停"
    as "灯": one word in doubt is a hum only if it begins like one and is no command, and one word after two hums is
    theirs. A command after a hum is one, whatever it begins like: "Um, no.", "mm 不". A text in the middle of the
    speech may break off inside a word: as a `guess`, or as the beginning of a backchannel, it waits for the next,
    unless it is a command.
    """
    unfinished = not whole and ((guess and speech_ms < CONFIRM_UNREAD_MS) or may_become_backchannel(text))
    if unfinished and not takes_turn(text):
        return False
    misread = ends_a_hum(text) or (not sure and begins_like_hum(text))
    misread_hum = misread and speech_ms < CONFIRM_UNREAD_MS
    believed = not misread_hum or (whole and has_several_words(text))
    if believed and speech_ms >= CONSIDER_MS:
        return not is_agreement(text, before_answer=before_answer)
    if speech_ms < CONSIDER_MS and (not whole or speech_ms < CONSIDER_WHOLE_MS):
        return False
    if ends_with_command(text):
        return True
    # Nobody comments on an answer that has not begun: this is more of the turn. But noises of this length are read, too
    return before_answer and not is_hum(text) and (is_backchannel(text) or (sure and believed))
