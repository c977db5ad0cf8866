"""Voices of the platform: list and try them, design and clone new ones, keep them, delete them.

A new voice is deleted after 168 hours unless it is used in speech once: `keep` does that.
"""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from realtime.commands import voice_records
from realtime.commands.common import add_setting, add_speed
from realtime.commands.kept import keep
from realtime.commands.naming import absolute, check_out, ending, name_result
from realtime.commands.own_stderr import own_stderr
from realtime.commands.platform import BUILT_IN, Platform, add_platform, run_on_platform
from realtime.commands.table import table
from realtime.commands.voice_making import clone, design
from realtime.errors import InvalidArgument, as_typed
from realtime.minimax.voices import VoiceInfo

DEFAULT_ACTION = "list"
_ITS_ID = "its id, as `realtime voices list` shows it"
_KEEPING = "Hello."
_FORMATS = {".wav": "wav", ".flac": "flac"}  # by the ending of -o; everything else is mp3
_PLAYED_RATE = 24_000  # Hertz
_ENDS = (
    "it ends with each command. For a sandbox that stays, start `realtime sandbox` and set MINIMAX_BASE_URL to its "
    "address."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the voices you can use (default)")
    listing.add_argument("--language", metavar="CODE", help="only those made for a language, like zh or en")
    listing.add_argument(
        "--kind",
        choices=("all", "system", "cloned", "designed"),
        default="all",
        help="only these (default: all)",
    )
    add_platform(listing)
    _add_try(actions.add_parser("try", help="let a voice say something"))
    _add_design(actions.add_parser("design", help="make a voice from a description"))
    _add_clone(actions.add_parser("clone", help="make a voice from a recording of 10 s to 5 min"))
    keep = actions.add_parser("keep", help="use a new voice once, so that it is not deleted after 168 h")
    keep.add_argument("voice", metavar="VOICE", help=_ITS_ID)
    add_platform(keep, buys=True)
    delete = actions.add_parser("delete", help="delete a voice for good; its id stays taken")
    delete.add_argument("voice", metavar="VOICE", help=_ITS_ID)
    add_platform(delete)


def _add_try(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("voice", metavar="VOICE", help=_ITS_ID)
    parser.add_argument("text", metavar="TEXT", help="what it says")
    add_setting(parser, "--model", "speech_model", "NAME", "speech model, like speech-2.8-hd")
    add_speed(parser, 2)
    add_platform(parser, buys=True, writes=True)


def _add_design(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prompt", metavar="DESCRIPTION", help='like "an old captain, rough and kind"')
    parser.add_argument("--say", metavar="TEXT", required=True, help="what the preview says (500 characters)")
    parser.add_argument("--id", dest="voice", metavar="ID", help="id of the new voice (default: one is made)")
    add_platform(parser, buys=True, writes=True)


def _add_clone(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "voice", metavar="ID", help="id of the new voice: 8 characters or more, like captain-01"
    )
    parser.add_argument("file", metavar="FILE", help="the recording; any audio file")
    parser.add_argument("--check", metavar="TEXT", help="what the recording says: refused if it does not")
    parser.add_argument("--accuracy", type=float, metavar="N", help="how well --check has to fit, 0 to 1")
    parser.add_argument("--prompt", metavar="FILE", help="a second recording, shorter than 8 s")
    parser.add_argument("--prompt-text", metavar="TEXT", help="the exact words of --prompt")
    parser.add_argument("--say", metavar="TEXT", help="make a demo that says this")
    parser.add_argument("--language", metavar="CODE", help="language of the demo, like zh")
    parser.add_argument("--denoise", action="store_true", help="let the platform reduce noise")
    parser.add_argument("--normalize", action="store_true", help="let the platform normalize the volume")
    add_platform(parser, buys=True, writes=True)


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if all that was asked for is done. Raises RealtimeError and OSError."""
    actions: dict[str, Callable[[Platform], Awaitable[int]]] = {
        "list": _list,
        "try": _try,
        "design": design,
        "clone": clone,
        "keep": _keep,
        "delete": _delete,
    }
    with own_stderr(args.action == "try" and args.out is None):
        return run_on_platform(args, actions[args.action])


async def _list(platform: Platform) -> int:
    args = platform.args
    voices = [voice async for voice in platform.mm.voices.list(args.kind, args.language)]
    listed = {voice.id for voice in voices}
    unused = [
        voice
        for voice in voice_records.unused(platform)
        if voice.id not in listed and args.language is None and args.kind in ("all", voice.kind)
    ]
    rows = [_row(voice) for voice in voices] + [
        (voice.id, voice.kind, "", "", as_typed(f"{voice.left} left: realtime voices keep {voice.id}"))
        for voice in unused
    ]
    document = [_document(voice) for voice in voices]
    document += [{"id": v.id, "kind": v.kind, "unused": True, "left_s": round(v.left_s)} for v in unused]
    platform.show(table(("ID", "KIND", "LANGUAGE", "GENDER", "ABOUT"), rows), {"voices": document})
    return 0


def _row(voice: VoiceInfo) -> Sequence[str]:
    created = f"made {voice.created}" if voice.created else ""
    about = " ".join(part for part in dict.fromkeys((voice.name, voice.description, created)) if part)
    return voice.id, voice.kind, voice.language or "", voice.gender or "", about


def _document(voice: VoiceInfo) -> dict[str, Any]:
    return {
        "id": voice.id,
        "kind": voice.kind,
        "name": voice.name,
        "description": voice.description,
        "created": voice.created.isoformat() if voice.created else None,
        "language": voice.language,
        "gender": voice.gender,
    }


async def _try(platform: Platform) -> int:
    args = platform.args
    if args.out is not None:
        check_out(args.out, force=args.force)
    counted = f"{len(args.text):,} characters of speech{_first_use(platform, args.voice)}"
    if args.out is None and not args.dry_run:
        await _play(platform, counted)
        platform.show([], {"voice_id": args.voice, "paths": []})
        return 0
    await platform.confirm_cost(counted)
    form = _FORMATS.get(Path(args.out or "").suffix.lower(), "mp3")
    speech = await platform.mm.speech.synthesize(
        args.text, voice_id=args.voice, format=form, speed=args.speed, extra=platform.extra
    )
    voice_records.mark_used(platform, args.voice)
    audio = await speech.read()
    path = name_result(args.text, ending(audio), out=absolute(args.out), force=args.force)
    path = await keep(platform, audio, path, force=args.force)
    platform.show([path], {"voice_id": args.voice, "paths": [str(path)]})
    return 0


async def _play(platform: Platform, counted: str) -> None:
    """Buy speech and play it. Raises DeviceError without a speaker, before anything is asked or bought."""
    from realtime_client.player import PartKey
    from realtime_client.speaker import Speaker

    args, part = platform.args, PartKey("try", 0)
    async with Speaker(instead="save the audio with `-o FILE`") as speaker:
        await platform.confirm_cost(counted)
        speech = await platform.mm.speech.synthesize(
            args.text,
            voice_id=args.voice,
            format="pcm",
            rate=_PLAYED_RATE,
            speed=args.speed,
            extra=platform.extra,
        )
        voice_records.mark_used(platform, args.voice)
        speaker.player.write(part, await speech.read())
        speaker.player.end(part)
        await speaker.drained()


async def _keep(platform: Platform) -> int:
    voice = platform.args.voice
    if platform.address == BUILT_IN:
        raise InvalidArgument(f"The built-in sandbox has no voices to keep: {_ENDS}", param="voice")
    if not platform.args.dry_run and any([each.id == voice async for each in platform.mm.voices.list()]):
        voice_records.mark_used(platform, voice)
        platform.progress.say(f"{voice} was used before: it stays without this.")
        platform.show([voice], {"voice_id": voice, "kept": True})
        return 0
    await platform.confirm_cost(
        f"{len(_KEEPING)} characters of speech, and the fee that is due at the first use of a new voice"
    )
    await platform.mm.speech.synthesize(_KEEPING, voice_id=voice, extra=platform.extra)
    voice_records.mark_used(platform, voice)
    platform.show([voice], {"voice_id": voice, "kept": True})
    return 0


async def _delete(platform: Platform) -> int:
    voice = platform.args.voice
    if platform.address == BUILT_IN:
        raise InvalidArgument(f"The built-in sandbox has no voices to delete: {_ENDS}", param="voice")
    made = voice_records.find(platform, voice)
    await platform.mm.voices.delete(voice, kind=made.kind if made else None)
    voice_records.mark_deleted(platform, voice)
    platform.show([voice], {"voice_id": voice, "deleted": True})
    return 0


def _first_use(platform: Platform, voice: str) -> str:
    """What the first use of a voice costs more."""
    made = voice_records.find(platform, voice)
    return ", and the fee for the first use of this voice" if made and not made.used else ""
