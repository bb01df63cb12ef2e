"""The criteria, each by its closed form, and as a candidate carries them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mixtura import GaussianMixture
from mixtura.exceptions import MixturaError
from mixtura.select import (
    CRITERIA,
    FIT_CRITERIA,
    Candidate,
    SearchResult,
    aic,
    aicc,
    bic,
    caic,
    icl,
    mmdl,
    nec,
    search,
)
from naive import naive_e_step, naive_entropies


def rows() -> np.ndarray:
    rng = np.random.RandomState(3)
    return rng.standard_normal((150, 2)) + 3.0 * rng.randint(2, size=(150, 1))


def test_they_are_their_formulas() -> None:
    assert aicc(-50.0, 7, 40.0) == pytest.approx(2 * 50 + 14 + 2 * 7 * 8 / 32, rel=1e-15)
    assert caic(-50.0, 7, 40.0) == pytest.approx(2 * 50 + 7 * (math.log(40) + 1), rel=1e-15)
    own = 3 * (math.log(40 * 0.5) + math.log(40 * 0.3) + math.log(40 * 0.2))
    assert mmdl(-50.0, 13, 40.0, 3, [0.5, 0.3, 0.2]) == pytest.approx(
        2 * 50 + 4 * math.log(40) + own, rel=1e-15
    )
    assert icl(-50.0, 7, 40.0, 3.5) == pytest.approx(2 * 50 + 7 * math.log(40) + 7, rel=1e-15)
    assert nec(-50.0, -60.0, 4.0, 2) == pytest.approx(0.4, rel=1e-15)


def test_mmdl_is_bic_of_one_component_and_takes_the_emptiest_for_one_row() -> None:
    assert mmdl(-50.0, 7, 40.0, 7, [1.0]) == bic(-50.0, 7, 40.0)
    empty = mmdl(-50.0, 7, 40.0, 3, [1.0, 0.0])
    assert empty == pytest.approx(2 * 50 + (7 - 3) * math.log(40), rel=1e-15)


@pytest.mark.parametrize(
    ("family", "own"),
    [
        ("full", 2 + 3),
        ("tied", 2),
        ("diag", 2 + 2),
        ("spherical", 2 + 1),
        ("EII", 2),
        ("VEE", 2 + 1),
        ("EEV", 2 + 1),
    ],
)
def test_a_candidate_knows_what_each_component_has_for_itself(family: str, own: int) -> None:
    data = rows()
    (one,) = search(data, components=[3], covariance_types=[family]).candidates
    assert one.mixture is not None
    shared = one.n_parameters - 3 * own
    by_rows = sum(own * math.log(len(data) * weight) for weight in one.mixture.weights)
    expected = -2 * one.log_likelihood + shared * math.log(len(data)) + by_rows
    assert one.criterion("mmdl") == pytest.approx(expected, rel=1e-12)


def test_aicc_tends_to_aic_and_is_infinite_where_rows_are_too_few() -> None:
    assert aicc(-50.0, 7, 1e12) == pytest.approx(aic(-50.0, 7), abs=1e-9)
    assert [aicc(-50.0, 7, n) for n in (8.0, 7.0, 1.0)] == [math.inf] * 3
    assert math.isfinite(aicc(-50.0, 7, 8.5))


def test_nec_is_one_for_one_component_and_infinite_without_a_gain() -> None:
    assert nec(-50.0, -50.0, 0.0, 1) == 1.0
    assert nec(-50.0, -50.0, 1.0, 2) == nec(-51.0, -50.0, 1.0, 2) == math.inf


@pytest.mark.parametrize("weighted", [False, True])
def test_a_candidate_carries_them_all(weighted: bool) -> None:
    data = rows()
    weight = np.random.RandomState(1).uniform(0, 2, size=len(data)) if weighted else np.ones(len(data))
    found = search(
        data, components=[2, 3], covariance_types=["full", "tied"], sample_weight=weight if weighted else None
    )
    single = (
        GaussianMixture().fit(data, sample_weight=weight).score(data, sample_weight=weight) * weight.sum()
    )
    own = {"full": 2 + 3, "tied": 2}
    for one in found.candidates:
        assert one.mixture is not None
        values = one.mixture.weights, one.mixture.means, one.mixture.full_covariances()
        log_density, memberships = naive_e_step(data, *values)
        total, p, n = weight @ np.array(log_density), one.n_parameters, weight.sum()
        entropy, classification = naive_entropies(memberships, weight)
        expected = {
            "bic": -2 * total + p * math.log(n),
            "aic": -2 * total + 2 * p,
            "aicc": -2 * total + 2 * p + 2 * p * (p + 1) / (n - p - 1),
            "caic": -2 * total + p * (math.log(n) + 1),
            "mmdl": -2 * total
            + p * math.log(n)
            + own[one.covariance_type] * np.log(one.mixture.weights).sum(),
            "icl": -2 * total + p * math.log(n) + 2 * classification,
            "nec": entropy / (total - single),
        }
        assert set(expected) == set(FIT_CRITERIA)
        for name, value in expected.items():
            assert one.criterion(name) == pytest.approx(value, rel=1e-8), name
        assert one.entropy == pytest.approx(entropy, rel=1e-10)
        assert (one.bic, one.aic) == (one.criterion("bic"), one.criterion("aic"))


def test_nec_is_the_same_whether_or_not_one_component_was_searched() -> None:
    without, whole = (search(rows(), components=sizes).candidates for sizes in ([2], [1, 2]))
    assert [one.criterion("nec") for one in without] == [
        one.criterion("nec") for one in whole if one.n_components == 2
    ]


@pytest.mark.parametrize("criterion", FIT_CRITERIA)
def test_a_search_ranks_by_each(criterion: str) -> None:
    found = search(rows(), components=[3, 1, 2], covariance_types=["full", "diag"], criterion=criterion)
    values = [one.criterion(criterion) for one in found.ranking]
    assert values == sorted(values)
    assert found.best.criterion(criterion) == min(one.criterion(criterion) for one in found.candidates)


def test_icl_counts_clusters_where_bic_counts_components() -> None:
    """One cluster with wide tails: two components at one place, which nothing tells apart."""
    rng = np.random.RandomState(0)
    data = rng.standard_normal((600, 2)) * np.where(np.arange(600)[:, None] % 2 == 0, 1.0, 2.5)
    by_bic, by_icl, by_nec = (
        search(
            data, components=[1, 2, 3], covariance_types=["full"], n_init=3, criterion=name
        ).best.n_components
        for name in ("bic", "icl", "nec")
    )
    assert (by_bic, by_icl, by_nec) == (2, 1, 1)


def test_the_table_has_a_row_per_candidate_the_best_first() -> None:
    found = search(rows(), components=[1, 2, 3], covariance_types=["full", "EII"])
    table = found.table()
    assert [(row["covariance_type"], row["n_components"]) for row in table] == [
        (one.covariance_type, one.n_components) for one in found.ranking
    ]
    for row, one in zip(table, found.ranking, strict=True):
        assert [row[name] for name in FIT_CRITERIA] == [one.criterion(name) for name in FIT_CRITERIA]
        assert (row["log_likelihood"], row["entropy"]) == (one.log_likelihood, one.entropy)
        assert (row["n_parameters"], row["n_iter"], row["seconds"]) == (
            one.n_parameters,
            one.n_iter,
            one.seconds,
        )
        assert one.outcome is not None
        assert (row["outcome"], row["failure"]) == (one.outcome.value, None)
        assert {type(value) for value in row.values()} <= {str, int, float, type(None)}


def test_a_failed_candidate_has_a_row_without_numbers_and_comes_after_infinite_ones() -> None:
    lost = Candidate("diag", 2, 9, 150.0, *[math.nan] * 4, None, None, 0.1, failure="it would not")
    few = search(rows()[:12], components=[2], covariance_types=["full"], criterion="bic").candidates
    found = SearchResult((lost, *few), "aicc")
    assert few[0].criterion("aicc") == math.inf
    assert found.ranking[-1] is lost
    row = found.table()[-1]
    assert (row["failure"], row["outcome"], row["n_iter"]) == ("it would not", None, 0)
    assert all(row[name] is None for name in ("log_likelihood", "entropy", *FIT_CRITERIA))
    assert all(lost.criterion(name) == math.inf for name in CRITERIA)


@pytest.mark.parametrize(
    ("components", "said"),
    [
        (range(1, 5), None),
        ([2], None),
        ([1, 2], r"2 components, the most that were tried. More may be better: search 2 to 4 components"),
        ([2, 3], r"2 components, the fewest that were tried. Fewer may be better: search 1 to 2 components"),
    ],
)
def test_the_edge_is_told(components: list[int], said: str | None) -> None:
    data = np.random.RandomState(0).standard_normal((200, 2)) + 30.0 * (np.arange(200)[:, None] % 2)
    found = search(data, components=components, covariance_types=["EII"])
    assert found.best.n_components == 2
    if said is None:
        assert found.boundary_warning is None
    else:
        assert found.boundary_warning is not None
        assert said in found.boundary_warning


def test_one_component_is_no_edge() -> None:
    data = np.random.RandomState(0).standard_normal((200, 2))
    found = search(data, components=[1, 2, 3], covariance_types=["EII"])
    assert (found.best.n_components, found.boundary_warning) == (1, None)


def test_a_criterion_that_ranks_nothing_is_refused() -> None:
    with pytest.raises(
        MixturaError, match=r"`criterion` must be finite .* got 'aicc', which is infinite for all 1"
    ):
        search(rows()[:5], components=[2], covariance_types=["full"], criterion="aicc")


def test_bic_is_caic_less_the_parameters() -> None:
    assert caic(-50.0, 7, 40.0) - bic(-50.0, 7, 40.0) == pytest.approx(7)
