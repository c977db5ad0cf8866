"""One conversation that several want at once: what was heard of it, what was deleted, whose place it takes, who waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import websockets
from aiohttp import ClientConnectionResetError, web

from realtime.core.conversation import Conversation, Message, OutputSpeech, Text
from realtime.providers.memory_store import MemoryStore
from realtime.providers.store import Store, Taken
from realtime.server import joining, realtime_endpoint
from realtime.server.openings import Openings
from realtime.server.persistence import Persistence
from realtime.server.registry import Registry
from realtime.server.run import running
from realtime.server.state import ACCESS, REGISTRY
from tests.eventually import eventually
from tests.server.harness import Harness, WireClient, open_harness
from tests.virtual_time import run

LONG = "Count to twenty."


def conversation_id(wire: WireClient) -> str:
    return str(wire.of("conversation.created")[0]["conversation"]["id"])


async def said(wire: WireClient, text: str) -> None:
    count = wire.count("conversation.item.done")
    await wire.say(text)
    await wire.until("conversation.item.done", count + 1)


@asynccontextmanager
async def with_store(store: Store, **settings: Any) -> AsyncIterator[Harness]:
    """A server that keeps its conversations here."""
    async with (
        open_harness(**settings) as harness,
        running(harness.server.runtime.settings, providers={"store": store}) as server,
    ):
        yield Harness(server, harness.sandbox)


async def delete(harness: Harness, conversation_id: str) -> int:
    async with (
        aiohttp.ClientSession() as client,
        client.delete(f"{harness.server.url}/v1/conversations/{conversation_id}") as answer,
    ):
        return answer.status


# -- what was heard --------------------------------------------------------------------------------------------------


async def test_a_reply_that_still_sounds_is_taken_over_as_far_as_it_was_heard():
    """Its text is complete, but the older client is told to be silent: the rest is heard by nobody."""
    async with open_harness() as harness, harness.connect("?extensions=resume,playback") as older:
        await older.ask(LONG)
        [spoken] = [event["item"] for event in older.of("response.output_item.done")]
        await older.send(
            "output_audio_buffer.played",
            item_id=spoken["id"],
            content_index=0,
            played_ms=900,
            state="playing",
        )
        await older.until("output_audio_buffer.started")
        older.socket.transport.abort()  # playback stands still until somebody is there again
        [live] = harness.server.app[REGISTRY]
        await eventually(lambda: not live.attached)
        async with harness.connect(f"?conversation={conversation_id(older)}") as newer:
            await newer.until("conversation.item.done", 2)
            answer = newer.of("conversation.item.done")[1]["item"]
            whole, heard = spoken["content"][0]["transcript"], answer["content"][0]["transcript"]
            assert answer["status"] == "incomplete"
            assert heard
            assert len(heard) < len(whole) / 2
            assert whole.startswith(heard)


@pytest.mark.parametrize("only_heard", [False, True])
def test_at_the_end_a_whole_reply_is_kept_unless_its_listener_was_cut_off(only_heard: bool):
    store, conversation = MemoryStore(), Conversation()
    conversation.add(Message("reply", "assistant", (OutputSpeech("One, two, three."),)))
    heard = {"reply": OutputSpeech("One,")}
    saving = Persistence(store, "me", "conv", conversation, so_far=lambda: heard)
    run(saving.finish(only_heard=only_heard))
    [kept] = run(store.load("me", "conv"))
    assert (b"two" in kept) is not only_heard


# -- what was deleted ------------------------------------------------------------------------------------------------


class SavesButHangs(MemoryStore):
    """Does its work, and tells nobody: a slow disk, after the session has lost its patience."""

    hangs = False

    async def save(self, *args: Any) -> None:
        await super().save(*args)
        if self.hangs:
            await asyncio.Event().wait()


def test_what_was_saved_without_an_answer_can_still_be_deleted():
    async def attack() -> tuple[bytes, ...] | None:
        store, conversation = SavesButHangs(), Conversation()
        saving = Persistence(store, "me", "conv", conversation)
        conversation.add(Message("secret", "user", (Text("secret"),)))
        store.hangs = True
        assert not await saving.save_all()
        store.hangs = False
        conversation.remove("secret")
        assert await saving.save_all()
        return await store.load("me", "conv")

    assert run(attack()) == ()


class TakesSlowly(MemoryStore):
    """Tells when it has read, and waits before it answers."""

    def __init__(self) -> None:
        super().__init__()
        self.read, self.answer = asyncio.Event(), asyncio.Event()

    async def take(self, owner: str, conversation_id: str) -> Taken | None:
        taken = await super().take(owner, conversation_id)
        self.read.set()
        await self.answer.wait()
        return taken


async def test_what_is_being_opened_cannot_be_deleted():
    store = TakesSlowly()
    async with with_store(store) as harness:
        async with harness.connect() as wire:
            await said(wire, "one")
        await harness.no_sessions()
        opening = harness.connect(f"?conversation={conversation_id(wire)}")
        entering = asyncio.create_task(opening.__aenter__())
        await store.read.wait()
        deleting = asyncio.create_task(delete(harness, conversation_id(wire)))
        await asyncio.sleep(0.05)
        store.answer.set()
        await entering
        assert await deleting == 409
        await opening.__aexit__(None, None, None)
        await harness.no_sessions()
        assert await delete(harness, conversation_id(wire)) == 200


async def test_what_was_deleted_by_another_server_does_not_come_back(tmp_path: Path):
    """Its session there ends: nothing that it says can be kept."""
    setting = f"sqlite:{tmp_path}/talk.db"
    async with open_harness(store=setting) as harness, running(harness.server.runtime.settings) as second:
        store, other = harness.server.runtime.store, Harness(second, harness.sandbox)
        assert store is not None
        async with harness.connect() as wire:
            await said(wire, "one")
            await eventually(lambda: store.load("open", conversation_id(wire)), "the saved message")
            assert await delete(other, conversation_id(wire)) == 200
            await wire.say("two")
            assert await wire.closed() == (1008, "session_taken_over")
        await harness.no_sessions()
        assert await store.load("open", conversation_id(wire)) is None


# -- whose place it takes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limits", [{"sessions_per_key": 1}, {"max_sessions": 1}], ids=["key", "all"])
async def test_who_takes_over_its_own_conversation_needs_no_second_place(limits: dict[str, int]):
    async with open_harness(**limits) as harness, harness.connect("?extensions=resume") as older:
        await said(older, "one")
        found = f"?conversation={conversation_id(older)}"
        older.socket.transport.abort()  # a page that is loaded again
        async with harness.connect(found) as newer:
            await newer.until("conversation.item.done")
            for query in ("", "?conversation=conv_none"):
                with pytest.raises(websockets.InvalidStatus):
                    await harness.connect(query).__aenter__()
            tries = [asyncio.create_task(opened(harness, found)) for _ in range(10)]
            await asyncio.gather(*tries)
            assert harness.sessions <= 1
        await harness.no_sessions()
        assert await opened(harness, "")


async def opened(harness: Harness, query: str) -> bool:
    try:
        async with harness.connect(query):
            return True
    except (websockets.InvalidStatus, AssertionError):
        return False


async def test_a_client_secret_that_has_expired_begins_no_session_in_place_of_one_that_ends(
    monkeypatch: pytest.MonkeyPatch,
):
    """It may resume its session. But that ends while it comes: the new one needs a secret that is good now."""
    async with open_harness(api_keys=("key",)) as harness:
        access = harness.server.app[ACCESS]
        secret = access.mint(access.check("key", 0.0), {}, int(time.time()) + 60)
        headers = {"Authorization": f"Bearer {secret}"}
        async with harness.connect("?extensions=resume", headers=headers) as wire:
            [live] = harness.server.app[REGISTRY]
            later_s = time.time() + 3600
            monkeypatch.setattr(realtime_endpoint.time, "time", lambda: later_s)

            async def ends(*_: object) -> bool:
                live.close_soon(1001, "session_expired")
                return False

            live.attach = ends  # type: ignore[method-assign]
            query = f"?extensions=resume&resume={live.id}&last_seq={wire.events[-1]['seq']}"
            async with harness.open_socket(query, headers=headers) as late:
                assert (await late.error())["code"] == "invalid_api_key"
                assert await late.closed() == (1008, "invalid_api_key")
        await harness.no_sessions()


class Refuses(MemoryStore):
    """Saves nothing while it is full."""

    full = False

    async def save(self, *args: Any) -> None:
        if self.full:
            raise OSError("No space left on device")
        await super().save(*args)


async def test_who_cannot_take_over_gets_no_second_place():
    store = Refuses()
    async with with_store(store, sessions_per_key=1) as harness, harness.connect() as older:
        await said(older, "one")
        store.full = True
        async with harness.open_socket(f"?conversation={conversation_id(older)}") as newer:
            assert (await newer.error())["code"] == "rate_limit_exceeded"
            assert await newer.closed() == (1013, "rate_limit_exceeded")
        store.full = False
        await said(older, "two")
        assert harness.sessions == 1


# -- who waits -------------------------------------------------------------------------------------------------------


class Hangs(MemoryStore):
    """Answers never."""

    async def take(self, owner: str, conversation_id: str) -> Taken | None:
        await asyncio.Event().wait()
        raise AssertionError


def test_nobody_waits_behind_a_queue_of_those_who_wait_for_the_store():
    async def attack() -> list[bool]:
        openings, loop = Openings(Registry(100)), asyncio.get_running_loop()

        async def one() -> bool:
            async with openings.alone("me", "conv", 5.0) as alone:
                await asyncio.sleep(5.5 if alone else 0.0)  # of a store that hangs
                return alone

        found = await asyncio.gather(*(one() for _ in range(30)))
        assert loop.time() - 1000 < 6
        async with openings.alone("me", "conv", 5.0) as alone:
            assert alone
        assert repr(openings) == "<Openings 0 conversations>"
        return found

    assert run(attack()) == [True, *[False] * 29]


async def test_who_waited_in_vain_begins_a_new_conversation(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(joining, "LOAD_TIMEOUT_S", 0.05)
    async with with_store(Hangs()) as harness:

        async def open_one() -> None:
            async with harness.open_socket("?conversation=conv_wanted") as wire:
                assert "cannot be loaded at the moment" in (await wire.error())["message"]
                assert conversation_id(wire) != "conv_wanted"

        await asyncio.gather(*(open_one() for _ in range(5)))


async def test_a_client_that_is_gone_before_its_answer_is_no_error_of_the_server(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """As one that has lost its patience with a server that stood still."""

    async def gone(*args: object) -> web.WebSocketResponse:
        raise ClientConnectionResetError("Cannot write to closing transport")

    monkeypatch.setattr(realtime_endpoint, "_upgraded", gone)
    async with open_harness() as harness:
        with pytest.raises(websockets.WebSocketException):
            await harness.connect().__aenter__()
        await harness.no_sessions()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
