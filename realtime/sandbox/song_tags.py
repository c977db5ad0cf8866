"""What stands in the files of songs beside the sound: prompt, lyrics and watermark, as ID3 tags or a RIFF list.

So a test reads back what a song was made from. Pure; reading is done by any audio library. pcm has no room for it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

LONGEST_TITLE = 60  # characters
WATERMARK = "AIGC"  # the name of the tag that says that a machine made the song


@dataclass(frozen=True, slots=True)
class SongTags:
    """The texts of one song."""

    prompt: str
    lyrics: str = ""
    watermark: bool = False

    @property
    def title(self) -> str:
        """The beginning of the prompt, on one line."""
        return " ".join(self.prompt.split())[:LONGEST_TITLE]


def tagged(data: bytes, format: str, tags: SongTags) -> bytes:
    """The file with its tags."""
    match format:
        case "mp3":
            return id3(tags) + data
        case "wav":
            return _with_list(data, tags)
    return data


def id3(tags: SongTags) -> bytes:
    """An ID3v2.4 header, which stands before the frames of an mp3 file or stream."""
    frames = _frame("TIT2", b"\x03" + _coded(tags.title))
    frames += _frame("COMM", b"\x03eng\x00" + _coded(tags.prompt))
    if tags.lyrics:
        frames += _frame("USLT", b"\x03eng\x00" + _coded(tags.lyrics))
    if tags.watermark:
        frames += _frame("TXXX", b"\x03" + WATERMARK.encode() + b"\x00true")
    return b"ID3\x04\x00\x00" + _synchsafe(len(frames)) + frames


def _coded(text: str) -> bytes:
    return text.encode(errors="replace")


def _frame(name: str, content: bytes) -> bytes:
    return name.encode() + _synchsafe(len(content)) + b"\x00\x00" + content


def _synchsafe(size: int) -> bytes:
    """Four bytes of seven bits."""
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def _with_list(data: bytes, tags: SongTags) -> bytes:
    """A wav file with a LIST chunk at its end, and the right size in its header."""
    rows = [("INAM", tags.title), ("ICMT", tags.prompt), ("ILYC", tags.lyrics)]
    rows += [("IKEY", WATERMARK)] if tags.watermark else []
    info = b"INFO" + b"".join(_row(name, text) for name, text in rows if text)
    data += b"LIST" + struct.pack("<I", len(info)) + info
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


def _row(name: str, text: str) -> bytes:
    content = _coded(text) + b"\x00"
    return name.encode() + struct.pack("<I", len(content)) + content + b"\x00" * (len(content) % 2)
