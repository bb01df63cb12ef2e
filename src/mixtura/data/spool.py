"""The spool: numbers of a table larger than memory, in a file that vanishes with the last that uses it.

The file has no name from the moment it is made: whatever happens to the process, the system frees its room.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import numpy as np
import numpy.typing as npt

from mixtura._typing import Array
from mixtura.data.arrays import block_size
from mixtura.data.row_file import bytes_of, register_spool
from mixtura.data.sources.batches import Source
from mixtura.exceptions import DataError, TableError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["SpoolFile", "empty_on_disk", "require_room", "spool_rows", "spool_stream", "spooled_in"]

_FOLDER: ContextVar[Path | None] = ContextVar("spool_dir", default=None)

_PART = 4 << 20
"""Bytes that are filled at a time."""


@contextmanager
def spooled_in(folder: str | Path | None) -> Iterator[None]:
    """Spool in a folder inside the block; None for the system's folder of temporary files.

    Raises
    ------
    DataError
        It is not a folder that can be written to.
    """
    if folder is not None and not (Path(folder).is_dir() and os.access(folder, os.W_OK)):
        raise DataError(
            f"`spool_dir` must be a folder that can be written to; got {str(folder)!r}. Create it first, or choose "
            "another."
        )
    token = _FOLDER.set(None if folder is None else Path(folder))
    try:
        yield
    finally:
        _FOLDER.reset(token)


def _folder() -> Path:
    return _FOLDER.get() or Path(tempfile.gettempdir())


def require_room(n_bytes: int, what: str) -> None:
    """Raise `DataError` where the disk has less room than is needed, before anything is written."""
    folder = _folder()
    free = shutil.disk_usage(folder).free
    if free < n_bytes:
        raise DataError(
            f"{what} takes {_size(n_bytes)} of disk while it is worked on; {str(folder)!r} has {_size(free)} left. "
            "Free some, choose another place with `spool_dir`, or fewer columns."
        )


def _size(n_bytes: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if n_bytes < 1000:
            return f"{n_bytes:.3g} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.3g} GB"


@contextmanager
def _nameless() -> Iterator[BinaryIO]:
    """Give an open file without a name; say clearly what went wrong where the disk fills."""
    folder = _folder()
    try:
        with tempfile.TemporaryFile(prefix="mixtura-", dir=folder, buffering=0) as file:
            yield file
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS}:
            raise
        raise DataError(
            f"The table cannot be spooled in {str(folder)!r} ({error.strerror}). Nothing of it was left there. Free "
            "some room, or choose another place with `spool_dir`."
        ) from error


def empty_on_disk(shape: tuple[int, ...], dtype: npt.DTypeLike, fill: float = 0) -> Array:
    """Return an array that lies in a file without a name, as a memory map that can be changed.

    Raises
    ------
    DataError
        The disk has no room for it.
    """
    kind = np.dtype(dtype)
    n_bytes = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
    with _nameless() as file:
        _reserve(file, n_bytes)
        found: Any = np.memmap(file, kind, "r+", shape=shape)
        register_spool(found, os.dup(file.fileno()), (), 0)
    if fill != 0:
        step = max(1, _PART // max(1, n_bytes // max(1, shape[0])))
        for start in range(0, shape[0], step):
            found[start : start + step] = fill
    return found  # type: ignore[no-any-return]


def _reserve(file: BinaryIO, n_bytes: int) -> None:
    if n_bytes and hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, n_bytes)
    else:
        file.truncate(n_bytes)


class SpoolFile:
    """A file without a name to which numbers per row are written, checksummed in the parts they are read in; a context.

    Parameters
    ----------
    dtype : data type
    n_columns : int, default=0
        0 for one number per row, in an array of one axis.
    part : int, default=16,384
        Rows of a part: those of a block.
    """

    def __init__(self, dtype: npt.DTypeLike, n_columns: int = 0, part: int = block_size(2**31)) -> None:
        self._dtype, self._shape, self._part = np.dtype(dtype), (n_columns,) if n_columns else (), part
        self._held: list[Array] = []
        self._count = self.n_rows = 0
        self._checks = array("L")
        self._open = _nameless()
        self._file: BinaryIO

    def __enter__(self) -> Self:
        self._file = self._open.__enter__()
        return self

    def __exit__(self, *exc: Any) -> bool | None:
        return self._open.__exit__(*exc)

    def append(self, values: Array) -> None:
        """Write values, (n,) or (n, columns)."""
        values = np.ascontiguousarray(values, dtype=self._dtype)
        start, lacking = 0, self._part - self._count
        while len(values) - start >= lacking:
            self._write([*self._held, values[start : start + lacking]])
            start, lacking = start + lacking, self._part
            self._held, self._count = [], 0
        if start < len(values):
            self._held.append(values[start:])
            self._count += len(values) - start

    def _write(self, parts: list[Array]) -> None:
        values = parts[0] if len(parts) == 1 else np.concatenate(parts)
        self._checks.append(zlib.crc32(bytes_of(values)))
        _write_all(self._file, bytes_of(values))
        self.n_rows += len(values)

    def finish(self) -> Array:
        """Return all that was written, as a memory map."""
        if self._held:
            self._write(self._held)
            self._held = []
        if not self.n_rows:
            return np.empty((0, *self._shape), dtype=self._dtype)
        found: Any = np.memmap(self._file, self._dtype, "r", shape=(self.n_rows, *self._shape))
        register_spool(found, os.dup(self._file.fileno()), self._checks, self._part)
        return found  # type: ignore[no-any-return]


def spool_rows(parts: Iterable[Array], n_columns: int, dtype: npt.DTypeLike, n_rows: int) -> Array:
    """Return rows as a memory map of a file that they are written to, checksummed in the parts they are read in.

    Parameters
    ----------
    parts : iterable of ndarray of shape (n, D)
    n_columns : int
    dtype : data type
        float64 or float32.
    n_rows : int
        How many there are.

    Raises
    ------
    DataError
        The disk has no room, or there are more or fewer rows.
    """
    with SpoolFile(dtype, n_columns, block_size(n_rows)) as file:
        for part in parts:
            file.append(part)
        found = file.finish()
    if len(found) != n_rows:
        raise DataError(
            f"The table has {len(found):,} rows where {n_rows:,} were announced: it was changed while it was read. "
            "Repeat with a copy that nobody writes to."
        )
    return found


def _write_all(file: BinaryIO, buffer: memoryview) -> None:
    while buffer:
        buffer = buffer[file.write(buffer) :]


def spool_stream(source: Source, columns: Sequence[str] | None = None) -> Source:
    """Return a source that can be read again: a file of Arrow without a name, to which this one was written.

    Raises
    ------
    TableError
        It cannot be read, or has no rows.
    DataError
        The disk is full.
    """
    import pyarrow as pa
    from pyarrow import ipc

    wanted = list(source.columns if columns is None else columns)
    schema = pa.schema([source.schema.field(name) for name in wanted])
    n_rows = 0
    with _nameless() as file:
        with ipc.new_stream(file, schema) as writer:
            for batch in source.batches(wanted):
                writer.write_batch(batch)
                n_rows += batch.num_rows
        held = _Descriptor(os.dup(file.fileno()))
    if not n_rows:
        raise TableError(
            f"{source.name} has no rows. At least two are required. Check the query, or the export."
        )

    def read(chosen: Sequence[str]) -> Iterator[pa.RecordBatch]:
        with ipc.open_stream(BufferedReader(_FromStart(held))) as reader:
            for batch in reader:
                yield batch.select(list(chosen))

    return Source(source.name, schema, read, n_rows, os.fstat(held.number).st_size)


class _Descriptor:
    """An open file, closed with this object."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        os.close(self.number)


class _FromStart(RawIOBase):
    """The same file read from its start, with a place of its own in it, so that several may read at once."""

    def __init__(self, held: _Descriptor) -> None:
        self._held, self._place = held, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = os.pread(self._held.number, len(buffer), self._place)
        buffer[: len(found)] = found
        self._place += len(found)
        return len(found)
