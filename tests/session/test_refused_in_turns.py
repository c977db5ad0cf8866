"""What a client asks for in vain, or of another response, changes nothing about turns; in virtual time."""

import asyncio
from typing import Any

import pytest

from realtime.core.turn import Phase
from realtime.tools import Toolbox
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber, call

SENTENCE = "Every day it ran along the beach. "
STORY = [(0.1, SENTENCE * 9)]
BESIDE = {"conversation": "none", "output_modalities": ["text"], "input": []}


def message(**fields) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}], **fields}


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("response.cancel", {"response_id": "resp_other"}),
    ("response.create", {"response": {"input": [{"type": "item_reference", "id": "nope"}]}}),
    ("conversation.item.create", {"item": message(id="question")}),
    ("conversation.item.create", {"item": message(), "previous_item_id": "nope"}),
    (
        "conversation.item.create",
        {"item": {"type": "function_call_output", "call_id": "nope", "output": "4"}},
    ),
    ("conversation.item.delete", {"item_id": "nope"}),
    ("conversation.item.retrieve", {"item_id": "nope"}),
    ("conversation.item.truncate", {"item_id": "nope", "content_index": 0, "audio_end_ms": 100}),
    ("conversation.item.truncate", {"item_id": "question", "content_index": 0, "audio_end_ms": 100}),
    ("output_audio_buffer.clear", {}),
    (
        "session.update",
        {"session": {"type": "realtime", "audio": {"input": {"turn_detection": {"type": "nope"}}}}},
    ),
]


def talk_of(*, delay_s: float = 1.5, text: str = "", **options) -> Talk:
    options.setdefault("chat", FakeChat([STORY, [(0.1, "Because.")]]))
    reads = FakeTranscriber([text] * 9, interim=False, delay_s=delay_s)
    return Talk(speech=FakeSpeech(factor=3.0), transcriber=reads, **options)


async def begin(talk: Talk) -> None:
    await talk.send("conversation.item.create", item=message(id="question"))
    await talk.send("response.create")
    await talk.until("response.output_audio.delta")
    await talk.silence(0.6)


def state(talk: Talk):
    """All that decides about turns."""
    session = talk.session
    return session._turns._turn, session.responses.stop_comes_late, session._answering.waits, session.replying


async def refuse_all(talk: Talk, phase: Phase) -> None:
    assert talk.session._turns.phase is phase
    for type, fields in REFUSED:
        before, errors = state(talk), len(talk.of("error"))
        await talk.send(type, **fields)
        assert state(talk) == before, (phase, type, fields)
        # A cancel may have crossed the end of a reply
        assert len(talk.of("error")) == errors + 1 or type == "response.cancel", (phase, type, fields)


@scripted
async def test_an_event_that_is_refused_changes_nothing_in_any_phase():
    async with talk_of() as talk:
        await begin(talk)
        await refuse_all(talk, Phase.SILENT)
        await talk.speak(0.4)
        await refuse_all(talk, Phase.TENTATIVE)
        await talk.silence(0.7)
        await refuse_all(talk, Phase.JUDGING)
        await talk.silence(2.0)
        await talk.speak(1.6)
        await refuse_all(talk, Phase.SPEAKING)
        await talk.silence(0.7)
        await refuse_all(talk, Phase.CONFIRMING)
        await talk.silence(3.0)
        await asyncio.sleep(30)
        assert [event["response"]["status"] for event in talk.of("response.done")] == [
            "cancelled",
            "completed",
        ]


async def stopped_by_a_noise(talk: Talk, length_s: float) -> str:
    """Its text is not known yet. Returns the id of the answer."""
    await begin(talk)
    await talk.speak(length_s)
    await talk.silence(0.7)
    assert talk.session.stopped is not None
    return talk.of("response.created")[0]["response"]["id"]


async def statuses(talk: Talk) -> list[str]:
    """Of the responses in the conversation."""
    await talk.silence(3.0)
    await asyncio.sleep(30)
    done = [event["response"] for event in talk.of("response.done")]
    return [each["status"] for each in done if each["conversation_id"]]


@pytest.mark.parametrize("length_s", [1.3, 2.5])
@pytest.mark.parametrize("named", [False, True])
def test_a_cancel_of_what_a_noise_has_stopped_ends_its_rest_and_is_no_error(length_s, named):
    @scripted
    async def cancel():
        async with talk_of() as talk:
            answer_id = await stopped_by_a_noise(talk, length_s)
            await talk.send("response.cancel", **({"response_id": answer_id} if named else {}))
            assert await statuses(talk) == ["cancelled"]
            assert talk.of("error") == []

    cancel()


@pytest.mark.parametrize("length_s", [1.3, 2.5])
@pytest.mark.parametrize("other", ["beside", "unknown"])
def test_a_cancel_of_another_response_leaves_it_its_rest(length_s, other):
    @scripted
    async def cancel():
        chat = FakeChat([STORY, [(2.0, "Beside.")]])
        async with talk_of(chat=chat) as talk:
            await stopped_by_a_noise(talk, length_s)
            named = "resp_other"
            if other == "beside":
                await talk.send("response.create", response=BESIDE)
                named = talk.of("response.created")[-1]["response"]["id"]
            await talk.send("response.cancel", response_id=named)
            assert await statuses(talk) == ["cancelled", "completed"]

    cancel()


@scripted
async def test_what_a_tool_of_the_server_gave_is_told_after_a_cancel_of_another_response():
    async def get_weather() -> str:
        """The weather."""
        await asyncio.sleep(3.0)
        return "Rain."

    chat = FakeChat([[(0.1, "One moment. "), (0.0, call("get_weather", "{}"))], [(0.1, "It rains.")]])
    async with talk_of(chat=chat, server_tools=Toolbox([get_weather])) as talk:
        await stopped_by_a_noise(talk, 1.3)
        await talk.send("response.cancel", response_id="resp_other")
        await statuses(talk)
        assert len(talk.chat.requests) == 2


@scripted
async def test_a_response_that_is_refused_does_not_change_what_a_cancel_means():
    """A short word is answered at once; the client asks for an answer to it as well, and cancels the one that it knows."""
    async with talk_of(text="What?", delay_s=0.9) as talk:
        await begin(talk)
        await talk.speak(0.4)
        while len(talk.of("response.created")) < 2:
            await talk.silence(0.02)
        assert talk.session.responses.stop_comes_late
        await talk.send("response.create")
        assert [event["error"]["code"] for event in talk.of("error")] == [
            "conversation_already_has_active_response"
        ]
        await talk.send("response.cancel")
        assert await statuses(talk) == ["cancelled", "completed"]


@pytest.mark.parametrize("number", [None, 0, 1])
def test_the_rest_of_what_a_noise_has_stopped_ends_by_the_id_of_each_answer_that_still_sounded(number):
    @scripted
    async def cancel():
        chat = FakeChat([[(0.1, SENTENCE * 3)], [(0.1, SENTENCE * 3)], [(0.1, "Because.")]])
        async with talk_of(chat=chat) as talk:
            for count in (1, 2):
                await talk.send("response.create")
                await talk.until("response.done", count)
            await talk.speak(1.3)
            await talk.silence(0.7)
            assert talk.session.stopped is not None
            if number is not None:
                named = talk.of("response.created")[number]["response"]["id"]
                await talk.send("response.cancel", response_id=named)
            assert await statuses(talk) == [
                "completed",
                "completed",
                *(["completed"] if number is None else []),
            ]

    cancel()
