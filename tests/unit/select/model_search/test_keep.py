"""Components of an earlier mixture that are kept while others are found beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal

import naive
from mixtura import Mixture
from mixtura.core.covariance import FAMILIES, get_family
from mixtura.core.model import GaussianModel
from mixtura.core.parts.kept_components import KeptComponents
from mixtura.core.parts.level_models import NEGATIVE_BINOMIAL, POISSON, LevelModel
from mixtura.core.prior import Ridge
from mixtura.engine import as_data
from mixtura.exceptions import ParameterError
from mixtura.fit import AbsoluteChange, Problem, Settings, continue_fit
from mixtura.select import SearchResult, search

N, D = 70, 2
KEPT = Mixture.from_parameters(
    [0.4, 0.6], [[0.0, 0.0], [5.0, 0.0]], [[[1.0, 0.3], [0.3, 1.5]], [[1.2, 0.0], [0.0, 0.4]]], "full"
)


def table(n_new: int = 30, n_old: int = 40, seed: int = 0) -> Any:
    rng = np.random.RandomState(seed)
    old, _ = KEPT.sample(n_old, rng)
    return np.vstack([old, rng.standard_normal((n_new, D)) * [1.0, 0.6] + [2.0, 6.0]])


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", ["full", "tied", "diag", "spherical"])
@pytest.mark.parametrize("lacking", [False, True], ids=["plain", "missing and weighted"])
def test_it_is_the_naive_loop_in_which_some_components_stay(name: str, lacking: bool) -> None:
    rows, sample_weight = table(), np.ones(N)
    if lacking:
        sample_weight = np.random.RandomState(4).exponential(size=N) + 0.1
        rows[np.random.RandomState(3).uniform(size=N) < 0.2, 0] = np.nan
    means = np.array([*KEPT.means, [2.0, 4.0], [1.0, 7.0]])
    own = {"full": np.eye(2) * 2, "tied": np.eye(2) * 2, "diag": np.array([2.0, 2.0]), "spherical": 2.0}[name]
    weights, stored = np.full(4, 0.25), np.array(own if name == "tied" else [own, own])
    start = Mixture.from_parameters(
        weights, means, np.concatenate([KEPT.covariances, [np.eye(2) * 2] * 2]), "full"
    )
    model = GaussianModel(4, get_family(name), Ridge(1e-6), kept=KeptComponents(KEPT))
    data = as_data(rows, sample_weight)
    found = continue_fit(Problem(data, model), start, Settings(AbsoluteChange(0.0), 15)).mixture
    for _ in range(15):
        new = naive.naive_full_covariances(name, stored, 2, D)
        full = np.concatenate([KEPT.covariances, new])
        _, shares = naive.naive_missing_e_step(rows, weights, means, full)
        counts, first, second = naive.naive_missing_sums(rows, sample_weight, shares, means, full)
        weights = np.array(counts) / sum(counts)
        _, moved, stored = naive.naive_missing_m_step(
            name, counts[2:], first[2:], second[2:], means[2:], 1e-6
        )
        means = np.concatenate([KEPT.means, moved])
    np.testing.assert_allclose(found.weights, weights, rtol=1e-8)
    np.testing.assert_allclose(found.means, means, rtol=1e-8, atol=1e-8)
    new = naive.naive_full_covariances(name, stored, 2, D)
    np.testing.assert_allclose(found.covariances[2:], new, rtol=1e-7, atol=1e-8)
    assert found.means[:2].tobytes() == KEPT.means.tobytes()
    assert found.covariances[:2].tobytes() == KEPT.covariances.tobytes()


@pytest.fixture(scope="module")
def found() -> SearchResult:
    return search(table(60, 200), components=range(1, 5), covariance_types="all", keep=KEPT)


def test_kept_components_are_the_same_to_the_last_bit_in_every_candidate(found: SearchResult) -> None:
    assert {one.n_components for one in found.candidates} == {2, 3, 4}
    assert {one.covariance_type for one in found.candidates} == set(FAMILIES)
    for one in found.candidates:
        assert one.mixture is not None
        assert one.mixture.means[:2].tobytes() == KEPT.means.tobytes()
        assert one.mixture.covariances[:2].tobytes() == KEPT.covariances.tobytes()


def test_what_is_estimated_is_counted(found: SearchResult) -> None:
    for one in found.candidates:
        new = one.n_components - 2
        own = naive.naive_n_parameters(one.covariance_type, new, D) if new else 0
        # Of new components without kept ones: K - 1 weights; here each has one.
        assert one.n_parameters == (own + 2 if new else 1)


def test_log_likelihoods_are_those_of_all_components(found: SearchResult) -> None:
    rows = table(60, 200)
    for one in found.candidates[::7]:
        mixture = one.mixture
        assert mixture is not None
        parts = zip(mixture.weights, mixture.means, mixture.covariances, strict=True)
        density = sum(w * multivariate_normal(m, c).pdf(rows) for w, m, c in parts)
        assert one.log_likelihood == pytest.approx(np.log(density).sum(), rel=1e-10)


def test_the_new_group_is_found(found: SearchResult) -> None:
    best = found.best
    assert best.n_components == 3
    assert best.mixture is not None
    np.testing.assert_allclose(best.mixture.means[2], [2.0, 6.0], atol=0.4)
    assert best.mixture.weights[2] == pytest.approx(60 / 260, abs=0.03)


def test_where_nothing_is_new_nothing_is_found() -> None:
    rows, _ = KEPT.sample(300, 5)
    found = search(rows, components=range(1, 5), keep=KEPT)
    assert found.best.n_components == 2
    assert found.best.n_parameters == 1


def test_a_kept_component_that_has_lost_its_rows_is_no_degeneracy() -> None:
    rows = table(60, 200)
    gone = Mixture.from_parameters(
        [0.4, 0.6], [KEPT.means[0], [60.0, 60.0]], np.array(KEPT.covariances), "full"
    )
    best = search(rows, components=range(2, 6), keep=gone).best
    assert not best.is_degenerate
    assert best.mixture is not None
    assert best.mixture.weights[1] < 1e-6
    assert best.n_components == 4


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"components": [1]}, "at least 2"),
        ({"criterion": "cv"}, "'cv' with `keep`"),
        ({"robust": "noise"}, "'noise' with `keep`"),
        ({"prior": "conjugate"}, "'conjugate' with `keep`"),
        ({"known": np.zeros(N, dtype=int)}, "cannot both"),
        ({"keep": Mixture.from_parameters([1.0], [[0.0]], [1.0], "spherical")}, "got one of 1"),
    ],
    ids=["components", "folds", "noise", "prior", "known", "columns"],
)
def test_what_does_not_go_with_it(options: dict[str, Any], match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        search(table(), **{"keep": KEPT, **options})


@pytest.mark.parametrize("model", [NEGATIVE_BINOMIAL, POISSON], ids=lambda one: one.name)
def test_counts_of_more_numbers_are_of_the_same_distribution(model: LevelModel) -> None:
    rng = np.random.RandomState(0)
    drawn = rng.negative_binomial(3, 0.4, size=(2, 500)) + np.array([[0], [1]])
    drawn = np.vstack([drawn, rng.binomial(29, 0.3, size=500)])  # of less variance than any such distribution
    counts = np.stack([np.bincount(one, minlength=31) for one in drawn], axis=1).astype(float)
    whole = model.log_probabilities(counts)
    few = model.log_probabilities(np.vstack([counts[:30], np.zeros((1, 3))]))
    more = model.extended(few, 60)
    assert more[:30].tobytes() == few[:30].tobytes()
    np.testing.assert_allclose(np.exp(more).sum(axis=0), 1.0, rtol=1e-9)
    np.testing.assert_allclose(np.exp(more[30:]).sum(axis=0), np.exp(few[30]), rtol=1e-6)
    np.testing.assert_allclose(model.extended(whole[[0, 1, 2, 30]], 20)[:20], whole[:20], rtol=1e-8)
