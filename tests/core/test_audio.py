"""The arithmetic on sound: nothing is lost, added or shifted, however a stream is cut."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core import audio, g711
from realtime.core.audio import AudioFormat, Framer, PcmDecoder, Resampler, resampled

EVERY_SAMPLE = np.arange(-32768, 32768).astype(np.int16)
EVERY_CODE = bytes(range(256))


def cuts(data, at):
    """`data` cut at the given places."""
    edges = [0, *sorted(a % (len(data) + 1) for a in at), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


def tone(hertz, rate, seconds=1.0, peak=10_000):
    return (np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate) * peak).astype(np.int16)


def test_milliseconds_samples_and_bytes_agree():
    assert audio.ms_to_samples(20, 24_000) == 480
    assert audio.samples_to_ms(512, 16_000) == 32
    assert audio.ms_to_bytes(20, 24_000) == 960
    assert audio.ms_to_bytes(0.7, 44_100) % 2 == 0


def test_half_a_sample_is_refused():
    with pytest.raises(ValueError, match="3 bytes"):
        audio.pcm_to_samples(b"abc")


@pytest.mark.parametrize(
    ("samples", "dbfs"),
    [
        (np.zeros(10, np.int16), audio.SILENCE_DBFS),
        (np.zeros(0, np.int16), audio.SILENCE_DBFS),
        (np.full(10, -32768, np.int16), 0.0),
        (tone(1000, 16_000, peak=3276.8), -20 - 3.01),
    ],
)
def test_level(samples, dbfs):
    assert audio.level_dbfs(samples) == pytest.approx(dbfs, abs=0.05)


# G.711: values of the tables of the recommendation, scaled to 16 bits
@pytest.mark.parametrize(
    ("code", "value"),
    [(0x80, 32124), (0x00, -32124), (0xFF, 0), (0x7F, 0), (0xFE, 8), (0xF0, 120), (0x8F, 16764)],
)
def test_mulaw_values(code, value):
    assert g711.mulaw_decode(bytes([code]))[0] == value


@pytest.mark.parametrize(
    ("code", "value"),
    [(0xD5, 8), (0x55, -8), (0xAA, 32256), (0x2A, -32256), (0xD4, 24), (0x80, 5504), (0xC5, 264)],
)
def test_alaw_values(code, value):
    assert g711.alaw_decode(bytes([code]))[0] == value


@pytest.mark.parametrize(
    ("encode", "decode"), [(g711.mulaw_encode, g711.mulaw_decode), (g711.alaw_encode, g711.alaw_decode)]
)
def test_g711_gives_every_code_back_and_errs_by_half_a_step_at_most(encode, decode):
    values = decode(EVERY_CODE)
    assert np.array_equal(decode(encode(values)), values)
    chosen = decode(encode(EVERY_SAMPLE)).astype(int)
    wanted = EVERY_SAMPLE.astype(int)
    assert np.all(np.abs(chosen - wanted) <= np.abs(wanted) / 32 + 8)
    assert np.all(np.diff(chosen) >= 0)


@pytest.mark.filterwarnings("ignore:'audioop' is deprecated:DeprecationWarning")
def test_g711_agrees_with_the_standard_library():
    audioop = pytest.importorskip("audioop")
    pcm = EVERY_SAMPLE[EVERY_SAMPLE >= 0].astype("<i2")
    assert g711.mulaw_decode(EVERY_CODE).astype("<i2").tobytes() == audioop.ulaw2lin(EVERY_CODE, 2)
    assert g711.alaw_decode(EVERY_CODE).astype("<i2").tobytes() == audioop.alaw2lin(EVERY_CODE, 2)
    assert g711.mulaw_encode(pcm) == audioop.lin2ulaw(pcm.tobytes(), 2)
    assert g711.alaw_encode(pcm) == audioop.lin2alaw(pcm.tobytes(), 2)


@pytest.mark.parametrize(
    "format", [AudioFormat(), AudioFormat("audio/pcmu", 8000), AudioFormat("audio/pcma", 8000)]
)
@given(data=st.binary(max_size=200), at=st.lists(st.integers(0, 200), max_size=6))
def test_a_stream_cut_anywhere_decodes_alike(format, data, at):
    decoder = PcmDecoder(format)
    missing = bytes(-len(data) % format.sample_bytes)
    parts = np.concatenate([decoder.feed(part) for part in [*cuts(data, at), missing]])
    assert np.array_equal(parts, format.decode(data + missing))


def test_clearing_a_decoder_drops_the_half_sample():
    decoder = PcmDecoder(AudioFormat())
    decoder.feed(b"\x01\x02\x03")
    decoder.reset()
    assert decoder.feed(b"\x05\x00").tolist() == [5]


def test_the_three_formats_know_their_size():
    assert AudioFormat().bytes_per_ms == 48
    assert AudioFormat("audio/pcmu", 8000).bytes_per_ms == 8
    assert AudioFormat().encode(np.array([1, -2], np.int16)) == b"\x01\x00\xfe\xff"


@pytest.mark.parametrize(("type", "rate"), [("audio/opus", 24_000), ("audio/pcmu", 24_000), ("audio/pcm", 0)])
def test_other_formats_are_refused(type, rate):
    with pytest.raises(ValueError, match=r"not|no sound"):
        AudioFormat(type, rate)


@given(sizes=st.lists(st.integers(0, 1200), max_size=12))
def test_a_framer_keeps_every_sample_in_order(sizes):
    framer = Framer(512)
    samples = np.arange(sum(sizes), dtype=np.int16)
    missing = np.zeros(-len(samples) % 512, np.int16)
    parts = [*np.split(samples, np.cumsum(sizes)), missing]
    frames = [frame for part in parts for frame in framer.feed(part)]
    assert all(len(frame) == 512 for frame in frames)
    assert np.array_equal(np.concatenate([samples[:0], *frames]), np.concatenate([samples, missing]))


def test_a_framer_that_is_reset_keeps_nothing_of_what_came_before():
    framer = Framer(4)
    assert framer.feed(np.arange(3, dtype=np.int16)) == []
    framer.reset()
    (frame,) = framer.feed(np.arange(10, 15, dtype=np.int16))
    assert frame.tolist() == [10, 11, 12, 13]


def test_equal_rates_pass_through_untouched():
    samples = tone(440, 16_000)
    assert Resampler(16_000, 16_000).feed(samples) is samples


@pytest.mark.parametrize(
    ("from_rate", "to_rate"),
    [
        (24_000, 16_000),
        (48_000, 16_000),
        (8000, 16_000),
        (16_000, 24_000),
        (24_000, 8000),
        (44_100, 16_000),
        (22_050, 24_000),
    ],
)
def test_resampling_in_uneven_chunks_equals_resampling_at_once(from_rate, to_rate):
    samples = tone(700, from_rate)
    chunked = Resampler(from_rate, to_rate)
    parts = [chunked.feed(part) for part in np.split(samples, [1, 2, 333, 5000, 5001])]
    parts.append(chunked.feed(np.zeros(0, np.int16), last=True))
    out = np.concatenate(parts)
    assert len(out) == pytest.approx(to_rate, abs=1)
    at_once = Resampler(from_rate, to_rate).feed(samples, last=True)
    assert np.abs(out.astype(int) - at_once).max() <= 1  # rounding, where sums are taken in another order
    middle = slice(to_rate // 10, -to_rate // 10)
    expected = tone(700, to_rate)[: len(out)]
    assert np.corrcoef(out[middle], expected[middle])[0, 1] > 0.9999  # same pitch, same place


@pytest.mark.parametrize(("from_rate", "to_rate"), [(24_000, 16_000), (8000, 16_000), (24_000, 8000)])
def test_resampling_holds_back_two_milliseconds_at_most(from_rate, to_rate):
    resampler = Resampler(from_rate, to_rate)
    fed_ms = got = 0
    for _ in range(100):
        fed_ms += 20
        got += len(resampler.feed(np.zeros(from_rate // 50, np.int16)))
        assert fed_ms - got * 1000 / to_rate <= 2.1


@pytest.mark.parametrize(
    ("hertz", "least", "most"), [(6400, -3.3, -2.9), (9000, -120, -70), (11_000, -120, -75)]
)
def test_resampling_keeps_the_band_and_filters_what_would_alias(hertz, least, most):
    """Levels relative to full scale of a tone 0 dB below it, 24 to 16 kHz."""
    out = Resampler(24_000, 16_000).feed(tone(hertz, 24_000, peak=32_767), last=True)
    assert least <= audio.level_dbfs(out[1600:-1600]) <= most


@given(
    st.lists(st.integers(0, 700), max_size=8),
    st.sampled_from([(24_000, 16_000), (8000, 24_000), (16_000, 8000)]),
)
def test_resampling_loses_and_adds_no_time(sizes, rates):
    resampler = Resampler(*rates)
    out = sum(len(resampler.feed(np.ones(size, np.int16))) for size in sizes)
    out += len(resampler.feed(np.zeros(0, np.int16), last=True))
    assert out == math.ceil(sum(sizes) * rates[1] / rates[0])


def test_loud_sound_is_limited_not_wrapped():
    square = np.where(np.arange(2400) // 60 % 2, 32767, -32768).astype(np.int16)
    out = Resampler(24_000, 16_000).feed(square, last=True)
    assert out.max() == 32767
    assert np.all(out[5:35] < 0)


@pytest.mark.parametrize(("from_rate", "to_rate"), [(0, 16_000), (47_999, 16_000)])
def test_senseless_rates_are_refused(from_rate, to_rate):
    with pytest.raises(ValueError, match="Hz"):
        Resampler(from_rate, to_rate)


@pytest.mark.parametrize("rates", [(44_100, 24_000), (24_000, 16_000), (24_000, 24_000)])
def test_a_whole_sound_is_resampled_as_its_stream_is(rates):
    samples = tone(440, rates[0])
    assert np.array_equal(resampled(samples, *rates), Resampler(*rates).feed(samples, last=True))


@pytest.mark.parametrize("rate", [1_001, 11_127, 23_988, 44_056, 191_999])
def test_a_whole_sound_of_a_rare_rate_keeps_its_length(rate):
    out = resampled(tone(440, rate), rate, 24_000)
    assert len(out) == pytest.approx(len(tone(440, rate)) / rate * 24_000, rel=0.001, abs=2)
    again = resampled(out, 24_000, rate)
    assert len(again) == pytest.approx(len(tone(440, rate)), rel=0.002, abs=2)


@pytest.mark.parametrize("rate", [1, 22, 30_000_000])
def test_a_whole_sound_is_not_resampled_between_rates_that_are_far_apart(rate):
    with pytest.raises(ValueError, match="too far"):
        resampled(np.zeros(10, np.int16), rate, 24_000)


def test_a_resampler_begins_anew_after_the_last_chunk_and_after_a_reset():
    samples = tone(700, 24_000, 0.2)
    resampler = Resampler(24_000, 16_000)
    first = resampler.feed(samples, last=True)
    resampler.feed(samples[:100])
    resampler.reset()
    assert np.array_equal(resampler.feed(samples, last=True), first)


@given(st.lists(st.integers(-32768, 32767), max_size=50), st.sampled_from([8000, 16_000, 24_000]))
def test_wav_written_is_wav_read(values, rate):
    samples = np.array(values, np.int16)
    back, back_rate = audio.read_wav(audio.write_wav(samples, rate))
    assert np.array_equal(back, samples)
    assert back_rate == rate


def test_wav_of_a_recorder_that_was_interrupted_is_read_to_its_end():
    sound = np.arange(-300, 300, dtype=np.int16)
    samples, rate = audio.read_wav(audio.wav_header(16_000, 0) + audio.samples_to_pcm(sound))
    assert (samples.tolist(), rate) == (sound.tolist(), 16_000)


def test_wav_without_sound_has_none_whatever_follows():
    for behind in (b"", b"LIST\x04\0\0\0INFO", b"LIST\x03\0\0\0abc\0id3 \0\0\0\0"):
        assert not len(audio.read_wav(audio.wav_header(16_000, 0) + behind)[0])


def test_wav_of_unknown_length_other_chunks_and_two_channels_is_read():
    header = bytearray(audio.wav_header(16_000, 0xFFFFFFFF - 36))
    header[22:24] = (2).to_bytes(2, "little")
    extra = b"LIST" + (3).to_bytes(4, "little") + b"abc\0"
    data = bytes(header[:36]) + extra + bytes(header[36:]) + np.array([10, 12, -4, -6], "<i2").tobytes()
    samples, rate = audio.read_wav(data)
    assert (samples.tolist(), rate) == ([10, -4], 16_000)


def wav_of(*channels, rate=16_000):
    header = bytearray(audio.wav_header(rate, len(channels) * 2 * len(channels[0])))
    header[22:24] = len(channels).to_bytes(2, "little")
    return bytes(header) + np.stack(channels, axis=1).astype("<i2").tobytes()


def test_a_wav_file_of_opposite_phases_is_no_silence():
    voice = tone(440, 16_000, 0.2)
    assert np.array_equal(audio.read_wav(wav_of(voice, -voice))[0], voice)


@pytest.mark.parametrize("count", [2, 6, 8])
def test_one_voice_on_one_channel_of_a_wav_file_is_as_loud_as_alone(count):
    """Also where another channel has the first part of the conversation."""
    voice, silence = tone(440, 16_000), np.zeros(16_000, np.int16)
    there, elsewhere = np.concatenate((voice, silence)), np.concatenate((silence, voice))
    samples, _ = audio.read_wav(wav_of(*[elsewhere * 0] * (count - 2), there, elsewhere))
    assert audio.level_dbfs(samples) == pytest.approx(
        audio.level_dbfs(np.concatenate((voice, voice))), abs=0.3
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"ID3" + bytes(60),
        audio.wav_header(8000, 0)[:36],
        audio.wav_header(8000, 2).replace(b"\x10\x00data", b"\x08\x00data"),
    ],
)
def test_what_is_not_16_bit_wav_is_refused(data):
    with pytest.raises(ValueError, match="WAV"):
        audio.read_wav(data)


def test_silence_has_a_finite_level():
    assert math.isfinite(audio.level_dbfs(np.array([0, 1], np.int16)))
