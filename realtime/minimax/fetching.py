"""Reading a file from a link that may break, die or lie: its bytes in order, with the news of every new start.

Knows ranges and validators (RFC 9110 13 and 14), fresh links for dead ones, stalls, and answers that are no file: a
refusal in JSON or a page in HTML with status 200. Knows no disk: `download` decides where the bytes go. The query of a
link is a signature (docs/minimax/files.md 6): no error holds any of it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, urlsplit

import aiohttp
import msgspec

from realtime import deadlines
from realtime.errors import ProviderError, ProviderRejected, ProviderTimeout, ProviderUnavailable
from realtime.minimax.errors import code_of, find_error, plain_text
from realtime.minimax.http import HttpClient
from realtime.minimax.json_text import decode_json, digits
from realtime.minimax.retries import delay_s
from realtime.minimax.retry_after import asked_wait_s, with_wait
from realtime.minimax.sniff import SNIFF_BYTES, Kind, sniff

Link = Callable[[], Awaitable[str]]
"""Gives a fresh address: a whole one, fetched without the key, or a path of the service itself, fetched with it."""

FRESH_LINKS = 2  # so many fresh links in a row may be dead before the file counts as gone
_DEAD = frozenset({401, 403, 404, 410})
_LATER = frozenset({408, 425, 429})
_REFUSAL_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Mark:
    """What lets a later request go on: the server's validator, the length in bytes, and a digest of host and path."""

    validator: str
    total: int | None
    place: str

    def fits(self, place: str) -> bool:
        """A strong ETag names the content wherever it is; a date only says something about its own address."""
        return self.validator.startswith('"') or self.place == place


@dataclass(frozen=True, slots=True)
class Opened:
    """The bytes that follow begin at `position`; at 0, what came before is void. `total` in bytes, if known."""

    position: int
    total: int | None
    mark: Mark | None


class _LinkDied(Exception):
    def __init__(self, error: ProviderError) -> None:
        super().__init__()
        self.error = error


class _StartOver(Exception):
    """The server's file is not the one we have the beginning of."""


@dataclass(slots=True)
class Fetching:
    """One file. `position` and `mark` say what is there already. `size` is the length as the platform knows it.

    `tries` failures in a row without any progress are the end; a byte that is new starts the count again.
    """

    http: HttpClient
    link: Link = field(repr=False)
    position: int = 0
    mark: Mark | None = None
    expect: Collection[Kind] | None = None
    size: int | None = None
    tries: int = 5
    backoff_s: float = 1.0
    stall_timeout_s: float = 30.0
    total: int | None = None
    _furthest: int = 0
    _failures: int = 0
    _dead_links: int = 0

    async def events(self) -> AsyncGenerator[Opened | bytes, None]:
        """The file. Raises ProviderError when it cannot be had; `position` then says how far it came."""
        self._furthest = self.position
        url: str | None = None
        while True:
            try:
                url = url or await self.link()
                async with aclosing(self._once(url)) as events:
                    async for event in events:
                        yield event
                return
            except _LinkDied as died:
                url, error = None, died.error
                self._dead_links += 1
                if self._dead_links > FRESH_LINKS:
                    raise error from None
                if self._dead_links == 1:
                    continue  # the usual case: it was old, a fresh one works at once
            except _StartOver:
                self.position, self.mark = 0, None
                error = ProviderUnavailable(f"{self.http.service}: the file changes again and again.")
            except ProviderError as failed:
                if not failed.retryable:
                    raise
                error = failed
            self._failures += 1
            if self._failures >= self.tries:
                raise error
            await asyncio.sleep(delay_s(self._failures, self.backoff_s, error))

    async def _once(self, url: str) -> AsyncGenerator[Opened | bytes, None]:
        try:
            async with AsyncExitStack() as stack:
                async with deadlines.timeout(self.stall_timeout_s):
                    response = await stack.enter_async_context(self._request(url))
                async with aclosing(self._answer(response, url)) as events:
                    async for event in events:
                        yield event
        except TimeoutError:
            raise ProviderTimeout(
                f"{self.http.service}: nothing came from {_host(url)} for {self.stall_timeout_s:.0f} s."
            ) from None

    def _request(self, url: str) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        headers = {"Accept-Encoding": "identity"}
        if self.position and self.mark is not None and self.mark.fits(_place(url)):
            headers |= {"Range": f"bytes={self.position}-", "If-Range": self.mark.validator}
        if url.startswith("/"):
            return self.http.request("GET", url, headers=headers)
        return self.http.fetch(url, headers=headers)

    async def _answer(
        self, response: aiohttp.ClientResponse, url: str
    ) -> AsyncGenerator[Opened | bytes, None]:
        match response.status:
            case 200:
                first = await self._begin(response, url)
                yield Opened(0, self.total, self.mark)
                yield self._counted(first)
            case 206:
                self._check_range(response)
                yield Opened(self.position, self.total, self.mark)
            case 416 if self._is_all_here(response):
                self.total = self.position
                yield Opened(self.position, self.total, self.mark)
                return
            case 416:
                raise _StartOver
            case _:
                raise await self._refused(response, url)
        while data := await self._next(response):
            yield self._counted(data)
        if self.total is not None and self.position != self.total:
            raise ProviderUnavailable(
                f"{self.http.service}: {_host(url)} sent {self.position} of {self.total} bytes."
            )

    async def _begin(self, response: aiohttp.ClientResponse, url: str) -> bytes:
        """The first bytes of a whole file, after a look at what it is."""
        self.position, self.mark = 0, None
        encoded = response.headers.get("Content-Encoding", "identity") != "identity"
        announced = None if encoded else response.content_length
        if announced is not None and self.size and announced != self.size:
            raise ProviderUnavailable(
                f"{self.http.service}: {_host(url)} announces {announced} bytes, the file has {self.size}."
            )
        first = await self._at_least(response, SNIFF_BYTES)
        kind = sniff(first)
        wanted = self.expect or ()
        if kind in ("json", "html") or (not first and "text" not in wanted):
            await self._check_words(response, first, kind, url, wanted)
        self.total = self.size or None if announced is None else announced
        self.mark = None if encoded else _mark_of(response, self.total, url)
        return first

    async def _check_words(
        self, response: aiohttp.ClientResponse, first: bytes, kind: Kind, url: str, wanted: Collection[Kind]
    ) -> None:
        """Raise for an empty answer, a page, or a refusal; a file that is JSON or HTML passes where it is expected."""
        if kind in wanted and (kind != "json" or len(first) >= _REFUSAL_BYTES):
            return
        body = first if kind in wanted else first + await self._at_least(response, _REFUSAL_BYTES)
        text = _without_signature(body.decode("utf-8", "replace"), url)
        payload = _json(text)
        if kind in wanted and (not isinstance(payload, dict) or code_of(payload) == 0):
            return
        error = find_error(payload, service=self.http.service)
        if error is not None:
            raise error
        what = {"json": "JSON", "html": "a web page"}.get(kind, "nothing")
        said = f" It said: {plain_text(text)}" if text else ""
        failure = ProviderRejected if kind == "json" else ProviderUnavailable
        raise failure(f"{self.http.service}: {_host(url)} sent {what} instead of the file.{said}")

    def _check_range(self, response: aiohttp.ClientResponse) -> None:
        """Take the part only if it goes on where we are, in the same file."""
        unit, _, rest = response.headers.get("Content-Range", "").partition(" ")
        span, _, total = rest.partition("/")
        begins = span.partition("-")[0]
        mark = self.mark
        if mark is None or unit != "bytes" or begins != str(self.position):
            raise _StartOver
        now = _validator(response)
        if (now is not None and now != mark.validator) or (
            mark.total and total not in ("*", str(mark.total))
        ):
            raise _StartOver  # the server did not look at If-Range
        self.total = mark.total if (announced := digits(total)) is None else announced

    def _is_all_here(self, response: aiohttp.ClientResponse) -> bool:
        """Whether nothing can follow: the validator was right, and the file ends where we are."""
        announced = self.mark.total if self.mark is not None else None
        ends_here = response.headers.get("Content-Range") == f"bytes */{self.position}"
        return ends_here and announced in (None, self.position)

    async def _refused(self, response: aiohttp.ClientResponse, url: str) -> Exception:
        status, host = response.status, _host(url)
        text = _without_signature(
            (await self._at_least(response, _REFUSAL_BYTES)).decode("utf-8", "replace"), url
        )
        said = f" It said: {plain_text(text)}" if text.strip() else ""
        error = find_error(_json(text), service=self.http.service)
        if status in _DEAD:
            gone = f"{self.http.service}: {host} does not give the file (HTTP {status}): the link or the file is gone."
            return _LinkDied(error or ProviderRejected(gone + said))
        if error is None and (status >= 500 or status in _LATER):
            error = ProviderUnavailable(
                f"{self.http.service}: {host} cannot give the file now (HTTP {status}).{said}"
            )
        if error is None:
            return ProviderRejected(f"{self.http.service}: {host} refused the file (HTTP {status}).{said}")
        return with_wait(error, asked_wait_s(response.headers))

    async def _next(self, response: aiohttp.ClientResponse) -> bytes:
        async with deadlines.timeout(self.stall_timeout_s):
            return await response.content.readany()

    async def _at_least(self, response: aiohttp.ClientResponse, least: int) -> bytes:
        """At least so many bytes, or all of a shorter answer."""
        found = bytearray()
        while len(found) < least and (data := await self._next(response)):
            found += data
        return bytes(found)

    def _counted(self, data: bytes) -> bytes:
        self.position += len(data)
        if self.position > self._furthest:
            self._furthest, self._failures, self._dead_links = self.position, 0, 0
        return data


def _validator(response: aiohttp.ClientResponse) -> str | None:
    """A strong ETag, else the date of the last change (RFC 9110 13.1.5 takes no weak ETag)."""
    etag = response.headers.get("ETag", "")
    return etag if etag.startswith('"') else response.headers.get("Last-Modified")


def _mark_of(response: aiohttp.ClientResponse, total: int | None, url: str) -> Mark | None:
    validator = _validator(response)
    if validator is None or response.headers.get("Accept-Ranges") == "none":
        return None
    return Mark(validator, total, _place(url))


def _place(url: str) -> str:
    parts = _parts(url)
    return hashlib.sha256(f"{parts.netloc}{parts.path}".encode("utf-8", "replace")).hexdigest()[:16]


def _parts(url: str) -> SplitResult:
    """The parts of an address; empty ones where it is none: the request says what is wrong with it."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def _host(url: str) -> str:
    return _parts(url).netloc.rpartition("@")[2] or "the service"


def _json(text: str) -> object:
    try:
        return decode_json(text)
    except msgspec.DecodeError:
        return None


def _without_signature(text: str, url: str) -> str:
    """Error pages of object stores repeat what they were asked: take the query's parts out of the text."""
    query = _parts(url).query
    secrets = {query, *(pair.partition("=")[2] for pair in query.split("&"))}
    secrets |= {value for _, value in parse_qsl(query)}
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= 4:
            text = text.replace(secret, "…")
    return text
