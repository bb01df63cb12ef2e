"""Bivariate residuals: a naive loop, independent columns, and a dependence that was planted."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import pytest

import mixtura
from mixtura.segments import Effort, segment_table
from mixtura.segments.certainty.pair_residuals import (
    PairResidual,
    PairSummary,
    groups_of_levels,
    residual_notes,
)
from mixtura.segments.scan import scan_of


@pytest.fixture(autouse=True)
def columns_are_reported() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mixtura.exceptions.ColumnWarning)
        yield


def people(n: int, seed: int, repeated: float = 0.0, missing: float = 0.0) -> pl.DataFrame:
    """Two groups; `plan` repeats `channel` in a share of the rows, whatever the group."""
    rng = np.random.default_rng(seed)
    group = rng.integers(2, size=n)
    channel = (rng.uniform(size=n) < np.array([0.2, 0.6])[group]).astype(int) + rng.integers(2, size=n)
    plan = (rng.uniform(size=n) < np.array([0.7, 0.3])[group]).astype(int) + rng.integers(2, size=n)
    plan = np.where(rng.uniform(size=n) < repeated, channel, plan)
    words = {
        "channel": np.array(["web", "shop", "phone"], dtype=object)[channel],
        "plan": np.array(["a", "b", "c"], dtype=object)[plan],
        "visits": rng.poisson(np.array([1.0, 7.0])[group]).astype(object),
    }
    if missing:
        for values in words.values():
            values[rng.uniform(size=n) < missing] = None
    table = {"age": rng.normal(np.array([30.0, 60.0])[group], 4.0), "weight": rng.uniform(0.5, 2.0, n)}
    return pl.DataFrame(table | {name: list(values) for name, values in words.items()})


def naive(result: Any, i: int, j: int) -> tuple[float, int]:
    """Chi-square and degrees of freedom of a pair of columns, row by row."""
    coding, mixture = result.model.coding, result.model.mixture
    starts, logs = coding.discrete.starts, mixture.levels.logs
    groups = groups_of_levels(coding)
    sizes = [int(groups[one].max()) + 1 for one in (i, j)]
    observed, expected = np.zeros(sizes), np.zeros(sizes)
    theta = []
    for one, size in zip((i, j), sizes, strict=True):
        table = np.zeros((size, logs.shape[1]))
        for level, group in enumerate(groups[one]):
            table[group] += np.exp(logs[starts[one] + level])
        theta.append(table)
    memberships = result.memberships
    for n, levels in enumerate(result.levels):
        if starts[-1] in (levels[i], levels[j]):
            continue
        weight = 1.0 if result.weights is None else result.weights[n]
        observed[groups[i][levels[i] - starts[i]], groups[j][levels[j] - starts[j]]] += weight
        for k, membership in enumerate(memberships[n]):
            expected += weight * membership * np.outer(theta[0][:, k], theta[1][:, k])
    for _ in range(500):  # the margins of the observed table, by turns
        expected *= (observed.sum(axis=1) / expected.sum(axis=1))[:, None]
        expected *= observed.sum(axis=0) / expected.sum(axis=0)
    return float(((observed - expected) ** 2 / expected).sum()), (sizes[0] - 1) * (sizes[1] - 1)


def test_a_count_that_varies_less_than_its_distribution_depends_on_nothing() -> None:
    """Answers from 0 to 10, taken for a count, vary less than a Poisson distribution; `sex` is drawn apart."""
    rng = np.random.default_rng(0)
    old = rng.random(800) < 0.4
    trust = np.clip(np.round(rng.normal(np.where(old, 3, 7), 1.2)), 0, 10)
    frame = pl.DataFrame(
        {"age": rng.normal(np.where(old, 60, 30), 5), "trust": trust, "sex": rng.integers(1, 3, 800)}
    )
    kinds = {"age": "continuous", "trust": "count", "sex": "category"}
    result = segment_table(frame, kinds=kinds, components=[2])
    (pair,) = result.residuals
    assert pair.residual < 2


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("weight", [None, "weight"])
def test_residuals_are_those_of_a_loop_over_rows(missing: float, weight: str | None) -> None:
    table = people(300, 1, repeated=0.3, missing=missing)
    table = table if weight else table.drop("weight")
    result = segment_table(
        table, kinds={"channel": "category", "plan": "category"}, components=[2], weight=weight
    )
    names = [one.name for one in result.model.coding.columns]  # type: ignore[union-attr]
    assert len(result.residuals) == 3
    for one in result.residuals:
        chi_square, freedom = naive(result, names.index(one.first), names.index(one.second))
        assert one.chi_square == pytest.approx(chi_square, rel=1e-9)
        assert one.freedom == freedom
        assert one.residual == pytest.approx(chi_square / freedom)
    sizes = [one.residual for one in result.residuals]
    assert sizes == sorted(sizes, reverse=True)


def test_parts_of_the_rows_add_up() -> None:
    table = people(400, 2, missing=0.1).drop("weight")
    result = segment_table(table, kinds="auto", components=[2])
    coding, mixture = result.model.coding, result.model.mixture
    assert coding is not None
    assert mixture.levels is not None
    parts = [PairSummary(coding, mixture.levels) for _ in range(2)]
    for part, chosen in zip(parts, (slice(0, 130), slice(130, None)), strict=True):
        scan = scan_of(mixture, result.model.scaling, result.table[chosen])
        part.add(scan.sample())
    parts[0].merge(parts[1])
    for merged, whole in zip(parts[0].result(), result.residuals, strict=True):
        assert merged.chi_square == pytest.approx(whole.chi_square, rel=1e-9)


def test_independent_columns_have_residuals_near_one() -> None:
    """With one segment the chi-square is that of independence, whose mean is its degrees of freedom."""
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        table = {"x": rng.normal(size=400)} | {
            name: rng.choice(list("abc"), 400, p=[0.5, 0.3, 0.2]) for name in ("first", "second")
        }
        kinds = {"first": "category", "second": "category"}
        result = segment_table(pl.DataFrame(table), kinds=kinds, components=[1], covariance_types=["full"])
        assert "depend on each other" not in " ".join(result.notes)
        found.append(result.residuals[0].residual)
    # The mean of 60 chi-square variables of 4 degrees of freedom over 4 has a standard error of 0.09.
    assert np.mean(found) == pytest.approx(1.0, abs=0.27)


@pytest.mark.slow
def test_planted_dependence_is_found_and_the_rest_is_not() -> None:
    result = segment_table(people(1500, 3, repeated=0.4).drop("weight"), kinds="auto", components=[2])
    first = result.residuals[0]
    assert {first.first, first.second} == {"channel", "plan"}
    assert first.is_large
    assert not any(one.is_large for one in result.residuals[1:])
    note = next(one for one in result.notes if "depend on each other" in one)
    assert "channel and plan" in note
    assert "visits" not in note
    document = result.with_effort(Effort(resamples=0)).document.diagnostics.residuals
    assert [one.is_large for one in document] == [True, False, False]
    free = segment_table(people(1500, 3).drop("weight"), kinds="auto", components=[2])
    assert not any(one.is_large for one in free.residuals)
    assert free.residuals[0].residual < 2.5


def test_numbers_alone_have_no_residuals() -> None:
    table = people(200, 4).select("age", "weight")
    result = segment_table(table, components=[2])
    assert result.residuals == ()
    assert result.with_effort(Effort(resamples=0)).document.diagnostics.residuals == []


def test_notes_name_three_pairs_and_count_the_others() -> None:
    pairs = [PairResidual(f"a{i}", f"b{i}", 90.0 - i, 90.0 - i, 1, 0.4) for i in range(5)]
    (note,) = residual_notes(pairs, 3)
    assert "a0 and b0 (90.0)" in note
    assert "a2 and b2 (88.0); and 2 more" in note
    weak = PairResidual("a", "b", 90.0, 90.0, 1, 0.05)
    assert residual_notes([weak], 3) == ()
