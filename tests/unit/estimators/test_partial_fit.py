"""`GaussianMixture.partial_fit`: batches of rows that are not kept."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.utils.validation import validate_data

from mixtura import GaussianMixture
from mixtura.exceptions import ParameterError


def batches(n: int = 400, parts: int = 4, seed: int = 0) -> list[Any]:
    rng = np.random.RandomState(seed)
    rows = rng.standard_normal((n, 2)) + 4.0 * rng.randint(2, size=n)[:, None]
    return np.split(rows, parts)


def learned(parts: list[Any], **settings: Any) -> GaussianMixture:
    gm = GaussianMixture(2, random_state=0, **settings)
    for part in parts:
        gm.partial_fit(part)
    return gm


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical", "VEI", "EVE"])
def test_batches_lead_to_about_where_all_rows_lead(covariance_type: str) -> None:
    parts = batches()
    rows = np.concatenate(parts)
    gm = learned(parts, covariance_type=covariance_type, tol=1e-8)
    whole = GaussianMixture(2, covariance_type=covariance_type, random_state=0, tol=1e-8).fit(rows)
    assert whole.score(rows) - gm.score(rows) < 1e-3
    assert gm.n_samples_seen_ == 400
    assert gm.statistics_.total_weight == pytest.approx(400.0)
    # What is kept is what the next mixture is made of: the sums say the weights and the means.
    np.testing.assert_allclose(gm.statistics_.counts / 400.0, gm.weights_, atol=1e-3)


def test_one_component_is_the_mean_and_covariance_of_all_batches() -> None:
    parts = batches()
    rows = np.concatenate(parts)
    gm = GaussianMixture(1, reg_covar=0.0)
    for part in parts:
        gm.partial_fit(part)
    np.testing.assert_allclose(gm.means_[0], rows.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(gm.covariances_[0], np.cov(rows.T, bias=True), rtol=1e-11)


@pytest.mark.parametrize("parts", [1, 4, 8])
def test_with_a_half_life_rows_count_by_their_age_however_they_are_cut(parts: int) -> None:
    """The mean is the exponentially weighted one, in closed form."""
    rows = np.concatenate(batches())
    gm = GaussianMixture(1)
    for part in np.split(rows, parts):
        gm.partial_fit(part, half_life=50.0)
    weights = 0.5 ** (np.arange(400)[::-1] / 50.0)
    np.testing.assert_allclose(gm.means_[0], weights @ rows / weights.sum(), rtol=1e-10)
    assert gm.statistics_.total_weight == pytest.approx(weights.sum(), rel=1e-12)
    assert gm.n_samples_seen_ == 400


def test_it_goes_on_from_a_fit_and_a_fit_begins_again() -> None:
    first, *others = batches()
    gm = GaussianMixture(2, random_state=0, tol=1e-8).fit(first)
    assert not hasattr(gm, "statistics_")
    for part in others:
        gm.partial_fit(part)
    assert gm.n_samples_seen_ == 400
    rows = np.concatenate(batches())
    assert GaussianMixture(2, random_state=0, tol=1e-8).fit(rows).score(rows) - gm.score(rows) < 1e-3
    gm.fit(first)
    assert not hasattr(gm, "statistics_")


def test_weights_are_repetitions() -> None:
    first, second, *_ = batches()
    weights = np.random.RandomState(0).randint(0, 3, len(second))
    one, other = learned([first]), learned([first])
    one.partial_fit(second, sample_weight=weights)
    other.partial_fit(np.repeat(second, weights, axis=0))
    np.testing.assert_allclose(one.means_, other.means_, rtol=1e-9)


def test_missing_values_noise_and_tails_are_learned_from() -> None:
    parts = batches(parts=2)
    parts[1] = parts[1].copy()
    parts[1][::5, 0] = np.nan
    gm = learned(parts, missing="fiml")
    assert gm.statistics_.total_weight == pytest.approx(400.0)
    np.testing.assert_allclose(np.sort(gm.means_[:, 1]), [0.0, 4.0], atol=0.3)
    robust = learned(batches(), noise=True, tails="gaussian")
    assert 0 <= robust.noise_weight_ < 0.3
    heavy = learned(batches(), tails="t")
    assert (heavy.degrees_of_freedom_ > 2.0).all()


def test_a_batch_may_be_one_row_and_what_is_learned_can_be_pickled() -> None:
    gm = learned(batches())
    again = pickle.loads(pickle.dumps(gm))
    row = np.array([[0.1, -0.2]])
    np.testing.assert_array_equal(gm.partial_fit(row).means_, again.partial_fit(row).means_)
    assert gm.n_samples_seen_ == 401


def test_what_cannot_be_is_refused() -> None:
    gm = learned(batches())
    with pytest.raises(ValueError, match="half_life"):
        gm.partial_fit(batches()[0], half_life=0.0)
    with pytest.raises(ParameterError, match="must be as before, 2 and 'full'; got 3"):
        gm.set_params(n_components=3).partial_fit(batches()[0])
    with pytest.raises(ValueError, match="features"):
        learned(batches()).partial_fit(np.zeros((3, 5)))


def test_columns_are_known_by_their_names() -> None:
    pandas = pytest.importorskip("pandas")
    first, second, *_ = (pandas.DataFrame(one, columns=["a", "b"]) for one in batches())
    gm = learned([first])
    assert list(gm.feature_names_in_) == ["a", "b"]
    before = gm.means_
    with pytest.raises(ValueError, match="Feature names must be in the same order"):
        gm.partial_fit(second[["b", "a"]])
    with pytest.raises(ValueError, match="Feature names unseen at fit time"):
        gm.partial_fit(second.rename(columns={"b": "z"}))
    np.testing.assert_array_equal(gm.means_, before)
    assert gm.partial_fit(second).n_samples_seen_ == 200


def test_the_first_batch_is_the_fit_of_it_and_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = []

    def counted(*args: Any, **kwargs: Any) -> Any:
        checked.append(1)
        return validate_data(*args, **kwargs)

    monkeypatch.setattr("mixtura.estimators.validation.validate_data", counted)
    first = batches()[0]
    gm = learned([first])
    assert len(checked) == 1
    whole = GaussianMixture(2, random_state=0).fit(first)
    np.testing.assert_array_equal(gm.means_, whole.means_)
    assert gm.lower_bound_ == whole.lower_bound_
