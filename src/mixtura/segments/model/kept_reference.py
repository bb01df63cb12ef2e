"""What a model keeps of the rows it was learned from, so that later rows can be compared with them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.protocols import MixedRows, RowTable, continuous_rows
from mixtura.drift import Reference, reference_of, reference_of_model
from mixtura.engine import as_data
from mixtura.exceptions import DataError
from mixtura.segments.transforms.scaling import Scaling
from mixtura.segments.updating.model_statistics import gather_statistics

if TYPE_CHECKING:
    from mixtura.io.model_schema import ReferenceValues
    from mixtura.segments.model.segment_model import SegmentModel

__all__ = ["log_jacobians", "read_reference", "reference_content", "simulated_reference", "with_reference"]


def log_jacobians(scaling: Scaling, rows: RowTable) -> FloatArray:
    """Return what makes log densities of scaled rows those per unit of the user's columns, shape (N,)."""
    return scaling.log_jacobian(scaling.masked(continuous_rows(rows)))


def with_reference(
    model: SegmentModel,
    rows: RowTable,
    weights: FloatArray | None = None,
    outliers: RowTable | None = None,
    outlier_weights: FloatArray | None = None,
) -> SegmentModel:
    """Return the model with sums of the rows it was learned from, with which later ones are compared and added up.

    See `mixtura.drift.reference_of` and `mixtura.segments.update_model`.

    Parameters
    ----------
    model : SegmentModel
    rows : ndarray of shape (N, D), or MixedRows
        Those that it was learned from, in the user's units.
    weights : ndarray of shape (N,) or None, default=None
    outliers : ndarray of shape (M, D), or MixedRows, or None, default=None
        Further rows that it was learned from, which are in no segment.
    outlier_weights : ndarray of shape (M,) or None, default=None
        There where `weights` are.
    """
    if outliers is not None:
        rows = _joined(rows, outliers)
        if weights is not None and outlier_weights is not None:
            weights = np.concatenate([weights, outlier_weights])
    found = reference_of(
        as_data(model.scaling.seen(rows), weights),
        model.mixture,
        log_jacobians(model.scaling, rows),
        threshold=model.anomaly_threshold,
        prior=model.training.prior,
    )
    # Those of a table that is worked on in parts are of all its rows, and known.
    kept = model.statistics or gather_statistics(model.mixture, model.scaling, rows, weights)
    return replace(model, reference=found, statistics=kept)


def _joined(rows: RowTable, more: RowTable) -> RowTable:
    joined = np.concatenate([continuous_rows(rows), continuous_rows(more)])
    if isinstance(rows, MixedRows) and isinstance(more, MixedRows):
        return MixedRows(joined, np.concatenate([rows.levels, more.levels]), rows.discrete)
    return joined


def simulated_reference(model: SegmentModel, like: RowTable) -> Reference:
    """Return the reference of a model that does not have one: what the model itself expects of its rows.

    Raises
    ------
    DataError
        The model has discrete columns.
    """
    if model.coding is not None and any(one.kind == "merged" for one in model.training.history):
        raise DataError(
            "The model was merged from sums, which do not say how customers were spread, and with counts, categories "
            "or point masses that does not follow from the model. Give a table to compare with as `before`, or add one "
            "to the model, with which later ones are compared: mixtura update MODEL TABLE."
        )
    if model.coding is not None:
        raise DataError(
            "The model file, of an earlier version, does not say how the customers it was learned from were spread, "
            "and with counts, categories or point masses that does not follow from it. Write the model again with this "
            "version, update it with a table, or give the table it was learned from as `before`."
        )
    return reference_of_model(
        model.mixture,
        max(model.training.rows, 2),
        as_data(model.scaling.seen(like)),
        lambda scaled: model.scaling.log_jacobian(model.scaling.restore(scaled)),
        threshold=model.anomaly_threshold,
        prior=model.training.prior,
    )


def reference_content(reference: Reference | None) -> dict[str, Any]:
    """Return what a model file says of the rows that the model was learned from: nothing where that is not known."""
    return {} if reference is None else {"reference": reference.to_dict()}


def read_reference(values: ReferenceValues | None, n_components: int) -> Reference | None:
    """Return the reference of a model file."""
    return None if values is None else Reference.from_dict(values.model_dump(), n_components)
