"""What the tests of resumed sessions share: a lost connection, and the query of the client that comes back."""

from typing import Any

import websockets

from realtime.server.live_session import LiveSession
from realtime.server.session_ids import HEADER
from realtime.server.state import REGISTRY
from tests.eventually import eventually
from tests.server.harness import TIMEOUT_S, Harness, WireClient

LONG = "Count to twenty."
SLOW = ("speech.factor=8", "chat.tps=200", "chat.plain_tps=200")  # so that a reply takes a while
BIN = ("realtime.bin.v1",)


def session_of(wire: WireClient) -> dict[str, Any]:
    kinds = ("session.created", "session.resumed")
    return next(event["session"] for event in wire.events if event["type"] in kinds)


def named(wire: WireClient) -> list[str]:
    """What `Realtime-Session` of the handshake says, as often as it is there."""
    assert wire.socket.response is not None
    return wire.socket.response.headers.get_all(HEADER)


def live(harness: Harness, wire: WireClient) -> LiveSession:
    found = harness.server.app[REGISTRY].get(session_of(wire)["id"])
    assert found is not None
    return found


def last_seq(wire: WireClient) -> int:
    numbers = [event["seq"] for event in wire.events if "seq" in event]
    return max([*numbers, *(frame.seq for frame in wire.frames)])


def resume_query(wire: WireClient, seq: int | None = None, **more: Any) -> str:
    """The query of this client to resume its session."""
    query = {"resume": session_of(wire)["id"], "last_seq": last_seq(wire) if seq is None else seq, **more}
    return "?extensions=resume&" + "&".join(f"{key}={value}" for key, value in query.items())


async def disconnect(harness: Harness, wire: WireClient) -> None:
    """Lose the connection, and wait until the server has noticed."""
    session = live(harness, wire)
    wire.socket.transport.abort()
    await eventually(lambda: not session.attached)


def numbers(*wires: WireClient) -> list[int]:
    """The numbers of all messages of these sockets, sorted for each socket."""
    return [
        number
        for wire in wires
        for number in sorted([e["seq"] for e in wire.events if "seq" in e] + [f.seq for f in wire.frames])
    ]


async def open_client(harness: Harness, query: str) -> WireClient:
    """A client that the test closes itself."""
    return WireClient(
        await websockets.connect(
            harness.ws_url + query, compression=None, max_size=None, proxy=None, open_timeout=TIMEOUT_S
        )
    )
