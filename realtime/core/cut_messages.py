"""Cuts the texts of messages that must stay although they are too long, and says so in them.

The longest texts are cut, all to the same length, and none to less than MIN_TEXT. Where that does not help, of earlier
steps only a note stays, the oldest first: that something was called, and how much is missing. Where that does not help
either, they go. The messages of the user and the newest group are never less than cut.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from realtime.core.cut_text import cut_bytes, left_out, size_of
from realtime.core.messages import ChatMessage, ToolCall

MIN_TEXT = 500  # a text is not cut to less
NOTE = 60  # what is not longer than this stays when nothing else does

Group = list[ChatMessage]
Measure = Callable[[Sequence[ChatMessage]], int]


def cut(groups: Sequence[Group], rooms: Sequence[tuple[Measure, int]]) -> list[Group]:
    """The same groups, as far as necessary to have room in each of these measures."""
    if all(sum(map(measure, groups)) <= room for measure, room in rooms):
        return list(groups)
    groups = _lighter(groups, rooms)
    sizes = sorted((size_of(text) for group in groups for text in _texts(group)), reverse=True)
    limits = [fair_limit(sizes, room - sum(map(measure, groups)) + sum(sizes)) for measure, room in rooms]
    limit = max(MIN_TEXT, min(limits))
    return [_cut_group(group, limit) for group in groups]


def _lighter(groups: Sequence[Group], rooms: Sequence[tuple[Measure, int]]) -> list[Group]:
    """With notes in place of earlier steps, or without these, until the rest has room at its shortest."""
    lighter = list(groups)
    steps = [place for place, group in enumerate(groups[:-1]) if group[0].role != "user"]
    for lighten in (_noted, _gone):
        excess = [sum(_least(measure, group) for group in lighter) - room for measure, room in rooms]
        for place in steps:
            if max(excess) <= 0:
                break
            before, lighter[place] = lighter[place], lighten(lighter[place])
            excess = [
                more - _least(measure, before) + _least(measure, lighter[place])
                for more, (measure, _) in zip(excess, rooms, strict=True)
            ]
    return [group for group in lighter if group]


def _noted(group: Group) -> Group:
    return [replace(message, reasoning=None) for message in _cut_group(group, NOTE)]


def _gone(group: Group) -> Group:
    return []


def _least(measure: Measure, group: Group) -> int:
    """What it takes when its texts are as short as they can be."""
    return measure(group) - sum(max(0, size_of(text) - MIN_TEXT) for text in _texts(group))


def fair_limit(sizes: Sequence[int], room: int) -> int:
    """The greatest length to which all longer texts have to be cut. `sizes` are sorted, the longest first."""
    left = room - sum(sizes)  # negative, or there is nothing to cut
    if left >= 0:
        return max(sizes, default=0)
    for count, length in enumerate(sizes, 1):
        left += length
        shorter = sizes[count] if count < len(sizes) else 0
        if left // count >= shorter:
            return max(0, left // count)
    return 0


def _texts(group: Group) -> list[str]:
    calls = [call.arguments for message in group for call in message.tool_calls]
    return [*(message.content for message in group), *calls]


def _cut_group(group: Group, limit: int) -> Group:
    return [_cut_message(message, limit) for message in group]


def _cut_message(message: ChatMessage, limit: int) -> ChatMessage:
    calls = tuple(_cut_call(call, limit) for call in message.tool_calls)
    return replace(message, content=cut_bytes(message.content, limit), tool_calls=calls)


def _cut_call(call: ToolCall, limit: int) -> ToolCall:
    """Arguments have to stay JSON, so they go as a whole."""
    if size_of(call.arguments) <= limit:
        return call
    return replace(call, arguments=json.dumps({"note": left_out(len(call.arguments))}))
