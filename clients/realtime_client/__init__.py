"""A client of the wire: connection, microphone, speaker, terminal.

async with connect("ws://127.0.0.1:8000/v1/realtime", speaker=Speaker(), microphone=Microphone()) as conversation:
    async for event in conversation:
        print(event["type"])

Names are imported when they are first used: a program that plays nothing does without the modules of sound.

The modules, by what they are for:

    a conversation      connection, conversation, talk, errors
    a socket            opening, address, proxies, silence
    after a lost line   line, resuming, rebuilding, unheard
    sound               microphone, speaker, devices, calls, player, playback, files
    the terminal        terminal, captions, columns, keyboard, prompt
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from .address import tls_context
    from .connection import connect
    from .conversation import Conversation, Event
    from .errors import ClientError, ConnectionFailed, ConnectionLost, DeviceError, FileError
    from .microphone import Microphone
    from .playback import Playback
    from .player import PartKey, Player, Position
    from .speaker import Speaker
    from .talk import AudioInput, AudioOutput

_MODULES = {
    "AudioInput": ".talk",
    "AudioOutput": ".talk",
    "ClientError": ".errors",
    "ConnectionFailed": ".errors",
    "ConnectionLost": ".errors",
    "Conversation": ".conversation",
    "DeviceError": ".errors",
    "Event": ".conversation",
    "FileError": ".errors",
    "Microphone": ".microphone",
    "PartKey": ".player",
    "Playback": ".playback",
    "Player": ".player",
    "Position": ".player",
    "Speaker": ".speaker",
    "connect": ".connection",
    "tls_context": ".address",
}

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


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name], __name__), name)
