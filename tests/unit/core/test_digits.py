"""Log densities at ill-conditioned covariances, against 60-digit arithmetic and against integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn.mixture
from sklearn.datasets import load_iris

import mixtura
from exact import exact_log_density, exact_normal_log_density
from mixtura import Mixture
from mixtura.core.covariance.algebra.refinement import refine
from mixtura.core.covariance.factors import Factors, whiten
from mixtura.core.moments import DENSE
from mixtura.kernels import Components, Kernel, Outputs, get_kernel
from mixtura.kernels.native import supported_instruction_sets

D = 7
KERNELS = [("numpy", None), *(("native", name) for name in supported_instruction_sets())]


def covariance(condition: float, seed: int, scales: bool = False) -> Any:
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(D, D)))[0]
    found = (axes * np.logspace(0, -np.log10(condition), D)) @ axes.T
    units = 10.0 ** rng.integers(-6, 7, size=D) if scales else np.ones(D)
    found = found * units[:, None] * units
    return (found + found.T) / 2


def drawn(covariances: Any, means: Any, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    parts = zip(means, covariances, strict=True)
    return np.concatenate([m + rng.normal(size=(12, D)) @ np.linalg.cholesky(c).T for m, c in parts])


@pytest.mark.parametrize("scales", [False, True])
@pytest.mark.parametrize("condition", [1e2, 1e5, 1e8, 1e10, 1e12])
def test_log_densities_have_nine_digits(condition: float, scales: bool) -> None:
    covariances = np.array([covariance(condition, seed, scales) for seed in (0, 1)])
    means = np.sqrt(np.einsum("kii->ki", covariances)) * np.array([[0.0], [2.0]])
    weights, rows = np.array([0.25, 0.75]), drawn(covariances, means, 2)
    wanted = exact_log_density(rows, weights, means, covariances)
    found = Mixture.from_parameters(weights, means, covariances).log_density(rows)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-9)
    tied = Mixture.from_parameters(weights, means, covariances[0], "tied").log_density(rows)
    wanted = exact_log_density(rows, weights, means, covariances[[0, 0]])
    np.testing.assert_allclose(tied, wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("name", "instruction_set"), KERNELS)
def test_every_kernel_has_them(name: str, instruction_set: str | None) -> None:
    kernel: Kernel = (
        get_kernel(name, instruction_set=instruction_set) if instruction_set else get_kernel(name)
    )
    one = covariance(1e12, 3)
    mean, rows = np.ones(D), drawn([one], [np.ones(D)], 4)
    mixture = Mixture.from_parameters([1.0], mean[None], one[None])
    components: Components = mixture.components(DENSE)
    found = np.empty(len(rows))
    kernel.accumulate(rows, None, components, None, Outputs(log_density=found))
    np.testing.assert_allclose(found, exact_normal_log_density(rows, mean, one), rtol=0, atol=1e-9)


def test_a_covariance_of_whole_numbers_has_a_density_of_whole_numbers() -> None:
    """``Sigma = 3 M M^T``, M unit lower triangular: at ``x = M z`` the squared distance is ``z^T z / 3``."""
    rng = np.random.default_rng(0)
    lower = np.tril(rng.integers(-9, 10, size=(D, D)), -1) + np.eye(D, dtype=int)
    z = rng.integers(-2, 3, size=(20, D))
    mixture = Mixture.from_parameters([1.0], np.zeros((1, D)), 3 * (lower @ lower.T)[None])
    assert np.linalg.cond(lower @ lower.T) > 1e10
    wanted = -(z * z).sum(axis=1) / 6 - D / 2 * np.log(2 * np.pi * 3)
    np.testing.assert_allclose(mixture.log_density(z @ lower.T), wanted, rtol=1e-10)


def test_a_plain_factorization_would_not_do() -> None:
    """The control: what was refined is what these tests measure."""
    one = covariance(1e12, 5)
    rows = drawn([one], [np.zeros(D)], 6)
    mixture = Mixture.from_parameters([1.0], np.zeros((1, D)), one[None])
    plain = Mixture(mixture.weights, mixture.means, mixture.covariances, mixture.family, whiten(one[None]))
    wanted = exact_normal_log_density(rows, np.zeros(D), one)
    assert np.abs(plain.log_density(rows) - wanted).max() > 1e-7
    np.testing.assert_allclose(plain.refined().log_density(rows), wanted, rtol=0, atol=1e-9)


def test_fits_end_refined() -> None:
    iris = load_iris().data
    rows = np.column_stack(
        [iris, iris @ [1.0, -2.0, 0.5, 1.0] + 1e-6 * np.random.default_rng(0).normal(size=150)]
    )
    model = mixtura.GaussianMixture(2, covariance_type="tied", reg_covar=1e-12, random_state=0).fit(rows)
    assert np.linalg.cond(model.covariances_) > 1e10
    wanted = exact_log_density(rows[:20], model.weights_, model.means_, model.covariances_[None])
    np.testing.assert_allclose(model.score_samples(rows[:20]), wanted, rtol=0, atol=1e-9)
    theirs = sklearn.mixture.GaussianMixture(2, covariance_type="tied", reg_covar=1e-12, random_state=0).fit(
        rows
    )
    np.testing.assert_allclose(model.score(rows), theirs.score(rows), rtol=1e-3)


def test_well_conditioned_factors_stay_as_they_are() -> None:
    matrices = np.array([covariance(10.0, 0), covariance(1e9, 1)])
    factors = whiten(matrices)
    refined = refine(matrices, factors)
    np.testing.assert_array_equal(refined.whitening[0], factors.whitening[0])
    assert (refined.whitening[1] != factors.whitening[1]).any()
    assert refine(matrices[:1], whiten(matrices[:1])).whitening is not None
    whitened = refined.whitening @ matrices @ refined.whitening.transpose(0, 2, 1)
    np.testing.assert_allclose(whitened, np.eye(D)[None].repeat(2, axis=0), atol=1e-6)


def test_a_matrix_that_only_rounding_makes_positive_definite_keeps_its_factor() -> None:
    singular = np.array([[1.0, 1.0], [1.0, 1.0]])
    factors = Factors(np.array([[[1.0, 0.0], [-1e8, 1e8]]]), np.log([1e8]))
    assert (refine(singular[None], factors).whitening == factors.whitening).all()
