"""An end that never comes where no word times tell it: the length of the sound does. Each word is said once."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from realtime.core.clauses import measure
from realtime.core.playback_clock import SpeakingRate
from tests import virtual_time
from tests.providers.minimax.scripted_socket import Script, SocketClient, speaker
from tests.providers.minimax.scripted_speech import Lexicon
from tests.providers.minimax.test_speech_losses import make_words, provider, speak

USUAL = SpeakingRate()
FASTER = 0.9


def spoken(
    texts: list[str],
    script: Script,
    transport: str = "ordinary",
    *,
    slower: float = 1.0,
    faster: str = "",
) -> tuple[list[str], SocketClient, float]:
    """The words that a reply of these texts says, in order; the client; the seconds that it took.

    `faster`: a text that is spoken faster than the others.
    """
    lexicon = Lexicon()

    def ms_of(piece: str) -> float:
        usual_ms = slower * USUAL.expected_ms(measure(piece + " "))
        return usual_ms * FASTER if piece in faster.split() else usual_ms

    client = SocketClient(script, speaker(lexicon, ms_of))

    async def main() -> tuple[bytes, float]:
        began_s = asyncio.get_running_loop().time()
        speech = provider(client, transport)
        pcm, _ = await speak(speech, texts)
        took_s = asyncio.get_running_loop().time() - began_s
        await speech.aclose()
        return b"".join(pcm.get(chunk, b"") for chunk in range(len(texts))), took_s

    sound, took_s = virtual_time.run(main())
    return [word for word, _ in lexicon.runs(sound, 24_000)], client, took_s


def words_of(texts: list[str]) -> list[str]:
    return ["".join(filter(str.isalnum, piece)).lower() for text in texts for piece in text.split()]


def sentence(words: list[str], mark: str) -> str:
    return " ".join(words) + mark


@st.composite
def replies(draw: st.DrawFn) -> list[str]:
    """Texts whose words and lengths are all different: an end like the last one may be that one once more."""
    lengths = draw(st.lists(st.integers(1, 12), min_size=1, max_size=5))
    words = iter(make_words(random.Random(draw(st.integers(0, 999))), sum(lengths)))
    texts = [
        sentence([next(words) for _ in range(n)], draw(st.sampled_from([".", "!", ""]))) for n in lengths
    ]
    assume(len({USUAL.expected_ms(measure(text)) for text in texts}) == len(texts))
    return texts


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    texts=replies(),
    lost=st.integers(1, 5),
    frame_ms=st.sampled_from([20, 37, 200, 5000]),
    told=st.booleans(),
    billed=st.booleans(),
    marks=st.booleans(),
    transport=st.sampled_from(["ordinary", "bidi"]),
    slower=st.floats(0.98, 1.6),
    faster=st.integers(1, 5),
)
def test_with_one_end_lost_every_word_is_said_once(
    texts: list[str],
    lost: int,
    frame_ms: int,
    told: bool,
    billed: bool,
    marks: bool,
    transport: str,
    slower: float,
    faster: int,
) -> None:
    told = told or transport == "ordinary"  # where a final frame without a length tells nothing
    script = Script(lost, frame_ms=frame_ms, told=told, billed=billed, marks=marks)
    said, client, _ = spoken(
        texts, script, transport, slower=slower, faster=" ".join(texts[faster - 1 : faster])
    )
    assert said == words_of(texts)
    assert client.over_http == 0


@pytest.mark.parametrize("last", ["mu.", "muli", "mulinado!", "muli nado."])
@pytest.mark.parametrize("faster", ["", "gu", "last"])
def test_a_first_text_of_one_syllable_does_not_mislead(last: str, faster: str) -> None:
    said, _, _ = spoken(["gu", last], Script(lost=2), faster=last if faster == "last" else faster)
    assert said == words_of(["gu", last])


FIRST = "My uncle bought seven old green boats near that quiet lake."
SECOND = "Every winter three friends painted them blue while heavy snow fell outside."


@pytest.mark.parametrize("transport", ["ordinary", "bidi"])
def test_a_lost_end_costs_one_timeout_and_its_connection(transport: str) -> None:
    said, client, took_s = spoken([FIRST, SECOND], Script(lost=2), transport, faster=SECOND)
    assert said == words_of([FIRST, SECOND])
    assert client.sockets[0].closed
    assert client.sockets[0].texts == [FIRST, SECOND]
    assert not any(each.texts for each in client.sockets[1:])
    assert 5.0 < took_s < 10.0  # the gap, once


def test_what_waits_behind_a_lost_flush_is_said_on_another_connection() -> None:
    said, client, _ = spoken([FIRST, SECOND], Script(lost=1), "bidi", faster=FIRST)
    assert said == words_of([FIRST, SECOND])
    assert [each.texts for each in client.sockets[:2]] == [[FIRST], [SECOND]]


@pytest.mark.parametrize("transport", ["ordinary", "bidi"])
@pytest.mark.parametrize("slower", [0.7, 1.0, 1.6])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.75])
def test_a_voice_that_stops_goes_on_after_what_was_received(
    share: float, slower: float, transport: str
) -> None:
    whole_ms = int(slower * sum(USUAL.expected_ms(measure(piece + " ")) for piece in SECOND.split()))
    script = Script(stop_at=(2, int(share * whole_ms)))
    said, _, _ = spoken([FIRST, SECOND], script, transport, slower=slower)
    words = words_of([FIRST, SECOND])
    twice = [word for word in words if said.count(word) > 1]
    assert list(dict.fromkeys(said)) == words, "a word is missing, or out of order"
    assert len(twice) <= 1, f"only the word that was cut may be said again, not {twice}"


@pytest.mark.parametrize("marks", [True, False])
def test_inside_a_sentence_of_the_bidirectional_socket_no_end_was_lost(marks: bool) -> None:
    """The platform tells where a sentence ends, so nine tenths of one are not all of it."""
    whole_ms = int(sum(USUAL.expected_ms(measure(piece + " ")) for piece in SECOND.split()))
    script = Script(stop_at=(2, int(0.95 * whole_ms)), marks=marks)
    _, client, _ = spoken([FIRST, SECOND], script, "bidi")
    assert any(each.texts for each in client.sockets[1:]) is marks
