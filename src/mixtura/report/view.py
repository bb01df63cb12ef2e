"""The document in the arrangement of the page: nothing is computed here, only chosen and put in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mixtura.segments.results.document import Document
from mixtura.segments.results.document_profiles import SegmentPart
from mixtura.segments.table.discrete.kinds import KIND_WORDS, ColumnKind, kind_notes

__all__ = ["letters_of", "page_view", "plain_document", "residual_table", "side_by_side"]

_TRAITS = 5
_LEVELS = 8
"""Levels shown of a column, the most frequent first."""
_ANOMALIES = 300
_DRIVERS = 3
_DRIVES = 0.1
"""Part of the distance from which on a column is a main driver."""
_STEP = 0.4
"""Standard deviations per shade."""
_CRITERIA = ("bic", "aic", "caic", "icl")
_LETTERS = 26
_MOST_RESIDUALS = 12
"""Discrete columns of which all pairs are shown in a triangle."""
_LIFTS = (1.25, 1.5, 2.0, 3.0)
"""Where the shades of lifts begin, upwards; and, as one over it, downwards."""

Row = dict[str, Any]


def plain_document(document: Document) -> Row:
    """Return the document as plain values, with what is read from them: are segments merged, what is counted."""
    return document.to_dict() | {"are_merged": document.are_merged, "counted": document.counted}


def page_view(document: Document) -> Row:
    """Return the document with what the page shows in tables and cards."""
    summary = plain_document(document)
    transformed = _transformed(summary)
    years = {name for name, one in document.population.numbers.items() if one.has_years}
    segments = [
        one | {"traits": _traits(one, _leading(part), summary["population"], transformed, years)}
        for one, part in zip(summary["segments"], document.segments, strict=True)
    ]
    return {
        **summary,
        "segments": segments,
        "active": _active(summary),
        "left_out": _left_out(summary["table"]),
        "described": _described(summary["table"]),
        "notes": _notes(summary),
        "profile_table": _profile_table(summary, years),
        "category_table": _category_table(summary),
        "index_rows": _index_rows(summary, years),
        **side_by_side(summary),
        "residual_table": residual_table(summary),
        "listed_anomalies": [
            _with_main_drivers(one, years) for one in summary["anomalies"]["customers"][:_ANOMALIES]
        ],
        "usage": _usage(summary),
        "customers_file": "segments.sql" if document.table.in_database else "segments.csv",
    }


def _active(summary: Row) -> list[Row]:
    """Return the columns that build the segments, with what they are taken for and transformed by, and why."""
    kinds = {one["column"]: one for one in summary["table"]["kinds"] if one["kind"] != "continuous"}
    transforms = {one["column"]: one for one in summary["transforms"] if one["kind"] != "none"}
    found = []
    for name in [*summary["table"]["active"], *summary["table"]["discrete"]]:
        kind, transform = kinds.get(name), transforms.get(name)
        parts = [] if kind is None else [KIND_WORDS.get(kind["kind"], kind["kind"])]
        parts += [] if transform is None else [f"transformed by {transform['kind']}"]
        why = [one["reason"] for one in (kind, transform) if one is not None]
        found.append({"column": name, "what": ", ".join(["", *parts]), "why": "; ".join(why)})
    return found


def _left_out(table: Row) -> list[Row]:
    """Return the columns without any role."""
    roles = {*table["descriptive"], table["value_column"], table["weight_column"], table["id_column"]}
    return [one for one in table["left_out"] if one["column"] not in roles]


def _described(table: Row) -> list[Row]:
    """Return the columns that only describe, with why where that was not asked for."""
    reasons = {one["column"]: one["reason"] for one in table["left_out"]}
    asked = "descriptive"
    return [
        {"column": name, "why": "" if reasons.get(name, asked) == asked else reasons[name]}
        for name in table["descriptive"]
    ]


def _notes(summary: Row) -> list[str]:
    """Return the notes without those on the kinds of columns, which the table of roles says."""
    kinds = [ColumnKind(one["column"], one["kind"], one["reason"]) for one in summary["table"]["kinds"]]
    said = set(kind_notes(kinds))
    return [note for note in summary["notes"] if note not in said]


def _transformed(summary: Mapping[str, Any]) -> set[str]:
    return {one["column"] for one in summary["transforms"] if one["kind"] != "none"}


def _middle(column: str, transformed: set[str]) -> str:
    """Return the statistic that locates a column: a few large values distort the mean of a transformed one."""
    return "median" if column in transformed else "mean"


def _traits(
    segment: Row, leading: Mapping[str, Row], population: Row, transformed: set[str], years: set[str]
) -> list[Row]:
    numbers = {one["column"]: one for one in segment["numbers"]}
    chosen = [name for name in segment["distinguishing"] if numbers.get(name, {}).get("role") != "value"]
    found = []
    for name in chosen[:_TRAITS]:
        if name in numbers:
            one = numbers[name]
            if one["mean"] is None:
                continue
            overall, middle = population["numbers"][name], _middle(name, transformed)
            found.append(
                {
                    "kind": "number",
                    "column": name,
                    "middle": middle,
                    "value": one[middle],
                    "population_value": overall[middle],
                    "spread": overall["sd"],
                    "years": name in years,
                    "difference": one["difference"] or 0.0,
                }
            )
        else:
            level = leading[name]
            if level["share"] is None:
                continue
            found.append({"kind": "level", "column": name, **level})
    return found


def _leading(segment: SegmentPart) -> dict[str, Row]:
    """Return of each categorical column the level that says most of the segment."""
    return {one.column: one.leading_level.model_dump() for one in segment.categories}


def _profile_table(summary: Mapping[str, Any], years: set[str]) -> list[Row]:
    """Return a row per numeric column; those that differ most between segments first."""
    by_segment = [{one["column"]: one for one in segment["numbers"]} for segment in summary["segments"]]
    transformed = _transformed(summary)
    rows = [
        {
            "column": name,
            "role": next(iter(by_segment))[name]["role"],
            "middle": _middle(name, transformed),
            "population": overall[_middle(name, transformed)],
            "spread": overall["sd"],
            "years": name in years,
            "cells": [
                {
                    "value": held[name][_middle(name, transformed)],
                    "difference": held[name]["difference"],
                    "step": _difference_step(held[name]["difference"]),
                }
                for held in by_segment
            ],
        }
        for name, overall in summary["population"]["numbers"].items()
    ]
    return sorted(rows, key=lambda row: -max(abs(cell["difference"] or 0.0) for cell in row["cells"]))


def _in_order(level: Row) -> float:
    """Return the number that a level stands for; those that stand for others, or for none, come last."""
    try:
        return float(level["level"])
    except ValueError:
        return float("inf")


def _category_table(summary: Mapping[str, Any]) -> list[Row]:
    """Return a row per level of each categorical column: in their order, or the most frequent first."""
    ordered = {one["column"] for one in summary["table"]["kinds"] if one["kind"] in ("ordered", "count")}
    rows = []
    for name, levels in summary["population"]["categories"].items():
        by_segment = [
            {level["level"]: level for level in one["levels"]}
            for segment in summary["segments"]
            for one in segment["categories"]
            if one["column"] == name
        ]
        kept = sorted(levels, key=lambda one: -(one["share"] or 0.0))[:_LEVELS]
        for level in sorted(kept, key=_in_order) if name in ordered else kept:
            held = [found.get(level["level"], {"share": 0.0, "lift": 0.0}) for found in by_segment]
            rows.append(
                {
                    "column": name,
                    "level": level["level"],
                    "population": level["share"],
                    "cells": [
                        {"share": one["share"], "lift": one["lift"], "step": _lift_step(one["lift"])}
                        for one in held
                    ],
                }
            )
    return rows


def _index_rows(summary: Mapping[str, Any], years: set[str]) -> list[Row]:
    """Return the rows of the index table, with letters for segments."""
    if summary["population"]["index_table"] is None:
        return []
    overall = summary["population"]["numbers"]
    return [
        row
        | {
            "spread": None if row["level"] is not None else overall[row["column"]]["sd"],
            "years": row["column"] in years,
            "cells": [cell | {"letters": letters_of(cell["above"])} for cell in row["cells"]],
        }
        for row in summary["population"]["index_table"]["rows"]
    ]


def letters_of(numbers: Sequence[int]) -> str:
    """Return the letters of segments, as tables of market research name them.

    Examples
    --------
    >>> from mixtura.report.view import letters_of
    >>> letters_of([1, 3])
    'AC'
    """
    return "".join(chr(64 + number) if number <= _LETTERS else f"({number})" for number in numbers)


def _numbers_tried(summary: Mapping[str, Any]) -> list[Row]:
    """Return the best model of each number of segments that was tried, with its stability where it was measured."""
    name, chosen = summary["choice"]["criterion_name"], summary["choice"]
    stability = (
        {}
        if summary["stability"] is None or summary["are_merged"]
        else {one["n_segments"]: one["adjusted_rand"] for one in summary["stability"]["numbers"]}
    )
    stability |= {one["n_components"]: one["adjusted_rand"] for one in chosen["compared"]}
    found: dict[int, Row] = {}
    for one in summary["candidates"]:
        k, value = one["n_components"], one["criteria"].get(name)
        best = found.get(k)
        is_chosen = (k, one["covariance_type"]) == (chosen["n_components"], chosen["covariance_type"])
        if value is not None and (is_chosen or best is None or _before(one, best, name)):
            found[k] = one | {"chosen": is_chosen, "agreement": stability.get(k)}
    return [found[k] for k in sorted(found)]


def side_by_side(summary: Mapping[str, Any]) -> Row:
    """Return the numbers of segments that were tried, the criteria that are shown of them, and the least of each."""
    tried = _numbers_tried(summary)
    shown = list(dict.fromkeys([summary["choice"]["criterion_name"], *_CRITERIA]))
    shown = [name for name in shown if any(one["criteria"].get(name) is not None for one in tried)]
    least = {
        name: min(
            one["criteria"][name]
            for one in tried
            if one["criteria"].get(name) is not None and one["exclusion"] is None
        )
        for name in shown
        if any(one["criteria"].get(name) is not None and one["exclusion"] is None for one in tried)
    }
    return {
        "numbers_tried": tried,
        "criteria_shown": shown,
        "least_criteria": least,
        "most_compared": _most_compared(summary),
    }


def _most_compared(summary: Mapping[str, Any]) -> str:
    """Return what the largest number that could be chosen is: more may have been tried, and excluded."""
    tried = [one for one in summary["candidates"] if one["failure"] is None]
    allowed = [one["n_components"] for one in tried if one["exclusion"] is None]
    all_allowed = not allowed or max(allowed) == max(one["n_components"] for one in tried)
    return "the most that were tried" if all_allowed else "the most that were not excluded"


def _before(one: Row, best: Row, name: str) -> bool:
    """Return whether a model stands for its number of segments rather than another: allowed, and better."""
    if best["chosen"]:
        return False
    allowed = (one["exclusion"] is None, best["exclusion"] is None)
    if allowed[0] != allowed[1]:
        return allowed[0]
    return bool(one["criteria"][name] < best["criteria"][name])


def residual_table(summary: Mapping[str, Any]) -> list[Row]:
    """Return bivariate residuals as a triangle, a row per discrete column but the first; empty for too many columns."""
    pairs = {frozenset((one["first"], one["second"])): one for one in summary["diagnostics"]["residuals"]}
    names = [name for name in summary["table"]["discrete"] if any(name in pair for pair in pairs)]
    names += [name for name in summary["table"]["active"] if any(name in pair for pair in pairs)]
    if not 2 <= len(names) <= _MOST_RESIDUALS:
        return []
    return [
        {
            "column": name,
            "before": names[:-1],
            "cells": [pairs.get(frozenset((name, other))) for other in names[:i]],
        }
        for i, name in enumerate(names)
        if i
    ]


def _with_main_drivers(customer: Row, years: set[str]) -> Row:
    drivers = [one for one in customer["drivers"] if one["share"] >= _DRIVES] or customer["drivers"][:1]
    shown = [one | {"years": one["column"] in years} for one in drivers[:_DRIVERS]]
    return customer | {"main_drivers": shown}


def _difference_step(difference: float | None) -> int:
    return 0 if difference is None else max(-4, min(4, round(difference / _STEP)))


def _lift_step(lift: float | None) -> int:
    if lift is None:
        return 0
    up = sum(lift >= limit for limit in _LIFTS)
    return up or -sum(lift <= 1 / limit for limit in _LIFTS)


def _usage(summary: Mapping[str, Any]) -> Row:
    """Return what to type. Segments go by number: a name may hold what a shell would take for something else."""
    drop = " --drop-missing" if summary["table"]["rows_unassigned"] else ""
    return {
        "audience": f"mixtura audience model.json new_customers.csv --segment 1 --min-probability 0.3{drop}",
        "python": (
            "from mixtura import Segmentation\n\n"
            'segmentation = Segmentation.load("model.json")\n'
            "assigned = segmentation.assign(new_customers)\n"
            "audience = segmentation.audience(1, new_customers, min_probability=0.3)"
        ),
    }
