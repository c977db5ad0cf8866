"""`POST /v1/t2a_v2`: speech over HTTP, whole or streamed.

Every refusal is HTTP 200 with `base_resp`. Rules: docs/minimax/t2a-http.md.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import numpy as np
from aiohttp import web

from .context import (
    OPTIONS,
    STATE,
    base_resp,
    cut,
    delay_ms,
    faults_for,
    key_error,
    native_error,
    new_trace_id,
    sleep_ms,
    stall,
)
from .encode import CONTENT_TYPES, encode_all
from .faults import Faults
from .json_frames import frame_json
from .refusal import Refusal
from .speech_request import SpeechSettings, check_text, read_settings
from .speech_stream import AudioFrame, Synthesis, extra_info, file_entry
from .voice import Speech, VoiceUnavailable, speak
from .voices import account_of, use_voice

PATH = "/v1/t2a_v2"
EXTENSIONS = {"pcmu_raw": "ulaw", "pcmu_wav": "wav", "opus": "ogg"}


def add_routes(app: web.Application) -> None:
    """Register the endpoint."""
    app.router.add_post(PATH, speech)


class _Dropped(Exception):
    """A fault has cut the connection."""


@dataclass(frozen=True, slots=True)
class _Job:
    """One valid request."""

    request: web.Request
    faults: Faults
    settings: SpeechSettings
    body: dict[str, Any]
    trace_id: str

    @property
    def text(self) -> str:
        return str(self.body["text"])


async def speech(request: web.Request) -> web.StreamResponse:
    """Synthesize a text."""
    trace_id = new_trace_id()
    try:
        job = await _read(request, trace_id)
        if job.faults.has("speech.stall"):
            await stall(request.app)
        return await (_stream(job) if job.body.get("stream") else _whole(job))
    except Refusal as refusal:
        await sleep_ms(request.app, "http.error_ms")
        return _refused(refusal.code, refusal.message, trace_id)
    except VoiceUnavailable as error:
        return _refused(1000, str(error), trace_id)
    except _Dropped:
        return web.Response()  # never sent


def _refused(code: int, message: str | None, trace_id: str) -> web.Response:
    body = {"data": None, "trace_id": trace_id} | native_error(code, message)
    return web.json_response(body, headers={"trace-id": trace_id})


async def _read(request: web.Request, trace_id: str) -> _Job:
    faults = faults_for(request)
    if wrong := key_error(request):
        raise Refusal(*wrong)
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError):
        body = None
    state = request.app[STATE]
    state.record(request, body)
    if not isinstance(body, dict):
        raise Refusal(2013, "invalid params, body is not a JSON object")
    text = body.get("text")
    if not isinstance(text, str) or not text.strip():
        raise Refusal(2013, "invalid params, invalid params: text")
    if len(text) > request.app[OPTIONS]["speech.max_text"]:
        raise Refusal(2013, "invalid params, invalid params: text is too long")
    _check_http_fields(body)
    settings = read_settings(body, state, streaming=bool(body.get("stream")), account=account_of(request))
    if (code := faults.number("speech.error")) is not None:
        raise Refusal(code)
    check_text(text)
    if not state.take("speech", account_of(request)):
        raise Refusal(1002)
    state.record_speech(text, settings.model, settings.style.voice_id, "http")
    use_voice(state, settings.style.voice_id)
    _drop_at(request, faults, "text")
    return _Job(request, faults, settings, body, trace_id)


def _check_http_fields(body: dict[str, Any]) -> None:
    for name in ("stream", "aigc_watermark", "text_normalization"):
        if body.get(name) is not None and not isinstance(body[name], bool):
            raise Refusal(2013, f"invalid params, invalid params: {name}")
    if body.get("output_format", "hex") not in ("hex", "url"):
        raise Refusal(2013, "invalid params, invalid params: output_format")
    if not isinstance(body.get("stream_options") or {}, dict):
        raise Refusal(2013, "invalid params, invalid params: stream_options")
    if body.get("subtitle_type") == "word_streaming" and not body.get("stream"):
        raise Refusal(2013, "invalid params, invalid params: subtitle_type")


def _drop_at(request: web.Request, faults: Faults, moment: str) -> None:
    if faults.get("speech.drop_at") == moment:
        _drop(request)


def _drop(request: web.Request) -> None:
    cut(request)
    raise _Dropped


async def _whole(job: _Job) -> web.Response:
    app, settings = job.request.app, job.settings
    loop = asyncio.get_running_loop()
    ready_s = loop.time() + delay_ms(app, settings.first_wait) / 1000
    async with aclosing(speak(job.text, settings.style)) as segments:
        speeches = [segment async for segment in segments]
    audio = await asyncio.to_thread(_encode, speeches, settings)
    length_ms = sum(speech.duration_ms for speech in speeches)
    ready_s += length_ms / app[OPTIONS]["speech.factor"] / 1000
    await asyncio.sleep(max(0.0, ready_s - loop.time()))
    _drop_at(job.request, job.faults, "final")
    data: dict[str, Any] = {
        "audio": _url(job, audio) if _wants_url(job) else audio.hex(),
        "status": 2,
        "ced": "",
    }
    if settings.subtitles:
        data["subtitle_file"] = _subtitle_url(job, speeches)
    return web.json_response(
        {
            "data": data,
            "extra_info": extra_info(job.text, settings, length_ms, len(audio)),
            "trace_id": job.trace_id,
            "base_resp": base_resp(),
        },
        headers={"trace-id": job.trace_id},
    )


def _encode(speeches: list[Speech], settings: SpeechSettings) -> bytes:
    pcm = np.concatenate([speech.pcm for speech in speeches])
    rate, channels = settings.style.rate, settings.channels
    return encode_all(pcm, settings.format, rate, channels=channels, bitrate=settings.bitrate)


def _wants_url(job: _Job) -> bool:
    return job.body.get("output_format") == "url" and not job.body.get("stream")


def _url(job: _Job, data: bytes) -> str:
    format = job.settings.format
    return _link(job, data, EXTENSIONS.get(format, format), CONTENT_TYPES[format])


def _subtitle_url(job: _Job, speeches: list[Speech]) -> str:
    data = json.dumps(_subtitle_file(job, speeches), ensure_ascii=False).encode()
    return _link(job, data, "json", "application/json")


def _link(job: _Job, data: bytes, ending: str, content_type: str) -> str:
    store = job.request.app[STATE].store
    artefact = store.add(data, f"{job.trace_id}.{ending}", content_type)
    return f"{job.request.scheme}://{job.request.host}{store.link(artefact)}"


def _subtitle_file(job: _Job, speeches: list[Speech]) -> list[dict[str, Any]]:
    """The older form of subtitles, a JSON array (t2a-http.md 2)."""
    entries: list[dict[str, Any]] = []
    offset_ms = 0.0
    for speech in speeches:
        words = speech.words if job.settings.subtitles == "word" else None
        split = job.faults.has("speech.split_words")
        entries.append(file_entry(job.text, speech, offset_ms, words, split=split))
        offset_ms += speech.duration_ms
    if entries:
        entries[-1]["is_final_segment"] = True
    return entries


async def _stream(job: _Job) -> web.StreamResponse:
    synthesis = Synthesis(
        job.request.app, job.settings, job.text, split_words=job.faults.has("speech.split_words"), keep=True
    )
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "trace-id": job.trace_id})
    sent = 0
    async with aclosing(synthesis.frames()) as frames:
        async for frame in frames:
            # Prepared only now: a missing voice must still become a plain JSON refusal.
            if not response.prepared:
                await response.prepare(job.request)
            await _send_frame(job, response, frame, sent)
            sent += 1
    _drop_at(job.request, job.faults, "final")
    await _send(
        job, response, {"data": await _last(job, synthesis.speeches), "extra_info": synthesis.extra_info}
    )
    return response


async def _send_frame(job: _Job, response: web.StreamResponse, frame: AudioFrame, sent: int) -> None:
    after = job.faults.number("speech.drop_after")
    if after is not None and sent >= after:
        _drop(job.request)
    audio_hex = frame.audio.hex()
    if sent:
        _drop_at(job.request, job.faults, "mid")
        if job.faults.has("speech.empty_data"):
            await _send(job, response, {"data": None})
    if sent == 1 and job.faults.has("speech.bad_hex"):
        audio_hex = f"zz{audio_hex[:-1]}"
    data: dict[str, Any] = {"audio": audio_hex, "status": 1, "ced": ""}
    if frame.subtitle and job.settings.subtitles == "word_streaming":
        data["subtitle"] = frame.subtitle
    await _send(job, response, {"data": data})


async def _last(job: _Job, speeches: list[Speech]) -> dict[str, Any]:
    """The data of the status-2 event: all audio again, as one file, unless the client excludes it."""
    data: dict[str, Any] = {"audio": "", "status": 2, "ced": ""}
    if not (job.body.get("stream_options") or {}).get("exclude_aggregated_audio"):
        data["audio"] = (await asyncio.to_thread(_encode, speeches, job.settings)).hex()
    if job.settings.subtitles in ("sentence", "word"):
        data["subtitle_file"] = _subtitle_url(job, speeches)
    return data


async def _send(job: _Job, response: web.StreamResponse, fields: dict[str, Any]) -> None:
    event = fields | {"trace_id": job.trace_id, "base_resp": base_resp(0, "")}
    await response.write(b"data: " + frame_json(event) + b"\n\n")
