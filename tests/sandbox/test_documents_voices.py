"""Voices and pictures over plain HTTP, exactly as docs/minimax/voices.md and image.md print them.

Written from those pages alone, without a look at the sandbox's code.
"""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import pytest

from tests.sandbox.platform_kit import Client, platform
from tests.sandbox.video_kit import frame_url
from tests.sandbox.voice_kit import SENTENCE, recording

av = pytest.importorskip("av", reason="pip install 'minimax-realtime[sandbox]'")
pillow = pytest.importorskip("PIL.Image", reason="pip install 'minimax-realtime[sandbox]'")

OK = {"status_code": 0, "status_msg": "success"}
DEMO = "你好，这是试听。"


def picture(data: bytes) -> tuple[str, tuple[int, int]]:
    """Format and size of a picture, measured by decoding every pixel."""
    with pillow.open(io.BytesIO(data)) as image:
        image.load()
        return image.format, image.size


def seconds(data: bytes) -> float:
    with av.open(io.BytesIO(data)) as box:
        stream = box.streams.audio[0]
        return sum(frame.samples for frame in box.decode(stream)) / stream.rate


# --- voices.md ----------------------------------------------------------------------------------------


async def clone(client: Client, seconds: float = 12, **change: Any) -> dict[str, Any]:
    id = await client.uploaded(recording(seconds), "me.wav", "voice_clone")
    body = {
        "file_id": id,
        "voice_id": "MyVoice_001",
        "text": DEMO,
        "model": "speech-2.8-turbo",
        "need_noise_reduction": True,
    }
    return await client.json("POST", "/v1/voice_clone", json=body | change)


async def test_voices_2_the_printed_clone_and_its_demo():
    async with platform() as client:
        found = await clone(client)
        demo = await client.call("GET", found["demo_audio"], key=None)
    assert found["base_resp"] == OK
    assert (found["input_sensitive"], found["input_sensitive_type"]) == (False, 0)
    assert "voice_id" not in found
    assert set(found["extra_info"]) == {
        "audio_length", "audio_sample_rate", "audio_size", "bitrate", "word_count", "usage_characters",
    }  # fmt: skip
    assert abs(seconds(demo.raw) * 1000 - found["extra_info"]["audio_length"]) < 200


async def test_voices_2_without_text_there_is_no_demo():
    async with platform() as client:
        found = await clone(client, text=None, model=None)
    assert found["demo_audio"] == ""
    assert "extra_info" not in found
    assert found["base_resp"] == OK


@pytest.mark.parametrize(
    ("length", "change", "code"),
    [(9, {}, 2037), (301, {}, 2037), (12, {"voice_id": "short"}, 2013), (12, {"voice_id": "1starts-with-digit"}, 2013),
     (12, {"voice_id": "ends-with-dash-"}, 2013), (12, {"voice_id": "a" * 257}, 2013), (12, {"voice_id": "a" * 256}, 0),
     (12, {"file_id": "123"}, 2013), (12, {"file_id": 1}, 2013), (12, {"model": None}, 2013),
     (12, {"text": "a" * 1001}, 2013), (12, {"text_validation": "a" * 201}, 2013), (12, {"accuracy": 1.5}, 2013),
     (12, {"clone_prompt": {"prompt_text": "Hello."}}, 2013), (12, {"voice_id": "male-qn-qingse"}, 2039)],
)  # fmt: skip
async def test_voices_2_what_a_clone_refuses(length, change, code):
    async with platform() as client:
        found = await clone(client, length, **change)
        assert found["base_resp"]["status_code"] == code, found


@pytest.mark.parametrize(
    ("length", "text", "code"),
    [(5, SENTENCE, 0), (9, SENTENCE, 2048), (5, "Hello there", 2013), (5, "Nothing like it.", 1044)],
)
async def test_voices_2_the_prompt_is_under_8_seconds_and_its_text_ends_with_punctuation(length, text, code):
    async with platform() as client:
        prompt = await client.uploaded(recording(length), "p.wav", "prompt_audio")
        found = await clone(client, clone_prompt={"prompt_audio": prompt, "prompt_text": text})
    assert found["base_resp"]["status_code"] == code, found


async def test_voices_2_3_4_5_life_of_a_clone():
    """Listed after its first use; the id of a deleted voice stays taken; 168 hours unused: gone."""
    say = {"model": "speech-2.8-hd", "text": "Hi.", "voice_setting": {"voice_id": "MyVoice_001"}}
    async with platform() as client:
        await clone(client)
        assert (await clone(client))["base_resp"]["status_code"] == 2039
        lists = {"voice_type": "voice_cloning"}
        assert not (await client.json("POST", "/v1/get_voice", json=lists))["voice_cloning"]
        assert await client.code("POST", "/v1/t2a_v2", json=say) == 0
        found = await client.json("POST", "/v1/get_voice", json=lists)
        assert found["base_resp"] == OK
        (voice,) = found["voice_cloning"]
        assert set(voice) >= {"voice_id", "description", "created_time"}
        assert voice["voice_id"] == "MyVoice_001"
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", voice["created_time"])
        client.sandbox.forward(hours=400)
        assert await client.code("POST", "/v1/t2a_v2", json=say) == 0
        gone = await client.json(
            "POST", "/v1/delete_voice", json={"voice_type": "voice_cloning", "voice_id": "MyVoice_001"}
        )
        assert set(gone) == {"voice_id", "created_time", "base_resp"}
        assert await client.code("POST", "/v1/t2a_v2", json=say) == 2054
        assert (await clone(client))["base_resp"]["status_code"] == 2039
        await clone(client, voice_id="Another_01")
        client.sandbox.forward(hours=169)
        say["voice_setting"] = {"voice_id": "Another_01"}
        assert await client.code("POST", "/v1/t2a_v2", json=say) == 2054


async def test_voices_3_design():
    async with platform() as client:
        body = {"prompt": "an old captain", "preview_text": "Welcome aboard."}
        found = await client.json("POST", "/v1/voice_design", json=body)
        assert set(found) == {"voice_id", "trial_audio", "base_resp"}
        assert re.fullmatch(r"ttv-voice-\d{16}-\w{8}", found["voice_id"])
        assert seconds(bytes.fromhex(found["trial_audio"])) > 0.4
        named = await client.json("POST", "/v1/voice_design", json=body | {"voice_id": "my-captain-1"})
        assert named["voice_id"] == "my-captain-1"
        for wrong in ({"prompt": ""}, {"preview_text": ""}, {"preview_text": "a" * 501}, {"prompt": None}):
            assert await client.code("POST", "/v1/voice_design", json=body | wrong) == 2013
        say = {"model": "speech-2.8-hd", "text": "Hi.", "voice_setting": {"voice_id": "my-captain-1"}}
        assert await client.code("POST", "/v1/t2a_v2", json=say) == 0
        listed = await client.json("POST", "/v1/get_voice", json={"voice_type": "voice_generation"})
        assert [voice["voice_id"] for voice in listed["voice_generation"]] == ["my-captain-1"]


async def test_voices_4_and_5_lists_and_refusals():
    async with platform() as client:
        every = await client.json("POST", "/v1/get_voice", json={"voice_type": "all"})
        one = next(
            v for v in every["system_voice"] if v["voice_id"] == "Chinese (Mandarin)_Reliable_Executive"
        )
        assert one["voice_name"] == "沉稳高管"
        assert one["created_time"] == "1970-01-01"
        assert isinstance(one["description"], list)
        ids = {voice["voice_id"] for voice in every["system_voice"]}
        assert {
            "Santa_Claus ",
            "Cantonese_ProfessionalHost（F)",
            "French_Female_News Anchor",
            "hindi_male_1_v2",
        } <= ids
        assert len(ids) >= 327
        assert (await client.json("POST", "/v1/get_voice", json={"voice_type": "music_generation"}))[
            "base_resp"
        ] == OK
        assert await client.code("POST", "/v1/get_voice", json={"voice_type": "x"}) == 2013
        assert await client.code("POST", "/v1/get_voice", json={}) == 2013
        for wrong in (
            {"voice_type": "system", "voice_id": "male-qn-qingse"},
            {"voice_type": "voice_cloning", "voice_id": "nobody12"},
        ):
            assert await client.code("POST", "/v1/delete_voice", json=wrong) == 2013


# --- image.md -----------------------------------------------------------------------------------------

CAT = {
    "model": "image-01",
    "prompt": "a cat on a red sofa",
    "aspect_ratio": "16:9",
    "response_format": "url",
    "n": 2,
}


async def test_image_the_printed_request_and_answer():
    async with platform() as client:
        found = await client.json("POST", "/v1/image_generation", json=CAT)
        assert set(found) == {"id", "data", "metadata", "base_resp"}
        assert re.fullmatch("[0-9a-f]{32}", found["id"])
        assert {k: int(v) for k, v in found["metadata"].items()} == {"success_count": 2, "failed_count": 0}
        assert found["base_resp"] == OK
        assert set(found["data"]) == {"image_urls"}
        one, two = [(await client.call("GET", url, key=None)).raw for url in found["data"]["image_urls"]]
        assert one != two
        assert picture(one) == ("JPEG", (1280, 720))
        client.sandbox.forward(hours=24.1)
        assert (await client.call("GET", found["data"]["image_urls"][0], key=None)).status == 403


RATIOS = {
    "1:1": (1024, 1024), "16:9": (1280, 720), "4:3": (1152, 864), "3:2": (1248, 832), "2:3": (832, 1248),
    "3:4": (864, 1152), "9:16": (720, 1280), "21:9": (1344, 576), None: (1024, 1024),
}  # fmt: skip


@pytest.mark.parametrize("ratio", RATIOS)
async def test_image_sizes_and_base64(ratio):
    body = {"model": "image-01", "prompt": "a cat", "response_format": "base64"} | (
        {"aspect_ratio": ratio} if ratio else {}
    )
    async with platform() as client:
        found = await client.json("POST", "/v1/image_generation", json=body)
    (text,) = found["data"]["image_base64"]
    assert picture(base64.b64decode(text, validate=True))[1] == RATIOS[ratio]


async def test_image_width_and_height_and_ratio_wins():
    body = {"model": "image-01", "prompt": "a cat", "response_format": "base64", "width": 512, "height": 2048}
    async with platform() as client:
        one = await client.json("POST", "/v1/image_generation", json=body)
        two = await client.json("POST", "/v1/image_generation", json=body | {"aspect_ratio": "1:1"})
    assert picture(base64.b64decode(one["data"]["image_base64"][0]))[1] == (512, 2048)
    assert picture(base64.b64decode(two["data"]["image_base64"][0]))[1] == (1024, 1024)


@pytest.mark.parametrize(
    "change",
    [{"prompt": ""}, {"prompt": "a" * 1501}, {"n": 0}, {"n": 10}, {"model": "image-02"}, {"aspect_ratio": "5:4"},
     {"aspect_ratio": None, "width": 512}, {"aspect_ratio": None, "width": 513, "height": 512},
     {"aspect_ratio": None, "width": 504, "height": 512}, {"aspect_ratio": None, "width": 2056, "height": 512},
     {"response_format": "hex"}, {"model": "image-01-live", "aspect_ratio": "21:9"},
     {"model": "image-01-live", "aspect_ratio": None, "width": 512, "height": 512},
     {"style": {"style_type": "漫画"}}, {"model": "image-01-live", "style": {"style_type": "油画"}},
     {"model": "image-01-live", "style": {"style_type": "漫画", "style_weight": 0}},
     {"subject_reference": []}, {"subject_reference": [{"type": "cat", "image_file": "x"}]},
     {"seed": "1"}, {"prompt_optimizer": "yes"}],
)  # fmt: skip
async def test_image_refusals(change):
    async with platform() as client:
        body = {k: v for k, v in (CAT | change).items() if v is not None}
        assert await client.code("POST", "/v1/image_generation", json=body) == (
            0 if change == {"subject_reference": []} else 2013
        )


@pytest.mark.parametrize("key", ["image_file", "image_url"])
async def test_image_with_a_subject_and_a_style(key):
    subject = [{"type": "character", key: frame_url()}]
    async with platform() as client:
        assert (
            await client.code("POST", "/v1/image_generation", json=CAT | {"subject_reference": subject}) == 0
        )
        assert (
            await client.code("POST", "/v1/image_generation", json=CAT | {"subject_reference": subject * 2})
            == 2013
        )
        live = CAT | {"model": "image-01-live", "style": {"style_type": "水彩", "style_weight": 1}}
        assert await client.code("POST", "/v1/image_generation", json=live) == 0
