"""What `retention_ratio` keeps: after a cut the conversation grows to the limit again, so requests begin alike."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import pytest

from realtime.core.fitting import size
from realtime.protocol.response_options import response_options
from realtime.replying.chat_request import request_about
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat

HALF = {"type": "retention_ratio", "retention_ratio": 0.5}
LIMIT_BYTES = 2_000


def first_questions(chat: FakeChat) -> list[str]:
    """The oldest question that each request shows."""
    shown = (next(m.content for m in request.messages if m.role == "user") for request in chat.requests)
    return [text.split()[0] for text in shown]


@pytest.mark.parametrize("limit", ["of the client", "of the model"])
@scripted
async def test_requests_begin_alike_for_many_turns(limit: str):
    chat, truncation = FakeChat(), HALF
    if limit == "of the client":
        truncation = {**HALF, "token_limits": {"post_instructions": LIMIT_BYTES / 2.5}}
    else:
        chat.context_tokens = LIMIT_BYTES / 2.5
    async with Talk(chat=chat, truncation=truncation, output_modalities=["text"]) as talk:
        for number in range(30):
            await talk.ask(f"{number} " + "word " * 30)
            await talk.until("response.done", number + 1)
    runs = [len(list(run)) for _, run in groupby(first_questions(chat))]
    assert len(runs) == 4
    assert min(runs[:-1]) >= 6
    sizes = [size(request.messages) for request in chat.requests]
    assert max(sizes) <= LIMIT_BYTES + len("Be brief.")
    assert max(sizes[20:]) > LIMIT_BYTES * 0.9, "it grows to the limit again"


@scripted
async def test_a_response_beside_the_conversation_moves_nothing():
    chat = FakeChat()
    truncation: dict[str, Any] = {**HALF, "token_limits": {"post_instructions": LIMIT_BYTES / 2.5}}
    async with Talk(chat=chat, truncation=truncation, output_modalities=["text"]) as talk:
        for number in range(20):
            await talk.ask(f"{number} " + "word " * 30)
            await talk.until("response.done", number + 1)
        begins = talk.session.conversation.shown_from.item_id
        own = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x" * 9_000}]}
        await talk.send("response.create", response={"conversation": "none", "input": [own]})
        await talk.until("response.done", 21)
        await talk.send("response.create", response={"conversation": "none"})
        await talk.until("response.done", 22)
        assert first_questions(chat)[-1] == first_questions(chat)[19]
        assert talk.session.conversation.shown_from.item_id == begins
        await talk.send("session.update", session={"type": "realtime", "truncation": "auto"})
        await talk.ask("And now?")
        await talk.until("response.done", 23)
        assert first_questions(chat)[-1] == "0"


@scripted
async def test_another_truncation_counts_from_the_first_item_again_also_where_the_old_one_comes_back():
    chat, rule = FakeChat(), {**HALF, "token_limits": {"post_instructions": LIMIT_BYTES / 2.5}}
    async with Talk(chat=chat, truncation=rule, output_modalities=["text"]) as talk:
        for number in range(15):
            await talk.ask(f"{number} " + "word " * 30)
            await talk.until("response.done", number + 1)
        begins = talk.session.conversation.shown_from.item_id
        assert begins is not None
        await talk.send("session.update", session={"type": "realtime", "truncation": rule, "tools": []})
        assert talk.session.conversation.shown_from.item_id == begins, "nothing has changed"
        for each in ("auto", rule):
            await talk.send("session.update", session={"type": "realtime", "truncation": each})
        assert talk.session.conversation.shown_from.item_id is None


@scripted
async def test_a_response_by_the_old_truncation_moves_nothing():
    chat, rule = FakeChat(), {**HALF, "token_limits": {"post_instructions": LIMIT_BYTES / 2.5}}
    async with Talk(chat=chat, truncation=rule, output_modalities=["text"]) as talk:
        for number in range(15):
            await talk.ask(f"{number} " + "word " * 30)
            await talk.until("response.done", number + 1)
        context = talk.session._context
        before = response_options(context.config)
        await talk.send("session.update", session={"type": "realtime", "truncation": "auto"})
        request_about(context, before, context.conversation.items)
        assert context.conversation.shown_from.item_id is None
