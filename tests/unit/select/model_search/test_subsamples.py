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


def test_the_best_few_are_finished_and_the_others_say_that_they_are_not() -> None:
    found = search(rows(), components=range(1, 5), covariance_types=TYPES, sample_rows=1500)
    assert all(one.outcome is not Outcome.NOT_REFINED for one in found.ranking[:FINISHED])
    assert found.best.outcome is Outcome.CONVERGED
    aside = [one for one in found.candidates if one.outcome is Outcome.NOT_REFINED]
    assert aside
    for one in aside:
        assert not one.converged
        assert one.result is not None
        assert "sample" in one.result.outcome.explanation


def test_it_is_the_same_for_any_number_of_threads() -> None:
    values = []
    for n_threads in (1, 3):
        with mixtura.set_threads(n_threads):
            found = search(rows(), components=[2, 3], covariance_types=TYPES, sample_rows=2000)
        values.append([one.log_likelihood for one in found.candidates])
    assert values[0] == values[1]
