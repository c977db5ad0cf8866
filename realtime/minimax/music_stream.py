"""A song as it is made: events of the stream in, audio out (docs/minimax/music.md 1, t2a-http.md 3).

The last event (status 2) may repeat everything: its audio counts only if nothing came before. A stream without it is
incomplete. No I/O.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from realtime.errors import ProviderError, ProviderUnavailable
from realtime.minimax.errors import error_from_response, find_error
from realtime.minimax.json_text import decode_json
from realtime.minimax.results import mapping, text, whole
from realtime.minimax.sse import EventTooLong, SseDecoder, is_done

_LAST = 2


class SongStream:
    """Feed it the body as it is received; it gives hex. `complete` is true from the last event on.

    `feed` and `finish` have to be read to their ends.
    """

    def __init__(self) -> None:
        self.complete = False
        self._began = False
        self._sse = SseDecoder()

    def feed(self, fragment: bytes) -> Iterator[str]:
        """The audio that this fragment completes, in hex. Raises ProviderError after what came before it."""
        try:
            payloads = self._sse.feed(fragment)
        except EventTooLong as error:
            raise _broken(f"{error}") from error
        yield from self._audio(payloads)

    def finish(self, status: int, trace_id: str | None) -> Iterator[str]:
        """The body has ended: what is left. Raises ProviderError for a refusal, and for a song that is not whole."""
        yield from self._audio(self._sse.finish())
        if self._sse.plain:
            body = self._sse.body()
            refused = error_from_response(status, body, trace_id=trace_id)
            if refused is not None:
                raise refused
            yield from self._audio([body.decode("utf-8", "replace")])
        if not self.complete:
            raise _broken("the stream ended before its last event", trace_id)

    def _audio(self, payloads: list[str]) -> Iterator[str]:
        for payload in payloads:
            if not self.complete and not is_done(payload) and (audio := self._event(payload)):
                yield audio

    def _event(self, payload: str) -> str:
        try:
            event = decode_json(payload)
        except msgspec.DecodeError as error:
            raise _broken("it sent broken JSON") from error
        refused = find_error(event)
        if refused is not None:
            raise refused
        data = mapping(event, "data") if isinstance(event, dict) else {}
        self.complete = whole(data, "status") == _LAST
        if self.complete and self._began:
            return ""
        audio = text(data, "audio")
        self._began = self._began or bool(audio)
        if self.complete and not self._began:
            raise _broken("the stream ended without a song")
        return audio


def _broken(what: str, trace_id: str | None = None) -> ProviderError:
    """A failure in the middle: the answer of a billed request did not come as a whole."""
    return ProviderUnavailable(f"MiniMax: {what}.", trace_id=trace_id)
