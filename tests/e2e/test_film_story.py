"""The long story of a film: a picture, a film that opens with it, ended at random moments, and two who want its result."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from pathlib import Path

import numpy as np
import pytest

from realtime.sandbox.film_facts import film_facts, film_frames
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.picture_facts import open_picture, picture_facts
from realtime.sandbox.pictures import make_picture
from realtime.sandbox.server import Sandbox
from tests.e2e.interrupting import Work, gets_done
from tests.e2e.shell import Terminal
from tests.eventually import eventually

pytest.importorskip("av")
pytest.importorskip("PIL")

MADE_AT_ONCE = ("image.ms=0", "video.prepare_s=0", "video.queue_s=0", "video.process_s=0")
PROMPT = "The cat looks at the waves"
SMALL = ("--model", "MiniMax-Hailuo-02", "--resolution", "512P")  # each of its frames is really encoded
VIDEO = "/v1/video_generation"
QUERY = "/v1/query/video_generation"


def difference(frame: np.ndarray, picture: bytes) -> float:
    """How far a frame is from a picture of the same shape: the mean over all points and colours, 0 to 255."""
    height, width, _ = frame.shape
    image = open_picture(picture).convert("RGB").resize((width, height))
    return float(np.abs(frame.astype(float) - np.asarray(image, dtype=float)).mean())


def opens_with(film: bytes, picture: bytes) -> bool:
    """Whether its first frame is the picture, and a later one is not: something moves."""
    first, *_, last = film_frames(film, every=24)
    return difference(first, picture) < 3 < difference(last, picture)


async def test_a_picture_becomes_the_first_frame_of_a_film_however_often_it_is_ended(tmp_path: Path) -> None:
    async with Sandbox(SandboxOptions.parse("local", MADE_AT_ONCE)) as sandbox:
        user = Terminal(tmp_path, sandbox.url)
        drawn = await user.out("image", "a red cat at sea", "--ratio", "16:9", "-o", "cat.jpg")
        picture = (tmp_path / "cat.jpg").read_bytes()
        assert drawn == str(tmp_path / "cat.jpg")
        assert picture_facts(picture).description == "a red cat at sea"

        def check(folder: Path) -> None:
            film = (folder / "film.mp4").read_bytes()
            facts = film_facts(film)
            assert (facts.title, round(facts.seconds)) == (PROMPT, 6)
            assert opens_with(film, picture)

        work = Work(
            ("video", PROMPT, "--first", "cat.jpg", "-o", "film.mp4", *SMALL),
            buys=VIDEO,
            prepare=lambda folder: None,
            check=check,
            leaves=frozenset({"cat.jpg", "film.mp4"}),
        )
        assert await gets_done(work, sandbox, tmp_path, random.Random(9))


async def test_two_processes_want_the_same_film(tmp_path: Path) -> None:
    """Ordered with `--no-wait`; one process works on it, the others say so; killed in its download, it is saved once."""
    async with Sandbox(SandboxOptions.parse("local", (*MADE_AT_ONCE, "video.process_s=600"))) as sandbox:
        user = Terminal(tmp_path, sandbox.url)
        (tmp_path / "cat.jpg").write_bytes(make_picture("a red cat at sea", 640, 360))
        command = ("video", PROMPT, "--first", "cat.jpg", *SMALL, "-o", "film.mp4")
        task_id = await user.out(*command, "--no-wait")

        first = await user.start("tasks", "wait", task_id)
        await eventually(lambda: any(request.path == QUERY for request in sandbox.state.requests))
        second, again, resumed = await asyncio.gather(
            user.run("tasks", "wait", task_id),
            user.run(*command),
            user.run("tasks", "resume", "--json"),
        )
        assert second.status == 1
        assert f"Another process works on task {task_id}" in second.err
        assert again.status == 1
        assert f"Another process works on task {task_id}" in again.err
        assert resumed.status == 0
        stopped = await first.end(signal.SIGINT)
        assert stopped.status == 130
        assert f"realtime tasks wait {task_id}" in stopped.err

        sandbox.forward(hours=0.5)
        sandbox.inject("download.cut=1000")
        cut = await user.start("tasks", "resume")
        await eventually(lambda: list(tmp_path.glob("film.mp4.part")) or cut.has_ended)
        assert (await cut.end(signal.SIGKILL)).status == -signal.SIGKILL
        assert not (tmp_path / "film.mp4").exists()

        sandbox.inject()
        both = await asyncio.gather(user.run("tasks", "resume"), user.run("tasks", "resume"))
        assert [ended.status for ended in both] == [0, 0], [ended.err for ended in both]
        assert str(tmp_path / "film.mp4") in "".join(ended.out for ended in both).splitlines()
        assert film_facts((tmp_path / "film.mp4").read_bytes()).title == PROMPT
        assert set(os.listdir(tmp_path)) == {"cat.jpg", "film.mp4", "state"}
        listed = json.loads(await user.out("tasks", "--json"))["tasks"]
        assert [(task["task_id"], task["state"]) for task in listed] == [(task_id, "done")]
        assert [request.path for request in sandbox.state.requests].count(VIDEO) == 1
