"""The examples of docs/wire.md as they stand in its code blocks. One line is one message: what precedes it says whose.

`C` a client sends it, `S` the server sends it (JSON, or a binary frame in hex), `POST` the body that asks for a client
secret, `200` the answer, `GET 200` the answer to a question for the capabilities.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).parents[2] / "docs" / "wire.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
LINES = [line for block in BLOCKS for line in block.splitlines()]


def _json(who: str) -> list[dict[str, Any]]:
    start = f"{who} {{"
    return [json.loads(line[len(who) :]) for line in LINES if line.startswith(start)]


def _frames(who: str) -> list[bytes]:
    """The header and the first bytes of the payload; what follows `#` or `…` is for people."""
    found = [re.match(rf"{who} ((?:[0-9A-F]{{2}} )+)", line) for line in LINES]
    return [bytes.fromhex(frame[1]) for frame in found if frame]


FROM_CLIENT = _json("C")
FROM_SERVER = _json("S")
SECRET_REQUESTS = _json("POST")
SECRET_ANSWERS = _json("200")
CAPABILITIES = _json("GET 200")
CLIENT_FRAMES = _frames("C")
SERVER_FRAMES = _frames("S")
