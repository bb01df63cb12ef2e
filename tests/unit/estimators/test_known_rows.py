"""Fits of rows of which some are known to belong to a component, against the naive loop and what follows from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal, multivariate_t
from sklearn.base import clone
from sklearn.datasets import load_iris, load_wine
from sklearn.metrics import adjusted_rand_score

import naive
from mixtura import GaussianMixture, GaussianMixtureIC
from mixtura.core.covariance import FAMILIES
from mixtura.core.parts.known_labels import labels_in_turn
from mixtura.exceptions import ParameterError
from mixtura.select import search

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NAMES = ["full", "tied", "diag", "spherical"]
N, D, K = 60, 3, 3


def table(seed: int = 0) -> tuple[Any, Any, Any]:
    """Return overlapping groups, their labels of which five in six are unknown, and weights."""
    rng = np.random.RandomState(seed)
    truth = np.arange(N) % K
    rows = rng.standard_normal((N, D)) * [1.0, 0.7, 2.0] + 1.5 * truth[:, None]
    known = np.where(rng.uniform(size=N) < 1 / 6, truth, -1)
    known[:K] = truth[:K]
    return rows, known, rng.exponential(size=N) + 0.1


def given(name: str, rows: Any) -> tuple[Any, Any, Any]:
    rng = np.random.RandomState(7)
    weights = np.array([0.2, 0.5, 0.3])
    means = rows[:K] + 0.1 * rng.standard_normal((K, D))
    full = np.stack([np.eye(D) * (1.0 + k) + 0.2 for k in range(K)])
    covariances = {
        "full": full,
        "tied": full[1],
        "diag": full[:, range(D), range(D)],
        "spherical": np.arange(1.0, 4.0),
    }
    return weights, means, covariances[name]


def fitted(name: str, rows: Any, known: Any, n_iter: int, **options: Any) -> GaussianMixture:
    weights, means, covariances = given(name, np.nan_to_num(options.pop("start", rows)))
    inverse = 1.0 / covariances if name in ("diag", "spherical") else np.linalg.inv(covariances)
    sample_weight = options.pop("sample_weight", None)
    model = GaussianMixture(
        K, covariance_type=name, tol=0.0, max_iter=n_iter, weights_init=weights, means_init=means,
        precisions_init=inverse, **options,
    )  # fmt: skip
    return model.fit(rows, known=known, sample_weight=sample_weight)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "missing and weighted"])
def test_it_is_the_naive_loop_with_fixed_responsibilities(name: str, weighted: bool) -> None:
    rows, known, sample_weight = table()
    options: dict[str, Any] = {}
    if weighted:
        rows[np.random.RandomState(1).uniform(size=rows.shape) < 0.15] = np.nan
        rows[np.isnan(rows).all(axis=1), 0] = 0.0
        options = {"missing": "fiml", "sample_weight": sample_weight}
    found = fitted(name, rows, known, 12, **options)
    expected = naive.naive_missing_em(
        name,
        rows,
        *given(name, np.nan_to_num(rows)),
        12,
        sample_weight if weighted else None,
        1e-6,
        labels=known,
    )
    for one, other in zip((found.weights_, found.means_, found.covariances_), expected, strict=False):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(found.lower_bounds_, expected[3], rtol=1e-10)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_step_of_every_family_is_that_of_the_fixed_responsibilities(name: str) -> None:
    rows, known, _ = table()
    start = GaussianMixture(K, covariance_type=name, max_iter=1, random_state=0, init_params=np.arange(N) % K)
    first = start.set_params(max_iter=0).fit(rows, known=known)
    weights, means, full = first.weights_, first.means_, first.mixture_.full_covariances()
    after = start.set_params(max_iter=1).fit(rows, known=known)
    _, shares = naive.naive_missing_e_step(rows, weights, means, full, known)
    expected = clone(start).set_params(max_iter=0, init_params=shares).fit(rows)
    np.testing.assert_allclose(after.weights_, expected.weights_, rtol=1e-8)
    np.testing.assert_allclose(after.means_, expected.means_, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("options", [{"noise": True}, {"tails": "t"}], ids=str)
def test_the_density_of_known_rows_with_noise_and_tails(options: Any) -> None:
    rows, known, _ = table()
    rows[0] += 15.0  # known to be in component 0, however far out
    found = fitted("full", rows, known, 1, **options)
    weights, means, full = given("full", rows)
    if "noise" in options:
        weights = weights * 0.95
        uniform = 0.05 / np.exp(found.mixture_.background.box.log_volume)
        parts = [
            w * multivariate_normal(m, c).pdf(rows) for w, m, c in zip(weights, means, full, strict=True)
        ]
        rest = np.full(N, uniform)
    else:
        nu = fitted("full", rows, known, 0, **options).degrees_of_freedom_
        parts = [
            w * multivariate_t(m, c, v).pdf(rows) for w, m, c, v in zip(weights, means, full, nu, strict=True)
        ]
        rest = np.zeros(N)
    each = np.array(parts).T
    density = np.where(known >= 0, each[np.arange(N), known], each.sum(axis=1) + rest)
    assert found.lower_bounds_[0] == pytest.approx(np.log(density).mean(), rel=1e-9)


def test_whole_weights_are_repetition() -> None:
    rows, known, _ = table()
    times = np.random.RandomState(3).randint(1, 4, size=N)
    weighted = fitted("full", rows, known, 5, sample_weight=times)
    repeated = fitted("full", np.repeat(rows, times, axis=0), np.repeat(known, times), 5, start=rows)
    np.testing.assert_allclose(weighted.means_, repeated.means_, rtol=1e-9)
    assert weighted.lower_bound_ == pytest.approx(repeated.lower_bound_, rel=1e-10)


@pytest.mark.parametrize("init", ["kmeans", "k-means++", "random_from_data", "hierarchical", "small_em"])
def test_every_start_puts_components_where_known_rows_are(init: str) -> None:
    rng = np.random.RandomState(0)
    truth = rng.randint(4, size=300)
    rows = rng.standard_normal((300, 2)) + 8.0 * np.array([[1, 0], [0, 1], [1, 1], [0, 0]])[truth]
    known = np.full(300, -1)
    for k in range(3):  # of the fourth nothing is known
        known[np.flatnonzero(truth == k)[:2]] = k
    model = GaussianMixture(4, init_params=init, random_state=1, n_init=3, max_iter=200)
    assert adjusted_rand_score(truth, model.fit_predict(rows, known=known)) == pytest.approx(1.0)
    np.testing.assert_array_equal(model.predict(rows), truth)


def test_nothing_known_is_the_ordinary_fit() -> None:
    rows, _, _ = table()
    plain = GaussianMixture(2, random_state=0).fit(rows)
    nothing = GaussianMixture(2, random_state=0).fit(rows, known=np.full(N, -1))
    np.testing.assert_array_equal(plain.means_, nothing.means_)


def test_all_known_is_discriminant_analysis() -> None:
    rows, _, _ = table()
    truth = np.arange(N) % K
    found = GaussianMixture(K, reg_covar=0.0, random_state=0).fit(rows, known=truth)
    for k in range(K):
        own = rows[truth == k]
        np.testing.assert_allclose(found.means_[k], own.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(found.covariances_[k], np.cov(own.T, bias=True), rtol=1e-10)
    assert found.n_iter_ == 2


def test_known_rows_keep_their_label_where_the_density_says_otherwise() -> None:
    rows, known, _ = table()
    wrong = int(np.flatnonzero(known == 0)[0])
    rows[wrong] = rows[np.flatnonzero(known == 2)[0]]
    model = GaussianMixture(K, random_state=0)
    labels = model.fit_predict(rows, known=known)
    assert labels[wrong] == 0
    np.testing.assert_array_equal(labels[known >= 0], known[known >= 0])
    np.testing.assert_array_equal(labels[known < 0], model.predict(rows)[known < 0])


@pytest.mark.parametrize("load", [load_iris, load_wine])
def test_one_label_in_ten_raises_the_agreement_on_the_other_rows(load: Any) -> None:
    rows, truth = load(return_X_y=True)
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    gains = []
    for seed in range(6):
        rng = np.random.RandomState(seed)
        known = np.full(len(truth), -1)
        for k in range(3):
            own = np.flatnonzero(truth == k)
            known[rng.choice(own, len(own) // 10, replace=False)] = k
        free = known < 0
        model = GaussianMixture(3, covariance_type="tied", random_state=seed, max_iter=500)
        alone, helped = model.fit_predict(rows), model.fit_predict(rows, known=known)
        gains.append([adjusted_rand_score(truth[free], one[free]) for one in (alone, helped)])
    before, after = np.mean(gains, axis=0)
    assert after > before + 0.01


@pytest.mark.parametrize(
    ("known", "match"),
    [
        (np.zeros(N - 1), "one number per row"),
        (np.full(N, 3), "with 3 components"),
        (np.full(N, -2), "got -2"),
        (np.full(N, 0.5), "got 0.5"),
        (np.full(N, np.nan), "missing"),
        (np.full(N, "gold"), "gold"),
        (np.full(N, True), "truth"),
    ],
    ids=str,
)
def test_what_known_must_be(known: Any, match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        GaussianMixture(K).fit(table()[0], known=known)


def groups(n: int, n_known: int, seed: int = 0) -> tuple[Any, Any, Any]:
    rng = np.random.RandomState(seed)
    truth = rng.randint(3, size=n)
    rows = rng.standard_normal((n, 2)) + 5.0 * np.array([[0, 0], [1, 0], [0, 1]])[truth]
    known = np.full(n, -1)
    for k in range(2):
        known[np.flatnonzero(truth == k)[-n_known:]] = k
    return rows, known, truth


def test_a_search_keeps_the_order_of_known_components_and_finds_the_others() -> None:
    rows, known, truth = groups(400, 10)
    found = search(rows, components=range(1, 5), covariance_types=["full", "tied"], known=known)
    assert {one.n_components for one in found.candidates} == {2, 3, 4}
    best = found.best
    assert best.n_components == 3
    assert best.mixture is not None
    assert best.mixture.levels is None
    assert best.n_parameters == best.mixture.n_parameters
    assert (best.mixture.predict(rows) == truth).mean() > 0.97
    # The density of a known row is that of its component times the weight.
    parts = np.log(best.mixture.responsibilities(rows)) + best.mixture.log_density(rows)[:, None]
    expected = np.where(known >= 0, parts[np.arange(400), known], best.mixture.log_density(rows)).sum()
    assert best.log_likelihood == pytest.approx(expected, rel=1e-9)


def test_a_few_known_rows_of_many_are_not_lost_in_subsamples() -> None:
    rows, known, truth = groups(9_000, 3)
    found = search(rows, components=[3], covariance_types="full", known=known, sample_rows=4_500)
    assert found.best.mixture is not None
    assert (found.best.mixture.predict(rows) == truth).mean() > 0.97


def test_known_rows_and_the_estimator_that_searches() -> None:
    rows, known, truth = groups(300, 8)
    model = GaussianMixtureIC([2, 3], covariance_type=["EEE", "VVV"], random_state=0)
    labels = model.fit_predict(rows, known=known)
    assert (labels == truth).mean() > 0.97
    np.testing.assert_array_equal(labels[known >= 0], known[known >= 0])


def test_a_search_of_known_rows_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    rows, known, _ = groups(200, 8)
    asked: dict[str, Any] = {"components": [2, 3], "covariance_types": ["full", "diag"], "known": known}

    def interrupt(candidate: Any, done: int, total: int) -> None:
        if done >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(rows, **asked, checkpoint=tmp_path / "kept", on_candidate=interrupt)
    again, plain = search(rows, **asked, checkpoint=tmp_path / "kept"), search(rows, **asked)
    assert [one.log_likelihood for one in again.ranking] == [one.log_likelihood for one in plain.ranking]
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    ("options", "match"),
    [({"components": [1]}, "at least 2"), ({"criterion": "cv"}, "one of the likelihood")],
    ids=str,
)
def test_what_a_search_of_known_rows_refuses(options: Any, match: str) -> None:
    rows, known, _ = groups(60, 5)
    with pytest.raises(ParameterError, match=match):
        search(rows, known=known, **options)


def test_every_beginning_holds_known_rows_of_each_component() -> None:
    labels = np.full(100, -1)
    labels[:20], labels[20:22] = 0, 1
    order = labels_in_turn(labels, np.random.RandomState(0).permutation(100))
    assert sorted(order.tolist()) == list(range(100))
    assert sorted(labels[order[:8]].tolist()) == [-1, -1, -1, -1, 0, 0, 1, 1]
