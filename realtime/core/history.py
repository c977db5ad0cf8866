"""What a chat model is shown of a conversation: messages, calls with their results, within a budget of characters.

Pure: items in, messages out. Leaves out what nobody said or heard: speech that turned out to be noise, replies
cut before their first word, pictures for a model that cannot see.

A result stands with its call, as chat models want it, unless the model has spoken in between: that was said without the
result. It stands where it came then, with its call once more, and the model is asked about it.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, count

import msgspec

from realtime.core.cut_messages import Group
from realtime.core.cut_text import size_of
from realtime.core.fitting import MAX_CHARACTERS, WHOLE, Budget, ContextOverflow, fit
from realtime.core.items import (
    FunctionCall,
    FunctionCallOutput,
    Image,
    InputSpeech,
    Item,
    Message,
    OutputSpeech,
    Text,
    outputs_of_calls,
    says_something,
)
from realtime.core.messages import ChatMessage, ToolCall
from realtime.core.shown_from import ShownFrom

__all__ = ["MAX_CHARACTERS", "NO_RESULT", "WHOLE", "Budget", "ContextOverflow", "history"]

NO_RESULT = "no result yet"


def history(
    items: Sequence[Item],
    instructions: str = "",
    *,
    sees_images: bool = False,
    budget: Budget = WHOLE,
    reasoning: Mapping[str, object] | None = None,
    shown: ShownFrom | None = None,
) -> tuple[ChatMessage, ...]:
    """The messages for a chat request, oldest first. Raises ContextOverflow if nothing may be dropped.

    `shown`: what was left out before stays out, and is told where something more has to be.
    """
    found = list(_groups(items, sees_images, reasoning or {}))
    places = [place for place, _ in found]
    first = 0 if shown is None else bisect_left(places, shown.place(items))
    fitted = fit([group for _, group in found], budget, size_of(instructions), first)
    if shown is not None and fitted.first != first:
        shown.moves_to(items[places[fitted.first]])
    system = [ChatMessage("system", instructions)] if instructions else []
    return tuple(system + [message for group in fitted.groups for message in group])


def _groups(
    items: Sequence[Item], sees_images: bool, reasoning: Mapping[str, object]
) -> Iterable[tuple[int, Group]]:
    """Messages that stay or go together: a message alone, calls with their results. And the place of the first item."""
    results = _results(items)
    last_user = next((n for n in reversed(range(len(items))) if says_something(items[n])), -1)
    position = 0
    while position < len(items):
        item, place = items[position], position
        position += 1
        match item:
            case Message():
                message = _message(item, sees_images)
                calls, position = _calls_from(items, position) if item.role == "assistant" else ({}, position)
                if calls:
                    yield place, _call_group(calls, results.outputs, message, position > last_user, reasoning)
                elif message is not None:
                    yield place, [message]
            case FunctionCall():
                calls, position = _calls_from(items, place)
                if calls:
                    yield place, _call_group(calls, results.outputs, None, position > last_user, reasoning)
            case FunctionCallOutput(output=output):
                if place in results.late:  # else it is shown with its call
                    yield place, _call_group({place: results.late[place]}, {place: output}, None, False, {})


@dataclass(frozen=True, slots=True)
class _Results:
    """`outputs`: what came of each call before the model spoke again, by the call's place.

    `late`: the calls of the other outputs, by the output's place. Each has an id of its own: it is shown once more.
    """

    outputs: dict[int, str] = field(default_factory=dict)
    late: dict[int, FunctionCall] = field(default_factory=dict)


def _results(items: Sequence[Item]) -> _Results:
    """Of outputs of one call between which the model said nothing, the last one counts."""
    results = _Results()
    if not (found := outputs_of_calls(items)):
        return results
    spoken = list(accumulate(_is_said(item) for item in items))
    for call, places in found.items():
        for said, place in {spoken[max(call, place)]: place for place in places}.items():
            output, late = items[place], items[call]
            assert isinstance(output, FunctionCallOutput)
            assert isinstance(late, FunctionCall)
            if said == spoken[call]:
                results.outputs[call] = output.output
            elif late.status == "completed":
                results.late[place] = late
    _name_anew(results.late, {item.call_id for item in items if isinstance(item, FunctionCall)})
    return results


def _name_anew(late: dict[int, FunctionCall], taken: set[str]) -> None:
    """Give each of these calls an id that no other call has, and the same one in each request."""
    numbers: defaultdict[str, count[int]] = defaultdict(
        lambda: count(2)
    )  # a call may have hundreds of outputs
    for place in sorted(late):
        call = late[place]
        names = (f"{call.call_id}_{number}" for number in numbers[call.call_id])
        call_id = next(name for name in names if name not in taken)
        taken.add(call_id)
        late[place] = replace(call, call_id=call_id)


def _is_said(item: Item) -> bool:
    """Whether it is something that the model has said, and not a reply that was cut before its first word."""
    return isinstance(item, Message) and item.role == "assistant" and _message(item, False) is not None


def _calls_from(items: Sequence[Item], position: int) -> tuple[dict[int, FunctionCall], int]:
    """The run of finished calls from here, by place. A result ends it: what is called after it is the next step."""
    calls: dict[int, FunctionCall] = {}
    while position < len(items) and isinstance(items[position], FunctionCall):
        call = items[position]
        assert isinstance(call, FunctionCall)
        if call.status == "completed":
            calls[position] = call
        position += 1
    return calls, position


def _call_group(
    calls: Mapping[int, FunctionCall],
    outputs: Mapping[int, str],
    said: ChatMessage | None,
    in_open_loop: bool,
    reasoning: Mapping[str, object],
) -> list[ChatMessage]:
    thought = (
        next((reasoning[call.id] for call in calls.values() if call.id in reasoning), None)
        if in_open_loop
        else None
    )
    asked = ChatMessage(
        "assistant",
        said.content if said is not None else "",
        tool_calls=tuple(
            ToolCall(call.call_id, call.name, _as_json(call.arguments)) for call in calls.values()
        ),
        reasoning=thought,
    )
    answers = [
        ChatMessage("tool", outputs.get(place, NO_RESULT), tool_call_id=call.call_id)
        for place, call in calls.items()
    ]
    return [asked, *answers]


def _as_json(arguments: str) -> str:
    """Arguments as a JSON text: a chat model refuses the whole conversation for one call without."""
    try:
        msgspec.json.decode(arguments)
    except (ValueError, RecursionError):  # what Python's own reader takes, as NaN, not every model does
        return json.dumps({"input": arguments} if arguments.strip() else {})
    return arguments


def _message(item: Message, sees_images: bool) -> ChatMessage | None:
    """One message, or None if there is nothing in it for the model."""
    texts: list[str] = []
    images: list[str] = []
    for part in item.parts:
        match part:
            case Text(text):
                texts.append(text)
            case InputSpeech(transcript) | OutputSpeech(transcript):
                texts.append(transcript or "")
            case Image(url) if sees_images:
                images.append(url)
    content = "\n".join(text for text in texts if text.strip())
    if not content and not images:
        return None
    return ChatMessage(item.role, content, images=tuple(images))
