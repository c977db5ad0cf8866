"""Assigns the fragments of tool calls to their calls, without I/O, for the streams of many services.

Knows what they send besides the standard: indexes that are missing, texts, or always 0; ids that are missing, repeated,
made anew for each fragment or used twice; names and whole arguments repeated; arguments as objects; calls interleaved;
the same call also written in the text (docs/minimax/chat.md 4).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from realtime.core.messages import ChatEvent, ToolCallDelta
from realtime.core.writable import writable
from realtime.minimax.damaged_text import ArgumentsText
from realtime.minimax.json_text import decode_json, digits, json_text_of

Schemas = Mapping[str, Mapping[str, Any]]  # of the arguments of each offered tool, by its name


def new_call_id() -> str:
    return f"call_{uuid.uuid4().hex[:24]}"


@dataclass(slots=True)
class _Call:
    ids: list[str] = field(default_factory=list)
    name: str = ""
    arguments: ArgumentsText = field(default_factory=ArgumentsText)
    unsent: str = ""
    index: int = -1  # of the announced call, -1 before
    done: bool = False


@dataclass(frozen=True, slots=True)
class _Fragment:
    index: int | None
    call_id: str
    name: str
    arguments: str


class ToolCallAssembler:
    """Calls come out one after the other: while one is open, fragments of later ones wait."""

    def __init__(
        self, limit: int | None, new_id: Callable[[], str] = new_call_id, *, schemas: Schemas | None = None
    ) -> None:
        self._limit = limit
        self._new_id = new_id
        self._schemas: Schemas = schemas or {}
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._announced = 0
        self._used_ids: set[str] = set()
        self._written: list[tuple[str, Any]] = []  # name and arguments of the calls that stood in the text

    @property
    def any(self) -> bool:
        return self._announced > 0

    def feed(self, delta: Mapping[str, Any]) -> list[ChatEvent]:
        """The events of one item of `tool_calls`."""
        fragment = _read(delta)
        call = self._call_of(fragment)
        if fragment.call_id and fragment.call_id not in call.ids:
            call.ids.append(fragment.call_id)
        call.name = self._longer_name(call, fragment) or call.name or fragment.name
        if not self._is_placeholder(call, fragment.arguments):
            call.unsent += call.arguments.feed(fragment.arguments)
        return self._flush()

    def add_written(self, name: str, arguments: str) -> list[ChatEvent]:
        """The events of a whole call that stood in the text. `arguments` is JSON text."""
        value = _value(arguments)
        if any(call.name == name and _value(call.arguments.text) == value for call in self._calls):
            return []
        self._written.append((name, value))
        return self._deltas(_Call(name=name, unsent=arguments), ended=False)

    def finish(self) -> list[ChatEvent]:
        """The rest of all calls. One without a single character of arguments still needs valid JSON."""
        for call in self._calls:
            call.unsent += call.arguments.finish()
        return self._flush(final=True)

    # -- whose fragment is it

    def _call_of(self, fragment: _Fragment) -> _Call:
        call = self._candidate(fragment)
        if call is None or self._begins(call, fragment):
            call = _Call()
            self._calls.append(call)
        if fragment.index is not None:
            self._by_index[fragment.index] = call
        return call

    def _candidate(self, fragment: _Fragment) -> _Call | None:
        if fragment.index is not None and fragment.index in self._by_index:
            return self._by_index[fragment.index]
        if fragment.call_id:
            known = next((call for call in self._calls if fragment.call_id in call.ids), None)
            if known is not None:
                return known
        anonymous = not fragment.call_id and not fragment.name
        return self._calls[-1] if self._calls and (fragment.index is None or anonymous) else None

    def _begins(self, call: _Call, fragment: _Fragment) -> bool:
        """Whether the fragment begins a new call although it looks like one of `call`."""
        begun = bool(call.arguments.text)
        other_id = bool(fragment.call_id and call.ids and fragment.call_id not in call.ids)
        if not fragment.name:
            return other_id and (call.arguments.complete or (fragment.index is None and not begun))
        if self._longer_name(call, fragment):
            return False
        if call.name and fragment.name != call.name:
            return call.arguments.complete or not (fragment.call_id and fragment.call_id in call.ids)
        if call.arguments.complete:
            return other_id or _differs(call.arguments.text, fragment.arguments)
        if fragment.index is None:
            return other_id
        return other_id and begun and fragment.arguments.lstrip().startswith("{")

    def _longer_name(self, call: _Call, fragment: _Fragment) -> str:
        """The name so far with this piece of it, for a service that cuts names too; empty if it is none."""
        joined = call.name + fragment.name
        fits = call.name and fragment.name and call.index < 0 and not call.arguments.text
        return joined if fits and any(name.startswith(joined) for name in self._schemas) else ""

    def _is_cut_name(self, call: _Call) -> bool:
        known = call.name in self._schemas or call.arguments.text
        return not known and any(name.startswith(call.name) for name in self._schemas)

    def _is_placeholder(self, call: _Call, arguments: str) -> bool:
        """Some services begin with `{}` and send the true arguments behind it."""
        required = self._schemas.get(call.name, {}).get("required")
        return bool(required) and not call.arguments.text and arguments.strip() == "{}"

    # -- what can go out

    def _flush(self, *, final: bool = False) -> list[ChatEvent]:
        events: list[ChatEvent] = []
        for call in self._calls:
            if call.done or (final and not call.name):
                continue
            ended = final or call.arguments.complete
            waits = self._may_be_written(call) or _is_quoted(call) or self._is_cut_name(call)
            if not call.name or (waits and not ended):
                break
            if ended and call.index < 0 and _is_quoted(call):
                call.unsent = _unquoted(call.unsent)
            if not self._is_written(call):
                events += self._deltas(call, ended)
            if not ended:
                break
            call.done = True
        return events

    def _may_be_written(self, call: _Call) -> bool:
        return any(name == call.name for name, _ in self._written)

    def _is_written(self, call: _Call) -> bool:
        return self._may_be_written(call) and (call.name, _value(call.arguments.text)) in self._written

    def _deltas(self, call: _Call, ended: bool) -> list[ChatEvent]:
        new, call.unsent = call.unsent, ""
        events: list[ChatEvent] = []
        if call.index < 0:
            if self._limit is not None and self._announced >= self._limit:
                return []
            call.index, self._announced = self._announced, self._announced + 1
            events.append(ToolCallDelta(call.index, self._id_of(call), call.name, new))
        elif new:
            events.append(ToolCallDelta(call.index, "", "", new))
        if ended and not call.arguments.text.strip():
            events.append(ToolCallDelta(call.index, "", "", "{}"))
        return events

    def _id_of(self, call: _Call) -> str:
        """Its own id; a new one where it has none or another call has the same."""
        own = call.ids[0] if call.ids else ""
        if not own or own in self._used_ids:
            own = self._new_id()
        self._used_ids.add(own)
        return own


def _read(delta: Mapping[str, Any]) -> _Fragment:
    function = delta.get("function")
    function = function if isinstance(function, Mapping) else delta  # some leave the inner object out
    index = delta.get("index")
    if isinstance(index, str):
        index = digits(index.strip())
    elif isinstance(index, float) and index.is_integer():
        index = int(index)
    arguments = function.get("arguments", function.get("input"))
    if isinstance(arguments, Mapping):
        arguments = json_text_of(arguments)
    return _Fragment(
        index=index if isinstance(index, int) and not isinstance(index, bool) else None,
        call_id=writable(str(delta.get("id") or "")),
        name=writable(str(function.get("name") or "")).strip(),
        arguments=arguments if isinstance(arguments, str) else "",
    )


def _value(arguments: str) -> Any:
    """The arguments as a value, to compare them; the text itself where it is no JSON."""
    try:
        return decode_json(arguments) if arguments.strip() else {}
    except msgspec.DecodeError:
        return arguments


def _is_quoted(call: _Call) -> bool:
    """Whether the arguments are a text of JSON with the JSON in it: encoded twice."""
    return call.arguments.text.lstrip().startswith('"')


def _unquoted(arguments: str) -> str:
    inner = _value(arguments)
    return inner if isinstance(inner, str) and isinstance(_value(inner), Mapping) else arguments


def _differs(one: str, other: str) -> bool:
    return bool(other.strip()) and _value(other) != _value(one)
