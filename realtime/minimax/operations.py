"""Every call of the platform in one table: address, price, time limit, limits, codes.

One row is one operation (docs/minimax/README.md 5 and 6, and the page named in `source`). docs/platform.md is made of
it. Knows no arguments (`fields`) and sends nothing (`door`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """The documented limits of a group of operations for a paying account. None: none is documented.

    `in_flight` counts calls or tasks of the group that are not finished. Where the regions differ, the smaller number.
    """

    per_minute: int | None = None
    in_flight: int | None = None


LIMITS: Mapping[str, Limit] = {
    "clone": Limit(60),
    "design": Limit(20),
    "image": Limit(10),
    "music": Limit(120, 20),
    "video": Limit(20),
    "video_v2": Limit(300, 15),
    "narration_query": Limit(300),  # the documents allow 10 a second; half of that is never needed
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One call. `name` is its Python name below `MiniMax`; `path` may hold `{names}`.

    `billed`: a request whose answer was lost is not sent again. `timeout_s` bounds the wait for the whole answer,
    `limit` is a row of LIMITS, `codes` are those of its own page, `result` the type in `results` or the module of the
    call, `command` the command line that uses it, `source` a page of docs/minimax/.
    """

    name: str
    method: str
    path: str
    source: str
    result: str = ""
    command: str = ""
    billed: bool = False
    timeout_s: float = 30.0
    limit: str = ""
    codes: tuple[int, ...] = (1002, 1004, 2013)


_MEDIA = (1002, 1004, 1008, 1026, 2013, 2049, 2061)
_QUERY = (1002, 1004, 1026, 1027)
_FILES = (1000, 1001, 1002, 1004, 1008, 1013, 1026, 1027, 1039, 2013)
_SPEECH = (1000, 1001, 1002, 1004, 1039, 1042, 2013, 2042, 2054)
_CHAT = (1000, 1001, 1002, 1004, 1008, 1026, 1027, 1039, 2013, 2064)
_CLONE = (1000, 1001, 1002, 1004, 1013, 1043, 1044, 2013, 2037, 2038, 2039, 2042, 2048, 20132)
_DESIGN = (1000, 1001, 1002, 1004, 1008, 1013, 1027, 1039, 2013)
_V2 = (1002, 1004, 1008, 1026, 2013)


def _row(
    *args: str, codes: tuple[int, ...], limit: str = "", s: float = 30.0, billed: bool = False
) -> Operation:
    name, method, path, source, result, command = args
    return Operation(name, method, path, source, result, command, billed, s, limit, codes)


OPERATIONS: Mapping[str, Operation] = {
    operation.name: operation
    for operation in (
        _row("chat.stream", "POST", "/v1/chat/completions", "chat.md 2", "ChatEvent", "ask", codes=_CHAT, billed=True, s=15),
        _row("chat.complete", "POST", "/v1/chat/completions", "chat.md 3", "ChatAnswer", "", codes=_CHAT, billed=True, s=120),
        _row("chat.parse", "POST", "/v1/text/chatcompletion_v2", "chat.md 6", "T", "", codes=_CHAT, billed=True, s=120),
        _row("chat.count_tokens", "POST", "/anthropic/v1/messages/count_tokens", "anthropic.md", "int", "", codes=_CHAT),
        _row("models", "GET", "/v1/models", "chat.md 1", "str", "doctor", codes=(1002, 1004)),
        _row("transcribe", "POST", "/v1/speech_to_text", "asr.md", "Transcription", "", codes=(1002, 1004, 2013), billed=True),
        _row("speech.synthesize", "POST", "/v1/t2a_v2", "t2a-http.md 1", "SpeechFile", "voices try", codes=_SPEECH, billed=True, s=60),
        _row("narration.create", "POST", "/v1/t2a_async_v2", "t2a-async.md 1", "Job", "narrate", codes=_SPEECH, billed=True, s=60),
        _row("narration.task", "GET", "/v1/query/t2a_async_query_v2", "t2a-async.md 2", "Narration", "tasks", codes=_SPEECH, limit="narration_query"),
        _row("voices.list", "POST", "/v1/get_voice", "voices.md 4", "VoiceInfo", "voices list", codes=(2013,)),
        _row("voices.clone", "POST", "/v1/voice_clone", "voices.md 2", "ClonedVoice", "voices clone", codes=_CLONE, limit="clone", billed=True, s=120),
        _row("voices.design", "POST", "/v1/voice_design", "voices.md 3", "DesignedVoice", "voices design", codes=_DESIGN, limit="design", billed=True, s=120),
        _row("voices.delete", "POST", "/v1/delete_voice", "voices.md 5", "", "voices delete", codes=(2013,)),
        _row("files.upload", "POST", "/v1/files/upload", "files.md 1", "FileInfo", "files upload", codes=_FILES, s=600),
        _row("files.list", "GET", "/v1/files/list", "files.md 2", "FileInfo", "files list", codes=_FILES),
        _row("files.get", "GET", "/v1/files/retrieve", "files.md 3", "FileInfo", "files info", codes=_FILES),
        _row("files.open", "GET", "/v1/files/retrieve_content", "files.md 4", "bytes", "files get", codes=_FILES),
        _row("files.delete", "POST", "/v1/files/delete", "files.md 5", "", "files delete", codes=_FILES),
        _row("batches.create", "POST", "/v1/batches", "batch.md 2", "Job", "batch run", codes=(1002, 1004, 1008, 2013), billed=True),
        _row("batches.task", "GET", "/v1/batches/{batch_id}", "batch.md 2", "Batch", "tasks", codes=(1002, 1004, 2013)),
        _row("batches.cancel", "POST", "/v1/batches/{batch_id}/cancel", "batch.md 2", "Batch", "batch cancel", codes=(1002, 1004, 2013)),
        _row("batches.list", "GET", "/v1/batches", "batch.md 2", "Batch", "batch list", codes=(1002, 1004, 2013)),
        _row("images.create", "POST", "/v1/image_generation", "image.md", "Pictures", "image", codes=_MEDIA, limit="image", billed=True, s=180),
        _row("music.create", "POST", "/v1/music_generation", "music.md 1", "Song", "music", codes=_MEDIA, limit="music", billed=True, s=600),
        _row("music.write_lyrics", "POST", "/v1/lyrics_generation", "music.md 3", "Lyrics", "music", codes=_MEDIA, limit="music", billed=True, s=120),
        _row("music.prepare_cover", "POST", "/v1/music_cover_preprocess", "music.md 2", "CoverFeatures", "music", codes=_MEDIA, limit="music", billed=True, s=300),
        _row("video.create", "POST", "/v1/video_generation", "video.md 1", "Job", "video", codes=_MEDIA, limit="video", billed=True, s=120),
        _row("video.task", "GET", "/v1/query/video_generation", "video.md 2", "Film", "tasks", codes=_QUERY),
        _row("templates.create", "POST", "/v1/video_template_generation", "video.md 3", "Job", "video template", codes=_MEDIA, limit="video", billed=True, s=120),
        _row("templates.task", "GET", "/v1/query/video_template_generation", "video.md 3", "Film", "tasks", codes=_QUERY),
        _row("video_v2.create", "POST", "/v2/video_generation", "video.md 4", "Job", "video", codes=_V2, limit="video_v2", billed=True, s=120),
        _row("video_v2.task", "GET", "/v2/query/video_generation/{task_id}", "video.md 4", "FilmV2", "tasks", codes=(1002, 1004, 2013)),
        _row("video_v2.list", "GET", "/v2/query/video_generation", "video.md 4", "VideoTask", "", codes=(1002, 1004, 2013)),
        _row("video_v2.delete", "DELETE", "/v2/video_generation/{task_id}", "video.md 4", "DeletedTask", "", codes=(1002, 1004, 2013)),
        _row("video_v2.regenerate", "POST", "/v2/video_regeneration", "video.md 4", "Job", "", codes=_V2, limit="video_v2", billed=True, s=120),
        _row("video_v2.context", "POST", "/v2/h3_context_ir", "video.md 4", "Job", "", codes=_V2, limit="video_v2", billed=True, s=120),
    )
}  # fmt: skip
