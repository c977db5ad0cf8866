"""The requests of one batch on their way: answered by the sandbox's own chat, finished one by one on the clock.

Knows progress, what is finished at a moment, and the two output files. Does not know HTTP (`batch.py`).
"""

from __future__ import annotations

import asyncio
import math
import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .batch_lines import Line, Problem, Reply, answered, output_files, read_lines, refused
from .chat_answer import answer
from .chat_request import check
from .chat_stream import Wire
from .chat_tokens import compose
from .context import message_for, new_trace_id
from .faults import Faults
from .options import SandboxOptions
from .refusal import Refusal
from .store import Artefact, Store


@dataclass(slots=True)
class BatchRun:
    """What a batch keeps beside its state. Times are those of the sandbox's clock."""

    input: Artefact
    endpoint: str
    options: SandboxOptions
    faults: Faults
    total: int = 0  # 0 until the file is checked
    problems: list[Problem] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)  # in the order in which they are finished
    began_s: float = math.inf  # when the requests began to run
    full_s: float = math.inf  # when the last one is finished
    stuck: bool = False  # half of the requests never come back
    frozen: int | None = None  # how many were finished when the batch was cancelled or over
    written: tuple[int, int] | None = None  # the counts, once the replies are in the files
    output_id: int = 0
    error_id: int = 0
    _given_up: threading.Event = field(default_factory=threading.Event)

    async def prepare(self) -> None:
        """Check the file and answer its requests. Raises Refusal 2013 if the file is not good."""
        try:
            data = await asyncio.to_thread(self.input.read)
        except OSError:
            self.problems = [Problem("file_not_found", "the input file was deleted")]
            raise Refusal(2013, "invalid params, the input file was deleted") from None
        lines, self.problems = await asyncio.to_thread(read_lines, data, self.endpoint)
        if self.problems:
            raise Refusal(2013, "invalid params, the input file has errors")
        self.total = len(lines)
        try:
            self.replies = await asyncio.to_thread(self._answers, lines)
        finally:
            self._given_up.set()  # a cancelled batch must not keep a thread busy

    def _answers(self, lines: list[Line]) -> list[Reply]:
        """The replies in another order than the lines, as the platform finishes them."""
        order = list(lines)
        random.Random(self.input.id).shuffle(order)
        return [self._reply(line) for line in order if not self._given_up.is_set()]

    def _reply(self, line: Line) -> Reply:
        try:
            if (code := self.faults.redrawn().number("chat.error")) is not None:
                raise Refusal(code)
            return answered(line, self._body(line.body))
        except Refusal as why:
            return refused(line, why.code, why.message or message_for(why.code))

    def _body(self, body: Mapping[str, object]) -> dict[str, object]:
        """The whole answer of the native chat path. Raises Refusal."""
        chat = check(body, self.options)
        composed = compose(
            answer(chat, self.faults, datetime.now()),
            thinks=chat.thinks,
            split=chat.split,
            think_tokens=int(self.options["chat.think_tokens"]),
            max_tokens=chat.max_tokens,
            has=self.faults.has,
        )
        return Wire(chat, composed, self.faults, new_trace_id(), native=True).body()

    def begin(self, now_s: float, end_s: float, until_s: float) -> None:
        """The requests run from now until `end_s`. A batch that would not end by then, or never, gets half done."""
        self.began_s = now_s
        stuck = self.faults.has("job.never") or self.faults.has("job.expire") or end_s >= until_s
        self.full_s = end_s
        if stuck:
            usual_s = self.options["batch.run_s"] if math.isinf(end_s) else end_s - now_s
            self.full_s = now_s + usual_s * 2
        self.stuck = stuck

    def finished(self, now_s: float) -> list[Reply]:
        """The replies that are there at a moment."""
        if self.frozen is not None:
            return self.replies[: self.frozen]
        if now_s < self.began_s:
            return []
        share = 1.0 if now_s >= self.full_s else (now_s - self.began_s) / (self.full_s - self.began_s)
        return self.replies[: int(len(self.replies) * min(share, 0.5 if self.stuck else 1.0))]

    def counts(self, now_s: float) -> tuple[int, int]:
        """How many requests have an answer at a moment, and how many were refused."""
        if self.written is not None:
            return self.written
        replies = self.finished(now_s)
        failed = sum(reply.refused for reply in replies)
        return len(replies) - failed, failed

    def freeze(self, now_s: float) -> None:
        """No request is finished after this moment."""
        self.frozen = len(self.finished(now_s))
        self._given_up.set()

    def write(self, store: Store, name: str) -> None:
        """Make the output files of what is finished; an empty one is not made."""
        kept, self.written = self.replies[: self.frozen], self.counts(0.0)
        self.replies = []
        if self.faults.has("batch.lost_line"):
            kept = kept[1:]
        output, errors = output_files(kept, bad_line=self.faults.has("batch.bad_line"))
        self.output_id = _keep(store, output, f"{name}_output.jsonl")
        self.error_id = _keep(store, errors, f"{name}_error.jsonl")


def _keep(store: Store, data: bytes, filename: str) -> int:
    if not data:
        return 0
    return store.add(data, filename, "application/jsonl", life="life.video_h", purpose="batch_output").id
