"""V2 video: `POST /v2/video_generation`, `/v2/video_regeneration` and `/v2/h3_context_ir` (docs/minimax/video.md 4).

Knows how tasks are made and what they make. Models are in `video_v2_rules.py`, media in `video_v2_content.py`,
questions in `video_v2_tasks.py`.
"""

from __future__ import annotations

import math
from typing import Any

from aiohttp import web

from . import fields, video_v2_tasks
from .callbacks_out import start_job
from .fields import invalid
from .film_facts import FilmFacts, film_facts
from .film_inputs import FilmPlan, filmed, need_makers, off_loop
from .jobs import Job, JobKind
from .native import OPENAI, Call, Endpoint, add_endpoint
from .refusal import Refusal
from .store import Artefact
from .video_v2_content import BASE_ROLES, ROLES, Content, fetch_content, read_content
from .video_v2_media import film, opening_of
from .video_v2_rules import ADAPTIVE, GRIDS, Order, check_ratio, film_size, order_of, ratio_of, ratio_value
from .video_v2_tasks import NAME, QUEUED, SUCCEEDED, push, succeeded

MODEL = "MiniMax-H3"
MOST_REGENERATION_TEXT = 40_000  # characters
BASE_AREA = range(589_824, 1_032_192 + 1)  # pixels
BASE_FRAMES = range(107, 362 + 1, 17)
_FPS = 24


def add_routes(app: web.Application) -> None:
    """Register the endpoints that make tasks."""
    for path, work in (
        ("video_generation", create),
        ("video_regeneration", regenerate),
        ("h3_context_ir", context),
    ):
        add_endpoint(app, "POST", f"/v2/{path}", Endpoint(NAME, work, NAME, envelope=OPENAI))
    video_v2_tasks.add_routes(app)


async def create(call: Call) -> dict[str, Any]:
    """Make a film of a text and media."""
    words = read_content(call.body, ROLES)
    order = order_of(call.body)
    check_ratio(order, words.frames, bool(words.media))
    content = await fetch_content(call, words)
    await need_makers()
    plan = _plan(order, content)
    ratio = "" if words.frames or order.ratio == ADAPTIVE else order.ratio
    return await _begin(call, FILM, plan, order, ratio, "generation", _usage(order.seconds, content))


def _plan(order: Order, content: Content) -> FilmPlan:
    named = None if content.first or content.last or order.ratio == ADAPTIVE else ratio_value(order.ratio)
    width, height = film_size(order.resolution, named or content.ratio or 16 / 9)
    subject = next(iter(content.pictures), None)
    return FilmPlan(
        content.text, order.seconds, width, height, content.first, content.last, subject,
        audio=True, watermark=order.watermark,
    )  # fmt: skip


async def _begin(
    call: Call, kind: JobKind, inputs: Any, order: Order, ratio: str, task_type: str, usage: dict[str, Any]
) -> dict[str, Any]:
    """Begin the task; its `extra` is what every answer says of it."""
    extra = {
        "model": order.model, "resolution": order.resolution, "duration": order.seconds, "usage": usage,
        "ratio": ratio, "task_type": task_type, "modality": "text" if kind is TEXT else "video",
    }  # fmt: skip
    scale = 1.0 if kind is TEXT else order.seconds / 5 * GRIDS[order.resolution].work
    return {"task_id": str((await start_job(call, kind, scale=scale, extra=extra, inputs=inputs)).id)}


def _usage(seconds: int, content: Content) -> dict[str, Any]:
    """Whole seconds, as in the documents' example; a part of one counts [guess]."""
    input_s = _whole_s(content.film_s)
    usage = {
        "total_seconds": input_s + seconds,
        "input_seconds": input_s,
        "output_seconds": seconds,
        "input_image_count": content.image_count,
    }
    return usage | ({"input_audio_seconds": _whole_s(content.sound_s)} if content.sound_s else {})


def _whole_s(seconds: float) -> int:
    return math.ceil(seconds - 0.05)  # an encoder makes a recording a little longer


async def regenerate(call: Call) -> dict[str, Any]:
    """Make a film in 2K of an earlier task's film, or of one that the content names."""
    body = call.body
    fields.one_of(body, "model", (MODEL,), MODEL)
    fields.one_of(body, "resolution", ("2K",))
    watermark = fields.flag(body, "aigc_watermark")
    if bool(body.get("source_task_id")) == bool(body.get("content")):
        raise invalid("source_task_id", "either source_task_id or content")
    prompt, data, seconds = await (_source(call) if body.get("source_task_id") else _base(call))
    opening = await off_loop(lambda: opening_of(data))
    width, height = film_size("2K", opening.ratio)
    order = Order(MODEL, "2K", round(seconds), ADAPTIVE, watermark)
    plan = FilmPlan(prompt, seconds, width, height, opening, audio=True, watermark=watermark)
    usage = {"total_seconds": 2 * order.seconds, "input_seconds": order.seconds, "output_seconds": order.seconds,
             "input_image_count": 0}  # fmt: skip
    return await _begin(call, FILM, plan, order, "", "regeneration", usage)


async def _source(call: Call) -> tuple[str, bytes, float]:
    """Prompt, film and seconds of an earlier task."""
    job = await call.state.jobs.current(fields.text(call.body, "source_task_id"), NAME)
    if not succeeded(job) or not isinstance(job.result, Artefact):
        raise Refusal(2013, "invalid params, the source task has no film")
    try:
        data = await off_loop(job.result.read)
    except OSError:
        raise Refusal(2013, "invalid params, the source task's film is gone") from None
    facts = await off_loop(lambda: film_facts(data))
    return facts.title, data, facts.seconds


async def _base(call: Call) -> tuple[str, bytes, float]:
    words = read_content(call.body, BASE_ROLES, MOST_REGENERATION_TEXT, needs_text=False)
    if not words.media:
        raise invalid("content.role", "content must include a base_video")
    data, facts = await film(call, words.media[0].url)
    _check_base(facts)
    return words.text, data, facts.seconds


def _check_base(facts: FilmFacts) -> None:
    """Raises Refusal 2013 for a film that cannot be made again."""
    frames = round(facts.seconds * _FPS)
    wrong = {
        "must have sound": not facts.has_audio,
        "must have 24 frames a second": abs(facts.fps - _FPS) > 0.01,
        "sides must be multiples of 32": bool(facts.width % 32 or facts.height % 32),
        "must have 589824 to 1032192 pixels": facts.width * facts.height not in BASE_AREA,
        "must have 107 to 362 frames in steps of 17": frames not in BASE_FRAMES,
    }
    if reason := next((text for text, bad in wrong.items() if bad), ""):
        raise invalid("base_video", reason)


async def context(call: Call) -> dict[str, Any]:
    """Make a longer prompt of a text and media."""
    words = read_content(call.body, ROLES)
    model = fields.one_of(call.body, "model", (MODEL,))
    seconds = fields.whole(call.body, "duration", 4, 15, 5)
    ratio = ratio_of(call.body)
    content = await fetch_content(call, words)
    shown = "" if ratio == ADAPTIVE else ratio
    prompt = _longer(content, seconds, shown)
    order = Order(model, "", seconds, ratio, watermark=False)
    return await _begin(call, TEXT, prompt, order, shown, "h3_context_ir", _tokens(content.text, prompt))


def _longer(content: Content, seconds: int, ratio: str) -> str:
    parts = [f"{content.text.strip()} One shot of {seconds} seconds", f"in {ratio}" if ratio else ""]
    named = {"pictures": content.image_count, "films": len(content.films)}
    parts += [f"after {count} {what}" for what, count in named.items() if count]
    return ", ".join(filter(None, parts)) + "."


def _tokens(given: str, made: str) -> dict[str, int]:
    prompt, completion = len(given) // 4 + 1, len(made) // 4 + 1
    return {"total_tokens": prompt + completion, "prompt_tokens": prompt, "completion_tokens": completion}


async def _film(job: Job) -> Artefact:
    data = await filmed(job.inputs)
    return job.store.add(
        data, f"{job.id}.mp4", "video/mp4", life="life.video_h", link_life="life.video_v2_link_h"
    )


async def _text(job: Job) -> str:
    return str(job.inputs)


_QUEUED = (QUEUED, "video_v2.queue_s")
FILM = JobKind(
    NAME, (_QUEUED, ("running", "video_v2.run_s")), _film, push, SUCCEEDED, "failed", "expired",
)  # fmt: skip
TEXT = JobKind(
    NAME, (_QUEUED, ("running", "video_v2.context_s")), _text, push, SUCCEEDED, "failed", "expired",
)  # fmt: skip
