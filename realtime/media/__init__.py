"""Recordings that people bring and audio that they take away: measured, converted, levelled, joined with chapters.

It reads and writes files and starts ffmpeg, so every function blocks: call them with `asyncio.to_thread`. The terminal
client gets pydub from here too.
"""

from realtime.media.chapters import Joined, Part, join
from realtime.media.ffmpeg import AudioSource, duration_s, pydub_segment
from realtime.media.sample import Sample, prepare_sample

__all__ = ["AudioSource", "Joined", "Part", "Sample", "duration_s", "join", "prepare_sample", "pydub_segment"]
