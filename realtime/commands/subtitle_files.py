"""Subtitle files (SRT, WebVTT) and playlists (M3U) as text. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from realtime.minimax.subtitle_lines import SubtitleLine

KINDS = ("srt", "vtt")
_TIME = re.compile(r"(\d{2,}):(\d\d):(\d\d)([.,])(\d{3})")
_HEAD = "WEBVTT\n\n"


def subtitle_text(lines: Sequence[SubtitleLine], kind: str) -> str:
    """The lines as an SRT ("srt") or WebVTT ("vtt") file. A line of no length is shown until the next begins."""
    mark = "," if kind == "srt" else "."
    blocks = []
    for number, line in enumerate(lines, 1):
        after = lines[number].start_ms if number < len(lines) else line.start_ms + 1000
        end_ms = line.end_ms if line.end_ms > line.start_ms else max(after, line.start_ms + 1)
        times = f"{_clock(line.start_ms, mark)} --> {_clock(end_ms, mark)}"
        text = " ".join(line.text.split()).replace("-->", "→")
        if kind == "vtt":
            text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        blocks.append(f"{number}\n{times}\n{text}\n")
    return ("" if kind == "srt" else _HEAD) + "\n".join(blocks)


def joined_subtitles(texts: Sequence[str], starts_s: Sequence[float], kind: str) -> str:
    """Files that `subtitle_text` made, one after the other, each from its start in the whole (in seconds)."""
    blocks: list[str] = []
    for text, start_s in zip(texts, starts_s, strict=True):
        for block in text.removeprefix(_HEAD).split("\n\n"):
            _, _, rest = block.strip("\n").partition("\n")
            times, _, words = rest.partition("\n")
            if words:
                blocks.append(f"{len(blocks) + 1}\n{_moved(times, start_s * 1000)}\n{words}\n")
    return ("" if kind == "srt" else _HEAD) + "\n".join(blocks)


def playlist(entries: Sequence[tuple[str, str, float | None]]) -> str:
    """An M3U8 playlist of file name, title and length in seconds (None: not known)."""
    lines = ["#EXTM3U"]
    for name, title, length_s in entries:
        seconds = -1 if length_s is None else round(length_s)
        lines += [f"#EXTINF:{seconds},{' '.join(title.split())}", name]
    return "\n".join(lines) + "\n"


def lists_only(text: str, names: Collection[str]) -> bool:
    """Whether this is a playlist of these files and of nothing else, as `playlist` makes it."""
    lines = text.splitlines()
    return lines[:1] == ["#EXTM3U"] and all(line in names for line in lines if line and line[0] != "#")


def last_time_s(text: str) -> float | None:
    """The last time in a subtitle file in seconds; None if there is none."""
    times = list(_TIME.finditer(text))
    return max(_ms(each) for each in times) / 1000 if times else None


def _moved(times: str, by_ms: float) -> str:
    return _TIME.sub(lambda found: _clock(_ms(found) + by_ms, found[4]), times)


def _ms(found: re.Match[str]) -> int:
    hours, minutes, seconds, _, millis = found.groups()
    return ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(millis)


def _clock(ms: float, mark: str) -> str:
    seconds, millis = divmod(round(ms), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{millis:03}"
