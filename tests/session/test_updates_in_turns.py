"""A client changes what a turn goes by in the middle of one: scripted conversations in virtual time."""

import pytest

from realtime.core.turn import Phase
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber
from tests.session.stories import STORY

NOON = [(0.1, "At noon.")]
SERVER_3S = {"type": "server_vad", "silence_duration_ms": 3000}
SERVER = {"type": "server_vad", "silence_duration_ms": 200}
LOW, HIGH = ({"type": "semantic_vad", "eagerness": eagerness} for eagerness in ("low", "high"))


async def detect(talk: Talk, detection: dict | None) -> None:
    await talk.send("session.update", session={"audio": {"input": {"turn_detection": detection}}})


async def silence_needed_ms(before: dict, after: dict | None) -> float:
    """Of speech that begins under the one and ends under the other."""
    async with Talk(chat=FakeChat([NOON]), transcriber=FakeTranscriber(["What time is it?"] * 9)) as talk:
        await detect(talk, before)
        await talk.speak(1.0)
        if after is not None:
            await detect(talk, after)
        await talk.speak(0.5)
        await talk.silence(5.0)
        (stopped,) = talk.of("input_audio_buffer.speech_stopped")
        return stopped["audio_end_ms"] - 1500


@scripted
@pytest.mark.parametrize(
    ("before", "after"),
    [(SERVER_3S, HIGH), (LOW, HIGH), (HIGH, LOW), (LOW, SERVER), (SERVER_3S, SERVER), (SERVER, LOW)],
)
async def test_open_speech_ends_by_the_rule_it_began_with(before, after):
    assert await silence_needed_ms(before, after) == await silence_needed_ms(before, None)


@scripted
async def test_the_next_speech_goes_by_the_new_rule():
    async with Talk(chat=FakeChat([NOON] * 2), transcriber=FakeTranscriber(["What time is it?"] * 9)) as talk:
        await detect(talk, SERVER_3S)
        await talk.speak(1.0)
        await detect(talk, SERVER)
        await talk.silence(6.0)
        await talk.speak(1.0)
        await talk.silence(2.0)
        first, second = (event["audio_end_ms"] for event in talk.of("input_audio_buffer.speech_stopped"))
        assert first >= 4000
        assert second - 8000 <= 300


@scripted
async def test_a_short_word_that_was_judged_holds_no_audio_when_the_client_ends_the_turns():
    murmurs = FakeTranscriber(["mm-hmm"] * 5, interim=False, delay_s=2.0)
    async with Talk(chat=FakeChat([STORY * 4]), speech=FakeSpeech(factor=3.0), transcriber=murmurs) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta")
        await talk.silence(0.6)
        await talk.speak(0.4)
        await talk.silence(0.7)
        assert talk.session._turns.phase is Phase.JUDGING
        await talk.speak(0.2)
        assert talk.session._turns.phase is Phase.TENTATIVE
        await detect(talk, None)
        await detect(talk, SERVER)
        await talk.silence(20.0)
        assert talk.session._user._audio.buffered_ms <= 2_100


@scripted
async def test_an_answer_that_could_not_go_on_does_not_come_back_later():
    noise = FakeTranscriber([""] * 3, interim=False, delay_s=0.4)
    chat = FakeChat([[(0.3, "word and more words. ")] * 400, NOON])
    async with Talk(chat=chat, speech=FakeSpeech(factor=3.0), transcriber=noise) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta")
        await talk.silence(0.6)
        await talk.speak(1.5)
        await talk.silence(0.4)
        await detect(talk, {"type": "server_vad", "create_response": False})
        await talk.silence(3.0)
        assert chat.running == 0, "nobody waits for it"
        await detect(talk, {"type": "server_vad"})
        await talk.silence(5.0)
        await talk.speak(0.3)
        await talk.silence(5.0)
        assert talk.types.count("response.created") == 1
