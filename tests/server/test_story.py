"""The log of a running server: what it tells of sessions and failures, and that it never tells words or keys."""

import json
import logging

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from realtime import logs
from realtime.metrics import Metrics
from realtime.protocol import server_events as events
from realtime.protocol.items import MessageItem
from realtime.protocol.objects import ResponseObject
from realtime.server.announce import ready_block, start_facts, warnings_of
from realtime.server.story import SessionStory
from realtime.settings.load import secrets_of
from tests.server.harness import open_harness

WORDS = ("flamingo", "umbrella", "xylophone")
KEY = "sk-marked-secret-0123456789"


@pytest.fixture
def lines(monkeypatch):
    """What a server would write at `debug`, as JSON objects."""
    written: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record):
            written.append(self.format(record))

    handler = Keep()
    handler.setFormatter(logs.JsonFormatter([KEY]))
    root, package = logging.getLogger(), logging.getLogger("realtime")
    before = root.level, package.level
    root.addHandler(handler)
    logs.configure("debug", "json")  # the root logger has handlers here: only the levels are set
    root.setLevel(logging.INFO)
    yield written
    root.removeHandler(handler)
    root.setLevel(before[0])
    package.setLevel(before[1])


def told(lines: list[str], message: str) -> list[dict]:
    return [entry for entry in map(json.loads, lines) if entry["message"] == message]


async def test_a_session_has_a_begin_and_an_end_in_the_log(lines):
    async with open_harness() as harness:
        async with harness.connect(headers={"User-Agent": "tester/1.0"}) as wire:
            await wire.ask("What is two plus three?")
            await wire.ask("What is two plus four?", output_modalities=["text"])
        await harness.no_sessions()
    (began,), (ended,) = told(lines, "session began"), told(lines, "session ended")
    assert began["id"] == ended["id"]
    assert (began["address"], began["user_agent"], began["transport"]) == ("127.0.0.1", "tester/1.0", "json")
    assert (ended["turns"], ended["failed"], ended["reason"]) == (2, 0, "client_closed")
    assert ended["duration_s"] >= 0
    assert ended["bytes_out"] > ended["bytes_in"] > 0


async def test_a_reply_that_was_cut_while_it_sounded_was_interrupted(lines):
    async with open_harness() as harness:
        async with harness.connect() as wire:
            for question, cuts in (
                ("What is two plus three?", 0),
                ("And plus four?", 1),
                ("And plus five?", 2),
            ):
                done = await wire.ask(question)
                assert done["status"] == "completed"
                for count in range(cuts):  # the second one shortens it again
                    item = {
                        "item_id": done["output"][0]["id"],
                        "content_index": 0,
                        "audio_end_ms": 50 - count,
                    }
                    await wire.send("conversation.item.truncate", **item)
            await wire.until("conversation.item.truncated", 3)
            await wire.say("Tell me a very long story.")
            await wire.send("response.create")
            await wire.until("response.output_audio.delta", wire.count("response.output_audio.delta") + 1)
            await wire.send("response.cancel")
            item_id = (await wire.until("response.output_item.added", 4))["item"]["id"]
            await wire.until("response.done", 4)
            await wire.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=1)
            await wire.until("conversation.item.truncated", 4)
        await harness.no_sessions()
    (ended,) = told(lines, "session ended")
    assert (ended["turns"], ended["interrupted"], ended["failed"]) == (4, 3, 0)


CUT, OTHER_CUT, UNKNOWN_CUT, ADDED, ALSO_ADDED, CANCELLED, COMPLETED = "abcdefg"


@pytest.mark.parametrize(
    ("order", "interrupted"),
    [
        ([ADDED, COMPLETED], 0),
        ([ADDED, COMPLETED, CUT], 1),
        ([ADDED, COMPLETED, CUT, CUT], 1),
        ([ADDED, CUT, COMPLETED], 1),
        ([ADDED, CANCELLED], 1),
        ([CANCELLED], 1),
        ([ADDED, CANCELLED, CUT], 1),
        ([ADDED, CUT, CANCELLED], 1),
        ([ADDED, ALSO_ADDED, CUT, OTHER_CUT, CANCELLED], 1),
        ([ADDED, ALSO_ADDED, COMPLETED, CUT, OTHER_CUT], 1),
        ([ADDED, COMPLETED, UNKNOWN_CUT], 0),
    ],
)
def test_a_reply_is_interrupted_once(order, interrupted):
    """Cancelled, cut or both, in any order; a cut of what an earlier session said is no reply of this one."""

    def added(item_id):
        return events.ResponseOutputItemAdded(
            response_id="resp", item=MessageItem(id=item_id, role="assistant")
        )

    def cut(item_id):
        return events.ConversationItemTruncated(item_id=item_id, audio_end_ms=5)

    def done(status):
        return events.ResponseDone(response=ResponseObject(id="resp", conversation_id=None, status=status))

    event_of = {
        CUT: cut("one"), OTHER_CUT: cut("two"), UNKNOWN_CUT: cut("old"), ADDED: added("one"),
        ALSO_ADDED: added("two"), CANCELLED: done("cancelled"), COMPLETED: done("completed"),
    }  # fmt: skip
    story = SessionStory(Metrics())
    for name in order:
        story.on_event(event_of[name])
    assert story._counts["interrupted"] == interrupted


async def test_a_failed_reply_is_told_with_code_trace_and_host(lines):
    async with open_harness() as harness, harness.connect() as wire:
        harness.fault("chat.error=1008")
        assert (await wire.ask("What time is it?"))["status"] == "failed"
        host = harness.sandbox.url.partition("//")[2]
    (failed,) = told(lines, "reply failed")
    assert failed["code"] == "insufficient_quota"
    assert failed["host"] == host
    assert failed["upstream_code"] == 1008
    assert failed["trace_id"]


async def test_a_lost_speech_connection_is_told_though_the_reply_goes_on(lines):
    async with open_harness() as harness, harness.connect() as wire:
        harness.fault("speech.drop_at=mid")
        await wire.ask("Tell me a story.")
    assert told(lines, "speech connection failed")[0]["host"]


async def test_a_voice_without_sound_fails_the_reply_and_nothing_counts_as_heard(lines):
    async with open_harness() as harness, harness.connect() as wire:
        harness.fault("speech.soft=2203")
        done = await wire.ask("What time is it?")
        assert done["status"] == "failed"
        assert "sent no sound" in done["status_details"]["error"]["message"]
        assert (await wire.retrieve(done["output"][0]["id"]))["content"][0]["transcript"] == ""
        harness.fault()
        assert (await wire.ask("What time is it?"))["status"] == "completed"
    assert {line["reason"] for line in told(lines, "speech connection failed")} == {
        "the voice sent no sound for a text"
    }


async def test_refused_clients_are_told_but_not_all_of_a_flood(lines):
    async with open_harness(api_keys=(KEY,)) as harness, aiohttp.ClientSession() as http:
        for _ in range(100):
            async with http.get(
                harness.server.url + "/v1/realtime", headers={"Origin": "https://evil.example"}
            ) as answer:
                assert answer.status == 403
        async with http.post(
            harness.server.url + "/v1/realtime/client_secrets",
            headers={"Authorization": "Bearer wrong-key-of-somebody"},
        ) as answer:
            assert answer.status == 401
        text = await (await http.get(harness.server.url + "/metrics")).text()
    refused = told(lines, "client refused")
    assert len([entry for entry in refused if entry["reason"] == "origin"]) < 20
    assert any(entry["reason"] == "invalid_api_key" for entry in refused)
    assert "wrong-key-of-somebody" not in "".join(lines)
    assert 'realtime_refused_total{reason="origin"} 100.0' in text


async def test_no_word_and_no_key_of_a_whole_conversation_is_logged_at_debug(lines):
    async with open_harness(api_keys=(KEY,)) as harness:
        async with harness.connect(headers={"Authorization": f"Bearer {KEY}"}) as wire:
            await wire.send(
                "session.update", session={"type": "realtime", "instructions": f"Say {WORDS[0]}."}
            )
            await wire.ask(f"Please repeat after me: {WORDS[1]}.")
            await wire.send("input_audio_buffer.append", audio=WORDS[2])  # a wrong event, quoted in its error
            await wire.error()
            harness.fault("chat.error=2013")
            await wire.ask(f"And now {WORDS[2]}.")
        await harness.no_sessions()
    everything = "".join(lines).lower()
    assert told(lines, "session ended")
    assert any(json.loads(line)["level"] == "debug" for line in lines), "turns and actions are told at debug"
    for word in (*WORDS, KEY):
        assert word not in everything


def metrics_of(text: str) -> dict[str, dict[tuple, float]]:
    families: dict[str, dict[tuple, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            families.setdefault(sample.name, {})[tuple(sorted(sample.labels.values()))] = sample.value
    return families


async def test_the_metrics_tell_of_the_services_behind_of_sound_and_of_the_process():
    async with open_harness(speech_rpm=6000) as harness, harness.connect() as wire:
        await wire.append(bytes(4800))
        await wire.ask("What is two plus three?")
        harness.fault("chat.error=1008")
        await wire.ask("What time is it?")
        async with aiohttp.ClientSession() as http, http.get(harness.server.url + "/metrics") as answer:
            found = metrics_of(await answer.text())
    assert found["realtime_upstream_requests_total"][("chat",)] == 2
    assert found["realtime_upstream_requests_total"][("speech",)] >= 1
    assert found["realtime_upstream_errors_total"][("1008", "chat", "insufficient_quota")] == 1
    assert found["realtime_budget_requests_left"][("chat",)] == 6000 - 2
    assert 0 < found["realtime_budget_requests_left"][("speech",)] < 6000
    assert found["realtime_audio_bytes_total"][("in",)] == 4800
    assert found["realtime_audio_bytes_total"][("out",)] == len(wire.audio())
    assert found["realtime_socket_bytes_total"][("in",)] > 4800
    assert found["realtime_build_info"]
    for name in (
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_start_time_seconds",
    ):
        assert found[name][()] > 0


async def test_the_start_names_what_is_in_use_and_no_key():
    async with open_harness(api_keys=(KEY,)) as harness:
        server = harness.server
        block = ready_block(server.url, server.runtime)
        assert block.splitlines()[0] == f"Ready: {server.url}"
        for fact in (f"{server.url}/", server.runtime.settings.voice_id, "MiniMax-M3", "Ctrl-C", "Python 3."):
            assert fact in block
        said = block + str(start_facts(server.url, server.runtime))
        assert KEY not in said
        assert "http://" not in str(start_facts(server.url, server.runtime))
        assert KEY in secrets_of(server.runtime.settings)


async def test_the_start_names_the_host_of_another_chat_which_may_bill():
    async with open_harness(
        chat_base_url="https://user:secret@chat.example.org/v1", chat_model="m"
    ) as harness:
        (row,) = [
            line
            for line in ready_block(harness.server.url, harness.server.runtime).splitlines()
            if "platform " in line
        ]
    assert row.endswith("; chat: chat.example.org")


async def test_a_server_that_cannot_hear_says_so_once_and_in_readyz():
    async with open_harness(voice_detector="none") as harness:
        said = list(warnings_of(harness.server.runtime))
        assert len([line for line in said if "text and speech output only" in line]) == 1
        async with aiohttp.ClientSession() as http, http.get(harness.server.url + "/readyz") as answer:
            assert (await answer.json())["hears"] is False
