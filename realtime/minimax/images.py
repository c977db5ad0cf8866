"""Pictures from words: `mm.images` (docs/minimax/image.md).

One request makes one to nine pictures and answers when they are there. Each picture is billed, so a request whose
answer was lost is not sent again. Rules between arguments are in `image_rules`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from realtime.errors import ProviderRejected, ProviderUnavailable
from realtime.minimax.codes import OUTPUT
from realtime.minimax.door import Door, whole_answer
from realtime.minimax.errors import trace_of
from realtime.minimax.field_tables import IMAGE
from realtime.minimax.fields import build
from realtime.minimax.file_source import FileSource
from realtime.minimax.image_rules import check_size, check_style, model_for
from realtime.minimax.media_input import MediaRule, media_url
from realtime.minimax.media_result import MediaResult, from_base64
from realtime.minimax.operations import OPERATIONS
from realtime.minimax.results import Result, mapping, text, whole

SUBJECT = MediaRule("a picture of a person", ("jpeg", "png"), 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture(MediaResult):
    """One picture: `url` (lives for 24 h) or `data`, as `output` asked. Its encoding is what its bytes say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures(Result):
    """The pictures of one request, to iterate and unpack. `failed`: so many were stopped as sensitive and are missing.

    Which ones were stopped is not said: the order of the others is the platform's.
    """

    pictures: tuple[Picture, ...] = ()
    failed: int = 0

    def __iter__(self) -> Iterator[Picture]:
        return iter(self.pictures)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Picture:
        return self.pictures[index]


class Images:
    """`mm.images`."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def create(
        self,
        prompt: str,
        *,
        model: str | None = None,
        ratio: str | None = None,
        width: int | None = None,
        height: int | None = None,
        n: int | None = None,
        seed: int | None = None,
        style: str | None = None,
        style_weight: float | None = None,
        optimize_prompt: bool | None = None,
        subject: FileSource | None = None,
        output: str | None = None,
        watermark: bool | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Pictures:
        """`n` (1 to 9, default 1) pictures of `prompt`, at most 1,500 characters.

        `model` is image-01, or image-01-live where a `style` is given. The size is a `ratio` ("1:1" unless given) or
        `width` and `height`, 512 to 2048 pixels in steps of 8. `style_weight`: above 0, up to 1. `subject`: a picture
        of one person to draw, JPEG or PNG below 10 MB, as an address, a path, bytes or a binary stream.
        `output`: "url" (default) or "base64".

        Raises InvalidArgument before anything is sent; ProviderRejected if all pictures are stopped as sensitive (some:
        see `Pictures.failed`); AnswerLost; ProviderError.
        """
        values = {
            "model": model, "prompt": prompt, "style": style, "style_weight": style_weight, "ratio": ratio,
            "width": width, "height": height, "n": n, "seed": seed, "optimize_prompt": optimize_prompt,
            "output": output, "watermark": watermark,
        }  # fmt: skip
        body = await image_body(values, subject, extra)
        operation = OPERATIONS["images.create"]
        answer = await self._door.call(operation, body=body)
        with whole_answer(operation):
            return await self._read(answer, body.get("n", 1))

    async def _read(self, answer: Mapping[str, Any], asked: object) -> Pictures:
        """From an answer, for `asked` pictures. Raises ProviderError if it holds none."""
        data, counts = mapping(answer, "data"), mapping(answer, "metadata")
        trace_id = text(answer, "id") or trace_of(answer)
        common: dict[str, Any] = {"raw": answer, "trace_id": trace_id, "_http": self._door.http}
        pictures = [Picture(url=url, **common) for url in _texts(data, "image_urls")]
        broken = 0
        for encoded in _texts(data, "image_base64"):
            try:
                pictures.append(Picture(data=await from_base64(encoded), **common))
            except ProviderUnavailable:  # it costs none of the others
                broken += 1
        if not pictures:
            raise _none(0 if broken else whole(counts, "failed_count"), trace_id)
        missing = max(broken, asked - len(pictures)) if isinstance(asked, int) else broken
        failed = whole(counts, "failed_count", missing - broken) + broken
        return Pictures(pictures=tuple(pictures), failed=failed, raw=answer, trace_id=trace_id)


async def image_body(
    values: Mapping[str, Any], subject: FileSource | None, extra: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The checked body from the arguments of `Images.create` (`values`, by name). The subject is read last.

    Raises InvalidArgument.
    """
    model = model_for(values["model"], values["style"])
    check_size(model, values["ratio"], values["width"], values["height"])
    check_style(values["style"], values["style_weight"])
    body = build(IMAGE, {**values, "model": model}, extra)
    if subject is not None:
        address = await media_url(subject, "subject", SUBJECT)
        body.setdefault("subject_reference", [{"type": "character", "image_file": address}])
    return body


def _texts(data: Mapping[str, Any], name: str) -> list[str]:
    value = data.get(name)
    return [item for item in value if isinstance(item, str) and item] if isinstance(value, list) else []


def _none(failed: int, trace_id: str | None) -> ProviderRejected | ProviderUnavailable:
    """The error for an answer of code 0 without a picture."""
    if failed:
        return ProviderRejected(
            f"MiniMax: {OUTPUT.text} (all {failed} pictures).",
            code=OUTPUT.code,
            trace_id=trace_id,
        )
    return ProviderUnavailable(
        "MiniMax: the answer holds no picture.",
        trace_id=trace_id,
        retryable=False,
    )
