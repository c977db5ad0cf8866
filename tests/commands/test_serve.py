"""The start of the server for people and for containers: taken ports, the Dockerfile, the Makefile."""

import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from realtime.commands.checks import run_checks
from realtime.commands.free_port import free_port, port_command
from realtime.settings import Settings

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_a_port_that_is_taken_is_not_free():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert free_port("127.0.0.1", port, tries=1) == 0
        assert free_port("127.0.0.1", port) > port


def test_the_command_is_that_of_who_started_it():
    assert port_command({"STARTED_BY": "make"}, 8001) == "make run PORT=8001"
    assert port_command({}, 8001) == "realtime serve --port 8001"


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_passes_the_port_on():
    done = subprocess.run(
        ["make", "-n", "run", "PORT=8123"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "serve --port 8123" in done.stdout
    assert "STARTED_BY=make" in done.stdout


async def test_doctor_sees_a_taken_port_and_a_store_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        store = f"sqlite:{tmp_path / 'file' / 'x.db'}"
        found = {
            each.part: each for each in await run_checks(Settings(port=port, store=store, transcriber="none"))
        }
    assert "--port" in found["address"].advice
    assert "cannot be written" in found["store"].text
    for path, verdict in (("b.db", "ok"), ("a/b.db", "!!")):  # no folder is made
        chosen = Settings(store=f"sqlite:{tmp_path}/{path}", transcriber="none")
        seen = {each.part: each for each in await run_checks(chosen)}
        assert seen["store"].verdict.value == verdict


def test_the_image_is_pinned_and_its_settings_are_variables_that_the_health_check_reads():
    assert re.search(r"^FROM python:3\.12\.\d+-slim-\w+$", DOCKERFILE, re.M)
    assert 'CMD ["realtime", "doctor", "--health"]' in DOCKERFILE
    assert "REALTIME_HOST=0.0.0.0 REALTIME_PORT=8000" in DOCKERFILE
    assert DOCKERFILE.rstrip().endswith('CMD ["realtime", "serve"]')
    assert "STOPSIGNAL SIGTERM" in DOCKERFILE
    # A slow store and a closing handshake follow; then docker kills
    assert Settings().drain_s + 3.0 + 1.0 < 10.0


@pytest.mark.skipif(shutil.which("awk") is None, reason="awk is not installed")
@pytest.mark.parametrize(("gpl", "there"), [("no", False), ("yes", True)])
def test_gpl_parts_are_only_in_the_image_if_asked_for(gpl, there):
    program = re.search(r"awk -v gpl=\"\$GPL\" '(.*?)'", DOCKERFILE)[1]
    lock = ROOT / "requirements/run-3.12.txt"
    done = subprocess.run(
        ["awk", "-v", f"gpl={gpl}", program, lock], capture_output=True, text=True, check=True
    )
    names = re.findall(r"^([\w.-]+)==", done.stdout, re.M)
    assert ("espeakng-loader" in names) is there
    assert {"aiohttp", "websockets", "msgspec", "faster-whisper"} <= set(names)
    assert (done.stdout == lock.read_text()) is there
