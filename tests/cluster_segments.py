"""A table that is segmented on clusters and here, and how the two results are compared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mixtura.segments import SegmentationResult

__all__ = ["DESCRIBED", "OPTIONS", "SAMPLE", "TABLE", "N", "Written", "require_same_result", "written"]

N, SAMPLE = 12_000, 3_000
OPTIONS: dict[str, Any] = {
    "id_column": "who",
    "columns": ["income", "spent"],
    "components": [2, 3, 4],
    "covariance_types": ["full"],
}
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
    require_same(there.document.to_dict(), here.document.to_dict())
