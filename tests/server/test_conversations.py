"""GET and DELETE /v1/conversations: the caller's own conversations and nobody else's, with both stores."""

import asyncio
import sqlite3

import aiohttp
import pytest

from realtime.providers.memory_store import MemoryStore
from realtime.providers.sqlite_store import SqliteStore
from realtime.providers.store import FIRST_EPOCH, Changes
from realtime.server.conversations import MAX_LIMIT
from tests.server.harness import Harness, open_harness

PATH = "/v1/conversations"
ADA, BEN = "sk-ada-1", "sk-ben-1"


async def ask(harness: Harness, path: str = "", key: str | None = None, method: str = "GET", **headers: str):
    """Status and JSON of an answer."""
    sent = {**({"Authorization": f"Bearer {key}"} if key else {}), **headers}
    url = aiohttp.client.URL(harness.server.url + PATH + path, encoded=True)
    async with aiohttp.ClientSession() as http, http.request(method, url, headers=sent) as answer:
        return answer.status, await answer.json() if answer.content_type == "application/json" else None


async def converse(harness: Harness, text: str, key: str | None = None) -> str:
    """One turn; the id of its conversation, which is stored when this returns."""
    headers = {"Authorization": f"Bearer {key}"} if key else None
    async with harness.connect(headers=headers) as wire:
        await wire.ask(text, output_modalities=["text"])
        conversation_id = (await wire.until("conversation.created"))["conversation"]["id"]
    await harness.no_sessions()
    return conversation_id


async def secret_of(harness: Harness, key: str) -> str:
    headers = {"Authorization": f"Bearer {key}"}
    url = harness.server.url + "/v1/realtime/client_secrets"
    async with aiohttp.ClientSession() as http, http.post(url, headers=headers) as answer:
        return (await answer.json())["value"]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_earlier_conversations(kind, tmp_path):
    store = "memory" if kind == "memory" else f"sqlite:{tmp_path / 'kept.db'}"
    async with open_harness(store=store) as harness:
        first = await converse(harness, "What   is\nthe sea? " + "Tell me more. " * 20)
        second = await converse(harness, "Hi")
        status, found = await ask(harness)
        assert status == 200
        assert [entry["id"] for entry in found["data"]] == [second, first]
        assert [entry["title"][:23] for entry in found["data"]] == ["Hi", "What is the sea? Tell m"]
        assert found["data"][1]["title"].endswith("…")
        assert len(found["data"][1]["title"]) <= 60
        assert all(1.7e9 < entry["created_at"] <= entry["updated_at"] < 3e9 for entry in found["data"])
        assert found["has_more"] is False
        _, one = await ask(harness, "?limit=1")
        assert ([entry["id"] for entry in one["data"]], one["has_more"]) == ([second], True)
        status, whole = await ask(harness, f"/{second}")
        assert [item["role"] for item in whole["items"]] == ["user", "assistant"]
        assert whole["items"][0]["content"] == [{"type": "input_text", "text": "Hi"}]
        status, gone = await ask(harness, f"/{second}", method="DELETE")
        assert (status, gone["deleted"]) == (200, True)
        for method in ("GET", "DELETE"):
            status, answer = await ask(harness, f"/{second}", method=method)
            assert (status, answer["error"]["code"]) == (404, "conversation_not_found")
        assert [entry["id"] for entry in (await ask(harness))[1]["data"]] == [first]


async def test_no_key_sees_or_deletes_what_another_one_has():
    async with open_harness(api_keys=(ADA, BEN)) as harness:
        own = await converse(harness, "Hello", ADA)
        assert (await ask(harness))[0] == 401
        assert (await ask(harness, key="wrong"))[0] == 401
        assert (await ask(harness, key=BEN))[1]["data"] == []
        unknown = await ask(harness, "/conv_unknown", BEN)
        for method in ("GET", "DELETE"):
            assert await ask(harness, f"/{own}", BEN, method) == unknown
            assert (await ask(harness, f"/{own}", None, method))[0] == 401
        assert [entry["id"] for entry in (await ask(harness, key=ADA))[1]["data"]] == [own]


async def test_who_shares_a_key_gets_no_list_but_what_is_known_by_its_id():
    """The visitors of a page have secrets of one key: none of them sees what the others said."""
    async with open_harness(api_keys=(ADA,)) as harness:
        own = await converse(harness, "Hello", ADA)
        secret = await secret_of(harness, ADA)
        status, answer = await ask(harness, key=secret)
        assert (status, answer["error"]["code"]) == (403, "api_key_needed")
        assert len(own.removeprefix("conv_")) >= 12  # cannot be guessed
        assert (await ask(harness, f"/{own}", secret))[0] == 200
        for key, shown in ((secret, False), (ADA, True)):
            async with aiohttp.ClientSession(harness.server.url) as http:
                headers = {"Authorization": f"Bearer {key}"}
                async with http.get("/v1/capabilities", headers=headers) as answer:
                    offered = await answer.json()
            assert (offered["store"], offered["conversations"]) == (True, shown)


async def test_a_server_open_to_all_shows_no_list():
    async with open_harness(open_to_all=True) as harness:
        own = await converse(harness, "Hello")
        assert (await ask(harness))[0] == 403
        assert (await ask(harness, f"/{own}"))[0] == 200


async def test_without_a_store_there_is_nothing():
    async with open_harness(store="none") as harness:
        for path in ("", "/conv_1"):
            assert (await ask(harness, path))[0] == 404


async def test_an_open_conversation_is_not_deleted():
    async with open_harness() as harness, harness.connect() as wire:
        await wire.ask("Hello", output_modalities=["text"])
        own = wire.of("conversation.created")[0]["conversation"]["id"]
        while (await ask(harness, f"/{own}"))[0] == 404:
            pass
        status, answer = await ask(harness, f"/{own}", method="DELETE")
        assert (status, answer["error"]["code"]) == (409, "conversation_in_use")


@pytest.mark.parametrize(
    "name", ["..%2fx", "%00", "%ff", "x" * 9_000, "conv_%0d%0aX: 1", "*", "%25", "' OR 1=1 --", "_"]
)
async def test_odd_ids_are_unknown(name):
    async with open_harness() as harness:
        await converse(harness, "Hello")
        for method in ("GET", "DELETE"):
            assert (await ask(harness, f"/{name.replace(' ', '%20')}", method=method))[0] in (400, 404)
        assert len((await ask(harness))[1]["data"]) == 1


@pytest.mark.parametrize("limit", ["0", "-1", "201", "x", "1e1", "9" * 5_000, "%D9%A3", "", "1.0"])
async def test_a_wrong_limit_is_refused(harness, limit):
    assert (await ask(harness, f"?limit={limit}"))[1]["error"]["param"] == "limit"


async def test_methods_hosts_and_pages(harness):
    own = await converse(harness, "Hello")
    assert (await ask(harness, method="DELETE"))[0] == 405
    assert (await ask(harness, f"/{own}", method="POST"))[0] == 405
    for headers in (
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        assert (await ask(harness, **headers))[0] == 403
        assert (await ask(harness, f"/{own}", None, "DELETE", **headers))[0] == 403
    assert (await ask(harness, f"/{own}"))[0] == 200


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_a_huge_list_is_read_in_part(kind, tmp_path):
    store = MemoryStore() if kind == "memory" else SqliteStore(str(tmp_path / "kept.db"))
    item = b'{"id":"i","type":"message","role":"user","content":[{"type":"input_text","text":"Hi"}]}'
    both = Changes(["i", "large"], {"i": item, "large": b"x" * 20_000})
    await store.save("ada", "conv_0", FIRST_EPOCH, both)
    await asyncio.sleep(0.005)  # the times of a file have milliseconds
    # Together, as a busy server's: one after the other, each would wait for company
    await asyncio.gather(
        *(store.save("ada", f"conv_{number}", FIRST_EPOCH, both) for number in range(1, 300))
    )
    await asyncio.sleep(0.005)
    changed = Changes(["i", "large", "last"], {"last": b"x" * 20_000})
    await store.save("ada", "conv_0", FIRST_EPOCH, changed)  # changed last, made first
    found = await store.listing("ada", MAX_LIMIT)
    assert len(found) == MAX_LIMIT
    assert found[0].id == "conv_0"
    assert (
        found[0].created_unix_s
        <= found[-1].created_unix_s
        <= found[-1].updated_unix_s
        <= found[0].updated_unix_s
    )
    assert {summary.opening for summary in found} == {(item,)}
    assert await store.listing("ben", MAX_LIMIT) == ()
    await store.aclose()


async def test_a_file_of_an_older_version_is_listed(tmp_path):
    path = tmp_path / "old.db"
    store = SqliteStore(str(path))
    await store.save("ada", "conv_1", FIRST_EPOCH, Changes(["i"], {"i": b"{}"}))
    await store.aclose()
    with sqlite3.connect(path) as file:
        file.executescript(
            "DROP TRIGGER conversation_saved; DROP TRIGGER conversation_gone; DROP TABLE seen;"
        )
    file.close()
    store = SqliteStore(str(path))
    assert [summary.id for summary in await store.listing("ada", 9)] == ["conv_1"]
    await store.forget("ada", "conv_1")
    assert await store.listing("ada", 9) == ()
    await store.aclose()
