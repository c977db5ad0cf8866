"""Mutated events of clients and bodies of requests: each is carried out or is an error of the client, never of ours."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import operator
import random
from typing import Any

import aiohttp
import msgspec
import pytest

from realtime.errors import ProtocolError
from realtime.protocol.client_events import ResponseCreate, SessionUpdate
from realtime.protocol.codec import decode
from realtime.protocol.session_config import (
    ServerVad,
    SessionConfig,
    apply,
    from_client_secret,
    response_options,
    to_wire,
)
from realtime.server.connection import Connection
from tests.adversarial.client_events import EVENTS, MESSAGE, RESPONSE, SESSION
from tests.adversarial.mutations import BIG, DEEP, MARK, mutated
from tests.server.harness import Harness, WireClient, open_harness

EVENTS_OFFLINE, EVENTS_ONLINE = 4_000, 400
SECRET = {"expires_after": {"anchor": "created_at", "seconds": 60}, "session": SESSION}
JSON = {"Content-Type": "application/json"}
OWN = {"parameters", "variables", "metadata"}  # what stands in there is the client's own


def test_the_seeds_are_good():
    for event in EVENTS:
        decode(json.dumps(event))


def test_a_mutated_event_is_read_or_refused():
    dice, config, refused = random.Random("events 1"), SessionConfig(), 0
    for _ in range(EVENTS_OFFLINE):
        message = mutated(dice.choice(EVENTS), dice)
        try:
            carry_out(config, message)
        except ProtocolError as error:
            refused += 1
            msgspec.json.encode([error.message, error.param, error.event_id])
        except Exception as error:
            raise AssertionError(f"{message!r:.900}") from error
    assert EVENTS_OFFLINE / 4 < refused < EVENTS_OFFLINE


def carry_out(config: SessionConfig, message: str | bytes) -> None:
    event = decode(message)
    for name in ("audio_end_ms", "played_ms", "content_index"):
        float(getattr(event, name, 0))  # as the arithmetic behind it does
    match event:
        case SessionUpdate(session=patch):
            changed = apply(config, patch)
            msgspec.json.encode(to_wire(changed, session_id="s", expires_at=1, model="m"))
            if isinstance(detection := changed.turn_detection, ServerVad):
                float(detection.prefix_padding_ms + detection.silence_duration_ms)
        case ResponseCreate(response=params):
            response_options(config, params)
    with contextlib.suppress(ProtocolError):
        from_client_secret(message, config)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * (not isinstance(value, dict | list)) + [
        place for key, one in inner for place in places(one, (*path, key))
    ]


def put(message: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    whole = dict(message) if isinstance(message, dict) else list(message)
    whole[path[0]] = put(message[path[0]], path[1:], value)
    return whole


@pytest.mark.parametrize(
    "odd", [BIG, -BIG, 1e308, float("nan"), True, MARK], ids=["big", "-big", "1e308", "nan", "true", "deep"]
)
def test_every_field_refuses_numbers_without_bounds(odd: Any):
    """In every place of every event: an error of the client, but for values of its own, which can be sent back."""
    for event in EVENTS:
        for path in places(event):
            message = json.dumps(put(event, path, odd)).replace(json.dumps(MARK), DEEP)
            with contextlib.suppress(ProtocolError):
                carry_out(SessionConfig(), message)
                usual = functools.reduce(operator.getitem, path, event)
                assert OWN & set(path) or (odd is True and isinstance(usual, bool)), path


@pytest.mark.parametrize("depth", [120, 500, 975, 990])
@pytest.mark.parametrize("field", ["tools", "prompt", "tracing"])
async def test_what_is_nested_too_deep_is_refused(wire: WireClient, depth: int, field: str):
    nested = "[" * depth + "]" * depth
    value = {
        "tools": f'[{{"type":"function","name":"f","parameters":{{"enum":{nested}}}}}]',
        "prompt": f'{{"id":"p","variables":{{"a":{nested}}}}}',
        "tracing": f'{{"metadata":{{"a":{nested}}}}}',
    }[field]
    await wire.socket.send(f'{{"type":"session.update","event_id":"mine","session":{{"{field}":{value}}}}}')
    error = await wire.error()
    assert (error["code"], error["event_id"]) == ("invalid_value", "mine")
    assert "nested" in error["message"]
    assert (await wire.ask("Hello?", output_modalities=["text"]))["status"] == "completed"


async def test_a_session_outlives_mutated_events(caplog):
    dice = random.Random("online 1")
    async with open_harness() as harness, harness.connect() as wire:
        for _ in range(EVENTS_ONLINE):
            message = mutated(dice.choice(EVENTS), dice)
            await wire.socket.send(message if isinstance(message, str) and message.isprintable() else "{")
            await wire.socket.send("{}" if dice.random() < 0.5 else json.dumps(dice.choice(EVENTS)))
        await wire.send("session.update", session={"instructions": "The end."}, event_id="the end")
        while not any(e["session"]["instructions"] == "The end." for e in wire.of("session.updated")):
            await wire.until("session.updated", wire.count("session.updated") + 1)
        assert not [e for e in wire.of("error") if e["error"]["code"] == "internal_error"]
        wire.events = []  # an odd prompt comes back as it was sent, which no stock client has a type for
    assert not [record for record in caplog.records if record.exc_info]


async def test_an_event_that_breaks_us_is_an_error_and_the_session_goes_on(
    wire: WireClient, harness: Harness, monkeypatch, caplog
):
    """A bug that nobody knows yet, at both places where there can be one."""
    real = Connection._carry_out

    async def broken(self, event):
        raise OverflowError("int too large to convert to float")

    monkeypatch.setattr(Connection, "_carry_out", broken)
    for number in range(20):
        await wire.send("response.create", event_id=f"mine {number}")
    errors = [await wire.error(count + 1) for count in range(20)]
    assert {(error["type"], error["code"]) for error in errors} == {("server_error", "internal_error")}
    assert [error["event_id"] for error in errors] == [f"mine {number}" for number in range(20)]
    assert 0 < len([record for record in caplog.records if record.exc_info]) <= 10  # nobody can fill the disk
    monkeypatch.setattr(Connection, "_carry_out", real)
    assert (await wire.ask("Hello?", output_modalities=["text"]))["status"] == "completed"


# -- HTTP

BODIES = [b"\xff\xfe", b'{"session": {"instructions": "\xff"}}', DEEP.encode(), b"[" * 900, b"nonsense", b"[]", b"7",
          b'{"session":' + b"[" * 500 + b"]" * 500 + b"}", json.dumps({"session": {"tools": [{"name": "f", "parameters": {"a": json.loads("[" * 300 + "]" * 300)}}]}}).encode(),
          b'{"expires_after": {"seconds": 1' + b"0" * 400 + b"}}", b'{"expires_after": {"seconds": 1e999}}', b'{"expires_after": {"seconds": NaN}}',
          b'{"expires_after": {"seconds": true}}', b'{"session": "\\ud800"}', b"x" * 300_000]  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
async def test_a_body_that_cannot_be_read_has_the_error_body(harness: Harness, body: bytes, caplog):
    async with aiohttp.ClientSession() as http:
        answer = await http.post(harness.server.url + "/v1/realtime/client_secrets", data=body, headers=JSON)
        assert answer.status in (400, 413)
        assert (await answer.json())["error"]["type"] == "invalid_request_error"
    assert not [record for record in caplog.records if record.exc_info]


async def test_mutated_bodies_have_an_answer(harness: Harness):
    dice = random.Random("bodies 1")
    async with aiohttp.ClientSession() as http:
        for _ in range(150):
            body = mutated(SECRET, dice)
            raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
            answer = await http.post(
                harness.server.url + "/v1/realtime/client_secrets", data=raw, headers=JSON
            )
            assert answer.status in (200, 400), raw[:400]
            assert ("error" in await answer.json()) == (answer.status == 400)


async def test_a_request_that_breaks_us_has_the_error_body(harness: Harness, monkeypatch, caplog):
    monkeypatch.setattr("realtime.server.secrets_endpoint.default_config", None)
    async with aiohttp.ClientSession() as http:
        answer = await http.post(harness.server.url + "/v1/realtime/client_secrets", data=b"{}", headers=JSON)
        assert answer.status == 500
        assert (await answer.json())["error"]["code"] == "internal_error"
    assert [record.message for record in caplog.records if record.exc_info] == ["a request failed"]


@pytest.mark.parametrize("keys", [(), ("a-long-enough-key",)])
async def test_a_credential_that_is_no_utf8_is_refused_or_passed_over(keys: tuple[str, ...], caplog):
    async with open_harness(api_keys=keys) as harness:
        url = harness.server.url.removeprefix("http://")
        for path, method in (("/v1/realtime", "GET"), ("/v1/realtime/client_secrets", "POST")):
            status = await raw_status(url, method, path)
            assert status in ((401,) if keys else (101, 200)), (path, status)
    assert not [record for record in caplog.records if record.exc_info]


async def raw_status(address: str, method: str, path: str) -> int:
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    upgrade = (
        b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        if method == "GET"
        else b"Content-Length: 0\r\n"
    )
    head = f"{method} {path} HTTP/1.1\r\nHost: {address}\r\n".encode()
    writer.write(head + upgrade + b"Authorization: Bearer \xff\r\n\r\n")
    line = await reader.readline()
    writer.close()
    return int(line.split()[1])


def test_seeds_have_every_field():
    assert {"audio", "tools", "truncation"} <= SESSION.keys()
    assert {"input", "metadata"} <= RESPONSE.keys()
    assert len(MESSAGE["content"]) == 4
