"""docs/wire.md against the code: no example escapes the tests, and every event has its row."""

import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from realtime.errors import ProtocolError
from realtime.protocol.client_events import AnyClientEvent, ClientEvent
from realtime.protocol.codec import decode
from realtime.protocol.framing import AudioFrame, decode_frame
from realtime.protocol.server_events import AnyServerEvent, ServerEvent
from realtime.protocol.session_config import EXTENSIONS, SessionConfig, from_client_secret
from tests.conformance.cases import all_cases
from tests.protocol import wire_examples as page


def tags(events: Any) -> set[str]:
    return {event.__struct_config__.tag for event in get_args(events)}


EVENTS = tags(AnyClientEvent) | tags(AnyServerEvent)
KINDS = (
    page.FROM_CLIENT, page.FROM_SERVER, page.SECRET_REQUESTS, page.SECRET_ANSWERS, page.CAPABILITIES, page.CLIENT_FRAMES,
    page.SERVER_FRAMES,
)  # fmt: skip


def section(number: str) -> str:
    """The text under `### 3.2 ...`, up to the next heading."""
    found = re.search(rf"^### {re.escape(number)} .*?(?=^##)", page.PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None, f"the page has no section {number}"
    return found[0]


def first_cells(number: str) -> set[str]:
    """The names in code style in the first column of a section's tables."""
    rows = [line.split("|")[1] for line in section(number).splitlines() if line.startswith("| `")]
    return {name for cell in rows for name in re.findall(r"`([^`]+)`", cell)}


def cited() -> set[str]:
    """The sections that code and tests name: "wire 1.4", "docs/wire.md 3.4", the rules of the conformance cases."""
    root = Path(__file__).parents[2]
    files = [
        file for folder in ("realtime", "clients", "tests", "bench") for file in (root / folder).rglob("*.py")
    ]
    texts = (file.read_text(encoding="utf-8") for file in files)
    found = {number for text in texts for number in re.findall(r"wire(?:\.md)? (\d\.\d+)", text)}
    return found | {number for case in all_cases() for number in re.findall(r"\d\.\d+", case.rule)}


def test_every_section_that_is_cited_is_there():
    assert cited() <= set(re.findall(r"^### (\d\.\d+) ", page.PAGE, re.MULTILINE))


def test_every_line_of_every_example_is_read():
    assert all(KINDS), "there are examples of each kind"
    assert sum(map(len, KINDS)) == len(page.LINES)


def last_of(event: type) -> set[type]:
    """The classes below this one that have none below them."""
    return set().union(*(last_of(below) or {below} for below in event.__subclasses__()))


def test_every_event_class_is_in_its_union():
    assert last_of(ClientEvent) == set(get_args(AnyClientEvent)), "AnyClientEvent in client_events.py"
    assert last_of(ServerEvent) == set(get_args(AnyServerEvent)), "AnyServerEvent in server_events.py"


def test_every_client_event_has_its_reader():
    with pytest.raises(ProtocolError) as refused:
        decode('{"type": ""}')
    known = set(re.findall(r"'([a-z_.]+\.[a-z_.]+)'", refused.value.message))
    assert known == tags(AnyClientEvent), "an event of client_events.py needs its line in _READERS, codec.py"


def test_every_client_event_has_its_row():
    assert first_cells("3.2") >= tags(AnyClientEvent)


def test_every_server_event_has_its_row():
    assert first_cells("3.3") == tags(AnyServerEvent)


def test_every_extension_has_its_row():
    assert first_cells("6.1") >= set(EXTENSIONS)


def test_what_looks_like_an_event_is_one():
    named = re.findall(r"`((?:session|conversation|response)\.[a-z_.]*\.(?:delta|done|added))`", page.PAGE)
    assert set(named) <= EVENTS


@pytest.mark.parametrize("body", page.SECRET_REQUESTS)
def test_a_client_secret_may_be_asked_for_like_this(body: dict[str, Any]):
    asked = from_client_secret(msgspec.json.encode(body), SessionConfig())
    assert asked.expires_after_s == body["expires_after"]["seconds"]
    assert asked.config.instructions == body["session"]["instructions"]


@pytest.mark.parametrize("answer", page.SECRET_ANSWERS)
def test_a_client_secret_is_answered_like_this(answer: dict[str, Any]):
    assert set(answer) == {"value", "expires_at", "session"}
    assert answer["value"].startswith("ek_")


def test_the_frames_are_what_the_page_says_of_them():
    sound, end = map(decode_frame, page.SERVER_FRAMES)
    assert sound == AudioFrame(b"\x01\x00\xff\xff", stream=1, seq=42, start_ms=1240)
    assert end == AudioFrame(b"", stream=1, seq=43, start_ms=1260, end=True)
    assert [decode_frame(frame) for frame in page.CLIENT_FRAMES] == [
        AudioFrame(b"\x00\x00\x10\x00", stream=0, seq=7, start_ms=140)
    ]
