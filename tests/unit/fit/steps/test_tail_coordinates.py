"""Extrapolations of t components: what their degrees of freedom are learned from has coordinates, too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import digamma
from scipy.stats import gamma

from mixtura.core.covariance import get_family
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.parts.student import StudentTails
from mixtura.core.prior import Ridge
from mixtura.core.statistics import Statistics
from mixtura.engine import as_data
from mixtura.fit import AcceleratedEMStep, EMStep, PassKind, Problem, RemainingGain
from mixtura.fit.loop.driver import iterate
from mixtura.fit.loop.state import begin
from mixtura.fit.steps.coordinates import Coordinates, TailCoordinates


def problem(covariance_type: str = "full", *, common: bool = False) -> Problem:
    """Two groups with heavy tails that overlap."""
    rng = np.random.RandomState(0)
    rows = rng.standard_normal((400, 2)) / np.sqrt(rng.chisquare(4.0, size=400) / 4.0)[:, None]
    rows += 2.2 * rng.randint(2, size=(400, 1))
    family = get_family(covariance_type)
    return Problem(as_data(rows), GaussianModel(2, family, Ridge(0.0), tails=StudentTails(common)))


def start(of: Problem) -> Mixture:
    covariances: dict[str, Any] = {"full": np.array([np.eye(2)] * 2), "spherical": np.ones(2)}
    name = of.model.structure.name
    means = np.array([[0.0, 0.5], [1.0, 0.5]])
    return of.model.begin_from(Mixture.from_parameters([0.5, 0.5], means, covariances[name], name))


def after(of: Problem, n_steps: int) -> tuple[Mixture, Statistics, Statistics]:
    """A mixture, the sums that it was made of, and those of its pass."""
    step = EMStep(of)
    state = step.init(start(of))
    for _ in range(n_steps):
        sums = step.gather(state)
        state, _ = step.finish(state, sums)
    return state.model, sums, step.gather(state)


def test_there_and_back_the_m_step_is_the_same() -> None:
    of = problem()
    model, entered, left = after(of, 3)
    coordinates = Coordinates.about(model, entered)
    for one in (entered, left):
        back = coordinates.sums(coordinates.of(one), one)
        wanted, found = (of.model.maximize(sums, model)[0] for sums in (one, back))
        assert wanted.tails is not None
        assert found.tails is not None
        np.testing.assert_allclose(found.weights, wanted.weights, rtol=1e-10)
        np.testing.assert_allclose(found.means, wanted.means, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found.covariances, wanted.covariances, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found.tails.freedom, wanted.tails.freedom, rtol=1e-8)


@pytest.mark.parametrize("covariance_type", ["full", "spherical"])
def test_what_a_pass_changes_is_the_gradient(covariance_type: str) -> None:
    """Against central differences of the log-likelihood, near the optimum, where mass and counts are nearly equal."""
    of = problem(covariance_type)
    model, _, left = after(of, 100)
    assert left.tails is not None
    assert np.abs(left.tails[0] / left.counts - 1.0).max() < 1e-3
    coordinates = Coordinates.about(model, left)
    point = coordinates.of(left)
    assert model.tails is not None
    point[-2:] += [0.3, -0.4]  # another number of degrees of freedom
    rows = of.data.rows(np.arange(of.data.n_rows))

    def mixture(at: Any) -> Mixture:
        return of.model.maximize(coordinates.sums(at, left), model)[0]

    step = EMStep(of)
    gradient = coordinates.of(step.gather(step.init(mixture(point)))) - point
    assert np.abs(gradient[-2:]).min() > 0.02
    for one in np.eye(len(point))[[0, 3, 5, -2, -1]]:
        ahead, behind = (mixture(point + way * one).log_likelihood(rows) for way in (1e-4, -1e-4))
        assert (ahead - behind) / 2e-4 == pytest.approx(gradient @ one, rel=0.05, abs=0.02)


def test_in_coordinates_a_row_has_unit_variance() -> None:
    for freedom in (2.0, 7.0, 60.0):
        found = TailCoordinates.about(np.array([freedom]), np.array([1.0]))
        density = gamma(0.5 * freedom, scale=2.0 / freedom).pdf
        mean = quad(lambda u, of=density: (np.log(u) - u) * of(u), 0, np.inf)[0]
        square = quad(lambda u, of=density, m=mean: (np.log(u) - u - m) ** 2 * of(u), 0, np.inf)[0]
        assert found.expected[0] == pytest.approx(mean, rel=1e-7)
        assert found.widths[0] == pytest.approx(np.sqrt(square), rel=1e-6)


@pytest.mark.parametrize("common", [False, True], ids=["own", "common"])
def test_extrapolations_lead_to_the_end_of_plain_steps(common: bool) -> None:
    of = problem(common=common)
    stop = RemainingGain(of.data.total_weight, 0.001)
    plain, fast = (
        iterate(begin(step, start(of)), step, stop, 5000) for step in (EMStep(of), AcceleratedEMStep(of))
    )
    ends = [one.trace.objectives[-1] * of.data.total_weight for one in (plain, fast)]
    assert ends[1] > ends[0] - 0.02
    assert fast.trace.count(PassKind.EXTRAPOLATED) > fast.trace.count(PassKind.REJECTED)
    assert len(fast.trace.events) < 0.5 * len(plain.trace.events)


def test_degrees_of_freedom_are_the_root_of_their_equation() -> None:
    tails, counts = StudentTails(), np.array([3.0, 40.0, 7.0, 500.0, 5.0, 0.0])
    roots = np.array([2.1, 5.0, 30.0, 199.0, 1.0, 900.0])
    extra = counts * (digamma(0.5 * roots) - np.log(0.5 * roots) - 1.0)
    sums = Statistics.zero(get_family("full").moments[-1], np.zeros((6, 1)))
    sums.counts[:] = counts
    found = tails.maximize(Statistics(sums.moments, sums.means, sums.sums, None, np.array([counts, extra])))

    def lacks(nu: float, which: int) -> float:
        return float(np.log(0.5 * nu) - digamma(0.5 * nu) + 1.0 + extra[which] / counts[which])

    for which in range(4):
        wanted = brentq(lacks, 1.0, 400.0, args=(which,), xtol=1e-13)
        assert found.freedom[which] == pytest.approx(wanted, rel=1e-11)
    assert found.freedom[4:].tolist() == [2.0, 200.0]  # beyond the bounds, and without a row
