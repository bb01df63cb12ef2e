"""What is asked of a mixture, against scipy, numerical integration and large samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

from mixtura import Mixture
from mixtura.core.covariance import FAMILIES, get_family
from naive import naive_structures

TYPES = tuple(FAMILIES)
STAYS = {"full": 3, "tied": 3, "VEE": 3, "EVV": 3, "diag": 2, "EEI": 2, "VEI": 2, "EVI": 2}
"""Whether a family allows any square map, or different units of the columns; else one unit only."""

K, D = 3, 3
WEIGHTS = np.array([0.5, 0.2, 0.3])
MEANS = np.array([[0.0, 1.0, -1.0], [2.0, -1.0, 0.5], [-2.0, 0.0, 3.0]])


@pytest.fixture(params=TYPES)
def mixture(request: pytest.FixtureRequest) -> Mixture:
    family, rng = get_family(request.param), np.random.RandomState(3)
    full = naive_structures(request.param, K, D, lambda size: 0.6 * rng.standard_normal(size))
    covariances = full if family.stores_matrices else np.einsum("kii->ki", full)
    covariances = {"tied": full[0], "spherical": full[:, 0, 0]}.get(request.param, covariances)
    return Mixture.from_parameters(WEIGHTS, MEANS, covariances, request.param)


def rows() -> Any:
    return np.random.RandomState(0).standard_normal((20, D)) * 2


def scipy_log_parts(weights: Any, means: Any, full: Any, X: Any) -> Any:
    """``log w_k N(x; m_k, S_k)``, (N, K)."""
    return np.column_stack(
        [
            np.log(w) + multivariate_normal(m, c).logpdf(X).reshape(len(X))
            for w, m, c in zip(weights, means, full, strict=True)
        ]
    )


def test_densities_and_responsibilities(mixture: Mixture) -> None:
    X = rows()
    logs = scipy_log_parts(WEIGHTS, MEANS, mixture.full_covariances(), X)
    wanted = logsumexp(logs, axis=1)
    np.testing.assert_allclose(mixture.log_density(X), wanted, rtol=1e-12)
    np.testing.assert_allclose(mixture.responsibilities(X), np.exp(logs - wanted[:, None]), rtol=1e-9)
    np.testing.assert_array_equal(mixture.predict(X), logs.argmax(axis=1))
    weight = np.arange(1.0, 21.0)
    np.testing.assert_allclose(mixture.log_likelihood(X), wanted.sum(), rtol=1e-12)
    np.testing.assert_allclose(mixture.log_likelihood(X.tolist(), weight), weight @ wanted, rtol=1e-12)


def test_float32_rows_are_computed_in_float64(mixture: Mixture) -> None:
    X = rows().astype(np.float32)
    np.testing.assert_array_equal(mixture.log_density(X), mixture.log_density(X.astype(np.float64)))


@pytest.mark.parametrize("columns", [[0], [2], [2, 0], [1, 2, 0]])
def test_a_marginal_forgets_columns(mixture: Mixture, columns: list[int]) -> None:
    marginal = mixture.marginal(columns)
    assert marginal.covariance_type == mixture.family.general
    X = rows()[:, columns]
    full = mixture.full_covariances()[:, np.array(columns)[:, None], columns]
    logs = scipy_log_parts(WEIGHTS, MEANS[:, columns], full, X)
    np.testing.assert_allclose(marginal.log_density(X), logsumexp(logs, axis=1), rtol=1e-12)


def test_a_marginal_is_the_integral(mixture: Mixture) -> None:
    pair, one = mixture.marginal([0, 1]), mixture.marginal([1])
    for y in (-1.0, 0.3, 2.0):
        area = quad(lambda x, y=y: float(np.exp(pair.log_density([[x, y]])[0])), -40, 40, points=[-2, 0, 2])[
            0
        ]
        np.testing.assert_allclose(area, np.exp(one.log_density([[y]])[0]), rtol=1e-8)


@pytest.mark.parametrize(("columns", "values"), [([1], [0.4]), ([2, 0], [3.0, -1.0]), ([0], [30.0])])
def test_a_conditional_is_joint_by_marginal(
    mixture: Mixture, columns: list[int], values: list[float]
) -> None:
    """``p(rest | given) = p(rest, given) / p(given)``, everywhere."""
    rest = [j for j in range(D) if j not in columns]
    X = rows()
    X[:, columns] = values
    conditional = mixture.conditional(columns, values)
    wanted = mixture.log_density(X) - mixture.marginal(columns).log_density([values])
    np.testing.assert_allclose(conditional.log_density(X[:, rest]), wanted, rtol=1e-9)
    assert conditional.weights.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("shift", [0.0, [5.0, -1.0, 2.0]])
@pytest.mark.parametrize("matrix", [np.array([2.0, -0.5, 3.0]), np.full(3, -2.0), np.triu(np.ones((3, 3)))])
def test_an_affine_map_carries_density_along(mixture: Mixture, matrix: Any, shift: Any) -> None:
    mapped = mixture.affine(matrix, shift)
    square = np.diag(matrix) if matrix.ndim == 1 else matrix
    X = rows()
    wanted = mixture.log_density(X) - np.linalg.slogdet(square)[1]
    np.testing.assert_allclose(mapped.log_density(X @ square.T + shift), wanted, rtol=1e-9)
    stays = STAYS.get(mixture.covariance_type, 1)
    rank = 3 if matrix.ndim == 2 else 2 if np.ptp(matrix) else 1
    assert mapped.covariance_type == (mixture.covariance_type if rank <= stays else "full")


def test_a_projection_to_one_direction(mixture: Mixture) -> None:
    direction = np.array([[1.0, -2.0, 0.5]])
    mapped = mixture.affine(direction, [10.0])
    means = MEANS @ direction[0] + 10
    deviations = np.sqrt(direction @ mixture.full_covariances() @ direction.T)[:, 0, 0]
    x = np.linspace(-5, 25, 7)
    wanted = (WEIGHTS * norm(means, deviations).pdf(x[:, None])).sum(axis=1)
    np.testing.assert_allclose(np.exp(mapped.log_density(x[:, None])), wanted, rtol=1e-10)


def test_draws_have_the_moments(mixture: Mixture) -> None:
    n = 60_000
    X, y = mixture.sample(n, random_state=0)
    shares = np.bincount(y, minlength=K) / n
    np.testing.assert_allclose(shares, WEIGHTS, atol=5 * np.sqrt(0.25 / n))
    mean = WEIGHTS @ MEANS
    apart = MEANS - mean
    full = np.einsum("k,kij->ij", WEIGHTS, mixture.full_covariances() + apart[:, :, None] * apart[:, None, :])
    np.testing.assert_allclose(X.mean(axis=0), mean, atol=5 * np.sqrt(full.diagonal().max() / n))
    np.testing.assert_allclose(np.cov(X.T), full, atol=5 * np.sqrt(3 / n) * full.diagonal().max())
    np.testing.assert_array_equal(y, np.sort(y))
    rng = np.random.RandomState(0)
    again, labels = mixture.sample(n, rng)
    np.testing.assert_array_equal(again, X)
    np.testing.assert_array_equal(labels, y)
    assert not np.array_equal(mixture.sample(5, rng)[0], again[:5])
