"""Videos from templates: `POST /v1/video_template_generation` and its query (docs/minimax/video.md 3).

Knows the eleven templates and what each wants. The film opens with the picture it was given, or with one of its text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from . import fields
from .callbacks_out import start_job
from .fields import invalid
from .film_inputs import FilmPlan, check_words, filmed, need_makers, picture
from .jobs import Job, JobKind
from .native import Call, Endpoint, add_endpoint
from .store import Artefact
from .video import answered, pushed
from .video_rules import MOST_PROMPT, PICTURE, film_size

_SECONDS = 6  # [guess]
_RESOLUTION = "512P"  # [guess]


@dataclass(frozen=True, slots=True)
class Template:
    """One row: how many pictures and texts it wants, and how its camera moves."""

    name: str
    pictures: int = 1
    texts: int = 0
    move: str = "Push in"


TEMPLATES: dict[str, Template] = {
    "392753057216684038": Template("diving 跳水", move="Pedestal down"),
    "393881433990066176": Template("rings 吊环", move="Shake"),
    "393769180141805569": Template("survival 绝地求生", texts=1, move="Tracking shot"),
    "394246956137422856": Template("labubu"),
    "393879757702918151": Template("McDonald's pet courier 麦当劳宠物外卖员", move="Truck right"),
    "393766210733957121": Template("Tibetan-style portrait 藏族风写真"),
    "394125185182695432": Template("no more love for life 生无可恋", pictures=0, texts=1, move="Pull out"),
    "393857704283172864": Template("love letter, snow 情书写真"),
    "393866076583718914": Template("female model try-on 女模特试穿"),
    "398574688191234048": Template("four seasons 四季写真", move="Pan right"),
    "393876118804459526": Template("male model try-on 男模特试穿"),
}


def add_routes(app: web.Application) -> None:
    """Register the two endpoints."""
    path = "/v1/video_template_generation"
    add_endpoint(app, "POST", path, Endpoint("template", create, "template", refused={"task_id": ""}))
    endpoint = Endpoint("query", query, "query", gateway="query.502")
    add_endpoint(app, "GET", "/v1/query/video_template_generation", endpoint)


async def create(call: Call) -> dict[str, Any]:
    """Check that the inputs are those of the template, and begin its task."""
    template = TEMPLATES[fields.one_of(call.body, "template_id", TEMPLATES)]
    media = _values(call.body, "media_inputs", template.pictures)
    texts = [
        fields.text(text, "value", most=MOST_PROMPT)
        for text in _values(call.body, "text_inputs", template.texts)
    ]
    check_words(*texts)
    found = [await picture(call, item.get("value"), "media_inputs", PICTURE) for item in media]
    await need_makers()
    width, height = film_size(_RESOLUTION, found[0].ratio if found else None)
    prompt = ": ".join((template.name, *texts)) + f" [{template.move}]"
    plan = FilmPlan(prompt, _SECONDS, width, height, found[0] if found else None, camera=True)
    return {"task_id": str((await start_job(call, KIND, inputs=plan)).id)}


def _values(body: Mapping[str, Any], name: str, wanted: int) -> list[Mapping[str, Any]]:
    """The inputs of one kind. Raises Refusal 2013 unless there are as many as the template wants."""
    items = fields.items(body, name)
    if len(items) != wanted:
        raise invalid(name, f"this template wants {wanted}, not {len(items)}")
    if not all(isinstance(item, dict) for item in items):
        raise invalid(name, 'must be a list of {"value": …}')
    return items


async def query(call: Call) -> dict[str, Any] | web.Response:
    """How far a task is; a film that is done has a new link at each question."""
    job = await call.state.jobs.current(call.body.get("task_id", ""), KIND.name)
    return answered(_answer(job), job.error, call.trace_id)


def _answer(job: Job) -> dict[str, Any]:
    return {"task_id": str(job.id), "status": job.word, "video_url": _link(job)}


def _link(job: Job) -> str:
    return job.link(job.result) if job.finished and isinstance(job.result, Artefact) else ""


def _push(job: Job) -> dict[str, Any] | None:
    return pushed(job, {"video_url": _link(job)})


async def _film(job: Job) -> Artefact:
    data = await filmed(job.inputs)
    return job.store.add(
        data, f"{job.id}.mp4", "video/mp4", life="life.video_h", link_life="life.template_link_h"
    )  # fmt: skip


KIND = JobKind(
    "template",
    (("Preparing", "template.prepare_s"), ("Processing", "template.process_s")),
    _film,
    push=_push,
)
