"""The file of `realtime say --out`: speech is kept as it comes, because it is paid for, and gets its name when whole.

Until then it is in `NAME.part` beside it, which plays too. What a failure leaves there is named and never replaced.
"""

from __future__ import annotations

import itertools
import os
import sys
import wave
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from realtime_client.devices import RATE
from realtime_client.errors import FileError
from realtime_client.files import write_file

from realtime.commands.kept import private_folder, temporary, told
from realtime.commands.naming import name_result
from realtime.media import encode_mp3

_WAV_HEAD_BYTES = 44  # as `wave` writes it


class SaidFile:
    """One file that grows. `mp3` says that it gets MP3; else it gets 24 kHz 16-bit mono PCM. The part is made late."""

    def __init__(self, out: str, *, mp3: bool) -> None:
        self.part: Path | None = None
        self.kept = ""  # what is in the part, in words
        self._out = out
        self._real = Path(os.path.realpath(out))  # a link stays a link
        self._mp3 = mp3
        self._file: BinaryIO | None = None
        self._wav: wave.Wave_write | None = None
        self._size = 0  # bytes of sound that are in the part for sure
        self._moved: OSError | None = None  # why the part is not beside its name
        self._elsewhere: Path | None = None  # the folder for it alone, if it is not

    def add(self, sound: bytes, kept: str = "") -> None:
        """More sound; `kept` says how much there is now. Raises FileError if no folder takes it."""
        try:
            if self._file is None:
                self._open()
            self._write(sound)
        except OSError as error:
            self._move(sound, error)
        self._size += len(sound)
        self.kept = kept or f"The first {self._wav.tell() / RATE:.0f} s" if self._wav else kept

    def publish(self) -> None:
        """Give the whole file its name. Raises FileError."""
        self.close()
        if self.part is None:
            return
        if self._moved is not None:
            ending = ".mp3" if self._mp3 else ".wav"
            path = name_result("", ending, out=self.part.with_name(self._real.name))
            self.part.replace(path)
            print(f"{told(self._real, self._moved, path)}.", file=sys.stderr)
            return
        try:
            if not self._mp3 and self._real.suffix.lower() == ".mp3":
                with wave.open(str(self.part)) as wav:
                    write_file(self._out, encode_mp3(wav.readframes(wav.getnframes()), RATE))
            elif self.part.parent != self._real.parent or (self._real.exists() and not self._real.is_file()):
                # Pipes, devices, folders that take no new file
                self._real.write_bytes(self.part.read_bytes())
            else:
                self._rename(self.part)
            self.part.unlink(missing_ok=True)
            self._leave()
        except OSError as error:
            raise self._failed(error) from None

    def close(self) -> None:
        try:
            if self._wav is not None:
                self._wav.close()
        finally:
            self._wav = None
            if self._file is not None:
                self._file.close()

    def _rename(self, part: Path) -> None:
        if self._real.exists():
            part.chmod(self._real.stat().st_mode & 0o7777)
        part.replace(self._real)

    def _open(self) -> None:
        try:
            self._begin(self._real.parent)
        except OSError:  # a folder that takes no new file, or no name that is longer
            self._begin_elsewhere()

    def _begin_elsewhere(self) -> None:
        self._elsewhere = private_folder(temporary())
        try:
            self._begin(self._elsewhere)
        except OSError:
            self._leave()
            raise

    def _leave(self) -> None:
        """Remove the folder, unless the part or the file is in it."""
        if self._elsewhere is not None:
            with suppress(OSError):
                self._elsewhere.rmdir()

    def _begin(self, folder: Path) -> None:
        self.part, self._file = _new_part(folder, self._real.name)
        if not self._mp3:
            self._wav = wave.open(self._file, "wb")  # noqa: SIM115 - `close` ends it
            self._wav.setparams((1, 2, RATE, 0, "NONE", ""))

    def _write(self, sound: bytes) -> None:
        assert self._file is not None, "it is open"
        if self._wav is not None:
            self._wav.writeframes(sound)  # the header is true after each of them
        else:
            self._file.write(sound)
        self._file.flush()

    def _move(self, sound: bytes, error: OSError) -> None:
        """Go on in another folder, which is often on another disk. Raises FileError for the second one that is full."""
        before = self.part
        if before is None or self._elsewhere is not None:
            raise self._failed(error) from None
        try:
            head = 0 if self._mp3 else _WAV_HEAD_BYTES
            known = before.read_bytes()[head : head + self._size]  # not what was taken of this sound
            with suppress(OSError):
                self.close()
            self._begin_elsewhere()
            self._write(known + sound)
        except OSError:
            raise self._failed(error) from None
        self._moved = error
        before.unlink(missing_ok=True)

    def _failed(self, error: OSError) -> FileError:
        return FileError(f"{self._out} cannot be written: {error.strerror or error}.")


@contextmanager
def said_file(out: str, *, mp3: bool) -> Iterator[SaidFile]:
    """A file that is whole at the end of the block. A block that fails leaves its part, and says what is in it."""
    file = SaidFile(out, mp3=mp3)
    try:
        yield file
        file.publish()
    except BaseException:
        if file.part is not None:
            print(f"{file.kept or 'The first sounds'} are kept in {file.part}.", file=sys.stderr)
        raise
    finally:
        with suppress(OSError):  # what is wrong is said already
            file.close()


def _new_part(folder: Path, name: str) -> tuple[Path, BinaryIO]:
    """A part that is nobody else's: one that an earlier call left was paid for."""
    for number in itertools.count(1):
        path = folder / (f"{name}.part" if number == 1 else f"{name}.{number}.part")
        try:
            return path, path.open("xb")
        except FileExistsError:
            continue
    raise AssertionError("there is always another number")
