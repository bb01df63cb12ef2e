"""What summary.json promises: documented, and never taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mixtura.io import readable_json
from mixtura.segments import segment_table, summarize

ROOT = Path(__file__).resolve().parents[4]
GOLDEN = sorted((ROOT / "tests" / "golden").glob("summary-*.json"))

NAMED_BY_THE_TABLE = {
    "means",
    "standard_deviations",
    "differences",
    "numbers",
    "categories",
    "values",
    "parameters",
}


@pytest.fixture(scope="module")
def summary() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 2, 120)
    frame = pl.DataFrame(
        {
            "customer": [f"c{i}" for i in range(120)],
            "revenue": np.exp(rng.normal(3 + 2 * kind, 0.5)),
            "visits": rng.normal(10 + 5 * kind),
            "region": ["north", "south", None] * 40,
            "shop": [1] * 120,
        }
    )
    result = segment_table(
        frame,
        columns=["revenue", "visits"],
        describe=["region"],
        value="revenue",
        components=[2],
        transform={"revenue": "yeo-johnson"},
    )
    return dict(json.loads(readable_json(summarize(result))))


def kinds_of(content: Any, path: str = "") -> set[str]:
    """Every key, with the keys above it; entries of lists, and columns, are one like another."""
    if isinstance(content, list):
        return set().union(*(kinds_of(entry, f"{path}[]") for entry in content))
    if not isinstance(content, dict):
        return set()
    if path.rpartition(".")[2] in NAMED_BY_THE_TABLE:
        return set().union({path}, *(kinds_of(entry, f"{path}[]") for entry in content.values()))
    found = {f"{path}.{key}" for key in content}
    return found.union(*(kinds_of(entry, f"{path}.{key}") for key, entry in content.items()))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_no_key_of_an_earlier_version_is_gone(summary, path) -> None:
    before = json.loads(path.read_text(encoding="utf-8"))
    assert kinds_of(before) - kinds_of(summary) == set()


def test_a_key_that_is_gone_would_be_noticed(summary) -> None:
    segments = [{key: value for key, value in one.items() if key != "typical"} for one in summary["segments"]]
    assert kinds_of(summary) - kinds_of(summary | {"segments": segments}) > {".segments[].typical"}


def test_every_key_is_documented(summary) -> None:
    page = (ROOT / "docs" / "reference" / "summary.md").read_text(encoding="utf-8")
    keys = {kind.rpartition(".")[2].removesuffix("[]") for kind in kinds_of(summary)}
    # Criteria are documented with the search.
    assert {key for key in keys if f"`{key}`" not in page} <= {"bic", "aic", "aicc", "caic", "icl", "nec", ""}


def test_there_is_a_golden_summary() -> None:
    assert GOLDEN
