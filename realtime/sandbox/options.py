"""The options of a sandbox: a latency profile, single settings, limits, faults and a seed.

Knows names, defaults and the grammar of `--set`. The values are those of docs/minimax/latency.md 3,
lifetimes those of README.md 6.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from ..errors import ConfigError
from .faults import Fault, nearest, parse_fault

PROFILES = ("local", "mainland", "far")


@dataclass(frozen=True, slots=True)
class ValueKind:
    """One row of the table: a line of help, the default in each profile, the smallest value allowed."""

    help: str
    local: float
    mainland: float
    far: float
    minimum: float = 0.0


def _same(help: str, value: float, minimum: float = 0.0) -> ValueKind:
    return ValueKind(help, value, value, value, minimum)


VALUES: dict[str, ValueKind] = {
    "http.connect_ms": ValueKind("extra latency of the first request on a new HTTP connection", 5, 150, 600),
    "http.error_ms": ValueKind("latency of a refusal", 5, 300, 500),
    "chat.first_ms": ValueKind("request to first token", 50, 700, 1000),
    "chat.tps": ValueKind("tokens a second, M3 and highspeed models", 200, 100, 50, 0.1),
    "chat.plain_tps": ValueKind("tokens a second of other models, at most chat.tps", 200, 60, 50, 0.1),
    "chat.chunk_ms": ValueKind("time between two stream events", 50, 250, 400, 1),
    "chat.first_tokens": _same("tokens in the first event", 2, 1),
    "chat.think_tokens": ValueKind("length of the thinking block, tokens", 20, 60, 100, 1),
    "chat.strict_temperature": _same("1: refuse temperatures outside (0, 1] instead of [0, 2]", 0),
    "chat.context_tokens": _same("context length, tokens; 0: the model's own", 0),
    "speech.connect_ms": ValueKind("TCP, TLS and WebSocket handshake", 5, 150, 600),
    "speech.connected_ms": ValueKind("handshake to connected_success", 5, 15, 15),
    "speech.start_ms": ValueKind("task_start to task_started", 10, 60, 200),
    "speech.first_ms": ValueKind("text to first audio, turbo models", 50, 280, 500),
    "speech.hd_first_ms": ValueKind("text to first audio, hd models", 80, 450, 700),
    "speech.factor": ValueKind("synthesis speed, in times of real time", 20, 8, 5, 0.01),
    "speech.chunk_ms": _same("audio in one frame", 100, 10),
    "speech.final_ms": ValueKind("last audio to is_final", 1, 10, 10),
    "speech.idle_s": _same("idle timeout of a socket, seconds", 120, 0.01),
    "speech.max_text": _same("longest text of one request, characters", 10_000, 1),
    "speech.max_queue": _same("texts waiting on one socket before 2205", 100, 1),
    "speech.reject_handshake": _same("1: a bad key gets HTTP 401 instead of task_failed", 0),
    "voice.clone_ms": ValueKind("time to clone a voice", 200, 3000, 5000),
    "voice.design_ms": ValueKind("time to design a voice", 200, 10_000, 15_000),
    "asr.ms": ValueKind("extra latency of a transcription", 20, 300, 600),
    "models.ms": ValueKind("latency of GET /v1/models", 5, 200, 400),
    "files.ms": ValueKind("latency of the files endpoints", 5, 200, 400),
    "image.ms": ValueKind("time to draw the pictures of one request", 300, 15_000, 20_000),
    "music.ms": ValueKind("time to compose a song", 1000, 75_000, 90_000),
    "cover.ms": ValueKind("time to prepare a cover", 300, 15_000, 20_000),
    "lyrics.ms": ValueKind("time to write lyrics", 300, 8000, 12_000),
    "task.ms": ValueKind("latency of creating, asking for, listing and deleting tasks", 5, 300, 500),
    "task.expire_s": ValueKind("how long a task runs before job.expire ends it, seconds", 5, 600, 600),
    "video.prepare_s": ValueKind("a video is Preparing, seconds", 0.5, 5, 5),
    "video.queue_s": ValueKind("a video is Queueing, seconds", 0.5, 20, 30),
    "video.process_s": ValueKind("a video is Processing, seconds", 3, 150, 180),
    "template.prepare_s": ValueKind("a template is Preparing, seconds", 0.5, 5, 5),
    "template.process_s": ValueKind("a template is Processing, seconds", 3, 120, 150),
    "video_v2.queue_s": ValueKind("a V2 task is queued, seconds", 1, 20, 30),
    "video_v2.run_s": ValueKind("a V2 task is running, seconds", 3, 390, 390),
    "video_v2.context_s": ValueKind("an h3_context_ir task is running, seconds", 1, 20, 30),
    "narration.process_s": ValueKind("a long text is Processing, seconds for 10,000 characters", 3, 60, 60),
    "narration.max_spoken": _same(
        "longest text that is really spoken, characters; a longer one fails", 50_000, 1
    ),
    "narration.queries_per_s": _same("questions for long texts in a second; 0: no limit", 10),
    "narration.least_s": ValueKind("a long text is Processing, seconds at least", 1, 10, 10),
    "batch.validate_s": ValueKind("a batch is validating, seconds", 0.5, 10, 10),
    "batch.run_s": ValueKind("a batch is in_progress, seconds at least", 2, 300, 300),
    "batch.finalize_s": ValueKind("a batch is finalizing, seconds", 0.5, 10, 10),
    "batch.cancel_s": ValueKind("a batch is cancelling, seconds", 0.5, 10, 10),
    "input.limit_s": _same(
        "time to fetch a picture, film or recording that a request names, seconds", 10, 0.01
    ),
    "callback.limit_s": _same("time a receiver has for a challenge or a push, seconds", 3, 0.01),
    "callback.late_s": _same("how late the fault callback.late sends, seconds", 2),
    "callback.lenient": _same("1: a task is made without pushes when its challenge fails", 0),
    "limit.speech_rpm": _same("speech requests of one key in a window; 0: no limit", 0),
    "limit.chat_rpm": _same("chat requests of one key in a window; 0: no limit", 0),
    "limit.connections": _same("speech sockets open at once; 0: no limit", 0),
    "limit.files_rpm": _same("requests to the files endpoints in a window; 0: no limit", 0),
    "limit.clone_rpm": _same("clones in a window; 0: no limit", 0),
    "limit.design_rpm": _same("designs in a window; 0: no limit", 0),
    "limit.image_rpm": _same("image requests in a window; 0: no limit", 0),
    "limit.music_rpm": _same("music requests in a window; 0: no limit", 0),
    "limit.lyrics_rpm": _same("lyrics requests in a window; 0: no limit", 0),
    "limit.video_rpm": _same("video requests in a window; 0: no limit", 0),
    "limit.template_rpm": _same("template requests in a window; 0: no limit", 0),
    "limit.video_v2_rpm": _same("V2 requests in a window; 0: no limit", 0),
    "limit.narration_rpm": _same("long texts in a window; 0: no limit", 0),
    "limit.batch_rpm": _same("batches in a window; 0: no limit", 0),
    "limit.query_rpm": _same("questions for a task in a window; 0: no limit", 0),
    "limit.video_in_flight": _same("videos under way at once; 0: no limit", 0),
    "limit.template_in_flight": _same("templates under way at once; 0: no limit", 0),
    "limit.video_v2_in_flight": _same("V2 tasks under way at once; 0: no limit", 0),
    "limit.narration_in_flight": _same("long texts under way at once; 0: no limit", 0),
    "limit.batch_in_flight": _same("batches under way at once; 0: no limit", 0),
    "limit.window_s": _same("length of the window of the _rpm limits, seconds", 60, 0.01),
    "life.result_h": _same("a result URL of speech, image or music, hours", 24),
    "life.video_link_h": _same("the download_url of a video, hours", 1),
    "life.video_v2_link_h": _same("the content.url of a V2 task, hours", 1),
    "life.narration_link_h": _same("the download_url of a long text, hours", 9),
    "life.template_link_h": _same("the video_url of a template, hours", 9),
    "life.video_h": _same("a video, a template's video, a batch's output, hours", 168),
    "life.narration_h": _same("the result of a long text, hours", 9),
    "life.feature_h": _same("a cover_feature_id, hours", 24),
    "life.upload_h": _same("an uploaded file, hours", 168),
    "life.task_h": _same("a task, hours", 168),
    "life.voice_h": _same("a new voice that is not used, hours", 168),
    "store.max_mb": _same("uploads and results kept in all, MB; the oldest go first", 2048, 1),
    "store.max_files": _same("uploads and results kept in all; the oldest go first", 1000, 1),
    "store.max_tasks": _same("tasks kept; the oldest go first, finished ones before others", 1000, 1),
    "jitter.spread": ValueKind("every latency varies by up to this share of itself", 0, 0.1, 0.15),
    "jitter.tail": _same("share of latencies that are much longer", 0),
    "jitter.tail_factor": _same("factor of those longer latencies", 2, 1),
}
_SPEECH_TIMES = frozenset(("speech.first_ms", "speech.hd_first_ms", "speech.factor", "speech.start_ms"))
ALIASES = {"speech.max_connections": "limit.connections"}


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """All options of a sandbox. `sets` are the values that differ from the profile; the last one of a name counts."""

    profile: str = "local"
    sets: tuple[tuple[str, float], ...] = ()
    faults: tuple[Fault, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            raise ConfigError(f"unknown profile {self.profile!r}{nearest(self.profile, PROFILES)}")
        for name, value in self.sets:
            _check(name, value)

    @classmethod
    def parse(
        cls, profile: str = "local", sets: Iterable[str] = (), faults: Iterable[str] = (), seed: int = 0
    ) -> Self:
        """Read the options of a command line. Raises ConfigError naming the nearest known name."""
        return cls(profile, tuple(map(parse_set, sets)), tuple(map(parse_fault, faults)), seed)

    @property
    def is_timed(self) -> bool:
        """Whether the latency of speech is emulated: by a profile of the real platform, or by a value of its own."""
        return self.profile != "local" or any(name in _SPEECH_TIMES for name, _ in self.sets)

    def __getitem__(self, name: str) -> float:
        """The effective value of `name`, in the unit its name ends with. Raises KeyError."""
        name = ALIASES.get(name, name)
        kind = VALUES[name]
        for key, value in reversed(self.sets):
            if ALIASES.get(key, key) == name:
                return value
        match self.profile:
            case "mainland":
                return kind.mainland
            case "far":
                return kind.far
            case _:
                return kind.local


def parse_set(text: str) -> tuple[str, float]:
    """Read `NAME=NUMBER`. Raises ConfigError naming the nearest known name."""
    name, equals, value = text.partition("=")
    name = name.strip()
    if name not in VALUES and name not in ALIASES:
        raise ConfigError(f"unknown setting {name!r}{nearest(name, VALUES)}")
    try:
        number = float(value)
    except ValueError:
        raise ConfigError(f"setting {name!r} needs a number: {name}=NUMBER") from None
    if not equals:
        raise ConfigError(f"setting {name!r} needs a number: {name}=NUMBER")
    _check(name, number)
    return name, number


def _check(name: str, value: float) -> None:
    kind = VALUES.get(ALIASES.get(name, name))
    if kind is None:
        raise ConfigError(f"unknown setting {name!r}{nearest(name, VALUES)}")
    if not math.isfinite(value) or value < kind.minimum:
        raise ConfigError(f"setting {name!r} must be at least {kind.minimum:g}, not {value:g}")
