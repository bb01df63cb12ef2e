"""A summary of this format is read by every later version, and has every key that it has now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mixtura.datasets import make_customers
from mixtura.report import Chart, collect, render_report, report_stability
from mixtura.segments import segment_table

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = ROOT / "tests" / "golden" / "report-2.json"


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    return json.loads(GOLDEN.read_text(encoding="utf-8"))


def keys_of(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for held in value.values() for key in keys_of(held)}
    return {key for held in value for key in keys_of(held)} if isinstance(value, list) else set()


def test_a_page_is_made_of_it(golden: dict[str, Any]) -> None:
    empty = Chart("", (), "<svg></svg>")
    page = render_report(golden, {"marginals": empty, "criterion": empty})
    assert (
        f"{golden['verdict']['segments']} segments among {golden['verdict']['customers']} customers" in page
    )
    for one in golden["segments"]:
        assert one["name"] in page


def test_no_key_was_lost(golden: dict[str, Any]) -> None:
    result = segment_table(make_customers(as_frame="polars"), components=[3])
    found = collect(result, stability=report_stability(result, 3))
    assert set(golden) <= set(found)
    for part in ("verdict", "certainty", "between", "overlap", "kmeans", "stability", "diagnostics", "table"):
        assert set(golden[part]) <= set(found[part]), part


def test_every_key_of_the_report_is_documented(golden: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "reference" / "summary.md").read_text(encoding="utf-8")
    parts = ("verdict", "between", "overlap", "stability", "diagnostics", "kmeans")
    # How fits end is told by values, which are no keys.
    keys = {key for part in parts for key in keys_of(golden[part])} - set(golden["diagnostics"]["outcomes"])
    assert {key for key in keys if f"`{key}`" not in page} <= {"segment", "clusters", "shares", "cluster"}
