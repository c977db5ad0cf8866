"""`/v1/speech_to_text`: recordings in, text out, with all formats and refusals of docs/minimax/asr.md.

Knows the form, the checks and the four answer formats. The transcription is in `transcriber.py`.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from aiohttp import web

from .context import STATE, faults_for, key_error, new_trace_id, openai_error, sleep_ms, stall
from .refusal import Refusal
from .transcriber import NotInstalled, Transcription, Unreadable, transcribe

PATH = "/v1/speech_to_text"
MODEL = "asr-1.0"
FORMATS = ("json", "verbose_json", "srt", "vtt")
LANGUAGES = frozenset("zh yue en ja ko th vi id ms fil fr de es it pt pl ru uk ar tr".split())
MAX_BYTES = 50 * 1024 * 1024
MAX_SECONDS = 500
WORDS_PER_DELTA = 3


@dataclass(frozen=True, slots=True)
class _Form:
    file: bytes
    filename: str
    stream: bool
    format: str
    language: str | None


def add_routes(app: web.Application) -> None:
    """Register the endpoint."""
    app.router.add_post(PATH, handle)


async def handle(request: web.Request) -> web.StreamResponse:
    """One recording."""
    faults = faults_for(request)
    try:
        if wrong := key_error(request):
            raise Refusal(*wrong)
        form = await _read(request)
        if (code := faults.number("asr.error")) is not None:
            raise Refusal(code)
        if faults.has("asr.stall"):
            await stall(request.app)
        result = await _transcribe(form)
        await sleep_ms(request.app, "asr.ms")
    except Refusal as refused:
        await sleep_ms(request.app, "http.error_ms")
        return openai_error(refused.code, refused.message, refused.status)
    if form.stream:
        return await _stream(request, result)
    return _answer(form.format, result)


async def _read(request: web.Request) -> _Form:
    """The multipart form, with every check that needs no decoding."""
    if not request.content_type.startswith("multipart/"):
        raise Refusal(2013, "invalid params, Content-Type must be multipart/form-data")
    fields: dict[str, str] = {}
    data: bytes | None = None
    filename = ""
    try:
        async for part in await request.multipart():
            name = getattr(part, "name", None)
            if name == "file":
                filename = getattr(part, "filename", None) or ""
                data = await _limited(part)
            elif name:
                fields[name] = (await part.read_chunk(200)).decode("utf-8", "replace")  # type: ignore[union-attr]
                await part.release()  # type: ignore[union-attr]
    except (ValueError, AssertionError) as error:
        raise Refusal(2013, f"invalid params, broken multipart body: {error}") from None
    request.app[STATE].record(request, {**fields, "file": filename, "file_bytes": len(data or b"")})
    return _checked(request, fields, data, filename)


async def _limited(part: object) -> bytes:
    data = bytearray()
    while block := await part.read_chunk(65536):  # type: ignore[attr-defined]
        data += block
        if len(data) > MAX_BYTES:
            raise Refusal(2013, "invalid params, file is larger than 50 MB", 413)
    return bytes(data)


def _checked(request: web.Request, fields: dict[str, str], data: bytes | None, filename: str) -> _Form:
    model = fields.get("model")
    if not model:
        raise Refusal(2013, "invalid params, binding: expr_path=model, cause=missing required parameter")
    if model != MODEL:
        raise Refusal(2013, f"invalid params, unknown model '{model}'")
    if not data:
        raise Refusal(2013, "invalid params, binding: expr_path=file, cause=missing required parameter")
    stream = fields.get("stream", "false").lower()
    if stream not in ("true", "false", "1", "0", ""):
        raise Refusal(2013, "invalid params, stream must be true or false")
    response_format = fields.get("response_format") or "json"
    if response_format not in FORMATS:
        raise Refusal(2013, f"invalid params, response_format must be one of {', '.join(FORMATS)}")
    streams = stream in ("true", "1")
    if streams and response_format != "json":
        raise Refusal(2013, "invalid params, stream needs response_format json")
    language = request.headers.get("language") or fields.get("language") or None
    if language and language.split("-")[0].lower() not in LANGUAGES:
        raise Refusal(2013, f"invalid params, unsupported language '{language}'")
    return _Form(data, filename, streams, response_format, language)


async def _transcribe(form: _Form) -> Transcription:
    try:
        return await asyncio.to_thread(transcribe, form.file, form.language, MAX_SECONDS)
    except NotInstalled as error:
        raise Refusal(1000, str(error)) from None
    except Unreadable as error:
        raise Refusal(2013, f"invalid params, {error}") from None


def _answer(response_format: str, result: Transcription) -> web.Response:
    if response_format == "srt":
        return web.Response(text="".join(_cues(result, ",", numbered=True)))
    if response_format == "vtt":
        return web.Response(text="WEBVTT\n\n" + "".join(_cues(result, ".", numbered=False)))
    trace_id = new_trace_id()
    body: dict[str, object] = {"text": result.text, "duration": result.duration_s, "trace_id": trace_id}
    if response_format == "verbose_json":
        body["n_speakers"] = 1 if result.segments else 0
        body["segments"] = [
            {"id": place, "start": part.start_s, "end": part.end_s, "speaker": "0", "text": part.text}
            for place, part in enumerate(result.segments)
        ]
    return web.json_response(body, headers={"trace-id": trace_id})


def _cues(result: Transcription, mark: str, *, numbered: bool) -> Iterator[str]:
    for place, part in enumerate(result.segments, 1):
        number = f"{place}\n" if numbered else ""
        yield f"{number}{_clock(part.start_s, mark)} --> {_clock(part.end_s, mark)}\n{part.text}\n\n"


def _clock(seconds: float, mark: str) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}{mark}{ms % 1000:03d}"


async def _stream(request: web.Request, result: Transcription) -> web.StreamResponse:
    """The text in small deltas; joined they are the text of the json answer."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    try:
        await response.prepare(request)
        index = 0
        for index, delta in enumerate(_deltas(result.text)):
            await _send(response, {"index": index, "delta": delta, "finish": False})
        last = index + 1 if result.text else 0
        await _send(response, {"index": last, "delta": "", "finish": True, "duration": result.duration_s})
    except ConnectionResetError:
        pass  # the client has disconnected
    return response


def _deltas(text: str) -> list[str]:
    words = re.findall(r"\s*[\u3400-\u9fff]{1,4}|\s*[^\s\u3400-\u9fff]+|\s+$", text)
    return ["".join(words[at : at + WORDS_PER_DELTA]) for at in range(0, len(words), WORDS_PER_DELTA)]


async def _send(response: web.StreamResponse, event: dict[str, object]) -> None:
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    await response.write(f"data: {text}\n\n".encode())
