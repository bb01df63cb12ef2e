"""Models of discrete columns against closed forms and SciPy's distributions and optimizer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import nbinom, poisson

from mixtura.core.parts.discrete import DiscreteColumns
from mixtura.core.parts.level_models import (
    CATEGORICAL,
    LEVEL_MODELS,
    NEGATIVE_BINOMIAL,
    POISSON,
    LevelModel,
)
from mixtura.core.protocols import MixedRows
from mixtura.kernels import get_algebra


def histogram(values: Any, beyond: int = 1) -> Any:
    return np.append(np.bincount(values), np.zeros(beyond)).astype(float)[:, None]


@pytest.mark.parametrize("model", LEVEL_MODELS.values(), ids=lambda one: one.name)
def test_probabilities_sum_to_one(model: LevelModel) -> None:
    counts = np.random.default_rng(0).gamma(0.5, 5.0, size=(12, 4))
    counts[-1] = 0.0
    np.testing.assert_allclose(np.exp(model.log_probabilities(counts)).sum(axis=0), 1.0, rtol=1e-9)


@pytest.mark.parametrize("model", LEVEL_MODELS.values(), ids=lambda one: one.name)
def test_columns_side_by_side_have_what_each_has_alone(model: LevelModel) -> None:
    rng = np.random.default_rng(0)
    several = [np.vstack([rng.gamma(0.5, 5.0, size=(size, 3)), np.zeros((1, 3))]) for size in (4, 30, 9)]
    discrete = DiscreteColumns(
        (model,) * 3, tuple(np.zeros(len(one)) for one in several)
    )  # without prior rows
    table = discrete.maximize(np.vstack([*several, np.zeros((1, 3))]))
    together = np.split(table[:-1], discrete.starts[1:-1])
    for counts, logs in zip(several, together, strict=True):
        np.testing.assert_allclose(logs, model.log_probabilities(counts), rtol=1e-8)


def test_what_lies_beyond_the_largest_number_has_the_rest_of_the_probability() -> None:
    counts = np.array([[50.0], [30.0], [12.0], [9.0], [0.0]])
    _, (mean,), (size,) = get_algebra().negative_binomials(counts[:-1])
    logs = NEGATIVE_BINOMIAL.log_probabilities(counts)
    np.testing.assert_allclose(logs[:-1, 0], nbinom.logpmf(range(4), size, size / (size + mean)), rtol=1e-12)
    assert np.exp(logs[-1, 0]) == pytest.approx(nbinom.sf(3, size, size / (size + mean)), rel=1e-9)


def test_negative_binomials_of_little_variance_are_poisson_distributions() -> None:
    counts = histogram(np.random.default_rng(0).binomial(10, 0.5, size=1000))
    both = [model.log_probabilities(counts)[:-1] for model in (NEGATIVE_BINOMIAL, POISSON)]
    np.testing.assert_allclose(*both, atol=2e-4)


def test_poisson_distributions_have_the_average_as_their_mean() -> None:
    counts = histogram(np.random.default_rng(0).poisson(3.0, size=1000))
    x = np.arange(len(counts) - 1)
    mean = (x @ counts[:-1, 0]) / counts.sum()
    logs = POISSON.log_probabilities(counts)
    np.testing.assert_allclose(logs[:-1, 0], poisson.logpmf(x, mean), rtol=1e-12)
    assert np.exp(logs[-1, 0]) == pytest.approx(poisson.sf(x[-1], mean), rel=1e-8)


def test_counts_of_zeros_alone_are_certain() -> None:
    for model in (POISSON, NEGATIVE_BINOMIAL):
        logs = model.log_probabilities(np.array([[9.0], [0.0], [0.0]]))
        assert logs[0, 0] == pytest.approx(0.0, abs=1e-12)
        assert not np.isnan(logs).any()


def columns(*sizes: int, models: tuple[LevelModel, ...] | None = None) -> DiscreteColumns:
    shares = tuple(np.full(size, 1.0 / size) for size in sizes)
    return DiscreteColumns(models or (CATEGORICAL,) * len(sizes), shares)


def test_levels_are_numbered_one_column_after_the_other_and_missing_ones_are_last() -> None:
    numbers = columns(2, 3).numbered(np.array([[0, 0], [1, 2], [-1, 1], [1, -1]]))
    np.testing.assert_array_equal(numbers, [[0, 2], [1, 4], [5, 3], [1, 5]])
    assert numbers.dtype == np.int32


def test_tables_maximize_counts_and_prior_together() -> None:
    """No table near the one found has a larger posterior."""
    rng, given = np.random.default_rng(0), columns(3, 4)
    counts = np.vstack([rng.uniform(0, 20, size=(7, 2)), np.zeros((1, 2))])
    table = given.maximize(counts)
    assert (table[-1] == 0).all()

    def posterior(logs: Any) -> float:
        return float((counts * logs).sum() + given.log_prior(logs))

    for _ in range(50):
        other = table.copy()
        other[:-1] += 0.05 * rng.normal(size=(7, 2))
        for part in (slice(0, 3), slice(3, 7)):
            other[part] -= np.log(np.exp(other[part]).sum(axis=0))
        assert posterior(other) < posterior(table)


def test_without_counts_components_are_like_the_whole_table() -> None:
    given = DiscreteColumns((CATEGORICAL,), (np.array([0.2, 0.8]),))
    np.testing.assert_allclose(np.exp(given.maximize(None, 3)[:2]), [[0.2] * 3, [0.8] * 3])


def test_parameters_are_counted() -> None:
    given = columns(3, 6, 9, models=(CATEGORICAL, POISSON, NEGATIVE_BINOMIAL))
    assert given.n_parameters(4) == 4 * (2 + 1 + 2)


def test_draws_have_the_probabilities_of_their_components() -> None:
    given = columns(2, 3)
    table = given.maximize(np.array([[8.0, 0.0], [0.0, 8.0], [5.0, 1.0], [5.0, 1.0], [1.0, 8.0], [0.0, 0.0]]))
    labels = np.repeat([0, 1], 20000)
    drawn = given.draw(np.random.RandomState(0), table, labels)
    for j, (begin, end) in enumerate([(0, 2), (2, 5)]):
        for k in (0, 1):
            shares = np.bincount(drawn[labels == k, j], minlength=end - begin) / 20000
            np.testing.assert_allclose(shares, np.exp(table[begin:end, k]), atol=0.015)


def test_rows_with_discrete_columns_are_chosen_together() -> None:
    rows = MixedRows(np.arange(6.0).reshape(3, 2), np.array([[0], [1], [0]], dtype=np.int32), columns(2))
    some = rows[np.array([2, 0])]
    assert len(some) == 2
    np.testing.assert_array_equal(some.rows, [[4.0, 5.0], [0.0, 1.0]])
    np.testing.assert_array_equal(some.levels, [[0], [0]])
