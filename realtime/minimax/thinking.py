"""Removes thinking from an answer while it streams, without I/O: fragments of `content` in, visible text out.

Two filters in a row: `Accumulator` turns increments or snapshots into increments; `ThinkingFilter` removes the think
blocks at the start of an answer, also where a tag is split between two fragments (docs/minimax/chat.md 4 and 6).
"""

from __future__ import annotations

from collections.abc import Mapping

_OWN = ("</think>", "</thinking>", "</mm:think>")
# What begins a block, and what may end it. Below the platform's own: those of other services' models.
ENDS: Mapping[str, tuple[str, ...]] = {
    "<think>": _OWN,
    "<thinking>": _OWN,
    "<mm:think>": _OWN,
    "<thought>": ("</thought>",),
    "<reasoning>": ("</reasoning>",),
    "<seed:think>": ("</seed:think>",),
    "<longcat_think>": ("</longcat_think>",),
    "<|START_THINKING|>": ("<|END_THINKING|>",),
    "[THINK]": ("[/THINK]",),
    "◁think▷": ("◁/think▷",),
    "<|channel>thought\n": ("<channel|>",),
    "<|channel|>analysis<|message|>": ("<|end|>",),
}
OPENING = tuple(ENDS)
CLOSING = _OWN
# Behind the thinking of gpt-oss and Command A the answer itself is marked too.
_BEGINNINGS = (
    "<|start|>assistant<|channel|>final<|message|>",
    "<|channel|>final<|message|>",
    "<|START_RESPONSE|>",
    "<|START_TEXT|>",
)
_TAGS = (*OPENING, *CLOSING, "[/THINK]", "◁/think▷", *_BEGINNINGS)
_SNAPSHOT_MIN = 8  # characters that do not repeat by chance at the start of the next fragment


class Accumulator:
    """Increments from a stream that sends either increments or snapshots (all text so far), never both."""

    def __init__(self) -> None:
        self._so_far = ""
        self._held: list[str] = []  # fragments that could be either, until one decides
        self._snapshots: bool | None = None  # None: not known yet

    def feed(self, fragment: str) -> str:
        """The new part of `fragment`. Holds one back only while it could be either kind."""
        if not fragment:
            return ""
        if self._snapshots is None and self._so_far:
            return self._decide(fragment)
        return self._from_snapshot(fragment) if self._snapshots else self._append(fragment)

    def finish(self) -> str:
        """What was still held back: each starts with all of the text before, so it is most likely a snapshot."""
        held, self._held = self._held, []
        return self._from_snapshot(held[-1]) if held else ""

    def _decide(self, fragment: str) -> str:
        """One fragment that repeats all before it may be a refrain ("ha ha"); two in a row are snapshots."""
        before = self._held[-1] if self._held else self._so_far
        if not (len(fragment) > len(before) and fragment.startswith(before)):
            self._snapshots = False
            held, self._held = [*self._held, fragment], []
            return "".join(held)
        self._held.append(fragment)
        if len(self._held) < 2 or len(before) < _SNAPSHOT_MIN:
            return ""
        self._snapshots, self._held = True, []
        return self._from_snapshot(fragment)

    def _append(self, fragment: str) -> str:
        if self._snapshots is None:
            self._so_far += fragment
        return fragment

    def _from_snapshot(self, fragment: str) -> str:
        if fragment.startswith(self._so_far):
            new, self._so_far = fragment[len(self._so_far) :], fragment
            return new
        if self._so_far.startswith(fragment):
            return ""
        self._so_far += fragment
        return fragment


class ThinkingFilter:
    """Visible text from `content`. The text between think tags is kept in `thinking`.

    Thinking stands at the very start, in one block or several in a row; a closing tag there is a leftover and goes.
    Behind the first visible character every tag is text: the answer may be about tags. So is a closing tag without an
    opening one behind a text (some servers open the block in the prompt): its words are out before the tag comes, and
    to wait for it would delay every answer.
    """

    def __init__(self) -> None:
        self._held = ""  # at the start: blanks and what could be a tag; in a block: what could be its end
        self._at_start = True
        self._inside = False
        self._block: list[str] = []  # the open block as it came
        self._ends: tuple[str, ...] = ()  # of the open block
        self._opening = ""  # blanks and tag before the open block
        self._skip_blanks = False  # something was taken away, so the blanks behind it go too
        self._thinking: list[str] = []  # of closed blocks

    @property
    def thinking(self) -> str:
        return "".join(self._thinking)

    @property
    def inside(self) -> bool:
        """Whether a block is open."""
        return self._inside

    def skip_blanks(self) -> None:
        """There was thinking in a field of its own: blanks before the text belong to it."""
        self._skip_blanks = self._skip_blanks or self._at_start

    def keep(self, text: str) -> None:
        """A text that turned out to be thinking."""
        self._thinking.append(text)

    def feed(self, text: str) -> str:
        """The new visible text. Holds back only what could still become a tag at the start."""
        self._held += text
        while self._at_start and (self._read_block() if self._inside else self._read_start()):
            pass
        if self._at_start:
            return ""
        visible, self._held = self._held, ""
        return visible

    def finish(self, *, cut: bool = False) -> str:
        """The answer has ended: what was held back was text, also a block that never closed, tag included.

        But with `cut` (the token limit ended it, or a call did) the open block was thinking.
        """
        held, self._held = self._held, ""
        if not self._inside:
            return held.lstrip() if self._skip_blanks else held
        self._block.append(held)
        self._inside = False
        block = "".join(self._block)
        if cut:
            self._thinking.append(block)
            return ""
        return self._opening + block

    def _read_start(self) -> bool:
        """Take one tag, or find that the text begins. False: more is needed."""
        bare = self._held.lstrip()
        tag = next((tag for tag in _TAGS if bare.startswith(tag)), None)
        if tag is None:
            if not bare or any(tag.startswith(bare) for tag in _TAGS):
                return False
            self._held = bare if self._skip_blanks else self._held
            self._at_start = False
            return True
        self._opening = self._held[: len(self._held) - len(bare)] + tag
        self._held = bare[len(tag) :]
        self._skip_blanks = True
        self._inside = tag in ENDS
        self._ends = ENDS.get(tag, ())
        return True

    def _read_block(self) -> bool:
        """Take the block up to its end. False: the end has not come."""
        found = [(at, tag) for tag in self._ends if (at := self._held.find(tag)) >= 0]
        if not found:
            ready = len(self._held) - _length_of_start(self._held, self._ends)
            self._block.append(self._held[:ready])
            self._held = self._held[ready:]
            return False
        at, tag = min(found)
        self._thinking += [*self._block, self._held[:at]]
        self._block.clear()
        self._held = self._held[at + len(tag) :]
        self._inside = False
        return True


def _length_of_start(text: str, endings: tuple[str, ...]) -> int:
    """How many characters at the end of the text could be the beginning of a closing tag."""
    lengths = range(min(max(map(len, endings)) - 1, len(text)), 0, -1)
    return next((n for n in lengths if any(tag.startswith(text[-n:]) for tag in endings)), 0)
