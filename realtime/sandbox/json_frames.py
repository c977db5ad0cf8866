"""JSON of frames that carry sound. Knows no frame.

A frame is mostly one long string of hexadecimal digits. The standard library looks at each character of it: 110 µs for
a frame with 200 ms of sound at 24 kHz, against 11 µs with msgspec.
"""

from __future__ import annotations

from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder(enc_hook=float)  # NumPy's numbers


def frame_json(frame: dict[str, Any]) -> bytes:
    """The frame as compact JSON in UTF-8."""
    return _ENCODER.encode(frame)
