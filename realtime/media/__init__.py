"""Recordings that people bring and audio that they take away: measured, converted, levelled, joined with chapters.

It reads and writes files and starts ffmpeg, so every function blocks: call them with `asyncio.to_thread`. The terminal
client has its MP3 from here too.
"""

from realtime.media.chapters import Joined, Part, join
from realtime.media.ffmpeg import AudioSource, duration_s
from realtime.media.mp3 import check_mp3, encode_mp3, pyav
from realtime.media.recording import MOST_BYTES, TooLong, read_recording
from realtime.media.sample import Sample, prepare_sample

__all__ = [
    "MOST_BYTES",
    "AudioSource",
    "Joined",
    "Part",
    "Sample",
    "TooLong",
    "check_mp3",
    "duration_s",
    "encode_mp3",
    "join",
    "prepare_sample",
    "pyav",
    "read_recording",
]
