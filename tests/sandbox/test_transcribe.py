"""`/v1/speech_to_text` with real recordings."""

from __future__ import annotations

import io
import json
import re
import wave
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import numpy as np
import pytest

from realtime.sandbox import transcribe, transcriber
from realtime.sandbox.server import Sandbox
from tests.clips import RATE, clips
from tests.sandbox.chat_kit import ASR, Answer, quick
from tests.wer import word_error_rate

pytest.importorskip("faster_whisper", reason="no transcriber: pip install 'minimax-realtime[local]'")


def wav(samples: np.ndarray, rate: int = RATE) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return out.getvalue()


SPOKEN = next((clip for clip in clips("en") if clip.id == "en_sb_spk1_snt1"), clips("en")[0])
SPEECH = wav(SPOKEN.samples)
SILENCE = wav(np.zeros(RATE, np.int16))


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(quick()) as running:
        yield running


async def ask(
    sandbox: Sandbox, file: bytes | None = SPEECH, *, headers: dict[str, str] | None = None, **fields: str
) -> Answer:
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in ({"model": "asr-1.0"} | fields).items():
        if value:
            form.add_field(name, value)
    if file is not None:
        form.add_field("file", io.BytesIO(file), filename="speech.wav", content_type="audio/wav")
    sent = {"Authorization": "Bearer any"} | (headers or {})
    async with (
        aiohttp.ClientSession() as session,
        session.post(sandbox.url + ASR, data=form, headers=sent) as answer,
    ):
        return Answer(answer.status, answer.headers, await answer.read())


def errors(text: str) -> float:
    return word_error_rate([(SPOKEN.transcript, text)])


async def test_json_holds_the_text(sandbox: Sandbox) -> None:
    answer = await ask(sandbox)
    assert answer.status == 200
    assert sorted(answer.json) == ["duration", "text", "trace_id"]
    assert answer.json["duration"] == pytest.approx(SPOKEN.seconds, abs=0.05)
    assert errors(answer.json["text"]) < 0.35
    assert answer.json["trace_id"] == answer.headers["trace-id"]


async def test_verbose_json_adds_segments_in_order(sandbox: Sandbox) -> None:
    body = (await ask(sandbox, response_format="verbose_json")).json
    assert body["n_speakers"] == 1
    assert [part["id"] for part in body["segments"]] == list(range(len(body["segments"])))
    for part in body["segments"]:
        assert sorted(part) == ["end", "id", "speaker", "start", "text"]
        assert 0 <= part["start"] < part["end"] <= SPOKEN.seconds + 0.1
    assert " ".join(part["text"] for part in body["segments"]) == body["text"]


async def test_srt_and_vtt_are_plain_text(sandbox: Sandbox) -> None:
    srt = await ask(sandbox, response_format="srt")
    assert srt.headers["Content-Type"].startswith("text/plain")
    first = r"1\n00:00:\d\d,\d{3} --> 00:00:\d\d,\d{3}\n(.+)\n\n"
    assert re.match(first, srt.raw.decode())
    vtt = await ask(sandbox, response_format="vtt")
    assert re.match(r"WEBVTT\n\n00:00:\d\d\.\d{3} --> 00:00:\d\d\.\d{3}\n.+\n\n", vtt.raw.decode())


async def test_a_stream_is_the_json_text_in_deltas(sandbox: Sandbox) -> None:
    answer = await ask(sandbox, stream="true")
    *deltas, last = [json.loads(line) for line in answer.lines]
    assert len(deltas) > 1
    assert [delta["index"] for delta in (*deltas, last)] == list(range(len(deltas) + 1))
    assert not [delta for delta in deltas if delta["finish"]]
    assert "".join(delta["delta"] for delta in deltas) == (await ask(sandbox)).json["text"]
    assert (last["delta"], last["finish"]) == ("", True)
    assert last["duration"] == pytest.approx(SPOKEN.seconds, abs=0.05)


async def test_silence_gives_an_empty_text(sandbox: Sandbox) -> None:
    assert (await ask(sandbox, SILENCE)).json["text"] == ""
    assert len((await ask(sandbox, SILENCE, stream="true")).lines) == 1


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"model": ""}, "expr_path=model, cause=missing required parameter"),
    ({"model": "asr-9"}, "unknown model 'asr-9'"),
    ({"file": None}, "expr_path=file, cause=missing required parameter"),
    ({"file": b""}, "expr_path=file, cause=missing required parameter"),
    ({"file": SPOKEN.samples[:8000].tobytes()}, "raw PCM is not accepted"),
    ({"file": b"hello " * 100}, "cannot be read as audio"),
    ({"response_format": "xml"}, "response_format must be one of json, verbose_json, srt, vtt"),
    ({"response_format": "srt", "stream": "true"}, "stream needs response_format json"),
    ({"stream": "perhaps"}, "stream must be true or false"),
    ({"headers": {"language": "tlh"}}, "unsupported language 'tlh'"),
    ({"file": wav(np.zeros(501 * 8000, np.int16), 8000)}, "longer than 500 seconds"),
]


@pytest.mark.parametrize(("form", "message"), REFUSED, ids=[message[:40] for _, message in REFUSED])
async def test_a_bad_form_is_refused(sandbox: Sandbox, form: dict[str, Any], message: str) -> None:
    answer = await ask(sandbox, **form)
    assert answer.status == 400
    assert message in answer.json["error"]["message"]
    assert answer.json["error"]["message"].endswith("(2013)")
    assert answer.json["request_id"] == answer.headers["trace-id"]


async def test_a_file_over_50_mb_is_too_large(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    assert transcribe.MAX_BYTES == 50 * 1024 * 1024
    monkeypatch.setattr(transcribe, "MAX_BYTES", 200_000)
    answer = await ask(sandbox, bytes(200_001))
    assert answer.status == 413
    assert answer.json["error"]["type"] == "invalid_request_error"


async def test_json_instead_of_a_form_is_refused(sandbox: Sandbox) -> None:
    async with (
        aiohttp.ClientSession(headers={"Authorization": "Bearer any"}) as session,
        session.post(sandbox.url + ASR, json={"model": "asr-1.0"}) as answer,
    ):
        assert answer.status == 400


async def test_keys_are_checked_and_faults_apply(sandbox: Sandbox) -> None:
    bad = await ask(sandbox, headers={"Authorization": "Bearer sk-bad"})
    assert (bad.status, bad.json["error"]["type"]) == (401, "authorized_error")
    broke = await ask(sandbox, headers={"X-Sandbox-Fault": "asr.error=1008"})
    assert (broke.status, broke.json["error"]["type"]) == (402, "insufficient_balance_error")


async def test_without_a_transcriber_the_answer_names_the_install_command(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcriber.importlib.util, "find_spec", lambda name: None)
    answer = await ask(sandbox)
    assert answer.status == 500
    assert "pip install 'minimax-realtime[local]'" in answer.json["error"]["message"]
    assert answer.json["error"]["message"].endswith("(1000)")
