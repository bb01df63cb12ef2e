"""Which columns build the components: planted roles are found, and every part equals a naive calculation."""

from __future__ import annotations

import numpy as np
import pytest

from mixtura import Mixture, select_columns
from mixtura.core.parts.discrete import DiscreteColumns
from mixtura.core.parts.level_models import CATEGORICAL
from mixtura.core.protocols import MixedRows
from mixtura.engine import as_data
from mixtura.exceptions import DataError, ParameterError, TooFewRowsError
from mixtura.select import ColumnSelection, Role
from mixtura.select.columns.column_groups import ColumnGroup, groups_of, take_columns
from mixtura.select.columns.one_distribution import OneDistribution, _with_regression
from mixtura.select.columns.screening import Screen
from mixtura.select.columns.single_peak import count_peaks, single_peak_gain

NAMES = ["a", "b", "sum", "u", "v", "w"]


def planted(n_rows: int = 300, seed: int = 0) -> np.ndarray:
    """Two columns that build three components, one that follows from them, three of noise, one of them skewed."""
    rng = np.random.default_rng(seed)
    group = rng.integers(3, size=n_rows)
    builders = rng.normal(size=(n_rows, 2)) + 3.0 * np.array([[0, 0], [1, 0], [0, 1]])[group]
    follows = builders.sum(axis=1) + rng.normal(size=n_rows)
    noise = np.column_stack([rng.normal(size=(n_rows, 2)), rng.exponential(size=n_rows)])
    rows = np.column_stack([builders, follows, noise])
    return (rows - rows.mean(axis=0)) / rows.std(axis=0)


@pytest.fixture(scope="module")
def found() -> ColumnSelection:
    return select_columns(planted(), names=NAMES, components=[1, 2, 3, 4], n_bootstraps=5)


def test_planted_roles_are_found(found: ColumnSelection) -> None:
    assert found.building == ("a", "b")
    assert found.redundant == ("sum",)
    assert found.noise == ("u", "v", "w")
    assert found.indices == (0, 1)
    follows = found.columns[2]
    assert follows.explained_by == ("a", "b")
    rows = planted()
    residual = (
        rows[:, 2]
        - np.column_stack([np.ones(300), rows[:, :2]])
        @ np.linalg.lstsq(np.column_stack([np.ones(300), rows[:, :2]]), rows[:, 2], rcond=None)[0]
    )
    assert follows.explained == pytest.approx(1.0 - residual.var() / rows[:, 2].var(), rel=1e-9)


def test_evidence_has_the_sign_of_the_role_and_resamples_agree(found: ColumnSelection) -> None:
    for one in found.columns:
        assert (one.evidence > 0) == (one.role is Role.BUILDING)
        assert one.stability is not None
    assert found.columns[0].stability == found.columns[1].stability == 1.0
    assert found.mixture is not None
    assert found.mixture.n_components == 3
    assert found.mixture.n_features == 2


def test_a_weight_of_two_is_the_row_twice() -> None:
    rows = planted(160)
    weights = np.where(np.arange(160) < 80, 2.0, 1.0)
    options = {"components": [2, 3], "covariance_types": ["diag"], "n_bootstraps": 0}
    weighted = select_columns(rows, sample_weight=weights, **options)
    repeated = select_columns(np.vstack([rows[:80], rows]), **options)
    assert weighted.building == repeated.building
    np.testing.assert_allclose(
        [one.evidence for one in weighted.columns],
        [one.evidence for one in repeated.columns],
        rtol=1e-3,
        atol=0.1,
    )


@pytest.mark.slow
def test_roles_are_found_where_values_are_missing() -> None:
    rows = planted(400)
    rows[np.random.default_rng(1).random(rows.shape) < 0.12] = np.nan
    found = select_columns(
        rows,
        names=NAMES,
        components=[2, 3, 4],
        covariance_types=["diag", "tied"],
        missing="fiml",
        n_bootstraps=0,
    )
    assert found.building == ("a", "b")
    assert found.redundant == ("sum",)


def test_noise_alone_has_no_building_columns() -> None:
    rows = np.random.default_rng(3).normal(size=(200, 5))
    found = select_columns(rows, components=[2, 3], covariance_types=["diag", "tied"])
    assert found.building == ()
    assert found.mixture is None
    assert found.noise == ("0", "1", "2", "3", "4")


def test_discrete_columns_build_or_are_noise() -> None:
    rng = np.random.default_rng(4)
    group = rng.integers(2, size=400)
    rows = np.column_stack([rng.normal(3.0 * group), rng.normal(size=400)])
    levels = np.column_stack([rng.random(400) < 0.15 + 0.7 * group, rng.random(400) < 0.5]).astype(int)
    shares = tuple(np.bincount(column, minlength=2) / 400 for column in levels.T)
    discrete = DiscreteColumns((CATEGORICAL, CATEGORICAL), shares)
    table = MixedRows(rows, discrete.numbered(levels), discrete)
    found = select_columns(
        table,
        names=["x", "noise", "yes", "coin"],
        components=[2, 3],
        covariance_types=["diag"],
        n_bootstraps=0,
    )
    assert found.building == ("x", "yes")
    assert found.noise == ("noise", "coin")


def test_columns_that_belong_together_are_taken_together() -> None:
    rows = np.random.default_rng(0).normal(size=(6, 3))
    discrete = DiscreteColumns((CATEGORICAL, CATEGORICAL), (np.array([0.5, 0.5]), np.array([0.2, 0.3, 0.5])))
    levels = np.array([[0, -1], [1, 2], [0, 0], [1, 1], [-1, 2], [0, 2]])
    table = MixedRows(rows, discrete.numbered(levels), discrete)
    taken = take_columns(table, [ColumnGroup("a", 0), ColumnGroup("c", 2, (1,))])
    assert isinstance(taken, MixedRows)
    assert taken.rows.tolist() == rows[:, [0, 2]].tolist()
    assert taken.levels.tolist() == [[3], [2], [0], [1], [2], [2]]
    assert taken.discrete.shares[0].tolist() == [0.2, 0.3, 0.5]
    alone = take_columns(table, [ColumnGroup("b", 1)])
    assert isinstance(alone, np.ndarray)
    assert [one.name for one in groups_of(table)] == ["0", "1", "2", "3", "4"]


def test_a_regression_is_that_of_least_squares() -> None:
    rows = planted()
    alone = OneDistribution.of(rows, None)
    found = alone.of_column(ColumnGroup("sum", 2), frozenset({0, 1}))
    design = np.column_stack([np.ones(300), rows[:, :2]])
    residual = rows[:, 2] - design @ np.linalg.lstsq(design, rows[:, 2], rcond=None)[0]
    expected = -0.5 * 300 * (np.log(2.0 * np.pi * (residual**2).mean()) + 1.0)
    assert found.predictors == (0, 1)
    assert found.n_parameters == 4
    assert found.log_likelihood == pytest.approx(expected, rel=1e-10)
    assert alone.bic(ColumnGroup("sum", 2), frozenset({0, 1})) == pytest.approx(
        -2 * expected + 4 * np.log(300)
    )


def test_a_mixture_with_a_regression_has_its_density() -> None:
    rng = np.random.default_rng(5)
    mixture = Mixture.from_parameters(
        [0.4, 0.6], [[0.0, 1.0], [2.0, -1.0]], [[[1.0, 0.3], [0.3, 2.0]], [[0.5, 0.0], [0.0, 1.0]]]
    )
    slopes, intercept, variance = np.array([0.7, -0.2]), 0.5, 0.8
    more = _with_regression(mixture, slopes, intercept, variance)
    rows = rng.normal(size=(20, 3))
    residual = rows[:, 2] - intercept - rows[:, :2] @ slopes
    given = -0.5 * (np.log(2.0 * np.pi * variance) + residual**2 / variance)
    np.testing.assert_allclose(more.log_density(rows), mixture.log_density(rows[:, :2]) + given, rtol=1e-12)


def test_evidence_by_sums_is_a_lower_bound_and_equals_a_loop() -> None:
    rows = planted()
    mixture = Mixture.from_parameters(
        [1 / 3] * 3, [[-0.8, -0.8], [1.2, -0.6], [-0.6, 1.2]], [[0.3, 0.3]] * 3, "diag"
    )
    shares = mixture.responsibilities(rows[:, :2])
    screen = Screen.of(as_data(rows), rows, None, shares, np.log(300))
    for j in (2, 3):
        log_likelihood, n_parameters = screen.log_likelihood(ColumnGroup("x", j), [0, 1])
        best = (np.inf, 0.0, 0)
        counts = shares.sum(axis=0)
        means = shares.T @ rows / counts[:, None]
        within = [
            (shares[:, k, None, None] * np.einsum("ni,nj->nij", rows - means[k], rows - means[k])).sum(axis=0)
            for k in range(3)
        ]
        pooled = sum(within) / 300
        own = [one[j, j] / n for one, n in zip(within, counts, strict=True)]
        slopes = np.linalg.solve(pooled[:2, :2], pooled[:2, j])
        left = pooled[j, j] - slopes @ pooled[:2, j]
        each = []
        for one, n in zip(within, counts, strict=True):
            b = np.linalg.solve(one[:2, :2], one[:2, j])
            each.append((one[j, j] - b @ one[:2, j]) / n)
        for variances, size in ((own, 6), ([pooled[j, j]] * 3, 4), ([left] * 3, 6), (each, 12)):
            value = -0.5 * sum(
                n * (np.log(2 * np.pi * v) + 1) for n, v in zip(counts, variances, strict=True)
            )
            best = min(best, (-2 * value + size * np.log(300), value, size))
        assert log_likelihood == pytest.approx(best[1], rel=1e-9)
        assert n_parameters == best[2]
        diag = Mixture.from_parameters(
            mixture.weights,
            np.column_stack([mixture.means, means[:, j]]),
            np.column_stack([mixture.covariances, own]),
            "diag",
        )
        gained = diag.log_likelihood(rows[:, [0, 1, j]]) - mixture.log_likelihood(rows[:, :2])
        by_sums = -0.5 * sum(n * (np.log(2 * np.pi * v) + 1) for n, v in zip(counts, own, strict=True))
        assert by_sums <= gained + 1e-9


def test_peaks_are_groups_and_skewness_is_none() -> None:
    rng = np.random.default_rng(6)
    ones = np.ones(1_000)
    skewed, uniform = rng.exponential(size=1_000), rng.uniform(size=1_000)
    two = np.concatenate([rng.normal(size=500), rng.normal(3.5, size=500)])
    assert [count_peaks(values, ones) for values in (skewed, uniform, two)] == [1, 1, 2]
    price = np.log(1_000)
    assert single_peak_gain(two, ones, price) == (0.0, 0)
    assert single_peak_gain(rng.normal(size=1_000), ones, price) == (0.0, 0)
    gain, n_parameters = single_peak_gain(skewed, ones, price)
    # An exponential density beats the Gaussian of its mean and variance by (log(2 pi) - 1) / 2 nats per row.
    assert 0.7 * 1_000 * 0.5 * (np.log(2 * np.pi) - 1) < gain < 1.1 * 1_000 * 0.5 * (np.log(2 * np.pi) - 1)
    assert n_parameters in {3, 6, 9}


def test_soft_responsibilities_of_rows_with_missing_values_are_summed() -> None:
    rows = np.array([[0.0, 1.0], [np.nan, 2.0], [4.0, np.nan], [2.0, 2.0]])
    shares = np.array([[0.5, 0.5], [1.0, 0.0], [0.25, 0.75], [0.0, 1.0]])
    data = as_data(rows)
    screen = Screen.of(data, rows, None, shares, 1.0)
    assert screen.observed.tolist() == [[0.75, 1.5], [2.25, 1.5]]
    mean = (0.5 * 0.0 + 0.25 * 4.0) / 0.75
    assert screen.within[0, 0, 0] == pytest.approx((0.5 * (0 - mean) ** 2 + 0.25 * (4 - mean) ** 2) / 0.75)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"components": [1]}, ParameterError, "`components` must have a number above one"),
        ({"names": ["a"]}, ParameterError, "`names` must have one name for each of the 6 columns"),
        ({"n_bootstraps": -1}, ParameterError, "`n_bootstraps`"),
        ({"sample_rows": 3}, ParameterError, "`sample_rows`"),
        ({"rounding": [0.1]}, ParameterError, "`rounding` must be a step for each of the 6 columns"),
    ],
)
def test_parameters_are_checked(options: dict[str, object], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        select_columns(planted(60), **options)


def test_rows_and_columns_must_be_enough() -> None:
    with pytest.raises(DataError, match="At least two columns"):
        select_columns(planted(60)[:, :1])
    with pytest.raises(TooFewRowsError, match="more rows than columns"):
        select_columns(np.random.default_rng(0).normal(size=(12, 20)))
    with pytest.raises(TooFewRowsError, match="at least as many rows as components"):
        select_columns(planted(5)[:, :2])


@pytest.mark.slow
def test_correlated_noise_is_not_taken_for_components() -> None:
    """One factor in many columns is a single distribution; a mixture that cuts it into pieces is not better."""
    rng = np.random.default_rng(8)
    group = rng.integers(3, size=250)
    builders = rng.normal(size=(250, 3)) + 3.0 * np.eye(3)[group]
    noise = rng.normal(size=(250, 12)) + rng.normal(size=(250, 1))
    rows = np.column_stack([builders, noise])
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    found = select_columns(rows, components=[2, 3], covariance_types=["diag", "tied"], n_bootstraps=0)
    assert found.building == ("0", "1", "2")
    factor_alone = select_columns(rows[:, 3:], components=[2, 3], covariance_types=["diag"], n_bootstraps=0)
    assert factor_alone.building == ()
