"""The discrete columns of a model in its file, and in exports."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mixtura.core.mixture import Mixture
from mixtura.core.parts.discrete import DiscreteColumns, LevelTable
from mixtura.core.parts.level_models import LEVEL_MODELS
from mixtura.io.export import DiscretePart
from mixtura.segments.table.discrete.coding import CodedColumn, Coding

if TYPE_CHECKING:
    from mixtura.io.model_schema import DiscreteValues

__all__ = ["discrete_content", "discrete_parts", "read_discrete"]


_KINDS: dict[str, Literal["category", "count", "spike"]] = {
    "category": "category",
    "ordered": "category",
    "count": "count",
    "spike": "spike",
}


def discrete_content(
    coding: Coding | None, mixture: Mixture, spikes: tuple[tuple[float, ...], ...]
) -> dict[str, Any]:
    """Return what a model file says of discrete columns: nothing where there are none."""
    if coding is None or mixture.levels is None:
        return {}
    starts, logs = coding.discrete.starts, mixture.levels.logs
    columns = [
        {
            "name": column.name,
            "kind": column.kind,
            "model": column.model.name,
            "levels": list(column.levels),
            "labels": list(column.labels),
            "shares": coding.discrete.shares[j].tolist(),
            # A level that no row has is impossible; JSON has no infinities.
            "log_probabilities": np.maximum(logs[starts[j] : starts[j + 1]], -1e9).T.tolist(),
        }
        for j, column in enumerate(coding.columns)
    ]
    every = spikes or ((),) * mixture.n_features
    return {"discrete": {"spikes": [list(one) for one in every], "columns": columns}}


def read_discrete(values: DiscreteValues | None, mixture: Mixture) -> tuple[Coding | None, Mixture]:
    """Return the discrete columns of a model file, and the mixture with the probabilities of their levels."""
    if values is None:
        return None, mixture
    columns = tuple(
        CodedColumn(one.name, one.kind, tuple(one.levels), LEVEL_MODELS[one.model], tuple(one.labels))
        for one in values.columns
    )
    discrete = DiscreteColumns(
        tuple(one.model for one in columns), tuple(np.array(one.shares) for one in values.columns)
    )
    tables = [np.array(one.log_probabilities).T for one in values.columns]
    logs = np.ascontiguousarray(np.vstack([*tables, np.zeros((1, mixture.n_components))]))
    return Coding(columns, discrete), replace(mixture, levels=LevelTable(discrete, logs))


def discrete_parts(coding: Coding | None, mixture: Mixture) -> tuple[DiscretePart, ...]:
    """Return what exports write of discrete columns."""
    if coding is None or mixture.levels is None:
        return ()
    starts, logs = coding.discrete.starts, mixture.levels.logs
    return tuple(
        DiscretePart(
            column.name, _KINDS[column.kind], column.levels, logs[starts[j] : starts[j + 1]], column.labels
        )
        for j, column in enumerate(coding.columns)
    )
