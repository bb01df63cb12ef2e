"""What the estimators refuse, and in which words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.exceptions import NotFittedError

import mixtura
from mixtura.exceptions import DataError, MissingValuesError, ParameterError, TooFewRowsError

ESTIMATORS = [mixtura.GaussianMixture(2, random_state=0), mixtura.KMeans(2, random_state=0)]


def rows() -> Any:
    return np.random.RandomState(0).standard_normal((20, 3))


@pytest.fixture(params=ESTIMATORS, ids=lambda estimator: type(estimator).__name__)
def estimator(request: pytest.FixtureRequest) -> Any:
    return type(request.param)(**request.param.get_params())


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_missing_values_are_counted_and_located(estimator: Any, bad: float, dtype: Any) -> None:
    X = rows().astype(dtype)
    X[[4, 9], [1, 1]] = bad
    X[7, 2] = np.nan
    with pytest.raises(
        MissingValuesError,
        match=r"3 values that are missing or infinite, in column 1 .*, column 2 \(1 missing\)",
    ) as caught:
        estimator.fit(X)
    assert (caught.value.count, caught.value.rows) == (3, (4, 7, 9))
    assert caught.value.columns == ("column 1", "column 2")
    fitted = estimator.fit(rows())
    with pytest.raises(MissingValuesError, match=r"3 of 20 rows: 4, 7, 9 \(the first row is 0\)"):
        fitted.predict(X)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_missing_values_are_told_by_column_name(estimator: Any, frame: Any) -> None:
    X = rows()
    X[:, 1] = np.nan
    with pytest.raises(
        MissingValuesError, match=r"20 values .* in .spending. .* rows: 0, 1, 2, 3, 4, \.\.\. "
    ):
        estimator.fit(frame({name: X[:, j] for j, name in enumerate(["income", "spending", "age"])}))


def test_opposite_infinities_do_not_hide_each_other(estimator: Any) -> None:
    X = rows()
    X[0, 0], X[1, 0] = np.inf, -np.inf
    with pytest.raises(MissingValuesError, match="2 values"):
        estimator.fit(X)


def test_a_sum_that_overflows_is_not_taken_for_a_missing_value() -> None:
    X = np.array([[1.7e308], [1.7e308], [0.0]])
    with pytest.raises(DataError, match="squares and products of values must stay below 1e308"):
        mixtura.GaussianMixture(1).fit(X)


def test_fewer_rows_than_components(estimator: Any) -> None:
    many = estimator.set_params(
        **{name: 30 for name in ("n_components", "n_clusters") if hasattr(estimator, name)}
    )
    with pytest.raises(TooFewRowsError, match=r"30.* n_samples = 20|n_samples=20 .* n_clusters=30"):
        many.fit(rows())


def test_rows_of_weight_zero_do_not_count() -> None:
    weight = np.zeros(20)
    weight[3] = 1.0
    with pytest.raises(TooFewRowsError, match="n_samples = 1 with positive weight"):
        mixtura.GaussianMixture(2).fit(rows(), sample_weight=weight)


@pytest.mark.parametrize(
    ("weight", "error", "message"),
    [
        (-np.ones(20), DataError, "`sample_weight` must not be negative; got -1.0 as its smallest"),
        (np.zeros(20), DataError, "must contain at least one non-zero number"),
        (np.ones(19), ValueError, "sample_weight"),
        (np.full(20, np.nan), ValueError, "NaN"),
    ],
)
def test_weights_that_are_none_are_refused(estimator: Any, weight: Any, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        estimator.fit(rows(), sample_weight=weight)
    with pytest.raises(error, match=message):
        estimator.fit(rows()).score(rows(), sample_weight=weight)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"weights_init": [0.5, 0.3, 0.2]}, r"'weights' should have the shape of \(2,\), but got \(3,\)"),
        ({"weights_init": [1.5, -0.5]}, r"should be in the range \[0, 1\]"),
        ({"weights_init": [0.5, 0.4]}, r"should be normalized, but got sum\(weights\) = 0.90000"),
        ({"means_init": np.zeros((2, 2))}, r"'means' should have the shape of \(2, 3\), but got \(2, 2\)"),
        (
            {"precisions_init": np.eye(3)},
            r"'full precision' should have the shape of \(2, 3, 3\), but got \(3, 3\)",
        ),
        (
            {"precisions_init": np.stack([np.eye(3), -np.eye(3)])},
            "'full precision' should be symmetric, positive-definite",
        ),
        (
            {"covariance_type": "tied", "precisions_init": np.triu(np.ones((3, 3)))},
            "'tied precision' should be symmetric, positive-definite",
        ),
        (
            {"covariance_type": "diag", "precisions_init": -np.ones((2, 3))},
            "'diag precision' should be positive",
        ),
        (
            {"covariance_type": "spherical", "precisions_init": [1.0, 0.0]},
            "'spherical precision' should be positive",
        ),
    ],
)
def test_given_parameters_that_do_not_fit_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        mixtura.GaussianMixture(2, **given).fit(rows())


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"n_components": 0}, "n_components"),
        ({"n_components": 2.5}, "n_components"),
        ({"covariance_type": "round"}, "covariance_type"),
        ({"tol": -1}, "tol"),
        ({"reg_covar": -1e-9}, "reg_covar"),
        ({"max_iter": -1}, "max_iter"),
        ({"n_init": 0}, "n_init"),
        ({"init_params": "best"}, "init_params"),
        ({"warm_start": "yes"}, "warm_start"),
        ({"verbose_interval": 0}, "verbose_interval"),
        ({"random_state": "seed"}, "random_state"),
    ],
)
def test_parameters_out_of_range_are_refused_by_name(parameters: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=f"The '{name}' parameter of GaussianMixture must be"):
        mixtura.GaussianMixture(**parameters).fit(rows())


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"n_clusters": 0}, ValueError, "n_clusters"),
        ({"init": "best"}, ValueError, "init"),
        ({"n_init": "some"}, ValueError, "n_init"),
        (
            {"n_clusters": 2, "init": np.zeros((2, 2))},
            ParameterError,
            r"`init` must hold one center per cluster, shape \(2, 3\); got shape \(2, 2\)",
        ),
        ({"n_clusters": 2, "init": np.full((2, 3), np.nan)}, ValueError, "NaN"),
    ],
)
def test_parameters_of_kmeans_out_of_range_are_refused(
    parameters: dict[str, Any], error: type, message: str
) -> None:
    with pytest.raises(error, match=message):
        mixtura.KMeans(**parameters).fit(rows())


@pytest.mark.parametrize("method", ["predict", "score"])
def test_nothing_is_answered_before_a_fit(estimator: Any, method: str) -> None:
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        getattr(estimator, method)(rows())


@pytest.mark.parametrize("method", ["predict_proba", "score_samples", "bic", "aic"])
def test_a_mixture_answers_nothing_before_a_fit(method: str) -> None:
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        getattr(mixtura.GaussianMixture(), method)(rows())
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        mixtura.GaussianMixture().sample()
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        mixtura.KMeans().transform(rows())


@pytest.mark.parametrize("n_samples", [0, -1])
def test_no_draws_are_refused(n_samples: int) -> None:
    with pytest.raises(ParameterError, match=f"'n_samples': {n_samples} .* at least one sample"):
        mixtura.GaussianMixture().fit(rows()).sample(n_samples)


def test_a_failed_fit_leaves_the_estimator_as_it_was(estimator: Any) -> None:
    fitted = estimator.fit(rows())
    before = fitted.predict(rows())
    with pytest.raises(MissingValuesError):
        fitted.fit(np.full((20, 3), np.nan))
    np.testing.assert_array_equal(fitted.predict(rows()), before)
