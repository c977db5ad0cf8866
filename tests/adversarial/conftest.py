"""Fixtures: a harness with a fast sandbox, a connected client, and a certificate for servers under attack."""

import shutil
import subprocess
from collections.abc import AsyncIterator

import pytest

from tests.server.harness import Harness, WireClient, open_harness


@pytest.fixture
async def harness() -> AsyncIterator[Harness]:
    async with open_harness() as harness:
        yield harness


@pytest.fixture
async def wire(harness: Harness) -> AsyncIterator[WireClient]:
    async with harness.connect() as wire:
        yield wire


@pytest.fixture
def tls_files(tmp_path) -> tuple[str, str]:
    """A certificate for this machine and its key, made by openssl."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl to make a certificate")
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key
