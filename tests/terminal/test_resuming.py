"""What a client has to send again: exactly what the server has not received, in order."""

from hypothesis import given
from hypothesis import strategies as st
from realtime_client.resuming import Resuming, SentAudio, SentEvent

RATE = 24_000
SESSION = {"id": "sess_1", "extensions": ["resume"]}

steps = st.lists(st.one_of(st.integers(24, 2000), st.just("event")), max_size=40)


def sent(resuming, steps, first=0):
    entries = []
    for number, step in enumerate(steps, first):
        if step == "event":
            entry = SentEvent(f"c{number}", f"text {number}")
        else:
            entry = SentAudio(bytes([number % 256]) * 2 * step)
        entries.append(entry)
        resuming.sent(entry)
    return entries


def received(entries):
    samples = sum(entry.samples for entry in entries if isinstance(entry, SentAudio))
    events = [entry.event_id for entry in entries if isinstance(entry, SentEvent)]
    return samples * 1000 // RATE, events[-1] if events else None


@given(steps, st.data())
def test_the_rest_is_what_was_not_received_also_the_second_time(steps, data):
    resuming = Resuming(RATE)
    resuming.begin(SESSION)
    entries = sent(resuming, steps)
    arrived = 0
    for first in (100, 200):
        arrived = data.draw(st.integers(arrived, len(entries)))
        assert resuming.resumed(*received(entries[:arrived])) == entries[arrived:]
        entries += sent(resuming, [480, "event"], first)


@given(st.lists(st.integers(1, 30), max_size=50))
def test_a_number_counts_once(numbers):
    resuming = Resuming(RATE)
    resuming.begin(SESSION)
    new = [number for number in numbers if resuming.is_new(number)]
    assert new == sorted(set(new))


def test_a_new_session_hears_the_sentence_that_has_no_text_yet():
    resuming = Resuming(RATE)
    resuming.begin(SESSION)
    entries = sent(resuming, [2400] * 50)  # 100 ms each
    resuming.follow(
        {"type": "input_audio_buffer.speech_started", "item_id": "item_1", "audio_start_ms": 3000}
    )
    assert resuming.begin(SESSION) == (["item_1"], entries[30:])
    assert resuming.rest() == []


def test_a_sentence_with_its_text_is_not_heard_again():
    resuming = Resuming(RATE)
    resuming.begin(SESSION)
    entries = sent(resuming, [2400] * 50)
    resuming.is_new(1)
    for event in (
        {"type": "input_audio_buffer.speech_started", "item_id": "item_1", "audio_start_ms": 3000},
        {"type": "input_audio_buffer.speech_stopped", "item_id": "item_1", "audio_end_ms": 4900},
        {"type": "conversation.item.input_audio_transcription.completed", "item_id": "item_1"},
    ):
        resuming.follow(event)
    assert resuming.begin(SESSION) == ([], entries[49:])


def test_the_memory_is_bounded():
    resuming = Resuming(RATE)
    resuming.begin(SESSION)
    sent(resuming, [RATE, "event"] * 600)
    rest = resuming.rest()
    assert sum(entry.samples for entry in rest if isinstance(entry, SentAudio)) == 30 * RATE
    assert sum(isinstance(entry, SentEvent) for entry in rest) == 500


def test_another_server_gets_the_audio_from_where_it_asks_and_only_the_events_it_does_not_know():
    """Also audio from before an event that it knows."""
    resuming = Resuming(RATE)
    resuming.begin(SESSION)
    entries = sent(resuming, [2400, "event", 2400, "event", 2400, "event"])  # 100 ms each
    known = entries[3].event_id
    assert resuming.resumed(100, known, restored=True) == [entries[2], entries[4], entries[5]]
    assert resuming.resumed(0, None, restored=True)[-1] == entries[5]
