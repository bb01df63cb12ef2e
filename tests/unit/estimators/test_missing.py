"""Estimators that take NaN as missing values, and those that do not."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.mixture
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

import naive
from mixtura import GaussianMixture, GaussianMixtureIC
from mixtura.core.covariance import FAMILIES
from mixtura.exceptions import MissingValuesError, TooFewRowsError
from mixtura.select import bootstrap_lrt, bootstrap_parameters, cross_validate, search


def table(n: int = 200, d: int = 3, seed: int = 0) -> Any:
    rng = np.random.RandomState(seed)
    rows = rng.standard_normal((n, d)) + 5.0 * rng.randint(2, size=(n, 1))
    rows[rng.uniform(size=rows.shape) < 0.2] = np.nan
    rows[4] = np.nan
    return rows


@pytest.fixture(scope="module")
def rows() -> Any:
    return table()


@pytest.fixture(scope="module", params=["full", "tied", "diag", "spherical", "VVE"])
def model(request: Any, rows: Any) -> GaussianMixture:
    return GaussianMixture(2, covariance_type=request.param, random_state=0, missing="fiml").fit(rows)


@pytest.mark.sampled(3)
@parametrize_with_checks(
    [
        *(GaussianMixture(covariance_type=name, missing="fiml") for name in ("full", "tied", "diag", "EEV")),
        GaussianMixtureIC([1, 2], covariance_type=["EEE", "VVI"], random_state=0, missing="fiml"),
    ],
)
def test_estimator_checks(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("kind", [GaussianMixture, GaussianMixtureIC])
def test_the_tag_says_whether_nan_is_allowed(kind: Any) -> None:
    assert get_tags(kind(missing="fiml")).input_tags.allow_nan
    assert not get_tags(kind()).input_tags.allow_nan
    assert not get_tags(sklearn.mixture.GaussianMixture()).input_tags.allow_nan


@pytest.mark.parametrize("kind", [GaussianMixture, GaussianMixtureIC])
def test_nan_is_an_error_unless_it_is_asked_for(kind: Any, rows: Any) -> None:
    with pytest.raises(MissingValuesError, match=r"contains NaN.*missing='fiml'") as caught:
        kind(random_state=0).fit(rows)
    assert caught.value.count == int(np.isnan(rows).sum())
    with pytest.raises(ValueError, match="contains NaN"):
        sklearn.mixture.GaussianMixture().fit(rows)


@pytest.mark.parametrize("missing", ["drop", None, "FIML"])
@pytest.mark.parametrize("kind", [GaussianMixture, GaussianMixtureIC])
def test_what_missing_may_be(kind: Any, missing: Any, rows: Any) -> None:
    with pytest.raises(ValueError, match="missing"):
        kind(missing=missing).fit(rows)


def test_infinite_values_are_refused_by_column(rows: Any) -> None:
    frame = pd.DataFrame(rows.copy(), columns=["age", "income", "visits"])
    frame.loc[7, "income"] = np.inf
    with pytest.raises(MissingValuesError, match=r"infinity.*'income'.*rows: 7 ") as caught:
        GaussianMixture(2, missing="fiml").fit(frame)
    assert list(caught.value.columns) == ["income"]
    assert caught.value.count == 1


def test_a_column_without_any_value_is_refused_by_name(rows: Any) -> None:
    frame = pd.DataFrame(rows, columns=["age", "income", "visits"])
    frame["income"] = np.nan
    with pytest.raises(MissingValuesError, match="got none in 'income'") as caught:
        GaussianMixture(2, missing="fiml").fit(frame)
    assert list(caught.value.columns) == ["income"]


@pytest.mark.parametrize(
    "entry",
    [
        lambda X: search(X, components=[1, 2], missing="fiml"),
        lambda X: cross_validate(X, components=[1, 2], missing="fiml"),
        lambda X: bootstrap_lrt(X, max_components=2, n_boot=9, level=0.1, missing="fiml"),
        lambda X: GaussianMixtureIC([1, 2], missing="fiml").fit(X),
    ],
    ids=["search", "cross_validate", "bootstrap_lrt", "GaussianMixtureIC"],
)
def test_every_entry_refuses_empty_columns_and_infinite_values(entry: Any, rows: Any) -> None:
    empty, infinite = rows.copy(), rows.copy()
    empty[:, 1] = np.nan
    infinite[3, 2] = -np.inf
    for spoiled in (empty, infinite):
        with pytest.raises(MissingValuesError):
            entry(spoiled)


def test_a_predicted_table_may_lack_a_column(model: GaussianMixture, rows: Any) -> None:
    lacking = rows.copy()
    lacking[:, 0] = np.nan
    assert np.isfinite(model.score_samples(lacking)).all()
    with pytest.raises(MissingValuesError, match="infinity"):
        model.predict(np.where(np.isnan(lacking), np.inf, lacking))


def test_rows_without_any_value_do_not_count_as_rows() -> None:
    rows = np.full((10, 2), np.nan)
    rows[:2] = [[0.0, 1.0], [1.0, 5.0]]
    with pytest.raises(TooFewRowsError, match="n_samples = 2"):
        GaussianMixture(3, missing="fiml").fit(rows)


def test_a_row_without_any_value_has_the_weights(model: GaussianMixture) -> None:
    blank = np.full((2, 3), np.nan)
    np.testing.assert_allclose(model.predict_proba(blank), np.tile(model.weights_, (2, 1)), rtol=1e-12)
    np.testing.assert_allclose(model.score_samples(blank), 0.0, atol=1e-12)
    assert (model.predict(blank) == model.weights_.argmax()).all()


def test_densities_and_probabilities_are_those_of_the_marginal(model: GaussianMixture, rows: Any) -> None:
    density, shares, labels = model.score_samples(rows), model.predict_proba(rows), model.predict(rows)
    for n, row in enumerate(rows):
        known = np.flatnonzero(~np.isnan(row))
        if known.size:
            marginal = model.mixture_.marginal(known.tolist())
            np.testing.assert_allclose(density[n], marginal.log_density(row[None, known])[0], rtol=1e-9)
            expected = marginal.responsibilities(row[None, known])[0]
            np.testing.assert_allclose(shares[n], expected, rtol=1e-9, atol=1e-12)
            assert labels[n] == expected.argmax()


def test_a_mixture_takes_rows_with_missing_values_as_they_are(model: GaussianMixture, rows: Any) -> None:
    mixture = model.mixture_
    np.testing.assert_array_equal(mixture.log_density(rows), model.score_samples(rows))
    np.testing.assert_array_equal(mixture.responsibilities(rows), model.predict_proba(rows))
    np.testing.assert_array_equal(mixture.predict(rows), model.predict(rows))
    np.testing.assert_allclose(mixture.log_likelihood(rows), model.score_samples(rows).sum(), rtol=1e-12)


def test_criteria_are_of_what_was_observed(model: GaussianMixture, rows: Any) -> None:
    some = rows[~np.isnan(rows).all(axis=1)]
    log_density, _ = naive.naive_missing_e_step(
        some, model.mixture_.weights, model.mixture_.means, model.mixture_.full_covariances()
    )
    n_parameters = naive.naive_n_parameters(model.covariance_type, 2, 3)
    assert len(some) == len(rows) - 1
    np.testing.assert_allclose(model.bic(rows), naive.naive_bic(log_density, n_parameters), rtol=1e-10)
    np.testing.assert_allclose(model.aic(rows), naive.naive_aic(log_density, n_parameters), rtol=1e-10)
    weight = np.ones(len(rows))
    np.testing.assert_allclose(model.bic(rows, sample_weight=weight), model.bic(rows), rtol=1e-12)
    np.testing.assert_allclose(model.bic(some), model.bic(rows), rtol=1e-12)


def test_copies_answer_alike(model: GaussianMixture, rows: Any) -> None:
    for other in (pickle.loads(pickle.dumps(model)), clone(model).fit(rows)):
        assert other.missing == "fiml"
        np.testing.assert_array_equal(other.predict_proba(rows), model.predict_proba(rows))


def test_columns_of_a_frame_keep_their_names(rows: Any) -> None:
    frame = pd.DataFrame(rows, columns=["age", "income", "visits"])
    model = GaussianMixture(2, random_state=0, missing="fiml").fit(frame)
    assert model.feature_names_in_.tolist() == ["age", "income", "visits"]
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[["income", "age", "visits"]])


def test_it_stands_at_the_end_of_a_pipeline(rows: Any) -> None:
    pipeline = make_pipeline(StandardScaler(), GaussianMixture(2, random_state=0, missing="fiml"))
    assert set(pipeline.fit(rows).predict(rows)) == {0, 1}


def test_fitting_and_predicting_at_once(rows: Any) -> None:
    model = GaussianMixture(2, random_state=0, missing="fiml")
    np.testing.assert_array_equal(model.fit_predict(rows), model.predict(rows))


def test_the_search_estimator_is_the_search(rows: Any) -> None:
    model = GaussianMixtureIC([1, 2, 3], covariance_type=["full", "EEI"], random_state=0, missing="fiml").fit(
        rows
    )
    found = search(
        rows, components=[1, 2, 3], covariance_types=["full", "EEI"], random_state=0, missing="fiml"
    )
    assert model.n_components_ == found.best.n_components == 2
    np.testing.assert_array_equal(model.predict_proba(rows), found.best.mixture.responsibilities(rows))


def test_a_single_value_in_a_row_is_enough() -> None:
    rows = np.array([[0.0, np.nan], [np.nan, 1.0], [1.0, np.nan], [np.nan, 3.0], [2.0, 2.5]])
    settings = {"covariance_type": "diag", "reg_covar": 0.0, "tol": 1e-12, "max_iter": 999}
    model = GaussianMixture(1, missing="fiml", **settings).fit(rows)
    np.testing.assert_allclose(model.means_, [np.nanmean(rows, axis=0)], rtol=1e-4)
    np.testing.assert_allclose(model.covariances_, [np.nanvar(rows, axis=0)], rtol=1e-3)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("covariance_type", FAMILIES)
def test_the_bootstrap_of_parameters_takes_missing_values(covariance_type: str, rows: Any) -> None:
    found = search(rows, components=[2], covariance_types=[covariance_type], missing="fiml").best.mixture
    for kind in ("parametric", "weighted"):
        errors = bootstrap_parameters(
            rows, found, n_boot=20, kind=kind, random_state=0, missing="fiml"
        ).standard_errors
        # One group's mean of about 80 values with deviation 1, from twenty samples.
        assert (errors.means > 0.05).all()
        assert (errors.means < 0.3).all()


def test_the_likelihood_ratio_of_samples_with_missing_values(rows: Any) -> None:
    found = bootstrap_lrt(
        rows, covariance_type="tied", max_components=3, n_boot=19, random_state=0, missing="fiml"
    )
    assert found.n_components == 2
    assert found.tests[0].p_value == pytest.approx(1 / 20)


def test_held_out_rows_may_lack_values(rows: Any) -> None:
    found = cross_validate(
        rows, components=[1, 2, 3], covariance_types=["full"], n_folds=4, random_state=0, missing="fiml"
    )
    assert found.simplest().n_components == 2
