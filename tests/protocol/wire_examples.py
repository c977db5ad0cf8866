"""The examples of shared/realtime-wire.md: one line each, C from a client, S from the server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

LINES = (Path(__file__).parent / "examples.txt").read_text(encoding="utf-8").splitlines()

FROM_CLIENT: list[dict[str, Any]] = [json.loads(line[2:]) for line in LINES if line.startswith("C ")]
FROM_SERVER: list[dict[str, Any]] = [json.loads(line[2:]) for line in LINES if line.startswith("S ")]
