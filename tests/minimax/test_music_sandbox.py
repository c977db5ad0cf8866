"""Songs, lyrics and covers against the sandbox: made, streamed, looked at; and refused."""

from __future__ import annotations

import io
import wave

import pytest

from realtime.errors import AnswerLost, InvalidArgument, ProviderError, ProviderRejected
from realtime.minimax import MiniMax
from realtime.minimax.audio_length import audio_seconds
from realtime.sandbox.server import Sandbox

LYRICS = "[Intro]\n[Verse]\nRain on the window\nand rain in the street\n[Pre-Chorus]\nwait for it\n[Chorus]\nla la la"


def recording(seconds: float) -> bytes:
    """A recording of silence, as a wav file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(int(2 * 16_000 * seconds)))
    return buffer.getvalue()


@pytest.mark.operation("music.create")
async def test_a_song_is_as_long_as_it_says(mm: MiniMax, tmp_path):
    song = await mm.music.create("calm piano", lyrics=LYRICS, format="wav", rate=16000, watermark=False)
    assert (song.rate, song.size_bytes) == (16000, len(song.audio))
    assert song.length_ms > 1000
    assert audio_seconds(await song.read()) == pytest.approx(song.length_ms / 1000, abs=0.1)
    saved = await song.save(tmp_path / "song.wav")
    assert (saved.kind, saved.size_bytes) == ("wav", song.size_bytes)
    longer = await mm.music.create("calm piano", lyrics=LYRICS + LYRICS, format="wav", rate=16000)
    assert longer.length_ms > song.length_ms


@pytest.mark.operation("music.create")
async def test_a_song_by_url_has_the_same_music(sandbox: Sandbox, mm: MiniMax, tmp_path):
    song = await mm.music.create("calm piano", instrumental=True, format="wav", rate=16000, output="url")
    assert (song.audio, (song.url or "").startswith("http")) == (b"", True)
    saved = await song.save(tmp_path / "song.wav")
    assert saved.kind == "wav"
    sandbox.forward(hours=25)
    with pytest.raises(ProviderRejected, match="gone"):
        await song.read()


@pytest.mark.operation("music.create")
async def test_a_streamed_song_is_whole_and_not_repeated(mm: MiniMax):
    arguments = {"lyrics": LYRICS, "format": "pcm", "rate": 16000, "bitrate": 256000}
    parts = [part async for part in mm.music.stream("calm piano", **arguments)]
    assert len(parts) > 1
    whole = await mm.music.create("calm piano", **arguments)
    assert sum(map(len, parts)) == pytest.approx(len(whole.audio or b""), rel=0.2), "and not twice as much"


@pytest.mark.operation("music.create")
async def test_a_stream_that_breaks_off_is_an_error_after_what_came(sandbox: Sandbox, mm: MiniMax):
    sandbox.inject("music.drop_mid", times=1)
    parts: list[bytes] = []

    async def hear() -> None:
        async for part in mm.music.stream("calm piano", lyrics=LYRICS, format="mp3"):
            parts.append(part)

    with pytest.raises(AnswerLost, match="not whole"):
        await hear()
    assert len(parts) == 1


@pytest.mark.operation("music.create")
async def test_both_spellings_of_the_tags_are_taken(mm: MiniMax):
    for tags in (
        "[Pre Chorus] [Build Up] [Inst] [Solo] [Hook]",
        "[Pre-Chorus] [Build-up] [Instrumental] [Drop] [Breakdown]",
    ):
        lyrics = "\n".join(f"{tag}]\nla la" for tag in tags.split("] ")).replace("]]", "]")
        assert (await mm.music.create("pop", lyrics=lyrics, format="mp3", rate=16000)).size_bytes > 0


@pytest.mark.operation("music.create")
async def test_lyrics_by_the_platform_and_older_models(mm: MiniMax):
    song = await mm.music.create("a happy song about rain", optimize_lyrics=True, rate=16000, bitrate=32000)
    older = await mm.music.create(
        "a happy song about rain", lyrics=LYRICS, model="music-1.5", rate=16000, bitrate=32000, format="mp3"
    )
    assert min(song.length_ms, older.length_ms) > 0


@pytest.mark.operation("music.write_lyrics")
async def test_lyrics_are_written_and_edited(mm: MiniMax):
    lyrics = await mm.music.write_lyrics("rain in the city", title="Rain")
    assert (lyrics.title, "[" in lyrics.text, len(lyrics.style_tags) > 0) == ("Rain", True, True)
    edited = await mm.music.write_lyrics("make it happier", lyrics=lyrics.text, title="Sun")
    assert (edited.title, edited.text != lyrics.text) == ("Sun", True)
    assert (await mm.music.write_lyrics()).text
    song = await mm.music.create("pop", lyrics=lyrics.text, rate=16000, bitrate=32000, format="mp3")
    assert song.length_ms > 0


@pytest.mark.operation("music.prepare_cover", "music.create")
async def test_a_cover_by_features_and_by_its_recording(sandbox: Sandbox, mm: MiniMax):
    data = recording(20)
    features = await mm.music.prepare_cover(data)
    assert features.length_s == pytest.approx(20, abs=0.5)
    assert features.lyrics
    assert features.sections[0].start_s == 0
    assert features.sections[-1].end_s == pytest.approx(20, abs=0.5)
    assert (await mm.music.prepare_cover(data)).id == features.id
    small = {"format": "mp3", "rate": 16000, "bitrate": 32000}
    words = features.lyrics if 10 <= len(features.lyrics) <= 1000 else LYRICS
    song = await mm.music.create(
        "jazz, late night", cover_feature_id=features.id, lyrics=words, seed=7, **small
    )
    other = await mm.music.create("jazz, late night", cover=data, **small)
    assert min(song.length_ms, other.length_ms) > 0
    sandbox.forward(hours=25)
    with pytest.raises(ProviderError):
        await mm.music.create("jazz, late night", cover_feature_id=features.id, lyrics=words, **small)


@pytest.mark.operation("music.create", "music.write_lyrics", "music.prepare_cover")
@pytest.mark.parametrize("code", [1004, 1008, 1026, 2013, 2049])
async def test_the_platforms_codes(sandbox: Sandbox, mm: MiniMax, code):
    for area, call in (
        ("music", lambda: mm.music.create("pop", lyrics=LYRICS)),
        ("lyrics", lambda: mm.music.write_lyrics("rain")),
        ("cover", lambda: mm.music.prepare_cover(recording(7))),
    ):
        sandbox.inject(f"{area}.error={code}", times=1)
        with pytest.raises(ProviderError) as caught:
            await call()
        assert caught.value.upstream_code == code


@pytest.mark.operation("music.create", "music.write_lyrics", "music.prepare_cover")
async def test_what_was_lost_is_not_bought_twice(sandbox: Sandbox, mm: MiniMax):
    for area, call in (
        ("music", lambda: mm.music.create("pop", lyrics=LYRICS, rate=16000)),
        ("lyrics", lambda: mm.music.write_lyrics("rain")),
        ("cover", lambda: mm.music.prepare_cover(recording(7))),
    ):
        sandbox.inject(f"{area}.lost", times=1)
        with pytest.raises(AnswerLost):
            await call()


@pytest.mark.operation("music.create")
async def test_the_platform_refuses_what_we_let_through(mm: MiniMax):
    with pytest.raises(InvalidArgument):
        await mm.music.create("pop", lyrics="la", extra={"lyrics": "x" * 3501})
    with pytest.raises(InvalidArgument):
        await mm.music.create("pop", lyrics="la", model="music-99")
    with pytest.raises(InvalidArgument):
        await mm.music.create("pop", lyrics="la", extra={"audio_setting": {"sample_rate": 48000}})
