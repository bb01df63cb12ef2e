"""Noise and t components in tables with discrete columns and missing values."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_t
from sklearn.metrics import adjusted_rand_score

from mixtura.core.covariance import get_family
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.parts.discrete import DiscreteColumns
from mixtura.core.parts.level_models import CATEGORICAL, NEGATIVE_BINOMIAL
from mixtura.core.parts.student import StudentTails
from mixtura.core.parts.volume import measure_background
from mixtura.core.prior import Ridge
from mixtura.core.protocols import MixedRows
from mixtura.engine import as_data
from mixtura.fit import EMStep, FromPartition, Problem, RemainingGain
from mixtura.fit.loop.driver import iterate
from mixtura.fit.loop.state import begin
from mixtura.select import search


def table(n: int = 300, share: float = 0.1, seed: int = 0) -> tuple[MixedRows, Any]:
    """Two groups, an eighth outliers; two continuous columns, a category, a count; and groups, -1 for outliers."""
    rng = np.random.RandomState(seed)
    labels = rng.randint(2, size=n)
    rows = rng.standard_normal((n, 2)) + 5.0 * labels[:, None]
    levels = np.column_stack(
        [
            (rng.uniform(size=n) < np.where(labels, 0.8, 0.2)).astype(int),
            np.minimum(rng.poisson(1 + 3 * labels), 9),
        ]
    )
    rows[: n // 8] = rng.uniform(-25.0, 30.0, size=(n // 8, 2))
    levels[: n // 8] = np.column_stack([rng.randint(2, size=n // 8), rng.randint(9, size=n // 8)])
    labels[: n // 8] = -1
    rows[rng.uniform(size=rows.shape) < share] = np.nan
    levels[rng.uniform(size=levels.shape) < share] = -1
    shares = [
        np.bincount(column[column >= 0], minlength=size)
        for column, size in zip(levels.T, (2, 11), strict=True)
    ]
    models = (CATEGORICAL, NEGATIVE_BINOMIAL)
    discrete = DiscreteColumns(models, tuple(one / one.sum() for one in shares))
    return MixedRows(rows, discrete.numbered(levels), discrete), labels


def problem(given: MixedRows, *, noise: bool, tails: bool) -> Problem:
    data = as_data(given)
    model = GaussianModel(2, get_family("full"), Ridge(1e-6), data.discrete)
    model = replace(model, background=measure_background(data) if noise else None)
    return Problem(data, replace(model, tails=StudentTails() if tails else None))


def first(asked: Problem, given: MixedRows, labels: Any) -> Mixture:
    start = FromPartition(np.maximum(labels, 0)).prepare(asked, np.random.RandomState(0))
    return start(asked).first_mixture(asked)


def component_logs(mixture: Mixture, given: MixedRows) -> Any:
    """Logarithms of weight times density of each component, (N, K), from SciPy and the table of levels."""
    assert mixture.levels is not None
    found = np.log(mixture.weights) + mixture.levels.logs[given.levels].sum(axis=1)
    freedom = np.full(2, np.inf) if mixture.tails is None else mixture.tails.freedom
    for n, row in enumerate(given.rows):
        known = ~np.isnan(row)
        for k in range(2 if known.any() else 0):
            covariance = mixture.covariances[k][np.ix_(known, known)]
            one = multivariate_t(mixture.means[k][known], covariance, df=freedom[k])
            found[n, k] += one.logpdf(row[known])
    return found


@pytest.mark.parametrize("tails", [False, True], ids=["gaussian", "t"])
def test_noise_has_the_shares_of_the_levels_of_the_table(tails: bool) -> None:
    given, labels = table()
    asked = problem(given, noise=True, tails=tails)
    mixture = first(asked, given, labels)
    noise = mixture.background
    assert noise is not None
    ranges = np.nanmax(given.rows, axis=0) - np.nanmin(given.rows, axis=0)
    shares = np.concatenate([*given.discrete.shares, [1.0]])
    beside = np.log(noise.weight) - ~np.isnan(given.rows) @ np.log(ranges)
    # Of counts the noise has the negative binomial of the table.
    table_logs = given.discrete.maximize(None)[:, 0]
    np.testing.assert_allclose(np.exp(table_logs[:2]), shares[:2])
    beside = beside + table_logs[given.levels].sum(axis=1)
    logs = np.column_stack([component_logs(mixture, given), beside])
    np.testing.assert_allclose(mixture.log_density(given), logsumexp(logs, axis=1), rtol=1e-10)
    memberships = np.exp(logs - logsumexp(logs, axis=1, keepdims=True))
    np.testing.assert_allclose(mixture.responsibilities(given), memberships[:, :2], atol=1e-10)
    after, _ = EMStep(asked)(EMStep(asked).init(mixture))
    assert after.model.background is not None
    assert after.model.background.weight == pytest.approx(memberships[:, 2].mean(), abs=1e-10)
    counts = np.zeros((given.discrete.size, 2))
    for column in given.levels.T:
        np.add.at(counts, column, memberships[:, :2])
    assert after.model.levels is not None
    np.testing.assert_allclose(after.model.levels.logs, given.discrete.maximize(counts), atol=1e-9)


@pytest.mark.parametrize(("noise", "tails"), [(True, False), (False, True), (True, True)])
def test_the_objective_never_falls(noise: bool, tails: bool) -> None:
    given, labels = table()
    asked = problem(given, noise=noise, tails=tails)
    step = EMStep(asked)
    rule = RemainingGain(asked.data.total_weight, 1e-6)
    objectives = iterate(begin(step, first(asked, given, labels)), step, rule, 100).trace.objectives
    assert len(objectives) > 3
    assert all(after >= before - 1e-9 for before, after in pairwise(objectives))


@pytest.mark.slow
def test_the_criterion_decides_and_counts_all_parameters() -> None:
    given, labels = table(600)
    found = search(given, components=[1, 2, 3], covariance_types=["spherical"], robust="auto")
    assert found.robust == "noise"
    assert found.best.n_components == 2
    mixture = found.best.mixture
    assert mixture is not None
    assert found.best.n_parameters == mixture.n_parameters
    assert adjusted_rand_score(labels, mixture.predict(given)) > 0.8
