"""The faults that the sandbox can inject, in one table, and the grammar `NAME[=VALUE][@PROBABILITY]`.

Knows names, values and probabilities. Does not know how a handler injects a fault.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from ..errors import ConfigError

FORMS = ("m1", "m2", "m3", "text01", "fence", "open")  # of a call that is written as text
MOMENTS = ("connect", "connected", "start", "text", "mid", "final")


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One row of the table. `value` is "", "CODE", "N", "MOMENT" or "FORM"; every value but "" is required."""

    help: str
    value: str = ""


FAULTS: dict[str, FaultKind] = {
    "chat.error": FaultKind("refuse before any text, in the path's own envelope", "CODE"),
    "chat.error_mid": FaultKind("an error event after some text, then the end", "CODE"),
    "chat.stall": FaultKind("accept the request and never answer"),
    "chat.stall_mid": FaultKind("send some text and then nothing more"),
    "chat.drop_mid": FaultKind("cut the socket after some text"),
    "chat.no_done": FaultKind("end the stream without data: [DONE]"),
    "chat.empty": FaultKind("answer without any text"),
    "chat.only_thinking": FaultKind("only unclosed thinking up to the token limit, finish_reason length"),
    "chat.cumulative": FaultKind("reasoning arrives as growing snapshots instead of deltas"),
    "chat.mirror": FaultKind("thinking both in content and in the reasoning fields (M3)"),
    "chat.stray_marker": FaultKind("a </mm:think> without a block before the answer"),
    "chat.split_tags": FaultKind("thinking tags split between two events"),
    "chat.missing_index": FaultKind("tool call deltas without index"),
    "chat.early_words": FaultKind("first words of the answer inside the thinking block (M3)"),
    "chat.words_before_calls": FaultKind("a sentence before the tool calls, as models often say"),
    "chat.written_call": FaultKind(f"tool calls as text in the answer, written as {'|'.join(FORMS)}", "FORM"),
    "chat.damaged": FaultKind(
        "an event of broken JSON, half an emoji and its other half before the last event"
    ),
    "chat.only_emoji": FaultKind("answer with nothing that can be spoken"),
    "chat.bad_json": FaultKind("the first JSON answer does not fit its schema; after a complaint it does"),
    "chat.bad_json_always": FaultKind("no JSON answer fits its schema"),
    "chat.think_in_text": FaultKind("Anthropic path: thinking as <think> text in the text block (M2.5)"),
    "chat.think_once": FaultKind("Anthropic path: no thinking from the second turn on (M3)"),
    "speech.error": FaultKind("fail at the first text of a session", "CODE"),
    "speech.start_error": FaultKind("refuse task_start", "CODE"),
    "speech.drop_after": FaultKind("cut the socket after N audio frames", "N"),
    "speech.drop_at": FaultKind(f"cut the socket at one of {'|'.join(MOMENTS)}", "MOMENT"),
    "speech.stall": FaultKind("accept text and never send audio"),
    "speech.no_event": FaultKind("audio frames lack the event field"),
    "speech.trace_in_base_resp": FaultKind("trace_id only inside base_resp"),
    "speech.no_finished": FaultKind("never send task_finished"),
    "speech.finish_immediately": FaultKind("task_finish drops what is queued"),
    "speech.empty_data": FaultKind("some frames have null data or empty audio"),
    "speech.bad_hex": FaultKind("one frame's audio is not hex"),
    "speech.soft": FaultKind("skip a text with this soft code (2203, 2204, 2205)", "CODE"),
    "speech.split_words": FaultKind("several subtitle entries share one offset range"),
    "speech.double_final": FaultKind("send the end of text N of a socket twice", "N"),
    "speech.late_double_final": FaultKind("send the end of text N again in the middle of the next one", "N"),
    "speech.lost_final": FaultKind("never send the end of text N of a socket", "N"),
    "speech.late_final": FaultKind("send the end of text N in the middle of the next one", "N"),
    "speech.double_flushed": FaultKind("bidi: answer flush N of a socket twice", "N"),
    "speech.lost_flushed": FaultKind("bidi: never answer flush N of a socket", "N"),
    "asr.error": FaultKind("refuse the recording", "CODE"),
    "asr.stall": FaultKind("accept the recording and never answer"),
    "link.dead": FaultKind("every download link has expired (403)"),
    "file.gone": FaultKind("the bytes of a file or result are no longer there"),
    "download.cut": FaultKind("cut a download after N bytes", "N"),
    "download.no_range": FaultKind("a download without ranges and validators"),
    "download.html": FaultKind("a download is an HTML page with status 200"),
    "download.wrong_length": FaultKind("a download promises more bytes than it sends"),
    "upload.502": FaultKind("an upload is answered by a gateway: HTML, HTTP 502"),
    "file.error": FaultKind("refuse a request to the files endpoints", "CODE"),
    "query.error": FaultKind("refuse a question for a task", "CODE"),
    "query.502": FaultKind("a question for a task is answered by a gateway: HTML, HTTP 502"),
    "job.never": FaultKind("a task runs for ever"),
    "job.expire": FaultKind("a task expires after task.expire_s"),
    "job.new_word": FaultKind("a task's running state has a word that no page knows"),
    "callback.wrong_challenge_ok": FaultKind("a wrong answer to the challenge is accepted"),
    "callback.late": FaultKind("the challenge and every push come late by callback.late_s"),
    "callback.twice": FaultKind("the challenge and every push come twice"),
    "callback.lost": FaultKind("no push comes"),
    "voice.error": FaultKind("refuse get_voice and delete_voice", "CODE"),
    "clone.error": FaultKind("refuse a clone", "CODE"),
    "clone.lost": FaultKind("clone the voice, then cut the connection"),
    "design.error": FaultKind("refuse a design", "CODE"),
    "design.lost": FaultKind("design the voice, then cut the connection"),
    "image.error": FaultKind("refuse an image request", "CODE"),
    "image.lost": FaultKind("draw the pictures, then cut the connection"),
    "image.partial": FaultKind("half of the pictures are stopped as sensitive"),
    "music.error": FaultKind("refuse a music request", "CODE"),
    "music.lost": FaultKind("compose the song, then cut the connection"),
    "music.drop_mid": FaultKind("cut a music stream after its first event"),
    "cover.error": FaultKind("refuse to prepare a cover", "CODE"),
    "cover.lost": FaultKind("prepare the cover, then cut the connection"),
    "lyrics.error": FaultKind("refuse a lyrics request", "CODE"),
    "lyrics.lost": FaultKind("write the lyrics, then cut the connection"),
    "video.error": FaultKind("refuse to make a video task", "CODE"),
    "video.fail": FaultKind("a video task ends with Fail", "CODE"),
    "video.lost": FaultKind("make the video task, then cut the connection"),
    "template.error": FaultKind("refuse to make a template task", "CODE"),
    "template.fail": FaultKind("a template task ends with Fail", "CODE"),
    "template.lost": FaultKind("make the template task, then cut the connection"),
    "video_v2.error": FaultKind("refuse to make a V2 task", "CODE"),
    "video_v2.fail": FaultKind("a V2 task ends with failed", "CODE"),
    "video_v2.lost": FaultKind("make the V2 task, then cut the connection"),
    "narration.error": FaultKind("refuse a long text", "CODE"),
    "narration.fail": FaultKind("a long text ends with Failed", "CODE"),
    "narration.lost": FaultKind("accept the long text, then cut the connection"),
    "batch.error": FaultKind("refuse a batch", "CODE"),
    "batch.fail": FaultKind("a batch ends with failed", "CODE"),
    "batch.lost": FaultKind("make the batch, then cut the connection"),
    "batch.bad_line": FaultKind("one line of a batch's output is not JSON"),
    "batch.lost_line": FaultKind("one request of a batch is in neither output file"),
    "anthropic.error": FaultKind("refuse a message before any text", "CODE"),
    "anthropic.error_mid": FaultKind("an error event after some text, then the end", "CODE"),
    "anthropic.stall": FaultKind("accept the message and never answer"),
    "anthropic.stall_mid": FaultKind("send some text of the message and then nothing more"),
    "anthropic.drop_mid": FaultKind("cut the socket after some text of the message"),
    "anthropic.no_stop": FaultKind("end the stream without message_stop"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One requested fault. `probability` is its chance in each request."""

    name: str
    value: str = ""
    probability: float = 1.0

    def __str__(self) -> str:
        value = f"={self.value}" if self.value else ""
        chance = "" if self.probability == 1.0 else f"@{self.probability!r}"
        return f"{self.name}{value}{chance}"


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of an error message with the most similar known name, or an empty text."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def parse_fault(text: str) -> Fault:
    """Read `NAME[=VALUE][@PROBABILITY]`. Raises ConfigError naming the nearest known fault."""
    rest, at, chance = text.strip().partition("@")
    name, _, value = rest.partition("=")
    name, value = name.strip(), value.strip()
    kind = FAULTS.get(name)
    if kind is None:
        raise ConfigError(f"unknown fault {name!r}{nearest(name, FAULTS)}")
    _check_value(name, kind, value)
    return Fault(name, value, _probability(name, chance) if at else 1.0)


def parse_faults(text: str) -> tuple[Fault, ...]:
    """Read a comma-separated list, as in the header `X-Sandbox-Fault`."""
    return tuple(parse_fault(part) for part in text.split(",") if part.strip())


def _check_value(name: str, kind: FaultKind, value: str) -> None:
    match kind.value:
        case "" if value:
            raise ConfigError(f"fault {name!r} takes no value")
        case "CODE" | "N" if not (value.isascii() and value.isdigit()):
            raise ConfigError(f"fault {name!r} needs a number: {name}={kind.value}")
        case "MOMENT" if value not in MOMENTS:
            raise ConfigError(f"fault {name!r} needs one of {', '.join(MOMENTS)}{nearest(value, MOMENTS)}")
        case "FORM" if value not in FORMS:
            raise ConfigError(f"fault {name!r} needs one of {', '.join(FORMS)}{nearest(value, FORMS)}")


def _probability(name: str, text: str) -> float:
    try:
        chance = float(text)
    except ValueError:
        chance = math.nan
    if not 0.0 <= chance <= 1.0:
        raise ConfigError(f"fault {name!r}: the probability after @ must be between 0 and 1, not {text!r}")
    return chance


class Faults:
    """The faults of one request. Chance decides once for each name, so every call gives the same result.

    `left` (shared between requests) is how often a fault still applies; a name that is not in it always may.
    """

    def __init__(
        self, faults: Iterable[Fault], random_source: random.Random, left: dict[str, int] | None = None
    ) -> None:
        self._faults = {fault.name: fault for fault in faults}
        self._random = random_source
        self._left = {} if left is None else left
        self._drawn: dict[str, bool] = {}

    def get(self, name: str) -> str | None:
        """The fault's value ("" if it takes none) if it applies to this request, else None."""
        if name not in FAULTS:
            raise KeyError(name)
        fault = self._faults.get(name)
        if fault is None:
            return None
        if name not in self._drawn:
            self._drawn[name] = self._random.random() < fault.probability and self._left.get(name, 1) > 0
            if self._drawn[name] and name in self._left:
                self._left[name] -= 1
        return fault.value if self._drawn[name] else None

    def has(self, name: str) -> bool:
        """Whether the fault applies to this request."""
        return self.get(name) is not None

    def number(self, name: str) -> int | None:
        """The value of a CODE or N fault if it applies, else None."""
        value = self.get(name)
        return None if value is None else int(value)

    def redrawn(self) -> Faults:
        """The same faults for the next request on one socket; chance decides again."""
        return Faults(self._faults.values(), self._random, self._left)
