"""Customers in no segment: found before the others are described, and joined to the result again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mixtura.segments.model.assign import assignment_of
from mixtura.segments.model.build import with_threshold
from mixtura.segments.results.segmentation_result import SegmentationResult
from mixtura.segments.scan import Scores, scan_of
from mixtura.segments.table.prepare import Prepared
from mixtura.select import Candidate

__all__ = ["with_outliers", "without_outliers"]


def without_outliers(prepared: Prepared, best: Candidate) -> Prepared:
    """Return the rows that a mixture puts in a component; all of them, as they are, where it has no noise."""
    mixture = best.mixture
    assert mixture is not None, "a search without any mixture has raised"
    if mixture.background is None:
        return prepared
    scores = Scores.empty(len(prepared.rows), mixture.n_components)
    scan_of(mixture, prepared.scaling, prepared.table).run([], scores)
    return prepared.only(scores.labels >= 0)


def with_outliers(result: SegmentationResult, prepared: Prepared, inside: Prepared) -> SegmentationResult:
    """Return a result of those in a segment with all customers assigned, and the threshold of anomalies of all.

    Parameters
    ----------
    result : SegmentationResult
        Of `inside`.
    prepared, inside : Prepared
        All usable rows, and those in a segment.
    """
    model, scaling = result.model, prepared.scaling
    scores = Scores.empty(len(prepared.rows), model.n_segments)
    scan_of(model.mixture, scaling, prepared.table, groups=model.groups).run([], scores)
    scores = scores.in_user_units(scaling, scaling.masked(prepared.rows))
    model = with_threshold(model, scores.log_density, prepared.weights)
    known = result.assignment
    outside = prepared.only(~inside.complete[np.flatnonzero(prepared.complete)])
    return replace(
        result,
        model=model,
        assignment=assignment_of(model, scores, prepared.complete, known.id_name, known.ids),
        outlier_rows=outside.columns_table,
        outlier_weights=outside.weights,
    )
