"""The arrays of a numpy .npz file: described from their headers, read only as far as their size is right."""

from __future__ import annotations

import os
import shutil
import struct
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

from numpy.lib import format as npy

from engine.datasets.images import KEPT_BYTES, Array, StoredRows
from engine.errors import InputError
from engine.paths import shown
from engine.steps import OnStep, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

MOST_LABEL_BYTES = 10**9
"""of the labels, which are read at once"""

LEAST_SUSPECT_BYTES = 10**9
MOST_RATIO = 200
"""an array that unpacks to more than `LEAST_SUSPECT_BYTES` and to this many times its size is taken for a zip bomb"""

COPY_BYTES = 2**22

MOST_DIRECTORY_BYTES = 10**6
"""of the zip file's directory: about 10,000 arrays"""

END_BYTES = 2**17
"""in which the end of that directory is looked for: it has a comment of 65,535 bytes at most"""

ONE_IN_ZIP64 = 2**32 - 1
"""the length where the real one stands in the record of large files"""


@dataclass(frozen=True)
class ArrayMember:
    """One array of the file, as its header describes it."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    header_bytes: int
    """of the .npy file before its data"""
    info: zipfile.ZipInfo

    @property
    def nbytes(self) -> int:
        """Bytes that the data of the array take."""
        return prod(self.shape) * self.dtype.itemsize


class NpzFile:
    """An .npz file that is open for reading; pickled objects are never read."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self._archive = archive
        self._infos = {
            info.filename.removesuffix(".npy"): info for info in archive.infolist() if not info.filename.endswith("/")
        }

    @property
    def names(self) -> list[str]:
        """The names of the arrays."""
        return list(self._infos)

    def member(self, name: str) -> ArrayMember:
        """What the header of one array says, without reading the array.

        Raises:
            InputError: it holds Python objects, or is not as long as its header says.
        """
        info = self._infos[name]
        with self._archive.open(info) as file:
            version = npy.read_magic(file)
            if version == (1, 0):
                shape, fortran, dtype = npy.read_array_header_1_0(file)
            elif version == (2, 0):
                shape, fortran, dtype = npy.read_array_header_2_0(file)
            else:
                raise ValueError("only structured arrays have a later version")
            member = ArrayMember(name, shape, dtype, fortran and len(shape) > 1, file.tell(), info)
        if dtype.hasobject:
            raise ValueError("Python objects")
        if min(shape, default=0) < 0 or member.header_bytes + member.nbytes != info.file_size:
            raise InputError(
                f"{shown(self.path)}: the header of {name} announces {' x '.join(map(str, shape))} {dtype}, "
                f"{member.nbytes:,} bytes, but {info.file_size - member.header_bytes:,} follow; save it again"
            )
        if member.nbytes > LEAST_SUSPECT_BYTES and member.nbytes > MOST_RATIO * info.compress_size:
            raise InputError(
                f"{shown(self.path)}: {name} would unpack from {info.compress_size:,} to {member.nbytes:,} bytes; if "
                "that is meant, save it uncompressed with numpy.savez"
            )
        return member

    def read(self, member: ArrayMember) -> Array:
        """The whole array, of the shape and type that its header says."""
        with self._archive.open(member.info) as file:
            return npy.read_array(file, allow_pickle=False)

    def rows(self, member: ArrayMember, on_step: OnStep, verify: bool, most_kept: float) -> Array | StoredRows:
        """The array [N, ...] where it is small; else its N rows, read when they are asked for.

        An array that is large and compressed is unpacked into a file without a name in the folder for temporary files
        (TMPDIR), whose room comes back when the process ends.

        Args:
            member: the array.
            on_step: told how much is gone through.
            verify: go once through a large uncompressed array too, to compare it with the checksum of the file.
            most_kept: bytes of an array that may be read whole; one stored by columns is, up to `KEPT_BYTES`.

        Raises:
            InputError: there is no room for that file, or the array is large and stored by columns.
        """
        if member.nbytes <= (KEPT_BYTES if member.fortran else min(KEPT_BYTES, most_kept)):
            return self.read(member)
        if member.fortran:
            raise InputError(
                f"{shown(self.path)}: {member.name} is stored by columns (Fortran order) and too large to turn; save "
                f"numpy.ascontiguousarray({member.name})"
            )
        if member.info.compress_type == zipfile.ZIP_STORED and member.info.compress_size == member.info.file_size:
            if verify:
                for _ in self._content(member, on_step, "verifying the images, MB"):
                    pass
            file = cast("BinaryIO", self.path.open("rb"))
            offset = _data_offset(file, member.info) + member.header_bytes
        else:
            file, offset = self._unpack(member, on_step), member.header_bytes
        return StoredRows(file, self.path, offset, member.shape, member.dtype)

    def _unpack(self, member: ArrayMember, on_step: OnStep) -> BinaryIO:
        """The member's .npy file, unpacked."""
        size = member.info.file_size
        try:
            folder = Path(tempfile.gettempdir())
        except FileNotFoundError:
            raise InputError(
                f"{shown(self.path)}: {member.name} is compressed, and no folder for temporary files can be written; "
                "set TMPDIR to one, or save it uncompressed with numpy.savez"
            ) from None
        if shutil.disk_usage(folder).free < size:
            raise InputError(
                f"{shown(self.path)}: {member.name} is compressed and needs {size:,} bytes in {folder}, more than are "
                "free; set TMPDIR to a folder that has, or save it uncompressed with numpy.savez"
            )
        file = cast("BinaryIO", tempfile.TemporaryFile(prefix="dear-tui-", buffering=0))  # noqa: SIM115  lives as long as its rows
        for part in self._content(member, on_step, "unpacking the images, MB"):
            try:
                _write_all(file, part)
            except OSError as error:
                raise InputError(f"{folder}: {member.name} cannot be unpacked there ({error.strerror})") from None
        return file

    def _content(self, member: ArrayMember, on_step: OnStep, text: str) -> Iterator[bytes]:
        """The member's .npy file, some at a time; at its end it is compared with its checksum."""
        size = member.info.file_size
        with self._archive.open(member.info) as packed:
            for done in range(0, size, COPY_BYTES):
                on_step(Step(text, done // 10**6, size // 10**6))
                yield packed.read(COPY_BYTES)


def _write_all(file: BinaryIO, content: bytes) -> None:
    """Of a file without a buffer, which takes a part only where there is room for no more."""
    left = memoryview(content)
    while left:
        left = left[file.write(left) :]


@contextmanager
def open_npz(path: Path) -> Iterator[NpzFile]:
    """Open an .npz file.

    Raises:
        InputError: it is none, also where that shows only while it is read.
    """
    try:
        _refuse_long_directory(path)
        with zipfile.ZipFile(path) as archive:
            yield NpzFile(path, archive)
    except (
        *(OSError, ValueError, TypeError, EOFError, AttributeError, RuntimeError, SyntaxError),
        *(zipfile.BadZipFile, zlib.error, struct.error),
    ) as error:
        if isinstance(error, PermissionError):
            raise InputError(f"{shown(path)}: may not be read; give yourself the permission") from None
        raise InputError(f"{shown(path)}: not an .npz file of plain arrays; save it with numpy.savez") from None


def _refuse_long_directory(path: Path) -> None:
    """The directory at the end of a zip file is read whole by `zipfile`, so that its length is looked at before."""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - END_BYTES))
        tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    length = struct.unpack_from("<I", tail, end + 12)[0] if end >= 0 else 0
    if length == ONE_IN_ZIP64 and (end := tail.rfind(b"PK\x06\x06")) >= 0:
        length = struct.unpack_from("<Q", tail, end + 40)[0]
    if length > MOST_DIRECTORY_BYTES:
        raise InputError(f"{shown(path)}: holds far more than images and labels; save only these there")


def _data_offset(file: IO[bytes], info: zipfile.ZipInfo) -> int:
    """Where a member's bytes begin: after its own header, whose extra field differs from that of the directory."""
    file.seek(info.header_offset)
    header = file.read(30)
    offset: int = info.header_offset + len(header) + sum(struct.unpack_from("<HH", header, 26))
    return offset
