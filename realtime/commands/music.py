"""Make a song from words: with your lyrics, with lyrics by the platform, without any, or a cover of a recording.

Lyrics are lines of text with tags like [Verse] and [Chorus] for the sections.
"""

from __future__ import annotations

import argparse
import asyncio
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from realtime.commands.answered import (
    Answer,
    Order,
    Place,
    answered_kind,
    buy,
    unfinished,
    waiting,
)
from realtime.commands.kept import keep, to_its_end
from realtime.commands.naming import absolute, check_out, name_result, without_ending
from realtime.commands.platform import BUILT_IN, Platform, add_platform, run_on_platform
from realtime.commands.sources import same_source
from realtime.commands.stdin import read_bytes
from realtime.commands.task_kinds import begin, lost_before
from realtime.errors import ConfigError, InvalidArgument
from realtime.minimax.field_tables import MUSIC_MODELS
from realtime.minimax.file_source import read_path
from realtime.minimax.music_request import song_body
from realtime.minimax.music_rules import check_cover_length
from realtime.task_records import Record, RecordState, Work, is_busy

TYPICAL_S = 75.0
TYPICAL_LYRICS_S = 10.0
MOST_LYRICS_BYTES = 64 * 1024
NOT_WRITTEN_YET = "[Verse]\nla la la"  # stands for lyrics when a request is checked before they are bought
TASK_KINDS = (answered_kind("music", "song"),)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prompt", metavar="PROMPT", help='style and mood, like "jazz, late night"')
    words = parser.add_mutually_exclusive_group()
    words.add_argument("--lyrics", metavar="FILE", help="a text file with the lyrics; - reads standard input")
    words.add_argument(
        "--write-lyrics", action="store_true", help="let the platform write lyrics first; they are saved too"
    )
    words.add_argument("--instrumental", action="store_true", default=None, help="without lyrics")
    parser.add_argument("--cover", metavar="FILE", help="a recording to cover, 6 s to 6 min, or its address")
    parser.add_argument("--format", metavar="FORMAT", help="mp3, wav or pcm")
    parser.add_argument(
        "--rate", type=int, metavar="HZ", help="16000, 24000, 32000 or 44100 samples a second"
    )
    parser.add_argument(
        "--bitrate", type=int, metavar="BPS", help="32000, 64000, 128000 or 256000 bits a second"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="for covers: 0 to 1,000,000")
    parser.add_argument("--watermark", action="store_true", default=None, help="mark it as made by AI")
    parser.add_argument(
        "--model", metavar="MODEL", help=f"music-3.0 (default) and others: {', '.join(MUSIC_MODELS)}"
    )
    add_platform(parser, buys=True, writes=True)


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if the song was saved. Raises RealtimeError and OSError."""
    return run_on_platform(args, _make)


async def _make(platform: Platform) -> int:
    args = platform.args
    if args.cover and args.write_lyrics:
        raise InvalidArgument(
            "A cover is sung with its own lyrics, or with --lyrics: leave --write-lyrics out.",
            param="write_lyrics",
        )
    await asyncio.to_thread(_check_recording, args.cover)
    lyrics = None if args.lyrics is None else await _read_lyrics(args.lyrics)
    await _check_request(platform, lyrics)
    written = await asyncio.to_thread(_not_sung, platform) if args.write_lyrics else None
    buys_words = args.write_lyrics and written is None
    sung = None if buys_words else unfinished(platform, _order(platform, written.text if written else lyrics))
    if sung is None:
        check_out(args.out, force=args.force)
        await platform.confirm_cost("lyrics and 1 song" if buys_words else "1 song")
    if buys_words:
        written = await _write_lyrics(platform)
    paths = await _sing(platform, lyrics) if written is None else await _sing_written(platform, written)
    words = [] if written is None else [str(written.path)]
    document = {"kind": "music", "prompt": args.prompt, "paths": list(paths), "lyrics": words}
    platform.show([*words, *paths], document)
    return 0


@dataclass(frozen=True, slots=True)
class Written:
    """Lyrics by the platform: their text, their file, and the key of their record."""

    text: str
    path: Path
    key: str


async def _sing_written(platform: Platform, lyrics: Written) -> tuple[str, ...]:
    """The song with lyrics that were bought for it. However it fails, they are named. Raises Busy.

    Their record is held meanwhile, so that no other command takes them for lyrics without a song.
    """
    with ExitStack() as held:
        work = _held(platform, lyrics, held)
        try:
            paths = await _sing(platform, lyrics.text)
        except BaseException:  # Ctrl-C, too
            platform.progress.say(f"The lyrics are kept. To sing them: --lyrics {lyrics.path}")
            raise
        if work is not None:
            work.save(replace(work.record, arguments={**work.record.arguments, "sung": True}))
    return paths


def _held(platform: Platform, lyrics: Written, held: ExitStack) -> Work | None:
    """The record of these lyrics; None where it was forgotten: they are sung all the same. Raises Busy."""
    try:
        return held.enter_context(platform.records.work_on(lyrics.key))
    except (InvalidArgument, OSError):
        return None


def _not_sung(platform: Platform) -> Written | None:
    """Lyrics that were bought for this prompt, and whose song never came and is not being made."""
    written = _kept(_bought_lyrics(platform))
    if written is not None:
        platform.progress.say(
            f"These lyrics have no song yet and are sung now: {written.path} (delete them for others)"
        )
    return written


def _kept(found: Record | None) -> Written | None:
    """The lyrics of a record, if they are there and nobody else sings them."""
    if found is None or found.busy or found.state is not RecordState.DONE or not found.paths:
        return None
    try:
        text = _words(Path(found.paths[0]).read_bytes())
    except (OSError, ValueError):
        return None
    return Written(text, Path(found.paths[0]), found.key) if text else None


def _bought_lyrics(platform: Platform) -> Record | None:
    """The newest lyrics for this prompt without a song.

    Raises Busy if another process makes the same song, InvalidArgument if the answer was lost: the user decides.
    """
    records, costs = platform.records, platform.address != BUILT_IN
    for record in records.all(kinds=("lyrics",)).records if costs else ():
        same = record.platform == platform.address and record.arguments.get("song") == _song(platform)
        if same and record.busy:
            raise is_busy(record)
    found = records.same("lyrics", _of_lyrics(platform.args), platform=platform.address)
    if costs and found is not None and not found.busy and found.state is RecordState.UNKNOWN:
        raise lost_before(found)
    return found


def _song(platform: Platform) -> list[str]:
    """What song lyrics are written for: another one may be made of the same prompt at the same time."""
    place = _order(platform, None).arguments()
    return [place["asked"], place["out"]]


def _of_lyrics(args: argparse.Namespace) -> dict[str, Any]:
    """What their record says of lyrics. It changes when they were sung."""
    return {"prompt": args.prompt, "sung": False}


async def _sing(platform: Platform, lyrics: str | None) -> tuple[str, ...]:
    """Buy the song and save it; its paths."""
    args = platform.args

    async def create() -> Answer:
        asked = platform.mm.music.create(
            **_arguments(args), lyrics=lyrics, output="url", cover=args.cover, extra=platform.extra
        )
        song = await waiting(platform, "music", TYPICAL_S, asked)
        return Answer.of([song], song.trace_id)

    return await buy(platform, _order(platform, lyrics), create)


def _order(platform: Platform, lyrics: str | None) -> Order:
    args = platform.args
    asked = {**_arguments(args), "lyrics": lyrics, "cover": same_source(args.cover), "extra": platform.extra}
    return Order(TASK_KINDS[0], args.prompt, Place(args.out, args.force, f".{args.format or 'mp3'}"), asked)


async def _check_request(platform: Platform, lyrics: str | None) -> None:
    """Refuse what is wrong before the question of the cost, and before lyrics are bought for it."""
    args = platform.args
    words = NOT_WRITTEN_YET if args.write_lyrics else lyrics
    values = {**_arguments(args), "lyrics": words, "optimize_lyrics": None, "cover_feature_id": None}
    await song_body(values, args.cover, platform.extra)


def _arguments(args: argparse.Namespace) -> dict[str, Any]:
    """The arguments of the client's call that the command line gives as they are."""
    names = ("prompt", "model", "instrumental", "format", "rate", "bitrate", "seed", "watermark")
    return {name: getattr(args, name) for name in names}


async def _write_lyrics(platform: Platform) -> Written:
    """Lyrics by the platform, and the file they are in: a song that fails then does not lose them."""
    args = platform.args

    def earlier() -> Record | None:
        found = _bought_lyrics(platform)
        return found if _kept(found) else None

    made = {**_of_lyrics(args), "song": _song(platform)}
    begun = await begin(platform, "lyrics", made, earlier=earlier, prompt=args.prompt)
    if isinstance(begun, Record):
        if (kept := _kept(begun)) is None:  # somebody was quicker just now
            raise is_busy(begun)
        return kept
    with begun as work:
        asked = platform.mm.music.write_lyrics(args.prompt)
        lyrics = await waiting(platform, "lyrics", TYPICAL_LYRICS_S, asked)
        work.answered()
        data = lyrics.text.encode("utf-8", "replace")  # half a character is no reason to lose them
        text = _words(data)
        saving = keep(platform, f"{text}\n".encode(), _lyrics_path(args), force=args.force)
        path = await to_its_end(saving, lambda path: work.done([path]))
    return Written(text, path, work.record.key)


def _lyrics_path(args: argparse.Namespace) -> Path:
    """Beside the song: `song.txt` for `song.mp3`."""
    out = absolute(args.out)
    path = Path(out)
    name = f"{without_ending(path.name, args.format or 'mp3')}.txt"
    return name_result(
        args.prompt, ".txt", out=out if out.endswith("/") else path.with_name(name), force=args.force
    )


async def _read_lyrics(name: str) -> str:
    """Raises InvalidArgument for what is no text and for what cannot be read."""
    if name == "-":
        data = await read_bytes(MOST_LYRICS_BYTES)
    else:
        data = await read_path(name, most_bytes=MOST_LYRICS_BYTES, param="lyrics")
    if len(data) > MOST_LYRICS_BYTES:
        raise InvalidArgument(f"--lyrics {name}: this is too long for lyrics.", param="lyrics")
    try:
        return _words(data)
    except UnicodeDecodeError:
        raise InvalidArgument(f"--lyrics {name}: this is no text in UTF-8.", param="lyrics") from None


def _words(data: bytes) -> str:
    """Lyrics in the form in which they are sung, kept and compared: read again, they are the same song.

    Raises UnicodeDecodeError.
    """
    return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").strip()


def _check_recording(cover: str | None) -> None:
    """The length of a recording in any format, where the extra for audio files is there. Raises InvalidArgument."""
    if cover is None or "://" in cover or not Path(cover).is_file():
        return  # the client says what is wrong with it
    from realtime.media import duration_s

    try:
        check_cover_length(duration_s(cover, param="cover"))
    except ConfigError:
        return  # not installed: the client still knows wav, mp3 and flac
