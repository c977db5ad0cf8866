"""`POST /v1/voice_design`: the description of a voice in, the voice out (docs/minimax/voices.md 3).

The reading of the description is in `voice_designs.py`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from . import fields
from .clone_rules import DESIGN_TEXT, check_voice_id
from .native import Call, Endpoint, add_endpoint
from .refusal import Refusal
from .speech_request import SENSITIVE_WORDS
from .voice_demo import speak_demo
from .voice_designs import designed_traits, new_voice_id
from .voices import account_of, create_voice, is_taken

PATH = "/v1/voice_design"


def add_routes(app: web.Application) -> None:
    """Register the endpoint."""
    add_endpoint(app, "POST", PATH, Endpoint("design", design, "design", "voice.design_ms"))


async def design(call: Call) -> dict[str, Any]:
    """Make a voice from its description and let it say the preview. Raises Refusal."""
    prompt = fields.text(call.body, "prompt")
    preview = fields.text(call.body, "preview_text", most=DESIGN_TEXT)
    fields.flag(call.body, "aigc_watermark")
    if not prompt.strip() or not preview.strip():
        raise fields.invalid("prompt" if not prompt.strip() else "preview_text", "must not be empty")
    voice_id = _voice_id(call)
    # The document lists 1027 and not 1026 for this endpoint.
    if any(word in text for word in SENSITIVE_WORDS for text in (prompt, preview)):
        raise Refusal(1027)
    traits = designed_traits(prompt)
    demo = await speak_demo(preview, voice_id, traits)
    if is_taken(call.state, voice_id):  # a second request was faster
        raise Refusal(2039)
    create_voice(call.state, voice_id, "voice_generation", [prompt], traits, account_of(call.request))
    return {"voice_id": voice_id, "trial_audio": demo.mp3.hex()}


def _voice_id(call: Call) -> str:
    """The id that the request wants, or a new one. Raises Refusal 2013 and 2039."""
    wanted = fields.text(call.body, "voice_id", "")
    if not wanted:
        now = datetime.fromtimestamp(call.state.clock.unix_s(), UTC)  # whole seconds
        return new_voice_id(now.replace(microsecond=datetime.now(UTC).microsecond))
    if problem := check_voice_id(wanted, lambda voice_id: is_taken(call.state, voice_id)):
        raise Refusal(problem.code, problem.message)
    return wanted
