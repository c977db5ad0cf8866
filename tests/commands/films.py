"""A kind of task of the tests, `film`: what its tasks end with is told beforehand."""

from dataclasses import dataclass, field
from pathlib import Path

from realtime.commands.task_kinds import TaskKind

URL = "http://127.0.0.1:9"  # nobody listens: these tasks are fakes


@dataclass
class FakeTask:
    """A task whose `wait` returns or raises what it was told."""

    id: str
    outcomes: dict[str, object]
    waited: list[float | None] = field(default_factory=list)

    async def wait(self, *, timeout_s=None, on_progress=None):
        self.waited.append(timeout_s)
        outcome = self.outcomes.get(self.id, b"a film")
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


class Films:
    """A kind of task, `film`: what its tasks end with, which were opened, and where films are saved."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outcomes: dict[str, object] = {}
        self.opened: list[FakeTask] = []
        self.kind = TaskKind("film", self.open, self.save)

    def open(self, mm, task_id):
        self.opened.append(FakeTask(task_id, self.outcomes))
        return self.opened[-1]

    async def save(self, platform, record, result):
        path = self.folder / f"{record.arguments.get('name', 'film')}-{record.task_id}.mp4"
        path.write_bytes(result)
        return [path]
