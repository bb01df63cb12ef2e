"""Volumes and Newton steps beside slower ways to them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.linalg import expm

from mixtura.core.covariance.algebra.volumes import matrix_volumes
from mixtura.kernels.iterations.angles import axes_loss, cayley, newton_step, planes_of
from mixtura.kernels.iterations.sweeps import disjoint_planes, floored_equal_volume


def draw_covariances(seed: int, n_components: int, n_features: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n_components, n_features, n_features + 2))
    return factors @ factors.transpose(0, 2, 1) * rng.uniform(0.01, 100, n_components)[:, None, None]


def skew(n_features: int, plane: tuple[int, int], angle: float) -> np.ndarray:
    matrix = np.zeros((n_features, n_features))
    matrix[plane], matrix[plane[::-1]] = angle, -angle
    return matrix


@pytest.mark.parametrize("equal_volume", [True, False])
@pytest.mark.parametrize(("n_components", "n_features"), [(1, 2), (2, 3), (5, 4), (9, 6)])
def test_a_newton_step_is_that_of_derivatives_by_differences(
    equal_volume: bool, n_components: int, n_features: int
) -> None:
    """At any axes: ``|H| x = -g`` for the angles x, with the gradient g and the Hessian H of the loss."""
    own = draw_covariances(n_features, n_components, n_features)
    counts = np.random.default_rng(1).uniform(1, 9, n_components)
    planes = list(combinations(range(n_features), 2))

    def loss(generator: np.ndarray) -> float:
        rotation = expm(generator)
        along = np.einsum("ji,kjl,li->ki", rotation, own, rotation)
        return axes_loss(along, counts, equal_volume=equal_volume)[0]

    h = 1e-4
    basis = [skew(n_features, plane, h) for plane in planes]
    gradient = np.array([loss(one) - loss(-one) for one in basis]) / (2 * h)
    hessian = np.array(
        [[loss(a + b) - loss(a - b) - loss(b - a) + loss(-a - b) for b in basis] for a in basis]
    ) / (4 * h**2)
    values, vectors = np.linalg.eigh(hessian)
    _, shares = axes_loss(np.einsum("kii->ki", own), counts, equal_volume=equal_volume)
    step, promised = newton_step(own, shares, equal_volume=equal_volume)
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


@pytest.mark.parametrize("n_features", [1, 2, 5, 8])
def test_rounds_of_disjoint_planes_have_every_plane_once(n_features: int) -> None:
    rounds = [list(zip(a.tolist(), b.tolist(), strict=True)) for a, b in disjoint_planes(n_features)]
    assert all(len({axis for pair in pairs for axis in pair}) == 2 * len(pairs) for pairs in rounds)
    assert sorted(tuple(sorted(pair)) for pairs in rounds for pair in pairs) == list(
        combinations(range(n_features), 2)
    )


@pytest.mark.sampled(4)
@pytest.mark.parametrize("spread", [0.3, 2.0, 40.0])
@pytest.mark.parametrize("middle", [-2.0, 0.0, 2.0])
@pytest.mark.parametrize(("n_components", "n_features"), [(1, 1), (3, 1), (2, 2), (5, 4), (4, 30)])
def test_variances_of_one_volume_above_a_floor_are_the_best(
    n_components: int, n_features: int, middle: float, spread: float
) -> None:
    """Beside bisection of the derivative in the volume, by slow loops."""
    rng = np.random.default_rng(n_features)
    own = np.exp(middle + spread * rng.normal(size=(n_components, n_features)))
    counts = rng.uniform(0.1, 500, n_components)

    def shift(e: np.ndarray, volume: float) -> float:
        low, high = -1e4, 1e4
        for _ in range(200):
            half = 0.5 * (low + high)
            if np.maximum(np.log(e) + half, 0.0).sum() > volume:
                high = half
            else:
                low = half
        return low

    def slope(volume: float) -> float:
        shifts = [min(-shift(e, volume), 600.0) for e in own]
        return sum(n * (1.0 - np.exp(c)) for n, c in zip(counts, shifts, strict=True))

    low, high = 0.0, max(1e-9, *(np.maximum(np.log(e), 0.0).sum() for e in own))
    for _ in range(60):
        half = 0.5 * (low + high)
        low, high = (low, half) if slope(half) > 0 else (half, high)
    found = floored_equal_volume(own, counts)
    assert (found >= 1.0).all()
    np.testing.assert_allclose(np.log(found).sum(axis=1), high, rtol=1e-9, atol=1e-9)
    raised = [np.exp(np.maximum(np.log(e) + shift(e, high), 0.0)) for e in own]
    np.testing.assert_allclose(found, raised, rtol=1e-8)


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
