"""The unmodified stock client: text and voice turns, secrets, errors, resuming. Its types must accept every event."""

import asyncio
import base64
from contextlib import asynccontextmanager

import pytest

from tests.e2e.audio import blocks, phrase, silence
from tests.server.harness import TIMEOUT_S, Harness, open_harness
from tests.server.stock_types import check_event
from tests.stock.record import record
from tests.wer import words

openai = pytest.importorskip("openai", reason="the stock client is not installed")


@pytest.fixture
async def harness():
    async with open_harness(transcriber="local", language="en") as harness:
        yield harness


def client_of(harness: Harness, key: str = "x"):
    """The stock client for this server."""
    return openai.AsyncOpenAI(api_key=key, base_url=harness.server.url + "/v1", max_retries=0)


@asynccontextmanager
async def connected(harness: Harness, key: str = "x", **options):
    """A connection of the stock client; records the events it sends."""
    async with (
        client_of(harness, key) as client,
        client.realtime.connect(model="gpt-realtime-2.1", **options) as connection,
    ):
        send, sent = connection.send, []

        async def recorded(event) -> None:
            sent.append(event["type"])
            await send(event)

        connection.send = recorded
        try:
            yield connection
        finally:
            record("openai-python", sent=sent)


async def read_until(connection, type: str, seen: list) -> object:
    """Read up to the next event of this type; checks all events and adds them to `seen`."""
    async with asyncio.timeout(TIMEOUT_S):
        async for event in connection:
            check_event(event.model_dump(mode="json", exclude_unset=True))
            seen.append(event)
            record("openai-python", received=[event.type])
            if event.type == type:
                return event
    raise AssertionError(f"the connection ended before {type}")


async def test_a_text_turn(harness: Harness):
    seen: list = []
    async with connected(harness) as connection:
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


async def test_a_voice_turn(harness: Harness):
    pytest.importorskip("faster_whisper", reason="no transcriber here")
    seen: list = []
    spoken = phrase("What is my favorite color?")
    async with connected(harness) as connection:
        for sound in (silence(0.4), spoken, silence(1.5)):
            for block in blocks(sound):
                await connection.input_audio_buffer.append(audio=base64.b64encode(block.tobytes()).decode())
        done = await read_until(connection, "response.done", seen)
    assert done.response.status == "completed"
    completed = [e for e in seen if e.type == "conversation.item.input_audio_transcription.completed"]
    assert "color" in words(completed[0].transcript)
    sound = b"".join(base64.b64decode(e.delta) for e in seen if e.type == "response.output_audio.delta")
    assert len(sound) > 24_000


async def test_a_wrong_event_is_an_error_with_its_event_id(harness: Harness):
    seen: list = []
    async with connected(harness) as connection:
        await connection.send({"type": "conversation.item.delete", "item_id": "unknown", "event_id": "mine"})
        error = await read_until(connection, "error", seen)
        assert (error.error.code, error.error.event_id) == ("item_delete_invalid_item_id", "mine")


async def test_extensions_in_the_query(harness: Harness):
    seen: list = []
    async with connected(harness, extra_query={"extensions": "words,latency"}) as connection:
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
        latency = await read_until(connection, "response.latency.done", seen)
        assert latency.origin == "response_create"
        timed = [event for event in seen if event.type == "response.output_audio_words.delta"]
        transcript = next(e.transcript for e in seen if e.type == "response.output_audio_transcript.done")
        assert "".join(word["text"] for event in timed for word in event.words) == transcript


async def test_a_client_secret_opens_a_session():
    async with open_harness(api_keys=("sk-real",)) as harness:
        async with client_of(harness, "sk-real") as client:
            made = await client.realtime.client_secrets.create(
                expires_after={"anchor": "created_at", "seconds": 60},
                session={"type": "realtime", "instructions": "Be brief."},
            )
        assert made.value.startswith("ek_")
        assert made.session.instructions == "Be brief."
        seen: list = []
        async with connected(harness, made.value) as connection:
            created = await read_until(connection, "session.created", seen)
            assert created.session.instructions == "Be brief."


async def test_a_wrong_key_raises_an_authentication_error():
    async with open_harness(api_keys=("sk-real",)) as harness, client_of(harness, "sk-wrong") as client:
        with pytest.raises(openai.AuthenticationError):
            await client.realtime.client_secrets.create()


async def test_the_reconnecting_hook_resumes_the_session(harness: Harness):
    """The hook only has to return the query; no event is lost or repeated."""
    seen: list = []
    hooks: list = []

    def resume(event):
        hooks.append(event.close_code)
        last = max(got.seq for got in seen)
        return {"extra_query": {"extensions": "resume", "resume": session_id, "last_seq": str(last)}}

    options = {"extra_query": {"extensions": "resume"}, "on_reconnecting": resume, "initial_delay": 0.05}
    async with connected(harness, **options) as connection:
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
        connection._connection.transport.abort()  # like a lost network: no close frame
        resumed = await read_until(connection, "session.resumed", seen)
        assert resumed.session["id"] == session_id
        seen.remove(resumed)  # the only event without a number
        done = await read_until(connection, "response.done", seen)
    assert hooks == [1006]
    numbers = [event.seq for event in seen]
    assert numbers == list(range(1, len(numbers) + 1))
    assert done.response.status == "completed"
    transcript = "".join(e.delta for e in seen if e.type == "response.output_audio_transcript.delta")
    assert transcript == done.response.output[0].content[0].transcript
