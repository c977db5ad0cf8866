"""`mm.voices`: list, clone, design and delete voices (docs/minimax/voices.md).

A new voice is in no list before its first use in speech, and is deleted after 168 h without one. Rules and results of
cloning are in `clone`, of design in `design`; what an id tells is in `voice_language`.
"""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Iterator, Mapping, MutableSequence, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from realtime.errors import InvalidArgument, ProviderError, ProviderRejected
from realtime.minimax.audio_length import audio_seconds
from realtime.minimax.clone import ClonedVoice, check_prompt, clone_body, cloned_voice
from realtime.minimax.design import DesignedVoice, design_body, designed_voice
from realtime.minimax.door import Door
from realtime.minimax.fields import Id, refused, shown
from realtime.minimax.file_purposes import wrong_length
from realtime.minimax.file_source import in_thread
from realtime.minimax.files import Files
from realtime.minimax.operations import OPERATIONS
from realtime.minimax.results import Result, items, text
from realtime.minimax.speech_rules import language_code, language_name
from realtime.minimax.upload import FileSource, OnProgress
from realtime.minimax.voice_language import Gender, voice_gender, voice_language

VoiceKind = Literal["system", "cloned", "designed"]
_WIRE: Mapping[str, str] = {
    "all": "all",
    "system": "system",
    "cloned": "voice_cloning",
    "designed": "voice_generation",
}
_LISTS: tuple[tuple[str, VoiceKind], ...] = (
    ("system_voice", "system"),
    ("voice_cloning", "cloned"),
    ("voice_generation", "designed"),
)
_FAULT = 1000
_UPLOADED_LATER = 1  # in place of an id, so that a body can be checked before the upload


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceInfo(Result):
    """One voice. `language` (a code) and `gender` are what the id of a system voice tells; None where it does not."""

    id: str
    kind: VoiceKind
    name: str = ""
    description: str = ""
    created: datetime.date | None = None
    language: str | None = None
    gender: Gender | None = None

    @classmethod
    def read(cls, entry: Mapping[str, Any], kind: VoiceKind) -> VoiceInfo:
        """From an object of the list."""
        voice_id, description = text(entry, "voice_id"), entry.get("description")
        words = description if isinstance(description, list) else [description]
        return cls(
            id=voice_id,
            kind=kind,
            name=text(entry, "voice_name"),
            description=" ".join(word for word in words if isinstance(word, str)),
            created=_date(text(entry, "created_time")),
            language=voice_language(voice_id) if kind == "system" else None,
            gender=voice_gender(voice_id) if kind == "system" else None,
            raw=entry,
        )


class Voices:
    """`mm.voices`."""

    def __init__(self, door: Door, files: Files) -> None:
        self._door = door
        self._files = files

    async def list(
        self, kind: VoiceKind | Literal["all"] = "all", language: str | None = None
    ) -> AsyncIterator[VoiceInfo]:
        """The voices of a kind, system voices first. New voices are in no list before their first use.

        `language` (a code like `zh`, or a name like `Chinese`) keeps the system voices whose id names it; every voice
        speaks every language. Raises InvalidArgument and ProviderError.
        """
        _check_kind(kind, tuple(_WIRE))
        code = None if language is None else language_code(language)
        answer = await self._door.call(OPERATIONS["voices.list"], body={"voice_type": _WIRE[kind]})
        for voice in read_voices(answer):
            if kind in ("all", voice.kind) and (code is None or voice.language == code):
                yield voice

    async def clone(
        self,
        voice_id: str,
        *,
        file: FileSource | None = None,
        file_id: str | int | None = None,
        prompt: tuple[FileSource | int, str] | None = None,
        say: str | None = None,
        model: str | None = None,
        text_validation: str | None = None,
        accuracy: float | None = None,
        reduce_noise: bool | None = None,
        normalize_volume: bool | None = None,
        language: str | None = None,
        watermark: bool | None = None,
        extra: Mapping[str, Any] | None = None,
        on_progress: OnProgress | None = None,
    ) -> ClonedVoice:
        """A new voice from a recording of 10 s to 5 min: `file`, which is uploaded, or the `file_id` of an upload.

        `prompt` is a second recording (or the int id of one) shorter than 8 s and its exact words. `say` with `model`
        makes a demo, which costs. `text_validation` is what the recording says; `accuracy` (0 to 1; 0 means 0.7) how
        well it has to. Everything is checked before the upload. What was uploaded here is deleted again if the clone
        is refused; after a lost answer it stays, because the platform may still use it.

        Raises InvalidArgument, AnswerLost (the voice may be made) and other ProviderErrors.
        """
        if (file is None) == (file_id is None):
            raise InvalidArgument("Give one recording: file or file_id.", param="file")
        check_prompt(prompt)
        values = {
            "voice_id": voice_id,
            "file_id": _UPLOADED_LATER if file_id is None else file_id,
            "prompt": None if prompt is None else {"prompt_audio": _UPLOADED_LATER, "prompt_text": prompt[1]},
            "say": say,
            "model": model,
            "text_validation": text_validation,
            "accuracy": accuracy,
            "reduce_noise": reduce_noise,
            "normalize_volume": normalize_volume,
            "language": language_name(language),
            "watermark": watermark,
        }
        body = clone_body(values, None if prompt is None else prompt[1], extra)
        uploaded: MutableSequence[int] = []
        try:
            if file is not None:
                body["file_id"] = await self._upload(file, "voice_clone", uploaded, on_progress)
            if prompt is not None:
                body["clone_prompt"]["prompt_audio"] = await self._prompt(prompt[0], uploaded)
            answer = await self._door.call(OPERATIONS["voices.clone"], body=body)
        except ProviderRejected as error:
            told = await self._with_length(error, body, "file" if file is not None else "file_id")
            await self._delete_files(uploaded)
            if told is error:
                raise
            raise told from error
        except ProviderError as error:
            if error.upstream_code == _FAULT:
                error.message += " A recording that cannot be decoded is answered like this, too."
                error.args = (error.message,)
            raise
        return cloned_voice(voice_id, body["file_id"], answer, self._door.http)

    async def design(
        self,
        prompt: str,
        *,
        say: str,
        voice_id: str | None = None,
        watermark: bool | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> DesignedVoice:
        """A new voice from a description, and a preview in which it says `say` (up to 500 characters, which cost).

        Raises InvalidArgument, AnswerLost (the voice may be made) and other ProviderErrors.
        """
        body = design_body(prompt, say, voice_id, watermark, extra)
        answer = await self._door.call(OPERATIONS["voices.design"], body=body)
        return await designed_voice(answer, voice_id)

    async def delete(self, voice_id: str, *, kind: Literal["cloned", "designed"] | None = None) -> None:
        """Delete a voice for good: its id stays taken. System voices cannot be deleted.

        Without `kind` it is looked up; a voice that was never used is in no list, so that both kinds are tried then.
        Raises InvalidArgument for an unknown voice.
        """
        if kind is not None:
            _check_kind(kind, ("cloned", "designed"))
        kinds = [kind] if kind is not None else await self._kinds(voice_id)
        for last, each in enumerate(kinds, 1 - len(kinds)):
            try:
                body = {"voice_type": _WIRE[each], "voice_id": voice_id}
                await self._door.call(OPERATIONS["voices.delete"], body=body)
                return
            except InvalidArgument:
                if not last:
                    raise

    async def _kinds(self, voice_id: str) -> Sequence[str]:
        async for voice in self.list():
            if voice.id == voice_id and voice.kind == "system":
                raise refused("voice_id", voice_id, "a system voice cannot be deleted")
            if voice.id == voice_id:
                return [voice.kind]
        return ["designed", "cloned"] if voice_id.startswith("ttv-voice-") else ["cloned", "designed"]

    async def _prompt(self, audio: FileSource | int, uploaded: MutableSequence[int]) -> int:
        if isinstance(audio, int):
            return _checked_id(audio)
        try:
            return await self._upload(audio, "prompt_audio", uploaded, None)
        except InvalidArgument as error:
            error.param = "prompt"
            raise

    async def _upload(
        self, file: FileSource, purpose: str, uploaded: MutableSequence[int], on_progress: OnProgress | None
    ) -> int:
        info = await self._files.upload(file, purpose=purpose, on_progress=on_progress)
        uploaded.append(int(info.id))
        return uploaded[-1]

    async def _delete_files(self, ids: Sequence[int]) -> None:
        for file_id, purpose in zip(ids, ("voice_clone", "prompt_audio"), strict=False):
            with suppress(ProviderError):  # it dies by itself after 7 days
                await self._files.delete(file_id, purpose=purpose)

    async def _with_length(
        self, error: ProviderRejected, body: Mapping[str, Any], param: str
    ) -> ProviderRejected:
        """The error with the measured length, where the length is what was wrong."""
        match error.upstream_code:
            case 2037:
                purpose, file_id = "voice_clone", body["file_id"]
            case 2048:
                purpose, file_id, param = "prompt_audio", body["clone_prompt"]["prompt_audio"], "prompt"
            case _:
                return error
        seconds: float | None = None
        with suppress(ProviderError):
            seconds = await in_thread(audio_seconds, await self._files.open(file_id))
        said = (
            f"MiniMax: {wrong_length(purpose, seconds)} (code {error.upstream_code})"
            if seconds
            else str(error)
        )
        return InvalidArgument(said, param=param, upstream_code=error.upstream_code, trace_id=error.trace_id)


def read_voices(answer: Mapping[str, Any]) -> Iterator[VoiceInfo]:
    """The voices in an answer of the list, system voices first."""
    for name, kind in _LISTS:
        for entry in items(answer, name):
            if (voice := VoiceInfo.read(entry, kind)).id:
                yield voice


def _check_kind(kind: object, allowed: Sequence[str]) -> None:
    if not isinstance(kind, str) or kind not in allowed:
        raise refused("kind", shown(kind), f"allowed is one of {', '.join(allowed)}")


def _checked_id(file_id: int) -> int:
    try:
        return Id().check(file_id)
    except ValueError as error:
        raise refused("prompt", error, "a recording or the id of one, and its text") from None


def _date(created: str) -> datetime.date | None:
    """The platform says a date, or seconds since 1970; system voices have the first day of 1970."""
    try:
        if created.isdigit():
            day = datetime.datetime.fromtimestamp(int(created), datetime.UTC).date()
        else:
            day = datetime.date.fromisoformat(created[:10])
    except (ValueError, OverflowError, OSError):
        return None
    return day if day.year > 1970 else None
