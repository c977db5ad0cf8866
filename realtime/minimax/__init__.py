"""A client of the MiniMax platform, usable alone.

    async with MiniMax.from_env() as mm: ...

The modules, by what they are for:

    the client          client, hosts, models
    the tables          operations, field_tables, fields, codes
    one request         door, http, sessions, loops, leaving, network_errors, proxied, proxies, pacing, retries,
                        retry_after, sse, json_text, reading, errors, results
    files out           file_source, file_purposes, media_input, picture_size, audio_length, mp3_frames, sniff,
                        multipart, upload
    files in            fetching, part_file, download, media_result
    tasks               job, job_kind, job_schedule, job_states, in_flight, callbacks
    chat                chat, chat_call, chat_checks, chat_options, chat_dialect, chat_request, chat_stream, chat_whole,
                        chat_parse, chat_schema, chat_models, charsets, native_events, spares, idle_connections,
                        dead_peers
    text of an answer   thinking, visible_text, end_tokens, damaged_text
    calls in an answer  call_assembler, typed_arguments, written_calls, written_openings, written_heads, written_forms,
                        written_json, written_relatives, written_naked, written_ends
    its third dialect   chat_anthropic, anthropic_stream
    live speech         speech, speech_config, speech_protocol, speech_chunk, speech_ends, speech_lengths,
                        speech_format, speech_session, speech_socket, speech_bidi, speech_http, subtitles
    speech as a file    speech_whole, speech_fields, speech_rules, subtitle_lines
    long speech         narration, narration_source, narration_tar
    transcription       asr
    voices              voices, clone, design, voice_language
    files, batches      files, batches, batch_lines, batch_answers
    pictures            images, image_rules
    music               music, music_request, music_results, music_rules, music_stream, cover_source
    films               video, video_rules, film, templates
    films of V2         video_v2, video_v2_content, video_v2_results, video_v2_rules

`x.py` has the calls of one namespace; `x_rules.py` the rules between its arguments, `x_results.py` its results.

Names are imported when they are first used, so that a program imports only what it uses.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from realtime.errors import (
        AnswerLost,
        ConfigError,
        InvalidArgument,
        NotFinished,
        ProviderError,
        ProviderRejected,
        ProviderTimeout,
        ProviderUnavailable,
        StorageError,
        TaskFailed,
    )
    from realtime.minimax.asr import Transcription
    from realtime.minimax.batch_answers import BatchResult
    from realtime.minimax.batch_lines import BatchRequest
    from realtime.minimax.batches import Batch, BatchJob, BatchProblem
    from realtime.minimax.callbacks import Callbacks
    from realtime.minimax.chat import Chat
    from realtime.minimax.chat_call import ChatOptions
    from realtime.minimax.chat_models import ChatModelInfo
    from realtime.minimax.chat_parse import ParseFailed
    from realtime.minimax.chat_whole import ChatAnswer
    from realtime.minimax.client import MiniMax
    from realtime.minimax.clone import ClonedVoice
    from realtime.minimax.design import DesignedVoice
    from realtime.minimax.door import Pause
    from realtime.minimax.download import Saved
    from realtime.minimax.files import FileInfo
    from realtime.minimax.film import Film
    from realtime.minimax.images import Picture, Pictures
    from realtime.minimax.job import Job, JobProgress, Schedule, State
    from realtime.minimax.models import Endpoint
    from realtime.minimax.music import CoverFeatures, Lyrics, Song, SongSection
    from realtime.minimax.narration import Narration, Narrations
    from realtime.minimax.narration_tar import NarrationPart
    from realtime.minimax.operations import Limit
    from realtime.minimax.speech import SpeechClient, Transport
    from realtime.minimax.speech_config import SpeechConfig
    from realtime.minimax.speech_protocol import ChunkEnd, ReceivedAudio, WordTimes
    from realtime.minimax.speech_session import SpeechSession, SpeechTimeouts
    from realtime.minimax.speech_whole import SpeechFile, SpeechStream
    from realtime.minimax.subtitle_lines import SubtitleLine, SubtitleWord
    from realtime.minimax.templates import Template
    from realtime.minimax.video_v2_content import (
        Media,
        base_video,
        first_frame,
        last_frame,
        reference_audio,
        reference_image,
        reference_video,
    )
    from realtime.minimax.video_v2_results import DeletedTask, FilmV2, VideoPrompt, VideoTask
    from realtime.minimax.voices import VoiceInfo, Voices

_MODULES = {
    "AnswerLost": "realtime.errors",
    "Batch": "realtime.minimax.batches",
    "BatchJob": "realtime.minimax.batches",
    "BatchProblem": "realtime.minimax.batches",
    "BatchRequest": "realtime.minimax.batch_lines",
    "BatchResult": "realtime.minimax.batch_answers",
    "Callbacks": "realtime.minimax.callbacks",
    "Chat": "realtime.minimax.chat",
    "ChatAnswer": "realtime.minimax.chat_whole",
    "ChatModelInfo": "realtime.minimax.chat_models",
    "ChatOptions": "realtime.minimax.chat_call",
    "ChunkEnd": "realtime.minimax.speech_protocol",
    "ClonedVoice": "realtime.minimax.clone",
    "ConfigError": "realtime.errors",
    "CoverFeatures": "realtime.minimax.music",
    "DeletedTask": "realtime.minimax.video_v2_results",
    "DesignedVoice": "realtime.minimax.design",
    "Endpoint": "realtime.minimax.models",
    "FileInfo": "realtime.minimax.files",
    "Film": "realtime.minimax.film",
    "FilmV2": "realtime.minimax.video_v2_results",
    "InvalidArgument": "realtime.errors",
    "Job": "realtime.minimax.job",
    "JobProgress": "realtime.minimax.job",
    "Limit": "realtime.minimax.operations",
    "Lyrics": "realtime.minimax.music",
    "Media": "realtime.minimax.video_v2_content",
    "MiniMax": "realtime.minimax.client",
    "Narration": "realtime.minimax.narration",
    "NarrationPart": "realtime.minimax.narration_tar",
    "Narrations": "realtime.minimax.narration",
    "NotFinished": "realtime.errors",
    "ParseFailed": "realtime.minimax.chat_parse",
    "Pause": "realtime.minimax.door",
    "Picture": "realtime.minimax.images",
    "Pictures": "realtime.minimax.images",
    "ProviderError": "realtime.errors",
    "ProviderRejected": "realtime.errors",
    "ProviderTimeout": "realtime.errors",
    "ProviderUnavailable": "realtime.errors",
    "ReceivedAudio": "realtime.minimax.speech_protocol",
    "Saved": "realtime.minimax.download",
    "Schedule": "realtime.minimax.job",
    "Song": "realtime.minimax.music",
    "SongSection": "realtime.minimax.music",
    "SpeechClient": "realtime.minimax.speech",
    "SpeechConfig": "realtime.minimax.speech_config",
    "SpeechFile": "realtime.minimax.speech_whole",
    "SpeechSession": "realtime.minimax.speech_session",
    "SpeechStream": "realtime.minimax.speech_whole",
    "SpeechTimeouts": "realtime.minimax.speech_session",
    "State": "realtime.minimax.job",
    "StorageError": "realtime.errors",
    "SubtitleLine": "realtime.minimax.subtitle_lines",
    "SubtitleWord": "realtime.minimax.subtitle_lines",
    "TaskFailed": "realtime.errors",
    "Template": "realtime.minimax.templates",
    "Transcription": "realtime.minimax.asr",
    "Transport": "realtime.minimax.speech",
    "VideoPrompt": "realtime.minimax.video_v2_results",
    "VideoTask": "realtime.minimax.video_v2_results",
    "VoiceInfo": "realtime.minimax.voices",
    "Voices": "realtime.minimax.voices",
    "WordTimes": "realtime.minimax.speech_protocol",
    "base_video": "realtime.minimax.video_v2_content",
    "first_frame": "realtime.minimax.video_v2_content",
    "last_frame": "realtime.minimax.video_v2_content",
    "reference_audio": "realtime.minimax.video_v2_content",
    "reference_image": "realtime.minimax.video_v2_content",
    "reference_video": "realtime.minimax.video_v2_content",
}

__all__ = [
    "AnswerLost",
    "Batch",
    "BatchJob",
    "BatchProblem",
    "BatchRequest",
    "BatchResult",
    "Callbacks",
    "Chat",
    "ChatAnswer",
    "ChatModelInfo",
    "ChatOptions",
    "ChunkEnd",
    "ClonedVoice",
    "ConfigError",
    "CoverFeatures",
    "DeletedTask",
    "DesignedVoice",
    "Endpoint",
    "FileInfo",
    "Film",
    "FilmV2",
    "InvalidArgument",
    "Job",
    "JobProgress",
    "Limit",
    "Lyrics",
    "Media",
    "MiniMax",
    "Narration",
    "NarrationPart",
    "Narrations",
    "NotFinished",
    "ParseFailed",
    "Pause",
    "Picture",
    "Pictures",
    "ProviderError",
    "ProviderRejected",
    "ProviderTimeout",
    "ProviderUnavailable",
    "ReceivedAudio",
    "Saved",
    "Schedule",
    "Song",
    "SongSection",
    "SpeechClient",
    "SpeechConfig",
    "SpeechFile",
    "SpeechSession",
    "SpeechStream",
    "SpeechTimeouts",
    "State",
    "StorageError",
    "SubtitleLine",
    "SubtitleWord",
    "TaskFailed",
    "Template",
    "Transcription",
    "Transport",
    "VideoPrompt",
    "VideoTask",
    "VoiceInfo",
    "Voices",
    "WordTimes",
    "base_video",
    "first_frame",
    "last_frame",
    "reference_audio",
    "reference_image",
    "reference_video",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
