"""What is printed of a segmentation, as plain values for programs."""

from __future__ import annotations

from typing import Any

import numpy as np

from mixtura.segments.profiles.profile_summary import json_number, population_summary, segment_summary
from mixtura.segments.segment import SegmentationResult
from mixtura.select import Candidate

__all__ = ["SUMMARY_VERSION", "summarize"]

SUMMARY_VERSION = 2

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
        Keys ``table``, ``choice``, ``transforms``, ``population``, ``segments``, ``ambiguous``, ``anomalies``,
        ``kmeans``, ``candidates``, ``notes``, ``seconds``; in the user's units. What there is not is None.
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
            **({} if result.best.folds is None else {"n_folds": result.best.folds.values.size}),
        },
        "transforms": _transforms(result),
        "population": _population(result),
        "segments": [segment_summary(segment, model.columns) for segment in result.segments],
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
        "describe": list(result.columns.describe),
        "value_column": result.columns.value,
        "weight_column": result.columns.weight,
        "left_out": [{"column": column.name, "reason": column.reason} for column in result.columns.left_out],
    }


def _anomalies(result: SegmentationResult) -> dict[str, Any]:
    model, anomaly = result.model, result.assignment.anomaly[result.assignment.complete]
    return {
        "percentile": model.anomaly_percentile,
        "log_density_threshold": model.anomaly_threshold,
        "count": result.assignment.n_anomalies,
        "share": float(np.average(anomaly, weights=result.weights)),
        "customers": [
            {
                "customer": result.assignment.customer(row),
                "log_density": float(result.assignment.log_density[row]),
            }
            for row in result.anomalies[:_ANOMALIES]
        ],
    }


def _transforms(result: SegmentationResult) -> list[dict[str, Any]]:
    done = result.model.scaling.transforms
    return [
        {
            "column": advice.column,
            "kind": transform.kind,
            "parameters": transform.parameters(),
            "advised": advice.kind,
            "share_zero": advice.share_zero,
            "skewness": advice.skewness,
            "skewness_transformed": advice.skewness_after,
            "reason": advice.reason,
        }
        for transform, advice in zip(done, result.advice, strict=True)
    ]


def _population(result: SegmentationResult) -> dict[str, Any]:
    population, columns = result.population, result.model.columns
    return {
        "count": population.count,
        "total_weight": population.total_weight,
        "means": {name: population.numbers[name].mean for name in columns},
        "standard_deviations": {name: population.numbers[name].sd for name in columns},
        **population_summary(population),
    }


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
        "log_likelihood": json_number(candidate.log_likelihood),
        **{name: json_number(value) for name, value in candidate.criteria.items()},
        "n_iter": candidate.n_iter,
        "converged": candidate.converged,
        "outcome": None if candidate.outcome is None else candidate.outcome.value,
        "failure": candidate.failure,
        **({} if candidate.folds is None else {"cv_failure": candidate.folds.failure}),
    }
