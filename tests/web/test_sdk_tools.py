"""Functions of the page that the model calls: `sdk/tools.js`, with a line that keeps what is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

# BODY is the script of a test; `tick` lets everything run that does not wait for a timer.
HELPERS = """async () => {
    const { Tools } = await import("/sdk/tools.js");
    const sent = [], reports = [], busy = [];
    const line = { open: true };
    const tools = new Tools({
        send: (event) => line.open && Boolean(sent.push(event)), report: (one) => reports.push(one),
        foreign: (name) => name === "page", busy: (on) => busy.push(on),
    });
    const tick = () => new Promise((resolve) => setTimeout(resolve, 0));
    const call = (name, given = "{}", call_id = "c1", response_id = "r1") => tools.handle({
        type: "response.function_call_arguments.done", name, call_id, response_id,
        arguments: typeof given === "string" ? given : JSON.stringify(given) });
    const done = (status = "completed", id = "r1") => tools.handle({ type: "response.done", response: { id, status } });
    const never = () => new Promise(() => {});
    const heard = (transcript) => tools.handle({
        type: "conversation.item.input_audio_transcription.completed", transcript });
    const made = await (async () => { BODY })();
    await tick();
    return { sent, reports, busy, made };
}"""


async def play(page: Any, body: str) -> dict[str, Any]:
    result: dict[str, Any] = await page.evaluate(HELPERS.replace("BODY", body))
    return result


def outputs(result: dict[str, Any]) -> dict[str, str]:
    items = [event["item"] for event in result["sent"] if event["type"] == "conversation.item.create"]
    assert len({item["call_id"] for item in items}) == len(items), "a call is answered once"
    return {item["call_id"]: item["output"] for item in items}


def asked(result: dict[str, Any]) -> int:
    return sum(event["type"] == "response.create" for event in result["sent"])


def error_of(result: dict[str, Any], call_id: str = "c1") -> str:
    error = json.loads(outputs(result)[call_id])["error"]
    assert isinstance(error, str)
    return error


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ('"plain"', "plain"),
        ("{ c: 4 }", '{"c":4}'),
        ("undefined", "null"),
        ("null", "null"),
        ("[1]", "[1]"),
        ("''", ""),
    ],
)
async def test_a_result_is_text_or_json(page: Any, value: str, told: str) -> None:
    result = await play(page, f"tools.add({{ name: 't', run: () => ({value}) }}); call('t'); done();")
    assert outputs(result) == {"c1": told}
    assert asked(result) == 1


async def test_the_answer_is_asked_for_once_all_calls_are_answered(page: Any) -> None:
    """Two calls, one of them late; the response ends before the second result."""
    result = await play(page, """
        let finish;
        tools.add({ name: 'fast', run: ({ n }) => n + 1 });
        tools.add({ name: 'slow', run: () => new Promise((resolve) => { finish = resolve; }) });
        call('fast', { n: 1 }, 'c1'); call('slow', {}, 'c2');
        await tick(); done(); await tick();
        const before = tools.running;
        finish('late'); await tick();
        return [before, tools.running];
    """)  # fmt: skip
    assert [event["type"] for event in result["sent"]] == ["conversation.item.create"] * 2 + [
        "response.create"
    ]
    assert outputs(result) == {"c1": "2", "c2": "late"}
    assert result["made"] == [True, False]
    assert result["reports"][0] == {"name": "fast", "call_id": "c1", "arguments": {"n": 1}, "result": 2}


async def test_no_answer_is_asked_for_before_the_response_is_done(page: Any) -> None:
    result = await play(page, "tools.add({ name: 't', run: () => 1 }); call('t');")
    assert (outputs(result), asked(result)) == ({"c1": "1"}, 0)


FAILURES = {
    "throws": ("() => { throw new Error('No such town.'); }", "{}", "No such town."),
    "rejects": ("async () => { throw 'gone'; }", "{}", "gone"),
    "throws nothing": ("() => { throw undefined; }", "{}", "undefined"),
    "throws what throws": ("() => { throw { get message() { throw 1; } }; }", "{}", "The tool failed."),
    "circular": ("() => { const a = {}; a.a = a; return a; }", "{}", "circular"),
    "no JSON": ("() => 1n", "{}", "BigInt"),
    "too large": ("() => 'x'.repeat(200001)", "{}", "too large"),
    "bad arguments": ("() => 1", '{"a"', "not valid JSON"),
    "no object": ("() => 1", "[1]", "JSON object"),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_a_failure_is_told_to_the_model(page: Any, name: str) -> None:
    """And the answer is asked for, so that the model can say it."""
    run, given, expected = FAILURES[name]
    result = await play(
        page, f"tools.add({{ name: 't', run: {run} }}); call('t', {json.dumps(given)}); done();"
    )
    assert expected in error_of(result)
    assert asked(result) == 1
    assert expected in result["reports"][0]["error"]


async def test_an_unknown_tool_is_an_error_for_the_model(page: Any) -> None:
    result = await play(page, "tools.add({ name: 't', run: () => 1 }); call('toString'); done();")
    assert '"toString"' in error_of(result)


async def test_calls_that_the_page_answers_itself_are_left_alone(page: Any) -> None:
    """Those of a tool in `session.tools`, and all of them if no function was added."""
    result = await play(page, "tools.add({ name: 't', run: () => 1 }); call('page'); done();")
    assert result["sent"] == []
    assert (await play(page, "call('other'); done();"))["sent"] == []


async def test_a_tool_that_never_ends_is_told(page: Any) -> None:
    """Its signal is aborted, and what it returns later is not sent."""
    result = await play(page, """
        let signal, finish;
        tools.add({ name: 't', timeout_ms: 1, run: (_, context) => {
            ({ signal } = context); return new Promise((resolve) => { finish = resolve; }); } });
        call('t'); done();
        await tick();
        await new Promise((resolve) => { if (signal.aborted) resolve(); else signal.onabort = resolve; });
        finish('late'); await tick();
        return signal.reason.message;
    """)  # fmt: skip
    assert "1 ms" in error_of(result)
    assert result["made"] == error_of(result)
    assert asked(result) == 1


async def test_a_removed_tool_ends_at_once(page: Any) -> None:
    """Removing it again, or after another has taken its name, removes nothing."""
    result = await play(page, """
        const remove = tools.add({ name: 't', run: never });
        call('t'); done(); await tick();
        remove();
        tools.add({ name: 't', run: () => 2 });
        remove();
        return tools.definitions.map(({ name }) => name);
    """)  # fmt: skip
    assert "removed" in error_of(result)
    assert result["made"] == ["t"]


async def test_an_interrupted_call_is_answered_and_nothing_is_asked_for(page: Any) -> None:
    """The function that heeds its signal says the result; the user's own turn asks for the answer."""
    result = await play(page, """
        tools.add({ name: 't', run: (_, { signal }) => new Promise((resolve) => {
            signal.onabort = () => resolve('half'); }) });
        call('t'); done(); await tick();
        tools.interrupt('speech'); await tick();
        heard('Stop.');
    """)  # fmt: skip
    assert outputs(result) == {"c1": "half"}
    assert asked(result) == 0


async def test_after_a_noise_the_answer_is_asked_for(page: Any) -> None:
    """Speech that had no words takes no answer away: not of a call that has ended, and not of one that runs."""
    run = "(_, { signal }) => new Promise((resolve) => { signal.onabort = () => resolve('half'); })"
    start = (
        f"tools.add({{ name: 't', run: {run} }}); call('t'); done(); await tick(); tools.interrupt('speech');"
    )
    assert asked(await play(page, f"{start} await tick(); heard(' ');")) == 1
    assert asked(await play(page, f"{start} heard(''); await tick();")) == 1
    answered = "tools.handle({ type: 'response.created', response: { id: 'r2' } });"
    assert asked(await play(page, f"{start} await tick(); {answered} heard(' ');")) == 0


@pytest.mark.parametrize("end", ["tools.abandon()", "tools.handle({ type: 'session.created' })"])
async def test_nothing_reaches_another_session(page: Any, end: str) -> None:
    """Neither a result, nor an answer that waited for the line."""
    result = await play(page, f"""
        let finish, signal;
        tools.add({{ name: 't', run: (_, context) => {{
            ({{ signal }} = context); return new Promise((resolve) => {{ finish = resolve; }}); }} }});
        tools.add({{ name: 'fast', run: () => 1 }});
        line.open = false;
        call('t'); call('fast', {{}}, 'c2'); done(); await tick();
        {end};
        line.open = true;
        finish('late'); await tick();
        tools.handle({{ type: 'session.resumed' }});
        return [signal.aborted, tools.running];
    """)  # fmt: skip
    assert result["sent"] == []
    assert result["made"] == [True, False]


async def test_a_result_waits_for_the_same_session(page: Any) -> None:
    """A call that comes again after the line was down is not run again."""
    result = await play(page, """
        let runs = 0;
        tools.add({ name: 't', run: () => ++runs });
        call('t'); line.open = false; done(); await tick();
        const waiting = tools.running;
        line.open = true;
        tools.handle({ type: 'session.resumed' });
        call('t'); done(); await tick();
        return [waiting, tools.running, runs];
    """)  # fmt: skip
    assert outputs(result) == {"c1": "1"}
    assert asked(result) == 1
    assert result["made"] == [True, False, 1]


async def test_a_cancelled_response_is_not_asked_for_again(page: Any) -> None:
    result = await play(page, "tools.add({ name: 't', run: () => 1 }); call('t'); done('cancelled');")
    assert (outputs(result), asked(result), result["busy"]) == ({"c1": "1"}, 0, [True, False])


@pytest.mark.parametrize(
    "tool", ["{}", "{ name: 'a b', run() {} }", "{ name: 't' }", "null", "{ name: '', run() {} }"]
)
async def test_a_tool_that_no_server_takes_is_refused_at_once(page: Any, tool: str) -> None:
    result = await play(page, f"try {{ tools.add({tool}) }} catch (error) {{ return error.name }}")
    assert result["made"] == "TypeError"
