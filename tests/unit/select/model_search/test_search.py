"""The search: what it tries, how it ranks, what it says of those that fail."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
import sklearn.mixture

import mixtura
from mixtura.core.covariance import MCLUST_NAMES, get_family
from mixtura.estimators.precisions import precisions_cholesky
from mixtura.exceptions import DataError, MixturaError, ParameterError, TooFewRowsError
from mixtura.fit import Outcome
from mixtura.segments import mixed_rows
from mixtura.select import Candidate, aic, bic, search

TYPES = ("full", "tied", "diag", "spherical")


def rows() -> Any:
    rng = np.random.RandomState(0)
    return rng.standard_normal((240, 2)) * [1.0, 3.0] + 12 * rng.randint(3, size=(240, 1))


def in_scikit_learn(one: Candidate) -> Any:
    """Return scikit-learn's estimator with the parameters of a candidate."""
    model = sklearn.mixture.GaussianMixture(one.n_components, covariance_type=one.covariance_type)
    assert one.mixture is not None
    model.weights_, model.means_ = one.mixture.weights, one.mixture.means
    model.covariances_ = one.mixture.covariances
    model.precisions_cholesky_ = precisions_cholesky(one.mixture)
    return model


@pytest.mark.parametrize("criterion", ["bic", "aic"])
def test_it_ranks_as_scikit_learn_would(criterion: str) -> None:
    found = search(rows(), components=range(1, 5), criterion=criterion)
    assert len(found.candidates) == 16
    assert [one.covariance_type for one in found.candidates] == list(np.repeat(TYPES, 4))
    values = {}
    for one in found.candidates:
        theirs = in_scikit_learn(one)
        values[one.covariance_type, one.n_components] = getattr(theirs, criterion)(rows())
        np.testing.assert_allclose(one.criterion(criterion), getattr(theirs, criterion)(rows()), rtol=1e-9)
        assert one.n_parameters == theirs._n_parameters()
        assert one.converged
        assert one.outcome is Outcome.CONVERGED
    ranked = [values[one.covariance_type, one.n_components] for one in found.ranking]
    # One component alone is the same mixture for two of the types, whichever comes first.
    np.testing.assert_allclose(ranked, sorted(values.values()), rtol=1e-9)
    assert found.best is found.ranking[0]
    assert (found.best.covariance_type, found.best.n_components) == min(values, key=lambda pair: values[pair])


@pytest.mark.filterwarnings("ignore:Best performing initialization did not converge")
def test_its_fits_are_no_worse_than_scikit_learns_finished_ones() -> None:
    for one in search(rows(), components=range(1, 5)).candidates:
        theirs = sklearn.mixture.GaussianMixture(
            one.n_components, covariance_type=one.covariance_type, tol=1e-7, max_iter=500, random_state=0
        ).fit(rows())
        assert one.log_likelihood >= theirs.score(rows()) * 240 - 0.02


@pytest.mark.parametrize("columns", [1, 2])
def test_all_families_may_be_searched(columns: int) -> None:
    """In one column there are only two."""
    X = np.ascontiguousarray(rows()[:, :columns])
    found = search(X, components=[1, 3], covariance_types="all")
    names = [get_family(name).name for name in (MCLUST_NAMES if columns == 2 else ("E", "V"))]
    assert [one.covariance_type for one in found.candidates] == list(np.repeat(names, 2))
    for one in found.candidates:
        model = mixtura.GaussianMixture(
            one.n_components, covariance_type=one.covariance_type, random_state=0, tol=1e-5, max_iter=500
        ).fit(X)
        assert one.bic == pytest.approx(model.bic(X), rel=1e-12)
    # With one component, families differ only where they differ for one matrix.
    alone = {one.covariance_type: one for one in found.candidates if one.n_components == 1}
    assert len({round(one.log_likelihood, 3) for one in alone.values()}) == (3 if columns == 2 else 1)


def test_a_family_is_searched_once_by_whatever_name() -> None:
    found = search(rows(), components=[2], covariance_types=["VVV", "EVE", "full", "EVE"])
    assert [one.covariance_type for one in found.candidates] == ["full", "EVE"]
    one = search(rows(), components=[2], covariance_types="VEE").best
    assert (one.covariance_type, one.n_parameters) == ("VEE", 1 + 4 + 4)


def test_each_candidate_is_told_of_as_it_is_done() -> None:
    told: list[tuple[str, int, int, int]] = []

    def on_candidate(candidate: Candidate, done: int, total: int) -> None:
        told.append((candidate.covariance_type, candidate.n_components, done, total))

    search(rows(), components=[2, 1, 2], covariance_types=["diag", "full"], on_candidate=on_candidate)
    assert told == [("diag", 2, 1, 4), ("diag", 1, 2, 4), ("full", 2, 3, 4), ("full", 1, 4, 4)]


def test_weights_are_repetition() -> None:
    weight = np.random.RandomState(1).randint(0, 4, size=240)
    few = search(rows(), components=[3], sample_weight=weight.astype(float))
    many = search(np.repeat(rows(), weight, axis=0), components=[3])
    for one, other in zip(few.candidates, many.candidates, strict=True):
        np.testing.assert_allclose([one.bic, one.aic], [other.bic, other.aic], rtol=1e-8)


def test_more_starts_are_no_worse() -> None:
    one, many = (search(rows(), components=[7], n_init=n, random_state=4) for n in (1, 5))
    for few, several in zip(one.candidates, many.candidates, strict=True):
        assert several.log_likelihood >= few.log_likelihood - 1e-3 * 240


def test_if_all_fail_the_reason_is_told() -> None:
    with pytest.raises(MixturaError, match=r"None of 2 candidates could be fitted. The first: .*ill-defined"):
        search(np.ones((20, 2)), components=[1], covariance_types=["full", "diag"], prior=0)


def test_values_whose_squares_overflow_are_refused() -> None:
    with pytest.raises(DataError, match="rescale the columns"):
        search(1e200 * rows(), components=[1])


def test_one_that_fails_comes_last_with_its_reason() -> None:
    candidates = search(rows(), components=[1, 2], covariance_types=["full"]).candidates
    lost = Candidate("diag", 2, 9, 240.0, *[np.nan] * 4, None, None, 0.0, failure="it would not")
    ranking = type(search(rows(), components=[1]))((lost, *candidates), "bic").ranking
    assert ranking[-1] is lost
    assert (lost.outcome, lost.converged, lost.n_iter) == (None, False, 0)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"components": []},
            ParameterError,
            r"`components` must be a list of whole numbers of at least 1; got \[\]",
        ),
        (
            {"components": 3},
            ParameterError,
            "`components` must be a list of whole numbers of at least 1; got 3",
        ),
        (
            {"components": "23"},
            ParameterError,
            "`components` must be a list of whole numbers of at least 1; got '23'",
        ),
        (
            {"components": [0, 1]},
            ParameterError,
            r"`components` must be whole numbers of at least 1; got 0 in \[0, 1\]",
        ),
        (
            {"components": [2, 2.5]},
            ParameterError,
            r"`components` must be whole numbers of at least 1; got 2\.5 in \[2, 2\.5\]",
        ),
        (
            {"components": [np.float64("nan")]},
            ParameterError,
            r"`components` must be whole numbers of at least 1; got np\.float64\(nan\) in \[np\.float64\(nan\)\]",
        ),
        (
            {"components": [True]},
            ParameterError,
            r"`components` must be whole numbers of at least 1; got True in \[True\]",
        ),
        (
            {"components": ["2"]},
            ParameterError,
            r"`components` must be whole numbers of at least 1; got '2' in \['2'\]",
        ),
        ({"covariance_types": []}, ParameterError, "at least one"),
        ({"covariance_types": ["round"]}, ParameterError, "`covariance_type` must be one of .* got 'round'"),
        (
            {"criterion": "cic"},
            ParameterError,
            r"`criterion` must be one of \['bic', 'aic', 'aicc', 'caic', 'mmdl', 'icl', 'nec', 'cv'\]; got 'cic'",
        ),
        ({"n_init": 0}, ParameterError, "`n_init` must be at least 1; got 0"),
        (
            {"components": [2, 241]},
            TooFewRowsError,
            "There must be at least as many rows as components; got 240 rows for 241 components",
        ),
        (
            {"components": [6], "sample_weight": 1.0 * (np.arange(240) < 5)},
            TooFewRowsError,
            "There must be at least as many rows as components; got 5 rows of positive weight for 6 components",
        ),
        (
            {"prior": "flat"},
            ParameterError,
            "`prior` must be 'floor', 'conjugate', or a number of at least 0; got 'flat'",
        ),
        (
            {"prior": -1.0},
            ParameterError,
            r"`prior` must be 'floor', 'conjugate', or a number of at least 0; got -1\.0",
        ),
    ],
)
def test_what_cannot_be_searched_is_refused_before_any_work(
    arguments: dict[str, Any], error: type, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Any] = []
    monkeypatch.setattr("mixtura.select.model_search.grid.Fitter", lambda *args, **kwargs: begun.append(args))
    with pytest.raises(error, match=message):
        search(rows(), **arguments)
    assert not begun


def test_whole_numbers_of_any_type_are_numbers_of_components() -> None:
    found = search(rows(), components=[2.0, np.int64(3), np.float32(2)], covariance_types=["spherical"])
    sizes = [one.n_components for one in found.candidates]
    assert sizes == [2, 3]
    assert all(type(size) is int for size in sizes)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (
            np.where(np.arange(240) == 7, -1.0, 1.0),
            r"at least one weight positive; got weights from -1\.0 to 1\.0",
        ),
        (
            np.where(np.arange(240) == 7, np.nan, 1.0),
            "at least one weight positive; got weights from nan to nan",
        ),
        (
            np.where(np.arange(240) == 7, np.inf, 1.0),
            r"at least one weight positive; got weights from 1\.0 to inf",
        ),
        (
            np.zeros(240),
            r"at least one weight positive; got weights from 0\.0 to 0\.0",
        ),
        (np.ones(239), r"`sample_weight` must hold one weight per row, shape \(240,\); got shape \(239,\)"),
        (
            np.ones((240, 1)),
            r"`sample_weight` must hold one weight per row, shape \(240,\); got shape \(240, 1\)",
        ),
        (np.full(240, "much"), "Weights must be numbers; got 'much' in row 0"),
    ],
)
def test_weights_that_cannot_be_used_are_refused_before_any_work(
    weights: Any, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Any] = []
    monkeypatch.setattr("mixtura.select.model_search.grid.Fitter", lambda *args, **kwargs: begun.append(args))
    with pytest.raises(DataError, match=message):
        search(rows(), components=[2], sample_weight=weights)
    assert not begun


def test_the_criteria_are_their_formulas() -> None:
    assert bic(-1126.326, 11, 272) == pytest.approx(2 * 1126.326 + 11 * np.log(272), rel=1e-15)
    assert aic(-100.0, 5) == 210.0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Best performing initialization did not converge")
def test_fits_are_finished() -> None:
    """What a much longer run gains is less than the tolerance, though rows overlap and EM is slow."""
    overlapping = np.random.RandomState(3).standard_normal((2000, 2)) * [[1.0, 2.0]]
    overlapping[::2] += [1.5, 0.5]
    for one in search(overlapping, components=[2, 3], covariance_types=["full", "diag"]).candidates:
        if not one.converged:
            continue
        longer = sklearn.mixture.GaussianMixture(
            one.n_components,
            covariance_type=one.covariance_type,
            random_state=0,
            tol=0,
            max_iter=one.n_iter + 1000,
        ).fit(overlapping)
        assert one.result is not None
        assert one.n_iter > 20
        assert longer.score(overlapping) * 2000 - one.log_likelihood < 0.02
        assert one.result.remaining_gain < 0.01


def test_a_least_share_excludes_models_with_a_small_component() -> None:
    rng = np.random.default_rng(0)
    data = np.repeat([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]], [150, 130, 20], axis=0) + rng.normal(size=(300, 2))
    free, least, none = (
        search(data, components=[2, 3], covariance_types=["spherical"], min_share=share)
        for share in (0, 0.1, 0.5)
    )
    assert (free.best.n_components, free.excluded) == (3, ())
    assert (least.best.n_components, [one.n_components for one in least.excluded]) == (2, [3])
    assert none.best is none.ranking[0]
    with pytest.raises(ParameterError, match=r"`min_share` must be .*0\.5.*got 0\.7"):
        search(data, min_share=0.7)


@pytest.mark.parametrize("family", ["tied", "full"])
def test_no_component_is_paid_for_the_rounding_of_a_column(family: str) -> None:
    """Densities of a deviation of h / sqrt(2 pi) at all values sum to sum_j exp(-pi j^2) over h at most: by Gibbs'
    inequality no log-likelihood exceeds that of the observed shares by more than its logarithm per row."""
    data = np.random.default_rng(4).geometric(0.4, (600, 1)).clip(max=4).astype(float)
    one = search(data, components=[4], covariance_types=[family], rounding=[1.0]).best
    assert one.mixture is not None
    assert one.mixture.full_covariances().min() >= (1 - 1e-9) / (2 * np.pi)
    shares = np.bincount(data[:, 0].astype(int))[1:] / 600
    theta = np.exp(-np.pi * np.arange(-5, 6) ** 2).sum()
    highest = 600 * (shares @ np.log(shares) + np.log(theta))
    assert one.log_likelihood <= highest
    assert search(data, components=[4], covariance_types=[family]).best.log_likelihood > highest + 600


@pytest.mark.parametrize("steps", [[1.0], [1.0, -1.0], [1.0, np.nan]])
def test_rounding_is_a_step_for_each_column(steps) -> None:
    with pytest.raises(
        ParameterError, match="`rounding` must be a step of at least 0 for each of the 2 columns"
    ):
        search(rows(), components=[1], rounding=steps)


def test_two_components_of_three_joined_are_a_start_where_models_are_found_on_a_sample() -> None:
    # Five components that overlap, each of its own shape: of two with one covariance partitions do not find the best.
    rng = np.random.default_rng(1)
    means, maps = 1.5 * rng.normal(size=(5, 5)), np.eye(5) + 0.4 * rng.normal(size=(5, 5, 5))
    labels = rng.choice(5, 8_000, p=[0.3, 0.25, 0.2, 0.15, 0.1])
    rows = rng.normal(size=(8_000, 5))
    for k in range(5):
        rows[labels == k] = rows[labels == k] @ maps[k].T + means[k]
    asked = {"covariance_types": ["tied"], "sample_rows": 4_000}
    alone = search(rows, components=[2], **asked).best
    two = search(rows, components=[2, 3], **asked).candidates[0]
    assert two.n_components == 2
    assert two.log_likelihood > alone.log_likelihood + 400
    found = two.mixture.log_likelihood(rows)
    assert found == pytest.approx(two.log_likelihood)


def few_rows_of_three_covariances() -> Any:
    """240 rows of three groups that differ in their covariances, with a word."""
    rng = np.random.default_rng(3)
    group = rng.integers(3, size=240)
    roots = np.array(
        [
            [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.7]],
            [[1.0, 0.0, 0.0], [0.5, 0.8, 0.0], [0.0, 0.0, 1.2]],
            [[0.8, 0.0, 0.0], [-0.4, 0.8, 0.0], [0.0, 0.3, 0.9]],
        ]
    )
    means = np.array([[0.0, 0.0, 0.0], [2.5, 0.0, 0.0], [0.0, 2.5, 0.0]])
    numbers = means[group] + np.einsum("nij,nj->ni", roots[group], rng.normal(size=(240, 3)))
    shares = 0.1 + 0.7 * np.eye(3)
    words = [rng.choice(["a", "b", "c"], p=shares[one]) for one in group]
    columns = {name: numbers[:, j] for j, name in enumerate("xyz")}
    return mixed_rows(pl.DataFrame(columns | {"word": words}), kinds={"word": "category"})


def test_with_discrete_columns_mmdl_has_the_covariance_type_and_bic_the_number() -> None:
    rows = few_rows_of_three_covariances()
    found = search(rows, components=[2, 3], covariance_types=["full", "tied", "diag"])
    types = {
        k: min(
            (one for one in found.candidates if one.n_components == k), key=lambda one: one.criterion("mmdl")
        )
        for k in (2, 3)
    }
    assert found.best is min(types.values(), key=lambda one: one.bic)
    assert found.minimum is found.ranking[0]
    chosen = [(one.covariance_type, one.n_components) for one in (found.best, found.minimum)]
    assert (chosen, found.rule) == ([("full", 3), ("tied", 3)], "covariance type")
    said = f"of tied with 3 ({found.minimum.bic:,.1f}) than of full with 3 ({found.best.bic:,.1f}), which is chosen"
    assert said in (found.selection_reason or "")
    numbers = search(rows.rows, components=[2, 3], covariance_types=["full", "tied", "diag"])
    assert (numbers.best is numbers.ranking[0], numbers.rule) == (True, "minimum")
    by_mmdl = search(rows, components=[2, 3], covariance_types=["full", "tied", "diag"], criterion="mmdl")
    assert (by_mmdl.best is by_mmdl.ranking[0], by_mmdl.selection_reason) == (True, None)
