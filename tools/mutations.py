"""The changes that `tools/mutate.py` tries: each is a small mistake as a programmer would make it.

A comparison becomes its neighbour, a number grows by one, a condition is turned round, `and` becomes `or`, a plus
becomes a minus, a statement is left out. It knows nothing about tests. It leaves alone what no test should have to
notice: docstrings, annotations, log lines, messages of exceptions, `__repr__`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
}

_CAN_BE_LEFT_OUT = (ast.Expr, ast.Assign, ast.AugAssign, ast.Return, ast.Continue, ast.Break)

# The line, what it does, and the function that changes the tree in place
Change = tuple[int, str, Callable[[], None]]


@dataclass(frozen=True, slots=True)
class Mutation:
    """One possible change: its line (from 1), what it does, and its place in the list of all changes of the file."""

    line: int
    what: str
    place: int


def mutations(source: str) -> list[Mutation]:
    """All changes of a module's source text."""
    return [
        Mutation(line, what, place) for place, (line, what, _) in enumerate(_all_changes(ast.parse(source)))
    ]


def mutated(source: str, mutation: Mutation) -> ast.Module:
    """The module with one change of those that `mutations` found in the same text."""
    tree = ast.parse(source)
    _, _, change = list(_all_changes(tree))[mutation.place]
    change()
    return ast.fix_missing_locations(tree)


def _all_changes(tree: ast.Module) -> Iterator[Change]:
    for node in _nodes(tree):
        yield from _changes(node)


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    if (
        isinstance(node, ast.Raise | ast.Import | ast.ImportFrom | ast.JoinedStr)
        or _is_log(node)
        or _is_repr(node)
    ):
        return
    yield node
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns", "decorator_list", "bases"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _nodes(child)


def _changes(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Compare():
            yield from _other_comparisons(node)
        case ast.BoolOp():
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield node.lineno, f"{_name(node.op)} becomes {_name(other)}", partial(setattr, node, "op", other)
        case ast.BinOp() if type(node.op) in _ARITHMETIC:
            operator = _ARITHMETIC[type(node.op)]()
            what = f"{_name(node.op)} becomes {_name(operator)}"
            yield node.lineno, what, partial(setattr, node, "op", operator)
        case ast.Constant(value=bool() as flag):
            yield node.lineno, f"{flag} becomes {not flag}", partial(setattr, node, "value", not flag)
        case ast.Constant(value=int() | float() as number):
            yield node.lineno, f"{number} becomes {number + 1}", partial(setattr, node, "value", number + 1)
        case ast.If() | ast.While() | ast.IfExp():
            turned = ast.UnaryOp(ast.Not(), node.test)
            yield node.test.lineno, "the condition is turned round", partial(setattr, node, "test", turned)
    for name in ("body", "orelse", "finalbody"):
        body = getattr(node, name, None)
        if isinstance(body, list) and not isinstance(node, ast.Module | ast.ClassDef):
            yield from _left_out(node, body)


def _other_comparisons(node: ast.Compare) -> Iterator[Change]:
    for index, operator in enumerate(node.ops):
        other = _COMPARISONS[type(operator)]()
        what = f"{_name(operator)} becomes {_name(other)}"
        yield node.lineno, what, partial(node.ops.__setitem__, index, other)


def _left_out(node: ast.AST, body: list[ast.stmt]) -> Iterator[Change]:
    for index, statement in enumerate(body):
        if isinstance(statement, _CAN_BE_LEFT_OUT) and not (
            _does_nothing(node, statement) or _is_log(statement)
        ):
            what = f"left out: {ast.unparse(statement)[:60]}"
            yield statement.lineno, what, partial(body.__setitem__, index, ast.Pass())


def _does_nothing(node: ast.AST, statement: ast.stmt) -> bool:
    """A docstring, or a bare return at the end of a function."""
    match statement:
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Return(value=None):
            return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and statement is node.body[-1]
    return False


def _name(operator: ast.AST) -> str:
    return type(operator).__name__


def _is_repr(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == "__repr__"


def _is_log(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="log" | "_log" | "logger")))):
            return True
    return False
