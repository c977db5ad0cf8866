"""JSON of frames that carry sound. Knows no frame.

A frame is mostly one long string of hexadecimal digits. The standard library looks at each character of it, which took
a tenth of the sandbox's time for speech: 110 µs for a frame of 400 ms, against 11 µs with msgspec.
"""

from __future__ import annotations

from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder(enc_hook=float)  # NumPy's numbers


def frame_json(frame: dict[str, Any]) -> bytes:
    """The frame as compact JSON in UTF-8."""
    return _ENCODER.encode(frame)
