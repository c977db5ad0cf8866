"""What the page tells in words: what is emulated, and why speech was not understood."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.eventually import eventually
from tests.web.fake_server import RATE, Script, serving
from tests.web.test_page import arrived, session_of, shows, type_, wait_for_status

NOTICES = """async (servers) => {
    const { serverNotices } = await import("/page/texts.js");
    return servers.map((server) => serverNotices(server).filter(({ id }) => id === "sandbox").map(({ text }) => text).join());
}"""
BEGIN, END = "Sandbox: ", " on this machine. Set MINIMAX_API_KEY to talk with MiniMax."
EMULATED = [  # what /readyz tells, and what stands between BEGIN and END; "" is no notice
    ({}, ""),
    ({"sandbox": False}, ""),
    ({"sandbox": False, "emulated": []}, ""),
    ({"sandbox": True, "emulated": ["chat", "speech"]}, "the chat and the voice come from simple emulators"),
    ({"sandbox": True, "emulated": ["speech", "chat"]}, "the chat and the voice come from simple emulators"),
    ({"sandbox": True, "emulated": ["speech"]}, "the voice comes from a simple emulator"),
    ({"sandbox": True, "emulated": ["chat"]}, "the chat comes from a simple emulator"),
    ({"sandbox": True, "emulated": ["transcriber"]}, "the transcription comes from a simple emulator"),
    ({"sandbox": True, "emulated": ["chat", "speech", "transcriber"]},
     "the chat, the voice and the transcription come from simple emulators"),
    ({"sandbox": True, "emulated": ["speech", "transcriber"]},
     "the voice and the transcription come from simple emulators"),
    ({"sandbox": True, "emulated": ["a role of later"]}, ""),
    ({"sandbox": True}, "the chat and the voice come from simple emulators"),
]  # fmt: skip


async def test_the_notice_names_what_is_emulated(page: Any) -> None:
    told = await page.evaluate(NOTICES, [server for server, _ in EMULATED])
    assert told == [f"{BEGIN}{text}{END}" if text else "" for _, text in EMULATED]


UNREAD = [  # the error of the transcription, and what stands at what the user said
    ("transcription_failed", "The transcriber did not answer in 6 s.", "it took too long. Please say it again, or type."),
    ("transcription_failed", "Request timed out.", "it took too long. Please say it again, or type."),
    ("transcription_failed", "openai: TimeoutError", "it took too long. Please say it again, or type."),
    ("transcription_unavailable", "This server has no transcriber: send text instead of speech.",
     "this server cannot understand speech. Please type."),
    ("transcription_unavailable", "pip install 'minimax-realtime[local]'", "this server cannot understand speech. Please type."),
    ("transcription_failed", "429: too many requests", "the service is busy. Please say it again in a moment, or type."),
    ("transcription_failed", "MiniMax: the rate limit is reached (code 1002)",
     "the service is busy. Please say it again in a moment, or type."),
    ("transcription_failed", "insufficient balance", "the account behind this server has no credit left."),
    ("transcription_failed", "The connection to http://10.0.0.7:99 failed (ClientConnectorError).",
     "the service cannot be reached at the moment. Please try again, or type."),
    ("transcription_failed", "ValueError in /srv/app/model.py", "something went wrong. Please say it again, or type."),
    ("transcription_failed", "", "something went wrong. Please say it again, or type."),
    ("transcription_failed", "x" * 5000, "something went wrong. Please say it again, or type."),
    (None, None, "something went wrong. Please say it again, or type."),
    ("audio_unintelligible", "The audio could not be understood.", "The audio could not be understood."),
    ("transcription_failed", "The language of this speech is not known.", "The language of this speech is not known."),
]  # fmt: skip


async def test_a_reason_is_told_in_words_for_the_speaker(page: Any) -> None:
    script = "async (errors) => { const { unreadText } = await import('/page/texts.js'); return errors.map(unreadText); }"
    told = await page.evaluate(script, [{"code": code, "message": message} for code, message, _ in UNREAD])
    assert told == [f"Not understood: {reason}" for _, _, reason in UNREAD]


@pytest.mark.parametrize("failed_first", [False, True], ids=["after the item", "before the item"])
async def test_speech_that_was_not_understood_says_so_where_its_words_would_be(
    open_page: Any, failed_first: bool
) -> None:
    """The caption, what a screen reader reads, and no waiting for an answer; the next turn works."""
    error = {
        "type": "server_error",
        "code": "transcription_failed",
        "message": "The transcriber did not answer in 6 s.",
    }
    told = "Not understood: it took too long. Please say it again, or type."
    async with serving(Script(reply=np.zeros(RATE // 2, np.int16))) as server:
        page = await open_page(server.url, device=False)
        await page.evaluate("realtimeDebug.voice.connect()")
        session = await session_of(server)
        await eventually(lambda: session.sent, "the beginning of the session")
        failure = "conversation.item.input_audio_transcription.failed"
        await session.send("input_audio_buffer.speech_started", audio_start_ms=0, item_id="item_U")
        await session.send("input_audio_buffer.speech_stopped", audio_end_ms=900, item_id="item_U")
        await session.send("input_audio_buffer.committed", item_id="item_U", previous_item_id=None)
        if failed_first:
            await session.send(failure, item_id="item_U", content_index=0, error=error)
        content = [{"type": "input_audio", "transcript": None}]
        await session._add(
            {"id": "item_U", "type": "message", "role": "user", "status": "completed", "content": content}
        )
        if not failed_first:
            await session.send(failure, item_id="item_U", content_index=0, error=error)
        await page.wait_for_selector(".caption.user.unread")
        await eventually(lambda: shows(page, ".caption.user .text", told), "the reason")
        assert await page.inner_text("#spoken") == f"You: {told}"
        assert await page.locator(".caption.pending").count() == 0
        assert await page.locator("[data-id=problem]").count() == 0
        await wait_for_status(page, "Press to talk")
        await type_(page, "Hello")
        await page.wait_for_selector(".caption.assistant.final")
        await arrived(page, session)
        assert len(session.of("conversation.item.create")) == 1
        assert await page.inner_text(".caption.user.unread .text") == told


CODE = "```py\nx = 1\n```"


@pytest.mark.parametrize("stock", [False, True], ids=["playback", "stock"])
async def test_code_that_was_shown_stays_when_its_phrase_is_stopped(open_page: Any, stock: bool) -> None:
    """Escape before the first word of "Here is the code": the page keeps what the server's history keeps."""
    extensions = () if stock else ("playback", "words", "latency")
    script = Script(
        reply=np.zeros(20 * RATE, np.int16), reply_words=(CODE,), extensions=extensions, binary=not stock
    )
    script.only_seen = CODE
    async with serving(script) as server:
        page = await open_page(server.url, device=False)
        await type_(page, "Show me code")
        await page.wait_for_selector(".caption.assistant pre")
        await page.keyboard.press("Escape")
        await page.wait_for_selector(".caption.assistant.truncated")
        session = await session_of(server)
        await arrived(page, session)
        assert await page.text_content(".caption.assistant pre code") == "x = 1"
        assert list(session.transcripts.values()) == [CODE]
        kept = await page.evaluate("realtimeDebug.voice.conversation.items.at(-1).text")
        assert kept == CODE
        await page.reload()
        assert await page.text_content(".caption.assistant pre code") == "x = 1"


HEARD = [  # the answer, its words with their times, how much was heard, what of it counts
    (CODE, [], 0, CODE),
    (CODE, [(CODE, 0, 1000)], 0, CODE),
    (CODE, [(CODE, 0, 1000)], 1000, CODE),
    (f"{CODE}\nIt is one.", [], 0, CODE),
    (f"{CODE}\nIt is one.", [(f"{CODE}\nIt ", 0, 200), ("is ", 200, 400), ("one.", 400, 600)], 50, CODE),
    (f"{CODE}\nIt is one.", [(f"{CODE}\nIt ", 0, 200), ("is ", 200, 400), ("one.", 400, 600)], 350, f"{CODE}\nIt is"),
    ("| a |\n|---|\n| 1 |", [], 0, "| a |\n|---|\n| 1 |"),
    (f"Look: {CODE}", [], 0, ""),
    ("Hello", [("Hello", 0, 500)], 0, ""),
    ("Hello", [("Hello", 0, 500)], 300, "Hello"),
    ("Hello", [], 300, "Hello"),
    ("`x` it is", [], 0, ""),
    ("", [], 0, ""),
]  # fmt: skip


async def test_what_counts_of_an_answer(page: Any) -> None:
    """As the server's history decides it: words up to their middle, and code or tables before the first word."""
    script = """async (rows) => {
        const { heardText } = await import("/sdk/conversation.js");
        return rows.map(([text, words, heardMs]) => heardText(
            { text, words: words.map(([text, start_ms, end_ms]) => ({ text, start_ms, end_ms })) }, heardMs));
    }"""
    assert await page.evaluate(script, [row[:3] for row in HEARD]) == [row[3] for row in HEARD]
