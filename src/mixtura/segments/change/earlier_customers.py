"""The customers who are compared with: those of the model file, of an earlier table, or expected by the model."""

from __future__ import annotations

import numpy as np

from mixtura.drift import MixtureDrift, Reference, reference_of_fresh_rows
from mixtura.engine import as_data
from mixtura.segments.model.kept_reference import log_jacobians, simulated_reference, with_reference
from mixtura.segments.model.read_rows import ModelRows
from mixtura.segments.model.segment_model import SegmentModel

__all__ = ["outlier_notes", "reference_for"]


def reference_for(
    model: SegmentModel, read: ModelRows, earlier: ModelRows | None, label: str
) -> tuple[Reference, tuple[str, ...]]:
    """Return what is compared with, and what is to be said of it."""
    if model.reference is not None:
        return model.reference, ()
    if earlier is None:
        said = (
            "The model file is of an earlier version, or merged from sums, and does not say how the customers were "
            "spread that it was learned from. Compared is with what the model expects, as if it were exactly right: "
            "where customers are not quite Gaussian, they will look changed. Give the earlier table, or write the "
            "model again."
        )
        return simulated_reference(model, read.table), (said,)
    if _is_learned_from(model, earlier):
        found = with_reference(model, earlier.table, earlier.weights).reference
        assert found is not None, "it was just made"
        return found, ()
    data = as_data(model.scaling.seen(earlier.table), earlier.weights)
    jacobians = log_jacobians(model.scaling, earlier.table)
    made = reference_of_fresh_rows(data, model.mixture, jacobians, threshold=model.anomaly_threshold)
    return made, (f"The model file is of an earlier version: compared is with {label}.",)


def outlier_notes(drift: MixtureDrift) -> tuple[str, ...]:
    """Return a sentence on the outliers at both times; none where the model has no noise, or nobody is one."""
    both = drift.comparison.reference.sums, drift.comparison.after
    if not any(sums.has_noise for sums in both):
        return ()
    before, after = (100 * (1 - float(sums.shares.sum()) / sums.weight) for sums in both)
    said = (
        f"Outliers, who are in no segment, are {before:.1f} % of the customers before and {after:.1f} % after: the "
        "shares of the segments sum to the rest."
    )
    return (said,)


def _is_learned_from(model: SegmentModel, read: ModelRows) -> bool:
    """Return whether these are the rows that a model was learned from, by their number and likelihood."""
    if len(read.rows) != model.training.rows:
        return False
    weights = np.ones(len(read.rows)) if read.weights is None else read.weights
    total = float(weights @ model.log_density(read.table))
    return abs(total - model.training.log_likelihood) <= 1e-6 * abs(total)
