"""Rows, problems and starts for tests of steps that compiled code makes ahead."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mixtura.core.covariance import FAMILIES, get_family
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.parts.discrete import DiscreteColumns
from mixtura.core.parts.level_models import CATEGORICAL, NEGATIVE_BINOMIAL
from mixtura.core.parts.student import StudentTails
from mixtura.core.parts.volume import measure_background
from mixtura.core.prior import Floor
from mixtura.core.protocols import MixedRows
from mixtura.engine import as_data
from mixtura.fit import AcceleratedEMStep, Problem, RemainingGain
from mixtura.fit.loop.driver import iterate
from mixtura.fit.loop.state import begin
from mixtura.fit.steps.stretched import StretchedEM, stretched
from mixtura.fit.steps.warmup import WarmupEM
from mixtura.kernels.iterations.stretch import Ending
from mixtura.select.priors import make_prior

NAMES = sorted(
    name
    for name, family in FAMILIES.items()
    if family.closed_form is not None or family.common_form is not None
)


def overlapping(n_rows: int, n_features: int, seed: int = 0) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Rows of four components that overlap, far from zero."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(4, size=n_rows)
    widths = rng.uniform(0.5, 1.5, size=(4, n_features))
    return (
        50.0
        + 1.2 * rng.normal(size=(4, n_features))[labels]
        + rng.normal(size=(n_rows, n_features)) * widths[labels]
    )


def problem_of(data: Data, name: str, n_components: int) -> Problem:
    return Problem(data, GaussianModel(n_components, get_family(name), Floor.of(data.total)))


ROBUST: dict[str, tuple[bool, StudentTails | None]] = {
    "neither": (False, None),
    "noise": (True, None),
    "t": (False, StudentTails()),
    "common t": (False, StudentTails(common=True)),
    "noise and t": (True, StudentTails()),
}


def robust_problem(
    name: str,
    kind: str,
    n_components: int = 3,
    *,
    n_rows: int = 400,
    n_features: int = 2,
    gaps: float = 0.0,
    weighted: bool = False,
    float32: bool = False,
    levels: bool = False,
) -> Problem:
    """Overlapping groups with heavy tails, and rows that are spread widely."""
    rng = np.random.default_rng(7)
    rows: Any = overlapping(n_rows, n_features)
    rows = 50.0 + (rows - 50.0) / np.sqrt(rng.chisquare(5.0, size=n_rows) / 5.0)[:, None]
    rows[: n_rows // 20] += rng.normal(0.0, 8.0, size=(n_rows // 20, n_features))
    low = rows[:, 0] < np.median(rows[:, 0])
    rows[rng.uniform(size=rows.shape) < gaps] = np.nan
    rows = rows.astype(np.float32) if float32 else rows
    weight = rng.integers(1, 4, n_rows).astype(float) if weighted else None
    if levels:
        columns = (
            rng.binomial(2, np.where(low, 0.2, 0.6)),
            np.minimum(rng.negative_binomial(1.5, 0.4, n_rows), 20),
        )
        shares = tuple(
            np.bincount(one, minlength=one.max() + 1 + more) / n_rows for more, one in enumerate(columns)
        )
        discrete = DiscreteColumns((CATEGORICAL, NEGATIVE_BINOMIAL), shares)
        data = as_data(MixedRows(rows, discrete.numbered(np.column_stack(columns)), discrete), weight)
    else:
        data = as_data(rows, weight)
    has_noise, tails = ROBUST[kind]
    prior, noise = (
        make_prior("floor", data.total, n_components),
        measure_background(data) if has_noise else None,
    )
    return Problem(data, GaussianModel(n_components, get_family(name), prior, data.discrete, noise, tails))


def first_mixture(problem: Problem, seed: int = 1) -> Mixture:
    """The M-step of random responsibilities, which lean to one component each."""
    rng = np.random.default_rng(seed)
    k = problem.model.n_components
    shares = rng.dirichlet(np.full(k, 0.3), problem.data.n_rows)
    moments = problem.model.structure.moments[-1]
    means = np.repeat(problem.data.mean, k, axis=0)
    sums = problem.data.given(means, moments, problem.data.state_of(shares))
    return problem.model.begin_from(problem.model.maximize(sums)[0])


def assert_same(found: Mixture, expected: Mixture, within: float) -> None:
    deviations = np.sqrt(np.einsum("kii->ki", expected.full_covariances()))
    np.testing.assert_allclose(found.weights, expected.weights, rtol=within, atol=within)
    assert (np.abs(found.means - expected.means) <= within * (1.0 + deviations) * 10).all()
    scale = np.abs(expected.covariances).max(initial=0.0)
    np.testing.assert_allclose(found.covariances, expected.covariances, rtol=within, atol=within * scale)
    np.testing.assert_allclose(
        found.factors.log_determinants, expected.factors.log_determinants, rtol=0, atol=100 * within
    )
    assert found.offsets is not None
    np.testing.assert_allclose(found.offsets, expected.components().offsets, rtol=0, atol=100 * within)
    for one in (found, expected):
        assert (one.tails is None) == (found.tails is None)
        assert (one.background is None) == (found.background is None)
    if found.tails is not None and expected.tails is not None:
        np.testing.assert_allclose(found.tails.freedom, expected.tails.freedom, rtol=1e4 * within)
        assert found.tails.common == expected.tails.common
    if found.background is not None and expected.background is not None:
        assert found.background.weight == pytest.approx(
            expected.background.weight, rel=100 * within, abs=within
        )
        assert found.background.box is expected.background.box
    assert (found.levels is None) == (expected.levels is None)
    if found.levels is not None and expected.levels is not None:
        # What lies beyond the largest number of a count follows from the probabilities of three small ones.
        nobody = found.levels.columns.pseudo_counts == 0
        logs, others = found.levels.logs, expected.levels.logs
        np.testing.assert_allclose(logs[~nobody], others[~nobody], rtol=100 * within, atol=100 * within)
        np.testing.assert_allclose(np.exp(logs[nobody]), np.exp(others[nobody]), rtol=1e-6, atol=1e-12)


def made(step: Any, problem: Problem) -> StretchedEM:
    found = stretched(step, problem, 0.0)
    assert isinstance(found, StretchedEM)
    return found


def follow(step: Any, problem: Problem, n_passes: int) -> list[int]:
    """Make passes one at a time, each by both from the same state, and compare; return their kinds."""
    ahead, kinds = made(step, problem), list[int]()
    vector = ahead.init(first_mixture(problem)).film.after
    for _ in range(n_passes):
        after, frames, ending = ahead.stretch.advance(vector, 1)
        inner, so_far = ahead.unpacked(vector)
        state, found = step(inner)
        bare = state.inner if isinstance(step, WarmupEM) else state
        if ending is Ending.TROUBLE:
            vector = ahead.states.pack(bare, so_far.after(found))
            continue
        assert frames[0, 0] == pytest.approx(found.objective, rel=1e-12)
        assert list(type(found.kind))[[0, 1, 3][int(frames[0, 1])]] is found.kind
        # The direction of an extrapolation is solved for: what rounding changes of differences is magnified.
        is_plain = found.kind.name == "PLAIN" and not frames[0, 2]
        assert_same(ahead.states.mixture(frames[0, 3:]), found.model, 1e-12 if is_plain else 1e-9)
        assert bool(frames[0, 2]) == (getattr(bare, "trial", None) is not None)
        kinds.append(int(frames[0, 1]))
        vector = after
    return kinds


def assert_same_ends(problem: Problem, make: Any) -> None:
    """A run of stretches ends where that of the step ends, and never falls."""
    start, stop = first_mixture(problem), RemainingGain(500.0, 1e-4)
    steps = make(problem), made(make(problem), problem)
    ends = [iterate(begin(one, start), one, stop, 3_000) for one in steps]
    assert all(one.trace.converged for one in ends)
    objectives = [500.0 * one.trace.objectives[-1] for one in ends]
    assert abs(objectives[0] - objectives[1]) < 1e-3
    assert min(np.diff(ends[1].trace.objectives)) >= -1e-12


def assert_survives(problem: Problem) -> None:
    """A state survives the way to the step and back."""
    ahead = made(AcceleratedEMStep(problem, 1e-4), problem)
    start = ahead.init(first_mixture(problem)).film.after
    for n_steps in (1, 2, 8, 12, 19, 25):
        vector, frames, ending = ahead.stretch.advance(start, n_steps)
        if ending is Ending.TROUBLE:
            np.testing.assert_array_equal(vector, ahead.stretch.advance(start, len(frames))[0])
        again = ahead.states.pack(*ahead.unpacked(vector))
        expected, found = (ahead.stretch.advance(one, 5)[1] for one in (vector, again))
        np.testing.assert_array_equal(found, expected)
