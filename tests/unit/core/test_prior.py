"""Priors of covariances: what they are made of, and that M-steps with them are the best there are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import invgamma, invwishart, multivariate_normal, norm

from mixtura.core.accumulate import AccumulateGiven
from mixtura.core.covariance import FAMILIES, get_family
from mixtura.core.floor import CovarianceFloor
from mixtura.core.maximize import maximize
from mixtura.core.mixture import Mixture
from mixtura.core.moments import DENSE, DIAGONAL
from mixtura.core.prior import Conjugate, Floor, Ridge
from mixtura.core.protocols import Block
from mixtura.core.statistics import Statistics
from mixtura.engine import as_data
from mixtura.exceptions import ParameterError
from mixtura.kernels import get_kernel
from naive import (
    LETTERS,
    naive_best_structure,
    naive_covariances,
    naive_n_numbers,
    naive_structure_loss,
    naive_structures,
)

K, D = 2, 2
FRACTION = 1e-2


def total_of(rows: Any, weights: Any = None) -> Statistics:
    return as_data(rows, weights).total


def statistics_of(family: Any, rows: Any, shares: Any) -> Statistics:
    """About points that are not the means, with the family's cheapest moments."""
    moments = family.moments[0]
    means = np.full((shares.shape[1], rows.shape[1]), 0.3)
    block = Block(rows, None, 0, 0)
    found = AccumulateGiven(means, moments.gathered, get_kernel("numpy"))(block, shares)
    return found.complete(total_of(rows)) if moments.needs_total else found


def some_rows(spike: bool = False) -> tuple[Any, Any]:
    rng = np.random.RandomState(3)
    rows = rng.standard_normal((40, D)) @ np.array([[1.0, 0.4], [0.0, 2.0]]) + 5
    shares = rng.dirichlet(np.ones(K), size=40)
    if spike:
        rows[:15, 1] = 5.0
        shares[:15], shares[15:] = [1.0, 0.0], [0.0, 1.0]
    return rows, shares


def test_the_floor_is_a_fraction_of_the_datas_covariance() -> None:
    rows, weights = some_rows()[0], np.linspace(0.5, 3, 40)
    floor = Floor.of(total_of(rows, weights), 1e-4)
    wanted = 1e-4 * np.cov(rows.T, aweights=weights, ddof=0)
    np.testing.assert_allclose(floor.floor.root @ floor.floor.root.T, wanted, rtol=1e-12)
    np.testing.assert_allclose(floor.floor.variances, wanted.diagonal(), rtol=1e-12)
    np.testing.assert_allclose(floor.floor.spherical, wanted.trace() / D, rtol=1e-12)
    np.testing.assert_allclose(floor.floor.spectrum, np.linalg.eigvalsh(wanted), rtol=1e-10)
    assert floor.ridge == 0
    assert floor.least_variance == pytest.approx(wanted.diagonal().min())


@pytest.mark.parametrize("fraction", [0.0, -1e-8, 0.5, float("nan")])
def test_a_fraction_out_of_range_is_refused(fraction: float) -> None:
    with pytest.raises(ParameterError, match="must be above 0 and at most"):
        Floor.of(total_of(some_rows()[0]), fraction)


def test_priors_are_made_from_dense_statistics_of_all_rows() -> None:
    with pytest.raises(ParameterError, match="dense statistics of all rows"):
        Floor.of(Statistics.zero(DIAGONAL, np.zeros((1, 2))))
    with pytest.raises(ParameterError, match="dense statistics of all rows"):
        Conjugate.of(Statistics.zero(DENSE, np.zeros((2, 2))), 2)


@pytest.mark.parametrize("constant", [0.0, 7.0, -1e9])
def test_a_constant_column_has_a_floor_and_changes_no_other(constant: float) -> None:
    rows = some_rows()[0]
    floor, wide = (
        Floor.of(total_of(table)) for table in (rows, np.column_stack([rows, np.full(40, constant)]))
    )
    np.testing.assert_allclose(wide.floor.variances[:2], floor.floor.variances, rtol=1e-12)
    assert 0 < wide.floor.variances[2] <= floor.floor.variances.max()
    assert (wide.floor.root[2, :2] == 0).all()


def test_all_columns_constant() -> None:
    floor = Floor.of(total_of(np.tile([0.0, 3.0], (10, 1))))
    np.testing.assert_allclose(floor.floor.variances, [1e-8, 9e-8])
    assert floor.floor.spherical > 0


def test_collinear_columns_have_a_floor_in_every_direction() -> None:
    rows = some_rows()[0]
    rows = np.column_stack([rows, rows @ [1.0, -2.0]])
    for floor in (Floor.of(total_of(rows)), Floor.of(total_of(rows * [1e-4, 1.0, 1e4]))):
        deviations = np.sqrt(floor.floor.variances / 1e-8)
        relative = floor.floor.root / deviations[:, None]
        assert np.linalg.eigvalsh(relative @ relative.T)[0] == pytest.approx(1e-10, rel=1e-3)


def loss_above(full: Any, counts: Any, own: Any) -> float:
    """``sum_k n_k (log|Sigma_k| + tr(S_k Sigma_k^-1))``."""
    return sum(
        n * (np.linalg.slogdet(c)[1] + np.trace(np.linalg.solve(c, s)))
        for n, c, s in zip(counts, full, own, strict=True)
    )


def best_above(name: str, counts: Any, own: Any, bound: Any, start: Any) -> float:
    """The least loss above the bound that a general minimizer finds, by a penalty for going below."""
    size = naive_n_numbers(name, K, D)

    def build(numbers: Any) -> Any:
        left = iter(numbers)
        return naive_structures(name, K, D, lambda n: np.array([next(left) for _ in range(n)]))

    letters = LETTERS.get(name, name)

    def below(full: Any) -> Any:
        """How far below the bound, as logarithms: relative to it, along columns, of balls, in ordered spectra."""
        if letters.endswith("II"):
            values = full[:, :1, 0] / bound.spherical
        elif letters[2] == "I":
            values = np.einsum("kii->ki", full) / bound.variances
        elif letters[1:] == "EV":
            values = np.linalg.eigvalsh(full) / bound.spectrum
        else:
            values = np.linalg.eigvalsh(bound.whiten(full))
        return np.minimum(np.log(np.maximum(values, 1e-300)), 0.0)

    def penalized(numbers: Any, penalty: float) -> float:
        full = build(numbers)
        if not np.linalg.cond(full).max() < 1e14:
            return 1e10
        return loss_above(full, counts, own) + penalty * (below(full) ** 2).sum()

    rng, found = np.random.RandomState(0), []
    for _ in range(4):
        numbers = rng.standard_normal(size)
        for penalty in (1e1, 1e3, 1e5, 1e7):
            numbers = minimize(penalized, numbers, args=(penalty,)).x
        found.append(penalized(numbers, 1e7))
    return float(min(found))


# Along shared axes the bound turns with them: that is no fixed set of covariances, and no minimizer to compare with.
FIXED = [name for name in FAMILIES if name not in ("EVE", "VVE")]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("spike", [True, False])
@pytest.mark.parametrize("name", FIXED)
def test_the_estimate_above_a_bound_is_the_best(name: str, spike: bool) -> None:
    family = get_family(name)
    rows, shares = some_rows(spike)
    counts, means = shares.sum(axis=0), shares.T @ rows / shares.sum(axis=0)[:, None]
    bound = Floor.of(total_of(rows), FRACTION).floor
    statistics = statistics_of(family, rows, shares)
    found = family.storage.full(family.estimate_constrained(statistics, means, bound), K, D)
    own = naive_covariances("full", rows, np.ones(40), shares, means, 0.0)
    least = best_above(name, counts, own, bound, found)
    assert loss_above(found, counts, own) == pytest.approx(least, abs=2e-3)
    if not spike:
        free = family.storage.full(family.estimate(statistics, means, Ridge(0.0)), K, D)
        np.testing.assert_allclose(found, free, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", FAMILIES)
def test_previous_covariances_are_never_better(name: str) -> None:
    """From wherever it begins, as long as that keeps the bound."""
    family = get_family(name)
    rows, shares = some_rows(spike=True)
    counts, means = shares.sum(axis=0), shares.T @ rows / shares.sum(axis=0)[:, None]
    bound = Floor.of(total_of(rows), FRACTION).floor
    own = naive_covariances("full", rows, np.ones(40), shares, means, 0.0)
    for seed in range(5):
        other = np.random.RandomState(seed).dirichlet(np.full(K, 0.3), size=40)
        centers = other.T @ rows / other.sum(axis=0)[:, None]
        previous = family.estimate_constrained(statistics_of(family, rows, other), centers, bound)
        found = family.estimate_constrained(statistics_of(family, rows, shares), means, bound, previous)
        before, after = (loss_above(family.storage.full(c, K, D), counts, own) for c in (previous, found))
        assert after <= before + 1e-9


@pytest.mark.parametrize("name", FAMILIES)
def test_a_floor_that_does_not_bind_changes_no_digit(name: str) -> None:
    family = get_family(name)
    rows, shares = some_rows()
    statistics = statistics_of(family, rows, shares)
    free, _ = maximize(statistics, family, Ridge(0.0))
    bounded, repairs = maximize(statistics, family, Floor.of(total_of(rows)))
    assert repairs == ()
    np.testing.assert_array_equal(bounded.covariances, free.covariances)
    again, _ = maximize(statistics, family, Floor.of(total_of(rows)), free)
    np.testing.assert_array_equal(
        again.covariances, maximize(statistics, family, Ridge(0.0), free)[0].covariances
    )


@pytest.mark.parametrize("name", FAMILIES)
def test_the_mode_under_the_conjugate_prior(name: str) -> None:
    """The expected log-likelihood plus the log density of the prior is largest, in means and in covariances."""
    family = get_family(name)
    rows, shares = some_rows()
    counts = shares.sum(axis=0)
    prior = Conjugate.of(total_of(rows), K, shrinkage=0.5)
    found, _ = maximize(statistics_of(family, rows, shares), family, prior)
    np.testing.assert_allclose(found.weights, counts / counts.sum(), rtol=1e-12)

    def objective(mixture: Mixture) -> float:
        parts = zip(mixture.means, mixture.full_covariances(), strict=True)
        expected = sum(
            shares[:, k] @ multivariate_normal(m, c).logpdf(rows) for k, (m, c) in enumerate(parts)
        )
        return float(expected + prior.log_density(mixture))

    rng, best = np.random.RandomState(4), objective(found)
    for _ in range(20):
        moved = found.means + 0.01 * rng.standard_normal((K, D))
        assert objective(replace(found, means=moved)) < best
    seen = naive_covariances("full", rows, np.ones(40), shares, found.means, 0.0) * counts[:, None, None]
    wishart = prior.dof + (D + 1 if family.stores_matrices else 2)
    scale = prior.scale if family.stores_matrices else np.eye(D) * prior.scale.trace() / D
    if family.isotropic:
        wishart, scale = wishart / D, scale / D
    apart = found.means - rows.mean(axis=0)
    pull = 0.5 * apart[:, :, None] * apart[:, None, :]
    # One covariance has the prior once, K covariances K times.
    share = 1 / K if family.pooled else 1
    worth = counts + 1 + share * wishart
    own = (seen + pull + share * scale) / worth[:, None, None]
    wanted = naive_structure_loss(naive_best_structure(name, worth, own, starts=2), worth, own)
    assert naive_structure_loss(found.full_covariances(), worth, own) == pytest.approx(wanted, abs=1e-7)


def test_the_prior_density_is_normal_times_inverse_wishart() -> None:
    """Up to a constant: differences between two mixtures, by SciPy's densities."""
    rows = some_rows()[0]
    prior = Conjugate.of(total_of(rows), K)
    rng = np.random.RandomState(5)

    def drawn() -> Mixture:
        full = np.array([np.cov(rng.standard_normal((9, D)).T) for _ in range(K)])
        return Mixture.from_parameters([0.5, 0.5], rng.standard_normal((K, D)), full)

    def wanted(mixture: Mixture) -> float:
        return sum(
            multivariate_normal(prior.center, c / prior.shrinkage).logpdf(m)
            + invwishart(prior.dof, prior.scale).logpdf(c)
            for m, c in zip(mixture.means, mixture.covariances, strict=True)
        )

    a, b = drawn(), drawn()
    assert prior.log_density(a) - prior.log_density(b) == pytest.approx(wanted(a) - wanted(b))


@pytest.mark.parametrize("name", ["diag", "spherical", "EII", "EEI"])
def test_the_prior_density_is_normal_times_inverse_gamma(name: str) -> None:
    prior = Conjugate.of(total_of(some_rows()[0]), K)
    width = prior.scale.diagonal().mean()
    family = get_family(name)

    def wanted(mixture: Mixture) -> float:
        full = mixture.full_covariances()
        own = np.einsum("kii->ki", full)[: 1 if family.pooled else K, : 1 if family.isotropic else D]
        pull = norm(prior.center, np.sqrt(np.einsum("kii->ki", full) / prior.shrinkage)).logpdf(mixture.means)
        return float(pull.sum() + invgamma(prior.dof / 2, scale=width / 2).logpdf(own).sum())

    def mixture(scale: float) -> Mixture:
        covariances = scale * np.ones(family.storage.shape(K, D))
        return Mixture.from_parameters([0.5, 0.5], np.full((K, D), scale), covariances, name)

    a, b = mixture(0.7), mixture(2.0)
    assert prior.log_density(a) - prior.log_density(b) == pytest.approx(wanted(a) - wanted(b))


def test_mclusts_hyperparameters() -> None:
    rows = some_rows()[0]
    prior = Conjugate.of(total_of(rows), 4)
    assert (prior.dof, prior.shrinkage, prior.ridge) == (4.0, 0.01, 0.0)
    np.testing.assert_allclose(prior.center, rows.mean(axis=0))
    np.testing.assert_allclose(prior.scale, np.cov(rows.T) / 4, rtol=1e-10)
    few = Conjugate.of(total_of(rows[:2]), 4)
    np.testing.assert_allclose(few.scale, np.diag(rows[:2].var(axis=0, ddof=1)) / 4, rtol=1e-10)


@pytest.mark.parametrize("n_features", [1, 2, 32, 33, 40])
def test_coordinates_in_which_a_floor_is_the_identity(n_features: int) -> None:
    """By substitution, and by LAPACK where there are many columns: as solved in general."""
    rng = np.random.default_rng(n_features)
    root = np.tril(rng.normal(size=(n_features, n_features))) + 3.0 * np.sqrt(n_features) * np.eye(n_features)
    floor = CovarianceFloor.of(root, (root**2).sum(axis=1), 1.0)
    halves = rng.normal(size=(3, n_features, n_features))
    matrices = halves @ halves.transpose(0, 2, 1)
    inverse = np.linalg.inv(root)
    np.testing.assert_allclose(floor.whiten(matrices), inverse @ matrices @ inverse.T, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(floor.whiten(root @ root.T), np.eye(n_features), rtol=0, atol=1e-12)
