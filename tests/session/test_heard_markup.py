"""Of an answer with markup, history keeps what was heard: cut off anywhere, it is a beginning of the model's text."""

from __future__ import annotations

import itertools

import pytest

from realtime.core.normalize import said_of
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat

BEFORE = "Do **not touch** it, then run *this* now:\n"
CODE = "```python\nprint(1)\n```\n"
AFTER = "That is `all` for today.\n\n"
TABLE = "| a | b |\n|---|---|\n| 1 | 2 |\n"
ANSWER = BEFORE + CODE + AFTER + TABLE


@pytest.mark.parametrize("size", [4, 400])
@scripted
async def test_an_answer_with_markup_is_kept_as_far_as_it_was_heard(size: int) -> None:
    deltas = [(0.02, ANSWER[start : start + size]) for start in range(0, len(ANSWER), size)]
    kept: list[str] = []
    for heard_ms in range(0, 6000, 100):
        async with Talk(chat=FakeChat([deltas])) as talk:
            await talk.ask("How?")
            await talk.until("response.done")
            item_id = talk.of("response.output_audio.delta")[0]["item_id"]
            if heard_ms >= talk.audio_ms():
                break
            await talk.send(
                "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=heard_ms
            )
            await talk.until("conversation.item.truncated")
            await talk.send("conversation.item.retrieve", item_id=item_id)
            item = (await talk.until("conversation.item.retrieved"))["item"]
            kept.append(item["content"][0].get("transcript") or "")
    assert len(kept) > 10
    assert all(ANSWER.startswith(text) for text in kept)
    words = [said_of(text).split() for text in kept]
    assert all(len(early) <= len(late) for early, late in itertools.pairwise(words))  # none is lost
    assert not words[0]
    assert "today." in words[-1]
    assert not any("That" in said_of(text) and CODE not in text for text in kept)
    assert {len(each) for each in words} >= set(range(8))  # each word has its moment
