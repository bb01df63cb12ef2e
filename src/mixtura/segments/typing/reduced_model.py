"""A model of some of its questions: the marginal mixture, which is exact, so that nothing is estimated again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mixtura._typing import IntArray
from mixtura.core.parts.discrete import DiscreteColumns, LevelTable
from mixtura.exceptions import ParameterError
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.table.discrete.coding import Coding
from mixtura.segments.transforms.scaling import Scaling

__all__ = ["reduced_model"]


def reduced_model(model: SegmentModel, questions: Sequence[str]) -> SegmentModel:
    """Return the model that assigns by some of its columns alone.

    A marginal of a Gaussian mixture is the mixture of its components' marginals, with the same weights; the columns
    that are left out are integrated over, given the answers to the others. Memberships are those that the whole model
    gives where all other values are missing.

    Parameters
    ----------
    model : SegmentModel
    questions : sequence of str
        Columns of the model, at least one of them continuous.

    Raises
    ------
    ParameterError
        A question is not a column of the model, or none is continuous.

    Examples
    --------
    >>> from mixtura import Segmentation
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.segments.typing.reduced_model import reduced_model
    >>> model = Segmentation.fit(make_customers(as_frame="polars"), components=[3]).model
    >>> reduced_model(model, ["income"]).memberships([[60.0]]).round(2).tolist()
    [[0.03, 0.34, 0.63]]
    """
    every = (*model.columns, *model.discrete_columns)
    unknown = [name for name in questions if name not in every]
    kept = [d for d, name in enumerate(model.columns) if name in questions]
    if unknown or not kept:
        raise ParameterError(
            f"`questions` must be columns of the model, at least one of {', '.join(map(repr, model.columns))}; got "
            f"{list(questions)!r}. Its columns are {', '.join(map(repr, every))}."
        )
    mixture, coding = model.mixture.marginal(kept), None
    if model.coding is not None and model.mixture.levels is not None:
        chosen = [j for j, one in enumerate(model.coding.columns) if one.name in questions]
        coding, table = _some_columns(model.coding, model.mixture.levels, chosen)
        mixture = replace(mixture, levels=table)
    names = tuple(model.columns[d] for d in kept)
    return replace(
        model,
        mixture=mixture,
        columns=names,
        scaling=_of_columns(model.scaling, kept),
        coding=coding,
        anomaly_percentile=0.0,
        anomaly_threshold=None,
        reference=None,
        statistics=None,
    )


def _of_columns(scaling: Scaling, kept: Sequence[int]) -> Scaling:
    return Scaling(
        scaling.center[list(kept)],
        scaling.scale[list(kept)],
        tuple(scaling.transforms[d] for d in kept) if scaling.transforms else (),
        tuple(scaling.spikes[d] for d in kept) if scaling.spikes else (),
    )


def _some_columns(
    coding: Coding, table: LevelTable, chosen: Sequence[int]
) -> tuple[Coding | None, LevelTable | None]:
    if not chosen:
        return None, None
    discrete = DiscreteColumns(
        tuple(coding.discrete.models[j] for j in chosen),
        tuple(coding.discrete.shares[j] for j in chosen),
        coding.discrete.strength,
    )
    starts = coding.discrete.starts
    rows = [np.arange(starts[j], starts[j + 1]) for j in chosen]
    at: IntArray = np.concatenate([*rows, [starts[-1]]]).astype(np.intp)
    logs = np.ascontiguousarray(table.logs[at])
    return Coding(tuple(coding.columns[j] for j in chosen), discrete), LevelTable(discrete, logs)
