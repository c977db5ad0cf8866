"""The examples of `docs/extending.md`: they run as one program, and their providers work in a spoken conversation."""

import re
import runpy
import socket
import tomllib
import urllib.request
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from realtime import ConfigError, Settings, providers, running
from realtime.providers import FakeVad
from realtime.providers.catalog import GROUP, ROLES, known
from realtime.settings.table import SETTINGS
from realtime.tools import ServerTool
from tests.eventually import eventually
from tests.server.harness import open_socket

PAGE = (Path(__file__).parents[2] / "docs" / "extending.md").read_text(encoding="utf-8")
LOUD = (np.sin(np.arange(24_000) / 3) * 12_000).astype("<i2").tobytes()  # one second at 24 kHz
SILENT = bytes(14_400)  # 300 ms
SEMANTIC = {"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The names that the blocks define when they run one after the other, and their output as `printed`."""
    path = tmp_path_factory.mktemp("extending") / "program.py"
    path.write_text("\n\n".join(blocks("python")), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        printed: list[str] = []
        patch.setattr("builtins.print", lambda *said: printed.append(" ".join(map(str, said))))
        return {**runpy.run_path(str(path)), "printed": printed}


def test_the_example_prints_the_answer_and_its_duration(program):
    answer = "You said: Good morning."
    assert program["printed"] == [answer, f"{len(answer) * 50 / 1000:.2f} s of audio"]


def test_a_server_runs_in_a_thread_and_stops_by_its_own_handle(program):
    server = program["InTheBackground"](Settings(port=0, transcriber="none", voice_detector="none"))
    try:
        with urllib.request.urlopen(server.url + "/healthz") as answer:
            assert answer.status == 200
    finally:
        server.stop()
    assert not server._thread.is_alive()


def test_a_server_in_a_thread_that_cannot_start_says_why_where_it_was_made(program, capfd):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError, match="Cannot listen"):
        program["InTheBackground"](Settings(port=taken.getsockname()[1], api_key="sandbox"))
    assert "Traceback" not in capfd.readouterr().err


async def test_the_providers_work_in_a_spoken_conversation(program):
    store = program["DictStore"]()
    own = {
        "chat": program["Parrot"](),
        "speech": program["create"](Settings()),
        "transcriber": program["Stopwatch"](),
        "end_of_turn": program["LongEnough"](),
        "store": store,
        "vad": FakeVad(),
    }
    async with (
        running(Settings(port=0), providers=own, tools=[program["days_until"]]) as server,
        open_socket(server.url.replace("http", "ws", 1) + "/v1/realtime") as wire,
    ):
        await wire.send("session.update", session=SEMANTIC)
        await wire.append(LOUD)
        for _ in range(20):
            await wire.append(SILENT)
        done = (await wire.until("response.done"))["response"]
        said = done["output"][0]["content"][0]["transcript"]
        assert re.fullmatch(r"You said: I spoke for [12] seconds\.", said)
        assert abs(len(wire.audio()) / 48 - len(said) * 50) <= 50, (
            "the space between two chunks is not spoken"
        )
        conversation_id = wire.of("conversation.created")[0]["conversation"]["id"]
        await eventually(lambda: ("open", conversation_id) in store._kept)
    assert len(await store.load("open", conversation_id) or ()) == 2
    await store.forget("open", conversation_id)
    assert await store.load("open", conversation_id) is None


async def test_the_test_of_the_page_passes(program):
    await program["test_the_answer_is_spoken"]()


async def test_the_checks_of_the_page_pass(program):
    await program["test_own_providers"]()


async def test_the_end_of_turn_model_and_the_tool(program):
    model = program["LongEnough"]()
    assert (
        await model.finished(np.zeros(16_000, np.int16)) > 0.5 > await model.finished(np.zeros(100, np.int16))
    )
    assert isinstance(program["days_until"], ServerTool)
    assert program["days_until"](date.today() + timedelta(days=3)) == 3


def test_the_table_has_every_role_with_its_setting_and_names():
    rows = dict(re.findall(r"^\| `(\w+)` (\|.*)$", PAGE, re.MULTILINE))
    assert set(rows) == set(ROLES)
    variables = {name for setting in SETTINGS for name in setting.names}
    for role, row in rows.items():
        protocol, variable, *names = re.findall(r"`(\w+)`", row)
        assert getattr(providers, protocol)._is_protocol
        assert variable in variables
        assert set(names) == set(known(role)), role


def test_the_entry_point_has_the_right_group_and_role():
    (project,) = (tomllib.loads(block)["project"] for block in blocks("toml"))
    (name,) = project["entry-points"][GROUP]
    assert name.partition(".")[0] in ROLES


def test_every_imported_name_is_public():
    for names in re.findall(r"from realtime\.providers import \(?([\w,\s]+?)\)?$", PAGE, re.MULTILINE):
        for name in re.findall(r"\w+", names):
            assert name in providers.__all__
