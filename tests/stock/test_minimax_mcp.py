"""MiniMax's own MCP server against the sandbox: what every tool makes, as files and behind URLs.

The server is the unmodified package in processes of its own (tests/stock/mcp_server.py). They serve the whole file,
because a start takes seconds; each test has its own voice ids.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from realtime.sandbox.film_facts import FilmFacts, film_facts, film_frames
from realtime.sandbox.picture_facts import PictureFacts, picture_facts
from realtime.sandbox.voice_samples import read_sample
from tests.stock.mcp_desk import PROMPT, SAID, TOOLS, Desk, audio_facts, fetched, files, ids, saved, seconds

Image = pytest.importorskip("PIL.Image")
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with Desk.laid(tmp_path_factory.mktemp("desk")) as laid:
        yield laid


async def test_it_has_the_tools_that_are_tried_here(desk: Desk) -> None:
    assert set(await desk.local.tools()) == TOOLS


async def test_speech_is_saved(desk: Desk) -> None:
    said = await desk.local.call("text_to_audio", text=SAID)
    data = saved(said)
    assert said.startswith("Success. File saved as: ")
    assert said.endswith(". Voice used: female-shaonv")
    assert audio_facts(data) in {("mp3", 32_000, 1), ("mp3float", 32_000, 1)}
    assert 2 < read_sample(data).duration_s < 6


async def test_every_argument_of_speech_reaches_the_sound(desk: Desk) -> None:
    """Slower, in stereo and in another format."""
    plain = saved(await desk.local.call("text_to_audio", text=SAID, voice_id="Arnold"))
    said = await desk.local.call(
        "text_to_audio", text=SAID, voice_id="Arnold", model="speech-02-turbo", speed=0.5, vol=2.5, pitch=4,
        emotion="sad", sample_rate=44_100, bitrate=256_000, channel=2, format="flac", language_boost="English",
        output_directory="slow",
    )  # fmt: skip
    data = saved(said)
    assert "/slow/t2a_" in said
    assert audio_facts(data) == ("flac", 44_100, 2)
    assert seconds(data) > 1.6 * seconds(plain)


async def test_speech_behind_a_url(desk: Desk) -> None:
    said = await desk.urls.call("text_to_audio", text=SAID)
    assert said.startswith("Success. Audio URL: http")
    (data,) = await fetched(said)
    assert 2 < read_sample(data).duration_s < 6


async def test_voices_are_listed(desk: Desk) -> None:
    system = await desk.local.call("list_voices", voice_type="system")
    assert "female-shaonv" in ids(system)
    assert "Name: None" not in system
    assert system.endswith("Voice Cloning Voices: []")
    assert set(ids(system)) <= set(ids(await desk.local.call("list_voices")))


@pytest.mark.parametrize("is_url", [False, True])
async def test_a_voice_is_cloned_speaks_and_is_listed(desk: Desk, is_url: bool) -> None:
    """From a file, and from a URL; the demo sounds like the recording."""
    voice = f"WitnessVoice{is_url:d}"
    source = str(desk.me)
    if is_url:
        spoken = await desk.urls.call("text_to_audio", text=SAID * 4)
        source = re.findall(r"http://\S+", spoken)[0]
    said = await desk.local.call("voice_clone", voice_id=voice, file=source, text=SAID, is_url=is_url)
    demo = read_sample(saved(said))
    assert said.startswith(f"Voice cloned successfully: Voice ID: {voice}, demo audio saved as: ")
    assert demo.pitch_hz == pytest.approx(read_sample(desk.me.read_bytes()).pitch_hz, rel=0.2)
    assert voice not in ids(await desk.local.call("list_voices", voice_type="voice_cloning"))
    assert (
        read_sample(saved(await desk.local.call("text_to_audio", text=SAID, voice_id=voice))).duration_s > 2
    )
    assert voice in ids(await desk.local.call("list_voices", voice_type="voice_cloning"))


async def test_the_demo_of_a_clone_behind_a_url(desk: Desk) -> None:
    said = await desk.urls.call("voice_clone", voice_id="WitnessVoice2", file=str(desk.me), text=SAID)
    assert said.startswith("Success. Demo audio URL: http")
    (data,) = await fetched(said)
    assert 2 < read_sample(data).duration_s < 6


async def test_a_clone_without_a_text_has_no_demo(desk: Desk) -> None:
    said = await desk.local.call("voice_clone", voice_id="WitnessVoice3", file=str(desk.me), text="")
    assert said == "Voice cloned successfully: Voice ID: WitnessVoice3"


async def test_a_voice_is_designed_and_speaks(desk: Desk) -> None:
    prompt = "an old captain with a deep, rough voice"
    said = await desk.local.call("voice_design", prompt=prompt, preview_text=SAID, voice_id="WitnessCaptain")
    trial = read_sample(saved(said))
    assert said.endswith("Voice ID generated: WitnessCaptain")
    assert trial.pitch_hz is not None
    assert trial.pitch_hz < 150
    said = await desk.urls.call("voice_design", prompt=prompt, preview_text=SAID)
    made = re.fullmatch(r"Success\. Voice ID generated: (\S+), Trial Audio: ([0-9a-f]+)", said)
    assert made is not None
    assert read_sample(bytes.fromhex(made[2])).duration_s > 2
    assert (
        read_sample(saved(await desk.local.call("text_to_audio", text=SAID, voice_id=made[1]))).duration_s > 2
    )


async def test_audio_is_played(desk: Desk) -> None:
    (file,) = files(await desk.local.call("text_to_audio", text=SAID))
    assert str(file) in await desk.local.call("play_audio", input_file_path=str(file))
    assert desk.played.read_bytes() == file.read_bytes()
    said = await desk.urls.call("text_to_audio", text="Another sentence.")
    url = re.findall(r"http://\S+", said)[0]
    assert url in await desk.local.call("play_audio", input_file_path=url, is_url=True)
    assert [desk.played.read_bytes()] == await fetched(url)


async def test_pictures_are_saved(desk: Desk) -> None:
    said = await desk.local.call("text_to_image", prompt=PROMPT, aspect_ratio="16:9", n=2)
    first, second = (path.read_bytes() for path in files(said))
    assert picture_facts(first) == picture_facts(second) == PictureFacts("jpeg", 1280, 720, PROMPT)
    assert first != second


async def test_pictures_behind_urls(desk: Desk) -> None:
    said = await desk.urls.call("text_to_image", prompt=PROMPT, prompt_optimizer=False)
    (data,) = await fetched(said)
    assert picture_facts(data) == PictureFacts("jpeg", 1024, 1024, PROMPT)


async def test_a_video_is_waited_for_and_saved(desk: Desk) -> None:
    """It opens with the first frame, a picture made before."""
    (picture,) = files(await desk.local.call("text_to_image", prompt=PROMPT, aspect_ratio="4:3"))
    said = await desk.local.call(
        "generate_video", model="MiniMax-Hailuo-02", prompt="The sea moves [Push in]", duration=6,
        resolution="512P", first_frame_image=str(picture),
    )  # fmt: skip
    data = saved(said)
    facts = film_facts(data)
    assert (facts.seconds, facts.fps, facts.title) == (6, 24, "The sea moves [Push in]")
    assert min(facts.width, facts.height) == 512
    opening = next(iter(film_frames(data))).astype(int)
    with Image.open(picture) as original:
        wanted = original.convert("RGB").resize((opening.shape[1], opening.shape[0]))
    assert abs(opening - wanted).mean() < 12


async def test_a_video_behind_a_url(desk: Desk) -> None:
    said = await desk.urls.call("generate_video", prompt=PROMPT)
    assert said.startswith("Success. Video URL: http")
    (data,) = await fetched(said)
    assert film_facts(data) == FilmFacts(1366, 768, 6, 24, PROMPT, False)


async def test_a_video_is_asked_for_later(desk: Desk) -> None:
    """Under way, failed and done, each as the tool says it."""

    async def submitted(*faults: str) -> str:
        desk.sandbox.inject(*faults)
        said = await desk.local.call("generate_video", prompt=PROMPT, model="T2V-01", async_mode=True)
        desk.sandbox.inject()
        found = re.search(r"Task ID: (\d+)\.", said)
        assert found is not None, said
        return found[1]

    async def asked(task_id: str) -> str:
        return await desk.local.call("query_video_generation", task_id=task_id, output_directory="films")

    busy, failed, done = await submitted("job.never"), await submitted("video.fail=1027"), await submitted()
    assert await asked(busy) == f"Video generation task is still processing: Task ID: {busy}"
    assert (await asked(failed)).startswith("Failed to query video generation status: API Error: 1027-")
    said = await asked(done)
    assert f"/films/video_{done}_" in said
    assert film_facts(saved(said)).seconds == 6


async def test_the_query_of_a_video_behind_a_url(desk: Desk) -> None:
    said = await desk.urls.call("generate_video", prompt=PROMPT, model="T2V-01", async_mode=True)
    task_id = re.findall(r"Task ID: (\d+)", said)[0]
    (data,) = await fetched(await desk.urls.call("query_video_generation", task_id=task_id))
    assert film_facts(data).title == PROMPT
