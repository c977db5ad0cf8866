"""A turn that is longer than any sound that is kept: it is heard whole, and its deltas go on."""

from __future__ import annotations

import asyncio
import logging

import pytest

from realtime.listening import audio_input, long_speech
from realtime.providers.whisper import model
from tests.conversing import LOUD, Talk, scripted
from tests.session.moving import Left, Losable
from tests.session.test_moved_speech import send_again, users
from tests.tone_words import GAP_S, WORD_S, ToneReader, spoken, tell, words

COMPLETED = "conversation.item.input_audio_transcription.completed"
FAILED = "conversation.item.input_audio_transcription.failed"
DELTA = "conversation.item.input_audio_transcription.delta"
MOST_BEHIND = 10  # words, in five seconds
EACH_S = WORD_S + GAP_S
BY_HAND = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
DETECTED = {"type": "realtime", "audio": {"input": {"turn_detection": {"type": "server_vad"}}}}


def deltas(talk: Talk, item_id: str | None = None) -> str:
    return "".join(each["delta"] for each in talk.of(DELTA) if item_id in (None, each["item_id"]))


def behind(talk: Talk, item_id: str, whole: str) -> int:
    """How many words of the turn no delta had: those that no second guess has confirmed."""
    told = deltas(talk, item_id)
    assert whole.startswith(told)
    return len(whole.split()) - len(told.split())


def kept_s(talk: Talk) -> float:
    return talk.session._user._audio.buffered_ms / 1000


@scripted
async def test_a_turn_of_five_minutes_is_heard_whole_and_its_deltas_go_on() -> None:
    reader, most_s, late = ToneReader(), 0.0, 0
    async with Talk(transcriber=reader) as talk:
        for first in range(0, 600, 20):
            await tell(talk, first, first + 20)
            most_s = max(most_s, kept_s(talk))
            so_far = words(0, first + 20)
            late = max(late, behind(talk, talk.of("input_audio_buffer.speech_started")[0]["item_id"], so_far))
        await talk.silence(2.0)
        told = await talk.until(COMPLETED)
        await talk.until("response.done")
        assert told["transcript"] == words(0, 600)
        assert told["usage"]["seconds"] == pytest.approx(600 * EACH_S, abs=1.5)
        assert users(talk) == [words(0, 600)]
        assert talk.chat.requests[-1].messages[-1].content == words(0, 600)
    assert late <= MOST_BEHIND
    assert most_s < long_speech.LONGEST_S + 5
    assert max(seconds for seconds, _ in reader.asked) < long_speech.LONGEST_S + 3
    assert len(talk.of("input_audio_buffer.committed")) == 1


@scripted
async def test_a_long_turn_that_comes_faster_than_it_is_read_is_heard_whole() -> None:
    async with Talk(transcriber=ToneReader()) as talk:
        for part in spoken(0, 400):
            await talk.append(part)
            assert kept_s(talk) < 105
        await talk.silence(2.0)
        assert (await talk.until(COMPLETED))["transcript"] == words(0, 400)


@pytest.mark.parametrize("interim", [True, False])
@pytest.mark.parametrize("failing", [1, 2])
def test_it_waits_for_another_decode_where_one_fails(failing: int, interim: bool) -> None:
    @scripted
    async def scene() -> None:
        reader = ToneReader(failing=failing, interim=interim, final_s=2.0)
        async with Talk(transcriber=reader) as talk:
            for number, part in enumerate(spoken(0, 400)):
                await talk.append(part)
                # wire 1.4: 120 s at once, then ten times real time
                await asyncio.sleep(0.01 if number > 1200 else 0)
            await talk.silence(2.0)
            assert (await talk.until(COMPLETED))["transcript"] == words(0, 400)

    scene()


@scripted
async def test_sound_waits_for_no_decode_that_never_works() -> None:
    async with Talk(transcriber=ToneReader(failing=10**6)) as talk:
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        for part in spoken(0, 400):
            await talk.append(part)
        assert loop.time() - begun_s < 3 * long_speech.RETRY_S


@scripted
async def test_a_turn_of_less_than_that_is_read_at_once_as_ever() -> None:
    reader = ToneReader()
    async with Talk(transcriber=reader) as talk:
        await tell(talk, 0, 52)
        await talk.silence(2.0)
        assert (await talk.until(COMPLETED))["transcript"] == words(0, 52)
    finals = [seconds for seconds, final in reader.asked if final]
    assert min(finals) > 26, "only at its end"


@scripted
async def test_where_a_decode_has_its_price_a_long_turn_takes_few() -> None:
    reader = ToneReader(interim=False)
    async with Talk(transcriber=reader) as talk:
        await tell(talk, 0, 300)
        assert len(reader.asked) <= 2
        assert kept_s(talk) < long_speech.LONGEST_AT_A_PRICE_S + 5
        await talk.silence(2.0)
        assert (await talk.until(COMPLETED))["transcript"] == words(0, 300)
        assert talk.of(DELTA) == []


@scripted
async def test_a_turn_that_ends_while_its_beginning_is_read_is_read_whole() -> None:
    reader = ToneReader(final_s=6.0)
    async with Talk(transcriber=reader) as talk:
        await tell(talk, 0, 56)
        assert [final for _, final in reader.asked].count(True) == 1
        await talk.silence(2.0)
        assert (await talk.until(COMPLETED))["transcript"] == words(0, 56)
        assert any(seconds < 21 for seconds in reader.stopped), "nobody needs it any more"
        reader.final_s = 0.5
        await tell(talk, 60, 62)
        await talk.silence(2.0)
        assert (await talk.until(COMPLETED, 2))["transcript"] == words(60, 62)


@scripted
async def test_a_decode_of_the_beginning_that_fails_is_tried_again() -> None:
    reader = ToneReader(failing=2)
    async with Talk(transcriber=reader) as talk:
        await tell(talk, 0, 160)
        await talk.silence(2.0)
        assert (await talk.until(COMPLETED))["transcript"] == words(0, 160)
        assert behind(talk, talk.of(COMPLETED)[0]["item_id"], words(0, 160)) <= MOST_BEHIND


@scripted
async def test_where_the_beginning_cannot_be_read_for_ever_the_newest_sound_is_kept_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reader = ToneReader(failing=10**6)
    caplog.set_level(logging.INFO)
    async with Talk(transcriber=reader) as talk:
        await tell(talk, 0, 300)
        assert kept_s(talk) <= audio_input.KEEP_MS / 1000 + 0.1
        reader.failing = 0
        await talk.silence(2.0)
        told = await talk.until(COMPLETED)
    heard = told["transcript"].split()
    assert heard == words(300 - len(heard), 300).split()
    assert 225 <= len(heard) <= 240
    lost = [each for each in caplog.records if "lost" in each.getMessage()]
    assert [each.levelname for each in lost] == ["WARNING"]
    tries = [each for each in caplog.records if "not read yet" in each.getMessage()]
    assert 8 <= len(tries) <= 12, "every ten seconds"


@pytest.mark.parametrize(
    ("failing", "by_client"), [(1, False), (2, False), (10**6, False), (1, True), (2, True), (10**6, True)]
)
def test_where_the_end_of_a_long_turn_cannot_be_read_the_beginning_counts(
    failing: int, by_client: bool, caplog: pytest.LogCaptureFixture
) -> None:
    @scripted
    async def scene() -> None:
        reader = ToneReader()
        async with Talk(transcriber=reader) as talk:
            await tell(talk, 0, 100)
            reader.failing = failing
            if by_client:
                await talk.send("input_audio_buffer.commit")
                await talk.send("response.create")
            else:
                await talk.silence(2.0)
            told = await talk.until(COMPLETED)
            await talk.until("response.done")
            heard = told["transcript"].split()
            lost = [each for each in caplog.records if "end of a long turn lost" in each.getMessage()]
            if failing > (1 if by_client else 2):  # a pause has been read before its turn ends
                assert heard == words(0, len(heard)).split()
                assert 30 <= len(heard) < 100
                assert told["usage"]["seconds"] == pytest.approx(len(heard) * EACH_S, abs=1.0)
                assert [each.levelname for each in lost] == ["WARNING"]
                assert talk.of(FAILED) == []
            else:
                assert told["transcript"] == words(0, 100)
                assert lost == []
            assert talk.chat.requests[-1].messages[-1].content == told["transcript"]

    scene()


@scripted
async def test_a_long_turn_that_is_cleared_is_gone_with_all_that_was_read_of_it() -> None:
    async with Talk(transcriber=ToneReader()) as talk:
        await tell(talk, 0, 100)
        await talk.send("input_audio_buffer.clear")
        await talk.silence(1.0)
        await tell(talk, 200, 204)
        await talk.silence(2.0)
        told = await talk.until(COMPLETED)
        assert told["transcript"] == words(200, 204)
        assert told["usage"]["seconds"] < 6
        assert behind(talk, told["item_id"], told["transcript"]) <= 4


@scripted
async def test_a_client_that_commits_in_a_long_turn_gets_all_that_was_said_and_then_the_rest() -> None:
    async with Talk(transcriber=ToneReader()) as talk:
        await tell(talk, 0, 130)
        begun = talk.of("input_audio_buffer.speech_started")[0]
        await talk.send("input_audio_buffer.commit")
        first = await talk.until(COMPLETED)
        assert (first["item_id"], first["transcript"]) == (begun["item_id"], words(0, 130))
        assert first["usage"]["seconds"] == pytest.approx(130 * EACH_S, abs=1.0)
        await tell(talk, 130, 200)
        await talk.silence(2.0)
        assert (await talk.until(COMPLETED, 2))["transcript"] == words(130, 200)


@scripted
async def test_turns_by_hand_get_what_was_read_while_they_were_detected() -> None:
    async with Talk(transcriber=ToneReader()) as talk:
        await tell(talk, 0, 100)
        await talk.send("session.update", session=BY_HAND)
        await tell(talk, 100, 120)
        await talk.send("input_audio_buffer.commit")
        assert (await talk.until(COMPLETED))["transcript"] == words(0, 120)
        await tell(talk, 130, 140)
        await talk.send("input_audio_buffer.commit")
        assert (await talk.until(COMPLETED, 2))["transcript"] == words(130, 140)


@scripted
async def test_detection_that_was_off_for_a_moment_costs_no_word_of_a_long_turn() -> None:
    async with Talk(transcriber=ToneReader()) as talk:
        await tell(talk, 0, 100)
        await talk.send("session.update", session=BY_HAND)
        await tell(talk, 100, 104)
        await talk.send("session.update", session=DETECTED)
        await tell(talk, 104, 120)
        await talk.silence(2.0)
        told = await talk.until(COMPLETED)
        assert told["transcript"] == words(0, 120)
        assert behind(talk, told["item_id"], told["transcript"]) <= MOST_BEHIND


def sound_of(first: int, last: int) -> list[bytes]:
    """In parts of 20 ms."""
    whole = b"".join(spoken(first, last))
    return [whole[start : start + len(LOUD)] for start in range(0, len(whole), len(LOUD))]


@pytest.mark.parametrize("said", [58, 100])
@scripted
async def test_a_long_turn_is_heard_whole_though_its_server_is_lost_in_the_middle(said: int) -> None:
    async with Losable(transcriber=ToneReader(), extensions="resume") as old:
        await tell(old, 0, said)
        left = old.lose()
    async with Losable(
        transcriber=ToneReader(), extensions="resume", continues=left.continues(), before=left, ids="b"
    ) as new:
        from_ms = new.session.input_audio_ms
        assert said * EACH_S * 1000 - from_ms < 30_000, "what clients keep"
        await send_again(new, sound_of(0, said), from_ms)
        await tell(new, said, 130)
        await new.silence(2.0)
        told = await new.until(COMPLETED)
        assert told["transcript"] == words(0, 130)
        assert told["usage"]["seconds"] == pytest.approx(130 * EACH_S, abs=1.5)
        assert behind(new, told["item_id"], told["transcript"]) <= MOST_BEHIND
        assert users(new) == [words(0, 130)]
        await new.silence(1.0)
        await tell(new, 300, 303)
        await new.silence(2.0)
        assert (await new.until(COMPLETED, 2))["transcript"] == words(300, 303)


async def lost_before_its_text() -> tuple[Left, str]:
    """What a server leaves whose long turn has ended and is not read yet, and the id of its item."""
    reader = ToneReader()
    async with Losable(transcriber=reader, extensions="resume") as old:
        await tell(old, 0, 90)
        reader.final_s = 60.0
        await old.silence(2.0)
        item_id = (await old.until("input_audio_buffer.committed"))["item_id"]
        left = old.lose()
    return left, item_id


@scripted
async def test_a_long_turn_that_has_ended_without_its_text_is_read_whole_at_the_next_server() -> None:
    left, item_id = await lost_before_its_text()
    async with Losable(
        transcriber=ToneReader(), extensions="resume", continues=left.continues(), before=left, ids="b"
    ) as new:
        sound = [*sound_of(0, 90), *[bytes(len(LOUD))] * 110]
        await send_again(new, sound, new.session.input_audio_ms)
        told = await new.until(COMPLETED)
        assert (told["item_id"], told["transcript"]) == (item_id, words(0, 90))
        await asyncio.sleep(1.0)
        assert new.chat.requests[-1].messages[-1].content == words(0, 90)


HELLO = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}


@pytest.mark.parametrize("then", ["", "typed soon", "asked soon"])
def test_a_long_turn_whose_rest_never_comes_is_an_item_of_its_own(then: str) -> None:
    @scripted
    async def scene() -> None:
        async with Losable(transcriber=ToneReader(), extensions="resume") as old:
            await tell(old, 0, 58)
            left = old.lose()
        async with Losable(
            transcriber=ToneReader(), extensions="resume", continues=left.continues(), before=left, ids="b"
        ) as new:
            await asyncio.sleep(1.0)
            if then == "typed soon":
                await new.send("conversation.item.create", item=HELLO)
            if then in ("typed soon", "asked soon"):
                await new.send("response.create")
                await new.until("response.done")
            await asyncio.sleep(30.0)
            before = await new.until(COMPLETED, 1)
            heard = before["transcript"].split()
            assert heard == words(0, len(heard)).split()
            assert len(heard) >= 30
            assert new.session._user.unheard.settled is None
            await tell(new, 300, 303)
            await new.silence(2.0)
            told = await new.until(COMPLETED, 2)
            assert told["transcript"] == words(300, 303)
            assert told["usage"]["seconds"] < 4
            typed = ["Hello"] if then == "typed soon" else []
            asked = [each.content for each in new.chat.requests[-1].messages if each.role == "user"]
            assert asked == [before["transcript"], *typed, words(300, 303)]

    scene()


@scripted
async def test_a_long_turn_whose_end_does_not_come_to_the_next_server_keeps_what_was_read() -> None:
    left, item_id = await lost_before_its_text()
    async with Losable(
        transcriber=ToneReader(), extensions="resume", continues=left.continues(), before=left, ids="b"
    ) as new:
        told = await new.until(COMPLETED)
        heard = told["transcript"].split()
        assert told["item_id"] == item_id
        assert heard == words(0, len(heard)).split()
        assert len(heard) >= 30


def test_long_speech_is_cut_where_the_local_transcriber_cuts_it() -> None:
    assert long_speech.LONGEST_S == model.LONGEST_S
