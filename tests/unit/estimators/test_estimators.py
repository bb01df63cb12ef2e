"""What the estimators add to scikit-learn's contract, and the corners of it."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn.mixture
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mixtura
from mixtura.exceptions import ParameterError
from naive import naive_aic, naive_bic, naive_n_parameters

TYPES = ("full", "tied", "diag", "spherical")


def rows() -> Any:
    return load_iris().data


@pytest.mark.parametrize("covariance_type", TYPES)
def test_criteria_are_their_definitions(covariance_type: str) -> None:
    model = mixtura.GaussianMixture(3, covariance_type=covariance_type, random_state=0).fit(rows())
    size = naive_n_parameters(covariance_type, 3, 4)
    log_densities = model.score_samples(rows())
    np.testing.assert_allclose(model.bic(rows()), naive_bic(log_densities, size), rtol=1e-12)
    np.testing.assert_allclose(model.aic(rows()), naive_aic(log_densities, size), rtol=1e-12)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_any_kind_of_array_is_read_and_left_alone(dtype: Any, order: Any) -> None:
    X = np.asarray(np.round(10 * rows()), dtype=dtype, order=order)
    kept = X.copy()
    X.flags.writeable = False
    model = mixtura.GaussianMixture(3, random_state=0).fit(X)
    wanted = mixtura.GaussianMixture(3, random_state=0).fit(kept.astype(np.float64, order="C"))
    np.testing.assert_array_equal(X, kept)
    np.testing.assert_allclose(model.mixture_.means, wanted.means_, rtol=1e-12)
    assert model.means_.dtype == (np.float32 if dtype == np.float32 else np.float64)
    assert model.predict_proba(X).dtype == model.score_samples(X).dtype == model.means_.dtype


def test_numbers_too_large_for_float32_are_kept_in_float64() -> None:
    X = (rows() * 1e25).astype(np.float32)
    model = mixtura.GaussianMixture(2, random_state=0).fit(X)
    assert model.covariances_.dtype == np.float64
    wanted = mixtura.GaussianMixture(2, random_state=0).fit(X.astype(np.float64))
    np.testing.assert_allclose(model.covariances_, wanted.covariances_, rtol=1e-10)


def test_fitting_and_predicting_at_once() -> None:
    model = mixtura.GaussianMixture(3, random_state=0)
    weight = np.linspace(1, 2, 150)
    labels = model.fit_predict(rows(), sample_weight=weight)
    np.testing.assert_array_equal(labels, model.predict(rows()))
    other = mixtura.GaussianMixture(3, random_state=0).fit(rows(), sample_weight=weight)
    np.testing.assert_array_equal(model.means_, other.means_)


def test_a_copy_answers_alike_and_apart() -> None:
    model = mixtura.GaussianMixture(2, random_state=0).fit(rows())
    twin = copy.deepcopy(model)
    twin.means_ = twin.means_ + 1
    assert model.score(rows()) > twin.score(rows())


def test_a_warm_start_takes_parameters_set_by_hand() -> None:
    """The continued fit begins where the attributes are."""
    model = mixtura.GaussianMixture(2, random_state=0, warm_start=True).fit(rows())
    labels = model.predict(rows())
    model.means_ = model.means_[::-1].copy()
    model.weights_ = model.weights_[::-1].copy()
    model.precisions_cholesky_ = model.precisions_cholesky_[::-1].copy()
    np.testing.assert_array_equal(model.fit(rows()).predict(rows()), 1 - labels)


@pytest.mark.parametrize(
    ("changed", "columns", "said"),
    [
        ({"n_components": 3}, 4, "`n_components` must be 2, as in the last fit; got 3"),
        ({}, 2, "`X` must have 4 columns, as in the last fit; got 2"),
        (
            {"covariance_type": "diag"},
            4,
            "`covariance_type` must hold covariances as 'full' of the last fit does",
        ),
    ],
)
def test_a_warm_start_goes_on_from_the_same_form(changed: Any, columns: int, said: str) -> None:
    model = mixtura.GaussianMixture(2, random_state=0, warm_start=True).fit(rows()).set_params(**changed)
    with pytest.raises(ParameterError, match=said):
        model.fit(rows()[:, :columns])


def test_a_warm_start_may_change_what_is_equal() -> None:
    model = mixtura.GaussianMixture(2, random_state=0, warm_start=True).fit(rows())
    volumes = np.linalg.det(model.set_params(covariance_type="EVV").fit(rows()).covariances_)
    assert volumes[0] == pytest.approx(volumes[1], rel=1e-4)


@pytest.mark.parametrize("kind", [mixtura.GaussianMixture, mixtura.GaussianMixtureIC])
def test_an_error_lists_covariance_types_in_order(kind: Any) -> None:
    with pytest.raises(
        ValueError, match=r"\['E', 'EEE', .*'tied'\], or of 1 to 10 factors, such as 'UUU-2'.* Got"
    ):
        kind(2, covariance_type="round").fit(rows())


@pytest.mark.parametrize("column", [pd.Series([1.0, 2.0, 5.0]), pl.Series([1.0, 2.0, 5.0])])
def test_a_single_column_is_refused_as_by_scikit_learn(column: Any) -> None:
    for kind in (mixtura.GaussianMixture, sklearn.mixture.GaussianMixture):
        with pytest.raises(ValueError, match=r"Expected (a 2-dimensional|2D)"):
            kind(1).fit(column)


def test_kmeans_as_a_step_names_its_columns() -> None:
    frame = pd.DataFrame(rows(), columns=list("abcd"))
    steps = make_pipeline(StandardScaler(), mixtura.KMeans(3, random_state=0)).set_output(transform="pandas")
    distances = steps.fit_transform(frame)
    assert list(distances.columns) == ["kmeans0", "kmeans1", "kmeans2"]
    np.testing.assert_array_equal(distances.to_numpy().argmin(axis=1), steps[-1].labels_)


def test_kmeans_counts_its_starts() -> None:
    X = rows() + 1e-3 * np.random.RandomState(0).standard_normal((150, 4))
    ten = mixtura.KMeans(5, init="random", random_state=0).fit(X)
    assert ten.inertia_ == mixtura.KMeans(5, init="random", n_init=10, random_state=0).fit(X).inertia_
    one = mixtura.KMeans(5, init="random", n_init=1, random_state=0).fit(X)
    assert ten.inertia_ < one.inertia_
    given = mixtura.KMeans(3, init=X[[0, 70, 140]]).fit(X)
    np.testing.assert_array_equal(given.fit_predict(X), given.labels_)


@pytest.mark.parametrize("kernel", ["numpy", "auto"])
def test_the_kernel_of_the_variable_is_used(monkeypatch: pytest.MonkeyPatch, kernel: str) -> None:
    monkeypatch.setenv("MIXTURA_KERNEL", kernel)
    result = mixtura.GaussianMixture(2, random_state=0).fit(rows()).result_
    assert result.kernel == mixtura.build_info()["kernel"]
    assert kernel == "auto" or result.kernel == "numpy"


def test_verbose_tells_how_every_start_ended(capsys: pytest.CaptureFixture[str]) -> None:
    mixtura.GaussianMixture(2, n_init=3, verbose=2, verbose_interval=1, random_state=0).fit(rows())
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("Initialization")] == [
        "Initialization 0",
        "Initialization 1",
        "Initialization 2",
        "Initialization 0 converged.",
        "Initialization 1 converged.",
        "Initialization 2 converged.",
    ]
    assert any("time lapse" in line and "ll change" in line for line in lines)
