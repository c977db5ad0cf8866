"""Turns that a page ends by hand (`turn_detection: null`), and sessions that are lost: what a new session is sent, and when."""

from __future__ import annotations

from typing import Any

import pytest

# A client that sends audio and ends turns, without a socket. `rebuilt` and `told` give what is sent: audio in ms, and types.
RUN = """async (script) => {
    const { Resuming } = await import("/sdk/resuming.js");
    const log = new Resuming({ rate: 1000 }), results = [], sent = [];
    const session = (id, input = { turn_detection: null }) => ({ id, extensions: ["resume"], audio: { input } });
    let seq = 0;
    const note = (each) => {
        if (typeof each === "string") sent.push(JSON.parse(each).type);
        else if (typeof sent.at(-1) === "number") sent[sent.length - 1] += each.length;
        else sent.push(each.length);
    };
    const verbs = {
        begin: (id, input) => log.begin(session(id, input)),
        release: () => { log.release().forEach(note); },
        speak: (ms) => {
            for (let at = 0; at < ms; at += 20) {
                const pcm = new Int16Array(Math.min(20, ms - at));
                if (log.audio(pcm)) note(pcm);
            }
        },
        send: (type, event_id) => {
            const event = { type, ...(event_id ? { event_id } : {}) };
            if (!log.holds(event)) note(JSON.stringify(log.event(event)));
        },
        server: (event) => { log.isNew(++seq); log.follow(event); },
        hold: () => log.hold(),
        ended: () => log.ended(),
        sent: () => sent.splice(0),
        asksLater: () => log.asksLater,
        many: (count, late) => {
            for (let i = 0; i < count; i++) log.event({ type: "conversation.item.delete", item_id: "x".repeat(9) }, true, late);
            for (let i = 0; i < count; i++) log.event({ type: "output_audio_buffer.played" }, false, late);
        },
        hasRoom: () => log.hasRoom,
        resumed: (ms, id) => { log.resumed({ input_audio_ms: ms, last_event_id: id }).forEach(note); },
    };
    for (const [verb, ...args] of script) {
        const result = verbs[verb](...args);
        if (result !== undefined) results.push(result);
    }
    return results;
}"""
COMMIT, CLEAR, ASK, UPDATE = (
    "input_audio_buffer.commit",
    "input_audio_buffer.clear",
    "response.create",
    "session.update",
)
Step = list[Any]
BEGUN: list[Step] = [["begin", "sess_1"], ["release"]]
END: list[Step] = [["send", COMMIT, "c1"], ["send", ASK]]
COMMITTED: Step = ["server", {"type": "input_audio_buffer.committed", "item_id": "item_1"}]
WRITTEN: Step = [
    "server",
    {"type": "conversation.item.input_audio_transcription.completed", "item_id": "item_1"},
]
REFUSED: Step = ["server", {"type": "error", "error": {"event_id": "c1"}}]
ANSWERED: Step = ["server", {"type": "response.output_item.added"}]
UNWRITTEN = {"turn_detection": None, "transcription": None}


async def rebuilt(page: Any, *steps: Step, times: int = 1) -> list[Any]:
    """The ids of the items that are said again, and what the new session is sent of speech; the last time."""
    script: list[Step] = [*steps, ["sent"]]
    for number in range(times):
        script += [["begin", f"sess_{number + 2}"], ["send", UPDATE], ["sent"], ["release"], ["sent"]]
    results = await page.evaluate(RUN, script)
    return [results[-3], results[-1]]


@pytest.mark.parametrize("times", [1, 3])
async def test_a_turn_that_nobody_has_confirmed_is_ended_again(page: Any, times: int) -> None:
    """Also if the new session is lost before it says anything."""
    assert await rebuilt(page, *BEGUN, ["speak", 5000], *END, times=times) == [[], [5000, COMMIT, ASK]]


async def test_a_turn_without_its_text_is_said_again(page: Any) -> None:
    steps: list[Step] = [*BEGUN, ["speak", 300], *END, COMMITTED, ["speak", 100]]
    assert await rebuilt(page, *steps) == [["item_1"], [300, COMMIT, ASK, 100]]


async def test_a_turn_with_its_text_is_not_said_again(page: Any) -> None:
    steps: list[Step] = [*BEGUN, ["speak", 300], *END, COMMITTED, WRITTEN, ["speak", 2000]]
    assert await rebuilt(page, *steps) == [[], [2000]]


async def test_what_was_cleared_is_not_said_again(page: Any) -> None:
    assert await rebuilt(page, *BEGUN, ["speak", 300], ["send", CLEAR], ["speak", 100]) == [[], [100]]


async def test_a_commit_that_was_refused_is_not_repeated(page: Any) -> None:
    """What it should have ended belongs to the turn that goes on."""
    steps: list[Step] = [
        *BEGUN, ["speak", 80], *END, REFUSED, ["speak", 100], ["send", COMMIT, "c2"], ["send", ASK],
    ]  # fmt: skip
    assert await rebuilt(page, *steps) == [[], [180, COMMIT, ASK]]


async def test_turns_whose_texts_are_never_told_are_not_said_again_once_they_are_answered(page: Any) -> None:
    steps: list[Step] = [
        ["begin", "sess_1", UNWRITTEN], ["release"], ["speak", 300], *END, COMMITTED, ANSWERED,
    ]  # fmt: skip
    assert await rebuilt(page, *steps) == [[], []]


async def test_the_end_of_a_turn_waits_as_long_as_its_speech(page: Any) -> None:
    """Before the session knows the conversation, audio, commit and question are held; other events are not."""
    script: list[Step] = [
        ["speak", 100], ["send", COMMIT], ["send", ASK], ["asksLater"], ["begin", "sess_1"], ["send", UPDATE], ["speak", 60],
        ["send", COMMIT], ["sent"], ["release"], ["sent"], ["asksLater"],
    ]  # fmt: skip
    assert await page.evaluate(RUN, script) == [True, [], [UPDATE], [100, COMMIT, ASK, 60, COMMIT], False]


async def test_a_session_that_is_resumed_before_it_was_ready_gets_what_was_held(page: Any) -> None:
    """What was said before it was told the conversation comes after the events that tell it."""
    script: list[Step] = [
        ["speak", 100], ["begin", "sess_1"], ["send", UPDATE, "u1"], ["sent"], ["speak", 40], ["resumed", 0, "u1"], ["sent"],
        ["release"], ["sent"],
    ]  # fmt: skip
    assert await page.evaluate(RUN, script) == [[], [UPDATE], [], [140]]


async def test_what_is_said_after_the_server_ended_the_session_follows_what_it_has_not_heard(
    page: Any,
) -> None:
    steps: list[Step] = [
        *BEGUN,
        ["speak", 300],
        ["ended"],
        ["hold"],
        ["speak", 50],
        ["send", COMMIT],
        ["send", ASK],
    ]
    assert await rebuilt(page, *steps) == [[], [350, COMMIT, ASK]]


async def test_only_what_was_sent_without_a_socket_takes_room(page: Any) -> None:
    """A long conversation whose line breaks takes what is said meanwhile; playback positions take no room."""
    script = [*BEGUN, ["many", 900, False], ["hasRoom"], ["many", 499, True], ["hasRoom"]]
    script += [["many", 1, True], ["hasRoom"], ["resumed", 0, None], ["hasRoom"]]
    assert await page.evaluate(RUN, script) == [[], True, True, False, True]
