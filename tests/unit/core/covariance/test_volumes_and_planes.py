"""Volumes and Newton steps beside slower ways to them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.linalg import expm

from mixtura.core.covariance import get_family
from mixtura.core.covariance.algebra.volumes import matrix_volumes
from mixtura.core.covariance.families.eve_vve import _SharedAxes
from mixtura.kernels.angles import cayley, newton_step, planes_of


def draw_covariances(seed: int, n_components: int, n_features: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n_components, n_features, n_features + 2))
    return factors @ factors.transpose(0, 2, 1) * rng.uniform(0.01, 100, n_components)[:, None, None]


def skew(n_features: int, plane: tuple[int, int], angle: float) -> np.ndarray:
    matrix = np.zeros((n_features, n_features))
    matrix[plane], matrix[plane[::-1]] = angle, -angle
    return matrix


@pytest.mark.parametrize("name", ["EVE", "VVE"])
@pytest.mark.parametrize(("n_components", "n_features"), [(1, 2), (2, 3), (5, 4), (9, 6)])
def test_a_newton_step_is_that_of_derivatives_by_differences(
    name: str, n_components: int, n_features: int
) -> None:
    """At any axes: ``|H| x = -g`` for the angles x, with the gradient g and the Hessian H of the loss."""
    family = get_family(name)
    assert isinstance(family, _SharedAxes)
    own = draw_covariances(n_features, n_components, n_features)
    counts = np.random.default_rng(1).uniform(1, 9, n_components)
    planes = list(combinations(range(n_features), 2))

    def loss(generator: np.ndarray) -> float:
        rotation = expm(generator)
        return family.loss_and_shares(np.einsum("ji,kjl,li->ki", rotation, own, rotation), counts)[0]

    h = 1e-4
    basis = [skew(n_features, plane, h) for plane in planes]
    gradient = np.array([loss(one) - loss(-one) for one in basis]) / (2 * h)
    hessian = np.array(
        [[loss(a + b) - loss(a - b) - loss(b - a) + loss(-a - b) for b in basis] for a in basis]
    ) / (4 * h**2)
    values, vectors = np.linalg.eigh(hessian)
    _, shares = family.loss_and_shares(np.einsum("kii->ki", own), counts)
    step, promised = newton_step(own, shares, equal_volume=family.equal_volume)
    np.testing.assert_array_equal(step, -step.T)
    angles = np.array([step[plane] for plane in planes])
    back = vectors @ (np.abs(values) * (vectors.T @ angles))
    np.testing.assert_allclose(back, -gradient, atol=1e-3 * np.abs(gradient).max())
    assert promised == pytest.approx(-0.5 * gradient @ angles, rel=1e-4)


@pytest.mark.parametrize("n_features", [1, 2, 5])
def test_planes_are_paired_where_they_share_an_axis(n_features: int) -> None:
    planes = planes_of(n_features)
    pairs = list(combinations(range(n_features), 2))
    assert list(zip(planes.first.tolist(), planes.second.tolist(), strict=True)) == pairs
    shared = [[bool(set(a) & set(b)) for b in pairs] for a in pairs]
    np.testing.assert_array_equal(planes.signs != 0, np.array(shared).reshape(len(pairs), len(pairs)))


def test_a_cayley_transform_is_a_rotation_and_the_exponential_to_second_order() -> None:
    generator = np.triu(np.random.default_rng(0).normal(size=(4, 4)), 1)
    generator -= generator.T
    rotation = cayley(generator)
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(4), atol=1e-14)
    assert np.abs(cayley(1e-3 * generator) - expm(1e-3 * generator)).max() < 1e-8


@pytest.mark.parametrize("seed", range(3))
def test_volumes_are_roots_of_determinants_in_any_units(seed: int) -> None:
    own = draw_covariances(seed, 4, 3)
    units = np.array([1e-6, 1.0, 1e5])
    wanted = np.exp(np.linalg.slogdet(own)[1] / 3)
    np.testing.assert_allclose(matrix_volumes(own, 0.0), wanted, rtol=1e-12)
    scaled = own * units[:, None] * units
    np.testing.assert_allclose(matrix_volumes(scaled, 0.0), wanted * np.prod(units**2) ** (1 / 3), rtol=1e-10)
    assert matrix_volumes(own[0], 0.0) == pytest.approx(wanted[0])


@pytest.mark.parametrize("smallest", [1e-6, 1e-9, 1e-12])
def test_nearly_singular_matrices_have_volumes_and_singular_ones_have_none(smallest: float) -> None:
    axes = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]
    near = (axes * [smallest, 1.0, 2.0]) @ axes.T
    singular = np.outer(axes[0], axes[0])
    regular = np.diag([1.0, 2.0, 3.0])
    with np.errstate(all="ignore"):
        found = matrix_volumes(np.stack([regular, near, singular]), 0.0)
    np.testing.assert_allclose(found[0], 6 ** (1 / 3), rtol=1e-12)
    np.testing.assert_allclose(found[1], (2 * smallest) ** (1 / 3), rtol=1e-15 / smallest + 1e-12)
    assert np.isnan(found[2])
