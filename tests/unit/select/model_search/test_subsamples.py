"""Searches of large tables: models found on a sample, the best few finished on all rows."""

from __future__ import annotations

import numpy as np
import pytest

import mixtura
from mixtura.fit import Outcome
from mixtura.select import search

TYPES = ("full", "tied", "EII")
FINISHED = 5


def rows() -> np.ndarray:
    rng = np.random.RandomState(3)
    return rng.standard_normal((6000, 2)) * [1.0, 3.0] + 6 * rng.randint(3, size=(6000, 1))


def overlapping() -> np.ndarray:
    rng = np.random.RandomState(5)
    return rng.standard_normal((20_000, 3)) @ np.diag([1.0, 0.7, 2.0]) + 3 * rng.randint(3, size=(20_000, 1))


def test_what_is_found_on_a_sample_ends_where_all_rows_lead() -> None:
    found = search(rows(), components=range(1, 5), covariance_types=TYPES, sample_rows=1500)
    whole = search(rows(), components=range(1, 5), covariance_types=TYPES)
    assert whole.best.outcome is Outcome.CONVERGED
    assert (found.best.covariance_type, found.best.n_components) == ("tied", 3)
    assert (whole.best.covariance_type, whole.best.n_components) == ("tied", 3)
    assert found.best.log_likelihood == pytest.approx(whole.best.log_likelihood, abs=0.02)


def test_every_likelihood_is_of_all_rows() -> None:
    X = rows()
    weight = np.random.RandomState(0).uniform(0.5, 2, len(X))
    found = search(X, components=range(1, 5), covariance_types=TYPES, sample_rows=1500, sample_weight=weight)
    for one in found.candidates:
        assert one.mixture is not None
        assert one.log_likelihood == pytest.approx(weight @ one.mixture.log_density(X), rel=1e-12)
        assert one.n_rows == pytest.approx(weight.sum())


def test_those_that_may_be_best_are_finished_and_the_others_say_that_they_are_not() -> None:
    found = search(rows(), components=range(1, 5), covariance_types=TYPES, sample_rows=1500)
    assert found.best.outcome is Outcome.CONVERGED
    aside = [one for one in found.candidates if one.outcome is Outcome.NOT_REFINED]
    assert aside
    for one in aside:
        assert not one.converged
        assert one.result is not None
        assert "sample" in one.result.outcome.explanation


@pytest.mark.parametrize(
    "criterion", ["bic", *(pytest.param(one, marks=pytest.mark.slow) for one in ("aic", "icl", "nec"))]
)
def test_what_is_not_finished_could_not_have_been_the_best(
    criterion: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"components": range(1, 8), "covariance_types": ["full"], "sample_rows": 1500}
    found = search(overlapping(), criterion=criterion, **asked)
    monkeypatch.setattr("mixtura.fit.racing._GRANTED", np.inf)
    whole = search(overlapping(), criterion=criterion, **asked)
    # Five are finished; by the entropy criterion they may rank lower then. By BIC some are cut short, by the others
    # none need be.
    assert sum(one.outcome is Outcome.CONVERGED for one in whole.candidates) >= FINISHED
    assert found.best.log_likelihood == whole.best.log_likelihood
    by_size = {one.n_components: one for one in whole.candidates}
    short = [one for one in found.ranking[:FINISHED] if one.outcome is Outcome.NOT_REFINED]
    assert short or criterion != "bic"
    for one in short:
        end = by_size[one.n_components]
        assert one.n_iter < end.n_iter or (end.outcome is Outcome.NOT_REFINED and criterion == "nec")
        assert by_size[one.n_components].criterion(criterion) > whole.best.criterion(criterion)


@pytest.mark.slow
def test_where_the_sample_misled_all_of_the_best_are_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the sample of this table six components stay at a saddle that they leave after a hundred passes."""
    rng = np.random.default_rng(47)
    n_features, k = rng.integers(2, 6), rng.integers(2, 8)
    centers = rng.normal(size=(k, n_features)) * rng.uniform(0.7, 2.5)
    mixing = rng.normal(size=(k, n_features, n_features)) / np.sqrt(n_features) + np.eye(n_features) / 2
    which = rng.choice(k, 30_000, p=rng.dirichlet(np.full(k, 2.0)))
    X = np.einsum("nij,nj->ni", mixing[which], rng.normal(size=(30_000, n_features))) + centers[which]
    found = search(X, covariance_types=["full", "diag"], sample_rows=2000)
    monkeypatch.setattr("mixtura.fit.racing._GRANTED", np.inf)
    whole = search(X, covariance_types=["full", "diag"], sample_rows=2000)
    assert found.best.n_components == 6
    assert found.best.log_likelihood == whole.best.log_likelihood


def test_it_is_the_same_for_any_number_of_threads() -> None:
    values = []
    for n_threads in (1, 3):
        with mixtura.set_threads(n_threads):
            found = search(rows(), components=[2, 3], covariance_types=TYPES, sample_rows=2000)
        values.append([one.log_likelihood for one in found.candidates])
    assert values[0] == values[1]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("seed", [0, 3, 9, 10])
@pytest.mark.parametrize("n_rows", [9_000, 20_000])
def test_groups_that_a_partition_divides_the_wrong_way_are_found(n_rows: int, seed: int) -> None:
    """Two of four groups lie near each other along a column that varies most between the others.

    K-means divides the two across another column, which is a saddle of the likelihood, and among 2,048 rows one of the
    others in two is about as likely. The end that EM reaches from the true parameters is the mark.
    """
    rng = np.random.default_rng(seed)
    centers = np.array([[0.0, 0.0, 0.0], [2.5, 0.0, 0.0], [8.0, 8.0, 0.0], [-8.0, 5.0, 3.0]])
    groups = rng.choice(4, size=n_rows, p=[0.3, 0.3, 0.2, 0.2])
    X = centers[groups] + rng.standard_normal((n_rows, 3))
    true = mixtura.GaussianMixture(
        4, weights_init=[0.3, 0.3, 0.2, 0.2], means_init=centers, precisions_init=np.tile(np.eye(3), (4, 1, 1)),
        reg_covar=0, tol=1e-9, max_iter=1000,
    ).fit(X)  # fmt: skip
    found = search(X, components=[4], covariance_types=["full"], random_state=seed)
    assert found.best.log_likelihood >= true.score(X) * n_rows - 0.1
