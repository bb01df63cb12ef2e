"""Laws of fits to rows with missing values (full-information maximum likelihood)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score

import mixtura
import naive
from mixtura import GaussianMixture
from mixtura.core.covariance import FAMILIES, get_family
from mixtura.core.model import GaussianModel
from mixtura.core.prior import Ridge
from mixtura.engine import as_data
from mixtura.fit import INITIALIZATIONS, AcceleratedEMStep, EMStep, Outcome, Problem, RemainingGain
from mixtura.fit.loop.driver import iterate
from mixtura.fit.loop.state import begin
from mixtura.run import threads
from mixtura.select import search

FOUR = ("full", "tied", "diag", "spherical")
STARTS = tuple(INITIALIZATIONS)
NUMBERS = ("weights_", "means_", "covariances_", "precisions_cholesky_", "lower_bounds_")


@pytest.fixture(autouse=True)
def fits_may_be_short() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def table(
    n: int = 240, d: int = 3, share: float = 0.25, seed: int = 0, apart: float = 4.0
) -> tuple[Any, Any]:
    """Rows of three groups, and their groups; two rows have no value."""
    rng = np.random.RandomState(seed)
    labels = rng.randint(3, size=n)
    mixing = rng.standard_normal((d, d)) * 0.4 + np.eye(d)
    rows = rng.standard_normal((n, d)) @ mixing + apart * rng.standard_normal((3, d))[labels]
    rows[rng.uniform(size=rows.shape) < share] = np.nan
    if share > 0:
        rows[[5, 17]] = np.nan
    return rows, labels


def fit(rows: Any, *, sample_weight: Any = None, **settings: Any) -> GaussianMixture:
    settings = {"n_components": 3, "random_state": 0, "missing": "fiml"} | settings
    return GaussianMixture(**settings).fit(rows, sample_weight=sample_weight)


def start_for(covariance_type: str, rows: Any) -> dict[str, Any]:
    """Weights, means and precisions to start from, the same for us and for the loops."""
    rng, d = np.random.RandomState(1), rows.shape[1]
    precision = np.eye(d) * 0.5
    shaped = {
        "full": np.array([precision] * 3),
        "tied": precision,
        "diag": np.full((3, d), 0.5),
        "spherical": np.full(3, 0.5),
    }[covariance_type]
    means = np.nanmean(rows, axis=0) + rng.standard_normal((3, d)) * 2.0
    return {"weights_init": np.array([0.5, 0.3, 0.2]), "means_init": means, "precisions_init": shaped}


def equal(one: Any, other: Any) -> None:
    for name in NUMBERS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


@pytest.mark.parametrize("init_params", STARTS)
@pytest.mark.parametrize("covariance_type", [*FOUR, "VVE", "EVI"])
def test_with_nothing_missing_it_is_the_complete_fit_to_the_last_digit(
    covariance_type: str, init_params: str
) -> None:
    rows, _ = table(share=0.0)
    settings = {"covariance_type": covariance_type, "init_params": init_params, "n_init": 2}
    found, wanted = (fit(rows, missing=missing, **settings) for missing in ("fiml", "error"))
    equal(found, wanted)
    for method in ("predict", "predict_proba", "score_samples"):
        np.testing.assert_array_equal(getattr(found, method)(rows), getattr(wanted, method)(rows))
    assert found.bic(rows) == wanted.bic(rows)


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("covariance_type", FOUR)
def test_a_fit_is_em_row_by_row(covariance_type: str, weighted: bool) -> None:
    rows, _ = table(n=60)
    start, n_iter = start_for(covariance_type, rows), 12
    weight = np.random.RandomState(2).uniform(0.2, 3.0, len(rows)) if weighted else None
    model = fit(
        rows, covariance_type=covariance_type, max_iter=n_iter, tol=0.0, sample_weight=weight, **start
    )
    some = ~np.isnan(rows).all(axis=1)
    precisions = start["precisions_init"]
    covariances = (
        1.0 / precisions if precisions.ndim < 2 or covariance_type == "diag" else np.linalg.inv(precisions)
    )
    weights, means, found, bounds = naive.naive_missing_em(
        covariance_type,
        rows[some],
        start["weights_init"],
        start["means_init"],
        covariances,
        n_iter,
        None if weight is None else weight[some],
        ridge=1e-6,
    )
    np.testing.assert_allclose(model.lower_bounds_, bounds, rtol=1e-8)
    np.testing.assert_allclose(model.weights_, weights, rtol=1e-8)
    np.testing.assert_allclose(model.means_, means, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(model.covariances_, found, rtol=1e-8, atol=1e-8)


def test_one_gaussian_of_two_columns_has_the_closed_form() -> None:
    """A column missing below the other: Anderson's (1957) factored likelihood, regression of one on the other."""
    rng = np.random.RandomState(0)
    first = rng.normal(10.0, 2.0, 400)
    second = 1.5 * first + rng.normal(size=400)
    rows = np.column_stack([first, second])
    rows[first > 10.5, 1] = np.nan
    model = fit(rows, n_components=1, tol=1e-14, max_iter=5000, reg_covar=0.0)
    seen = ~np.isnan(rows[:, 1])
    slope = np.cov(first[seen], second[seen], bias=True)[0, 1] / first[seen].var()
    rest = (second[seen] - slope * first[seen]).var()
    mean = second[seen].mean() + slope * (first.mean() - first[seen].mean())
    np.testing.assert_allclose(model.means_[0], [first.mean(), mean], rtol=1e-6)
    covariance = [[first.var(), slope * first.var()], [slope * first.var(), rest + slope**2 * first.var()]]
    np.testing.assert_allclose(model.covariances_[0], covariance, rtol=1e-5)
    assert (
        model.means_[0, 1] - np.nanmean(rows[:, 1]) > 1.0
    )  # of complete rows alone the mean is far too small


@pytest.mark.sampled(3)
@pytest.mark.no_cover
@pytest.mark.parametrize("covariance_type", FAMILIES)
@pytest.mark.parametrize("init_params", STARTS)
def test_the_objective_never_falls(covariance_type: str, init_params: str) -> None:
    for seed, share in ((0, 0.1), (1, 0.4), (2, 0.7)):
        rows, _ = table(n=120, d=4, share=share, seed=seed, apart=1.0)
        model = fit(rows, covariance_type=covariance_type, init_params=init_params, tol=0.0, max_iter=60)
        bounds = np.array(model.lower_bounds_)
        assert np.isfinite(bounds).all()
        assert (np.diff(bounds) >= 0).all(), (seed, np.diff(bounds).min())
        assert get_family(covariance_type).contains(model.mixture_.covariances, 3, 4)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("n_threads", [2, 5])
@pytest.mark.parametrize(
    ("covariance_type", "init_params"),
    [
        *((name, "kmeans") for name in (*FOUR, "VVE")),
        *(("full", name) for name in STARTS if name != "kmeans"),
    ],
)
def test_the_same_digits_for_any_number_of_threads(
    covariance_type: str, init_params: str, n_threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "_SMALL_WORK", 0.0)
    rows, _ = table(n=12_000)
    models = []
    for count in (1, n_threads):
        with mixtura.set_threads(count):
            models.append(
                fit(rows, covariance_type=covariance_type, init_params=init_params, max_iter=4, n_init=2)
            )
    assert [one.result_.n_threads for one in models] == [1, n_threads]
    equal(*models)


@pytest.mark.parametrize("covariance_type", FAMILIES)
def test_whole_weights_are_repetition(covariance_type: str) -> None:
    rows, _ = table(n=150)
    counts = np.random.RandomState(3).randint(0, 4, size=len(rows))
    labels = np.arange(len(rows)) % 3
    settings = {"covariance_type": covariance_type, "max_iter": 10, "tol": 0.0}
    weighted = fit(rows, sample_weight=counts, init_params=labels, **settings)
    repeated = fit(np.repeat(rows, counts, axis=0), init_params=np.repeat(labels, counts), **settings)
    np.testing.assert_allclose(weighted.lower_bounds_, repeated.lower_bounds_, rtol=1e-9)
    np.testing.assert_allclose(weighted.means_, repeated.means_, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(weighted.covariances_, repeated.covariances_, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("covariance_type", FOUR)
def test_the_order_of_rows_changes_rounding_alone(covariance_type: str) -> None:
    rows, _ = table()
    settings = {
        "covariance_type": covariance_type,
        "max_iter": 15,
        "tol": 0.0,
        **start_for(covariance_type, rows),
    }
    one = fit(rows, **settings)
    other = fit(rows[np.random.RandomState(4).permutation(len(rows))], **settings)
    np.testing.assert_allclose(one.lower_bounds_, other.lower_bounds_, rtol=1e-11)
    np.testing.assert_allclose(one.means_, other.means_, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("covariance_type", FOUR)
def test_rows_without_any_value_change_nothing(covariance_type: str) -> None:
    rows, _ = table()
    some = ~np.isnan(rows).all(axis=1)
    settings = {
        "covariance_type": covariance_type,
        "max_iter": 15,
        "tol": 0.0,
        **start_for(covariance_type, rows),
    }
    one, other = fit(rows, **settings), fit(rows[some], **settings)
    np.testing.assert_allclose(one.lower_bounds_, other.lower_bounds_, rtol=1e-12)
    np.testing.assert_allclose(one.bic(rows), other.bic(rows[some]), rtol=1e-12)


@pytest.mark.parametrize("covariance_type", FOUR)
def test_units_and_places_of_columns_change_the_likelihood_by_their_jacobian_alone(
    covariance_type: str,
) -> None:
    rows, _ = table()
    unit = np.full(3, 8.0) if covariance_type == "spherical" else np.array([2.0, 16.0, 0.25])
    place = np.array([100.0, -50.0, 0.0])
    labels = np.arange(len(rows)) % 3
    settings = {
        "covariance_type": covariance_type,
        "max_iter": 15,
        "tol": 0.0,
        "reg_covar": 0.0,
        "init_params": labels,
    }
    one, other = fit(rows, **settings), fit(rows * unit + place, **settings)
    some = ~np.isnan(rows).all(axis=1)
    jacobian = ((~np.isnan(rows)) @ np.log(unit)).sum() / some.sum()
    np.testing.assert_allclose(other.lower_bounds_, np.array(one.lower_bounds_) - jacobian, rtol=1e-9)
    np.testing.assert_allclose(other.means_, one.means_ * unit + place, rtol=1e-7)


@pytest.mark.parametrize("covariance_type", [*FOUR, "VVE", "EEV"])
def test_acceleration_ends_where_plain_steps_end(covariance_type: str) -> None:
    rows, _ = table()
    some = rows[~np.isnan(rows).all(axis=1)]
    problem = Problem(as_data(some).alone(), GaussianModel(3, get_family(covariance_type), Ridge(1e-6)))
    first = INITIALIZATIONS["kmeans"].prepare(problem, np.random.RandomState(0))(problem).statistics
    start = problem.model.maximize(first)[0]
    runs = []
    for step in (EMStep(problem), AcceleratedEMStep(problem, 1e-8)):
        stop = RemainingGain(problem.data.total_weight, 1e-8)
        runs.append(iterate(begin(step, start), step, stop, 5000))
    plain, fast = runs
    assert plain.trace.converged
    assert fast.trace.converged
    assert all(b >= a - 1e-10 * abs(a) for a, b in pairwise(fast.trace.objectives))
    np.testing.assert_allclose(fast.trace.objectives[-1], plain.trace.objectives[-1], rtol=1e-9)
    np.testing.assert_allclose(fast.model.means, plain.model.means, atol=1e-2)


@pytest.mark.parametrize("init_params", STARTS)
def test_every_start_finds_separate_groups(init_params: str) -> None:
    rows, labels = table(n=600, d=5, share=0.2, apart=8.0, seed=5)
    model = fit(rows, init_params=init_params, n_init=10 if "random" in init_params else 1, max_iter=500)
    some = ~np.isnan(rows).all(axis=1)
    assert adjusted_rand_score(labels[some], model.predict(rows)[some]) > 0.9


@pytest.mark.parametrize("by", ["labels", "responsibilities"])
def test_a_partition_starts_from_what_its_groups_have(by: str) -> None:
    rows, labels = table()
    given = labels if by == "labels" else np.eye(3)[labels]
    model = fit(rows, init_params=given, max_iter=0, covariance_type="diag", reg_covar=0.0)
    for k in range(3):
        np.testing.assert_allclose(model.means_[k], np.nanmean(rows[labels == k], axis=0), rtol=1e-10)
        np.testing.assert_allclose(model.covariances_[k], np.nanvar(rows[labels == k], axis=0), rtol=1e-10)


def test_a_group_that_lacks_a_column_gets_the_variance_within_the_others() -> None:
    rng = np.random.RandomState(0)
    rows, labels = (
        rng.standard_normal((90, 2)) + np.repeat([[0, 0], [9, 9], [18, 18]], 30, axis=0),
        np.repeat(range(3), 30),
    )
    rows[labels == 2, 1] = np.nan
    model = fit(rows, init_params=labels, covariance_type="full")
    assert np.isfinite(model.means_).all()
    assert adjusted_rand_score(labels, model.predict(rows)) > 0.99
    assert (np.linalg.eigvalsh(model.covariances_) > 0).all()


def test_a_warm_start_goes_on() -> None:
    rows, _ = table()
    whole = fit(rows, max_iter=20, tol=0.0)
    halves = GaussianMixture(3, random_state=0, missing="fiml", max_iter=10, tol=0.0, warm_start=True)
    halves.fit(rows).fit(rows)
    np.testing.assert_allclose(halves.means_, whole.means_, rtol=1e-9, atol=1e-9)


def test_float32_rows_are_computed_with_in_float64() -> None:
    rows = table()[0].astype(np.float32)
    settings = {"max_iter": 10, "tol": 0.0, **start_for("full", rows)}
    one, other = fit(rows, **settings), fit(rows.astype(np.float64), **settings)
    assert one.means_.dtype == np.float32
    np.testing.assert_allclose(one.lower_bounds_, other.lower_bounds_, rtol=1e-12)


def test_the_twin_fits_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, _ = table()
    settings = {"max_iter": 20, "tol": 0.0, **start_for("full", rows)}
    one = fit(rows, **settings)
    monkeypatch.setenv("MIXTURA_KERNEL", "numpy")
    other = fit(rows, **settings)
    assert other.result_.kernel == "numpy"
    np.testing.assert_allclose(one.lower_bounds_, other.lower_bounds_, rtol=1e-10)
    np.testing.assert_allclose(one.covariances_, other.covariances_, rtol=1e-7, atol=1e-8)


def test_a_search_takes_missing_values_and_finds_the_number_of_groups() -> None:
    rows, labels = table(n=500, d=4, share=0.2, apart=6.0, seed=8)
    found = search(rows, components=range(1, 6), covariance_types=["full", "EEE", "VVI"], missing="fiml")
    best = found.best
    assert best.n_components == 3
    some = ~np.isnan(rows).all(axis=1)
    assert adjusted_rand_score(labels[some], best.mixture.predict(rows[some])) > 0.95
    total = best.mixture.log_density(rows[some]).sum()
    np.testing.assert_allclose(best.log_likelihood, total, rtol=1e-10)
    expected = -2.0 * total + best.n_parameters * np.log(some.sum())
    np.testing.assert_allclose(best.bic, expected, rtol=1e-10)


def test_a_search_of_complete_rows_is_the_same_to_the_last_digit() -> None:
    rows, _ = table(share=0.0)
    one, other = (
        search(rows, components=[2, 3], covariance_types=["full", "EEV"], missing=missing)
        for missing in ("fiml", "error")
    )
    assert [a.bic for a in one.candidates] == [b.bic for b in other.candidates]


def test_outcomes_are_those_of_any_fit() -> None:
    rows, _ = table()
    assert fit(rows, max_iter=500).result_.outcome is Outcome.CONVERGED
    assert fit(rows, max_iter=1, tol=0.0).result_.outcome is not Outcome.CONVERGED
