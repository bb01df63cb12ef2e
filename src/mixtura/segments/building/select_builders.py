"""Which columns of a table build its segments: the others only describe them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mixtura.core.protocols import MixedRows
from mixtura.exceptions import ColumnError
from mixtura.segments.options import Settings
from mixtura.segments.table.columns import ColumnChoice, LeftOut
from mixtura.segments.table.discrete.coding import Coding
from mixtura.segments.table.prepare import Prepared
from mixtura.segments.table.rounding import scaled_steps
from mixtura.segments.transforms.scaling import Scaling
from mixtura.select import ColumnGroup, ColumnRole, ColumnSelection, Role, select_columns
from mixtura.select.columns.column_groups import take_columns

__all__ = ["restricted", "select_builders"]

_REASONS = {
    Role.REDUNDANT: "redundant: it follows from columns that build the segments",
    Role.NOISE: "noise: it is independent of the segments",
}


def select_builders(
    prepared: Prepared, settings: Settings, n_segments: int | None = None
) -> tuple[Prepared, ColumnSelection]:
    """Return a table with the columns that build segments, the others describing, and the evidence.

    Where no column builds, the table stays as it is.

    Parameters
    ----------
    prepared : Prepared
    settings : Settings
    n_segments : int or None, default=None
        The number of segments that they are to build; None for all that are tried.

    Raises
    ------
    ColumnError
        There are fewer than two columns.
    ParameterError
        No number of segments above one is tried.
    TooFewRowsError
        There are no more rows than columns.
    """
    groups = _groups(prepared)
    if len(groups) < 2:
        raise ColumnError(
            f"`select_columns` needs at least two columns to select from; there is only {groups[0].name!r}. Leave "
            "`select_columns` out.",
            column=groups[0].name,
        )
    found = select_columns(
        prepared.scaling.seen(prepared.columns_table),
        groups=groups,
        components=settings.numbers(prepared.rows, prepared.weights) if n_segments is None else [n_segments],
        covariance_types=tuple(settings.covariance_types),
        n_init=settings.n_init,
        random_state=settings.seed,
        sample_weight=prepared.weights,
        prior=settings.prior,
        missing="fiml",
        rounding=scaled_steps(prepared.rows, prepared.scaling),
    )
    return (restricted(prepared, found, groups) if found.building else prepared), found


def _groups(prepared: Prepared) -> list[ColumnGroup]:
    """Return what of the rows belongs to each column: of one with point masses its numbers and where they are."""
    coded = () if prepared.coding is None else prepared.coding.columns
    spikes = {one.name: (j,) for j, one in enumerate(coded) if one.kind == "spike"}
    continuous = [ColumnGroup(name, d, spikes.get(name, ())) for d, name in enumerate(prepared.choice.used)]
    return [
        *continuous,
        *(ColumnGroup(one.name, None, (j,)) for j, one in enumerate(coded) if one.kind != "spike"),
    ]


def restricted(prepared: Prepared, found: ColumnSelection, groups: list[ColumnGroup]) -> Prepared:
    """Return a table in which only the building columns build."""
    kept = [one for one in groups if one.name in found.building]
    numbers = [one.continuous for one in kept if one.continuous is not None]
    chosen = [j for one in kept for j in one.discrete]
    table = take_columns(prepared.columns_table, kept)
    rows = np.asarray(table.rows if isinstance(table, MixedRows) else table, dtype=np.float64)
    levels = table.levels if isinstance(table, MixedRows) else None
    coding = None
    if prepared.coding is not None and isinstance(table, MixedRows):
        coding = Coding(tuple(prepared.coding.columns[j] for j in chosen), table.discrete)
    choice = _choice(prepared.choice, found)
    whole = replace(
        prepared,
        choice=choice,
        rows=rows,
        scaling=_scaling(prepared.scaling, numbers),
        advice=tuple(prepared.advice[d] for d in numbers),
        coding=coding,
        levels=levels,
    )
    return whole if choice.discrete else _with_values(whole)


def _with_values(prepared: Prepared) -> Prepared:
    """Leave out rows that have no value in the columns that build."""
    known = np.asarray(~np.isnan(prepared.rows).all(axis=1))
    return prepared if known.all() else prepared.only(known)


def _choice(choice: ColumnChoice, found: ColumnSelection) -> ColumnChoice:
    others = [one for one in found.columns if one.role is not Role.BUILDING]
    describing = [one.name for one in others if one.name not in (*choice.describe, choice.value)]
    return replace(
        choice,
        used=tuple(name for name in choice.used if name in found.building),
        discrete=tuple(name for name in choice.discrete if name in found.building),
        kinds=tuple(one for one in choice.kinds if one.name in found.building),
        describe=(*choice.describe, *describing),
        left_out=(*choice.left_out, *(_left_out(one) for one in others)),
    )


def _left_out(one: ColumnRole) -> LeftOut:
    return LeftOut(one.name, _REASONS[one.role])


def _scaling(scaling: Scaling, numbers: list[int]) -> Scaling:
    transforms, spikes = scaling.transforms, scaling.spikes
    return replace(
        scaling,
        center=scaling.center[numbers],
        scale=scaling.scale[numbers],
        transforms=tuple(transforms[d] for d in numbers) if transforms else (),
        spikes=tuple(spikes[d] for d in numbers) if spikes else (),
    )
