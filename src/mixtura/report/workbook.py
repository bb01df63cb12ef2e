"""The report as an Excel workbook: one sheet per part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixtura.io.spreadsheet import COUNT, NUMBER, PERCENT, TEXT, Cell, Sheet, write_sheets
from mixtura.segments import Assignment

if TYPE_CHECKING:
    from mixtura.segments.results.document import Document

__all__ = ["write_workbook"]

_MOST_CUSTOMERS = 200_000
"""A sheet holds a million rows; a workbook with more customers than this would take minutes to write."""


def write_workbook(
    document: Document, path: str | Path, assignment: Assignment | None = None, *, overwrite: bool = False
) -> None:
    """Write the report as a workbook, all of it or nothing.

    Parameters
    ----------
    document : Document
        As `SegmentationResult.document` gives it.
    path : str or Path
        Ends in ``.xlsx``.
    assignment : Assignment or None, default=None
        The customers to list: at most 200,000, all are in ``segments.csv``. None for no such sheet.
    overwrite : bool, default=False

    Raises
    ------
    OutputError
        The file exists and `overwrite` is False, or it cannot be written.
    OptionalDependencyError
        xlsxwriter is not installed.
    """
    write_sheets(_sheets(document.to_dict(), assignment), path, overwrite=overwrite)


def _sheets(summary: Mapping[str, Any], assignment: Assignment | None) -> list[Sheet]:
    return [
        _overview(summary),
        _segments(summary),
        _profiles(summary),
        *_categories(summary),
        *([] if assignment is None else [_customers(assignment)]),
        _ambiguous(summary),
        _anomalies(summary),
        _kmeans(summary),
        *_stability(summary),
        _models(summary),
    ]


def _overview(summary: Mapping[str, Any]) -> Sheet:
    verdict, table = summary["verdict"], summary["table"]
    rows: list[Sequence[Cell]] = [
        ("Table", table["source"]),
        ("Segments", verdict["segments"]),
        ("Customers in a segment", verdict["customers"]),
        ("Customers left out", verdict["customers_left_out"]),
        ("Mean certainty", verdict["mean_certainty"]),
        ("Expected to belong to another segment", verdict["expected_error"]),
        ("Stability", verdict["stability"] or "not measured"),
        ("Meaning", verdict["stability_explanation"]),
        ("Active columns, which build the segments", ", ".join([*table["active"], *table["discrete"]])),
        ("Descriptive columns, which only describe them", ", ".join(table["descriptive"])),
        ("Model", f"{summary['choice']['covariance_type']}, {summary['choice']['criterion_name'].upper()}"),
        ("mixtura", summary["mixtura_version"]),
        *(("Note", note) for note in summary["notes"]),
        *((f"Left out: {one['column']}", one["reason"]) for one in table["left_out"]),
    ]
    return Sheet("Verdict", [("What", TEXT), ("Answer", NUMBER)], rows)


def _segments(summary: Mapping[str, Any]) -> Sheet:
    columns = [
        ("Segment", COUNT), ("Name", TEXT), ("Customers", COUNT), ("Effective base", COUNT), ("Share", PERCENT),
        ("Share from", PERCENT), ("Share to", PERCENT), ("Value total", NUMBER), ("Value share", PERCENT),
        ("Value mean", NUMBER), ("Distinguishing", TEXT), ("Typical customers", TEXT),
    ]  # fmt: skip
    rows = [
        (
            one["number"], one["name"], one["count"], one["effective_base"], one["share"], *one["share_interval"],
            *((one["value"] or {}).get(key) for key in ("total", "share", "mean")),
            ", ".join(one["distinguishing"][:5]), ", ".join(who["customer"] for who in one["typical"]),
        )
        for one in summary["segments"]
    ]  # fmt: skip
    return Sheet("Segments", columns, rows)


def _profiles(summary: Mapping[str, Any]) -> Sheet:
    measured = ("mean", "sd", "minimum", "q1", "median", "q3", "maximum", "difference", "cohens_d", "overlap")
    columns = [("Segment", COUNT), ("Name", TEXT), ("Column", TEXT), ("Role", TEXT), ("Customers", COUNT)]
    columns += [(name.replace("_", " ").capitalize(), NUMBER) for name in measured]
    overall = [
        (0, "all customers", name, "", one["count"], *(one.get(key) for key in measured))
        for name, one in summary["population"]["numbers"].items()
    ]
    rows = [
        (
            segment["number"], segment["name"], one["column"], one["role"], one["count"],
            *(one[key] for key in measured),
        )
        for segment in summary["segments"]
        for one in segment["numbers"]
    ]  # fmt: skip
    return Sheet("Profiles", columns, [*overall, *rows])


def _categories(summary: Mapping[str, Any]) -> list[Sheet]:
    rows = [
        (segment["number"], segment["name"], one["column"], level["level"], level["count"], level["share"],
         level["population_share"], level["lift"])
        for segment in summary["segments"]
        for one in segment["categories"]
        for level in one["levels"]
    ]  # fmt: skip
    columns = [
        ("Segment", COUNT), ("Name", TEXT), ("Column", TEXT), ("Level", TEXT), ("Customers", COUNT), ("Share", PERCENT),
        ("Share of all", PERCENT), ("Lift", NUMBER),
    ]  # fmt: skip
    return [Sheet("Categories", columns, rows)] if rows else []


def _customers(assignment: Assignment) -> Sheet:
    names = [f"Membership {k + 1}" for k in range(len(assignment.names))]
    columns = [(assignment.id_name, TEXT), ("Segment", COUNT), ("Name", TEXT), ("Certainty", PERCENT)]
    columns += [(name, PERCENT) for name in names] + [("Anomaly", TEXT)]

    def row(number: int) -> Sequence[Cell]:
        who = assignment.customer(number)
        if not assignment.complete[number]:
            return (who, *[None] * (len(columns) - 1))
        label = int(assignment.labels[number])
        return (
            who, label + 1, assignment.names[label], float(assignment.certainty[number]),
            *map(float, assignment.memberships[number]), "anomaly" if assignment.anomaly[number] else None,
        )  # fmt: skip

    return Sheet("Customers", columns, map(row, range(min(assignment.complete.size, _MOST_CUSTOMERS))))


def _ambiguous(summary: Mapping[str, Any]) -> Sheet:
    names = [one["name"] for one in summary["segments"]]
    columns = [
        ("Customer", TEXT), ("Most probable segment", TEXT), ("Membership", PERCENT), ("Next", TEXT),
        ("Membership in next", PERCENT),
    ]  # fmt: skip
    rows = [
        (one["customer"], names[one["first"] - 1], one["first_membership"], names[one["second"] - 1],
         one["second_membership"])
        for one in summary["ambiguous"]["customers"]
    ]  # fmt: skip
    return Sheet("Ambiguous", columns, rows)


def _anomalies(summary: Mapping[str, Any]) -> Sheet:
    names = [one["name"] for one in summary["segments"]]
    columns = [
        ("Customer", TEXT), ("Nearest segment", TEXT), ("Log density", NUMBER), ("Driver", TEXT), ("Value", NUMBER),
        ("Part of the distance", PERCENT),
    ]  # fmt: skip
    rows = [
        (one["customer"], names[one["segment"] - 1], one["log_density"], driver["column"], driver["value"],
         driver["share"])
        for one in summary["anomalies"]["customers"]
        for driver in one["drivers"][:1]
    ]  # fmt: skip
    return Sheet("Anomalies", columns, rows)


def _kmeans(summary: Mapping[str, Any]) -> Sheet:
    names = [one["name"] for one in summary["segments"]]
    columns = [("Segment", TEXT), *((f"Cluster {k + 1}", COUNT) for k in range(len(names)))]
    rows = [(name, *counts) for name, counts in zip(names, summary["kmeans"]["table"], strict=True)]
    return Sheet("K-means", columns, rows)


def _stability(summary: Mapping[str, Any]) -> list[Sheet]:
    if summary["stability"] is None:
        return []
    columns = [
        ("Segment", COUNT), ("Name", TEXT), ("Jaccard", NUMBER), ("From", NUMBER), ("To", NUMBER), ("Verdict", TEXT),
    ]  # fmt: skip
    rows = [
        (one["number"], one["name"], one["jaccard"], one["lower"], one["upper"], one["word"])
        for one in summary["stability"]["segments"]
    ]
    return [Sheet("Stability", columns, rows)]


def _models(summary: Mapping[str, Any]) -> Sheet:
    criteria = {name: name.upper() for name in ("bic", "aic", "icl")}
    if summary["choice"]["criterion_name"] == "cv":
        criteria |= {"cv": "CV", "cv_standard_error": "Standard error of CV"}
    columns = [("Segments", COUNT), ("Covariances", TEXT), ("Parameters", COUNT), ("Log-likelihood", NUMBER)]
    columns += [(header, NUMBER) for header in criteria.values()] + [("Iterations", COUNT), ("Outcome", TEXT)]
    rows = [
        (one["n_components"], one["covariance_type"], one["n_parameters"], one["log_likelihood"],
         *(one["criteria"].get(name) for name in criteria), one["n_iter"], one["failure"] or one["outcome"])
        for one in summary["candidates"]
    ]  # fmt: skip
    return Sheet("Models", columns, rows)
