"""The three ways of ordering a film from the flags of `realtime video`: checked, counted, and ready to be sent.

What is wrong is refused here, before the question of its cost and before anything is recorded.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from realtime.commands.platform import Platform
from realtime.commands.sources import same_source
from realtime.errors import InvalidArgument
from realtime.minimax import Media, first_frame, last_frame
from realtime.minimax.field_tables import VIDEO, VIDEO_V2
from realtime.minimax.fields import build, refused
from realtime.minimax.media_input import PICTURE_V2, is_address, is_data_url, media_url
from realtime.minimax.sniff import sniff
from realtime.minimax.templates import checked_template, find
from realtime.minimax.video_rules import CELLS, SECONDS, check_film, check_prompt, default_model, mode_of
from realtime.minimax.video_v2_content import looked_at, reference_audio, reference_image, reference_video
from realtime.minimax.video_v2_rules import check_film as check_film_v2

V2_RESOLUTION, V2_SECONDS = "768P", 5
_V2_ONLY = ("ratio", "reference", "expand_prompt")
_V1_ONLY = ("subject", "fast_pretreatment", "no_optimize")
_REFERENCES: Mapping[str, Callable[[str], Media]] = {
    "jpeg": reference_image, "png": reference_image, "webp": reference_image,
    "mp4": reference_video, "mov": reference_video,
    "wav": reference_audio, "mp3": reference_audio,
}  # fmt: skip
_ENDINGS = {"jpg": "jpeg"}


@dataclass(frozen=True, slots=True)
class Order:
    """One film to order. `arguments` say what the work is, for the record; `cost` is what is counted."""

    kind: str
    cost: str
    prompt: str
    arguments: Mapping[str, Any]
    create: Callable[[], Awaitable[Any]]
    # The name of the argument and the source, of what is not looked at yet
    pictures: tuple[tuple[str, str], ...] = ()

    async def check_pictures(self) -> None:
        """Look at the pictures as the request will. Raises InvalidArgument."""
        for param, source in self.pictures:
            await media_url(source, param)


def v1_order(platform: Platform) -> Order:
    """A film of Hailuo. Raises InvalidArgument."""
    args, extra = platform.args, platform.extra
    _none_of(args, _V2_ONLY, "it is for models of V2: add --model MiniMax-H3")
    pictures: dict[str, Any] = {name: _source(getattr(args, name)) for name in ("first", "last", "subject")}
    mode = mode_of(**{name: source is not None for name, source in pictures.items()})
    model = args.model or default_model(mode)
    check_prompt(mode, args.prompt or extra.get("prompt"))
    values: dict[str, Any] = {
        "model": model,
        "prompt": args.prompt,
        "seconds": args.seconds,
        "resolution": args.resolution,
        "optimize_prompt": False if args.no_optimize else None,
        "fast_pretreatment": args.fast_pretreatment,
        "watermark": args.watermark,
    }
    build(VIDEO, values)
    check_film(
        mode,
        model,
        seconds=args.seconds,
        resolution=args.resolution,
        fast_pretreatment=args.fast_pretreatment,
    )
    resolution = args.resolution or next(iter(CELLS[mode].get(model, {"": ()})), "")
    return Order(
        "video",
        _counted(args.seconds or SECONDS, resolution),
        args.prompt or _stem(pictures),
        {**values, **_known(pictures), "extra": extra},
        lambda: platform.mm.video.create(**values, **pictures, extra=extra),
        tuple((name, source) for name, source in pictures.items() if source is not None),
    )


def v2_order(platform: Platform) -> Order:
    """A film of V2. Raises InvalidArgument."""
    args, extra = platform.args, platform.extra
    _none_of(args, _V1_ONLY, "it is not for models of V2")
    frames = {"first": _source(args.first), "last": _source(args.last)}
    content: list[str | Media] = [args.prompt or ""]
    content += [first_frame(frames["first"])] if frames["first"] else []
    content += [last_frame(frames["last"])] if frames["last"] else []
    content += [_reference(word) for word in args.reference]
    values: dict[str, Any] = {
        "model": args.model,
        "resolution": args.resolution or V2_RESOLUTION,
        "seconds": V2_SECONDS if args.seconds is None else args.seconds,
        "ratio": args.ratio,
        "expand_prompt": args.expand_prompt,
        "watermark": args.watermark,
    }
    parts = looked_at(content)
    build(VIDEO_V2, values | {"content": []})
    check_film_v2(
        args.model, parts, resolution=values["resolution"], seconds=values["seconds"], ratio=args.ratio
    )
    references = [same_source(word) for word in args.reference]
    return Order(
        "video_v2",
        _counted(values["seconds"], values["resolution"]),
        args.prompt,
        {**values, **_known(frames), "prompt": args.prompt, "references": references, "extra": extra},
        lambda: platform.mm.video_v2.create(content, **values, extra=extra),
    )


def template_order(platform: Platform) -> Order:
    """A film from a template. Raises InvalidArgument."""
    args, extra = platform.args, platform.extra
    media = [str(_source(word)) for word in args.media]
    known_media = [same_source(source) for source in media]
    template_id = checked_template(args.template, media, args.texts)
    known = find(template_id)
    return Order(
        "template",
        "1 film from a template",
        " ".join((known.name_zh if known else template_id, *args.texts)),
        {"template": template_id, "media": known_media, "texts": args.texts, "extra": extra},
        lambda: platform.mm.templates.create(template_id, media, args.texts, extra=extra),
        tuple(("media", source) for source in media),
    )


def _counted(seconds: int, resolution: str) -> str:
    return f"1 film of {seconds} s" + (f" in {resolution}" if resolution else "")


def _source(word: str | None) -> str | None:
    """An address as it is, a path as one that means the same in another folder."""
    if word is None or is_address(word, PICTURE_V2) or is_data_url(word):
        return word
    return os.path.abspath(word)


def _known(pictures: Mapping[str, str | None]) -> dict[str, str | None]:
    """The pictures as a record names them."""
    return {name: same_source(source) for name, source in pictures.items()}


def _reference(word: str) -> Media:
    """A reference by what its bytes are; of an address its ending decides. Raises InvalidArgument."""
    source = str(_source(word))
    if is_address(word, PICTURE_V2) or is_data_url(word):
        ending = word.partition("?")[0].rpartition(".")[2].lower()
        kind = _ENDINGS.get(ending, ending)
    else:
        kind = _kind_of(source)
    if kind not in _REFERENCES:
        raise refused("reference", word, f"allowed is a file that is {', '.join(_REFERENCES)}")
    return _REFERENCES[kind](source)


def _kind_of(path: str) -> str:
    if os.path.exists(path) and not os.path.isfile(path):  # it is read twice, which a pipe cannot be
        raise InvalidArgument(f"{path} is not a file.", param="reference")
    try:
        with open(path, "rb") as file:
            return sniff(file.read(512))
    except OSError as error:
        raise InvalidArgument(f"{path} cannot be read: {error.strerror}.", param="reference") from error


def _none_of(args: argparse.Namespace, names: tuple[str, ...], why: str) -> None:
    for name in names:
        if getattr(args, name):
            raise InvalidArgument(f"--{name.replace('_', '-')}: {why}.", param=name)


def _stem(pictures: Mapping[str, str | None]) -> str:
    """A name for a film without words: that of its picture."""
    first = next((source for source in pictures.values() if source), "")
    return "film" if is_data_url(first) else os.path.splitext(os.path.basename(first.partition("?")[0]))[0]
