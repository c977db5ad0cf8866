"""The sandbox's pictures: a prompt in, a JPEG of the asked size out.

The prompt's colour and thing words decide what is drawn, the seed where it stands; the prompt itself is written at the
foot and in the metadata. Blocking: about a tenth of a second for a megapixel. It does not know endpoints or ids.
Fields: docs/minimax/image.md.
"""

from __future__ import annotations

import io
import zlib
from typing import Any

import numpy as np

from . import lettering
from .extras import pillow
from .picture_facts import rgb_picture
from .picture_words import Colour, Scene, scene_of

_LONGEST_TEXT = 60_000  # bytes: one segment of a JPEG holds 65,533
_DESCRIPTION, _SOFTWARE = 0x010E, 0x0131  # EXIF tags
_STYLES = ("漫画", "元气", "中世纪", "水彩")
_CALM = ((196, 92, 70), (70, 110, 150), (215, 180, 90), (95, 140, 95))  # where no colour is named


def make_picture(
    prompt: str,
    width: int,
    height: int,
    *,
    seed: int = 0,
    subject: bytes | None = None,
    style: str | None = None,
    style_weight: float = 0.8,
    watermark: bool = False,
) -> bytes:
    """A JPEG of `width` × `height` pixels; the same arguments make the same bytes.

    `subject` is a picture that stands in the scene; `style` one of 漫画, 元气, 中世纪, 水彩, others change nothing.
    Raises UnreadablePicture for a broken subject, ExtraMissing.
    """
    image = draw(prompt, width, height, seed=seed, subject=subject)
    if style in _STYLES:
        image = pillow("Image").blend(image, _styled(image, style), style_weight)
    write(image, prompt)
    if watermark:
        lettering.watermark(image)
    return to_jpeg(image, prompt)


def draw(prompt: str, width: int, height: int, *, seed: int = 0, subject: bytes | None = None) -> Any:
    """The scene of a prompt as a Pillow image in RGB, without text. Raises UnreadablePicture, ExtraMissing."""
    scene = scene_of(prompt)
    rng = np.random.default_rng([seed % 2**64, zlib.crc32(prompt.encode(errors="replace"))])
    top, foot, ground = scene.background
    if len(scene.colours) > 1:  # the first colour is the main shape's, the second one the ground's
        ground = scene.palette[1]
    horizon = int(height * rng.uniform(0.52, 0.66))
    image = pillow("Image").fromarray(_backdrop(width, height, horizon, top, foot, ground))
    canvas = pillow("ImageDraw").Draw(image, "RGBA")
    _far_things(canvas, scene, width, height, horizon, rng)
    _main_shape(canvas, scene, width, height, horizon, rng)
    if subject is not None:
        _paste(image, rgb_picture(subject), horizon)
    return image


def write(image: Any, prompt: str) -> None:
    """Write the prompt at the foot; where its letters are missing, also the English names of what it asks for."""
    lettering.caption(image, caption_text(prompt, lettering.drawable(prompt)))


def caption_text(prompt: str, drawable: str) -> str:
    """What to write for a prompt of which only the `drawable` part has letters in the font."""
    if _letters(drawable) * 2 >= _letters(prompt):
        return drawable
    words = [word for word in drawable.split() if _letters(word)]
    return " ".join(dict.fromkeys([*scene_of(prompt).words.split(), *words]))


def _letters(text: str) -> int:
    return sum(letter.isalnum() for letter in text)


def to_jpeg(image: Any, description: str) -> bytes:
    """A Pillow image as a JPEG with the text in its comment and its EXIF description."""
    text = description.encode(errors="replace")[:_LONGEST_TEXT].decode(errors="ignore").encode()
    exif = pillow("Image").Exif()
    exif[_SOFTWARE] = "realtime sandbox"
    if len(text) < _LONGEST_TEXT // 2:  # EXIF shares one segment with other tags
        exif[_DESCRIPTION] = text
    data = io.BytesIO()
    image.save(data, "JPEG", quality=88, comment=text, exif=exif)
    return data.getvalue()


def _backdrop(width: int, height: int, horizon: int, top: Colour, foot: Colour, ground: Colour) -> Any:
    """Sky and ground as an array (height, width, 3): two vertical gradients that meet at the horizon."""
    sky = np.linspace(top, foot, horizon)
    near = np.array(ground) * 0.62
    earth = np.linspace(ground, near, height - horizon)
    rows = np.concatenate([sky, earth]).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(rows[:, None, :], (height, width, 3)))


def _far_things(
    canvas: Any, scene: Scene, width: int, height: int, horizon: int, rng: np.random.Generator
) -> None:
    things = scene.things
    radius = height // 11
    x, y = int(width * rng.uniform(0.12, 0.88)), int(horizon * rng.uniform(0.2, 0.5))
    if "night" in things or "star" in things:
        for _ in range(70):
            star_x, star_y = int(rng.uniform(0, width)), int(rng.uniform(0, horizon))
            canvas.ellipse((star_x, star_y, star_x + 3, star_y + 3), fill=(255, 255, 235, 220))
    disc = (240, 240, 225) if {"night", "moon"} & set(things) else (255, 225, 130)
    if "sunrise" in things:
        y = horizon
    canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*disc, 255))
    if {"mountain", "snow"} & set(things):
        _mountains(canvas, width, horizon, "snow" in things, rng)
    if "city" in things:
        for left in range(0, width, max(8, width // 14)):
            tall = int(horizon * rng.uniform(0.15, 0.5))
            canvas.rectangle((left, horizon - tall, left + width // 17, horizon), fill=(70, 75, 90, 255))
    if "forest" in things:
        for _ in range(14):
            left, tall = int(rng.uniform(0, width)), int(height * rng.uniform(0.12, 0.24))
            tree = ((left, horizon + 4), (left + tall // 2, horizon + 4), (left + tall // 4, horizon - tall))
            canvas.polygon(tree, fill=(30, int(rng.uniform(75, 120)), 45, 255))
    if "sea" in things:
        for _ in range(24):
            left, at = int(rng.uniform(0, width)), int(rng.uniform(horizon, height))
            canvas.arc(
                (left, at, left + width // 9, at + height // 40), 180, 360, fill=(255, 255, 255, 150), width=2
            )


def _mountains(canvas: Any, width: int, horizon: int, snowy: bool, rng: np.random.Generator) -> None:
    for _ in range(4):
        middle, half = int(rng.uniform(0, width)), int(width * rng.uniform(0.14, 0.26))
        peak = horizon - int(horizon * rng.uniform(0.3, 0.62))
        shade = int(rng.uniform(85, 125))
        canvas.polygon(
            ((middle - half, horizon), (middle + half, horizon), (middle, peak)),
            fill=(shade, shade + 8, shade + 22, 255),
        )
        if snowy:
            cap, drop = half * 2 // 5, (horizon - peak) * 2 // 5
            top = ((middle - cap, peak + drop), (middle + cap, peak + drop), (middle, peak))
            canvas.polygon(top, fill=(248, 250, 252, 255))


def _main_shape(
    canvas: Any, scene: Scene, width: int, height: int, horizon: int, rng: np.random.Generator
) -> None:
    """What the picture is about, in the first colour: a shape on the ground, about a quarter of the picture."""
    choices = scene.palette or _CALM
    first = choices[0] if scene.palette else choices[int(rng.integers(len(choices)))]
    x = int(width * rng.uniform(0.32, 0.68))
    half, tall = int(min(width, height) * 0.34), int(height * 0.42)
    foot = min(height - height // 8, horizon + height // 6)
    box = (x - half, foot - tall, x + half, foot)
    solid, outline = (*first, 255), (20, 20, 20, 255)
    match int(rng.integers(3)):
        case 0:
            canvas.rounded_rectangle(box, radius=half // 3, fill=solid, outline=outline, width=3)
        case 1:
            canvas.ellipse(box, fill=solid, outline=outline, width=3)
        case _:
            points = (
                (x - half, foot),
                (x + half, foot),
                (x + half // 2, foot - tall),
                (x - half // 2, foot - tall),
            )
            canvas.polygon(points, fill=solid, outline=outline)
    if {"cat", "dog"} & set(scene.things):  # ears, and eyes that look at you
        for middle in (x - half // 2, x + half // 2):
            ear, top = half // 4, foot - tall
            canvas.polygon(
                ((middle - ear, top + 8), (middle + ear, top + 8), (middle, top - tall // 4)), fill=solid
            )
            canvas.ellipse((middle - 9, top + tall // 3, middle + 9, top + tall // 3 + 18), fill=outline)
    for index, colour in enumerate(scene.palette[2:6]):  # further colours: balls before it
        size = half // 3
        left = x - half + index * 2 * size
        canvas.ellipse((left, foot - size, left + size * 2, foot + size), fill=(*colour, 255))


def _paste(image: Any, subject: Any, horizon: int) -> None:
    """Stand the subject in the middle, with a white edge."""
    width, height = image.size
    subject.thumbnail((width // 2, height * 6 // 10))
    framed = pillow("ImageOps").expand(subject, border=max(2, height // 120), fill=(255, 255, 255))
    top = max(0, min(height * 3 // 4, horizon + height // 8) - framed.height)
    image.paste(framed, ((width - framed.width) // 2, top))


def _styled(image: Any, style: str) -> Any:
    operations, enhance = pillow("ImageOps"), pillow("ImageEnhance")
    match style:
        case "漫画":  # few colours and dark edges, as in a comic
            edges = operations.invert(image.convert("L").filter(pillow("ImageFilter").FIND_EDGES)).convert(
                "RGB"
            )
            return pillow("ImageChops").multiply(operations.posterize(image, 2), edges)
        case "元气":
            return enhance.Brightness(enhance.Color(image).enhance(1.9)).enhance(1.15)
        case "中世纪":
            return operations.colorize(image.convert("L"), black=(45, 25, 10), white=(240, 215, 165))
    soft = image.filter(pillow("ImageFilter").GaussianBlur(max(2, image.height // 120)))
    return enhance.Brightness(enhance.Color(soft).enhance(0.75)).enhance(1.18)  # 水彩: soft and pale
