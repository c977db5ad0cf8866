"""One conversation, opened twice: the newer session has it, the older one is told, and nothing of either is lost."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest

from realtime.core.conversation import Conversation, Message, OutputSpeech
from realtime.protocol.server_events import ConversationItemDeleted
from realtime.providers.memory_store import MemoryStore
from realtime.providers.sqlite_store import SqliteStore
from realtime.server.persistence import KEEP_UP_S, Persistence
from realtime.server.run import running
from tests import programs, virtual_time
from tests.eventually import eventually
from tests.server.harness import Harness, WireClient, open_harness, open_socket

TAKEN = (1008, "session_taken_over")
SLOW = ("speech.factor=8", "chat.tps=200", "chat.plain_tps=200")  # so that a reply takes a while
LONG = "Count to twenty."


def conversation_id(wire: WireClient) -> str:
    return str(wire.of("conversation.created")[0]["conversation"]["id"])


def texts(wire: WireClient) -> list[str]:
    parts = [event["item"]["content"] for event in wire.of("conversation.item.added")]
    return [content[0].get("text", content[0].get("transcript")) for content in parts if content]


async def said(wire: WireClient, text: str) -> None:
    count = wire.count("conversation.item.done")
    await wire.say(text)
    await wire.until("conversation.item.done", count + 1)


@pytest.mark.parametrize("query", ["?", "?extensions=resume,playback&"], ids=["plain", "resume"])
async def test_the_newer_session_has_all_and_the_older_one_is_told(query: str):
    async with open_harness() as harness, harness.connect(query.rstrip("?&")) as older:
        await said(older, "one")
        await said(older, "two")
        found = conversation_id(older)
        async with harness.connect(f"{query}conversation={found}") as newer:
            assert await older.closed() == TAKEN
            await said(newer, "three")
            assert (conversation_id(newer), texts(newer)) == (found, ["one", "two", "three"])
            async with harness.connect(f"?conversation={found}") as newest:
                assert await newer.closed() == TAKEN
                await said(newest, "four")
        await harness.no_sessions()
        async with harness.connect(f"?conversation={found}") as wire:
            await wire.until("conversation.item.done", 4)
            assert texts(wire) == ["one", "two", "three", "four"]


async def test_a_conversation_without_items_and_one_in_mid_reply_are_taken_over_too():
    async with (
        open_harness(*SLOW) as harness,
        harness.connect() as older,
        harness.connect(f"?conversation={conversation_id(older)}") as newer,
    ):
        assert await older.closed() == TAKEN
        assert "error" not in newer.types
        await newer.say(LONG)
        await newer.send("response.create")
        await newer.until("response.output_audio.delta", 12)
        await asyncio.sleep(1.0)  # somebody listens
        async with harness.connect(f"?conversation={conversation_id(older)}") as newest:
            assert await newer.closed() == TAKEN
            await newest.until("conversation.item.done", 2)
            question, answer = [event["item"] for event in newest.of("conversation.item.done")]
            assert answer["content"][0]["transcript"]
            assert question["content"][0]["text"] == LONG


async def test_many_who_open_it_at_once_are_one_after_the_other():
    async with open_harness() as harness, harness.connect() as first:
        await said(first, "one")
        found = conversation_id(first)

        came: list[int] = []

        async def open_and_say(number: int) -> None:
            async with harness.open_socket(f"?conversation={found}") as wire:
                came.append(number)
                await wire.closed() if number % 2 else await asyncio.sleep(0.05)

        async with asyncio.TaskGroup() as group:
            for number in range(6):
                group.create_task(open_and_say(number))
            await eventually(lambda: len(came) == 6)
            await asyncio.sleep(0.3)
            async with harness.connect(f"?conversation={found}") as last:
                await last.until("conversation.item.done", 1)
                assert texts(last) == ["one"]
        assert await first.closed() == TAKEN


async def test_another_key_takes_nothing_over_and_hears_the_same_as_for_an_unknown_id():
    async with open_harness(api_keys=("one", "two")) as harness:
        one, two = ({"Authorization": f"Bearer {key}"} for key in ("one", "two"))
        async with harness.connect(headers=one) as mine:
            await said(mine, "mine")
            found = conversation_id(mine)
            answers = []
            for wanted in (found, "conv_" + "A" * (len(found) - 5)):
                async with harness.open_socket(f"?conversation={wanted}", headers=two) as other:
                    answers.append(json.dumps(await other.error()).replace(wanted, "ID"))
            shown = [json.loads(answer) | {"event_id": None} for answer in answers]
            assert shown[0] == shown[1]
            await said(mine, "still mine")


async def test_a_session_of_another_server_takes_it_over_and_late_words_are_kept(tmp_path: Path):
    """Two servers with one file, as workers are: the older session is told when it saves next."""
    setting = f"sqlite:{tmp_path}/talk.db"
    async with open_harness(store=setting) as harness, running(harness.server.runtime.settings) as second:
        other = Harness(second, harness.sandbox)
        async with harness.connect() as older:
            await said(older, "one")
            store = harness.server.runtime.store
            assert store is not None
            await eventually(lambda: store.load("open", conversation_id(older)), "the saved message")
            async with other.connect(f"?conversation={conversation_id(older)}") as newer:
                await older.say("two")
                assert await older.closed() == TAKEN
                await said(newer, "three")
        await other.no_sessions()
        await harness.no_sessions()
        async with other.connect(f"?conversation={conversation_id(older)}") as wire:
            await wire.until("conversation.item.done", 3)
            assert sorted(texts(wire)) == ["one", "three", "two"]


class FullDisk(MemoryStore):
    """Saves nothing while it is full."""

    full = False

    async def save(self, *args) -> None:
        if self.full:
            raise OSError("No space left on device")
        await super().save(*args)


async def test_a_session_that_cannot_be_saved_is_not_ended_for_another():
    store = FullDisk()
    async with (
        open_harness() as harness,
        running(harness.server.runtime.settings, providers={"store": store}) as server,
        Harness(server, harness.sandbox).connect() as older,
    ):
        await said(older, "one")
        store.full = True
        other = Harness(server, harness.sandbox)
        async with other.open_socket(f"?conversation={conversation_id(older)}") as newer:
            assert "cannot be loaded at the moment" in (await newer.error())["message"]
        store.full = False
        await said(older, "two")


# -- a reply that is not over ----------------------------------------------------------------------------------------


def test_of_a_reply_that_sounds_what_was_heard_is_kept_all_the_time():
    """In steps of KEEP_UP_S; when it is over, all of it; what was not heard at no time."""
    virtual_time.run(_a_reply_that_sounds())


async def _a_reply_that_sounds() -> None:
    store, conversation = MemoryStore(), Conversation()
    heard = {"reply": OutputSpeech("")}
    conversation.add(Message("reply", "assistant", (), "in_progress"))
    persistence = Persistence(store, "me", "conv", conversation, so_far=lambda: heard)
    persistence.on_event(ConversationItemDeleted(item_id="other"))
    saving = asyncio.create_task(persistence.run())

    async def stored() -> str:
        await asyncio.sleep(2 * KEEP_UP_S)
        items = [json.loads(item) for item in await store.load("me", "conv") or ()]
        return items[0]["content"][0]["transcript"] + " " + items[0]["status"] if items else "nothing"

    try:
        assert await stored() == "nothing"
        for words in ("One,", "One, two,", "One, two, three."):
            heard["reply"] = OutputSpeech(words)
            assert await stored() == words + " incomplete"
        del heard["reply"]
        conversation.complete(Message("reply", "assistant", (OutputSpeech("One, two, three. Four."),)))
        assert await stored() == "One, two, three. Four. completed"
    finally:
        saving.cancel()
        await asyncio.gather(saving, return_exceptions=True)


async def test_the_end_of_a_reply_that_falls_into_a_save_is_kept_too():
    conversation = Conversation()
    heard = {"reply": OutputSpeech("One,")}
    whole = Message("reply", "assistant", (OutputSpeech("One, two."),))
    conversation.add(Message("reply", "assistant", (), "in_progress"))

    class Ends(MemoryStore):
        async def save(self, *args) -> None:
            await super().save(*args)
            heard.clear()
            conversation.complete(whole)

    store = Ends()
    persistence = Persistence(store, "me", "conv", conversation, so_far=lambda: heard)
    persistence.on_event(ConversationItemDeleted(item_id="other"))
    saving = asyncio.create_task(persistence.run())

    async def kept() -> bool:
        return b"One, two." in b"".join(await store.load("me", "conv") or ())

    await eventually(kept, "the whole reply")
    saving.cancel()


async def test_a_written_reply_is_kept_as_far_as_it_is_written():
    async with open_harness("chat.tps=20", "chat.plain_tps=20") as harness, harness.connect() as wire:
        await wire.say(LONG)
        await wire.send("response.create", response={"output_modalities": ["text"]})
        await wire.until("response.output_text.delta", 3)
        store = harness.server.runtime.store
        assert store is not None

        async def answer() -> bool:
            items = [json.loads(item) for item in await store.load("open", conversation_id(wire)) or ()]
            return (
                len(items) == 2
                and items[1]["status"] == "incomplete"
                and bool(items[1]["content"][0]["text"])
            )

        await eventually(answer, "half of an answer")
        assert not wire.of("response.done")


SERVER = """
import asyncio, sys
from realtime import Settings, running
async def main():
    async with running(Settings(api_key="sandbox", base_url=sys.argv[1], port=0, transcriber="none",
                                store="sqlite:" + sys.argv[2])) as server:
        print(server.url, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
async def test_a_server_that_is_killed_in_mid_answer_leaves_what_was_heard(tmp_path: Path):
    path = tmp_path / "talk.db"
    async with open_harness("speech.factor=4") as harness:
        process = await programs.start(
            harness.sandbox.url, str(path), code=SERVER, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().strip().replace("http", "ws", 1) + "/v1/realtime"
        try:
            async with open_socket(url) as wire:
                await wire.say(LONG)
                await wire.send("response.create")
                await wire.until("response.output_audio.delta", 3)
                found, store = conversation_id(wire), SqliteStore(str(path))

                async def is_kept() -> bool:
                    items = [json.loads(item) for item in await store.load("open", found) or ()]
                    return len(items) == 2 and any(part["transcript"] for part in items[1]["content"])

                await eventually(is_kept, "what somebody heard")
                await store.aclose()
                process.send_signal(signal.SIGKILL)
                await wire.closed()
                told = "".join(e["delta"] for e in wire.of("response.output_audio_transcript.delta"))
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
    store = SqliteStore(str(path))
    question, answer = [json.loads(item) for item in await store.load("open", found) or ()]
    await store.aclose()
    assert question["content"][0]["text"] == LONG
    heard = answer["content"][0]["transcript"]
    assert heard
    assert told.startswith(heard)
    assert answer["status"] == ("incomplete" if len(heard) < len(told) else "completed")
