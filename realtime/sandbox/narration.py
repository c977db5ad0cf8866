"""`POST /v1/t2a_async_v2` and `GET /v1/query/t2a_async_query_v2`: speech of long texts.

Knows the fields, states and answers of docs/minimax/t2a-async.md. The text is read by `narration_text.py`, the result
written by `tar.py`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from threading import Event
from typing import Any

from aiohttp import web

from . import fields
from .callbacks_out import start_job
from .context import base_resp, message_for
from .encode import FORMATS
from .files import find_upload
from .jobs import Job, JobKind
from .narration_text import Section, sections_of
from .native import Call, Endpoint, add_endpoint
from .refusal import Refusal
from .speech_request import RATES, SpeechSettings, check_text, read_settings
from .store import Artefact
from .tar import Tar
from .threads import to_the_end
from .voices import account_of, use_voice

MODELS = tuple(
    f"speech-{version}-{size}" for version in ("2.8", "2.6", "02", "01") for size in ("hd", "turbo")
)
MOST_TEXT = 50_000  # characters of `text`
OPUS_RATES = (8000, 12000, 16000, 24000, 48000)  # Hertz
MODIFIED_FORMATS = ("mp3", "wav", "flac")  # those that `voice_modify` takes
_CHARACTERS_A_STAGE = 10_000  # of the option narration.process_s
_ASKED: web.AppKey[deque[float]] = web.AppKey("times of narration queries", deque)


def add_routes(app: web.Application) -> None:
    """Register both endpoints."""
    app[_ASKED] = deque()
    refused = {"task_id": 0, "task_token": "", "file_id": 0, "usage_characters": 0}
    add_endpoint(app, "POST", "/v1/t2a_async_v2", Endpoint("narration", create, "narration", refused=refused))
    asked = Endpoint("query", query, "query", gateway="query.502")
    add_endpoint(app, "GET", "/v1/query/t2a_async_query_v2", asked)


async def create(call: Call) -> dict[str, Any]:
    """Make a task. What is wrong with the inside of a file fails the task, not the request."""
    settings = read_narration(call)
    sections, trouble = await _sections(call)
    use_voice(call.state, settings.style.voice_id)
    call.state.record_speech(
        str(call.body.get("text") or ""), settings.model, settings.style.voice_id, "narration"
    )
    length = sum(len(section.text) for section in sections)
    file_id = call.state.new_id()
    extra = {"sections": sections, "trouble": trouble, "settings": settings, "file_id": file_id}
    extra |= {"most": int(call.state.options["narration.max_spoken"]), "unix_s": call.state.clock.unix_s()}
    kind, scale = _kind(call, length)
    job = await start_job(call, kind, scale=scale, extra=extra)
    return {
        "task_id": job.id,
        "task_token": secrets.token_urlsafe(48),
        "file_id": file_id,
        "usage_characters": sum(map(_billed, sections)),
    }


def _billed(section: Section) -> int:
    """A Han character counts as two (t2a-websocket.md 5)."""
    return len(section.text) + sum("\u4e00" <= letter <= "\u9fff" for letter in section.text)


async def query(call: Call) -> Mapping[str, Any] | web.Response:
    """The state of a task. Raises Refusal 1002 above the queries a second."""
    _count_query(call)
    job = await call.state.jobs.current(call.body.get("task_id", ""), "narration")
    answer = {"task_id": job.id, "status": job.word, "file_id": job.extra["file_id"]}
    if job.error is None:
        return answer
    # 2013 would say that the question is wrong, so a broken file has its reason in the message alone.
    code = 0 if job.error.code in (1000, 2013) else job.error.code
    reason = base_resp(code, job.error.message or message_for(job.error.code))
    return web.json_response(answer | {"base_resp": reason}, headers={"trace-id": call.trace_id})


def _count_query(call: Call) -> None:
    allowed, asked = call.state.options["narration.queries_per_s"], call.request.app[_ASKED]
    now_s = call.state.clock.now_s()
    while asked and asked[0] <= now_s - 1:
        asked.popleft()
    if allowed and len(asked) >= allowed:
        raise Refusal(1002)
    asked.append(now_s)


def read_narration(call: Call) -> SpeechSettings:
    """Check all but the text. Raises Refusal: 2013 with the field's name, 2054 for an unknown voice."""
    body = call.body
    fields.one_of(body, "model", MODELS)
    fields.flag(body, "aigc_watermark")
    audio = fields.mapping(body, "audio_setting")
    format = fields.one_of(audio, "format", FORMATS, "mp3")
    opus = format == "opus"
    rate = fields.one_of(
        audio, "audio_sample_rate", OPUS_RATES if opus else RATES, 24_000 if opus else 32_000
    )
    if fields.mapping(body, "voice_modify") and format not in MODIFIED_FORMATS:
        raise fields.invalid("voice_modify", f"takes only {', '.join(MODIFIED_FORMATS)}")
    channel = fields.one_of(audio, "channel", (1, 2), 2)
    # Only the fields of the page's table; the others of synchronous speech have no effect here.
    names = ("model", "voice_setting", "pronunciation_dict", "language_boost", "voice_modify")
    taken = {name: body.get(name) for name in names}
    taken["audio_setting"] = {"format": format, "bitrate": audio.get("bitrate"), "channel": channel}
    settings = read_settings(taken, call.state, streaming=False, account=account_of(call.request))
    # A book would keep the natural voice, and the processor, busy for hours.
    return replace(settings, style=replace(settings.style, rate=rate, natural=None))


async def _sections(call: Call) -> tuple[list[Section], Refusal | None]:
    """The texts of a request, and what is wrong with its file. Raises Refusal for a wrong source."""
    body = call.body
    text, file_id = body.get("text"), body.get("text_file_id")
    if (text is None) == (file_id is None):
        raise fields.invalid("text", "exactly one of text and text_file_id is required")
    if file_id is None:
        text = fields.text(body, "text", most=MOST_TEXT)
        if not text.strip():
            raise fields.invalid("text", "is empty")
        check_text(text)
        return [Section("content", 1, text)], None
    fields.int64(body, "text_file_id")
    upload = find_upload(call.state, file_id, "t2a_async_input")
    try:
        return await asyncio.to_thread(_read, upload), None
    except Refusal as refusal:
        return [], refusal


def _read(upload: Artefact) -> list[Section]:
    return sections_of(upload.read(), zipped=upload.filename.lower().endswith(".zip"))


def _kind(call: Call, length: int) -> tuple[JobKind, float]:
    """The kind of task for a text of `length` characters, and how many times its stage lasts."""
    options, scale = call.state.options, length / _CHARACTERS_A_STAGE
    if options["narration.process_s"] * scale <= options["narration.least_s"]:
        return SHORT, 1.0
    return LONG, scale


async def narrate(job: Job) -> int:
    """Say the text; the id of the tar. Raises Refusal for a broken file or a text that is too long to say here."""
    extra = job.extra
    sections: list[Section] = extra.pop("sections")
    if extra["trouble"] is not None:
        raise extra["trouble"]
    length = sum(len(section.text) for section in sections)
    if length > extra["most"]:
        raise Refusal(2013, f"the text has {length} characters, narration.max_spoken is {extra['most']}")
    for section in sections:
        check_text(section.text)
    tar = Tar(extra["file_id"], extra.pop("settings"), extra["unix_s"], Event())
    file = job.store.open_new()
    try:
        await to_the_end(tar.write, file, sections, stop=tar.stopped.set)  # ends with its sentence
    except BaseException:
        job.store.discard(file)
        raise
    job.store.adopt(
        file, f"{job.id}.tar", "application/x-tar", life="life.narration_h", purpose="t2a_async",
        link_life="life.narration_link_h", id=tar.id,
    )  # fmt: skip
    return tar.id


SHORT = JobKind(
    "narration", (("Processing", "narration.least_s"),), narrate, fail="Failed", expired="Expired"
)
LONG = replace(SHORT, stages=(("Processing", "narration.process_s"),))
