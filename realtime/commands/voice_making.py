"""`realtime voices design` and `clone`: prepare, ask for the cost, record, send, save what is to be heard.

The record is written before the request leaves, so that a lost answer is "unknown, maybe charged", never sent again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from realtime.commands.kept import keep, keep_by, to_its_end
from realtime.commands.naming import absolute, check_out, ending, name_result
from realtime.commands.platform import BUILT_IN, Platform
from realtime.commands.task_kinds import before, begin
from realtime.errors import ConfigError, InvalidArgument
from realtime.media import prepare_sample
from realtime.minimax.clone import ClonedVoice, clone_body
from realtime.minimax.design import DesignedVoice, design_body
from realtime.minimax.file_purposes import kind_of
from realtime.minimax.file_source import in_waiting_thread
from realtime.minimax.sniff import SNIFF_BYTES
from realtime.minimax.speech_rules import language_name
from realtime.minimax.upload import FileSource
from realtime.task_records import Record, RecordState, Work, is_busy

_TAKEN = 2039
_READY = ("mp3", "m4a", "wav")  # what the platform takes as it is


async def design(platform: Platform) -> int:
    """A voice from a description, and its preview in a file."""
    args = platform.args
    arguments = {"prompt": args.prompt, "say": args.say, "voice_id": args.voice, "extra": platform.extra}
    check_out(args.out, force=args.force)
    design_body(args.prompt, args.say, args.voice, extra=platform.extra)
    begun: Work | Record | None = _earlier(platform, arguments)
    if begun is None:
        await platform.confirm_cost(f"a new voice and {len(args.say):,} characters of speech")
        earlier = partial(_earlier, platform, arguments)
        begun = await begin(platform, "design", arguments, earlier=earlier, prompt=args.prompt)
    if isinstance(begun, Record):
        _show(platform, str(begun.task_id), begun.paths)
        return 0
    with begun as work:
        voice = await platform.mm.voices.design(
            args.prompt, say=args.say, voice_id=args.voice, extra=platform.extra
        )
        _made(work, voice.id)
        with _named(platform, voice.id, "preview"):
            saving = _save_preview(platform, voice)
            paths = await to_its_end(saving, work.done)
    _show(platform, voice.id, tuple(map(str, paths)))
    return 0


async def clone(platform: Platform) -> int:
    """A voice from a recording, and its demo in a file if one was asked for."""
    args = platform.args
    if (args.prompt is None) != (args.prompt_text is None):
        raise InvalidArgument("--prompt and --prompt-text go together: give both.", param="prompt")
    _check_clone(platform)
    if args.say is not None:
        check_out(args.out, force=args.force)
    sample = await _prepared(platform, args.file)
    prompt = None if args.prompt is None else (await _prepared(platform, args.prompt, True), args.prompt_text)
    demo = f" and {len(args.say):,} characters of speech" if args.say else ""
    await platform.confirm_cost(f"a new voice, due at its first use{demo}")
    arguments = {"voice_id": args.voice, "out": absolute(args.out)}
    earlier = partial(_under_way, platform, args.voice)
    begun = await begin(platform, "clone", arguments, earlier=earlier, prompt=args.voice)
    assert isinstance(begun, Work), "no clone goes on with an earlier one"
    with begun as work:
        voice = await _send(platform, work, sample, prompt)
        _made(work, voice.id)
        with _named(platform, voice.id, "demo"):
            paths = [await _save_demo(platform, voice)] if voice.has_demo else []
        work.done(paths)
    _show(platform, voice.id, tuple(map(str, paths)))
    return 0


def _check_clone(platform: Platform) -> None:
    """Refuse wrong arguments before a recording is prepared and before the question of the cost."""
    args = platform.args
    values = {
        "voice_id": args.voice,
        "file_id": 1,
        "say": args.say,
        "model": platform.settings.speech_model if args.say else None,
        "language": language_name(args.language),
        "text_validation": args.check,
        "accuracy": args.accuracy,
    }
    clone_body(values, args.prompt_text, platform.extra)


async def _send(
    platform: Platform, work: Work, sample: FileSource, prompt: tuple[FileSource, str] | None
) -> ClonedVoice:
    args = platform.args
    upload = _Upload(platform)
    try:
        return await platform.mm.voices.clone(
            args.voice,
            file=sample,
            prompt=prompt,
            say=args.say,
            model=platform.settings.speech_model if args.say else None,
            text_validation=args.check,
            accuracy=args.accuracy,
            reduce_noise=args.denoise or None,
            normalize_volume=args.normalize or None,
            language=args.language,
            extra=platform.extra,
            on_progress=upload,
        )
    except InvalidArgument as error:
        if error.upstream_code == _TAKEN and _lost_before(platform, args.voice, work):
            platform.progress.say(
                f"An earlier answer for {args.voice} was lost: that voice may be yours. "
                f"To hear: realtime voices try {args.voice} TEXT"
            )
        raise
    except BaseException:
        if not upload.complete:
            work.failed("it ended during the upload: nothing was bought")
        raise


class _Upload:
    """Shows the progress of the upload, and knows whether the request that costs may have left."""

    def __init__(self, platform: Platform) -> None:
        self.complete = False
        self._show = platform.progress.transfer("uploading the recording")

    def __call__(self, done: int, total: int | None) -> None:
        self.complete = done == total
        self._show(done, total)


async def _prepared(platform: Platform, file: str, prompt: bool = False) -> FileSource:
    """A recording as the platform wants it. Without the extra `[media]` a file that fits already goes as it is.

    Raises InvalidArgument for a recording that is no audio, silent, too short or too long; ConfigError.
    """
    param = "prompt" if prompt else "file"
    try:
        sample = await in_waiting_thread(prepare_sample, file, prompt=prompt, param=param)
    except ConfigError:
        if await in_waiting_thread(_is_ready, file):
            platform.progress.say(f"{file} goes as it is: without the extra [media] it is not levelled.")
            return file
        raise
    notes = "".join(f", {note}" for note in sample.notes)
    platform.progress.say(f"{Path(file).name}: {sample.duration_s:.1f} s{notes}")
    return sample.wav


def _is_ready(file: str) -> bool:
    try:
        with open(file, "rb") as stream:
            return kind_of(file, stream.read(SNIFF_BYTES)) in _READY
    except OSError:
        return False


def _made(work: Work, voice_id: str) -> None:
    """The voice exists from here on, whatever becomes of its preview."""
    work.save(replace(work.record, state=RecordState.DONE, task_id=voice_id))


def _earlier(platform: Platform, arguments: Mapping[str, Any]) -> Record | None:
    """The same design of an earlier command that ended before its preview was saved.

    Raises Busy, and InvalidArgument if its answer was lost: the user decides.
    """
    if platform.address == BUILT_IN:
        return None
    found = before(platform, "design", arguments).going_on()
    return None if found is None or found.paths or found.arguments.get("deleted") else found


def _under_way(platform: Platform, voice_id: str) -> None:
    """Raises Busy if another process makes a voice of this id now."""
    for record in platform.records.all(kinds=("clone",)).records:
        same = record.platform == platform.address and record.arguments.get("voice_id") == voice_id
        if same and record.busy:
            raise is_busy(record)


def _lost_before(platform: Platform, voice_id: str, work: Work) -> bool:
    return any(
        record.key != work.record.key and record.arguments.get("voice_id") == voice_id
        for record in platform.records.all(kinds=("clone",), states=(RecordState.UNKNOWN,)).records
    )


async def _save_preview(platform: Platform, voice: DesignedVoice) -> list[Path]:
    if not voice.audio:
        return []
    args = platform.args
    suffix = ending(voice.audio)
    path = name_result(args.prompt, suffix, out=absolute(args.out), force=args.force)
    return [await keep(platform, voice.audio, path, force=args.force)]


async def _save_demo(platform: Platform, voice: ClonedVoice) -> Path:
    args = platform.args
    path = name_result(voice.id, ".mp3", out=absolute(args.out), force=args.force)
    show = platform.progress.transfer("saving the demo")

    async def write(target: Path) -> Path:
        return (await voice.save(target, on_progress=show, force=args.force and target == path)).path

    return await keep_by(platform, write, path)


@contextmanager
def _named(platform: Platform, voice_id: str, what: str) -> Iterator[None]:
    """A block that saves what is to be heard of a voice. However it fails, the voice is made, and named."""
    try:
        yield
    except BaseException:  # Ctrl-C, too
        platform.progress.say(f"The voice is made: {voice_id}. Only its {what} is not saved.")
        raise


def _show(platform: Platform, voice_id: str, paths: tuple[str, ...]) -> None:
    if platform.address == BUILT_IN:
        platform.progress.say("The voice ended with the built-in sandbox.")
    else:
        platform.progress.say(
            f"It is deleted after 168 h without a use. To keep it: realtime voices keep {voice_id}"
        )
    platform.show([voice_id, *paths], {"voice_id": voice_id, "paths": list(paths)})
