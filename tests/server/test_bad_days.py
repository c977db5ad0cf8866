"""A bad day of the platform, seen by a client: the documented code, and the next turn of the same session works."""

import asyncio

import pytest

from tests.server.wire import House, Wire, eventually
from tests.server.wire import house as open_house

HASTY = {
    "chat_first_timeout_s": 1.0,
    "chat_gap_timeout_s": 1.0,
    "speech_timeout_s": 0.5,
    "budget_wait_s": 0.2,
}
ANSWER = "Count from one to nine."


def outcome(response: dict) -> tuple[str, str | None]:
    """Status and code (or reason) of a response."""
    details = response["status_details"] or {}
    return response["status"], details.get("error", {}).get("code") or details.get("reason")


async def lives(house: House, wire: Wire) -> None:
    """With the fault gone, the same session holds a spoken turn."""
    house.fault()
    done = await wire.ask("What is two plus three?")
    assert outcome(done) == ("completed", None), done
    assert "5" in done["output"][-1]["content"][0]["transcript"] or "five" in str(done["output"])
    assert len(wire.audio(done["id"])) > 24_000  # half a second
    assert not wire.of("error")


async def failing(house: House, wire: Wire, expected: tuple[str, str | None]) -> dict:
    done = await wire.ask(ANSWER)
    assert outcome(done) == expected, done["status_details"]
    if expected[0] == "failed":
        error = done["status_details"]["error"]
        assert len(error["message"].split()) > 3  # something a person can read
        assert "Bearer" not in error["message"]
    assert wire.types[-1] == "response.done"
    for item in done["output"]:
        assert item["status"] == ("completed" if expected[0] == "completed" else "incomplete")
    await lives(house, wire)
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
async def test_the_chat_model_fails(fault: str, status: str, code: str | None):
    async with open_house(**HASTY) as house, house.wire() as wire:
        house.fault(fault)
        await failing(house, wire, (status, code))


@pytest.mark.parametrize("fault", ["chat.error=1002", "chat.stall_mid", "chat.empty", "chat.only_thinking"])
async def test_the_chat_model_fails_in_a_written_turn(fault: str):
    async with open_house(**HASTY) as house, house.wire() as wire:
        house.fault(fault)
        done = await wire.ask(ANSWER, output_modalities=["text"])
        code = next(code for name, _, code in CHAT if name == fault)
        assert outcome(done) == ("failed", code)
        await lives(house, wire)


async def test_only_emoji_are_text_without_sound():
    async with open_house() as house, house.wire() as wire:
        house.fault("chat.only_emoji")
        done = await wire.ask(ANSWER)
        assert outcome(done) == ("completed", None)
        assert done["output"][0]["content"][0]["transcript"].strip()
        assert not wire.audio()
        await lives(house, wire)


async def test_what_was_said_before_the_failure_stays():
    async with open_house("chat.tps=50", "chat.chunk_ms=20", **HASTY) as house, house.wire() as wire:
        house.fault("chat.stall_mid")
        done = await wire.ask("Tell me a long story.")
        assert outcome(done) == ("failed", "upstream_timeout")
        item = done["output"][0]
        said = item["content"][0]["transcript"]
        assert said
        assert said == "".join(e["delta"] for e in wire.of("response.output_audio_transcript.delta"))
        assert (await wire.retrieve(item["id"]))["content"][0]["transcript"].strip() == said.strip()
        await lives(house, wire)


SPEECH_FINAL = [
    ("speech.error=1002", "rate_limit_exceeded"),  # no patience left to wait for it
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
async def test_the_voice_refuses_for_good(fault: str, code: str, socket: str):
    """Only the first connection is bad; asking another one would not be honest work but hope."""
    async with open_house(faults=fault, speech_socket=socket, **HASTY) as house, house.wire() as wire:
        await eventually(lambda: house.sandbox.state.connections_opened == 1)
        house.fault()
        await failing(house, wire, ("failed", code))


SPEECH_LASTING = [
    ("speech.error=1000", {("failed", "upstream_unavailable")}),
    ("speech.error=2064", {("failed", "upstream_unavailable")}),
    ("speech.stall", {("failed", "upstream_timeout")}),
    ("speech.start_error=1008", {("failed", "insufficient_quota")}),
    ("speech.start_error=1000", {("completed", None)}),  # HTTP has no start
    ("speech.drop_at=connect", {("completed", None)}),
    ("speech.drop_at=connected", {("completed", None)}),
    ("speech.drop_at=start", {("completed", None)}),
    ("speech.drop_at=text", {("failed", "upstream_unavailable")}),
    ("speech.drop_at=mid", {("completed", None), ("failed", "upstream_unavailable")}),
    ("speech.drop_at=final", {("completed", None), ("failed", "upstream_unavailable")}),
    ("speech.drop_after=0", {("failed", "upstream_unavailable")}),
    ("speech.drop_after=2", {("completed", None), ("failed", "upstream_unavailable")}),
    ("speech.bad_hex", {("completed", None), ("failed", "upstream_unavailable")}),
    ("speech.empty_data", {("completed", None)}),
    ("speech.no_event", {("completed", None)}),
    ("speech.no_finished", {("completed", None)}),
    ("speech.trace_in_base_resp", {("completed", None)}),
    ("speech.split_words", {("completed", None)}),
]


@pytest.mark.parametrize(
    ("fault", "expected", "socket"),
    [(*row, "ordinary") for row in SPEECH_LASTING]
    + [(*row, "bidi") for row in SPEECH_LASTING if row[0].startswith(("speech.stall", "speech.drop"))],
    ids=str,
)
async def test_the_voice_fails_as_long_as_the_turn_lasts(fault: str, expected: set, socket: str):
    async with open_house(faults=fault, speech_socket=socket, **HASTY) as house, house.wire() as wire:
        done = await wire.ask(ANSWER)
        assert outcome(done) in expected, done["status_details"]
        if done["status"] == "completed":
            said = done["output"][0]["content"][0]["transcript"]
            assert "nine" in said or "9" in said
            assert len(wire.audio()) > 48_000
        await lives(house, wire)


@pytest.mark.parametrize("moment", ["connected", "start", "text", "mid", "final"])
@pytest.mark.parametrize("socket", ["ordinary", "bidi"])
async def test_one_lost_connection_is_never_noticed(moment: str, socket: str):
    """The warm connection dies at this moment; the reply is complete, and as long as it should be."""
    async with open_house(speech_socket=socket) as house, house.wire() as wire:
        whole = await wire.ask(ANSWER)
        length = len(wire.audio(whole["id"]))
    fault = f"speech.drop_at={moment}"
    async with open_house(faults=fault, speech_socket=socket) as house, house.wire() as wire:
        await eventually(lambda: house.sandbox.state.connections_opened >= 1)
        house.fault()
        done = await wire.ask(ANSWER)
        assert outcome(done) == ("completed", None), done["status_details"]
        assert done["output"][0]["content"] == whole["output"][0]["content"]
        assert abs(len(wire.audio(done["id"])) - length) < 0.35 * length
        await lives(house, wire)


async def test_an_idle_voice_socket_that_the_platform_closed_is_never_noticed():
    async with open_house("speech.idle_s=0.15") as house, house.wire() as wire:
        await lives(house, wire)
        for _ in range(2):
            await eventually(lambda: house.sandbox.state.connections_open == 0)
            await lives(house, wire)


async def test_more_conversations_than_the_account_has_sockets():
    async with (
        open_house("limit.connections=1") as house,
        house.wire() as one,
        house.wire() as two,
        house.wire() as three,
    ):
        answers = await asyncio.gather(*(wire.ask(ANSWER) for wire in (one, two, three)))
        assert [outcome(done) for done in answers] == [("completed", None)] * 3
        await lives(house, one)


async def test_a_voice_nobody_has_is_an_invalid_voice():
    async with open_house() as house, house.wire() as wire:
        await wire.send("session.update", session={"audio": {"output": {"voice": "Nobody_At_All"}}})
        assert outcome(await wire.ask(ANSWER)) == ("failed", "invalid_voice")
        await wire.send("session.update", session={"audio": {"output": {"voice": None}}})
        await lives(house, wire)


async def test_a_platform_that_is_away_and_comes_back():
    async with open_house(**HASTY) as house, house.wire() as wire:
        port = int(house.sandbox.url.rsplit(":", 1)[1])
        # A listener of asyncio that is closed while it lets somebody in leaves that socket open (until Python 3.12).
        await eventually(
            lambda: house.sandbox.state.connections_open and house.sandbox.state.http_connections_opened
        )
        await house.sandbox.stop()
        assert outcome(await wire.ask(ANSWER)) == ("failed", "upstream_unavailable")
        house.sandbox._port = port
        await house.sandbox.start()
        await lives(house, wire)


async def test_a_long_thought_is_not_silence_for_ever():
    """Neither sound nor text for the patience of a turn: `upstream_timeout`."""
    async with open_house(silent_turn_timeout_s=1.0) as house, house.wire() as wire:
        house.fault("chat.stall")
        assert outcome(await wire.ask(ANSWER)) == ("failed", "upstream_timeout")
        await lives(house, wire)


async def test_a_new_voice_and_format_between_turns_open_nothing_in_the_next_turn():
    """Two clients with voices of their own; one of them moves to another voice and to G.711."""
    async with open_house() as house, house.wire() as one, house.wire() as two:
        state = house.sandbox.state
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
async def test_a_rate_limit_that_passes_within_our_patience_is_never_noticed(model: str):
    """One request in 0.8 s: refused at first, then answered."""
    limits = (f"limit.{model}_rpm=1", "limit.window_s=0.8")
    async with open_house(*limits) as house, house.wire() as wire:
        for _ in range(3):
            assert outcome(await wire.ask("What is two plus three?")) == ("completed", None)
            assert wire.audio()


async def test_chat_at_five_tokens_a_second_and_a_voice_slower_than_speech():
    sets = ("chat.tps=5", "chat.plain_tps=5", "chat.chunk_ms=200", "speech.factor=0.8")
    async with open_house(*sets) as house, house.wire() as wire:
        done = await wire.ask("What is two plus three?")
        assert outcome(done) == ("completed", None)
        assert len(wire.audio(done["id"])) > 24_000
