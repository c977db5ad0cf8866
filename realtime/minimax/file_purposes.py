"""What each purpose of an upload takes: kinds, bytes and seconds (docs/minimax/files.md 1), checked before it is sent.

A purpose that has no row here passes: the platform knows it. Knows no network; `check_file` gets what was measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from realtime.errors import InvalidArgument
from realtime.minimax.file_source import MB, readable_size
from realtime.minimax.sniff import Kind, sniff

SLACK_S = 0.1  # compressed audio has some silence of the encoder around it


@dataclass(frozen=True, slots=True)
class Purpose:
    """`most_mb` by the kind of file (by its bytes). `shortest_s` to `longest_s`; `below_s` is not in the range itself.

    `words` says both for people. Kinds that are words have no signature: `endings` are what their names end in.
    """

    most_mb: Mapping[Kind, int]
    words: str
    endings: tuple[str, ...] = ()
    shortest_s: float = 0.0
    longest_s: float | None = None
    below_s: float | None = None

    @property
    def is_measured(self) -> bool:
        """Whether the length of the recording matters."""
        return self.longest_s is not None or self.below_s is not None


_AUDIO: Mapping[Kind, int] = {"mp3": 20, "m4a": 20, "wav": 20}
_PICTURES: Mapping[Kind, int] = {"jpeg": 30, "png": 30, "webp": 30, "heic": 30}
_WORDS: Mapping[Kind, int] = {"text": 512, "json": 512, "html": 512, "unknown": 512}

PURPOSES: Mapping[str, Purpose] = {
    "voice_clone": Purpose(_AUDIO, "mp3, m4a or wav", shortest_s=10.0, longest_s=300.0),
    "prompt_audio": Purpose(_AUDIO, "mp3, m4a or wav", below_s=8.0),
    "t2a_async_input": Purpose({**_WORDS, "zip": 512}, ".txt or .zip", (".txt", ".zip")),
    "video_understanding": Purpose({"mp4": 512, "mov": 512, "unknown": 512}, "a video"),
    "video_generation_input": Purpose(
        {**_PICTURES, "mp4": 50, "mov": 50, "wav": 15, "mp3": 15},
        "jpg, png, webp, heic, mp4, mov, wav or mp3",
    ),
    "batch": Purpose({"json": 100, "text": 100, "unknown": 100}, ".jsonl", (".jsonl",)),
}
_ENDINGS: Mapping[Kind, tuple[str, ...]] = {
    "mp3": (".mp3",),
    "m4a": (".m4a",),
    "wav": (".wav",),
    "jpeg": (".jpeg", ".jpg"),
    "png": (".png",),
    "webp": (".webp",),
    "heic": (".heic", ".heif"),
    "mp4": (".mp4",),
    "mov": (".mov",),
    "zip": (".zip",),
}


def check_file(purpose: str, name: str, first: bytes, size: int, *, param: str = "file") -> str:
    """The name to send a file under: its own, or with the ending that its bytes ask for.

    `first` are its first bytes, `size` all of them. Raises InvalidArgument for a kind or a size that the purpose does
    not take.
    """
    rules = PURPOSES.get(purpose)
    if rules is None:
        return name
    kind = kind_of(name, first)
    if kind not in rules.most_mb:
        raise InvalidArgument(
            f"{name} is {_spoken(kind)} by its bytes: {purpose} takes {rules.words}.", param=param
        )
    most = rules.most_mb[kind]
    if size > most * MB:
        raise InvalidArgument(
            f"{name} has {readable_size(size)}: {purpose} takes at most {most} MB.", param=param
        )
    return _fitting_name(rules, kind, name)


def check_seconds(purpose: str, seconds: float | None, kind: Kind, *, param: str = "file") -> None:
    """Refuse a recording that is too short or too long for the purpose; None (not known) passes.

    Raises InvalidArgument with the measured length. Compressed files get SLACK_S.
    """
    rules = PURPOSES.get(purpose)
    if rules is None or seconds is None:
        return
    slack_s = 0.0 if kind == "wav" else SLACK_S
    if rules.below_s is not None and seconds >= rules.below_s + slack_s:
        raise InvalidArgument(wrong_length(purpose, seconds), param=param)
    if seconds < rules.shortest_s - slack_s:
        raise InvalidArgument(wrong_length(purpose, seconds), param=param)
    if rules.longest_s is not None and seconds > rules.longest_s + slack_s:
        raise InvalidArgument(wrong_length(purpose, seconds), param=param)


def wrong_length(purpose: str, seconds: float) -> str:
    """Like "The recording is 6.2 s, cloning wants 10 s to 5 min."."""
    if purpose == "prompt_audio":
        return f"The prompt audio is {spoken_length(seconds)}, it has to be shorter than 8 s."
    return f"The recording is {spoken_length(seconds)}, cloning wants 10 s to 5 min."


def spoken_length(seconds: float) -> str:
    """Like "6.2 s" or "6 min 3 s". Cut, not rounded: 9.99 s must not read as 10.0 s."""
    if seconds < 300:
        return f"{int(seconds * 10) / 10:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


def kind_of(name: str, first: bytes) -> Kind:
    """The kind by the bytes; the name decides between a film and a recording in the same container."""
    kind = sniff(first)
    return "m4a" if kind == "mp4" and name.lower().endswith(".m4a") else kind


def _fitting_name(rules: Purpose, kind: Kind, name: str) -> str:
    """The platform reads the ending of the name, so that it has to be right."""
    endings = _ENDINGS.get(kind, rules.endings)
    if not endings or name.lower().endswith(endings):
        return name
    stem, dot, ending = name.rpartition(".")
    known = dot and stem and f".{ending.lower()}" in _KNOWN_ENDINGS
    return (stem if known else name) + endings[0]


_KNOWN_ENDINGS = frozenset(ending for endings in _ENDINGS.values() for ending in endings) | {
    ".txt",
    ".jsonl",
    ".json",
}


def _spoken(kind: Kind) -> str:
    return {"unknown": "no kind that is known here", "text": "text", "html": "a web page"}.get(kind, kind)
