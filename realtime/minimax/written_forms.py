"""Reads calls of tools out of text: the forms in which the platform's models and their relatives write them.

Knows the forms of docs/minimax/chat.md 4 ("Calls in the text") and turns them into names and arguments. Where a call
begins and ends in an answer is `written_calls`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from realtime.core.writable import writable
from realtime.minimax.call_assembler import Schemas
from realtime.minimax.json_text import decode_json, json_text_of
from realtime.minimax.typed_arguments import as_typed, is_schema, items_of, property_of, types_of
from realtime.minimax.written_json import json_values
from realtime.minimax.written_relatives import read_relatives, without_namespace

MARK = "]<]minimax[>["  # M3 puts it before every tag
_TAG_MARK = "\x00"  # stands for it while a block is read
_Q = "[\"'“”‘’]?"
_CALL = re.compile(
    rf"(?:\x00<?|<)(?P<tag>invoke|function)(?:\s+name\s*=\s*|\s*=\s*){_Q}(?P<name>[^\"'“”‘’<>/\s]+){_Q}[^<>]*?(?P<empty>/)?>"
)
_PARAMETER = re.compile(
    rf"\x00?<(?P<tag>parameter|param|argument|arg)(?:\s+name\s*=\s*|\s*=\s*)"
    rf"{_Q}(?P<name>[^\"'“”‘’<>/\s]+){_Q}(?P<more>[^<>]*)>"
)
_MARKS_IN_CALL = re.compile(
    r"<(?P<parameter>parameter|param|argument|arg)(?:\s+name\s*=|\s*=)[^<>]*>"
    r"|(?P<end>\x00?</(?:invoke|function)>)|(?P<next>(?:\x00<?|<)(?:invoke\s+name|function(?:\s+name)?)\s*=)"
)
_BROKEN_VALUE = re.compile(
    r"</(?:invoke|function)>\s*(?:\x00?<(?:invoke|function)|\x00?</(?:minimax:)?\w+_calls?>|$)"
)
_ELEMENT = re.compile(r"<(?P<name>[^\W\d][\w.-]*)>")
_MARKED_ELEMENT = re.compile(r"\x00<(?P<name>[^<>/\x00]+)>")
_BEGUN_TAG = re.compile(r"(?:\x00|</?[\w:]*)$")  # a tag that the end of the answer cut
_WRAPPER_END = re.compile(r"\x00?(?:</(?:minimax:)?(?:tool_call|function_call)s?>|\[/TOOL_CALLS?\])$")
_BRACKET = re.compile(r"\s*\[TOOL_CALLS?\]")  # it is no list of JSON
_CDATA = re.compile(r"\s*<!\[CDATA\[(.*)\]\]>\s*$", re.DOTALL)
# M3 leaves out the opening tag of an argument now and then, but not the mark before it.
_HEADLESS = re.compile(r"\x00(?!invoke)(?P<value>[^<\x00]+)\x00</(?P<name>[^<>\x00]+)>")
_FUNCTION = re.compile(r"functions\.(?P<name>[\w.-]+)\s*\(")
_TOKEN = re.compile(r"<\|tool_call_begin\|>\s*(?P<name>[\w.-]+)(?::\d+)?\s*<\|tool_call_argument_begin\|>")
_ARGS = re.compile(r"\s*(?P<name>[\w.-]+)\s*(?:\[CALL_ID\]\w+)?\s*(?:\[ARGS\])?\s*(?=\{)")
_ARROW = re.compile(rf"\{{\s*tool\s*=>\s*{_Q}(?P<name>[\w.-]+){_Q}(?:\s*,\s*args\s*=>\s*)?")
_OPTION = re.compile(
    r"--(?P<name>[\w-]+)[ \t=]+(?P<value>\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^\n]*?)(?=\s+--|\s*[}\n]|\s*$)"
)
_NAMED = re.compile(
    r"<(?P<tag>(?:tool_)?name)>(?P<name>[^<>]+)</(?P=tag)>(?P<rest>.*?)(?=<(?:tool_)?name>|$)", re.DOTALL
)
_NAMED_ARGUMENTS = re.compile(r"<(arguments|parameters|args|input)>(?P<value>.*?)(?:</\1>|$)", re.DOTALL)
_KEYED = re.compile(
    r"<tool_call>\s*(?P<name>[\w.-]+)\s*(?:<tool_sep>\s*)?(?P<rest>(?:<arg_key>|</tool_call>|$).*?)(?=<tool_call>|$)",
    re.DOTALL,
)
_KEY = re.compile(
    r"<arg_key>(?P<name>.*?)</arg_key>\s*<arg_value>(?P<value>.*?)(?:</arg_value>|$)", re.DOTALL
)
_LONGEST_END = 80  # characters
_NAME_KEYS = ("name", "tool_name", "tool", "function")
_ARGUMENT_KEYS = ("arguments", "parameters", "args", "input", "params")


@dataclass(frozen=True, slots=True)
class WrittenCall:
    """One call. `arguments` is JSON text. `whole`: its end was written too."""

    name: str
    arguments: str
    whole: bool = True


def read_calls(block: str, schemas: Schemas) -> list[WrittenCall]:
    """The calls in one block of text, in order, also of tools that are not among `schemas`."""
    text = _without_ends(without_namespace(block.replace(MARK, _TAG_MARK)), _WRAPPER_END)
    text = _BRACKET.sub("", text, count=1) if _BRACKET.match(text) else text
    text = _HEADLESS.sub("\x00<\\g<name>>\\g<value>\x00</\\g<name>>", text)
    for read in (_invokes, _tokens, _args, _functions, _arrows, _named, _keyed, _objects, _tool_tags):
        if calls := list(read(text, schemas)):
            return calls
    return [
        _call(name, _typed_again(values, schemas[name])) for name, values in read_relatives(text, schemas)
    ]


def _without_ends(text: str, ending: re.Pattern[str]) -> str:
    """The text without these endings and the blanks around them."""
    text = text.rstrip()
    # A search from the end: a pattern with "$" would try every place of a long text.
    while found := ending.search(text, max(0, len(text) - _LONGEST_END)):
        text = text[: found.start()].rstrip()
    return text


def _call(name: str, values: Any, *, whole: bool = True) -> WrittenCall:
    return WrittenCall(name.removeprefix("functions."), writable(json_text_of(values)), whole)


# -- <invoke name="…"> with parameters, tags or JSON in it; <function=…>


def _invokes(text: str, schemas: Schemas) -> Iterator[WrittenCall]:
    at = 0
    while opened := _CALL.search(text, at):
        body_end, at, closed = (
            (opened.end(), opened.end(), True) if opened["empty"] else _end_of_invoke(text, opened)
        )
        values, whole = _values(text[opened.end() : body_end], schemas.get(opened["name"], {}))
        yield _call(opened["name"], values, whole=closed or (whole and at < len(text)))


def _end_of_invoke(text: str, opened: re.Match[str]) -> tuple[int, int, bool]:
    """Where the body of a call ends and where the next call may begin; whether the end was written.

    What stands in the value of a parameter is no end, unless another call or nothing follows: then the value's own end
    is missing.
    """
    at = opened.end()
    while found := _MARKS_IN_CALL.search(text, at):
        at = found.end()
        if found["parameter"]:
            value_end = text.find(f"</{found['parameter']}>", at)
            broken = _BROKEN_VALUE.search(text, at, value_end if value_end >= 0 else len(text))
            at = broken.start() if broken else value_end if value_end >= 0 else len(text)
        elif found["end"]:
            return found.start(), found.end(), True
        elif found["next"]:
            return found.start(), found.start(), False
    return len(text), len(text), False


def _values(body: str, schema: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """The arguments of one call, and whether the last one was closed."""
    if found := list(_PARAMETER.finditer(body)):
        return _parameters(body, found, schema)
    bare = body.strip()
    if bare.startswith("{"):
        for value, _ in json_values(bare):
            return (_typed_again(value, schema), True) if isinstance(value, Mapping) else ({}, False)
    return _merged(_elements(body), schema, schema), True


def _parameters(
    body: str, opens: list[re.Match[str]], schema: Mapping[str, Any]
) -> tuple[dict[str, Any], bool]:
    pairs: list[tuple[str, str]] = []
    closed: re.Match[str] | None = None
    for place, opened in enumerate(opens):
        limit = opens[place + 1].start() if place + 1 < len(opens) else len(body)
        closed = re.compile(rf"\x00?</{opened['tag']}>").search(body, opened.end(), limit)
        value = body[opened.end() : closed.start() if closed else limit]
        pairs.append((opened["name"], value if closed else _without_ends(value, _BEGUN_TAG)))
    return _merged(pairs, schema, schema), closed is not None


def _elements(text: str) -> list[tuple[str, str]]:
    """The tags at the top of a text, with what they hold. Tags of M3 carry its mark, so plain ones are text there."""
    marked = _TAG_MARK in text
    pattern, mark = (_MARKED_ELEMENT, _TAG_MARK) if marked else (_ELEMENT, "")
    found: list[tuple[str, str]] = []
    at = 0
    while opened := pattern.search(text, at):
        open_tag, close_tag = f"{mark}<{opened['name']}>", f"{mark}</{opened['name']}>"
        end, depth = opened.end(), 1
        while depth:
            close, again = text.find(close_tag, end), text.find(open_tag, end)
            if close < 0:
                return [*found, (opened["name"], text[opened.end() :])]
            deeper = 0 <= again < close
            depth += 1 if deeper else -1
            end = again + len(open_tag) if deeper else close + len(close_tag)
        found.append((opened["name"], text[opened.end() : end - len(close_tag)]))
        at = end
    return found


def _merged(pairs: list[tuple[str, str]], schema: Any, root: Any) -> dict[str, Any]:
    """An object of these pairs. A name that comes several times is a list."""
    texts: dict[str, list[str]] = {}
    for name, text in pairs:
        texts.setdefault(name.strip(), []).append(text)
    return {
        name: _value_of(written, property_of(schema, name, root), root) for name, written in texts.items()
    }


def _value_of(texts: list[str], schema: Any, root: Any) -> Any:
    if len(texts) == 1:
        return _value(texts[0], schema, root)
    item = items_of(schema, root) if "array" in types_of(schema, root) else schema
    return [_value(text, item, root) for text in texts]


def _value(text: str, schema: Any, root: Any) -> Any:
    """What one tag holds: a text, or tags again where the schema or M3's mark says so."""
    kinds = types_of(schema, root)
    nested = _TAG_MARK + "<" in text or ("string" not in kinds and text.lstrip().startswith("<"))
    if nested and (parts := _elements(text)):
        if "array" in kinds:
            return [_value(part, items_of(schema, root), root) for _, part in parts]
        return _merged(parts, schema, root)
    if data := _CDATA.match(text):
        text = data[1]
    return as_typed(text.replace(_TAG_MARK, ""), schema, root)


# -- JSON: one object a line, a list, or an object in the form of the API


def _objects(text: str, schemas: Schemas) -> Iterator[WrittenCall]:
    for item, whole in _named_objects(text):
        arguments, schema = _arguments_in(_inner(item)), schemas.get(_name_in(item), {})
        if not is_schema(arguments, schema):
            yield _call(_name_in(item), _typed_again(arguments, schema), whole=whole)


def shows_tools(text: str, schemas: Schemas) -> bool:
    """Whether the JSON in the text describes a tool, as an answer about the tools does, instead of calling it."""
    items = [item for item, _ in _named_objects(text)]
    return any(is_schema(_arguments_in(_inner(item)), schemas.get(_name_in(item), {})) for item in items)


def _named_objects(text: str) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """The objects that name a tool; False for one that lacks its end."""
    for value, whole in json_values(text):
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, Mapping) and _name_in(item):
                yield item, whole


def _inner(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return item["function"] if isinstance(item.get("function"), Mapping) else item


def _name_in(item: Mapping[str, Any]) -> str:
    source = _inner(item)
    return next((source[key] for key in _NAME_KEYS if isinstance(source.get(key), str)), "")


def _arguments_in(item: Mapping[str, Any]) -> Any:
    value: Any = next((item[key] for key in _ARGUMENT_KEYS if item.get(key) is not None), {})
    if isinstance(value, str):
        try:
            return decode_json(value)
        except msgspec.DecodeError:
            return {}
    return value


def _typed_again(values: Any, schema: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has types already; only a text where no text may be is read again."""
    if not isinstance(values, Mapping):
        return {}
    return {
        name: _retyped(value, property_of(schema, name, schema), schema) for name, value in values.items()
    }


def _retyped(value: Any, schema: Any, root: Any) -> Any:
    is_text = isinstance(value, str) and "string" not in types_of(schema, root)
    return as_typed(value, schema, root) if is_text else value


# -- the rest


def _functions(text: str, schemas: Schemas) -> Iterator[WrittenCall]:
    """`functions.NAME({…})`, the form of Text-01."""
    for found in _FUNCTION.finditer(text):
        yield call_with_json(found["name"], text[found.end() :], schemas)


def _tokens(text: str, schemas: Schemas) -> Iterator[WrittenCall]:
    """`<|tool_call_begin|>functions.NAME:0<|tool_call_argument_begin|>{…}`"""
    for found in _TOKEN.finditer(text):
        yield call_with_json(found["name"].removeprefix("functions."), text[found.end() :], schemas)


def _args(text: str, schemas: Schemas) -> Iterator[WrittenCall]:
    """`NAME[ARGS]{…}`, behind Mistral's mark."""
    if found := _ARGS.match(text):
        yield call_with_json(found["name"], text[found.end() :], schemas)


def call_with_json(name: str, text: str, schemas: Schemas) -> WrittenCall:
    """The call of this tool with the JSON object at the beginning of the text, or without arguments."""
    if text.lstrip().startswith("{"):
        for value, whole in json_values(text):
            return _call(name, _typed_again(value, schemas.get(name, {})), whole=whole)
    return _call(name, {}, whole=text.lstrip().startswith((")", "<")))


def _arrows(text: str, schemas: Schemas) -> Iterator[WrittenCall]:
    """`{tool => "NAME", args => { --key "value" }}`, seen from M2.5 and M2.7."""
    opens = list(_ARROW.finditer(text))
    for place, found in enumerate(opens):
        body = text[found.end() : opens[place + 1].start() if place + 1 < len(opens) else len(text)]
        schema = schemas.get(found["name"], {})
        options = [(option["name"], _unquoted(option["value"])) for option in _OPTION.finditer(body)]
        if options:
            yield _call(
                found["name"], _merged(options, schema, schema), whole=body.rstrip().endswith(("}", "]"))
            )
        else:
            yield call_with_json(found["name"], re.sub(r"([{,]\s*)(\w+)\s*:", r'\1"\2":', body), schemas)


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) < 2 or text[0] != text[-1] or text[0] not in "\"'":
        return text
    if text[0] == "'":
        return text[1:-1]
    try:
        return str(decode_json(text))
    except msgspec.DecodeError:
        return text[1:-1]


def _named(text: str, schemas: Schemas) -> Iterator[WrittenCall]:
    """`<tool_name>…</tool_name><parameters>{…}</parameters>`, also with `name` and `arguments`."""
    for found in _NAMED.finditer(text):
        name = found["name"].strip()
        holder = _NAMED_ARGUMENTS.search(found["rest"])
        held = holder["value"].strip() if holder else ""
        if held.startswith("{"):
            yield call_with_json(name, held, schemas)
        else:
            schema = schemas.get(name, {})
            yield _call(name, _merged(_elements(held), schema, schema))


def _keyed(text: str, schemas: Schemas) -> Iterator[WrittenCall]:
    """`<tool_call>NAME` with `<arg_key>` and `<arg_value>`; only for tools that are offered: the name has no mark."""
    for found in _KEYED.finditer(text):
        if (schema := schemas.get(found["name"])) is not None:
            pairs = [(pair["name"], pair["value"]) for pair in _KEY.finditer(found["rest"])]
            yield _call(found["name"], _merged(pairs, schema, schema))


def _tool_tags(text: str, schemas: Schemas) -> Iterator[WrittenCall]:
    """`<NAME><city>…</city></NAME>` in a wrapper, for tools that are offered."""
    for wrapper, held in _elements(text):
        for name, body in [(wrapper, held), *_elements(held)]:
            if (schema := schemas.get(name)) is not None:
                yield _call(name, _values(body, schema)[0], whole=f"</{name}>" in text)
