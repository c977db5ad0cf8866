"""`POST /v1/voice_clone`: a recording in, a voice that sounds like it out (docs/minimax/voices.md 2).

Reads the fields and the files, and compares recordings with their texts. The rules are in `clone_rules.py`, the
measuring is in `voice_samples.py`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from . import fields
from .clone_rules import (
    CloneRequest,
    Problem,
    agreement,
    check_recordings,
    check_request,
    check_said,
    expected_agreement,
)
from .files import find_upload
from .native import Call, Endpoint, add_endpoint
from .refusal import Refusal
from .speech_request import LANGUAGES, MODELS
from .transcriber import NotInstalled, Unreadable, transcribe
from .voice_demo import speak_demo
from .voice_engine import VoiceUnavailable
from .voice_samples import KEPT_S, Sample, UnreadableRecording, cloned_traits, read_sample
from .voices import account_of, create_voice, is_taken

PATH = "/v1/voice_clone"
NO_DEMO: dict[str, Any] = {"input_sensitive": False, "input_sensitive_type": 0, "demo_audio": ""}


def add_routes(app: web.Application) -> None:
    """Register the endpoint."""
    endpoint = Endpoint("clone", clone, "clone", "voice.clone_ms", refused=NO_DEMO)
    add_endpoint(app, "POST", PATH, endpoint)


async def clone(call: Call) -> dict[str, Any]:
    """Make a voice from an uploaded recording, and with `text` a demo of it. Raises Refusal."""
    request = read_request(call.body)
    _refuse(check_request(request, lambda voice_id: is_taken(call.state, voice_id)))
    data = await _uploaded(call, request.file_id, "voice_clone")
    prompt_data = None
    if request.prompt_audio is not None:
        prompt_data = await _uploaded(call, request.prompt_audio, "prompt_audio")
    sample = await _measured(data)
    prompt = None if prompt_data is None else await _measured(prompt_data)
    _refuse(check_recordings(sample, prompt))
    await _check_texts(request, data, sample, prompt_data, prompt)
    return await _created(call, request, sample)


def read_request(body: dict[str, Any]) -> CloneRequest:
    """The fields with their types. Raises Refusal 2013 with the field's name."""
    for name in ("need_noise_reduction", "need_volume_normalization", "aigc_watermark"):
        fields.flag(body, name)
    prompt = fields.mapping(body, "clone_prompt")
    return CloneRequest(
        file_id=fields.int64(body, "file_id"),
        voice_id=fields.text(body, "voice_id"),
        prompt_audio=fields.int64(prompt, "prompt_audio") if prompt.get("prompt_audio") is not None else None,
        prompt_text=fields.text(prompt, "prompt_text", ""),
        text=fields.text(body, "text", ""),
        model=fields.one_of(body, "model", MODELS, None),
        language_boost=fields.one_of(body, "language_boost", LANGUAGES, None),
        text_validation=fields.text(body, "text_validation", ""),
        accuracy=fields.number(body, "accuracy", 0, 1, 0.0),
    )


def _refuse(problem: Problem | None) -> None:
    if problem is not None:
        raise Refusal(problem.code, problem.message)


async def _uploaded(call: Call, file_id: int, purpose: str) -> bytes:
    artefact = find_upload(call.state, file_id, purpose)
    try:
        return await asyncio.to_thread(artefact.read)
    except OSError:  # it was deleted, or newer files took its place
        raise Refusal(2013, "invalid params, invalid file_id") from None


async def _measured(data: bytes) -> Sample:
    try:
        return await asyncio.to_thread(read_sample, data)
    except UnreadableRecording as error:
        raise Refusal(20132, f"invalid samples or voice_id, {error}") from None
    except VoiceUnavailable as error:
        raise Refusal(1000, str(error)) from None


async def _check_texts(
    request: CloneRequest, data: bytes, sample: Sample, prompt_data: bytes | None, prompt: Sample | None
) -> None:
    """Raises Refusal 1043 or 1044."""
    language = request.language_boost
    sample_share = prompt_share = None
    if request.text_validation:
        sample_share = await asyncio.to_thread(_agreement, data, sample, request.text_validation, language)
    if prompt_data is not None and prompt is not None:
        prompt_share = await asyncio.to_thread(_agreement, prompt_data, prompt, request.prompt_text, language)
    _refuse(check_said(request, sample_share, prompt_share))


def _agreement(data: bytes, sample: Sample, text: str, language: str | None) -> float:
    """How far a recording says a text, 0 to 1; without a transcriber a guess by its length."""
    try:
        said = transcribe(data, _spoken_language(text, language), KEPT_S + 1)
    except NotInstalled:
        return expected_agreement(text, sample)
    except Unreadable as error:
        raise Refusal(20132, f"invalid samples or voice_id, {error}") from None
    return agreement(text, said.text)


def _spoken_language(text: str, language: str | None) -> str:
    """The transcriber's name for the language of a recording, from its text."""
    if any("\u3040" <= c <= "\u30ff" for c in text):
        return "ja"
    if any("\uac00" <= c <= "\ud7af" for c in text):
        return "ko"
    if any("\u4e00" <= c <= "\u9fff" for c in text):
        return "yue" if language == "Chinese,Yue" else "zh"
    return _LATIN.get(language or "", "en")


_LATIN = {
    "Spanish": "es", "French": "fr", "Portuguese": "pt", "German": "de", "Italian": "it", "Polish": "pl",
    "Turkish": "tr", "Russian": "ru", "Ukrainian": "uk", "Arabic": "ar", "Vietnamese": "vi", "Indonesian": "id",
    "Thai": "th", "Malay": "ms", "Filipino": "fil",
}  # fmt: skip


async def _created(call: Call, request: CloneRequest, sample: Sample) -> dict[str, Any]:
    answer = dict(NO_DEMO)
    traits = cloned_traits(sample)
    if request.text and request.model:
        demo = await speak_demo(
            request.text, request.voice_id, traits, model=request.model, language_boost=request.language_boost
        )
        artefact = call.state.store.add(demo.mp3, f"{call.trace_id}.mp3", "audio/mpeg")
        answer |= {"demo_audio": call.link(artefact), "extra_info": demo.info}
    if is_taken(call.state, request.voice_id):  # a second request was faster
        raise Refusal(2039)
    create_voice(call.state, request.voice_id, "voice_cloning", [], traits, account_of(call.request))
    return answer
