"""Classification statistics, against their definitions row by row."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mixtura.segments import measure_certainty
from mixtura.segments.certainty.classification import classification_of


def naive(memberships: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    """Latent GOLD's statistics, customer by customer (Vermunt and Magidson 2016, section 7)."""
    total = sum(weights)
    shares = [sum(w * row[k] for w, row in zip(weights, memberships, strict=True)) / total for k in range(3)]

    def entropy(p: list[float]) -> float:
        return -sum(one * math.log(one) for one in p if one > 0)

    def mean(of: object) -> float:
        return sum(w * of(list(row)) for w, row in zip(weights, memberships, strict=True)) / total  # type: ignore[operator]

    errors = mean(lambda p: 1 - max(p))
    return {
        "errors": errors,
        "reduction_of_errors": 1 - errors / (1 - max(shares)),
        "entropy_r2": (entropy(shares) - mean(entropy)) / entropy(shares),
        "standard_r2": 1 - mean(lambda p: 1 - sum(one**2 for one in p)) / (1 - sum(one**2 for one in shares)),
    }


@pytest.mark.parametrize("weighted", [False, True])
def test_statistics_are_those_of_the_definition(weighted: bool) -> None:
    rng = np.random.default_rng(0)
    memberships = rng.dirichlet([0.5, 0.3, 0.2], 60)
    weights = rng.uniform(0.2, 3.0, 60) if weighted else np.ones(60)
    found = classification_of(
        measure_certainty(memberships, ["A", "B", "C"], weights=weights if weighted else None)
    )
    for name, value in naive(memberships, weights).items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-12), name
    table = np.zeros((3, 3))
    for weight, row in zip(weights, memberships, strict=True):
        table[row.argmax()] += weight * row
    np.testing.assert_allclose(found.table, table, rtol=1e-12)


def test_certain_memberships_explain_all() -> None:
    found = classification_of(measure_certainty(np.eye(2)[[0, 1, 1]], ["A", "B"]))
    assert (found.errors, found.reduction_of_errors) == (0.0, 1.0)
    assert (found.entropy_r2, found.standard_r2) == (1.0, 1.0)


def test_equal_memberships_explain_nothing() -> None:
    found = classification_of(measure_certainty(np.full((4, 2), 0.5), ["A", "B"]))
    assert found.reduction_of_errors == pytest.approx(0.0)
    assert found.entropy_r2 == pytest.approx(0.0)


def test_one_segment_has_nothing_to_explain() -> None:
    found = classification_of(measure_certainty(np.ones((4, 1)), ["A"]))
    assert found.errors == 0.0
    assert np.isnan([found.reduction_of_errors, found.entropy_r2, found.standard_r2]).all()
