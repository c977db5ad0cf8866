"""What of `content` is shown and said, and which calls stand in it, without I/O: the same in both dialects.

First the thinking at the start is taken away (`thinking`) and the model's own end of the answer (`end_tokens`), then
calls that the model wrote as text (`written_calls`).
"""

from __future__ import annotations

from collections.abc import Iterable

from realtime.core.messages import ChatEvent, TextDelta
from realtime.minimax.call_assembler import Schemas, ToolCallAssembler
from realtime.minimax.end_tokens import EndTokens
from realtime.minimax.thinking import ThinkingFilter
from realtime.minimax.written_calls import Piece, WrittenCalls


class VisibleText:
    """One answer. Text in; text and calls out. `thinking` is what stood between think tags."""

    def __init__(self, schemas: Schemas) -> None:
        self._filter = ThinkingFilter()
        self._ending = EndTokens()
        self._calls = WrittenCalls(schemas)

    @property
    def thinking(self) -> str:
        return self._filter.thinking

    def skip_blanks(self) -> None:
        """There was thinking in a field of its own: blanks before the text belong to it."""
        self._filter.skip_blanks()

    def feed(self, text: str) -> list[Piece]:
        """The pieces that are certain."""
        return self._calls.feed(self._ending.feed(self._filter.feed(text)))

    def finish(self, *, cut: bool, called: bool) -> list[Piece]:
        """The rest. `cut`: a limit ended the answer; `called`: it has calls in their own field.

        A think block that never closed is text, but not in front of a call: then it was what led to the call.
        """
        open_block = self._filter.inside
        rest = self._filter.finish(cut=open_block and (cut or called))
        rest = self._ending.feed(rest) + self._ending.finish()
        pieces = self._calls.feed(rest) + self._calls.finish(cut=cut)
        if not open_block or all(isinstance(piece, str) for piece in pieces):
            return pieces
        self._filter.keep(rest)
        return [piece for piece in pieces if not isinstance(piece, str)]


def events_of(pieces: Iterable[Piece], calls: ToolCallAssembler) -> list[ChatEvent]:
    """The events of such pieces; `calls` knows the other calls of the answer."""
    events: list[ChatEvent] = []
    for piece in pieces:
        if isinstance(piece, str):
            events.append(TextDelta(piece))
        else:
            events += calls.add_written(piece.name, piece.arguments)
    return events
