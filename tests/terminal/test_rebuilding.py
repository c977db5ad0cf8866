"""What a client tells a new session of the conversation that it had: the order, what was deleted, what was asked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from realtime_client.line import Line
from realtime_client.rebuilding import Rebuilding
from realtime_client.resuming import SentEvent

SESSION = {"id": "sess_1", "extensions": ["resume"]}


def message(name: str) -> dict[str, Any]:
    part = {"type": "input_text", "text": name}
    return {"id": name, "type": "message", "role": "user", "content": [part]}


def added(rebuilding: Rebuilding, name: str, previous: str | None) -> None:
    for kind in ("added", "done"):
        rebuilding.follow(
            {"type": f"conversation.item.{kind}", "item": message(name), "previous_item_id": previous}
        )


def ids(events: list[dict[str, Any]]) -> list[str]:
    return [event["item"]["id"] for event in events if event["type"] == "conversation.item.create"]


def test_items_stand_where_the_server_put_them():
    known = Rebuilding()
    for name, previous in (
        ("a", None),
        ("b", "a"),
        ("c", "b"),
        ("first", None),
        ("second", "first"),
        ("d", "c"),
    ):
        added(known, name, previous)
    added(known, "late", "unknown")
    assert ids(known.recreate(SESSION, (), ())) == ["first", "second", "a", "b", "c", "d", "late"]


def test_what_the_client_deleted_in_vain_is_not_built_again():
    known = Rebuilding()
    added(known, "a", None)
    added(known, "b", "a")
    unsent = [{"type": "conversation.item.delete", "item_id": "a"}]
    assert ids(known.recreate(SESSION, unsent, ())) == ["b"]


def test_an_answer_that_was_asked_for_is_asked_for_again_after_every_loss():
    async def nowhere(query: dict[str, Any]) -> Any:
        raise AssertionError

    line = Line(SimpleNamespace(session=SESSION), nowhere, rate=24_000)  # type: ignore[arg-type]
    line.keep({"type": "response.create"})
    for number in range(3):  # each new session is lost before it says anything more
        rest, _ = line._rebuilt({"type": "session.created", "session": {**SESSION, "id": f"sess_{number}"}})
        texts = [entry.text for entry in rest if isinstance(entry, SentEvent)]
        assert sum('"response.create"' in text for text in texts) == 1
