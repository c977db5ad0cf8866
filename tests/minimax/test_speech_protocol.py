"""The protocols of the speech sockets, frame by frame, without a network."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.messages import WordTime
from realtime.errors import ProviderError, ProviderRejected, ProviderUnavailable
from realtime.minimax.speech_config import SpeechConfig
from realtime.minimax.speech_http import ChunkStream
from realtime.minimax.speech_protocol import (
    BidiProtocol,
    ChunkEnd,
    Phase,
    ReceivedAudio,
    SpeechProtocol,
    WordTimes,
)

CONFIG = SpeechConfig("English_Graceful_Lady")


def frame(event: str | None = None, code: int = 0, **fields: Any) -> str:
    base: dict[str, Any] = {"base_resp": {"status_code": code, "status_msg": "x"}, "trace_id": "t1", **fields}
    return msgspec.json.encode(base | ({"event": event} if event else {})).decode()


def audio(pcm: bytes, **fields: Any) -> str:
    return frame("task_continued", data={"audio": pcm.hex()}, is_final=False, **fields)


FINAL = frame(
    "task_continued",
    data={"audio": ""},
    is_final=True,
    extra_info={"audio_length": 935},
)


def opened(kind: type[SpeechProtocol] = SpeechProtocol) -> Any:
    protocol = kind(CONFIG)
    protocol.receive(frame("connected_success"))
    protocol.start()
    protocol.receive(frame("task_started"))
    assert protocol.phase is Phase.OPEN
    return protocol


def test_the_task_is_opened_with_voice_format_and_word_times() -> None:
    protocol = SpeechProtocol(CONFIG)
    protocol.receive(frame("connected_success"))
    sent = msgspec.json.decode(protocol.start())
    assert sent["event"] == "task_start"
    assert sent["audio_setting"] == {"sample_rate": 24000, "format": "pcm", "channel": 1}
    assert sent["voice_setting"]["voice_id"] == "English_Graceful_Lady"
    assert sent["voice_setting"]["pitch"] == 0
    assert (sent["subtitle_enable"], sent["subtitle_type"]) == (True, "word_streaming")
    assert sent["language_boost"] == "auto"


@pytest.mark.parametrize(
    ("language", "boost"),
    [
        ("en", "English"),
        ("zh-CN", "Chinese"),
        ("zh-HK", "Chinese,Yue"),
        ("fil", "Filipino"),
        ("xx", "auto"),
        (None, "auto"),
    ],
)
def test_languages_have_the_platforms_names(language: str | None, boost: str) -> None:
    assert SpeechConfig("v", language=language).fields()["language_boost"] == boost


@pytest.mark.parametrize(("speed", "sent"), [(0.25, 0.5), (1.2, 1.2), (3.0, 2.0)])
def test_speed_is_limited_to_the_platforms_range(speed: float, sent: float) -> None:
    assert SpeechConfig("v", speed=speed).fields()["voice_setting"]["speed"] == sent


def test_each_final_ends_the_oldest_chunk() -> None:
    protocol = opened()
    assert [protocol.say(text)[0] for text in ("One.", "Two.")] == [0, 1]
    assert protocol.receive(audio(b"\1\0")) == [ReceivedAudio(0, b"\1\0")]
    assert protocol.receive(FINAL) == [ChunkEnd(0, 935, trace_id="t1")]
    assert protocol.receive(audio(b"\2\0")) == [ReceivedAudio(1, b"\2\0")]
    assert protocol.receive(FINAL) == [ChunkEnd(1, 935, trace_id="t1")]
    assert protocol.pending == 0


def test_frames_without_event_are_read_by_their_other_fields() -> None:
    protocol = opened()
    protocol.say("One.")
    assert protocol.receive(frame(data={"audio": "0100"}, is_final=False)) == [ReceivedAudio(0, b"\1\0")]
    assert protocol.receive(frame(data=None, is_final=True)) == [ChunkEnd(0, trace_id="t1")]


def test_audio_on_the_final_frame_is_kept() -> None:
    protocol = opened()
    protocol.say("One.")
    results = protocol.receive(frame(data={"audio": "0100"}, is_final=True))
    assert results == [ReceivedAudio(0, b"\1\0"), ChunkEnd(0, trace_id="t1")]


@pytest.mark.parametrize("data", [None, {}, {"audio": None}, {"audio": ""}, {"audio": 7}, []])
def test_frames_without_audio_give_no_results(data: Any) -> None:
    protocol = opened()
    protocol.say("One.")
    assert protocol.receive(frame("task_continued", data=data, is_final=False)) == []


@pytest.mark.parametrize("code", [2203, 2204])
def test_a_soft_code_ends_its_chunk_and_the_session_continues(code: int) -> None:
    protocol = opened()
    protocol.say(" ")
    protocol.say("Two.")
    assert protocol.receive(frame("task_continued", code)) == [ChunkEnd(0, skipped=True, trace_id="t1")]
    assert protocol.receive(audio(b"\1\0")) == [ReceivedAudio(1, b"\1\0")]


@pytest.mark.parametrize("event", ["task_failed", "task_continued", None])
def test_any_other_code_ends_the_session(event: str | None) -> None:
    protocol = opened()
    with pytest.raises(ProviderRejected) as caught:
        protocol.receive(frame(event, 2054))
    assert (caught.value.code, caught.value.trace_id) == ("invalid_voice", "t1")
    assert protocol.phase is Phase.CLOSED


def test_a_failure_without_a_code_is_a_failure() -> None:
    with pytest.raises(ProviderUnavailable):
        opened().receive('{"event":"task_failed"}')
    with pytest.raises(ProviderError) as caught:
        opened().receive('{"event":"error","message":"Rate limit exceeded"}')
    assert caught.value.code == "rate_limit_exceeded"


def final(audio_length: int, **info: Any) -> str:
    told = {"audio_length": audio_length, **info}
    return frame("task_continued", data={"audio": ""}, is_final=True, extra_info=told)


def test_an_end_without_sound_says_so_and_teaches_nothing() -> None:
    """That nothing has no length agrees with what was received, and is no reason to trust the lengths."""
    protocol = opened()
    for text in ("Good evening.", "Good bye."):
        protocol.say(text)
    assert protocol.receive(final(0)) == [ChunkEnd(0, skipped=True, trace_id="t1")]
    assert protocol.expected_ms is None
    protocol.receive(audio(b"\1\0" * 12_000))
    assert protocol.receive(final(935)) == [ChunkEnd(1, 935.0, trace_id="t1")]


def test_a_text_whose_sound_came_before_its_turn_is_not_without_sound() -> None:
    """The end of the first was lost, so the sound of the second seemed to be more of the first."""
    protocol = opened()
    for text in ("Good evening to all of you.", "Good bye to you."):
        protocol.say(text)
    for _ in range(2):
        protocol.receive(audio(b"\1\0" * 36_000))
    ends = protocol.receive(final(1500, usage_characters=len("Good bye to you.")))
    assert [(end.chunk, end.skipped) for end in ends] == [(0, False), (1, False)]


def test_a_trace_id_is_found_inside_base_resp() -> None:
    protocol = opened()
    protocol.say("One.")
    inner = {"base_resp": {"status_code": 0, "trace_id": "inner"}, "data": {}, "is_final": True}
    assert protocol.receive(msgspec.json.encode(inner)) == [ChunkEnd(0, skipped=True, trace_id="inner")]


@pytest.mark.parametrize("broken", ["0", "0g", "00 00", "zz"])
def test_hex_is_checked_strictly(broken: str) -> None:
    protocol = opened()
    protocol.say("One.")
    with pytest.raises(ProviderUnavailable):
        protocol.receive(frame(data={"audio": broken}, is_final=False))
    assert protocol.phase is Phase.CLOSED


@given(st.binary(max_size=64), st.lists(st.integers(0, 64), max_size=8))
def test_samples_are_never_split(pcm: bytes, cuts: list[int]) -> None:
    protocol = opened()
    protocol.say("One.")
    edges = [0, *sorted(min(at, len(pcm)) for at in cuts), len(pcm)]
    received = b""
    for begin, end in zip(edges, edges[1:], strict=False):  # noqa: RUF007 - the pairs are edges, not items
        for result in protocol.receive(audio(pcm[begin:end])):
            assert isinstance(result, ReceivedAudio)
            assert len(result.data) % 2 == 0
            received += result.data
    assert received == pcm[: len(pcm) // 2 * 2]


def test_words_come_before_their_audio() -> None:
    protocol = opened()
    protocol.say("One.")
    subtitle = {
        "text_begin": 0,
        "timestamped_words": [
            {"word": "One", "word_begin": 0, "word_end": 3, "time_begin": 0.0, "time_end": 300.0}
        ],
    }
    results = protocol.receive(frame(data={"audio": "0100", "subtitle": subtitle}, is_final=False))
    assert results == [WordTimes(0, (WordTime(0, 3, 0.0, 300.0),)), ReceivedAudio(0, b"\1\0")]


@pytest.mark.parametrize(
    "message",
    ["[]", "1", '{"event":"new_thing"}', '{"data":[1]}', frame("task_continued", data={"audio": "0100"})],
)
def test_unknown_and_early_frames_are_ignored(message: str) -> None:
    assert opened().receive(message) == []


def test_broken_json_ends_the_session() -> None:
    protocol = opened()
    with pytest.raises(ProviderUnavailable):
        protocol.receive("{")
    assert protocol.phase is Phase.CLOSED


def test_a_finishing_session_refuses_text() -> None:
    protocol = opened()
    protocol.finish()
    with pytest.raises(ProviderUnavailable, match="finishing"):
        protocol.say("late")
    protocol.receive(frame("task_finished"))
    assert protocol.phase is Phase.CLOSED


def events_of(frames: list[str]) -> list[str]:
    return [msgspec.json.decode(item)["event"] for item in frames]


def test_bidi_sends_the_next_chunk_after_the_flush_of_the_one_before() -> None:
    protocol = opened(BidiProtocol)
    assert events_of(protocol.say("One. Two.")[1]) == ["task_continue", "task_flush"]
    assert protocol.say("Three.")[1] == []
    for _ in range(2):
        protocol.receive(frame("sentence_start"))
        assert protocol.receive(audio(b"\1\0")) == [ReceivedAudio(0, b"\1\0")]
        assert protocol.receive(FINAL) == []
        protocol.receive(frame("sentence_end"))
    assert protocol.receive(frame("task_flushed")) == [ChunkEnd(0, 1870, trace_id="t1")]
    assert events_of(protocol.take_unsent()) == ["task_continue", "task_flush"]
    assert protocol.take_unsent() == []


def test_bidi_words_of_the_second_sentence_follow_the_first() -> None:
    protocol = opened(BidiProtocol)
    protocol.say("One. Two.")
    for word in ("One", "Two"):
        subtitle = {
            "text_begin": 0,
            "timestamped_words": [
                {"word": word, "word_begin": 0, "word_end": 3, "time_begin": 0.0, "time_end": 300.0}
            ],
        }
        (last,) = protocol.receive(frame(data={"audio": "", "subtitle": subtitle}, is_final=False))
        protocol.receive(FINAL)
    assert last.words == (WordTime(0, 3, 0, 300), WordTime(5, 8, 935, 1235))


def test_bidi_cancel_discards_until_it_is_confirmed() -> None:
    protocol = opened(BidiProtocol)
    protocol.say("One.")
    protocol.say("Two.")
    assert events_of([protocol.cancel()]) == ["task_cancel"]
    assert protocol.receive(audio(b"\1\0")) == []
    assert protocol.receive(frame("task_flushed")) == []
    assert protocol.phase is Phase.CANCELLING
    protocol.receive(frame("task_canceled"))
    assert protocol.phase is Phase.OPEN
    assert protocol.say("Three.")[0] == 2
    assert protocol.receive(audio(b"\2\0")) == [ReceivedAudio(2, b"\2\0")]


def test_bidi_a_flush_sent_before_the_interruption_ends_no_later_chunk() -> None:
    """The platform may answer it after `task_canceled`, while the next chunk waits for its first audio."""
    protocol = opened(BidiProtocol)
    protocol.say("Old.")
    protocol.cancel()
    protocol.receive(frame("task_canceled"))
    protocol.say("New.")
    assert protocol.receive(frame("task_flushed")) == []
    assert protocol.receive(audio(b"ab")) == [ReceivedAudio(1, b"ab")]
    assert protocol.receive(frame("task_flushed")) == [ChunkEnd(1, trace_id="t1")]
    # The platform may also never answer it.
    protocol.say("Third.")
    protocol.cancel()
    protocol.receive(frame("task_canceled"))
    protocol.say("Fourth.")
    protocol.receive(audio(b"cd"))
    assert protocol.receive(frame("task_flushed")) == [ChunkEnd(3, trace_id="t1")]
    protocol.say("…")
    assert protocol.receive(frame("task_flushed")) == [ChunkEnd(4, skipped=True, trace_id="t1")]


def test_bidi_a_skipped_text_is_ended_by_its_flush_alone() -> None:
    protocol = opened(BidiProtocol)
    protocol.say("...")
    assert protocol.receive(frame("task_continued", 2203)) == []
    assert protocol.receive(frame("task_flushed")) == [ChunkEnd(0, skipped=True, trace_id="t1")]


def http_event(pcm: bytes, status: int, **fields: Any) -> str:
    return frame(data={"audio": pcm.hex(), "status": status}, **fields)


def test_http_the_last_event_repeats_all_audio_and_is_dropped() -> None:
    stream = ChunkStream(0, "One.", CONFIG)
    assert stream.feed(http_event(b"\1\0", 1)) == [ReceivedAudio(0, b"\1\0")]
    end = stream.feed(http_event(b"\1\0\2\0", 2, extra_info={"audio_length": 1}))
    assert end == [ChunkEnd(0, 1.0, trace_id="t1")]
    assert stream.complete


def test_http_audio_only_in_the_last_event_is_kept() -> None:
    stream = ChunkStream(0, "One.", CONFIG)
    assert stream.feed(http_event(b"\1\0", 2)) == [ReceivedAudio(0, b"\1\0"), ChunkEnd(0, trace_id="t1")]


def test_http_done_is_ignored_and_errors_are_raised() -> None:
    stream = ChunkStream(0, "One.", CONFIG)
    assert stream.feed("[DONE]") == []
    with pytest.raises(ProviderError) as caught:
        stream.feed(frame(None, 1039, data=None))
    assert caught.value.upstream_code == 1039
