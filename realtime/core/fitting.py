"""Makes messages fit a budget: the oldest go first, and what is left and still too long is cut.

Messages stay or go in groups, so that a call is never without its results. The first system message, the last message
of the user and what follows the question last always stay; their texts are cut if they alone are too long. Sizes are
bytes of UTF-8: about 3.6 to a token of English, and not less than 2 in the scripts with many bytes a character.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from realtime.core.cut_text import cut_bytes, left_out, size_of
from realtime.core.messages import ChatMessage, ToolCall

MAX_CHARACTERS = 400_000  # about 100,000 tokens of English, half of the smallest usual context
CHARACTERS_PER_TOKEN = 2.5  # at least, so that a budget in tokens is kept
IMAGE_SIZE = 3_000  # about 1,000 tokens
IMAGE_DATA = 100  # bytes of a picture's data that count as one: requests have a size as well
MIN_TEXT = 500  # a text is not cut to less

Group = list[ChatMessage]


class ContextOverflow(Exception):
    """The conversation is longer than the model's context and must not be shortened."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much of a conversation the model may see. `retention` is kept of the budget once it overflows."""

    characters: int = MAX_CHARACTERS
    retention: float = 1.0
    may_drop: bool = True


WHOLE = Budget()


def size(messages: Sequence[ChatMessage]) -> int:
    """How much of a budget these messages take."""
    return sum(
        size_of(message.content)
        + sum(size_of(call.arguments) + len(call.name) for call in message.tool_calls)
        + sum(IMAGE_SIZE + len(url) // IMAGE_DATA for url in message.images)
        for message in messages
    )


def shorten(messages: Sequence[ChatMessage], budget: Budget) -> tuple[ChatMessage, ...]:
    """The messages of a request within a smaller budget. Raises ContextOverflow if nothing may be dropped."""
    system = [*messages[:1]] if messages and messages[0].role == "system" else []
    kept = fit(grouped(messages[len(system) :]), budget, size(system))
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


def fit(groups: Sequence[Group], budget: Budget, spent: int) -> list[Group]:
    """The groups that fit beside what is `spent` already, oldest first. Raises ContextOverflow."""
    sizes = [size(group) for group in groups]
    total = spent + sum(sizes)
    if total <= budget.characters or not groups:
        return list(groups)
    if not budget.may_drop:
        raise ContextOverflow(
            f"The conversation has {total} characters and the model is shown {budget.characters}: "
            "delete items, or set truncation to 'auto'."
        )
    must = _must_stay(groups)
    room = budget.characters * budget.retention - spent - sum(sizes[place] for place in must)
    kept = set(must)
    for place in reversed(range(len(groups))):
        if place in must:
            continue
        room -= sizes[place]
        if room < 0:
            break
        kept.add(place)
    return _cut([groups[place] for place in sorted(kept)], budget.characters - spent)


def _must_stay(groups: Sequence[Group]) -> set[int]:
    """The newest group, and that of the user's last message: without it the model knows no question."""
    users = [place for place, group in enumerate(groups) if group[0].role == "user"]
    return {len(groups) - 1, *users[-1:]}


def _cut(groups: list[Group], room: int) -> list[Group]:
    """The same groups, the longest texts cut until all have room, but none to less than MIN_TEXT."""
    total = sum(map(size, groups))
    if total <= room:
        return groups
    texts = sorted(
        (size_of(text) for group in groups for message in group for text in _texts(message)), reverse=True
    )
    fixed = total - sum(texts)
    limit = max(MIN_TEXT, fair_limit(texts, room - fixed))
    return [[_cut_message(message, limit) for message in group] for group in groups]


def fair_limit(sizes: Sequence[int], room: int) -> int:
    """The greatest length to which all longer texts have to be cut. `sizes` are sorted, the longest first."""
    left = room - sum(sizes)  # negative
    for count, length in enumerate(sizes, 1):
        left += length
        shorter = sizes[count] if count < len(sizes) else 0
        if left // count >= shorter:
            return max(0, left // count)
    return 0


def _texts(message: ChatMessage) -> list[str]:
    return [message.content, *(call.arguments for call in message.tool_calls)]


def _cut_message(message: ChatMessage, limit: int) -> ChatMessage:
    calls = tuple(_cut_call(call, limit) for call in message.tool_calls)
    return replace(message, content=cut_bytes(message.content, limit), tool_calls=calls)


def _cut_call(call: ToolCall, limit: int) -> ToolCall:
    """Arguments have to stay JSON, so they go as a whole."""
    if size_of(call.arguments) <= limit:
        return call
    return replace(call, arguments=json.dumps({"note": left_out(len(call.arguments))}))
