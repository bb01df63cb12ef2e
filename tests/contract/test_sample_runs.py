"""Runs that compiled code makes to their ends, on many samples in a call: each is the run of the loop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from mixtura.core.mixture import Mixture
from mixtura.core.prior import Floor, relative_floor
from mixtura.engine import as_data
from mixtura.fit import (
    AcceleratedEMStep,
    EMStep,
    RemainingGain,
    SampleRuns,
    SampleTables,
    Settings,
    log_likelihood,
)
from mixtura.fit.loop.outcome import Outcome
from mixtura.fit.loop.state import value_of
from mixtura.fit.steps.warmup import WarmupEM
from mixtura.kernels import native
from mixtura.kernels.iterations.stretch import Ending, can_finish
from mixtura.select.inference.refit import Refit
from stretch_cases import NAMES, assert_same, first_mixture, overlapping, problem_of

pytestmark = pytest.mark.skipif(not can_finish(), reason="the compiled core is not built")


def samples_of(n_samples: int, n_rows: int, n_features: int) -> SampleTables:
    return SampleTables.of(np.array([overlapping(n_rows, n_features, seed) for seed in range(n_samples)]))


def runs_of(tables: SampleTables, name: str, k: int, settings: Settings) -> tuple[SampleRuns, Mixture]:
    """Return runs, and from where they set out."""
    problem = problem_of(as_data(tables.rows[0]), name, k)
    runs = SampleRuns.of(problem, settings, tables, relative_floor(tables.covariances, tables.means))
    assert runs is not None
    return runs, first_mixture(problem)


def test_moments_and_floors_of_samples_are_those_of_each() -> None:
    rows = np.array([overlapping(50, 3, seed) for seed in range(6)])
    rows[1, :, 2] = 7.0  # a constant column
    rows[2] = 3.0  # nothing but constants
    rows[3, :, 1] = 2.0 * rows[3, :, 0]  # collinear
    rows[4, :, 0] *= 1e-170  # squares are lost
    tables = SampleTables.of(rows)
    floors = relative_floor(tables.covariances, tables.means)
    for number, one in enumerate(rows):
        total = as_data(one).total
        floor = Floor.of(total).floor
        scale = np.abs(one).max()
        for found, alone in zip(tables, SampleTables.of(one[None]), strict=True):
            np.testing.assert_array_equal(found[number], alone[0])
        np.testing.assert_allclose(tables.means[number], one.mean(axis=0), rtol=1e-14)
        np.testing.assert_allclose(
            tables.scatters[number], total.second_matrices()[0], rtol=1e-12, atol=1e-24 * scale**2
        )
        for name in ("root", "variances", "spherical", "sphere", "deviations"):
            found, expected = getattr(floors, name)[number], getattr(floor, name)
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.max(expected))


@pytest.mark.parametrize("make", [EMStep, AcceleratedEMStep, WarmupEM])
@pytest.mark.parametrize("name", NAMES)
def test_a_run_ends_where_that_of_the_loop_ends(name: str, make: Any) -> None:
    tables = samples_of(4, 300, 2)
    settings = Settings(RemainingGain(300.0, 1e-2), 3_000, step=make)
    runs, start = runs_of(tables, name, 3, settings)
    ends = runs.ends([start] * 4, np.arange(4))
    assert sum(end is not None for end in ends) >= (4 if make is EMStep else 1)
    for rows, end in zip(tables.rows, ends, strict=True):
        if end is None:
            continue
        problem = problem_of(as_data(rows), name, 3)
        expected = settings.iterate(problem, lambda: start)
        assert expected.trace.outcome is Outcome.CONVERGED
        assert end[0] == pytest.approx(log_likelihood(problem.data, expected.model.refined()), abs=1e-8)
        # What rounding changes of extrapolations is magnified on a way of some hundred passes.
        assert_same(value_of(end.mixture), expected.model, 1e-12 if make is EMStep else 1e-6)


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("instruction_set", native.supported_instruction_sets())
def test_any_run_is_of_its_own_sample_and_start(instruction_set: str, k: int) -> None:
    tables = samples_of(4, 200, 3)
    runs, start = runs_of(tables, "full", k, Settings(RemainingGain(200.0), 1_000, step=AcceleratedEMStep))
    stretch = replace(runs.step.stretch, instruction_set=instruction_set)
    other = first_mixture(problem_of(as_data(tables.rows[2]), "full", k), seed=5)
    starts = np.array([runs.step.states.pack_model(one) for one in (start, other, start, other, other)])
    numbers = np.array([3, 3, 0, 1, 3])
    ends, found = stretch.finish(runs.samples, numbers, starts, 1_000)
    for number, begun, end, one in zip(numbers, starts, ends, found, strict=True):
        alone = stretch.finish(runs.samples, np.array([number]), begun[None], 1_000)
        np.testing.assert_array_equal(alone[0][0], end)
        np.testing.assert_array_equal(alone[1][0], one)
        assert one[2] == Ending.SATISFIED
        mixture = runs.step.states.mixture(end)
        assert one[0] == pytest.approx(mixture.log_likelihood(tables.rows[number]), rel=1e-13)
    np.testing.assert_array_equal(ends[1], ends[4])


def test_a_run_that_is_cut_short_has_no_end() -> None:
    tables = samples_of(1, 200, 3)
    runs, start = runs_of(tables, "full", 4, Settings(RemainingGain(200.0), 7, step=AcceleratedEMStep))
    assert runs.ends([start], np.zeros(1, dtype=np.intp)) == [None]
    begun = runs.step.states.pack_model(start)[None]
    _, found = runs.step.stretch.finish(runs.samples, np.zeros(1, dtype=np.intp), begun, 7)
    assert found[0, 1:].tolist() == [7, Ending.COMPLETE]


def test_what_has_to_be_decided_is_left_to_the_loop() -> None:
    """Of one start a component is without rows, of one sample rows repeat: its ends are those of the loop."""
    rows = np.array([overlapping(200, 2, seed) for seed in range(2)])
    rows[1, :60] = rows[1, 0]
    tables = SampleTables.of(rows)
    start = first_mixture(problem_of(as_data(rows[0]), "full", 3))
    away = Mixture.from_parameters(
        start.weights, start.means + np.array([[0], [0], [1e6]]), start.covariances
    )
    refit, data = Refit(), as_data(rows[0])
    runs, _ = runs_of(tables, "full", 3, refit._settings(refit._problem(data, start)))
    ends = runs.ends([start, away, start], np.array([0, 0, 1]))
    assert ends[0] is not None
    assert ends[1] is None
    found = refit.best_of_each(data, tables, [[away], [start]])
    for one, sample, begun in zip(found, rows, (away, start), strict=True):
        expected = refit.best(as_data(sample), [begun])
        assert one is not None
        assert one[0] == pytest.approx(expected[0], abs=1e-6)


@pytest.mark.parametrize("name", ["full", "tied", "VEV"])
def test_ends_that_are_evaluated_with_more_care_are_left_to_the_loop(name: str) -> None:
    """Columns that are nearly collinear, or means far apart: factors are refined, or moments gathered otherwise."""
    rows = np.array([overlapping(200, 2, seed) for seed in range(2)])
    rows[:, :, 1] = rows[:, :, 0] + 1e-3 * rows[:, :, 1]
    rows[:, 100:, 0] += 1e6 if name == "tied" else 0.0
    tables, data = SampleTables.of(rows), as_data(rows[0])
    start = first_mixture(problem_of(data, name, 2))
    refit = Refit()
    found = refit.best_of_each(data, tables, [[start], [start]])
    for one, sample in zip(found, rows, strict=True):
        assert one is not None
        assert one[0] == pytest.approx(refit.best(as_data(sample), [start])[0], abs=1e-6)


def test_without_runs_samples_are_fitted_one_by_one() -> None:
    tables, refit = samples_of(2, 100, 2), Refit()
    data = as_data(tables.rows[0])
    start = first_mixture(problem_of(data, "full", 2))
    expected = refit.best_of_each(data, tables, [[start], [start]])
    with patch("mixtura.fit.sample_runs.can_finish", return_value=False):
        found = refit.best_of_each(data, tables, [[start], [start]])
    for one, other in zip(found, expected, strict=True):
        assert one is not None
        assert other is not None
        assert one[0] == pytest.approx(other[0], abs=1e-8)


def test_arrays_that_do_not_fit_are_refused() -> None:
    tables = samples_of(2, 100, 2)
    runs, start = runs_of(tables, "tied", 2, Settings(RemainingGain(100.0), 100, step=EMStep))
    stretch, begun = runs.step.stretch, runs.step.states.pack_model(start)[None]
    first = np.zeros(1, dtype=np.intp)
    for samples, numbers, starts in (
        (runs.samples._replace(rows=tables.rows[:1]), first, begun),
        (runs.samples, first, begun[:, :-1].copy()),
        (runs.samples, np.zeros(1, dtype=np.float64), begun),
    ):
        with pytest.raises(ValueError, match="type or shape"):
            stretch.finish(samples, numbers, starts, 10)
    with pytest.raises(ValueError, match="no such sample"):
        stretch.finish(runs.samples, np.full(1, 2), begun, 10)
    with pytest.raises(ValueError, match="those of all rows"):
        stretch.finish(runs.samples._replace(scatters=None), first, begun, 10)
