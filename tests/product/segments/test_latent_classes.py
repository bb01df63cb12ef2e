"""Segments of tables of discrete columns alone: latent class analysis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import adjusted_rand_score

import fitted
import naive
from mixtura import Segmentation
from mixtura.core.covariance import get_family
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.parts.discrete import DiscreteColumns, LevelTable
from mixtura.core.parts.level_models import CATEGORICAL
from mixtura.core.prior import Ridge
from mixtura.core.protocols import MixedRows
from mixtura.engine import as_data
from mixtura.exceptions import ParameterError, TableError
from mixtura.fit import AbsoluteChange, Problem, Settings, continue_fit
from mixtura.segments import Effort, SegmentationResult, mixed_rows, segment_table
from mixtura.select import search

pytestmark = pytest.mark.filterwarnings("ignore::mixtura.exceptions.ColumnWarning")

ROWS = 400
PROBABILITIES = np.array(
    [[0.9, 0.8, 0.1], [0.1, 0.9, 0.8], [0.1, 0.2, 0.9], [0.9, 0.1, 0.7], [0.2, 0.9, 0.2]]
)


def answers(seed: int = 0) -> tuple[pl.DataFrame, Any]:
    """Return five yes-or-no answers and a region of people in three groups, some of them missing; and the groups."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(3, size=ROWS)
    table: dict[str, Any] = {
        f"q{j}": np.where(rng.uniform(size=ROWS) < row[groups], "yes", "no").tolist()
        for j, row in enumerate(PROBABILITIES)
    }
    table["region"] = np.array(["north", "south", "west"])[
        (groups + (rng.uniform(size=ROWS) < 0.2)) % 3
    ].tolist()
    for row in range(0, ROWS, 9):
        table["q1"][row] = None
    return pl.DataFrame(table), groups


def test_it_is_the_naive_loop_without_a_gaussian_part() -> None:
    rng = np.random.RandomState(0)
    levels = np.stack([rng.randint(3, size=40), rng.randint(2, size=40), rng.randint(-1, 2, size=40)], axis=1)
    sample_weight = rng.exponential(size=40) + 0.1
    counted = [
        np.bincount(one[one >= 0], sample_weight[one >= 0], minlength=one.max() + 1) for one in levels.T
    ]
    shares = [one / one.sum() for one in counted]
    discrete = DiscreteColumns((CATEGORICAL,) * 3, tuple(shares))
    tables = [[rng.dirichlet(np.ones(len(one))).tolist() for _ in range(2)] for one in shares]
    logs = np.ascontiguousarray(np.vstack([*(np.log(one).T for one in tables), np.zeros((1, 2))]))
    nothing, weights = np.empty((40, 0)), np.array([0.3, 0.7])
    start = Mixture.from_parameters(weights, np.empty((2, 0)), np.empty((2, 0)), "diag")
    start = type(start)(
        start.weights,
        start.means,
        start.covariances,
        start.family,
        start.factors,
        levels=LevelTable(discrete, logs),
    )
    data = as_data(MixedRows(nothing, discrete.numbered(levels), discrete), sample_weight)
    model = GaussianModel(2, get_family("diag"), Ridge(0.0), discrete)
    found = continue_fit(Problem(data, model), start, Settings(AbsoluteChange(0.0), 25)).mixture
    for _ in range(25):
        logs_of = [[np.log(w) + one for w, one in zip(weights, naive.naive_level_logs(row, tables), strict=True)]
                   for row in levels.tolist()]  # fmt: skip
        each = np.exp(logs_of)
        memberships = each / each.sum(axis=1, keepdims=True)
        tables = naive.naive_tables(levels.tolist(), sample_weight, memberships.tolist(), shares)
        counts = sample_weight @ memberships
        weights = counts / counts.sum()
    assert found.levels is not None
    np.testing.assert_allclose(found.weights, weights, rtol=1e-8)
    expected = np.vstack([np.array(one).T for one in tables])
    np.testing.assert_allclose(np.exp(found.levels.logs[:-1]), expected, rtol=1e-8)


def test_a_search_finds_the_classes_and_counts_their_parameters() -> None:
    table, groups = answers()
    rows = mixed_rows(table)
    found = search(rows, components=range(1, 5))
    best = found.best
    assert rows.shape == (ROWS, 0)
    assert best.n_components == 3
    assert best.n_parameters == 2 + 3 * (5 + 2)
    assert best.mixture is not None
    assert best.log_likelihood == pytest.approx(best.mixture.log_likelihood(rows), rel=1e-12)
    assert adjusted_rand_score(groups, best.mixture.predict(rows)) > 0.75


def segmented() -> SegmentationResult:
    return segment_table(answers()[0], components=[2, 3, 4]).with_effort(Effort(resamples=3))


@pytest.fixture
def result() -> SegmentationResult:
    return fitted.remembered("latent classes", ROWS, make=segmented)


def test_segments_are_named_by_their_levels(result: SegmentationResult) -> None:
    assert result.columns.used == ()
    assert result.model.n_segments == 3
    assert len(set(result.model.names)) == 3
    assert all(any(word in name for word in ("yes", "no", "region")) for name in result.model.names)


def test_everything_is_said_of_them(result: SegmentationResult, tmp_path: Path) -> None:
    document = result.document
    assert document.stability is not None
    assert document.table.active == []
    assert 0.5 < document.kmeans.agreement <= 1.0
    result.model.save(tmp_path / "model.json")
    again = Segmentation.load(tmp_path / "model.json")
    np.testing.assert_array_equal(
        again.assign(answers()[0])["segment"].to_numpy(), result.assignment.labels + 1
    )
    assert again.drift(answers()[0], before=answers()[0]).verdict.word == "keep"


def test_known_and_kept_segments(result: SegmentationResult) -> None:
    table, groups = answers()
    tier = [("a", "b", "c")[k] if row % 10 == 0 else None for row, k in enumerate(groups)]
    known = segment_table(table.with_columns(tier=pl.Series(tier)), known="tier", components=[3])
    assert set(known.model.names) == {"a", "b", "c"}
    kept = segment_table(answers(1)[0], keep=result.model, components=[3, 4])
    assert kept.kept is not None
    assert kept.kept.n_new == 0


def test_what_needs_numbers_is_refused(result: SegmentationResult) -> None:
    with pytest.raises(ParameterError, match="needs a continuous column"):
        segment_table(answers()[0], robust="noise", components=[2])
    with pytest.raises(ParameterError, match="discrete columns alone cannot be written as SQL"):
        result.model.to_sql("duckdb", table="x")
    with pytest.raises(TableError, match="No numeric column is left"):
        segment_table(answers()[0], kinds="continuous")


@pytest.mark.parametrize("levels", [["u", "v"], ["u", "v", "w"]])
def test_one_category_alone_is_one_segment_where_more_components_than_levels_are_tried(
    levels: list[str],
) -> None:
    """One multinomial column identifies no classes: more of them cost parameters and gain nothing."""
    result = segment_table(pl.DataFrame({"answer": levels * 30}), components=[1, 2, 5])
    assert [segment.count for segment in result.segments] == [30 * len(levels)]
    counted = 30 * len(levels)
    assert result.best.log_likelihood == pytest.approx(-counted * np.log(len(levels)), rel=1e-9)
