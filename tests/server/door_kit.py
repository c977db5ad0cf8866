"""What the tests of the handshake share: the key of a server, and how it rejects a client."""

import asyncio
import json

import pytest
import websockets

from tests.server.harness import Harness, WireClient

KEY = "sk-test-1234567890"
BROWSER_KEY = "openai-insecure-api-key."


async def rejection(harness: Harness, query: str = "", **more) -> websockets.Response:
    """The HTTP response of a rejected handshake."""
    with pytest.raises(websockets.InvalidStatus) as failure:
        async with harness.open_socket(query, **more):
            pass
    return failure.value.response


def error_of(response: websockets.Response) -> dict:
    body = json.loads(response.body)
    assert set(body) == {"error"}
    assert set(body["error"]) == {"message", "type", "param", "code"}
    return body["error"]


async def works(wire: WireClient) -> None:
    assert (await wire.ask("What is two plus three?", output_modalities=["text"]))["status"] == "completed"


async def raw(harness: Harness) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the server without HTTP."""
    host, port = harness.server.url.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port))
