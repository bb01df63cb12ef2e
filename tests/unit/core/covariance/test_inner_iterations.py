"""Newton's method inside an M-step ends where the slow alternation of the literature ends."""

from __future__ import annotations

import numpy as np
import pytest

from mixtura.core.covariance.algebra.common_axes import best_axes
from mixtura.core.covariance.algebra.volumes import (
    alternate_volumes,
    diagonal_volumes,
    unit_volume,
)
from mixtura.kernels import get_algebra
from mixtura.kernels.iterations.angles import axes_loss, newton_step
from mixtura.kernels.numpy_algebra import NumpyAlgebra


def draw_covariances(seed: int, n_components: int, n_features: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n_components, n_features, n_features + 2))
    return factors @ factors.transpose(0, 2, 1) * rng.uniform(0.01, 100, n_components)[:, None, None]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("n_components", "n_features"), [(1, 3), (2, 1), (3, 2), (9, 5), (4, 12)])
def test_volumes_settle_where_the_alternation_ends(seed: int, n_components: int, n_features: int) -> None:
    rng = np.random.default_rng(seed)
    variances = rng.uniform(0.1, 10, (n_components, n_features)) * rng.uniform(0.01, 100, (n_components, 1))
    counts = rng.uniform(1, 1000, n_components)
    volumes, shape = diagonal_volumes(np.ones(n_components), counts, variances)
    slow_volumes, slow_shape = alternate_volumes(
        np.ones(n_components),
        lambda volumes: unit_volume((counts / volumes) @ variances),
        lambda shape: (variances / shape).mean(axis=1),
    )
    np.testing.assert_allclose(volumes, slow_volumes, rtol=1e-9)
    np.testing.assert_allclose(shape, slow_shape, rtol=1e-9)


def test_volumes_that_cannot_be_told_are_left_to_the_alternation() -> None:
    singular = np.repeat(np.diag([1.0, 0.0])[None], 2, axis=0)
    for algebra in (get_algebra(), NumpyAlgebra()):
        assert algebra.volumes(np.ones(2), np.ones(2), singular) is None


@pytest.mark.parametrize("equal_volume", [True, False])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("n_components", "n_features"), [(2, 2), (5, 3), (9, 6), (3, 12)])
def test_axes_settle_no_higher_than_turns_of_planes_leave_them(
    equal_volume: bool, seed: int, n_components: int, n_features: int
) -> None:
    own = draw_covariances(seed, n_components, n_features)
    counts = np.random.default_rng(seed).uniform(1, 1000, n_components)
    begin = np.linalg.eigh(own.mean(axis=0))[1]

    def loss(axes: np.ndarray) -> float:
        along = np.einsum("ji,kjl,li->ki", axes, own, axes)
        return axes_loss(along, counts, equal_volume=equal_volume)[0]

    turned = get_algebra().sweep_axes(begin, counts, own, 1000, equal_volume=equal_volume)
    settled = best_axes(turned, counts, own, 1000, equal_volume=equal_volume)
    np.testing.assert_allclose(settled.T @ settled, np.eye(n_features), atol=1e-12)
    assert loss(settled) <= loss(turned) + 1e-10
    # From the same beginning Newton may find another valley; it never ends above where it began.
    assert loss(best_axes(begin, counts, own, 1000, equal_volume=equal_volume)) <= loss(begin)


@pytest.mark.parametrize("equal_volume", [True, False])
def test_the_newton_step_has_the_derivatives_of_the_loss(equal_volume: bool) -> None:
    """Beside central differences along one plane at a time."""
    own, counts = draw_covariances(3, 4, 3), np.array([5.0, 20.0, 1.0, 9.0])
    turned_to_the_best = get_algebra().sweep_axes(np.eye(3), counts, own, 1000, equal_volume=equal_volume)
    own = turned_to_the_best.T @ own @ turned_to_the_best

    def loss(angle: float, i: int, j: int) -> float:
        rotation = np.eye(3)
        rotation[i, i] = rotation[j, j] = np.cos(angle)
        rotation[i, j], rotation[j, i] = np.sin(angle), -np.sin(angle)
        turned = rotation.T @ own @ rotation
        return axes_loss(np.einsum("kii->ki", turned), counts, equal_volume=equal_volume)[0]

    # From a little off the best axes, one step must land far nearer to them than it began.
    off = 1e-3
    rotation = np.array([[np.cos(off), np.sin(off), 0], [-np.sin(off), np.cos(off), 0], [0, 0, 1]])
    turned = rotation.T @ own @ rotation
    _, shares = axes_loss(np.einsum("kii->ki", turned), counts, equal_volume=equal_volume)
    step, promised = newton_step(turned, shares, equal_volume=equal_volume)
    gained = loss(off, 0, 1) - loss(0.0, 0, 1)
    assert promised == pytest.approx(gained, rel=0.02)
    np.testing.assert_allclose(step, [[0, -off, 0], [off, 0, 0], [0, 0, 0]], atol=0.02 * off)
