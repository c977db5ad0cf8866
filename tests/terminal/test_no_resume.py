"""The Python client where no session is kept: it comes back with the conversation as text, unless it was told not to."""

import asyncio
import contextlib
from itertools import pairwise
from urllib.parse import urlsplit

import pytest
from realtime_client import ConnectionFailed, ConnectionLost
from realtime_client.line import LAST_TRY_S, RESUMED_STEADY_S, STEADY_S, Line
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close

from realtime.server.run import running
from realtime.server.state import REGISTRY
from tests import virtual_time
from tests.eventually import eventually
from tests.terminal.test_coming_back import LONG, SLOW, broken_line


def kept_nowhere(*options, **more):
    return broken_line(*options, server={"resume_window_s": 0.0}, **more)


@pytest.mark.parametrize(("end", "speaks"), [("killed", True), ("killed", False), ("stopped", False)])
async def test_the_conversation_is_built_again_as_text(end, speaks):
    async with kept_nowhere(*(SLOW if speaks else ()), session={"instructions": "Be brief."}) as (
        harness,
        proxy,
        listener,
    ):
        assert "resume" not in listener.conversation.extensions
        await listener.conversation.say("My name is Ada.")
        await listener.until("response.done")
        async with running(harness.server.runtime.settings) as another:
            proxy.target_port = urlsplit(another.url).port
            if speaks:  # the other server is there already: nothing else takes time while the answer sounds
                before = len(listener.of("response.output_audio.delta"))
                await listener.conversation.say(LONG)
                await listener.until("response.output_audio.delta", before + 3)
            if end == "killed":
                proxy.reset()
            else:
                for live in harness.server.app[REGISTRY]:
                    live.leave()  # 1012 server_draining
            await listener.until("session.created", 2)
            if speaks:
                done = (await listener.until("response.done", 2))["response"]
                assert done["status"] == "failed"
            await listener.conversation.say("What is two plus three?")
            await listener.until("response.done", 2 + speaks)
            assert listener.conversation.session["instructions"] == "Be brief."
        began = [event["type"] for event in listener.events].index("session.created", 1)
        again = [e["item"] for e in listener.events[began:] if e["type"] == "conversation.item.added"]
        assert again[0]["content"] == [{"type": "input_text", "text": "My name is Ada."}]
        assert again[1]["content"][0]["text"]
        assert again[-2]["content"] == [{"type": "input_text", "text": "What is two plus three?"}]
        assert listener.failure is None
        assert not listener.of("error")


async def test_a_program_that_wants_no_return_is_told_at_once():
    async with kept_nowhere(resume=False) as (_, proxy, listener):
        proxy.reset()
        await eventually(lambda: listener.failure)
        assert proxy.opened == 1


async def test_what_is_said_in_a_long_conversation_while_the_line_is_down_is_said():
    """More events than are kept have been sent before."""
    async with broken_line() as (_, proxy, listener):
        for _ in range(600):
            await listener.conversation.send("output_audio_buffer.played", item_id="item_x", played_ms=1)
        proxy.refusing = True
        proxy.reset()
        await eventually(lambda: proxy.opened > 1)
        await listener.conversation.say("What is two plus three?")
        proxy.refusing = False
        assert (await listener.until("response.done"))["response"]["status"] == "completed"
        items = [event["item"] for event in listener.of("conversation.item.done")]
        said = [item["content"][0]["text"] for item in items if item["role"] == "user"]
        assert said == ["What is two plus three?"]


class Bare:
    """A conversation with a line and nothing else."""

    def _appended(self, pcm):
        return pcm

    on_reconnecting = position = None

    def __init__(self):
        self.session = {"id": "sess_1", "object": "realtime.session"}

    def _arrived_ms(self, part):
        return None

    def _on_new_socket(self, socket, first):
        pass


LOST = ConnectionClosed(Close(1011, "internal_error"), None)


def test_a_server_that_ends_every_new_session_is_given_up():
    """Whether in the first moment or a little later; and it is not asked all the time."""

    async def run(lives_s):
        opened, conversation, loop = [], Bare(), asyncio.get_running_loop()

        async def open_socket(query):
            opened.append(loop.time())
            return Sends(), {"type": "session.created", "session": {"id": "sess_2"}}

        async def lose_it_again_and_again():
            while True:
                assert line.can_return(LOST)
                await line.come_back(LOST)
                await asyncio.sleep(lives_s)

        line, began_s = Line(conversation, open_socket, rate=24_000, return_s=60.0), loop.time()
        with pytest.raises(ConnectionLost):
            await lose_it_again_and_again()
        assert 5 < len(opened) < 60
        assert 60 <= loop.time() - began_s <= 60 + 2 * LAST_TRY_S + lives_s

    for lives_s in (0.0, 1.0):
        virtual_time.run(run(lives_s))


class Sends:
    transport = None

    def __init__(self, *, dies=False):
        self.dies = dies

    async def send(self, message):
        if self.dies:
            raise LOST


@pytest.mark.parametrize("item", [{"type": "message", "id": "item_1"}, {"id": "item_1"}, {}, None, 7])
def test_an_event_without_some_of_its_fields_is_handed_on(item):
    line = Line(Bare(), None, rate=24_000)
    assert line.is_new({"type": "conversation.item.added", "item": item})
    assert line.is_new({"type": "response.created", "response": item})
    assert line.is_new({"type": "session.updated", "session": item})


def test_a_session_that_lasted_makes_every_loss_the_first_one():
    async def run():
        conversation, loop = Bare(), asyncio.get_running_loop()

        async def open_socket(query):
            assert query == {}, "no session is asked for"
            return Sends(), {"type": "session.created", "session": {"id": "sess_2"}}

        line = Line(conversation, open_socket, rate=24_000, return_s=60.0)
        for _ in range(20):
            lost_s = loop.time()
            await line.come_back(LOST)
            assert loop.time() - lost_s <= 0.3
            await asyncio.sleep(STEADY_S + 1)

    virtual_time.run(run())


@pytest.mark.parametrize(
    ("lives_s", "dies", "most"),
    [(0.0, False, 30), (1.0, False, 30), (RESUMED_STEADY_S + 1, False, 60), (0.0, True, 30)],
)
def test_a_session_that_is_lost_at_each_return_is_fetched_less_and_less_often(lives_s, dies, most):
    """It is not given up: the server has it. `dies`: already by what is sent again."""

    async def run():
        opened, conversation, loop = [], Bare(), asyncio.get_running_loop()
        session = {"id": "sess_1", "object": "realtime.session", "extensions": ["resume"]}
        conversation.session = session

        async def open_socket(query):
            assert query["resume"] == "sess_1"
            opened.append(loop.time())
            known = {"input_audio_ms": 0, "last_event_id": None}
            return Sends(dies=dies), {"type": "session.resumed", "session": session, **known}

        line, began_s = Line(conversation, open_socket, rate=24_000, return_s=60.0), loop.time()
        if dies:
            line.keep_audio(bytes(960))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(line.come_back(LOST), 60)
        while loop.time() < began_s + 60:
            await line.come_back(LOST)
            await asyncio.sleep(lives_s)
        return len(opened)

    count = virtual_time.run(run())
    assert count <= most
    if lives_s > RESUMED_STEADY_S:
        assert count >= 60 / (lives_s + 0.3), "each loss is the first one"


def test_no_server_is_looked_for_without_end():
    async def run():
        async def open_socket(query):
            raise ConnectionFailed("Nothing answers.")

        line, loop = Line(Bare(), open_socket, rate=24_000, return_s=60.0), asyncio.get_running_loop()
        began_s = loop.time()
        with pytest.raises(ConnectionLost, match="Nothing answers"):
            await line.come_back(LOST)
        assert 60 <= loop.time() - began_s <= 60 + LAST_TRY_S

    virtual_time.run(run())


def test_a_server_that_asks_to_wait_is_not_asked_earlier():
    async def run(asks_s, refusals):
        asked = []

        async def open_socket(query):
            asked.append(loop.time())
            if len(asked) <= refusals:
                raise ConnectionFailed("It is full.", "server_overloaded", asks_s)
            return Sends(), {"type": "session.created", "session": {"id": "sess_2"}}

        line, loop = Line(Bare(), open_socket, rate=24_000, return_s=60.0), asyncio.get_running_loop()
        began_s = loop.time()
        await line.come_back(LOST)
        return [later - earlier for earlier, later in pairwise([began_s, *asked])]

    first_s, *others_s = virtual_time.run(run(10.0, 3))
    assert first_s <= 0.3
    assert all(each >= 10 for each in others_s)
    # the last try is at the end, and not beyond it
    assert sum(virtual_time.run(run(1000.0, 1))) == pytest.approx(60.0)
