"""Long text to speech: `POST /v1/t2a_async_v2` and `GET /v1/query/t2a_async_query_v2` (docs/minimax/t2a-async.md).

Knows requests and answers. The text is read by `narration_source`, spoken and packed by `narration_tar`.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from aiohttp import web

from . import fields
from .callbacks_out import start_job
from .context import OPTIONS
from .files import find_upload
from .jobs import Job, JobKind
from .narration_source import Part, parts_of
from .narration_tar import write_tar
from .native import Call, Endpoint, add_endpoint
from .refusal import Refusal
from .speech_request import RATES, SpeechSettings, check_text, read_settings
from .video import answered
from .voices import account_of, use_voice

MOST_TEXT = 50_000  # characters in `text`
OPUS_RATES = (8000, 12000, 16000, 24000, 48000)  # Hertz
_MODIFY_FORMATS = ("mp3", "wav", "flac")


def add_routes(app: web.Application) -> None:
    """Register the two endpoints."""
    kind = _kind(app)

    async def create(call: Call) -> dict[str, Any]:
        return await _create(call, kind)

    add_endpoint(app, "POST", "/v1/t2a_async_v2", Endpoint("narration", create, "narration"))
    endpoint = Endpoint("query", _query, "query", gateway="query.502")
    add_endpoint(app, "GET", "/v1/query/t2a_async_query_v2", endpoint)


@dataclasses.dataclass(frozen=True, slots=True)
class _Order:
    """What a task speaks. `upload` is the id of a text file, read when the task works; else `text`."""

    settings: SpeechSettings
    vol: float
    text: str = ""
    upload: int = 0


async def _create(call: Call, kind: JobKind) -> dict[str, Any]:
    body = call.body
    settings = _settings(call)
    text, file_id = body.get("text"), body.get("text_file_id")
    if (text is None) == (file_id is None):
        raise Refusal(2013, "invalid params, exactly one of text and text_file_id is required")
    if text is not None:
        spoken = fields.text(body, "text", least=1, most=MOST_TEXT)
        if not spoken.strip():
            raise fields.invalid("text")
        check_text(spoken)
        characters, upload = len(spoken), 0
    else:
        artefact = find_upload(call.state, file_id, "t2a_async_input")
        spoken, upload, characters = "", artefact.id, artefact.size
    vol = float((body.get("voice_setting") or {}).get("vol") or 1)
    use_voice(call.state, settings.style.voice_id)
    call.state.record_speech(spoken, settings.model, settings.style.voice_id, "narration")
    result = call.state.new_id()
    job = await start_job(
        call, kind, scale=characters / 10_000, extra={"file_id": result},
        inputs=_Order(settings, vol, spoken, upload),
    )  # fmt: skip
    return {
        "task_id": job.id,
        "task_token": f"sandbox.{job.id:x}.{call.trace_id}",
        "file_id": result,
        "usage_characters": characters,
    }


def _settings(call: Call) -> SpeechSettings:
    """The settings of this interface: its own name for the rate, two channels, rates of opus."""
    body = dict(call.body)
    audio = dict(fields.mapping(body, "audio_setting"))
    format = fields.one_of(
        audio, "format", ("mp3", "pcm", "flac", "wav", "pcmu_raw", "pcmu_wav", "opus"), "mp3"
    )
    allowed = OPUS_RATES if format == "opus" else RATES
    default = 24000 if format == "opus" else 32000
    rate = fields.one_of(audio, "audio_sample_rate", allowed, default)
    if fields.mapping(body, "voice_modify") and format not in _MODIFY_FORMATS:
        raise fields.invalid("voice_modify")
    audio = {name: value for name, value in audio.items() if name not in ("audio_sample_rate", "sample_rate")}
    audio.setdefault("channel", 2)
    body = {name: value for name, value in body.items() if name not in ("timbre_weights", "subtitle_type")}
    body["audio_setting"] = audio
    fields.flag(body, "aigc_watermark")
    settings = read_settings(body, call.state, streaming=False, account=account_of(call.request))
    return dataclasses.replace(settings, style=dataclasses.replace(settings.style, rate=rate))


def _kind(app: web.Application) -> JobKind:
    options = app[OPTIONS]

    async def work(job: Job) -> int:
        """The id of the file with the archive."""
        order: _Order = job.inputs
        parts = [Part("content", order.text)] if order.text else _uploaded(job, order.upload)
        for part in parts:
            check_text(part.text)
        characters = sum(len(part.text) for part in parts)
        most = int(options["narration.most_spoken"])
        if characters > most:
            why = f"the sandbox speaks {most} characters of a task at most, this one has {characters}"
            raise Refusal(1000, f"{why}; raise narration.most_spoken")
        file = job.store.open_new()
        try:
            await write_tar(file, job.id, parts, order.settings, order.vol, job.changed_unix_s)
        except BaseException:
            job.store.discard(file)
            raise
        return job.store.adopt(
            file, f"{job.id}.tar", "application/x-tar", life="life.narration_h", purpose="t2a_async",
            link_life="life.narration_link_h", id=job.extra["file_id"],
        ).id  # fmt: skip

    stages = (("Processing", "narration.least_s"), ("Processing", "narration.process_s"))
    return JobKind("narration", stages, work, fail="Failed")


def _uploaded(job: Job, upload: int) -> list[Part]:
    artefact = job.store.get(upload)
    if artefact is None:
        raise Refusal(2013, "invalid params, the text file is gone")
    return parts_of(artefact.read(), artefact.filename)


async def _query(call: Call) -> dict[str, Any] | web.Response:
    job = await call.state.jobs.current(call.body.get("task_id", ""), "narration")
    answer = {"task_id": job.id, "status": job.word, "file_id": job.extra["file_id"]}
    return answered(answer, job.error, call.trace_id)
