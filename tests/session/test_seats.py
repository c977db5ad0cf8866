"""A session at one of several accounts: at its next reply it asks another one, and nothing else changes."""

from dataclasses import replace

from realtime.errors import ProviderRejected
from realtime.providers.base import Providers
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber

EMPTY = ProviderRejected("Top it up.", code="insufficient_quota", upstream_code=1008)


class Seat:
    """Whoever sits here moves once, as soon as there is `other`."""

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
