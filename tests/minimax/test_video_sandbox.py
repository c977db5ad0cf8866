"""Films against the sandbox: Hailuo, templates and V2, good and refused."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest

from realtime.errors import AnswerLost, InvalidArgument, ProviderRejected, TaskFailed
from realtime.minimax import (
    Callbacks,
    MiniMax,
    first_frame,
    last_frame,
    reference_image,
)
from realtime.minimax.job import Job, State
from realtime.minimax.operations import Limit
from realtime.minimax.video_rules import cells
from realtime.sandbox.server import Sandbox
from tests.minimax.scripted import until

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("av")


def picture(width: int = 400, height: int = 400) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (width, height), (200, 40, 40)).save(target, "JPEG")
    return target.getvalue()


async def finished(sandbox: Sandbox, job: Job[Any]) -> Any:
    """The result, with the sandbox's clock moved to the end of the task."""
    sandbox.forward(hours=1)
    job.wake()
    return await job.wait(timeout_s=60)


@pytest.mark.operation("video.create", "video.task")
async def test_a_film_is_ordered_followed_and_saved(sandbox: Sandbox, mm: MiniMax, tmp_path: Path):
    job = await mm.video.create("雪山日出 [推进]", seconds=6, resolution="768P")
    assert job.id.isdigit()
    film = await finished(sandbox, job)
    assert (film.task_id, film.height) == (job.id, 768)
    saved = await film.save(tmp_path / "sunrise.mp4")
    assert saved.kind == "mp4"
    sandbox.forward(hours=2)  # the first link is dead, a fresh one is asked for
    assert await film.read() == saved.path.read_bytes()
    again = await mm.video.task(job.id)
    assert again.file_id == film.file_id
    assert "http" not in repr(film)


@pytest.mark.operation("video.create")
@pytest.mark.parametrize(
    "how", [{"first": picture()}, {"first": picture(), "last": picture()}, {"subject": picture()}]
)
async def test_a_film_from_pictures(sandbox: Sandbox, mm: MiniMax, how: dict[str, bytes]):
    film = await finished(sandbox, await mm.video.create("she turns", **how))
    assert film.width > 0
    assert film.file_id.isdigit()


@pytest.mark.operation("video.create")
async def test_the_sandbox_takes_every_cell_of_our_table(sandbox: Sandbox, mm: MiniMax):
    sandbox.inject("job.never")  # the orders count here, and drawing all those films takes long
    pictures = {
        "text": {}, "first frame": {"first": picture()}, "subject": {"subject": picture()},
        "first and last frame": {"first": picture(), "last": picture()},
    }  # fmt: skip
    with_limit = MiniMax("key", mm.base_url, limits={"video": Limit(None)})
    async with with_limit as free:
        for cell in cells():
            job = await free.video.create(
                "a cat",
                model=cell.model,
                seconds=cell.seconds,
                resolution=cell.resolution,
                **pictures[cell.mode],
            )
            assert job.id


@pytest.mark.operation("video.create")
@pytest.mark.parametrize(
    "extra", [{"duration": 10, "resolution": "1080P"}, {"prompt": "x" * 2001}, {"resolution": "2K"}]
)
async def test_the_sandbox_refuses_what_we_refuse(mm: MiniMax, extra: dict[str, Any]):
    with pytest.raises(InvalidArgument) as caught:  # `extra` goes around our own checks
        await mm.video.create("a cat", extra=extra)
    assert caught.value.upstream_code == 2013


@pytest.mark.operation("video.task")
async def test_a_failed_film_says_why(sandbox: Sandbox, mm: MiniMax):
    sandbox.inject("video.fail=1027", times=1)
    job = await mm.video.create("a cat")
    with pytest.raises(TaskFailed) as caught:
        await finished(sandbox, job)
    assert (caught.value.task_id, caught.value.upstream_code) == (job.id, 1027)
    with pytest.raises(ProviderRejected):
        await mm.video.task("123")


@pytest.mark.operation("video.create")
@pytest.mark.parametrize("code", [1008, 1026])
async def test_a_refused_order_is_not_sent_again(sandbox: Sandbox, mm: MiniMax, code: int):
    sandbox.inject(f"video.error={code}", times=1)
    with pytest.raises(ProviderRejected) as caught:
        await mm.video.create("a cat")
    assert caught.value.upstream_code == code


@pytest.mark.operation("video.create")
async def test_a_lost_answer_may_have_been_accepted(sandbox: Sandbox, mm: MiniMax):
    sandbox.inject("video.lost", times=1)
    with pytest.raises(AnswerLost):
        await mm.video.create("a cat")


@pytest.mark.operation("video.create")
async def test_a_callback_wakes_the_task(sandbox: Sandbox, mm: MiniMax):
    callbacks = Callbacks("http://127.0.0.1:1", secret="s")
    async with callbacks.serve(port=0) as port:
        public = Callbacks(f"http://127.0.0.1:{port}", secret="s")  # the same secret, so the same addresses
        job = await mm.video.create("a cat", callback=public.url_for("video"))
        callbacks.watch(job)
        assert (await finished(sandbox, job)).task_id == job.id


@pytest.mark.operation("templates.create", "templates.task")
async def test_templates_of_each_kind(sandbox: Sandbox, mm: MiniMax, tmp_path: Path):
    diving = await mm.templates.create("跳水", media=[picture()])
    survival = await mm.templates.create("survival", media=[picture()], texts=["tiger"])
    sad = await mm.templates.create("394125185182695432", texts=["a cat"])
    for job in (diving, survival, sad):
        film = await finished(sandbox, job)
        assert (film.task_id, film.file_id) == (job.id, "")
    saved = await film.save(tmp_path / "a.mp4")
    assert saved.kind == "mp4"
    assert (await mm.templates.task(diving.id)).task_id == diving.id


@pytest.mark.operation("templates.create")
async def test_a_failed_template_and_one_the_sandbox_does_not_know(sandbox: Sandbox, mm: MiniMax):
    sandbox.inject("template.fail=1026", times=1)
    job = await mm.templates.create("diving", media=[picture()])
    with pytest.raises(TaskFailed):
        await finished(sandbox, job)
    with pytest.raises(ProviderRejected):
        await mm.templates.create("4242", media=[picture()])


@pytest.mark.operation("video_v2.create", "video_v2.task", "video_v2.list", "video_v2.delete")
async def test_a_v2_film_from_order_to_delete(sandbox: Sandbox, mm: MiniMax, tmp_path: Path):
    job = await mm.video_v2.create("a cat runs", seconds=4, ratio="16:9")
    film = await finished(sandbox, job)
    assert (film.task_id, film.model, film.resolution, film.seconds) == (job.id, "MiniMax-H3", "768P", 4)
    assert film.usage["output_seconds"] == 4
    assert (await film.save(tmp_path / "a.mp4")).kind == "mp4"
    sandbox.forward(hours=30)
    assert (await film.read())[4:8] == b"ftyp"
    others = [await mm.video_v2.create(f"cat {n}", seconds=4, ratio="1:1") for n in range(3)]
    listed = [task async for task in mm.video_v2.list(page_size=2)]
    assert {task.id for task in listed} == {job.id, *(other.id for other in others)}
    done = [task async for task in mm.video_v2.list(status="succeeded", task_ids=[job.id, others[0].id])]
    assert [(task.id, task.state) for task in done] == [(job.id, State.DONE)]
    assert (await mm.video_v2.delete(job.id)).action == "deleted"
    with pytest.raises(ProviderRejected):
        await mm.video_v2.task(job.id)


@pytest.mark.operation("video_v2.create")
async def test_a_v2_film_from_frames_and_from_references(sandbox: Sandbox, mm: MiniMax):
    frames = ["she turns", first_frame(picture()), last_frame(picture())]
    references = ["she runs", reference_image(picture()), reference_image(picture(500, 400))]
    for content in (frames, references):
        job = await mm.video_v2.create(content, seconds=4)
        assert (await finished(sandbox, job)).seconds == 4


@pytest.mark.operation("video_v2.create", "files.upload")
async def test_a_large_picture_is_uploaded(sandbox: Sandbox, mm: MiniMax):
    noise = picture() + bytes(5 * 1024 * 1024)  # bytes after a JPEG's end are ignored
    job = await mm.video_v2.create(["a cat", first_frame(io.BytesIO(noise))], seconds=4)
    assert [file.purpose async for file in mm.files.list("video_generation_input")] == [
        "video_generation_input"
    ]
    assert (await finished(sandbox, job)).task_id == job.id


@pytest.mark.operation("video_v2.delete")
async def test_a_queued_v2_task_is_cancelled(mm: MiniMax):
    job = await mm.video_v2.create("a cat", seconds=4, ratio="16:9")
    assert (await job.cancel()).state is State.CANCELLED
    with pytest.raises(TaskFailed, match="cancelled"):
        await job


@pytest.mark.operation("video_v2.context")
async def test_a_context_becomes_a_prompt(sandbox: Sandbox, mm: MiniMax):
    job = await mm.video_v2.context(["a cat", first_frame(picture())], seconds=5, ratio="16:9")
    written = await finished(sandbox, job)
    assert written.prompt
    assert (await mm.video_v2.context_task(job.id)).prompt == written.prompt


@pytest.mark.operation("video_v2.regenerate")
async def test_a_film_is_made_again_larger(sandbox: Sandbox, mm: MiniMax):
    job = await mm.video_v2.create("a cat", seconds=4, ratio="16:9")
    await finished(sandbox, job)
    sandbox.inject("job.never")  # drawing a film of that size takes long
    larger = await mm.video_v2.regenerate(source_task_id=job.id)
    (task,) = [task async for task in mm.video_v2.list(task_type="regeneration")]
    assert (task.id, task.resolution) == (larger.id, "2K")


@pytest.mark.operation("video_v2.create")
async def test_v2_refusals(sandbox: Sandbox, mm: MiniMax):
    sandbox.inject("video_v2.error=1026", times=1)
    with pytest.raises(ProviderRejected) as caught:
        await mm.video_v2.create("a cat", ratio="16:9")
    assert caught.value.upstream_code == 1026
    with pytest.raises(InvalidArgument):
        await mm.video_v2.create("a cat", ratio="16:9", extra={"duration": 16})
    sandbox.inject("video_v2.fail=1027", times=1)
    with pytest.raises(TaskFailed):
        await finished(sandbox, await mm.video_v2.create("a cat", ratio="16:9"))


@pytest.mark.operation("video_v2.create")
async def test_an_order_waits_while_the_account_has_no_room(sandbox: Sandbox):
    pauses: list[str] = []
    limits = {"video_v2": Limit(300, 1)}
    async with MiniMax(
        "key", sandbox.url, limits=limits, on_pause=lambda pause: pauses.append(pause.reason)
    ) as mm:
        first = await mm.video_v2.create("a cat", seconds=4, ratio="16:9")
        second = asyncio.create_task(mm.video_v2.create("a dog", seconds=4, ratio="16:9"))
        await until(lambda: pauses)
        assert not second.done()
        await finished(sandbox, first)
        assert (await second).id != first.id
    assert pauses == ["in_flight"]
