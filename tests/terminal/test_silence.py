"""A server that falls silent without a goodbye: when it counts as lost, and what never does."""

import asyncio
import contextlib
import math
import socket as sockets
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from realtime_client import ConnectionLost, connect
from realtime_client.silence import SILENCE_TIMEOUT_S, TICK_S, Silence, SilenceWatch, Verdict, watch
from websockets.protocol import State

from tests import virtual_time
from tests.terminal.scripted_server import scripted_server

SENTENCE = "has not answered for"


# -- the rule ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timeout_s", "silent_s", "verdict"),
    [
        (5.0, 1.75, Verdict.WAIT),
        (5.0, 2.0, Verdict.PING),
        (5.0, 2.25, Verdict.WAIT),
        (5.0, 4.75, Verdict.WAIT),
        (5.0, 5.0, Verdict.LOST),
        (1.0, 0.5, Verdict.PING),
        (1.0, 1.0, Verdict.LOST),
        (40.0, 16.0, Verdict.PING),
        (40.0, 39.75, Verdict.WAIT),
        (40.0, 40.0, Verdict.LOST),
        (math.inf, 20.0, Verdict.PING),
        (math.inf, 4000.0, Verdict.WAIT),
    ],
)
def test_what_a_silence_of_this_length_asks_for(timeout_s, silent_s, verdict):
    silence = Silence(timeout_s)
    verdicts = [silence.tick(TICK_S) for _ in range(round(silent_s / TICK_S))]
    assert verdicts[-1] is verdict
    assert Verdict.LOST not in verdicts[:-1]


@given(st.lists(st.booleans(), max_size=200))
def test_nothing_is_lost_without_a_ping_and_the_whole_silence_after_the_last_sign(signs):
    silence, ticks, pinged = Silence(), 0, False
    for alive in signs:
        if alive:
            silence.sign_of_life()
            ticks, pinged = 0, False
        ticks += 1
        verdict = silence.tick(TICK_S)
        assert (verdict is Verdict.LOST) == (ticks * TICK_S >= SILENCE_TIMEOUT_S)
        assert verdict is not Verdict.LOST or pinged
        assert not (verdict is Verdict.PING and pinged), "one ping for one silence"
        pinged = pinged or verdict is Verdict.PING


# -- watching a socket, in virtual time -------------------------------------------------------------------------


class FakeSocket:
    """A socket and its transport. `answers(at_s)` says whether a ping sent then is answered at once."""

    def __init__(self, answers=lambda at_s: False):
        self.state = State.OPEN
        self.transport = self
        self.received = 0
        self.given_up = None
        self.given_up_s = None
        self.waiting = 0
        self.reading = True
        self.pings = 0
        self._answers = answers
        self._began_s = asyncio.get_running_loop().time()

    @property
    def now_s(self):
        return asyncio.get_running_loop().time() - self._began_s

    async def ping(self):
        self.pings += 1
        if self._answers(self.now_s):
            self.received += 1

    def abort(self):
        self.state = State.CLOSED
        self.given_up_s = self.now_s

    def is_reading(self):
        return self.reading

    def get_write_buffer_size(self):
        return self.waiting


def watched_for(seconds, make=FakeSocket, during=None, sound_sent_s=lambda: 0.0):
    """The socket after it was watched for so long; `during(socket)` runs beside it."""

    async def main():
        socket = make()
        tasks = [asyncio.create_task(watch(socket, Silence(), sound_sent_s))]
        if during is not None:
            tasks.append(asyncio.create_task(during(socket)))
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return socket

    return virtual_time.run(main())


def test_a_network_that_is_gone_is_told_after_five_seconds():
    socket = watched_for(60)
    assert socket.given_up == (
        "The server has not answered for 5 s, so the connection is lost: check the network."
    )
    assert socket.given_up_s == pytest.approx(5.0, abs=TICK_S)
    assert socket.pings == 1


def test_a_conversation_that_ends_right_after_a_new_socket_leaves_no_watch_behind():
    """The watch of the socket before ends with its next look only."""

    async def main():
        async with SilenceWatch(5.0, lambda: 0.0) as watching:
            for _ in range(3):
                socket = FakeSocket()
                watching.watch(socket)
                await asyncio.sleep(TICK_S / 4)
                socket.abort()
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert virtual_time.run(main()) == set()


def test_each_socket_that_is_given_up_gives_the_next_one_more_time():
    """Until one answers a ping soon."""
    lost_after_s = []

    async def main():
        async with SilenceWatch(2.75, lambda: 0.0, longest_s=8.0) as watching:
            for answers in (0, 0, 0, 0, 1, 0):
                socket = FakeSocket(lambda at_s, answers=answers: at_s < 4 * answers)
                watching.watch(socket)
                await asyncio.sleep(30)
                lost_after_s.append(socket.given_up_s)

    virtual_time.run(main())
    assert lost_after_s == pytest.approx([2.75, 5.5, 8.0, 8.0, 11.5, 5.5], abs=0.5)


@pytest.mark.parametrize("begin_s", [0.1, 1.0, 1.9, 2.1, 3.3, 7.7])
@pytest.mark.parametrize("length_s", [0.5, 2.0, 2.5])
def test_a_server_that_is_suspended_for_a_moment_is_kept(begin_s, length_s):
    """It answers what came meanwhile when it goes on."""

    async def goes_on(socket):
        await asyncio.sleep(begin_s + length_s)
        socket.received += 1

    def make():
        return FakeSocket(lambda at_s: not begin_s <= at_s < begin_s + length_s)

    socket = watched_for(60, make, goes_on)
    assert socket.given_up is None
    assert socket.pings > 10


def test_a_server_that_has_nothing_to_say_is_kept():
    assert watched_for(600, lambda: FakeSocket(lambda at_s: True)).given_up is None


def test_a_server_that_sends_without_end_needs_no_ping():
    """A pong could wait behind a long answer on a slow line."""

    async def sends(socket):
        while True:
            await asyncio.sleep(1.0)
            socket.received += 1

    socket = watched_for(60, during=sends)
    assert (socket.given_up, socket.pings) == (None, 0)


def test_a_program_that_does_not_read_cannot_hear_a_pong():
    async def reads_later(socket):
        socket.reading = False
        await asyncio.sleep(30.0)
        socket.reading = True
        socket.received += 1

    assert watched_for(33, during=reads_later).given_up is None


def test_a_slow_line_that_takes_what_is_sent_is_alive():
    async def uploads(socket):
        for left in range(30, 0, -1):
            socket.waiting = left * 1000
            await asyncio.sleep(1.0)

    assert watched_for(33, during=uploads).given_up is None


def test_what_waits_to_be_sent_and_does_not_move_is_no_sign_of_life():
    async def stuck(socket):
        socket.waiting = 32_768

    assert watched_for(60, during=stuck).given_up_s == pytest.approx(5.0, abs=2 * TICK_S)


@pytest.mark.parametrize("sound_s", [0.0, 3.0, 20.0])
def test_sound_sent_ahead_of_time_may_take_half_as_long_to_be_read(sound_s):
    sent = {"s": 0.0}

    async def sends_at_once(socket):
        sent["s"] = sound_s

    socket = watched_for(60, during=sends_at_once, sound_sent_s=lambda: sent["s"])
    assert socket.given_up_s == pytest.approx(max(5.0, (5.0 + sound_s) / 2), abs=2 * TICK_S)


def test_a_ping_that_cannot_leave_does_not_hold_the_watch():
    class Stuck(FakeSocket):
        async def ping(self):
            await asyncio.Event().wait()

    assert watched_for(60, Stuck).given_up_s == pytest.approx(5.0, abs=TICK_S)


# -- with real sockets ------------------------------------------------------------------------------------------


@asynccontextmanager
async def cable_to(url):
    """A line to the server that can be cut without a goodbye: nothing is read or forwarded any more."""
    port = int(url.rpartition(":")[2])
    whole = asyncio.Event()
    whole.set()
    ends, pipes = [], []

    async def pipe(reader, writer):
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                await whole.wait()
                writer.write(data)
                await writer.drain()

    async def connected(reader, writer):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        ends.extend((writer, far_writer))
        pipes.extend(asyncio.create_task(job) for job in (pipe(reader, far_writer), pipe(far_reader, writer)))

    listening = sockets.create_server(("127.0.0.1", 0))
    listening.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 16_384)
    server = await asyncio.start_server(connected, sock=listening)
    try:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", whole.clear
    finally:
        server.close()
        for task in pipes:
            task.cancel()
        await asyncio.gather(*pipes, return_exceptions=True)
        for end in ends:
            end.transport.abort()


async def hello(line):
    await line.greet()


async def test_a_cut_cable_ends_the_conversation_with_a_sentence():
    async with (
        asyncio.timeout(60),
        scripted_server(hello) as (url, _),
        cable_to(url) as (line, cut),
        connect(line, silence_timeout_s=0.5, resume=False) as conversation,
    ):
        events = aiter(conversation)
        assert (await anext(events))["type"] == "session.created"
        await anext(events)
        cut()
        with pytest.raises(ConnectionLost, match=f"{SENTENCE} 0.5 s"):
            await anext(events)
        with pytest.raises(ConnectionLost, match=SENTENCE):
            await conversation.say("Are you there?")


async def test_a_cut_cable_also_ends_a_send_that_waits():
    """The buffers of both machines are full: `websockets`' own ping would wait behind this message for ever."""

    async def send_without_end(conversation):
        while True:
            await conversation.write("x" * 1_000_000)

    async with (
        asyncio.timeout(60),
        scripted_server(hello) as (url, _),
        cable_to(url) as (line, cut),
        connect(line, silence_timeout_s=0.5, resume=False) as conversation,
    ):
        cut()
        with pytest.raises(ConnectionLost, match=SENTENCE):
            await send_without_end(conversation)
