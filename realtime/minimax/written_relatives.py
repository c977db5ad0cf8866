"""Reads the calls of tools that relatives of the platform's models write as text: other vendors' chat templates.

Knows Python calls (Llama, Gemma, LFM2, OLMo), the channels of gpt-oss, the tokens of DeepSeek, `call:NAME{…}` of Gemma,
a name before a code block (Hunyuan) and a name as a key (Apertus). A name counts only if the tool was offered, because
none of these forms is marked as well as the platform's own (docs/minimax/chat.md 4, "Calls in the text").
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from realtime.minimax.call_assembler import Schemas
from realtime.minimax.json_text import decode_json

Named = tuple[str, Any]  # the name of a tool and its arguments as JSON values

_NAMESPACE = re.compile(r"<(/?)(?:antml:|steptml:|longcat_|｜DSML｜\s*)")
_LONGEST = 20_000  # characters that are parsed as Python
_CHANNEL = re.compile(r"to=functions\.(?P<name>[\w.-]+).*?<\|message\|>\s*(?P<rest>\{.*)", re.DOTALL)
_DEEPSEEK = re.compile(
    r"<｜tool▁call▁begin｜>\s*(?:function\s*<｜tool▁sep｜>)?\s*(?P<name>[\w.-]+)\s*(?:<｜tool▁sep｜>)?\s*(?:```(?:json)?)?\s*"
    r"(?P<rest>\{.*?)(?=<｜tool▁call▁begin｜>|\Z)",
    re.DOTALL,
)
_TOKENS = re.compile(  # Solar, PLaMo
    r"(?:<\|tool_call:name\|>|<\|plamo:begin_tool_name:plamo\|>)\s*(?P<name>[\w.-]+)\s*(?:<\|[\w:]+\|>\s*)+"
    r"(?P<rest>\{.*?)(?=<\|tool_call:begin\|>|<\|plamo:begin_tool_request:plamo\|>|\Z)",
    re.DOTALL,
)
_COLON = re.compile(r"call:(?P<name>[\w.-]+)\s*(?P<rest>\{.*?\})\s*(?=<|\Z)", re.DOTALL)
_ESCAPE = re.compile(r"<escape>(.*?)<escape>|<\|\"\|>(.*?)<\|\"\|>", re.DOTALL)
_KEY = re.compile(r"([{,]\s*)([A-Za-z_][\w.-]*)(\s*:)")
_LABELLED = re.compile(
    r"<tool_call>\s*(?:function\s+)?(?P<name>[\w.-]+)\s*(?:```(?:json)?)?\s*(?P<rest>\{.*)", re.DOTALL
)
_EDGES = re.compile(r"\A\s*(?:<[^<>]*>\s*|```\w*\s*)+|(?:\s*<[^<>]*>|\s*```)+\s*\Z")
_CONSTANTS = {"true": True, "false": False, "null": None}


def without_namespace(text: str) -> str:
    """The block with the plain tags of a template that puts a name or a mark before each of them."""
    return _NAMESPACE.sub(r"<\1", text)


def read_relatives(text: str, schemas: Schemas) -> list[Named]:
    """The calls of offered tools in one block, in order."""
    for read in (_channels, _deepseek, _tokens, _colons, _labelled, _name_keys, _python):
        if calls := [(name, values) for name, values in read(text, schemas) if name in schemas]:
            return calls
    return []


def _channels(text: str, schemas: Schemas) -> Iterator[Named]:
    """`<|channel|>commentary to=functions.NAME <|constrain|>json<|message|>{…}<|call|>`"""
    if found := _CHANNEL.search(text):
        yield from _with_object(found)


def _deepseek(text: str, schemas: Schemas) -> Iterator[Named]:
    for found in _DEEPSEEK.finditer(text):
        yield from _with_object(found)


def _tokens(text: str, schemas: Schemas) -> Iterator[Named]:
    for found in _TOKENS.finditer(text):
        yield from _with_object(found)


def _labelled(text: str, schemas: Schemas) -> Iterator[Named]:
    if found := _LABELLED.search(text):
        yield from _with_object(found)


def _with_object(found: re.Match[str]) -> Iterator[Named]:
    end = found["rest"].rfind("}") + 1
    try:
        values = decode_json(found["rest"][:end])
    except msgspec.DecodeError:
        return
    if isinstance(values, Mapping):
        yield found["name"], dict(values)


def _colons(text: str, schemas: Schemas) -> Iterator[Named]:
    """`call:NAME{key:<escape>text<escape>,other:3}`: JSON but for the quotes of keys and the marks around texts."""
    for found in _COLON.finditer(text):
        texts: list[str] = []

        def kept(match: re.Match[str], texts: list[str] = texts) -> str:
            texts.append(match[1] if match[1] is not None else match[2])
            return f'"\\u0001{len(texts) - 1}"'

        bare = _KEY.sub(r'\1"\2"\3', _ESCAPE.sub(kept, found["rest"]))
        try:
            values = decode_json(bare)
        except msgspec.DecodeError:
            continue
        if isinstance(values, Mapping):
            yield found["name"], _put_back(values, texts)


def _put_back(value: Any, texts: list[str]) -> Any:
    if isinstance(value, str) and value.startswith("\x01"):
        return texts[int(value[1:])]
    if isinstance(value, Mapping):
        return {key: _put_back(item, texts) for key, item in value.items()}
    return [_put_back(item, texts) for item in value] if isinstance(value, list) else value


def _name_keys(text: str, schemas: Schemas) -> Iterator[Named]:
    """`[{"NAME": {…}}]`"""
    try:
        items = decode_json(_EDGES.sub("", text))
    except msgspec.DecodeError:
        return
    for item in items if isinstance(items, list) else [items]:
        if isinstance(item, Mapping) and len(item) == 1:
            ((name, values),) = item.items()
            if isinstance(values, Mapping):
                yield name, dict(values)


# -- Python


def _python(text: str, schemas: Schemas) -> Iterator[Named]:
    """`NAME(key="value")`, one or several, a line each or in a list."""
    code = _EDGES.sub("", text).strip()
    if len(code) > _LONGEST:
        return
    try:
        statements = ast.parse(code).body
        for statement in statements:
            if isinstance(statement, ast.Expr):
                yield from _python_calls(statement.value, schemas)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return


def _python_calls(node: ast.expr, schemas: Schemas) -> Iterator[Named]:
    if isinstance(node, ast.List | ast.Tuple):
        for item in node.elts:
            yield from _python_calls(item, schemas)
    if not isinstance(node, ast.Call):
        return
    name = _dotted(node.func, schemas)
    if name == "print" and name not in schemas:  # Gemma prints the result
        for argument in node.args:
            yield from _python_calls(argument, schemas)
        return
    names = list(schemas.get(name, {}).get("properties") or ())
    values = dict(zip(names, map(_literal, node.args), strict=False))
    whole = _literal(node.args[0]) if len(node.args) == 1 and not node.keywords else None
    if isinstance(whole, dict):
        values = whole
    yield name, values | {word.arg: _literal(word.value) for word in node.keywords if word.arg}


def _dotted(node: ast.expr, schemas: Schemas) -> str:
    """The name of what is called. `NAME.call` and `default_api.NAME` mean the tool."""
    name = ast.unparse(node)
    parts = (name, name.removesuffix(".call"), name.rpartition(".")[2])
    return next((part for part in parts if part in schemas), name)


def _literal(node: ast.expr) -> Any:
    """The value as JSON would have it. Raises ValueError for what is no literal."""
    match node:
        case ast.Name(id=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_literal(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            return {
                str(_literal(key)): _literal(value) for key, value in zip(keys, values, strict=True) if key
            }
    value = ast.literal_eval(node)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise ValueError("no value of JSON")
