"""What is shown and remembered is the model's text, character for character; only what is spoken is reworded."""

from __future__ import annotations

import pytest

from realtime.settings import Settings
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat

CODE = "```python\nprint(1)\n```"
TABLE = "| a | b |\n|---|---|\n| 1 | 2 |\n"


def deltas(text: str, size: int) -> list[tuple[float, str]]:
    return [(0.02, text[start : start + size]) for start in range(0, len(text), size)]


@pytest.mark.parametrize("size", [1, 5, 400])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I would learn **C#** or F# first. Ticket #42 is [here](https://a.b/c).\n", "C# or F#"),
        ("Sure!\n\n- one\n- two\n\nSee `a_b * c` and 2 * 3.", "a_b * c and 2 * 3."),
        ("The <think> tag opens the reasoning, and so on.", "<think> tag"),
        (f"Here it is:\n{CODE}\nThat is all.", "That is all."),
    ],
)
@scripted
async def test_the_transcript_is_what_the_model_wrote(text: str, said: str, size: int) -> None:
    chat = FakeChat([deltas(text, size), [(0.1, "Yes?")]])
    async with Talk(chat=chat) as talk:
        await talk.ask("Tell me.")
        done = (await talk.until("response.done"))["response"]
        parts = [event["delta"] for event in talk.of("response.output_audio_transcript.delta")]
        assert "".join(parts) == text
        assert all(parts)
        assert done["output"][0]["content"][0]["transcript"] == text
        assert said in " ".join(talk.speech.said)
        assert "**" not in " ".join(talk.speech.said)
        await talk.silence(12.0)
        await talk.ask("And?")
        await talk.until("response.done", 2)
        assert [each.content for each in chat.requests[1].messages if each.role == "assistant"] == [text]


@pytest.mark.parametrize("size", [1, 400])
@pytest.mark.parametrize("text", [CODE, TABLE, "```\nx", f"{CODE}\n\n{TABLE}", "👍"])
@scripted
async def test_an_answer_that_can_only_be_seen_is_completed(text: str, size: int) -> None:
    async with Talk(chat=FakeChat([deltas(text, size)])) as talk:
        await talk.ask("Zeig mir bitte eine Tabelle.")
        done = (await talk.until("response.done"))["response"]
        assert done["status"] == "completed"
        assert done["output"][0]["content"][0]["transcript"] == text
        assert talk.speech.said == ["Die Antwort steht auf dem Bildschirm."]


@scripted
async def test_a_bar_at_the_start_is_said() -> None:
    async with Talk(chat=FakeChat([deltas("| is the pipe operator.", 3)])) as talk:
        await talk.ask("What is it?")
        done = (await talk.until("response.done"))["response"]
        assert done["status"] == "completed"
        assert "is the pipe operator." in "".join(talk.speech.said)


@pytest.mark.parametrize("text", ["...", "---\n", "\n!\n"])
@scripted
async def test_an_answer_with_nothing_to_see_or_say_is_silent(text: str) -> None:
    async with Talk(chat=FakeChat([deltas(text, 5)])) as talk:
        await talk.ask("Hm?")
        done = (await talk.until("response.done"))["response"]
        assert done["status"] == "completed"
        assert talk.speech.said == []


@scripted
async def test_the_phrase_is_the_operators() -> None:
    for phrase, said in (("Look!", ["Look!"]), ("", [])):
        async with Talk(
            chat=FakeChat([deltas(CODE, 9)]), settings=Settings(stand_in=phrase, speculate="off")
        ) as talk:
            await talk.ask("Code?")
            assert (await talk.until("response.done"))["response"]["status"] == "completed"
            assert talk.speech.said == said


@scripted
async def test_long_code_is_shown_while_it_is_written() -> None:
    code = "".join(f"x{line} = {line}\n" for line in range(200))
    chat = FakeChat([[(0.1, "Here it is:\n```\n"), *deltas(code, 100), (0.1, "```\nDone.")]])
    async with Talk(chat=chat) as talk:
        await talk.ask("Code?")
        await talk.until("response.done")
        parts = talk.of("response.output_audio_transcript.delta")
        assert len(parts) > 8
        assert "".join(part["delta"] for part in parts) == f"Here it is:\n```\n{code}```\nDone."
