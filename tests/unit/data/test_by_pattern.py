"""Rows that lack the same columns side by side in all blocks: the same sums."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mixtura.core.accumulate import EStep
from mixtura.core.covariance import get_family
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.parts.discrete import DiscreteColumns
from mixtura.core.parts.level_models import CATEGORICAL
from mixtura.core.prior import Ridge
from mixtura.core.protocols import MixedRows
from mixtura.engine import as_data
from mixtura.fit import AbsoluteChange, Problem, Settings


def holed(n_rows: int = 5000, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n_rows, 3)) + 2.0 * rng.integers(2, size=(n_rows, 1))
    lacks = np.array([[False, False, False], [True, False, True], [False, True, False]])
    rows[lacks[rng.integers(3, size=n_rows)]] = np.nan
    return rows


def mixture() -> Mixture:
    covariances = [np.eye(3), np.eye(3) + 0.4]
    return Mixture.from_parameters([0.4, 0.6], [[0.0, 0.0, 0.0], [2.0, 2.0, 2.0]], covariances, "full")


def test_blocks_have_the_rows_of_few_patterns_and_their_weights_and_levels() -> None:
    rows, weights = holed(), np.random.default_rng(1).uniform(0, 2, 5000)
    levels = np.nan_to_num(rows[:, :1] > 0).astype(np.intp)
    discrete = DiscreteColumns((CATEGORICAL,), (np.array([0.5, 0.5]),))
    data = as_data(MixedRows(rows, discrete.numbered(levels), discrete), weights)
    changed = data.by_pattern()
    blocks = [changed.blocks.block(number) for number in range(len(changed.blocks))]
    numbers = np.concatenate([np.isnan(block.rows) @ [4, 2, 1] for block in blocks])
    assert (np.diff(numbers) >= 0).all()
    assert changed.has_missing
    task = EStep(mixture().components(), data.kernel)
    sums, again = data.reduce(task), changed.reduce(task)
    np.testing.assert_allclose(again.sums, sums.sums, rtol=1e-10, atol=1e-8)
    counts = [
        sum(block.sample_weight[block.levels[:, 0] == 1].sum() for block in blocks),
        weights[levels[:, 0] == 1].sum(),
    ]
    assert counts[0] == pytest.approx(counts[1])
    assert changed.total is data.total


def test_rows_stay_where_nothing_is_gained_or_they_are_in_a_file(tmp_path: Any) -> None:
    few, complete = as_data(holed(2000)), as_data(np.zeros((5000, 2)))
    assert few.by_pattern() is few
    assert complete.by_pattern() is complete
    np.save(tmp_path / "rows.npy", holed())
    file = as_data(np.load(tmp_path / "rows.npy", mmap_mode="r"))
    assert file.has_missing
    assert file.by_pattern() is file
    factors = few.state_of(np.ones(2000))
    assert few.weighted(factors).by_pattern().blocks.n_rows == 2000


def test_a_fit_does_not_depend_on_the_order_of_rows() -> None:
    rows, model = holed(), GaussianModel(2, get_family("full"), Ridge(1e-6))
    settings = Settings(AbsoluteChange(0.0), 30)
    ends = []
    for order in (np.arange(5000), np.random.default_rng(2).permutation(5000)):
        problem = Problem(as_data(rows[order]), model)
        ends.append(settings.iterate(problem, mixture).trace.objectives[-1])
    assert ends[0] == pytest.approx(ends[1], rel=1e-12)
