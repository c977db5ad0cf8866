"""Media inside an answer: hex and base64 are decoded strictly, in slices, and saved whole or not at all."""

from __future__ import annotations

import base64
import copy
import dataclasses
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import InvalidArgument, ProviderRejected, ProviderUnavailable
from realtime.minimax import media_result
from realtime.minimax.door import Door
from realtime.minimax.download import save_bytes
from realtime.minimax.files import Files
from realtime.minimax.film import Film
from realtime.minimax.http import HttpClient
from realtime.minimax.images import Picture, Pictures
from realtime.minimax.media_result import MediaResult, from_base64, from_hex
from realtime.minimax.narration import Narration


@given(st.binary(max_size=200), st.sampled_from([4, 8, 1024]))
async def test_what_was_encoded_comes_back(data, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(media_result, "_SLICE", size)
        assert await from_hex(data.hex()) == data
        text = base64.b64encode(data).decode()
        assert await from_base64(text) == await from_base64(f"data:image/png;base64,{text}") == data


async def test_large_texts_are_decoded_too():
    data = bytes(range(256)) * 10_000
    assert await from_hex(data.hex()) == data
    assert await from_base64(base64.b64encode(data).decode()) == data


@pytest.mark.parametrize("text", ["0", "zz", "00 11", "00\n", "0g"])
async def test_broken_hex_is_an_error_that_is_not_tried_again(text):
    with pytest.raises(ProviderUnavailable, match="broken hex") as caught:
        await from_hex(text)
    assert caught.value.retryable is False


@pytest.mark.parametrize("text", ["AAA", "A===", "AA==AA==", "AAAA AAAA", "AA%A"])
async def test_broken_base64_is_an_error_that_is_not_tried_again(text):
    with pytest.raises(ProviderUnavailable, match="broken base64"):
        await from_base64(text)


async def test_a_taken_name_and_a_missing_folder_leave_nothing_behind(tmp_path):
    (tmp_path / "taken").write_bytes(b"mine")
    for target in (tmp_path / "taken", tmp_path / "missing" / "file"):
        with pytest.raises(InvalidArgument):
            await save_bytes(b"new", target)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
    assert (tmp_path / "taken").read_bytes() == b"mine"
    saved = await save_bytes(b"ID3 new", tmp_path / "taken", force=True)
    assert (saved.path.read_bytes(), saved.kind) == (b"ID3 new", "mp3")


async def test_what_an_earlier_call_left_is_replaced(tmp_path):
    (tmp_path / "song.part").write_bytes(b"an older and longer beginning")
    await save_bytes(b"new", tmp_path / "song")
    assert (tmp_path / "song").read_bytes() == b"new"


async def test_a_result_without_anything_says_so():
    with pytest.raises(ProviderRejected, match="has no file"):
        await MediaResult().read()


async def test_a_result_made_by_hand_has_no_way_to_its_file():
    with pytest.raises(ProviderRejected, match="no client to fetch its file with; the address is in `url`"):
        await MediaResult(url="https://h/x").read()


def _results():
    http = HttpClient("http://h", "key-secret")
    files = Files(Door(http))
    song = MediaResult(url="https://h/x", raw={"a": [1]}, _http=http)
    film = Film(task_id="1", file_id="7", _fresh=files.link("7"), _http=http)
    yield from (song, film, Pictures(pictures=(Picture(url="https://h/x", _http=http),), failed=1))
    yield Narration(task_id="1", file_id="7", _files=files)


@pytest.mark.parametrize("result", [*_results()], ids=lambda each: type(each).__name__)
async def test_a_result_can_be_copied_pickled_and_made_a_dict(result):
    for copied in (copy.copy(result), copy.deepcopy(result), pickle.loads(pickle.dumps(result))):
        assert (copied, type(copied)) == (result, type(result))
    assert copy.deepcopy(result).raw is not result.raw
    assert "trace_id" in dataclasses.asdict(result)
    assert b"key-secret" not in pickle.dumps(result)


async def test_a_copy_has_the_client_and_a_pickled_result_says_that_it_has_none():
    for result in _results():
        if isinstance(result, MediaResult):
            assert copy.deepcopy(result)._http is copy.copy(result)._http is result._http
            with pytest.raises(ProviderRejected, match="has no client"):
                await pickle.loads(pickle.dumps(result)).read()
        if isinstance(result, Narration):
            with pytest.raises(ProviderRejected, match=r"mm\.narration\.download"):
                await pickle.loads(pickle.dumps(result)).save("x")


@pytest.mark.parametrize("target", [".", "/", "", "..", b"x", 7, None, "a\0b"])
async def test_a_target_that_is_no_name_of_a_file_is_refused(target, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidArgument) as caught:
        await MediaResult(data=b"x").save(target)
    assert caught.value.param == "target"
    assert not list(tmp_path.iterdir())
