"""A client whose microphone hears its loudspeaker: the reply goes on, nothing is answered, and a user is heard."""

import asyncio
import base64
from contextlib import asynccontextmanager

import numpy as np
import pytest

from realtime.providers.base import SpeechAudio, SpeechChunkDone
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber, FakeUtterance
from tests.session.moving import Losable

RATE = 24_000
FRAME = RATE // 50
ANSWER = "There was once a small dog. It lived by the sea. It had a friend. They walked all day."
LONG = [(0.1, "There was once a small dog. "), (0.6, "It lived by the sea. "), (0.6, "It had a friend. " * 3)]


def rustle(seconds, seed):
    """Noise in syllables: as good as a voice for whoever compares sounds."""
    rng = np.random.default_rng(seed)
    count = int(seconds * RATE)
    syllables = np.repeat(rng.uniform(0.2, 1.0, count // 3_000 + 1), 3_000)[:count]
    return rng.normal(0, 4_000, count) * syllables


class Rustling(FakeSpeech):
    """Every chunk takes 1.5 s."""

    @asynccontextmanager
    async def open(self, voice):
        yield RustlingUtterance(self)


class RustlingUtterance(FakeUtterance):
    async def events(self):
        chunk = 0
        while await self._texts.get() is not None:
            sound = rustle(1.5, 40 + chunk).clip(-32_000, 32_000).astype("<i2")
            for start in range(0, len(sound), RATE // 10):
                yield SpeechAudio(chunk, sound[start : start + RATE // 10].tobytes())
            yield SpeechChunkDone(chunk)
            chunk += 1


async def loudspeaker(talk, seconds, *, delay_s=0.18, level_db=-12, near=None, near_s=0.0):
    """Play what comes as loud as is wanted, and send it back through the microphone; `near` speaks as well, from
    `near_s` on."""
    played, seen, end, gain_db = np.zeros(int((seconds + 30) * RATE)), 0, 0, 0.0
    for frame in range(int(seconds * 50)):
        now = frame * FRAME
        for event in talk.events[seen:]:
            if event["type"] == "response.output_audio.delta":
                sound = np.frombuffer(base64.b64decode(event["delta"]), "<i2")
                start = max(end, now + int(delay_s * RATE))
                end = start + len(sound)
                played[start:end] = sound
            elif event["type"] == "output_audio_buffer.gain_changed":
                gain_db = event["gain_db"]
        seen = len(talk.events)
        heard = played[now : now + FRAME] * 10 ** ((level_db + gain_db) / 20)
        if near is not None and now >= near_s * RATE:
            spoken = near[now - int(near_s * RATE) :][:FRAME]
            heard[: len(spoken)] += spoken
        await talk.microphone(heard.clip(-32_000, 32_000).astype("<i2").tobytes(), 0.02)


def conversation(*texts, extensions=""):
    """What the transcriber reads in whatever it is given has nothing to do with the answer."""
    return Talk(
        chat=FakeChat([[(0.1, ANSWER)]]),
        speech=Rustling(),
        transcriber=FakeTranscriber(list(texts), interim_texts=list(texts)),
        extensions=extensions,
    )


@scripted
async def test_the_echo_of_a_reply_is_nobody():
    async with conversation(*["I want something else."] * 20) as talk:
        await talk.ask("Tell me a story.")
        await loudspeaker(talk, 9.0)
        assert not talk.of("input_audio_buffer.speech_started")
        assert [done["response"]["status"] for done in talk.of("response.done")] == ["completed"]
        assert talk.metrics.echoes.labels("sound")._value.get() >= 1


@scripted
async def test_a_user_who_speaks_over_the_echo_interrupts():
    async with conversation(*["I want something else."] * 20) as talk:
        await talk.ask("Tell me a story.")
        near = rustle(2.0, 7) * 10 ** (-6 / 20)  # 6 dB above the echo
        await loudspeaker(talk, 5.0, near=near, near_s=3.0)
        (started,) = talk.of("input_audio_buffer.speech_started")
        assert 2_500 <= started["audio_start_ms"] <= 3_200


@scripted
async def test_an_echo_that_is_known_by_its_words_alone_is_nobody():
    async with conversation(*["There was."] * 20) as talk:
        talk.session._user._echo._gate.feed = lambda *_, **__: False  # of a player that changes the sound
        await talk.ask("Tell me a story.")
        await loudspeaker(talk, 1.4)
        assert not talk.of("input_audio_buffer.speech_started")
        assert talk.metrics.echoes.labels("words")._value.get() >= 1


@scripted
async def test_an_echo_that_goes_down_with_the_reply_is_nobody_when_it_comes_back():
    async with conversation(*["Mm-hmm."] * 20, extensions="playback") as talk:
        talk.chat.answers[:] = [LONG]
        await talk.ask("Tell me a story.")
        near = rustle(0.5, 7) * 10 ** (-6 / 20)  # 6 dB above the echo
        await loudspeaker(talk, 9.0, near=near, near_s=1.6)
        gains = [event["gain_db"] for event in talk.of("output_audio_buffer.gain_changed")]
        assert gains == [-12, 0]
        assert not talk.of("input_audio_buffer.speech_started")
        down = talk.of("output_audio_buffer.gain_changed")[0]
        told_s = 1_000.0 + down["at"]
        assert talk.session._context.sent.gain(told_s + 0.1) != 1, "what is compared knows it, too"


@pytest.mark.parametrize("away_s", [0.0, 0.5, 2.0, 5.0])
@pytest.mark.parametrize("extensions", ["resume", "resume,playback"])
@scripted
async def test_the_echo_of_sound_that_was_sent_again_is_nobody(away_s, extensions):
    """What was written to a dead socket arrives, and sounds, when the client is back."""
    async with conversation(*["I want something else."] * 20, extensions=extensions) as talk:
        await talk.ask("Tell me a story.")
        item_id = (await talk.until("response.output_audio.delta", 5))["item_id"]
        talk.session.suspend()
        await asyncio.sleep(away_s)
        talk.session.resume()
        talk.session.sent_again({item_id: talk.audio_ms()})
        await loudspeaker(talk, 9.0)
        assert not talk.of("input_audio_buffer.speech_started")
        assert [done["response"]["status"] for done in talk.of("response.done")] == ["completed"]


@scripted
async def test_the_echo_of_what_a_lost_server_has_sent_is_known_by_its_words():
    """The whole answer has arrived, and its player plays on."""
    texts = ["There was once a small dog."] * 20

    def heard():
        return FakeTranscriber(texts, interim_texts=texts)

    shared = {"speech": Rustling(), "extensions": "resume,playback"}
    async with Losable(chat=FakeChat([[(0.1, ANSWER)]]), transcriber=heard(), **shared) as old:
        await old.ask("Tell me a story.")
        await old.until("response.done")
        await asyncio.sleep(0.1)
        sounds = old.of("response.output_audio.delta")
        whole_ms = int(old.audio_ms())
        left = old.lose()
    continues = left.continues(item_id=sounds[0]["item_id"], played_ms=100, received_ms=whole_ms)
    async with Talk(chat=FakeChat(), transcriber=heard(), continues=continues, ids="b", **shared) as new:
        await asyncio.sleep(0.05)
        new.events = [*sounds, *new.events]
        await loudspeaker(new, 1.5)
        assert not new.of("input_audio_buffer.speech_started")
        assert new.metrics.echoes.labels("words")._value.get() >= 1


async def quoting(talk, asked_s, said_s):
    """After the question somebody speaks; the sound is of nobody who was sent."""
    await talk.ask("Book a table.")
    await talk.until("response.output_audio.delta")
    await talk.silence(asked_s)
    await talk.speak(said_s)
    await talk.silence(3.0)


@pytest.mark.parametrize(
    ("question", "answer", "said_s"),
    [
        ("您是要明天下午三点，还是后天上午十点？", "后天上午十点。", 1.2),
        ("Would you like Tuesday at noon, or Wednesday at nine?", "Wednesday at nine.", 1.0),
        ("您要茶还是咖啡？", "咖啡。", 0.3),  # too short to search its sound
        ("Tuesday or Wednesday?", "Wednesday.", 0.3),
    ],
)
@pytest.mark.parametrize("detection", ["semantic_vad", "server_vad"])
@scripted
async def test_whoever_takes_an_option_of_the_question_is_answered(question, answer, said_s, detection):
    """With headphones: right after the question, sooner than some loudspeakers play its end."""
    audio = {"input": {"turn_detection": {"type": detection}}}
    async with Talk(
        chat=FakeChat([[(0.05, question)], [(0.1, "Good.")]]),
        transcriber=FakeTranscriber([answer] * 9),
        audio=audio,
    ) as talk:
        await quoting(talk, asked_s=len(question) * 0.06 + 0.15, said_s=said_s)
        (heard,) = talk.of("conversation.item.input_audio_transcription.completed")
        assert heard["transcript"] == answer
        assert len(talk.of("response.created")) == 2


@pytest.mark.parametrize("gap_s", [0.1, 0.2, 0.4, 0.8])
@pytest.mark.parametrize(
    ("asked", "repeated"),
    [
        ("Repeat after me: how are you?", "How are you?"),
        ("Please say it after me: I am fine.", "I am fine."),
        ("Should I stop, or shall I go on?", "I go on."),
        ("Now say: yes, I do.", "Yes, I do."),
        ("请跟我读：你叫什么？", "你叫什么？"),
        ("跟我说：祝你生日快乐！", "祝你生日快乐！"),
    ],
)
@scripted
async def test_whoever_repeats_the_last_words_is_heard(asked, repeated, gap_s):
    """With headphones, and as fast as they were said."""
    chat = FakeChat([[(0.05, asked)], [(0.1, "Good.")]])
    async with Talk(chat=chat, transcriber=FakeTranscriber([repeated] * 9)) as talk:
        await quoting(talk, asked_s=len(asked) * 0.06 + gap_s, said_s=max(0.5, len(repeated) * 0.06))
        (heard,) = talk.of("conversation.item.input_audio_transcription.completed")
        assert heard["transcript"] == repeated
        assert len(talk.of("response.created")) == 2


@pytest.mark.parametrize("late_s", [0.3, 0.5, 0.7, 0.85])
@pytest.mark.parametrize("answer", ["It is noon.", "I am fine.", "你好，小明。", "Yes, of course."])
@scripted
async def test_the_echo_of_a_short_answer_from_a_late_loudspeaker_is_nobody(answer, late_s):
    """All of it comes back, and nothing was said before it."""
    chat = FakeChat([[(0.05, answer)], [(0.1, "Good.")]])
    async with Talk(chat=chat, transcriber=FakeTranscriber([answer] * 9)) as talk:
        await quoting(talk, asked_s=late_s, said_s=max(0.4, len(answer) * 0.06))
        assert len(talk.of("response.created")) == 1


@pytest.mark.parametrize("late_s", [0.7, 0.85])
@pytest.mark.parametrize("last", ["Is that okay?", "Tell me more.", "你觉得怎么样？"])
@scripted
async def test_the_echo_of_a_short_last_sentence_from_a_late_loudspeaker_is_nobody(last, late_s):
    """All of it comes when all has been said. A player changes the sound, so that only the words tell."""
    first = "The museum opens at nine in the morning. "
    chat = FakeChat([[(0.05, first + last)], [(0.1, "Good.")]])
    transcriber = FakeTranscriber([first, *[last] * 9], interim_texts=[first[:20], *[first] * 9])
    async with Talk(chat=chat, transcriber=transcriber) as talk:
        await talk.ask("When does it open?")
        await talk.until("response.output_audio.delta")
        await talk.silence(late_s)
        await talk.speak(len(first) * 0.06 - 0.8)
        await talk.silence(0.8)
        await talk.speak(len(last) * 0.06)
        await talk.silence(3.0)
        assert not any(
            done["transcript"] for done in talk.of("conversation.item.input_audio_transcription.completed")
        )
        assert len(talk.of("response.created")) == 1


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        ("價格是1299.5元，請您付款，謝謝您的光臨。", "价格是一千二百九十九点五元"),
        ("請問您還需要什麼幫助嗎？我們隨時為您服務。", "请问您还需要什么帮助吗"),
    ],
)
@scripted
async def test_an_echo_that_is_spelled_otherwise_is_nobody(answer, read):
    chat = FakeChat([[(0.05, answer)], [(0.1, "Good.")]])
    voice, transcriber = FakeSpeech(factor=1.5, gives_words=False), FakeTranscriber([read] * 9)
    async with Talk(chat=chat, speech=voice, transcriber=transcriber) as talk:
        await quoting(talk, asked_s=0.75, said_s=0.6)
        assert not talk.of("input_audio_buffer.speech_started")
        assert len(talk.of("response.created")) == 1
