"""Turns a reply into the tokens of the platform: thinking, visible text, tool calls, and the chat faults.

Knows where thinking goes in each mode (docs/minimax/chat.md 3, 4). Does not know time or the wire.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Literal

from .talker import Reply

# about 3.6 characters of English and 1.6 of Chinese (docs/minimax/chat.md 3)
_TOKEN = re.compile(
    r"\s?[A-Za-z\u00c0-\u024f'’]{1,4}|[\u3400-\u9fff]{1,2}|\s?\d{1,3}|\s?[^\w\s]|\s+|\w", re.DOTALL
)
_FILLER = {
    False: (" The answer will be heard, not read.", " So no lists and no markup.", " A short reply is best."),
    True: ("回答会被听到，而不是被读到。", "所以不用列表，也不用标记。", "简短一点最好。"),
}

FinishReason = Literal["stop", "length", "tool_calls"]


@dataclass(frozen=True, slots=True)
class Token:
    """One token. `cut`: an event must end after it. `call` is the index of the tool call, -1 outside of one."""

    content: str = ""
    reasoning: str = ""
    thinking: bool = False  # counts as a reasoning token
    call: int = -1
    arguments: str = ""
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer to one request. `names` are the called functions, in order."""

    tokens: tuple[Token, ...]
    finish: FinishReason
    names: tuple[str, ...] = ()

    @property
    def content(self) -> str:
        """The `content` of a non-stream answer."""
        return "".join(token.content for token in self.tokens)

    @property
    def reasoning(self) -> str:
        """The `reasoning_content` of a non-stream answer."""
        return "".join(token.reasoning for token in self.tokens)

    @property
    def reasoning_tokens(self) -> int:
        """How many tokens were thinking."""
        return sum(token.thinking for token in self.tokens)

    def arguments(self, call: int) -> str:
        """The whole JSON text of one call's arguments."""
        return "".join(token.arguments for token in self.tokens if token.call == call)


def tokens_of(text: str) -> list[str]:
    """Split `text` like a tokenizer; joined again it is the same text."""
    return _TOKEN.findall(text)


def count_tokens(text: str) -> int:
    """How many tokens `text` is billed as."""
    return len(tokens_of(text))


def compose(
    reply: Reply,
    *,
    thinks: bool,
    split: bool,
    think_tokens: int,
    max_tokens: int | None,
    has: Callable[[str], bool],
) -> Answer:
    """The tokens of one answer. `has` tells which faults apply (`chat.mirror`, `chat.split_tags`, ...)."""
    visible, calls = reply.text, reply.calls
    if has("chat.only_emoji"):
        visible, calls = "😀👍🎉", ()
    if has("chat.empty"):
        visible, calls = "", ()
    if has("chat.only_thinking"):
        thoughts = _thinking(reply, think_tokens, split, has)
        return _limited(Answer(tuple(_unclosed(thoughts)), "length"), max_tokens)
    tokens: list[Token] = []
    if thinks:
        early, visible = _early(visible) if has("chat.early_words") and not calls else ("", visible)
        tokens += _thinking(reply, think_tokens, split, has, early)
    elif has("chat.split_tags"):
        tokens += [Token("<th", cut=True), Token("ink>\n\n</thi", cut=True), Token("nk>\n\n")]
    if has("chat.stray_marker"):
        tokens.append(Token("</mm:think>\n"))
    tokens += [Token(text) for text in tokens_of(visible)]
    for place, call in enumerate(calls):
        text = json.dumps(call.arguments, ensure_ascii=False)
        tokens += [Token(call=place, arguments=part) for part in tokens_of(text)]
    finish: FinishReason = "tool_calls" if calls else "stop"
    return _limited(Answer(tuple(tokens), finish, tuple(call.name for call in calls)), max_tokens)


def _limited(answer: Answer, max_tokens: int | None) -> Answer:
    if max_tokens is None or len(answer.tokens) <= max_tokens:
        return answer
    return replace(answer, tokens=answer.tokens[:max_tokens], finish="length")


def _early(visible: str) -> tuple[str, str]:
    """The first two words (or four Han characters), and the rest."""
    match = re.match(r"[\u3400-\u9fff]{1,4}|\S+(?:\s+\S+)?", visible)
    return (match[0], visible[match.end() :]) if match else ("", visible)


def _thoughts(reply: Reply, wanted: int) -> list[str]:
    thoughts = tokens_of(reply.thought)
    filler = cycle(_FILLER[re.search("[\u3400-\u9fff]", reply.thought) is not None])
    while len(thoughts) < wanted:
        thoughts += tokens_of(next(filler))
    return thoughts[: max(wanted, 1)]


def _thinking(
    reply: Reply, wanted: int, split: bool, has: Callable[[str], bool], early: str = ""
) -> Iterator[Token]:
    """The thinking block as content, as reasoning, or as both (`chat.mirror`)."""
    mirror = has("chat.mirror")
    cut = has("chat.split_tags")
    in_content = mirror or not split
    in_reasoning = mirror or split
    if in_content:
        yield from _tag("<th", "ink>", "\n", cut)
    thoughts = _thoughts(reply, wanted)
    if early:
        thoughts += ["\n", *tokens_of(early)]
    for text in thoughts:
        yield Token(text if in_content else "", text if in_reasoning else "", thinking=True)
    if in_content:
        yield Token("\n", thinking=True)
        yield from _tag("</thi", "nk>", "\n\n", cut)
    elif cut:  # M3 sends its closing tag inside the reasoning (chat.md 4)
        yield Token(reasoning="\n</th", thinking=True, cut=True)
        yield Token(reasoning="ink>", thinking=True, cut=True)


def _tag(head: str, tail: str, after: str, cut: bool) -> list[Token]:
    if cut:
        return [Token(head, thinking=True, cut=True), Token(tail + after, thinking=True)]
    return [Token(head + tail + after, thinking=True)]


def _unclosed(thoughts: Iterator[Token]) -> Iterator[Token]:
    """Thinking without its end: all tokens before the closing tag."""
    for token in thoughts:
        if "</th" in token.content or "</th" in token.reasoning:
            return
        yield token
