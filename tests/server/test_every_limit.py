"""Every limit of docs/wire.md 1.4, crossed over a real socket: one clear answer, and the next turn works."""

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
import websockets

from realtime.protocol.echo import MAX_ECHO_BYTES
from realtime.server.frames import MAX_MESSAGE_BYTES
from tests.server.harness import WireClient, open_harness
from tests.server.test_bad_input import still_works


def item(**fields: Any) -> dict[str, Any]:
    return {"type": "conversation.item.create", "item": fields}


def message(*texts: str, **fields: Any) -> dict[str, Any]:
    return item(
        type="message",
        role="user",
        content=[{"type": "input_text", "text": text} for text in texts],
        **fields,
    )


def session(**fields: Any) -> dict[str, Any]:
    return {"type": "session.update", "session": fields}


def response(**fields: Any) -> dict[str, Any]:
    return {"type": "response.create", "response": fields}


def tool(name: str = "f", **fields: Any) -> dict[str, Any]:
    return {"type": "function", "name": name, **fields}


def picture(*sizes: int) -> dict[str, Any]:
    head = "data:image/png;base64,"
    parts = [{"type": "input_image", "image_url": head + "A" * (size - len(head))} for size in sizes]
    return item(type="message", role="user", content=parts)


LONG = "x" * 65_537

# The event that crosses the limit, the `param` of its error, and what the error says to do.
REFUSED = {
    "the instructions": (session(instructions=LONG), "session.instructions", "at most 65536"),
    "the instructions of a response": (response(instructions=LONG), "response.instructions", "at most 65536"),
    "the description of a tool": (session(tools=[tool(description=LONG)]), "session.tools[0].description", "at most 65536"),
    "the name of a tool": (session(tools=[tool("n" * 257)]), "session.tools[0].name", "at most 256"),
    "the name of a voice": (session(audio={"output": {"voice": "v" * 257}}), "session.audio.output.voice", "at most 256"),
    "all settings together": (
        session(tools=[tool(f"f{number}", description="d" * 60_000) for number in range(14)]), "session", "shorten the tools"
    ),
    "the bytes of an event": (session(instructions="x" * 1_100_000), None, "at most 1048576 bytes"),
    "the text of an item": (message("word " * 210_000), None, "at most 1048576 bytes"),
    "the values of an event": (session(prompt={"id": "p", "variables": {"v": [[]] * 25_000}}), None, "at most 20000"),
    "empty parts": (item(type="message", role="user", content=[{}] * 100_000), None, "at most 20000"),
    "the tools": (session(tools=[tool()] * 129), "session.tools", "at most 128"),
    "the tools of a response": (response(tools=[tool()] * 129), "response.tools", "at most 128"),
    "the includes": (session(include=["item.input_audio_transcription.logprobs"] * 17), "session.include", "at most 16"),
    "the modalities": (session(output_modalities=["text"] * 17), "session.output_modalities", "at most 16"),
    "the extensions": (session(extensions=["words"] * 17), "session.extensions", "at most 16"),
    "the input of a response": (
        response(input=[{"type": "item_reference", "id": "i"}] * 2_001), "response.input", "at most 2000"
    ),
    "the keywords": (
        session(audio={"input": {"transcription": {"keywords": ["k"] * 1_001}}}),
        "session.audio.input.transcription.keywords", "at most 1000",
    ),
    "a picture": (picture(10 * 1024 * 1024 + 1), "item.content[0].image_url", "send a smaller picture"),
    "the pictures of an item": (picture(6_300_000, 6_300_000), "item.content", "at most 12582912 bytes"),
    "the tokens of an answer": (session(max_output_tokens=4_097), "session.max_output_tokens", "from 1 to 4096"),
    "the temperature": (session(temperature=2.5), "session.temperature", "from 0 to 2"),
    "the speed": (session(audio={"output": {"speed": 1.6}}), "session.audio.output.speed", "from 0.25 to 1.5"),
    "the idle timeout": (
        session(audio={"input": {"turn_detection": {"idle_timeout_ms": 30_001}}}),
        "session.audio.input.turn_detection.idle_timeout_ms", "from 5000 to 30000",
    ),
    "the keys of metadata": (
        response(metadata={str(number): "" for number in range(17)}), "response.metadata", "at most 16"
    ),
    "a key of metadata": (response(metadata={"k" * 65: ""}), "response.metadata", "at most 64"),
    "a value of metadata": (response(metadata={"k": "v" * 513}), "response.metadata.k", "at most 512"),
    "the id of an item": (message("Hi", id="i" * 129), "item.id", "at most 128"),
    "the parts of an item": (message(*["x"] * 1_001), "item.content", "use several items"),
    "audio that is too short to commit": ({"type": "input_audio_buffer.commit"}, None, "at least 100ms"),
}  # fmt: skip


@pytest.mark.parametrize(("event", "param", "advice"), REFUSED.values(), ids=REFUSED)
async def test_what_is_too_much_is_one_error_and_the_next_turn_works(
    wire: WireClient, event: dict[str, Any], param: str | None, advice: str
):
    await wire.send(**event, event_id="mine")
    error = await wire.error()
    assert (error["event_id"], error["param"]) == ("mine", param)
    assert advice in error["message"]
    assert len(error["message"]) < 600
    await still_works(wire)
    assert wire.count("error") == 1


async def test_an_event_id_that_is_too_long_comes_back_cut(wire: WireClient):
    await wire.send("response.cancel", event_id="e" * 513)
    error = await wire.error()
    assert (error["event_id"], error["param"]) == ("e" * 512, "event_id")
    await still_works(wire)


async def test_a_fifth_response_beside_the_conversation(wire: WireClient):
    text = {"conversation": "none", "output_modalities": ["text"]}
    for number in range(8):
        await wire.send("response.create", response=text, event_id=f"r{number}")
    error = await wire.error()
    assert (error["code"], error["event_id"][0]) == ("rate_limit_exceeded", "r")
    assert "wait for one to finish" in error["message"]
    await wire.until("response.done", 4)
    await still_works(wire)


async def test_a_message_that_is_too_large_ends_only_this_connection():
    async with open_harness() as harness:
        async with harness.connect() as wire:
            with suppress(websockets.ConnectionClosed):  # the server may close while it is still being sent
                await wire.socket.send(json.dumps(message("x" * MAX_MESSAGE_BYTES)))
            assert (await wire.closed())[0] == 1009
        async with harness.connect() as wire:
            await still_works(wire)


async def test_audio_beyond_two_minutes_is_forgotten_from_its_beginning(wire: WireClient):
    await wire.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
    for _ in range(13):
        await wire.append(bytes(480_000))  # 10 s
    await wire.send("input_audio_buffer.commit")
    await wire.until("conversation.item.done")
    assert not wire.of("error")
    await still_works(wire)


# -- what is shortened instead of refused -----------------------------------------------------------------------------


async def test_a_book_is_cut_and_answered(wire: WireClient):
    await wire.say("word " * 200_000)
    added = (await wire.until("conversation.item.added"))["item"]
    assert "characters left out ...]" in added["content"][0]["text"]
    await still_works(wire)


async def test_a_photo_does_not_come_back_and_no_message_is_larger_than_stock_sockets_take():
    photo = "data:image/png;base64," + base64.b64encode(bytes(900_000)).decode()
    picture = {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": photo}]}
    async with open_harness() as harness, harness.connect() as wire:
        await wire.send("conversation.item.create", item=picture)
        await wire.say("word " * 39_000)
        await wire.say("\U0001f600" * 80_000)
        await wire.until("conversation.item.done", 3)
        for event in wire.of("conversation.item.done"):
            await wire.retrieve(event["item"]["id"])
        assert wire.of("conversation.item.added")[0]["item"]["content"] == [{"type": "input_image"}]
        assert (
            max(len(json.dumps(event, ensure_ascii=False).encode()) for event in wire.events)
            < MAX_ECHO_BYTES + 2_000
        )


async def test_what_the_stock_service_takes_is_taken():
    """The largest append, all the tools it allows with full descriptions, two photographs in one item."""
    schema = {
        "type": "object",
        "properties": {f"p{n}": {"type": "string", "description": "d" * 40} for n in range(25)},
    }
    tools = [tool(f"f{number}", description="d" * 1_000, parameters=schema) for number in range(128)]
    async with open_harness() as harness, harness.connect() as wire:
        await wire.send(
            "session.update", session={"tools": tools, "audio": {"input": {"turn_detection": None}}}
        )
        assert len((await wire.until("session.updated"))["session"]["tools"]) == 128
        await wire.append(bytes(11_700_000))  # 15 MiB of base64
        await wire.send("input_audio_buffer.commit")
        await wire.until("conversation.item.done")
        await wire.send(**picture(4_000_000, 4_000_000))
        await wire.until("conversation.item.done", 2)
        await still_works(wire)
        assert not wire.of("error")


async def test_old_pictures_make_room_for_new_ones(wire: WireClient):
    for _ in range(5):
        await wire.send(**picture(5_000_000))
    await wire.until("conversation.item.done", 5)
    ids = [event["item"]["id"] for event in wire.of("conversation.item.done")]
    assert [event["item_id"] for event in wire.of("conversation.item.deleted")] == ids[:3]
    await still_works(wire)
    assert not wire.of("error")


async def test_a_photo_is_replayed_without_its_data_to_a_client_that_resumes():
    photo = "data:image/png;base64," + base64.b64encode(bytes(3_500_000)).decode()
    content = [{"type": "input_image", "image_url": photo}]
    async with open_harness() as harness, harness.connect("?extensions=resume") as before:
        session_id, seen = before.events[0]["session"]["id"], len(before.events)
        await before.send(
            "conversation.item.create", item={"type": "message", "role": "user", "content": content}
        )
        await before.until("conversation.item.done")
        before.socket.transport.abort()
        query = f"?extensions=resume&resume={session_id}&last_seq={seen}"
        async with harness.open_socket(query) as after:
            assert (await after.until("conversation.item.done"))["item"]["content"] == [
                {"type": "input_image"}
            ]
            await still_works(after)


async def test_the_oldest_items_make_room_for_a_turn(wire: WireClient):
    for _ in range(2_000):
        await wire.say("Hi")
    await wire.until("conversation.item.done", 2_000)
    await still_works(wire)
    first = wire.of("conversation.item.done")[0]["item"]["id"]
    assert wire.of("conversation.item.deleted")[0]["item_id"] == first
    assert not wire.of("error")


# -- the context of the model -----------------------------------------------------------------------------------------


async def test_the_models_limit_is_learnt_once_in_the_process():
    """The sandbox refuses as the platform does: "context window exceeds limit"."""
    async with open_harness("chat.context_tokens=4000") as harness:
        providers = harness.server.runtime.providers
        learnt: list[int] = []
        for turns in (3, 2):
            async with harness.connect() as wire:
                for number in range(turns):
                    await wire.say(f"Story {number}: " + "The small dog ran along the beach again. " * 400)
                    await still_works(wire)
                    learnt.append(providers.context_budgets.of(providers.chat.name))
                assert not wire.of("error")
        assert learnt[0] < 20_000
        assert learnt == learnt[:1] * 5, "a later turn has met the refusal again"


async def test_a_disabled_truncation_says_what_to_do_and_the_session_lives():
    async with open_harness("chat.context_tokens=4000") as harness, harness.connect() as wire:
        await wire.send("session.update", session={"truncation": "disabled"})
        done = await wire.ask("The small dog ran along the beach again. " * 800)
        error = done["status_details"]["error"]
        assert (done["status"], error["code"]) == ("failed", "context_length_exceeded")
        assert "truncation" in error["message"]
        book = wire.of("conversation.item.done")[0]["item"]["id"]
        await wire.send("conversation.item.delete", item_id=book)
        await still_works(wire)


async def test_instructions_that_do_not_fit_fail_one_response_and_the_next_one_works():
    async with open_harness("chat.context_tokens=4000") as harness, harness.connect() as wire:
        done = await wire.ask("Hi", instructions="Be brief and kind. " * 3_000)
        error = done["status_details"]["error"]
        assert (done["status"], error["code"]) == ("failed", "context_length_exceeded")
        assert "shorten the instructions" in error["message"]
        await still_works(wire)
