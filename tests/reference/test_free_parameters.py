"""The number of free parameters, from the literature.

Celeux and Govaert (1995), table 1: with ``alpha = K D + K - 1`` of the weights and means and ``beta = D (D + 1) / 2``,
the fourteen counts are, in the order below, alpha + 1, alpha + K, alpha + D, alpha + D + K - 1, alpha + K D - K + 1,
alpha + K D, alpha + beta, alpha + beta + K - 1, alpha + beta + (K - 1)(D - 1), alpha + beta + (K - 1) D,
alpha + K beta - (K - 1) D, alpha + K beta - (K - 1)(D - 1), alpha + K beta - (K - 1) and alpha + K beta. The numbers
were written down from these; mclust's ``nMclustParams`` gives the same wherever it is defined.
"""

from __future__ import annotations

import numpy as np
import pytest

from mixtura import GaussianMixture
from mixtura.core.covariance import MCLUST_NAMES, get_family
from naive import LETTERS, naive_n_parameters

SIZES = ((1, 1), (3, 1), (1, 2), (2, 2), (3, 4), (9, 6), (5, 10))
"""Components and columns."""

FREE_PARAMETERS = {
    "EII": (2, 6, 3, 6, 15, 63, 55),
    "VII": (2, 8, 3, 7, 17, 71, 59),
    "EEI": (2, 6, 4, 7, 18, 68, 64),
    "VEI": (2, 8, 4, 8, 20, 76, 68),
    "EVI": (2, 6, 4, 8, 24, 108, 100),
    "VVI": (2, 8, 4, 9, 26, 116, 104),
    "EEE": (2, 6, 5, 8, 24, 83, 109),
    "VEE": (2, 8, 5, 9, 26, 91, 113),
    "EVE": (2, 6, 5, 9, 30, 123, 145),
    "VVE": (2, 8, 5, 10, 32, 131, 149),
    "EEV": (2, 6, 5, 9, 36, 203, 289),
    "VEV": (2, 8, 5, 10, 38, 211, 293),
    "EVV": (2, 6, 5, 10, 42, 243, 325),
    "VVV": (2, 8, 5, 11, 44, 251, 329),
}


def test_the_table_holds_every_family() -> None:
    assert tuple(FREE_PARAMETERS) == MCLUST_NAMES


@pytest.mark.parametrize("name", [*MCLUST_NAMES, *LETTERS, "E", "V"])
def test_free_parameters(name: str) -> None:
    letters = {**LETTERS, "E": "EII", "V": "VII"}.get(name, name)
    sizes = SIZES[:2] if name in ("E", "V") else SIZES
    for (k, d), wanted in zip(sizes, FREE_PARAMETERS[letters], strict=False):
        assert k - 1 + k * d + get_family(name).n_parameters(k, d) == wanted
        assert naive_n_parameters(letters, k, d) == wanted


@pytest.mark.parametrize("name", MCLUST_NAMES)
def test_a_fit_counts_them(name: str) -> None:
    rng = np.random.RandomState(0)
    X = rng.standard_normal((150, 4)) + 6 * rng.randint(3, size=(150, 1))
    model = GaussianMixture(3, covariance_type=name, random_state=0).fit(X)
    assert model.mixture_.n_parameters == FREE_PARAMETERS[name][SIZES.index((3, 4))]
    assert model.bic(X) - model.aic(X) == pytest.approx(model.mixture_.n_parameters * (np.log(150) - 2))
