"""Whether a criterion separates two models."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from mixtura.select.scores.vuong import NOT_SEPARATED, criterion_separation


def naive_vuong(first, other, n_first: int, n_other: int, weights) -> float:
    """Vuong (1989, equation 5.6) with Schwarz's correction, row by row; a row of weight two stands there twice."""
    ratios = [a - b for a, b, w in zip(first, other, weights, strict=True) for _ in range(w)]
    n = len(ratios)
    corrected = sum(ratios) - (n_first - n_other) / 2 * math.log(n)
    variance = sum(one * one for one in ratios) / n - (sum(ratios) / n) ** 2
    return corrected / (math.sqrt(n) * math.sqrt(variance))


@pytest.mark.parametrize("weights", [[1] * 60, [1, 2, 3] * 20])
def test_it_is_vuongs_statistic_with_schwarzs_correction(weights) -> None:
    rng = np.random.default_rng(0)
    first, other = rng.normal(-1, 1, 60), rng.normal(-1.2, 1, 60)
    counts = np.array(weights, dtype=float)
    total = counts.sum()
    bics = [-2 * counts @ one + size * math.log(total) for one, size in ((first, 5), (other, 3))]
    found = criterion_separation(bics[1] - bics[0], first, other, total, counts)
    assert found == pytest.approx(naive_vuong(first, other, 5, 3, weights), rel=1e-10)


def test_a_sample_of_the_rows_gives_the_error_of_all() -> None:
    rng = np.random.default_rng(1)
    first, other = rng.normal(size=40_000), rng.normal(size=40_000)
    whole = criterion_separation(500.0, first, other, 40_000.0)
    assert criterion_separation(500.0, first[:4_000], other[:4_000], 40_000.0) == pytest.approx(
        whole, rel=0.05
    )


def test_equal_densities_are_separated_by_their_parameters_alone() -> None:
    same = np.linspace(-3, 0, 10)
    assert criterion_separation(7.0, same, same, 10.0) == np.inf
    assert criterion_separation(0.0, same, same, 10.0) == 0.0


def test_the_limit_is_that_of_five_percent() -> None:
    assert norm.ppf(0.975) == pytest.approx(NOT_SEPARATED, abs=1e-4)
