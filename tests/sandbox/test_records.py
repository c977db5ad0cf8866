"""What a sandbox keeps: requests only for who asks for them, and everything within a bound."""

import asyncio
from typing import Any

import aiohttp
from hypothesis import given
from hypothesis import strategies as st

from realtime.sandbox.context import KEPT_VOICES, SandboxState
from realtime.sandbox.faults import Faults
from realtime.sandbox.jobs import Job, JobKind
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.records import Records, size_of
from realtime.sandbox.server import Sandbox
from realtime.sandbox.voices import create_voice
from realtime.server.run import running
from realtime.settings import Settings

KEY = {"Authorization": "Bearer key"}
ASK = {"model": "MiniMax-M2", "messages": [{"role": "user", "content": "Hello"}]}


@given(st.lists(st.text(max_size=300)), st.integers(1, 20), st.integers(1, 2_000))
def test_the_newest_records_are_kept_within_both_bounds(texts: list[str], most: int, most_bytes: int):
    records: Records[str] = Records(most=most, most_bytes=most_bytes)
    for text in texts:
        records.keep(text, text)
        assert len(records) == 1 or (len(records) <= most and records.size <= most_bytes)
        assert records.size == sum(map(size_of, records))
    assert list(records) == texts[len(texts) - len(records) :]
    records.clear()
    assert records.size == 0


def test_a_value_that_is_nested_deeply_has_a_size():
    value: Any = "x" * 1_000
    for _ in range(50_000):
        value = [value]
    assert size_of(value) > 50_000
    assert size_of({"text": "x" * 1_000}) > 1_000


async def ask(url: str) -> None:
    async with (
        aiohttp.ClientSession(headers=KEY) as session,
        session.post(url + "/v1/chat/completions", json=ASK) as answer,
    ):
        assert answer.status == 200
        await answer.read()


async def test_requests_are_kept_for_tests_and_not_otherwise():
    options = SandboxOptions.parse("local")
    for wanted in (True, False):
        async with Sandbox(options, records=wanted) as sandbox:
            await ask(sandbox.url)
            assert len(sandbox.state.requests) == wanted


async def test_the_sandbox_of_a_server_keeps_no_requests(monkeypatch):
    made: list[Sandbox] = []
    start = Sandbox.start

    async def noticed(sandbox: Sandbox) -> None:
        made.append(sandbox)
        await start(sandbox)

    monkeypatch.setattr(Sandbox, "start", noticed)
    async with running(Settings(port=0, transcriber="none")) as server:
        assert server.runtime.sandbox
        await ask(server.runtime.settings.base_url)
        assert len(made) == 1
        assert not made[0].state.requests


async def test_created_voices_are_bounded():
    state = SandboxState(SandboxOptions.parse("local"))
    for number in range(KEPT_VOICES + 10):
        create_voice(state, f"voice-{number}", "voice_cloning", [])
    assert len(state.voices) == KEPT_VOICES
    assert f"voice-{KEPT_VOICES + 9}" in state.voices


async def test_tasks_that_never_end_are_bounded_too():
    async def work(job: Job) -> None:
        await asyncio.Event().wait()

    state = SandboxState(SandboxOptions.parse("local", ["store.max_tasks=5"]))
    kind = JobKind("image", (("Processing", "task.expire_s"),), work)
    faults = Faults((), state.next_random(), {})
    jobs = [state.jobs.create(kind, {"picture": "x"}, faults) for _ in range(20)]
    assert [job.id for job in state.jobs.all()] == [job.id for job in jobs[-5:]]
    await state.jobs.close()
