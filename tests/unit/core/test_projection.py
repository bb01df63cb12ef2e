"""Discriminant directions and contributions of columns: what must hold whatever the mixture."""

from __future__ import annotations

import numpy as np
import pytest

from mixtura import Mixture
from mixtura.core.explanation.contributions import column_contributions
from mixtura.core.projection import discriminant_projection, total_moments
from mixtura.exceptions import ParameterError


@pytest.fixture
def mixture() -> Mixture:
    rng = np.random.default_rng(3)
    roots = rng.normal(size=(3, 5, 5))
    covariances = roots @ roots.transpose(0, 2, 1) + 0.3 * np.eye(5)
    return Mixture.from_parameters([0.5, 0.3, 0.2], rng.normal(size=(3, 5)) * 3, covariances)


def test_moments_are_those_of_many_rows(mixture: Mixture) -> None:
    rows, _ = mixture.sample(400_000, 0)
    center, covariance = total_moments(mixture)
    deviations = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose((rows.mean(axis=0) - center) / deviations, 0, atol=0.01)
    np.testing.assert_allclose((np.cov(rows.T) - covariance) / np.outer(deviations, deviations), 0, atol=0.01)


def test_directions_solve_the_eigenproblem_of_the_paper(mixture: Mixture) -> None:
    """M v = l Sigma v, with M written out as in Scrucca (2010)."""
    found = discriminant_projection(mixture, 5)
    center, total = total_moments(mixture)
    inverse, covariances = np.linalg.inv(total), mixture.full_covariances()
    between = sum(
        w * np.outer(m - center, m - center) for w, m in zip(mixture.weights, mixture.means, strict=True)
    )
    mean = np.einsum("k,kij->ij", mixture.weights, covariances)
    spread = sum(
        w * (c - mean) @ inverse @ (c - mean) for w, c in zip(mixture.weights, covariances, strict=True)
    )
    kernel = between @ inverse @ between + spread
    np.testing.assert_allclose(kernel @ found.basis, total @ found.basis * found.eigenvalues, atol=1e-9)
    np.testing.assert_allclose(found.basis.T @ total @ found.basis, np.eye(5), atol=1e-9)
    assert (np.diff(found.eigenvalues) <= 0).all()


def test_units_do_not_matter(mixture: Mixture) -> None:
    rows, _ = mixture.sample(50, 1)
    scale = np.array([1e-6, 1.0, 1e6, 3.0, 0.1])
    plain, other = discriminant_projection(mixture), discriminant_projection(mixture.affine(scale))
    np.testing.assert_allclose(other.apply(rows * scale), plain.apply(rows), atol=1e-8)
    np.testing.assert_allclose(other.loadings, plain.loadings, atol=1e-8)


def test_the_projected_mixture_is_that_of_the_coordinates(mixture: Mixture) -> None:
    found = discriminant_projection(mixture, 5)
    rows, _ = mixture.sample(20, 2)
    # All five directions keep everything.
    np.testing.assert_allclose(
        found.mixture(mixture).responsibilities(found.apply(rows)), mixture.responsibilities(rows), atol=1e-9
    )


def test_what_is_missing_is_filled_with_the_widest_direction() -> None:
    mixture = Mixture.from_parameters([1.0], [[0.0, 0, 0]], [[[1, 0.9, 0], [0.9, 1, 0], [0, 0, 4]]])
    found = discriminant_projection(mixture)
    assert found.eigenvalues.tolist() == [0, 0]
    np.testing.assert_allclose(np.abs(found.loadings[:, 0]), [np.sqrt(0.5), np.sqrt(0.5), 0], atol=1e-12)
    np.testing.assert_allclose(np.abs(found.loadings[:, 1]), [0, 0, 1], atol=1e-12)


@pytest.mark.parametrize("wrong", [{"n_directions": 0}, {"n_directions": 6}, {"location_share": 1.5}])
def test_what_cannot_be_is_told(mixture: Mixture, wrong: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        discriminant_projection(mixture, **wrong)


def test_contributions_sum_to_the_squared_distance(mixture: Mixture) -> None:
    rows, _ = mixture.sample(30, 4)
    parts = column_contributions(mixture, rows)
    inverses = np.linalg.inv(mixture.full_covariances())
    expected = np.zeros(30)
    for n, row in enumerate(rows):
        for k, share in enumerate(mixture.responsibilities(rows[n : n + 1])[0]):
            off = row - mixture.means[k]
            expected[n] += share * off @ inverses[k] @ off
    assert (parts >= 0).all()
    np.testing.assert_allclose(parts.sum(axis=1), expected, rtol=1e-9)


def test_contributions_do_not_depend_on_units(mixture: Mixture) -> None:
    rows, _ = mixture.sample(10, 5)
    scale = np.array([1e-3, 1.0, 1e5, 3.0, 0.1])
    np.testing.assert_allclose(
        column_contributions(mixture.affine(scale), rows * scale),
        column_contributions(mixture, rows),
        rtol=1e-6,
    )
