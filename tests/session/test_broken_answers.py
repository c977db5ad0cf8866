"""The chat model ends in the middle: an error, a limit in a call, a delta without end. What is heard and told?"""

import msgspec
import pytest

from realtime.core.messages import ChatFinish
from realtime.errors import ProviderTimeout, ProviderUnavailable
from realtime.minimax.errors import error_for_code
from realtime.replying.answer import MAX_ANSWER_CHARACTERS, MAX_DELTA_CHARACTERS
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber, call
from tests.replying.voices import Soundless
from tests.session.early import Heard, settings
from tests.session.listeners import kept_of

STORY = "The first sentence is about the sea. The second sentence is about the wide beach. The third one is about the dog."
OVERLOADED = error_for_code(2064)
FINE = [(0.1, "Fine.")]
TOOLS = [{"type": "function", "name": "weather", "parameters": {"type": "object"}}]


def broken(error: Exception = OVERLOADED, *before) -> list:
    """The story a word at a time, then `before`, then the error: long before the voice has said it."""
    return [*[(0.02, f"{word} ") for word in STORY.split()], *before, (0.05, error)]


def slow_voice() -> FakeSpeech:
    return FakeSpeech(first_s=0.4, factor=1.0)


def transcript(response: dict) -> str:
    return response["output"][0]["content"][0]["transcript"]


@pytest.mark.parametrize(
    "error",
    [OVERLOADED, error_for_code(1002), ProviderUnavailable("Cut."), ProviderTimeout("It went silent.")],
)
def test_what_was_written_is_spoken_and_kept_and_then_the_response_fails(error):
    @scripted
    async def run():
        async with Talk(chat=FakeChat([broken(error), FINE]), speech=slow_voice()) as talk:
            await talk.ask("A story?")
            done = (await talk.until("response.done"))["response"]
            assert (done["status"], done["status_details"]["error"]["code"]) == ("failed", error.code)
            assert done["output"][0]["status"] == "incomplete"
            assert transcript(done).strip() == STORY
            assert talk.audio_ms() > 5000
            await talk.ask("And?")
            assert (await talk.until("response.done", 2))["response"]["status"] == "completed"
            told = talk.chat.requests[-1].messages[-2]
            assert (told.role, told.content.strip()) == ("assistant", STORY)

    run()


@pytest.mark.parametrize("modality", ["audio", "text"])
def test_a_chat_model_that_does_not_end_after_its_finish_is_left_soon(modality: str, caplog):
    """Its usage may still come; for the end of its stream nobody waits."""

    @scripted
    async def run():
        endless = [(0.1, "Hello there."), (0.0, ChatFinish("stop")), (3600.0, "never")]
        async with Talk(chat=FakeChat([endless, FINE])) as talk:
            await talk.ask("Hello?", output_modalities=[modality])
            done = await talk.until("response.done")
            assert (done["response"]["status"], done["at"] < 3.0) == ("completed", True)
            await talk.ask("And?")
            assert (await talk.until("response.done", 2))["response"]["status"] == "completed"
        assert [
            record.message for record in caplog.records if "did not end after ChatFinish" in record.message
        ]

    run()


@scripted
async def test_an_answer_of_which_the_voice_makes_no_sound_has_failed_and_nobody_has_heard_it():
    chat = FakeChat([[(0.1, "The key is under the mat.")], FINE])
    async with Talk(chat=chat, speech=Soundless()) as talk:
        await talk.ask("Where is the key?")
        done = (await talk.until("response.done"))["response"]
        assert (done["status"], done["status_details"]["error"]["code"]) == ("failed", "upstream_unavailable")
        await talk.ask("Well?")
        await talk.until("response.done", 2)
        assert "mat" not in "".join(message.content for message in chat.requests[-1].messages)


@scripted
async def test_half_a_sentence_is_spoken_too():
    chat = FakeChat([[(0.1, "One two three four. Five"), (0.0, OVERLOADED)]])
    async with Talk(chat=chat) as talk:
        await talk.ask("Count.")
        assert transcript((await talk.until("response.done"))["response"]) == "One two three four. Five"


@pytest.mark.parametrize("answer", [[(0.1, OVERLOADED)], [(0.1, " \n"), (0.1, OVERLOADED)]])
def test_without_a_word_it_fails_at_once_and_without_an_item(answer):
    @scripted
    async def run():
        async with Talk(chat=FakeChat([answer])) as talk:
            await talk.ask("A story?")
            done = (await talk.until("response.done"))["response"]
            assert (done["status"], done["output"], talk.speech.said) == ("failed", [], [])

    run()


@scripted
async def test_a_call_that_may_not_be_all_is_dropped_and_the_words_before_it_are_spoken():
    chat = FakeChat([broken(OVERLOADED, (0.0, call("weather", '{"city": "Oslo"}')))])
    async with Talk(chat=chat, speech=slow_voice()) as talk:
        await talk.ask("Weather?", tools=TOOLS)
        done = (await talk.until("response.done"))["response"]
        assert [item["type"] for item in done["output"]] == ["message"]
        assert transcript(done).strip() == STORY


@scripted
async def test_a_voice_that_fails_as_well_ends_it_at_once():
    speech = FakeSpeech(first_s=3.0, errors=[ProviderUnavailable("The voice is gone.")])
    async with Talk(chat=FakeChat([broken()]), speech=speech) as talk:
        await talk.ask("A story?")
        done = await talk.until("response.done")
        assert done["response"]["status"] == "failed"
        assert talk.audio_ms() == 0
        assert talk.speech.open_now == 0


@pytest.mark.parametrize("how", ["cancel", "words", "noise"])
def test_a_broken_answer_that_still_sounds_can_be_stopped(how: str):
    @scripted
    async def run():
        heard = FakeTranscriber(["" if how == "noise" else "Stop it, please."] * 9, interim=how == "noise")
        chat = FakeChat([broken(), FINE, FINE])
        async with Talk(chat=chat, speech=slow_voice(), transcriber=heard) as talk:
            await talk.ask("A story?")
            await talk.silence(1.0)
            assert talk.audio_ms() > 0
            assert not talk.of("response.done"), "the voice still speaks"
            if how == "cancel":
                await talk.send("response.cancel")
            else:
                await talk.speak(3.0 if how == "noise" else 1.5)
            done = (await talk.until("response.done"))["response"]
            assert done["status"] == "cancelled"
            kept = await kept_of(talk, done["output"][0]["id"])
            assert STORY.startswith(kept.strip())
            assert 0 < len(kept) < len(STORY)
            await talk.silence(9.0)
            if how == "noise":  # it goes on from there, and the model is asked for what it had not written
                rest = transcript(talk.of("response.done")[1]["response"])
                last = kept.split()[-1]  # half of it was heard
                assert STORY.startswith(kept.removesuffix(last).strip())
                assert rest.split() == [*STORY.split()[-len(rest.split()) + 1 :], "Fine."]
                assert len(kept.split()) + len(rest.split()) >= len(STORY.split()) + 1

    run()


@scripted
async def test_an_early_answer_that_broke_off_unseen_is_asked_again():
    heard = Heard((1.3, "What time is it?"))
    chat = FakeChat([[(0.02, "It is noon, and "), (0.02, OVERLOADED)], [(0.3, "It is noon.")]])
    async with Talk(chat=chat, transcriber=heard, settings=settings("speech")) as talk:
        await talk.speak(1.28)
        await talk.silence(2.0)
        done = (await talk.until("response.done"))["response"]
        assert (done["status"], transcript(done)) == ("completed", "It is noon.")
        assert len(chat.requests) == 2


# -- limits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["", "Let me look that up for you. "])
@pytest.mark.parametrize(
    ("reason", "why"), [("length", "max_output_tokens"), ("content_filter", "content_filter")]
)
@pytest.mark.parametrize("arguments", ['{"city": "Os', ""])
def test_a_call_that_a_limit_cuts_is_dropped_and_the_limit_is_told(words, reason, why, arguments):
    @scripted
    async def run():
        before = [(0.1, words)] if words else []
        answer = [*before, (0.1, call("weather", arguments)), (0.1, ChatFinish(reason))]
        async with Talk(chat=FakeChat([answer])) as talk:
            await talk.ask("Weather?", tools=TOOLS)
            done = (await talk.until("response.done"))["response"]
            assert (done["status"], done["status_details"]["reason"]) == ("incomplete", why)
            assert [item["content"][0]["transcript"] for item in done["output"]] == ([words] if words else [])

    run()


@pytest.mark.parametrize(
    ("reason", "arguments", "status", "items"),
    [
        ("length", '{"city": "Oslo"}', "incomplete", ["function_call"]),
        ("stop", '{"city": "Os', "failed", []),
        ("tool_calls", '{"city": "Os', "failed", []),
        ("stop", "", "completed", ["function_call"]),
    ],
)
def test_whole_calls_are_handed_out_and_broken_ones_without_a_limit_fail(reason, arguments, status, items):
    @scripted
    async def run():
        answer = [(0.1, call("weather", arguments)), (0.1, ChatFinish(reason))]
        async with Talk(chat=FakeChat([answer])) as talk:
            await talk.ask("Weather?", tools=TOOLS)
            done = (await talk.until("response.done"))["response"]
            assert (done["status"], [item["type"] for item in done["output"]]) == (status, items)

    run()


@scripted
async def test_a_call_before_the_one_that_was_cut_counts():
    cut = call("weather", '{"city": "Ber', "call_2", 1)
    answer = [(0.1, call("weather", '{"city": "Oslo"}')), (0.1, cut), (0.1, ChatFinish("length"))]
    async with Talk(chat=FakeChat([answer])) as talk:
        await talk.ask("Weather?", tools=TOOLS)
        done = (await talk.until("response.done"))["response"]
        assert done["status"] == "incomplete"
        assert [item["call_id"] for item in done["output"]] == ["call_1"]


@scripted
async def test_a_delta_of_three_million_characters_ends_the_answer_and_not_the_session():
    chat = FakeChat([[(0.1, "word " * 600_000)], FINE])
    async with Talk(chat=chat) as talk:
        await talk.ask("Tell me.", output_modalities=["text"])
        done = (await talk.until("response.done"))["response"]
        assert (done["status"], done["status_details"]["reason"]) == ("incomplete", "max_output_tokens")
        assert len(done["output"][0]["content"][0]["text"]) == MAX_ANSWER_CHARACTERS
        deltas = talk.of("response.output_text.delta")
        assert max(len(event["delta"]) for event in deltas) <= MAX_DELTA_CHARACTERS
        assert max(len(msgspec.json.encode(event)) for event in talk.events) < 1 << 20
        await talk.ask("And?", output_modalities=["text"])
        assert (await talk.until("response.done", 2))["response"]["status"] == "completed"
