"""Extrapolations of counts of levels: of columns whose distribution has fewer parameters than levels, too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mixtura.core.covariance import get_family
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.parts.discrete import DiscreteColumns
from mixtura.core.parts.level_models import CATEGORICAL, NEGATIVE_BINOMIAL, POISSON, LevelModel
from mixtura.core.prior import Ridge
from mixtura.core.protocols import MixedRows
from mixtura.engine import as_data
from mixtura.fit import AcceleratedEMStep, EMStep, PassKind, Problem, RemainingGain
from mixtura.fit.loop.driver import iterate
from mixtura.fit.loop.state import begin
from mixtura.fit.steps.coordinates import Coordinates

LARGEST = 60


def problem(model: LevelModel) -> Problem:
    """Two groups that overlap, with a count up to 60 of which odd numbers have no row."""
    rng = np.random.RandomState(0)
    labels = rng.randint(2, size=300)
    rows = rng.standard_normal((300, 2)) + 1.4 * labels[:, None]
    levels = np.minimum(2 * rng.negative_binomial(1, 0.15, size=300) + 4 * labels, LARGEST)[:, None]
    shares = np.bincount(levels[:, 0], minlength=LARGEST + 2) / 300
    assert (shares == 0).sum() > 30
    discrete = DiscreteColumns((model,), (shares,))
    data = as_data(MixedRows(rows, discrete.numbered(levels), discrete))
    return Problem(data, GaussianModel(2, get_family("full"), Ridge(1e-6), discrete))


def start(of: Problem) -> Mixture:
    means = np.array([[0.0, 0.5], [1.0, 0.5]])
    first = Mixture.from_parameters([0.5, 0.5], means, np.array([np.eye(2)] * 2), "full")
    shares = np.random.RandomState(1).uniform(size=(of.data.n_rows, 2))
    sums = of.data.given(means, of.model.moments[-1], of.data.state_of(shares / shares.sum(axis=1)[:, None]))
    return of.model.maximize(sums, first)[0]


def run(of: Problem, step: Any) -> Any:
    stop = RemainingGain(of.data.total_weight, 0.01)
    return iterate(begin(step, start(of)), step, stop, 3000)


@pytest.mark.parametrize("model", [CATEGORICAL, NEGATIVE_BINOMIAL, POISSON], ids=lambda one: one.name)
def test_counts_of_levels_there_and_back(model: LevelModel) -> None:
    of = problem(model)
    step = EMStep(of)
    state = step.init(start(of))
    for _ in range(3):
        sums = step.gather(state)
        state, _ = step.finish(state, sums)
    coordinates = Coordinates.about(state.model, sums)
    left = step.gather(state)
    for one in (sums, left):
        back = coordinates.sums(coordinates.of(one), one)
        assert back.levels is not None
        assert one.levels is not None
        np.testing.assert_allclose(back.levels[:-1], one.levels[:-1], rtol=1e-9, atol=1e-12)


def test_extrapolations_beside_counts_lead_to_the_end_of_plain_steps() -> None:
    of = problem(NEGATIVE_BINOMIAL)
    plain, fast = run(of, EMStep(of)), run(of, AcceleratedEMStep(of))
    ends = [one.trace.objectives[-1] * of.data.total_weight for one in (plain, fast)]
    assert ends[1] > ends[0] - 0.02
    assert len(fast.trace.events) < 0.5 * len(plain.trace.events)
    assert fast.trace.count(PassKind.EXTRAPOLATED) > 2 * fast.trace.count(PassKind.REJECTED)
