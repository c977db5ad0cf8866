"""The body of a request for a client secret."""

from __future__ import annotations

import json

import pytest

from realtime.errors import ProtocolError
from realtime.protocol.session_config import apply, from_client_secret
from tests.protocol.session_kit import DEFAULTS, echo


def test_an_empty_request_for_a_secret_means_all_defaults():
    for body in (b"", b"{}", {}, '{"session":null,"expires_after":null}'):
        request = from_client_secret(body, DEFAULTS)
        assert (request.expires_after_s, request.model) == (600, None)
        assert echo(request.config) == echo(DEFAULTS)


def test_a_secret_carries_session_settings():
    body = {
        "expires_after": {"anchor": "created_at", "seconds": 7200},
        "session": {
            "type": "realtime",
            "model": "MiniMax-M3",
            "instructions": "Sing.",
            "extensions": ["words"],
        },
    }
    request = from_client_secret(json.dumps(body).encode(), DEFAULTS)
    assert (request.expires_after_s, request.model) == (7200, "MiniMax-M3")
    assert (request.config.instructions, request.config.extensions) == ("Sing.", ("words",))
    assert apply(request.config, {"instructions": None}).instructions == "Be brief."


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (b"{", "invalid_value", None),
        (b"\xff", "invalid_value", None),
        (b"[" * 100_000, "invalid_value", None),
        (b"[]", "invalid_value", None),
        ({"expires_after": {"seconds": 9}}, "invalid_value", "expires_after.seconds"),
        ({"expires_after": {"seconds": 7201}}, "invalid_value", "expires_after.seconds"),
        ({"expires_after": {"anchor": "now"}}, "invalid_value", "expires_after.anchor"),
        ({"expires_after": {"minutes": 1}}, "unknown_parameter", "expires_after.minutes"),
        ({"session": "x"}, "invalid_value", "session"),
        ({"session": {"voice": "x"}}, "unknown_parameter", "session.voice"),
        ({"session": {"type": "transcription"}}, "invalid_value", "session.type"),
        ({"for": "me"}, "unknown_parameter", "for"),
    ],
)
def test_a_wrong_request_for_a_secret_is_rejected(body, code, param):
    with pytest.raises(ProtocolError) as caught:
        from_client_secret(body, DEFAULTS)
    assert (caught.value.code, caught.value.param) == (code, param)
