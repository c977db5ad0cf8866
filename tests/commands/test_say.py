"""`realtime say` where the platform refuses: why it waits, and one sentence if it fails."""

import pytest

from realtime.commands.say_mp3 import mp3
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
        assert await mp3(settings, given("Hello there."), None)
    assert "Waiting 0 s (MiniMax: too many requests a minute (code 1002)" in capsys.readouterr().err


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
