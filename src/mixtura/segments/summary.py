"""What is printed of a segmentation, as plain values for programs."""

from __future__ import annotations

import math
from typing import Any

from mixtura.segments.segmentation import SegmentationResult
from mixtura.select import CRITERIA, Candidate

__all__ = ["SUMMARY_VERSION", "summarize"]

SUMMARY_VERSION = 1

_ANOMALIES = 1_000
"""So many are listed, the least usual first; the table of results flags all."""


def summarize(result: SegmentationResult) -> dict[str, Any]:
    """Return numbers, texts, lists and dicts only: what ``summary.json`` holds.

    Parameters
    ----------
    result : SegmentationResult

    Returns
    -------
    dict
        Keys ``table``, ``choice``, ``segments``, ``ambiguous``, ``anomalies``, ``kmeans``, ``candidates``, ``notes``,
        ``seconds``; in the user's units.
    """
    model, training = result.model, result.model.training
    return {
        "format": "mixtura-summary",
        "format_version": SUMMARY_VERSION,
        "mixtura_version": model.mixtura_version,
        "table": _table(result),
        "choice": {
            "criterion": training.criterion,
            "seed": training.seed,
            "n_init": training.n_init,
            **_candidate(result.best),
        },
        "population": {
            "means": dict(zip(model.columns, model.scaling.center.tolist(), strict=True)),
            "standard_deviations": dict(zip(model.columns, model.scaling.scale.tolist(), strict=True)),
        },
        "segments": _segments(result),
        "ambiguous": _ambiguous(result),
        "anomalies": _anomalies(result),
        "kmeans": {"agreement": result.kmeans.agreement},
        "candidates": [_candidate(candidate) for candidate in result.ranking],
        "notes": list(result.notes),
        "seconds": result.seconds,
    }


def _table(result: SegmentationResult) -> dict[str, Any]:
    model, training = result.model, result.model.training
    return {
        "source": training.source,
        "rows": training.rows + training.rows_dropped,
        "rows_unassigned": training.rows_dropped,
        "id_column": training.id_column,
        "columns": list(model.columns),
        "left_out": [{"column": column.name, "reason": column.reason} for column in result.columns.left_out],
    }


def _anomalies(result: SegmentationResult) -> dict[str, Any]:
    model = result.model
    return {
        "percentile": model.anomaly_percentile,
        "log_density_threshold": model.anomaly_threshold,
        "count": result.assignment.n_anomalies,
        "customers": [
            {
                "customer": result.assignment.customer(row),
                "log_density": float(result.assignment.log_density[row]),
            }
            for row in result.anomalies[:_ANOMALIES]
        ],
    }


def _segments(result: SegmentationResult) -> list[dict[str, Any]]:
    columns = result.model.columns
    return [
        {
            "number": segment.number,
            "name": segment.name,
            "count": segment.count,
            "share": segment.share,
            "weight": segment.weight,
            "means": dict(zip(columns, segment.means.tolist(), strict=True)),
            "differences": dict(zip(columns, segment.differences.tolist(), strict=True)),
        }
        for segment in result.segments
    ]


def _ambiguous(result: SegmentationResult) -> list[dict[str, Any]]:
    return [
        {
            "customer": customer.customer,
            "row": customer.row,
            "memberships": customer.memberships.tolist(),
            "kmeans_segment": customer.kmeans + 1,
        }
        for customer in result.ambiguous
    ]


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "covariance_type": candidate.covariance_type,
        "n_components": candidate.n_components,
        "n_parameters": candidate.n_parameters,
        "log_likelihood": _number(candidate.log_likelihood),
        **{name: _number(candidate.criterion(name)) for name in CRITERIA},
        "n_iter": candidate.n_iter,
        "converged": candidate.converged,
        "outcome": None if candidate.outcome is None else candidate.outcome.value,
        "failure": candidate.failure,
    }


def _number(value: float) -> float | None:
    """JSON knows no NaN and no infinity."""
    return float(value) if math.isfinite(value) else None
