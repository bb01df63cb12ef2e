"""A segmentation as a step of a pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mixtura import Segmentation, Segmenter
from mixtura.datasets import make_customers
from mixtura.exceptions import ColumnError, DataError, ParameterError

OPTIONS: dict[str, Any] = {"components": [3], "covariance_types": ["full"]}


@pytest.fixture(scope="module")
def fitted() -> Segmenter:
    return Segmenter(**OPTIONS).fit(make_customers(as_frame="polars"))


def test_it_is_the_segmentation_of_the_table(fitted: Segmenter) -> None:
    table = make_customers(as_frame="polars")
    wanted = Segmentation.fit(table, **OPTIONS)
    assert fitted.segmentation_.names == wanted.names
    assert (fitted.labels_ + 1).tolist() == wanted.memberships["segment"].to_list()
    assert list(fitted.feature_names_in_) == table.columns
    assert fitted.n_segments_ == 3
    assert list(fitted.get_feature_names_out()) == list(wanted.names)
    np.testing.assert_array_equal(fitted.predict(table[::-1]), fitted.labels_[::-1])
    found = fitted.transform(table)
    np.testing.assert_allclose(found[:, 0], wanted.memberships["probability_1"].to_numpy())
    np.testing.assert_array_equal(found.argmax(axis=1), fitted.labels_)


def test_it_is_a_step_of_a_pipeline() -> None:
    rows = make_customers()
    steps = make_pipeline(StandardScaler(), Segmenter(**OPTIONS))
    labels = steps.fit_predict(rows)
    np.testing.assert_array_equal(steps.predict(rows), labels)
    scaled = pl.DataFrame(StandardScaler().fit_transform(rows), schema=["x0", "x1"])
    assert (labels + 1).tolist() == Segmentation.fit(scaled, **OPTIONS).memberships["segment"].to_list()
    assert not hasattr(steps[-1], "feature_names_in_")


def test_its_probabilities_are_features_of_a_model_and_its_parameters_are_searched() -> None:
    table = make_customers(as_frame="pandas")
    rich = (table["income"] > table["income"].mean()).to_numpy()
    segmenter = Segmenter(**OPTIONS).set_output(transform="pandas")
    steps = make_pipeline(segmenter, LogisticRegression())
    search = GridSearchCV(steps, {"segmenter__components": [[1], [3]]}, cv=2).fit(table, rich)
    assert search.best_params_ == {"segmenter__components": [3]}
    features = search.best_estimator_[0].transform(table)
    assert list(features.columns) == list(search.best_estimator_[0].segmentation_.names)
    assert features.index.equals(table.index)


def test_parameters_reach_the_segmentation_and_are_cloned() -> None:
    table = make_customers(as_frame="polars").with_columns(
        income=pl.when(pl.int_range(300) > 4).then("income")
    )
    given = Segmenter(
        [2], columns=["income", "spending"], covariance_types=["diag"], options={"drop_missing": True}
    )
    copied = clone(given)
    assert copied.get_params() == given.get_params()
    found = copied.fit(table)
    assert found.labels_[:6].tolist()[:5] == [-1] * 5
    assert np.isnan(found.transform(table)[:5]).all()
    assert found.segmentation_.model.mixture.covariance_type == "diag"
    with pytest.raises(ParameterError, match="`criterion`"):
        Segmenter(criterion="best").fit(table)


def test_what_it_is_not_given_is_an_error(fitted: Segmenter) -> None:
    with pytest.raises(NotFittedError):
        Segmenter().predict(make_customers())
    with pytest.raises(ColumnError, match="spending"):
        fitted.predict(make_customers(as_frame="polars").select("income"))
    with pytest.raises((DataError, ValueError), match="2D"):
        Segmenter().fit(np.zeros(5))
