"""What every provider of a role must do, as checks for the tests of its author.

Each is a coroutine that talks with the provider as the server does. It raises AssertionError with a sentence about what
is wrong. An error of the provider itself comes out as it is. The caller makes the provider and closes it.

    async def test_my_voice() -> None:
        await check_speech(MyVoice(), Voice("anna"))
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

import numpy as np

from realtime.core.messages import (
    ChatEvent,
    ChatFinish,
    ChatMessage,
    ChatRequest,
    ChatUsage,
    TextDelta,
    ToolCallDelta,
)
from realtime.deadlines import timeout
from realtime.errors import ConfigError, ConversationTakenOver
from realtime.providers import roles
from realtime.providers.base import (
    VAD_FRAME_SAMPLES,
    VAD_RATE,
    ChatModel,
    EndOfTurnModel,
    Samples,
    Speech,
    SpeechAudio,
    SpeechChunkDone,
    SpeechEvent,
    SpeechPaused,
    SpeechWords,
    Transcriber,
    Transcript,
    Voice,
    VoiceDetector,
    VoiceStream,
)
from realtime.providers.store import FIRST_EPOCH, Changes, LateItem, Store

LIMIT_S = 60.0  # for one answer of a provider
T = TypeVar("T")
END_S = 1.0  # from the last event to the end of a stream, and for a stop
CHUNKS = ("Good morning.", "How are you today?")
QUESTION = ChatRequest((ChatMessage("system", "Be brief."), ChatMessage("user", "What is two plus three?")))


def _must(true: object, sentence: str) -> None:
    if not true:
        raise AssertionError(sentence)


def _plays(role: str, provider: object) -> None:
    """Methods, arguments and attributes, as the server looks at them before it starts."""
    try:
        roles.check(role, provider)
    except ConfigError as error:
        raise AssertionError(str(error)) from error


async def _prewarm(provider: ChatModel | Transcriber) -> None:
    """A provider may do without."""
    if hasattr(provider, "prewarm"):
        await _within(LIMIT_S, provider.prewarm(), "`prewarm`")


def _check_budget(provider: ChatModel | Speech) -> None:
    if hasattr(provider, "requests_left"):
        _must(provider.requests_left() >= 0, "`requests_left` is 0 or more.")


async def _within(limit_s: float, work: Awaitable[T], what: str) -> T:
    limit = timeout(limit_s)
    try:
        async with limit:
            return await work
    except TimeoutError:
        if not limit.expired():
            raise  # the provider's own
        raise AssertionError(f"{what} takes longer than {limit_s:g} s.") from None


async def _given(answer: Any, what: str) -> Any:
    """The answer of a method that may be a plain one."""
    return await _within(LIMIT_S, answer, what) if isinstance(answer, Awaitable) else answer


async def _all(events: AsyncGenerator[T, None], is_last: Callable[[T], bool], what: str) -> list[T]:
    """Every event. After the last one that is needed the stream has a second to end."""
    received: list[T] = []
    async with aclosing(events):
        while True:
            ends = any(map(is_last, received))
            limit_s, waits_for = (END_S, "The end of") if ends else (LIMIT_S, "The next event of")
            event = await _within(limit_s, anext(events, None), f"{waits_for} {what}")
            if event is None:
                return received
            received.append(event)


# -- chat


async def check_chat(model: ChatModel, request: ChatRequest | None = None) -> None:
    """An answer from its first text to its end, two at the same time, and one that is stopped early."""
    _plays("chat", model)
    request = request or QUESTION
    _check_budget(model)
    await _prewarm(model)
    _check_answer(await _answer(model, request))
    for both in await asyncio.gather(_answer(model, request), _answer(model, request)):
        _check_answer(both)
    stream = model.stream(request)
    await _within(LIMIT_S, anext(stream, None), "The first event of `stream`")
    await _within(END_S, stream.aclose(), "The end of a `stream` that is closed early")
    _check_answer(await _answer(model, request))


async def _answer(model: ChatModel, request: ChatRequest) -> list[ChatEvent]:
    return await _all(model.stream(request), lambda event: isinstance(event, ChatFinish), "`stream`")


def _check_answer(events: Sequence[ChatEvent]) -> None:
    kinds = [type(event) for event in events]
    _must(kinds.count(ChatFinish) == 1, "An answer has one ChatFinish.")
    said, after = events[: kinds.index(ChatFinish)], kinds[kinds.index(ChatFinish) + 1 :]
    allowed = TextDelta | ToolCallDelta | ChatUsage
    _must(
        all(isinstance(event, allowed) for event in said),
        "Before ChatFinish there are only deltas and ChatUsage.",
    )
    _must(set(after) <= {ChatUsage}, "After ChatFinish there is nothing but ChatUsage.")
    _must(any(not isinstance(event, ChatUsage) for event in said), "An answer has text or a tool call.")


# -- speech


async def check_speech(speech: Speech, voice: Voice) -> None:
    """Two chunks in order, two replies at the same time, one without text, and one that is stopped early."""
    _plays("speech", speech)
    _check_budget(speech)
    prewarm: Any = getattr(speech, "prewarm", None)
    if prewarm is not None:
        await _given(prewarm(voice), "`prewarm`")
    _check_reply(await _reply(speech, voice, CHUNKS), CHUNKS)
    for both in await asyncio.gather(*(_reply(speech, voice, CHUNKS) for _ in range(2))):
        _check_reply(both, CHUNKS)
    _must(await _reply(speech, voice, ()) == [], "A reply without text has no events.")
    await _within(LIMIT_S, _stopped(speech, voice), "A reply that is stopped early")
    _check_reply(await _reply(speech, voice, CHUNKS), CHUNKS)


async def _reply(speech: Speech, voice: Voice, chunks: Sequence[str]) -> list[SpeechEvent]:
    async with speech.open(voice) as utterance:
        for number, text in enumerate(chunks):
            _must(await utterance.say(text) == number, "`say` returns the number of the chunk, from 0.")
        finished = utterance.finish()
        if finished is not None:
            await finished
        last = SpeechChunkDone(len(chunks) - 1)
        return await _all(utterance.events(), lambda event: event == last, "`events`")


async def _stopped(speech: Speech, voice: Voice) -> None:
    async with speech.open(voice) as utterance:
        await utterance.say(CHUNKS[0])
        async with aclosing(utterance.events()) as events:
            await anext(events, None)


def _check_reply(events: Sequence[SpeechEvent], chunks: Sequence[str]) -> None:
    told = [event for event in events if not isinstance(event, SpeechPaused)]
    numbers = [event.chunk for event in told]
    _must(numbers == sorted(numbers), "The events of a chunk come after those of the chunk before.")
    _must(set(numbers) == set(range(len(chunks))), "Every chunk of `say` has events, and no other one.")
    for number, text in enumerate(chunks):
        _check_chunk([event for event in told if event.chunk == number], text)


def _check_chunk(events: Sequence[SpeechEvent], text: str) -> None:
    ends = [isinstance(event, SpeechChunkDone) for event in events]
    _must(ends[-1] and sum(ends) == 1, "The last event of a chunk is its one SpeechChunkDone.")
    sound = [event.pcm for event in events if isinstance(event, SpeechAudio)]
    _must(any(sound), "Every chunk has sound.")
    _must(all(len(pcm) % 2 == 0 for pcm in sound), "Sound is whole samples of 16 bits.")
    for event in events:
        if isinstance(event, SpeechWords):
            places = [place for word in event.words for place in (word.begin, word.end)]
            _must(places == sorted(places), "Words are in the order of the text.")
            _must(
                not places or (places[0] >= 0 and places[-1] <= len(text)), "Words lie inside of their chunk."
            )
            times_ms = [word.start_ms for word in event.words]
            _must(times_ms == sorted(times_ms), "Words are in the order of the sound.")


# -- what is heard


async def check_transcriber(
    transcriber: Transcriber, samples: Samples | None = None, text: str | None = None
) -> None:
    """One utterance alone, several at the same time, and as speech that goes on. `samples` (mono at 16 kHz) should say
    `text`; without them it is a second of silence."""
    _plays("transcriber", transcriber)
    await _prewarm(transcriber)
    sound = np.zeros(VAD_RATE, np.int16) if samples is None else samples
    finals = [True, True, False] if getattr(transcriber, "interim", False) else [True, True]
    decodes = (transcriber.transcribe(sound.copy(), language=None, final=final) for final in finals)
    read = await _within(LIMIT_S, asyncio.gather(*decodes), "`transcribe`")
    for transcript in read:
        _check_transcript(transcript)
    _must(text is None or read[0].text == text, f"The text is {read[0].text!r}, and not {text!r}.")


def _check_transcript(transcript: Transcript) -> None:
    _must(isinstance(transcript, Transcript), "`transcribe` returns a Transcript.")
    _must(isinstance(transcript.text, str), "`text` of a Transcript is a text; without words it is empty.")
    certain = transcript.log_probability
    _must(certain is None or certain <= 0, "`log_probability` is at most 0.")
    for probability in (transcript.last_word, transcript.stop):
        _must(probability is None or 0 <= probability <= 1, "`last_word` and `stop` are from 0 to 1.")


async def check_end_of_turn(model: EndOfTurnModel) -> None:
    """Short and long sound, several at the same time."""
    _plays("end_of_turn", model)
    sounds = [np.zeros(int(seconds * VAD_RATE), np.int16) for seconds in (0.3, 1, 20)]
    answers = await _within(LIMIT_S, asyncio.gather(*map(model.finished, sounds)), "`finished`")
    _must(all(0 <= answer <= 1 for answer in answers), "`finished` is a probability from 0 to 1.")


async def check_voice_detector(detector: VoiceDetector) -> None:
    """One frame and seconds of them; silence is no speech; conversations do not mix; `reset` begins anew."""
    _plays("vad", detector)
    quiet = [np.zeros(VAD_FRAME_SAMPLES, np.int16)] * 40
    loud = list(np.random.default_rng(1).integers(-9000, 9000, (40, VAD_FRAME_SAMPLES)).astype(np.int16))
    alone, one, other = detector.open(), detector.open(), detector.open()
    expected = await _heard(alone, quiet)
    _must(max(expected) < 0.5, "Silence is no speech.")
    (first,) = await _heard(one, quiet[:1])
    rest, _ = await asyncio.gather(_heard(one, quiet[1:]), _heard(other, loud))
    _must(
        _same([first, *rest], expected),
        "A conversation hears nothing of another one, and frames count one by one.",
    )
    if hasattr(other, "reset"):
        other.reset()
        _must(_same(await _heard(other, quiet), expected), "After `reset` nothing of earlier frames counts.")
    for stream in (alone, one, other):
        if hasattr(stream, "close"):
            stream.close()


async def _heard(stream: VoiceStream, frames: Sequence[Samples]) -> list[float]:
    answer = list(await _within(LIMIT_S, stream.probabilities(frames), "`probabilities`"))
    _must(len(answer) == len(frames), "`probabilities` has one number for each frame.")
    _must(all(0 <= each <= 1 for each in answer), "`probabilities` are from 0 to 1.")
    return answer


def _same(some: Sequence[float], others: Sequence[float]) -> bool:
    return bool(np.allclose(some, others, atol=0.02))


# -- stores


async def check_store(store: Store, *, shared: bool = False) -> None:
    """What is saved is loaded, by its owner alone, until it is forgotten. `shared`: also what several processes need
    that use one store. It saves conversations of owners that nobody else has."""
    _plays("store", store)
    await _check_items(_Kept(store))
    await _check_owners(_Kept(store), _Kept(store))
    many = [_Kept(store) for _ in range(20)]
    await asyncio.gather(*(each.grows() for each in many))
    for each in many:
        await each.has(b"1", b"2", b"3", why="Conversations that are saved at the same time are all kept.")
    if shared:
        await _check_taken(_Kept(store))


class _Kept:
    """One conversation of an owner with a strange name."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.owner, self.id = (f"'; DROP TABLE item; -- 你好 {secrets.token_hex(8)}" for _ in range(2))

    async def save(
        self,
        order: Sequence[str],
        changed: Mapping[str, bytes],
        deleted: Collection[str] = (),
        epoch: int = FIRST_EPOCH,
    ) -> None:
        changes = Changes(order, changed, deleted)
        await _given(self.store.save(self.owner, self.id, epoch, changes), "`save`")

    async def grows(self) -> None:
        for items in ("1", "12", "123"):
            await self.save(list(items), {items[-1]: items[-1].encode()})

    async def has(self, *items: bytes, why: str) -> None:
        loaded = await _given(self.store.load(self.owner, self.id), "`load`")
        _must(loaded is not None and _raw(loaded) == items, why)

    async def is_unknown(self, why: str) -> None:
        _must(await _given(self.store.load(self.owner, self.id), "`load`") is None, why)

    async def forget(self) -> None:
        await _given(self.store.forget(self.owner, self.id), "`forget`")


def _raw(items: Sequence[bytes | str]) -> tuple[bytes, ...]:
    """A store may give texts."""
    return tuple(item.encode() if isinstance(item, str) else bytes(item) for item in items)


async def _check_items(kept: _Kept) -> None:
    await kept.is_unknown("A conversation that nobody has saved is None.")
    await kept.save([], {})
    await kept.has(why="A conversation without items is kept, too.")
    await kept.save(["b", "a"], {"a": b'{"n":1}', "b": b'{"n":2}'})
    await kept.has(b'{"n":2}', b'{"n":1}', why="Items are loaded in their order.")
    await kept.save(["b", "a", "c"], {"a": b"one", "c": b"3"})
    await kept.has(b'{"n":2}', b"one", b"3", why="What has not changed stays, and is not given again.")
    await kept.save(["b", "c"], {}, {"a"})
    await kept.has(b'{"n":2}', b"3", why="A deleted item is gone.")
    for _ in range(2):
        await kept.forget()
    await kept.is_unknown("What was forgotten is None.")


async def _check_owners(one: _Kept, other: _Kept) -> None:
    other.id = one.id
    await one.save(["a"], {"a": b"1"})
    await other.is_unknown("No owner finds the conversation of another one.")
    await other.save(["a"], {"a": b"2"})
    await one.has(b"1", why="Two owners may have conversations with the same id.")
    await other.forget()
    await one.has(b"1", why="`forget` is for one owner.")


async def _check_taken(kept: _Kept) -> None:
    await kept.save(["a"], {"a": b"1"})
    taken = await kept.store.take(kept.owner, kept.id)
    _must(taken is not None and _raw(taken.items) == (b"1",), "`take` loads the conversation.")
    _must(
        taken is not None and taken.epoch > FIRST_EPOCH, "`take` gives out an epoch above all earlier ones."
    )
    epoch = taken.epoch if taken is not None else FIRST_EPOCH
    await _check_refused(kept, FIRST_EPOCH, "A session whose conversation was taken over saves nothing.")
    late = {"b": LateItem(None, b"2"), "a": LateItem(b"another", b"one")}
    await kept.store.add_late(kept.owner, kept.id, ["a", "b"], late)
    await kept.has(b"1", b"2", why="`add_late` adds what is new, and leaves what has changed since.")
    await kept.save(["a", "b"], {"a": b"mine"}, epoch=epoch)
    await kept.has(b"mine", b"2", why="The session that took a conversation over saves it.")
    await kept.forget()
    await _check_refused(kept, epoch, "A session whose conversation was forgotten saves nothing.")
    await kept.is_unknown("What was forgotten is None.")


async def _check_refused(kept: _Kept, epoch: int, why: str) -> None:
    try:
        await kept.save(["a"], {"a": b"old"}, epoch=epoch)
    except ConversationTakenOver:
        return
    raise AssertionError(f"{why} Its `save` raises ConversationTakenOver.")
