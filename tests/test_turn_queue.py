"""Turn events are handled one after the other, each with all that it causes, and never inside one another."""

import pytest

from realtime.core.turn import PlaybackEnded, ReplyBegan
from realtime.turn_queue import TurnQueue


def event(name: str) -> ReplyBegan:
    return ReplyBegan(name)


class Rules:
    """Handles events by a table: what each one causes."""

    def __init__(self, **causes: list[str]) -> None:
        self.causes, self.handled, self.depth = causes, [], 0
        self.queue = TurnQueue(self.handle)

    def handle(self, event: ReplyBegan) -> None:
        assert not self.depth, "an event was handled inside another one"
        self.depth += 1
        self.handled.append(event.response_id)
        for name in self.causes.get(event.response_id, ()):
            self.queue.put(ReplyBegan(name))
        self.depth -= 1


def test_an_event_is_handled_at_once():
    rules = Rules()
    rules.queue.put(event("a"))
    assert rules.handled == ["a"]


def test_what_an_event_causes_comes_before_what_waited_behind_it():
    rules = Rules(a=["a1", "a2"], a1=["a11"])
    with rules.queue:
        rules.queue.put(event("a"))
        rules.queue.put(event("b"))
        assert rules.handled == []
    assert rules.handled == ["a", "a1", "a11", "a2", "b"]


def test_blocks_may_be_nested():
    rules = Rules()
    with rules.queue:
        with rules.queue:
            rules.queue.put(event("a"))
        assert rules.handled == []
    assert rules.handled == ["a"]


def test_a_block_that_fails_loses_no_event():
    rules = Rules()

    def fail():
        with rules.queue:
            rules.queue.put(event("a"))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert rules.handled == ["a"]


def test_a_handler_that_fails_leaves_the_queue_usable():
    def fail(event):
        if isinstance(event, PlaybackEnded):
            raise KeyError
        handled.append(event)

    handled: list = []
    queue = TurnQueue(fail)

    def put_both():
        with queue:
            queue.put(PlaybackEnded("x"))
            queue.put(event("a"))

    with pytest.raises(KeyError):
        put_both()
    queue.put(event("b"))
    assert [each.response_id for each in handled] == ["a", "b"]
