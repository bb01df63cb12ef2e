"""Rows of a file on disk, read in parts: what blocks of memory maps and of spools are made of."""

from __future__ import annotations

import mmap
import os
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary, finalize

import numpy as np

from mixtura._typing import Array
from mixtura.exceptions import DataError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

__all__ = ["RowFile", "is_mapped", "register_spool", "release_pages", "row_file", "sum_of"]

_PART = 65_536
"""Rows of a file that are summed at a time."""


def bytes_of(values: Array) -> memoryview:
    """Return the memory of an array in C order."""
    return memoryview(cast("Buffer", values)).cast("B")


class RowFile:
    """Consecutive rows in a file, of which some are read at a time into memory of their own.

    A memory map would do, but what was read of it stays counted as memory of the process.

    Parameters
    ----------
    descriptor : int
        Of the open file; closed with this object where `owned`.
    offset : int
        Bytes before the first row.
    shape : tuple of int
        (N,) or (N, D).
    dtype : numpy dtype
    owned : object, optional
        What keeps the file open as long as this object lives; None to close the descriptor at its end.
    checks : sequence of int, optional
        Checksums of parts of `part` rows each, compared when a part is first read.
    part : int, default=0
    """

    def __init__(
        self,
        descriptor: int,
        offset: int,
        shape: tuple[int, ...],
        dtype: Any,
        *,
        owned: object = None,
        checks: Sequence[int] = (),
        part: int = 0,
    ) -> None:
        self.shape, self.dtype = shape, np.dtype(dtype)
        self._descriptor, self._offset, self._owned = descriptor, offset, owned
        self._checks, self._part = checks, part
        self._seen = bytearray(len(checks))
        self._row = int(np.prod(shape[1:], dtype=np.int64)) * self.dtype.itemsize
        if owned is None:
            finalize(self, os.close, descriptor)

    def __getitem__(self, span: slice) -> Array:
        start, stop, _ = span.indices(self.shape[0])
        found = np.empty((max(0, stop - start), *self.shape[1:]), self.dtype)
        if not found.size:
            return found
        buffer, place = bytes_of(found), self._offset + start * self._row
        done = 0
        while done < len(buffer):
            count = os.preadv(self._descriptor, [buffer[done:]], place + done)
            if count == 0:
                raise DataError(
                    "The file that holds the rows ends before the last of them: it was cut off while it was used. "
                    "Files must stay as they are until the end. Repeat with one that nobody writes to."
                )
            done += count
        self._check(start, stop, buffer)
        return found

    def _check(self, start: int, stop: int, buffer: memoryview) -> None:
        if not self._part or start % self._part or (stop % self._part and stop != self.shape[0]):
            return
        number = start // self._part
        if stop - start > self._part or self._seen[number]:
            return
        if zlib.crc32(buffer) != self._checks[number]:
            raise DataError(
                f"Rows {start} to {stop} of the spooled table are not what was written: the disk is damaged. Choose "
                "another place with `spool_dir`, and repeat."
            )
        self._seen[number] = 1


_SPOOLS: WeakKeyDictionary[Any, tuple[int, Sequence[int], int]] = WeakKeyDictionary()
"""Descriptor and checksums of maps of spools, whose files have no name any more."""


def register_spool(mapped: np.memmap[Any, Any], descriptor: int, checks: Sequence[int], part: int) -> None:
    """Remember how the file of a memory map without a name is read, as long as the map lives."""
    held = _map_of(mapped)
    assert held is not None, "a new memory map is one"
    _SPOOLS[held[0]] = descriptor, checks, part
    finalize(held[0], os.close, descriptor)


def _map_of(array: Array) -> tuple[Any, Any] | None:
    """Return the map that an array is a view of, and the array that opened it; None where it is in memory."""
    root: Any = None
    base: Any = array
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap) and getattr(base, "_mmap", None) is not None:
            root = base
        base = base.base
    # What is written to a private copy ("c") is not in the file.
    return (base, root) if isinstance(base, mmap.mmap) and root is not None and root.mode != "c" else None


def is_mapped(array: object) -> bool:
    """Return whether an array lies in a file: a memory map, or a part of one."""
    return isinstance(array, np.ndarray) and _map_of(array) is not None


def row_file(array: Array) -> RowFile | None:
    """Return the file behind a memory map, or a part of one; None where rows do not stand in it one after the other."""
    held = _map_of(array)
    if held is None or not array.flags.c_contiguous or array.ndim not in {1, 2} or not hasattr(os, "preadv"):
        return None
    pages, root = held
    begin = np.frombuffer(pages, dtype=np.uint8).__array_interface__["data"][0]
    mapped_from = root.offset - root.offset % mmap.ALLOCATIONGRANULARITY
    offset = mapped_from + array.__array_interface__["data"][0] - begin
    if pages in _SPOOLS:
        descriptor, checks, part = _SPOOLS[pages]
        whole = offset == 0
        return RowFile(
            descriptor,
            offset,
            array.shape,
            array.dtype,
            owned=pages,
            checks=checks if whole else (),
            part=part if whole else 0,
        )
    if root.filename is None:
        return None
    try:
        descriptor = os.open(root.filename, os.O_RDONLY)
    except OSError:
        return None  # it was removed after it was mapped; the map still has it
    return RowFile(descriptor, offset, array.shape, array.dtype)


def sum_of(rows: Array) -> float:
    """Return the sum of all numbers, which shows whether one is not finite; of a file in parts."""
    held = row_file(rows)
    if held is None:
        return float(rows.sum(dtype=np.float64))
    return float(
        sum(held[start : start + _PART].sum(dtype=np.float64) for start in range(0, len(rows), _PART))
    )


def release_pages(array: Array) -> None:
    """Let go of what is in memory of a memory map; the file keeps it. Nothing for other arrays."""
    held = _map_of(array)
    if held is not None and hasattr(mmap, "MADV_DONTNEED"):
        held[0].madvise(mmap.MADV_DONTNEED)
