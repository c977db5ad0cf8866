"""One long WebSocket message, unmasked, checked and put together piece by piece. Knows no frames and no socket."""

from __future__ import annotations

import codecs

import numpy as np
from aiohttp import WSCloseCode

from realtime.blocks import Blocks, LongBytes
from realtime.server.frame_heads import TEXT

IN_BLOCKS_BYTES = 256 * 1024  # a longer message stays in blocks


class WrongFrame(Exception):
    """What a client sent ends the connection, with this code."""

    def __init__(self, close_code: WSCloseCode) -> None:
        super().__init__(close_code)
        self.close_code = close_code


class LongMessage:
    """Grows at its end. `mask` is the mask of what comes next: four bytes."""

    __slots__ = ("_blocks", "_decoder", "mask", "opcode")

    def __init__(self, opcode: int) -> None:
        self.opcode = opcode
        self.mask = b""
        self._blocks = Blocks()
        self._decoder = codecs.getincrementaldecoder("utf-8")() if opcode == TEXT else None

    @property
    def size_bytes(self) -> int:
        return len(self._blocks)

    def add(self, masked: bytes, *, last: bool) -> None:
        """Raises WrongFrame if the text is not UTF-8."""
        piece = unmasked(self.mask, masked)
        turned = len(piece) % 4
        self.mask = self.mask[turned:] + self.mask[:turned]
        if self._decoder is not None:
            try:
                self._decoder.decode(piece, last)
            except UnicodeDecodeError:
                raise WrongFrame(WSCloseCode.INVALID_TEXT) from None
        self._blocks.add(piece)

    @property
    def data(self) -> LongBytes:
        return self._blocks[:] if len(self._blocks) <= IN_BLOCKS_BYTES else self._blocks


def unmasked(mask: bytes, masked: bytes) -> bytearray:
    """The payload without its mask (RFC 6455 5.3), or with it."""
    data = bytearray(masked + bytes(-len(masked) % 4))
    words = np.frombuffer(data, np.uint32)
    words ^= np.frombuffer(mask, np.uint32)
    del words  # it holds the buffer
    del data[len(masked) :]
    return data
