"""The small pure modules of the SDK, imported and run in Chromium."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.eventually import eventually
from tests.web.fake_server import serving
from tests.web.test_page import session_of

# --- framing ---


async def test_frame_is_encoded_as_documented(page: Any) -> None:
    """The example of docs/wire.md 6.2: the eighth frame, captured at 140 ms."""
    written = await page.evaluate("""async () => {
        const { encodeFrame } = await import("/sdk/framing.js");
        return Array.from(new Uint8Array(encodeFrame({ pcm: new Int16Array([0, 16]), seq: 7, startMs: 140 })));
    }""")
    assert bytes(written) == bytes.fromhex("01010000 07000000 8C000000 0000 1000")


async def test_frame_is_decoded_as_documented(page: Any) -> None:
    """Both server frames of the example, audio and END."""
    read = await page.evaluate("""async () => {
        const { decodeFrame } = await import("/sdk/framing.js");
        const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16)).buffer;
        return ["010100012A000000D80400000100FFFF", "010101012B000000EC040000"]
            .map((hex) => decodeFrame(bytes(hex))).map((frame) => ({ ...frame, pcm: Array.from(frame.pcm) }));
    }""")
    assert read[0] == {"stream": 1, "seq": 42, "startMs": 1240, "end": False, "pcm": [1, -1]}
    assert read[1] == {"stream": 1, "seq": 43, "startMs": 1260, "end": True, "pcm": []}


@pytest.mark.parametrize(
    "hex_", ["02010001000000000000000000", "020100010000000000000000", "010200010000000000000000", "0101"]
)
async def test_unknown_frame_is_skipped(page: Any, hex_: str) -> None:
    """Another version, another kind, an odd or a short message: null, no exception."""
    script = """async (hex) => (await import("/sdk/framing.js"))
        .decodeFrame(Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16)).buffer)"""
    assert await page.evaluate(script, hex_) is None


async def test_base64_round_trip(page: Any) -> None:
    """Also for long audio, and for a view into a larger buffer."""
    assert await page.evaluate("""async () => {
        const { toBase64, fromBase64 } = await import("/sdk/framing.js");
        const pcm = Int16Array.from({ length: 50000 }, (_, i) => (i * 7919) % 65536 - 32768).subarray(3);
        const back = fromBase64(toBase64(pcm));
        return back.length === pcm.length && back.every((value, i) => value === pcm[i]);
    }""")


# --- resampler ---

RESAMPLE = """async ({ from, to, hertz, block }) => {
    const { Resampler } = await import("/sdk/resampler.js");
    const input = Float32Array.from({ length: from }, (_, i) => Math.sin(2 * Math.PI * hertz * i / from) / 2);
    const resampler = new Resampler(from, to);
    const output = [];
    for (let at = 0; at < input.length; at += block) output.push(...resampler.push(input.subarray(at, at + block)));
    output.push(...resampler.drain());
    return output;
}"""


@pytest.mark.parametrize(("rate", "target"), [(48000, 24000), (44100, 24000), (16000, 24000), (24000, 48000)])
async def test_tone_keeps_its_pitch_and_level(page: Any, rate: int, target: int) -> None:
    """A 1 kHz tone, resampled in blocks of one quantum, is the same tone at the other rate."""
    made = np.array(await page.evaluate(RESAMPLE, {"from": rate, "to": target, "hertz": 1000, "block": 128}))
    assert abs(len(made) - target) <= 2
    expected = np.sin(2 * math.pi * 1000 * np.arange(len(made)) / target) / 2
    middle = slice(200, -200)
    assert np.max(np.abs(made[middle] - expected[middle])) < 0.01


async def test_frequencies_above_the_limit_are_removed(page: Any) -> None:
    """A tone of 16 kHz cannot be sampled at 24 kHz: it must not become an alias at 8 kHz."""
    made = np.array(await page.evaluate(RESAMPLE, {"from": 48000, "to": 24000, "hertz": 16000, "block": 128}))
    assert np.sqrt(np.mean(made[200:-200] ** 2)) < 0.001


# --- texts and latency ---


async def test_waterfall_with_missing_and_negative_marks(page: Any) -> None:
    """Marks may be missing, or before zero if the answer was begun early."""
    marks = {"speech_ended": 0, "turn_confirmed": 512, "chat_request": -120, "chat_first_delta": 300,
             "first_chunk": 340, "speech_first_audio": 520, "first_audio_sent": 521}  # fmt: skip
    made = await page.evaluate(
        'async (marks) => (await import("/sdk/latency.js")).waterfall({ marks })', marks
    )
    assert (made["startMs"], made["endMs"], made["firstSoundMs"]) == (-120, 521, 521)
    assert [step["name"] for step in made["steps"]] == ["turn", "chat", "phrase", "voice"]
    assert made["steps"][1] == {"name": "chat", "startMs": -120, "endMs": 300}


@pytest.mark.parametrize(
    ("facts", "status", "text"),
    [
        ({"loaded": False}, "connecting", "Loading…"),
        ({}, "idle", "Press to talk"),
        ({"microphone": "asking"}, "connecting", "Please allow the microphone"),
        ({"connection": {"state": "connecting"}}, "connecting", "Connecting"),
        ({"connection": {"state": "open"}, "microphone": "on"}, "listening", "Listening"),
        ({"connection": {"state": "open"}, "microphone": "on", "muted": True}, "muted", "Muted"),
        ({"connection": {"state": "open"}, "phase": "user-speaking"}, "user-speaking", "You are speaking"),
        ({"connection": {"state": "open"}, "phase": "thinking"}, "thinking", "Thinking"),
        ({"connection": {"state": "open"}, "phase": "speaking"}, "speaking", "Speaking"),
        ({"microphone": "denied"}, "idle", "No microphone permission"),
        ({"microphone": "missing"}, "idle", "No microphone found"),
        ({"connection": {"state": "waiting"}, "secondsToRetry": 3}, "trouble",
         "Server unreachable. Trying again in 3 s"),
        ({"connection": {"state": "waiting"}, "secondsToRetry": 2, "everOpen": True}, "trouble",
         "Connection lost. Reconnecting in 2 s"),
        ({"connection": {"state": "refused", "reason": "key_needed"}}, "trouble", "This server asks for a key."),
        ({"connection": {"state": "waiting", "resuming": True}, "phase": "speaking", "silent": True}, "speaking", "Speaking"),
        ({"connection": {"state": "connecting", "resuming": True}, "phase": "speaking"}, "speaking", "Speaking"),
        ({"connection": {"state": "waiting", "resuming": True}, "phase": "thinking", "everOpen": True}, "trouble",
         "Connection lost. Reconnecting…"),
        ({"connection": {"state": "refused", "reason": "session_taken_over"}}, "trouble",
         "This conversation continues in another window."),
    ],
)  # fmt: skip
async def test_every_state_has_a_text(page: Any, facts: dict[str, Any], status: str, text: str) -> None:
    """The text under the button."""
    base = {"connection": {"state": "closed"}, "microphone": "off", "muted": False, "phase": "listening",
            "secondsToRetry": 0, "everOpen": False, "loaded": True}  # fmt: skip
    script = 'async (facts) => (await import("/page/texts.js")).statusText(facts)'
    assert await page.evaluate(script, base | facts) == [status, text]


async def test_half_of_a_pair_is_never_sent(open_page: Any) -> None:
    """An emoji that was cut: the server could not read the event, and the turn, or the tool's call, would have no answer."""
    async with serving() as server:
        page = await open_page(server.url, device=False)
        await page.evaluate(r"realtimeDebug.voice.say('cut \ud83d, whole \ud83d\ude00')")
        session = await session_of(server)
        await eventually(lambda: session.of("conversation.item.create"), "the message")
        [part] = session.of("conversation.item.create")[0]["item"]["content"]
        assert part["text"] == "cut \ufffd, whole \U0001f600"
