"""The benchmark of several servers, each part for a moment: it counts what an ear got, and judges."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import replace
from urllib.parse import urlsplit

import numpy as np
import pytest
from realtime_client import PartKey

from bench import herd, nodes
from bench.cluster import Node
from bench.common import now_s
from bench.growth import Cost
from bench.listeners import Ear, Sounded, Told, Turn, compare
from bench.takeover import takes_over
from bench.word_voice import ANSWER, WORDS, WordUpstream, judge, samples_of, say, spoken_ms, words_in
from realtime.replying.interrupted import CONTINUE
from tests.cluster import redis_server
from tests.cluster.moving import SLOW, open_nodes
from tests.cluster.redis_server import RedisServer
from tests.eventually import eventually

WHOLE = [Sounded(word, 1.0, word * 0.32, word * 0.32 + 0.28) for word in range(len(WORDS))]


def test_every_word_is_told_from_its_sound_however_loud() -> None:
    sound, spoken = say(ANSWER)
    for gain in (1.0, 0.3):
        found = words_in((sound * gain).astype(np.int16))
        assert [one.word for one in found] == list(range(len(WORDS)))
        for one, word in zip(found, spoken, strict=True):
            assert (one.start_ms, one.end_ms) == pytest.approx((word.start_ms, word.end_ms), abs=0.1)
    assert judge(found).whole


@pytest.mark.parametrize(
    ("from_word", "lost", "repeated"), [(10, 0, 1), (9, 0, 2), (11, 1, 0), (13, 3, 0)], ids=str
)
def test_what_is_lost_and_what_comes_twice_is_counted(from_word: int, lost: int, repeated: int) -> None:
    """The first server was lost in the middle of word 10."""
    sound, spoken = say(ANSWER)
    cut = sound[: samples_of(spoken[10].start_ms + 140)]
    rest, _ = say(ANSWER[spoken[from_word].begin :])
    verdict = judge(words_in(np.concatenate([cut, rest])))
    assert (verdict.lost, verdict.repeated) == (lost, repeated)


def test_a_stutter_in_a_word_loses_and_repeats_nothing() -> None:
    sound, spoken = say(ANSWER)
    middle = samples_of(spoken[4].start_ms + 150)
    verdict = judge(words_in(np.concatenate([sound[:middle], np.zeros(2000, np.int16), sound[middle:]])))
    assert (verdict.lost, verdict.repeated) == (0, 0)


def test_a_model_that_is_told_to_go_on_does_so() -> None:
    upstream = WordUpstream()
    said, going_on = {"role": "assistant", "content": ANSWER[:19]}, {"role": "user", "content": CONTINUE}
    assert upstream.answer_to(json.dumps({"messages": [said, going_on]}).encode()) == ANSWER[19:]
    assert upstream.answer_to(json.dumps({"messages": [said]}).encode()) == ANSWER
    assert spoken_ms("I spoke for 2400 milliseconds.") == 2400


def _item(role: str, *texts: str) -> dict[str, object]:
    return {"role": role, "content": [{"transcript": text} for text in texts]}


def test_a_history_is_whole_if_each_question_has_its_answer() -> None:
    question, answer = _item("user", "Question?"), _item("assistant", ANSWER)
    middle = ANSWER.index("garden")
    halves = [_item("assistant", ANSWER[:middle]), _item("assistant", ANSWER[middle:])]
    assert compare([question, answer, question, *halves], 2) == ""
    assert "1 questions of 2" in compare([question, answer], 2)
    assert "gone" in compare([question, None], 1)
    assert "answer 1" in compare([question, halves[0]], 1)


async def test_an_ear_hears_words_and_when() -> None:
    async with Ear() as ear:
        key, began_s = PartKey("item"), now_s()
        ear.player.write(key, say("apple river")[0].astype("<i2").tobytes())
        ear.player.end(key)
        await eventually(lambda: ear.player.positions(ear.now()) and not ear.player.active)
        words = ear.take()
        assert [one.word for one in words] == [0, 1]
        assert began_s < words[0].start_s < words[1].start_s
        assert words[1].start_s - words[0].start_s == pytest.approx(0.32, abs=0.01)
        assert ear.take() == []


@pytest.fixture
def redis() -> RedisServer:
    redis_server.require()
    return RedisServer()


async def test_a_session_is_taken_over_in_both_forms(redis: RedisServer) -> None:
    try:
        async with open_nodes(redis.start(), 2, *SLOW) as servers:
            one, two = (Node("", urlsplit(each.server.url).port or 0, {}) for each in servers)
            outcomes = [takes_over(one, two, binary=binary, in_mid_answer=binary) for binary in (False, True)]
            assert await asyncio.gather(*outcomes) == ["", ""]
            silent = await herd.crowd(one.url, 2)
            told = herd.Returns()
            for client in silent:
                client.transport.abort()
                back = await herd.come_back(two.url, client, now_s(), random.Random(1), told)
                assert back is not None
                back.transport.abort()
            assert (len(told.resumed_s), told.rebuilt, told.never) == (2, 0, 0)
    finally:
        redis.close()


def _day(*words: Sounded, history: str = "") -> nodes.Day:
    turn = Turn("asks", 0.0, asked_s=0.5, words=list(words), ended_s=9.0)
    told = Told("asks", [turn], moves=[2.0], talking_again_s=[0.4], resumed=1, history=history)
    return nodes.Day("killed", [told], 2.0, 1)


def test_a_day_is_told_with_its_silences_and_its_lost_words() -> None:
    half = [replace(one, start_s=one.start_s + 0.7, end_s=one.end_s + 0.7) for one in WHOLE[8:]]
    row = nodes.day_row(_day(*WHOLE[:8], *half))
    assert row[2:7] == ["1 / 0", "1 of 1", "0.62 / 0.62 (1)", "0.40 / 0.40", "0 / 0 (0)"]
    assert nodes.problems(_day(*WHOLE)) == []
    short = _day(*WHOLE[:20], history="an item is gone")
    assert nodes.day_row(short)[3] == "0 of 1"
    assert len(nodes.problems(short)) == 2


def test_costs_are_told_for_each_conversation() -> None:
    cost = Cost(2, 40, True, idle_s=2.0, nodes_s=14.0, redis_s=0.06, entries=100.0)
    assert nodes.growth_row(cost)[1:7] == [40, "0.350", "0.300", "1.7%", "2.50", "10"]
