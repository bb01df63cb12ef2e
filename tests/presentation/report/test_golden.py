"""A document of every format is read for ever, and makes a page."""

from __future__ import annotations

from typing import Any

import pytest

from mixtura.exceptions import DataError
from mixtura.report import render_report
from mixtura.segments.results.document import FORMAT_VERSION, Document
from presentation.documents import GOLDEN, BlankCharts, content, document
from presentation.report.small_table import found

DOCUMENTS = sorted(path.name for path in (*GOLDEN.glob("document-*.json"), *GOLDEN.glob("report-*.json")))
NAMED_BY_THE_TABLE = {
    "means",
    "differences",
    "values",
    "parameters",
    "numbers",
    "categories",
    "quantiles",
    "outcomes",
}


def kinds_of(part: Any, path: str = "") -> set[str]:
    """Every key, with the keys above it; entries of lists, and columns, are one like another."""
    if isinstance(part, list):
        return set().union(*(kinds_of(entry, f"{path}[]") for entry in part))
    if not isinstance(part, dict):
        return set()
    if path.rpartition(".")[2] in NAMED_BY_THE_TABLE:
        return set().union({path}, *(kinds_of(entry, f"{path}[]") for entry in part.values()))
    keys = {f"{path}.{key}" for key in part}
    return keys.union(*(kinds_of(entry, f"{path}.{key}") for key, entry in part.items()))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_page_is_made_of_it(name: str) -> None:
    read = Document.load(GOLDEN / name)
    page = render_report(read, BlankCharts())
    assert f"{read.verdict.segments} segments among {read.verdict.customers} customers" in page
    for one in read.segments:
        assert one.name in page


def test_there_is_one_of_this_format() -> None:
    assert content()["format_version"] == FORMAT_VERSION
    assert "report-2.json" in DOCUMENTS


def test_no_key_was_lost() -> None:
    assert kinds_of(content()) <= kinds_of(found()[2])


def test_a_lost_key_would_be_noticed() -> None:
    fewer = found()[2] | {"segments": [{"number": 1}]}
    assert ".segments[].typical" in kinds_of(content()) - kinds_of(fewer)


def test_a_document_is_what_was_written() -> None:
    assert document().to_dict() == content()


def test_numbers_of_format_2_are_where_format_3_has_them() -> None:
    old, new = content("report-2.json"), document(name="report-2.json")
    assert new.choice.criterion_name == old["choice"]["criterion"]
    assert new.choice.criteria["icl"] == old["choice"]["icl"]
    assert [one.criteria["bic"] for one in new.candidates] == [one["bic"] for one in old["candidates"]]
    assert new.certainty.ambiguity_matrix == old["certainty"]["between"]
    assert new.ambiguous.count == old["between"]["count"]
    assert new.ambiguous.customers[0].second_membership == old["between"]["customers"][0]["second_share"]
    assert new.kmeans.axis_ratio == old["kmeans"]["elongation"]
    assert new.kmeans.certainty_retained == old["kmeans"]["certainty_stayed"]
    assert new.stability is not None
    assert [one.retention for one in new.stability.transitions] == [
        one["stayed"] for one in old["stability"]["flows"]
    ]
    assert {one.role for segment in new.segments for one in segment.numbers} == {"active"}
    first = max(range(3), key=lambda k: old["ambiguous"][0]["memberships"][k])
    assert new.least_certain[0].first == first + 1


def test_a_report_of_format_2_without_stability_is_read() -> None:
    assert document(lambda found: found.update(stability=None), "report-2.json").stability is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "not a summary of mixtura"),
        ({"format_version": "3"}, "not a summary of mixtura"),
        ({"format_version": 99}, "reads formats up to 3"),
        ({"segments": 4}, "not consistent: segments"),
        ({"unknown": 1}, "not consistent: unknown"),
    ],
)
def test_what_is_not_a_document_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Document.of(content() | change)


def test_a_summary_of_format_2_without_the_report_is_refused() -> None:
    with pytest.raises(DataError, match="has no parts of the report"):
        Document.load(GOLDEN / "summary-2.json")


def test_a_file_that_is_not_json_is_refused(tmp_path) -> None:
    (tmp_path / "summary.json").write_text("{", encoding="utf-8")
    for path in (tmp_path / "summary.json", tmp_path / "nothing.json"):
        with pytest.raises(DataError, match="cannot be read as JSON"):
            Document.load(path)
