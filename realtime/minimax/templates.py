"""Films from a template: one picture or one text becomes a known scene (docs/minimax/video.md 3).

Knows the eleven templates of the documentation. Another id is passed on, and the platform checks its inputs.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from realtime.errors import InvalidArgument
from realtime.minimax.callbacks import CallbackTarget, callback_url, watch
from realtime.minimax.door import Door
from realtime.minimax.errors import trace_of
from realtime.minimax.field_tables import TEMPLATE
from realtime.minimax.fields import build, refused
from realtime.minimax.file_source import FileSource
from realtime.minimax.film import Film
from realtime.minimax.job import Job, JobKind
from realtime.minimax.job_schedule import QueryPace, Schedule
from realtime.minimax.job_states import created_id
from realtime.minimax.media_input import media_url
from realtime.minimax.media_result import asked_link
from realtime.minimax.operations import OPERATIONS
from realtime.minimax.results import text
from realtime.minimax.video import INTERVAL_S, LONGEST_S, QUERIES_PER_S, TYPICAL_S


@dataclass(frozen=True, slots=True)
class Template:
    """One template. `media` and `texts` are how many pictures and texts it wants, `wants` says what they show."""

    id: str
    name: str
    name_zh: str
    wants: str
    media: int = 1
    texts: int = 0


TEMPLATES: tuple[Template, ...] = (
    Template("392753057216684038", "diving", "跳水", "a picture"),
    Template("393881433990066176", "rings", "吊环", "a picture of a pet"),
    Template(
        "393769180141805569", "survival", "绝地求生", "a picture, and a text that names a beast", texts=1
    ),
    Template("394246956137422856", "labubu", "labubu", "a picture of a face"),
    Template("393879757702918151", "McDonald's pet courier", "麦当劳宠物外卖员", "a picture of a pet"),
    Template("393766210733957121", "Tibetan-style portrait", "藏族风写真", "a picture"),
    Template("394125185182695432", "no more love for life", "生无可恋", "a text", media=0, texts=1),
    Template("393857704283172864", "love letter, snow", "情书写真", "a picture"),
    Template("393866076583718914", "female model try-on", "女模特试穿", "a picture"),
    Template("398574688191234048", "four seasons", "四季写真", "a picture"),
    Template("393876118804459526", "male model try-on", "男模特试穿", "a picture"),
)


class Templates:
    """`mm.templates`."""

    def __init__(self, door: Door, *, schedule: Schedule | None = None) -> None:
        self._door = door
        self._kind = JobKind(
            name="template",
            handle="mm.templates.task",
            query=self._query,
            result=self._film,
            typical_s=TYPICAL_S,
            longest_s=LONGEST_S,
            interval_s=INTERVAL_S,
            pace=QueryPace(QUERIES_PER_S),
            schedule=schedule or Schedule(),
        )

    def list(self) -> tuple[Template, ...]:
        """The templates of the documentation. No request is made: the platform has no list of them."""
        return TEMPLATES

    async def create(
        self,
        template: str,
        media: Sequence[FileSource] = (),
        texts: Sequence[str] = (),
        *,
        callback: CallbackTarget | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Job[Film]:
        """Order a film of a template, named by its id or its English or Chinese name; `await` the task for the film.

        `media`: pictures as for `mm.video.create`. How many pictures and texts a template wants is in `list()`.
        Raises InvalidArgument, AnswerLost (it may have been accepted) and ProviderError.
        """
        template_id = checked_template(template, media, texts)
        pictures = [{"value": await media_url(source, "media")} for source in media]
        values = {
            "template": template_id,
            "media": pictures,
            "texts": [{"value": each} for each in texts],
            "callback": callback_url(callback, "template"),
        }
        answer = await self._door.call(OPERATIONS["templates.create"], body=build(TEMPLATE, values, extra))
        job = Job(self._kind, created_id(answer), age_s=0.0)
        watch(callback, job)
        return job

    def task(self, task_id: str | int, *, callback: CallbackTarget | None = None) -> Job[Film]:
        """The task of an id, from any process. Asks nobody before it is awaited. Raises InvalidArgument."""
        job = Job(self._kind, task_id)
        watch(callback, job)
        return job

    async def _query(self, task_id: str) -> Mapping[str, Any]:
        answer = await self._door.call(OPERATIONS["templates.task"], query={"task_id": task_id})
        return {"task_id": task_id} | answer

    async def _film(self, answer: Mapping[str, Any]) -> Film:
        task_id = text(answer, "task_id")

        async def ask() -> str:
            return text(await self._query(task_id), "video_url")

        link = asked_link(text(answer, "video_url"), ask, f"the film of the template task {task_id}")
        return Film(
            task_id=task_id,
            raw=answer,
            trace_id=trace_of(answer),
            _fresh=link,
            _http=self._door.http,
        )


def find(name: str) -> Template | None:
    """The template of an id or of a name in either language, without regard to case and punctuation."""
    wanted = _plain(name)
    return next(
        (each for each in TEMPLATES if wanted in (each.id, _plain(each.name), _plain(each.name_zh))), None
    )


def checked_template(name: str, media: Sequence[FileSource], texts: Sequence[str]) -> str:
    """The template's id. Raises InvalidArgument for an unknown name and for inputs that it does not want."""
    if isinstance(media, str | bytes) or isinstance(texts, str):
        param = "texts" if isinstance(texts, str) else "media"
        raise InvalidArgument(f"{param} is one value and has to be a list of them.", param=param)
    known = find(name) if isinstance(name, str) else None
    if known is None:
        if isinstance(name, str) and name.isascii() and name.isdigit():
            return name
        raise refused("template", repr(name), f"no template has this name. {_nearest(str(name))}")
    for param, given, wanted in (("media", len(media), known.media), ("texts", len(texts), known.texts)):
        if given != wanted:
            raise InvalidArgument(
                f"{param} has {given}, and the template {known.name} ({known.name_zh}) wants {wanted}: {known.wants}.",
                param=param,
            )
    if not all(isinstance(each, str) and each.strip() for each in texts):
        raise InvalidArgument("texts has an empty text.", param="texts")
    return known.id


def _nearest(name: str) -> str:
    names = {_plain(each): each for template in TEMPLATES for each in (template.name, template.name_zh)}
    near = difflib.get_close_matches(_plain(name), names, n=3, cutoff=0.5)
    shown = [names[each] for each in near] or [template.name for template in TEMPLATES]
    return f"{'Near' if near else 'There'} are: {'; '.join(shown)}"


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
