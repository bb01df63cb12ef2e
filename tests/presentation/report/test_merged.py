"""Whether segments were merged: the document says it, and terminal, page, workbook and charts say the same."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from mixtura.cli.printing.print_segmentation import print_segmentation
from mixtura.plot.data.scores import scores_of_document
from mixtura.report.view import page_view, plain_document
from presentation.documents import document


def of_more_components(content: dict[str, Any]) -> None:
    """Let one of the segments have two components."""
    chosen = (content["choice"]["covariance_type"], content["choice"]["n_components"])
    content["choice"]["n_components"] += 1
    for one in content["candidates"]:
        if (one["covariance_type"], one["n_components"]) == chosen:
            one["n_components"] += 1


@pytest.mark.parametrize(("change", "noun"), [(lambda _: None, "segment"), (of_more_components, "component")])
def test_all_readers_count_the_same(change: Any, noun: str) -> None:
    found = document(change)
    merged = noun == "component"
    assert found.are_merged is merged
    assert found.counted == noun
    assert scores_of_document(found).counted == f"{noun}s"
    assert plain_document(found)["counted"] == noun
    stable = {one["n_segments"]: one["adjusted_rand"] for one in found.to_dict()["stability"]["numbers"]}
    agreements = {one["n_components"]: one["agreement"] for one in page_view(found)["numbers_tried"]}
    # Stability of segments is not that of as many components.
    assert any(stable.get(k) is not None and agreements[k] == stable[k] for k in agreements) is not merged
    written = io.StringIO()
    print_segmentation(Console(file=written, width=200), found)
    text = written.getvalue()
    assert ("merged from" in text) is merged
    assert f" {noun}s   covariances" in text


def test_it_is_no_key_of_the_file() -> None:
    assert "counted" not in document().to_dict()
