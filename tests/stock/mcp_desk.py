"""MiniMax's MCP server at work: a sandbox, one server that saves what it gets and one that says where it is, and a folder.

Knows how the answers of its tools name files, URLs and voices. Does not know what a tool makes.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import av

from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from tests.sandbox.platform_kit import NO_WAIT
from tests.sandbox.voice_kit import recording
from tests.stock.mcp_server import Server

SAID = "Good evening. The train to the sea leaves at nine."
PROMPT = "A red house by the sea"
TOOLS = {
    "text_to_audio", "list_voices", "voice_clone", "voice_design", "play_audio", "text_to_image", "generate_video",
    "query_video_generation",
}  # fmt: skip
# Its own wait between two questions for a video is 20 s, so the videos are done before the first question.
_AT_ONCE = (
    "video.prepare_s=0",
    "video.queue_s=0",
    "video.process_s=0",
    "speech.hd_first_ms=0",
    "speech.factor=1000",
)


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything on one desk."""

    sandbox: Sandbox
    local: Server  # saves files
    urls: Server  # says URLs, which is its default
    folder: Path  # MINIMAX_MCP_BASE_PATH
    me: Path  # a recording of twelve seconds
    played: Path  # what its player was given

    @classmethod
    @asynccontextmanager
    async def laid(cls, folder: Path) -> AsyncIterator[Desk]:
        """The sandbox and both servers run until the end of the block."""
        me = folder / "me.mp3"
        me.write_bytes(recording(12, format="mp3", voice="female-shaonv"))
        played = folder / "played"
        player = os.pathsep.join((str(_player(folder / "bin", played)), os.environ["PATH"]))
        async with (
            Sandbox(SandboxOptions.parse("local", (*NO_WAIT, *_AT_ONCE))) as sandbox,
            Server.started(**settings(sandbox, folder, "local"), PATH=player) as local,
            Server.started(**settings(sandbox, folder, "url")) as urls,
        ):
            yield cls(sandbox, local, urls, folder, me, played)


def settings(sandbox: Sandbox, folder: Path, mode: str, key: str = "any") -> dict[str, str]:
    """The variables of its users."""
    return {
        "MINIMAX_API_KEY": key,
        "MINIMAX_API_HOST": sandbox.url,
        "MINIMAX_MCP_BASE_PATH": str(folder),
        "MINIMAX_API_RESOURCE_MODE": mode,
    }


def _player(folder: Path, played: Path) -> Path:
    """A folder with a program `ffplay` that keeps what it is given instead of playing it."""
    folder.mkdir()
    program = folder / "ffplay"
    program.write_text(f"#!/bin/sh\nexec cat >'{played}'\n")
    program.chmod(0o755)
    return folder


def saved(said: str) -> bytes:
    """The one file that an answer names."""
    paths = files(said)
    assert len(paths) == 1, said
    return paths[0].read_bytes()


def files(said: str) -> list[Path]:
    """The files that an answer names, and they all exist."""
    paths = [Path(name) for name in re.findall(r"/[^'\",]+\.(?:mp3|flac|wav|jpg|mp4)", said)]
    assert paths, said
    assert all(path.is_file() for path in paths), said
    return paths


async def fetched(said: str) -> list[bytes]:
    """What is at the URLs of an answer, for a stranger without a key."""
    found = re.findall(r"http://[^'\",\] ]+", said)
    assert found, said
    async with aiohttp.ClientSession(raise_for_status=True) as stranger:
        return [await (await stranger.get(url)).read() for url in found]


def audio_facts(data: bytes) -> tuple[str, int, int]:
    """Codec, sample rate in Hertz, channels."""
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.audio[0]
        return stream.codec_context.name, stream.rate, stream.channels


def seconds(data: bytes) -> float:
    """How long the sound is."""
    with av.open(io.BytesIO(data)) as container:
        return sum(frame.samples / frame.rate for frame in container.decode(audio=0))


def ids(said: str) -> list[str]:
    """The ids in a list of voices."""
    return re.findall(r"ID: ([^'\"]+)['\"]", said)
