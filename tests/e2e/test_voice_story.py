"""The long story of a voice: recorded, cloned, its answer lost and found again, kept beyond its week, deleted."""

from __future__ import annotations

import json
import os
import wave
from pathlib import Path

from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from tests.e2e.shell import Terminal

AT_ONCE = ("voice.clone_ms=0", "files.ms=0", "speech.factor=1000")
WORDS = "The sea is quiet today, and the captain walks over his ship. " * 4


async def record(user: Terminal) -> str:
    """A recording of somebody who says WORDS, longer than the 10 s that cloning wants."""
    await user.out("voices", "try", "English_expressive_narrator", WORDS, "-o", "me.wav")
    with wave.open(str(user.folder / "me.wav")) as file:
        assert 10 < file.getnframes() / file.getframerate() < 300
    return "me.wav"


async def cloned_voices(user: Terminal) -> dict[str, bool]:
    """The cloned voices, and whether each still waits for its first use."""
    found = json.loads(await user.out("voices", "list", "--kind", "cloned", "--json"))["voices"]
    return {voice["id"]: voice.get("unused", False) for voice in found}


async def test_a_voice_is_cloned_heard_kept_and_deleted(tmp_path: Path) -> None:
    async with Sandbox(SandboxOptions.parse("local", AT_ONCE)) as sandbox:
        user = Terminal(tmp_path, sandbox.url)
        recording = await record(user)
        first = ("voices", "clone", "captain-01", recording)

        sandbox.inject("clone.lost", times=1)
        lost = await user.run(*first)
        assert lost.status == 1
        assert "may have been accepted" in lost.err
        again = await user.run(*first)
        assert again.status == 2
        assert "that voice may be yours" in again.err
        assert await user.out("voices", "keep", "captain-01") == "captain-01"

        second = await user.run("voices", "clone", "captain-02", recording, "--say", "Aye.", "-o", "demo.mp3")
        assert second.status == 0, second.err
        assert second.out.split() == ["captain-02", str(tmp_path / "demo.mp3")]
        assert "realtime voices keep captain-02" in second.err
        assert await cloned_voices(user) == {"captain-01": False, "captain-02": True}

        sandbox.forward(hours=200)  # only the first one was used
        gone = await user.run("voices", "try", "captain-02", "Hello.", "-o", "gone.mp3")
        assert gone.status == 1
        assert "choose another voice id" in gone.err
        spoken = await user.out("voices", "try", "captain-01", "Hello.", "-o", "kept.mp3")
        assert spoken == str(tmp_path / "kept.mp3")

        assert await user.out("voices", "delete", "captain-01") == "captain-01"
        assert "captain-01" not in await cloned_voices(user)
        taken = await user.run(*first)
        assert taken.status == 2
        assert "choose another id" in taken.err
        assert set(os.listdir(tmp_path)) == {"me.wav", "demo.mp3", "kept.mp3", "state"}
