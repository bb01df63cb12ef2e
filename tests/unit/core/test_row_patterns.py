"""Patterns of rows, found once for all that is asked of these rows."""

from __future__ import annotations

import numpy as np
import pytest

from mixtura.anomaly.normal_mixture import log_density, log_density_of_patterns
from mixtura.core.accumulate import CountObserved
from mixtura.core.impute import expected_log_density
from mixtura.core.mixture import Mixture
from mixtura.engine import as_data
from mixtura.kernels.patterns import RowPatterns, order_by_pattern


@pytest.mark.parametrize("n_features", [1, 3, 9, 20, 70])
def test_patterns_are_those_of_each_row(n_features: int) -> None:
    rng = np.random.RandomState(0)
    rows = rng.normal(size=(60, n_features))
    rows[rng.uniform(size=rows.shape) < 0.3] = np.nan
    rows[30:] = rows[:30]
    found = RowPatterns.of(rows)
    assert found is not None
    np.testing.assert_array_equal(found.order, order_by_pattern(rows))
    np.testing.assert_array_equal(found.lacks[found.which], np.isnan(rows))
    assert len({tuple(one) for one in found.lacks.tolist()}) == len(found.lacks)
    assert np.all(np.diff(found.which[found.order]) >= 0)


def test_complete_rows_have_no_patterns() -> None:
    assert RowPatterns.of(np.array([[1.0, 2.0], [np.inf, -np.inf]])) is None
    assert RowPatterns.of(np.empty((0, 2))) is None


def test_densities_are_the_same_where_patterns_are_known() -> None:
    rng = np.random.RandomState(0)
    rows = rng.normal(size=(40, 3))
    rows[rng.uniform(size=rows.shape) < 0.3] = np.nan
    mixture = Mixture.from_parameters(
        [0.4, 0.6], rng.normal(size=(2, 3)), np.array([np.eye(3), 2 * np.eye(3)])
    )
    patterns, shares = RowPatterns.of(rows), mixture.responsibilities(rows)
    one, other = log_density(mixture, rows), log_density_of_patterns(mixture, rows, patterns)
    assert one.tolist() == other.tolist()
    one, other = (expected_log_density(mixture, rows, shares, known) for known in (None, patterns))
    assert one.tolist() == other.tolist()
    assert np.all(other[~np.isnan(rows).any(axis=1)] == 0.0)


def test_values_observed_are_counted_alike_with_and_without_weights_and_labels() -> None:
    rows = np.array([[1.0, np.nan], [np.nan, np.nan], [2.0, 5.0]])
    plain, weighted = as_data(rows), as_data(rows, np.ones(3))
    assert plain.reduce(CountObserved(1)).tolist() == [[2.0, 1.0]]
    assert weighted.reduce(CountObserved(1)).tolist() == [[2.0, 1.0]]
    assert weighted.reduce(CountObserved(1, weighted=False)).tolist() == [[2.0, 1.0]]
    labels = plain.state_of(np.zeros(3, dtype=np.intp))
    assert plain.reduce(CountObserved(1), labels).tolist() == [[2.0, 1.0]]
