"""The index table: against SciPy's tests, a naive Holm, and what was planted."""

from __future__ import annotations

import warnings
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from mixtura.exceptions import ColumnWarning
from mixtura.segments import segment_table
from mixtura.segments.profiles.index_table import (
    IndexRow,
    holm,
    index_table,
    mean_p_value,
    share_p_value,
)


def shoppers(n: int = 900, seed: int = 0) -> pl.DataFrame:
    """Three groups; `basket` and `channel` differ between them and do not build segments, `height` does not differ."""
    rng = np.random.default_rng(seed)
    group = rng.integers(3, size=n)
    return pl.DataFrame(
        {
            "x": rng.normal(np.array([0.0, 10.0, 20.0])[group], 1.0),
            "y": rng.normal(np.array([0.0, 10.0, 0.0])[group], 1.0),
            "basket": rng.normal(np.array([50.0, 50.0, 60.0])[group], 10.0),
            "height": rng.normal(170.0, 8.0, n),
            "channel": np.where(rng.random(n) < np.array([0.2, 0.5, 0.5])[group], "web", "shop"),
            "w": rng.uniform(0.5, 2.0, n),
        }
    )


def segmented(weight: str | None = None) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ColumnWarning)
        return segment_table(
            shoppers(),
            columns=["x", "y"],
            describe=["basket", "height", "channel"],
            components=[3],
            covariance_types=["diag"],
            weight=weight,
        )


def row_of(result: Any, column: str, level: str | None = None) -> IndexRow:
    rows = index_table(result.segments, result.population)
    return next(row for row in rows if (row.column, row.level) == (column, level))


def naive_holm(p: list[float], alpha: float) -> list[bool]:
    """Adjusted p-values: the largest, so far, of p times the number of hypotheses left."""
    adjusted, so_far = [1.0] * len(p), 0.0
    for rank, place in enumerate(sorted(range(len(p)), key=lambda one: p[one])):
        so_far = max(so_far, min(1.0, (len(p) - rank) * p[place]))
        adjusted[place] = so_far
    return [one <= alpha for one in adjusted]


def test_holm() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        p = (rng.uniform(size=6) ** 3).tolist()
        assert holm(p, 0.05) == naive_holm(p, 0.05)


def test_means_are_compared_by_welch() -> None:
    a, b = np.random.default_rng(0).normal(0, 1, 40), np.random.default_rng(1).normal(0.5, 2, 60)
    expected = stats.ttest_ind(a, b, equal_var=False).pvalue
    found = mean_p_value(40, a.mean(), a.var(), 60, b.mean(), b.var())
    assert found == pytest.approx(expected, rel=1e-10)


def test_shares_are_compared_with_their_pooled_share() -> None:
    table = np.array([[30, 70], [50, 30]])
    expected = stats.chi2_contingency(table, correction=False).pvalue
    assert share_p_value(100, 0.3, 0.0, 80, 50 / 80, 0.0) == pytest.approx(expected, rel=1e-10)


def test_letters_are_those_of_the_rows() -> None:
    result, frame = segmented(), shoppers()
    labels = result.assignment.labels
    basket = frame["basket"].to_numpy()
    groups = [basket[labels == k] for k in range(3)]
    pairs = list(combinations(range(3), 2))
    p = [stats.ttest_ind(groups[i], groups[j], equal_var=False).pvalue for i, j in pairs]
    above: list[set[int]] = [set(), set(), set()]
    for (i, j), significant in zip(pairs, naive_holm(p, 0.05), strict=True):
        if significant:
            high, low = (i, j) if groups[i].mean() > groups[j].mean() else (j, i)
            above[high].add(low + 1)
    row = row_of(result, "basket")
    assert [set(cell.above) for cell in row.cells] == above
    assert sum(map(len, above)) == 2
    rest = [np.concatenate([groups[j] for j in range(3) if j != k]) for k in range(3)]
    p = [stats.ttest_ind(groups[k], rest[k], equal_var=False).pvalue for k in range(3)]
    signs = [int(np.sign(groups[k].mean() - rest[k].mean())) for k in range(3)]
    expected = [sign if one else 0 for sign, one in zip(signs, naive_holm(p, 0.05), strict=True)]
    assert [cell.against_rest for cell in row.cells] == expected
    assert [cell.index for cell in row.cells] == pytest.approx(
        [100 * one.mean() / basket.mean() for one in groups]
    )


def test_shares_of_levels() -> None:
    result, frame = segmented(), shoppers()
    labels, web = result.assignment.labels, (frame["channel"] == "web").to_numpy()
    row = row_of(result, "channel", "web")
    shares = [float(web[labels == k].mean()) for k in range(3)]
    assert [cell.value for cell in row.cells] == pytest.approx(shares)
    pairs = list(combinations(range(3), 2))
    p = []
    for pair in pairs:
        table = [[int((web[labels == k] == answer).sum()) for answer in (True, False)] for k in pair]
        p.append(stats.chi2_contingency(table, correction=False).pvalue)
    above: list[tuple[int, ...]] = [(), (), ()]
    for (i, j), significant in zip(pairs, naive_holm(p, 0.05), strict=True):
        if significant:
            high, low = (i, j) if shares[i] > shares[j] else (j, i)
            above[high] = tuple(sorted((*above[high], low + 1)))
    assert [cell.above for cell in row.cells] == above
    assert row.cells[int(np.argmin(shares))].against_rest == -1


def test_what_does_not_differ_has_no_letters() -> None:
    row = row_of(segmented(), "height")
    assert [(cell.above, cell.against_rest) for cell in row.cells] == [((), 0)] * 3
    assert not row.active
    assert row_of(segmented(), "x").active


def test_weights_count_by_the_effective_base() -> None:
    result, frame = segmented("w"), shoppers()
    labels, weights, basket = result.assignment.labels, frame["w"].to_numpy(), frame["basket"].to_numpy()
    row = row_of(result, "basket")
    for k, cell in enumerate(row.cells):
        own = labels == k
        assert cell.value == pytest.approx(np.average(basket[own], weights=weights[own]))
        assert cell.base == pytest.approx(weights[own].sum() ** 2 / (weights[own] ** 2).sum())
    total = np.average(basket, weights=weights)
    assert row.population == pytest.approx(total)


def test_small_bases_are_not_tested() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1], [200, 20])
    frame = pl.DataFrame({"x": rng.normal(20.0 * group, 1.0), "y": rng.normal(20.0 * group, 1.0)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ColumnWarning)
        result = segment_table(frame, components=[2], covariance_types=["diag"])
    assert all(
        cell.above == () and cell.against_rest == 0
        for row in index_table(result.segments, result.population)
        for cell in row.cells
    )
