"""A client of the MiniMax platform, usable alone.

    async with MiniMax.from_env() as mm: ...

The modules, by what they are for:

    the client          client, hosts, models
    the tables          operations, field_tables, fields, codes
    one request         door, http, proxied, proxies, pacing, retries, retry_after, sse, json_text, reading, errors,
                        results
    files out           file_source, file_purposes, media_input, picture_size, audio_length, mp3_frames, sniff,
                        multipart, upload
    files in            fetching, part_file, download, media_result
    tasks               job, job_kind, job_schedule, job_states, in_flight, callbacks
    chat                chat, chat_call, chat_checks, chat_dialect, chat_request, chat_stream, chat_whole, chat_parse,
                        chat_schema, chat_models, spares
    text of an answer   thinking, visible_text, end_tokens, damaged_text
    calls in an answer  call_assembler, typed_arguments, written_calls, written_forms, written_relatives, written_naked,
                        written_ends
    its third dialect   chat_anthropic, anthropic_stream
    live speech         speech, speech_config, speech_protocol, speech_chunk, speech_ends, speech_session,
                        speech_socket, speech_bidi, speech_http, subtitles
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
"""

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
