"""Short words during an answer, with transcribers of every kind, on virtual time: what stops it, what does not."""

import asyncio

import pytest

from realtime.providers.base import Transcript
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber

SENTENCES = (
    "Once there was a small dog, ",
    "and it lived by the sea. ",
    "Every day it ran along the beach. ",
)
STORY = [(0.1, sentence) for sentence in SENTENCES * 3]
COMMANDS = [
    ("Stop.", 0.42), ("Wait!", 0.3), ("No.", 0.25), ("停", 0.26), ("等一下", 0.5), ("Halt!", 0.3), ("Arrête !", 0.45), ("¡Para!", 0.3),
    ("やめて", 0.5), ("Нет!", 0.28), ("Hold on.", 0.55), ("Why?", 0.2), ("Turn left.", 0.5), ("그만", 0.35),
]  # fmt: skip
BACKCHANNELS = [
    ("Mm-hmm.", 0.68), ("Uh-huh.", 0.5), ("Yeah.", 0.4), ("Okay.", 0.5), ("Right.", 0.45), ("嗯。", 0.3), ("对对对。", 0.7), ("はい", 0.35),
    ("うん、うん", 0.6), ("Ja, genau.", 0.7), ("Oui.", 0.28), ("Mmmm", 0.72),
]  # fmt: skip


def local(said):
    return FakeTranscriber([said] * 9, interim=True, delay_s=0.08)


def remote(said):
    return FakeTranscriber([said] * 9, interim=False, delay_s=0.3)


def slow(said):
    """The text comes long after the silence that ends a turn."""
    return FakeTranscriber([said] * 9, interim=False, delay_s=0.9)


def listening(transcriber, **session):
    """A conversation in which a long answer sounds and only the user's word is of interest."""
    chat = FakeChat([STORY, [(0.1, "Yes?")]])
    return Talk(chat=chat, speech=FakeSpeech(factor=3.0), transcriber=transcriber, **session)


async def say(talk: Talk, seconds: float, silence_s: float = 2.0) -> float:
    """The user says something during the answer. Returns when the word has ended."""
    await talk.ask("Tell me a story.")
    await talk.until("response.output_audio.delta")
    await talk.silence(0.6)
    await talk.speak(seconds)
    ended_s = asyncio.get_running_loop().time() - 1000.0
    await talk.silence(silence_s)
    return ended_s


@pytest.mark.parametrize("transcriber", [local, remote])
@pytest.mark.parametrize(("word", "seconds"), COMMANDS)
def test_a_word_stops_the_answer_within_half_a_second_and_is_answered(word, seconds, transcriber):
    @scripted
    async def talk_over():
        async with listening(transcriber(word)) as talk:
            ended_s = await say(talk, seconds)
            started = talk.of("input_audio_buffer.speech_started")[0]
            assert started["at"] <= ended_s + 0.5
            assert started["audio_start_ms"] == pytest.approx(600 - 300, abs=40), "where it really began"
            assert talk.of("response.done")[0]["response"]["status_details"]["reason"] == "turn_detected"
            completed = talk.of("conversation.item.input_audio_transcription.completed")
            assert [event["transcript"] for event in completed] == [word]
            await talk.until("response.done", 2)
            assert talk.chat.requests[1].messages[-1].content == word

    talk_over()


@pytest.mark.parametrize("transcriber", [local, remote, slow])
@pytest.mark.parametrize(("murmur", "seconds"), BACKCHANNELS)
def test_a_backchannel_never_reaches_the_wire(murmur, seconds, transcriber):
    @scripted
    async def listen():
        async with listening(transcriber(murmur)) as talk:
            await say(talk, seconds)
            assert not [type for type in talk.types if type.startswith("input_audio_buffer")]
            assert not [type for type in talk.types if "transcription" in type]
            assert (await talk.until("response.done"))["response"]["status"] == "completed"
            assert talk.metrics.false_starts._value.get() == 1

    listen()


@pytest.mark.parametrize("transcriber", [local, remote, slow])
@pytest.mark.parametrize("seconds", [0.06, 0.12, 0.2, 0.3, 0.45, 0.6])
def test_a_cough_never_reaches_the_wire_whoever_transcribes(seconds, transcriber):
    @scripted
    async def cough():
        async with listening(transcriber("")) as talk:
            await say(talk, seconds)
            assert not [type for type in talk.types if type.startswith("input_audio_buffer")]
            assert (await talk.until("response.done"))["response"]["status"] == "completed"

    cough()


@scripted
async def test_repeated_backchannels_of_more_than_a_second_do_not_interrupt():
    for said in ("Yeah, yeah, yeah.", "Mm-hmm, okay.", "嗯，对，对。", "Ja, ja, genau."):
        async with listening(local(said)) as talk:
            await say(talk, 1.3)
            assert "input_audio_buffer.speech_started" not in talk.types, said


class Busy(FakeTranscriber):
    """A machine with so much to do that each text takes long; what was begun runs to its end, cancelled or not."""

    def __init__(self, *said: str, delay_s: float) -> None:
        super().__init__(delay_s=delay_s)
        self.said = said

    async def transcribe(self, samples, *, language, final):
        await asyncio.sleep(self.delay_s)
        seconds = len(samples) / 16_000 - 0.4  # of them without what comes before the speech
        return Transcript(" ".join(self.said[: 1 + (seconds > 0.75)]))


class Doubting(FakeTranscriber):
    """Writes the same for whatever it hears, and does not believe it."""

    def __init__(
        self, text: str, *, doubt: float = -1.4, may_be: str | None = None, interim: bool = True
    ) -> None:
        super().__init__(interim=interim, delay_s=0.1)
        self.text, self.doubt, self.may_be = text, doubt, may_be
        self.compared = 0

    async def transcribe(self, samples, *, language, final):
        await asyncio.sleep(self.delay_s)
        return Transcript(self.text, "en", self.doubt)

    async def murmur(self, samples, transcript):
        self.compared += 1
        await asyncio.sleep(0.05)
        return self.may_be


@pytest.mark.parametrize(
    ("text", "interrupts"),
    [
        ("Emme.", False),
        ("Emamton", False),
        ("I'm home.", False),
        ("Stop.", True),
        ("ten.", True),
        ("灯", True),
    ],
)
def test_a_hum_that_cannot_be_read_does_not_interrupt_and_a_command_does(text, interrupts):
    @scripted
    async def talk_over():
        async with listening(Doubting(text)) as talk:
            await say(talk, 0.68)
            assert ("input_audio_buffer.speech_started" in talk.types) is interrupts

    talk_over()


@pytest.mark.parametrize("interim", [True, False])
@pytest.mark.parametrize("text", ["As high.", "C.", "Bye.", "A sign."])
def test_a_word_that_may_as_well_be_a_murmur_is_one_over_an_answer(text, interim):
    @scripted
    async def talk_over():
        async with listening(Doubting(text, may_be="I see.", interim=interim)) as talk:
            await say(talk, 0.5)
            assert "input_audio_buffer.speech_started" not in talk.types
            assert (await talk.until("response.done"))["response"]["status"] == "completed"
        async with listening(Doubting(text, interim=interim)) as talk:
            await say(talk, 0.5)
            assert "input_audio_buffer.speech_started" in talk.types, (
                "it is the murmur that makes the difference"
            )

    talk_over()


@scripted
async def test_a_word_that_may_be_a_murmur_is_what_was_read_where_it_answers_a_question():
    """Nothing sounds, so whoever speaks wants the turn."""
    transcriber = Doubting("C.", doubt=-1.2, may_be="I see.")
    async with listening(transcriber) as talk:
        await talk.speak(0.5)
        await talk.silence(2.0)
        completed = talk.of("conversation.item.input_audio_transcription.completed")
        assert [event["transcript"] for event in completed] == ["C."]
        await talk.until("response.done")
        assert talk.chat.requests[0].messages[-1].content == "C."
        assert transcriber.compared == 0, "nothing could be stopped"


@scripted
async def test_a_long_hum_in_which_no_words_are_read_does_not_interrupt():
    async with listening(local("")) as talk:
        await say(talk, 1.1)
        assert "input_audio_buffer.speech_started" not in talk.types


@scripted
async def test_backchannels_that_are_read_late_do_not_interrupt():
    """The text of the first part comes when the second one has begun."""
    for delay_s in (0.1, 0.3, 0.5):
        async with listening(Busy("Yeah,", "yeah.", delay_s=delay_s)) as talk:
            await say(talk, 0.45, silence_s=0.18)
            await talk.speak(0.5)
            await talk.silence(2.0)
            assert "input_audio_buffer.speech_started" not in talk.types, delay_s


@scripted
async def test_a_command_before_more_words_is_read_though_the_speech_went_on():
    async with listening(remote("Stop.")) as talk:
        ended_s = await say(talk, 0.4, silence_s=0.18)
        await talk.speak(1.0)
        assert talk.of("input_audio_buffer.speech_started")[0]["at"] <= ended_s + 0.45


@scripted
async def test_words_after_a_backchannel_interrupt_as_soon_as_they_are_read():
    texts = ["Yeah", "Yeah, but what", "Yeah, but what about the fox"]
    transcriber = FakeTranscriber(["Yeah, but what about the fox?"] * 5, interim_texts=texts, delay_s=0.08)
    async with listening(transcriber) as talk:
        ended_s = await say(talk, 1.6)
        assert talk.of("input_audio_buffer.speech_started")[0]["at"] <= ended_s - 1.6 + 0.8


@pytest.mark.parametrize(("transcriber", "within_s"), [(local, 0.45), (remote, 0.85)])
def test_many_words_interrupt_while_they_are_spoken(transcriber, within_s):
    @scripted
    async def interrupt():
        async with listening(transcriber("What about the weather in Paris today?")) as talk:
            ended_s = await say(talk, 2.0)
            assert talk.of("input_audio_buffer.speech_started")[0]["at"] <= ended_s - 2.0 + within_s

    interrupt()


@scripted
async def test_without_a_transcriber_long_speech_interrupts_and_short_speech_does_not():
    for seconds, interrupts in ((0.5, False), (0.7, True)):
        talk = listening(None)
        talk.transcriber = None
        async with talk:
            await say(talk, seconds)
            assert ("input_audio_buffer.speech_started" in talk.types) is interrupts


@scripted
async def test_a_word_whose_text_comes_after_the_answer_has_ended_is_the_next_turn():
    chat = FakeChat([[(0.1, "It is noon.")], [(0.1, "Yes?")]])
    async with Talk(chat=chat, transcriber=slow("And then?")) as talk:
        await talk.ask("What time is it?")
        await talk.until("response.done")
        await talk.speak(0.4)
        await talk.silence(3.0)
        await talk.until("response.done", 2)
        assert chat.requests[1].messages[-1].content == "And then?"


@scripted
async def test_two_words_in_a_row_are_one_turn_when_the_first_is_read_late():
    async with listening(slow("Stop. Tell me about cats.")) as talk:
        await say(talk, 0.4, silence_s=0.65)
        await talk.speak(0.5)
        await talk.silence(3.0)
        completed = talk.of("conversation.item.input_audio_transcription.completed")
        assert [event["transcript"] for event in completed] == ["Stop. Tell me about cats."]
        assert completed[0]["usage"]["seconds"] > 0.4 + 0.65 + 0.5, "all of it was transcribed at once"
        assert talk.of("input_audio_buffer.speech_started")[0]["audio_start_ms"] == pytest.approx(300, abs=40)


@scripted
async def test_history_keeps_what_was_heard_until_the_late_decision():
    chat, speech = FakeChat([STORY, [(0.1, "Yes?")]]), FakeSpeech(factor=1.2)
    async with Talk(chat=chat, speech=speech, transcriber=remote("Stop.")) as talk:
        await say(talk, 0.42)
        first = talk.of("response.output_audio.delta")[0]
        started = talk.of("input_audio_buffer.speech_started")[0]
        await talk.until("response.done", 2)
        told = next(m.content for m in talk.chat.requests[1].messages if m.role == "assistant")
        heard_ms = (started["at"] - first["at"]) * 1000
        assert "".join(SENTENCES * 3).startswith(told)
        assert len(told) * 60 == pytest.approx(heard_ms, abs=7 * 60), "within a word"
        assert heard_ms > 600 + 420, "it went on to sound while the word was read"


@scripted
async def test_a_buffer_that_is_cleared_takes_the_word_with_it():
    async with listening(slow("Stop.")) as talk:
        await say(talk, 0.42, silence_s=0.7)
        await talk.send("input_audio_buffer.clear")
        await talk.silence(2.0)
        assert "input_audio_buffer.speech_started" not in talk.types
        assert talk.types.count("input_audio_buffer.cleared") == 1


@scripted
async def test_without_interruptions_a_word_is_an_item_and_the_answer_goes_on():
    detection = {"type": "server_vad", "interrupt_response": False}
    async with listening(remote("Stop."), audio={"input": {"turn_detection": detection}}) as talk:
        await say(talk, 0.42)
        assert [
            e["transcript"] for e in talk.of("conversation.item.input_audio_transcription.completed")
        ] == ["Stop."]
        assert (await talk.until("response.done"))["response"]["status"] == "completed"


class Echo:
    """A remote transcriber that repeats its prompt when it hears next to nothing."""

    interim, name = False, "echo"

    def __init__(self, text: str) -> None:
        self.text = text

    async def transcribe(self, samples, *, language, final):
        await asyncio.sleep(0.1)
        return Transcript(self.text)

    async def prewarm(self) -> None:
        return

    async def aclose(self) -> None:
        return


ECHOES = [
    ("以下是普通话的句子。", None), ("以下是普通話的句子", None), ("Kubernetes, Terraform, MiniMax", "Kubernetes, Terraform, MiniMax"),
    ("TERRAFORM! minimax kubernetes", "Kubernetes, Terraform, MiniMax"), ("普通話 北京時間 請回答", "请用普通话回答，北京时间"),
    ("Thank you for watching!", None), ("请不吝点赞 订阅 转发 打赏支持明镜与点点栏目", None), ("ご視聴ありがとうございました", None),
    ("Untertitel der Amara.org-Community", None), ("I'm not going to be able to do that for you.", None),
]  # fmt: skip


@pytest.mark.parametrize("seconds", [0.3, 0.5, 0.7])
@pytest.mark.parametrize(("text", "prompt"), ECHOES)
def test_what_a_transcriber_invents_is_an_empty_transcript_and_is_not_answered(text, prompt, seconds):
    @scripted
    async def hear():
        transcription = {"prompt": prompt} if prompt else {}
        async with Talk(transcriber=Echo(text), audio={"input": {"transcription": transcription}}) as talk:
            await talk.speak(seconds)
            await talk.silence(2.0)
            completed = talk.of("conversation.item.input_audio_transcription.completed")
            assert [event["transcript"] for event in completed] == [""]
            assert "response.created" not in talk.types

    hear()


@pytest.mark.parametrize(
    ("text", "prompt", "seconds"),
    [
        ("以下是普通话的句子。", None, 2.0), ("Thank you.", None, 0.4), ("Kubernetes, Terraform, MiniMax", "Kubernetes, Terraform, MiniMax", 2.2),
        ("Terraform.", "Kubernetes, Terraform", 0.6), ("谢谢", None, 0.4), ("Thank you very much.", None, 0.7), ("No.", None, 0.3),
    ],
)  # fmt: skip
def test_the_same_words_at_a_normal_length_are_heard(text, prompt, seconds):
    @scripted
    async def hear():
        transcription = {"prompt": prompt} if prompt else {}
        async with Talk(transcriber=Echo(text), audio={"input": {"transcription": transcription}}) as talk:
            await talk.speak(seconds)
            await talk.silence(2.0)
            assert [
                e["transcript"] for e in talk.of("conversation.item.input_audio_transcription.completed")
            ] == [text]
            assert "response.created" in talk.types

    hear()
