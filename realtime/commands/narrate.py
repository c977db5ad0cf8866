"""Make an audiobook: a text, Markdown or EPUB file (or - for standard input) as audio, one file for each chapter.

Headings make chapters. A short text is spoken at once, a long one becomes tasks of the platform. After Ctrl-C or a
crash the same command goes on where it was, and buys no chapter twice.
"""

from __future__ import annotations

import argparse
import asyncio
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from realtime.commands.chapters import Book, decoded, markdown_book, text_book
from realtime.commands.common import add_setting
from realtime.commands.epub import epub_book
from realtime.commands.naming import absolute, check_out, stem, without_ending
from realtime.commands.narrating import (
    NARRATION,
    SHORT_CHARACTERS,
    Piece,
    at_once,
    buy,
    check_names,
    earlier,
    forget_lost,
    send,
)
from realtime.commands.platform import Platform, add_platform, run_on_platform
from realtime.commands.speaking import SPEECH, audio_path
from realtime.commands.stdin import read_bytes
from realtime.commands.subtitle_files import KINDS, joined_subtitles, last_time_s, lists_only, playlist
from realtime.commands.task_kinds import check_no_wait
from realtime.errors import InvalidArgument
from realtime.minimax.download import save_bytes
from realtime.minimax.field_tables import EMOTIONS, SPEECH_FORMATS
from realtime.minimax.file_source import read_path
from realtime.minimax.sniff import sniff

TASK_KINDS = (NARRATION, SPEECH)
MOST_FILE_BYTES = 200 * 1024 * 1024
MOST_STDIN_BYTES = 50 * 1024 * 1024
_SINGLE = (".m4b", ".m4a", ".mp3")
_MARKDOWN = (".md", ".markdown", ".mdown")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="FILE", help="a .txt, .md or .epub file; - reads standard input")
    add_setting(parser, "--voice", "voice_id", "ID", "voice of the platform")
    add_setting(parser, "--model", "speech_model", "NAME", "speech model, like speech-2.8-hd")
    parser.add_argument("--subtitles", choices=KINDS, help="write subtitles beside the audio")
    parser.add_argument(
        "--single", action="store_true", help="one file with chapter marks (.m4b, .m4a or .mp3)"
    )
    parser.add_argument("--format", choices=SPEECH_FORMATS, default="mp3", help="audio format (default: mp3)")
    parser.add_argument("--language", metavar="CODE", default="auto", help="language of the text, like zh")
    parser.add_argument("--speed", type=float, metavar="X", help="0.5 to 2")
    parser.add_argument("--volume", type=float, metavar="X", help="above 0, up to 10")
    parser.add_argument("--pitch", type=int, metavar="N", help="half tones, -12 to 12")
    parser.add_argument("--emotion", choices=EMOTIONS, help="how it sounds")
    parser.add_argument(
        "--pronounce", action="append", metavar="TEXT/READING", help="how a word is said; again for more"
    )
    parser.add_argument("--encoding", metavar="NAME", help="encoding of a text that is not UTF-8")
    parser.add_argument(
        "--again", action="store_true", help="send again what may have been charged without an answer"
    )
    add_platform(parser, buys=True, waits=True, writes=True)


def run(args: argparse.Namespace) -> int:
    """Exit status 0 once all files are there. Raises RealtimeError and OSError."""
    return run_on_platform(args, _narrate)


async def _narrate(platform: Platform) -> int:
    args = platform.args
    _check_flags(platform)
    book = await _read(args)
    if book.characters <= SHORT_CHARACTERS:
        book = book.as_one()
    pieces = _pieces(platform, book)
    single = _single_path(args, book) if args.single else None
    check_out(f"{pieces[0].out.parent}/")
    check_names(platform, pieces, await asyncio.to_thread(_beside, book, pieces, single))
    if args.again:
        forget_lost(platform, pieces)
    if args.dry_run:
        await buy(platform, pieces[:1])
    await _confirm(platform, pieces)
    if args.no_wait:
        return await _sent(platform, pieces)
    files = await buy(platform, pieces)
    platform.progress.clear()
    if single is not None:
        results = await _join(book, files, single, args.subtitles)
    else:
        results = await _listed(book, files, pieces)
    chapters = [
        {"title": piece.chapter.title, "characters": len(piece.chapter.text), "paths": list(paths)}
        for piece, paths in zip(pieces, files, strict=True)
    ]
    platform.show(
        results, {"title": book.title, "paths": [str(path) for path in results], "chapters": chapters}
    )
    return 0


def _check_flags(platform: Platform) -> None:
    args = platform.args
    if args.no_wait and args.single:
        raise InvalidArgument("--single needs all chapters, so it cannot go with --no-wait.", param="single")
    check_no_wait(platform)
    if args.single and args.format in ("pcm", "pcmu_raw"):
        raise InvalidArgument(
            f"--single cannot join {args.format}, which says nothing of itself: use mp3, wav, flac or opus.",
            param="format",
        )
    if args.single:
        from realtime.media.ffmpeg import ffmpeg

        ffmpeg()  # before anything is bought


async def _read(args: argparse.Namespace) -> Book:
    """The book. Raises InvalidArgument for what is no text and for what cannot be read."""
    if args.source == "-":
        content, name = await read_bytes(MOST_STDIN_BYTES), "standard input"
    else:
        name = Path(args.source).name
        content = await read_path(args.source, most_bytes=MOST_FILE_BYTES, param="source")
    return await asyncio.to_thread(_book, content, name, args.encoding)


def _book(content: bytes, name: str, encoding: str | None) -> Book:
    title = Path(name).stem if name != "standard input" else "narration"
    if sniff(content[:512]) == "zip":
        return epub_book(io.BytesIO(content), name)
    text = decoded(content, name, encoding)
    is_markdown = name.lower().endswith(_MARKDOWN) or (
        name == "standard input" and text.lstrip().startswith("# ")
    )
    return markdown_book(text, title) if is_markdown else text_book(text, title)


def _pieces(platform: Platform, book: Book) -> list[Piece]:
    """What is bought, and where it is put: one file, or a folder with one file for each chapter."""
    args, voice = platform.args, _voice(platform)
    folder, names = _places(args, book)
    pieces = [
        Piece(chapter, folder / name, voice, args.subtitles)
        for chapter, name in zip(book.chapters, names, strict=True)
    ]
    if book.characters <= SHORT_CHARACTERS:
        return [at_once(platform, pieces[0], not args.no_wait)]
    return pieces


def _places(args: argparse.Namespace, book: Book) -> tuple[Path, list[str]]:
    out = Path(absolute(args.out)) if args.out else None
    if args.single:
        path = _single_path(args, book)
        return path.with_name(f"{path.stem}-chapters"), _numbered(book)
    is_folder = out is None or str(args.out).endswith("/") or out.is_dir()
    if len(book.chapters) > 1:
        if out is not None and not is_folder and (bare := _bare(args, out)) != out.name:
            raise InvalidArgument(
                f"The text has {len(book.chapters)} chapters: give a folder, like -o {bare}/, or add --single.",
                param="out",
            )
        return out or Path(stem(book.title)).absolute(), _numbered(book)
    if out is None or is_folder:
        return out or Path().absolute(), [stem(book.title)]
    return out.parent, [_bare(args, out)]


def _bare(args: argparse.Namespace, out: Path) -> str:
    """The name that the user asked for, without the ending of an audio file."""
    return without_ending(out.name, audio_path(Path("x"), {"format": args.format}).suffix[1:])


def _beside(book: Book, pieces: Sequence[Piece], single: Path | None) -> list[Path]:
    """The files beside the chapters that must not be somebody else's."""
    if single is not None:
        kind = pieces[0].subtitles
        return [] if kind is None else [single.with_suffix(f".{kind}")]
    path = _playlist_path(book, pieces)
    if len(pieces) == 1 or not path.is_file():
        return [] if len(pieces) == 1 else [path]
    names = {piece.files[0].name for piece in pieces}
    return [] if lists_only(path.read_text(encoding="utf-8", errors="replace"), names) else [path]


def _playlist_path(book: Book, pieces: Sequence[Piece]) -> Path:
    return pieces[0].out.parent / f"{stem(book.title)}.m3u8"


def _numbered(book: Book) -> list[str]:
    digits = max(2, len(str(len(book.chapters))))
    return [
        f"{number:0{digits}}-{stem(chapter.title, 60)}" for number, chapter in enumerate(book.chapters, 1)
    ]


def _single_path(args: argparse.Namespace, book: Book) -> Path:
    out = Path(absolute(args.out)) if args.out else Path().absolute() / f"{stem(book.title)}.m4b"
    if args.out and (str(args.out).endswith("/") or out.is_dir()):
        out = out / f"{stem(book.title)}.m4b"
    if out.suffix.lower() not in _SINGLE:
        raise InvalidArgument(
            f"{out.name}: with --single the name ends in {', '.join(_SINGLE)}.", param="out"
        )
    if out.exists() and not args.force:
        raise InvalidArgument(f"{out} exists: choose another name, or add --force.", param="out")
    return out


def _voice(platform: Platform) -> dict[str, Any]:
    """The named arguments of the request."""
    args = platform.args
    given = {
        "voice_id": platform.settings.voice_id,
        "model": platform.settings.speech_model,
        "format": args.format,
        "language": args.language,
        "speed": args.speed,
        "volume": args.volume,
        "pitch": args.pitch,
        "emotion": args.emotion,
        "pronunciation": args.pronounce,
        "extra": platform.extra or None,
    }
    return {name: value for name, value in given.items() if value is not None}


async def _confirm(platform: Platform, pieces: Sequence[Piece]) -> None:
    """Ask once for all that is not bought yet."""
    new = [piece for piece in pieces if earlier(platform, piece).new]
    if len(new) < len(pieces):
        platform.progress.say(f"{len(pieces) - len(new)} of {len(pieces)} chapters were sent before.")
    if new:
        characters = sum(len(piece.chapter.text) for piece in new)
        chapters = f" in {len(new)} chapters" if len(new) > 1 else ""
        await platform.confirm_cost(f"{characters:,} characters of speech{chapters}")


async def _sent(platform: Platform, pieces: Sequence[Piece]) -> int:
    ids = await send(platform, pieces)
    platform.progress.say("They go on by themselves. For the files: the same command without --no-wait.")
    platform.show(ids, {"task_ids": ids, "state": "sent"})
    return 0


async def _listed(book: Book, files: Sequence[Sequence[str]], pieces: Sequence[Piece]) -> list[Path]:
    """All files, and a playlist for several chapters."""
    paths = [Path(path) for each in files for path in each]
    if len(pieces) == 1:
        return paths
    path = _playlist_path(book, pieces)
    listed = await asyncio.to_thread(_playlist, files, pieces)
    await save_bytes(listed.encode(), path, force=True)
    return [*paths, path]


def _playlist(files: Sequence[Sequence[str]], pieces: Sequence[Piece]) -> str:
    return playlist(
        [
            (Path(each[0]).name, piece.chapter.title, _length_s(each))
            for piece, each in zip(pieces, files, strict=True)
        ]
    )


def _length_s(paths: Sequence[str]) -> float | None:
    subtitles = [Path(path) for path in paths if path.endswith(tuple(f".{kind}" for kind in KINDS))]
    return last_time_s(subtitles[-1].read_text(encoding="utf-8")) if subtitles else None


async def _join(book: Book, files: Sequence[Sequence[str]], out: Path, subtitles: str | None) -> list[Path]:
    """All chapters in one file with marks. The chapters stay beside it, so that nothing is bought again."""
    from realtime.media.chapters import Part, join

    parts = [Part(chapter.title, each[0]) for chapter, each in zip(book.chapters, files, strict=True)]
    joined = await asyncio.to_thread(join, parts, out, title=book.title)
    if subtitles is None:
        return [out]
    texts = await asyncio.to_thread(_texts, [each[-1] for each in files])
    path = out.with_suffix(f".{subtitles}")
    await save_bytes(joined_subtitles(texts, joined.starts_s, subtitles).encode(), path, force=True)
    return [out, path]


def _texts(paths: Sequence[str]) -> list[str]:
    return [Path(path).read_text(encoding="utf-8") for path in paths]
