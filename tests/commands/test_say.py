"""`realtime say` where the platform refuses: why it waits, and one sentence if it fails."""

import errno
import os
import tempfile
import wave

import pytest
from realtime_client.files import read_sound

from realtime.commands.said_file import SaidFile, said_file
from realtime.commands.say_mp3 import mp3
from realtime.errors import ProviderUnavailable
from realtime.sandbox.server import Sandbox
from realtime.settings import Settings
from tests.commands.test_cli import realtime_program
from tests.commands.test_narrate import Server


async def given(text):
    yield text


async def test_a_wait_for_mp3_says_why(monkeypatch, capsys):
    pytest.importorskip("av", reason="the sandbox encodes with it: pip install 'minimax-realtime[sandbox]'")
    monkeypatch.setattr("realtime.minimax.door.LONGEST_PAUSE_S", 0.01)
    monkeypatch.setattr("realtime.commands.platform._SHOWN_PAUSE_S", 0.0)
    async with Sandbox() as sandbox:
        sandbox.inject("speech.error=1002", times=1)
        settings = Settings(api_key="sandbox", base_url=sandbox.url)
        sounds = []
        await mp3(settings, given("Hello there."), None, lambda sound, _: sounds.append(sound))
        assert all(sounds)
    assert "Waiting 0 s (MiniMax: too many requests a minute (code 1002)" in capsys.readouterr().err


def broken(out, error, *sounds, said="", mp3=True):
    with said_file(str(out), mp3=mp3) as file:
        for sound in sounds:
            file.add(sound, said)
        raise error


def test_speech_has_its_name_when_it_is_whole(tmp_path):
    out = tmp_path / "a.mp3"
    out.write_bytes(b"older")
    with said_file(str(out), mp3=True) as file:
        file.add(b"one", "The first 3 of 6 characters")
        assert (out.read_bytes(), (tmp_path / "a.mp3.part").read_bytes()) == (b"older", b"one")
        file.add(b"two", "The first 6 of 6 characters")
    assert out.read_bytes() == b"onetwo"
    assert os.listdir(tmp_path) == ["a.mp3"]


@pytest.mark.parametrize("error", [ProviderUnavailable("1008"), KeyboardInterrupt()])
def test_what_was_paid_for_is_kept_and_named_and_never_replaced(error, tmp_path, capsys):
    for _ in range(2):
        with pytest.raises(type(error)):
            broken(tmp_path / "a.mp3", error, b"one", said="The first 3 of 6 characters")
    said = capsys.readouterr().err.splitlines()
    assert said == [
        f"The first 3 of 6 characters are kept in {tmp_path / name}."
        for name in ("a.mp3.part", "a.mp3.2.part")
    ]
    with pytest.raises(type(error)):
        broken(tmp_path / "b.mp3", error)
    assert sorted(os.listdir(tmp_path)) == ["a.mp3.2.part", "a.mp3.part"]
    assert capsys.readouterr().err == ""


def test_the_part_of_a_wav_plays(tmp_path, capsys):
    with pytest.raises(ProviderUnavailable):
        broken(tmp_path / "a.wav", ProviderUnavailable("1008"), bytes(48_000), bytes(48_000), mp3=False)
    with wave.open(str(tmp_path / "a.wav.part")) as wav:
        assert wav.getnframes() == 48_000
    assert capsys.readouterr().err == f"The first 2 s are kept in {tmp_path / 'a.wav.part'}.\n"
    with said_file(str(tmp_path / "a.wav"), mp3=False) as file:
        file.add(bytes(48_000))
    assert read_sound(tmp_path / "a.wav") == bytes(48_000)


@pytest.mark.parametrize(
    ("name", "mp3", "kept"), [("a.wav", False, "a.wav"), ("b.mp3", True, "b.mp3"), ("c.mp3", False, "c.wav")]
)
def test_a_full_disk_costs_nothing_of_the_speech(tmp_path, monkeypatch, capsys, name, mp3, kept):
    (tmp_path / "other").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "other"))
    write = SaidFile._write

    def full(self: SaidFile, sound: bytes) -> None:
        if self.part is not None and self.part.parent == tmp_path and self._size:
            write(self, sound[:2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(self, sound)

    monkeypatch.setattr(SaidFile, "_write", full)
    with said_file(str(tmp_path / name), mp3=mp3) as file:
        for sound in (b"onetwo", b"three!", b"fourty"):
            file.add(sound)
    (path,) = (tmp_path / "other").rglob("*.*")
    assert path.name == kept
    assert path.parent.stat().st_mode & 0o077 == 0, "others may read the folder for temporary files"
    assert path.read_bytes()[0 if mp3 else 44 :] == b"onetwothree!fourty"
    assert os.listdir(tmp_path) == ["other"]
    assert f"(the disk is full). It is kept in {path}.\n" in capsys.readouterr().err


def test_a_failure_is_one_sentence_with_its_reason(tmp_path):
    server = Server(())
    try:
        server.inject("speech.error=1008")
        env = {"MINIMAX_API_KEY": "sandbox", "MINIMAX_BASE_URL": server.sandbox.url}
        ran = realtime_program("say", "Hello there.", "--out", str(tmp_path / "x.wav"), **env)
    finally:
        server.close()
    assert ran.returncode == 1
    assert "1008" in ran.stderr
    assert len([line for line in ran.stderr.splitlines() if "Waiting" not in line]) == 1, ran.stderr
