"""Several mixtures brought forward by the same passes end where each would have ended alone."""

from __future__ import annotations

import numpy as np
import pytest

from mixtura.core.covariance import get_family
from mixtura.core.model import GaussianModel
from mixtura.core.prior import Ridge
from mixtura.data import ArrayBlocks
from mixtura.engine import as_data
from mixtura.exceptions import IllDefinedCovarianceError
from mixtura.fit import (
    INITIALIZATIONS,
    EMStep,
    FitResult,
    Outcome,
    Problem,
    RemainingGain,
    Settings,
    continue_batch,
    fit_mixture,
)
from mixtura.fit.loop.driver import iterate
from mixtura.fit.loop.state import begin as begin_run

ROWS = np.random.default_rng(0).normal(size=(5000, 3)) + 3 * np.random.default_rng(1).integers(
    3, size=(5000, 1)
)
NEVER = RemainingGain(5000.0, -1.0)


def problem(family: str, k: int, ridge: float = 1e-6, rows: np.ndarray = ROWS) -> Problem:
    return Problem(as_data(rows), GaussianModel(k, get_family(family), Ridge(ridge)))


def begin(one: Problem) -> FitResult:
    settings = Settings(NEVER, 2)
    rng = np.random.RandomState(0)
    return fit_mixture(one, INITIALIZATIONS["kmeans"], settings, random_state=rng)


def test_each_ends_where_it_would_have_ended_alone() -> None:
    problems = [problem(*one) for one in (("full", 3), ("tied", 4), ("diag", 2), ("VEI", 3), ("full", 1))]
    starts = [begin(one).mixture for one in problems]
    together = continue_batch(problems, starts, RemainingGain(5000.0), 4)
    for one, start, found in zip(problems, starts, together, strict=True):
        alone = iterate(begin_run(EMStep(one), start), EMStep(one), NEVER, 4)
        assert isinstance(found, FitResult)
        np.testing.assert_array_equal(found.mixture.means, alone.model.means)
        np.testing.assert_array_equal(found.mixture.covariances, alone.model.covariances)
        assert found.trace.objectives == alone.trace.objectives
    outcomes = [one.outcome for one in together if isinstance(one, FitResult)]
    assert outcomes[-1] is Outcome.CONVERGED
    assert Outcome.NOT_REFINED in outcomes


def test_one_that_fails_does_not_stop_the_others() -> None:
    """Without a floor a component on equal rows has no covariance at its start."""
    rows = np.repeat(ROWS[:3], 100, axis=0)
    good, bad = problem("full", 1, 1e-6, rows), problem("full", 3, 1e-6, rows)
    starts = [begin(good).mixture, begin(bad).mixture]
    strict = problem("full", 3, 0.0, rows)
    found = continue_batch([good, strict], starts, RemainingGain(300.0), 3)
    assert isinstance(found[0], FitResult)
    assert isinstance(found[1], (FitResult, IllDefinedCovarianceError))


def test_passes_are_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block is asked for once per pass, however many mixtures there are."""
    asked: list[int] = []
    problems = [problem("full", k) for k in (1, 2, 3)]
    starts = [begin(one).mixture for one in problems]
    block = ArrayBlocks.block

    def counted(self: ArrayBlocks, number: int) -> object:
        asked.append(number)
        return block(self, number)

    monkeypatch.setattr(ArrayBlocks, "block", counted)
    continue_batch(problems, starts, NEVER, 4)
    assert sorted(asked) == sorted(4 * list(range(len(problems[0].data.blocks))))
