"""Blocks of an array: views, cut by the number of rows alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mixtura.data import ArrayBlocks, block_size


@pytest.mark.parametrize(
    ("n_rows", "size"), [(1, 2048), (2048, 2048), (32_768, 2048), (65_536, 4096), (10**6, 16_384)]
)
def test_a_block_is_a_sixteenth_within_limits(n_rows: int, size: int) -> None:
    assert block_size(n_rows) == size


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_rows", [1, 2047, 2048, 2049, 5000])
def test_blocks_cover_every_row_once_and_copy_none(n_rows: int, weighted: bool) -> None:
    rows = np.arange(2.0 * n_rows).reshape(n_rows, 2)
    weight = np.linspace(0.5, 1.5, n_rows) if weighted else None
    blocks = ArrayBlocks(rows, weight)
    assert (blocks.n_rows, blocks.n_features) == (n_rows, 2)
    assert blocks.total_weight == pytest.approx(n_rows if weight is None else weight.sum())
    parts = [blocks.block(number) for number in range(len(blocks))]
    np.testing.assert_array_equal(np.vstack([part.rows for part in parts]), rows)
    for part in parts:
        assert np.shares_memory(part.rows, rows)
        np.testing.assert_array_equal(rows[part.span], part.rows)
        if weight is None:
            assert part.sample_weight is None
        else:
            np.testing.assert_array_equal(part.sample_weight, weight[part.span])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_single_rows_are_taken_in_float64(dtype: Any) -> None:
    rows = np.random.RandomState(0).standard_normal((10, 3)).astype(dtype)
    taken = ArrayBlocks(rows).take(np.array([7, 0, 7]))
    assert taken.dtype == np.float64
    assert taken.flags.c_contiguous
    np.testing.assert_array_equal(taken, rows[[7, 0, 7]])


def test_shares_of_rows_sum_to_one() -> None:
    rows = np.zeros((4, 1))
    np.testing.assert_array_equal(ArrayBlocks(rows).shares(), np.full(4, 0.25))
    np.testing.assert_allclose(
        ArrayBlocks(rows, np.array([1.0, 0.0, 3.0, 4.0])).shares(), [1 / 8, 0, 3 / 8, 0.5]
    )
