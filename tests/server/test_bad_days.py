"""Faults of the platform: the client gets the documented code, and the next turn of the session works."""

import asyncio

import pytest

from tests.eventually import eventually
from tests.ports import free_port
from tests.server.harness import Harness, WireClient, open_harness

SHORT_TIMEOUTS = {
    "chat_first_timeout_s": 2.0,  # what works is not so slow on a busy machine either
    "chat_gap_timeout_s": 2.0,
    "speech_timeout_s": 2.0,
    "budget_wait_s": 0.2,
}


def timeouts_for(fault: str) -> dict[str, float]:
    """Short ones only where the fault is a silence: a busy machine needs the usual time for anything else."""
    return SHORT_TIMEOUTS if "stall" in fault else {"budget_wait_s": SHORT_TIMEOUTS["budget_wait_s"]}


LASTING_WAIT_S = 2.0  # enough for the pauses of all tries

ANSWER = "Count from one to nine."


def outcome(response: dict) -> tuple[str, str | None]:
    """The status and the code (or reason) of a response."""
    details = response["status_details"] or {}
    return response["status"], details.get("error", {}).get("code") or details.get("reason")


async def still_works(harness: Harness, wire: WireClient) -> None:
    """Without the fault, the same session answers a spoken turn."""
    harness.fault()
    done = await wire.ask("What is two plus three?")
    assert outcome(done) == ("completed", None), done
    assert "5" in done["output"][-1]["content"][0]["transcript"] or "five" in str(done["output"])
    assert len(wire.audio(done["id"])) > 24_000  # half a second
    assert not wire.of("error")


async def ask_with_fault(harness: Harness, wire: WireClient, expected: tuple[str, str | None]) -> dict:
    done = await wire.ask(ANSWER)
    assert outcome(done) == expected, done["status_details"]
    if expected[0] == "failed":
        error = done["status_details"]["error"]
        assert len(error["message"].split()) > 3  # a sentence for a person
        assert "Bearer" not in error["message"]
    assert wire.types[-1] == "response.done"
    for item in done["output"]:
        assert item["status"] == ("completed" if expected[0] == "completed" else "incomplete")
    await still_works(harness, wire)
    return done


CHAT = [
    ("chat.error=1000", "failed", "upstream_unavailable"),
    ("chat.error=1002", "failed", "rate_limit_exceeded"),
    ("chat.error=1004", "failed", "invalid_api_key"),
    ("chat.error=1008", "failed", "insufficient_quota"),
    ("chat.error=1026", "failed", "content_filter"),
    ("chat.error=1027", "incomplete", "content_filter"),
    ("chat.error=1039", "failed", "rate_limit_exceeded"),
    ("chat.error=2013", "failed", "upstream_rejected"),
    ("chat.error=2049", "failed", "invalid_api_key"),
    ("chat.error=2056", "failed", "rate_limit_exceeded"),
    ("chat.error=2061", "failed", "upstream_rejected"),
    ("chat.error=2064", "failed", "upstream_unavailable"),
    ("chat.error_mid=1000", "failed", "upstream_unavailable"),
    ("chat.error_mid=1002", "failed", "rate_limit_exceeded"),
    ("chat.error_mid=1027", "incomplete", "content_filter"),
    ("chat.drop_mid", "failed", "upstream_unavailable"),
    ("chat.stall", "failed", "upstream_timeout"),
    ("chat.stall_mid", "failed", "upstream_timeout"),
    ("chat.empty", "failed", "empty_answer"),
    ("chat.only_thinking", "failed", "empty_answer"),
    ("chat.only_emoji", "completed", None),
    ("chat.no_done", "completed", None),
    ("chat.stray_marker", "completed", None),
    ("chat.split_tags", "completed", None),
    ("chat.mirror", "completed", None),
]


@pytest.mark.parametrize(("fault", "status", "code"), CHAT)
async def test_chat_faults(fault: str, status: str, code: str | None):
    async with open_harness(**timeouts_for(fault)) as harness, harness.connect() as wire:
        harness.fault(fault)
        await ask_with_fault(harness, wire, (status, code))


@pytest.mark.parametrize("fault", ["chat.error=1002", "chat.stall_mid", "chat.empty", "chat.only_thinking"])
async def test_chat_faults_in_a_text_turn(fault: str):
    async with open_harness(**timeouts_for(fault)) as harness, harness.connect() as wire:
        harness.fault(fault)
        done = await wire.ask(ANSWER, output_modalities=["text"])
        code = next(code for name, _, code in CHAT if name == fault)
        assert outcome(done) == ("failed", code)
        await still_works(harness, wire)


async def test_emoji_are_text_and_the_voice_says_that_they_are_on_the_screen():
    async with open_harness() as harness, harness.connect() as wire:
        harness.fault("chat.only_emoji")
        done = await wire.ask(ANSWER)
        assert outcome(done) == ("completed", None)
        assert done["output"][0]["content"][0]["transcript"].strip()
        assert len(wire.audio()) > 24_000  # half a second
        await still_works(harness, wire)


async def test_text_before_the_failure_is_kept():
    async with (
        open_harness("chat.tps=50", "chat.chunk_ms=20", **SHORT_TIMEOUTS) as harness,
        harness.connect() as wire,
    ):
        harness.fault("chat.stall_mid")
        done = await wire.ask("Tell me a long story.")
        assert outcome(done) == ("failed", "upstream_timeout")
        item = done["output"][0]
        said = item["content"][0]["transcript"]
        assert said
        assert said == "".join(e["delta"] for e in wire.of("response.output_audio_transcript.delta"))
        assert (await wire.retrieve(item["id"]))["content"][0]["transcript"].strip() == said.strip()
        await still_works(harness, wire)


SPEECH_FINAL = [
    ("speech.error=1002", "rate_limit_exceeded"),  # longer than `budget_wait_s`
    ("speech.error=1004", "invalid_api_key"),
    ("speech.error=1008", "insufficient_quota"),
    ("speech.error=1026", "content_filter"),
    ("speech.error=1042", "upstream_rejected"),
    ("speech.error=2013", "upstream_rejected"),
    ("speech.error=2042", "invalid_voice"),
    ("speech.error=2049", "invalid_api_key"),
    ("speech.error=2054", "invalid_voice"),
    ("speech.error=2061", "upstream_rejected"),
]


@pytest.mark.parametrize(
    ("fault", "code", "socket"),
    [(*row, "ordinary") for row in SPEECH_FINAL] + [(*row, "bidi") for row in SPEECH_FINAL[:2]],
)
async def test_speech_errors_that_are_not_retried(fault: str, code: str, socket: str):
    """Only the first connection has the fault: a retry would succeed, but must not happen."""
    async with (
        open_harness(faults=fault, speech_socket=socket, **timeouts_for(fault)) as harness,
        harness.connect() as wire,
    ):
        await eventually(lambda: harness.sandbox.state.connections_opened == 1)
        harness.fault()
        await ask_with_fault(harness, wire, ("failed", code))


SPEECH_LASTING = [
    ("speech.error=1000", [("failed", "upstream_unavailable")]),
    ("speech.error=2064", [("failed", "upstream_unavailable")]),
    ("speech.stall", [("failed", "upstream_timeout")]),
    ("speech.start_error=1008", [("failed", "insufficient_quota")]),
    ("speech.start_error=1000", [("completed", None)]),  # HTTP has no start
    ("speech.drop_at=connect", [("completed", None)]),
    ("speech.drop_at=connected", [("completed", None)]),
    ("speech.drop_at=start", [("completed", None)]),
    ("speech.drop_at=text", [("failed", "upstream_unavailable")]),
    ("speech.drop_at=mid", [("completed", None), ("failed", "upstream_unavailable")]),
    ("speech.drop_at=final", [("completed", None), ("failed", "upstream_unavailable")]),
    ("speech.drop_after=0", [("failed", "upstream_unavailable")]),
    ("speech.drop_after=2", [("completed", None), ("failed", "upstream_unavailable")]),
    ("speech.bad_hex", [("completed", None), ("failed", "upstream_unavailable")]),
    ("speech.empty_data", [("completed", None)]),
    ("speech.no_event", [("completed", None)]),
    ("speech.no_finished", [("completed", None)]),
    ("speech.trace_in_base_resp", [("completed", None)]),
    ("speech.split_words", [("completed", None)]),
]


@pytest.mark.parametrize(
    ("fault", "expected", "socket"),
    [(*row, "ordinary") for row in SPEECH_LASTING]
    + [(*row, "bidi") for row in SPEECH_LASTING if row[0].startswith(("speech.stall", "speech.drop"))],
    ids=str,
)
async def test_speech_faults_on_every_connection(fault: str, expected: list, socket: str):
    # The connection that is kept for the next turn may have been opened while the fault lasted: it is tried again.
    timeouts = timeouts_for(fault) | {"budget_wait_s": LASTING_WAIT_S}
    async with (
        open_harness(faults=fault, speech_socket=socket, **timeouts) as harness,
        harness.connect() as wire,
    ):
        done = await wire.ask(ANSWER)
        assert outcome(done) in expected, done["status_details"]
        if done["status"] == "completed":
            said = done["output"][0]["content"][0]["transcript"]
            assert "nine" in said or "9" in said
            assert len(wire.audio()) > 48_000
        await still_works(harness, wire)


@pytest.mark.parametrize("moment", ["connected", "start", "text", "mid", "final"])
@pytest.mark.parametrize("socket", ["ordinary", "bidi"])
async def test_one_lost_speech_connection_does_not_affect_the_reply(moment: str, socket: str):
    """The prewarmed connection is lost at this moment; the reply is complete and has its usual length."""
    async with open_harness(speech_socket=socket) as harness, harness.connect() as wire:
        whole = await wire.ask(ANSWER)
        length = len(wire.audio(whole["id"]))
    fault = f"speech.drop_at={moment}"
    async with open_harness(faults=fault, speech_socket=socket) as harness, harness.connect() as wire:
        await eventually(lambda: harness.sandbox.state.connections_opened >= 1)
        harness.fault()
        done = await wire.ask(ANSWER)
        assert outcome(done) == ("completed", None), done["status_details"]
        assert done["output"][0]["content"] == whole["output"][0]["content"]
        assert abs(len(wire.audio(done["id"])) - length) < 0.35 * length
        await still_works(harness, wire)


async def test_a_closed_idle_speech_connection_does_not_affect_the_next_reply():
    async with open_harness("speech.idle_s=0.15") as harness, harness.connect() as wire:
        await still_works(harness, wire)
        for _ in range(2):
            await eventually(lambda: harness.sandbox.state.connections_open == 0)
            await still_works(harness, wire)


async def test_more_conversations_than_speech_connections():
    async with (
        open_harness("limit.connections=1") as harness,
        harness.connect() as one,
        harness.connect() as two,
        harness.connect() as three,
    ):
        answers = await asyncio.gather(*(wire.ask(ANSWER) for wire in (one, two, three)))
        assert [outcome(done) for done in answers] == [("completed", None)] * 3
        await still_works(harness, one)


async def test_an_unknown_voice_is_an_error():
    async with open_harness() as harness, harness.connect() as wire:
        await wire.send("session.update", session={"audio": {"output": {"voice": "Nobody_At_All"}}})
        assert outcome(await wire.ask(ANSWER)) == ("failed", "invalid_voice")
        await wire.send("session.update", session={"audio": {"output": {"voice": None}}})
        await still_works(harness, wire)


async def test_a_platform_that_stops_and_starts_again():
    port = free_port()
    async with open_harness(sandbox_port=port) as harness, harness.connect() as wire:
        # Before Python 3.12, asyncio leaves a socket open that is accepted while its listener closes.
        await eventually(
            lambda: harness.sandbox.state.connections_open and harness.sandbox.state.http_connections_opened
        )
        await harness.sandbox.stop()
        assert outcome(await wire.ask(ANSWER)) == ("failed", "upstream_unavailable")
        harness.sandbox._port = port
        await harness.sandbox.start()
        await still_works(harness, wire)


async def test_a_silent_turn_has_a_timeout():
    """No audio and no text until `silent_turn_timeout_s`: `upstream_timeout`."""
    async with open_harness(silent_turn_timeout_s=1.0) as harness, harness.connect() as wire:
        harness.fault("chat.stall")
        assert outcome(await wire.ask(ANSWER)) == ("failed", "upstream_timeout")
        await still_works(harness, wire)


async def test_a_new_voice_and_format_are_prewarmed_before_the_next_turn():
    """Two clients use different voices; one of them changes to another voice and to G.711."""
    async with open_harness() as harness, harness.connect() as one, harness.connect() as two:
        state = harness.sandbox.state
        await two.send("session.update", session={"audio": {"output": {"voice": "English_Trustworthy_Man"}}})
        await eventually(lambda: state.connections_open == 2)
        assert [outcome(done)[0] for done in (await one.ask(ANSWER), await two.ask(ANSWER))] == [
            "completed"
        ] * 2
        output = {"voice": "English_Aussie_Bloke", "format": {"type": "audio/pcmu"}}
        await one.send("session.update", session={"audio": {"output": output}})
        await eventually(lambda: state.connections_open == 3)
        opened = state.connections_opened
        for wire in (one, two, one, two):
            assert outcome(await wire.ask(ANSWER)) == ("completed", None)
        assert state.connections_opened == opened


@pytest.mark.parametrize("model", ["chat", "speech"])
async def test_a_short_rate_limit_is_waited_for(model: str):
    """One request per 0.8 s is allowed: rejected at first, then answered."""
    limits = (f"limit.{model}_rpm=1", "limit.window_s=0.8")
    async with open_harness(*limits) as harness, harness.connect() as wire:
        for _ in range(3):
            assert outcome(await wire.ask("What is two plus three?")) == ("completed", None)
            assert wire.audio()


async def test_a_slow_chat_model_and_a_voice_slower_than_real_time():
    sets = ("chat.tps=5", "chat.plain_tps=5", "chat.chunk_ms=200", "speech.factor=0.8")
    async with open_harness(*sets) as harness, harness.connect() as wire:
        done = await wire.ask("What is two plus three?")
        assert outcome(done) == ("completed", None)
        assert len(wire.audio(done["id"])) > 24_000
