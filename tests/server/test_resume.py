"""Resuming a session on a new socket, during an answer and between answers, and by several sockets."""

import asyncio
import base64
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from realtime.providers.base import SpeechAudio
from realtime.server.arrivals import Arrivals
from realtime.server.run import running
from tests.eventually import eventually
from tests.server.harness import Harness, WireClient, open_harness
from tests.server.resuming import (
    BIN,
    LONG,
    SLOW,
    disconnect,
    last_seq,
    live,
    numbers,
    open_client,
    resume_query,
    session_of,
)


def comparable(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events without ids, times and deltas, to compare two runs of one conversation."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: clean(inner)
                for key, inner in value.items()
                if key not in ("event_id", "expires_at", "seq")
            }
        if isinstance(value, list):
            return [clean(inner) for inner in value]
        if isinstance(value, str) and re.fullmatch(r"(sess|conv|resp|item|event)_[\w-]+", value):
            return value.split("_")[0]
        return value

    skipped = ("session.resumed", "session.created")  # and deltas, whose size depends on time
    return [clean(e) for e in events if e["type"] not in skipped and not e["type"].endswith(".delta")]


def words(*wires: WireClient) -> str:
    kind = "response.output_audio_transcript.delta"
    return "".join(event["delta"] for wire in wires for event in wire.of(kind))


# -- disconnected during an answer


class Recorder:
    """A speech provider that wraps another one and keeps all its audio."""

    def __init__(self, speech: Any) -> None:
        self._speech = speech
        self.pcm = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._speech, name)

    @asynccontextmanager
    async def open(self, voice: Any) -> AsyncIterator[Any]:
        async with self._speech.open(voice) as utterance:
            yield _Recording(self, utterance)


class _Recording:
    def __init__(self, recorder: Recorder, utterance: Any) -> None:
        self._recorder = recorder
        self.say, self.finish = utterance.say, utterance.finish
        self._events = utterance.events

    async def events(self) -> AsyncGenerator[Any, None]:
        async with aclosing(self._events()) as events:
            async for event in events:
                if isinstance(event, SpeechAudio):
                    self._recorder.pcm += event.pcm
                yield event


@asynccontextmanager
async def recorded_harness() -> AsyncIterator[tuple[Harness, Recorder]]:
    """A harness with a Recorder as its speech provider."""
    async with open_harness(*SLOW) as harness:
        runtime = harness.server.runtime
        recorder = Recorder(runtime.providers.speech)
        async with running(runtime.settings, providers={"speech": recorder}) as server:
            yield Harness(server, harness.sandbox), recorder


@pytest.mark.parametrize("protocols", [(), BIN], ids=["json", "binary"])
async def test_an_answer_continues_on_the_new_socket(protocols: tuple[str, ...]):
    """The audio of both sockets is all audio of the voice; the events are those of an uninterrupted reply."""
    async with recorded_harness() as (harness, recorder):
        async with harness.connect("?extensions=resume", protocols=protocols) as whole:
            await whole.ask(LONG)
            assert sound(whole) == recorder.pcm
        recorder.pcm = b""
        async with harness.connect("?extensions=resume", protocols=protocols) as before:
            await before.say(LONG)
            await before.send("response.create")
            await eventually(lambda: len(before.of("response.output_audio.delta")) + len(before.frames) > 10)
            await disconnect(harness, before)
            assert not before.of("response.done"), "disconnected too late"
            async with harness.open_socket(resume_query(before), protocols=protocols) as after:
                await after.until("response.done")
                resumed = after.events[0]
                assert resumed["type"] == "session.resumed"
                assert "seq" not in resumed
                assert resumed["session"]["id"] == session_of(before)["id"]
                assert resumed["session"]["resume_window_s"] == 30
                assert resumed["from_seq"] == last_seq(before) + 1
                assert numbers(before, after) == list(range(1, last_seq(after) + 1))
                assert sound(before, after) == recorder.pcm
                assert words(before, after) == words(whole)
                assert comparable(before.events + after.events) == comparable(whole.events)
                events = before.events + after.events
                assert len({event["event_id"] for event in events}) == len(events)
                assert (await after.ask("What is two plus three?"))["status"] == "completed"


def sound(*wires: WireClient) -> bytes:
    frames = b"".join(frame.payload for wire in wires for frame in wire.frames)
    return frames or b"".join(wire.audio() for wire in wires)


async def test_an_answer_that_ends_while_detached_is_sent_on_the_new_socket():
    async with open_harness() as harness, harness.connect("?extensions=resume") as before:
        await before.say("What is two plus three?")
        await before.send("response.create", event_id="asked")
        await before.until("response.created")
        await disconnect(harness, before)
        session = live(harness, before)
        await eventually(lambda: not session.session.replying)
        async with harness.open_socket(resume_query(before)) as after:
            done = await after.until("response.done")
            assert done["response"]["status"] == "completed"
            assert after.audio()
            assert after.events[0]["last_event_id"] == "asked"


async def test_missed_messages_are_sent_again_unchanged(harness: Harness):
    async with harness.connect("?extensions=resume") as before:
        await before.ask("What is two plus three?")
        await disconnect(harness, before)
        seen = [event for event in before.events if event["seq"] > 4]
        async with harness.open_socket(resume_query(before, seq=4)) as after:
            await eventually(lambda: len(after.events) > len(seen))
            assert after.events[1:] == seen


async def test_a_resumed_session_keeps_its_state(harness: Harness):
    """Settings, conversation, numbers and the received audio are the same as before."""
    async with harness.connect("?extensions=resume") as before:
        await before.send(
            "session.update", session={"instructions": "Be brief.", "audio": {"output": {"speed": 1.2}}}
        )
        await before.send(
            "input_audio_buffer.append", audio=base64.b64encode(bytes(48_000)).decode(), event_id="a1"
        )
        await before.say("My name is Ada.")
        item_id = (await before.until("conversation.item.done"))["item"]["id"]
        await disconnect(harness, before)
        async with harness.open_socket(resume_query(before)) as after:
            resumed = await after.until("session.resumed")
            assert resumed["session"]["instructions"] == "Be brief."
            assert resumed["session"]["audio"]["output"]["speed"] == 1.2
            assert resumed["input_audio_ms"] == 1000
            assert resumed["last_event_id"] == "a1"
            item = await after.retrieve(item_id)
            assert item["content"][0]["text"] == "My name is Ada."


async def test_a_session_can_be_resumed_several_times():
    async with open_harness(*SLOW) as harness, harness.connect("?extensions=resume") as first:
        await first.say(LONG)
        await first.send("response.create")
        wires = [first]
        for _ in range(3):
            await eventually(lambda: len(wires[-1].of("response.output_audio.delta")) > 3)
            await disconnect(harness, wires[-1])
            wire = await open_client(harness, resume_query(wires[-1]))
            wires.append(wire)
        await wires[-1].until("response.done")
        assert numbers(*wires) == list(range(1, last_seq(wires[-1]) + 1))
        for wire in wires[1:]:
            await wire.aclose()


async def test_the_query_reports_what_was_played():
    async with open_harness(*SLOW) as harness, harness.connect("?extensions=resume,playback") as before:
        await before.say(LONG)
        await before.send("response.create")
        item_id = (await before.until("response.output_audio.delta", 5))["item_id"]
        await disconnect(harness, before)
        async with harness.open_socket(resume_query(before, item_id=item_id, played_ms=300)) as after:
            started = await after.until("output_audio_buffer.started")
            assert started["response_id"] == before.of("response.created")[0]["response"]["id"]


@pytest.mark.parametrize("protocols", [(), BIN], ids=["json", "binary"])
async def test_sound_that_did_not_arrive_begins_to_play_when_it_is_sent_again(
    harness: Harness, protocols: tuple[str, ...]
):
    async with harness.connect("?extensions=resume", protocols=protocols) as before:
        await before.ask(LONG)
        created = before.of("response.created")[0]["seq"]
        total_s = len(sound(before)) / 48_000
        session = live(harness, before).session
        await eventually(lambda: session._playout.unheard_s() < total_s - 0.2)
        await disconnect(harness, before)
        asked_s = asyncio.get_running_loop().time()
        async with harness.open_socket(resume_query(before, seq=created), protocols=protocols) as after:
            await after.until("session.resumed")
            ends_s = asyncio.get_running_loop().time() + session._playout.unheard_s()
            assert ends_s - total_s >= asked_s


async def test_the_idle_timeout_does_not_run_while_detached(harness: Harness):
    idle = {"type": "server_vad", "idle_timeout_ms": 5000}
    async with harness.connect("?extensions=resume") as before:
        await before.send("session.update", session={"audio": {"input": {"turn_detection": idle}}})
        await before.ask("Say hi.", output_modalities=["audio"])
        session = live(harness, before).session
        await eventually(lambda: session._idle.running)
        await disconnect(harness, before)
        assert not session._idle.running
        async with harness.open_socket(resume_query(before)) as after:
            await after.until("session.resumed")
            await eventually(lambda: session._idle.running)
            assert 0 < session._idle.left_s <= 5


# -- two sockets


async def test_a_newer_socket_takes_over_the_session():
    async with open_harness(*SLOW) as harness, harness.connect("?extensions=resume") as older:
        await older.say(LONG)
        await older.send("response.create")
        await older.until("response.output_audio.delta", 5)
        async with harness.open_socket(resume_query(older)) as newer:
            assert await older.closed() == (1008, "session_taken_over")
            await newer.until("response.done")
            seqs = sorted({*numbers(older), *numbers(newer)})
            assert seqs == list(range(1, last_seq(newer) + 1)), "a message was lost between the sockets"
            assert numbers(newer) == list(range(newer.events[0]["from_seq"], last_seq(newer) + 1))
            assert harness.sessions == 1


async def test_of_many_new_sockets_one_keeps_the_session(harness: Harness):
    async with harness.connect("?extensions=resume") as first:
        query = resume_query(first)
        sockets = await asyncio.gather(*(open_client(harness, query) for _ in range(5)))
        await eventually(lambda: sum(wire.close_code is None for wire in sockets) == 1)
        remaining = next(wire for wire in sockets if wire.close_code is None)
        assert (await remaining.ask("What is two plus three?"))["status"] == "completed"
        assert harness.sessions == 1
        for wire in sockets:
            await wire.aclose()


async def test_a_socket_that_knows_too_little_ends_nothing_for_one_that_came_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
):
    """Both may resume when they ask; what the stale one lacks is gone when it is its turn."""
    gate, turn = asyncio.Event(), Arrivals.turn
    waiting: list[bool] = []

    async def first_one_late(self: Arrivals, **more: bool) -> None:
        waiting.append(True)
        if len(waiting) == 1:
            await gate.wait()
        await turn(self, **more)

    async with open_harness() as harness, harness.connect("?extensions=resume") as before:
        await before.ask("What is two plus three?")
        session = live(harness, before)
        monkeypatch.setattr(Arrivals, "turn", first_one_late)
        connecting = asyncio.create_task(open_client(harness, resume_query(before, seq=2)))
        await eventually(lambda: waiting)
        async with harness.open_socket(resume_query(before)) as good:
            await good.until("session.resumed")
            gate.set()
            stale = await connecting
            assert (await stale.error())["code"] == "session_not_resumable"
            assert session_of(stale)["id"] != session.id
            assert (await good.ask("What is two plus four?"))["status"] == "completed"
            assert good.close_code is None
        await stale.aclose()


async def test_an_event_that_was_refused_is_not_asked_for_again(harness: Harness):
    """Also one that is none: a client would send it again at each resumption."""
    async with harness.connect("?extensions=resume") as before:
        await before.send("no.such.event", event_id="c7")
        await before.error()
        await disconnect(harness, before)
        async with harness.open_socket(resume_query(before)) as after:
            assert (await after.until("session.resumed"))["last_event_id"] == "c7"
            await after.send("input_audio_buffer.append", audio=base64.b64encode(bytes(2 * 1000)).decode())
            await after.send("response.cancel", event_id="c8")
            await after.error()
            await disconnect(harness, after)
            async with harness.open_socket(resume_query(after)) as again:
                resumed = await again.until("session.resumed")
                assert (resumed["last_event_id"], resumed["input_audio_ms"]) == ("c8", 41)  # of 41.67
