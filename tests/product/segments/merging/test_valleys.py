"""The density between two components."""

from __future__ import annotations

import numpy as np
import pytest

from mixtura import Mixture
from mixtura.segments.merging.valleys import valley_between


@pytest.mark.parametrize("apart", [2.0, 2.5, 3.0, 4.0, 6.0])
def test_equal_gaussians_have_the_valley_of_the_closed_form(apart: float) -> None:
    """In the middle the density is phi(d / 2); the peaks are found on a fine grid."""
    mixture = Mixture.from_parameters([0.5, 0.5], [[0.0], [apart]], [1.0, 1.0], "spherical")
    grid = np.exp(mixture.log_density(np.linspace(-1, apart + 1, 4001)[:, None]))
    middle = np.exp(-(apart**2) / 8) / np.sqrt(2 * np.pi)
    assert valley_between(mixture, [0], [1]) == pytest.approx(middle / grid.max(), abs=0.01)


def test_the_way_bends_with_the_covariances() -> None:
    """Two long components at a right angle that meet at their ends: a straight way leaves them, the ridgeline not."""
    means, covariances = [[5.0, 0.0], [0.0, 5.0]], [[[9.0, 0], [0, 0.1]], [[0.1, 0], [0, 9.0]]]
    mixture = Mixture.from_parameters([0.5, 0.5], means, covariances, "full")
    line = np.linspace(0, 1, 101)[:, None] * (np.array(means[1]) - means[0]) + means[0]
    straight = np.exp(mixture.log_density(line))
    # Along the components and around the corner, where both are dense: half of the way, the other is its mirror image.
    bent = np.column_stack([np.linspace(5, 0, 2001), np.zeros(2001)])
    around = np.exp(mixture.log_density(bent))
    assert straight.min() / straight.max() < 0.01
    assert valley_between(mixture, [0], [1]) == pytest.approx(around.min() / around.max(), rel=0.05)


def test_a_cluster_is_reached_over_its_nearest_component() -> None:
    chain = Mixture.from_parameters([0.4, 0.3, 0.3], [[0.0], [2.0], [9.0]], [1.0, 1.0, 1.0], "spherical")
    assert valley_between(chain, [0], [1, 2]) == valley_between(chain, [0], [1])


def test_a_wide_component_over_two_peaks_does_not_hide_the_valley() -> None:
    """From its own mean it hardly falls; from one peak to the other it does, as on a fine grid."""
    mixture = Mixture.from_parameters(
        [0.45, 0.1, 0.45], [[-6.0], [0.0], [6.0]], [1.0, 36.0, 1.0], "spherical"
    )
    grid = np.exp(mixture.log_density(np.linspace(-6, 6, 12_001)[:, None]))
    half = grid[6000:]
    assert half.min() / half[0] > 0.95
    assert valley_between(mixture, [1], [2]) == pytest.approx(half.min() / half[0], rel=1e-3)
    assert valley_between(mixture, [0, 1], [2]) == pytest.approx(grid.min() / grid[-1], rel=1e-3)


def test_two_peaks_are_not_one_over_a_small_one_between_them() -> None:
    """Each half of the way has a shallow valley beside the small peak, and a deep one beside the large ones."""
    mixture = Mixture.from_parameters([0.46, 0.08, 0.46], [[0.0], [3.2], [6.4]], [1.0, 0.5, 1.0], "spherical")
    grid = np.exp(mixture.log_density(np.linspace(0, 6.4, 6401)[:, None]))
    assert valley_between(mixture, [0, 1], [2]) == pytest.approx(grid.min() / grid[0], rel=1e-3)


def test_categories_alone_have_no_valleys() -> None:
    assert np.isnan(
        valley_between(
            Mixture.from_parameters([0.5, 0.5], np.zeros((2, 0)), [1.0, 1.0], "spherical"), [0], [1]
        )
    )
