"""A search ranked by rows held out: its scores, the standard error that chooses, what it says, what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mixtura.datasets import make_customers
from mixtura.exceptions import MixturaError, ParameterError, TooFewRowsError
from mixtura.fit import Degeneracy, DegeneracyKind, Outcome
from mixtura.select import FIT_CRITERIA, Candidate, FoldScores, SearchResult, cross_validate, search
from mixtura.select.scores.folds import draw_folds
from naive import naive_fold_error, naive_fold_values, naive_simplest

ROWS = make_customers()
OPTIONS: dict[str, Any] = {
    "components": [1, 2, 3, 4],
    "covariance_types": ["spherical", "full"],
    "n_folds": 4,
}
BROKEN = Degeneracy(0, DegeneracyKind.EMPTY, (), 0, np.empty(0, dtype=np.intp), np.empty((0, 2)), np.empty(0))


@pytest.fixture(scope="module")
def found() -> SearchResult:
    return search(ROWS, criterion="cv", **OPTIONS)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_score_is_that_of_a_loop_over_folds(weighted: bool) -> None:
    rows = np.ascontiguousarray(ROWS[::5])
    weights = np.random.default_rng(0).uniform(0.5, 2, len(rows)) if weighted else None
    options: dict[str, Any] = {"components": [2], "covariance_types": ["diag"], "random_state": 3}
    (one,) = search(rows, criterion="cv", n_folds=4, sample_weight=weights, **options).candidates

    def fit(seen: list[int]) -> tuple[Any, Any, Any]:
        own = None if weights is None else weights[seen]
        mixture = search(rows[seen], sample_weight=own, **options).best.mixture
        assert mixture is not None
        return mixture.weights, mixture.means, mixture.full_covariances()

    counted = np.ones(len(rows)) if weights is None else weights
    folds = draw_folds(len(rows), 4, 3)
    values = naive_fold_values(rows, counted, folds.tolist(), fit)
    assert one.criterion("cv") == pytest.approx(sum(values), rel=1e-10)
    error = naive_fold_error(values, np.bincount(folds, counted).tolist())
    assert one.criteria["cv_standard_error"] == pytest.approx(error, rel=1e-8)


def test_scores_are_those_of_cross_validate_and_all_else_is_as_without(found) -> None:
    scored = cross_validate(ROWS, **OPTIONS).candidates
    plain = search(ROWS, **(OPTIONS | {"n_folds": 10})).candidates
    assert [one.criterion("cv") for one in found.candidates] == [one.score for one in scored]
    assert [one.n_parameters for one in found.candidates] == [one.n_parameters for one in scored]
    for one, other in zip(found.candidates, plain, strict=True):
        assert other.folds is None
        assert [one.criterion(name) for name in FIT_CRITERIA] == [
            other.criterion(name) for name in FIT_CRITERIA
        ]


def test_the_rule_is_the_one_made_by_hand(found) -> None:
    models = [
        (one.criterion("cv"), one.criteria["cv_standard_error"], one.n_parameters) for one in found.candidates
    ]
    assert found.best is found.candidates[naive_simplest(models)]
    assert found.minimum is found.ranking[0]
    assert found.minimum.criterion("cv") == min(models)[0]
    assert (found.best.covariance_type, found.best.n_components) == ("spherical", 3)
    assert found.excluded == ()


def test_the_table_has_scores_and_errors_where_they_were_asked_for(found) -> None:
    table = found.table()
    assert [row["cv"] for row in table] == sorted(one.criterion("cv") for one in found.candidates)
    assert all(row["cv_standard_error"] > 0 and row["cv_failure"] is None for row in table)
    plain = search(ROWS, components=[2], covariance_types=["tied"])
    assert not {"cv", "cv_standard_error", "cv_failure"} & set(plain.table()[0])
    with pytest.raises(ParameterError, match="not cross-validated"):
        plain.best.criterion("cv")


def test_weights_that_are_all_two_count_every_row_twice() -> None:
    options = OPTIONS | {"components": [2], "covariance_types": ["tied"]}
    once, twice = (
        search(ROWS, criterion="cv", sample_weight=weights, **options).best.criteria
        for weights in (None, np.full(300, 2.0))
    )
    # A fit that leaves 1e-4 nats is sqrt(2e-4) standard errors from its end, which rows held out feel at first order.
    assert twice["cv"] == pytest.approx(2 * once["cv"], rel=1e-5)
    assert twice["cv_standard_error"] == pytest.approx(2 * once["cv_standard_error"], rel=1e-4)


def test_rows_of_weight_zero_are_in_no_fold() -> None:
    weights = np.tile([1.0, 0.0, 2.0], 100)
    options = OPTIONS | {"components": [2], "covariance_types": ["diag"]}
    with_zeros = search(ROWS, criterion="cv", sample_weight=weights, **options).best
    kept = weights > 0
    without = search(ROWS[kept], criterion="cv", sample_weight=weights[kept], **options).best
    assert with_zeros.criterion("cv") == without.criterion("cv")


def made(score: float, n_parameters: int, *, error: float = 3.0, **other: Any) -> Candidate:
    """A candidate with this score and standard error, and as many components as parameters."""
    values = score / 4 + error / 2 * np.array([1.0, -1.0, 1.0, -1.0]) * np.sqrt(3 / 4)
    size, measured = (n_parameters, n_parameters, 100.0), (-50.0, 0.0, 0.0, -90.0)
    one = Candidate("diag", *size, *measured, None, None, 0.0, folds=FoldScores(values, np.ones(4)))
    return replace(one, **other)


def test_the_made_ones_are_as_they_say() -> None:
    one = made(100.0, 4)
    assert (one.criterion("cv"), one.criteria["cv_standard_error"]) == pytest.approx((100.0, 3.0))


def test_one_standard_error_is_the_border_and_the_fewest_parameters_win() -> None:
    smallest, near, beyond = made(100.0, 9), made(102.9, 5), made(103.1, 2)
    result = SearchResult((beyond, smallest, near), "cv")
    assert result.ranking == (smallest, near, beyond)
    assert (result.best, result.minimum, result.excluded) == (near, smallest, ())
    assert result.selection_reason == (
        "The smallest CV is that of diag with 9 (100.0, with a standard error of 3.0); diag with 5 is chosen because "
        "it has the fewest parameters within one standard error of it."
    )
    alone = SearchResult((smallest, beyond), "cv")
    assert (alone.best, alone.selection_reason) == (smallest, None)
    # Another criterion knows nothing of errors.
    assert SearchResult((beyond, smallest, near), "bic").best is beyond


def test_degenerate_failed_and_unscored_candidates_do_not_win_and_lend_no_error() -> None:
    sound, simpler = made(110.0, 9), made(112.0, 4)
    broken = made(90.0, 2, error=50.0, degeneracies=(BROKEN,))
    between = made(111.0, 1, degeneracies=(BROKEN,))
    lost = made(80.0, 1, failure="it would not")
    unscored = made(70.0, 1, folds=FoldScores(np.array([1.0, np.nan]), np.ones(2), "In fold 2 of 2: no"))
    result = SearchResult((lost, broken, unscored, sound, simpler, between), "cv")
    assert (result.best, result.minimum) == (simpler, sound)
    assert result.excluded == (broken, between)
    assert result.ranking[-2:] == (unscored, lost)
    rows = result.table()
    assert (rows[-2]["cv"], rows[-2]["cv_failure"]) == (None, "In fold 2 of 2: no")
    assert rows[-2]["bic"] == unscored.bic
    assert rows[-1]["cv"] is None
    only = SearchResult((broken, made(95.0, 1, degeneracies=(BROKEN,))), "cv")
    assert only.best is broken


def test_a_smallest_score_on_the_edge_is_told() -> None:
    result = SearchResult((made(100.0, 9), made(102.0, 5), made(150.0, 2)), "cv")
    assert result.best.n_components == 5
    assert "The smallest CV lies on the edge of the search: 9 components" in str(result.boundary_warning)
    inside = SearchResult((made(100.0, 9), made(102.0, 5), made(150.0, 2), made(120.0, 12)), "cv")
    assert inside.boundary_warning is None
    best = SearchResult((made(100.0, 9), made(150.0, 2)), "cv")
    assert "The best lies on the edge of the search: 9 components" in str(best.boundary_warning)


def test_folds_are_told_before_candidates_which_come_with_their_scores() -> None:
    told: list[Any] = []
    search(
        ROWS,
        criterion="cv",
        components=[1, 2],
        covariance_types=["tied"],
        n_folds=3,
        on_candidate=lambda candidate, done, total: told.append((candidate.criterion("cv") > 0, done, total)),
        on_fold=lambda done, total: told.append((done, total)),
    )
    assert told == [(1, 3), (2, 3), (3, 3), (True, 1, 2), (True, 2, 2)]


def test_in_large_tables_the_choice_is_finished_on_all_rows() -> None:
    rng = np.random.RandomState(3)
    rows = rng.standard_normal((3000, 2)) + 6 * rng.randint(2, size=(3000, 1))
    found = search(
        rows,
        criterion="cv",
        components=range(2, 6),
        covariance_types=["EII", "VVV"],
        n_folds=2,
        sample_rows=900,
    )
    assert any(one.outcome is Outcome.NOT_REFINED for one in found.candidates)
    assert found.best.outcome is Outcome.CONVERGED
    assert (found.best.covariance_type, found.best.n_components) == ("EII", 2)
    assert all(one.folds is not None for one in found.candidates)


def test_the_chosen_one_is_finished_however_far_down_it_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixtura.select.model_search.grid._FINISHED", 0)
    found = search(ROWS, components=range(2, 6), covariance_types=["tied"], sample_rows=100)
    outcomes = {one.n_components: one.outcome for one in found.candidates}
    assert outcomes[found.best.n_components] is Outcome.CONVERGED
    assert Outcome.NOT_REFINED in outcomes.values()


def test_if_no_candidate_has_a_score_the_reason_is_told() -> None:
    rows = np.ones((20, 2))
    with pytest.raises(
        MixturaError, match=r"None of 1 candidates could be fitted. The first: In fold 1 of 10"
    ):
        search(rows, components=[1], covariance_types=["full"], criterion="cv", prior=0.0)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"n_folds": 1}, ParameterError, "`n_folds` must be a whole number of at least 2; got 1"),
        ({"n_folds": 2.5}, ParameterError, r"`n_folds` must be a whole number of at least 2; got 2\.5"),
        (
            {"n_folds": 301},
            ParameterError,
            "`n_folds` must be at most the number of rows, 300; got 301",
        ),
        (
            {"components": [271]},
            TooFewRowsError,
            "got 270 rows of positive weight outside the largest fold for 271 components",
        ),
        (
            {"sample_weight": np.arange(300) < 9},
            ParameterError,
            "`n_folds` must be at most the number of rows, 9; got 10",
        ),
    ],
)
def test_folds_that_cannot_be_made_are_refused_before_any_work(options, error, words: str) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("work was done")

    arguments = {"components": [2], "covariance_types": ["tied"], "on_candidate": never, "on_fold": never}
    with pytest.raises(error, match=words):
        search(ROWS, criterion="cv", **(arguments | options))
