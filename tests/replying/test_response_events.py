"""How one reply appears on the wire, alone: what its parts are told, without a chat model and without a voice."""

import base64

import pytest

from realtime.core.chunker import Boundary, Chunk
from realtime.core.messages import ChatUsage, ToolCall, WordTime
from realtime.core.turn_marks import Marks
from realtime.errors import ProviderUnavailable
from realtime.protocol.response_options import response_options
from realtime.replying.response_events import ResponseEvents
from tests.contexts import Bench
from tests.conversing import scripted

SECOND = bytes(range(240)) * 200  # 48,000 bytes at 24 kHz


def begun(bench: Bench) -> ResponseEvents:
    options = response_options(bench.context.config, None)
    reply = ResponseEvents(bench.context, options, Marks("response_create", 0.0))
    reply.begin()
    return reply


def chunk(index: int, text: str) -> Chunk:
    """A chunk that is spoken as it is written."""
    return Chunk(index, text, text, tuple(range(len(text) + 1)), Boundary.SENTENCE)


def of(sent: list[dict], type: str) -> list[dict]:
    return [event for event in sent if event["type"] == type]


@scripted
async def test_a_written_reply_is_told_piece_by_piece_and_whole():
    bench = Bench(output_modalities=["text"])
    reply = begun(bench)
    reply.text("Fine, ")
    reply.text("thanks.")
    reply.finish("completed")
    sent = bench.sent()
    assert [event["delta"] for event in of(sent, "response.output_text.delta")] == ["Fine, ", "thanks."]
    assert of(sent, "response.output_text.done")[0]["text"] == "Fine, thanks."
    assert of(sent, "response.content_part.done")[0]["part"]["text"] == "Fine, thanks."
    assert sent[-1]["response"]["output"][0]["content"] == [{"type": "output_text", "text": "Fine, thanks."}]


@scripted
async def test_a_spoken_reply_is_told_with_all_its_words_and_all_its_sound():
    bench = Bench()
    reply = begun(bench)
    for index, text in enumerate(("Fine, ", "thanks.")):
        reply.begin_chunk(chunk(index, text))
        await reply.audio(index, SECOND)
        reply.end_chunk(index)
    reply.finish("completed")
    sent = bench.sent()
    words = [event["delta"] for event in of(sent, "response.output_audio_transcript.delta")]
    assert words == ["Fine, ", "thanks."]
    assert of(sent, "response.output_audio_transcript.done")[0]["transcript"] == "Fine, thanks."
    sounds = [base64.b64decode(event["delta"]) for event in of(sent, "response.output_audio.delta")]
    assert b"".join(sounds) == SECOND * 2


@pytest.mark.parametrize(("format", "rate"), [("audio/pcm", 24_000), ("audio/pcmu", 8_000)])
def test_one_message_has_at_most_200_ms_of_sound(format: str, rate: int):
    @scripted
    async def speak():
        bench = Bench(
            audio={"output": {"format": {"type": format, **({"rate": rate} if rate > 8_000 else {})}}}
        )
        reply = begun(bench)
        reply.begin_chunk(chunk(0, "Fine."))
        await reply.audio(0, bytes(rate * 2))
        width = 2 if format == "audio/pcm" else 1
        sounds = [
            base64.b64decode(event["delta"]) for event in of(bench.sent(), "response.output_audio.delta")
        ]
        assert [len(sound) for sound in sounds] == [rate * width // 5] * 5
        reply.finish("completed")

    speak()


@scripted
async def test_the_items_of_a_reply_have_their_places_in_it():
    bench = Bench(output_modalities=["text"])
    reply = begun(bench)
    reply.call(ToolCall("call_1", "dim", "{}"))
    reply.text("Done.")
    reply.finish("completed")
    sent = bench.sent()
    assert [event["output_index"] for event in of(sent, "response.output_item.done")] == [0, 1]
    assert {event["output_index"] for event in sent if event["type"].startswith("response.output_text")} == {
        1
    }
    assert [item["type"] for item in sent[-1]["response"]["output"]] == ["function_call", "message"]


@scripted
async def test_the_tokens_are_told_at_the_end_and_not_before():
    bench = Bench(output_modalities=["text"])
    reply = begun(bench)
    reply.usage = ChatUsage(30, 12, 8)
    reply.text("Fine.")
    reply.finish("completed")
    first, *_, last = bench.sent()
    assert first["response"]["usage"] is None
    usage = last["response"]["usage"]
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (30, 12, 42)
    assert usage["input_token_details"]["cached_tokens"] == 8


@pytest.mark.parametrize("usage", [ChatUsage(None, None), ChatUsage(object(), 1)], ids=["none", "no number"])
@scripted
async def test_a_reply_whose_tokens_cannot_be_told_has_failed(usage):
    bench = Bench(output_modalities=["text"])
    reply = begun(bench)
    reply.usage = usage
    reply.text("Fine.")
    with pytest.raises(TypeError):
        reply.finish("completed")
    reply.fail(ProviderUnavailable("broken"))
    (done,) = of(bench.sent(), "response.done")
    assert (done["response"]["status"], done["response"]["usage"]) == ("failed", None)
    assert not reply.open


@scripted
async def test_times_of_words_are_told_where_they_are_wanted():
    told = {}
    for extensions in ("words", ""):
        bench = Bench(extensions=extensions)
        reply = begun(bench)
        reply.begin_chunk(chunk(0, "one two"))
        await reply.audio(0, SECOND)
        reply.words(0, (WordTime(0, 3, 0, 300), WordTime(4, 7, 400, 700)))
        reply.end_chunk(0)
        reply.finish("completed")
        told[extensions] = of(bench.sent(), "response.output_audio_words.delta")
    words = [word for event in told["words"] for word in event["words"]]
    assert [(word["text"].strip(), word["start_ms"], word["end_ms"]) for word in words] == [
        ("one", 0, 300),
        ("two", 400, 700),
    ]
    assert {event["source"] for event in told["words"]} == {"aligned"}
    assert told[""] == []


@scripted
@pytest.mark.parametrize("blank", ["\x00", " ", "\u200b"])
async def test_an_answer_of_blanks_has_neither_words_nor_sound(blank):
    bench = Bench(extensions="words")
    reply = begun(bench)
    reply.begin_chunk(chunk(0, blank))
    await reply.audio(0, SECOND)
    reply.words(0, (WordTime(0, 1, 0, 300),))
    reply.end_chunk(0)
    reply.finish("completed")
    assert [event["type"] for event in bench.sent()] == ["response.created", "response.done"]


@scripted
async def test_nothing_follows_the_end_of_a_reply():
    bench = Bench()
    reply = begun(bench)
    reply.begin_chunk(chunk(0, "Fine."))
    reply.stop("turn_detected")
    assert bench.sent()[-1]["response"]["status"] == "cancelled"
    reply.text("More.")
    reply.begin_chunk(chunk(1, "More."))
    await reply.audio(1, SECOND)
    reply.words(0, (WordTime(0, 5, 0, 300),))
    reply.end_chunk(0)
    reply.finish("completed")
    reply.fail(ProviderUnavailable("down"))
    assert bench.sent() == []
    assert reply.transcript == "Fine."
