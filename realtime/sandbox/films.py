"""The sandbox's films: a prompt and its frames in, an mp4 (h264, 24 frames a second) of the asked seconds out.

The film opens with exactly the first frame, moves as the prompt's camera commands say, and ends with the last frame.
Blocking: about a third of a second for each second of 768P. It does not know models, tasks or ids.
Facts: docs/minimax/video.md.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import lettering, pictures
from .camera import FURTHEST, View, camera_commands, view_at
from .extras import av, pillow
from .picture_facts import rgb_picture

FPS = 24
AUDIO_RATE = 44_100  # Hertz
_CROSSFADE = 0.25  # share of the film in which the last frame appears
_FINER = 2  # the picture is enlarged once, so that each frame can take the nearest pixels, which is ten times faster
_LONGEST_TEXT = 8_000  # characters of the prompt in the metadata
# Quick to encode, and small enough: one core makes several times real time. One thread: the bytes do not depend on the
# number of cores.
_X264 = {"preset": "ultrafast", "crf": "27", "tune": "zerolatency", "g": "48", "threads": "1"}

_Planes = NDArray[np.uint8]  # yuv420p as one array: (height * 3 / 2, width)


class FilmStopped(Exception):
    """Nobody wants the film any more."""


def make_film(
    prompt: str,
    *,
    seconds: float,
    width: int,
    height: int,
    first: bytes | None = None,
    last: bytes | None = None,
    subject: bytes | None = None,
    camera: bool = True,
    seed: int = 0,
    audio: bool = False,
    watermark: bool = False,
    stop: threading.Event | None = None,
) -> bytes:
    """An mp4 of `seconds` and `width` × `height` pixels, both even; `first` and `last` are pictures.

    Pictures of another shape are cut to the film's. Without `first` the prompt's own picture opens the film, with
    `subject` standing in it. `camera`: the commands in the prompt are obeyed. `audio` adds a silent track. Raises
    ValueError for odd sides and no frames, FilmStopped once `stop` is set, UnreadablePicture, ExtraMissing.
    """
    frames = round(seconds * FPS)
    if width % 2 or height % 2 or width < 16 or height < 16 or frames < 1:
        raise ValueError(
            f"no film of {width}×{height} and {seconds} s: sides are even, 16 or more; the time is positive"
        )
    size = (width, height)
    opening = _fitted(first, size) if first else _drawn(prompt, size, seed, subject)
    ending = _fitted(last, size) if last else None
    mark = _mark(size) if watermark else None
    sink = io.BytesIO()
    with av().open(sink, "w", format="mp4") as container:
        container.metadata.update({"title": _title(prompt), "comment": "realtime sandbox"})
        video = _video_stream(container, size)
        sound = _audio_stream(container) if audio else None
        for index, planes in enumerate(_moving(opening, ending, prompt if camera else "", frames)):
            if stop is not None and stop.is_set():
                raise FilmStopped
            container.mux(
                video.encode(_video_frame(planes if mark is None else np.maximum(planes, mark), index))
            )
        container.mux(video.encode(None))
        if sound is not None:
            _add_silence(container, sound, frames)
    return sink.getvalue()


def _title(prompt: str) -> str:
    """The prompt as metadata can hold it: text that ends at no NUL."""
    return prompt[:_LONGEST_TEXT].replace("\0", " ").encode(errors="replace").decode()


def _drawn(prompt: str, size: tuple[int, int], seed: int, subject: bytes | None) -> Any:
    image = pictures.draw(prompt, *size, seed=seed, subject=subject)
    pictures.write(image, prompt)
    return image


def _fitted(data: bytes, size: tuple[int, int]) -> Any:
    return pillow("ImageOps").fit(rgb_picture(data), size)


def _mark(size: tuple[int, int]) -> _Planes:
    """The watermark as planes: where its letters are not, nothing is greater than the film."""
    image = pillow("Image").new("RGB", size)
    lettering.watermark(image)
    planes = _planes_of(image)
    planes[size[1] :] = 0
    planes[: size[1]][planes[: size[1]] < 60] = 0
    return planes


def _planes_of(image: Any) -> _Planes:
    """An RGB image as yuv420p. Its sides are even."""
    frame = av().VideoFrame.from_image(image).reformat(format="yuv420p")
    planes: _Planes = frame.to_ndarray()
    return planes


def _moving(opening: Any, ending: Any | None, prompt: str, frames: int) -> Iterator[_Planes]:
    """Every frame. A view beyond the edge of the first frame shows its mirror image."""
    width, height = opening.size
    commands = camera_commands(prompt)
    start, end = _planes_of(opening), None if ending is None else _planes_of(ending)
    sources = [_with_margins(plane) for plane in _split(start, width, height)]
    before, shown = View(), start
    for index in range(frames):
        share = index / max(1, frames - 1)
        view = view_at(commands, share)
        if view != before:
            before, shown = view, _seen(sources, view, width, height)
        yield shown if end is None else _mixed(shown, end, share)


def _mixed(shown: _Planes, end: _Planes, share: float) -> _Planes:
    """The last frame appears in the last part of the film; at its end there is nothing else."""
    weight = round(256 * max(0.0, (share - 1 + _CROSSFADE) / _CROSSFADE))
    if weight in (0, 256):
        return end if weight else shown
    mixed = shown.astype(np.uint16) * np.uint16(256 - weight) + end * np.uint16(weight)
    return (mixed >> 8).astype(np.uint8)


def _split(planes: _Planes, width: int, height: int) -> list[_Planes]:
    """Y, U and V as arrays of rows."""
    half = (height // 2, width // 2)
    colours = planes[height:].reshape(2, *half)
    return [planes[:height], colours[0], colours[1]]


def _with_margins(plane: _Planes) -> Any:
    """A plane with mirrored margins, as a Pillow image in grey of FINER times the size."""
    rows, columns = (int(side * FURTHEST) + 1 for side in plane.shape)
    image = pillow("Image").fromarray(np.pad(plane, ((rows, rows), (columns, columns)), mode="symmetric"))
    return image.resize((image.width * _FINER, image.height * _FINER), pillow("Image").Resampling.BILINEAR)


def _seen(sources: list[Any], view: View, width: int, height: int) -> _Planes:
    """What a view shows, as planes."""
    parts: list[_Planes] = []
    nearest = pillow("Image").Resampling.NEAREST
    for source, (columns, rows) in zip(
        sources, ((width, height), *[(width // 2, height // 2)] * 2), strict=True
    ):
        across, along = columns * _FINER / view.zoom, rows * _FINER / view.zoom
        left = (source.width - across) / 2 + view.right * columns * _FINER
        top = (source.height - along) / 2 + view.down * rows * _FINER
        box = (
            max(0.0, left),
            max(0.0, top),
            min(source.width, left + across),
            min(source.height, top + along),
        )
        parts.append(np.asarray(source.resize((columns, rows), nearest, box=box)).reshape(-1))
    return np.concatenate(parts).reshape(height * 3 // 2, width)


def _video_stream(container: Any, size: tuple[int, int]) -> Any:
    stream = container.add_stream("libx264", rate=FPS, options=_X264)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    return stream


def _video_frame(planes: _Planes, index: int) -> Any:
    frame = av().VideoFrame.from_ndarray(planes, format="yuv420p")
    frame.pts = index
    return frame


def _audio_stream(container: Any) -> Any:
    stream = container.add_stream("aac", rate=AUDIO_RATE)
    stream.layout = "stereo"
    return stream


def _add_silence(container: Any, stream: Any, frames: int) -> None:
    """A silent track as long as the film."""
    silence = np.zeros((2, AUDIO_RATE * frames // FPS), dtype=np.float32)
    frame = av().AudioFrame.from_ndarray(silence, format="fltp", layout="stereo")
    frame.sample_rate = AUDIO_RATE
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
