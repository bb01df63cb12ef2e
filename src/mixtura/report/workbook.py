"""The report as an Excel workbook: one sheet per part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixtura.io.spreadsheet import COUNT, FINE, NUMBER, PERCENT, TEXT, Cell, Formatted, Sheet, write_sheets
from mixtura.report.view import letters_of, plain_document, residual_table, side_by_side
from mixtura.segments import OUTLIER, Assignment

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
    write_sheets(_sheets(plain_document(document), assignment), path, overwrite=overwrite)


def _sheets(summary: Mapping[str, Any], assignment: Assignment | None) -> list[Sheet]:
    return [
        _overview(summary),
        *_selection(summary),
        *_known(summary),
        _segments(summary),
        _profiles(summary),
        *_categories(summary),
        *_index_table(summary),
        *([] if assignment is None else [_customers(assignment)]),
        _ambiguous(summary),
        _anomalies(summary),
        _kmeans(summary),
        *_stability(summary),
        *_classification(summary),
        *_choices(summary),
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


def _selection(summary: Mapping[str, Any]) -> list[Sheet]:
    if summary["selection"] is None:
        return []
    columns = [
        ("Column", TEXT), ("Role", TEXT), ("Evidence (BIC)", NUMBER), ("Same role in resamples", PERCENT),
        ("Why", TEXT),
    ]  # fmt: skip
    rows = [
        (one["column"], one["role"], one["evidence"], one["stability"], one["why"])
        for one in summary["selection"]["columns"]
    ]
    return [Sheet("Columns", columns, rows)]


def _known(summary: Mapping[str, Any]) -> list[Sheet]:
    found, names = summary["known"], [one["name"] for one in summary["segments"]]
    if found is None:
        return []
    columns = [
        ("Segment", COUNT), ("Name", TEXT), ("How it came about", TEXT), ("Known", COUNT), ("Put in it", COUNT),
        ("Known, but more probably elsewhere", COUNT),
    ]  # fmt: skip
    rows = [
        (
            one["segment"], names[one["segment"] - 1], "known" if one["is_known"] else "found",
            *(one[key] for key in ("known", "free", "elsewhere")),
        )
        for one in found["segments"]
    ]  # fmt: skip
    listed = [
        ("Customer", TEXT), ("Known segment", TEXT), ("Probability", PERCENT), ("Most probable segment", TEXT),
        ("Its probability", PERCENT),
    ]  # fmt: skip
    doubts = [
        (
            one["customer"], names[one["known"] - 1], one["membership"],
            "outlier" if one["probable"] < 0 else names[one["probable"] - 1], one["probable_membership"],
        )
        for one in found["contradictions"]
    ]  # fmt: skip
    sheets = [Sheet("Known segments", columns, rows)]
    return [*sheets, Sheet("Doubtful labels", listed, doubts)] if doubts else sheets


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


def _index_table(summary: Mapping[str, Any]) -> list[Sheet]:
    """Return value, index and significance letters by segment; nothing for a single one."""
    if summary["population"]["index_table"] is None or len(summary["segments"]) < 2:
        return []
    labels = summary["table"]["column_labels"]
    columns = [("Column", TEXT), ("Label", TEXT), ("Level", TEXT), ("Builds segments", TEXT), ("All", NUMBER)]
    for one in summary["segments"]:
        title = f"{letters_of([one['number']])} {one['name']}"
        columns += [(title, NUMBER), ("Index", COUNT), ("Above", TEXT)]
    rows = []
    for row in summary["population"]["index_table"]["rows"]:
        kind = NUMBER if row["level"] is None else PERCENT
        cells: list[Cell] = []
        for cell in row["cells"]:
            value = Formatted(cell["value"], kind, cell["against_rest"])
            cells += [
                value,
                Formatted(cell["index"], COUNT, cell["against_rest"]),
                letters_of(cell["above"]) or None,
            ]
        active = "yes" if row["active"] else None
        label, total = labels.get(row["column"]), Formatted(row["population"], kind)
        rows.append((row["column"], label, row["level"], active, total, *cells))
    return [Sheet("Index table", columns, [*rows, *_index_notes(summary, len(columns))])]


def _index_notes(summary: Mapping[str, Any], width: int) -> list[Sequence[Cell]]:
    table = summary["population"]["index_table"]
    notes = (
        "Index: 100 times the value of the segment over that of all customers.",
        f"Above: segments whose value is lower, at {100 * table['alpha']:.0f} %; the pairs of a row by Holm's method.",
        "Green and red: above and below all other customers; segments of a row adjusted by Holm's method.",
        f"Bases are effective ones (Kish); below {table['least_base']:.0f} nothing is tested.",
        "Columns that build the segments differ by construction: their letters describe, and prove nothing.",
    )
    return [(None, note, *[None] * (width - 2)) for note in (None, *notes)]


def _classification(summary: Mapping[str, Any]) -> list[Sheet]:
    """Return classification statistics, the table behind them and bivariate residuals, as Latent GOLD prints them."""
    found = summary["certainty"]["classification"]
    if found is None:
        return []
    names, triangle = [one["name"] for one in summary["segments"]], residual_table(summary)
    before = triangle[0]["before"] if triangle else []
    width = 2 + max(len(names) + 1, len(before))

    def padded(*cells: Cell) -> Sequence[Cell]:
        return (*cells, *[None] * (width - len(cells)))

    rows = [
        padded("Classification errors", found["errors"]),
        padded("Reduction of errors (lambda)", found["reduction_of_errors"]),
        padded("Entropy R-squared", found["entropy_r2"]),
        padded("Standard R-squared", found["standard_r2"]),
        padded(None),
        padded("Assigned to, expected in", None, *names, "Total"),
        *(padded(name, None, *row, sum(row)) for name, row in zip(names, found["table"], strict=True)),
    ]
    if triangle:
        rows += [padded(None), padded("Bivariate residuals", None, *before)]
        rows += [
            padded(
                one["column"], None, *(None if cell is None else cell["residual"] for cell in one["cells"])
            )
            for one in triangle
        ]
    columns = [
        ("Classification", TEXT),
        ("Value", FINE),
        *[("", NUMBER)] * (width - 2),
    ]
    return [Sheet("Classification", columns, rows)]


def _model_columns(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the first columns of a table of models that were tried."""
    counted = f"{summary['counted']}s".capitalize()
    return [(counted, COUNT), ("Covariances", TEXT), ("Parameters", COUNT), ("Log-likelihood", NUMBER)]


def _choices(summary: Mapping[str, Any]) -> list[Sheet]:
    """Return the best model of each number of segments, criteria side by side; nothing where one was tried."""
    found = side_by_side(summary)
    if len(found["numbers_tried"]) < 2:
        return []
    columns = _model_columns(summary)
    columns += [(name.upper(), NUMBER) for name in found["criteria_shown"]]
    columns += [
        (f"Smallest {summary['counted']}", PERCENT),
        ("Agreement of resamples", NUMBER),
        ("Remark", TEXT),
    ]
    rows = [
        (
            one["n_components"], one["covariance_type"], one["n_parameters"], one["log_likelihood"],
            *(
                Formatted(one["criteria"].get(name), NUMBER, int(one["criteria"].get(name) == least))
                for name, least in found["least_criteria"].items()
            ),
            one["smallest_share"], one["agreement"],
            "chosen" if one["chosen"] else f"excluded: {one['exclusion']}" if one["exclusion"] else None,
        )
        for one in found["numbers_tried"]
    ]  # fmt: skip
    return [Sheet("Choice of K", columns, rows)]


def _customers(assignment: Assignment) -> Sheet:
    names = [f"Membership {k + 1}" for k in range(len(assignment.names))]
    columns = [(assignment.id_name, TEXT), ("Segment", COUNT), ("Name", TEXT), ("Certainty", PERCENT)]
    columns += [(name, PERCENT) for name in names] + [("Anomaly", TEXT)]

    def row(number: int) -> Sequence[Cell]:
        who = assignment.customer(number)
        if not assignment.known[number]:
            return (who, *[None] * (len(columns) - 1))
        label = int(assignment.labels[number])
        # The last name is that of -1.
        number_of, name = (label + 1 if label >= 0 else -1), (*assignment.names, OUTLIER)[label]
        return (
            who, number_of, name, float(assignment.certainty[number]),
            *map(float, assignment.memberships[number]), "anomaly" if assignment.anomaly[number] else None,
        )  # fmt: skip

    return Sheet("Customers", columns, map(row, range(min(assignment.complete.size, _MOST_CUSTOMERS))))


def _ambiguous(summary: Mapping[str, Any]) -> Sheet:
    names = [*(one["name"] for one in summary["segments"]), OUTLIER]
    columns = [
        ("Customer", TEXT), ("Most probable segment", TEXT), ("Membership", PERCENT), ("Next", TEXT),
        ("Membership in next", PERCENT),
    ]  # fmt: skip
    rows = [
        (one["customer"], names[one["first"] - 1], one["first_membership"],
         names[max(one["second"] - 1, -1)], one["second_membership"])
        for one in summary["ambiguous"]["customers"]
    ]  # fmt: skip
    return Sheet("Ambiguous", columns, rows)


def _anomalies(summary: Mapping[str, Any]) -> Sheet:
    names = [one["name"] for one in summary["segments"]]
    columns = [
        ("Customer", TEXT), ("Nearest segment", TEXT), ("Log density", NUMBER), ("Driver", TEXT), ("Value", NUMBER),
        ("Normal", NUMBER), ("Part of the distance", PERCENT),
    ]  # fmt: skip
    rows = [
        (one["customer"], names[one["segment"] - 1], one["log_density"], driver["column"], driver["value"],
         driver["expected"], driver["share"])
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
    columns = _model_columns(summary)
    columns += [(header, NUMBER) for header in criteria.values()] + [("Iterations", COUNT), ("Outcome", TEXT)]
    rows = [
        (one["n_components"], one["covariance_type"], one["n_parameters"], one["log_likelihood"],
         *(one["criteria"].get(name) for name in criteria), one["n_iter"], one["failure"] or one["outcome"])
        for one in summary["candidates"]
    ]  # fmt: skip
    return Sheet("Models", columns, rows)
