"""What a picture's bytes say: format, size as it is seen, and the text in its metadata.

It reads the whole picture, so a broken one does not pass. It does not know which sizes an endpoint takes.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from .extras import pillow

FORMATS = ("JPEG", "PNG", "WEBP")  # docs/minimax/video.md 1 and image.md
_DESCRIPTION, _ORIENTATION = 0x010E, 0x0112  # EXIF tags


class UnreadablePicture(ValueError):
    """The bytes are no whole JPEG, PNG or WebP picture."""


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """Facts of a picture. `width` and `height` in pixels as a viewer turns it."""

    format: str  # "jpeg", "png" or "webp"
    width: int
    height: int
    description: str  # the comment or description in the metadata; empty without one


def open_picture(data: bytes) -> Any:
    """The whole picture as a Pillow image, not yet turned. Raises UnreadablePicture, ExtraMissing."""
    image_module = pillow("Image")
    troubles = (
        OSError,
        ValueError,
        SyntaxError,  # Pillow's word for a broken PNG
        image_module.DecompressionBombError,
        image_module.DecompressionBombWarning,
    )
    try:
        image = image_module.open(io.BytesIO(data), formats=FORMATS)
        image.load()
    except troubles as error:
        raise UnreadablePicture("not a readable JPEG, PNG or WebP picture") from error
    return image


def rgb_picture(data: bytes) -> Any:
    """The picture in RGB, turned as its camera was held. Raises UnreadablePicture, ExtraMissing."""
    return pillow("ImageOps").exif_transpose(open_picture(data)).convert("RGB")


def picture_facts(data: bytes) -> PictureFacts:
    """Facts of a picture. Raises UnreadablePicture, ExtraMissing."""
    image = open_picture(data)
    width, height = image.size
    exif = image.getexif()
    if exif.get(_ORIENTATION, 1) >= 5:  # the camera was held on its side
        width, height = height, width
    texts = (image.info.get("comment"), exif.get(_DESCRIPTION), image.info.get("Description"))
    description = next((_text(text) for text in texts if text), "")
    return PictureFacts(str(image.format).lower(), width, height, description)


def _text(value: str | bytes) -> str:
    if isinstance(value, str):  # Pillow reads EXIF text as Latin-1; most programs write UTF-8
        try:
            return value.encode("latin-1").decode("utf-8")
        except UnicodeError:
            return value
    return value.decode("utf-8", "replace")
