"""The limits of docs/wire.md 1.4 are those of the code. What happens beyond them: tests/server/test_every_limit.py."""

import re

from realtime import outbox, tool_results
from realtime.core import conversation, fitting, item_room
from realtime.listening import audio_input
from realtime.protocol import (
    broken_events,
    checks,
    client_json,
    echo,
    framing,
    items,
    raw_events,
    response_options,
    session_config,
    session_values,
)
from realtime.replying import answer, response_events, responses, tool_rounds
from realtime.server import client_pace, connection, frames
from realtime.session import items as session_items
from realtime.settings import Settings
from tests.protocol.test_wire_page import section

KIB, MIB = 1024, 1024 * 1024
DEFAULTS = Settings()


def mib(size_bytes: int) -> str:
    return f"{size_bytes // MIB} MiB"


def kib(size_bytes: int) -> str:
    return f"{size_bytes // KIB} KiB"


# What the row has to say: its name, and the numbers of the code.
ROWS: dict[str, tuple[str, ...]] = {
    "Text message from a client": (mib(frames.MAX_MESSAGE_BYTES),),
    "Depth of arrays and objects": (f"{client_json.MAX_DEPTH} levels",),
    "Whole numbers": (f"2^{(checks.MAX_INTEGER + 1).bit_length() - 1} − 1",),
    "An event": (mib(raw_events.MAX_EVENT_BYTES),),
    "Values in an event": (f"{raw_events.MAX_VALUES:,} members",),
    "Messages that are no event": (f"{connection.MAX_INVALID_IN_A_ROW} in a row",),
    "Elements of a list": (
        f"{checks.MAX_ELEMENTS:,};",
        f"`tools` {session_values.MAX_TOOLS};",
        f"`extensions` {session_values.MAX_CHOICES};",
        f"response {response_options.MAX_INPUT_ITEMS:,}",
    ),
    "One picture": (mib(items.MAX_PICTURE_BYTES),),
    "Pictures and texts of a conversation": (mib(item_room.MAX_HELD_BYTES),),
    "Binary message from a client": (kib(framing.MAX_INBOUND_BYTES),),
    "Audio in one message to a client": (f"{response_events.MAX_DELTA_MS:.0f} ms",),
    "An item that comes back": (kib(echo.MAX_ECHO_BYTES),),
    "Other messages to a client": (
        f"{answer.MAX_ANSWER_CHARACTERS:,} characters",
        kib(session_config.MAX_SESSION_BYTES),
    ),
    "Append size": (),
    "Audio kept before a commit": (
        f"{client_pace.AUDIO_BURST_S:.0f} s",
        f"{audio_input.IDLE_KEEP_MS / 1000:.0f} s",
    ),
    "Audio faster than real time": (f"{client_pace.AUDIO_BURST_S:.0f} s at once",),
    "Recordings in items": (f"{client_pace.RECORDING_PAUSE_S:.0f} s",),
    "Recordings without text": (f"{session_items.MAX_UNREAD_S:.0f} s",),
    "Messages of all kinds": (
        f"{client_pace.MESSAGES_BURST:,.0f} at once",
        f"{client_pace.MESSAGES_PER_S:.0f}/s",
    ),
    "Fragments of messages": (f"{frames.FRAGMENTS_BURST:,.0f} at once", f"{frames.FRAGMENTS_PER_S:,.0f}/s"),
    "Events, appends not counted": (
        f"{client_pace.EVENTS_BURST:,.0f} at once",
        f"{client_pace.EVENTS_PER_S:.0f}/s",
        kib(client_pace.EVENT_BYTES),
    ),
    "Items of a conversation": (f"{conversation.MAX_ITEMS:,}", f"room for {conversation.REPLY_ROOM}"),
    "Text of one item": (f"{session_items.MAX_ITEM_CHARS:,} characters",),
    "Parts of one item": (f"{items.MAX_PARTS:,}",),
    "What the model sees": (f"{fitting.MAX_CHARACTERS:,} bytes", f"counts as {fitting.IMAGE_SIZE:,}"),
    "An answer": (
        f"{answer.MAX_ANSWER_CHARACTERS:,} characters",
        f"counts as {answer.CALL_CHARACTERS} more",
    ),
    "Text in one message": (f"{answer.MAX_DELTA_CHARACTERS:,} characters",),
    "The session object": (kib(session_config.MAX_SESSION_BYTES),),
    "Ids of items and calls": (
        f"{items.MAX_ID_CHARS} characters",
        f"client {broken_events.MAX_EVENT_ID_CHARS}",
    ),
    "`metadata` of a response": (
        f"{response_options.MAX_METADATA_KEYS} keys",
        f"{response_options.MAX_METADATA_KEY_CHARS} characters",
        f"values of {response_options.MAX_METADATA_VALUE_CHARS}",
    ),
    "Rounds of the server's own tools": (
        f"{tool_rounds.MAX_TOOL_ROUNDS};",
        f"{tool_results.MAX_OUTPUT_CHARACTERS:,} characters",
    ),
    "`instructions`": (f"{session_values.MAX_INSTRUCTIONS_CHARS:,} characters",),
    "Names of tools": (f"{session_values.MAX_NAME_CHARS} characters",),
    "Active responses": (f"{responses.MAX_OUT_OF_BAND} out of band",),
    "Length of a session": (f"{DEFAULTS.session_minutes:.0f} min",),
    "Unsent audio": (f"{outbox.MAX_UNSENT_AUDIO_MS / 1000:.0f} s",),
    "Unsent other events": (mib(outbox.ROOM_BYTES),),
    "A client that takes no byte": (
        f"{DEFAULTS.send_timeout_s:.0f} s",
        f"{outbox.MAX_UNSENT_EVENTS:,} events",
        mib(outbox.MAX_UNSENT_BYTES),
    ),
}


def rows() -> list[str]:
    """The lines of the table, without its head."""
    lines = [line for line in section("1.4").splitlines() if line.startswith("| ")]
    return [line for line in lines if not line.startswith("| What |")]


def test_every_row_is_compared_and_says_what_the_code_does():
    names = dict.fromkeys(ROWS)
    for row in rows():
        name = next((name for name in names if re.match(rf"\| {re.escape(name)}(?![a-z])", row)), None)
        assert name is not None, f"which constants are these? {row}"
        missing = [number for number in ROWS[name] if number not in row]
        assert not missing, f"{name}: the code has {missing}"
        del names[name]
    assert not names, "the table lost rows"
