"""The sound devices of these tests."""

import os

import pytest

from tests.ports import free_port
from tests.terminal.pulse import Pulse, pulse_missing


@pytest.fixture(scope="module")
def pulse(tmp_path_factory):
    """A PulseAudio server of our own; PortAudio is told to use it."""
    reason = pulse_missing()
    if reason and "pulse" in os.environ.get("REQUIRE", ""):
        pytest.fail(f"REQUIRE wants pulse: {reason}")
    if reason:
        pytest.skip(reason)
    with pytest.MonkeyPatch.context() as patch:
        server = Pulse(tmp_path_factory.mktemp("pulse"))
        for name, value in server.environment.items():
            patch.setenv(name, value)
        with server:
            yield server


@pytest.fixture
def unused_tcp_port():
    """Instead of the plugin's, which may soon be the port of somebody's client."""
    return free_port()
