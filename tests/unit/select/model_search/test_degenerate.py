"""Degenerate models do not win silently."""

from __future__ import annotations

import numpy as np
import pytest

from mixtura import GaussianMixtureIC
from mixtura.exceptions import ParameterError
from mixtura.fit.degeneracy import DegeneracyKind
from mixtura.select import search

TYPES = ("EEE", "VVI", "VVV")


def spiked(seed: int = 0) -> np.ndarray:
    """Two groups, and three in ten of all rows have no debt at all."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(600, 3)) + 4 * rng.integers(2, size=(600, 1))
    rows[rng.permutation(600)[:180], 2] = 0.0
    return rows


def test_a_spike_is_passed_over_and_its_rows_and_column_are_told() -> None:
    X = spiked()
    found = search(X, components=range(1, 5), covariance_types=TYPES)
    assert found.excluded
    assert not found.best.is_degenerate
    assert found.best.bic > found.ranking[0].bic
    worst = found.ranking[0].degeneracies[0]
    assert worst.kind in (DegeneracyKind.SPIKE, DegeneracyKind.NARROW)
    assert worst.columns == (2,)
    assert np.count_nonzero(X[worst.rows, 2] == 0.0) == 180
    told = found.table(["age", "income", "debt"])[0]["degenerate"]
    assert "no width in column 'debt'" in told
    assert found.table()[found.ranking.index(found.best)]["degenerate"] is None


@pytest.mark.parametrize("units", [[1e-4, 1.0, 1e4], [1e3, 1e3, 1e3]])
def test_the_choice_does_not_depend_on_the_units(units: list[float]) -> None:
    X = spiked()
    one, other = (
        search(rows, components=range(1, 4), covariance_types=TYPES).best for rows in (X, X * units + 7.0)
    )
    assert (one.covariance_type, one.n_components) == (other.covariance_type, other.n_components)
    volume = len(X) * np.log(units).sum()
    assert other.log_likelihood == pytest.approx(one.log_likelihood - volume, abs=0.02)


def test_a_constant_added_in_the_units_of_the_data_would_decide() -> None:
    """What the relative floor is for: the best criterion of a spiked table by two constants, and by none."""
    X = spiked()
    by_constant = [
        search(X, components=range(1, 4), covariance_types=["VVV"], prior=constant).ranking[0].bic
        for constant in (1e-6, 1e-2)
    ]
    assert by_constant[1] - by_constant[0] > 1000
    best = search(X, components=range(1, 4), covariance_types=["EEE", "VVV"]).best
    assert not best.is_degenerate


def test_where_all_are_degenerate_the_first_is_best_and_says_so() -> None:
    X = np.repeat(np.random.default_rng(0).normal(size=(4, 2)), 30, axis=0)
    found = search(X, components=[4], covariance_types=["VVV"])
    assert found.best.is_degenerate
    assert found.excluded == ()


def test_a_conjugate_prior_keeps_components_wide() -> None:
    """Such components are told of all the same: their rows have no width of their own."""
    found = search(spiked(), components=range(1, 4), covariance_types=TYPES, prior="conjugate")
    for one in found.candidates:
        assert one.mixture is not None
        assert np.einsum("kii->ki", one.mixture.full_covariances()).min() > 1e-3
    floor = search(spiked(), components=range(1, 4), covariance_types=TYPES)
    assert found.ranking[0].bic > floor.ranking[0].bic + 1000


def test_the_estimator_takes_the_prior_and_tells_of_degenerate_models() -> None:
    model = GaussianMixtureIC([1, 2, 3], covariance_type=["EEE", "VVV"], random_state=0).fit(spiked())
    degenerate = [why for why in model.results_["degenerate"] if why is not None]
    assert degenerate
    assert model.search_.excluded
    assert (model.covariance_type_, model.n_components_) == (
        model.search_.best.covariance_type,
        model.search_.best.n_components,
    )


@pytest.mark.parametrize("prior", ["flat", -1.0, np.nan])
def test_an_unknown_prior_is_refused(prior: object) -> None:
    with pytest.raises(
        ParameterError, match="`prior` must be 'floor', 'conjugate', or a number of at least 0"
    ):
        search(spiked(), prior=prior)
