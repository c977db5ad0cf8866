"""Where a call that is written as text may begin, and what will find its end, without I/O.

Knows the marks of every form, with the blanks that a model puts into them. Whether what stands behind a mark is a call
is decided in `written_calls`.
"""

from __future__ import annotations

import re

from realtime.minimax.call_assembler import Schemas
from realtime.minimax.written_ends import INNER, RELATIVES, WRAPPERS, FenceEnd, JsonEnd, TagEnd
from realtime.minimax.written_forms import MARK
from realtime.minimax.written_naked import begins_python_list

FUNCTION = "functions."  # Text-01, in a code block of TypeScript
_WRAPPERS = tuple(f"<{name}>" for name in (*WRAPPERS, *RELATIVES))
_TOKENS = ("<|tool_calls_section_begin|>", "<|tool_call_section_begin|>", "<|tool_call_begin|>")
_BRACKETS = ("[TOOL_CALL]", "[TOOL_CALLS]")
_CHANNELS = (  # gpt-oss
    *(
        f"{start}<|channel|>{name} to="
        for start in ("", "<|start|>assistant")
        for name in ("commentary", "analysis")
    ),
    "<|start|>assistant to=",
)
# Also without a wrapper: a service may take a special token out.
_BARE = ("<invoke name=", "<function=", "<function name=", *_CHANNELS)
_OPENINGS = (*_WRAPPERS, *_TOKENS, *_BRACKETS, *_BARE)
_KIND = "function\n"  # Step Audio says what it calls
_INNER = (MARK, *INNER, _KIND, "print(", "```")
_FORGOTTEN = "invoke name="  # M3 forgets the "<" behind its mark now and then
_BLANKS = re.compile(r"(?<!<)\s+")
_JSON_BEGINNING = re.compile(r"[{\[]\s*(?:$|[\"'{\[}\]]|tool\b|to?o?$)")
NAME = re.compile(
    r"<?(?:invoke\s+name\s*=|function(?:\s+name)?\s*=)\s*[\"'“”‘’]?(?P<name>[^\"'“”‘’<>/\s]+)[^<>]*>\s*"
)
NAME_BEGUN = re.compile(  # its tag may still end: behind the name stand attributes at most
    r"(?:<?(?:invoke|function)\s*(?:n\w*)?\s*|<?(?:invoke\s+name\s*=|function(?:\s+name)?\s*=)\s*[\"'“”‘’]?[^\"'“”‘’<>/\s]*[\"'“”‘’]?\s*"
    r"(?:[\w:-]*|[\w:-]+\s*=[^<>]*|/))$"
)
_WORD = re.compile(r"[\w.-]+")
_ARGS = re.compile(r"[\w.-]+\s*(?:\[CALL_ID\]\w+\s*)?(?:\[ARGS\]\s*)?(?=\{)")  # Mistral


def without_marks(text: str) -> str:
    """The text without M3's marks before it."""
    while text.startswith(MARK):
        text = text[len(MARK) :].lstrip()
    return text


def tight(text: str) -> str:
    """The beginning of the text without the blanks that a tag may have inside."""
    return _BLANKS.sub("", text[:60])


_TIGHT = tuple(map(tight, _OPENINGS))
_TIGHT_WRAPPERS = tuple(map(tight, _WRAPPERS))
_TIGHT_MARKED = (*_TIGHT, tight(_FORGOTTEN))
_TIGHT_INNER = tuple(map(tight, (*_INNER, *_OPENINGS)))
NAMED = tuple(map(tight, ("<invoke name", "<function=", "<function name", _FORGOTTEN)))
_SINGLE = tuple(map(tight, (*_BARE, _TOKENS[2], _FORGOTTEN)))


def may_be_body(body: str, schemas: Schemas) -> bool:
    """Whether a call could go on so behind its wrapper."""
    if body.startswith(("{", "[")) and not body.startswith(_BRACKETS):
        is_bracket = any(bracket.startswith(body) for bracket in _BRACKETS)
        return is_bracket or _JSON_BEGINNING.match(body) is not None or begins_python_list(body, schemas)
    if body.startswith("print("):
        return begins_python_list(body, schemas)
    word = _WORD.match(body)
    if word and word.end() < len(body) and not body.startswith(("invoke", "call:", FUNCTION, _KIND)):
        return _is_name(word[0], schemas) and body[word.end() :].lstrip()[:1] in (
            "",
            *"<[({",
        )
    begun = tight(body)
    names = (written for name in schemas for written in (name, f"<{name}>", f"default_api.{name}"))
    beginnings = (*_TIGHT_INNER, *map(tight, names))
    return any(begun.startswith(one) or one.startswith(begun) for one in beginnings)


def _is_name(word: str, schemas: Schemas) -> bool:
    """Whether it means an offered tool: `NAME`, `NAME.call`, `default_api.NAME`."""
    return any(name in schemas for name in (word, word.removesuffix(".call"), word.rpartition(".")[2]))


def opens(text: str) -> bool:
    """Whether a call's mark stands at the beginning of the text."""
    bare = without_marks(text)
    return tight(bare).startswith(_TIGHT_MARKED if bare != text else _TIGHT)


def could_open(text: str) -> bool:
    """Whether more text could make this the beginning of a call."""
    bare = without_marks(text)
    if MARK.startswith(bare):
        return True
    begun = tight(bare)
    return any(opening.startswith(begun) for opening in (_TIGHT_MARKED if bare != text else _TIGHT))


def body_of(text: str) -> str:
    """What stands in the wrappers, or the text itself where a call has none."""
    bare = without_marks(text)
    if not tight(bare).startswith((*_TIGHT_WRAPPERS, *_TOKENS[:2], *_BRACKETS)):
        return bare
    end = bare.index("]" if bare.startswith("[") else ">") + 1
    return without_marks(bare[end:].lstrip())


def end_of(text: str) -> int:
    """Where the block at the beginning of the text ends; -1 if its end has not come."""
    bare = without_marks(text)
    if is_single(bare) and (tag := NAME.match(bare)) and tag[0].rstrip().endswith("/>"):
        return len(text) - len(bare) + len(tag[0].rstrip())
    begin, end = end_finder(text)
    found = end.feed(text[begin:])
    return begin + found if found >= 0 else -1


def end_finder(text: str) -> tuple[int, TagEnd | JsonEnd | FenceEnd]:
    """What finds the end of the block at the beginning of the text, and the place from which on it wants the text."""
    bare = without_marks(text)
    if bare.startswith(FUNCTION):
        return 0, FenceEnd(included=False)
    if bare.startswith("<function_call>") and "```" in bare:
        return 0, FenceEnd(included=True)
    single = is_single(bare)
    body = body_of(text)
    if not single and body.startswith(("{", "[")):
        return len(text) - len(body), JsonEnd()
    if not single and (named := _ARGS.match(body)):
        return len(text) - len(body) + named.end(), JsonEnd()
    return 0, TagEnd(single=single)


def is_single(bare: str) -> bool:
    """Whether the block is a call without a wrapper around it."""
    return tight(bare).startswith(_SINGLE)
