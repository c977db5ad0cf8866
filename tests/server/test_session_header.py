"""`Realtime-Session` in the answer to the handshake: what a balancer can learn of a session (docs/wire.md 6.6)."""

import aiohttp
import pytest

from tests.server.door_kit import KEY
from tests.server.harness import Harness, open_harness
from tests.server.resuming import BIN, disconnect, named, open_client, resume_query, session_of


@pytest.mark.parametrize("protocols", [(), ("realtime",), BIN])
async def test_the_answer_names_the_session_that_has_resume(harness: Harness, protocols):
    async with harness.connect("?extensions=playback,resume", protocols=protocols) as wire:
        assert named(wire) == [session_of(wire)["id"]]


@pytest.mark.parametrize("query", ["", "?extensions=playback", "?extensions=resumed", "?resume=sess_1"])
async def test_it_names_no_session_without_resume(harness: Harness, query: str):
    async with harness.connect(query) as wire:
        assert named(wire) == []
        await wire.send("session.update", session={"extensions": ["resume"]})
        assert "resume" in (await wire.until("session.updated"))["session"]["extensions"]


async def test_a_server_that_keeps_no_session_names_none():
    async with open_harness(resume_window_s=0) as harness, harness.connect("?extensions=resume") as wire:
        assert named(wire) == []


async def test_a_resumed_session_is_named_again_and_another_one_by_its_own_id(harness: Harness):
    first = await open_client(harness, "?extensions=resume")
    await first.until("conversation.created")
    await disconnect(harness, first)
    async with harness.open_socket(resume_query(first)) as second:
        await second.until("session.resumed")
        assert named(second) == [session_of(first)["id"]]
    async with harness.connect("?extensions=resume&last_seq=1&resume=sess_unknown") as other:
        assert (await other.error())["code"] == "session_not_resumable"
        assert named(other) == [session_of(other)["id"]] != ["sess_unknown"]
    await first.aclose()


async def test_a_client_secret_can_bind_resume(with_key: Harness):
    url, headers = with_key.server.url + "/v1/realtime/client_secrets", {"Authorization": f"Bearer {KEY}"}
    body = {"session": {"type": "realtime", "extensions": ["resume"]}}
    async with aiohttp.ClientSession() as http, http.post(url, json=body, headers=headers) as answer:
        secret = (await answer.json())["value"]
    async with with_key.connect(headers={"Authorization": f"Bearer {secret}"}) as wire:
        assert named(wire) == [session_of(wire)["id"]]


async def test_who_is_refused_on_an_open_socket_learns_no_session(with_key: Harness):
    async with with_key.open_socket("?extensions=resume", protocols=("realtime",)) as wire:
        assert (await wire.error())["code"] == "invalid_api_key"
        assert named(wire) == []
