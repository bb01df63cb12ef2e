"""Standard errors and tests of mixed rows: numbers, point masses, categories, counts, and missing values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from mixtura import Mixture
from mixtura.core.parts.discrete import DiscreteColumns, LevelTable
from mixtura.core.parts.known_labels import with_known
from mixtura.core.parts.level_models import CATEGORICAL
from mixtura.core.protocols import MixedRows
from mixtura.exceptions import DataError
from mixtura.segments import mixed_rows
from mixtura.select import bootstrap_lrt, bootstrap_parameters, match_components, search
from mixtura.select.inference.drawn_samples import sample_like

KINDS = ("nonparametric", "weighted", "parametric")


def table_of(n_rows: int, seed: int, apart: float = 1.0) -> pl.DataFrame:
    """Two groups in an amount with zeros, an age that some lack, visits, and a channel; none where `apart` is 0."""
    rng = np.random.default_rng(seed)
    group = rng.integers(2, size=n_rows) * apart
    zero = rng.uniform(size=n_rows) < 0.5 - 0.3 * group
    age = pl.Series(rng.normal(40 + 15 * group, 8)).set(pl.Series(rng.uniform(size=n_rows) < 0.15), None)
    return pl.DataFrame(
        {
            "spent": np.where(zero, 0.0, rng.normal(50, 9, n_rows)),
            "age": age,
            "visits": rng.poisson(1 + 4 * group),
            "channel": np.array(["web", "shop"])[(rng.uniform(size=n_rows) < 0.3 + 0.5 * group).astype(int)],
        }
    )


SAID = {"spent": "spike", "age": "continuous", "visits": "count", "channel": "category"}


def fitted(rows: MixedRows | np.ndarray, n_components: int, family: str = "diag") -> Mixture:
    mixture = search(rows, components=[n_components], covariance_types=[family]).best.mixture
    assert mixture is not None
    return mixture


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind", KINDS)
def test_errors_of_one_component_are_those_of_the_closed_form(kind: str) -> None:
    """Of a share sqrt(p (1 - p) / n), of a mean s / sqrt(n), where n are the rows that have a value."""
    rows = mixed_rows(table_of(800, 0), kinds=SAID)
    assert isinstance(rows, MixedRows)
    sure = bootstrap_parameters(rows, fitted(rows, 1), kind=kind, n_boot=299)
    errors, at, starts = sure.standard_errors, sure.estimates, rows.discrete.starts
    assert errors.levels is not None
    assert at.levels is not None
    for j, model in enumerate(rows.discrete.models):
        if model != CATEGORICAL:
            continue
        known = np.count_nonzero(rows.levels[:, j] != rows.discrete.size - 1)
        p = at.levels[0, starts[j] : starts[j + 1]]
        # Of 299 samples a standard error has one of 4.1 percent.
        np.testing.assert_allclose(
            errors.levels[0, starts[j] : starts[j + 1]], np.sqrt(p * (1 - p) / known), rtol=0.16
        )
    present = np.count_nonzero(~np.isnan(rows.rows), axis=0)
    np.testing.assert_allclose(errors.means[0], np.nanstd(rows.rows, axis=0) / np.sqrt(present), rtol=0.16)


def test_the_error_of_a_mean_count_is_that_of_a_poisson_distribution() -> None:
    """Of a rate it is sqrt(rate / n)."""
    rng = np.random.default_rng(1)
    frame = pl.DataFrame({"visits": rng.poisson(2.0, 900), "size": rng.normal(size=900)})
    rows = mixed_rows(frame, kinds={"visits": "count", "size": "continuous"})
    sure = bootstrap_parameters(rows, fitted(rows, 1), n_boot=299)
    assert sure.levels is not None
    means = sure.levels[:, 0] @ np.arange(sure.levels.shape[2])
    assert means.std(ddof=1) == pytest.approx(np.sqrt(2.0 / 900), rel=0.16)


@pytest.mark.slow
def test_intervals_of_two_components_cover_what_made_the_rows() -> None:
    """90 % intervals of the share of "shop" in both groups, .3 and .8, and of a weight, over 12 tables."""
    inside = []
    for seed in range(12):
        rows = mixed_rows(table_of(300, seed), kinds=SAID)
        assert isinstance(rows, MixedRows)
        sure = bootstrap_parameters(rows, fitted(rows, 2), kind="parametric", n_boot=40, random_state=seed)
        low, high = sure.intervals(0.9)
        assert low.levels is not None
        assert high.levels is not None
        # Levels are sorted, so that "shop" is the first of the last column; the older group is the second.
        older = int(sure.estimates.means[:, -1].argmax())
        shop = rows.discrete.starts[-2]
        for component, share in ((1 - older, 0.3), (older, 0.8)):
            inside.append(low.levels[component, shop] <= share <= high.levels[component, shop])
        inside.append(low.weights[older] <= 0.5 <= high.weights[older])
    # Of 36 intervals fewer than 26 hold with a probability of 0.03 % where 90 % do.
    assert sum(inside) >= 26


def test_samples_lack_what_the_table_lacks() -> None:
    rows = mixed_rows(table_of(4000, 3), kinds=SAID)
    assert isinstance(rows, MixedRows)
    mixture = fitted(rows, 2)
    drawn = sample_like(mixture, 4000, rows, np.random.RandomState(0))
    assert isinstance(drawn, MixedRows)
    starts, absent = rows.discrete.starts, rows.discrete.size - 1
    for j in range(rows.discrete.n_columns):
        for level in range(starts[j], starts[j + 1]):
            share = np.mean(rows.levels[:, j] == level)
            error = np.sqrt(2 * max(share, 1e-3) / 4000)
            assert np.mean(drawn.levels[:, j] == level) == pytest.approx(share, abs=4.5 * error)
    spike = next(
        j for j in range(rows.discrete.n_columns)
        if np.array_equal(rows.levels[:, j] != starts[j], np.isnan(rows.rows[:, 0]))
    )  # fmt: skip
    np.testing.assert_array_equal(np.isnan(drawn.rows[:, 0]), drawn.levels[:, spike] != starts[spike])
    assert np.isnan(drawn.rows[:, 1]).mean() == pytest.approx(0.15, abs=0.03)
    assert not (drawn.levels == absent).any()


def test_the_statistic_is_twice_the_difference_of_the_log_likelihoods() -> None:
    rows = mixed_rows(table_of(200, 4), kinds=SAID)
    found = bootstrap_lrt(rows, covariance_type="diag", max_components=2, n_boot=3, level=0.25).tests[0]
    by_hand = 2 * (found.larger.log_likelihood(rows) - found.smaller.log_likelihood(rows))
    assert found.statistic == pytest.approx(by_hand, rel=1e-9)
    assert found.replicates.size == 3


@pytest.mark.slow
def test_the_two_groups_are_found() -> None:
    rows = mixed_rows(table_of(300, 5), kinds=SAID)
    assert bootstrap_lrt(rows, covariance_type="diag", max_components=3, n_boot=19).n_components == 2


@pytest.mark.slow
def test_a_single_group_is_seldom_two() -> None:
    """At a level of 10 %: of 8 tables more than 3 are rejected with a probability of 0.5 %."""
    rejected = 0
    for seed in range(8):
        rows = mixed_rows(table_of(120, seed, apart=0.0), kinds=SAID)
        found = bootstrap_lrt(rows, covariance_type="diag", max_components=2, n_boot=9, level=0.1)
        rejected += found.n_components == 2
    assert rejected <= 3


def test_latent_classes_are_tested() -> None:
    rng = np.random.default_rng(6)
    group = rng.integers(2, size=300)
    yes = rng.uniform(size=(300, 4)) < np.array([0.85, 0.2])[group][:, None]
    frame = pl.DataFrame({f"q{j}": np.where(yes[:, j], "yes", "no") for j in range(4)})
    rows = mixed_rows(frame)
    assert rows.shape[1] == 0
    found = bootstrap_lrt(rows, max_components=3, n_boot=19)
    assert found.tests[0].p_value == 0.05
    sure = bootstrap_parameters(rows, found.tests[0].larger, n_boot=20)
    assert sure.levels is not None
    listed = [row for row in sure.table() if row["parameter"] == "level"]
    assert len(listed) == 2 * 8
    assert listed[1]["estimate"] == pytest.approx(1 - listed[0]["estimate"], abs=1e-9)


def test_components_that_differ_in_levels_alone_are_matched_by_them() -> None:
    columns = DiscreteColumns((CATEGORICAL,), (np.array([0.5, 0.5]),))
    plain = Mixture.from_parameters([0.5, 0.5], [[0.0], [0.0]], [1.0, 1.0], "spherical")

    def with_shares(*shares: float) -> Mixture:
        logs = np.vstack([np.log(shares), np.log1p(-np.array(shares)), np.zeros(2)])
        return replace(plain, levels=LevelTable(columns, logs))

    assert match_components(with_shares(0.15, 0.85), with_shares(0.9, 0.2)).tolist() == [1, 0]


def test_what_does_not_belong_together_is_refused() -> None:
    rows = mixed_rows(table_of(100, 7), kinds=SAID)
    assert isinstance(rows, MixedRows)
    mixture = fitted(rows, 1)
    with pytest.raises(DataError, match="must have the discrete columns of the mixture"):
        bootstrap_parameters(rows.rows, mixture, missing="fiml")
    known = with_known(rows, np.where(np.arange(100) < 10, 0, -1))
    for use in (lambda: bootstrap_parameters(known, mixture), lambda: bootstrap_lrt(known)):
        with pytest.raises(DataError, match="must not be known"):
            use()
