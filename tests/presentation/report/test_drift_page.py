"""The page of a drift, from a document that an earlier version wrote."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mixtura.exceptions import DataError, ParameterError
from mixtura.plot import plot_shares
from mixtura.report import render_drift
from mixtura.report.drift_page import _in_time
from mixtura.segments.results.changes.drift_document import DriftDocument

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "drift-1.json"


@pytest.fixture(scope="module")
def document() -> DriftDocument:
    return DriftDocument.load(GOLDEN)


@pytest.fixture(scope="module")
def page(document: DriftDocument) -> str:
    return render_drift(document)


def test_the_page_has_everything(page: str, document: DriftDocument) -> None:
    for section in ("verdict", "shares", "periods", "changes", "model", "movers", "renewal"):
        assert f'<section id="{section}"' in page
    assert "A segment that the model lacks" in page
    for mover in document.movers.strongest:
        assert mover.id in page
    assert page.count("<svg xmlns") == 4  # shares and flow, each for wide and narrow pages


def test_texts_of_the_table_are_escaped_and_nothing_is_loaded(page: str) -> None:
    assert "<b>& co" not in page
    assert "average &lt;b&gt;&amp; co&lt;/b&gt;" in page
    assert not re.search(r'(?:src|href)="(?!#)', page)
    assert "default-src &#39;none&#39;" in page


def test_charts_are_left_out_where_they_make_no_sense(document: DriftDocument) -> None:
    content = document.to_dict() | {"movers": None, "renewal": None}
    page = render_drift(DriftDocument.model_validate(content))
    assert page.count("<svg xmlns") == 2
    assert '<section id="movers"' not in page


def test_what_is_no_drift_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"format": "mixtura-summary"}', encoding="utf-8")
    with pytest.raises(DataError, match="is not a drift of mixtura"):
        DriftDocument.load(tmp_path / "a.json")
    with pytest.raises(DataError, match="is not a drift of mixtura"):
        DriftDocument.load(tmp_path / "none.json")


def test_the_chart_of_shares_needs_one_row_per_period() -> None:
    shares = plot_shares(
        [[0.6, 0.4], [0.5, 0.5]], ["a", "b"], ["x", "y"], half_widths=[[0.1, 0.1], [0.6, 0.1]]
    )
    rows = shares.to_dict()["datasets"]["shares"]
    assert [(one["period"], one["segment"], one["low"], one["high"]) for one in rows][1] == ("b", 1, 0.0, 1.0)
    with pytest.raises(ParameterError, match="each of the 2 periods; got 1"):
        plot_shares([[0.6, 0.4], [0.5, 0.5]], ["a"])
    with pytest.raises(ParameterError, match="`half_widths` must have the shape"):
        plot_shares([[0.6, 0.4]], ["a"], half_widths=[[0.1]])


def test_the_reference_stands_where_it_is_in_time() -> None:
    assert [("2024-02", "2024-01", "2024-03")[place] for place in _in_time(["2024-02", "2024-01", "2024-03"])] == [
        "2024-01", "2024-02", "2024-03",
    ]  # fmt: skip
    assert _in_time(["model.json", "9", "10"]) == [0, 1, 2]
