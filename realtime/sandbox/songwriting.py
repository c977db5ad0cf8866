"""`POST /v1/lyrics_generation`: a prompt in, a title, style words and tagged lyrics out (docs/minimax/music.md 3).

Knows the fields. The words are made in `lyrics.py`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from . import fields
from .lyrics import edit_lyrics, write_lyrics
from .native import Call, Endpoint, add_endpoint
from .sensitive import refuse_sensitive

PATH = "/v1/lyrics_generation"
WRITE, EDIT = "write_full_song", "edit"


def add_routes(app: web.Application) -> None:
    """Register the endpoint."""
    add_endpoint(app, "POST", PATH, Endpoint("lyrics", write, "lyrics", "lyrics.ms"))


async def write(call: Call) -> dict[str, Any]:
    """Write a song, or change one. The same request gives another song each time."""
    mode = fields.one_of(call.body, "mode", (WRITE, EDIT))
    prompt = fields.text(call.body, "prompt", "", most=2000)
    lyrics = fields.text(call.body, "lyrics", "", most=3500)
    title = fields.text(call.body, "title", "")
    if lyrics and mode != EDIT:
        raise fields.invalid("lyrics", f"is only for {EDIT}")
    refuse_sensitive(prompt, lyrics, title)
    seed = int(call.trace_id[:8], 16)
    if mode == EDIT:
        song = await asyncio.to_thread(edit_lyrics, prompt, lyrics, title=title or None, seed=seed)
    else:
        song = await asyncio.to_thread(write_lyrics, prompt, title=title or None, seed=seed)
    return {"song_title": song.title, "style_tags": song.style_tags, "lyrics": song.text}
