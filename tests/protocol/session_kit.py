"""Sessions for the tests of their settings: the defaults, one update, its refusal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from realtime.errors import ProtocolError
from realtime.protocol.session_config import SessionConfig, Transcription, apply, to_wire
from tests.server.stock_types import check_event

DEFAULTS = SessionConfig(
    instructions="Be brief.", voice="Warm_Voice", transcription=Transcription(model="base")
)


def echo(config: SessionConfig) -> dict[str, Any]:
    return to_wire(config, session_id="sess_A1", expires_at=1795224834, model="MiniMax-M3")


def changed(patch: dict[str, Any], config: SessionConfig = DEFAULTS) -> SessionConfig:
    """The settings after an update; the stock client must accept the session object."""
    after = apply(config, json.loads(json.dumps(patch)))
    check_event({"type": "session.updated", "event_id": "e", "session": echo(after)})
    return after


def nested(path: str, value: Any) -> dict[str, Any]:
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def refusal(patch: Any, config: SessionConfig = DEFAULTS, *, input_busy: bool = False) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        apply(config, patch, input_busy=input_busy)
    return caught.value
