"""Iterations of K-means that compiled code makes several of at a time: each is the iteration in Python, to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mixtura.core.data import Data
from mixtura.engine import as_data
from mixtura.fit.kmeans import lloyd, plusplus
from mixtura.fit.kmeans.lloyd import Clustering, LloydStep, run_kmeans
from mixtura.fit.loop.state import begin
from mixtura.kernels import native
from mixtura.kernels.iterations.center_moves import CenterMoves, can_move_centers, draw_seeds

pytestmark = pytest.mark.skipif(not can_move_centers(), reason="the compiled core is not built")

TABLES = {
    "few rows": (60, 2, 3),
    "one column": (300, 1, 4),
    "one center": (200, 3, 1),
    "many columns": (400, 25, 6),
    "several blocks": (7_000, 2, 5),
}


def rows_of(n_rows: int, n_features: int, kind: str = "") -> Any:
    rng = np.random.default_rng(n_rows)
    rows = rng.normal(size=(n_rows, n_features)) + 3 * rng.integers(3, size=(n_rows, 1))
    if kind == "far from zero":
        return rows + 1e6
    if kind == "with ties":
        return np.round(rows)
    return rows.astype(np.float32) if kind == "float32" else rows


def data_of(n_rows: int, n_features: int, kind: str = "") -> Data:
    weight = np.random.default_rng(2).integers(0, 3, n_rows).astype(float) if kind == "weighted" else None
    return as_data(rows_of(n_rows, n_features, kind), weight).alone()


def in_python(monkeypatch: pytest.MonkeyPatch, data: Data, centers: Any, **how: Any) -> Clustering:
    with monkeypatch.context() as patch:
        patch.setattr(lloyd, "can_move_centers", lambda: False)
        return run_kmeans(data, centers, **how)


def assert_same(found: Clustering, wanted: Clustering) -> None:
    np.testing.assert_array_equal(found.centers, wanted.centers)
    np.testing.assert_array_equal(found.labels, wanted.labels)
    assert found.inertia == wanted.inertia
    assert (found.n_iter, found.converged, found.n_distinct) == (
        wanted.n_iter, wanted.converged, wanted.n_distinct
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["", "weighted", "float32", "far from zero", "with ties"])
@pytest.mark.parametrize("table", TABLES)
def test_a_run_is_that_in_python(table: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    n_rows, n_features, k = TABLES[table]
    data = data_of(n_rows, n_features, kind)
    centers = data.rows(np.linspace(0, n_rows - 1, k).astype(np.intp))
    for how in ({}, {"tolerance": 1e-2 * data.mean_variance}, {"max_iter": 3}, {"max_iter": 0}):
        assert_same(run_kmeans(data, centers, **how), in_python(monkeypatch, data, centers, **how))


def test_an_iteration_is_the_step_in_python() -> None:
    data = data_of(300, 3, "weighted")
    (state := LloydStep(data).init(data.rows(np.arange(4)))).labels.of(data.blocks.block(0))[...] = 0
    found = LloydStep(data).ahead(state, 1)
    assert found is not None
    labels = found[0].labels.gathered().copy()
    state.labels.of(data.blocks.block(0))[...] = 0
    after, wanted = LloydStep(data)(state)
    np.testing.assert_array_equal(found[0].centers, after.centers)
    np.testing.assert_array_equal(labels, after.labels.gathered())
    made = found[1]
    assert [one[0] for one in made.found] == [wanted.objective]
    assert made.shift == pytest.approx(wanted.shift, rel=1e-14)
    assert made.n_changed == wanted.n_changed > 0


def test_a_center_without_rows_is_left_to_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    data = data_of(200, 2)
    centers = np.vstack([data.rows(np.arange(2)), np.full((1, 2), 1e3)])
    step = LloydStep(data)
    state = begin(step, centers)
    assert step.ahead(state.step, 10) is None
    assert (state.step.labels.gathered() == -1).all()
    assert_same(run_kmeans(data, centers), in_python(monkeypatch, data, centers))


def test_an_iteration_that_lowers_the_objective_is_left_to_the_step() -> None:
    rows = rows_of(200, 2)
    moves = CenterMoves(rows, None, len(rows), 0.0, native.NativeKernel().instruction_set)
    labels = np.full(len(rows), -1)
    assert len(moves.advance(rows[:3].copy(), labels, 0.0, 5)) == 0
    assert (labels == -1).all()
    assert len(moves.advance(rows[:3].copy(), labels, -np.inf, 5)) > 1


def test_rows_that_are_not_finite_are_left_to_the_step() -> None:
    rows = rows_of(50, 2)
    rows[3] = np.nan
    moves = CenterMoves(rows, None, len(rows), 0.0, native.NativeKernel().instruction_set)
    assert len(moves.advance(rows[:2].copy(), np.full(len(rows), -1), -np.inf, 5)) == 0


def test_what_does_not_fit_is_refused() -> None:
    rows = rows_of(50, 2)
    moves = CenterMoves(rows, None, 50, 0.0, native.NativeKernel().instruction_set)
    with pytest.raises(ValueError, match="another type or shape"):
        moves.advance(rows[:2, :1].copy(), np.full(50, -1), -np.inf, 5)
    with pytest.raises(ValueError, match="another type or shape"):
        moves.advance(rows[:2].copy(), np.full(49, -1), -np.inf, 5)
    with pytest.raises(ValueError, match="rows in a block"):
        CenterMoves(rows, None, 0, 0.0, moves.instruction_set).advance(
            rows[:2].copy(), np.full(50, -1), -np.inf, 5
        )


@pytest.mark.parametrize("kind", ["", "weighted", "float32", "with ties"])
@pytest.mark.parametrize("k", [1, 2, 7])
def test_seeds_are_those_in_python(k: int, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = data_of(500, 3, kind)
    for seed in range(5):
        rngs = [np.random.RandomState(seed) for _ in range(2)]
        seeds = plusplus.kmeans_plusplus(data, k, rngs[0])
        with monkeypatch.context() as patch:
            patch.setattr(plusplus, "can_move_centers", lambda: False)
            np.testing.assert_array_equal(seeds, plusplus.kmeans_plusplus(data, k, rngs[1]))
        assert rngs[0].random_sample() == rngs[1].random_sample()


def test_draws_that_do_not_fit_are_refused() -> None:
    rows = rows_of(50, 2)
    with pytest.raises(ValueError, match="another type or shape"):
        draw_seeds(rows, None, np.zeros(6), 3, native.NativeKernel().instruction_set)
