"""Which words a song takes by model and kind, the source of a cover, and how long a recording is."""

from __future__ import annotations

import io
import subprocess
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import InvalidArgument
from realtime.minimax import MiniMax
from realtime.minimax.audio_length import audio_seconds
from realtime.minimax.music_request import song_body
from realtime.minimax.music_rules import check_cover_length, kind_of

NEVER_ASKED = "http://127.0.0.1:9"


async def refusal(**arguments) -> str | None:
    """The argument that is refused; None if the request would be sent."""
    async with MiniMax("key", NEVER_ASKED) as mm:
        try:
            await mm.music.create(**arguments)
        except InvalidArgument as error:
            return error.param
        except Exception:
            return None  # nobody listens there: it was sent
    return None


# docs/minimax/music.md 1: model and kind, then the least and most characters of prompt and lyrics
LENGTHS = [
    ({"model": "music-3.0"}, (0, 2000), (1, 3500)),
    ({"model": "music-2.6"}, (0, 2000), (1, 3500)),
    ({"model": "music-3.0", "instrumental": True}, (1, 2000), None),
    ({"model": "music-2.6", "instrumental": True}, (1, 2000), None),
    ({"model": "music-cover", "cover": "https://host/a.mp3"}, (10, 300), (10, 1000)),
    ({"model": "music-cover", "cover_feature_id": "f"}, (10, 300), (10, 1000)),
    ({"model": "music-1.5"}, (10, 300), (10, 600)),
    ({"model": "music-2.0"}, (10, 300), (10, 600)),
]


@pytest.fixture
def no_waiting(monkeypatch):
    """A refused connection is tried again after a while: not here."""
    monkeypatch.setattr("realtime.minimax.door.TRIES", 1)


@pytest.mark.parametrize(("kind", "prompt", "lyrics"), LENGTHS, ids=[str(row[0]) for row in LENGTHS])
async def test_lengths_by_model_and_kind(kind, prompt, lyrics, no_waiting):
    good = {**kind, "prompt": "x" * prompt[1]}
    if lyrics is not None:
        good["lyrics"] = "x" * lyrics[1]
    assert await refusal(**good) is None
    assert await refusal(**{**good, "prompt": "x" * (prompt[1] + 1)}) == "prompt"
    assert await refusal(**{**good, "prompt": "x" * prompt[0]}) is None
    if prompt[0]:
        assert await refusal(**{**good, "prompt": "x" * (prompt[0] - 1)}) == "prompt"
    if lyrics is None:
        assert await refusal(**{**good, "lyrics": "la la la la"}) == "lyrics"
        return
    assert await refusal(**{**good, "lyrics": "x" * (lyrics[1] + 1)}) == "lyrics"
    assert await refusal(**{**good, "lyrics": "x" * lyrics[0]}) is None
    assert await refusal(**{**good, "lyrics": "x" * (lyrics[0] - 1)}) == "lyrics"


async def test_lyrics_are_needed_where_the_page_says_so(no_waiting):
    prompt = "jazz, late night"
    for model in ("music-3.0", "music-2.6", "music-2.5+", "music-2.5", "music-2.0", "music-1.5", None):
        assert await refusal(prompt=prompt, model=model) == "lyrics"
    assert await refusal(prompt=prompt, optimize_lyrics=True) is None
    assert await refusal(prompt=prompt, instrumental=True) is None
    assert await refusal(prompt=prompt, cover="https://host/a.mp3") is None
    assert await refusal(prompt=prompt, cover_feature_id="f") == "lyrics"
    assert await refusal(prompt=prompt, model="music-4.0") is None  # newer than this package


async def test_one_source_of_a_cover_and_its_model(no_waiting):
    words = {"prompt": "jazz, late night", "lyrics": "la la la la la"}
    url = "https://host/a.mp3"
    assert await refusal(**words, cover=url, cover_feature_id="f") == "cover_feature_id"
    assert await refusal(**words, model="music-cover") == "cover"
    assert await refusal(**words, model="music-3.0", cover=url) == "cover"
    assert await refusal(**words, model="music-3.0", cover_feature_id="f") == "cover_feature_id"
    assert await refusal(**words, model="music-3.0", seed=1) == "seed"
    assert await refusal(**words, cover=url, optimize_lyrics=True) == "optimize_lyrics"
    assert await refusal(**words, model="music-2.5", optimize_lyrics=True) == "optimize_lyrics"
    assert await refusal(**words, cover=url, instrumental=True) == "instrumental"
    assert await refusal(**words, cover=url, seed=1_000_001) == "seed"


@pytest.mark.parametrize(
    "wrong", [{"rate": 48000}, {"bitrate": 1}, {"format": "flac"}, {"output": "base64"}, {"channels": 3}]
)
async def test_audio_settings_are_checked(wrong):
    assert await refusal(prompt="jazz", lyrics="la", **wrong) == next(iter(wrong))


TAGS = (
    "Intro,Verse,Pre Chorus,Pre-Chorus,Chorus,Build Up,Build-up,Inst,Instrumental,Drop,Breakdown,副歌".split(
        ","
    )
)


@given(
    st.lists(
        st.tuples(st.sampled_from(TAGS), st.text(st.characters(codec="utf-8"), max_size=40)),
        min_size=1,
        max_size=20,
    )
)
async def test_lyrics_and_tags_of_every_spelling_pass_as_they_are(sections):
    lyrics = "\n".join(f"[{tag}]\n{words}" for tag, words in sections)
    values = dict.fromkeys(("model", "instrumental", "optimize_lyrics", "cover_feature_id"))
    assert (await song_body({**values, "prompt": "", "lyrics": lyrics}, None, None))["lyrics"] == lyrics


def test_a_cover_lasts_6_s_to_6_min():
    for length_s in (None, 6.0, 360.0):
        check_cover_length(length_s)
    for length_s in (5.99, 360.01):
        with pytest.raises(InvalidArgument, match="6 s to 6 min"):
            check_cover_length(length_s)


def test_free_models_are_of_their_kind():
    assert kind_of("music-cover-free", None) is kind_of("music-cover", None)
    assert kind_of("music-2.6-free", True) is kind_of("music-2.6", True)


@given(
    st.integers(1, 40_000), st.sampled_from([8000, 44100]), st.sampled_from([1, 2]), st.sampled_from([1, 2])
)
def test_a_wav_is_as_long_as_its_samples(samples, rate, channels, width):
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(bytes(samples * channels * width))
    assert audio_seconds(buffer.getvalue()) == pytest.approx(samples / rate)


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("mp3", ["-b:a", "128k"]),
        ("mp3", ["-q:a", "9", "-ar", "22050"]),
        ("mp3", ["-b:a", "64k", "-id3v2_version", "3", "-write_id3v1", "1", "-metadata", "title=a title"]),
        ("flac", []),
    ],
)
def test_an_encoded_recording_is_as_long_as_it_plays(tmp_path, format, options):
    ffmpeg = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    path = tmp_path / f"tone.{format}"
    source = ["-f", "lavfi", "-i", "sine=frequency=440:duration=7"]
    subprocess.run([ffmpeg, "-v", "error", *source, *options, str(path)], check=True)
    assert audio_seconds(path.read_bytes()) == pytest.approx(7.0, abs=0.15)


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"ID3\x04\x00\x00\x00\x00\x00\x0a", b"\xff\xfb\x90\x00", b"RIFF....WAVE", b"fLaC"]),
)
def test_broken_bytes_have_a_length_or_none(data, start):
    length_s = audio_seconds(start + data)
    assert length_s is None or length_s >= 0
