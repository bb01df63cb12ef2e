"""A Gaussian model is what its parts are: moments of its structure, the M-step, the prior, its parameters."""

from __future__ import annotations

import numpy as np
import pytest

from mixtura.core.accumulate import accumulate
from mixtura.core.covariance import FAMILIES, get_family
from mixtura.core.maximize import maximize
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.moments import DENSE
from mixtura.core.prior import Conjugate, Ridge
from mixtura.core.protocols import Block
from mixtura.kernels import get_kernel
from naive import naive_e_step, naive_m_step, naive_n_parameters

K, D, N = 2, 3, 80


def rows() -> np.ndarray:
    rng = np.random.RandomState(0)
    return rng.standard_normal((N, D)) + 3.0 * rng.randint(2, size=(N, 1))


def block_of(X: np.ndarray) -> Block:
    return Block(X, None, 0, 0)


def some_mixture(name: str) -> Mixture:
    family = get_family(name)
    one = np.eye(D) if family.stores_matrices else np.array(1.0)
    covariances = np.broadcast_to(one, family.storage.shape(K, D))
    means = np.array([[0.0, 0.5, 0.0], [3.0, 2.5, 3.0]])
    return Mixture.from_parameters([0.4, 0.6], means, covariances, name)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_model_is_its_parts(name: str) -> None:
    model = GaussianModel(K, get_family(name), Ridge(1e-6))
    assert model.moments == get_family(name).moments
    assert model.n_parameters(D) == naive_n_parameters(name, K, D)
    assert model.log_prior(some_mixture(name)) == 0.0
    variances = np.ones(D)
    assert model.is_precise(some_mixture(name), 1e5 * variances)
    assert not model.is_precise(some_mixture(name), np.array([1.0, 1.0, 1e7]) * variances)


@pytest.mark.parametrize("name", ["full", "diag", "spherical"])
def test_one_step_of_a_model_is_a_step_of_the_loop_over_rows(name: str) -> None:
    model, mixture, X = GaussianModel(K, get_family(name), Ridge(0.1)), some_mixture(name), rows()
    block = block_of(X)
    sums = accumulate(block, model.components(mixture, model.moments[0]), get_kernel("numpy"))
    found, repairs = model.maximize(sums, mixture)
    _, memberships = naive_e_step(X, mixture.weights, mixture.means, mixture.full_covariances())
    weights, means, covariances = naive_m_step(name, X, np.ones(N), memberships, 0.1)
    np.testing.assert_allclose(found.weights, weights, rtol=1e-9)
    np.testing.assert_allclose(found.means, means, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.covariances, covariances, rtol=1e-9, atol=1e-12)
    assert repairs == ()


def test_the_prior_is_part_of_the_model() -> None:
    prior = Conjugate(np.zeros(D), np.eye(D), D + 2.0, 0.01)
    model, mixture = GaussianModel(K, get_family("full"), prior), some_mixture("full")
    sums = accumulate(block_of(rows()), model.components(mixture, DENSE), get_kernel("numpy"))
    wanted = maximize(sums, get_family("full"), prior, mixture)[0]
    np.testing.assert_array_equal(model.maximize(sums, mixture)[0].covariances, wanted.covariances)
    assert model.log_prior(mixture) == prior.log_density(mixture) != 0.0
