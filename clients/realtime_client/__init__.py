"""A client of the wire: connection, microphone, speaker, terminal.

async with connect("ws://127.0.0.1:8000/v1/realtime", speaker=Speaker(), microphone=Microphone()) as conversation:
    async for event in conversation:
        print(event["type"])
"""

from .address import tls_context
from .connection import connect
from .conversation import Conversation, Event
from .errors import ClientError, ConnectionFailed, ConnectionLost, DeviceError, FileError
from .microphone import Microphone
from .playback import Playback
from .player import PartKey, Player, Position
from .speaker import Speaker
from .talk import AudioInput, AudioOutput

__all__ = [
    "AudioInput",
    "AudioOutput",
    "ClientError",
    "ConnectionFailed",
    "ConnectionLost",
    "Conversation",
    "DeviceError",
    "Event",
    "FileError",
    "Microphone",
    "PartKey",
    "Playback",
    "Player",
    "Position",
    "Speaker",
    "connect",
    "tls_context",
]
