"""`GaussianMixtureIC`: the search with scikit-learn's interface."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import validate_data

from mixtura import GaussianMixture, GaussianMixtureIC, get_threads
from mixtura.core.covariance import FAMILIES
from mixtura.datasets import make_customers
from mixtura.estimators import validation
from mixtura.exceptions import ParameterError, TooFewRowsError
from mixtura.select import FIT_CRITERIA, cross_validate, search

X = make_customers()
FEW: dict[str, Any] = {"covariance_type": ["tied", "diag"], "random_state": 0}


@pytest.fixture(scope="module")
def model() -> GaussianMixtureIC:
    return GaussianMixtureIC(range(1, 5), **FEW).fit(X)


def test_it_is_the_search(model) -> None:
    found = search(X, components=range(1, 5), covariance_types=["tied", "diag"])
    best = found.best
    assert best.mixture is not None
    assert (model.covariance_type_, model.n_components_, model.criterion_) == ("tied", 3, best.bic)
    np.testing.assert_array_equal(model.weights_, best.mixture.weights)
    np.testing.assert_array_equal(model.means_, best.mixture.means)
    np.testing.assert_array_equal(model.covariances_, best.mixture.covariances)
    assert model.results_["bic"] == [one.bic for one in found.ranking]
    assert set(FIT_CRITERIA) < set(model.results_)
    assert model.search_.boundary_warning is None


def test_the_winner_predicts(model) -> None:
    winner, mixture = model.best_model_, model.search_.best.mixture
    assert isinstance(winner, GaussianMixture)
    assert (winner.n_components, winner.covariance_type) == (3, "tied")
    np.testing.assert_array_equal(model.predict(X), mixture.predict(X))
    np.testing.assert_allclose(model.predict_proba(X), mixture.responsibilities(X), atol=1e-12)
    np.testing.assert_allclose(model.score_samples(X), mixture.log_density(X), rtol=1e-12)
    np.testing.assert_array_equal(winner.predict(X), model.predict(X))
    assert model.score(X) == pytest.approx(mixture.log_density(X).mean(), rel=1e-12)
    assert model.bic(X) == pytest.approx(model.criterion_, rel=1e-12)
    assert model.aic(X) == pytest.approx(model.search_.best.aic, rel=1e-12)
    rows, labels = model.sample(50)
    assert rows.shape == (50, 2)
    assert set(labels) <= {0, 1, 2}
    np.testing.assert_array_equal(clone(model).fit_predict(X), model.predict(X))


@pytest.mark.parametrize("method", ["predict", "predict_proba", "score_samples", "score", "bic", "aic"])
def test_rows_are_checked_once(model, monkeypatch, method: str) -> None:
    checks = []

    def counted(*arguments: Any, **options: Any) -> Any:
        checks.append(arguments[0])
        return validate_data(*arguments, **options)

    monkeypatch.setattr(validation, "validate_data", counted)
    getattr(model, method)(X)
    assert checks == [model]


def test_all_is_every_family_and_nothing_given_is_one_to_nine() -> None:
    model = GaussianMixtureIC(random_state=0).fit(X[::10])
    tried = {(one.covariance_type, one.n_components) for one in model.search_.candidates}
    assert tried == {(name, k) for name in FAMILIES for k in range(1, 10)}
    few = GaussianMixtureIC(covariance_type="EII", random_state=0).fit(X[:4])
    assert {one.n_components for one in few.search_.candidates} == {1, 2, 3, 4}


@pytest.mark.parametrize("given", [3, np.int64(3), [3], (3,), range(3, 4), np.array([3])])
def test_numbers_of_components_in_any_form(given) -> None:
    model = GaussianMixtureIC(given, **FEW).fit(X)
    assert [one.n_components for one in model.search_.candidates] == [3, 3]


def test_a_frame_gives_results_of_its_library() -> None:
    names = ["income", "spending"]
    for frame in (pd.DataFrame(X, columns=names), pl.DataFrame(X, schema=names)):
        model = GaussianMixtureIC([2, 3], **FEW).fit(frame)
        assert type(model.results_) is type(frame)
        assert next(iter(model.results_["covariance_type"])) == "tied"
        assert len(model.results_) == 4
        assert list(model.feature_names_in_) == names
        np.testing.assert_array_equal(model.predict(frame), model.best_model_.predict(frame))


def test_weights_are_repetition() -> None:
    weight = np.random.RandomState(1).randint(0, 4, size=len(X))
    few = GaussianMixtureIC([3], **FEW).fit(X, sample_weight=weight)
    many = GaussianMixtureIC([3], **FEW).fit(np.repeat(X, weight, axis=0))
    for name in FIT_CRITERIA:
        np.testing.assert_allclose(few.results_[name], many.results_[name], rtol=1e-6)
    assert few.score(X, sample_weight=weight) == pytest.approx(
        many.score(np.repeat(X, weight, axis=0)), rel=1e-8
    )


def test_the_criterion_and_the_floor_matter() -> None:
    bic, icl = (GaussianMixtureIC([1, 2, 3, 4], criterion=name, **FEW).fit(X) for name in ("bic", "icl"))
    assert bic.criterion_ == min(bic.results_["bic"])
    assert icl.criterion_ == min(icl.results_["icl"])
    wide = GaussianMixtureIC([1], prior=1000.0, **FEW).fit(X)
    one = GaussianMixtureIC([1], **FEW).fit(X)
    np.testing.assert_allclose(wide.covariances_ - one.covariances_, 1000 * np.eye(2), atol=1e-2)


def test_rows_held_out_choose() -> None:
    options: dict[str, Any] = {"covariance_type": ["full", "diag", "spherical"], "random_state": 0}
    model = GaussianMixtureIC([2, 3, 4], criterion="cv", n_folds=4, **options).fit(X)
    found = cross_validate(X, components=[2, 3, 4], covariance_types=["full", "diag", "spherical"], n_folds=4)
    simplest = found.simplest()
    assert (model.covariance_type_, model.n_components_) == (simplest.covariance_type, simplest.n_components)
    assert model.criterion_ == simplest.score
    assert model.results_["cv"] == [one.score for one in found.ranking]
    assert model.results_["cv_standard_error"] == [one.standard_error for one in found.ranking]
    assert model.best_model_.n_components == simplest.n_components
    assert (model.search_.selection_reason is None) == (simplest is found.best)
    weight = np.arange(300) < 200
    half = GaussianMixtureIC([3], criterion="cv", n_folds=3, **FEW).fit(X, sample_weight=weight)
    assert half.criterion_ == GaussianMixtureIC([3], criterion="cv", n_folds=3, **FEW).fit(X[:200]).criterion_


def test_where_no_number_is_given_every_fold_leaves_rows_enough() -> None:
    model = GaussianMixtureIC(criterion="cv", n_folds=2, covariance_type="EII", random_state=0).fit(X[:11])
    assert {one.n_components for one in model.search_.candidates} == {1, 2, 3, 4, 5}


def test_the_same_seed_gives_the_same_and_a_generator_is_drawn_from() -> None:
    one, other = (GaussianMixtureIC([2, 4], covariance_type="VVV", random_state=7).fit(X) for _ in range(2))
    np.testing.assert_array_equal(one.means_, other.means_)
    generator = np.random.RandomState(0)
    before = generator.get_state()[2]
    GaussianMixtureIC([2], covariance_type="VVV", random_state=generator).fit(X)
    assert generator.get_state()[2] != before


def test_it_survives_pickle_and_clone(model) -> None:
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again.results_ == model.results_
    fresh = clone(model)
    assert fresh.get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        fresh.predict(X)


def test_float32_rows_give_float32_parameters() -> None:
    model = GaussianMixtureIC([3], **FEW).fit(X.astype(np.float32))
    assert model.means_.dtype == model.predict_proba(X.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    ("parameters", "error", "said"),
    [
        ({"n_components": []}, ParameterError, r"`n_components` must be .*; got \[\]"),
        ({"n_components": [1, 0]}, ParameterError, "whole number of at least 1"),
        ({"n_components": [1.5]}, ParameterError, "whole number of at least 1"),
        ({"n_components": [1, 301]}, TooFewRowsError, "n_components = 301, n_samples = 300"),
        ({"n_components": 0}, ValueError, "n_components"),
        ({"covariance_type": []}, ParameterError, "must name at least one; got"),
        ({"covariance_type": ["round"]}, ParameterError, "`covariance_type` must be one of .*; got 'round'"),
        ({"covariance_type": "round"}, ValueError, "covariance_type"),
        ({"criterion": "cic"}, ValueError, "'criterion' parameter"),
        ({"n_folds": 1}, ValueError, "'n_folds' parameter"),
        ({"criterion": "cv", "n_folds": 301}, ParameterError, "at most the number of rows, 300; got 301"),
        ({"criterion": "cv", "n_components": 271}, TooFewRowsError, "270 rows of positive weight outside"),
        ({"prior": -1.0}, ValueError, "prior"),
        ({"n_init": 0}, ValueError, "n_init"),
    ],
)
def test_what_cannot_be_tried_is_refused(parameters, error, said) -> None:
    with pytest.raises(error, match=said):
        GaussianMixtureIC(**parameters).fit(X)


def test_rows_of_weight_zero_carry_no_component() -> None:
    weight = np.zeros(len(X))
    weight[:3] = 1.0
    with pytest.raises(TooFewRowsError, match="n_samples = 3 with positive weight"):
        GaussianMixtureIC([4], **FEW).fit(X, sample_weight=weight)


@pytest.mark.parametrize("n_jobs", [1, 2, -1])
def test_jobs_change_no_digit(n_jobs: int) -> None:
    before = get_threads()
    one, other = (
        GaussianMixtureIC([2, 3], covariance_type=["EEE", "VVV"], random_state=0, n_jobs=jobs).fit(X)
        for jobs in (None, n_jobs)
    )
    assert one.criterion_ == other.criterion_
    assert get_threads() == before


def test_no_jobs_are_refused() -> None:
    with pytest.raises(ValueError, match="n_jobs"):
        GaussianMixtureIC(n_jobs=0).fit(X)
