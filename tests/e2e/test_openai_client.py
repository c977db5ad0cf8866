"""The stock client, unmodified: it connects, talks, speaks, mints a secret, and its own types accept what it gets."""

import asyncio
import base64
from contextlib import asynccontextmanager

import pytest

from tests.e2e.hearing import blocks, phrase, silence
from tests.server.stock_types import check_event
from tests.server.wire import PATIENCE_S, House
from tests.server.wire import house as open_house
from tests.stock.record import keep
from tests.wer import words

openai = pytest.importorskip("openai", reason="the stock client is not installed")


@pytest.fixture
async def house():
    async with open_house(transcriber="local", language="en") as house:
        yield house


def client_of(house: House, key: str = "x"):
    """A context manager that gives the client."""
    return openai.AsyncOpenAI(api_key=key, base_url=house.server.url + "/v1", max_retries=0)


@asynccontextmanager
async def connected(house: House, key: str = "x", **options):
    """The client's own connection."""
    async with (
        client_of(house, key) as client,
        client.realtime.connect(model="gpt-realtime-2.1", **options) as it,
    ):
        send, sent = it.send, []

        async def noted(event) -> None:
            sent.append(event["type"])
            await send(event)

        it.send = noted
        try:
            yield it
        finally:
            keep("openai-python", sent=sent)


async def read_until(connection, type: str, seen: list) -> object:
    """Events up to the next one of this type; all are checked and kept."""
    async with asyncio.timeout(PATIENCE_S):
        async for event in connection:
            check_event(event.model_dump(mode="json", exclude_unset=True))
            seen.append(event)
            keep("openai-python", received=[event.type])
            if event.type == type:
                return event
    raise AssertionError(f"the connection ended before {type}")


async def test_a_text_turn(house: House):
    seen: list = []
    async with connected(house) as connection:
        await read_until(connection, "session.created", seen)
        await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        await read_until(connection, "session.updated", seen)
        await connection.conversation.item.create(
            item={
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "What is 2 plus 3?"}],
            }
        )
        await connection.response.create()
        done = await read_until(connection, "response.done", seen)
    assert done.response.status == "completed"
    text = done.response.output[0].content[0].text
    assert "5" in text
    assert "".join(event.delta for event in seen if event.type == "response.output_text.delta") == text


async def test_a_voice_turn(house: House):
    pytest.importorskip("faster_whisper", reason="no transcriber here")
    seen: list = []
    spoken = phrase("What is my favorite color?")
    async with connected(house) as connection:
        for sound in (silence(0.4), spoken, silence(1.5)):
            for block in blocks(sound):
                await connection.input_audio_buffer.append(audio=base64.b64encode(block.tobytes()).decode())
        done = await read_until(connection, "response.done", seen)
    assert done.response.status == "completed"
    heard = [e for e in seen if e.type == "conversation.item.input_audio_transcription.completed"]
    assert "color" in words(heard[0].transcript)
    sound = b"".join(base64.b64decode(e.delta) for e in seen if e.type == "response.output_audio.delta")
    assert len(sound) > 24_000


async def test_a_mistake_is_an_error_event_with_its_event_id(house: House):
    seen: list = []
    async with connected(house) as connection:
        await connection.send({"type": "conversation.item.delete", "item_id": "nobody", "event_id": "mine"})
        error = await read_until(connection, "error", seen)
        assert (error.error.code, error.error.event_id) == ("item_delete_invalid_item_id", "mine")


async def test_extensions_asked_for_in_the_query(house: House):
    seen: list = []
    async with connected(house, extra_query={"extensions": "words,latency"}) as connection:
        created = await read_until(connection, "session.created", seen)
        assert created.session.extensions == ["words", "latency"]
        await connection.conversation.item.create(
            item={
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "What is 2 plus 3?"}],
            }
        )
        await connection.response.create()
        told = await read_until(connection, "response.latency.done", seen)
        assert told.origin == "response_create"
        spoken = [event for event in seen if event.type == "response.output_audio_words.delta"]
        transcript = next(e.transcript for e in seen if e.type == "response.output_audio_transcript.done")
        assert "".join(word["text"] for event in spoken for word in event.words) == transcript


async def test_a_client_secret_is_parsed_and_opens_a_session():
    async with open_house(api_keys=("sk-real",)) as house:
        async with client_of(house, "sk-real") as client:
            made = await client.realtime.client_secrets.create(
                expires_after={"anchor": "created_at", "seconds": 60},
                session={"type": "realtime", "instructions": "Be brief."},
            )
        assert made.value.startswith("ek_")
        assert made.session.instructions == "Be brief."
        seen: list = []
        async with connected(house, made.value) as connection:
            created = await read_until(connection, "session.created", seen)
            assert created.session.instructions == "Be brief."


async def test_a_wrong_key_is_the_clients_own_authentication_error():
    async with open_house(api_keys=("sk-real",)) as house, client_of(house, "sk-wrong") as client:
        with pytest.raises(openai.AuthenticationError):
            await client.realtime.client_secrets.create()


async def test_its_reconnecting_hook_resumes_the_session_where_it_was_lost(house: House):
    """The query that the hook gives is all that the server needs; nothing is heard twice or lost."""
    seen: list = []
    hooks: list = []

    def resume(event):
        hooks.append(event.close_code)
        last = max(got.seq for got in seen)
        return {"extra_query": {"extensions": "resume", "resume": session_id, "last_seq": str(last)}}

    options = {"extra_query": {"extensions": "resume"}, "on_reconnecting": resume, "initial_delay": 0.05}
    async with connected(house, **options) as connection:
        created = await read_until(connection, "session.created", seen)
        session_id = created.session.id
        await connection.conversation.item.create(
            item={
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "Count to ten."}],
            }
        )
        await connection.response.create()
        await read_until(connection, "response.output_audio.delta", seen)
        connection._connection.transport.abort()  # the network's doing: no close frame
        resumed = await read_until(connection, "session.resumed", seen)
        assert resumed.session["id"] == session_id
        seen.remove(resumed)  # the only one without a number
        done = await read_until(connection, "response.done", seen)
    assert hooks == [1006]
    numbers = [event.seq for event in seen]
    assert numbers == list(range(1, len(numbers) + 1))
    assert done.response.status == "completed"
    told = "".join(e.delta for e in seen if e.type == "response.output_audio_transcript.delta")
    assert told == done.response.output[0].content[0].transcript
