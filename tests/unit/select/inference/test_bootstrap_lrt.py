"""The bootstrap likelihood-ratio test: its arithmetic, its size and power, its weights, and what it refuses."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest

import mixtura
from mixtura import Mixture
from mixtura.core.covariance import FAMILIES
from mixtura.datasets import make_customers
from mixtura.engine import as_data
from mixtura.exceptions import DataError, MissingValuesError, MixturaError, ParameterError, TooFewRowsError
from mixtura.fit import split_components
from mixtura.kernels.iterations.stretch import can_finish
from mixtura.run import SerialRunner, ThreadRunner, Workers
from mixtura.select import bootstrap_lrt, search
from mixtura.select.inference import refit
from mixtura.select.inference.refit import Refit, generator, runner_for
from naive import naive_full_covariances

ROWS = make_customers()


def one_column(n_rows: int, apart: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n_rows, 1)) + apart * (np.arange(n_rows) % 2)[:, None]


def test_three_groups_are_found_and_the_arithmetic_holds() -> None:
    test = bootstrap_lrt(ROWS, covariance_type="spherical", max_components=5, n_boot=19)
    assert test.n_components == test.mixture.n_components == 3
    assert test.covariance_type == "spherical"
    assert [row["rejected"] for row in test.table()] == [True, True, False]
    assert test.boundary_warning is None
    assert repr(test).startswith(
        "<BootstrapTest: 3 components (spherical, level 0.05): 1 against 2 components, "
    )
    assert len(repr(test)) < 300
    for number, (one, row) in enumerate(zip(test.tests, test.table(), strict=True), start=1):
        assert (one.n_components, one.larger.n_components) == (number, number + 1)
        gain = one.larger.log_likelihood(ROWS) - one.smaller.log_likelihood(ROWS)
        assert one.statistic == row["statistic"] == pytest.approx(2 * gain, rel=1e-9)
        assert one.p_value == (1 + (one.replicates >= one.statistic).sum()) / 20
        assert row["n_replicates"] == 19
        assert one.n_failed == row["n_failed"] == 0


def test_a_replicate_is_the_statistic_of_rows_drawn_from_the_smaller_mixture() -> None:
    test = bootstrap_lrt(ROWS, covariance_type="tied", max_components=2, n_boot=3, level=0.25, random_state=5)
    smaller, larger = test.tests[0].smaller, test.tests[0].larger
    for number, seed in enumerate(np.random.SeedSequence(5, spawn_key=(1,)).spawn(3)):
        rows, _ = smaller.sample(len(ROWS), generator(seed))
        best = [
            search(rows, components=[k], covariance_types=["tied"], n_init=10).best.log_likelihood
            for k in (1, 2)
        ]
        # From ten starts by K-means, too; statistics are finished to 0.01 in either log-likelihood.
        assert test.tests[0].replicates[number] >= 2 * (best[1] - best[0]) - 0.05
    assert larger.n_components == 2


def test_samples_never_speak_against_the_larger_mixture() -> None:
    """Halves of a component start where the smaller mixture ends; mclust's way may end below it."""
    options = {"covariance_type": "tied", "max_components": 4, "n_boot": 9, "level": 0.99}
    by_splits = bootstrap_lrt(ROWS, **options)
    warm = bootstrap_lrt(ROWS, starts="warm", **options)
    for one, other in zip(by_splits.tests, warm.tests, strict=True):
        assert one.statistic == other.statistic
        assert (one.replicates > -0.02).all()
        assert (one.replicates >= other.replicates).all()


@pytest.mark.slow
def test_it_rejects_a_true_hypothesis_as_often_as_its_level_says() -> None:
    """Under one component, 60 tables: the share of p-values of 0.2 is 0.2, within three standard errors.

    Of four samples, a fifth of tables have none above the statistic observed.
    """
    found = [
        bootstrap_lrt(
            one_column(40, 0.0, seed),
            max_components=2,
            covariance_type="E",
            n_boot=4,
            level=0.2,
            random_state=seed,
        )
        for seed in range(60)
    ]
    share = np.mean([test.tests[0].p_value <= 0.2 for test in found])
    assert abs(share - 0.2) < 3 * np.sqrt(0.2 * 0.8 / 60)


def test_it_rejects_a_false_hypothesis() -> None:
    test = bootstrap_lrt(one_column(60, 6.0, 0), max_components=2, covariance_type="E", n_boot=19)
    assert test.tests[0].p_value == 1 / 20
    assert test.n_components == 2
    assert "2 components. More may be needed: try max_components=4." in test.boundary_warning


def test_counts_as_weights_are_rows() -> None:
    weights = np.tile([0.0, 1.0, 2.0], 100)
    repeated = np.repeat(ROWS, weights.astype(int), axis=0)
    options = {"covariance_type": "spherical", "max_components": 2, "n_boot": 9, "level": 0.1}
    one = bootstrap_lrt(ROWS, sample_weight=weights, **options)
    other = bootstrap_lrt(repeated, **options)
    assert one.tests[0].statistic == pytest.approx(other.tests[0].statistic, abs=0.05)
    assert one.tests[0].p_value == other.tests[0].p_value
    # The samples of both have 300 rows, from mixtures that are equal but for rounding.
    np.testing.assert_allclose(one.tests[0].replicates, other.tests[0].replicates, rtol=0.01, atol=0.05)


def test_weights_of_no_whole_sum_scale_the_statistic() -> None:
    options = {"covariance_type": "spherical", "max_components": 2, "n_boot": 5, "level": 0.2}
    one = bootstrap_lrt(ROWS, **options).tests[0]
    other = bootstrap_lrt(ROWS, sample_weight=np.full(300, 1 + 1e-3), **options).tests[0]
    assert other.statistic == pytest.approx(one.statistic * (1 + 1e-3), rel=1e-6)
    np.testing.assert_allclose(other.replicates, one.replicates * (1 + 1e-3), atol=0.02)


def test_the_number_of_threads_changes_no_digit() -> None:
    rows = np.concatenate([ROWS] * 90)
    found = []
    for n_threads in (1, 2):
        with mixtura.set_threads(n_threads):
            test = bootstrap_lrt(rows, max_components=2, n_boot=2, level=0.4).tests[0]
            assert isinstance(
                runner_for(as_data(rows), test.larger), (SerialRunner, ThreadRunner)[n_threads - 1]
            )
            found.append((test.statistic, test.replicates.tolist()))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "workers", [Workers(2), Workers(2, are_processes=True)], ids=["threads", "processes"]
)
def test_samples_are_the_same_whoever_fits_them(monkeypatch: pytest.MonkeyPatch, workers: Workers) -> None:
    options = {
        "covariance_type": "spherical",
        "max_components": 2,
        "n_boot": 12,
        "level": 0.1,
        "prior": "conjugate",
    }
    with mixtura.set_threads(1):
        alone = bootstrap_lrt(make_customers(), **options)
    asked, run = [], refit.map_tasks
    monkeypatch.setattr(refit, "map_tasks", lambda *given: asked.append(given[3]) or run(*given))
    monkeypatch.setattr(refit, "workers_for", lambda seconds, n_tasks: workers)
    with mixtura.set_threads(2):
        found = bootstrap_lrt(make_customers(), **options)
    assert asked == [workers]
    np.testing.assert_array_equal(found.tests[0].replicates, alone.tests[0].replicates)


together = pytest.mark.skipif(not can_finish(), reason="the compiled core is not built")


@together
@pytest.mark.parametrize("starts", ["splits", "warm"])
def test_samples_that_are_fitted_together_have_the_statistics_of_those_fitted_one_by_one(starts: str) -> None:
    rows = ROWS @ [[1.0, 0.4], [0.0, 1.0]]
    options = {"max_components": 4, "n_boot": 21, "level": 0.99, "starts": starts}
    found = []
    for n_threads in (1, 2):
        with mixtura.set_threads(n_threads):
            found.append(bootstrap_lrt(rows, **options))
    with patch.object(Refit, "fits_together", return_value=False):
        expected = bootstrap_lrt(rows, **options)
    for one, other, alone in zip(*(test.tests for test in found), expected.tests, strict=True):
        np.testing.assert_array_equal(one.replicates, other.replicates)
        np.testing.assert_allclose(one.replicates, alone.replicates, rtol=1e-9, atol=1e-8)


@together
def test_samples_fitted_together_that_cannot_be_fitted_are_left_out() -> None:
    real = Refit.best_of_each

    def but_one(self, data, tables, starts):
        found = real(self, data, tables, starts)
        return [None if starts[0][0].n_components == 1 + number else end for number, end in enumerate(found)]

    # The first sample has no fit of one component, the second none of two.
    with patch.object(Refit, "best_of_each", but_one), mixtura.set_threads(1):
        test = bootstrap_lrt(ROWS, covariance_type="tied", max_components=2, n_boot=3, level=0.25)
    assert (test.tests[0].n_failed, test.tests[0].replicates.size) == (2, 1)


def test_few_rows_are_left_to_one_thread() -> None:
    mixture = bootstrap_lrt(ROWS, max_components=2, n_boot=1, level=0.5).mixture
    assert isinstance(runner_for(as_data(ROWS), mixture), SerialRunner)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_splitting_keeps_weights_means_and_the_family(family: str) -> None:
    mixture = search(ROWS * [1.0, 100.0], components=[2], covariance_types=[family]).best.mixture
    halves = split_components(mixture)
    assert len(halves) == 2
    for j, split in enumerate(halves):
        assert split.weights.sum() == pytest.approx(1)
        np.testing.assert_allclose(split.weights @ split.means, mixture.weights @ mixture.means)
        full = naive_full_covariances(family, split.covariances, 3, 2)
        np.testing.assert_allclose(full[[0, 1, j]], mixture.full_covariances()[[0, 1, j]])
        np.testing.assert_allclose(full[2], mixture.full_covariances()[j])
        checked = Mixture.from_parameters(split.weights, split.means, split.covariances, family)
        assert checked.log_likelihood(ROWS) == pytest.approx(split.log_likelihood(ROWS))


@pytest.mark.parametrize("family", ["full", "diag"])
def test_splitting_does_not_depend_on_units_signs_and_order_of_columns(family: str) -> None:
    rows = ROWS @ [[1.0, 0.4], [0.0, 1.0]]
    scale, order = np.array([-100.0, 0.01]), [1, 0]
    mixture = search(rows, components=[2], covariance_types=[family]).best.mixture
    mapped = Mixture.from_parameters(
        mixture.weights,
        (mixture.means * scale)[:, order],
        np.array(
            [np.diag(scale)[order] @ one @ np.diag(scale)[order].T for one in mixture.full_covariances()]
        )
        if family == "full"
        else (mixture.covariances * scale**2)[:, order],
        family,
    )
    for before, after in zip(split_components(mixture), split_components(mapped), strict=True):
        ways = [(before.means * scale)[:, order]]
        ways.append(ways[0].copy())
        changed = np.flatnonzero((before.means[:2] != mixture.means).any(axis=1))[0]
        ways[1][[changed, 2]] = ways[1][[2, changed]]
        assert any(np.allclose(way, after.means, rtol=1e-9) for way in ways)


def test_one_component_whose_columns_vary_each_by_itself_is_split_along_each() -> None:
    mixture = Mixture.from_parameters([1.0], [[0.0, 5.0]], [[4.0, 9.0]], "diag")
    first, second = split_components(mixture)
    np.testing.assert_allclose(first.means, [[-1.4, 5.0], [1.4, 5.0]])
    np.testing.assert_allclose(second.means, [[0.0, 2.9], [0.0, 7.1]])


def test_a_component_without_weight_is_not_split() -> None:
    mixture = Mixture.from_parameters([1.0, 0.0], [[0.0], [1.0]], [1.0, 1.0], "spherical")
    (only,) = split_components(mixture)
    assert only.weights.tolist() == [0.5, 0.0, 0.5]


def test_starts_that_fail_are_passed_over_and_if_all_do_the_first_reason_is_told() -> None:
    rows = np.ascontiguousarray(np.linspace(0, 1, 20)[:, None])
    mixture = Mixture.from_parameters([1.0], [[0.5]], [1.0], "spherical")
    fail = MixturaError("first")
    data = as_data(rows)
    real = Refit().best(data, [mixture])
    with (
        patch("mixtura.fit.restarts.Settings.iterate", side_effect=[fail, MixturaError("second")]),
        pytest.raises(MixturaError, match="first"),
    ):
        Refit().best(data, [mixture, mixture])
    assert real[0] == pytest.approx(real[1].log_likelihood(rows))


def test_samples_that_cannot_be_fitted_are_counted_and_left_out() -> None:
    real, calls = Refit.best, iter(range(100))

    def sometimes(self, data, starts):
        # The first call fits the rows; then two are made for a sample, one where the first fails.
        if next(calls) % 3 == 1:
            raise MixturaError("no")
        return real(self, data, starts)

    # With this prior samples are fitted one by one.
    options = {
        "covariance_type": "tied",
        "max_components": 2,
        "n_boot": 6,
        "level": 0.2,
        "prior": "conjugate",
    }
    with patch.object(Refit, "best", sometimes):
        test = bootstrap_lrt(ROWS, **options).tests[0]
    assert (test.n_failed, test.replicates.size) == (3, 3)
    assert test.p_value == 1 / 4

    def never(self, data, starts):
        if not np.shares_memory(data.blocks.block(0).rows, ROWS):
            raise MixturaError("no")
        return real(self, data, starts)

    with (
        patch.object(Refit, "best", never),
        pytest.raises(MixturaError, match="None of 6 samples drawn from 1 components"),
    ):
        bootstrap_lrt(ROWS, **options)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        (
            {"max_components": 1},
            ParameterError,
            "`max_components` must be a whole number of at least 2; got 1",
        ),
        ({"n_boot": 0}, ParameterError, "`n_boot` must be a whole number of at least 1; got 0"),
        (
            {"n_boot": 1, "level": 0.05},
            ParameterError,
            r"`n_boot` must be at least 19 for `level=0.05`, as the smallest p-value .* 1 / \(B \+ 1\); got 1",
        ),
        ({"n_boot": 99, "level": 1e-3}, ParameterError, "`n_boot` must be at least 999 for `level=0.001`"),
        ({"level": 1.0}, ParameterError, r"`level` must be above 0 and below 1; got 1\.0"),
        ({"starts": "cold"}, ParameterError, "`starts` must be 'splits' or 'warm'; got 'cold'"),
        ({"n_init": 0}, ParameterError, "`n_init` must be a whole number of at least 1; got 0"),
        (
            {"prior": float("nan")},
            ParameterError,
            "`prior` must be 'floor', 'conjugate', or a number of at least 0; got nan",
        ),
        ({"covariance_type": "round"}, ParameterError, "round"),
        (
            {"max_components": 301},
            TooFewRowsError,
            "There must be at least as many rows as components; got 300 rows of positive weight for 301 components",
        ),
        (
            {"sample_weight": np.full(300, 1 / 300)},
            TooFewRowsError,
            "There must be at least as many rows as components; got 1 rows that the weights sum to for 9 components",
        ),
        ({"sample_weight": np.ones(3)}, DataError, "one weight per row"),
    ],
)
def test_bad_parameters_are_refused(options, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        bootstrap_lrt(ROWS, **options)


def test_missing_values_are_refused() -> None:
    with pytest.raises(MissingValuesError, match="got 1 value that is missing"):
        bootstrap_lrt([[1.0, 2.0], [np.inf, 1.0]])
