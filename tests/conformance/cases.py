"""All conversations of the suite, and the steps that several of them use."""

from __future__ import annotations

from typing import Any

from tests.conformance.script import NON_EMPTY, Case, Expect, Keep, Mark, Send, Step

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
STORY = "Tell me a very long story about the sea."
TEXT_ONLY = {"output_modalities": ["text"]}


def update(**session: Any) -> Send:
    return Send("session.update", {"session": {"type": "realtime", **session}})


def updated(**pattern: Any) -> Expect:
    return Expect("session.updated", {"session": pattern})


def configure(**session: Any) -> tuple[Step, ...]:
    return update(**session), Expect("session.updated")


def message(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}], **more}


def create(item: Any, **more: Any) -> Send:
    return Send("conversation.item.create", {"item": item, **more})


def say(text: str, name: str = "user") -> tuple[Step, ...]:
    """Create a user item; its id is kept under `name`."""
    return create(message(text)), Expect("conversation.item.added", {"item": {"id": Keep(name, NON_EMPTY)}})


def respond(**response: Any) -> Send:
    return Send("response.create", {"response": response} if response else {})


def refused(code: str, **more: Any) -> Expect:
    """An `error` with this code."""
    return Expect("error", {"error": {"type": "invalid_request_error", "code": code, **more}})


def done(status: str = "completed", **more: Any) -> Expect:
    return Expect("response.done", {"response": {"status": status, **more}})


def still_works(question: str = "What is 2 plus 3?") -> tuple[Step, ...]:
    """The session answers another turn."""
    return Mark(), create(message(question)), respond(**TEXT_ONLY), done()


def all_cases() -> tuple[Case, ...]:
    from tests.conformance import cases_errors, cases_items, cases_session, cases_turns, cases_voice

    modules = (cases_session, cases_turns, cases_items, cases_voice, cases_errors)
    cases = tuple(case for module in modules for case in module.CASES)
    assert len({case.name for case in cases}) == len(cases), "two cases with the same name"
    return cases
