"""A session at one of several accounts: at its next reply it asks another one, and nothing else changes."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from realtime.errors import ProviderRejected
from realtime.providers.base import Providers
from tests import virtual_time
from tests.conversing import Talk, scripted
from tests.eventually import eventually
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber

EMPTY = ProviderRejected("Top it up.", code="insufficient_quota", upstream_code=1008)


class Seat:
    """Whoever sits here moves once, as soon as there is `other`."""

    name = "one"

    def __init__(self) -> None:
        self.other: Providers | None = None
        self.settings = None
        self.asked: list[str] = []

    def instead(self, voice_id):
        self.asked.append(voice_id)
        other, self.other = self.other, None
        return None if other is None else (self.settings, other)


@scripted
async def test_the_next_reply_is_the_other_account_s_with_all_that_was_said():
    seat, chat, other = Seat(), FakeChat([[(0.1, "Hello Ada.")], [(0.1, EMPTY)]]), FakeChat([[(0.1, "Ada.")]])
    speech = FakeSpeech()
    async with Talk(chat=chat, seat=seat) as talk:
        await talk.ask("My name is Ada.")
        await talk.until("response.done")
        await talk.ask("Where am I?")
        failed = await talk.until("response.done", 2)
        assert failed["response"]["status_details"]["error"]["code"] == "insufficient_quota"
        seat.other = replace(talk.session._context.providers, chat=other, speech=speech)
        seat.settings = replace(talk.settings, chat_rpm=7)
        await talk.ask("What is my name?")
        answered = await talk.until("response.done", 3)
        assert answered["response"]["status"] == "completed"
        said = [(message.role, message.content) for message in other.requests[0].messages]
        assert said == [
            ("system", "Be brief."),
            ("user", "My name is Ada."),
            ("assistant", "Hello Ada."),
            ("user", "Where am I?"),
            ("user", "What is my name?"),
        ]
        assert len(chat.requests) == 2
        assert speech.said == ["Ada."]
        assert set(seat.asked) == {"v1"}
        assert talk.session._context.settings.chat_rpm == 7


@scripted
async def test_a_reply_that_is_made_stays_where_it_began():
    seat, other = Seat(), FakeChat([[(0.1, "From the other one.")]])
    chat = FakeChat([[(0.2, "Well, "), (0.5, "it is noon in Oslo now. "), (0.5, "So eat!")]])
    async with Talk(chat=chat, seat=seat, transcriber=FakeTranscriber(["Yes."])) as talk:
        await talk.ask("What time is it?")
        await talk.until("response.output_audio.delta")
        seat.other = replace(talk.session._context.providers, chat=other)
        seat.settings = talk.settings
        done = await talk.until("response.done")
        assert done["response"]["status"] == "completed"
        assert not other.requests
        await talk.ask("And now?")
        await talk.until("response.done", 2)
        assert len(other.requests) == 1


@scripted
async def test_who_begins_to_speak_is_awaited_at_the_other_account():
    """The connection is ready there before the turn is over."""
    seat, speech = Seat(), FakeSpeech()
    async with Talk(seat=seat, transcriber=FakeTranscriber(["Hello there."])) as talk:
        await talk.silence(0.5)
        seat.other = replace(talk.session._context.providers, speech=speech)
        seat.settings = talk.settings
        await talk.speak(0.6)
        assert [voice.voice_id for voice in speech.prewarmed] == ["v1"]


def other_of(talk: Talk, seat: Seat, **providers) -> None:
    """From now on the session may move to an account with these providers of its own."""
    seat.other, seat.settings = replace(talk.session._context.providers, **providers), talk.settings


class Moving(Seat):
    """Moves only when its account has refused: not before a reply."""

    def __init__(self, refused) -> None:
        super().__init__()
        self.refused = refused

    def instead(self, voice_id):
        return super().instead(voice_id) if self.refused() else None


def refusing_chat(*before: str) -> tuple[FakeChat, Moving]:
    """A chat without a balance, which says this before, and the seat of its account."""
    chat = FakeChat([[*((0.1, text) for text in before), (0.1, EMPTY)]])
    return chat, Moving(lambda: bool(chat.requests))


@scripted
async def test_a_turn_for_which_no_request_is_left_is_answered_by_another_account():
    full = ProviderRejected("The account is full.", code="rate_limit_exceeded")
    chat, other = FakeChat([[(5.0, full)]]), FakeChat([[(0.1, "It is noon.")]])
    seat = Moving(lambda: bool(chat.requests))
    async with Talk(chat=chat, seat=seat) as talk:
        other_of(talk, seat, chat=other)
        await talk.ask("What time is it?")
        done = await talk.until("response.done")
        assert done["response"]["status"] == "completed"


@scripted
async def test_a_turn_that_meets_a_dry_chat_is_answered_by_another_account():
    chat, seat = refusing_chat()
    other, speech = FakeChat([[(0.1, "It is noon.")]]), FakeSpeech()
    async with Talk(chat=chat, seat=seat) as talk:
        other_of(talk, seat, chat=other, speech=speech)
        await talk.ask("What time is it?")
        done = await talk.until("response.done")
        assert done["response"]["status"] == "completed"
        assert speech.said == ["It is noon."]
        assert not talk.speech.said, "the voice that was opened at the first account got nothing"
        assert speech.prewarmed, "its connection is made while the model thinks"
        assert len(other.requests) == 1
        assert len(talk.of("response.created")) == 1


@scripted
async def test_the_budget_of_the_account_that_will_speak_counts():
    """With few requests left a chunk is large, and comes late."""
    chat, seat = refusing_chat()
    other, speech = FakeChat([LONG]), FakeSpeech()
    async with Talk(chat=chat, seat=seat) as talk:
        talk.speech.budget = 0
        other_of(talk, seat, chat=other, speech=speech)
        await talk.ask("Tell me.")
        await talk.until("response.output_audio.delta")
        assert len(speech.said[0]) < 100


@scripted
async def test_a_turn_that_meets_a_dry_voice_is_spoken_by_another_account():
    chat = FakeChat([[(0.1, "It is noon. "), (0.1, "So eat your lunch now!")]])
    speech, refusing = FakeSpeech(), FakeSpeech(errors=[EMPTY])
    seat = Moving(lambda: not refusing.errors)
    async with Talk(chat=chat, speech=refusing, seat=seat) as talk:
        other_of(talk, seat, speech=speech)
        await talk.ask("What time is it?")
        done = await talk.until("response.done")
        assert done["response"]["status"] == "completed"
        assert "".join(speech.said).replace(" ", "") == "Itisnoon.Soeatyourlunchnow!"
        assert len(chat.requests) == 1, "the model is not asked again"
        said = talk.of("response.output_audio_transcript.done")
        assert [event["transcript"] for event in said] == ["It is noon. So eat your lunch now!"]


class Full(FakeSpeech):
    """Its account has no request left, and the wait would be too long."""

    tried = 0

    @asynccontextmanager
    async def open(self, voice):
        async with super().open(voice) as utterance:
            utterance.say = self._refuse
            yield utterance

    async def _refuse(self, text):
        self.tried += 1
        raise ProviderRejected("The account is full.", code="rate_limit_exceeded")


@scripted
async def test_a_voice_that_has_no_request_left_is_that_of_another_account():
    speech, full = FakeSpeech(), Full()
    seat = Moving(lambda: bool(full.tried))
    async with Talk(chat=FakeChat([[(0.1, "It is noon.")]]), speech=full, seat=seat) as talk:
        other_of(talk, seat, speech=speech)
        await talk.ask("What time is it?")
        done = await talk.until("response.done")
        assert done["response"]["status"] == "completed"
        assert speech.said == ["It is noon."]


@scripted
async def test_a_voice_that_runs_dry_between_two_chunks_goes_on_at_another_account():
    """Whatever was heard is not said again."""
    text = [(0.1, f"This is sentence number {n}, and it is a long one. ") for n in range(6)]
    speech, refusing = FakeSpeech(), FakeSpeech()
    seat = Moving(lambda: refusing.begun == 1 and not refusing.errors)
    async with Talk(chat=FakeChat([text]), speech=refusing, seat=seat) as talk:
        other_of(talk, seat, speech=speech)
        await talk.ask("Tell me.")
        await talk.until("response.output_audio.delta")
        refusing.errors.append(EMPTY)
        done = await talk.until("response.done")
        assert done["response"]["status"] == "completed"
        heard = refusing.said[: refusing.begun] + speech.said
        assert " ".join(" ".join(heard).split()) == "".join(part for _, part in text).strip()
        assert speech.said
        assert refusing.begun == 1


class Limited(FakeSpeech):
    """Its account takes so many requests, and then none for long, which nobody has foreseen."""

    def __init__(self, requests: int, **more) -> None:
        super().__init__(**more)
        self.requests, self.refused = requests, 0

    @asynccontextmanager
    async def open(self, voice):
        async with super().open(voice) as utterance:
            say = utterance.say

            async def limited(text):
                if len(self.said) == self.requests:
                    self.refused += 1
                    raise ProviderRejected("The account is full.", code="rate_limit_exceeded")
                return await say(text)

            utterance.say = limited
            yield utterance


LONG = [(0.1, f"This is sentence number {n}, and it is a long one. ") for n in range(12)]


@pytest.mark.parametrize("factor", [1.05, 8.0])  # how fast sound comes: while a chunk sounds, or long before
@scripted
async def test_a_voice_whose_requests_run_out_in_an_answer_ends_what_it_has_begun(factor):
    """And another account says the rest, each chunk once."""
    speech, limited = FakeSpeech(), Limited(1, factor=factor)
    seat = Moving(lambda: limited.refused)
    async with Talk(chat=FakeChat([LONG]), speech=limited, seat=seat) as talk:
        other_of(talk, seat, speech=speech)
        await talk.ask("Tell me.")
        done = await talk.until("response.done")
        assert done["response"]["status"] == "completed"
        assert len(limited.said) == limited.begun == 1
        assert len(speech.said) == speech.begun
        assert limited.refused == 1
        said = " ".join((*limited.said, *speech.said))
        assert " ".join(said.split()) == "".join(part for _, part in LONG).strip()
        assert speech.open_now == 0


@scripted
async def test_an_interrupted_answer_leaves_no_voice_open_at_any_account():
    speech, limited = FakeSpeech(), Limited(1, factor=1.05)
    seat = Moving(lambda: limited.refused)
    async with Talk(chat=FakeChat([LONG]), speech=limited, seat=seat) as talk:
        other_of(talk, seat, speech=speech)
        await talk.ask("Tell me.")
        await eventually(lambda: speech.open_now)
        assert limited.open_now == 1
        await talk.send("response.cancel")
        await talk.until("response.done")
        await asyncio.sleep(0.1)
        assert (limited.open_now, speech.open_now) == (0, 0)


@scripted
async def test_an_answer_in_text_needs_no_voice_of_an_account():
    chat, seat = refusing_chat()
    other = FakeChat([[(0.1, "It is noon.")]])
    async with Talk(chat=chat, seat=seat, output_modalities=["text"]) as talk:
        other_of(talk, seat, chat=other)
        await talk.ask("What time is it?")
        done = await talk.until("response.done")
        assert done["response"]["status"] == "completed"
        assert set(seat.asked) == {None}


@scripted
async def test_what_was_begun_is_not_said_again():
    """Words of the answer were seen: another model would write others."""
    chat, seat = refusing_chat("Well, ")
    other = FakeChat([[(0.1, "It is noon.")]])
    async with Talk(chat=chat, seat=seat) as talk:
        other_of(talk, seat, chat=other)
        await talk.ask("What time is it?")
        done = await talk.until("response.done")
        assert done["response"]["status_details"]["error"]["code"] == "insufficient_quota"
        assert not other.requests


@pytest.mark.parametrize("code", ["content_filter", "invalid_voice", "upstream_unavailable"])
def test_another_refusal_moves_nobody(code):
    async def run():
        seat, other = Seat(), FakeChat([[(0.1, "It is noon.")]])
        chat = FakeChat([[(0.1, ProviderRejected("No.", code=code, upstream_code=1026))]])
        async with Talk(chat=chat, seat=seat) as talk:
            await talk.ask("What time is it?", output_modalities=["text"])
            await asyncio.sleep(0.05)
            other_of(talk, seat, chat=other)
            done = await talk.until("response.done")
            assert done["response"]["status_details"]["error"]["code"] == code
            assert not other.requests

    virtual_time.run(run())


@scripted
async def test_where_every_account_has_run_dry_the_turn_is_told_so():
    (chat, seat), (other, _) = refusing_chat(), refusing_chat()
    async with Talk(chat=chat, seat=seat) as talk:
        other_of(talk, seat, chat=other)
        await talk.ask("What time is it?")
        done = await talk.until("response.done")
        assert done["response"]["status_details"]["error"]["code"] == "insufficient_quota"
        assert (len(chat.requests), len(other.requests)) == (1, 1)


@scripted
async def test_what_was_said_is_read_by_the_account_where_the_session_is():
    other, refusing = FakeTranscriber(["What time is it?"]), FakeTranscriber([EMPTY], interim=False)
    seat = Moving(lambda: not refusing.texts)
    async with Talk(transcriber=refusing, seat=seat) as talk:
        other_of(talk, seat, transcriber=other)
        await talk.speak(1.2)
        await talk.silence(1.5)
        done = await talk.until("conversation.item.input_audio_transcription.completed")
        assert done["transcript"] == "What time is it?"


@scripted
async def test_the_rest_of_an_interrupted_reply_is_asked_where_the_session_is_then():
    """Its chat was chosen before the session moved."""
    chat, seat, other = FakeChat(), Seat(), FakeChat()
    async with Talk(chat=chat, seat=seat) as talk:
        options = talk.session._answering.options()
        asked = talk.session.responses.plans.chat(options)
        other_of(talk, seat, chat=other)
        talk.session._context.providers_for("v1")
        request = await talk.session._answering.request(options)()
        assert [event async for event in asked.stream(request)]
        assert (len(chat.requests), len(other.requests)) == (0, 1)
