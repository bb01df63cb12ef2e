"""The spool: what is written is what is read, and nothing is left behind."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mixtura.data import spool as spooling
from mixtura.data.row_file import RowFile, is_mapped, row_file
from mixtura.data.sources import open_source
from mixtura.data.spool import empty_on_disk, require_room, spool_rows, spool_stream, spooled_in
from mixtura.exceptions import DataError, TableError


def rows_of(n: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).normal(size=(n, 3))


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with spooled_in(tmp_path):
        yield tmp_path
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sizes", [[5000], [1] * 10 + [4990], [2048, 2048, 904], [1000] * 5])
def test_rows_are_kept_however_they_come(sizes: list[int], folder: Path) -> None:
    rows = rows_of(5000)
    found = spool_rows(np.split(rows, np.cumsum(sizes)[:-1]), 3, np.float64, 5000)
    np.testing.assert_array_equal(found, rows)
    held = row_file(found)
    assert held is not None
    assert (held[5:5].shape, held[5000:].shape) == ((0, 3), (0, 3))
    np.testing.assert_array_equal(held[100:2300], rows[100:2300])
    assert list(folder.iterdir()) == []


def test_single_precision_on_request(folder: Path) -> None:
    rows = rows_of(100)
    found = spool_rows([rows], 3, np.float32, 100)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, rows.astype(np.float32))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files as Linux does")
def test_files_are_closed_with_the_last_that_uses_them(folder: Path) -> None:
    gc.collect()
    before = open_files()
    found = spool_rows([rows_of(100)], 3, np.float64, 100)
    part = found[5:]
    del found
    np.testing.assert_array_equal(part, rows_of(100)[5:])
    del part
    gc.collect()
    assert open_files() == before


def test_a_disk_that_lies_is_noticed(folder: Path) -> None:
    found = spool_rows([rows_of(5000)], 3, np.float64, 5000)
    held = row_file(found)
    assert isinstance(held, RowFile)
    held[0:2048]
    os.pwrite(held._descriptor, b"\xff" * 8, 2048 * 24)
    held[0:2048]
    with pytest.raises(DataError, match="Rows 2048 to 4096 of the spooled table are not what was written"):
        held[2048:4096]


def test_more_or_fewer_rows_than_announced(folder: Path) -> None:
    with pytest.raises(DataError, match="has 10 rows where 11 were announced"):
        spool_rows([rows_of(10)], 3, np.float64, 11)


def test_room_is_asked_for_before_anything_is_written(folder: Path) -> None:
    with pytest.raises(DataError, match=r"The table takes 1e\+15 GB of disk.* has .* left"):
        require_room(10**24, "The table")


def test_a_disk_that_fills(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    signal = pytest.importorskip("signal")
    monkeypatch.setattr(spooling.os, "posix_fallocate", lambda *_: None)
    before, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(DataError, match=r"cannot be spooled in .* Nothing of it was left there"):
            spool_rows([rows_of(5000)], 3, np.float64, 5000)
        stream = pa.table({"x": rows_of(5000)[:, 0]}).to_reader()
        with pytest.raises(DataError, match="cannot be spooled in"):
            spool_stream(open_source(stream))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_stream_can_be_read_again(folder: Path) -> None:
    table = pa.table({"x": [1.0, 2.0, 3.0], "word": ["a", "b", None]})
    kept = spool_stream(open_source(table.to_reader(max_chunksize=2)), ["word", "x"])
    assert (kept.n_rows, kept.columns) == (3, ("word", "x"))
    for _ in range(2):
        assert pa.Table.from_batches(list(kept.batches(["x", "word"]))) == table
    with pytest.raises(TableError, match="has no rows"):
        spool_stream(open_source(table.slice(0, 0).to_reader()))


def test_numbers_per_row_live_on_disk(folder: Path) -> None:
    found = empty_on_disk((1000, 2), np.float64, 3.5)
    assert is_mapped(found)
    assert (found == 3.5).all()
    found[10:20] = 0
    assert found.sum() == 3.5 * 1980


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="`spool_dir` must be a folder"), spooled_in(tmp_path / "none"):
        pass


def test_arrays_in_memory_have_no_file() -> None:
    assert row_file(rows_of(10)) is None
    assert not is_mapped(rows_of(10))


def test_a_private_copy_of_a_map_is_in_memory(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", rows_of(10))
    private = np.load(tmp_path / "a.npy", mmap_mode="c")
    private[0] = 7.0
    assert row_file(private) is None


def test_a_map_whose_file_was_removed_is_still_read(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", rows_of(10))
    rows = np.load(tmp_path / "a.npy", mmap_mode="r")
    (tmp_path / "a.npy").unlink()
    assert row_file(rows) is None


def test_a_file_that_was_cut_off(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", rows_of(1000))
    held = row_file(np.load(tmp_path / "a.npy", mmap_mode="r"))
    assert held is not None
    os.truncate(tmp_path / "a.npy", 200)
    with pytest.raises(DataError, match="ends before the last of them"):
        held[0:1000]
