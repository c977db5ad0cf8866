"""A client of the MiniMax platform, usable alone."""

from realtime.minimax.client import MiniMax
from realtime.minimax.models import Endpoint
from realtime.minimax.speech import SpeechClient, Transport
from realtime.minimax.speech_config import SpeechConfig
from realtime.minimax.speech_protocol import ChunkEnd, ReceivedAudio, WordTimes
from realtime.minimax.speech_session import SpeechSession, SpeechTimeouts

__all__ = [
    "ChunkEnd",
    "Endpoint",
    "MiniMax",
    "ReceivedAudio",
    "SpeechClient",
    "SpeechConfig",
    "SpeechSession",
    "SpeechTimeouts",
    "Transport",
    "WordTimes",
]
