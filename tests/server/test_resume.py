"""A session that outlives its socket: over real sockets, with everything that may go wrong on the way."""

import asyncio
import base64
import re
import time
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any

import msgspec
import pytest
import websockets
from aiohttp import web

from realtime.providers.base import SpeechAudio
from realtime.server.app import RunningServer, build_app
from realtime.server.live_session import Closing, LiveSession
from realtime.server.state import ACCESS, REGISTRY
from tests.server.wire import House, Wire, eventually
from tests.server.wire import house as open_house

STORY = "Count to twenty."
SLOW = ("speech.factor=8", "chat.tps=200", "chat.plain_tps=200")  # so that a reply takes a while
BIN = ("realtime.bin.v1",)


def session_of(wire: Wire) -> dict[str, Any]:
    kinds = ("session.created", "session.resumed")
    return next(event["session"] for event in wire.events if event["type"] in kinds)


def live(house: House, wire: Wire) -> LiveSession:
    found = house.server.app[REGISTRY].get(session_of(wire)["id"])
    assert found is not None
    return found


def last_seq(wire: Wire) -> int:
    numbers = [event["seq"] for event in wire.events if "seq" in event]
    return max([*numbers, *(frame.seq for frame in wire.frames)])


def back(wire: Wire, seq: int | None = None, **more: Any) -> str:
    """The query with which this client comes back."""
    query = {"resume": session_of(wire)["id"], "last_seq": last_seq(wire) if seq is None else seq, **more}
    return "?extensions=resume&" + "&".join(f"{key}={value}" for key, value in query.items())


async def drop(house: House, wire: Wire) -> None:
    """The line is cut. Waits until the server knows."""
    session = live(house, wire)
    wire.socket.transport.abort()
    await eventually(lambda: not session.attached)


def numbers(*wires: Wire) -> list[int]:
    """The numbers of everything these sockets brought, in order per socket."""
    return [
        number
        for wire in wires
        for number in sorted([e["seq"] for e in wire.events if "seq" in e] + [f.seq for f in wire.frames])
    ]


def without_names(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Events that two runs of one conversation can be compared by."""

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

    skipped = ("session.resumed", "session.created")  # and deltas, which are cut by the clock
    return [clean(e) for e in events if e["type"] not in skipped and not e["type"].endswith(".delta")]


def words(*wires: Wire) -> str:
    kind = "response.output_audio_transcript.delta"
    return "".join(event["delta"] for wire in wires for event in wire.of(kind))


# -- dropped in the middle of an answer


class Recorder:
    """A voice that passes another one on and keeps every sample it gave."""

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
async def recorded_house() -> AsyncIterator[tuple[House, Recorder]]:
    """A house whose voice is recorded before it reaches any outbox."""
    async with open_house(*SLOW) as house:
        runtime = house.server.runtime
        recorder = Recorder(runtime.providers.speech)
        runtime = replace(runtime, providers=replace(runtime.providers, speech=recorder))
        app = build_app(runtime)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield House(RunningServer(url, runtime, app), house.sandbox), recorder
        finally:
            await runner.cleanup()


@pytest.mark.parametrize("protocols", [(), BIN], ids=["json", "binary"])
async def test_an_answer_goes_on_where_the_line_was_cut(protocols: tuple[str, ...]):
    """The audio of both sockets joined is what the voice gave; the events are those of a reply without a cut."""
    async with recorded_house() as (house, recorder):
        async with house.wire("?extensions=resume", protocols=protocols) as whole:
            await whole.ask(STORY)
            assert sound(whole) == recorder.pcm
        recorder.pcm = b""
        async with house.wire("?extensions=resume", protocols=protocols) as before:
            await before.say(STORY)
            await before.send("response.create")
            await eventually(lambda: len(before.of("response.output_audio.delta")) + len(before.frames) > 10)
            await drop(house, before)
            assert not before.of("response.done"), "the cut was to be in the middle"
            async with house.dial(back(before), protocols=protocols) as after:
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
                assert without_names(before.events + after.events) == without_names(whole.events)
                events = before.events + after.events
                assert len({event["event_id"] for event in events}) == len(events)
                assert (await after.ask("What is two plus three?"))["status"] == "completed"


def sound(*wires: Wire) -> bytes:
    frames = b"".join(frame.payload for wire in wires for frame in wire.frames)
    return frames or b"".join(wire.audio() for wire in wires)


async def test_a_whole_answer_waits_while_nobody_is_there():
    async with open_house() as house, house.wire("?extensions=resume") as before:
        await before.say("What is two plus three?")
        await before.send("response.create", event_id="asked")
        await before.until("response.created")
        await drop(house, before)
        session = live(house, before)
        await eventually(lambda: not session.session.replying)
        async with house.dial(back(before)) as after:
            done = await after.until("response.done")
            assert done["response"]["status"] == "completed"
            assert after.audio()
            assert after.events[0]["last_event_id"] == "asked"


async def test_messages_that_were_on_their_way_come_again_unchanged(house: House):
    async with house.wire("?extensions=resume") as before:
        await before.ask("What is two plus three?")
        await drop(house, before)
        seen = [event for event in before.events if event["seq"] > 4]
        async with house.dial(back(before, seq=4)) as after:
            await eventually(lambda: len(after.events) > len(seen))
            assert after.events[1:] == seen


async def test_the_session_is_what_it_was(house: House):
    """Settings, conversation, numbers and the audio received are those of before the cut."""
    async with house.wire("?extensions=resume") as before:
        await before.send(
            "session.update", session={"instructions": "Be brief.", "audio": {"output": {"speed": 1.2}}}
        )
        await before.send(
            "input_audio_buffer.append", audio=base64.b64encode(bytes(48_000)).decode(), event_id="a1"
        )
        await before.say("My name is Ada.")
        item_id = (await before.until("conversation.item.done"))["item"]["id"]
        await drop(house, before)
        async with house.dial(back(before)) as after:
            resumed = await after.until("session.resumed")
            assert resumed["session"]["instructions"] == "Be brief."
            assert resumed["session"]["audio"]["output"]["speed"] == 1.2
            assert resumed["input_audio_ms"] == 1000
            assert resumed["last_event_id"] == "a1"
            item = await after.retrieve(item_id)
            assert item["content"][0]["text"] == "My name is Ada."


async def test_it_can_be_cut_again_and_again():
    async with open_house(*SLOW) as house, house.wire("?extensions=resume") as first:
        await first.say(STORY)
        await first.send("response.create")
        wires = [first]
        for _ in range(3):
            await eventually(lambda: len(wires[-1].of("response.output_audio.delta")) > 3)
            await drop(house, wires[-1])
            wire = await stay(house, back(wires[-1]))
            wires.append(wire)
        await wires[-1].until("response.done")
        assert numbers(*wires) == list(range(1, last_seq(wires[-1]) + 1))
        for wire in wires[1:]:
            await wire.aclose()


async def stay(house: House, query: str) -> Wire:
    """A client that the test closes itself."""
    return Wire(await websockets.connect(house.ws_url + query, compression=None, max_size=None, proxy=None))


async def test_what_the_player_had_played_comes_with_the_query():
    async with open_house(*SLOW) as house, house.wire("?extensions=resume,playback") as before:
        await before.say(STORY)
        await before.send("response.create")
        item_id = (await before.until("response.output_audio.delta", 5))["item_id"]
        await drop(house, before)
        async with house.dial(back(before, item_id=item_id, played_ms=300)) as after:
            started = await after.until("output_audio_buffer.started")
            assert started["response_id"] == before.of("response.created")[0]["response"]["id"]


async def test_time_stands_still_while_the_client_is_away(house: House):
    """The idle timeout does not fire at an empty chair."""
    idle = {"type": "server_vad", "idle_timeout_ms": 5000}
    async with house.wire("?extensions=resume") as before:
        await before.send("session.update", session={"audio": {"input": {"turn_detection": idle}}})
        await before.ask("Say hi.", output_modalities=["audio"])
        session = live(house, before).session
        await eventually(lambda: session._idle.running)
        await drop(house, before)
        assert not session._idle.running
        async with house.dial(back(before)) as after:
            await after.until("session.resumed")
            await eventually(lambda: session._idle.running)
            assert 0 < session._idle.left_s <= 5


# -- two sockets


async def test_the_newer_socket_wins():
    async with open_house(*SLOW) as house, house.wire("?extensions=resume") as older:
        await older.say(STORY)
        await older.send("response.create")
        await older.until("response.output_audio.delta", 5)
        async with house.dial(back(older)) as newer:
            assert await older.closed() == (1008, "session_taken_over")
            await newer.until("response.done")
            seqs = sorted({*numbers(older), *numbers(newer)})
            assert seqs == list(range(1, last_seq(newer) + 1)), "nothing is lost between the two"
            assert numbers(newer) == list(range(newer.events[0]["from_seq"], last_seq(newer) + 1))
            assert house.sessions == 1


async def test_many_newcomers_at_once_leave_one(house: House):
    async with house.wire("?extensions=resume") as first:
        query = back(first)
        newcomers = await asyncio.gather(*(stay(house, query) for _ in range(5)))
        await eventually(lambda: sum(wire.close_code is None for wire in newcomers) == 1)
        winner = next(wire for wire in newcomers if wire.close_code is None)
        assert (await winner.ask("What is two plus three?"))["status"] == "completed"
        assert house.sessions == 1
        for wire in newcomers:
            await wire.aclose()


# -- not possible


async def refused(wire: Wire, old_id: str | None = None) -> str:
    """The client got a new session and was told so; returns the reason."""
    await wire.until("conversation.created")
    assert wire.events[0]["type"] == "session.created"
    assert wire.events[0]["session"]["id"] != old_id
    error = await wire.error()
    assert (error["type"], error["code"]) == ("invalid_request_error", "session_not_resumable")
    assert (await wire.ask("What is two plus three?"))["status"] == "completed", "the new session lives"
    return str(error["message"])


async def test_an_unknown_session_is_not_resumed(house: House):
    async with house.dial("?extensions=resume&resume=sess_none&last_seq=3") as wire:
        assert "not here" in await refused(wire)


@pytest.mark.parametrize("query", ["&last_seq=99999", "&last_seq=x", "&last_seq=-1", ""])
async def test_a_number_that_cannot_be_is_not_resumed(house: House, query: str):
    async with house.wire("?extensions=resume") as before:
        await drop(house, before)
        old_id = session_of(before)["id"]
        async with house.dial(f"?extensions=resume&resume={old_id}{query}") as wire:
            await refused(wire, old_id)


async def test_a_gap_is_not_resumed(house: House):
    async with house.wire("?extensions=resume") as before:
        await before.ask("What is two plus three?")
        await drop(house, before)
        replay = live(house, before)._replay
        replay._max_bytes = 2_000
        while replay.size_bytes > 2_000:
            replay._drop_oldest()
        async with house.dial(back(before, seq=2)) as wire:
            assert "number 2" in await refused(wire, session_of(before)["id"])


async def test_another_credential_is_not_resumed():
    async with open_house(api_keys=("key-one", "key-two")) as house:
        one, two = ({"Authorization": f"Bearer {key}"} for key in ("key-one", "key-two"))
        async with house.wire("?extensions=resume", headers=one) as before:
            await drop(house, before)
            async with house.dial(back(before), headers=two) as wire:
                assert "not here" in await refused(wire, session_of(before)["id"])
            async with house.dial(back(before), headers=one) as wire:
                await wire.until("session.resumed")


async def test_another_subprotocol_is_not_resumed(house: House):
    async with house.wire("?extensions=resume") as before:
        await drop(house, before)
        async with house.dial(back(before), protocols=BIN) as wire:
            assert "subprotocol" in await refused(wire, session_of(before)["id"])


async def test_a_session_without_the_extension_ends_with_its_socket(house: House):
    async with house.wire() as before:
        old_id = session_of(before)["id"]
        before.socket.transport.abort()
        await house.empty()
        async with house.dial(f"?extensions=resume&resume={old_id}&last_seq=2") as wire:
            await refused(wire, old_id)


@pytest.mark.parametrize("code", [1000, 1001])
async def test_a_client_that_says_goodbye_is_not_waited_for(house: House, code: int):
    async with house.wire("?extensions=resume") as before:
        query, old_id = back(before), session_of(before)["id"]
        await before.socket.close(code)
        await house.empty()
        async with house.dial(query) as wire:
            await refused(wire, old_id)


async def test_a_parked_session_ends_with_its_window():
    async with open_house(resume_window_s=0.3) as house, house.wire("?extensions=resume") as before:
        assert session_of(before)["resume_window_s"] == 1
        await before.ask("What is two plus three?")
        query, old_id = back(before), session_of(before)["id"]
        await drop(house, before)
        assert house.sessions == 1
        await house.empty()
        assert not [task for task in asyncio.all_tasks() if old_id in task.get_name()]
        async with house.dial(query) as wire:
            assert "not here" in await refused(wire, old_id)


async def test_a_new_list_of_extensions_without_resume_ends_the_keeping(house: House):
    async with house.wire("?extensions=resume") as wire:
        await wire.send("session.update", session={"extensions": ["words"]})
        updated = await wire.until("session.updated")
        assert "seq" not in updated
        assert "resume_window_s" not in updated["session"]
        assert len(live(house, wire)._replay) == 0
        wire.socket.transport.abort()
        await house.empty()


async def test_resume_may_be_asked_for_later(house: House):
    """Then the numbers begin where they are, and only what came after can be had again."""
    async with house.wire() as before:
        await before.send("session.update", session={"extensions": ["resume"]})
        await before.until("session.updated")
        assert [event.get("seq") for event in before.events] == [None, None, 3]
        await drop(house, before)
        async with house.dial(back(before, seq=1)) as wire:
            await refused(wire, session_of(before)["id"])
        async with house.dial(back(before, seq=3)) as wire:
            await wire.until("session.resumed")


# -- keys, limits, the end


async def test_a_client_secret_resumes_even_after_it_has_expired():
    async with open_house(api_keys=("key-one",)) as house:
        access = house.server.app[ACCESS]
        secret = access.mint(access.check("key-one", time.time()), {}, int(time.time()) + 2)
        protocols = ("realtime", f"openai-insecure-api-key.{secret}")
        async with house.wire("?extensions=resume", protocols=protocols) as before:
            await drop(house, before)
            await eventually(lambda: time.time() > expiry(secret))
            async with house.dial(back(before), protocols=protocols) as after:
                await after.until("session.resumed")
            async with house.dial(protocols=protocols) as stranger:
                assert (await stranger.error())["code"] == "invalid_api_key"


def expiry(secret: str) -> float:
    """The first moment at which this secret opens nothing."""
    body = base64.urlsafe_b64decode(secret[3:] + "=" * (-len(secret[3:]) % 4))[20:]
    return float(msgspec.json.decode(zlib.decompress(body))["e"])


async def test_a_full_server_still_takes_its_own_clients_back():
    async with open_house(max_sessions=1) as house, house.wire("?extensions=resume") as before:
        await drop(house, before)
        async with house.dial(back(before)) as after:
            await after.until("session.resumed")


async def test_a_server_that_stops_ends_parked_sessions_at_once():
    begin_s = asyncio.get_running_loop().time()
    async with open_house(drain_s=20.0) as house:
        wire = await stay(house, "?extensions=resume")
        await wire.until("conversation.created")
        await wire.say(STORY)
        await wire.send("response.create")
        await wire.until("response.created")
        await drop(house, wire)
    assert asyncio.get_running_loop().time() - begin_s < 15
    await wire.aclose()


async def test_a_slow_reader_may_come_back():
    async with open_house(send_timeout_s=30.0) as house, house.wire("?extensions=resume") as before:
        await before.ask("What is two plus three?")
        session = live(house, before)
        assert session.attached
        session._holder.close_soon(Closing(1008, "slow_reader", resumable=True))
        assert await before.closed() == (1008, "slow_reader")
        await eventually(lambda: not session.attached)
        async with house.dial(back(before)) as after:
            await after.until("session.resumed")


async def test_what_is_kept_is_measured_in_audio_and_bytes(house: House):
    async with house.wire("?extensions=resume") as wire:
        await wire.ask(STORY)
        replay = live(house, wire)._replay
        assert replay.audio_ms == pytest.approx(len(wire.audio()) / 48, abs=1)
        assert len(wire.audio()) < replay.size_bytes < 2 * len(wire.audio())
