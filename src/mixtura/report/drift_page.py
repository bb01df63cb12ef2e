"""A drift as a page: its document drawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from mixtura.plot.charts.shares import shares_chart
from mixtura.plot.data.counts import group_labels
from mixtura.plot.export.export import finalize
from mixtura.plot.vega import Datasets, Spec
from mixtura.report.charts import Chart, Drawings, flow_drawings, rendered
from mixtura.report.render import render_page

if TYPE_CHECKING:
    from mixtura.segments.results.changes.drift_document import DriftDocument

__all__ = ["draw_drift", "render_drift"]

_WIDE, _NARROW = 620, 270
_BESIDE = 20
"""Of more segments, flows are threads."""
_CHANGES, _PATHS = 40, 60


def render_drift(document: DriftDocument) -> str:
    """Return the page: one file, which asks no host for anything.

    Parameters
    ----------
    document : DriftDocument

    Raises
    ------
    OptionalDependencyError
        Jinja2 or vl-convert is not installed.
    """
    return render_page("drift.html", len(document.names), _view(document), draw_drift(document))


def draw_drift(document: DriftDocument) -> dict[str, Chart]:
    """Return the charts of the page by name: shares over time, and who went where."""
    return rendered(_wanted(document))


def _wanted(document: DriftDocument) -> Iterator[tuple[str, Drawings]]:
    if len(document.names) > 1:
        yield "shares", (_shares(document, _WIDE), _shares(document, _NARROW))
    movers = document.movers
    if movers is not None and 1 < len(document.names) <= _BESIDE:
        names = [one.name for one in document.names]
        counts = np.array(movers.matrix, dtype=np.float64)
        if len(counts) > len(names):
            names.append("outlier")
        titles = (movers.before, movers.after)
        yield (
            "flow",
            flow_drawings(counts, names, names, title="Who went where", titles=titles, noun="customers"),
        )


def _shares(document: DriftDocument, width: int) -> Spec:
    first = document.periods[0].shares
    rows = [[one.before for one in first], *([one.after for one in each.shares] for each in document.periods)]
    halves = [
        [one.before_half for one in first],
        *([one.after_half for one in each.shares] for each in document.periods),
    ]
    labels = [document.reference.label, *(one.label for one in document.periods)]
    if len(set(labels)) < len(labels):
        labels[0] += " (model)"
    order = _in_time(labels)
    labels = [labels[place] for place in order]
    rows, halves = [rows[place] for place in order], [halves[place] for place in order]
    datasets: Datasets = {}
    names = group_labels("names", [one.name for one in document.names], len(document.names))
    chart = shares_chart(np.array(rows), np.array(halves), labels, names, datasets, width=width, legend=False)
    return finalize(chart, datasets)


def _in_time(labels: list[str]) -> list[int]:
    """Return the places of the labels in time: the first one's is known where the others are in the order of texts."""
    places = list(range(len(labels)))
    if len(labels) > 2 and sorted(labels[1:]) == labels[1:]:
        return sorted(places, key=lambda place: labels[place])
    return places


def _view(document: DriftDocument) -> dict[str, Any]:
    """Return the document with what the page shows in its tables."""
    summary = document.to_dict()
    last = summary["periods"][-1]
    changes = sorted(last["changes"], key=lambda one: (not one["matters"], one["p_adjusted"]))
    columns = summary["columns"]
    shifts = [
        {
            "column": name,
            "cells": [
                {
                    "shift": held["shifts"].get(name),
                    "step": _step(held["shifts"].get(name)),
                    "found": any(
                        one["family"] == "center"
                        and one["matters"]
                        and one["columns"] == [name]
                        and one["segment"] == held["segment"]
                        for one in last["changes"]
                    ),
                }
                for held in last["segments"]
            ],
        }
        for name in columns
        if any(name in held["shifts"] for held in last["segments"])
    ]
    movers = summary["movers"]
    return {
        **summary,
        # What the parts that all pages share look for: a drift knows no labels of columns.
        "table": {"column_labels": {}},
        "last": last,
        "listed_changes": changes[:_CHANGES],
        "more_changes": max(0, len(changes) - _CHANGES),
        "shifts": shifts,
        "paths": [] if movers is None else movers["paths"][:_PATHS],
    }


def _step(shift: float | None) -> int:
    """Return the shade of a shift: one per quarter of a standard deviation."""
    return 0 if shift is None else max(-4, min(4, round(shift / 0.25)))
