"""Cross-validated log-likelihood: what it sums, its folds, its standard error, the rule, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

import mixtura
from mixtura import Mixture
from mixtura.datasets import make_customers
from mixtura.exceptions import DataError, MissingValuesError, MixturaError, ParameterError, TooFewRowsError
from mixtura.select import (
    CrossValidated,
    CrossValidation,
    FoldScores,
    cross_validate,
    held_out_scores,
)
from mixtura.select.model_search import cost
from mixtura.select.scores.folds import draw_folds

ROWS = make_customers()


def normal(rows: np.ndarray, weights: np.ndarray | None) -> Mixture:
    """One component of full covariance, by its closed form."""
    mean = np.average(rows, axis=0, weights=weights)
    apart = rows - mean
    shares = np.full(len(rows), 1 / len(rows)) if weights is None else weights / weights.sum()
    return Mixture.from_parameters([1.0], [mean], [apart.T @ (apart * shares[:, None])])


def scores(values: list[float], weights: list[float] | None = None, failure: str | None = None) -> FoldScores:
    return FoldScores(np.array(values), np.array(weights or [1.0] * len(values)), failure)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_score_is_minus_twice_the_sum_over_rows_that_were_not_seen(weighted: bool) -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((23, 2))
    weights = rng.uniform(0.5, 2, 23) if weighted else None
    (found,) = held_out_scores(
        rows, weights, lambda rows, weights: [normal(rows, weights)], n_folds=4, random_state=3
    )
    folds = draw_folds(23, 4, 3)
    for fold in range(4):
        seen, out = folds != fold, folds == fold
        model = normal(rows[seen], None if weights is None else weights[seen])
        own = np.ones(out.sum()) if weights is None else weights[out]
        assert found.values[fold] == pytest.approx(-2 * float(own @ model.log_density(rows[out])), rel=1e-12)
        assert found.weights[fold] == pytest.approx(own.sum())
    assert found.score == pytest.approx(found.values.sum())


def test_cross_validation_of_one_component_is_the_closed_form() -> None:
    found = cross_validate(ROWS, components=[1], covariance_types=["full"], n_folds=5, prior=0.0)
    (expected,) = held_out_scores(ROWS, None, lambda rows, weights: [normal(rows, weights)], n_folds=5)
    assert found.best.score == pytest.approx(expected.score, rel=1e-10)
    assert found.best.standard_error == pytest.approx(expected.standard_error, rel=1e-8)


def test_folds_are_a_partition_that_the_seed_decides() -> None:
    folds = draw_folds(23, 4, 0)
    assert sorted(np.bincount(folds)) == [5, 6, 6, 6]
    assert (folds == draw_folds(23, 4, 0)).all()
    assert (folds != draw_folds(23, 4, 1)).any()
    assert sorted(draw_folds(5, 5, 0)) == [0, 1, 2, 3, 4]


def test_the_standard_error_is_that_of_a_sum_of_equal_folds() -> None:
    values = np.array([3.0, 5.0, 4.0, 9.0])
    assert scores(values.tolist()).standard_error == pytest.approx(np.sqrt(4) * values.std(ddof=1))


def test_folds_of_other_weights_that_score_alike_per_row_have_no_error() -> None:
    assert scores([2.0, 4.0, 6.0], [1.0, 2.0, 3.0]).standard_error == pytest.approx(0.0, abs=1e-12)


def test_the_standard_error_covers_the_spread_between_samples() -> None:
    """Over many samples, its mean is the standard deviation of the score, but for the overlap of fits (below)."""
    rng = np.random.default_rng(0)
    found = [
        held_out_scores(
            rng.standard_normal((100, 1)), None, lambda rows, w: [normal(rows, w)], random_state=n
        )[0]
        for n in range(300)
    ]
    spread = np.std([one.score for one in found], ddof=1)
    errors = np.mean([one.standard_error for one in found])
    # The error of a spread from 300 samples is 4 %, and twice that is allowed beside the bias of ten folds.
    assert 0.85 * spread < errors < 1.1 * spread


def test_a_larger_likelihood_of_all_rows_moves_the_score_and_not_its_error() -> None:
    one = scores([3.0, 5.0, 4.0], [1.0, 2.0, 1.0])
    moved = one.shifted(-6.0)
    assert moved.values == pytest.approx([6.0, 11.0, 7.0])
    assert moved.score == pytest.approx(one.score + 12)
    assert moved.standard_error == pytest.approx(one.standard_error)


def test_a_difference_has_the_error_of_the_difference() -> None:
    apart = scores([10.0, 50.0, 30.0]).difference(scores([9.0, 49.0, 29.0]))
    assert apart.score == 3
    assert apart.standard_error == pytest.approx(0.0, abs=1e-12)


def test_rows_of_weight_zero_are_no_rows() -> None:
    weights = np.tile([1.0, 0.0, 2.0], 100)
    options = {"components": [2], "covariance_types": ["diag"], "n_folds": 5}
    with_zeros = cross_validate(ROWS, sample_weight=weights, **options)
    without = cross_validate(ROWS[weights > 0], sample_weight=weights[weights > 0], **options)
    assert with_zeros.best.score == without.best.score


def test_it_finds_the_number_that_the_rows_were_drawn_with() -> None:
    found = cross_validate(ROWS, components=[1, 2, 3, 4], covariance_types=["spherical", "full"])
    assert found.best.n_components >= 3
    assert (found.simplest().covariance_type, found.simplest().n_components) == ("spherical", 3)
    assert (found.simplest(paired=True).covariance_type, found.simplest(paired=True).n_components) == (
        "spherical",
        3,
    )
    assert [row["n_components"] for row in found.table()] == [one.n_components for one in found.ranking]


def candidates() -> CrossValidation:
    """Errors of 2 for every score, and of 0 for the difference of the first two."""
    near, best = scores([11.5, 9.5, 10.5]), scores([11.0, 9.0, 10.0])
    far, failed = scores([11.0, 13.0, 12.0]), scores([1.0, np.nan, 1.0], failure="In fold 2 of 3: collapsed")
    made = [("tied", 2, 8, near), ("full", 2, 11, best), ("diag", 1, 4, far), ("full", 9, 2, failed)]
    return CrossValidation(tuple(CrossValidated(*one) for one in made))


def test_the_rule_takes_the_fewest_parameters_within_one_standard_error() -> None:
    found = candidates()
    assert found.best.n_parameters == 11
    assert found.best.standard_error == pytest.approx(np.sqrt(3))
    assert found.simplest().n_parameters == 8
    # Fold by fold the first is always a half worse: that is no chance.
    assert found.simplest(paired=True).n_parameters == 11


def test_what_failed_comes_last_and_says_why() -> None:
    table = candidates().table()
    assert table[-1]["failure"] == "In fold 2 of 3: collapsed"
    assert [table[-1][name] for name in ("score", "standard_error", "gap", "gap_standard_error")] == [
        None
    ] * 4
    assert [row["within"] for row in table] == [True, True, False, False]
    assert table[1]["gap"] == pytest.approx(1.5)


def test_models_that_fail_in_a_fold_say_in_which() -> None:
    def fit(rows: np.ndarray, weights: np.ndarray | None) -> list[Mixture | str]:
        return [normal(rows, weights), "too narrow" if rows[0, 0] > 0 else normal(rows, weights)]

    good, bad = held_out_scores(np.arange(10.0)[:, None] ** 2, None, fit, n_folds=10, random_state=0)
    assert good.failure is None
    assert bad.failure.startswith("In fold ")
    assert "too narrow" in bad.failure
    assert bad.score == np.inf
    assert np.isnan(bad.standard_error)


def test_a_score_that_is_not_finite_is_a_failure() -> None:
    narrow = Mixture.from_parameters([1.0], [[0.0]], [1e-300], "spherical")
    (found,) = held_out_scores(np.array([[0.0], [1e30]]), None, lambda rows, weights: [narrow], n_folds=2)
    assert "not finite" in found.failure


def test_a_search_that_fails_in_a_fold_is_no_exception_unless_all_do() -> None:
    same = np.ones((20, 2))
    with pytest.raises(MixturaError, match="None of 1 candidates"):
        cross_validate(same, components=[1], covariance_types=["full"], prior=0.0)
    # Folds without the two rows that differ have no width; the others do.
    same[:2] += np.eye(2)
    with pytest.raises(MixturaError, match="In fold"):
        cross_validate(same, components=[1], covariance_types=["full"], prior=0.0, n_folds=20)


def test_the_number_of_threads_changes_no_digit() -> None:
    found = []
    for n_threads in (1, 2):
        with mixtura.set_threads(n_threads):
            found.append(
                cross_validate(ROWS, components=[2, 3], covariance_types=["tied"], n_folds=3).table()
            )
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"n_folds": 1}, ParameterError, "`n_folds` must be a whole number of at least 2; got 1"),
        ({"n_folds": 2.5}, ParameterError, r"`n_folds` must be a whole number of at least 2; got 2\.5"),
        ({"n_folds": 301}, ParameterError, "`n_folds` must be at most the number of rows, 300; got 301"),
        (
            {"components": [0]},
            ParameterError,
            r"`components` must be whole numbers of at least 1; got 0 in \[0\]",
        ),
        (
            {"components": [2.5]},
            ParameterError,
            r"`components` must be whole numbers of at least 1; got 2\.5 in \[2\.5\]",
        ),
        ({"covariance_types": []}, ParameterError, "at least one"),
        (
            {"components": []},
            ParameterError,
            r"`components` must be a list of whole numbers of at least 1; got \[\]",
        ),
        ({"covariance_types": ["round"]}, ParameterError, "round"),
        ({"components": [280]}, TooFewRowsError, "270"),
        ({"n_init": 0}, ParameterError, "`n_init` must be at least 1; got 0"),
        (
            {"prior": -1.0},
            ParameterError,
            r"`prior` must be 'floor', 'conjugate', or a number of at least 0; got -1\.0",
        ),
        ({"sample_weight": -np.ones(300)}, DataError, "not negative"),
    ],
)
def test_bad_parameters_are_refused(options, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        cross_validate(ROWS, **({"components": [2], "covariance_types": ["tied"]} | options))


@pytest.mark.parametrize(
    ("rows", "error", "words"),
    [
        (ROWS[:, 0], DataError, "reshape"),
        ([["a", "b"]], DataError, "Rows must be numbers; got 'a' in row 0 of column 0"),
        (np.where(np.arange(300)[:, None] == 7, np.nan, ROWS), MissingValuesError, r"1 of 300 rows: 7 "),
    ],
)
def test_rows_that_cannot_be_used_are_refused(rows, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        cross_validate(rows)


def test_the_number_of_processes_changes_no_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "_LONG", 0.0)
    monkeypatch.setattr(cost, "_LONG_WHEN_READY", 0.0)
    rows = np.random.RandomState(0).standard_normal((90, 2)) + 3 * (np.arange(90) % 2)[:, None]
    found = []
    for n_threads in (1, 2):
        with mixtura.set_threads(n_threads):
            found.append(
                cross_validate(rows, components=[1, 2], covariance_types=["spherical", "EEE"], n_folds=6)
            )
    alone, together = found
    for one, same in zip(alone.candidates, together.candidates, strict=True):
        np.testing.assert_array_equal(same.folds.values, one.folds.values)
