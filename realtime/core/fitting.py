"""Makes messages fit a budget: the oldest go first, and what is left and still too long is cut.

Messages stay or go in groups, so that a call is never without its results. The first system message, the last message
of the user, all calls after it and what follows it last always stay: without the results it has already, a model does
the work again. Their texts are cut if they alone are too long (`cut_messages.py`). Sizes are bytes of UTF-8: about 3.6
to a token of English, and not less than 2 in the scripts with many bytes a character.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from realtime.core.cut_messages import Group, Measure, cut
from realtime.core.cut_text import size_of, size_of_json
from realtime.core.messages import ChatMessage, Tool

MAX_CHARACTERS = 400_000  # about 100,000 tokens of English, half of the smallest usual context
CHARACTERS_PER_TOKEN = 2.5  # at least, so that a budget in tokens is kept
IMAGE_SIZE = 3_000  # about 1,000 tokens
IMAGE_DATA = 100  # bytes of a picture's data that count as one: requests have a size as well


class ContextOverflow(Exception):
    """The conversation is longer than the model's context and must not be shortened."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much of a conversation the model may see. `retention` is kept of the room for messages once it overflows.

    `body_bytes`: what a request may have in all, pictures with all their data; None: nobody knows.
    """

    characters: int = MAX_CHARACTERS
    retention: float = 1.0
    may_drop: bool = True
    body_bytes: int | None = None

    def rooms(self, spent: int) -> list[tuple[Measure, int]]:
        """What is left beside what is `spent` already, in each measure."""
        rooms: list[tuple[Measure, int]] = [(size, self.characters - spent)]
        return rooms if self.body_bytes is None else [*rooms, (body_size, self.body_bytes - spent)]


WHOLE = Budget()


@dataclass(frozen=True, slots=True)
class Fitted:
    """The groups that are shown. `first`: the place of the oldest, if some had to go; else that which was given."""

    groups: list[Group]
    first: int


def size(messages: Sequence[ChatMessage]) -> int:
    """How much of a budget these messages take."""
    return _text_size(messages) + sum(
        IMAGE_SIZE + len(url) // IMAGE_DATA for message in messages for url in message.images
    )


def body_size(messages: Sequence[ChatMessage]) -> int:
    """How many bytes they are in a request."""
    return _text_size(messages) + sum(len(url) for message in messages for url in message.images)


def _text_size(messages: Sequence[ChatMessage]) -> int:
    return sum(
        size_of(message.content)
        + size_of_json(message.reasoning)
        + sum(size_of(call.arguments) + len(call.name) for call in message.tool_calls)
        for message in messages
    )


def size_of_tools(tools: Sequence[Tool]) -> int:
    """They share the context with the messages: without them one client's many tools would shrink it for all."""
    return sum(len(tool.name) + len(tool.description or "") + size_of_json(tool.parameters) for tool in tools)


def shorten(messages: Sequence[ChatMessage], budget: Budget) -> tuple[ChatMessage, ...]:
    """The messages of a request within a smaller budget. Raises ContextOverflow if nothing may be dropped."""
    system = [*messages[:1]] if messages and messages[0].role == "system" else []
    kept = fit(grouped(messages[len(system) :]), budget, size(system)).groups
    return (*system, *(message for group in kept for message in group))


def grouped(messages: Sequence[ChatMessage]) -> list[Group]:
    """Messages that stay or go together: results belong to the calls before them."""
    groups: list[Group] = []
    for message in messages:
        if message.role == "tool" and groups:
            groups[-1].append(message)
        else:
            groups.append([message])
    return groups


def fit(groups: Sequence[Group], budget: Budget, spent: int, first: int = 0) -> Fitted:
    """The groups that fit beside what is `spent` already, oldest first: those from `first` on, if they do.

    Raises ContextOverflow if something would have to go that may not.
    """
    if not groups:
        return Fitted([], first)
    must = _must_stay(groups)
    shown = sorted(must.union(range(first, len(groups))))
    rooms = budget.rooms(spent)
    sizes = [{place: measure(groups[place]) for place in shown} for measure, _ in rooms]
    if all(sum(each.values()) <= room for each, (_, room) in zip(sizes, rooms, strict=True)):
        return Fitted([groups[place] for place in shown], first)
    if not budget.may_drop:
        raise ContextOverflow(
            f"The conversation has {spent + sum(sizes[0].values())} characters and the model is shown "
            f"{budget.characters}: delete items, or set truncation to 'auto'."
        )
    left = [
        room * budget.retention - sum(each[place] for place in must)
        for each, (_, room) in zip(sizes, rooms, strict=True)
    ]
    kept = set(must)
    for place in reversed([place for place in shown if place not in must]):
        left = [room - each[place] for room, each in zip(left, sizes, strict=True)]
        if min(left) < 0:
            break
        kept.add(place)
    return Fitted(cut([groups[place] for place in sorted(kept)], rooms), min(kept))


def _must_stay(groups: Sequence[Group]) -> set[int]:
    """The newest group, the user's last message, and all steps of the tool loop after it: what was called since, and
    what was said in between. Where the user has said nothing, the calls at the end."""
    newest = len(groups) - 1
    calls = [place for place, group in enumerate(groups) if group[0].tool_calls]
    users = [place for place, group in enumerate(groups) if group[0].role == "user"]
    if users:
        return {users[-1], *range(users[-1], max(calls, default=-1) + 1), newest}
    others = set(range(len(groups))).difference(calls)
    return {*range(max(others, default=-1) + 1, len(groups)), newest}
