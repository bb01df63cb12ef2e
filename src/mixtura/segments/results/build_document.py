"""From a result to its document: the only place where objects become keys."""

from __future__ import annotations

from typing import Any

import numpy as np

from mixtura.core.explanation.reasons import reasons_for
from mixtura.fit import Outcome
from mixtura.segments.advice.cluster_verdict import ClusterVerdict
from mixtura.segments.building.selection_content import selection_content
from mixtura.segments.certainty.classification import classification_of
from mixtura.segments.jsonable import jsonable_fields, to_jsonable
from mixtura.segments.known.kept_segments import known_parts
from mixtura.segments.large.whole_table import ListedRows
from mixtura.segments.merging.merging_part import merging_content
from mixtura.segments.model.robust_file import robust_kind
from mixtura.segments.results.build_profiles import index_part, population_part, segment_parts
from mixtura.segments.results.document import FORMAT, FORMAT_VERSION, Document
from mixtura.segments.results.segmentation_result import SegmentationResult
from mixtura.segments.stability.model_choice import Contender
from mixtura.segments.stability.stability_measures import Stability
from mixtura.segments.weighted import row_maxima
from mixtura.select import Candidate

__all__ = ["build_document", "listed_anomalies"]

Content = dict[str, Any]

_LISTED_BELOW = 0.9
"""Customers less certain than this are listed."""

_RESIDUALS = 100
"""Pairs of discrete columns listed at most, those of the largest residual first."""

_ANOMALIES = 1_000
"""Number of anomalies listed at most, those of the lowest density first; the table of results flags all."""


def build_document(
    result: SegmentationResult, stability: Stability | None, clusters: ClusterVerdict | None
) -> Document:
    """Return the document of a result; everything else in it is computed.

    Parameters
    ----------
    result : SegmentationResult
    stability, clusters
        None where they were not measured.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.segments import Effort, segment_table
    >>> result = segment_table(make_customers(as_frame="polars"), components=[2, 3])
    >>> document = result.with_effort(Effort(resamples=0)).document
    >>> document.verdict.segments, document.verdict.customers, document.verdict.stability
    (3, 300, None)
    """
    content = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "mixtura_version": result.model.mixtura_version,
        "table": _table(result),
        "verdict": _verdict(result, stability, clusters),
        "choice": _choice(result),
        "transforms": _transforms(result),
        "population": population_part(result) | {"index_table": index_part(result)},
        "segments": segment_parts(result),
        "certainty": _certainty(result),
        "ambiguous": _ambiguous(result),
        "least_certain": _least_certain(result),
        "anomalies": _anomalies(result),
        "overlap": jsonable_fields(result.overlap) | {"pairwise": to_jsonable(result.overlap.pairwise)},
        "kmeans": _kmeans(result),
        "stability": _stability(stability),
        "candidates": [_candidate(result, candidate) for candidate in result.ranking],
        "diagnostics": _diagnostics(result),
        "notes": list(result.notes),
        "selection": selection_content(result.selection),
        **known_parts(result.known, result.kept),
        "merging": merging_content(result.model, result.merge, result.segment_merging),
        "seconds": result.seconds,
    }
    return Document.model_validate(content)


def _table(result: SegmentationResult) -> Content:
    training, columns = result.model.training, result.columns
    return {
        "source": training.source,
        "rows": training.rows + training.rows_dropped,
        "rows_unassigned": training.rows_dropped,
        "outliers": result.assignment.n_outliers,
        "in_database": result.whole is not None and result.whole.in_database,
        "id_column": training.id_column,
        "active": list(columns.used),
        "discrete": list(columns.discrete),
        "descriptive": list(columns.describe),
        "value_column": columns.value,
        "weight_column": columns.weight,
        "left_out": [{"column": column.name, "reason": column.reason} for column in columns.left_out],
        "kinds": [{"column": one.name, "kind": one.kind, "reason": one.reason} for one in columns.kinds],
        "column_labels": {
            name: columns.codebook.column(name).label
            for name in (*columns.building, *columns.describe, columns.value, columns.weight)
            if name is not None and columns.codebook.column(name).label
        },
    }


def _verdict(
    result: SegmentationResult, stability: Stability | None, clusters: ClusterVerdict | None
) -> Content:
    certainty = result.certainty
    least = None if stability is None else stability.least_stable
    return {
        "segments": result.model.n_segments,
        "customers": result.n_complete,
        "customers_left_out": result.n_rows - result.n_complete,
        "mean_certainty": certainty.mean_certainty,
        "expected_error": certainty.expected_error,
        "n_ambiguous": certainty.n_ambiguous,
        "ambiguous_share": certainty.ambiguous_share,
        "stability": None if stability is None else stability.verdict.value,
        "stability_explanation": None if stability is None else stability.verdict.explanation,
        "adjusted_rand": None if stability is None else stability.overall.adjusted_rand,
        "clusters": None if clusters is None else clusters.found,
        "clusters_explanation": None if clusters is None else clusters.explanation,
        "least_stable": None if least is None else least.name,
        "least_jaccard": None if least is None else least.jaccard,
    }


def _choice(result: SegmentationResult) -> Content:
    training, folds, choice = result.model.training, result.best.folds, result.choice
    noise, tails = result.model.mixture.background, result.model.mixture.tails
    return _candidate(result, result.best) | {
        "criterion_name": training.criterion,
        "seed": training.seed,
        "n_init": training.n_init,
        "n_folds": None if folds is None else folds.values.size,
        "min_share": result.min_share,
        "minimum": result.best is result.minimum,
        "rule": None if choice is None else choice.rule,
        "robust": robust_kind(result.model.mixture),
        "robust_reason": result.robust_reason,
        "outlier_share": 0.0 if noise is None else noise.weight,
        "degrees_of_freedom": [] if tails is None else tails.freedom.tolist(),
        "determined": choice is None or choice.determined,
        "compared": [] if choice is None else [_contender(one) for one in choice.compared],
    }


def _contender(one: Contender) -> Content:
    return {
        "covariance_type": one.candidate.covariance_type,
        "n_components": one.candidate.n_components,
        "separation": to_jsonable(one.separation),
        "adjusted_rand": one.adjusted_rand,
        "least_jaccard": one.least_jaccard,
    }


def _candidate(result: SegmentationResult, candidate: Candidate) -> Content:
    exclusion = result.exclusions.get(candidate)
    return {
        "covariance_type": candidate.covariance_type,
        "n_components": candidate.n_components,
        "n_parameters": candidate.n_parameters,
        "log_likelihood": candidate.log_likelihood,
        "criteria": candidate.criteria,
        "n_iter": candidate.n_iter,
        "converged": candidate.converged,
        "outcome": None if candidate.outcome is None else candidate.outcome.value,
        "failure": candidate.failure,
        "cv_failure": None if candidate.folds is None else candidate.folds.failure,
        "excluded": candidate in result.excluded,
        "exclusion": None if exclusion is None else exclusion.value,
        "smallest_share": to_jsonable(candidate.smallest_share),
    }


def _transforms(result: SegmentationResult) -> list[Content]:
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
        for transform, advice in zip(result.model.scaling.transforms, result.advice, strict=True)
    ]


def _certainty(result: SegmentationResult) -> Content:
    found = result.certainty
    pairs = [{"assigned": i + 1, "belongs": j + 1, "share": share} for i, j, share in found.most_confused()]
    return jsonable_fields(found, without={"bands", "table", "mean_square"}) | {
        "classification": jsonable_fields(classification_of(found)),
        "most_confused": pairs,
        "bands": [jsonable_fields(band) for band in found.bands],
    }


def _ambiguous(result: SegmentationResult) -> Content:
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
                "second": one.second + 1 if one.second >= 0 else -1,
                "first_membership": float(one.memberships[one.first]),
                "second_membership": one.second_membership,
                "anomaly": _is_anomaly(result, one.row),
            }
            for one in result.least_certain
            if one.memberships[one.first] < _LISTED_BELOW
        ],
    }


def _least_certain(result: SegmentationResult) -> list[Content]:
    return [
        {
            "customer": one.customer,
            "row": one.row,
            "first": one.first + 1,
            "second": one.second + 1 if one.second >= 0 else -1,
            "memberships": one.memberships.tolist(),
            "kmeans_segment": one.kmeans + 1,
        }
        for one in result.ambiguous
    ]


def _anomalies(result: SegmentationResult) -> Content:
    model, assignment, whole = result.model, result.assignment, result.whole
    weights = result.weights, result.outlier_weights
    return {
        "percentile": model.anomaly_percentile,
        "log_density_threshold": model.anomaly_threshold,
        "count": assignment.n_anomalies if whole is None else whole.n_anomalies,
        "share": assignment.anomaly_share(*weights) if whole is None else whole.anomaly_share,
        "customers": _listed_anomalies(result),
    }


def listed_anomalies(result: SegmentationResult, most: int) -> ListedRows:
    """Return the anomalies of the lowest density, the lowest first."""
    if result.whole is not None:
        return result.whole.anomalies.first(most)
    assignment, rows = result.assignment, np.array(result.anomalies[:most], dtype=np.intp)
    return ListedRows(
        rows,
        tuple(assignment.customer(int(row)) for row in rows),
        result.numbers_of(rows),
        assignment.memberships[rows],
        assignment.log_density[rows],
        assignment.labels[rows],
    )


def _is_anomaly(result: SegmentationResult, row: int) -> bool:
    """Return whether one of the least certain customers, by its number in the table, is an anomaly."""
    if result.whole is None:
        return bool(result.assignment.anomaly[row])
    found, limit = result.whole.least_certain, result.model.anomaly_threshold
    return limit is not None and bool((found.log_density[found.rows == row] < limit).any())


def _listed_anomalies(result: SegmentationResult) -> list[Content]:
    """Return the anomalies with the segment nearest to each, and the columns that make them so."""
    found = listed_anomalies(result, _ANOMALIES)
    if not found.rows.size:
        return []
    certainty, shares = row_maxima(found.memberships), result.model.drivers(found.values)
    model, scaling = result.model, result.model.scaling
    scaled = scaling.apply(scaling.masked(found.values))
    normal = scaling.restore(reasons_for(model.mixture, scaled).expected)
    nearest = found.memberships.argmax(axis=1)
    return [
        {
            "customer": found.customers[i],
            "row": int(found.rows[i]),
            "log_density": float(found.log_density[i]),
            "segment": int(nearest[i]) + 1,
            "outlier": bool(found.labels[i] < 0),
            "certainty": float(certainty[i]),
            "drivers": [
                {
                    "column": model.columns[d],
                    "value": float(found.values[i, d]),
                    "share": float(shares[i, d]),
                    "expected": float(normal[i, d]),
                }
                for d in np.argsort(-shares[i], kind="stable")
                if not np.isnan(found.values[i, d])
            ],
        }
        for i in range(found.rows.size)
    ]


def _kmeans(result: SegmentationResult) -> Content:
    found = result.kmeans
    return jsonable_fields(found, without={"labels", "moved", "split", "merged"}) | {
        "n_moved": int(found.moved.sum()),
        "split": [
            jsonable_fields(one)
            | {"segment": one.segment + 1, "clusters": [cluster + 1 for cluster in one.clusters]}
            for one in found.split
        ],
        "merged": [
            jsonable_fields(one)
            | {"cluster": one.cluster + 1, "segments": [segment + 1 for segment in one.segments]}
            for one in found.merged
        ],
        "sentences": list(found.sentences),
    }


def _stability(found: Stability | None) -> Content | None:
    if found is None:
        return None
    return jsonable_fields(found, without={"flows", "overall", "numbers", "segments"}) | {
        "explanation": found.verdict.explanation,
        "sampled": found.sampled,
        "overall": jsonable_fields(found.overall),
        "numbers": [jsonable_fields(one) for one in found.numbers],
        "segments": [jsonable_fields(one) | {"word": one.word} for one in found.segments],
        "transitions": [
            jsonable_fields(one, without={"from_order", "to_order"}) | {"retention": one.retention}
            for one in found.flows
        ],
    }


def _diagnostics(result: SegmentationResult) -> Content:
    parameters = result.best.n_parameters
    return {
        "outcomes": {one.value: one.explanation for one in Outcome},
        "excluded": len(result.excluded),
        "degenerate": [
            {
                "covariance_type": candidate.covariance_type,
                "n_components": candidate.n_components,
                "why": [one.describe(result.model.columns, first=1) for one in candidate.degeneracies],
            }
            for candidate in result.ranking
            if candidate.degeneracies
        ],
        "normality": _normality(result),
        "free_parameters": parameters,
        "residuals": [
            jsonable_fields(one) | {"is_large": one.is_large} for one in result.residuals[:_RESIDUALS]
        ],
        "rows_per_parameter": result.population.total_weight / max(1, parameters),
    }


def _normality(result: SegmentationResult) -> list[Content]:
    d, level = len(result.model.columns), 0.05 / result.model.n_segments
    return [
        {
            "segment": one.component + 1,
            "rows": one.n_rows,
            "skewness": one.mardia.skewness,
            "skewness_p": one.mardia.skewness_p,
            "kurtosis": one.mardia.kurtosis,
            "kurtosis_normal": float(d * (d + 2)),
            "kurtosis_p": one.mardia.kurtosis_p,
            "energy_p": one.energy_p,
            "rejected": one.rejected(level),
        }
        for one in result.normality
    ]
