"""A table that is segmented on clusters and here, and how the two results are compared."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mixtura.segments import SegmentationResult
from mixtura.segments.profiles.profile_columns import MISSING, OTHER

__all__ = [
    "DESCRIBED",
    "KINDS",
    "OPTIONS",
    "SAMPLE",
    "TABLE",
    "N",
    "Written",
    "require_counted",
    "require_same_result",
    "written",
]

N, SAMPLE = 12_000, 3_000
OPTIONS: dict[str, Any] = {
    "id_column": "who",
    "columns": ["income", "spent"],
    "components": [2, 3, 4],
    "covariance_types": ["full"],
}
KINDS: dict[str, dict[str, Any]] = {
    "by rule": {"columns": ["income", "spent", "amount", "visits", "channel"]},
    "as said, without point masses": {
        "columns": ["income", "amount", "visits", "channel"],
        "kinds": {"visits": "count", "channel": "category", "amount": "continuous"},
        "drop_missing": True,
    },
    "levels alone": {"columns": ["visits", "channel"]},
}
"""Columns of several kinds: numbers, one with a point mass, counts, and words, one of them not in the sample."""

DESCRIBED = {"describe": ["land"], "value": "worth", "weight": "times"}


def made() -> pl.DataFrame:
    rng = np.random.default_rng(1)
    group = rng.choice(3, size=N, p=[0.5, 0.3, 0.2])
    rows = np.array([[0.0, 0], [4, 4], [-4, 5]])[group] + rng.normal(size=(N, 2)) * [1.0, 0.7]
    return pl.DataFrame(
        {
            "who": [f"C{number:06}" for number in rng.permutation(N)],
            "income": np.where(rng.random(N) < 0.05, np.nan, rows[:, 0]),
            "spent": np.where(np.arange(N) == 7, np.nan, rows[:, 1]),
            "worth": rng.gamma(2.0, 10.0, N) + 20 * group,
            "times": rng.integers(1, 4, N),
            "land": np.array(["AT", "DE", "FR"])[(group + (rng.random(N) < 0.3)) % 3],
            "amount": np.where(
                rng.random(N) < np.array([0.7, 0.2, 0.4])[group], 0.0, rng.normal(20.0 + 5.0 * group, 3.0)
            ),
            "visits": rng.poisson(np.array([1.0, 4.0, 9.0])[group]),
            "channel": [
                None if number % 1000 == 11 else "letter" if number == 20 else one
                for number, one in enumerate(
                    np.array(["web", "shop", "phone"])[(group + (rng.random(N) < 0.3)) % 3].tolist()
                )
            ],
        }
    ).fill_nan(None)


TABLE = made()


@dataclass
class Written:
    result: SegmentationResult
    folder: Path

    @property
    def customers(self) -> pl.DataFrame:
        return pl.read_parquet(self.folder / "segments.parquet")


def written(result: SegmentationResult, place: Path) -> Written:
    assert result.whole is not None
    place.mkdir()
    result.whole.write(place)
    return Written(result, place)


def require_counted(found: Written) -> None:
    """Customers at each level of a category, by segment, are those that are counted in the table."""
    told = found.customers.with_columns(channel=TABLE["channel"])
    shown = [OTHER if level == "letter" else MISSING if level is None else level for level in told["channel"]]
    for segment in found.result.segments:
        (column,) = (one for one in segment.categories if one.column == "channel")
        theirs = Counter(
            level for level, one in zip(shown, told["segment"], strict=True) if one == segment.number
        )
        assert {one.level: one.count for one in column.levels if one.count} == theirs


def require_same(left: Any, right: Any, where: str = "") -> None:
    """Two values of documents are equal, numbers to 1e-9."""
    if isinstance(left, dict):
        assert left.keys() == right.keys(), where
        for name in left.keys() - {"seconds", "notes"}:
            require_same(left[name], right[name], f"{where}/{name}")
    elif isinstance(left, list | tuple):
        assert len(left) == len(right), where
        for place, (one, other) in enumerate(zip(left, right, strict=True)):
            require_same(one, other, f"{where}/{place}")
    elif isinstance(left, float):
        assert right == pytest.approx(left, rel=1e-9, abs=1e-12, nan_ok=True), where
    else:
        assert left == right, where


def require_same_result(there: SegmentationResult, here: SegmentationResult) -> None:
    for name in ("weights", "means", "covariances"):
        left, right = getattr(there.model.mixture, name), getattr(here.model.mixture, name)
        np.testing.assert_allclose(np.asarray(left), np.asarray(right), rtol=1e-9, atol=1e-12)
    logs = [one.model.mixture.levels.logs for one in (there, here) if one.model.mixture.levels is not None]
    if logs:
        np.testing.assert_allclose(*logs, rtol=1e-9, atol=1e-9)
    require_same(there.document.to_dict(), here.document.to_dict())
