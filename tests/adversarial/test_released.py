"""What an ended session held comes back at once, in whatever way it ended: nothing waits for the garbage collector.

With 200 conversations a full collection is rare (`server/run.py`), and one large session holds tens of megabytes. The
law: with the collector off, every part of an ended session is gone, and what a collection finds afterwards is nothing
of ours.
"""

import asyncio
import contextlib
import gc
import logging
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
import websockets

from realtime.deadlines import Alarm
from realtime.errors import ProviderUnavailable, without_trace
from realtime.server import runner
from realtime.server.live_session import LiveSession
from realtime.server.state import REGISTRY
from tests.clips import clips
from tests.server.harness import Harness, WireClient, open_harness
from tests.server.test_connections import connect_small_buffer, stop_reading

LONG = "Count to twenty."
Ending = Callable[[Harness, WireClient], Awaitable[None]]


@contextmanager
def no_collector() -> Iterator[None]:
    """The collector is off; what exists by now is none of its business."""
    gc.freeze()  # no collection before it: after thousands of tests it takes seconds
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def ours_in_garbage() -> Counter[str]:
    """What of the server's a full collection has to find, by class."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
        kinds = [type(thing) for thing in gc.garbage]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
    ours = Counter(kind for kind in kinds if kind.__module__.startswith("realtime."))
    connections = ours.pop(runner._Protocol, 0)  # in a cycle of aiohttp's, with a request and its WebSocket
    ours[Alarm] -= connections
    return Counter({kind.__qualname__: n for kind, n in ours.items() if n > 0 and not _of_the_sandbox(kind)})


def _of_the_sandbox(kind: type) -> bool:
    return kind.__module__.startswith("realtime.sandbox")


def parts_of(harness: Harness) -> dict[str, weakref.ref[Any]]:
    """Weak references to the large parts of every session, and to its tasks."""
    held: dict[str, Any] = {}
    for live in harness.server.app[REGISTRY]:
        session = live.session
        held |= {
            f"{live.id} session": session,
            f"{live.id} live session": live,
            f"{live.id} conversation": session.conversation,
            f"{live.id} outbox": live.outbox,
            f"{live.id} replies": session.responses,
        }
        held |= {task.get_name(): task for task in asyncio.all_tasks() if live.id in task.get_name()}
    return {name: weakref.ref(thing) for name, thing in held.items()}


def live_of(harness: Harness) -> LiveSession:
    return next(iter(harness.server.app[REGISTRY]))


async def gone(harness: Harness, parts: dict[str, weakref.ref[Any]], *, looks: int = 1000) -> list[str]:
    """The parts that are still there when everything has had time to end, also on a busy machine."""
    await harness.no_sessions()
    for _ in range(looks):
        left = [name for name, part in parts.items() if part() is not None]
        if not left:
            break
        await asyncio.sleep(0.01)
    return left


@asynccontextmanager
async def prewarmed(**settings: Any) -> AsyncIterator[Harness]:
    """A server that has served somebody: what is made once for all is there."""
    async with open_harness(**settings) as harness:
        async with harness.connect() as first:
            await first.ask("Hello.")
        await harness.no_sessions()
        yield harness


# -- the ways to end -------------------------------------------------------------------------------------------------


async def client_closes(harness: Harness, wire: WireClient) -> None:
    await wire.socket.close()


async def closes_in_mid_reply(harness: Harness, wire: WireClient) -> None:
    await begin_reply(wire)
    await wire.socket.close()


async def closes_while_it_thinks(harness: Harness, wire: WireClient) -> None:
    harness.fault("chat.stall")
    await wire.say(LONG)
    await wire.send("response.create")
    await wire.until("response.created", wire.count("response.created") + 1)
    await wire.socket.close()


async def connection_lost(harness: Harness, wire: WireClient) -> None:
    await begin_reply(wire)
    wire.socket.transport.abort()


async def server_ends_it(harness: Harness, wire: WireClient) -> None:
    await begin_reply(wire)
    live_of(harness).close_soon(1001, "server_draining")
    await wire.closed()


async def too_many_errors(harness: Harness, wire: WireClient) -> None:
    await begin_reply(wire)
    for _ in range(100):
        await wire.socket.send("not an event")
    assert (await wire.closed())[1] == "too_many_errors"


async def too_large_a_message(harness: Harness, wire: WireClient) -> None:
    with contextlib.suppress(websockets.ConnectionClosed):
        await wire.socket.send("x" * (17 * 1024 * 1024))
    await wire.closed()


async def mistakes(harness: Harness, wire: WireClient) -> None:
    await wire.send("conversation.item.retrieve", item_id="item_none")
    await wire.send("response.create", response={"conversation": "none", "input": []})
    await wire.send("session.update", session={"type": "realtime", "audio": {"output": {"speed": "fast"}}})
    await wire.error(2)
    await wire.socket.close()


async def failed_chat(harness: Harness, wire: WireClient) -> None:
    harness.fault("chat.error=1000")
    assert (await wire.ask(LONG))["status"] == "failed"
    await wire.socket.close()


async def failed_voice(harness: Harness, wire: WireClient) -> None:
    harness.fault("speech.error=2013")
    other_voice = {"type": "realtime", "audio": {"output": {"voice": "English_magnetic_voiced_man"}}}
    # Else the reply finds a connection without a fault
    await wire.send("session.update", session=other_voice)
    assert (await wire.ask(LONG))["status"] == "failed"
    await wire.socket.close()


async def barge_in(harness: Harness, wire: WireClient) -> None:
    await begin_reply(wire)
    await speak(wire, 1.0)
    await wire.socket.close()


async def cancelled(harness: Harness, wire: WireClient) -> None:
    await begin_reply(wire)
    await wire.send("response.cancel")
    await wire.until("response.done", wire.count("response.created"))
    await wire.socket.close()


async def speech_is_open(harness: Harness, wire: WireClient) -> None:
    await speak(wire, 1.0)
    await wire.until("input_audio_buffer.speech_started")
    await wire.socket.close()


async def transcription_fails(harness: Harness, wire: WireClient) -> None:
    """The server has no transcriber here."""
    await wire.send(
        "session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": None}}}
    )
    await speak(wire, 1.0)
    await wire.send("input_audio_buffer.commit")
    await wire.until("conversation.item.input_audio_transcription.failed")
    await wire.socket.close()


async def our_own_bug(harness: Harness, wire: WireClient) -> None:
    await begin_reply(wire)

    async def bug() -> None:
        raise RuntimeError("a bug")

    live_of(harness).session._context.tasks.spawn(bug(), "bug")
    await asyncio.sleep(0.05)
    await wire.socket.close()


ENDINGS: list[Ending] = [
    client_closes, closes_in_mid_reply, closes_while_it_thinks, connection_lost, server_ends_it, too_many_errors,
    too_large_a_message, mistakes, failed_chat, failed_voice, barge_in, cancelled, speech_is_open, transcription_fails,
    our_own_bug,
]  # fmt: skip


async def begin_reply(wire: WireClient) -> None:
    """A reply that sounds, and goes on."""
    heard = wire.count("response.output_audio.delta")
    await wire.say(LONG)
    await wire.send("response.create")
    await wire.until("response.output_audio.delta", heard + 2)


async def speak(wire: WireClient, seconds: float) -> None:
    """Recorded speech, as 24 kHz PCM would be; all at once."""
    samples = clips()[0].samples.repeat(3)[::2]
    await wire.append(samples[: int(seconds * 24_000)].tobytes())


@pytest.mark.parametrize("query", ["", "?extensions=resume,playback,words"], ids=["plain", "resume"])
async def test_nothing_of_an_ended_session_waits_for_the_garbage_collector(
    query: str, caplog: pytest.LogCaptureFixture
):
    # pytest keeps a bug's record, with its trace
    caplog.set_level(logging.CRITICAL, "realtime.server.live_session")
    left: dict[str, object] = {}
    async with prewarmed(resume_window_s=0.1) as harness:
        for ending in ENDINGS:
            with no_collector():
                async with harness.connect(query) as wire:
                    await wire.ask("Hello.")
                    parts = parts_of(harness)
                    await ending(harness, wire)
                    parts |= parts_of(harness)
                left[ending.__name__] = await gone(harness, parts), ours_in_garbage()
            harness.fault()
    assert left == {ending.__name__: ([], Counter()) for ending in ENDINGS}


async def test_nor_after_a_slow_reader():
    async with prewarmed(send_timeout_s=0.3) as harness:
        with no_collector():
            async with connect_small_buffer(harness) as slow:
                await stop_reading(harness, slow)
                parts = parts_of(harness)
                await harness.no_sessions()
                slow.reading.set()
                await slow.closed()
            assert not await gone(harness, parts)
            assert not ours_in_garbage()


async def test_nor_after_a_session_that_was_resumed_and_ended_by_its_time():
    async with prewarmed(resume_window_s=5, session_minutes=0.1) as harness:
        with no_collector():
            async with harness.connect("?extensions=resume") as before:
                await begin_reply(before)
                session = before.events[0]["session"]["id"]
                before.socket.transport.abort()
                async with harness.open_socket(f"?extensions=resume&resume={session}&last_seq=2") as after:
                    await after.until("session.resumed")
                    parts = parts_of(harness)
                    assert (await after.closed())[1] == "session_expired"
            assert not await gone(harness, parts)
            assert not ours_in_garbage()


async def test_nor_after_a_session_that_was_taken_over():
    async with prewarmed() as harness:
        with no_collector():
            async with harness.connect("?extensions=resume") as before:
                session = before.events[0]["session"]["id"]
                async with harness.open_socket(f"?extensions=resume&resume={session}&last_seq=2") as after:
                    await after.until("session.resumed")
                    assert (await before.closed())[1] == "session_taken_over"
                    parts = parts_of(harness)
            assert not await gone(harness, parts)
            assert not ours_in_garbage()


def test_an_error_that_is_kept_knows_no_frames():
    """The errors that a session keeps have causes, groups and contexts: none of them leads back to it."""

    def nested() -> ProviderUnavailable:
        try:
            try:
                raise ExceptionGroup("two", [caught(OSError()), caught(ValueError())])
            except* OSError as group:
                raise ProviderUnavailable("nothing came") from group
        except BaseException as error:
            return error  # type: ignore[return-value]

    error = without_trace(nested())
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None:
            assert each.__traceback__ is None
            waiting += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]


def caught(error: Exception) -> Exception:
    try:
        raise error
    except Exception as known:
        return known


async def test_the_law_finds_a_cycle():
    """Else it could not fail."""
    async with prewarmed() as harness:
        with no_collector():
            async with harness.connect() as wire:
                parts = parts_of(harness)
                session = live_of(harness).session
                session.__dict__["me"] = session
                del session
                await wire.socket.close()
            assert len(await gone(harness, parts, looks=10)) >= 1
            assert ours_in_garbage()["Session"] == 1
