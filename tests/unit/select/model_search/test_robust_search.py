"""Searches among models with noise or t components, by name or as the criterion decides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from mixtura import GaussianMixtureIC
from mixtura.exceptions import ParameterError
from mixtura.io.export.scorer import scorer_of_mixture
from mixtura.select import bootstrap_parameters, search

MEANS = np.array([[0.0, 0.0], [6.0, 0.0], [3.0, 6.0]])


def table(kind: str, n: int = 600, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.RandomState(seed)
    labels = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    apart = rng.standard_normal((n, 2))
    if kind == "t":
        apart /= np.sqrt(rng.chisquare(3.0, size=(n, 1)) / 3.0)
    rows = MEANS[labels] * (2.0 if kind == "t" else 1.0) + apart
    if kind == "noise":
        n_out = n // 8
        rows[:n_out] = rng.uniform(-30.0, 40.0, (n_out, 2))
        labels[:n_out] = -1
    return rows, labels


@pytest.mark.sampled(2)
@pytest.mark.parametrize("kind", ["none", "noise", "t"])
def test_the_criterion_decides_what_there_is(kind: str) -> None:
    rows, labels = table(kind)
    found = search(rows, components=range(2, 5), covariance_types="EII", robust="auto")
    assert found.robust == kind
    assert found.best.n_components == 3
    assert adjusted_rand_score(labels, found.best.mixture.predict(rows)) > 0.9
    assert found.robust_scores[kind] == min(found.robust_scores.values()) == found.best.bic
    words = {"none": "Gaussian components alone", "noise": "a noise component", "t": "t components"}
    assert found.robust_reason.startswith(f"BIC chose {words[kind]} (Gaussian components alone ")
    plain = search(rows, components=range(2, 5), covariance_types="EII")
    assert plain.robust_reason is None
    assert plain.best.bic == pytest.approx(found.robust_scores["none"])


@pytest.mark.parametrize("kind", ["noise", "t"])
def test_parameters_count_and_likelihoods_agree(kind: str) -> None:
    rows, _ = table(kind)
    found = search(rows, components=[1, 3], covariance_types=["tied", "full"], robust=kind)
    for one in found.candidates:
        assert one.robust == kind
        assert one.n_parameters == one.mixture.n_parameters
        assert one.log_likelihood == pytest.approx(one.mixture.log_likelihood(rows), rel=1e-10)
    best = found.best.mixture
    for how in ("nonparametric", "parametric"):
        again = bootstrap_parameters(rows, best, kind=how, n_boot=3)
        np.testing.assert_allclose(again.means, np.tile(best.means, (3, 1, 1)), atol=0.6)


@pytest.mark.slow
def test_cross_validation_and_larger_tables_decide_too() -> None:
    rows, _ = table("noise")
    found = search(rows, components=[2, 3], covariance_types="VII", robust="auto", criterion="cv", n_folds=3)
    assert found.robust == "noise"
    large, _ = table("noise", 3000)
    sampled = search(large, components=[3], covariance_types="VII", robust="noise", sample_rows=800)
    assert sampled.best.mixture.background.weight == pytest.approx(1 / 8, abs=0.01)


@pytest.mark.slow
def test_held_out_rows_prefer_fewer_parameters_within_a_standard_error() -> None:
    """Without outliers noise and t components gain nothing that held-out rows would show."""
    rng = np.random.RandomState(3)
    rows = rng.randn(150, 2) + np.array([[0.0, 0.0], [7.0, 0.0]])[rng.randint(2, size=150)]
    found = search(rows, components=[2], covariance_types="EII", robust="auto", criterion="cv", n_folds=5)
    spread = max(found.robust_scores.values()) - min(found.robust_scores.values())
    assert 0 < spread < found.best.folds.standard_error
    assert found.robust == "none"


@pytest.mark.parametrize(("kind", "noise", "tails"), [("noise", True, "gaussian"), ("t", False, "t")])
def test_the_estimator_shows_the_winner(kind: str, noise: bool, tails: str) -> None:
    rows, _ = table(kind)
    model = GaussianMixtureIC(3, covariance_type="VII", robust="auto", random_state=0).fit(rows)
    assert (model.best_model_.noise, model.best_model_.tails) == (noise, tails)
    assert model.bic(rows) == pytest.approx(model.criterion_)
    assert (model.predict(rows) == -1).any() == noise


def test_words_that_are_not_known_and_priors_that_do_not_fit_are_refused() -> None:
    rows, _ = table("none", 60)
    with pytest.raises(ParameterError, match="`robust` must be one of 'none', 'noise', 't', 'auto'"):
        search(rows, robust="both")
    with pytest.raises(ParameterError, match="`prior` must not be 'conjugate' with t components"):
        search(rows, robust="t", prior="conjugate")
    found = search(rows, components=[1], covariance_types="full", robust="auto", prior="conjugate")
    assert set(found.robust_scores) == {"none", "noise"}


def test_noise_that_cannot_be_is_left_out() -> None:
    rows = np.column_stack([table("none", 100)[0], np.ones(100)])
    found = search(rows, components=[1, 3], covariance_types="diag", robust="auto")
    assert "noise" not in found.robust_scores


def test_what_is_not_gaussian_is_not_exported() -> None:
    rows, _ = table("noise", 200)
    mixture = search(rows, components=[3], covariance_types="VII", robust="noise").best.mixture
    with pytest.raises(ParameterError, match="with noise"):
        scorer_of_mixture(mixture, ["a", "b"])
