"""Resuming a session on a new socket, and all cases in which that fails."""

import asyncio
import base64
import re
import time
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import msgspec
import pytest
import websockets

from realtime.providers.base import SpeechAudio
from realtime.server.access import CLOCK_LEEWAY_S
from realtime.server.live_session import Closing, LiveSession
from realtime.server.run import running
from realtime.server.state import ACCESS, REGISTRY
from tests.eventually import eventually
from tests.server.harness import Harness, WireClient, open_harness

LONG = "Count to twenty."
SLOW = ("speech.factor=8", "chat.tps=200", "chat.plain_tps=200")  # so that a reply takes a while
BIN = ("realtime.bin.v1",)


def session_of(wire: WireClient) -> dict[str, Any]:
    kinds = ("session.created", "session.resumed")
    return next(event["session"] for event in wire.events if event["type"] in kinds)


def live(harness: Harness, wire: WireClient) -> LiveSession:
    found = harness.server.app[REGISTRY].get(session_of(wire)["id"])
    assert found is not None
    return found


def last_seq(wire: WireClient) -> int:
    numbers = [event["seq"] for event in wire.events if "seq" in event]
    return max([*numbers, *(frame.seq for frame in wire.frames)])


def resume_query(wire: WireClient, seq: int | None = None, **more: Any) -> str:
    """The query of this client to resume its session."""
    query = {"resume": session_of(wire)["id"], "last_seq": last_seq(wire) if seq is None else seq, **more}
    return "?extensions=resume&" + "&".join(f"{key}={value}" for key, value in query.items())


async def disconnect(harness: Harness, wire: WireClient) -> None:
    """Lose the connection, and wait until the server has noticed."""
    session = live(harness, wire)
    wire.socket.transport.abort()
    await eventually(lambda: not session.attached)


def numbers(*wires: WireClient) -> list[int]:
    """The numbers of all messages of these sockets, sorted for each socket."""
    return [
        number
        for wire in wires
        for number in sorted([e["seq"] for e in wire.events if "seq" in e] + [f.seq for f in wire.frames])
    ]


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


async def open_client(harness: Harness, query: str) -> WireClient:
    """A client that the test closes itself."""
    return WireClient(
        await websockets.connect(harness.ws_url + query, compression=None, max_size=None, proxy=None)
    )


async def test_the_query_reports_what_was_played():
    async with open_harness(*SLOW) as harness, harness.connect("?extensions=resume,playback") as before:
        await before.say(LONG)
        await before.send("response.create")
        item_id = (await before.until("response.output_audio.delta", 5))["item_id"]
        await disconnect(harness, before)
        async with harness.open_socket(resume_query(before, item_id=item_id, played_ms=300)) as after:
            started = await after.until("output_audio_buffer.started")
            assert started["response_id"] == before.of("response.created")[0]["response"]["id"]


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


# -- not resumable


async def rejection(wire: WireClient, old_id: str | None = None) -> str:
    """Check that the client got a new session and an error; returns the error's message."""
    await wire.until("conversation.created")
    assert wire.events[0]["type"] == "session.created"
    assert wire.events[0]["session"]["id"] != old_id
    error = await wire.error()
    assert (error["type"], error["code"]) == ("invalid_request_error", "session_not_resumable")
    assert (await wire.ask("What is two plus three?"))["status"] == "completed", (
        "the new session does not work"
    )
    return str(error["message"])


async def test_an_unknown_session_is_not_resumed(harness: Harness):
    async with harness.open_socket("?extensions=resume&resume=sess_none&last_seq=3") as wire:
        assert "does not exist" in await rejection(wire)


@pytest.mark.parametrize("query", ["&last_seq=99999", "&last_seq=x", "&last_seq=-1", ""])
async def test_an_invalid_last_seq_is_not_resumed(harness: Harness, query: str):
    async with harness.connect("?extensions=resume") as before:
        await disconnect(harness, before)
        old_id = session_of(before)["id"]
        async with harness.open_socket(f"?extensions=resume&resume={old_id}{query}") as wire:
            await rejection(wire, old_id)


async def test_a_gap_is_not_resumed(harness: Harness):
    async with harness.connect("?extensions=resume") as before:
        await before.ask("What is two plus three?")
        await disconnect(harness, before)
        replay = live(harness, before)._replay
        replay._max_bytes = 2_000
        while replay.size_bytes > 2_000:
            replay._drop_oldest()
        async with harness.open_socket(resume_query(before, seq=2)) as wire:
            assert "number 2" in await rejection(wire, session_of(before)["id"])


async def test_another_credential_is_not_resumed():
    async with open_harness(api_keys=("key-one", "key-two")) as harness:
        one, two = ({"Authorization": f"Bearer {key}"} for key in ("key-one", "key-two"))
        async with harness.connect("?extensions=resume", headers=one) as before:
            await disconnect(harness, before)
            async with harness.open_socket(resume_query(before), headers=two) as wire:
                assert "does not exist" in await rejection(wire, session_of(before)["id"])
            async with harness.open_socket(resume_query(before), headers=one) as wire:
                await wire.until("session.resumed")


async def test_another_subprotocol_is_not_resumed(harness: Harness):
    async with harness.connect("?extensions=resume") as before:
        await disconnect(harness, before)
        async with harness.open_socket(resume_query(before), protocols=BIN) as wire:
            assert "subprotocol" in await rejection(wire, session_of(before)["id"])


async def test_a_session_without_the_extension_ends_with_its_socket(harness: Harness):
    async with harness.connect() as before:
        old_id = session_of(before)["id"]
        before.socket.transport.abort()
        await harness.no_sessions()
        async with harness.open_socket(f"?extensions=resume&resume={old_id}&last_seq=2") as wire:
            await rejection(wire, old_id)


@pytest.mark.parametrize("code", [1000, 1001])
async def test_a_session_ends_when_the_client_closes_normally(harness: Harness, code: int):
    async with harness.connect("?extensions=resume") as before:
        query, old_id = resume_query(before), session_of(before)["id"]
        await before.socket.close(code)
        await harness.no_sessions()
        async with harness.open_socket(query) as wire:
            await rejection(wire, old_id)


async def test_a_detached_session_ends_after_the_resume_window():
    async with open_harness(resume_window_s=0.3) as harness, harness.connect("?extensions=resume") as before:
        assert session_of(before)["resume_window_s"] == 1
        await before.ask("What is two plus three?")
        query, old_id = resume_query(before), session_of(before)["id"]
        await disconnect(harness, before)
        assert harness.sessions == 1
        await harness.no_sessions()
        assert not [task for task in asyncio.all_tasks() if old_id in task.get_name()]
        async with harness.open_socket(query) as wire:
            assert "does not exist" in await rejection(wire, old_id)


async def test_an_update_without_resume_clears_the_replay_buffer(harness: Harness):
    async with harness.connect("?extensions=resume") as wire:
        await wire.send("session.update", session={"extensions": ["words"]})
        updated = await wire.until("session.updated")
        assert "seq" not in updated
        assert "resume_window_s" not in updated["session"]
        assert len(live(harness, wire)._replay) == 0
        wire.socket.transport.abort()
        await harness.no_sessions()


async def test_resume_may_be_requested_later(harness: Harness):
    """Numbers then continue the count of all messages, and only later messages can be sent again."""
    async with harness.connect() as before:
        await before.send("session.update", session={"extensions": ["resume"]})
        await before.until("session.updated")
        assert [event.get("seq") for event in before.events] == [None, None, 3]
        await disconnect(harness, before)
        async with harness.open_socket(resume_query(before, seq=1)) as wire:
            await rejection(wire, session_of(before)["id"])
        async with harness.open_socket(resume_query(before, seq=3)) as wire:
            await wire.until("session.resumed")


# -- keys, limits, shutdown


async def test_a_client_secret_resumes_even_after_it_has_expired():
    async with open_harness(api_keys=("key-one",)) as harness:
        access = harness.server.app[ACCESS]
        secret = access.mint(access.check("key-one", time.time()), {}, int(time.time()) + 2 - CLOCK_LEEWAY_S)
        protocols = ("realtime", f"openai-insecure-api-key.{secret}")
        async with harness.connect("?extensions=resume", protocols=protocols) as before:
            await disconnect(harness, before)
            await eventually(lambda: time.time() > expiry(secret) + CLOCK_LEEWAY_S)
            async with harness.open_socket(resume_query(before), protocols=protocols) as after:
                await after.until("session.resumed")
            async with harness.open_socket(protocols=protocols) as expired:
                assert (await expired.error())["code"] == "invalid_api_key"


def expiry(secret: str) -> float:
    """When this secret expires, in Unix seconds."""
    body = base64.urlsafe_b64decode(secret[3:] + "=" * (-len(secret[3:]) % 4))[20:-8]
    return float(msgspec.json.decode(zlib.decompress(body))["e"])


async def test_a_full_server_resumes_sessions():
    async with open_harness(max_sessions=1) as harness, harness.connect("?extensions=resume") as before:
        await disconnect(harness, before)
        async with harness.open_socket(resume_query(before)) as after:
            await after.until("session.resumed")


async def test_a_stopping_server_does_not_wait_long_for_detached_sessions():
    begin_s = asyncio.get_running_loop().time()
    async with open_harness(drain_s=20.0) as harness:
        wire = await open_client(harness, "?extensions=resume")
        await wire.until("conversation.created")
        await wire.say(LONG)
        await wire.send("response.create")
        await wire.until("response.created")
        await disconnect(harness, wire)
    assert asyncio.get_running_loop().time() - begin_s < 15
    await wire.aclose()


async def test_a_slow_reader_may_resume():
    async with open_harness(send_timeout_s=30.0) as harness, harness.connect("?extensions=resume") as before:
        await before.ask("What is two plus three?")
        session = live(harness, before)
        assert session.attached
        session._connection.close_soon(Closing(1008, "slow_reader", resumable=True))
        assert await before.closed() == (1008, "slow_reader")
        await eventually(lambda: not session.attached)
        async with harness.open_socket(resume_query(before)) as after:
            await after.until("session.resumed")


async def test_the_replay_buffer_counts_audio_and_bytes(harness: Harness):
    async with harness.connect("?extensions=resume") as wire:
        await wire.ask(LONG)
        replay = live(harness, wire)._replay
        assert replay.audio_ms == pytest.approx(len(wire.audio()) / 48, abs=1)
        assert len(wire.audio()) < replay.size_bytes < 2 * len(wire.audio())


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
