"""Client secrets: who gets one, what it allows, and when it ends."""

import time

import aiohttp
import pytest

from realtime.server.access import CLOCK_LEEWAY_S
from tests.server.door_kit import BROWSER_KEY, KEY, rejection, works
from tests.server.harness import Harness


async def mint(
    harness: Harness, body: dict | None = None, key: str = KEY, **headers: str
) -> tuple[int, dict]:
    async with (
        aiohttp.ClientSession() as http,
        http.post(
            harness.server.url + "/v1/realtime/client_secrets",
            json=body or {},
            headers={"Authorization": f"Bearer {key}", **headers},
        ) as answer,
    ):
        return answer.status, await answer.json()


async def test_sessions_of_a_secret_have_its_settings(with_key: Harness):
    status, minted = await mint(with_key, {"session": {"type": "realtime", "instructions": "Be brief."}})
    assert status == 200
    assert minted["value"].startswith("ek_")
    assert minted["expires_at"] - time.time() == pytest.approx(600, abs=30)
    assert minted["session"]["object"] == "realtime.session"
    assert minted["session"]["instructions"] == "Be brief."
    for _ in range(2):  # any number of sessions
        async with with_key.connect(protocols=("realtime", BROWSER_KEY + minted["value"])) as wire:
            assert wire.of("session.created")[0]["session"]["instructions"] == "Be brief."
            await wire.send("session.update", session={"instructions": "Be long."})
            assert (await wire.until("session.updated"))["session"]["instructions"] == "Be long."
    async with with_key.connect(headers={"Authorization": "Bearer " + minted["value"]}) as wire:
        await works(wire)


async def test_an_expired_secret_is_rejected_but_its_open_session_continues(with_key: Harness, monkeypatch):
    _, minted = await mint(with_key, {"expires_after": {"anchor": "created_at", "seconds": 10}})
    protocols = ("realtime", BROWSER_KEY + minted["value"])
    async with with_key.connect(protocols=protocols) as early:
        now = time.time()
        monkeypatch.setattr("realtime.server.realtime_endpoint.time.time", lambda: now + 11 + CLOCK_LEEWAY_S)
        async with with_key.open_socket(protocols=protocols) as late:
            assert "expired" in (await late.error())["message"]
            assert (await late.closed())[0] == 1008
        await works(early)


async def test_a_forged_secret_is_rejected(with_key: Harness):
    _, minted = await mint(with_key)
    value = minted["value"]
    forged = value[:20] + ("A" if value[20] != "A" else "B") + value[21:]
    assert (await rejection(with_key, headers={"Authorization": "Bearer " + forged})).status_code == 401


async def test_a_wrong_key_or_a_secret_cannot_mint(with_key: Harness):
    status, body = await mint(with_key, key="wrong")
    assert (status, body["error"]["code"]) == (401, "invalid_api_key")
    _, minted = await mint(with_key)
    status, body = await mint(with_key, key=minted["value"])
    assert (status, body["error"]["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"expires_after": {"seconds": 9}}, "expires_after.seconds"),
        ({"expires_after": {"seconds": 7201}}, "expires_after.seconds"),
        ({"expires_after": {"seconds": "soon"}}, "expires_after.seconds"),
        ({"expires_after": {"anchor": "birth"}}, "expires_after.anchor"),
        ({"session": {"type": "transcription"}}, "session.type"),
        ({"session": {"colour": "red"}}, "session.colour"),
        ({"session": 3}, "session"),
        ({"what": 1}, "what"),
    ],
)
async def test_a_wrong_request_for_a_secret_is_400(with_key: Harness, body: dict, param: str):
    status, answer = await mint(with_key, body)
    assert status == 400
    assert answer["error"]["param"] == param


@pytest.mark.parametrize("raw", [b"{", b"[]", b"\xff", b"3"])
async def test_a_body_that_is_not_an_object_is_400(with_key: Harness, raw: bytes):
    async with (
        aiohttp.ClientSession() as http,
        http.post(
            with_key.server.url + "/v1/realtime/client_secrets",
            data=raw,
            headers={"Authorization": f"Bearer {KEY}"},
        ) as answer,
    ):
        assert answer.status == 400
        assert (await answer.json())["error"]["message"]


async def test_minting_from_a_foreign_page_is_403(with_key: Harness):
    async with (
        aiohttp.ClientSession() as http,
        http.post(
            with_key.server.url + "/v1/realtime/client_secrets",
            json={},
            headers={"Authorization": f"Bearer {KEY}", "Origin": "https://evil.example"},
        ) as answer,
    ):
        assert answer.status == 403


async def test_the_beta_path_names_the_current_one(with_key: Harness):
    async with (
        aiohttp.ClientSession() as http,
        http.post(with_key.server.url + "/v1/realtime/sessions") as answer,
    ):
        assert answer.status == 404
        assert "client_secrets" in (await answer.json())["error"]["message"]
