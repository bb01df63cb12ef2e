"""Bootstrap errors of parameters: against closed forms, their laws, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest

import mixtura
from mixtura import Mixture
from mixtura.datasets import make_customers
from mixtura.exceptions import DataError, MixturaError, ParameterError, TooFewRowsError
from mixtura.run import Workers
from mixtura.select import bootstrap_parameters, match_components, search
from mixtura.select.inference import refit
from mixtura.select.inference.refit import Refit

ROWS = make_customers()
KINDS = ("nonparametric", "weighted", "parametric")
THREE = search(ROWS, components=[3], covariance_types=["spherical"]).best.mixture


def one_normal(rows: np.ndarray) -> Mixture:
    return Mixture.from_parameters([1.0], [rows.mean(axis=0)], [np.cov(rows.T, bias=True)], "full")


@pytest.mark.parametrize("kind", KINDS)
def test_errors_of_one_normal_are_the_closed_form(kind: str) -> None:
    """Of the mean s / sqrt(n); of the variance sqrt((m4 - s^4) / n), where m4 is 3 s^4 if rows come from a normal."""
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.standard_normal(400), rng.uniform(0, 10, 400)])
    n, n_boot = 400, 499
    found = bootstrap_parameters(rows, one_normal(rows), kind=kind, n_boot=n_boot, prior=0.0)
    apart = rows - rows.mean(axis=0)
    variances = (apart**2).mean(axis=0)
    fourth = 3 * variances**2 if kind == "parametric" else (apart**4).mean(axis=0)
    errors = found.standard_errors
    # The error of a standard error from B samples is 1 / sqrt(2 B), 3.2 %; four of them, and 1 / n of bias.
    tolerance = 4 / np.sqrt(2 * n_boot) + 2 / n
    assert errors.weights == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(errors.means[0], np.sqrt(variances / n), rtol=tolerance)
    np.testing.assert_allclose(
        errors.covariances[0].diagonal(), np.sqrt((fourth - variances**2) / n), rtol=tolerance
    )
    low, high = found.intervals(0.95)
    np.testing.assert_allclose(
        (high.means - low.means)[0], 2 * 1.96 * np.sqrt(variances / n), rtol=2 * tolerance
    )
    assert (low.means < found.estimates.means).all()
    assert (found.estimates.means < high.means).all()
    # Of the variance, the mean over samples is (n - 1) / n of the estimate; of the mean it is the estimate.
    assert (np.abs(found.biases.means) < 4 * errors.means / np.sqrt(n_boot)).all()


@pytest.mark.parametrize(
    "kind", [KINDS[0], *(pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS[1:])]
)
def test_a_weight_of_three_is_three_rows(kind: str) -> None:
    """The weighted and the repeated table have one distribution of samples: their errors agree to Monte Carlo."""
    weights = np.tile([0.0, 1.0, 3.0], 100)
    repeated = np.repeat(ROWS, weights.astype(int), axis=0)
    options = {"kind": kind, "n_boot": 299}
    one = bootstrap_parameters(ROWS, THREE, sample_weight=weights, **options)
    other = bootstrap_parameters(repeated, THREE, random_state=1, **options)
    # Two standard errors, each off by 1 / sqrt(2 B) = 4.1 % (more for tails heavier than a normal's).
    for name in ("weights", "means"):
        ours, theirs = getattr(one.standard_errors, name), getattr(other.standard_errors, name)
        np.testing.assert_allclose(ours, theirs, rtol=4.5 * np.sqrt(2) / np.sqrt(2 * 299))


@pytest.mark.parametrize("kind", KINDS)
def test_samples_are_those_of_the_seed_on_any_number_of_threads(kind: str) -> None:
    rows, found = np.concatenate([ROWS] * 40), []
    for n_threads in (1, 2):
        with mixtura.set_threads(n_threads):
            found.append(bootstrap_parameters(rows, THREE, kind=kind, n_boot=3))
    assert (found[0].means == found[1].means).all()
    other = bootstrap_parameters(rows, THREE, kind=kind, n_boot=3, random_state=1)
    assert (found[0].means != other.means).all()
    # The first samples do not depend on how many there are.
    assert (bootstrap_parameters(rows, THREE, kind=kind, n_boot=2).means == found[0].means[:2]).all()


@pytest.mark.parametrize(
    "workers", [Workers(2), Workers(2, are_processes=True)], ids=["threads", "processes"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_samples_are_the_same_whoever_fits_them(
    monkeypatch: pytest.MonkeyPatch, kind: str, workers: Workers
) -> None:
    alone = bootstrap_parameters(ROWS, THREE, kind=kind, n_boot=20)
    monkeypatch.setattr(refit, "workers_for", lambda seconds, n_tasks: workers)
    with mixtura.set_threads(2):
        shared = bootstrap_parameters(ROWS, THREE, kind=kind, n_boot=20)
    np.testing.assert_array_equal(shared.means, alone.means)


def test_float32_rows_are_computed_with_in_float64() -> None:
    rows = ROWS.astype(np.float32)
    one = bootstrap_parameters(rows, THREE, n_boot=3)
    other = bootstrap_parameters(rows.astype(np.float64), THREE, n_boot=3)
    np.testing.assert_allclose(one.means, other.means, rtol=1e-9)


def test_the_mixture_is_finished_first() -> None:
    rough = mixtura.GaussianMixture(3, covariance_type="spherical", tol=1e9, random_state=0).fit(ROWS)
    found = bootstrap_parameters(ROWS, rough.mixture_, n_boot=2)
    assert found.mixture.log_likelihood(ROWS) == pytest.approx(THREE.log_likelihood(ROWS), abs=0.02)


def test_components_that_changed_places_are_put_back() -> None:
    order = np.array([2, 0, 1])
    shuffled = Mixture.from_parameters(
        THREE.weights[order], THREE.means[order], THREE.covariances[order], "spherical"
    )
    matched = match_components(shuffled, THREE)
    np.testing.assert_array_equal(shuffled.means[matched], THREE.means)
    straight = bootstrap_parameters(ROWS, THREE, n_boot=5)
    real = Refit.from_mixture

    def turned(self, data, start):
        result = real(self, data, start)
        found = result.mixture
        parameters = found.weights[order], found.means[order], found.covariances[order]
        swapped = Mixture.from_parameters(*parameters, "spherical")
        return replace(result, mixture=swapped) if start is not THREE else result

    with patch.object(Refit, "from_mixture", turned):
        found = bootstrap_parameters(ROWS, THREE, n_boot=5)
    assert (straight.n_renumbered, found.n_renumbered) == (0, 5)
    np.testing.assert_allclose(found.means, straight.means)
    np.testing.assert_allclose(found.covariances, straight.covariances)


def test_components_about_one_mean_are_told_apart_by_their_widths() -> None:
    reference = Mixture.from_parameters([0.5, 0.5], [[0.0, 0.0], [0.0, 0.0]], [1.0, 25.0], "spherical")
    found = Mixture.from_parameters([0.5, 0.5], [[0.1, 0.0], [0.0, 0.0]], [20.0, 1.5], "spherical")
    assert match_components(found, reference).tolist() == [1, 0]


def test_matching_does_not_depend_on_units() -> None:
    scale = np.array([1e-4, 1e4])
    means = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]])
    one = Mixture.from_parameters(np.ones(3) / 3, means, np.ones((3, 2)), "diag")
    other = Mixture.from_parameters(np.ones(3) / 3, means[[1, 2, 0]] + 0.3, np.ones((3, 2)), "diag")
    assert match_components(other, one).tolist() == [2, 0, 1]
    assert match_components(other.affine(scale), one.affine(scale)).tolist() == [2, 0, 1]


def test_the_table_lists_every_parameter_once() -> None:
    found = bootstrap_parameters(ROWS, THREE, n_boot=19)
    table = found.table(0.9)
    assert len(table) == 3 * (1 + 2 + 3)
    assert len({(row["component"], row["parameter"], row["row"], row["column"]) for row in table}) == len(
        table
    )
    low, high = found.intervals(0.9)
    by_place = {(row["component"], row["parameter"], row["row"], row["column"]): row for row in table}
    one = by_place[1, "covariance", 1, 0]
    assert one["estimate"] == found.mixture.full_covariances()[1, 1, 0]
    assert one["low"] == low.covariances[1, 1, 0]
    assert one["high"] == high.covariances[1, 1, 0]
    assert by_place[2, "mean", 1, None]["standard_error"] == found.standard_errors.means[2, 1]
    assert by_place[0, "weight", None, None]["estimate"] == found.mixture.weights[0]


def test_samples_that_lose_a_component_are_left_out_and_counted() -> None:
    """A component on two rows: the ordinary bootstrap misses both in e^-2 of the samples, the weighted one never."""
    rows = np.concatenate([np.random.default_rng(0).standard_normal((50, 1)), [[30.0], [31.0]]])
    mixture = Mixture.from_parameters([50 / 52, 2 / 52], [[0.0], [30.5]], [[[1.0]], [[0.25]]], "full")
    plain = bootstrap_parameters(rows, mixture, n_boot=100)
    assert plain.n_failed + plain.n_samples == 100
    assert 100 * np.exp(-2) * 0.5 < plain.n_failed
    weighted = bootstrap_parameters(rows, mixture, kind="weighted", n_boot=100)
    assert weighted.n_failed == 0


def test_if_no_sample_can_be_fitted_it_says_so() -> None:
    real, calls = Refit.from_mixture, iter(range(10))

    def once(self, data, start):
        if next(calls):
            raise MixturaError("no")
        return real(self, data, start)

    with (
        patch.object(Refit, "from_mixture", once),
        pytest.raises(MixturaError, match="0 of 5 samples"),
    ):
        bootstrap_parameters(ROWS, THREE, n_boot=5)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        (
            {"kind": "jackknife"},
            ParameterError,
            "`kind` must be one of 'nonparametric', 'weighted', 'parametric'; got 'jackknife'",
        ),
        ({"n_boot": 1}, ParameterError, "`n_boot` must be a whole number of at least 2; got 1"),
        ({"n_boot": True}, ParameterError, "`n_boot` must be a whole number of at least 2; got True"),
        (
            {"prior": -1.0},
            ParameterError,
            r"`prior` must be 'floor', 'conjugate', or a number of at least 0; got -1\.0",
        ),
        ({"sample_weight": -np.ones(300)}, DataError, "-1.0"),
        (
            {"sample_weight": np.full(300, 1 / 300)},
            TooFewRowsError,
            "There must be at least as many rows as components; got 1 rows that the weights sum to for 3 components",
        ),
    ],
)
def test_bad_parameters_are_refused(options, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        bootstrap_parameters(ROWS, THREE, **options)


def test_rows_that_do_not_fit_the_mixture_are_refused() -> None:
    with pytest.raises(DataError, match="Rows must have the 2 columns of the mixture; got 1"):
        bootstrap_parameters(ROWS[:, :1], THREE)
    with pytest.raises(
        TooFewRowsError,
        match="There must be at least as many rows as components; got 2 rows of positive weight for 3 components",
    ):
        bootstrap_parameters(ROWS[:2], THREE)
    with pytest.raises(ParameterError, match="mixture_"):
        bootstrap_parameters(ROWS, mixtura.GaussianMixture(3))
    with pytest.raises(ParameterError, match="`level` must be above 0 and below 1; got 0"):
        bootstrap_parameters(ROWS, THREE, n_boot=2).intervals(0)
