"""What rows must be to algorithms, wherever they live; one body, all blocks."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from mixtura.core.data import Data
from mixtura.core.protocols import Blocks
from mixtura.data import ArrayBlocks, block_size
from mixtura.data.file_blocks import FileBlocks
from mixtura.data.spool import spool_rows
from mixtura.engine import as_data
from mixtura.fit.init.small_em import ScaleColumns

D = 2


class Table(NamedTuple):
    """Rows and weights that blocks must have."""

    rows: Any
    weights: Any
    blocks: Blocks


def rows_of(n_rows: int) -> Any:
    return np.arange(float(D * n_rows)).reshape(n_rows, D)


def weights_of(n_rows: int) -> Any:
    return np.linspace(0.5, 1.5, n_rows)


def array(n_rows: int, weighted: bool, _folder: Path) -> Table:
    rows, weights = rows_of(n_rows), weights_of(n_rows) if weighted else None
    return Table(rows, weights, ArrayBlocks(rows, weights))


def memory_map(n_rows: int, weighted: bool, folder: Path) -> Table:
    np.save(folder / "rows.npy", rows_of(n_rows).astype(np.float32))
    rows = np.load(folder / "rows.npy", mmap_mode="r")
    weights = weights_of(n_rows) if weighted else None
    return Table(rows, weights, ArrayBlocks(rows, weights))


def file_map(n_rows: int, weighted: bool, folder: Path) -> Table:
    np.save(folder / "rows.npy", rows_of(n_rows))
    rows = np.load(folder / "rows.npy", mmap_mode="r")
    weights = weights_of(n_rows) if weighted else None
    blocks = as_data(rows, weights).blocks
    assert isinstance(blocks, FileBlocks)
    return Table(rows, weights, blocks)


def part_of_a_map(n_rows: int, weighted: bool, folder: Path) -> Table:
    np.save(folder / "rows.npy", rows_of(n_rows + 7))
    np.save(folder / "weights.npy", weights_of(n_rows + 3))
    rows = np.load(folder / "rows.npy", mmap_mode="r")[7:]
    weights = np.load(folder / "weights.npy", mmap_mode="r")[3:] if weighted else None
    blocks = as_data(rows, weights).blocks
    assert isinstance(blocks, FileBlocks)
    return Table(rows, weights, blocks)


def spool(n_rows: int, weighted: bool, _folder: Path) -> Table:
    rows, weights = rows_of(n_rows), weights_of(n_rows) if weighted else None
    blocks = as_data(spool_rows(np.array_split(rows, 7), D, np.float64, n_rows), weights).blocks
    assert isinstance(blocks, FileBlocks)
    return Table(rows, weights, blocks)


def weighted_data(n_rows: int, weighted: bool, folder: Path) -> Table:
    rows, weights, _ = array(n_rows, weighted, folder)
    data = as_data(rows, weights)
    factor = np.arange(n_rows) % 3 + 0.5
    return Table(
        rows, factor if weights is None else factor * weights, data.weighted(data.state_of(factor)).blocks
    )


def mapped_data(n_rows: int, weighted: bool, folder: Path) -> Table:
    rows, weights, _ = array(n_rows, weighted, folder)
    factors = np.array([2.0, -1.0])
    return Table(rows * factors, weights, as_data(rows, weights).mapped(ScaleColumns(factors)).blocks)


@pytest.fixture(params=[array, memory_map, file_map, part_of_a_map, spool, weighted_data, mapped_data])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[int, bool], Table]:
    return lambda n_rows, weighted: request.param(n_rows, weighted, tmp_path)


Make = Callable[[int, bool], Table]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_rows", [1, 2047, 2048, 2049, 5000])
def test_blocks_cover_every_row_once_in_order(make: Make, n_rows: int, weighted: bool) -> None:
    rows, weights, blocks = make(n_rows, weighted)
    assert (blocks.n_rows, blocks.n_features) == (n_rows, D)
    assert blocks.total_weight == pytest.approx(n_rows if weights is None else weights.sum())
    parts = [blocks.block(number) for number in range(len(blocks))]
    np.testing.assert_array_equal(np.vstack([part.rows for part in parts]), rows)
    start = 0
    for number, part in enumerate(parts):
        assert (part.start, part.number) == (start, number)
        assert part.n_rows == len(part.rows)
        assert part.rows.flags.c_contiguous
        np.testing.assert_array_equal(rows[part.span], part.rows)
        start += part.n_rows
        if weights is None:
            assert part.sample_weight is None
        else:
            np.testing.assert_array_equal(part.sample_weight, weights[part.span])
    assert start == n_rows


def test_a_block_may_be_asked_for_again(make: Make) -> None:
    blocks = make(5000, True).blocks
    for number in (1, 0, 1):
        one, other = blocks.block(number), blocks.block(number)
        np.testing.assert_array_equal(one.rows, other.rows)
        np.testing.assert_array_equal(one.sample_weight, other.sample_weight)


def test_they_survive_pickling(make: Make) -> None:
    blocks = make(3000, True).blocks
    other = pickle.loads(pickle.dumps(blocks))
    assert (len(other), other.total_weight) == (len(blocks), blocks.total_weight)
    np.testing.assert_array_equal(other.block(1).rows, blocks.block(1).rows)


def test_other_rows_in_memory_are_blocks_too(make: Make) -> None:
    other = make(10, True).blocks.in_memory(rows_of(3), None)
    assert (other.n_rows, other.total_weight) == (3, 3.0)
    np.testing.assert_array_equal(other.block(0).rows, rows_of(3))


def test_rows_are_found_by_number(make: Make) -> None:
    rows, weights, blocks = make(5000, True)
    data = Data(blocks, as_data(rows_of(1)).kernel, as_data(rows_of(1)).runner)
    numbers = np.array([4999, 0, 2048, 0])
    found, counted = data.rows_and_weights(numbers)
    assert found.dtype == np.float64
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, rows[numbers])
    np.testing.assert_array_equal(counted, weights[numbers])


@pytest.mark.parametrize(
    ("n_rows", "size"), [(1, 2048), (2048, 2048), (32_768, 2048), (65_536, 4096), (10**6, 16_384)]
)
def test_a_block_of_an_array_is_a_sixteenth_within_limits(n_rows: int, size: int) -> None:
    assert block_size(n_rows) == size


def test_blocks_of_an_array_copy_nothing() -> None:
    rows = rows_of(5000)
    assert all(np.shares_memory(ArrayBlocks(rows).block(number).rows, rows) for number in range(3))
