"""Gaussian mixtures for tables with outliers: noise, and t components, in scikit-learn's words."""

from __future__ import annotations

import pickle
import warnings
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture as Reference

from mixtura import GaussianMixture, impute
from mixtura.exceptions import DataError
from mixtura.fit.init.sampling.dense_rows import are_dense

MEANS = np.array([[0.0, 0.0], [6.0, 0.0], [3.0, 6.0]])


def table(n: int = 600, share: float = 0.2, seed: int = 0) -> tuple[Any, Any]:
    """Three groups, then gross outliers; and labels, -1 for those."""
    rng = np.random.RandomState(seed)
    n_out = int(n * share)
    labels = rng.choice(3, n - n_out, p=[0.5, 0.3, 0.2])
    rows = np.vstack(
        [MEANS[labels] + rng.standard_normal((n - n_out, 2)), rng.uniform(-30.0, 40.0, (n_out, 2))]
    )
    return rows, np.append(labels, np.full(n_out, -1))


def fitted(rows: Any, **how: Any) -> GaussianMixture:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return GaussianMixture(3, random_state=0, max_iter=300, **how).fit(rows)


def nearest_means(model: GaussianMixture) -> Any:
    """The means of a model, each the nearest to one of the true ones."""
    apart = np.linalg.norm(model.means_[None] - MEANS[:, None], axis=2)
    return model.means_[apart.argmin(axis=1)]


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical", "VEI"])
@pytest.mark.parametrize("share", [0.05, 0.2])
def test_noise_leaves_outliers_to_no_component(covariance_type: str, share: float) -> None:
    rows, labels = table(share=share)
    model = fitted(rows, noise=True, covariance_type=covariance_type)
    assert model.noise_weight_ == pytest.approx(share, abs=0.02)
    assert model.weights_.sum() + model.noise_weight_ == pytest.approx(1.0, abs=1e-12)
    assert adjusted_rand_score(labels, model.predict(rows)) > 0.95
    np.testing.assert_allclose(nearest_means(model), MEANS, atol=0.35)
    plain = fitted(rows, covariance_type=covariance_type)
    assert model.bic(rows) < plain.bic(rows) - 100


def test_what_is_said_of_rows_is_consistent() -> None:
    rows, _ = table()
    model = fitted(rows, noise=True)
    proba = model.predict_proba(rows)
    noise = 1.0 - proba.sum(axis=1)
    assert noise.min() > -1e-12
    assert noise.mean() == pytest.approx(model.noise_weight_, abs=1e-3)
    np.testing.assert_array_equal(
        model.predict(rows), np.where(noise > proba.max(axis=1), -1, proba.argmax(axis=1))
    )
    density = np.log(model.noise_weight_) - model.mixture_.background.box.log_volume
    np.testing.assert_allclose(np.exp(density - model.score_samples(rows)), noise, atol=1e-10)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.score_samples(rows), model.score_samples(rows))
    drawn, labels = model.sample(5000)
    assert (labels == -1).mean() == pytest.approx(model.noise_weight_, abs=0.02)
    assert np.ptp(drawn[labels == -1], axis=0).min() > 60
    assert model.get_params()["noise"] is True
    assert clone(model).noise is True


@pytest.mark.parametrize("tails", ["t", "common t"])
def test_t_components_hold_their_means_among_outliers(tails: str) -> None:
    rows, labels = table(share=0.05)
    model = fitted(rows, tails=tails)
    np.testing.assert_allclose(nearest_means(model), MEANS, atol=0.35)
    inner = labels >= 0
    assert adjusted_rand_score(labels[inner], model.predict(rows)[inner]) > 0.95
    assert (model.degrees_of_freedom_ >= 2).all()
    assert (model.degrees_of_freedom_ <= 200).all()
    assert tails == "t" or np.ptp(model.degrees_of_freedom_) == 0
    plain = fitted(rows)
    assert model.bic(rows) < plain.bic(rows)
    extra = model._n_parameters() - plain._n_parameters()
    assert extra == (3 if tails == "t" else 1)
    assert model.noise_weight_ == 0.0
    drawn, _ = model.sample(4000)
    assert np.abs(drawn).max() > np.abs(plain.means_).max()


def test_without_them_it_is_the_drop_in() -> None:
    rows, _ = table(share=0.0)
    model, reference = fitted(rows), Reference(3, random_state=0, max_iter=300).fit(rows)
    np.testing.assert_allclose(model.means_, reference.means_, rtol=1e-6)
    assert np.isinf(model.degrees_of_freedom_).all()
    assert model.mixture_.background is None


@pytest.mark.parametrize("how", [{"noise": True}, {"tails": "t"}, {"noise": True, "tails": "common t"}])
def test_missing_values_given_parameters_and_warm_starts(how: Any) -> None:
    rows, _ = table(share=0.1)
    rows[np.random.RandomState(1).uniform(size=rows.shape) < 0.1] = np.nan
    model = fitted(rows, missing="fiml", means_init=MEANS, **how)
    np.testing.assert_allclose(model.means_, MEANS, atol=0.5)
    assert np.isfinite(model.score_samples(rows)).all()
    assert np.isfinite(impute(model, rows)).all()
    assert np.isfinite(impute(model, rows, method="draw")).all()
    bounds = model.lower_bounds_
    assert all(after >= before - 1e-6 for before, after in pairwise(bounds))
    model.set_params(warm_start=True)
    before = model.lower_bound_
    assert model.fit(rows).lower_bound_ >= before - 1e-9
    start = fitted(
        rows, missing="fiml", weights_init=np.full(3, 1 / 3), means_init=MEANS,
        precisions_init=np.array([np.eye(2)] * 3), **how,
    )  # fmt: skip
    np.testing.assert_allclose(start.means_, MEANS, atol=0.5)


def test_draws_of_missing_values_are_of_noise_where_a_row_is() -> None:
    rows, _ = table()
    model = fitted(rows, noise=True)
    far = np.full((4000, 2), np.nan)
    far[:, 0] = -25.0
    drawn = impute(model, far, method="draw")[:, 1]
    assert drawn.std() == pytest.approx(70.0 / np.sqrt(12.0), rel=0.05)
    assert impute(model, far[:1])[0, 1] == pytest.approx(5.0, abs=2.0)


def test_a_user_may_set_attributes_of_a_robust_fit() -> None:
    rows, _ = table()
    model = fitted(rows, noise=True, tails="t")
    before = model.score_samples(rows)
    model.means_ = model.means_ + 0.0
    np.testing.assert_allclose(model.score_samples(rows), before, rtol=1e-9)
    model.means_ = model.means_ + 1.0
    assert np.abs(model.score_samples(rows) - before).max() > 0.1


def test_noise_needs_columns_that_vary() -> None:
    rows, _ = table(60)
    with pytest.raises(DataError, match="`noise` needs columns that vary"):
        GaussianMixture(2, noise=True).fit(np.column_stack([rows, np.ones(60)]))


def test_rows_that_lie_densely_are_found() -> None:
    rows, labels = table(1000)
    dense = are_dense(rows, np.ones(len(rows)))
    assert dense[labels >= 0].mean() > 0.95
    assert dense[labels < 0].mean() < 0.1
    assert are_dense(rows[:15], np.ones(15)).all()
    assert are_dense(np.zeros((100, 2)), np.ones(100)).all()
    assert are_dense(np.repeat(rows, 15, axis=0), np.ones(15 * len(rows))).all()
    some_repeat = np.concatenate([np.zeros(40), np.random.default_rng(0).normal(size=60)])
    assert are_dense(some_repeat[:, None], np.ones(100)).all()


def test_a_ridge_that_leaves_all_rows_to_noise_is_said() -> None:
    rng = np.random.default_rng(0)
    rows = 1e-6 * np.vstack([rng.normal(size=(80, 2)), rng.normal(size=(80, 2)) + 6])
    with pytest.warns(ConvergenceWarning, match="100% of the rows are noise"):
        GaussianMixture(2, noise=True, random_state=0).fit(rows)
    fitted = GaussianMixture(2, noise=True, reg_covar=1e-18, random_state=0).fit(rows)
    assert fitted.noise_weight_ < 0.1
