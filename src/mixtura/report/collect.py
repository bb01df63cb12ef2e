"""From a segmentation to one dict of plain values: what ``summary.json`` holds, and all that the page says."""

from __future__ import annotations

from typing import Any

import numpy as np

from mixtura.core.contributions import column_contributions
from mixtura.exceptions import MixturaError
from mixtura.fit import Outcome
from mixtura.segments import (
    SegmentationResult,
    Stability,
    assess_stability,
    component_overlap,
    summarize,
)
from mixtura.segments.jsonable import plain

__all__ = ["collect", "report_stability"]

AMBIGUOUS_BELOW = 0.6
"""Membership below which a customer stands between two segments."""

_LISTED_BELOW = 0.9
"""Customers less certain than this are listed."""

_LISTED = 300
"""So many customers are listed at most, in each list."""

_BANDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Where the bands of certainty end."""

_RESAMPLES = (50, 20)
"""Of small tables, and of others."""

_SMALL = 20_000
"""Up to so many rows times columns times segments, fifty resamples take about a second."""

_MOST_SEGMENTS = 12
"""Of more segments, the stability is not measured unasked: refits would take longer than all the rest."""

_DRAWS = 4_000
"""Per component, for overlaps."""


def collect(result: SegmentationResult, *, stability: Stability | None = None) -> dict[str, Any]:
    """Return everything that a report says, as numbers, texts, lists and dicts only.

    Parameters
    ----------
    result : SegmentationResult
    stability : Stability or None, default=None
        From `report_stability` or `mixtura.segments.assess_stability`; None to say that it was not measured.

    Returns
    -------
    dict
        What `mixtura.segments.summarize` returns, with ``verdict``, ``certainty``, ``between``, ``overlap``,
        ``stability`` and ``diagnostics``, more of ``kmeans``, and the columns that drive each of the ``anomalies``.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.report import collect
    >>> from mixtura.segments import segment_table
    >>> found = collect(segment_table(make_customers(as_frame="polars"), components=[2, 3]))
    >>> found["verdict"]["segments"], found["verdict"]["customers"], found["verdict"]["stability"]
    (3, 300, None)
    """
    summary = summarize(result)
    certainty = result.certainty.to_dict()
    summary |= {
        "verdict": _verdict(result, certainty, stability),
        "certainty": certainty,
        "between": _between(result),
        "overlap": _overlap(result),
        "stability": None if stability is None else stability.to_dict(),
        "diagnostics": _diagnostics(result),
    }
    summary["kmeans"] = result.kmeans.to_dict()
    summary["anomalies"]["customers"] = _unusual(result, summary["anomalies"]["customers"])
    return summary


def report_stability(result: SegmentationResult, n_bootstraps: int | None = None) -> Stability | None:
    """Return how stable the segments are, from as many resamples as a report can wait for.

    Parameters
    ----------
    result : SegmentationResult
    n_bootstraps : int or None, default=None
        Resamples; 0 for none. None for 50 of small tables, 20 of others (tables of more than 5,000 rows are sampled),
        and none with more than 12 segments.

    Returns
    -------
    Stability or None
        None where it was not asked for, or could not be measured.
    """
    model, rows = result.model, result.rows
    if n_bootstraps is None:
        size = min(len(rows), 5_000) * len(model.columns) * model.n_segments
        n_bootstraps = 0 if model.n_segments > _MOST_SEGMENTS else _RESAMPLES[size > _SMALL]
    if n_bootstraps == 0:
        return None
    try:
        return assess_stability(
            model, rows, weights=result.weights, n_bootstraps=n_bootstraps, mixtures=result.neighbors
        )
    except MixturaError:
        # Resamples of a handful of rows may carry no mixture; the report then says that it was not measured.
        return None


def _verdict(
    result: SegmentationResult, certainty: dict[str, Any], stability: Stability | None
) -> dict[str, Any]:
    complete = result.assignment.complete
    return {
        "segments": result.model.n_segments,
        "customers": int(complete.sum()),
        "customers_left_out": int((~complete).sum()),
        "mean_certainty": certainty["mean_certainty"],
        "expected_error": certainty["expected_error"],
        "n_ambiguous": certainty["n_ambiguous"],
        "ambiguous_share": certainty["ambiguous_share"],
        "stability": None if stability is None else stability.verdict.value,
        "stability_explanation": None if stability is None else stability.verdict.explanation,
        "adjusted_rand": None if stability is None else plain(stability.overall.adjusted_rand),
    }


def _between(result: SegmentationResult) -> dict[str, Any]:
    below = [band for band in result.certainty.bands if band.upper <= _LISTED_BELOW]
    several = result.model.n_segments > 1
    return {
        "below": _LISTED_BELOW,
        "count": sum(band.count for band in below) if several else 0,
        "share": sum(band.share for band in below) if several else 0.0,
        "customers": [
            {
                "customer": one.customer,
                "row": one.row,
                "first": one.first + 1,
                "second": one.second + 1,
                "first_share": float(one.memberships[one.first]),
                "second_share": float(one.memberships[one.second]),
                "anomaly": bool(result.assignment.anomaly[one.row]),
            }
            for one in result.least_certain
            if one.memberships[one.first] < _LISTED_BELOW
        ],
    }


def _overlap(result: SegmentationResult) -> dict[str, Any]:
    model = result.model
    return component_overlap(model.mixture, model.names, draws=_DRAWS, seed=model.training.seed).to_dict()


def _unusual(result: SegmentationResult, listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the anomalies with where they are, what they are like, and which columns make them so."""
    chosen = result.anomalies[: len(listed)]
    if not chosen:
        return []
    model, assignment = result.model, result.assignment
    place = np.cumsum(assignment.complete) - 1
    rows = result.rows[place[chosen]]
    parts = column_contributions(model.mixture, model.scaling.apply(rows))
    totals = parts.sum(axis=1, keepdims=True)
    shares = parts / np.where(totals > 0, totals, 1.0)
    return [
        one
        | {
            "row": row,
            "segment": int(assignment.labels[row]) + 1,
            "certainty": float(assignment.certainty[row]),
            "drivers": [
                {
                    "column": model.columns[d],
                    "value": float(values[d]),
                    "share": float(share[d]),
                }
                for d in np.argsort(-share, kind="stable")
            ],
        }
        for one, row, values, share in zip(listed, chosen, rows, shares, strict=True)
    ]


def _diagnostics(result: SegmentationResult) -> dict[str, Any]:
    columns = result.model.columns
    return {
        "outcomes": {one.value: one.explanation for one in Outcome},
        "passed_over": len(result.passed_over),
        "degenerate": [
            {
                "covariance_type": candidate.covariance_type,
                "n_components": candidate.n_components,
                "why": [one.describe(columns, first=1) for one in candidate.degeneracies],
            }
            for candidate in result.ranking
            if candidate.degeneracies
        ],
        "normality": _normality(result),
        "free_parameters": result.best.n_parameters,
        "rows_per_parameter": result.population.total_weight / max(1, result.best.n_parameters),
    }


def _normality(result: SegmentationResult) -> list[dict[str, Any]]:
    from mixtura.segments.advice.evidence.quick_fit import component_normality

    model = result.model
    rng = np.random.default_rng(model.training.seed)
    scaled = model.scaling.apply(result.rows)
    level = 0.05 / model.n_segments
    return [
        {
            "segment": one.component + 1,
            "rows": one.n_rows,
            "skewness": plain(one.mardia.skewness),
            "skewness_p": plain(one.mardia.skewness_p),
            "kurtosis": plain(one.mardia.kurtosis),
            "kurtosis_normal": float(len(model.columns) * (len(model.columns) + 2)),
            "kurtosis_p": plain(one.mardia.kurtosis_p),
            "energy_p": plain(one.energy_p),
            "rejected": one.rejected(level),
        }
        for one in component_normality(scaled, model.mixture, rng, result.weights)
    ]
