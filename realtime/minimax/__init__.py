"""A client of the MiniMax platform, usable alone."""

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
from realtime.minimax.files import FileInfo
from realtime.minimax.film import Film
from realtime.minimax.images import Picture, Pictures
from realtime.minimax.models import Endpoint
from realtime.minimax.music import CoverFeatures, Lyrics, Song, SongSection
from realtime.minimax.narration import Narration, Narrations
from realtime.minimax.narration_tar import NarrationPart
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
    "CoverFeatures",
    "DeletedTask",
    "DesignedVoice",
    "Endpoint",
    "FileInfo",
    "Film",
    "FilmV2",
    "Lyrics",
    "Media",
    "MiniMax",
    "Narration",
    "NarrationPart",
    "Narrations",
    "ParseFailed",
    "Picture",
    "Pictures",
    "ReceivedAudio",
    "Song",
    "SongSection",
    "SpeechClient",
    "SpeechConfig",
    "SpeechFile",
    "SpeechSession",
    "SpeechStream",
    "SpeechTimeouts",
    "SubtitleLine",
    "SubtitleWord",
    "Template",
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
