"""What a provider from anywhere gives, as its role promises it: changed where it is clear what is meant, else refused.

A text is a `TextDelta`, an array of 16-bit samples is bytes, a number of numpy is a number. What is refused is one
ProviderError that says what came and what is needed. All else of this package can rely on the types. Looks only at
values: it knows no provider, no task and no metrics.
"""

from __future__ import annotations

import contextlib
import inspect
import math
import operator
from collections.abc import AsyncGenerator, Sequence
from typing import Any, TypeVar

import msgspec

from realtime.contained import awaited
from realtime.core.messages import ChatEvent, ChatFinish, ChatUsage, TextDelta, ToolCallDelta, WordTime
from realtime.errors import ProviderError, ProviderUnavailable
from realtime.providers.base import (
    SpeechAudio,
    SpeechChunkDone,
    SpeechEvent,
    SpeechPaused,
    SpeechWords,
    Transcript,
)
from realtime.providers.store import StoredSummary, Taken

T = TypeVar("T")
CODE = "internal_error"  # nobody but the operator can mend it, and it is in this process
MOST_TOKENS = 2**53 - 1  # the largest whole number of the wire
ALMOST = 1e-3  # a probability may be so much below 0 or above 1, as sums of floats are
_SAMPLES = frozenset(("b", "B", "c", "h", "<h", "=h", "@h"))  # formats of a buffer that can be 16-bit PCM


def wrong(who: str, given: object, needed: str, *, code: str = CODE) -> ProviderError:
    """The error for this value: "The chat model n gave a str; a ChatEvent is needed."."""
    return refused(f"{who} gave {_kind(given)}; {needed}.", code=code)


def refused(message: str, *, code: str = CODE) -> ProviderError:
    """The error with this message: our own words, and names of classes."""
    error = ProviderUnavailable(message, code=code, retryable=False)
    error.reason = message
    return error


def _kind(given: object) -> str:
    """A class with its article. Numbers as they are: they are no text of a conversation."""
    if given is None or isinstance(given, bool | int | float):
        return f"{given!r}"[:40]
    name = type(given).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def unfit(who: str, given: object, lacking: str) -> ProviderError:
    """The error for an object without all that its role needs: "... gave a Tones, which has no method `finish`."."""
    return refused(f"{who} gave {_kind(given)}, which {lacking}.")


def at_once(given: Any, who: str, needed: str) -> Any:
    """What a plain method gave. Raises ProviderError if it is an `async def`: nobody waits for it."""
    if not inspect.isawaitable(given):
        return given
    if inspect.iscoroutine(given):
        given.close()
    raise wrong(who, given, needed)


async def stream_of(given: Any, who: str, method: str) -> AsyncGenerator[Any, None]:
    """The stream that this method gave, perhaps through a coroutine. Raises ProviderError."""
    given = await awaited(given)
    if not hasattr(given, "__aiter__"):
        raise wrong(f"{who}'s {method}()", given, "an async generator is needed")
    return given if hasattr(given, "aclose") else _generator(given)


async def _generator(events: Any) -> AsyncGenerator[Any, None]:
    async for event in events:
        yield event


# -- chat ----------------------------------------------------------------------------------------------------


def chat_event(given: Any, who: str) -> ChatEvent | None:
    """This event of a chat model; None: it says nothing. Raises ProviderError."""
    if type(given) is TextDelta and type(given.text) is str:
        return given
    match given:
        case str():
            return TextDelta(str(given))
        case TextDelta():
            return TextDelta(_text(given.text, who, "TextDelta.text"))
        case ToolCallDelta():
            return _call(given, who)
        case ChatUsage():
            return _usage(given, who)
        case ChatFinish():
            reason: Any = "stop" if given.reason is None else _text(given.reason, who, "ChatFinish.reason")
            return ChatFinish(reason, given.reasoning, _trace_id(given.trace_id, who))
    raise wrong(who, given, "a ChatEvent is needed")


def _call(given: ToolCallDelta, who: str) -> ToolCallDelta:
    arguments: Any = given.arguments
    if isinstance(arguments, dict):
        with contextlib.suppress(TypeError, ValueError):  # it is refused below
            arguments = msgspec.json.encode(arguments).decode()
    return ToolCallDelta(
        _whole(given.index, who, "ToolCallDelta.index"),
        _text(given.call_id, who, "ToolCallDelta.call_id"),
        _text(given.name, who, "ToolCallDelta.name"),
        _text(arguments, who, "ToolCallDelta.arguments"),
    )


def _usage(given: ChatUsage, who: str) -> ChatUsage | None:
    """None: the model does not know how many there were."""
    counts: tuple[Any, ...] = (
        given.input_tokens,
        given.output_tokens,
        given.cached_tokens,
        given.reasoning_tokens,
    )
    if None in counts[:2]:
        return None
    return ChatUsage(*(0 if count is None else _whole(count, who, "ChatUsage", least=0) for count in counts))


# -- speech --------------------------------------------------------------------------------------------------


class Sound:
    """The events of one utterance. Half a sample waits for its other half, which comes in the next piece."""

    def __init__(self, who: str) -> None:
        self._who = who
        self._half = b""
        self._chunk = -1  # whose half that is

    def event(self, given: Any) -> SpeechEvent | None:
        """This event of a voice; None: there is nothing in it. Raises ProviderError."""
        match given:
            case SpeechAudio():
                return self._audio(given)
            case SpeechWords():
                return self._words(given)
            case SpeechChunkDone():
                chunk = _whole(given.chunk, self._who, "SpeechChunkDone.chunk")
                return SpeechChunkDone(chunk, _trace_id(given.trace_id, self._who))
            case SpeechPaused():
                return given
        raise wrong(self._who, given, "a SpeechEvent is needed")

    def _audio(self, given: SpeechAudio) -> SpeechAudio | None:
        chunk, pcm = given.chunk, given.pcm
        if type(pcm) is bytes and type(chunk) is int and not self._half and pcm and not len(pcm) % 2:
            return given
        chunk = _whole(chunk, self._who, "SpeechAudio.chunk")
        pcm = self._bytes(pcm)
        if chunk == self._chunk:
            pcm = self._half + pcm
        whole = len(pcm) // 2 * 2
        self._half, self._chunk = pcm[whole:], chunk
        return SpeechAudio(chunk, pcm[:whole]) if whole else None

    def _bytes(self, pcm: Any) -> bytes:
        if isinstance(pcm, bytes):
            return bytes(pcm)
        try:
            view = memoryview(pcm)
        except (TypeError, ValueError, BufferError):
            raise wrong(self._who, pcm, "SpeechAudio.pcm needs bytes of 16-bit PCM") from None
        if sum(length > 1 for length in view.shape or ()) > 1:
            kind = f"{_kind(pcm)} of the shape {view.shape}"
            raise refused(f"{self._who} gave {kind}; SpeechAudio.pcm needs one channel.")
        if view.format not in _SAMPLES:
            kind = f"{_kind(pcm)} of the format {view.format!r}"
            raise refused(f"{self._who} gave {kind}; SpeechAudio.pcm needs bytes of 16-bit PCM.")
        return view.tobytes()

    def _words(self, given: SpeechWords) -> SpeechWords:
        chunk, words = _whole(given.chunk, self._who, "SpeechWords.chunk"), given.words
        if not isinstance(words, Sequence) or not all(isinstance(word, WordTime) for word in words):
            raise wrong(self._who, words, "SpeechWords.words needs a tuple of WordTime")
        return SpeechWords(chunk, tuple(self._word(word) for word in words))

    def _word(self, word: WordTime) -> WordTime:
        begin, end = (_whole(at, self._who, "WordTime") for at in (word.begin, word.end))
        return WordTime(
            begin, end, *(_number(ms, self._who, "WordTime") for ms in (word.start_ms, word.end_ms))
        )


# -- what listens --------------------------------------------------------------------------------------------


def transcript_of(given: Any, who: str) -> Transcript:
    """This transcript; a text is one. Raises ProviderError."""
    if isinstance(given, str):
        return Transcript(str(given))
    if not isinstance(given, Transcript):
        raise wrong(who, given, "a Transcript is needed", code="transcription_failed")
    return Transcript(
        _text(given.text, who, "Transcript.text"),
        optional_text(given.language, who, "Transcript.language"),
        _known(given.log_probability, who, "Transcript.log_probability"),
        _known(given.last_word, who, "Transcript.last_word"),
        _known(given.stop, who, "Transcript.stop"),
        optional_text(given.murmur, who, "Transcript.murmur"),
    )


def probability(given: Any, who: str) -> float:
    """This probability. Raises ProviderError."""
    if type(given) is float and 0.0 <= given <= 1.0:
        return given
    number = _number(given, who, "a probability", needed="one number from 0 to 1 is needed")
    if not -ALMOST <= number <= 1 + ALMOST:
        raise wrong(who, given, "a probability from 0 to 1 is needed")
    return min(1.0, max(0.0, number))


def probabilities(given: Any, count: int, who: str) -> list[float]:
    """One for each of so many frames. Raises ProviderError."""
    if type(given) is not list:
        if not hasattr(given, "__len__") or isinstance(given, str | bytes | dict):
            raise wrong(who, given, "a list with one probability for each frame is needed")
        given = list(given)
    if len(given) != count:
        raise wrong(f"{who}, asked about {count} frames,", len(given), "one probability for each is needed")
    return [probability(each, who) for each in given]


# -- what is stored ------------------------------------------------------------------------------------------


def bodies(given: Any, who: str) -> tuple[bytes, ...] | None:
    """These items; None: there is no such conversation. Raises ProviderError."""
    if given is None:
        return None
    if type(given) is tuple and all(type(body) is bytes for body in given):
        return given
    return tuple(_body(body, who) for body in _list(given, who, "a tuple of bytes is needed"))


def _body(given: Any, who: str) -> bytes:
    """Databases have several types for it. A number or NULL in one row is a damaged item, which nobody can read."""
    if isinstance(given, str):
        return given.encode("utf-8", "surrogatepass")
    if given is None or isinstance(given, int | float):
        return repr(given).encode()
    if not isinstance(given, bytes | bytearray | memoryview):
        raise refused(f"{who} gave {_kind(given)} as an item; bytes are needed.")
    return bytes(given)


def taken(given: Any, who: str) -> Taken | None:
    """This conversation with its epoch. Raises ProviderError."""
    if given is None:
        return None
    items = bodies(given.items, who) if isinstance(given, Taken) else None
    if items is None:
        raise wrong(who, given, "a Taken with a tuple of bytes is needed")
    return Taken(items, _whole(given.epoch, who, "Taken.epoch", least=0))


def summaries(given: Any, who: str) -> list[StoredSummary]:
    """This list of conversations. Raises ProviderError."""
    return [_summary(each, who) for each in _list(given, who, "a list of StoredSummary is needed")]


def _summary(given: Any, who: str) -> StoredSummary:
    if not isinstance(given, StoredSummary):
        raise wrong(who, given, "a list of StoredSummary is needed")
    return StoredSummary(
        _text(given.id, who, "StoredSummary.id"),
        _number(given.created_unix_s, who, "StoredSummary.created_unix_s"),
        _number(given.updated_unix_s, who, "StoredSummary.updated_unix_s"),
        bodies(given.opening, who) or (),
    )


def _list(given: Any, who: str, needed: str) -> Sequence[Any]:
    if not isinstance(given, Sequence) or isinstance(given, str | bytes | bytearray | memoryview):
        raise wrong(who, given, needed)
    return given


# -- parts of them -------------------------------------------------------------------------------------------


def _text(given: Any, who: str, where: str) -> str:
    """None is no text: so a service's own fields can be handed on."""
    if given is None:
        return ""
    if not isinstance(given, str):
        raise wrong(who, given, f"{where} needs a str")
    return str(given)


def optional_text(given: Any, who: str, where: str) -> str | None:
    """A text, or None. Raises ProviderError."""
    return None if given is None else _text(given, who, where)


def _trace_id(given: Any, who: str) -> str | None:
    """Some services count their requests."""
    return str(given) if isinstance(given, int) else optional_text(given, who, "trace_id")


def _whole(given: Any, who: str, where: str, least: int = -MOST_TOKENS) -> int:
    if type(given) is int and least <= given <= MOST_TOKENS:
        return given
    try:
        number = int(given if isinstance(given, float) and given == int(given) else operator.index(given))
    except (TypeError, ValueError, OverflowError):
        raise wrong(who, given, f"{where} needs whole numbers") from None
    if not least <= number <= MOST_TOKENS:
        raise wrong(who, given, f"{where} needs whole numbers")
    return number


def _number(given: Any, who: str, where: str, needed: str = "") -> float:
    """Also of an array that holds one. Raises ProviderError."""
    try:
        number = float(given.item() if hasattr(given, "item") and not isinstance(given, float) else given)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        number = math.nan
    if isinstance(given, str) or not math.isfinite(number):
        raise wrong(who, given, needed or f"{where} needs numbers")
    return number


def _known(given: Any, who: str, where: str) -> float | None:
    """What is no finite number nobody knows."""
    unknown = given is None or (isinstance(given, float) and not math.isfinite(given))
    return None if unknown else _number(given, who, where)
